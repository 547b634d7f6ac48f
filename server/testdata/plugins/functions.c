/* A plugin that is a module too, and answers a message with what functions of
 * httpd return for it: a line each. */
#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"
#include "ap_mpm.h"
#include "ap_provider.h"
#include "http_main.h"
#include "util_cookies.h"
#include "util_script.h"
#include "util_time.h"
#include "apr_lib.h"
#include "apr_optional.h"
#include "apr_optional_hooks.h"
#include "apr_strings.h"

#include "websocket_plugin.h"

module AP_MODULE_DECLARE_DATA functions_module;

typedef struct {
    const char *lower, *file;
    char flag;
} record;

APR_DECLARE_OPTIONAL_FN(int, fun_optional, (void));

int fun_optional(void) { return 1; }

static void own_hook(void) {}

static void hooks(apr_pool_t *p)
{
    APR_REGISTER_OPTIONAL_FN(fun_optional);
    apr_optional_hook_add("own", own_hook, NULL, NULL, APR_HOOK_MIDDLE);
    ap_register_provider(p, "fun", "own", "0", "provided");
    char *kept = ap_retained_data_get("functions");
    if (kept == NULL)
        kept = ap_retained_data_create("functions", 10);
    strcpy(kept, "kept");
}

static void *create_record(apr_pool_t *p, char *path)
{
    (void)path;
    return apr_pcalloc(p, sizeof(record));
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("FunLower", ap_set_string_slot_lower, (void *)APR_OFFSETOF(record, lower), OR_ALL, "a text"),
    AP_INIT_TAKE1("FunFile", ap_set_file_slot, (void *)APR_OFFSETOF(record, file), OR_ALL, "a file"),
    AP_INIT_FLAG("FunFlag", ap_set_flag_slot_char, (void *)APR_OFFSETOF(record, flag), OR_ALL, "On or Off"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};

/* What is gathered for the answer. */
typedef struct {
    apr_pool_t *pool;
    char *text;
} answer;

static void say(answer *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    a->text = apr_pstrcat(a->pool, a->text, apr_pvsprintf(a->pool, format, args), "\n", NULL);
    va_end(args);
}

static const char *shown(const char *text) { return text == NULL ? "NULL" : text; }

static const char *const samples[] = {
    "", " ", "word", "  two words ", "a,b;c", "a,,b", "\"quoted \\\"word\\\" \\\\ x\" rest", "'single' \\\\x", "\"open", "close, Upgrade", "up",
    "keep-alive;q=1 ; x", "100%41%2F%zz", "%00x", "a+b%20c", "<a href=\"x\">&amp;\xc3\xa9", "http://x/y", "x:y/z", "/a//b///c/../d", "ABC-xyz_9",
    "$HOME;`ls` 'x'", "tab\tnl\nbel\a\\\"", "12345", "99999999999999999999", "12x", "5s", "7mi", "8ms", "9 h", "x*y?z", "UPGRADE",
};

static void words(answer *a, const char *sample)
{
    const char *line;
    char *copy;
#define WORDS(call)                                                  \
    line = sample;                                                   \
    do {                                                             \
        const char *word = call;                                     \
        say(a, #call " [%s] left [%s]", word, line);                 \
    } while (*line != '\0')
    WORDS(ap_getword(a->pool, &line, ','));
    WORDS(ap_getword_white(a->pool, &line));
    WORDS(ap_getword_nulls(a->pool, &line, ','));
    WORDS(ap_getword_conf(a->pool, &line));
    line = sample;
    say(a, "token [%s]", ap_get_token(a->pool, &line, 0));
    line = sample;
    say(a, "token, white [%s] left [%s]", ap_get_token(a->pool, &line, 1), line);
    say(a, "find %d last %d", ap_find_token(a->pool, sample, "upgrade"), ap_find_last_token(a->pool, sample, "upgrade"));
    say(a, "noparam [%s]", ap_field_noparam(a->pool, sample));
    copy = apr_pstrdup(a->pool, sample);
    ap_str_tolower(copy);
    say(a, "lower [%s]", copy);
    ap_str_toupper(copy);
    say(a, "upper [%s]", copy);
}

static void escapes(answer *a, const char *sample)
{
    char *copy, buffer[400];
    say(a, "html [%s] [%s]", ap_escape_html2(a->pool, sample, 0), ap_escape_html2(a->pool, sample, 1));
    say(a, "segment [%s]", ap_escape_path_segment(a->pool, sample));
    say(a, "urlencoded [%s]", ap_escape_urlencoded(a->pool, sample));
    say(a, "path [%s] [%s]", ap_os_escape_path(a->pool, sample, 0), ap_os_escape_path(a->pool, sample, 1));
    say(a, "quotes [%s]", ap_escape_quotes(a->pool, sample));
    say(a, "shell [%s]", ap_escape_shell_cmd(a->pool, sample));
    say(a, "log [%s]", ap_escape_logitem(a->pool, sample));
    for (apr_size_t size = 1; size < 12; size += 5)
        say(a, "errorlog %d [%s]", (int)ap_escape_errorlog_item(buffer, sample, size), buffer);
    copy = apr_pstrdup(a->pool, sample);
    say(a, "unescape %d [%s]", ap_unescape_url(copy), copy);
    copy = apr_pstrdup(a->pool, sample);
    say(a, "keep2f %d [%s]", ap_unescape_url_keep2f(copy, 0), copy);
    copy = apr_pstrdup(a->pool, sample);
    say(a, "decode2f %d [%s]", ap_unescape_url_keep2f(copy, 1), copy);
    copy = apr_pstrdup(a->pool, sample);
    say(a, "unescape urlencoded %d [%s]", ap_unescape_urlencoded(copy), copy);
    copy = ap_pbase64encode(a->pool, (char *)sample);
    say(a, "base64 [%s] [%s] [%s]", copy, ap_pbase64decode(a->pool, copy), ap_pbase64decode(a->pool, "YWJj!ZGVm"));
}

static void strings(answer *a, const char *sample)
{
    char *copy, buffer[400];
    const char *alnum;
    apr_off_t length;
    apr_interval_time_t timeout = -1;
    ap_bin2hex(sample, strlen(sample), buffer);
    ap_pstr2_alnum(a->pool, sample, &alnum);
    say(a, "hex %s alnum %s ind %d rind %d url %d", buffer, alnum, ap_ind(sample, 'b'), ap_rind(sample, 'b'), ap_is_url(sample));
    for (apr_size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        say(a, "match %d %d casecmp %d %d prefix [%s] str [%s]", ap_strcmp_match(samples[i], sample), ap_strcasecmp_match(samples[i], sample),
            (ap_cstr_casecmp(sample, samples[i]) > 0) - (ap_cstr_casecmp(sample, samples[i]) < 0), ap_cstr_casecmpn(sample, samples[i], 2) == 0,
            ap_stripprefix(sample, samples[i]), shown(ap_strcasestr(sample, samples[i])));
    say(a, "matchexp %d strict %d %" APR_OFF_T_FMT, ap_is_matchexp(sample), ap_parse_strict_length(&length, sample),
        ap_parse_strict_length(&length, sample) ? length : 0);
    say(a, "timeout %d %" APR_TIME_T_FMT, ap_timeout_parameter_parse(sample, &timeout, "s") == 0, timeout);
    say(a, "timeout, ms %d %" APR_TIME_T_FMT, ap_timeout_parameter_parse(sample, &timeout, "ms") == 0, timeout);
    say(a, "scan [%s] [%s] [%s]", ap_scan_http_token(sample), ap_scan_http_field_content(sample), ap_scan_vchar_obstext(sample));
    copy = apr_pstrdup(a->pool, sample);
    ap_no2slash(copy);
    say(a, "no2slash [%s] parent [%s] dirs %d absolute %d full [%s] [%s]", copy, ap_make_dirstr_parent(a->pool, sample), ap_count_dirs(sample),
        ap_os_is_path_absolute(a->pool, sample), ap_make_full_path(a->pool, sample, "f"), ap_make_full_path(a->pool, "/d/", sample));
    for (int i = 0; i < 4; i++) {
        char *end = ap_make_dirstr_prefix(buffer, sample, i);
        say(a, "prefix [%s] %d", buffer, (int)(end - buffer));
    }
    say(a, "root [%s]", shown(ap_server_root_relative(a->pool, sample)));
}

static const char *const patterns[] = {
    "", "a", "^(\\w+)\\s*,?(.*)$", "([a-z])|([0-9])", "B", "x$", "(?<name>o)", "[unclosed", "(a", "\\d+(?=x)", "^$", "(?i:UP)grade", "(.)(.)?(zz)?", "*",
};

static void expressions(answer *a, const char *sample)
{
    char text[100];
    ap_regmatch_t groups[5];
    ap_regex_t regex;
    for (apr_size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        for (int flags = 0; flags < 2; flags++) {
            int error = ap_regcomp(&regex, patterns[i], flags ? AP_REG_ICASE : AP_REG_NEWLINE);
            say(a, "%s: %d %d", patterns[i], error, error == 0 ? (int)regex.re_nsub : -1);
            if (error != 0) {
                say(a, "  %d [%s]", (int)ap_regerror(error, &regex, text, sizeof text), text);
                continue;
            }
            error = ap_regexec(&regex, sample, 5, groups, 0);
            for (int g = 0; error == 0 && g < 5; g++)
                say(a, "  %d to %d", groups[g].rm_so, groups[g].rm_eo);
            if (error == 0)
                say(a, "  [%s] [%s]", ap_pregsub(a->pool, "<$0|$1|$2|$9|\\$1|&|\\", sample, 5, groups), ap_pregsub(a->pool, "$0\\1", sample, 0, NULL));
            say(a, "  %d, in %d, not at the end %d", error, ap_regexec_len(&regex, sample, strlen(sample) / 2, 0, NULL, 0),
                ap_regexec(&regex, sample, 1, groups, AP_REG_NOTBOL | AP_REG_NOTEOL));
            ap_regfree(&regex);
        }
        say(a, "  in a pool %d", ap_pregcomp(a->pool, patterns[i], 0) != NULL);
    }
    say(a, "errors [%d] [%d]", (int)ap_regerror(4, NULL, text, 5), (int)ap_regerror(9, NULL, text + 50, 40));
    say(a, "  [%s] [%s]", text, text + 50);
}

static const char *const kinds[] = {"HOST", "NAME", "NOLOOKUP", "DOUBLE_REV"};

static void of_request(answer *a, request_rec *r)
{
    record *own = ap_get_module_config(r->per_dir_config, &functions_module);
    const char *user = NULL, *password = NULL;
    apr_table_t *table;
    int is_ip = -1;
    say(a, "slots %s %s %d", shown(own->lower), shown(own->file), own->flag);
    say(a, "initial %d type %s name %s root %s", ap_is_initial_req(r), shown(ap_auth_type(r)), shown(ap_auth_name(r)), ap_document_root(r));
    say(a, "server %s url %s scheme %s default %d", ap_get_server_name(r), ap_get_server_name_for_url(r), ap_http_scheme(r), ap_default_port(r));
    say(a, "construct %s %s", ap_construct_server(a->pool, "h", 80, r), ap_construct_server(a->pool, "h", 81, r));
    for (int i = 0; i < 4; i++) {
        const char *host = ap_get_useragent_host(r, i, &is_ip);
        say(a, "%s %s %d", kinds[i], shown(host), host == NULL ? 0 : is_ip);
        say(a, "%s %s", kinds[i], shown(ap_get_remote_host(r->connection, r->per_dir_config, i, &is_ip)));
    }
    say(a, "logname %s limit %" APR_OFF_T_FMT, shown(ap_get_remote_logname(r)), ap_get_limit_req_body(r));
    apr_status_t status = ap_get_basic_auth_components(r, &user, &password);
    say(a, "components %d %s %s", status, shown(user), shown(password));
    int answered = ap_get_basic_auth_pw(r, &password);
    say(a, "password %d %s %s", answered, answered == OK ? password : "", shown(r->user));
    ap_args_to_table(r, &table);
    const apr_array_header_t *list = apr_table_elts(table);
    for (int i = 0; i < list->nelts; i++)
        say(a, "arg %s=%s", ((apr_table_entry_t *)list->elts)[i].key, ((apr_table_entry_t *)list->elts)[i].val);
    for (const char *const *m = (const char *const[]){"POST", "PATCH", "MERGE", "LOCK", "BASELINE-CONTROL", "NONE", NULL}; *m != NULL; m++)
        say(a, "%s %d %s", *m, ap_method_number_of(*m), shown(ap_method_name_of(a->pool, ap_method_number_of(*m))));
    say(a, "get %d head %d", ap_method_number_of("GET"), ap_method_number_of("HEAD"));
    say(a, "linked %d %d", ap_find_linked_module("functions.c") == &functions_module, ap_find_linked_module("none.c") == NULL);
    say(a, "command %s", ap_find_command("funfile", commands)->name);
    say(a, "defined %d %d", ap_exists_config_define("FUN_DEFINED"), ap_exists_config_define("FUN_OTHER"));
    say(a, "levels %d %d %d", ap_get_request_module_loglevel(r, functions_module.module_index),
        ap_get_server_module_loglevel(r->server, functions_module.module_index), ap_get_conn_module_loglevel(r->connection, -1));
    say(a, "threaded %d", ap_mpm_query(AP_MPMQ_IS_THREADED, &is_ip) == APR_SUCCESS && is_ip != AP_MPMQ_NOT_SUPPORTED);
    say(a, "unknown %d", ap_mpm_query(99, &is_ip));
    say(a, "running %d", ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_RUN_MPM);
    say(a, "main %d", ap_server_conf != NULL && !ap_server_conf->is_virtual);
    say(a, "provider %s", shown(ap_lookup_provider("fun", "own", "0")));
    say(a, "retained %s %d", (char *)ap_retained_data_get("functions"), ap_retained_data_get("other") == NULL);
    for (const char *const *name = (const char *const[]){"a", "b", "none", "c", "A", "", NULL}; *name != NULL; name++) {
        const char *value = "?";
        int error = ap_cookie_read(r, *name, &value, 0);
        say(a, "cookie %s: %d %s", *name, error, shown(value));
    }
    char date[APR_RFC822_DATE_LEN];
    ap_recent_rfc822_date(date, apr_time_from_sec(784111777));
    say(a, "date %s %s %s", date, ap_ht_time(a->pool, apr_time_from_sec(784111777), "%Y-%m-%d %H:%M:%S", 1),
        ap_ht_time(a->pool, apr_time_from_sec(784111777), "%d %H", 0));
    say(a, "path info %d %d %d %d", ap_find_path_info("/a/b//c", "/c"), ap_find_path_info("/a", "/b"), ap_find_path_info("/a/b/c", "/b/c"),
        ap_find_path_info("", ""));
    say(a, "signature %d %s", (int)(strchr(ap_psignature("<p>", r), '<') != NULL), strstr(ap_psignature("", r), "Server at") ? strstr(ap_psignature("", r), "Server at") : "none");
    say(a, "optional %d", APR_RETRIEVE_OPTIONAL_FN(fun_optional) != NULL);
}

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type, unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    answer a = {r->pool, ""};
    (void)buffer;
    (void)size;
    if (r->args != NULL && strncmp(r->args, "sample=", 7) == 0) {
        const char *sample = samples[atoi(r->args + 7)];
        words(&a, sample);
        escapes(&a, sample);
        strings(&a, sample);
        expressions(&a, sample);
    } else
        of_request(&a, r);
    a.text = ap_escape_logitem(r->pool, a.text);
    return server->send(server, type, (unsigned char *)a.text, strlen(a.text));
}

AP_DECLARE_MODULE(functions) = {STANDARD20_MODULE_STUFF, create_record, NULL, NULL, NULL, commands, hooks, 0};

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK functions_init(void) { return &plugin; }
