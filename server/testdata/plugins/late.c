/* A plugin without on_connect, which asks for the request when it needs it: on
 * a thread of its own, or only in on_disconnect. A message is reversed on the
 * stack. */
#include <pthread.h>

#include "httpd.h"
#include "http_log.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    char text[512];
} question;

static void *ask(void *data)
{
    question *q = data;
    request_rec *r = q->server->request(q->server);
    apr_snprintf(q->text, sizeof q->text, "%s %s is %d, from %s, the same again: %d", r->method, r->uri, r->status,
                 apr_table_get(r->headers_in, "User-Agent"), r == q->server->request(q->server));
    return NULL;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    question q = {.server = server};
    pthread_t thread;
    unsigned char reversed[size + 1];
    if (session != NULL)
        return 0;
    if (size == 1 && pthread_create(&thread, NULL, ask, &q) == 0) {
        pthread_join(thread, NULL);
        return server->send(server, type, (unsigned char *)q.text, strlen(q.text));
    }
    for (size_t i = 0; i < size; i++)
        reversed[i] = buffer[size - 1 - i];
    return server->send(server, type, reversed, size);
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "late: %s is %d, session %s", r->uri, r->status, session == NULL ? "NULL" : "set");
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK late_init(void) { return &plugin; }
