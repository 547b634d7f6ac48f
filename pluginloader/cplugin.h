/* The C side of the loader, for cgo. Every symbol is static or wshttpd_. */
#ifndef WSHTTPD_CPLUGIN_H
#define WSHTTPD_CPLUGIN_H

#include <stdint.h>

#include "websocket_plugin.h"

/* The structure a plugin gets: the original's 80 bytes, then the three fields
 * that one fork reads without looking at size. */
typedef struct {
    WebSocketServer base;
    unsigned int close_forced;
    unsigned int max_message_size;
    const char *remoteip;
} wshttpd_server;

void *wshttpd_open(const char *path, int global, char **error);
void *wshttpd_symbol(void *library, const char *name);
int wshttpd_defined(const char *name);
WebSocketPlugin *wshttpd_init_call(void *init);

wshttpd_server *wshttpd_servers_new(size_t count);
void wshttpd_server_set(wshttpd_server *servers, size_t index, uint64_t handle);

uintptr_t wshttpd_on_connect(WebSocketPlugin *plugin, wshttpd_server *servers, size_t index);
void wshttpd_on_message(WebSocketPlugin *plugin, uintptr_t session, wshttpd_server *servers, size_t index,
                        int type, unsigned char *buffer, size_t size);
void wshttpd_on_disconnect(WebSocketPlugin *plugin, uintptr_t session, wshttpd_server *servers, size_t index);
void wshttpd_destroy(WebSocketPlugin *plugin);

void wshttpd_signals_note(void);
int wshttpd_signals_mend(int *changed, int room);
void wshttpd_exit(int code);
void wshttpd_exit_now(int code);

#endif
