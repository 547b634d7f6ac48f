/* A plugin of the fork with more callbacks, written against its numbers. */
#include <stdio.h>
#include <string.h>

#include "websocket_plugin.h"

static char log_text[256];
static int busy, idled, overlapped; /* atomic */

static void note(const char *what, const char *text)
{
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, "%s(%s) ", what, text == NULL ? "NULL" : text);
}

static void on_server_config(WebSocketPlugin *plugin, const char *text) { note(plugin == NULL ? "?" : "config", text); }
static void on_child_init(WebSocketPlugin *plugin, const char *text) { note(plugin == NULL ? "?" : "child", text); }
static void on_child_destroy(WebSocketPlugin *plugin) { note(plugin == NULL ? "?" : "child end", ""); }
static void destroy(WebSocketPlugin *plugin) { note(plugin == NULL ? "?" : "destroy", ""); }

static void on_idle(void *session, const WebSocketServer *server)
{
    if (session != (void *)server || __atomic_load_n(&busy, __ATOMIC_SEQ_CST))
        __atomic_store_n(&overlapped, 1, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&idled, 1, __ATOMIC_SEQ_CST) == 3)
        server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"idle", 4);
}

static void *on_connect(const WebSocketServer *server) { return (void *)server; }

static size_t on_message(void *session, const WebSocketServer *server, const int type, unsigned char *buffer,
                         const size_t size)
{
    char answer[300];
    (void)session, (void)type, (void)buffer;
    __atomic_store_n(&busy, 1, __ATOMIC_SEQ_CST);
    for (int before = __atomic_load_n(&idled, __ATOMIC_SEQ_CST), i = 0; i < 20000000 && size > 6; i++)
        if (__atomic_load_n(&idled, __ATOMIC_SEQ_CST) != before)
            break;
    __atomic_store_n(&busy, 0, __ATOMIC_SEQ_CST);
    snprintf(answer, sizeof answer, "%s%s", log_text, __atomic_load_n(&overlapped, __ATOMIC_SEQ_CST) ? "overlapped" : "good");
    return server->send(server, MESSAGE_TYPE_TEXT, (unsigned char *)answer, strlen(answer));
}

static struct {
    WebSocketPlugin base;
    void (*on_server_config)(WebSocketPlugin *plugin, const char *text);
    void (*on_child_init)(WebSocketPlugin *plugin, const char *text);
    void (*on_child_destroy)(WebSocketPlugin *plugin);
    void (*on_idle)(void *session, const WebSocketServer *server);
} plugin = {
    {72, WEBSOCKET_PLUGIN_VERSION_0, destroy, on_connect, on_message, NULL},
    on_server_config, on_child_init, on_child_destroy, on_idle,
}, narrow = {
    {71, WEBSOCKET_PLUGIN_VERSION_0, destroy, on_connect, on_message, NULL},
    on_server_config, on_child_init, on_child_destroy, on_idle,
};

EXPORT WebSocketPlugin *wide_init(const char *text)
{
    note("init", text);
    return &plugin.base;
}

/* One byte short of the structure: nothing behind the original's is touched. */
EXPORT WebSocketPlugin *narrow_init(void)
{
    log_text[0] = '\0';
    return &narrow.base;
}
