/* What no plugin should rely on. The query says what on_connect sets; a message
 * is c for a close frame or p for a ping, and how many bytes it shall have. */
#include "httpd.h"
#include "http_log.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    const char *query = r->args == NULL ? "" : r->args;
    if (strcmp(query, "header") == 0)
        server->header_set(server, "X-Split", "a\r\nX-Injected: b");
    if (strcmp(query, "protocol") == 0)
        server->protocol_set(server, "no token");
    return r;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    static const unsigned char many[200];
    const char *text = buffer == NULL ? "NULL" : "a buffer";
    request_rec *r = session;
    if (size == 0)
        return server->send(server, type, (const unsigned char *)text, strlen(text));
    text = apr_pstrmemdup(r->pool, (char *)buffer, size);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "edges: %s", text);
    return server->send(server, text[0] == 'c' ? MESSAGE_TYPE_CLOSE : MESSAGE_TYPE_PING, many, (size_t)atoi(text + 1));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK edges_init(void) { return &plugin; }
