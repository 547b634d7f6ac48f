/*
 * A plugin that knows the interface by its numbers only: it includes no header
 * of ours, as a binary that was compiled years ago.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD(type, p, offset) (*(type *)((char *)(p) + (offset)))

typedef const char *(*header_get_t)(const void *, const char *);
typedef void (*header_set_t)(const void *, const char *, const char *);
typedef size_t (*count_t)(const void *);
typedef const char *(*index_t)(const void *, size_t);
typedef void (*set_t)(const void *, const char *);
typedef size_t (*send_t)(const void *, int, const unsigned char *, size_t);
typedef void (*close_t)(const void *);
typedef void *(*request_t)(const void *);

#define SEND(s) FIELD(send_t, s, 64)

static void say(const void *server, const char *text)
{
    SEND(server)(server, 0, (const unsigned char *)text, strlen(text));
}

static const void *kept; /* the server of the last connection, used after its end */

/* Reports everything that a session can ask for, a line each. */
static void report(const void *server)
{
    char line[512];
    const char *a, *b;
    snprintf(line, sizeof line, "size %u version %u request %s", FIELD(unsigned, server, 0), FIELD(unsigned, server, 4),
             FIELD(request_t, server, 16)(server) == NULL ? "NULL" : "set");
    say(server, line);
    header_get_t get = FIELD(header_get_t, server, 24);
    a = get(server, "x-multi");
    b = get(server, "X-MULTI");
    snprintf(line, sizeof line, "multi %s %s", a, a == b ? "one address" : "two addresses");
    say(server, line);
    a = get(server, "X-Empty");
    say(server, a != NULL && *a == '\0' ? "empty is empty" : "empty is wrong");
    say(server, get(server, "X-Absent") == NULL ? "absent is NULL" : "absent is wrong");
    say(server, get(server, NULL) == NULL ? "NULL key is NULL" : "NULL key is wrong");
    size_t n = FIELD(count_t, server, 40)(server);
    snprintf(line, sizeof line, "protocols %zu %s %s %s", n, FIELD(index_t, server, 48)(server, 0),
             FIELD(index_t, server, 48)(server, 1), FIELD(index_t, server, 48)(server, n) == NULL ? "NULL" : "wrong");
    say(server, line);
    size_t text = SEND(server)(server, 0, (const unsigned char *)"abc", 3);
    size_t empty = SEND(server)(server, 128, NULL, 5);
    size_t nowhere = SEND(server)(NULL, 0, (const unsigned char *)"x", 1);
    size_t endless = SEND(server)(server, 0, (const unsigned char *)"x", (size_t)-1);
    snprintf(line, sizeof line, "send %zu %zu %zu %zu", text, empty, nowhere, endless);
    say(server, line);
    snprintf(line, sizeof line, "forced %u max %u ip %s", FIELD(unsigned, server, 80), FIELD(unsigned, server, 84),
             FIELD(const char *, server, 88));
    say(server, line);
}

static void *on_connect(const void *server)
{
    kept = server;
    if (FIELD(header_get_t, server, 24)(server, "X-Decline") != NULL)
        return NULL;
    char name[] = "X-Set", value[] = "value", protocol[] = "chosen"; /* copied: they are gone soon */
    FIELD(header_set_t, server, 32)(server, name, value);
    FIELD(header_set_t, server, 32)(server, NULL, "value");
    FIELD(set_t, server, 56)(server, protocol);
    FIELD(set_t, server, 56)(server, NULL);
    memset(name, 'z', sizeof name);
    memset(value, 'z', sizeof value);
    memset(protocol, 'z', sizeof protocol);
    return (void *)7; /* no address of anything */
}

static void *threads_send(void *server)
{
    for (int i = 0; i < 1000; i++)
        SEND(server)(server, 0, (const unsigned char *)"t", 1);
    return NULL;
}

static size_t on_message(void *session, const void *server, const int type, unsigned char *buffer, const size_t size)
{
    char line[128];
    if (session != (void *)7)
        say(server, "wrong session");
    int zeros = 1;
    for (int i = 0; i < 64; i++)
        zeros = zeros && buffer[size + i] == 0;
    snprintf(line, sizeof line, "type %d size %zu buffer %s zeros %d", type, size, buffer == NULL ? "NULL" : "set", zeros);
    say(server, line);
    if (strcmp((char *)buffer, "report") == 0)
        report(server);
    if (strcmp((char *)buffer, "close") == 0)
        FIELD(close_t, server, 72)(server);
    if (strcmp((char *)buffer, "threads") == 0) {
        pthread_t t[8];
        for (int i = 0; i < 8; i++)
            pthread_create(&t[i], NULL, threads_send, (void *)server);
        for (int i = 0; i < 8; i++)
            pthread_join(t[i], NULL);
    }
    memset(buffer, 'z', size + 64); /* allowed, and a little more */
    return 99;
}

static void on_disconnect(void *session, const void *server)
{
    say(server, session == (void *)7 ? "disconnect" : "wrong session");
}

static int destroyed;
static void destroy(void *plugin) { destroyed += plugin != NULL; }

static struct {
    unsigned int size, version;
    void (*destroy)(void *);
    void *(*on_connect)(const void *);
    size_t (*on_message)(void *, const void *, const int, unsigned char *, const size_t);
    void (*on_disconnect)(void *, const void *);
} plugin = {40, 0, destroy, on_connect, on_message, on_disconnect}, bare = {48, 0, NULL, NULL, on_message, NULL},
  newer = {40, 1, NULL, NULL, on_message, NULL}, small = {39, 0, NULL, NULL, on_message, NULL}, deaf = {40, 0, NULL, NULL, NULL, NULL};

static char argument[32];
void *foreign_init(const char *text)
{
    snprintf(argument, sizeof argument, "[%s]", text);
    return &plugin;
}
void *bare_init(void) { return &bare; }
void *newer_init(void) { return &newer; }
void *small_init(void) { return &small; }
void *deaf_init(void) { return &deaf; }
void *null_init(void) { return NULL; }

static void on_signal(int s) { (void)s; }
void *signals_init(void)
{
    signal(SIGTERM, on_signal);
    signal(SIGUSR2, on_signal);
    return &plugin;
}

/* Its own handler stays, and runs on a stack of its own; the server's is back. */
void *signals_are_right(void)
{
    struct sigaction own, servers;
    sigaction(SIGUSR2, NULL, &own);
    sigaction(SIGTERM, NULL, &servers);
    int right = own.sa_handler == on_signal && (own.sa_flags & SA_ONSTACK) != 0 && servers.sa_handler != on_signal;
    return right ? &plugin : NULL;
}

/* Asked by the test, as init functions that give a plugin for yes. */
void *got_empty_argument(void) { return strcmp(argument, "[]") == 0 ? &plugin : NULL; }
void *was_destroyed_thrice(void) { return destroyed == 3 ? &plugin : NULL; }

/* After on_disconnect: whether every function of a structure that was kept is harmless. */
void *is_harmless_after(void)
{
    const void *s = kept;
    int wrong = 0;
    wrong += SEND(s)(s, 0, (const unsigned char *)"late", 4) != 0;
    wrong += FIELD(header_get_t, s, 24)(s, "X-Multi") != NULL;
    FIELD(header_set_t, s, 32)(s, "X-Late", "1");
    wrong += FIELD(count_t, s, 40)(s) != 0;
    wrong += FIELD(index_t, s, 48)(s, 0) != NULL;
    FIELD(set_t, s, 56)(s, "late");
    FIELD(close_t, s, 72)(s);
    wrong += FIELD(void *, s, 8) != NULL;
    return wrong == 0 ? &plugin : NULL;
}
