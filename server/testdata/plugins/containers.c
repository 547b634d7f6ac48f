/* A plugin that is two modules, with sections of their own: what their functions
 * are told is kept, and answers a message. */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

module AP_MODULE_DECLARE_DATA containers_module;
module AP_MODULE_DECLARE_DATA others_module;

static const char *said = "";

typedef struct {
    const char *text;
} record;

static ap_conf_vector_t *own_sections[20];
static int own_count;

static void say(apr_pool_t *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    said = apr_pstrcat(p, said, apr_pvsprintf(p, format, args), "\n", NULL);
    va_end(args);
}

static const char *shown(const char *text) { return text == NULL ? "NULL" : text; }

static const char *named(const ap_directive_t *d) { return d == NULL ? "NULL" : d->directive; }

/* What a function finds in its cmd_parms, but for addresses. */
static const char *look(cmd_parms *cmd, void *config, const char *arg)
{
    const ap_directive_t *d = cmd->directive;
    record *r = config;
    say(cmd->pool, "%s(%s) info=%s override=%x limited=%" APR_INT64_T_FMT " file=%d temp=%d path=%s virtual=%d", cmd->cmd->name, shown(arg),
        shown(cmd->info), cmd->override, cmd->limited, cmd->config_file != NULL, cmd->pool != cmd->temp_pool, shown(cmd->path),
        cmd->server->is_virtual);
    if (cmd->cmd->req_override & EXEC_ON_READ) {
        say(cmd->pool, "  line %u context=%d directive=%s err=%s", cmd->config_file->line_number, cmd->context != NULL, named(d),
            named(cmd->err_directive));
        return NULL;
    }
    say(cmd->pool, "  %s [%s] line %d in %s before %s with %s", d->directive, d->args, d->line_num, named(d->parent), named(d->next),
        named(d->first_child));
    if (d->parent != NULL)
        say(cmd->pool, "  first there %s in %s", named(d->parent->first_child), named(d->parent->parent));
    if (r != NULL)
        r->text = apr_pstrcat(cmd->pool, r->text, " ", shown(arg), NULL);
    return NULL;
}

static const char *look0(cmd_parms *cmd, void *config) { return look(cmd, config, NULL); }

static const char *look2(cmd_parms *cmd, void *config, const char *a, const char *b)
{
    return look(cmd, config, apr_psprintf(cmd->pool, "%s,%s", shown(a), shown(b)));
}

static const char *look3(cmd_parms *cmd, void *config, const char *a, const char *b, const char *c)
{
    return look(cmd, config, apr_psprintf(cmd->pool, "%s,%s,%s", shown(a), shown(b), shown(c)));
}

static const char *look_argv(cmd_parms *cmd, void *config, int argc, char *const argv[])
{
    return look(cmd, config, apr_psprintf(cmd->pool, "%d:%s:%s", argc, argc > 0 ? argv[0] : "-", argc > 0 ? argv[argc - 1] : "-"));
}

static const char *decline(cmd_parms *cmd, void *config, const char *arg)
{
    look(cmd, config, arg);
    return DECLINE_CMD;
}

static const char *decline2(cmd_parms *cmd, void *config, const char *a, const char *b)
{
    look2(cmd, config, a, b);
    return strcmp(b, "stop") == 0 ? "stopped" : DECLINE_CMD;
}

static const char *check(cmd_parms *cmd, void *config, const char *arg)
{
    const char *error = ap_check_cmd_context(cmd, (unsigned)strtol(arg, NULL, 0));
    (void)config;
    say(cmd->pool, "check %s: %s", arg, shown(error));
    return NULL;
}

static const char *forbid(cmd_parms *cmd, void *config, const char *arg)
{
    (void)config;
    return ap_check_cmd_context(cmd, (unsigned)strtol(arg, NULL, 0));
}

static const char *name_of(cmd_parms *cmd, const char *arg)
{
    const char *end = strrchr(arg, '>');
    if (end == NULL)
        return NULL;
    return apr_pstrmemdup(cmd->pool, arg, (apr_size_t)(end - arg));
}

/* Its directives belong to where it stands. */
static const char *group(cmd_parms *cmd, void *config, const char *arg)
{
    const command_rec *own = cmd->cmd;
    const char *name = name_of(cmd, arg);
    (void)config;
    if (name == NULL)
        return apr_pstrcat(cmd->pool, cmd->cmd->name, "> directive missing closing '>'", NULL);
    say(cmd->pool, "<Group %s", name);
    const char *error = ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
    say(cmd->pool, "Group> %s, %s %s", shown(error), error != NULL ? "" : cmd->cmd == own ? "itself" : cmd->cmd->name, error != NULL ? "" : shown(cmd->info));
    if (error != NULL && strcmp(name, "forgives") == 0)
        return NULL;
    return error != NULL && strcmp(name, "rewords") == 0 ? apr_pstrcat(cmd->pool, "in other words: ", error, NULL) : error;
}

/* Its directives have records of their own, by a path. */
static const char *own(cmd_parms *cmd, void *config, const char *arg)
{
    char *path = cmd->path;
    int override = cmd->override;
    ap_conf_vector_t *vector = ap_create_per_dir_config(cmd->pool);
    (void)config;
    const char *error = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT);
    if (error != NULL)
        return error;
    cmd->path = (char *)name_of(cmd, arg);
    cmd->override = OR_ALL | ACCESS_CONF;
    ap_set_config_vectors(cmd->server, vector, cmd->path, &others_module, cmd->pool);
    error = ap_walk_config(cmd->directive->first_child, cmd, vector);
    cmd->path = path;
    cmd->override = override;
    own_sections[own_count++] = vector;
    return error;
}

/* Its directives stand in its place, or are read over. */
static const char *cond(cmd_parms *cmd, void *config, const char *arg)
{
    ap_directive_t *current = NULL, *parent = NULL;
    const char *name = name_of(cmd, arg), *error;
    look(cmd, config, arg);
    if (name == NULL)
        return "no closing bracket";
    if (strcmp(name, "yes") != 0 && strcmp(name, "rest") != 0)
        return ap_soak_end_container(cmd, "<Cond");
    error = ap_build_cont_config(cmd->pool, cmd->temp_pool, cmd, &current, &parent, "<Cond");
    *(ap_directive_t **)config = strcmp(name, "rest") == 0 && current != NULL ? current->next : current; /* the rest is without the first */
    for (; current != NULL; current = current->next)
        say(cmd->pool, "  built %s [%s] line %d with %s", current->directive, current->args, current->line_num, named(current->first_child));
    return error;
}

/* Its lines are no directives. */
static const char *text(cmd_parms *cmd, void *config, const char *arg)
{
    char line[200];
    (void)config;
    (void)arg;
    while (ap_cfg_getline(line, sizeof line, cmd->config_file) == APR_SUCCESS) {
        if (strcasecmp(line, "</Text>") == 0)
            return NULL;
        say(cmd->pool, "text [%s] line %u", line, cmd->config_file->line_number);
    }
    return "<Text> was not closed";
}

/* A file of the module's own. */
static const char *read_file(cmd_parms *cmd, void *config, const char *name)
{
    char line[100];
    ap_configfile_t *file;
    apr_status_t status = ap_pcfg_openfile(&file, cmd->pool, name);
    (void)config;
    say(cmd->pool, "file %d", status);
    if (status != APR_SUCCESS)
        return NULL;
    while ((status = ap_cfg_getline(line, sizeof line, file)) == APR_SUCCESS)
        say(cmd->pool, "  [%s] line %u", line, file->line_number);
    say(cmd->pool, "  ends by %s at %u, closed %d", APR_STATUS_IS_EOF(status) ? "end" : "error", file->line_number, ap_cfg_closefile(file));
    return NULL;
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("Look", look, (void *)"of Look", OR_ALL | RSRC_CONF | ACCESS_CONF, "a word"),
    AP_INIT_TAKE1("Top", look, NULL, RSRC_CONF, ""),
    AP_INIT_TAKE1("Inside", look, NULL, ACCESS_CONF, NULL),
    AP_INIT_TAKE1("Files", look, NULL, OR_FILEINFO, NULL),
    AP_INIT_TAKE1("Auth", look, NULL, OR_AUTHCFG, NULL),
    AP_INIT_TAKE12("Two", look2, NULL, OR_ALL, "one or two"),
    AP_INIT_TAKE13("Thirteen", look3, NULL, OR_ALL, "one or three"),
    AP_INIT_TAKE23("TwoThree", look3, NULL, OR_ALL, "two or three"),
    AP_INIT_TAKE123("OneTwoThree", look3, NULL, OR_ALL, "one to three"),
    AP_INIT_TAKE_ARGV("Argv", look_argv, NULL, OR_ALL, "any"),
    AP_INIT_ITERATE("Iterate", decline, NULL, OR_ALL, "some"),
    AP_INIT_ITERATE2("Iterate2", decline2, NULL, OR_ALL, "more"),
    AP_INIT_NO_ARGS("None", look0, NULL, OR_ALL, "with a usage"),
    AP_INIT_TAKE1("Declined", decline, NULL, OR_ALL, "a word"),
    AP_INIT_TAKE1("Shared", look, (void *)"first", OR_ALL, "a word"),
    AP_INIT_TAKE1("Twice", look, (void *)"one", OR_ALL, "a word"),
    AP_INIT_TAKE1("Twice", look, (void *)"two", OR_ALL, "a word"),
    AP_INIT_TAKE1("Check", check, NULL, OR_ALL, "a mask"),
    AP_INIT_TAKE1("Forbid", forbid, NULL, OR_ALL, "a mask"),
    AP_INIT_TAKE1("Now", look, (void *)"of Now", OR_ALL | EXEC_ON_READ, "a word"),
    AP_INIT_TAKE1("NowInside", look, NULL, ACCESS_CONF | EXEC_ON_READ, "a word"),
    AP_INIT_TAKE1("NowDeclined", decline, NULL, OR_ALL | EXEC_ON_READ, "a word"),
    AP_INIT_TAKE1("ReadFile", read_file, NULL, OR_ALL, "a file"),
    AP_INIT_RAW_ARGS("<Group", group, (void *)"of Group", OR_ALL | RSRC_CONF | ACCESS_CONF, "a name"),
    AP_INIT_RAW_ARGS("<Own", own, NULL, RSRC_CONF, "a path"),
    AP_INIT_RAW_ARGS("<Cond", cond, NULL, OR_ALL | EXEC_ON_READ, "yes or no"),
    AP_INIT_RAW_ARGS("<Text", text, NULL, OR_ALL | EXEC_ON_READ, "nothing"),
    AP_INIT_RAW_ARGS("<Deaf", look, NULL, OR_ALL, "anything"),
    AP_INIT_TAKE1("<Word", look, NULL, OR_ALL, "a word"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

static const command_rec other_commands[] = {
    AP_INIT_TAKE1("Shared", look, (void *)"second", OR_ALL, "a word"),
    AP_INIT_TAKE1("Declined", look, (void *)"second", OR_ALL, "a word"),
    AP_INIT_TAKE1("Other", look, NULL, OR_ALL, "a word"),
    AP_INIT_TAKE1("Now", look, (void *)"second Now", OR_ALL | EXEC_ON_READ, "a word"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

static void *create_dir(apr_pool_t *p, char *path)
{
    record *r = apr_pcalloc(p, sizeof *r);
    r->text = apr_pstrcat(p, "{", shown(path), "}", NULL);
    return r;
}

static void *merge_dir(apr_pool_t *p, void *base, void *over)
{
    record *r = apr_pcalloc(p, sizeof *r);
    r->text = apr_pstrcat(p, "<", base == NULL ? "NULL" : ((record *)base)->text, "|", ((record *)over)->text, ">", NULL);
    return r;
}

/* Only sections have a record of the other module. */
static void *create_other(apr_pool_t *p, char *path) { return path == NULL ? NULL : create_dir(p, path); }

module AP_MODULE_DECLARE_DATA containers_module = {STANDARD20_MODULE_STUFF, create_dir, merge_dir, NULL, NULL, commands, NULL, 0};
module AP_MODULE_DECLARE_DATA others_module = {STANDARD20_MODULE_STUFF, create_other, merge_dir, NULL, NULL, other_commands, NULL, 0};

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type, unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    record *first = ap_get_module_config(r->per_dir_config, &containers_module), *second = ap_get_module_config(r->per_dir_config, &others_module);
    char *text = apr_psprintf(r->pool, "%s[%s] [%s]", r->args != NULL ? said : "", first->text, second == NULL ? "NULL" : second->text);
    for (int i = 0; i < own_count; i++) {
        record *a = ap_get_module_config(own_sections[i], &containers_module), *b = ap_get_module_config(own_sections[i], &others_module);
        text = apr_psprintf(r->pool, "%s\nown [%s] [%s]", text, a == NULL ? "NULL" : a->text, b == NULL ? "NULL" : b->text);
    }
    (void)buffer;
    (void)size;
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK containers_init(void) { return &plugin; }
