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

void wshttpd_module_register(module *m, process_rec *process, apr_pool_t *pool)
{
    if (m->rewrite_args != NULL)
        m->rewrite_args(process);
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

/* Runs a directive on words whose number is right; those that are missing are
 * NULL, and n of RAW_ARGS is 1 (invoke_cmd). Returns the error or NULL. */
const char *wshttpd_module_command(cmd_parms *parms, module *m, int n, char **words)
{
    void *config = *record(parms->context, m), *function = parms->cmd->func;
    const char *error = NULL;
    switch (parms->cmd->args_how) {
    case NO_ARGS:
        return ((no_words)function)(parms, config);
    case RAW_ARGS:
    case TAKE1:
        return ((one_word)function)(parms, config, words[0]);
    case TAKE2:
    case TAKE12:
        return ((two_words)function)(parms, config, words[0], words[1]);
    case TAKE3:
    case TAKE23:
    case TAKE13:
    case TAKE123:
        return ((three_words)function)(parms, config, words[0], words[1], words[2]);
    case ITERATE:
        for (int i = 0; i < n && error == NULL; i++)
            error = ((one_word)function)(parms, config, words[i]);
        return error;
    case ITERATE2:
        for (int i = 1; i < n && error == NULL; i++)
            error = ((two_words)function)(parms, config, words[0], words[i]);
        return error;
    case FLAG:
        return ((flag)function)(parms, config, strcasecmp(words[0], "on") == 0);
    case TAKE_ARGV:
        return ((many_words)function)(parms, config, n, words);
    }
    return "is improperly configured internally (server bug)";
}
