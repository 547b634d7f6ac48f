/* What libapr and libaprutil have beside threads, pools and sockets: a message
 * is put through them, and the answer says what came of it. */
#include "httpd.h"
#include "apr_base64.h"
#include "apr_date.h"
#include "apr_dbd.h"
#include "apr_env.h"
#include "apr_file_info.h"
#include "apr_file_io.h"
#include "apr_fnmatch.h"
#include "apr_md5.h"
#include "apr_optional.h"
#include "apr_sha1.h"
#include "apr_strings.h"
#include "apr_time.h"
#include "apr_uri.h"
#include "apr_uuid.h"
#include "apr_xml.h"
#include "mod_dbd.h"

#include "websocket_plugin.h"

static const char *read_file(apr_pool_t *p, const char *name)
{
    apr_file_t *file;
    apr_finfo_t info;
    char line[128];
    if (apr_file_open(&file, name, APR_FOPEN_READ | APR_FOPEN_BUFFERED, APR_FPROT_OS_DEFAULT, p) != APR_SUCCESS)
        return "(not there)";
    apr_file_info_get(&info, APR_FINFO_SIZE, file);
    apr_file_gets(line, sizeof line, file);
    apr_file_close(file);
    return apr_psprintf(p, "%" APR_OFF_T_FMT " bytes, %s", info.size, line);
}

static const char *digests(apr_pool_t *p, const char *text)
{
    unsigned char md5[APR_MD5_DIGESTSIZE];
    char sha1[64] = "", crypted[120];
    char *base64 = apr_pcalloc(p, (apr_size_t)apr_base64_encode_len((int)strlen(text)));
    apr_md5(md5, text, strlen(text));
    apr_sha1_base64(text, (int)strlen(text), sha1);
    apr_base64_encode(base64, text, (int)strlen(text));
    apr_md5_encode(text, "salt", crypted, sizeof crypted);
    return apr_psprintf(p, "%02x%02x %s %s %s", md5[0], md5[15], sha1, base64, crypted);
}

static const char *parse(apr_pool_t *p, const char *text)
{
    apr_uri_t uri;
    apr_xml_doc *doc;
    apr_xml_parser *parser = apr_xml_parser_create(p);
    char date[APR_RFC822_DATE_LEN];
    apr_status_t status = apr_uri_parse(p, text, &uri);
    apr_xml_parser_feed(parser, "<a><b/></a>", 11);
    apr_xml_parser_done(parser, &doc);
    apr_rfc822_date(date, apr_date_parse_http("Sun, 06 Nov 1994 08:49:37 GMT"));
    return apr_psprintf(p, "%d %s %s %d, %s in %s, %s, %d", status, uri.scheme ? uri.scheme : "-", uri.path ? uri.path : "-", uri.port,
                        doc->root->first_child->name, doc->root->name, date, apr_fnmatch("*.so", text, 0));
}

/* Words in an array, joined, and a pool of its own that is destroyed. */
static const char *words(apr_pool_t *p, const char *text)
{
    apr_pool_t *own;
    char *last, *copy;
    apr_pool_create(&own, p);
    apr_array_header_t *list = apr_array_make(own, 1, sizeof(char *));
    copy = apr_pstrdup(own, text);
    for (char *word = apr_strtok(copy, " /", &last); word != NULL; word = apr_strtok(NULL, " /", &last))
        *(char **)apr_array_push(list) = word;
    const char *joined = apr_array_pstrcat(p, list, '+');
    memset(apr_palloc(own, 3 << 20), 1, 3 << 20);
    apr_pool_destroy(own);
    return joined;
}

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    const char *message = apr_pstrmemdup(r->pool, (char *)buffer, size);
    char uuid[APR_UUID_FORMATTED_LENGTH + 1], *path = NULL;
    apr_uuid_t id;
    apr_uuid_get(&id);
    apr_uuid_format(uuid, &id);
    apr_env_get(&path, "PATH", r->pool);
    APR_OPTIONAL_FN_TYPE(ap_dbd_acquire) *acquire = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_acquire);
    char *text = apr_psprintf(r->pool, "%s | %s | %s | %s | uuid %d | path %s | dbd %s", read_file(r->pool, message), digests(r->pool, message),
                              parse(r->pool, message), words(r->pool, message), (int)strlen(uuid), path != NULL ? "set" : "none",
                              acquire != NULL ? "there" : "none");
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK library_init(void) { return &plugin; }
