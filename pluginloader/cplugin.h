/* The C side of the loader, for cgo. Every symbol is static or wshttpd_. */
#ifndef WSHTTPD_CPLUGIN_H
#define WSHTTPD_CPLUGIN_H

#include <pthread.h>
#include <stdint.h>

#include "websocket_plugin.h"

/* What one fork's init functions return (Siriuscoder's, websocket_plugin.h):
 * the original's structure and four more callbacks, told by size. The text is
 * that of the fork's directive UserConfig. */
typedef struct {
    WebSocketPlugin base;
    void (*on_server_config)(WebSocketPlugin *plugin, const char *user_config);
    void (*on_child_init)(WebSocketPlugin *plugin, const char *user_config);
    void (*on_child_destroy)(WebSocketPlugin *plugin);
    void (*on_idle)(void *session, const WebSocketServer *server);
} wshttpd_wide_plugin;

/* Room for an address without its port: IPv6 with a zone. */
#define WSHTTPD_ADDRESS_SIZE 64

/* Messages that a callback has sent and that have not left C yet: records of a
 * type and a size, 32 bits each, and the payload, filled up to 8 bytes. */
typedef struct {
    size_t used;
    unsigned char records[64 << 10];
} wshttpd_gather;

/* The largest message that is gathered, in bytes. */
#define WSHTTPD_GATHERED 2048

/* What a handle stands for; plugins know nothing of what is behind server. */
typedef struct {
    WebSocketServerExtended server;
    char address[WSHTTPD_ADDRESS_SIZE]; /* what remoteip points to */
    char busy;                          /* a lock on gather; atomic */
    pthread_t caller;                   /* the thread whose callback gathers, else 0; atomic */
    char lasts;                         /* the callback does: nothing is gathered any more */
    char closed;                        /* the plugin has closed; atomic */
    wshttpd_gather *gather;             /* the caller's, while it may gather */
} wshttpd_slot;

/* Ways to open a library. */
enum {
    WSHTTPD_LOCAL,   /* for itself alone */
    WSHTTPD_GLOBAL,  /* for all that are opened later */
    WSHTTPD_PROMOTE, /* from local to global; it is open already */
};

void *wshttpd_open(const char *path, int way, char **error);
void *wshttpd_symbol(void *library, const char *name);
void *wshttpd_defined(const char *name);
char *wshttpd_file_of(uintptr_t address);
char *wshttpd_path_of(void *library);
WebSocketPlugin *wshttpd_init_call(void *init, const char *user_config);

wshttpd_slot *wshttpd_slots_new(size_t count);
void wshttpd_slot_set(wshttpd_slot *slot, uint64_t handle, const char *address, size_t length);

uintptr_t wshttpd_on_connect(WebSocketPlugin *plugin, wshttpd_slot *slot);
void wshttpd_on_message(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot, int type,
                        unsigned char *buffer, size_t size);

/* A message of many: where it begins in their buffer. */
typedef struct {
    size_t offset;
    size_t size;
    int type;
} wshttpd_message;

wshttpd_gather *wshttpd_on_messages(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot,
                                    unsigned char *buffer, const wshttpd_message *messages, size_t count);
size_t wshttpd_take_gathered(wshttpd_slot *slot, unsigned char *records);
void wshttpd_taken(wshttpd_slot *slot);
void wshttpd_on_disconnect(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot);
void wshttpd_on_timer(uintptr_t on_timer, uintptr_t session, wshttpd_slot *slot, uintptr_t argument);
void wshttpd_on_start(WebSocketPlugin *plugin, const char *user_config);
int wshttpd_has_idle(const WebSocketPlugin *plugin);
void wshttpd_on_idle(WebSocketPlugin *plugin, uintptr_t session, wshttpd_slot *slot);
void wshttpd_destroy(WebSocketPlugin *plugin);

void wshttpd_signals_note(void);
int wshttpd_signals_mend(int *changed, int room);
void wshttpd_exit(int code);
void wshttpd_exit_now(int code);

#endif
