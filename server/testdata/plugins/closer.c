/* Another thread closes: a message tells it how. What the calls return before,
 * then, afterwards and in on_disconnect stands in the error log. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "httpd.h"
#include "http_log.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    request_rec *r;
    pthread_t thread;
    int started, type;
    char how[64], report[128];
} closing;

static size_t send_text(closing *c, int type, const char *text)
{
    return c->server->send(c->server, type, (const unsigned char *)text, strlen(text));
}

/* "close" calls close; "NUMBER TEXT" sends the text as a message of that type. */
static void *close_now(void *data)
{
    closing *c = data;
    char *text = NULL;
    int type = (int)strtol(c->how, &text, 10);
    size_t before = send_text(c, MESSAGE_TYPE_TEXT, "before"), then = 0;
    if (strcmp(c->how, "close") == 0)
        c->server->close(c->server);
    else
        then = send_text(c, type, *text == ' ' ? text + 1 : text);
    size_t text_after = send_text(c, MESSAGE_TYPE_TEXT, "after"), ping_after = send_text(c, MESSAGE_TYPE_PING, "after");
    size_t close_after = send_text(c, MESSAGE_TYPE_CLOSE, "\x03\xe8");
    c->server->close(c->server);
    snprintf(c->report, sizeof c->report, "%d before, %d then, %d %d %d after", (int)before, (int)then, (int)text_after,
             (int)ping_after, (int)close_after);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    closing *c = apr_pcalloc(r->pool, sizeof *c);
    c->server = server;
    c->r = r;
    return c;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    closing *c = session;
    (void)server;
    (void)type;
    if (!c->started) {
        snprintf(c->how, sizeof c->how, "%.*s", (int)size, (char *)buffer);
        c->started = pthread_create(&c->thread, NULL, close_now, c) == 0;
    }
    return 0;
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    closing *c = session;
    (void)server;
    if (c->started)
        pthread_join(c->thread, NULL);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, c->r, "%s: %s, %d in on_disconnect", c->how, c->report,
                  (int)send_text(c, MESSAGE_TYPE_TEXT, "late"));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK closer_init(void) { return &plugin; }
