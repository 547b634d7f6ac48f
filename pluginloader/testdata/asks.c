/* Uses nothing but the interface, and asks for the request. */
#include <stdio.h>

#include "websocket_plugin.h"

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    printf("asks: request is %s\n", server->request(server) == NULL ? "NULL" : "there");
    fflush(stdout);
    return (void *)1;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

WebSocketPlugin *asks_init(void) { return &plugin; }
