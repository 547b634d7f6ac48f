/* A plugin that ends its process, or never returns, where and how the request's
 * header X-Crash says: "on_message segfault". */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "websocket_plugin.h"
#include "../crash.h"

typedef struct {
    char where[32];
    char how[32];
} wish;

static wish at_the_end; /* of destroy, and of the library's destructor */

static void crash_in(const char *where, const wish *w)
{
    if (strcmp(w->where, where) == 0)
        crash(w->how);
}

/* A thread of the plugin's own, which is in no callback. */
static void *alone(void *how)
{
    usleep(100 * 1000);
    crash(how);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    const char *header = server->header_get(server, "X-Crash");
    wish *w = calloc(1, sizeof *w);
    if (w == NULL || header == NULL)
        return w;
    sscanf(header, "%31s %31s", w->where, w->how);
    crash_in("on_connect", w);
    if (strncmp(w->where, "destr", 5) == 0)
        at_the_end = *w;
    return w;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    wish *w = session;
    pthread_t thread;
    crash_in("on_message", w);
    if (strcmp(w->where, "thread") == 0 && pthread_create(&thread, NULL, alone, w->how) == 0)
        pthread_detach(thread);
    return server->send(server, type, buffer, size);
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    (void)server;
    crash_in("on_disconnect", session); /* which is not freed: the thread may have it */
}

static void CALLBACK destroy(WebSocketPlugin *self)
{
    (void)self;
    crash_in("destroy", &at_the_end);
}

__attribute__((destructor)) static void destructor(void) { crash_in("destructor", &at_the_end); }

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, destroy, on_connect, on_message, on_disconnect,
};

EXPORT WebSocketPlugin *CALLBACK crash_init(void) { return &plugin; }

/* Init functions, and with CONSTRUCTOR what runs where the library is opened. */
EXPORT WebSocketPlugin *CALLBACK segfault_init(void) { crash("segfault"); return &plugin; }
EXPORT WebSocketPlugin *CALLBACK abort_init(void) { crash("abort"); return &plugin; }
EXPORT WebSocketPlugin *CALLBACK overflow_init(void) { crash("overflow"); return &plugin; }
EXPORT WebSocketPlugin *CALLBACK exit_init(void) { crash("exit"); return &plugin; }
EXPORT WebSocketPlugin *CALLBACK leave_init(void) { crash("_exit"); return &plugin; }

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void construct(void) { crash(CONSTRUCTOR); }
#endif

EXPORT WebSocketPlugin *CALLBACK blocking_init(void)
{
    fputs("blocking_init has begun\n", stderr);
    crash("block");
    return &plugin;
}
