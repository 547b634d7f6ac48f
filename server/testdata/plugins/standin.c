/* A module for Apache httpd that calls a plugin as mod_websocket does, but for
 * the frames: WebSocketHandler FILE INIT, and a GET at websocket-handler has
 * on_connect, one on_message and on_disconnect. What the plugin sends is the
 * body of the answer, what it sets the header. */
#include "httpd.h"
#include "http_config.h"
#include "http_protocol.h"
#include "apr_dso.h"

#include "websocket_plugin.h"

module AP_MODULE_DECLARE_DATA standin_module;

static request_rec *of(const WebSocketServer *server) { return (request_rec *)server->state; }

static request_rec *CALLBACK get_request(const WebSocketServer *server) { return of(server); }

static const char *CALLBACK header_get(const WebSocketServer *server, const char *key)
{
    return apr_table_get(of(server)->headers_in, key);
}

static void CALLBACK header_set(const WebSocketServer *server, const char *key, const char *value)
{
    apr_table_set(of(server)->headers_out, key, value);
}

static size_t CALLBACK protocol_count(const WebSocketServer *server)
{
    (void)server;
    return 0;
}

static const char *CALLBACK protocol_index(const WebSocketServer *server, const size_t index)
{
    (void)server;
    (void)index;
    return NULL;
}

static void CALLBACK protocol_set(const WebSocketServer *server, const char *protocol)
{
    (void)server;
    (void)protocol;
}

static size_t CALLBACK send_body(const WebSocketServer *server, const int type, const unsigned char *buffer, const size_t size)
{
    (void)type;
    return (size_t)ap_rwrite(buffer, (int)size, of(server));
}

static void CALLBACK close_nothing(const WebSocketServer *server) { (void)server; }

static int handle(request_rec *r)
{
    WebSocketServer server = {sizeof server, WEBSOCKET_SERVER_VERSION_1, (struct _WebSocketState *)r, get_request, header_get,
                              header_set, protocol_count, protocol_index, protocol_set, send_body, close_nothing};
    WebSocketPlugin **plugin = ap_get_module_config(r->per_dir_config, &standin_module);
    unsigned char message[] = "?";
    if (r->handler == NULL || strcmp(r->handler, "websocket-handler") != 0 || *plugin == NULL)
        return DECLINED;
    void *session = (*plugin)->on_connect(&server);
    if (session == NULL)
        return HTTP_FORBIDDEN;
    ap_set_content_type(r, "text/plain");
    (*plugin)->on_message(session, &server, MESSAGE_TYPE_TEXT, message, 1);
    if ((*plugin)->on_disconnect != NULL)
        (*plugin)->on_disconnect(session, &server);
    return OK;
}

static void *create(apr_pool_t *p, char *path)
{
    (void)path;
    return apr_pcalloc(p, sizeof(WebSocketPlugin *));
}

static const char *set_plugin(cmd_parms *cmd, void *record, const char *file, const char *init)
{
    apr_dso_handle_t *library;
    apr_dso_handle_sym_t function;
    if (apr_dso_load(&library, ap_server_root_relative(cmd->pool, file), cmd->pool) != APR_SUCCESS)
        return "Could not open WebSocket handler module";
    if (apr_dso_sym(&function, library, init) != APR_SUCCESS)
        return "Could not find initialization function in module";
    *(WebSocketPlugin **)record = ((WebSocketPlugin * (*)(void)) function)();
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE2("WebSocketHandler", set_plugin, NULL, OR_AUTHCFG, "a library and its function"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

static void hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(handle, NULL, NULL, APR_HOOK_MIDDLE);
}

AP_DECLARE_MODULE(standin) = {STANDARD20_MODULE_STUFF, create, NULL, NULL, NULL, commands, hooks, 0};
