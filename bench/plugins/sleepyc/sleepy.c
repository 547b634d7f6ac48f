/* Sleepy echoes; a message that begins with 'S' and a digit makes it sleep so many seconds first. */
#include "websocket_plugin.h"

#include <unistd.h>

static size_t CALLBACK sleepy_on_message(void *session, const WebSocketServer *server, const int type,
                                         unsigned char *buffer, const size_t size)
{
    (void)session;
    if (size > 1 && buffer[0] == 'S')
        sleep(buffer[1] - '0');
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin sleepy = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, sleepy_on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK sleepy_init(void)
{
    return &sleepy;
}
