/* Logs at every level when a message comes, to the request, the connection,
 * the server and nothing. */
#include "httpd.h"
#include "http_log.h"

#include "websocket_plugin.h"

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    for (int level = APLOG_EMERG; level <= APLOG_TRACE8; level++)
        ap_log_rerror(APLOG_MARK, level, 0, r, "request level %d for %pI", level, r->useragent_addr);
    ap_log_rerror(APLOG_MARK, APLOG_ERR, APR_ENOENT, r, "with a status: %pm", &(apr_status_t){APR_EACCES});
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "two\nlines and a \\");
    ap_log_cerror(APLOG_MARK, APLOG_NOTICE, 0, r->connection, "connection");
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, r->server, "server");
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, NULL, "nobody's");
    ap_log_perror(APLOG_MARK, APLOG_NOTICE, 0, r->pool, "pool");
    (void)buffer;
    (void)size;
    return server->send(server, type, (const unsigned char *)"logged", 6);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK levels_init(void) { return &plugin; }
