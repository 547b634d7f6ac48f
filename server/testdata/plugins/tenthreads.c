/* Ten threads, started in on_connect, that send a thousand numbers each. */
#include "httpd.h"
#include "apr_strings.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

enum { THREADS = 10, SENDS = 1000 };

typedef struct {
    const WebSocketServer *server;
    int number;
    apr_thread_t *thread;
} sender;

static void *APR_THREAD_FUNC send_all(apr_thread_t *thread, void *data)
{
    sender *s = data;
    for (int i = 0; i < SENDS; i++) {
        char text[32];
        size_t size = (size_t)apr_snprintf(text, sizeof text, "%d %d", s->number, i);
        if (s->server->send(s->server, MESSAGE_TYPE_TEXT, (unsigned char *)text, size) != size)
            break;
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    if (r == NULL)
        return NULL;
    sender *all = apr_pcalloc(r->pool, THREADS * sizeof *all);
    for (int i = 0; i < THREADS; i++) {
        all[i].server = server;
        all[i].number = i;
        if (apr_thread_create(&all[i].thread, NULL, send_all, &all[i], r->pool) != APR_SUCCESS)
            abort();
    }
    return all;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    sender *all = session;
    apr_status_t status;
    (void)server;
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&status, all[i].thread);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK tenthreads_init(void) { return &plugin; }
