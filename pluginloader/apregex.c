/* The regular expressions of httpd (httpd 2.4 server/util_pcre.c,
 * server/util.c): PCRE2, which is opened like APR, at the first expression. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "apache.h"
#include "apchars.h"

/* include/ap_regex.h. */
enum {
    ICASE = 0x01,
    NEWLINE = 0x02,
    NOTBOL = 0x04,
    NOTEOL = 0x08,
    DOTALL = 0x40,
    NOTEMPTY = 0x80,
    ANCHORED = 0x100,
    DOLLAR_ENDONLY = 0x200,
    NO_DEFAULT = 0x400,
};
enum { MATCHES, INTERNAL, NO_MEMORY, BAD_ARGUMENT, NO_MATCH };

/* pcre2.h. */
enum {
    PCRE2_CASELESS = 0x00000008,
    PCRE2_DOLLAR_ENDONLY = 0x00000010,
    PCRE2_DOTALL = 0x00000020,
    PCRE2_DUPNAMES = 0x00000040,
    PCRE2_MULTILINE = 0x00000400,
    PCRE2_NOTBOL = 0x00000001,
    PCRE2_NOTEOL = 0x00000002,
    PCRE2_NOTEMPTY = 0x00000004,
    PCRE2_INFO_CAPTURECOUNT = 4,
    PCRE2_ERROR_NOMATCH = -1,
    PCRE2_ERROR_MATCHLIMIT = -47,
};
static const uint32_t pcre2_anchored = 0x80000000u;

static struct {
    void *(*compile)(const unsigned char *, size_t, uint32_t, int *, size_t *, void *);
    void (*code_free)(void *);
    int (*pattern_info)(const void *, uint32_t, void *);
    void *(*match_data_create)(uint32_t, void *);
    void (*match_data_free)(void *);
    size_t *(*get_ovector_pointer)(void *);
    int (*match)(const void *, const unsigned char *, size_t, size_t, uint32_t, void *, void *);
} pcre2;

static int pcre2_is_open;

static void open_once(void)
{
    void *library = dlopen("libpcre2-8.so.0", RTLD_NOW | RTLD_LOCAL);
    const struct {
        const char *name;
        void *at;
    } wanted[] = {
        {"pcre2_compile_8", &pcre2.compile},
        {"pcre2_code_free_8", &pcre2.code_free},
        {"pcre2_pattern_info_8", &pcre2.pattern_info},
        {"pcre2_match_data_create_8", &pcre2.match_data_create},
        {"pcre2_match_data_free_8", &pcre2.match_data_free},
        {"pcre2_get_ovector_pointer_8", &pcre2.get_ovector_pointer},
        {"pcre2_match_8", &pcre2.match},
    };
    for (size_t i = 0; library != NULL && i < sizeof wanted / sizeof wanted[0]; i++) {
        void *function = dlsym(library, wanted[i].name);
        if (function == NULL)
            return;
        memcpy(wanted[i].at, &function, sizeof function);
    }
    pcre2_is_open = library != NULL;
}

/* Compiles an expression. Without libpcre2-8 there is none (INTERNAL). */
int ap_regcomp(ap_regex_t *regex, const char *pattern, int flags)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    enum { OUT_OF_MEMORY = 21 };
    uint32_t options = PCRE2_DUPNAMES, groups = 0;
    int error = 0;
    pthread_once(&once, open_once);
    *regex = (ap_regex_t){NULL, 0, 0};
    if (!pcre2_is_open)
        return INTERNAL;
    if (!(flags & NO_DEFAULT))
        flags |= DOTALL | DOLLAR_ENDONLY;
    options |= (flags & ICASE ? PCRE2_CASELESS : 0) | (flags & NEWLINE ? PCRE2_MULTILINE : 0) | (flags & DOTALL ? PCRE2_DOTALL : 0) |
               (flags & DOLLAR_ENDONLY ? PCRE2_DOLLAR_ENDONLY : 0);
    regex->re_pcre = pcre2.compile((const unsigned char *)pattern, strlen(pattern), options, &error, &regex->re_erroffset, NULL);
    if (regex->re_pcre == NULL)
        return error == OUT_OF_MEMORY ? NO_MEMORY : BAD_ARGUMENT;
    pcre2.pattern_info(regex->re_pcre, PCRE2_INFO_CAPTURECOUNT, &groups);
    regex->re_nsub = (int)groups;
    return MATCHES;
}

void ap_regfree(ap_regex_t *regex)
{
    if (regex->re_pcre != NULL)
        pcre2.code_free(regex->re_pcre);
    regex->re_pcre = NULL;
}

/* Matches, and notes where the first count groups are. */
int ap_regexec_len(const ap_regex_t *regex, const char *text, size_t size, size_t count, ap_regmatch_t *groups, int flags)
{
    uint32_t options = (flags & NOTBOL ? PCRE2_NOTBOL : 0u) | (flags & NOTEOL ? PCRE2_NOTEOL : 0u) | (flags & NOTEMPTY ? PCRE2_NOTEMPTY : 0u) |
                       (flags & ANCHORED ? pcre2_anchored : 0u);
    if (regex->re_pcre == NULL)
        return BAD_ARGUMENT;
    void *data = pcre2.match_data_create((uint32_t)regex->re_nsub + 1, NULL);
    if (data == NULL)
        return NO_MEMORY;
    int found = pcre2.match(regex->re_pcre, (const unsigned char *)text, size, 0, options, data, NULL);
    const size_t *at = pcre2.get_ovector_pointer(data);
    for (size_t i = 0; found > 0 && i < count; i++)
        groups[i] = i < (size_t)found ? (ap_regmatch_t){(int)at[2 * i], (int)at[2 * i + 1]} : (ap_regmatch_t){-1, -1};
    pcre2.match_data_free(data);
    if (found > 0)
        return MATCHES;
    return found == PCRE2_ERROR_NOMATCH ? NO_MATCH : found == PCRE2_ERROR_MATCHLIMIT ? NO_MEMORY : INTERNAL;
}

int ap_regexec(const ap_regex_t *regex, const char *text, size_t count, ap_regmatch_t *groups, int flags)
{
    return ap_regexec_len(regex, text, strlen(text), count, groups, flags);
}

/* Writes what an error means, and where in the expression it is. Returns the
 * room that it takes. */
size_t ap_regerror(int error, const ap_regex_t *regex, char *to, size_t size)
{
    static const char *const texts[] = {"", "internal error", "failed to get memory", "bad argument", "match failed"};
    const char *text = error < 0 || error >= (int)(sizeof texts / sizeof texts[0]) ? "unknown error code" : texts[error];
    size_t length = strlen(text) + 1, more = regex != NULL && (int)regex->re_erroffset != -1 ? strlen(" at offset ") + 6 : 0;
    if (size > 0 && more > 0 && size >= length + more)
        snprintf(to, size, "%s at offset %-6d", text, (int)regex->re_erroffset);
    else if (size > 0)
        snprintf(to, size, "%s", text);
    return length + more;
}

static apr_status_t free_with_pool(void *regex)
{
    ap_regfree(regex);
    return 0;
}

/* An expression that is freed with the pool, NULL where it is none. */
ap_regex_t *ap_pregcomp(apr_pool_t *pool, const char *pattern, int flags)
{
    ap_regex_t *regex = wshttpd_pool_zeros(pool, sizeof *regex);
    if (ap_regcomp(regex, pattern, flags) != MATCHES)
        return NULL;
    wshttpd_apr.pool_cleanup_register(pool, regex, free_with_pool, free_with_pool);
    return regex;
}

void ap_pregfree(apr_pool_t *pool, ap_regex_t *regex)
{
    (void)pool;
    ap_regfree(regex); /* once more with the pool, which finds nothing */
}

/* Puts what groups have matched in the places of $0 to $9; a backslash takes
 * the meaning of what follows it. NULL where the result has 64 KiB. */
char *ap_pregsub(apr_pool_t *pool, const char *input, const char *source, size_t count, ap_regmatch_t groups[])
{
    enum { GROUPS = 10, LONGEST = 64 << 10 };
    size_t size = 1;
    if (source == NULL || count > GROUPS)
        return NULL;
    for (const char *at = input; *at != '\0'; at++) {
        unsigned group = at[0] == '$' && is_digit(at[1]) ? (unsigned)(at[1] - '0') : GROUPS;
        size += group < count && groups[group].rm_so < groups[group].rm_eo ? (size_t)(groups[group].rm_eo - groups[group].rm_so) : 1;
    }
    if (size > LONGEST)
        return NULL;
    char *result = wshttpd_pool_zeros(pool, size), *to = result;
    for (const char *at = input; *at != '\0'; at++) {
        if (count > 0 && at[0] == '$' && is_digit(at[1])) {
            unsigned group = (unsigned)(*++at - '0');
            if (group < count && groups[group].rm_so < groups[group].rm_eo) {
                memcpy(to, source + groups[group].rm_so, (size_t)(groups[group].rm_eo - groups[group].rm_so));
                to += groups[group].rm_eo - groups[group].rm_so;
            }
            continue;
        }
        if (count > 0 && at[0] == '\\' && at[1] != '\0')
            at++;
        *to++ = *at;
    }
    return result;
}
