/*
 * Two libraries are made of this file, which export the same names: each must
 * call its own functions. One of them is a name of ours.
 */
#include <string.h>

#include "websocket_plugin.h"

EXPORT const char *who(void) { return WHO; }
EXPORT const char *server_send(void) { return WHO; }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)type, (void)buffer, (void)size;
    server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)who(), strlen(who()));
    return server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)server_send(), strlen(server_send()));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK twin_init(void) { return &plugin; }
