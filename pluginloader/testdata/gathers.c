/* A plugin that obeys its messages: each byte of one is a step. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "websocket_plugin.h"

static const WebSocketServer *sender;

static void *send_foreign(void *nothing)
{
    (void)nothing;
    sender->send(sender, MESSAGE_TYPE_TEXT, (const unsigned char *)"foreign", 7);
    return NULL;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    static char large[3000];
    (void)session, (void)type;
    for (size_t i = 0; i < size; i++) {
        pthread_t thread;
        switch (buffer[i]) {
        case '.':
            usleep(10000);
            break;
        case 'C':
            server->close(server);
            break;
        case 'L':
            memset(large, 'L', sizeof large);
            server->send(server, MESSAGE_TYPE_BINARY, (unsigned char *)large, sizeof large);
            break;
        case 'P':
            server->send(server, MESSAGE_TYPE_PING, buffer + i, 1);
            break;
        case 'F':
            sender = server;
            if (pthread_create(&thread, NULL, send_foreign, NULL) == 0)
                pthread_join(thread, NULL);
            break;
        case 'M':
            for (int n = 0; n < 1000; n++)
                server->send(server, MESSAGE_TYPE_BINARY, buffer, size);
            break;
        default:
            if (server->send(server, MESSAGE_TYPE_TEXT, buffer + i, 1) != 1)
                server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"refused", 7);
        }
    }
    return size;
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK gathers_init(void) { return &plugin; }
