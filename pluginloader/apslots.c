/* What directives may name as their function, storing the argument at info in
 * the record, and what they ask of the place where they stand (httpd 2.4
 * server/config.c and server/core.c). A string returned is an error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "apache.h"

static void *slot(const cmd_parms *cmd, void *config) { return (char *)config + (size_t)cmd->info; }

/* A module that keeps no record has none to store in; httpd ends of that. */
static const char no_record[] = "the module keeps no record in which the argument could be stored";

/* A text of up to three parts, in the configuration's pool. */
static const char *text(const cmd_parms *cmd, const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *result = wshttpd_pool_zeros(cmd->pool, size);
    snprintf(result, size, "%s%s%s", a, b, c);
    return result;
}

const char *ap_set_string_slot(cmd_parms *cmd, void *config, const char *argument)
{
    if (config == NULL)
        return no_record;
    *(const char **)slot(cmd, config) = argument;
    return NULL;
}

const char *ap_set_string_slot_lower(cmd_parms *cmd, void *config, const char *argument)
{
    if (config == NULL)
        return no_record;
    char *copy = wshttpd_pool_string(cmd->pool, argument, strlen(argument));
    ap_str_tolower(copy);
    *(char **)slot(cmd, config) = copy;
    return NULL;
}

const char *ap_set_int_slot(cmd_parms *cmd, void *config, const char *argument)
{
    if (config == NULL)
        return no_record;
    char *end;
    *(int *)slot(cmd, config) = (int)strtol(argument, &end, 10);
    if (*argument != '\0' && *end == '\0')
        return NULL;
    return text(cmd, "Invalid value for directive ", cmd->directive->directive, ", expected integer");
}

const char *ap_set_flag_slot(cmd_parms *cmd, void *config, int argument)
{
    if (config == NULL)
        return no_record;
    *(int *)slot(cmd, config) = argument != 0;
    return NULL;
}

const char *ap_set_flag_slot_char(cmd_parms *cmd, void *config, int argument)
{
    if (config == NULL)
        return no_record;
    *(char *)slot(cmd, config) = argument != 0;
    return NULL;
}

const char *ap_set_file_slot(cmd_parms *cmd, void *config, const char *argument)
{
    if (config == NULL)
        return no_record;
    const char *path = ap_server_root_relative(cmd->pool, argument);
    if (path == NULL)
        return text(cmd, "Invalid file path ", argument, "");
    *(const char **)slot(cmd, config) = path;
    return NULL;
}

const char *ap_set_deprecated(cmd_parms *cmd, void *config, const char *argument)
{
    (void)config;
    (void)argument;
    return cmd->cmd->errmsg;
}

/* Where a directive is forbidden (include/http_config.h). */
enum {
    NOT_IN_VIRTUALHOST = 0x01,
    NOT_IN_LIMIT = 0x02,
    NOT_IN_DIRECTORY = 0x04,
    NOT_IN_LOCATION = 0x08,
    NOT_IN_FILES = 0x10,
    NOT_IN_HTACCESS = 0x20,
    NOT_IN_PROXY = 0x40,
    NOT_IN_DIR_LOC_FILE = NOT_IN_DIRECTORY | NOT_IN_LOCATION | NOT_IN_FILES,
    NOT_IN_DIR_CONTEXT = NOT_IN_DIR_LOC_FILE | NOT_IN_LIMIT | NOT_IN_PROXY,
    EXEC_ON_READ = 256,
};

/* The innermost section with this name around a directive, or NULL. */
static const ap_directive_t *around(const ap_directive_t *directive, const char *name)
{
    while (directive != NULL && (directive = directive->parent) != NULL)
        if (strcasecmp(directive->directive, name) == 0)
            return directive;
    return NULL;
}

/* The section around a directive that is forbidden to it, or NULL. */
static const ap_directive_t *forbidden_section(const ap_directive_t *directive, unsigned forbidden)
{
    static const struct {
        unsigned bit;
        const char *name;
    } sections[] = {
        {NOT_IN_DIRECTORY, "<Directory"}, {NOT_IN_DIRECTORY, "<DirectoryMatch"},
        {NOT_IN_LOCATION, "<Location"}, {NOT_IN_LOCATION, "<LocationMatch"},
        {NOT_IN_FILES, "<Files"}, {NOT_IN_FILES, "<FilesMatch"},
        {NOT_IN_FILES, "<If"}, {NOT_IN_FILES, "<ElseIf"}, {NOT_IN_FILES, "<Else"},
        {NOT_IN_PROXY, "<Proxy"}, {NOT_IN_PROXY, "<ProxyMatch"},
    };
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        const ap_directive_t *found = forbidden & sections[i].bit ? around(directive, sections[i].name) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Says why a directive must not stand where it does (server/core.c). */
const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    const char *name = cmd->cmd->name;
    if (name[0] == '<' && name[strlen(name) - 1] != '>')
        name = text(cmd, name, ">", "");
    if ((forbidden & NOT_IN_VIRTUALHOST) && cmd->server->is_virtual)
        return text(cmd, name, " cannot occur within <VirtualHost> section", "");
    if ((forbidden & NOT_IN_DIR_CONTEXT) && cmd->limited != -1)
        return text(cmd, name, " cannot occur within <Limit> or <LimitExcept> section", "");
    if ((forbidden & NOT_IN_HTACCESS) && cmd->pool == cmd->temp_pool)
        return text(cmd, name, " cannot occur within htaccess files", "");
    if ((forbidden & NOT_IN_DIR_LOC_FILE) == NOT_IN_DIR_LOC_FILE) {
        if (cmd->path != NULL)
            return text(cmd, name, " cannot occur within directory context", "");
        if (cmd->cmd->req_override & EXEC_ON_READ)
            return NULL;
    }
    const ap_directive_t *found = forbidden_section(cmd->directive, forbidden);
    if (found == NULL)
        return NULL;
    return text(cmd, name, text(cmd, " cannot occur within ", found->directive, ""), "> section");
}
