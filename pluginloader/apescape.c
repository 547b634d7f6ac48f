/* The functions of httpd that escape and unescape (httpd 2.4 server/util.c,
 * server/gen_test_char.c). What they return lives in the pool, but for those
 * that work in place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"
#include "apchars.h"

/* Four bytes are the most that a byte of a URL's escapes takes, "&#255;" the
 * longest of HTML's. */
enum { URL_FACTOR = 3, LOG_FACTOR = 4, HTML_FACTOR = 6 };

static char *room(apr_pool_t *pool, const char *text, size_t factor)
{
    return wshttpd_pool_zeros(pool, factor * strlen(text) + 3);
}

/* With to_ascii, bytes beyond ASCII become numbers too. */
char *ap_escape_html2(apr_pool_t *pool, const char *text, int to_ascii)
{
    char *result = room(pool, text, HTML_FACTOR), *to = result;
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<':
            to = stpcpy(to, "&lt;");
            break;
        case '>':
            to = stpcpy(to, "&gt;");
            break;
        case '&':
            to = stpcpy(to, "&amp;");
            break;
        case '"':
            to = stpcpy(to, "&quot;");
            break;
        default:
            if (to_ascii && (*text & 0x80))
                to += sprintf(to, "&#%3.3d;", (unsigned char)*text);
            else
                *to++ = *text;
        }
    }
    return result;
}

/* Escapes all but letters, digits and the bytes of plain. */
static char *escape(char *to, const char *text, const char *plain, int blank_is_plus)
{
    char *result = to;
    for (; *text != '\0'; text++) {
        if (*text == ' ' && blank_is_plus)
            *to++ = '+';
        else if (is_alnum(*text) || strchr(plain, *text) != NULL)
            *to++ = *text;
        else
            to += sprintf(to, "%%%02x", (unsigned char)*text);
    }
    *to = '\0';
    return result;
}

static const char in_segment[] = "$-_.+!*'(),:@&=~", in_path[] = "$-_.+!*'(),:;@&=/~", in_query[] = ".-*_";

char *ap_escape_path_segment_buffer(char *to, const char *text) { return escape(to, text, in_segment, 0); }

char *ap_escape_path_segment(apr_pool_t *pool, const char *text)
{
    return escape(room(pool, text, URL_FACTOR), text, in_segment, 0);
}

char *ap_escape_urlencoded_buffer(char *to, const char *text) { return escape(to, text, in_query, 1); }

char *ap_escape_urlencoded(apr_pool_t *pool, const char *text)
{
    return escape(room(pool, text, URL_FACTOR), text, in_query, 1);
}

/* A whole path (partial 0) that could be taken for a scheme begins with "./". */
char *ap_os_escape_path(apr_pool_t *pool, const char *path, int partial)
{
    char *result = room(pool, path, URL_FACTOR), *to = result;
    size_t segment = strcspn(path, "/");
    if (!partial && memchr(path, ':', segment) != NULL)
        to = stpcpy(to, "./");
    escape(to, path, in_path, 0);
    return result;
}

/* Puts a backslash in front of each quote that has none. */
char *ap_escape_quotes(apr_pool_t *pool, const char *text)
{
    char *result = room(pool, text, 2), *to = result;
    for (; *text != '\0'; text++) {
        if (*text == '\\' && text[1] != '\0')
            *to++ = *text++;
        else if (*text == '"')
            *to++ = '\\';
        *to++ = *text;
    }
    return result;
}

/* Puts a backslash in front of what a shell would take for its own. */
char *ap_escape_shell_cmd(apr_pool_t *pool, const char *text)
{
    char *result = room(pool, text, 2), *to = result;
    for (; *text != '\0'; text++) {
        if (strchr("&;`'\"|*?~<>^()[]{}$\\\n", *text) != NULL)
            *to++ = '\\';
        *to++ = *text;
    }
    return result;
}

/* Writes one byte of a log's text; returns where the next one goes. */
static char *log_byte(char *to, char c, int quotes_too)
{
    static const char special[] = "\b\n\r\t\v\\\"", name[] = "bnrtv\\\"";
    const char *at = c == '\0' ? NULL : strchr(special, c);
    if (is_print(c) && c != '\\' && (c != '"' || !quotes_too))
        *to++ = c;
    else if (at != NULL) {
        *to++ = '\\';
        *to++ = name[at - special];
    } else
        to += sprintf(to, "\\x%02x", (unsigned char)c);
    return to;
}

char *ap_escape_logitem(apr_pool_t *pool, const char *text)
{
    if (text == NULL)
        return NULL;
    char *result = room(pool, text, LOG_FACTOR), *to = result;
    for (; *text != '\0'; text++)
        to = log_byte(to, *text, 1);
    return result;
}

/* Escapes as much as there is room for; returns the length. */
size_t ap_escape_errorlog_item(char *to, const char *text, size_t size)
{
    char *start = to, *end = to + size;
    if (size == 0 || text == NULL)
        return 0;
    for (; *text != '\0' && to + 1 < end; text++) {
        char escaped[LOG_FACTOR + 1];
        size_t length = (size_t)(log_byte(escaped, *text, 0) - escaped);
        if (to + length >= end)
            break;
        memcpy(to, escaped, length);
        to += length;
    }
    *to = '\0';
    return (size_t)(to - start);
}

static int is_hex(char c) { return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }

static int hex_digit(char c) { return is_digit(c) ? c - '0' : (c | 32) - 'a' + 10; }

enum { DECODED = 0, BAD_REQUEST = 400, NOT_FOUND = 404 };

/* Decodes in place. Bytes of forbidden are decoded and make it NOT_FOUND, as a
 * zero byte does; those of reserved stay as they are. An escape without two
 * digits makes it BAD_REQUEST (unescape_url). */
static int unescape(char *url, const char *forbidden, const char *reserved)
{
    int bad_escape = 0, bad_path = 0;
    char *to = url;
    for (const char *from = url; from != NULL && *from != '\0'; from++) {
        if (*from != '%') {
            *to++ = *from;
            continue;
        }
        if (!is_hex(from[1]) || !is_hex(from[2])) {
            bad_escape = 1;
            *to++ = '%';
            continue;
        }
        char c = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
        if (c == '\0' || strchr(forbidden, c) != NULL)
            bad_path = 1;
        else if (strchr(reserved, c) != NULL) {
            memmove(to, from, 3);
            to += 3;
            from += 2;
            continue;
        }
        *to++ = c;
        from += 2;
    }
    if (to != NULL)
        *to = '\0';
    return bad_escape ? BAD_REQUEST : bad_path ? NOT_FOUND : DECODED;
}

int ap_unescape_url(char *url) { return unescape(url, "/", ""); }

int ap_unescape_url_keep2f(char *url, int decode_slashes) { return unescape(url, "", decode_slashes ? "" : "/"); }

int ap_unescape_urlencoded(char *query)
{
    for (char *at = query; at != NULL && *at != '\0'; at++)
        if (*at == '+')
            *at = ' ';
    return unescape(query, "", "");
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *ap_pbase64encode(apr_pool_t *pool, char *text)
{
    size_t size = strlen(text);
    char *result = wshttpd_pool_zeros(pool, (size + 2) / 3 * 4 + 1), *to = result;
    for (size_t i = 0; i < size; i += 3) {
        unsigned bits = 0;
        for (size_t j = i; j < i + 3; j++)
            bits = bits << 8 | (j < size ? (unsigned char)text[j] : 0);
        for (size_t j = 0; j < 4; j++)
            *to++ = i + j > size ? '=' : base64[bits >> (18 - 6 * j) & 63];
    }
    return result;
}

/* Decodes up to the first byte that is none of base64's. */
char *ap_pbase64decode(apr_pool_t *pool, const char *text)
{
    char *result = wshttpd_pool_zeros(pool, strlen(text) * 3 / 4 + 1), *to = result;
    unsigned bits = 0;
    int held = 0;
    for (const char *at; *text != '\0' && (at = strchr(base64, *text)) != NULL; text++) {
        bits = bits << 6 | (unsigned)(at - base64);
        if ((held += 6) >= 8)
            *to++ = (char)(bits >> (held -= 8));
    }
    *to = '\0';
    return result;
}
