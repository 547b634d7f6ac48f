/* The functions of httpd by which a directive of a module's runs those that
 * stand in its section (httpd 2.4 server/config.c). */
#include <stddef.h>

#include "apache.h"

/* Implemented in Go (reading.go). They return what is wrong, or NULL. */
extern char *wshttpd_go_walk(ap_directive_t *node, cmd_parms *parms);
extern char *wshttpd_go_build(ap_directive_t **first, char *closing);

/* Runs directives from current on, up to the first that is wrong; their records
 * are those of the vector. */
const char *ap_walk_config(ap_directive_t *current, cmd_parms *parms, ap_conf_vector_t *vector)
{
    ap_conf_vector_t *outer = parms->context;
    const char *error = NULL;
    parms->context = vector;
    for (; current != NULL && error == NULL; current = current->next) {
        parms->directive = current;
        error = wshttpd_go_walk(current, parms);
        if (error != NULL && parms->err_directive == NULL)
            parms->err_directive = current;
    }
    parms->context = outer;
    return error;
}

/* Reads the lines up to the closing tag of "<NAME", and makes directives of
 * them, of which the first is *current then. */
const char *ap_build_cont_config(apr_pool_t *pool, apr_pool_t *temp_pool, cmd_parms *parms, ap_directive_t **current,
                                 ap_directive_t **parent, char *opener)
{
    (void)pool;
    (void)temp_pool;
    (void)parms;
    (void)parent;
    return wshttpd_go_build(current, opener + 1);
}
