/* The ways in which the plugins of these tests end their process, or never
 * return. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const never = "to be overwritten"; /* in memory that cannot be written */

__attribute__((noinline)) static int deeper(volatile char *former)
{
    volatile char here[4096];
    here[0] = former[0];
    return deeper(here) + here[0];
}

static void crash(const char *how)
{
    volatile char start = 0;
    if (strcmp(how, "segfault") == 0)
        *(volatile char *)never = 0;
    if (strcmp(how, "abort") == 0)
        abort();
    if (strcmp(how, "overflow") == 0)
        deeper(&start);
    if (strcmp(how, "exit") == 0)
        exit(0);
    if (strcmp(how, "_exit") == 0)
        _exit(3);
    if (strcmp(how, "block") == 0)
        for (;;)
            pause();
}
