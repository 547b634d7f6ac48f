/*
 * websocket_plugin.h - the interface between a WebSocket server and plugins
 * written in C, as apache-websocket defines it: numbers, names and the layout
 * of both structures are the same, so that a plugin compiled with either
 * header loads in either server.
 *
 * A plugin is a shared object with an init function, named by the second
 * argument of the WebSocketHandler directive:
 *
 *     static size_t CALLBACK on_message(void *session, const WebSocketServer *server,
 *                                       const int type, unsigned char *buffer, const size_t size)
 *     {
 *         return server->send(server, type, buffer, size);
 *     }
 *
 *     static WebSocketPlugin plugin = {
 *         sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL
 *     };
 *
 *     EXPORT WebSocketPlugin * CALLBACK echo_init(void) { return &plugin; }
 *
 * Threads. Of one connection never two callbacks run at once; of several
 * connections they do. A callback may block: it delays its own connection
 * only. Every function of the server may be called from any thread.
 */
#ifndef WEBSOCKET_PLUGIN_H
#define WEBSOCKET_PLUGIN_H

#include <stddef.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#define CALLBACK __stdcall
#else
#define EXPORT __attribute__((visibility("default")))
#define CALLBACK
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/* Types of messages. on_message gets TEXT and BINARY only. */
#define MESSAGE_TYPE_INVALID -1
#define MESSAGE_TYPE_TEXT 0
#define MESSAGE_TYPE_BINARY 128
#define MESSAGE_TYPE_CLOSE 255
#define MESSAGE_TYPE_PING 256
#define MESSAGE_TYPE_PONG 257

#define WEBSOCKET_SERVER_VERSION_1 1
#define WEBSOCKET_PLUGIN_VERSION_0 0

struct request_rec;
struct _WebSocketServer;

/*
 * The functions of the server. Strings that they return stay good until
 * on_disconnect has returned. After that every function does nothing and
 * returns 0 or NULL.
 */
/* httpd's request_rec of the handshake, in httpd 2.4's layout and in a pool of
 * its own; its headers_out is what header_set writes. NULL where libapr is not
 * installed. */
typedef struct request_rec *(CALLBACK *WS_Request)(const struct _WebSocketServer *server);

/* A request header, its name in any case, several lines joined by ", ". NULL: not there. */
typedef const char *(CALLBACK *WS_HeaderGet)(const struct _WebSocketServer *server, const char *key);

/* Sets a header of the answer; in on_connect only. The strings are copied. */
typedef void (CALLBACK *WS_HeaderSet)(const struct _WebSocketServer *server, const char *key, const char *value);

/* The subprotocols that the client offers, in its order. NULL past the end. */
typedef size_t (CALLBACK *WS_ProtocolCount)(const struct _WebSocketServer *server);
typedef const char *(CALLBACK *WS_ProtocolIndex)(const struct _WebSocketServer *server, const size_t index);

/* Chooses the subprotocol; in on_connect only. Without it, it is the first one offered. */
typedef void (CALLBACK *WS_ProtocolSet)(const struct _WebSocketServer *server, const char *protocol);

/*
 * Sends one message and returns size once all of it is accepted for writing,
 * else 0. MESSAGE_TYPE_CLOSE, and any number that is not listed above, closes.
 * Ping and pong carry at most 125 bytes. The buffer is the caller's again when
 * send returns. It blocks while more than 1 MiB waits to be written.
 */
typedef size_t (CALLBACK *WS_Send)(const struct _WebSocketServer *server, const int type,
                                   const unsigned char *buffer, const size_t buffer_size);

/* Closes the connection, without a code. */
typedef void (CALLBACK *WS_Close)(const struct _WebSocketServer *server);

/* What a plugin gets. size is at least 80; what is new stands behind close (WebSocketServerExtended). */
typedef struct _WebSocketServer {
    unsigned int size;
    unsigned int version; /* WEBSOCKET_SERVER_VERSION_1 */
    struct _WebSocketState *state;
    WS_Request request;
    WS_HeaderGet header_get;
    WS_HeaderSet header_set;
    WS_ProtocolCount protocol_count;
    WS_ProtocolIndex protocol_index;
    WS_ProtocolSet protocol_set;
    WS_Send send;
    WS_Close close;
} WebSocketServer;

/*
 * What wshttpd has beyond the interface, for plugins that ask for it by
 * websocket_extended. version stays 1: size alone tells that it is there. All
 * of it may be called from any thread, and does nothing, and returns 0, once
 * on_disconnect has returned.
 */

/*
 * Sends one message to all connections that the plugin has by the same
 * WebSocketHandler line and has accepted: those of a Location in this process,
 * this one included until its end. It never waits: a connection for which more than 1 MiB waits to be
 * written is left out. TEXT, BINARY, PING and PONG only. Returns how many
 * connections have taken it.
 */
typedef size_t (CALLBACK *WS_Broadcast)(const struct _WebSocketServer *server, const int type,
                                        const unsigned char *buffer, const size_t buffer_size);

/* How many bytes wait to be written to the client: frames that its socket has not taken. */
typedef size_t (CALLBACK *WS_Pending)(const struct _WebSocketServer *server);

/*
 * Calls on_timer once, after so many milliseconds at least, on another thread
 * and perhaps while another callback of the connection runs: what they share
 * needs a lock. It does not run before on_connect has accepted, nor once
 * on_disconnect has begun, which waits for one that runs; timers that are due
 * later are dropped. on_timer may set the next one. Returns 1, or 0 where
 * there will be no call.
 */
typedef void (CALLBACK *WS_OnTimer)(void *plugin_private, const struct _WebSocketServer *server, void *argument);
typedef int (CALLBACK *WS_Timer)(const struct _WebSocketServer *server, const unsigned int milliseconds,
                                 WS_OnTimer on_timer, void *argument);

typedef struct _WebSocketServerExtended {
    WebSocketServer base;
    unsigned int close_forced;     /* one fork's, like the next two; 0 here */
    unsigned int max_message_size; /* 0 here */
    const char *remoteip;          /* the client's address without its port */
    WS_Broadcast broadcast;
    WS_Pending pending;
    WS_Timer timer;
} WebSocketServerExtended;

/* The same structure with what wshttpd adds, or NULL under a server without it. */
static __inline const WebSocketServerExtended *websocket_extended(const WebSocketServer *server)
{
    return server->size >= sizeof(WebSocketServerExtended) ? (const WebSocketServerExtended *)server : NULL;
}

struct _WebSocketPlugin;

typedef struct _WebSocketPlugin *(CALLBACK *WS_Init)(void);

/* The server ends. Called once for each section that has the plugin. */
typedef void (CALLBACK *WS_Destroy)(struct _WebSocketPlugin *plugin);

/* A client connects. What is returned is handed to the other callbacks; NULL declines (403). */
typedef void *(CALLBACK *WS_OnConnect)(const WebSocketServer *server);

/*
 * A complete message has come. The buffer may be changed, and is gone when the
 * callback returns; it is never NULL, and 64 zero bytes at least stand behind
 * it. What is returned is ignored.
 */
typedef size_t (CALLBACK *WS_OnMessage)(void *plugin_private, const WebSocketServer *server, const int type,
                                        unsigned char *buffer, const size_t buffer_size);

/* The connection is over: exactly once for each that on_connect has accepted. */
typedef void (CALLBACK *WS_OnDisconnect)(void *plugin_private, const WebSocketServer *server);

/* What init returns. Only on_message must be there. */
typedef struct _WebSocketPlugin {
    unsigned int size;    /* sizeof(WebSocketPlugin) */
    unsigned int version; /* WEBSOCKET_PLUGIN_VERSION_0 */
    WS_Destroy destroy;
    WS_OnConnect on_connect;
    WS_OnMessage on_message;
    WS_OnDisconnect on_disconnect;
} WebSocketPlugin;

#if defined(__cplusplus)
}
#endif

#endif
