/* The functions of httpd by which modules ask about a request. They read
 * nothing that changes, and may be called from any thread while the
 * request_rec lasts; what they return lives in its pool. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apache.h"

/* What is known of a request beside its request_rec. */
static const wshttpd_facts *facts_of(const request_rec *request)
{
    return ((void *const *)request->request_config)[WSHTTPD_MODULES];
}

int ap_is_initial_req(request_rec *request) { return request->main == NULL && request->prev == NULL; }

/* AuthType and AuthName of the path, NULL where there is none. */
const char *ap_auth_type(request_rec *request) { return facts_of(request)->auth_type; }

const char *ap_auth_name(request_rec *request) { return facts_of(request)->auth_name; }

const char *ap_document_root(request_rec *request) { return facts_of(request)->document_root; }

int64_t ap_get_limit_req_body(const request_rec *request) { return facts_of(request)->limit_body; }

/* The host's name by UseCanonicalName (server/core.c); for URLs an IPv6
 * address has brackets. */
const char *ap_get_server_name(request_rec *request) { return facts_of(request)->server_name; }

const char *ap_get_server_name_for_url(request_rec *request) { return facts_of(request)->url_name; }

uint16_t ap_get_server_port(const request_rec *request) { return (uint16_t)facts_of(request)->server_port; }

const char *ap_run_http_scheme(const request_rec *request) { return facts_of(request)->scheme; }

static unsigned default_port(const char *scheme) { return strcmp(scheme, "https") == 0 ? 443 : 80; }

uint16_t ap_run_default_port(const request_rec *request) { return (uint16_t)default_port(facts_of(request)->scheme); }

/* "host", or "host:port" unless that is the scheme's own. */
static char *authority(apr_pool_t *pool, const char *scheme, const char *host, unsigned port, const char *rest)
{
    size_t size = strlen(scheme) + strlen(host) + strlen(rest) + sizeof "://:65535";
    char *text = wshttpd_pool_zeros(pool, size);
    const char *between = *scheme == '\0' ? "" : "://";
    if (port == 0)
        snprintf(text, size, "%s%s%s%s", scheme, between, host, rest);
    else
        snprintf(text, size, "%s%s%s:%u%s", scheme, between, host, port, rest);
    return text;
}

char *ap_construct_server(apr_pool_t *pool, const char *host, uint16_t port, const request_rec *request)
{
    return authority(pool, "", host, port == default_port(facts_of(request)->scheme) ? 0 : port, "");
}

char *ap_construct_url(apr_pool_t *pool, const char *uri, request_rec *request)
{
    const wshttpd_facts *f = facts_of(request);
    return authority(pool, f->scheme, f->url_name, f->server_port == default_port(f->scheme) ? 0 : f->server_port, uri);
}

/* The name of an address, where it has one that leads back to it, else NULL. */
static const char *name_of(apr_pool_t *pool, const char *ip)
{
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST}, *own, *found;
    char name[NI_MAXHOST];
    const char *result = NULL;
    if (getaddrinfo(ip, NULL, &numeric, &own) != 0)
        return NULL;
    struct addrinfo wanted = {.ai_family = own->ai_family, .ai_socktype = SOCK_STREAM};
    if (getnameinfo(own->ai_addr, own->ai_addrlen, name, sizeof name, NULL, 0, NI_NAMEREQD) == 0 && getaddrinfo(name, NULL, &wanted, &found) == 0) {
        for (struct addrinfo *at = found; at != NULL && result == NULL; at = at->ai_next)
            if (at->ai_addrlen == own->ai_addrlen && memcmp(at->ai_addr, own->ai_addr, own->ai_addrlen) == 0)
                result = wshttpd_pool_string(pool, name, strlen(name));
        freeaddrinfo(found);
    }
    freeaddrinfo(own);
    return result;
}

/* What a client is called. Names are looked up, which takes its time, for
 * REMOTE_DOUBLE_REV alone, as under HostnameLookups Off (server/core.c). */
static const char *host_of(apr_pool_t *pool, const char *ip, int type, int *is_ip)
{
    enum { REMOTE_HOST, REMOTE_NAME, REMOTE_NOLOOKUP, REMOTE_DOUBLE_REV };
    const char *name = type == REMOTE_DOUBLE_REV ? name_of(pool, ip) : NULL;
    if (is_ip != NULL)
        *is_ip = name == NULL;
    return name != NULL || type == REMOTE_HOST || type == REMOTE_DOUBLE_REV ? name : ip;
}

const char *ap_get_useragent_host(request_rec *request, int type, int *is_ip)
{
    return host_of(request->pool, request->useragent_ip, type, is_ip);
}

const char *ap_get_remote_host(conn_rec *connection, void *dir_config, int type, int *is_ip)
{
    (void)dir_config;
    return host_of(connection->pool, connection->client_ip, type, is_ip);
}

/* No client is asked by RFC 1413, as under IdentityCheck Off. */
const char *ap_get_remote_logname(request_rec *request)
{
    (void)request;
    return NULL;
}

/* The statuses of APR and of httpd that these return. */
enum { SUCCESS = 0, DECLINED = -1, INVALID = 22, SERVER_ERROR = 500, UNAUTHORIZED = 401 };

/* User and password that a client has sent by the Basic scheme
 * (server/protocol.c). */
apr_status_t ap_get_basic_auth_components(const request_rec *request, const char **user, const char **password)
{
    enum { PROXY = 1 };
    const char *field = request->proxyreq == PROXY ? "Proxy-Authorization" : "Authorization";
    const char *credentials = wshttpd_apr.table_get(request->headers_in, field);
    if (credentials == NULL || ap_cstr_casecmp(ap_getword(request->pool, &credentials, ' '), "Basic") != 0)
        return INVALID;
    credentials += strspn(credentials, " \t");
    const char *decoded = ap_pbase64decode(request->pool, credentials);
    const char *name = ap_getword_nulls(request->pool, &decoded, ':');
    if (user != NULL)
        *user = name;
    if (password != NULL)
        *password = decoded;
    return SUCCESS;
}

/* The same where AuthType Basic holds; r->user becomes the name. A missing or
 * other scheme is UNAUTHORIZED. */
int ap_get_basic_auth_pw(request_rec *request, const char **password)
{
    const char *type = ap_auth_type(request), *user;
    if (type == NULL || ap_cstr_casecmp(type, "Basic") != 0)
        return DECLINED;
    if (ap_auth_name(request) == NULL)
        return SERVER_ERROR;
    if (ap_get_basic_auth_components(request, &user, password) != SUCCESS)
        return UNAUTHORIZED;
    request->user = (char *)user;
    request->ap_auth_type = "Basic";
    return SUCCESS;
}

/* The parameters of the query, in a table that is made; without a "=" the value
 * is "1" (server/util_script.c). */
void ap_args_to_table(request_rec *request, apr_table_t **table)
{
    *table = wshttpd_apr.table_make(request->pool, 10);
    if (request->args == NULL)
        return;
    char *rest = wshttpd_pool_string(request->pool, request->args, strlen(request->args)), *state;
    for (char *key = strtok_r(rest, "&", &state); key != NULL; key = strtok_r(NULL, "&", &state)) {
        char *value = strchr(key, '=');
        if (value != NULL) {
            *value++ = '\0';
            ap_unescape_url(value);
        }
        ap_unescape_url(key);
        wshttpd_apr.table_set(*table, key, value == NULL ? "1" : value);
    }
}

void ap_set_content_type(request_rec *request, const char *type) { request->content_type = type; }

/* As ap_set_content_type; who says so makes no difference. */
void ap_set_content_type_ex(request_rec *request, const char *type, int trusted)
{
    (void)trusted;
    ap_set_content_type(request, type);
}

/* Where path_info begins in uri, slashes in a row being one (server/util_script.c). */
int ap_find_path_info(const char *uri, const char *path_info)
{
    size_t at = strlen(uri), rest = strlen(path_info);
    while (at > 0 && rest > 0 && uri[at - 1] == path_info[rest - 1]) {
        at--;
        if (path_info[--rest] == '/')
            while (at > 0 && uri[at - 1] == '/')
                at--;
    }
    return (int)(at + strcspn(uri + at, "/"));
}

/* The footer of error pages behind a prefix, empty where ServerSignature is Off
 * (server/core.c). */
const char *ap_psignature(const char *prefix, request_rec *request)
{
    const char *signature = facts_of(request)->signature;
    return *signature == '\0' ? "" : authority(request->pool, "", prefix, 0, signature);
}
