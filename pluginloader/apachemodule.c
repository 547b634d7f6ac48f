/* Calls into modules of httpd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* Puts a module at the head of the list, and leaves the file's name alone of
 * its own (httpd 2.4 server/config.c, ap_add_module). */
void wshttpd_module_add(module *m, int index)
{
    const char *slash = m->name == NULL ? NULL : strrchr(m->name, '/');
    m->module_index = index;
    m->name = slash != NULL ? slash + 1 : m->name == NULL ? "" : m->name;
    m->next = ap_top_module;
    ap_top_module = m;
}

/* rewrite_args is for modules that are built into httpd: it calls it before it
 * reads a configuration (httpd 2.4 server/main.c, main). */
void wshttpd_module_register(module *m, apr_pool_t *pool)
{
    if (m->register_hooks != NULL)
        m->register_hooks(pool);
}

/* The record of a module in a vector. */
static void **record(ap_conf_vector_t *vector, const module *m) { return (void **)vector + m->module_index; }

/* Makes the record of a section, path being NULL for a server, where there is
 * none (httpd 2.4 server/config.c, ap_set_config_vectors). */
void wshttpd_module_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *vector, char *path)
{
    if (*record(vector, m) == NULL && m->create_dir_config != NULL)
        *record(vector, m) = m->create_dir_config(pool, path);
}

void wshttpd_module_server(module *m, apr_pool_t *pool, server_rec *server)
{
    if (*record(server->module_config, m) == NULL && m->create_server_config != NULL)
        *record(server->module_config, m) = m->create_server_config(pool, server);
}

static void *merged(void *(*merge)(apr_pool_t *, void *, void *), apr_pool_t *pool, void *base, void *over)
{
    if (over == NULL)
        return base;
    return base != NULL && merge != NULL ? merge(pool, base, over) : over;
}

/* Fills a vector with what two come to (ap_merge_per_dir_configs). */
void wshttpd_module_merge_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *to, ap_conf_vector_t *base,
                              ap_conf_vector_t *over)
{
    *record(to, m) = merged(m->merge_dir_config, pool, *record(base, m), *record(over, m));
}

/* Gives a virtual host what the main server and its own lines come to
 * (merge_server_configs). */
void wshttpd_module_merge_server(module *m, apr_pool_t *pool, server_rec *main_server, server_rec *host)
{
    void **own = record(host->module_config, m);
    *own = merged(m->merge_server_config, pool, *record(main_server->module_config, m), *own);
}

/* enum cmd_how (include/http_config.h). */
enum {
    RAW_ARGS, TAKE1, TAKE2, ITERATE, ITERATE2, FLAG, NO_ARGS, TAKE12, TAKE3, TAKE23, TAKE123, TAKE13, TAKE_ARGV,
};

typedef const char *(*no_words)(cmd_parms *, void *);
typedef const char *(*one_word)(cmd_parms *, void *, const char *);
typedef const char *(*two_words)(cmd_parms *, void *, const char *, const char *);
typedef const char *(*three_words)(cmd_parms *, void *, const char *, const char *, const char *);
typedef const char *(*flag)(cmd_parms *, void *, int);
typedef const char *(*many_words)(cmd_parms *, void *, int, char *const[]);

/* What a function returns that leaves a directive to others (DECLINE_CMD). */
static int is_declined(const char *error) { return error != NULL && strcmp(error, "\a\b") == 0; }

/* Calls a function with each word up to the first that is empty or refused. */
static const char *iterate(cmd_parms *parms, void *config, void *function, const char *first, int n, char **words)
{
    const char *error = NULL;
    for (int i = 0; i < n && *words[i] != '\0'; i++) {
        error = first == NULL ? ((one_word)function)(parms, config, words[i]) : ((two_words)function)(parms, config, first, words[i]);
        if (error != NULL && !is_declined(error))
            return error;
    }
    return error;
}

/* The most words that TAKE_ARGV gets (server/config.c, AP_MAX_ARGC). */
enum { MAX_WORDS = 64 };

static const char *call(cmd_parms *parms, void *config, int n, char **words)
{
    void *function = parms->cmd->func;
    switch (parms->cmd->args_how) {
    case NO_ARGS:
        return ((no_words)function)(parms, config);
    case RAW_ARGS:
    case TAKE1:
        return ((one_word)function)(parms, config, words[0]);
    case TAKE12:
        return ((two_words)function)(parms, config, words[0], words[1] != NULL && *words[1] != '\0' ? words[1] : NULL);
    case TAKE2:
        return ((two_words)function)(parms, config, words[0], words[1]);
    case TAKE3:
    case TAKE23:
    case TAKE13:
    case TAKE123:
        return ((three_words)function)(parms, config, words[0], words[1], words[2]);
    case ITERATE:
        return iterate(parms, config, function, NULL, n, words);
    case ITERATE2:
        return iterate(parms, config, function, words[0], n - 1, words + 1);
    case FLAG:
        return ((flag)function)(parms, config, strcasecmp(words[0], "off") != 0);
    case TAKE_ARGV:
        if (n > 0 && n <= MAX_WORDS && *words[n - 1] == '\0')
            n--; /* an empty word is none at the end */
        return ((many_words)function)(parms, config, n < MAX_WORDS ? n : MAX_WORDS, words);
    }
    return NULL;
}

/* Runs a directive on words whose number is right; those that are missing are
 * NULL, and n of RAW_ARGS is 1 (invoke_cmd). Returns the error or NULL. */
const char *wshttpd_module_command(cmd_parms *parms, void *config, int n, char **words)
{
    const char *error = call(parms, config, n, words);
    return is_declined(error) ? NULL : error;
}

void *wshttpd_module_record(ap_conf_vector_t *vector, const module *m) { return *record(vector, m); }
