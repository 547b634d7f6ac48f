/* The structures of httpd 2.4 that compiled plugins read, as far as a host of
 * theirs fills them: fields that nobody fills lie in the gaps, and are zero.
 * Names are httpd's (include/httpd.h, http_config.h, util_cfgtree.h). */
#ifndef WSHTTPD_APACHE_H
#define WSHTTPD_APACHE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct apr_pool_t apr_pool_t;
typedef struct apr_table_t apr_table_t;
typedef struct apr_sockaddr_t apr_sockaddr_t;
typedef int apr_status_t;

typedef struct request_rec request_rec;
typedef struct conn_rec conn_rec;
typedef struct server_rec server_rec;
typedef struct command_rec command_rec;
typedef struct module module;

/* A vector of configuration records, by module_index. */
typedef struct ap_conf_vector_t ap_conf_vector_t;

struct ap_logconf {
    signed char *module_levels; /* by module_index; NULL: level for all */
    int level;
};

typedef struct {
    apr_pool_t *pool, *pconf;
    const char *short_name;
    const char *const *argv;
    int argc;
} process_rec;

struct server_rec {
    process_rec *process;
    server_rec *next;
    char *error_fname;
    void *error_log;
    struct ap_logconf log;
    ap_conf_vector_t *module_config, *lookup_defaults;
    const char *defn_name;
    unsigned defn_line_number;
    char is_virtual;
    uint16_t port;
    const char *server_scheme;
    char *server_admin, *server_hostname;
    void *addrs;
    int64_t timeout; /* microseconds */
    char unused[72];
};

typedef struct {
    char *scheme, *hostinfo, *user, *password, *hostname, *port_str, *path, *query, *fragment;
    void *hostent;
    uint16_t port;
    unsigned char is_initialized;
} apr_uri_t;

struct conn_rec {
    apr_pool_t *pool;
    server_rec *base_server;
    void *vhost_lookup_data;
    apr_sockaddr_t *local_addr, *client_addr;
    char *client_ip, *remote_host, *remote_logname, *local_ip, *local_host;
    long id; /* the state of the connection's handle */
    ap_conf_vector_t *conn_config;
    apr_table_t *notes;
    char unused[52];
    unsigned aborted;
    int keepalive;
    int keepalives;
    const struct ap_logconf *log;
    char unused2[32];
};

struct request_rec {
    apr_pool_t *pool;
    conn_rec *connection;
    server_rec *server;
    request_rec *next, *prev, *main;
    char *the_request;
    int assbackwards, proxyreq, header_only, proto_num;
    char *protocol;
    const char *hostname;
    int64_t request_time; /* microseconds since 1970 */
    const char *status_line;
    int status, method_number;
    const char *method;
    char unused[112];
    apr_table_t *headers_in, *headers_out, *err_headers_out, *subprocess_env, *notes;
    const char *content_type, *handler, *content_encoding;
    void *content_languages;
    char *vlist_validator;
    char *user, *ap_auth_type;
    char *unparsed_uri, *uri, *filename, *canonical_filename, *path_info, *args;
    int used_path_info, eos_sent;
    ap_conf_vector_t *per_dir_config, *request_config;
    const struct ap_logconf *log;
    const char *log_id;
    const void *htaccess;
    void *output_filters, *input_filters, *proto_output_filters, *proto_input_filters;
    int no_cache, no_local_copy;
    void *invoke_mtx;
    apr_uri_t parsed_uri;
    char finfo[120];
    apr_sockaddr_t *useragent_addr;
    char *useragent_ip;
    apr_table_t *trailers_in, *trailers_out;
    char unused2[24];
};

typedef struct {
    const char *directive, *args;
    void *next, *first_child, *parent, *data;
    const char *filename;
    int line_num;
    void *last;
} ap_directive_t;

typedef struct {
    void *info;
    int override, override_opts;
    void *override_list;
    int64_t limited;
    void *limited_xmethods, *xlimited, *config_file;
    ap_directive_t *directive;
    apr_pool_t *pool, *temp_pool;
    server_rec *server;
    char *path;
    const command_rec *cmd;
    ap_conf_vector_t *context;
    const ap_directive_t *err_directive;
} cmd_parms;

struct command_rec {
    const char *name;
    void *func;
    void *cmd_data;
    int req_override, args_how;
    const char *errmsg;
};

struct module {
    int version, minor_version, module_index;
    const char *name;
    void *dynamic_load_handle;
    module *next;
    unsigned long magic;
    void (*rewrite_args)(process_rec *);
    void *(*create_dir_config)(apr_pool_t *, char *);
    void *(*merge_dir_config)(apr_pool_t *, void *, void *);
    void *(*create_server_config)(apr_pool_t *, server_rec *);
    void *(*merge_server_config)(apr_pool_t *, void *, void *);
    const command_rec *cmds;
    void (*register_hooks)(apr_pool_t *);
    int flags;
};

/* APR (apr.c). It is opened, not linked: nothing here may be called before
 * wshttpd_apr_open has returned 1. Pools belong to one thread at a time. */
int wshttpd_apr_open(void);
int wshttpd_apr_is_open(void);
apr_pool_t *wshttpd_root_pool(void);
apr_pool_t *wshttpd_pool_new(apr_pool_t *parent);
void wshttpd_pool_destroy(apr_pool_t *pool);
void *wshttpd_pool_zeros(apr_pool_t *pool, size_t size);
char *wshttpd_pool_string(apr_pool_t *pool, const char *text, size_t length);
apr_sockaddr_t *wshttpd_pool_address(apr_pool_t *pool, const char *ip, int port);
apr_table_t *wshttpd_table_new(apr_pool_t *pool, int room);
void wshttpd_table_add(apr_table_t *table, const char *name, const char *value);
void wshttpd_table_set(apr_table_t *table, const char *name, const char *value);
int wshttpd_table_size(const apr_table_t *table);
void wshttpd_table_entry(const apr_table_t *table, int i, const char **name, const char **value);
void wshttpd_format(char *dst, size_t size, const char *format, va_list args);
void wshttpd_status_text(char *dst, size_t size, apr_status_t status);

/* Calls into modules (apachemodule.c). Memory of pool is for ever. */
void wshttpd_module_register(module *m, process_rec *process, apr_pool_t *pool);
void wshttpd_module_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *vector, char *path);
void wshttpd_module_server(module *m, apr_pool_t *pool, server_rec *server);
void wshttpd_module_merge_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *to, ap_conf_vector_t *base,
                              ap_conf_vector_t *over);
void wshttpd_module_merge_server(module *m, apr_pool_t *pool, server_rec *main_server, server_rec *host);
const char *wshttpd_module_command(cmd_parms *parms, module *m, int n, char **words);

/* What a plugin logs by one of httpd's functions (aplog.c). */
typedef struct {
    uint64_t handle;          /* of the connection, else 0 */
    const server_rec *server; /* NULL for the main one */
    const char *file;         /* of the source; NULL where unknown */
    int line, module_index, level;
    int of_request; /* it is about the request, not the connection */
    const char *status; /* what APR says of it; empty for success */
    const char *text;
} wshttpd_record;

#endif
