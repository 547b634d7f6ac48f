/* A plugin that goes wrong in the way that a message, or the path of the
 * request, asks for. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "websocket_plugin.h"
#include "../crash.h"

static void *send_for_ever(void *server)
{
    const WebSocketServer *s = server;
    while (s->send(s, MESSAGE_TYPE_TEXT, (const unsigned char *)"flood", 5) == 5)
        ;
    return NULL;
}

static void say(const WebSocketServer *server, const char *text)
{
    server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)text, strlen(text));
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    const char *what = server->header_get(server, "X-Fault");
    if (what == NULL)
        return (void *)server;
    if (strcmp(what, "headers") == 0) {
        server->header_set(server, "X-Good", "1");
        server->header_set(server, "X-Split", "1\r\nX-Evil: 1");
        server->header_set(server, "X Blank", "1");
        server->header_set(server, "", "1");
        server->header_set(server, "Upgrade", "h2c");
        server->header_set(server, "Sec-WebSocket-Accept", "forged");
        server->header_set(server, NULL, "1");
        server->header_set(server, "X-Null", NULL);
        server->protocol_set(server, NULL);
    } else if (strcmp(what, "token") == 0) {
        server->protocol_set(server, "no token");
    } else if (strcmp(what, "unoffered") == 0) {
        server->protocol_set(server, "unoffered");
    } else if (strcmp(what, "elsewhere") == 0) {
        if (chdir("/") != 0)
            abort();
        umask(0777);
    } else if (strcmp(what, "signals") == 0) {
        signal(SIGTERM, SIG_IGN);
        signal(SIGUSR1, SIG_IGN);
    } else {
        crash(what);
    }
    return (void *)server;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    const char *text = (const char *)buffer; /* zeros stand behind it */
    char answer[64];
    (void)session, (void)type;
    crash(text);
    if (strcmp(text, "close twice") == 0) {
        server->close(server);
        server->close(server);
        say(server, "too late");
    } else if (strcmp(text, "unknown type") == 0) {
        server->send(server, 4711, (const unsigned char *)"\x03\xe8" "bye", 5);
        say(server, "too late");
    } else if (strcmp(text, "null") == 0) {
        snprintf(answer, sizeof answer, "%zu", server->send(server, MESSAGE_TYPE_TEXT, NULL, 0));
        say(server, answer);
    } else if (strcmp(text, "overrun") == 0) {
        memset(buffer, 'x', size + 64);
        say(server, "overrun");
    } else if (strcmp(text, "flood") == 0) {
        pthread_t thread;
        for (int i = 0; i < 8; i++)
            if (pthread_create(&thread, NULL, send_for_ever, (void *)server) == 0)
                pthread_detach(thread);
    } else {
        server->send(server, type, buffer, size);
    }
    return size;
}

static WebSocketPlugin plugin = {
    sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL,
};

EXPORT WebSocketPlugin *CALLBACK fault_init(void) { return &plugin; }
