/* A plugin that is a module too, with a directive for each way to take
 * arguments. It keeps what it is given, in the order of the calls, and answers a
 * message by its records. */
#include "httpd.h"
#include "http_config.h"
#include "http_log.h"
#include "http_request.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

module AP_MODULE_DECLARE_DATA arguments_module;
APLOG_USE_MODULE(arguments);

typedef struct {
    const char *text, *slot;
    int flag_slot, int_slot;
} record;

static void add(cmd_parms *cmd, void *to, const char *a, const char *b, const char *c)
{
    record *r = to, *of_server = ap_get_module_config(cmd->server->module_config, &arguments_module);
    const char *call = apr_psprintf(cmd->pool, " %s(%s,%s,%s)%s@%s%s", cmd->cmd->name, a ? a : "-", b ? b : "-", c ? c : "-",
                                    cmd->path ? cmd->path : "(null)", cmd->server->is_virtual ? "virtual" : "main",
                                    strcasecmp(cmd->directive->directive, cmd->cmd->name) == 0 && cmd->directive->line_num > 0 ? "" : "?");
    r->text = apr_pstrcat(cmd->pool, r->text, call, NULL);
    of_server->text = apr_pstrcat(cmd->pool, of_server->text, " ", cmd->cmd->name, NULL);
}

static const char *take0(cmd_parms *cmd, void *to)
{
    add(cmd, to, NULL, NULL, NULL);
    return NULL;
}

static const char *take1(cmd_parms *cmd, void *to, const char *a)
{
    if (strcmp(a, "bad") == 0)
        return apr_psprintf(cmd->pool, "%s is told of something bad", cmd->cmd->name);
    add(cmd, to, a, NULL, cmd->info);
    return NULL;
}

static const char *take2(cmd_parms *cmd, void *to, const char *a, const char *b)
{
    add(cmd, to, a, b, NULL);
    return NULL;
}

static const char *take3(cmd_parms *cmd, void *to, const char *a, const char *b, const char *c)
{
    add(cmd, to, a, b, c);
    return NULL;
}

static const char *take_flag(cmd_parms *cmd, void *to, int on)
{
    add(cmd, to, on ? "1" : "0", NULL, NULL);
    return NULL;
}

static const char *take_argv(cmd_parms *cmd, void *to, int argc, char *const argv[])
{
    add(cmd, to, apr_itoa(cmd->pool, argc), argc > 0 ? argv[0] : NULL, argc > 1 ? argv[argc - 1] : NULL);
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_RAW_ARGS("ArgRaw", take1, NULL, OR_ALL, "anything"),
    AP_INIT_NO_ARGS("ArgNone", take0, NULL, OR_ALL, "nothing"),
    AP_INIT_TAKE1("ArgOne", take1, (void *)"info", OR_AUTHCFG, "one"),
    AP_INIT_TAKE2("ArgTwo", take2, NULL, ACCESS_CONF, "two"),
    AP_INIT_TAKE12("ArgOneTwo", take2, NULL, RSRC_CONF, "one or two"),
    AP_INIT_TAKE3("ArgThree", take3, NULL, RSRC_CONF | ACCESS_CONF, "three"),
    AP_INIT_TAKE23("ArgTwoThree", take3, NULL, OR_ALL, "two or three"),
    AP_INIT_TAKE13("ArgOneThree", take3, NULL, OR_ALL, "one or three"),
    AP_INIT_TAKE123("ArgOneTwoThree", take3, NULL, OR_ALL, "one to three"),
    AP_INIT_ITERATE("ArgIterate", take1, NULL, OR_ALL, "some"),
    AP_INIT_ITERATE2("ArgIterate2", take2, NULL, OR_ALL, "one and some"),
    AP_INIT_FLAG("ArgFlag", take_flag, NULL, OR_ALL, "On or Off"),
    AP_INIT_TAKE_ARGV("ArgMany", take_argv, NULL, OR_ALL, "any number"),
    AP_INIT_TAKE1("ArgSlot", ap_set_string_slot, (void *)APR_OFFSETOF(record, slot), OR_ALL, "a text"),
    AP_INIT_FLAG("ArgFlagSlot", ap_set_flag_slot, (void *)APR_OFFSETOF(record, flag_slot), OR_ALL, "On or Off"),
    AP_INIT_TAKE1("ArgIntSlot", ap_set_int_slot, (void *)APR_OFFSETOF(record, int_slot), OR_ALL, "a number"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

static void *create_dir(apr_pool_t *p, char *path)
{
    record *r = apr_pcalloc(p, sizeof *r);
    r->text = apr_pstrcat(p, "{", path ? path : "(null)", "}", NULL);
    return r;
}

static void *merge_dir(apr_pool_t *p, void *base, void *over)
{
    record *b = base, *o = over, *r = apr_pmemdup(p, o, sizeof *o);
    r->text = apr_pstrcat(p, "<", b->text, "|", o->text, ">", NULL);
    if (r->slot == NULL)
        r->slot = b->slot;
    return r;
}

static void *create_server(apr_pool_t *p, server_rec *s)
{
    record *r = apr_pcalloc(p, sizeof *r);
    r->text = s->is_virtual ? "virtual:" : "main:";
    return r;
}

static void *merge_server(apr_pool_t *p, void *base, void *over)
{
    record *r = apr_pcalloc(p, sizeof *r);
    r->text = apr_pstrcat(p, "<", ((record *)base)->text, "|", ((record *)over)->text, ">", NULL);
    return r;
}

static int decline(request_rec *r)
{
    (void)r;
    return DECLINED;
}

static void hooks(apr_pool_t *p)
{
    (void)p;
    ap_hook_handler(decline, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_fixups(decline, NULL, NULL, APR_HOOK_MIDDLE);
}

module AP_MODULE_DECLARE_DATA arguments_module = {STANDARD20_MODULE_STUFF, create_dir, merge_dir, create_server, merge_server, commands, hooks, 0};

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    record *dir = ap_get_module_config(r->per_dir_config, &arguments_module);
    record *of_server = ap_get_module_config(r->server->module_config, &arguments_module);
    char *text = apr_psprintf(r->pool, "[%s] slot=%s flag=%d int=%d [%s]", dir->text, dir->slot ? dir->slot : "-",
                              dir->flag_slot, dir->int_slot, of_server->text);
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, r, "asked at %s", r->uri);
    (void)buffer;
    (void)size;
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK arguments_init(void) { return &plugin; }
