/* A plugin with something to do at the end of the process. */
#include <stdlib.h>
#include <unistd.h>

#include "websocket_plugin.h"

static void say(const char *text, size_t size)
{
    if (write(1, text, size) < 0)
        abort();
}

static void at_exit(void) { say("atexit\n", 7); }

__attribute__((destructor)) static void destructor(void) { say("destructor\n", 11); }

static void hang(void)
{
    say("hanging\n", 8);
    for (;;)
        pause();
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session, (void)server, (void)type, (void)buffer;
    return size;
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

EXPORT WebSocketPlugin *CALLBACK orderly_init(void)
{
    atexit(at_exit);
    return &plugin;
}

EXPORT WebSocketPlugin *CALLBACK hanging_init(void)
{
    atexit(hang);
    return &plugin;
}
