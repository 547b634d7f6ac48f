/* An echo that is a module too, with sections of its own, and directives that
 * end the process in which they are run. */
#include <stdlib.h>
#include <unistd.h>

#include "httpd.h"
#include "http_config.h"

#include "websocket_plugin.h"

static const char *end(cmd_parms *cmd, void *config, const char *how)
{
    (void)cmd;
    (void)config;
    switch (*how) {
    case 'a':
        abort();
    case 'e':
        exit(0);
    }
    _exit(3);
}

static const char *text(cmd_parms *cmd, void *config, const char *arg)
{
    (void)config;
    (void)arg;
    return ap_soak_end_container(cmd, "<SectionOver");
}

static const char *lines(cmd_parms *cmd, void *config, const char *arg)
{
    char line[100];
    (void)config;
    (void)arg;
    while (ap_cfg_getline(line, sizeof line, cmd->config_file) == APR_SUCCESS)
        if (strcasecmp(line, "</SectionText>") == 0)
            return NULL;
    return "not closed";
}

static const char *group(cmd_parms *cmd, void *config, const char *arg)
{
    (void)config;
    (void)arg;
    return ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("SectionEnd", end, NULL, OR_ALL, "abort, exit or _exit"),
    AP_INIT_RAW_ARGS("<SectionOver", text, NULL, OR_ALL | EXEC_ON_READ, "anything"),
    AP_INIT_RAW_ARGS("<SectionText", lines, NULL, OR_ALL | EXEC_ON_READ, "anything"),
    AP_INIT_RAW_ARGS("<SectionGroup", group, NULL, OR_ALL, "anything"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

AP_DECLARE_MODULE(sections) = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, commands, NULL, 0};

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type, unsigned char *buffer, const size_t size)
{
    (void)session;
    return server->send(server, type, buffer, size);
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, NULL, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK sections_init(void) { return &plugin; }
