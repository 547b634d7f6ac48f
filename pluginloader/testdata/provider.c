/* A plugin that has what dependent.c needs. */
#include "websocket_plugin.h"

EXPORT const char *provided(void) { return "provided"; }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)server, (void)type, (void)buffer;
    return size;
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK provider_init(void) { return &plugin; }
