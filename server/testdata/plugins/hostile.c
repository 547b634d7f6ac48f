/* Modules with something wrong or rare about each. */
#include "httpd.h"
#include "http_config.h"
#include "apr_strings.h"

static const char *take(cmd_parms *cmd, void *config, const char *arg)
{
    return apr_psprintf(cmd->pool, "%s of index %s takes %s, record %s", cmd->cmd->name, arg, arg, config == NULL ? "NULL" : "there");
}

#define END {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL}
#define ENTRY(name, function, where, how, usage) {name, {.take1 = function}, NULL, where, how, usage}

static const command_rec none[] = {END};
static const command_rec no_function[] = {ENTRY("HosNoFunction", NULL, OR_ALL, TAKE1, "a word"), END};
static const command_rec odd_args[] = {ENTRY("HosOddArgs", take, OR_ALL, (enum cmd_how)99, "a word"), ENTRY("HosMinusArgs", take, OR_ALL, (enum cmd_how)-1, NULL), END};
static const command_rec no_usage[] = {ENTRY("HosNoUsage", take, OR_ALL, TAKE1, NULL), ENTRY("HosNowhere", take, 0, TAKE1, "a word"), ENTRY("", take, OR_ALL, TAKE1, ""), END};
static const command_rec takes[] = {ENTRY("HosTakes", take, OR_ALL, TAKE1, "a word"), END};
static const command_rec slots[] = {
    AP_INIT_TAKE1("HosString", ap_set_string_slot, NULL, OR_ALL, "a word"),
    AP_INIT_FLAG("HosFlag", ap_set_flag_slot, NULL, OR_ALL, "On or Off"),
    AP_INIT_TAKE1("HosInt", ap_set_int_slot, NULL, OR_ALL, "a number"),
    AP_INIT_TAKE1("HosFile", ap_set_file_slot, NULL, OR_ALL, "a file"),
    AP_INIT_TAKE1("HosDeprecated", ap_set_deprecated, NULL, OR_ALL, "HosDeprecated is no more"),
    END,
};

static int rewritten;

static void rewrite(process_rec *process) { rewritten = process != NULL && process->short_name != NULL; }

static const char *tell(cmd_parms *cmd, void *config, const char *arg)
{
    (void)config;
    return apr_psprintf(cmd->pool, "%s: arguments rewritten %d", arg, rewritten);
}

static const command_rec tells[] = {ENTRY("HosTells", tell, OR_ALL, TAKE1, "a word"), END};

static void *no_record(apr_pool_t *p, char *path)
{
    (void)p;
    (void)path;
    return NULL;
}

static void *no_server_record(apr_pool_t *p, server_rec *s)
{
    (void)p;
    (void)s;
    return NULL;
}

#define MODULE(name, create, commands) module AP_MODULE_DECLARE_DATA name##_module = {STANDARD20_MODULE_STUFF, create, NULL, NULL, NULL, commands, NULL, 0}

MODULE(none, NULL, none);
MODULE(nothing, NULL, NULL);
MODULE(no_function, NULL, no_function);
MODULE(odd_args, NULL, odd_args);
MODULE(no_usage, NULL, no_usage);
MODULE(slots, no_record, slots);
module AP_MODULE_DECLARE_DATA null_records_module = {STANDARD20_MODULE_STUFF, no_record, NULL, no_server_record, NULL, takes, NULL, 0};
module AP_MODULE_DECLARE_DATA has_index_module = {MODULE_MAGIC_NUMBER_MAJOR, MODULE_MAGIC_NUMBER_MINOR, 3, "has_index.c", NULL, NULL,
                                                  MODULE_MAGIC_COOKIE, NULL, NULL, NULL, NULL, NULL, takes, NULL, 0};
module AP_MODULE_DECLARE_DATA no_name_module = {MODULE_MAGIC_NUMBER_MAJOR, MODULE_MAGIC_NUMBER_MINOR, -1, "", NULL, NULL,
                                                MODULE_MAGIC_COOKIE, NULL, NULL, NULL, NULL, NULL, takes, NULL, 0};
module AP_MODULE_DECLARE_DATA rewrites_module = {MODULE_MAGIC_NUMBER_MAJOR, MODULE_MAGIC_NUMBER_MINOR, -1, "rewrites.c", NULL, NULL,
                                                 MODULE_MAGIC_COOKIE, rewrite, NULL, NULL, NULL, NULL, tells, NULL, 0};
module AP_MODULE_DECLARE_DATA old_module = {20051115, 0, -1, "mod_old.c", NULL, NULL, MODULE_MAGIC_COOKIE, NULL, NULL, NULL, NULL, NULL, takes, NULL, 0};
module AP_MODULE_DECLARE_DATA newer_minor_module = {MODULE_MAGIC_NUMBER_MAJOR, 9999, -1, "mod_newer.c", NULL, NULL,
                                                    MODULE_MAGIC_COOKIE, NULL, NULL, NULL, NULL, NULL, takes, NULL, 0};
module AP_MODULE_DECLARE_DATA garbled_module = {MODULE_MAGIC_NUMBER_MAJOR, 0, -1, "mod_garbled.c", NULL, NULL, 0x41503230, NULL, NULL, NULL, NULL, NULL, takes, NULL, 0};
char AP_MODULE_DECLARE_DATA small_module = 'x';
int AP_MODULE_DECLARE_DATA zero_module[60];
AP_DECLARE(void) function_module(void);
AP_DECLARE(void) function_module(void) {}
