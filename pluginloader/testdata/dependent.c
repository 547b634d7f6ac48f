/* A plugin that uses a function of provider.c without naming its library. */
#include <string.h>

#include "websocket_plugin.h"

extern const char *provided(void);

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)type, (void)buffer, (void)size;
    return server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)provided(), strlen(provided()));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK dependent_init(void) { return &plugin; }
