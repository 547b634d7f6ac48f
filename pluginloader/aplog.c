/* The functions of httpd that plugins call. Their names are httpd's: the
 * linker exports them from the executable, where dlopen finds them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* Implemented in Go (apachelog.go). */
extern void wshttpd_go_log(wshttpd_record *record);

/* The bounds of httpd's own buffer (server/log.c, MAX_STRING_LEN). */
#define TEXT_SIZE 8192

static void record(wshttpd_record *r, apr_status_t status, const char *format, va_list args)
{
    char text[TEXT_SIZE], status_text[160];
    wshttpd_format(text, sizeof text, format, args);
    wshttpd_status_text(status_text, sizeof status_text, status);
    r->text = text;
    r->status = status_text;
    wshttpd_go_log(r);
}

#define RECORD(connection, of_server, of_request)                                                           \
    do {                                                                                                    \
        wshttpd_record r = {(connection) == NULL ? 0 : (uint64_t)((const conn_rec *)(connection))->id,      \
                            of_server, file, line, module_index, level, of_request, NULL, NULL};            \
        va_list args;                                                                                       \
        va_start(args, format);                                                                             \
        record(&r, status, format, args);                                                                   \
        va_end(args);                                                                                       \
    } while (0)

void ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    RECORD(NULL, server, 0);
}

void ap_log_perror_(const char *file, int line, int module_index, int level, apr_status_t status, apr_pool_t *pool,
                    const char *format, ...)
{
    (void)pool;
    RECORD(NULL, NULL, 0);
}

void ap_log_cerror_(const char *file, int line, int module_index, int level, apr_status_t status,
                    const conn_rec *connection, const char *format, ...)
{
    RECORD(connection, connection->base_server, 0);
}

void ap_log_cserror_(const char *file, int line, int module_index, int level, apr_status_t status,
                     const conn_rec *connection, const server_rec *server, const char *format, ...)
{
    RECORD(connection, server, 0);
}

void ap_log_rerror_(const char *file, int line, int module_index, int level, apr_status_t status,
                    const request_rec *request, const char *format, ...)
{
    RECORD(request->connection, request->server, 1);
}
