/* Reflects the header and the subprotocols of the request: a message is the
 * name of a field, and the answer its value. The field X-Do chooses what
 * on_connect sets, and whether it asks for the request before, whose table the
 * answer is made of then; the strings that it sets are overwritten when the call
 * has returned. */
#include <stdio.h>
#include <string.h>

#include "httpd.h"
#include "http_log.h"

#include "websocket_plugin.h"

static void set_header(const WebSocketServer *server, const char *name, const char *value)
{
    char names[32], values[32];
    strcpy(names, name);
    strcpy(values, value);
    server->header_set(server, names, values);
    memset(names, '#', sizeof names);
    memset(values, '#', sizeof values);
}

static void set_protocol(const WebSocketServer *server, const char *name)
{
    char names[32] = "";
    if (name != NULL)
        strcpy(names, name);
    server->protocol_set(server, name == NULL ? NULL : names);
    memset(names, '#', sizeof names);
}

static void set_all(const WebSocketServer *server)
{
    set_header(server, "X-One", "first");
    set_header(server, "X-Two", "two words");
    set_header(server, "x-one", "second");
    set_header(server, "X-Empty", "");
    server->header_set(server, NULL, "value");
    server->header_set(server, "X-Null", NULL);
    server->protocol_set(server, NULL);
}

static void *CALLBACK on_connect(const WebSocketServer *server)
{
    const char *wish = server->header_get(server, "x-do");
    if (wish == NULL)
        return (void *)server;
    if (strstr(wish, "request") != NULL && server->request(server) == NULL)
        return NULL;
    if (strstr(wish, "set") != NULL)
        set_all(server);
    if (strstr(wish, "last") != NULL)
        set_protocol(server, server->protocol_index(server, server->protocol_count(server) - 1));
    if (strstr(wish, "own") != NULL)
        set_protocol(server, "own");
    return strstr(wish, "refuse") != NULL ? NULL : (void *)server;
}

static void reflect_protocols(const WebSocketServer *server, char *text, size_t room)
{
    size_t count = server->protocol_count(server);
    size_t size = (size_t)snprintf(text, room, "%zu:", count);
    for (size_t i = 0; i < count; i++)
        size += (size_t)snprintf(text + size, room - size, " %s", server->protocol_index(server, i));
    if (server->protocol_index(server, count) != NULL || server->protocol_index(server, (size_t)-1) != NULL)
        snprintf(text + size, room - size, " and more");
}

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    char name[64], text[512];
    (void)session;
    snprintf(name, sizeof name, "%.*s", (int)size, (char *)buffer);
    server->header_set(server, "X-Late", "never");
    server->protocol_set(server, "late");
    if (strcmp(name, "protocols") == 0)
        reflect_protocols(server, text, sizeof text);
    else {
        const char *value = server->header_get(server, name);
        int stays = value == NULL || strcmp(value, server->header_get(server, name)) == 0;
        snprintf(text, sizeof text, "%s%s", value == NULL ? "(null)" : value, stays ? "" : " changes");
    }
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static void CALLBACK on_disconnect(void *session, const WebSocketServer *server)
{
    request_rec *r = server->request(server);
    const char *late = apr_table_get(r->headers_out, "X-Late");
    (void)session;
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "on_disconnect, %s, X-Late %s", server->header_get(server, "host"), late == NULL ? "not set" : late);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, on_disconnect};

extern EXPORT WebSocketPlugin *CALLBACK headers_init(void) { return &plugin; }
