/* A plugin that uses what wshttpd has beyond the interface: a text is sent to
 * all, a binary message says what is to be done. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "websocket_plugin.h"

static void CALLBACK on_timer(void *session, const WebSocketServer *server, void *argument)
{
    (void)session;
    server->send(server, MESSAGE_TYPE_TEXT, argument, strlen(argument));
    if (strcmp(argument, "again") == 0)
        websocket_extended(server)->timer(server, 1, on_timer, "last");
}

/* One that lasts until it is let go. on_disconnect must wait for it. */
static int held, entered, left, faults; /* atomic */

static void CALLBACK slow_timer(void *session, const WebSocketServer *server, void *argument)
{
    (void)session, (void)argument;
    __atomic_store_n(&entered, 1, __ATOMIC_SEQ_CST);
    server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"slow", 4);
    while (__atomic_load_n(&held, __ATOMIC_SEQ_CST))
        usleep(1000);
    __atomic_store_n(&left, 1, __ATOMIC_SEQ_CST);
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    const char *name = server->header_get(server, "X-Name");
    const WebSocketServerExtended *more = websocket_extended(server);
    if (more == NULL || server->version != WEBSOCKET_SERVER_VERSION_1)
        return NULL;
    if (name != NULL && strcmp(name, "early") == 0)
        more->timer(server, 0, on_timer, "early");
    if (name != NULL && strcmp(name, "declined") == 0) {
        more->timer(server, 0, on_timer, "never");
        return NULL;
    }
    return (void *)server;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    const WebSocketServerExtended *more = websocket_extended(server);
    char answer[64];
    (void)session;
    if (type == MESSAGE_TYPE_TEXT) {
        size_t taken = more->broadcast(server, type, buffer, size);
        snprintf(answer, sizeof answer, "%zu took it", taken);
    } else if (strcmp((char *)buffer, "pending") == 0) {
        snprintf(answer, sizeof answer, "%zu wait", more->pending(server));
    } else if (strcmp((char *)buffer, "close") == 0) {
        snprintf(answer, sizeof answer, "%zu closed", more->broadcast(server, MESSAGE_TYPE_CLOSE, buffer, 0));
    } else if (strcmp((char *)buffer, "hold") == 0 || strcmp((char *)buffer, "let go") == 0) {
        __atomic_store_n(&held, buffer[0] == 'h', __ATOMIC_SEQ_CST);
        snprintf(answer, sizeof answer, "%d faults", __atomic_load_n(&faults, __ATOMIC_SEQ_CST));
    } else if (strcmp((char *)buffer, "slow") == 0) {
        snprintf(answer, sizeof answer, "%d", more->timer(server, 0, slow_timer, NULL));
    } else {
        snprintf(answer, sizeof answer, "%d %d", more->timer(server, 50, on_timer, "again"), more->timer(server, 1, NULL, NULL));
    }
    server->send(server, MESSAGE_TYPE_BINARY, (unsigned char *)answer, strlen(answer));
    return size;
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    const WebSocketServerExtended *more = websocket_extended(server);
    (void)session;
    if (entered && !__atomic_load_n(&left, __ATOMIC_SEQ_CST))
        __atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
    if (more->timer(server, 0, on_timer, "too late"))
        __atomic_add_fetch(&faults, 1, __ATOMIC_SEQ_CST);
    more->broadcast(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"gone", 4);
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect,
};

EXPORT WebSocketPlugin *CALLBACK extended_init(void) { return &plugin; }
