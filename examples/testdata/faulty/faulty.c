/* Init functions whose answers cannot be used. */
#include "websocket_plugin.h"

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin version_one = {sizeof(WebSocketPlugin), 1, NULL, NULL, on_message, NULL};
static WebSocketPlugin too_small = {32, WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};
static WebSocketPlugin no_message = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, NULL, NULL};
static WebSocketPlugin good = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK returns_null(void) { return NULL; }
EXPORT WebSocketPlugin *CALLBACK returns_version_one(void) { return &version_one; }
EXPORT WebSocketPlugin *CALLBACK returns_too_small(void) { return &too_small; }
EXPORT WebSocketPlugin *CALLBACK returns_no_message(void) { return &no_message; }
EXPORT WebSocketPlugin *CALLBACK good_init(void) { return &good; }
