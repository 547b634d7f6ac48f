#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cplugin.h"

#if UINTPTR_MAX == 0xffffffffffffffffu
/* The layout that compiled plugins rely on (apache-websocket, websocket_plugin.h). */
_Static_assert(sizeof(WebSocketServer) == 80, "WebSocketServer has 80 bytes");
_Static_assert(sizeof(WebSocketServerExtended) == 120, "the extended server has 120 bytes");
_Static_assert(offsetof(WebSocketServer, state) == 8, "state");
_Static_assert(offsetof(WebSocketServer, request) == 16, "request");
_Static_assert(offsetof(WebSocketServer, header_get) == 24, "header_get");
_Static_assert(offsetof(WebSocketServer, header_set) == 32, "header_set");
_Static_assert(offsetof(WebSocketServer, protocol_count) == 40, "protocol_count");
_Static_assert(offsetof(WebSocketServer, protocol_index) == 48, "protocol_index");
_Static_assert(offsetof(WebSocketServer, protocol_set) == 56, "protocol_set");
_Static_assert(offsetof(WebSocketServer, send) == 64, "send");
_Static_assert(offsetof(WebSocketServer, close) == 72, "close");
_Static_assert(offsetof(WebSocketServerExtended, close_forced) == 80, "close_forced");
_Static_assert(offsetof(WebSocketServerExtended, max_message_size) == 84, "max_message_size");
_Static_assert(offsetof(WebSocketServerExtended, remoteip) == 88, "remoteip");
_Static_assert(offsetof(WebSocketServerExtended, broadcast) == 96, "broadcast");
_Static_assert(offsetof(WebSocketServerExtended, pending) == 104, "pending");
_Static_assert(offsetof(WebSocketServerExtended, timer) == 112, "timer");
_Static_assert(sizeof(WebSocketPlugin) == 40, "WebSocketPlugin has 40 bytes");
_Static_assert(offsetof(WebSocketPlugin, destroy) == 8, "destroy");
_Static_assert(offsetof(WebSocketPlugin, on_connect) == 16, "on_connect");
_Static_assert(offsetof(WebSocketPlugin, on_message) == 24, "on_message");
_Static_assert(offsetof(WebSocketPlugin, on_disconnect) == 32, "on_disconnect");
_Static_assert(sizeof(wshttpd_wide_plugin) == 72, "the fork's plugin has 72 bytes");
#endif

/* Implemented in Go (handles.go). A handle that is dead is harmless to them. */
extern struct request_rec *wshttpd_go_request(uint64_t handle);
extern char *wshttpd_go_header_get(uint64_t handle, char *key);
extern void wshttpd_go_header_set(uint64_t handle, char *key, char *value);
extern size_t wshttpd_go_protocol_count(uint64_t handle);
extern char *wshttpd_go_protocol_index(uint64_t handle, size_t index);
extern void wshttpd_go_protocol_set(uint64_t handle, char *protocol);
extern size_t wshttpd_go_send(uint64_t handle, int type, unsigned char *buffer, size_t size);
extern void wshttpd_go_send_gathered(uint64_t handle, unsigned char *records, size_t size);
extern void wshttpd_go_close(uint64_t handle);
extern size_t wshttpd_go_broadcast(uint64_t handle, int type, unsigned char *buffer, size_t size);
extern size_t wshttpd_go_pending(uint64_t handle);
extern int wshttpd_go_timer(uint64_t handle, unsigned int milliseconds, uintptr_t on_timer, uintptr_t argument);

static uint64_t handle_of(const WebSocketServer *server)
{
    return server == NULL ? 0 : (uint64_t)__atomic_load_n((const uintptr_t *)&server->state, __ATOMIC_ACQUIRE);
}

static struct request_rec *CALLBACK server_request(const WebSocketServer *server)
{
    uint64_t handle = handle_of(server);
    return handle == 0 ? NULL : wshttpd_go_request(handle);
}

static const char *CALLBACK server_header_get(const WebSocketServer *server, const char *key)
{
    uint64_t handle = handle_of(server);
    return handle == 0 || key == NULL ? NULL : wshttpd_go_header_get(handle, (char *)key);
}

static void CALLBACK server_header_set(const WebSocketServer *server, const char *key, const char *value)
{
    uint64_t handle = handle_of(server);
    if (handle != 0 && key != NULL && value != NULL)
        wshttpd_go_header_set(handle, (char *)key, (char *)value);
}

static size_t CALLBACK server_protocol_count(const WebSocketServer *server)
{
    uint64_t handle = handle_of(server);
    return handle == 0 ? 0 : wshttpd_go_protocol_count(handle);
}

static const char *CALLBACK server_protocol_index(const WebSocketServer *server, const size_t index)
{
    uint64_t handle = handle_of(server);
    return handle == 0 ? NULL : wshttpd_go_protocol_index(handle, index);
}

static void CALLBACK server_protocol_set(const WebSocketServer *server, const char *protocol)
{
    uint64_t handle = handle_of(server);
    if (handle != 0 && protocol != NULL)
        wshttpd_go_protocol_set(handle, (char *)protocol);
}

static void lock(wshttpd_slot *slot)
{
    while (__atomic_test_and_set(&slot->busy, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void unlock(wshttpd_slot *slot) { __atomic_clear(&slot->busy, __ATOMIC_RELEASE); }

/* Whether the calling thread runs a callback of the connection that gathers. */
static int gathers(wshttpd_slot *slot)
{
    return pthread_equal(__atomic_load_n(&slot->caller, __ATOMIC_RELAXED), pthread_self());
}

/* Keeps a message until the callback that sends it returns: a call into Go for
 * each costs more than all the rest. Tells whether it could. */
static int gathered(wshttpd_slot *slot, int type, const unsigned char *buffer, size_t size)
{
    int done = 0;
    if (size == 0 || size > WSHTTPD_GATHERED || (type != MESSAGE_TYPE_TEXT && type != MESSAGE_TYPE_BINARY))
        return 0;
    lock(slot);
    wshttpd_gather *g = slot->gather;
    size_t needed = 8 + ((size + 7) & ~(size_t)7);
    if (g != NULL && sizeof g->records - g->used >= needed) {
        uint32_t head[2] = {(uint32_t)type, (uint32_t)size};
        memcpy(g->records + g->used, head, sizeof head);
        memcpy(g->records + g->used + sizeof head, buffer, size);
        g->used += needed;
        done = 1;
    }
    unlock(slot);
    return done;
}

/* Lets leave what was gathered, in front of what the thread sends next, and
 * stops gathering until resume. */
static wshttpd_gather *flush(wshttpd_slot *slot, uint64_t handle)
{
    lock(slot);
    wshttpd_gather *g = slot->gather;
    slot->gather = NULL;
    unlock(slot);
    if (g != NULL && g->used > 0)
        wshttpd_go_send_gathered(handle, g->records, g->used);
    return g;
}

static void resume(wshttpd_slot *slot, wshttpd_gather *g)
{
    if (g == NULL)
        return;
    g->used = 0;
    lock(slot);
    if (!slot->lasts)
        slot->gather = g;
    unlock(slot);
}

static size_t CALLBACK server_send(const WebSocketServer *server, const int type, const unsigned char *buffer,
                                   const size_t size)
{
    uint64_t handle = handle_of(server);
    if (handle == 0)
        return 0;
    wshttpd_slot *slot = (wshttpd_slot *)server;
    int gathering = gathers(slot);
    if (gathering && buffer != NULL && gathered(slot, type, buffer, size))
        return size;
    wshttpd_gather *g = gathering ? flush(slot, handle) : NULL;
    size_t sent = wshttpd_go_send(handle, type, (unsigned char *)buffer, buffer == NULL ? 0 : size);
    if (type != MESSAGE_TYPE_TEXT && type != MESSAGE_TYPE_BINARY && type != MESSAGE_TYPE_PING && type != MESSAGE_TYPE_PONG)
        __atomic_store_n(&slot->closed, 1, __ATOMIC_RELAXED); /* and g stays out of use */
    else
        resume(slot, g);
    return sent;
}

static void CALLBACK server_close(const WebSocketServer *server)
{
    uint64_t handle = handle_of(server);
    if (handle == 0)
        return;
    wshttpd_slot *slot = (wshttpd_slot *)server;
    if (gathers(slot))
        flush(slot, handle);
    wshttpd_go_close(handle);
    __atomic_store_n(&slot->closed, 1, __ATOMIC_RELAXED);
}

static size_t CALLBACK server_broadcast(const WebSocketServer *server, const int type, const unsigned char *buffer,
                                        const size_t size)
{
    uint64_t handle = handle_of(server);
    if (handle == 0)
        return 0;
    wshttpd_slot *slot = (wshttpd_slot *)server;
    wshttpd_gather *g = gathers(slot) ? flush(slot, handle) : NULL;
    size_t taken = wshttpd_go_broadcast(handle, type, (unsigned char *)buffer, buffer == NULL ? 0 : size);
    resume(slot, g);
    return taken;
}

static size_t CALLBACK server_pending(const WebSocketServer *server)
{
    uint64_t handle = handle_of(server);
    if (handle == 0)
        return 0;
    wshttpd_slot *slot = (wshttpd_slot *)server;
    resume(slot, gathers(slot) ? flush(slot, handle) : NULL);
    return wshttpd_go_pending(handle);
}

static int CALLBACK server_timer(const WebSocketServer *server, const unsigned int milliseconds, WS_OnTimer on_timer,
                                 void *argument)
{
    uint64_t handle = handle_of(server);
    return handle == 0 || on_timer == NULL
               ? 0
               : wshttpd_go_timer(handle, milliseconds, (uintptr_t)on_timer, (uintptr_t)argument);
}

void *wshttpd_open(const char *path, int way, char **error)
{
    static const int flags[] = {RTLD_NOW | RTLD_LOCAL, RTLD_NOW | RTLD_GLOBAL, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD};
    void *library = dlopen(path, flags[way]);
    *error = NULL;
    if (library == NULL) {
        const char *text = dlerror();
        *error = strdup(text == NULL ? "unknown error" : text);
    }
    return library;
}

void *wshttpd_symbol(void *library, const char *name) { return dlsym(library, name); }

/* Where the process itself has the symbol, its libraries included, or NULL. */
void *wshttpd_defined(const char *name) { return dlsym(RTLD_DEFAULT, name); }

/* The file that has been loaded to where an address is, to be freed, or NULL. */
char *wshttpd_file_of(uintptr_t address)
{
    Dl_info info;
    if (dladdr((void *)address, &info) == 0 || info.dli_fname == NULL)
        return NULL;
    return strdup(info.dli_fname);
}

/* The file that a library was opened from, to be freed, or NULL. */
char *wshttpd_path_of(void *library)
{
    struct link_map *map = NULL;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == NULL || map->l_name == NULL)
        return NULL;
    return strdup(map->l_name);
}

/* The argument is one fork's: its INIT takes a text. On the ABIs of this
 * server an argument that is not expected does no harm. */
WebSocketPlugin *wshttpd_init_call(void *init, const char *user_config)
{
    return ((WebSocketPlugin * (*)(const char *)) init)(user_config);
}

wshttpd_slot *wshttpd_slots_new(size_t count)
{
    static const WebSocketServer functions = {
        sizeof(WebSocketServerExtended), WEBSOCKET_SERVER_VERSION_1, NULL, server_request, server_header_get,
        server_header_set, server_protocol_count, server_protocol_index, server_protocol_set, server_send,
        server_close,
    };
    wshttpd_slot *slots = calloc(count, sizeof(wshttpd_slot));
    if (slots == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        slots[i].server.base = functions;
        slots[i].server.remoteip = slots[i].address;
        slots[i].server.broadcast = server_broadcast;
        slots[i].server.pending = server_pending;
        slots[i].server.timer = server_timer;
    }
    return slots;
}

/* Gives a slot its connection, or takes it away: then handle is 0, and the
 * address stays for those who still read it. */
void wshttpd_slot_set(wshttpd_slot *slot, uint64_t handle, const char *address, size_t length)
{
    if (handle != 0) {
        if (length >= sizeof slot->address)
            length = sizeof slot->address - 1;
        if (length > 0)
            memcpy(slot->address, address, length);
        slot->address[length] = '\0';
        __atomic_store_n(&slot->closed, 0, __ATOMIC_RELAXED);
    }
    __atomic_store_n((uintptr_t *)&slot->server.base.state, (uintptr_t)handle, __ATOMIC_RELEASE);
}

uintptr_t wshttpd_on_connect(WebSocketPlugin *plugin, wshttpd_slot *slot)
{
    return (uintptr_t)plugin->on_connect(&slot->server.base);
}

void wshttpd_on_message(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot, int type,
                        unsigned char *buffer, size_t size)
{
    plugin->on_message((void *)session, &slot->server.base, type, buffer, size);
}

/* The same for messages that came together, of which each has zeros behind it
 * in buffer. What the callbacks send is left for the caller, as records that
 * are good until the next call of the thread. Once the plugin has closed, the
 * rest is thrown away. */
wshttpd_gather *wshttpd_on_messages(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot,
                                    unsigned char *buffer, const wshttpd_message *messages, size_t count)
{
    static __thread wshttpd_gather gather;
    gather.used = 0;
    lock(slot);
    slot->gather = &gather;
    slot->lasts = 0;
    __atomic_store_n(&slot->caller, pthread_self(), __ATOMIC_RELAXED);
    unlock(slot);
    for (size_t i = 0; i < count && !__atomic_load_n(&slot->closed, __ATOMIC_RELAXED); i++)
        plugin->on_message((void *)session, &slot->server.base, messages[i].type, buffer + messages[i].offset,
                           messages[i].size);
    lock(slot);
    if (slot->gather == NULL)
        gather.used = 0; /* it has left */
    slot->gather = NULL;
    __atomic_store_n(&slot->caller, 0, __ATOMIC_RELAXED);
    unlock(slot);
    return &gather;
}

/* Copies what a callback that is under way has gathered, and ends the
 * gathering. What the callback sends next waits until wshttpd_taken. */
size_t wshttpd_take_gathered(wshttpd_slot *slot, unsigned char *records)
{
    size_t used = 0;
    lock(slot);
    slot->lasts = 1;
    if (slot->gather != NULL) {
        used = slot->gather->used;
        memcpy(records, slot->gather->records, used);
        slot->gather = NULL;
    }
    return used;
}

void wshttpd_taken(wshttpd_slot *slot) { unlock(slot); }

void wshttpd_on_disconnect(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot)
{
    plugin->on_disconnect((void *)session, &slot->server.base);
}

void wshttpd_on_timer(uintptr_t on_timer, uintptr_t session, wshttpd_slot *slot, uintptr_t argument)
{
    ((WS_OnTimer)on_timer)((void *)session, &slot->server.base, (void *)argument);
}

/* The fork's structure, or NULL of a plugin that has the original's. */
static const wshttpd_wide_plugin *wide(const WebSocketPlugin *plugin)
{
    return plugin->size >= sizeof(wshttpd_wide_plugin) ? (const wshttpd_wide_plugin *)plugin : NULL;
}

/* What the fork calls in post_config and child_init, before it accepts. */
void wshttpd_on_start(WebSocketPlugin *plugin, const char *user_config)
{
    const wshttpd_wide_plugin *w = wide(plugin);
    if (w != NULL && w->on_server_config != NULL)
        w->on_server_config(plugin, user_config);
    if (w != NULL && w->on_child_init != NULL)
        w->on_child_init(plugin, user_config);
}

int wshttpd_has_idle(const WebSocketPlugin *plugin)
{
    const wshttpd_wide_plugin *w = wide(plugin);
    return w != NULL && w->on_idle != NULL;
}

void wshttpd_on_idle(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot)
{
    wide(plugin)->on_idle((void *)session, &slot->server.base);
}

/* The server ends: the end of the child is that of the configuration too. */
void wshttpd_destroy(WebSocketPlugin *plugin)
{
    const wshttpd_wide_plugin *w = wide(plugin);
    if (w != NULL && w->on_child_destroy != NULL)
        w->on_child_destroy(plugin);
    if (plugin->destroy != NULL)
        plugin->destroy(plugin);
}

/* The signals whose handlers are the server's or the Go runtime's. */
static const int our_signals[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGUSR1, SIGPIPE,
    SIGTERM, SIGCHLD, SIGTTIN, SIGTTOU, SIGURG, SIGPROF, SIGWINCH, SIGSYS,
};
static struct sigaction noted[NSIG]; /* guarded by signals_mutex */
static pthread_mutex_t signals_mutex = PTHREAD_MUTEX_INITIALIZER;

void wshttpd_signals_note(void)
{
    pthread_mutex_lock(&signals_mutex);
    for (int s = 1; s < NSIG; s++)
        if (sigaction(s, NULL, &noted[s]) != 0)
            memset(&noted[s], 0, sizeof noted[s]);
    pthread_mutex_unlock(&signals_mutex);
}

static int is_ours(int s)
{
    for (size_t i = 0; i < sizeof our_signals / sizeof our_signals[0]; i++)
        if (our_signals[i] == s)
            return 1;
    return 0;
}

/* Puts the handling of one signal right; tells whether it had to. A handler of
 * a plugin's own gets SA_ONSTACK, without which it could run on a goroutine's
 * stack. */
static int mend(int s)
{
    struct sigaction now;
    if (sigaction(s, NULL, &now) != 0 || now.sa_handler == noted[s].sa_handler)
        return 0;
    if (is_ours(s))
        return sigaction(s, &noted[s], NULL) == 0;
    if (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN) {
        now.sa_flags |= SA_ONSTACK;
        if (sigaction(s, &now, NULL) != 0)
            return 0;
    }
    noted[s] = now;
    return 1;
}

/* Looks for handlers that are not what was noted. Returns how many were found,
 * and lists them as far as there is room. */
int wshttpd_signals_mend(int *changed, int room)
{
    int found = 0;
    pthread_mutex_lock(&signals_mutex);
    for (int s = 1; s < NSIG; s++) {
        if (!mend(s))
            continue;
        if (found < room)
            changed[found] = s;
        found++;
    }
    pthread_mutex_unlock(&signals_mutex);
    return found;
}

void wshttpd_exit(int code) { exit(code); }
void wshttpd_exit_now(int code) { _exit(code); }
