/* Files of configuration as modules read them, line by line (httpd 2.4
 * server/util.c): those of their own, and the one that is being read, behind
 * the directive that runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "apache.h"
#include "apchars.h"

/* Implemented in Go (reading.go): the next line of the file that is being read,
 * with its newline. Returns its number, 0 at the end, -1 if it is too long. */
extern int wshttpd_go_line(char *to, size_t size);

/* The statuses of APR that these return. */
enum { SUCCESS = 0, AT_END = 70014, NO_SPACE = ENOSPC, BAD_FILE = EBADF };

static apr_status_t file_character(char *c, void *file)
{
    int read = getc(file);
    *c = (char)read;
    return read != EOF ? SUCCESS : ferror((FILE *)file) ? errno : AT_END;
}

static apr_status_t file_line(void *to, size_t size, void *file)
{
    if (fgets(to, (int)size, file) != NULL)
        return SUCCESS;
    return ferror((FILE *)file) ? errno : AT_END;
}

static apr_status_t file_close(void *file) { return fclose(file) == 0 ? SUCCESS : errno; }

/* Closes what is still open when the pool ends. */
static apr_status_t close_left(void *file)
{
    ap_configfile_t *f = file;
    return f->close == NULL || f->param == NULL ? SUCCESS : f->close(f->param);
}

/* Opens a file that is regular, or /dev/null; it is closed with the pool. */
apr_status_t ap_pcfg_openfile(ap_configfile_t **opened, apr_pool_t *pool, const char *name)
{
    struct stat info;
    if (name == NULL)
        return BAD_FILE;
    FILE *file = fopen(name, "re");
    if (file == NULL)
        return errno;
    if (fstat(fileno(file), &info) != 0 || (!S_ISREG(info.st_mode) && strcmp(name, "/dev/null") != 0)) {
        fclose(file);
        ap_log_error_(NULL, 0, -1, 3 /* APLOG_ERR */, 0, NULL, "AH00554: Access to file %s denied by server: not a regular file", name);
        return BAD_FILE;
    }
    ap_configfile_t *f = *opened = wshttpd_pool_zeros(pool, sizeof *f);
    *f = (ap_configfile_t){file_character, file_line, file_close, file, wshttpd_pool_string(pool, name, strlen(name)), 0};
    wshttpd_apr.pool_cleanup_register(pool, f, close_left, wshttpd_apr.pool_cleanup_null);
    return SUCCESS;
}

/* A file that a module's own functions read. */
ap_configfile_t *ap_pcfg_open_custom(apr_pool_t *pool, const char *name, void *param, apr_status_t (*character)(char *, void *),
                                     apr_status_t (*line)(void *, size_t, void *), apr_status_t (*closes)(void *))
{
    ap_configfile_t *f = wshttpd_pool_zeros(pool, sizeof *f);
    *f = (ap_configfile_t){character, line, closes, param, name, 0};
    return f;
}

int ap_cfg_closefile(ap_configfile_t *f)
{
    apr_status_t (*closes)(void *) = f->close;
    f->close = NULL;
    return closes == NULL ? SUCCESS : closes(f->param);
}

apr_status_t ap_cfg_getc(char *c, ap_configfile_t *f)
{
    apr_status_t status = f->getch == NULL ? AT_END : f->getch(c, f->param);
    if (status == SUCCESS && *c == '\n')
        f->line_number++;
    return status;
}

/* One line with its newline, by characters where a file has no lines. */
static apr_status_t physical_line(char *to, size_t size, ap_configfile_t *f)
{
    if (f->getstr != NULL)
        return f->getstr(to, size, f->param);
    size_t used = 0;
    apr_status_t status = SUCCESS;
    while (used + 1 < size && (status = f->getch == NULL ? AT_END : f->getch(to + used, f->param)) == SUCCESS)
        if (to[used++] == '\n')
            break;
    to[used] = '\0';
    return used > 0 ? SUCCESS : status;
}

/* Drops the white space around a line, in place. */
static void trim(char *line)
{
    size_t from = 0, to = strlen(line);
    while (to > 0 && is_space(line[to - 1]))
        to--;
    while (from < to && is_space(line[from]))
        from++;
    memmove(line, line + from, to - from);
    line[to - from] = '\0';
}

/* The next line without the white space around it, those that a backslash
 * continues being one. */
apr_status_t ap_cfg_getline(char *to, size_t size, ap_configfile_t *f)
{
    size_t used = 0;
    for (;;) {
        f->line_number++;
        apr_status_t status = physical_line(to + used, size - used, f);
        if (status == AT_END && used > 0) {
            to[used] = '\0';
            break;
        }
        if (status != SUCCESS)
            return status;
        size_t end = strlen(to);
        if (end == 0 || to[end - 1] != '\n') {
            if (end + 1 >= size)
                return NO_SPACE;
            break;
        }
        end -= end > 1 && to[end - 2] == '\r' ? 2 : 1;
        if (end == 0 || to[end - 1] != '\\')
            break;
        used = end - 1;
    }
    trim(to);
    return SUCCESS;
}

/* param is the ap_configfile_t itself, whose number of the line is that of the
 * last that was read. */
static apr_status_t line_being_read(void *to, size_t size, void *param)
{
    int number = wshttpd_go_line(to, size);
    if (number <= 0)
        return number == 0 ? AT_END : NO_SPACE;
    ((ap_configfile_t *)param)->line_number = (unsigned)number;
    return SUCCESS;
}

/* The file that is being read, as far as the line with a number. */
ap_configfile_t *wshttpd_file_being_read(apr_pool_t *pool, const char *name, unsigned number)
{
    ap_configfile_t *f = wshttpd_pool_zeros(pool, sizeof *f);
    *f = (ap_configfile_t){NULL, line_being_read, NULL, f, name, number};
    return f;
}

static const char *expected(cmd_parms *cmd, const char *name, const char *behind, const char *saw)
{
    size_t size = strlen(name) + strlen(behind) + strlen(saw) + sizeof "Expected </>";
    char *text = wshttpd_pool_zeros(cmd->pool, size);
    snprintf(text, size, "Expected </%s>%s%s", name, behind, saw);
    return text;
}

/* Reads over a section that "<NAME" has opened, and those in it, to its closing
 * tag (server/config.c). Returns what is wrong, or NULL. */
const char *ap_soak_end_container(cmd_parms *cmd, char *opener)
{
    char line[8192];
    while (ap_cfg_getline(line, sizeof line, cmd->config_file) == SUCCESS) {
        const char *rest = line;
        char *name = ap_getword_conf(cmd->pool, &rest);
        size_t length = strlen(name);
        if (name[0] != '<')
            continue;
        if (name[1] == '/') {
            name[length - 1] = '\0';
            return strcasecmp(name + 2, opener + 1) == 0 ? NULL : expected(cmd, opener + 1, " but saw ", strcat(name, ">"));
        }
        if (*rest == '\0' && name[length - 1] == '>')
            name[length - 1] = '\0';
        const char *error = ap_soak_end_container(cmd, name);
        if (error != NULL)
            return error;
    }
    return expected(cmd, opener + 1, " before end of configuration", "");
}
