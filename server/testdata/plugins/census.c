/* Tells what happens to the library: a line in the file CENSUS of the
 * environment for each time that it is mapped, initialised, told to end and
 * closed, with the number of the structure that is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "websocket_plugin.h"

static void tell(const char *what, int number)
{
    FILE *file = fopen(getenv("CENSUS"), "a");
    if (file == NULL)
        return;
    fprintf(file, "%d %s %d\n", (int)getpid(), what, number);
    fclose(file);
}

__attribute__((constructor)) static void mapped(void) { tell("mapped", 0); }
__attribute__((destructor)) static void closed(void) { tell("closed", 0); }

static WebSocketPlugin plugins[8];
static int made;

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static void CALLBACK destroy(WebSocketPlugin *plugin) { tell("destroy", (int)(plugin - plugins) + 1); }

/* One structure for each line. */
extern EXPORT WebSocketPlugin *CALLBACK census_init(void)
{
    WebSocketPlugin *p = &plugins[made++];
    *p = (WebSocketPlugin){sizeof *p, WEBSOCKET_PLUGIN_VERSION_0, destroy, NULL, on_message, NULL};
    tell("init", made);
    return p;
}

/* The same structure each time. */
extern EXPORT WebSocketPlugin *CALLBACK census_shared(void)
{
    plugins[7] = (WebSocketPlugin){sizeof plugins[7], WEBSOCKET_PLUGIN_VERSION_0, destroy, NULL, on_message, NULL};
    tell("shared", 8);
    return &plugins[7];
}
