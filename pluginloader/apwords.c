/* The functions of httpd that take words out of a line (httpd 2.4
 * server/util.c). What they return lives in the pool; the line is not changed,
 * but the pointer to it, which then stands in front of what is left. */
#include <string.h>

#include "apache.h"
#include "apchars.h"

/* What stands in front of stop; all stops that follow are stepped over. */
char *ap_getword(apr_pool_t *pool, const char **line, char stop)
{
    const char *end = *line;
    while (*end != '\0' && *end != stop)
        end++;
    char *word = wshttpd_pool_string(pool, *line, (size_t)(end - *line));
    while (stop != '\0' && *end == stop)
        end++;
    *line = end;
    return word;
}

char *ap_getword_nc(apr_pool_t *pool, char **line, char stop) { return ap_getword(pool, (const char **)line, stop); }

/* ap_getword where any white space is the stop. */
char *ap_getword_white(apr_pool_t *pool, const char **line)
{
    const char *end = *line;
    while (*end != '\0' && !is_space(*end))
        end++;
    char *word = wshttpd_pool_string(pool, *line, (size_t)(end - *line));
    while (is_space(*end))
        end++;
    *line = end;
    return word;
}

char *ap_getword_white_nc(apr_pool_t *pool, char **line) { return ap_getword_white(pool, (const char **)line); }

/* ap_getword that steps over one stop only: words may be empty. */
char *ap_getword_nulls(apr_pool_t *pool, const char **line, char stop)
{
    const char *end = strchr(*line, stop);
    if (end == NULL)
        end = *line + strlen(*line);
    char *word = wshttpd_pool_string(pool, *line, (size_t)(end - *line));
    *line = *end == '\0' ? end : end + 1;
    return word;
}

char *ap_getword_nulls_nc(apr_pool_t *pool, char **line, char stop)
{
    return ap_getword_nulls(pool, (const char **)line, stop);
}

/* Copies a word without the backslashes in front of others, and of its quote;
 * quote is 0 where it has none. */
static char *unquoted(apr_pool_t *pool, const char *word, size_t size, char quote)
{
    char *copy = wshttpd_pool_string(pool, word, size), *to = copy;
    for (size_t i = 0; i < size; i++) {
        if (word[i] == '\\' && i + 1 < size && (word[i + 1] == '\\' || (quote != 0 && word[i + 1] == quote)))
            i++;
        *to++ = word[i];
    }
    *to = '\0';
    return copy;
}

/* The next word of a configuration line; it may be quoted. Empty where there is
 * none, or an empty one. */
char *ap_getword_conf(apr_pool_t *pool, const char **line)
{
    const char *at = *line, *end;
    char quote = 0;
    while (is_space(*at))
        at++;
    if (*at == '"' || *at == '\'')
        quote = *at++;
    for (end = at; *end != '\0' && (quote != 0 ? *end != quote : !is_space(*end)); end++)
        if (quote != 0 && *end == '\\' && (end[1] == quote || end[1] == '\\'))
            end++;
    char *word = unquoted(pool, at, (size_t)(end - at), quote);
    if (quote != 0 && *end == quote)
        end++;
    while (is_space(*end))
        end++;
    *line = end;
    return word;
}

char *ap_getword_conf_nc(apr_pool_t *pool, char **line) { return ap_getword_conf(pool, (const char **)line); }

/* The next word of a header field's list, quoted strings being part of it: up
 * to a comma or semicolon, or to white space unless accept_white. */
char *ap_get_token(apr_pool_t *pool, const char **line, int accept_white)
{
    const char *at = *line, *end;
    while (is_space(*at))
        at++;
    for (end = at; *end != '\0' && *end != ';' && *end != ',' && (accept_white || !is_space(*end));) {
        if (*end++ != '"')
            continue;
        while (*end != '\0' && *end++ != '"')
            continue;
    }
    char *word = wshttpd_pool_string(pool, at, (size_t)(end - at));
    while (is_space(*end))
        end++;
    *line = end;
    return word;
}

/* Separates the tokens of a header field (server/gen_test_char.c,
 * T_HTTP_TOKEN_STOP). */
static int stops_token(char c) { return is_control(c) || (c & 0x80) || strchr(" ()<>@,;:\\\"/[]?={}", c) != NULL; }

/* Tells whether a list has the token. A shorter one that the token begins with
 * counts, as it does in httpd. */
int ap_find_token(apr_pool_t *pool, const char *line, const char *token)
{
    (void)pool;
    for (const char *at = line; at != NULL;) {
        while (*at != '\0' && stops_token(*at))
            at++;
        if (*at == '\0')
            return 0;
        const char *start = at;
        while (*at != '\0' && !stops_token(*at))
            at++;
        if (strncasecmp(start, token, (size_t)(at - start)) == 0)
            return 1;
    }
    return 0;
}

/* Tells whether a list ends with the token. */
int ap_find_last_token(apr_pool_t *pool, const char *line, const char *token)
{
    (void)pool;
    if (line == NULL)
        return 0;
    size_t length = strlen(line), size = strlen(token);
    if (length < size || strcasecmp(line + length - size, token) != 0)
        return 0;
    return length == size || is_space(line[length - size - 1]) || line[length - size - 1] == ',';
}

/* A field's value without its parameters, and the white space in front of
 * them. */
char *ap_field_noparam(apr_pool_t *pool, const char *value)
{
    if (value == NULL)
        return NULL;
    size_t size = strcspn(value, ";");
    if (value[size] == ';')
        while (size > 0 && is_space(value[size - 1]))
            size--;
    return wshttpd_pool_string(pool, value, size);
}
