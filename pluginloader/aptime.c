/* The functions of httpd that write times (httpd 2.4 server/util_time.c,
 * server/util.c). Times are microseconds since 1970. */
#include <stdio.h>
#include <time.h>

#include "apache.h"

enum { SECOND = 1000000 };

/* Writes "Sun, 06 Nov 1994 08:49:37 GMT", of 30 bytes with its zero byte. */
apr_status_t ap_recent_rfc822_date(char *to, int64_t at)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(at / SECOND);
    struct tm t;
    gmtime_r(&seconds, &t);
    snprintf(to, 30, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min,
             t.tm_sec);
    return 0;
}

/* Formats a time as strftime does, of the zone of the server or of UTC. */
char *ap_ht_time(apr_pool_t *pool, int64_t at, const char *format, int is_utc)
{
    char text[8192];
    time_t seconds = (time_t)(at / SECOND);
    struct tm t;
    if (is_utc)
        gmtime_r(&seconds, &t);
    else
        localtime_r(&seconds, &t);
    size_t length = strftime(text, sizeof text, format, &t);
    return wshttpd_pool_string(pool, text, length);
}
