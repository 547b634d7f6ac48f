/* The functions of httpd by which modules ask what the server is and does. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* Implemented in Go (about.go). */
extern int wshttpd_go_defined(char *name);
extern void wshttpd_go_version_component(char *component);

static const char *server_banner = "wshttpd", *server_description = "wshttpd", *server_built = "";
static int is_running;

/* What the server calls itself. The texts live as long as the process. */
void wshttpd_set_identity(const char *banner, const char *description, const char *built)
{
    server_banner = banner;
    server_description = description;
    server_built = built;
}

/* The configuration has been read. */
void wshttpd_set_running(void) { is_running = 1; }

const char *ap_get_server_banner(void) { return server_banner; }

const char *ap_get_server_description(void) { return server_description; }

const char *ap_get_server_built(void) { return server_built; }

/* The Server field is this server's own: the name is noted in the log. */
void ap_add_version_component(apr_pool_t *pool, const char *component)
{
    (void)pool;
    wshttpd_go_version_component((char *)component);
}

/* Whether a name was given by -D or Define. */
int ap_exists_config_define(const char *name) { return wshttpd_go_defined((char *)name); }

/* A worker is one process; its threads come and go (include/ap_mpm.h). */
enum {
    MAX_DAEMON_USED = 1,
    IS_THREADED,
    IS_FORKED,
    HARD_LIMIT_DAEMONS,
    HARD_LIMIT_THREADS,
    MAX_THREADS,
    MIN_SPARE_DAEMONS,
    MIN_SPARE_THREADS,
    MAX_SPARE_DAEMONS,
    MAX_SPARE_THREADS,
    MAX_REQUESTS_DAEMON,
    MAX_DAEMONS,
    MPM_STATE,
    IS_ASYNC,
    GENERATION,
    HAS_SERF,
    NOT_IMPLEMENTED = 70023, /* APR_ENOTIMPL */
    DYNAMIC = 2,
};

apr_status_t ap_mpm_query(int code, int *result)
{
    static const int answers[] = {
        [MAX_DAEMON_USED] = 1, [IS_THREADED] = DYNAMIC, [HARD_LIMIT_DAEMONS] = 1, [HARD_LIMIT_THREADS] = WSHTTPD_MAX_THREADS,
        [MAX_THREADS] = WSHTTPD_MAX_THREADS, [MAX_SPARE_THREADS] = WSHTTPD_MAX_THREADS, [MAX_DAEMONS] = 1, [IS_ASYNC] = 1,
        [HAS_SERF] = 0,
    };
    *result = -1;
    if (code < MAX_DAEMON_USED || code > HAS_SERF)
        return NOT_IMPLEMENTED;
    *result = code == MPM_STATE ? is_running : answers[code];
    return 0;
}

const char *ap_show_mpm(void) { return "wshttpd"; }

/* Include/http_core.h: AP_SQ_MAIN_STATE and AP_SQ_RUN_MODE. */
int ap_state_query(int code)
{
    enum { MAIN_STATE, RUN_MODE, CONFIG_GENERATION, CREATE_CONFIG = 4, RUN_MPM = 5, NORMAL = 2, NOT_SUPPORTED = -1 };
    switch (code) {
    case MAIN_STATE:
        return is_running ? RUN_MPM : CREATE_CONFIG;
    case RUN_MODE:
        return NORMAL;
    case CONFIG_GENERATION:
        return 0;
    }
    return NOT_SUPPORTED;
}

/* An entry of a list of what modules leave in the process under a name. */
typedef struct entry {
    struct entry *next;
    const char *group, *name, *version;
    void *data;
} entry;

static entry *retained, *providers;
static pthread_mutex_t entries_lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */

static entry *find(entry *list, const char *group, const char *name, const char *version)
{
    while (list != NULL && (strcmp(list->group, group) != 0 || strcmp(list->name, name) != 0 || strcmp(list->version, version) != 0))
        list = list->next;
    return list;
}

/* Puts data in the place of what had its name; what was there is leaked, since
 * others may look at it. */
static void put(entry **list, const char *group, const char *name, const char *version, void *data)
{
    entry *e = calloc(1, sizeof *e);
    if (e == NULL)
        abort();
    *e = (entry){*list, strdup(group), strdup(name), strdup(version), data};
    *list = e;
}

/* Data that last from one reading of the configuration to the next; here as
 * long as the process (server/config.c). */
void *ap_retained_data_get(const char *key)
{
    pthread_mutex_lock(&entries_lock);
    entry *e = find(retained, "", key, "");
    pthread_mutex_unlock(&entries_lock);
    return e == NULL ? NULL : e->data;
}

void *ap_retained_data_create(const char *key, size_t size)
{
    void *data = calloc(1, size);
    if (data == NULL)
        abort();
    pthread_mutex_lock(&entries_lock);
    put(&retained, "", key, "", data);
    pthread_mutex_unlock(&entries_lock);
    return data;
}

/* What modules offer to each other; the server asks none of it
 * (server/provider.c). */
apr_status_t ap_register_provider(apr_pool_t *pool, const char *group, const char *name, const char *version, const void *provider)
{
    (void)pool;
    pthread_mutex_lock(&entries_lock);
    put(&providers, group, name, version, (void *)provider);
    pthread_mutex_unlock(&entries_lock);
    return 0;
}

void *ap_lookup_provider(const char *group, const char *name, const char *version)
{
    pthread_mutex_lock(&entries_lock);
    entry *e = find(providers, group, name, version);
    pthread_mutex_unlock(&entries_lock);
    return e == NULL ? NULL : e->data;
}

/* Memory without a pool: the process ends where there is none (server/util.c). */
void ap_abort_on_oom(void) { abort(); }

static void *checked(void *memory)
{
    if (memory == NULL)
        ap_abort_on_oom();
    return memory;
}

void *ap_malloc(size_t size) { return checked(malloc(size == 0 ? 1 : size)); }

void *ap_calloc(size_t count, size_t size) { return checked(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size)); }

void *ap_realloc(void *memory, size_t size) { return checked(realloc(memory, size == 0 ? 1 : size)); }

/* A module's assertion has failed: it is logged, and the process ends
 * (server/log.c). */
void ap_log_assert(const char *expression, const char *file, int line)
{
    ap_log_error_(NULL, 0, -1, 2 /* APLOG_CRIT */, 0, NULL, "AH00102: [%s] file %s, line %d, assertion \"%s\" failed", "wshttpd", file, line,
                  expression);
    abort();
}
