/* Sleepy echoes; a message that begins with 'S' makes it sleep a second first. */
#include "websocket_plugin.h"

#include <unistd.h>

static size_t CALLBACK sleepy_on_message(void *session, const WebSocketServer *server, const int type,
                                         unsigned char *buffer, const size_t size)
{
    (void)session;
    if (size > 0 && buffer[0] == 'S') {
        usleep(500000);
        usleep(500000); /* a million is more than every usleep takes */
    }
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin sleepy = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, sleepy_on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK sleepy_init(void)
{
    return &sleepy;
}
