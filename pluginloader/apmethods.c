/* The methods of HTTP by httpd's numbers (httpd 2.4 include/httpd.h and
 * modules/http/http_protocol.c). */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* The last number is METHOD_NUMBER_LAST: a bit of 64 stands for each. */
enum { INVALID = 26, LAST = 62 };

/* What stands at INVALID is none; those behind it are registered. HEAD is GET. */
static const char *methods[LAST + 1] = {
    "GET", "PUT", "POST", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK",
    "VERSION-CONTROL", "CHECKOUT", "UNCHECKOUT", "CHECKIN", "UPDATE", "LABEL", "REPORT", "MKWORKSPACE", "MKACTIVITY", "BASELINE-CONTROL", "MERGE",
};
static int count = INVALID + 1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards both */

/* The lock is held. */
static int number_of(const char *method)
{
    if (strcmp(method, "HEAD") == 0)
        return 0;
    for (int i = 0; i < count; i++)
        if (i != INVALID && strcmp(methods[i], method) == 0)
            return i;
    return INVALID;
}

/* The number of a method, M_INVALID of one that nobody has registered. */
int ap_method_number_of(const char *method)
{
    pthread_mutex_lock(&lock);
    int number = number_of(method);
    pthread_mutex_unlock(&lock);
    return number;
}

/* NULL where no method has the number. */
const char *ap_method_name_of(apr_pool_t *pool, int number)
{
    (void)pool;
    pthread_mutex_lock(&lock);
    const char *name = number >= 0 && number < count ? methods[number] : NULL;
    pthread_mutex_unlock(&lock);
    return name;
}

/* Gives a method a number, M_INVALID where there is none left. */
int ap_method_register(apr_pool_t *pool, const char *method)
{
    (void)pool;
    pthread_mutex_lock(&lock);
    int number = number_of(method);
    char *copy = number == INVALID && count <= LAST ? strdup(method) : NULL;
    if (copy != NULL) {
        number = count;
        methods[count++] = copy;
    }
    pthread_mutex_unlock(&lock);
    return number;
}
