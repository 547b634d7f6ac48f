/* Classes of bytes, as APR has them in the C locale (apr_lib.h): a server's
 * locale must not change what a configuration means. */
#ifndef WSHTTPD_APCHARS_H
#define WSHTTPD_APCHARS_H

static inline int is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline int is_digit(char c) { return c >= '0' && c <= '9'; }
static inline int is_alpha(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static inline int is_alnum(char c) { return is_digit(c) || is_alpha(c); }
static inline int is_control(char c) { return (unsigned char)c < ' ' || c == 0x7f; }
static inline int is_print(char c) { return (unsigned char)c >= ' ' && (unsigned char)c < 0x7f; }
static inline char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static inline char to_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

#endif
