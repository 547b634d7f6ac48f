/* The functions of httpd that know of paths (httpd 2.4 server/util.c,
 * server/config.c). */
#include <string.h>
#include <sys/stat.h>

#include "apache.h"

/* ServerRoot as it stands; a symbol of httpd's own. */
const char *ap_server_root;

/* DefaultRuntimeDir as it stands. */
static const char *runtime_dir;

/* Both live as long as the process. */
void wshttpd_set_roots(const char *server_root, const char *runtime)
{
    ap_server_root = server_root;
    runtime_dir = runtime;
}

/* The path from dir, NULL where APR cannot make one. */
static char *below(apr_pool_t *pool, const char *dir, const char *path)
{
    char *merged = NULL;
    return path == NULL || wshttpd_apr.filepath_merge(&merged, dir, path, WSHTTPD_FILEPATH_TRUENAME, pool) != 0 ? NULL : merged;
}

char *ap_server_root_relative(apr_pool_t *pool, const char *path) { return below(pool, ap_server_root, path); }

char *ap_runtime_dir_relative(apr_pool_t *pool, const char *path) { return below(pool, runtime_dir, path); }

int ap_os_is_path_absolute(apr_pool_t *pool, const char *path)
{
    (void)pool;
    return path[0] == '/';
}

char *ap_make_full_path(apr_pool_t *pool, const char *dir, const char *file)
{
    size_t length = strlen(dir), more = strlen(file), slash = length == 0 || dir[length - 1] != '/';
    char *path = wshttpd_pool_zeros(pool, length + slash + more + 1);
    memcpy(path, dir, length);
    if (slash)
        path[length] = '/';
    memcpy(path + length + slash, file, more);
    return path;
}

/* Makes one of several slashes, in place. */
void ap_no2slash(char *path)
{
    char *to = path;
    for (const char *from = path; *from != '\0'; from++)
        if (*from != '/' || from == path || from[-1] != '/')
            *to++ = *from;
    *to = '\0';
}

int ap_count_dirs(const char *path)
{
    int slashes = 0;
    for (; *path != '\0'; path++)
        slashes += *path == '/';
    return slashes;
}

/* Copies the first n folders of a path, each with its slash; the last one gets
 * it where the path ends. Returns where the zero byte stands. */
char *ap_make_dirstr_prefix(char *to, const char *path, int n)
{
    for (; n > 0 && *path != '\0'; path++) {
        if (*path == '/' && --n == 0)
            break;
        *to++ = *path;
    }
    *to++ = '/';
    *to = '\0';
    return to;
}

/* The folder in which a path stands, with its slash; empty without one. */
char *ap_make_dirstr_parent(apr_pool_t *pool, const char *path)
{
    const char *slash = strrchr(path, '/');
    return wshttpd_pool_string(pool, path, slash == NULL ? 0 : (size_t)(slash - path + 1));
}

/* A link to a folder is one to ap_is_directory alone. */
int ap_is_directory(apr_pool_t *pool, const char *path)
{
    struct stat info;
    (void)pool;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int ap_is_rdirectory(apr_pool_t *pool, const char *path)
{
    struct stat info;
    (void)pool;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}
