/*
 * A plugin whose threads know no end: they go on using the server's functions
 * after on_disconnect, which does not wait for them.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "websocket_plugin.h"

#define THREADS 4
#define DEAD 20000 /* calls of each thread after the end */

static pthread_t threads[THREADS];
static atomic_int over, wrong;

static void *run(void *argument)
{
    const WebSocketServer *server = argument;
    int dead = 0;
    while (dead < DEAD) {
        int end = atomic_load(&over); /* read before the call that it judges */
        size_t n = server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"x", 1);
        const char *header = server->header_get(server, "X-Multi");
        const char *protocol = server->protocol_index(server, 0);
        if (end) {
            dead++;
            if (n != 0 || header != NULL || protocol != NULL || server->protocol_count(server) != 0)
                atomic_fetch_add(&wrong, 1);
            server->close(server);
            server->header_set(server, "X-Stale", "1");
            server->protocol_set(server, "stale");
        }
    }
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    if (atomic_load(&over)) /* later connections, which the threads must not meet */
        return (void *)server;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run, (void *)server) != 0)
            return NULL;
    return (void *)server;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK stale_init(void) { return &plugin; }

/* The test says that on_disconnect has returned. */
EXPORT WebSocketPlugin *CALLBACK disconnect_has_returned(void)
{
    atomic_store(&over, 1);
    return &plugin;
}

/* Waits for the threads; NULL if one of their calls did something. */
EXPORT WebSocketPlugin *CALLBACK nothing_was_wrong(void)
{
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return atomic_load(&wrong) == 0 ? &plugin : NULL;
}
