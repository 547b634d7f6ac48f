/* A client of a TCP server in two ways that are in the field. The query is the
 * server's port, and "&asks" for the second:
 *   - a thread sits in a blocking recv, and on_disconnect joins it without
 *     waking it: the other server has to end first;
 *   - on_message waits for the other server's answer. */
#include "httpd.h"
#include "http_log.h"
#include "apr_network_io.h"
#include "apr_strings.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    request_rec *r;
    apr_socket_t *socket;
    apr_thread_t *reader; /* NULL: on_message waits */
} session;

/* Sends the client what comes next; returns whether anything has come. */
static int pass_on(session *s)
{
    char buffer[512];
    apr_size_t size = sizeof buffer;
    apr_status_t status = apr_socket_recv(s->socket, buffer, &size);
    if (status != APR_SUCCESS || size == 0)
        return 0;
    s->server->send(s->server, MESSAGE_TYPE_TEXT, (unsigned char *)buffer, size);
    return 1;
}

static void *APR_THREAD_FUNC read_all(apr_thread_t *thread, void *data)
{
    while (pass_on(data))
        ;
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    session *s = apr_pcalloc(r->pool, sizeof *s);
    apr_sockaddr_t *address;
    char *end;
    apr_port_t port = (apr_port_t)strtol(r->args, &end, 10);
    s->server = server;
    s->r = r;
    if (apr_sockaddr_info_get(&address, "127.0.0.1", APR_INET, port, 0, r->pool) != APR_SUCCESS ||
        apr_socket_create(&s->socket, APR_INET, SOCK_STREAM, APR_PROTO_TCP, r->pool) != APR_SUCCESS ||
        apr_socket_connect(s->socket, address) != APR_SUCCESS)
        return NULL;
    if (strcmp(end, "&asks") != 0 && apr_thread_create(&s->reader, NULL, read_all, s, r->pool) != APR_SUCCESS)
        return NULL;
    return s;
}

static size_t CALLBACK on_message(void *private, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    session *s = private;
    apr_size_t sent = size;
    (void)server;
    (void)type;
    apr_socket_send(s->socket, (char *)buffer, &sent);
    if (s->reader == NULL && !pass_on(s))
        s->server->close(s->server);
    return sent;
}

static void CALLBACK on_disconnect(void *private, const WebSocketServer *server)
{
    session *s = private;
    apr_status_t status;
    (void)server;
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, s->r, "broker: on_disconnect");
    if (s->reader != NULL)
        apr_thread_join(&status, s->reader);
    apr_socket_close(s->socket);
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, s->r, "broker: the end");
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK broker_init(void) { return &plugin; }
