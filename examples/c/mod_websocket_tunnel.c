/*
 * Tunnel carries a WebSocket's messages to a TCP server and back: a plugin that
 * is an httpd module too, with six directives of its own and records of them for
 * each Location. It is written against httpd's and APR's own headers
 * (apache2-dev), and the same binary runs under Apache's mod_websocket.
 *
 *   LoadModule tunnel_module modules/mod_websocket_tunnel.so
 *   <Location /tunnel>
 *       SetHandler websocket-handler
 *       WebSocketHandler modules/mod_websocket_tunnel.so tunnel_init
 *       Tunnel On
 *       TunnelHost 127.0.0.1
 *       TunnelPort 5900
 *   </Location>
 */
#include "httpd.h"
#include "http_config.h"
#include "http_log.h"
#include "apr_network_io.h"
#include "apr_strings.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

module AP_MODULE_DECLARE_DATA tunnel_module;
APLOG_USE_MODULE(tunnel);

typedef struct {
    int is_on, port, timeout; /* -1: not set */
    const char *host, *greeting, *protocol;
} settings;

static void *create_settings(apr_pool_t *p, char *path)
{
    settings *s = apr_pcalloc(p, sizeof *s);
    s->is_on = s->port = s->timeout = -1;
    (void)path;
    return s;
}

static void *merge_settings(apr_pool_t *p, void *base, void *over)
{
    settings *b = base, *o = over, *s = apr_pmemdup(p, o, sizeof *o);
    s->is_on = o->is_on == -1 ? b->is_on : o->is_on;
    s->port = o->port == -1 ? b->port : o->port;
    s->timeout = o->timeout == -1 ? b->timeout : o->timeout;
    s->host = o->host == NULL ? b->host : o->host;
    s->greeting = o->greeting == NULL ? b->greeting : o->greeting;
    s->protocol = o->protocol == NULL ? b->protocol : o->protocol;
    return s;
}

static const char *set_port(cmd_parms *cmd, void *to, const char *text)
{
    char *end;
    apr_int64_t port = apr_strtoi64(text, &end, 10);
    if (*end != '\0' || port < 1 || port > 65535)
        return apr_psprintf(cmd->pool, "%s: %s is no port", cmd->cmd->name, text);
    ((settings *)to)->port = (int)port;
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_FLAG("Tunnel", ap_set_flag_slot, (void *)APR_OFFSETOF(settings, is_on), OR_AUTHCFG, "whether there is a tunnel"),
    AP_INIT_TAKE1("TunnelHost", ap_set_string_slot, (void *)APR_OFFSETOF(settings, host), OR_AUTHCFG, "its address"),
    AP_INIT_TAKE1("TunnelPort", set_port, NULL, OR_AUTHCFG, "its port"),
    AP_INIT_TAKE1("TunnelTimeout", ap_set_int_slot, (void *)APR_OFFSETOF(settings, timeout), OR_AUTHCFG, "seconds to connect"),
    AP_INIT_TAKE1("TunnelProtocol", ap_set_string_slot, (void *)APR_OFFSETOF(settings, protocol), OR_AUTHCFG, "the subprotocol"),
    AP_INIT_RAW_ARGS("TunnelGreeting", ap_set_string_slot, (void *)APR_OFFSETOF(settings, greeting), OR_AUTHCFG, "what is sent first"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

module AP_MODULE_DECLARE_DATA tunnel_module = {STANDARD20_MODULE_STUFF, create_settings, merge_settings, NULL, NULL, commands, NULL, 0};

typedef struct {
    const WebSocketServer *server;
    apr_pool_t *pool; /* of the thread */
    apr_socket_t *socket;
    apr_thread_t *thread;
} session;

static void *APR_THREAD_FUNC read_all(apr_thread_t *thread, void *data)
{
    session *s = data;
    char buffer[4096];
    apr_size_t size = sizeof buffer;
    while (apr_socket_recv(s->socket, buffer, &size) == APR_SUCCESS && size > 0) {
        s->server->send(s->server, MESSAGE_TYPE_BINARY, (unsigned char *)buffer, size);
        size = sizeof buffer;
    }
    s->server->close(s->server);
    apr_thread_exit(thread, APR_SUCCESS);
    return NULL;
}

static apr_status_t open_socket(session *s, const settings *to)
{
    apr_sockaddr_t *address;
    apr_status_t status = apr_sockaddr_info_get(&address, to->host, APR_UNSPEC, (apr_port_t)to->port, 0, s->pool);
    if (status == APR_SUCCESS)
        status = apr_socket_create(&s->socket, address->family, SOCK_STREAM, APR_PROTO_TCP, s->pool);
    if (status != APR_SUCCESS)
        return status;
    apr_socket_timeout_set(s->socket, to->timeout * (apr_interval_time_t)APR_USEC_PER_SEC);
    status = apr_socket_connect(s->socket, address);
    apr_socket_timeout_set(s->socket, -1);
    return status;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    settings *to = r == NULL ? NULL : ap_get_module_config(r->per_dir_config, &tunnel_module);
    if (to == NULL || to->is_on != 1 || to->host == NULL)
        return NULL;
    session *s = apr_pcalloc(r->pool, sizeof *s);
    s->server = server;
    apr_pool_create(&s->pool, r->pool);
    apr_status_t status = open_socket(s, to);
    if (status != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, status, r, "no tunnel to %s:%d", to->host, to->port);
        return NULL;
    }
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "tunnel to %s:%d for %s", to->host, to->port, r->useragent_ip);
    if (to->protocol != NULL)
        server->protocol_set(server, to->protocol);
    if (to->greeting != NULL) {
        apr_size_t size = strlen(to->greeting);
        apr_socket_send(s->socket, to->greeting, &size);
    }
    return apr_thread_create(&s->thread, NULL, read_all, s, s->pool) == APR_SUCCESS ? s : NULL;
}

static size_t CALLBACK on_message(void *private, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    apr_size_t sent = size;
    (void)server;
    (void)type;
    apr_socket_send(((session *)private)->socket, (char *)buffer, &sent);
    return sent;
}

static void CALLBACK on_disconnect(void *private, const WebSocketServer *server)
{
    session *s = private;
    apr_status_t status;
    (void)server;
    apr_socket_shutdown(s->socket, APR_SHUTDOWN_READWRITE);
    apr_thread_join(&status, s->thread);
    apr_socket_close(s->socket);
    apr_pool_destroy(s->pool);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK tunnel_init(void) { return &plugin; }
