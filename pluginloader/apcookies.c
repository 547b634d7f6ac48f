/* The functions of httpd that read cookies (httpd 2.4 server/util_cookies.c). */
#include <string.h>

#include "apache.h"
#include "apchars.h"

/* What is gathered of the Cookie fields. */
typedef struct {
    apr_pool_t *pool;
    const char *name, *value; /* value NULL as long as there is none */
    int is_ambiguous;
} search;

/* Looks at one cookie of a list. */
static void look(search *s, const char *cookie)
{
    size_t size = strlen(s->name);
    while (is_space(*cookie))
        cookie++;
    if (strncmp(cookie, s->name, size) != 0 || cookie[size] != '=')
        return;
    const char *value = cookie + size + 1;
    if (s->value != NULL && strcmp(s->value, value) != 0)
        s->is_ambiguous = 1;
    s->value = wshttpd_pool_string(s->pool, value, strlen(value));
}

/* Finds a cookie's value, as it was sent; NULL where there is none. That of a
 * name which stands there with several values is an error. The cookie stays in
 * the table, whatever removes says: no further server sees the request. */
apr_status_t ap_cookie_read(request_rec *request, const char *name, const char **value, int removes)
{
    search s = {request->pool, name, NULL, 0};
    (void)removes;
    for (int i = 0; i < wshttpd_table_size(request->headers_in); i++) {
        const char *field, *list;
        char *state;
        wshttpd_table_entry(request->headers_in, i, &field, &list);
        if (ap_cstr_casecmp(field, "Cookie") != 0 && ap_cstr_casecmp(field, "Cookie2") != 0)
            continue;
        char *copy = wshttpd_pool_string(request->pool, list, strlen(list));
        for (char *cookie = strtok_r(copy, ",;", &state); cookie != NULL; cookie = strtok_r(NULL, ",;", &state))
            look(&s, cookie);
    }
    if (s.is_ambiguous)
        return APR_EGENERAL;
    *value = s.value;
    return 0;
}
