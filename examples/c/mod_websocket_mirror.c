/*
 * Mirror sends every message to all who are connected, the sender included.
 *
 * It asks for what wshttpd has beyond the interface of the original: a
 * broadcast to all connections of the Location. Under another server, which
 * does not have it, the same binary still loads, and mirrors to the sender
 * alone.
 */
#include "websocket_plugin.h"

static size_t CALLBACK mirror_on_message(void *session, const WebSocketServer *server, const int type,
                                         unsigned char *buffer, const size_t size)
{
    const WebSocketServerExtended *extended = websocket_extended(server);
    (void)session;
    if (extended != NULL)
        return extended->broadcast(server, type, buffer, size);
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, mirror_on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK mirror_init(void) { return &plugin; }
