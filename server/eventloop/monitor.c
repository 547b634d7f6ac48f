/* The monitor: a thread that takes a loop away from a callback that blocks.
 *
 * It is a thread of C's, since one of Go's would need a processor of Go's at
 * the very moment when all of them may be held by callbacks. It looks at every
 * loop's word each 5 ms, each 0.25 ms for a while after it has taken one away
 * (the next one may be waiting behind it), and not at all while nothing moves.
 *
 * A call that the same word shows at two looks lasts. If its thread sleeps, the
 * loop is taken away: the word gets WSHTTPD_STOLEN, and a spare thread is woken,
 * which does the rest (worker_linux.go). If its thread runs, it burns the
 * processor: another thread would only make that worse, so the word is noted
 * for the loop to find, a spare thread writes what the call has sent so far,
 * and the loop is taken away only after a second. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"

enum {
    TICK_US = 5000,
    FAST_TICK_US = 250,
    FAST_TICKS = 200,  /* how many follow a steal */
    QUIET_TICKS = 20,  /* without a change, then it parks */
};
#define BURNS_AFTER 5000000ll    /* nanoseconds */
#define STEALS_AFTER 1000000000ll /* from a thread that runs */

static wshttpd_baton *batons; /* grows at its head; atomic */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
static int started; /* guarded by making */
static uint32_t parked; /* atomic; a futex */

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Whether a thread of this process runs or waits for a processor (proc(5),
 * /proc/pid/stat, field 3). */
static int runs(int tid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *behind_name = strrchr(text, ')');
    return behind_name != NULL && behind_name[1] == ' ' && behind_name[2] == 'R';
}

/* Lets so many spare threads wake up and work. */
void wshttpd_token_give(wshttpd_baton *b, uint32_t count)
{
    __atomic_add_fetch(&b->tokens, count, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &b->tokens, FUTEX_WAKE_PRIVATE, (int)count, NULL, NULL, 0);
}

enum verdict { QUIET, MOVES, STEALS };

static enum verdict look(wshttpd_baton *b)
{
    uint64_t word = __atomic_load_n(&b->word, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&b->in_use, __ATOMIC_ACQUIRE))
        return QUIET;
    if (word != b->seen) {
        b->seen = word;
        b->since = now();
        return MOVES;
    }
    if (!(word & WSHTTPD_CALLING))
        return QUIET;
    int64_t age = now() - b->since;
    if (runs(__atomic_load_n(&b->tid, __ATOMIC_ACQUIRE)) && age < STEALS_AFTER) {
        if (age >= BURNS_AFTER && __atomic_exchange_n(&b->burns, word, __ATOMIC_SEQ_CST) != word)
            wshttpd_token_give(b, 1); /* what the call has sent so far can leave */
        return MOVES;
    }
    uint64_t expected = word;
    if (__atomic_compare_exchange_n(&b->word, &expected, (word & ~(uint64_t)WSHTTPD_CALLING) | WSHTTPD_STOLEN, 0,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        wshttpd_token_give(b, 1);
        return STEALS;
    }
    return MOVES;
}

static enum verdict look_at_all(void)
{
    enum verdict all = QUIET;
    for (wshttpd_baton *b = __atomic_load_n(&batons, __ATOMIC_ACQUIRE); b != NULL; b = b->next) {
        enum verdict v = look(b);
        if (v > all)
            all = v;
    }
    return all;
}

static void *watch(void *nothing)
{
    int quiet = 0, fast = 0;
    (void)nothing;
    for (;;) {
        struct timespec pause = {0, (fast > 0 ? FAST_TICK_US : TICK_US) * 1000l};
        nanosleep(&pause, NULL);
        if (fast > 0)
            fast--;
        switch (look_at_all()) {
        case STEALS:
            fast = FAST_TICKS;
            quiet = 0;
            continue;
        case MOVES:
            quiet = 0;
            continue;
        case QUIET:
            if (++quiet < QUIET_TICKS)
                continue;
        }
        __atomic_store_n(&parked, 1, __ATOMIC_SEQ_CST);
        if (look_at_all() == QUIET)
            while (__atomic_load_n(&parked, __ATOMIC_SEQ_CST) == 1)
                syscall(SYS_futex, &parked, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
        __atomic_store_n(&parked, 0, __ATOMIC_SEQ_CST);
        quiet = 0;
    }
    return NULL;
}

/* Starts the monitor, which no signal disturbs. */
static int start(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return 0;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 << 10); /* thread-local memory counts too */
    int failed = pthread_create(&thread, &attributes, watch, NULL);
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return !failed;
}

/* Gives a loop its word, one that has ended where there is such. */
wshttpd_baton *wshttpd_baton_new(void)
{
    pthread_mutex_lock(&making);
    if (!started && !(started = start())) {
        pthread_mutex_unlock(&making);
        return NULL;
    }
    wshttpd_baton *b = batons;
    while (b != NULL && __atomic_load_n(&b->in_use, __ATOMIC_ACQUIRE))
        b = b->next;
    if (b == NULL && (b = calloc(1, sizeof *b)) != NULL) {
        b->next = batons;
        __atomic_store_n(&batons, b, __ATOMIC_RELEASE);
    }
    if (b != NULL) {
        __atomic_store_n(&b->tokens, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&b->in_use, 1, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&making);
    return b;
}

/* Takes it back. Its word goes on from where it was. */
void wshttpd_baton_end(wshttpd_baton *b) { __atomic_store_n(&b->in_use, 0, __ATOMIC_RELEASE); }

uint32_t *wshttpd_monitor_parked(void) { return &parked; }

void wshttpd_monitor_unpark(void)
{
    __atomic_store_n(&parked, 0, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &parked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The kernel's number of the calling thread, asked for once. */
int64_t wshttpd_thread(void)
{
    static __thread pid_t thread;

    if (thread == 0)
        thread = (pid_t)syscall(SYS_gettid);
    return thread;
}
