/* Echo sends every message back as it came. */
#include "websocket_plugin.h"

static size_t CALLBACK echo_on_message(void *session, const WebSocketServer *server, const int type,
                                       unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin echo = {
    sizeof(WebSocketPlugin),
    WEBSOCKET_PLUGIN_VERSION_0,
    NULL, /* destroy */
    NULL, /* on_connect: everybody is accepted */
    echo_on_message,
    NULL, /* on_disconnect */
};

/* What "WebSocketHandler modules/mod_websocket_echo.so echo_init" calls. */
EXPORT WebSocketPlugin *CALLBACK echo_init(void)
{
    return &echo;
}
