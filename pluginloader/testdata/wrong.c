/* A plugin with the errors that sanitizers are to see: those of its own, and the
 * use of what the server has lent it and taken back. */
#include <stdlib.h>
#include <string.h>

#include "websocket_plugin.h"

static const char *volatile kept; /* a header of the last connection */

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    kept = server->header_get(server, "X-Multi");
    return (void *)server;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)server, (void)type;
    return buffer[size + 64]; /* behind the zeros */
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK right_init(void) { return &plugin; }
EXPORT WebSocketPlugin *CALLBACK wrong_init(void) { return &plugin; }

/* After on_disconnect. */
EXPORT WebSocketPlugin *CALLBACK reads_kept_init(void) { return *kept == '\0' ? NULL : &plugin; }

EXPORT WebSocketPlugin *CALLBACK overruns_init(void)
{
    volatile char *memory = malloc(8);
    memory[8] = 'x';
    free((void *)memory);
    return &plugin;
}

EXPORT WebSocketPlugin *CALLBACK overflows_init(void)
{
    volatile int most = 0x7fffffff;
    most += 1;
    return &plugin;
}

EXPORT WebSocketPlugin *CALLBACK leaks_init(void)
{
    for (int i = 0; i < 100; i++) {
        char *volatile memory = malloc(1000);
        memory[0] = 'x';
    }
    return &plugin;
}
