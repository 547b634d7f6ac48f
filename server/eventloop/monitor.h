/* The monitor of the loops (see monitor.c). Every symbol is static or wshttpd_. */
#ifndef WSHTTPD_MONITOR_H
#define WSHTTPD_MONITOR_H

#include <stdint.h>

/* What a loop and the monitor share. It lives in C memory and is never freed:
 * the monitor may look at it at any time. */
typedef struct wshttpd_baton {
    uint64_t word;   /* sequence number << 2 | WSHTTPD_STOLEN | WSHTTPD_CALLING; atomic */
    uint64_t burns;  /* the word of a call that uses the processor for long; atomic */
    uint32_t tokens; /* what spare threads are to do: each takes one; atomic, a futex */
    int32_t tid;     /* the thread that runs the loop; atomic */
    int32_t in_use;  /* atomic */

    /* Of the monitor alone: */
    uint64_t seen;
    int64_t since; /* when it was first seen, in nanoseconds */
    struct wshttpd_baton *next;
} wshttpd_baton;

enum { WSHTTPD_CALLING = 1, WSHTTPD_STOLEN = 2 };

wshttpd_baton *wshttpd_baton_new(void);
void wshttpd_token_give(wshttpd_baton *b, uint32_t count);
void wshttpd_baton_end(wshttpd_baton *b);
uint32_t *wshttpd_monitor_parked(void);
void wshttpd_monitor_unpark(void);
int64_t wshttpd_thread(void);

#endif
