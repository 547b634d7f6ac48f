#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "apache.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == bytes, "size of " #type);
#define OFFSET(type, field, bytes) _Static_assert(offsetof(type, field) == bytes, #type " has " #field " at " #bytes);
#if defined(__x86_64__)
#include "apache_offsets.h"
#endif
#undef SIZE
#undef OFFSET

typedef struct {
    char *key, *val;
    uint32_t key_checksum;
} apr_table_entry_t;

struct wshttpd_apr wshttpd_apr;
#define apr wshttpd_apr

static apr_pool_t *root;
static int is_open;

/* How many bytes of pools that are over APR keeps for others before it gives
 * memory back, which by itself it never does: httpd's default of MaxMemFree. A
 * sanitizer is to see the use of a pool that is over, for which its memory must
 * have been freed. */
#ifdef __SANITIZE_ADDRESS__
enum { MOST_KEPT = 1 };
#else
enum { MOST_KEPT = 2 << 20 };
#endif

/* Opens libapr and libaprutil for all: plugins are linked without either, and
 * find in the process what they need. */
static void open_once(void)
{
    void *library = dlopen("libapr-1.so.0", RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL)
        return;
    void *util = dlopen("libaprutil-1.so.0", RTLD_NOW | RTLD_GLOBAL); /* those that need it find out */
    const struct {
        const char *name;
        void *at;
    } wanted[] = {
        {"apr_initialize", &apr.initialize},
        {"apr_pool_create_ex", &apr.pool_create_ex},
        {"apr_pool_destroy", &apr.pool_destroy},
        {"apr_palloc", &apr.palloc},
        {"apr_table_make", &apr.table_make},
        {"apr_table_add", &apr.table_add},
        {"apr_table_set", &apr.table_set},
        {"apr_table_get", &apr.table_get},
        {"apr_table_elts", &apr.table_elts},
        {"apr_sockaddr_info_get", &apr.sockaddr_info_get},
        {"apr_vsnprintf", &apr.vsnprintf},
        {"apr_strerror", &apr.strerror},
        {"apr_pool_cleanup_register", &apr.pool_cleanup_register},
        {"apr_pool_cleanup_null", &apr.pool_cleanup_null},
        {"apr_filepath_merge", &apr.filepath_merge},
        {"apr_pool_allocator_get", &apr.pool_allocator_get},
        {"apr_allocator_max_free_set", &apr.allocator_max_free_set},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        void *function = dlsym(library, wanted[i].name);
        if (function == NULL)
            return;
        memcpy(wanted[i].at, &function, sizeof function);
    }
    is_open = apr.initialize() == 0 && apr.pool_create_ex(&root, NULL, NULL, NULL) == 0;
    if (is_open)
        apr.allocator_max_free_set(apr.pool_allocator_get(root), MOST_KEPT);
    /* Optional hooks and functions of modules live in the pool that this names
     * (httpd 2.4 server/config.c, ap_setup_prelinked_modules). */
    apr_pool_t **hook_pool = util == NULL ? NULL : dlsym(util, "apr_hook_global_pool");
    if (is_open && hook_pool != NULL)
        *hook_pool = root;
}

/* Tells whether APR is there. */
int wshttpd_apr_open(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    return is_open;
}

int wshttpd_apr_is_open(void) { return is_open; }

apr_pool_t *wshttpd_root_pool(void) { return root; }

/* A child of parent: of the root pool any thread may make one, as that keeps
 * the global allocator, which has a mutex. NULL where memory is short. */
apr_pool_t *wshttpd_pool_new(apr_pool_t *parent)
{
    apr_pool_t *pool = NULL;
    return apr.pool_create_ex(&pool, parent, NULL, NULL) == 0 ? pool : NULL;
}

void wshttpd_pool_destroy(apr_pool_t *pool) { apr.pool_destroy(pool); }

void *wshttpd_pool_zeros(apr_pool_t *pool, size_t size)
{
    void *memory = apr.palloc(pool, size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

char *wshttpd_pool_string(apr_pool_t *pool, const char *text, size_t length)
{
    char *copy = apr.palloc(pool, length + 1);
    if (copy == NULL)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

/* ip is a literal, which asks no name server. */
apr_sockaddr_t *wshttpd_pool_address(apr_pool_t *pool, const char *ip, int port)
{
    apr_sockaddr_t *address = NULL;
    return apr.sockaddr_info_get(&address, ip, 0, (uint16_t)port, 0, pool) == 0 ? address : NULL;
}

apr_table_t *wshttpd_table_new(apr_pool_t *pool, int room) { return apr.table_make(pool, room); }

void wshttpd_table_add(apr_table_t *table, const char *name, const char *value) { apr.table_add(table, name, value); }

void wshttpd_table_set(apr_table_t *table, const char *name, const char *value) { apr.table_set(table, name, value); }

int wshttpd_table_size(const apr_table_t *table) { return apr.table_elts(table)->nelts; }

void wshttpd_table_entry(const apr_table_t *table, int i, const char **name, const char **value)
{
    const apr_table_entry_t *entry = (const apr_table_entry_t *)apr.table_elts(table)->elts + i;
    *name = entry->key;
    *value = entry->val;
}

/* Expands a format of APR's, which knows %pI and others; where there is no APR
 * a plugin can have made none of what these show. */
void wshttpd_format(char *dst, size_t size, const char *format, va_list args)
{
    if (is_open)
        apr.vsnprintf(dst, size, format, args);
    else
        vsnprintf(dst, size, format, args);
}

/* "(2)No such file or directory", as httpd has it (httpd 2.4 server/log.c,
 * log_apr_status); empty for success. */
void wshttpd_status_text(char *dst, size_t size, apr_status_t status)
{
    char text[120];
    dst[0] = '\0';
    if (status == 0)
        return;
    if (!is_open || apr.strerror(status, text, sizeof text) == NULL)
        snprintf(text, sizeof text, "error");
    snprintf(dst, size, "(%d)%s", status, text);
}
