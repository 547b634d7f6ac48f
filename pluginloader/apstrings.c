/* The functions of httpd that look at strings and change them in place (httpd
 * 2.4 server/util.c). */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"
#include "apchars.h"

void ap_str_tolower(char *text)
{
    for (; *text != '\0'; text++)
        *text = to_lower(*text);
}

void ap_str_toupper(char *text)
{
    for (; *text != '\0'; text++)
        *text = to_upper(*text);
}

/* Compares without case in the C locale. */
int ap_cstr_casecmpn(const char *a, const char *b, size_t size)
{
    for (; size > 0; size--, a++, b++) {
        int difference = (unsigned char)to_lower(*a) - (unsigned char)to_lower(*b);
        if (difference != 0 || *a == '\0')
            return difference;
    }
    return 0;
}

int ap_cstr_casecmp(const char *a, const char *b) { return ap_cstr_casecmpn(a, b, SIZE_MAX); }

/* Where a text without case first stands, or NULL. */
char *ap_strcasestr(const char *text, const char *part)
{
    size_t size = strlen(part);
    for (;; text++) {
        if (ap_cstr_casecmpn(text, part, size) == 0)
            return (char *)text;
        if (*text == '\0')
            return NULL;
    }
}

/* The text behind the prefix, or the text if it has another. */
const char *ap_stripprefix(const char *text, const char *prefix)
{
    size_t size = prefix == NULL ? 0 : strlen(prefix);
    return text == NULL || strncmp(text, prefix == NULL ? "" : prefix, size) != 0 ? text : text + size;
}

int ap_ind(const char *text, char c)
{
    const char *at = strchr(text, c);
    return at == NULL || c == '\0' ? -1 : (int)(at - text);
}

int ap_rind(const char *text, char c)
{
    const char *at = strrchr(text, c);
    return at == NULL || c == '\0' ? -1 : (int)(at - text);
}

int ap_is_matchexp(const char *text) { return strpbrk(text, "*?") != NULL; }

/* 0 where a pattern with * and ? covers the text, 1 where it does not, -1 where
 * the text is too short. */
static int match(const char *text, const char *pattern, int ignores_case)
{
    for (; *pattern != '\0'; text++, pattern++) {
        if (*text == '\0' && *pattern != '*')
            return -1;
        if (*pattern == '*') {
            while (*++pattern == '*')
                continue;
            if (*pattern == '\0')
                return 0;
            for (; *text != '\0'; text++) {
                int found = match(text, pattern, ignores_case);
                if (found != 1)
                    return found;
            }
            return -1;
        }
        char a = ignores_case ? to_lower(*text) : *text, b = ignores_case ? to_lower(*pattern) : *pattern;
        if (*pattern != '?' && a != b)
            return 1;
    }
    return *text != '\0';
}

int ap_strcmp_match(const char *text, const char *pattern) { return match(text, pattern, 0); }

int ap_strcasecmp_match(const char *text, const char *pattern) { return match(text, pattern, 1); }

/* Tells whether a text begins as a URL does: letters, digits, "+-." and a
 * colon. */
int ap_is_url(const char *text)
{
    const char *at = text;
    while (is_alnum(*at) || (*at != '\0' && strchr("+-.", *at) != NULL))
        at++;
    return at > text && *at == ':';
}

/* Writes bytes as lower-case hexadecimal digits, and a zero byte. */
void ap_bin2hex(const void *bytes, size_t size, char *to)
{
    for (size_t i = 0; i < size; i++) {
        *to++ = "0123456789abcdef"[((const unsigned char *)bytes)[i] >> 4];
        *to++ = "0123456789abcdef"[((const unsigned char *)bytes)[i] & 15];
    }
    *to = '\0';
}

/* Copies a text with _ for all that is neither letter nor digit, and x for what
 * cannot be printed. */
int ap_str2_alnum(const char *text, char *to)
{
    for (; *text != '\0'; text++)
        *to++ = is_alnum(*text) ? *text : is_print(*text) ? '_' : 'x';
    *to = '\0';
    return 0;
}

int ap_pstr2_alnum(apr_pool_t *pool, const char *text, const char **to)
{
    char *copy = wshttpd_pool_string(pool, text, strlen(text));
    *to = copy;
    return copy == NULL ? ENOMEM : ap_str2_alnum(text, copy);
}

/* Where a text stands in an array of strings from start on; -1 if nowhere. */
int ap_array_str_index(const wshttpd_array *array, const char *text, int start)
{
    if (start < 0)
        return -1;
    for (int i = start; i < array->nelts; i++)
        if (strcmp(((const char *const *)array->elts)[i], text) == 0)
            return i;
    return -1;
}

int ap_array_str_contains(const wshttpd_array *array, const char *text) { return ap_array_str_index(array, text, 0) >= 0; }

/* Compares bytes in a time that does not tell where they differ. */
int ap_memeq_timingsafe(const void *a, const void *b, size_t size)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < size; i++)
        difference |= ((const volatile unsigned char *)a)[i] ^ ((const volatile unsigned char *)b)[i];
    return difference == 0;
}

/* Reads the length of a body: digits and nothing else. Returns whether it is
 * one. */
int ap_parse_strict_length(int64_t *length, const char *text)
{
    char *end;
    *length = 0;
    if (!is_digit(*text))
        return 0;
    errno = 0;
    *length = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* Microseconds of a unit that stands behind a number; 0 of what is none. */
static int64_t unit_of(const char *unit)
{
    const int64_t second = 1000000;
    switch (to_lower(*unit)) {
    case 's':
        return second;
    case 'h':
        return 3600 * second;
    case 'm':
        switch (to_lower(unit[1])) {
        case 's':
            return 1000;
        case 'i':
            return 60 * second;
        }
    }
    return 0;
}

/* Reads a time into microseconds: a number, and a unit unless it is that by
 * default. */
apr_status_t ap_timeout_parameter_parse(const char *text, int64_t *timeout, const char *default_unit)
{
    char *end;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    if (errno != 0)
        return errno;
    int64_t unit = unit_of(*end == '\0' ? default_unit : end);
    if (unit == 0 || number < 0 || number > INT64_MAX / unit)
        return APR_EGENERAL;
    *timeout = number * unit;
    return 0;
}

/* Where a text ends to be a token, text of a field, or visible characters
 * (server/gen_test_char.c). */
const char *ap_scan_http_token(const char *text)
{
    while (is_print(*text) && strchr(" ()<>@,;:\\\"/[]?={}", *text) == NULL)
        text++;
    return text;
}

const char *ap_scan_http_field_content(const char *text)
{
    while (!is_control(*text) || *text == '\t')
        text++;
    return text;
}

const char *ap_scan_vchar_obstext(const char *text)
{
    while (!is_control(*text) && *text != ' ')
        text++;
    return text;
}
