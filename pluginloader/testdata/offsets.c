/* Prints the layout that the header gives to a plugin's compiler. */
#include <stdio.h>

#include "websocket_plugin.h"

#define OFFSET(type, field) printf(#type "." #field " %zu %zu\n", offsetof(type, field), sizeof(((type *)0)->field))

int main(void)
{
    printf("WebSocketServer %zu\n", sizeof(WebSocketServer));
    OFFSET(WebSocketServer, size);
    OFFSET(WebSocketServer, version);
    OFFSET(WebSocketServer, state);
    OFFSET(WebSocketServer, request);
    OFFSET(WebSocketServer, header_get);
    OFFSET(WebSocketServer, header_set);
    OFFSET(WebSocketServer, protocol_count);
    OFFSET(WebSocketServer, protocol_index);
    OFFSET(WebSocketServer, protocol_set);
    OFFSET(WebSocketServer, send);
    OFFSET(WebSocketServer, close);
    printf("WebSocketPlugin %zu\n", sizeof(WebSocketPlugin));
    OFFSET(WebSocketPlugin, size);
    OFFSET(WebSocketPlugin, version);
    OFFSET(WebSocketPlugin, destroy);
    OFFSET(WebSocketPlugin, on_connect);
    OFFSET(WebSocketPlugin, on_message);
    OFFSET(WebSocketPlugin, on_disconnect);
    printf("types %d %d %d %d %d %d\n", MESSAGE_TYPE_INVALID, MESSAGE_TYPE_TEXT, MESSAGE_TYPE_BINARY, MESSAGE_TYPE_CLOSE,
           MESSAGE_TYPE_PING, MESSAGE_TYPE_PONG);
    printf("versions %d %d\n", WEBSOCKET_SERVER_VERSION_1, WEBSOCKET_PLUGIN_VERSION_0);
    return 0;
}
