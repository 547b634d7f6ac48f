/* dumb-increment with what APR has: a thread of each connection counts, in a
 * pool below the request's, until it is told to end. A message resets it; one
 * that begins with 'c' has the thread close. */
#include "httpd.h"
#include "http_log.h"
#include "apr_strings.h"
#include "apr_thread_cond.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    apr_pool_t *pool;
    apr_thread_t *thread;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    int counter, closes, ends; /* guarded by mutex */
} counting;

static void *APR_THREAD_FUNC count(apr_thread_t *thread, void *data)
{
    counting *c = data;
    int done = 0;
    while (!done) {
        char text[32];
        apr_thread_mutex_lock(c->mutex);
        if (!c->ends && !c->closes)
            apr_thread_cond_timedwait(c->changed, c->mutex, 1000);
        int n = c->counter++;
        int closes = c->closes;
        done = c->ends || closes;
        apr_thread_mutex_unlock(c->mutex);
        size_t size = (size_t)apr_snprintf(text, sizeof text, "%d", n);
        if (closes)
            c->server->close(c->server);
        else if (!done)
            c->server->send(c->server, MESSAGE_TYPE_TEXT, (unsigned char *)text, size);
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    apr_pool_t *pool = NULL;
    if (r == NULL || apr_pool_create(&pool, r->pool) != APR_SUCCESS)
        return NULL;
    counting *c = apr_pcalloc(pool, sizeof *c);
    c->server = server;
    c->pool = pool;
    if (apr_thread_mutex_create(&c->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&c->changed, pool) != APR_SUCCESS ||
        apr_thread_create(&c->thread, NULL, count, c, pool) != APR_SUCCESS)
        return NULL;
    return c;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    counting *c = session;
    (void)server;
    (void)type;
    apr_thread_mutex_lock(c->mutex);
    c->counter = 0;
    c->closes = size > 0 && buffer[0] == 'c';
    apr_thread_cond_signal(c->changed);
    apr_thread_mutex_unlock(c->mutex);
    return 0;
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    counting *c = session;
    apr_status_t status;
    (void)server;
    apr_thread_mutex_lock(c->mutex);
    c->ends = 1;
    apr_thread_cond_signal(c->changed);
    apr_thread_mutex_unlock(c->mutex);
    apr_thread_join(&status, c->thread);
    apr_pool_destroy(c->pool);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK increment_init(void) { return &plugin; }
