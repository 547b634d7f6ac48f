/* Messages are worked on by a thread pool, and the results are sent by one
 * thread that takes them from a queue. on_disconnect waits for what is left. */
#include <ctype.h>
#include <stdlib.h>

#include "httpd.h"
#include "http_log.h"
#include "apr_queue.h"
#include "apr_strings.h"
#include "apr_thread_cond.h"
#include "apr_thread_pool.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    request_rec *r;
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *idle;
    int jobs, done; /* guarded by mutex; jobs: those under way */
} session;

typedef struct {
    session *s;
    int type;
    size_t size;
    unsigned char text[];
} job;

static apr_pool_t *pool; /* of the process, like what follows */
static apr_thread_pool_t *workers;
static apr_queue_t *results;
static apr_thread_t *sender;

static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *data)
{
    job *j = data;
    (void)thread;
    for (size_t i = 0; i < j->size; i++)
        j->text[i] = (unsigned char)toupper(j->text[i]);
    while (APR_STATUS_IS_EINTR(apr_queue_push(results, j)))
        ; /* another was faster */
    return NULL;
}

static void *APR_THREAD_FUNC send_results(apr_thread_t *thread, void *data)
{
    void *result;
    apr_status_t status;
    (void)data;
    while ((status = apr_queue_pop(results, &result)) == APR_SUCCESS || APR_STATUS_IS_EINTR(status)) {
        if (status != APR_SUCCESS)
            continue; /* another was faster */
        job *j = result;
        session *s = j->s;
        s->server->send(s->server, j->type, j->text, j->size);
        free(j);
        apr_thread_mutex_lock(s->mutex);
        s->done++;
        if (--s->jobs == 0)
            apr_thread_cond_signal(s->idle);
        apr_thread_mutex_unlock(s->mutex);
    }
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

/* Ends the sender, before the queue goes that it waits for. */
static apr_status_t end(void *data)
{
    apr_status_t status;
    (void)data;
    apr_queue_term(results);
    return apr_thread_join(&status, sender);
}

/* Threads do not live through httpd's fork: they begin with the first
 * connection of the process. */
static int begin(void)
{
    if (pool != NULL)
        return 1;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS || apr_queue_create(&results, 16, pool) != APR_SUCCESS ||
        apr_thread_create(&sender, NULL, send_results, NULL, pool) != APR_SUCCESS ||
        apr_thread_pool_create(&workers, 2, 4, pool) != APR_SUCCESS)
        return 0;
    apr_pool_pre_cleanup_register(pool, NULL, end);
    return 1;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    session *s = apr_pcalloc(r->pool, sizeof *s);
    s->server = server;
    s->r = r;
    if (!begin() || apr_thread_mutex_create(&s->mutex, APR_THREAD_MUTEX_NESTED, r->pool) != APR_SUCCESS ||
        apr_thread_cond_create(&s->idle, r->pool) != APR_SUCCESS)
        return NULL;
    return s;
}

static size_t CALLBACK on_message(void *private, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    session *s = private;
    job *j = malloc(sizeof *j + size);
    (void)server;
    *j = (job){s, type, size};
    memcpy(j->text, buffer, size);
    apr_thread_mutex_lock(s->mutex);
    s->jobs++;
    apr_thread_mutex_unlock(s->mutex);
    return apr_thread_pool_push(workers, work, j, APR_THREAD_TASK_PRIORITY_NORMAL, s) == APR_SUCCESS ? size : 0;
}

static void CALLBACK on_disconnect(void *private, const WebSocketServer *server)
{
    session *s = private;
    (void)server;
    apr_thread_mutex_lock(s->mutex);
    while (s->jobs > 0)
        apr_thread_cond_wait(s->idle, s->mutex);
    apr_thread_mutex_unlock(s->mutex);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, s->r, "all %d jobs are done", s->done);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK workers_init(void) { return &plugin; }
