/* What the original does and no plugin should rely on. The query says what
 * on_connect sets, a message what is sent. */
#include "httpd.h"
#include "http_log.h"

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
    int closes = size > 0 && buffer[0] == 'c';
    const char *text = buffer == NULL ? "NULL" : "a buffer";
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, (request_rec *)session, "edges: %.*s", (int)size, (char *)buffer);
    if (size == 0)
        return server->send(server, type, (const unsigned char *)text, strlen(text));
    return server->send(server, closes ? MESSAGE_TYPE_CLOSE : MESSAGE_TYPE_PING, many, (size_t)atoi((char *)buffer + 1));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK edges_init(void) { return &plugin; }
