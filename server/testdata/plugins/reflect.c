/* Answers a message by what the request_rec says: all that a plugin may look
 * at, and its tables entry by entry. The query of the request chooses what
 * on_connect does. */
#include "httpd.h"
#include "http_log.h"
#include "apr_strings.h"
#include "apr_tables.h"

#include "websocket_plugin.h"

typedef struct {
    const WebSocketServer *server;
    request_rec *r;
    char *text;
} report;

static void add(report *to, const char *name, const char *value)
{
    to->text = apr_pstrcat(to->r->pool, to->text, name, "=", value == NULL ? "(null)" : value, "\n", NULL);
}

static int add_entry(void *to, const char *name, const char *value)
{
    add(to, apr_pstrcat(((report *)to)->r->pool, "  ", name, NULL), value);
    return 1;
}

static void add_table(report *to, const char *name, const apr_table_t *table)
{
    add(to, name, apr_itoa(to->r->pool, apr_table_elts(table)->nelts));
    apr_table_do(add_entry, to, table, NULL);
}

static char *make_report(const WebSocketServer *server, request_rec *r)
{
    report to = {server, r, ""};
    conn_rec *c = r->connection;
    apr_pool_t *p = r->pool;
    add(&to, "the_request", r->the_request);
    add(&to, "method", r->method);
    add(&to, "method_number", apr_itoa(p, r->method_number));
    add(&to, "proto_num", apr_itoa(p, r->proto_num));
    add(&to, "protocol", r->protocol);
    add(&to, "hostname", r->hostname);
    add(&to, "unparsed_uri", r->unparsed_uri);
    add(&to, "uri", r->uri);
    add(&to, "filename", r->filename);
    add(&to, "path_info", r->path_info);
    add(&to, "args", r->args);
    add(&to, "parsed.scheme", r->parsed_uri.scheme);
    add(&to, "parsed.hostinfo", r->parsed_uri.hostinfo);
    add(&to, "parsed.hostname", r->parsed_uri.hostname);
    add(&to, "parsed.path", r->parsed_uri.path);
    add(&to, "parsed.query", r->parsed_uri.query);
    add(&to, "user", r->user);
    add(&to, "ap_auth_type", r->ap_auth_type);
    add(&to, "handler", r->handler);
    add(&to, "status", apr_itoa(p, r->status));
    add(&to, "header_only", apr_itoa(p, r->header_only));
    add(&to, "main", r->main == NULL ? NULL : "set");
    add(&to, "useragent_ip", r->useragent_ip);
    add(&to, "client_ip", c->client_ip);
    add(&to, "local_ip", c->local_ip);
    add(&to, "client_addr", apr_psprintf(p, "%pI", c->client_addr) != NULL ? "formats" : NULL);
    add(&to, "same port", c->client_addr->port != 0 && r->useragent_addr->port == c->client_addr->port ? "yes" : "no");
    add(&to, "server of connection", c->base_server != NULL ? "set" : NULL);
    add(&to, "server_hostname", r->server->server_hostname);
    add(&to, "server_admin", r->server->server_admin);
    add(&to, "is_virtual", apr_itoa(p, r->server->is_virtual));
    add(&to, "defn_line", apr_itoa(p, r->server->defn_line_number != 0));
    add(&to, "timeout", apr_ltoa(p, (long)(r->server->timeout / 1000000)));
    add(&to, "level of server", apr_itoa(p, r->server->log.level));
    add(&to, "level of request", apr_itoa(p, r->log != NULL ? r->log->level : r->server->log.level));
    add(&to, "time", labs((long)((apr_time_now() - r->request_time) / 1000000)) < 60 ? "now" : "other");
    add_table(&to, "headers_in", r->headers_in);
    add_table(&to, "subprocess_env", r->subprocess_env);
    return to.text;
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    const char *args = r == NULL || r->args == NULL ? "" : r->args;
    if (r == NULL || r != server->request(server))
        return NULL;
    if (strstr(args, "refuse") != NULL) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, APR_ENOENT, r, "refused: %s", r->args);
        return NULL;
    }
    if (strstr(args, "headers") != NULL) {
        server->header_set(server, "X-Early", "table");
        apr_table_add(r->headers_out, "X-Twice", "one");
        apr_table_add(r->headers_out, "X-Twice", "two");
        apr_table_unset(r->headers_out, "X-Before");
        apr_table_setn(r->headers_out, "X-Agent", server->header_get(server, "user-agent"));
        if (server->protocol_count(server) > 1)
            server->protocol_set(server, server->protocol_index(server, 1));
    }
    return r;
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    char *text = make_report(server, session);
    (void)buffer;
    (void)size;
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK reflect_init(void) { return &plugin; }
