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

typedef struct ap_directive_t ap_directive_t;

struct ap_directive_t {
    const char *directive, *args; /* "<Location", "/x>" */
    ap_directive_t *next, *first_child, *parent;
    void *data;
    const char *filename;
    int line_num;
    ap_directive_t *last;
};

/* The status of APR for what has no better one (apr_errno.h). */
enum { APR_EGENERAL = 20014 };

/* A file that is read by lines or characters; the functions get param. */
typedef struct {
    apr_status_t (*getch)(char *c, void *param);
    apr_status_t (*getstr)(void *to, size_t size, void *param);
    apr_status_t (*close)(void *param);
    void *param;
    const char *name;
    unsigned line_number;
} ap_configfile_t;

typedef struct {
    void *info;
    int override, override_opts;
    void *override_list;
    int64_t limited;
    void *limited_xmethods, *xlimited;
    ap_configfile_t *config_file;
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

typedef struct {
    void *re_pcre;
    int re_nsub; /* groups */
    size_t re_erroffset;
} ap_regex_t;

typedef struct {
    int rm_so, rm_eo; /* -1 for a group that is not in the match */
} ap_regmatch_t;

/* An array of APR's (apr_tables.h). */
typedef struct {
    apr_pool_t *pool;
    int elt_size, nelts, nalloc;
    char *elts;
} wshttpd_array;

/* APR (apr.c). It is opened, not linked: nothing here may be called before
 * wshttpd_apr_open has returned 1. Pools belong to one thread at a time. */
extern struct wshttpd_apr {
    apr_status_t (*initialize)(void);
    apr_status_t (*pool_create_ex)(apr_pool_t **, apr_pool_t *, void *, void *);
    void (*pool_destroy)(apr_pool_t *);
    void *(*palloc)(apr_pool_t *, size_t);
    apr_table_t *(*table_make)(apr_pool_t *, int);
    void (*table_add)(apr_table_t *, const char *, const char *);
    void (*table_set)(apr_table_t *, const char *, const char *);
    const char *(*table_get)(const apr_table_t *, const char *);
    const wshttpd_array *(*table_elts)(const apr_table_t *);
    apr_status_t (*sockaddr_info_get)(apr_sockaddr_t **, const char *, int32_t, uint16_t, int32_t, apr_pool_t *);
    int (*vsnprintf)(char *, size_t, const char *, va_list);
    char *(*strerror)(apr_status_t, char *, size_t);
    void (*pool_cleanup_register)(apr_pool_t *, const void *, apr_status_t (*)(void *), apr_status_t (*)(void *));
    apr_status_t (*pool_cleanup_null)(void *);
    apr_status_t (*filepath_merge)(char **, const char *, const char *, int32_t, apr_pool_t *);
    struct apr_allocator_t *(*pool_allocator_get)(apr_pool_t *);
    void (*allocator_max_free_set)(struct apr_allocator_t *, size_t);
} wshttpd_apr;

enum { WSHTTPD_FILEPATH_TRUENAME = 0x20 }; /* APR_FILEPATH_TRUENAME */

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

/* The modules that plugins may bring along, and the threads that their
 * callbacks may hold. A vector has a place more behind the modules', and NULL
 * in front of them: a module that was never loaded has index -1. */
enum { WSHTTPD_MODULES = 64, WSHTTPD_MAX_THREADS = 8192 };

/* What is known of a request beside its request_rec: it stands behind the
 * modules' places of request_config. */
typedef struct {
    const char *server_name, *url_name, *scheme, *document_root;
    const char *auth_type, *auth_name; /* NULL where no line sets them */
    const char *signature;             /* ServerSignature; empty for none */
    unsigned server_port;
    int64_t limit_body; /* bytes */
} wshttpd_facts;

/* What is told to the functions of httpd (appaths.c, apserver.c). */
void wshttpd_set_roots(const char *server_root, const char *runtime_dir);
void wshttpd_set_identity(const char *banner, const char *description, const char *built);
void wshttpd_set_running(void);

/* Symbols of httpd that are used here too. */
extern module *ap_top_module;
extern server_rec *ap_server_conf;
void ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status, const server_rec *server,
                   const char *format, ...);
char *ap_getword(apr_pool_t *pool, const char **line, char stop);
char *ap_getword_conf(apr_pool_t *pool, const char **line);
char *ap_getword_nulls(apr_pool_t *pool, const char **line, char stop);
void ap_str_tolower(char *text);
int ap_cstr_casecmp(const char *a, const char *b);
int ap_unescape_url(char *url);
char *ap_pbase64decode(apr_pool_t *pool, const char *text);
int ap_method_register(apr_pool_t *pool, const char *method);
char *ap_server_root_relative(apr_pool_t *pool, const char *path);
ap_conf_vector_t *ap_create_per_dir_config(apr_pool_t *pool);

/* Calls into modules (apachemodule.c). Memory of pool is for ever. */
void wshttpd_module_add(module *m, int index);
void wshttpd_module_register(module *m, apr_pool_t *pool);
void wshttpd_module_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *vector, char *path);
void wshttpd_module_server(module *m, apr_pool_t *pool, server_rec *server);
void wshttpd_module_merge_dir(module *m, apr_pool_t *pool, ap_conf_vector_t *to, ap_conf_vector_t *base,
                              ap_conf_vector_t *over);
void wshttpd_module_merge_server(module *m, apr_pool_t *pool, server_rec *main_server, server_rec *host);
const char *wshttpd_module_command(cmd_parms *parms, void *config, int n, char **words);
void *wshttpd_module_record(ap_conf_vector_t *vector, const module *m);
ap_configfile_t *wshttpd_file_being_read(apr_pool_t *pool, const char *name, unsigned number);

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
