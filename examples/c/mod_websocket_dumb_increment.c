/*
 * Dumb_increment speaks dumb-increment-protocol, as libwebsockets' test server
 * defines it: a number goes out every 50 ms, counting up from 0; the message
 * "reset\n" sets it back to 0, "closeme\n" closes the connection.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "websocket_plugin.h"

#define PROTOCOL "dumb-increment-protocol"
#define INTERVAL_NS (50 * 1000 * 1000L)

struct session {
    const WebSocketServer *server;
    atomic_int number;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* signalled when done is set */
    int done;            /* guarded by mutex */
};

static void add_interval(struct timespec *t)
{
    t->tv_nsec += INTERVAL_NS;
    if (t->tv_nsec >= 1000000000L) {
        t->tv_nsec -= 1000000000L;
        t->tv_sec++;
    }
}

/* Sends the numbers. The server holds them back until on_connect has returned. */
static void *count(void *argument)
{
    struct session *s = argument;
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        add_interval(&next);
        while (!s->done && pthread_cond_timedwait(&s->wake, &s->mutex, &next) == 0)
            ;
        if (s->done)
            break;
        pthread_mutex_unlock(&s->mutex);
        char text[16];
        int length = snprintf(text, sizeof text, "%d", atomic_fetch_add(&s->number, 1));
        s->server->send(s->server, MESSAGE_TYPE_TEXT, (unsigned char *)text, (size_t)length);
        pthread_mutex_lock(&s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

static int offers_protocol(const WebSocketServer *server)
{
    size_t n = server->protocol_count(server);
    for (size_t i = 0; i < n; i++)
        if (strcmp(server->protocol_index(server, i), PROTOCOL) == 0)
            return 1;
    return 0;
}

static void end(struct session *s)
{
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    if (server->version != WEBSOCKET_SERVER_VERSION_1 || !offers_protocol(server))
        return NULL;
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->server = server;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    server->protocol_set(server, PROTOCOL);
    if (pthread_create(&s->thread, NULL, count, s) != 0) {
        end(s);
        return NULL;
    }
    return s;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    struct session *s = session;
    (void)type;
    if (size == 6 && memcmp(buffer, "reset\n", 6) == 0)
        atomic_store(&s->number, 0);
    else if (size == 8 && memcmp(buffer, "closeme\n", 8) == 0)
        server->close(server);
    return 0;
}

/* Waits for the thread, which a send cannot hold up: from here on it returns at once. */
static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    struct session *s = session;
    (void)server;
    pthread_mutex_lock(&s->mutex);
    s->done = 1;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    end(s);
}

static WebSocketPlugin dumb_increment = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect,
};

/* What "WebSocketHandler modules/mod_websocket_dumb_increment.so dumb_increment_init" calls. */
EXPORT WebSocketPlugin *CALLBACK dumb_increment_init(void)
{
    return &dumb_increment;
}
