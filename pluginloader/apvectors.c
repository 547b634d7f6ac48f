/* The functions of httpd that find a module's records, and the modules
 * themselves (httpd 2.4 server/config.c, server/log.c). */
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* The main server; a symbol of httpd's own. */
server_rec *ap_server_conf;

/* The modules, the last that was loaded first; a symbol of httpd's own. */
module *ap_top_module;

void *ap_get_module_config(const ap_conf_vector_t *vector, const module *m)
{
    return ((void *const *)vector)[m->module_index];
}

void ap_set_module_config(ap_conf_vector_t *vector, const module *m, void *record)
{
    ((void **)vector)[m->module_index] = record;
}

/* An empty vector: records are made as directives of their modules are run. */
ap_conf_vector_t *ap_create_per_dir_config(apr_pool_t *pool)
{
    return (ap_conf_vector_t *)((void **)wshttpd_pool_zeros(pool, (WSHTTPD_MODULES + 2) * sizeof(void *)) + 1);
}

ap_conf_vector_t *ap_create_request_config(apr_pool_t *pool) { return ap_create_per_dir_config(pool); }

ap_conf_vector_t *ap_create_conn_config(apr_pool_t *pool) { return ap_create_per_dir_config(pool); }

ap_conf_vector_t *ap_merge_per_dir_configs(apr_pool_t *pool, ap_conf_vector_t *base, ap_conf_vector_t *over)
{
    ap_conf_vector_t *to = ap_create_per_dir_config(pool);
    for (module *m = ap_top_module; m != NULL; m = m->next)
        wshttpd_module_merge_dir(m, pool, to, base, over);
    return to;
}

/* Makes the records of a module where there are none yet, and returns that of
 * the section. */
void *ap_set_config_vectors(server_rec *server, ap_conf_vector_t *vector, const char *section, module *m, apr_pool_t *pool)
{
    wshttpd_module_dir(m, pool, vector, (char *)section);
    wshttpd_module_server(m, pool, server);
    return ap_get_module_config(vector, m);
}

module *ap_find_linked_module(const char *name)
{
    module *m = ap_top_module;
    while (m != NULL && strcmp(m->name, name) != 0)
        m = m->next;
    return m;
}

const char *ap_find_module_name(module *m) { return m->name; }

unsigned ap_get_module_flags(const module *m) { return m == NULL || m->version < 20120211 ? 0 : (unsigned)m->flags; }

/* The entry of a command table, or NULL. */
const command_rec *ap_find_command(const char *name, const command_rec *commands)
{
    for (; commands->name != NULL; commands++)
        if (strcasecmp(commands->name, name) == 0)
            return commands;
    return NULL;
}

/* Looks from *m on, and leaves there whose the entry is. */
const command_rec *ap_find_command_in_modules(const char *name, module **m)
{
    for (module *at = *m; at != NULL; at = at->next) {
        const command_rec *found = at->cmds == NULL ? NULL : ap_find_command(name, at->cmds);
        if (found != NULL) {
            *m = at;
            return found;
        }
    }
    return NULL;
}

static int level_of(const struct ap_logconf *log, int module_index)
{
    int own = log->module_levels == NULL || module_index < 0 ? -1 : log->module_levels[module_index];
    return own == -1 ? log->level : own;
}

int ap_get_server_module_loglevel(const server_rec *server, int module_index)
{
    return server == NULL ? 8 /* APLOG_TRACE1 */ : level_of(&server->log, module_index);
}

int ap_get_conn_module_loglevel(const conn_rec *connection, int module_index)
{
    return level_of(connection->log != NULL ? connection->log : &connection->base_server->log, module_index);
}

int ap_get_conn_server_module_loglevel(const conn_rec *connection, const server_rec *server, int module_index)
{
    int has_own = connection->log != NULL && connection->log != &connection->base_server->log;
    return level_of(has_own ? connection->log : &server->log, module_index);
}

int ap_get_request_module_loglevel(const request_rec *request, int module_index)
{
    const struct ap_logconf *log = request->log;
    if (log == NULL)
        log = request->connection->log;
    return level_of(log != NULL ? log : &request->server->log, module_index);
}
