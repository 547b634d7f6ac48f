/* standin_module: the part of mod_websocket that plugins see, for Apache httpd
 * 2.4, so that a plugin in one and the same binary can be asked under httpd and
 * under wshttpd. Version 13 without TLS and without an origin check; written
 * from RFC 6455 and the interface of the plugins alone.
 *
 * A connection keeps its thread of httpd's from the handshake to the end: it
 * reads through the connection's input filters, and makes every callback. It
 * writes past the output filters, whose buckets are one thread's, to the
 * socket: so may any thread of the plugin, under the connection's mutex. */
#include "httpd.h"
#include "http_config.h"
#include "http_connection.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_ssl.h"
#include "apr_base64.h"
#include "apr_dso.h"
#include "apr_portable.h"
#include "apr_sha1.h"
#include "apr_strings.h"
#include "apr_thread_mutex.h"

#include <poll.h>
#include <sys/uio.h>

#include "websocket_plugin.h"

AP_DECLARE_MODULE(standin);

/* Opcodes (RFC 6455, section 5.2) and close codes (section 7.4.1). */
enum { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { NORMAL = 1000, PROTOCOL_ERROR = 1002, NOT_UTF8 = 1007, TOO_LARGE = 1009, NO_CODE = 0 };

enum { CONTROL_MOST = 125, DEFAULT_MOST = 32 << 20 };

/* What a section says. */
typedef struct {
    WebSocketPlugin *plugin; /* NULL: not set */
    apr_int64_t max_message; /* bytes; 0: not set */
} settings;

/* One connection. */
typedef struct _WebSocketState {
    request_rec *r;
    WebSocketPlugin *plugin;
    apr_size_t max_message;
    apr_array_header_t *offered; /* of const char *, the subprotocols */
    const char *protocol;        /* the one chosen; NULL: none */
    int answered;                /* on_connect has returned; atomic */

    apr_thread_mutex_t *writing; /* guards what follows, and the order of frames */
    int socket;
    int closed; /* a close frame has been sent, or the socket is broken */

    apr_bucket_brigade *in; /* empty between reads */
    unsigned char *message; /* from malloc: what has come of the present message */
    apr_size_t size, room;  /* of message */
    int type;               /* its opcode; CONTINUATION between messages */
} connection;

/* -------------------------------------------------------------- writing */

/* Writes all, and waits Timeout for room at most. writing is held. */
static int write_all(connection *c, struct iovec *parts, int count)
{
    int patience = (int)(c->r->server->timeout / 1000);
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    while (m.msg_iovlen > 0) {
        ssize_t n = sendmsg(c->socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            struct pollfd room = {.fd = c->socket, .events = POLLOUT};
            if (errno == EINTR || ((errno == EAGAIN || errno == EWOULDBLOCK) && poll(&room, 1, patience) > 0))
                continue;
            return 0;
        }
        while (m.msg_iovlen > 0 && (size_t)n >= m.msg_iov->iov_len) {
            n -= (ssize_t)m.msg_iov->iov_len;
            m.msg_iov++;
            m.msg_iovlen--;
        }
        if (m.msg_iovlen > 0) {
            m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + n;
            m.msg_iov->iov_len -= (size_t)n;
        }
    }
    return 1;
}

/* Puts the first bytes of an unmasked frame with FIN into head, in the shortest
 * form (RFC 6455, section 5.2), and returns how many they are. */
static size_t frame_head(unsigned char head[10], int opcode, apr_size_t size)
{
    int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    head[0] = (unsigned char)(0x80 | opcode);
    head[1] = bytes == 0 ? (unsigned char)size : bytes == 2 ? 126 : 127;
    for (int i = 0; i < bytes; i++)
        head[2 + i] = (unsigned char)(size >> 8 * (bytes - 1 - i));
    return 2 + (size_t)bytes;
}

/* Sends a frame, unless the connection is closed; a close frame closes it. */
static int write_frame(connection *c, int opcode, const unsigned char *payload, apr_size_t size)
{
    unsigned char head[10];
    struct iovec parts[] = {{head, frame_head(head, opcode, size)}, {(void *)payload, size}};
    int written = 0;
    apr_thread_mutex_lock(c->writing);
    if (!c->closed) {
        written = write_all(c, parts, size > 0 ? 2 : 1);
        c->closed = !written || opcode == CLOSE;
        if (!written)
            shutdown(c->socket, SHUT_RDWR); /* the reader finds out */
    }
    apr_thread_mutex_unlock(c->writing);
    return written;
}

static void write_close(connection *c, int code)
{
    unsigned char payload[] = {(unsigned char)(code >> 8), (unsigned char)code};
    write_frame(c, CLOSE, payload, sizeof payload);
}

/* -------------------------------------------------------------- reading */

/* Reads what is there, waiting for the first byte; 0 at the end. */
static apr_size_t read_some(connection *c, unsigned char *to, apr_size_t size)
{
    ap_filter_t *filters = c->r->connection->input_filters;
    apr_status_t status = ap_get_brigade(filters, c->in, AP_MODE_READBYTES, APR_BLOCK_READ, (apr_off_t)size);
    if (status == APR_SUCCESS)
        status = apr_brigade_flatten(c->in, (char *)to, &size);
    apr_brigade_cleanup(c->in);
    return status == APR_SUCCESS ? size : 0;
}

static int read_all(connection *c, unsigned char *to, apr_size_t size)
{
    while (size > 0) {
        apr_size_t n = read_some(c, to, size);
        if (n == 0)
            return 0;
        to += n;
        size -= n;
    }
    return 1;
}

/* A frame's first bytes (RFC 6455, section 5.2). */
typedef struct {
    int fin, reserved, opcode, masked;
    apr_uint64_t size;
    unsigned char key[4];
} frame;

static int is_control(const frame *f) { return (f->opcode & 8) != 0; }

static int read_head(connection *c, frame *f)
{
    unsigned char b[8];
    if (!read_all(c, b, 2))
        return 0;
    *f = (frame){.fin = b[0] >> 7, .reserved = b[0] & 0x70, .opcode = b[0] & 15, .masked = b[1] >> 7, .size = b[1] & 127};
    int bytes = f->size == 126 ? 2 : f->size == 127 ? 8 : 0;
    if (!read_all(c, b, (apr_size_t)bytes))
        return 0;
    for (int i = 0; i < bytes; i++)
        f->size = (i == 0 ? 0 : f->size << 8) | b[i];
    return !f->masked || read_all(c, f->key, sizeof f->key);
}

/* Says why a frame is a violation (RFC 6455, sections 5.1, 5.2, 5.4 and 5.5),
 * by the close code; NO_CODE if it is none. */
static int judge(const connection *c, const frame *f)
{
    int known = f->opcode <= BINARY || (f->opcode >= CLOSE && f->opcode <= PONG);
    if (f->reserved || !known || !f->masked)
        return PROTOCOL_ERROR;
    if (is_control(f))
        return f->fin && f->size <= CONTROL_MOST ? NO_CODE : PROTOCOL_ERROR;
    if ((f->opcode == CONTINUATION) != (c->type != CONTINUATION))
        return PROTOCOL_ERROR;
    return f->size > c->max_message - c->size ? TOO_LARGE : NO_CODE;
}

static int read_payload(connection *c, const frame *f, unsigned char *to)
{
    if (!read_all(c, to, (apr_size_t)f->size))
        return 0;
    for (apr_uint64_t i = 0; i < f->size; i++)
        to[i] ^= f->key[i & 3];
    return 1;
}

/* Makes room for more bytes of the message: what was announced, as its size has
 * been judged and the clients are our own tests. */
static unsigned char *more_room(connection *c, apr_uint64_t more)
{
    if (c->room - c->size < more) {
        c->room = c->size + (apr_size_t)more;
        c->message = realloc(c->message, c->room);
        if (c->message == NULL)
            abort();
    }
    return c->message + c->size;
}

/* Whether it is UTF-8 in its strict form (RFC 3629, section 4). */
static int is_utf8(const unsigned char *p, apr_size_t size)
{
    const unsigned char *end = p + size;
    while (p < end) {
        unsigned char b = *p++;
        int behind = b < 0x80 ? 0 : b < 0xc2 ? -1 : b < 0xe0 ? 1 : b < 0xf0 ? 2 : b < 0xf5 ? 3 : -1;
        if (behind < 0 || end - p < behind)
            return 0;
        if ((b == 0xe0 && *p < 0xa0) || (b == 0xed && *p > 0x9f) || (b == 0xf0 && *p < 0x90) || (b == 0xf4 && *p > 0x8f))
            return 0;
        for (; behind > 0; behind--)
            if ((*p++ & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

/* Hands a complete message to the plugin; one without bytes has no buffer. */
static int deliver(connection *c, void *session, const WebSocketServer *server)
{
    int type = c->type == TEXT ? MESSAGE_TYPE_TEXT : MESSAGE_TYPE_BINARY;
    if (c->type == TEXT && !is_utf8(c->message, c->size))
        return NOT_UTF8;
    c->plugin->on_message(session, server, type, c->size == 0 ? NULL : c->message, c->size);
    c->size = 0;
    c->type = CONTINUATION;
    return NO_CODE;
}

/* The code that answers a close frame: like the original, 1000 whatever the
 * client's is (RFC 6455, section 5.5.1), unless it is none that may be sent. */
static int answer_close(const unsigned char *payload, apr_uint64_t size)
{
    if (size == 0)
        return NORMAL;
    int code = size == 1 ? 0 : payload[0] << 8 | payload[1];
    int good = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1013) || (code >= 3000 && code <= 4999);
    if (!good)
        return PROTOCOL_ERROR;
    return is_utf8(payload + 2, (apr_size_t)size - 2) ? NORMAL : NOT_UTF8;
}

/* Deals with a control frame. Returns the code to close with, or NO_CODE. */
static int control(connection *c, const frame *f)
{
    unsigned char payload[CONTROL_MOST];
    if (!read_payload(c, f, payload))
        return NORMAL;
    if (f->opcode == CLOSE)
        return answer_close(payload, f->size);
    if (f->opcode == PING)
        write_frame(c, PONG, payload, (apr_size_t)f->size);
    return NO_CODE;
}

/* Reads frames until the connection is over, and returns the code with which to
 * close it: 1000 at the end of what the client sends. A plugin that has closed
 * still gets the messages that come before the client's close frame. */
static int serve_frames(connection *c, void *session, const WebSocketServer *server)
{
    for (;;) {
        frame f;
        if (!read_head(c, &f))
            return NORMAL;
        int code = judge(c, &f);
        if (code == NO_CODE && is_control(&f))
            code = control(c, &f);
        else if (code == NO_CODE) {
            if (!read_payload(c, &f, more_room(c, f.size)))
                return NORMAL;
            c->size += (apr_size_t)f.size;
            c->type = f.opcode == CONTINUATION ? c->type : f.opcode;
            if (f.fin)
                code = deliver(c, session, server);
        }
        if (code != NO_CODE)
            return code;
    }
}

/* ------------------------------------------- the functions of the server */

static int is_answered(const WebSocketServer *server) { return __atomic_load_n(&server->state->answered, __ATOMIC_ACQUIRE); }

static request_rec *CALLBACK server_request(const WebSocketServer *server)
{
    return server == NULL ? NULL : server->state->r;
}

static const char *CALLBACK server_header_get(const WebSocketServer *server, const char *key)
{
    return server == NULL || key == NULL ? NULL : apr_table_get(server->state->r->headers_in, key);
}

static void CALLBACK server_header_set(const WebSocketServer *server, const char *key, const char *value)
{
    if (server != NULL && key != NULL && value != NULL && !is_answered(server))
        apr_table_set(server->state->r->headers_out, key, value);
}

static size_t CALLBACK server_protocol_count(const WebSocketServer *server)
{
    return server == NULL ? 0 : (size_t)server->state->offered->nelts;
}

static const char *CALLBACK server_protocol_index(const WebSocketServer *server, const size_t index)
{
    return index < server_protocol_count(server) ? APR_ARRAY_IDX(server->state->offered, index, const char *) : NULL;
}

static void CALLBACK server_protocol_set(const WebSocketServer *server, const char *protocol)
{
    if (server != NULL && protocol != NULL && !is_answered(server))
        server->state->protocol = apr_pstrdup(server->state->r->pool, protocol);
}

static size_t CALLBACK server_send(const WebSocketServer *server, const int type, const unsigned char *buffer, const size_t size)
{
    static const struct {
        int type, opcode;
    } known[] = {{MESSAGE_TYPE_TEXT, TEXT}, {MESSAGE_TYPE_BINARY, BINARY}, {MESSAGE_TYPE_PING, PING}, {MESSAGE_TYPE_PONG, PONG}};
    int opcode = CLOSE;
    if (server == NULL)
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].type == type)
            opcode = known[i].opcode;
    return write_frame(server->state, opcode, buffer, buffer == NULL ? 0 : size) ? size : 0;
}

static void CALLBACK server_close(const WebSocketServer *server)
{
    server_send(server, MESSAGE_TYPE_CLOSE, NULL, 0);
}

/* ------------------------------------------------------------- handshake */

/* The subprotocols that the client offers; the first is chosen, until the
 * plugin chooses another. */
static void read_offer(connection *c)
{
    const char *list = apr_table_get(c->r->headers_in, "Sec-WebSocket-Protocol");
    c->offered = apr_array_make(c->r->pool, 4, sizeof(const char *));
    while (list != NULL && *list != '\0') {
        char *name = ap_getword(c->r->pool, &list, ',');
        apr_collapse_spaces(name, name);
        if (*name != '\0')
            APR_ARRAY_PUSH(c->offered, const char *) = name;
    }
    c->protocol = c->offered->nelts > 0 ? APR_ARRAY_IDX(c->offered, 0, const char *) : NULL;
}

/* Sec-WebSocket-Accept (RFC 6455, section 4.2.2, item 5.4). */
static const char *accept_key(apr_pool_t *pool, const char *key)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t sha1;
    char *text = apr_pcalloc(pool, (apr_size_t)apr_base64_encode_len(sizeof digest));
    apr_sha1_init(&sha1);
    apr_sha1_update(&sha1, key, (unsigned)strlen(key));
    apr_sha1_update(&sha1, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    apr_sha1_final(digest, &sha1);
    apr_base64_encode_binary(text, digest, sizeof digest);
    return text;
}

/* The 101 with what the plugin has set (RFC 6455, section 4.2.2, item 5). */
static char *make_answer(connection *c)
{
    apr_pool_t *pool = c->r->pool;
    const apr_array_header_t *fields = apr_table_elts(c->r->headers_out);
    const char *key = accept_key(pool, apr_table_get(c->r->headers_in, "Sec-WebSocket-Key"));
    char *text = apr_pstrcat(pool, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: ", key, "\r\n", NULL);
    if (c->protocol != NULL)
        text = apr_pstrcat(pool, text, "Sec-WebSocket-Protocol: ", c->protocol, "\r\n", NULL);
    for (int i = 0; i < fields->nelts; i++) {
        apr_table_entry_t *field = &APR_ARRAY_IDX(fields, i, apr_table_entry_t);
        text = apr_pstrcat(pool, text, field->key, ": ", field->val, "\r\n", NULL);
    }
    return apr_pstrcat(pool, text, "\r\n", NULL);
}

/* Asks the plugin and answers. The mutex is held meanwhile, so that what other
 * threads send follows the answer; the plugin's own thread must not send in
 * on_connect, as the original's manual says. */
static int open_connection(connection *c, const WebSocketServer *server, void **session)
{
    apr_thread_mutex_lock(c->writing);
    *session = c->plugin->on_connect == NULL ? NULL : c->plugin->on_connect(server);
    int accepted = *session != NULL || c->plugin->on_connect == NULL;
    __atomic_store_n(&c->answered, 1, __ATOMIC_RELEASE);
    if (accepted) {
        char *answer = make_answer(c);
        c->r->status = HTTP_SWITCHING_PROTOCOLS;
        c->closed = !write_all(c, &(struct iovec){answer, strlen(answer)}, 1);
    } else
        c->closed = 1;
    apr_thread_mutex_unlock(c->writing);
    return accepted;
}

/* A 403 without a body, and without what the plugin has set. */
static int refuse(request_rec *r)
{
    apr_table_clear(r->headers_out);
    r->status = HTTP_FORBIDDEN;
    r->connection->keepalive = AP_CONN_CLOSE;
    return OK;
}

/* Serves a connection to its end, and leaves httpd nothing to write. */
static int serve(connection *c, const WebSocketServer *server)
{
    request_rec *r = c->r;
    void *session;
    if (!open_connection(c, server, &session))
        return refuse(r);
    write_close(c, serve_frames(c, session, server));
    if (c->plugin->on_disconnect != NULL)
        c->plugin->on_disconnect(session, server);
    free(c->message);
    r->connection->keepalive = AP_CONN_CLOSE;
    r->output_filters = r->proto_output_filters = r->connection->output_filters;
    return OK;
}

static int is_upgrade(const request_rec *r)
{
    const char *upgrade = apr_table_get(r->headers_in, "Upgrade");
    return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0 &&
           ap_find_token(r->pool, apr_table_get(r->headers_in, "Connection"), "upgrade");
}

/* Whether the request is a good handshake (RFC 6455, section 4.2.1). */
static int is_good(const request_rec *r)
{
    const char *key = apr_table_get(r->headers_in, "Sec-WebSocket-Key");
    const char *version = apr_table_get(r->headers_in, "Sec-WebSocket-Version");
    return r->method_number == M_GET && !r->header_only && r->proto_num >= HTTP_VERSION(1, 1) && r->hostname != NULL &&
           key != NULL && strlen(key) == 24 && version != NULL && strcmp(version, "13") == 0 &&
           !ap_ssl_conn_is_ssl(r->connection);
}

static int handle(request_rec *r)
{
    const settings *s = ap_get_module_config(r->per_dir_config, &standin_module);
    if (r->handler == NULL || strcasecmp(r->handler, "websocket-handler") != 0 || !is_upgrade(r))
        return DECLINED;
    if (!is_good(r)) {
        apr_table_setn(r->err_headers_out, "Sec-WebSocket-Version", "13");
        return HTTP_BAD_REQUEST;
    }
    if (s->plugin == NULL) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "no plugin for %s", r->uri);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    connection *c = apr_pcalloc(r->pool, sizeof *c);
    WebSocketServer *server = apr_pmemdup(r->pool, &(WebSocketServer){
        sizeof *server, WEBSOCKET_SERVER_VERSION_1, c, server_request, server_header_get, server_header_set, server_protocol_count,
        server_protocol_index, server_protocol_set, server_send, server_close}, sizeof *server);
    apr_socket_t *socket = ap_get_conn_socket(r->connection);
    c->r = r;
    c->plugin = s->plugin;
    c->max_message = s->max_message > 0 ? (apr_size_t)s->max_message : DEFAULT_MOST;
    c->in = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    if (apr_thread_mutex_create(&c->writing, APR_THREAD_MUTEX_DEFAULT, r->pool) != APR_SUCCESS ||
        apr_os_sock_get(&c->socket, socket) != APR_SUCCESS)
        return HTTP_INTERNAL_SERVER_ERROR;
    read_offer(c);
    apr_socket_timeout_set(socket, -1); /* of reading: a client may be silent */
    int result = serve(c, server);
    apr_socket_timeout_set(socket, r->server->timeout);
    return result;
}

/* --------------------------------------------------------- configuration */

/* Like the original's, the record of a section replaces that of an outer one:
 * there is no function that merges. */
static void *create(apr_pool_t *p, char *path)
{
    (void)path;
    return apr_pcalloc(p, sizeof(settings));
}

/* Tells the plugin that the configuration ends. */
static apr_status_t destroy(void *data)
{
    settings *s = data;
    if (s->plugin->destroy != NULL)
        s->plugin->destroy(s->plugin);
    return APR_SUCCESS;
}

/* WebSocketHandler FILE INIT. apr_dso_load opens for all (RTLD_NOW and
 * RTLD_GLOBAL); destroy runs before it closes, as cleanups run backwards. A
 * second line of a section replaces the first, whose destroy never runs. */
static const char *set_plugin(cmd_parms *cmd, void *record, const char *file, const char *init)
{
    settings *s = record;
    apr_dso_handle_t *library;
    apr_dso_handle_sym_t function;
    if (apr_dso_load(&library, ap_server_root_relative(cmd->pool, file), cmd->pool) != APR_SUCCESS)
        return "Could not open WebSocket handler module";
    if (apr_dso_sym(&function, library, init) != APR_SUCCESS)
        return "Could not find initialization function in module";
    WebSocketPlugin *plugin = ((WS_Init)function)();
    if (plugin == NULL || plugin->version != WEBSOCKET_PLUGIN_VERSION_0 || plugin->size < sizeof *plugin || plugin->on_message == NULL)
        return "Invalid response from initialization function";
    if (s->plugin != NULL)
        apr_pool_cleanup_kill(cmd->pool, s, destroy);
    s->plugin = plugin;
    apr_pool_cleanup_register(cmd->pool, s, destroy, apr_pool_cleanup_null);
    return NULL;
}

static const char *set_max_message(cmd_parms *cmd, void *record, const char *text)
{
    char *end;
    apr_int64_t size = apr_strtoi64(text, &end, 10);
    (void)cmd;
    if (*end != '\0' || size < 1 || size > INT32_MAX)
        return "Invalid maximum message size";
    ((settings *)record)->max_message = size;
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE2("WebSocketHandler", set_plugin, NULL, OR_AUTHCFG, "a library and its function"),
    AP_INIT_TAKE1("MaxMessageSize", set_max_message, NULL, OR_AUTHCFG, "the most bytes of a message"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

static void hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA standin_module = {STANDARD20_MODULE_STUFF, create, NULL, NULL, NULL, commands, hooks, 0};
