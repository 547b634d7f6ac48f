/* For storms of connections: threads of its own send, close and ask from before
 * on_connect returns until the connection is over, and for some time after it.
 * It counts what it has, and what a server that is over still answers. The
 * header X-Storm has a letter for each thing that a session does:
 *
 *   r  asks for the request, and counts its pool
 *   j  on_disconnect waits for the threads; else they go on with the pointer
 *   c  a thread closes
 *   t  a timer sends, again and again
 *   n  on_connect declines
 *   m  fills 64 KiB of its pool
 *   ?  answers a message by the counts, and has no threads
 */
#include "httpd.h"
#include "apr_strings.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "websocket_plugin.h"

enum { THREADS = 3, RUSH = 30 /* sends of a thread without a pause */, DEAD = 50 /* calls after the end */ };

static atomic_int sessions, pools, threads, wrong;
static atomic_long sent; /* by threads */

typedef struct {
    const WebSocketServer *server;
    atomic_int references; /* of the connection and its threads */
    atomic_int ends;       /* on_disconnect has begun, or on_connect declines */
    int asks, joins, closes, ticks, declines, counts; /* the letters */
    request_rec *request;
    int started;
    pthread_t threads[THREADS];
} session;

static void unref(session *s)
{
    if (atomic_fetch_sub(&s->references, 1) == 1)
        free(s);
}

/* state is NULL once the connection is over. */
static int is_over(const WebSocketServer *server)
{
    return __atomic_load_n((void *const *)&server->state, __ATOMIC_ACQUIRE) == NULL;
}

static void check(int is_right)
{
    if (!is_right)
        atomic_fetch_add(&wrong, 1);
}

/* Uses every function of a server that is over: none does anything. */
static void use_dead(const WebSocketServer *server)
{
    check(server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"late", 4) == 0);
    check(server->header_get(server, "X-Storm") == NULL);
    check(server->protocol_count(server) == 0);
    check(server->protocol_index(server, 0) == NULL);
    check(server->request(server) == NULL);
    server->header_set(server, "X-Late", "1");
    server->protocol_set(server, "late");
    server->close(server);
}

/* Uses a server that lives, or ends meanwhile. What it lends may be read by who
 * is waited for alone. */
static size_t use(const session *s)
{
    const WebSocketServer *server = s->server;
    size_t n = server->send(server, MESSAGE_TYPE_TEXT, (const unsigned char *)"storm", 5);
    atomic_fetch_add(&sent, n == 5);
    const char *header = server->header_get(server, "X-Storm");
    check(n == 0 || n == 5);
    if (s->joins)
        check(header != NULL && strlen(header) < 8);
    if (s->asks && s->joins)
        check(server->request(server) == s->request && apr_table_get(s->request->headers_in, "X-Storm") != NULL);
    else if (s->asks)
        server->request(server);
    return n;
}

static void *run(void *argument)
{
    session *s = argument;
    for (int i = 0, dead = 0; dead < DEAD && !(s->joins && atomic_load(&s->ends)); i++) {
        if (is_over(s->server)) {
            use_dead(s->server);
            dead++;
        } else if (use(s) == 0 || i > RUSH) {
            usleep(1000);
        }
        if (i == 20 && s->closes)
            s->server->close(s->server);
    }
    atomic_fetch_sub(&threads, 1);
    unref(s);
    return NULL;
}

static void start(session *s)
{
    for (; s->started < THREADS; s->started++) {
        atomic_fetch_add(&threads, 1);
        atomic_fetch_add(&s->references, 1);
        if (pthread_create(&s->threads[s->started], NULL, run, s) != 0)
            abort();
        if (!s->joins)
            pthread_detach(s->threads[s->started]);
    }
}

static void end(session *s)
{
    atomic_store(&s->ends, 1);
    for (int i = 0; s->joins && i < s->started; i++)
        pthread_join(s->threads[i], NULL);
    atomic_fetch_sub(&sessions, 1);
    unref(s);
}

static apr_status_t pool_ends(void *nothing)
{
    (void)nothing;
    atomic_fetch_sub(&pools, 1);
    return APR_SUCCESS;
}

static void ask(session *s)
{
    s->request = s->server->request(s->server);
    if (s->request == NULL)
        abort();
    atomic_fetch_add(&pools, 1);
    apr_pool_cleanup_register(s->request->pool, NULL, pool_ends, apr_pool_cleanup_null);
}

static void CALLBACK tick(void *private, const WebSocketServer *server, void *nothing)
{
    (void)private;
    server->send(server, MESSAGE_TYPE_BINARY, (const unsigned char *)"tick", 4);
    websocket_extended(server)->timer(server, 1, tick, nothing);
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    const char *letters = server->header_get(server, "X-Storm");
    session *s = calloc(1, sizeof *s);
    if (s == NULL || letters == NULL)
        abort();
    s->server = server;
    atomic_init(&s->references, 1);
    s->asks = strchr(letters, 'r') != NULL;
    s->joins = strchr(letters, 'j') != NULL;
    s->closes = strchr(letters, 'c') != NULL;
    s->ticks = strchr(letters, 't') != NULL;
    s->declines = strchr(letters, 'n') != NULL;
    s->counts = strchr(letters, '?') != NULL;
    atomic_fetch_add(&sessions, 1);
    if (s->asks)
        ask(s);
    if (strchr(letters, 'm') != NULL)
        memset(apr_palloc(s->request->pool, 64 << 10), 'x', 64 << 10);
    if (!s->counts)
        start(s);
    if (s->ticks)
        websocket_extended(server)->timer(server, 1, tick, NULL);
    if (!s->declines)
        return s;
    end(s);
    return NULL;
}

static size_t CALLBACK on_message(void *private, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    session *s = private;
    if (s->counts) {
        char text[128];
        struct mallinfo2 heap = mallinfo2();
        int n = snprintf(text, sizeof text, "sessions %d pools %d threads %d wrong %d sent %ld heap %zu", atomic_load(&sessions) - 1,
                         atomic_load(&pools), atomic_load(&threads), atomic_load(&wrong), atomic_load(&sent), heap.uordblks + heap.hblkhd);
        return server->send(server, MESSAGE_TYPE_TEXT, (unsigned char *)text, (size_t)n);
    }
    if (s->asks)
        check(strcmp(apr_pstrmemdup(s->request->pool, (char *)buffer, size), (char *)buffer) == 0);
    return server->send(server, type, buffer, size);
}

static void CALLBACK on_disconnect(void *private, const WebSocketServer *server)
{
    check(!is_over(server));
    check(((session *)private)->request == NULL || ((session *)private)->request == server->request(server));
    end(private);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK storm_init(void) { return &plugin; }
