/* All connections of the process in a static hash, under a lock: a message goes
 * to each of them, through server pointers that were kept. */
#include "httpd.h"
#include "http_log.h"
#include "apr_hash.h"
#include "apr_strings.h"
#include "apr_thread_mutex.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    request_rec *r;
    int number;
} member;

static apr_pool_t *pool; /* of the process */
static apr_thread_mutex_t *mutex;
static apr_hash_t *members; /* by server pointer; guarded by mutex */
static int joined;          /* since nobody was there; guarded by mutex */

static apr_status_t report_end(void *data)
{
    member *m = data;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, m->r->server, "pool of member %d ends, %s", m->number,
                 m->server->send(m->server, MESSAGE_TYPE_TEXT, (const unsigned char *)"x", 1) == 0 ? "silent" : "sends");
    return APR_SUCCESS;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    member *m = apr_pcalloc(r->pool, sizeof *m);
    m->server = server;
    m->r = r;
    apr_thread_mutex_lock(mutex);
    m->number = ++joined;
    apr_hash_set(members, &m->server, sizeof m->server, m);
    apr_thread_mutex_unlock(mutex);
    apr_pool_cleanup_register(r->pool, m, report_end, apr_pool_cleanup_null);
    return m;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    member *m = session;
    (void)server;
    apr_thread_mutex_lock(mutex);
    const char *text = apr_psprintf(m->r->pool, "%d of %u: %.*s", m->number, apr_hash_count(members), (int)size, (char *)buffer);
    for (apr_hash_index_t *i = apr_hash_first(m->r->pool, members); i != NULL; i = apr_hash_next(i)) {
        member *to = apr_hash_this_val(i);
        to->server->send(to->server, type, (const unsigned char *)text, strlen(text));
    }
    apr_thread_mutex_unlock(mutex);
    return size;
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    member *m = session;
    (void)server;
    apr_thread_mutex_lock(mutex);
    apr_hash_set(members, &m->server, sizeof m->server, NULL);
    if (apr_hash_count(members) == 0)
        joined = 0;
    apr_thread_mutex_unlock(mutex);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, m->r, "member %d leaves", m->number);
}

static void CALLBACK destroy(WebSocketPlugin *plugin)
{
    (void)plugin;
    if (pool != NULL)
        apr_pool_destroy(pool);
    pool = NULL;
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, destroy, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK roster_init(void)
{
    if (pool != NULL)
        return &plugin;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS || apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return NULL;
    members = apr_hash_make(pool);
    return &plugin;
}
