/* Ten threads, started in on_connect, that send a thousand numbers each.
 * on_connect waits until all have begun, and then a while for their ends: the
 * answer's field X-Sent says how many messages were accepted before it went. */
#include "httpd.h"
#include "apr_atomic.h"
#include "apr_strings.h"
#include "apr_thread_cond.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

enum { THREADS = 10, SENDS = 1000 };

typedef struct {
    const WebSocketServer *server;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    int begun, done;    /* threads; guarded by mutex */
    apr_uint32_t sent;  /* messages; atomic */
    apr_uint32_t names; /* of threads, given away; atomic */
    apr_thread_t *threads[THREADS];
} session;

static void count(session *s, int *threads)
{
    apr_thread_mutex_lock(s->mutex);
    ++*threads;
    apr_thread_cond_broadcast(s->changed);
    apr_thread_mutex_unlock(s->mutex);
}

static void *APR_THREAD_FUNC send_all(apr_thread_t *thread, void *data)
{
    session *s = data;
    int name = (int)apr_atomic_inc32(&s->names);
    count(s, &s->begun);
    for (int i = 0; i < SENDS; i++) {
        char text[32];
        size_t size = (size_t)apr_snprintf(text, sizeof text, "%d %d", name, i);
        if (s->server->send(s->server, MESSAGE_TYPE_TEXT, (unsigned char *)text, size) != size)
            break;
        apr_atomic_inc32(&s->sent);
    }
    count(s, &s->done);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

/* Waits until all have begun, and half a second at most until they are done,
 * which where sends wait for the answer they are not. */
static void wait_for_all(session *s)
{
    apr_status_t status = APR_SUCCESS;
    apr_thread_mutex_lock(s->mutex);
    while (s->begun < THREADS)
        apr_thread_cond_wait(s->changed, s->mutex);
    while (s->done < THREADS && status == APR_SUCCESS)
        status = apr_thread_cond_timedwait(s->changed, s->mutex, APR_USEC_PER_SEC / 2);
    apr_thread_mutex_unlock(s->mutex);
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    if (r == NULL)
        return NULL;
    session *s = apr_pcalloc(r->pool, sizeof *s);
    s->server = server;
    if (apr_thread_mutex_create(&s->mutex, APR_THREAD_MUTEX_DEFAULT, r->pool) != APR_SUCCESS ||
        apr_thread_cond_create(&s->changed, r->pool) != APR_SUCCESS)
        return NULL;
    for (int i = 0; i < THREADS; i++)
        if (apr_thread_create(&s->threads[i], NULL, send_all, s, r->pool) != APR_SUCCESS)
            abort();
    wait_for_all(s);
    server->header_set(server, "X-Sent", apr_itoa(r->pool, (int)apr_atomic_read32(&s->sent)));
    return s;
}

static size_t CALLBACK on_message(void *private, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    (void)private;
    return server->send(server, type, buffer, size);
}

static void CALLBACK on_disconnect(void *private, const WebSocketServer *server)
{
    session *s = private;
    apr_status_t status;
    (void)server;
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&status, s->threads[i]);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK tenthreads_init(void) { return &plugin; }
