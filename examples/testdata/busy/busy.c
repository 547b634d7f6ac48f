/* A plugin whose callbacks last, and whose threads send all at once. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "websocket_plugin.h"

#define SENDERS 8
#define MESSAGES 3000

struct session {
    const WebSocketServer *server;
    pthread_t threads[SENDERS];
    unsigned running;
};

struct sender {
    const WebSocketServer *server;
    unsigned char number;
};

/* Sends numbered messages: the sender, and two bytes of its count. */
static void *storm(void *argument)
{
    struct sender *sender = argument;
    for (unsigned n = 0; n < MESSAGES; n++) {
        unsigned char message[3] = {sender->number, (unsigned char)(n >> 8), (unsigned char)n};
        if (sender->server->send(sender->server, MESSAGE_TYPE_BINARY, message, sizeof message) != sizeof message)
            break;
    }
    free(sender);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    struct session *session = calloc(1, sizeof *session);
    if (session != NULL)
        session->server = server;
    return session;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "storm" lets the threads begin; "sleep" sleeps and then echoes; "last" and
 * "burn" echo, and then sleep or use the processor; all else is echoed. Each
 * lasts 0.9 s. */
static size_t CALLBACK on_message(void *argument, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    struct session *session = argument;
    if (size == 5 && memcmp(buffer, "storm", 5) == 0) {
        while (session->running < SENDERS) {
            struct sender *sender = malloc(sizeof *sender);
            if (sender == NULL)
                break;
            sender->server = server;
            sender->number = (unsigned char)session->running;
            if (pthread_create(&session->threads[session->running], NULL, storm, sender) != 0) {
                free(sender);
                break;
            }
            session->running++;
        }
        return 0;
    }
    if (size >= 5 && memcmp(buffer, "sleep", 5) == 0)
        usleep(900000);
    size_t sent = server->send(server, type, buffer, size);
    if (size >= 4 && memcmp(buffer, "last", 4) == 0)
        usleep(900000);
    if (size >= 4 && memcmp(buffer, "burn", 4) == 0)
        for (double begin = now(); now() - begin < 0.9;)
            ;
    return sent;
}

static void CALLBACK on_disconnect(void *argument, const WebSocketServer *server)
{
    struct session *session = argument;
    (void)server;
    while (session->running > 0)
        pthread_join(session->threads[--session->running], NULL);
    free(session);
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect,
};

EXPORT WebSocketPlugin *CALLBACK busy_init(void) { return &plugin; }
