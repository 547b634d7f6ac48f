/* Runs the shell command that a message is, and answers by what it has written
 * and how it has ended: by popen, for one that begins with "apr:" by APR, and
 * with "fork:" by system in a child that has executed nothing. "stderr:TEXT" is
 * written to the process's own standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "httpd.h"
#include "apr_file_io.h"
#include "apr_strings.h"
#include "apr_thread_proc.h"

#include "websocket_plugin.h"

static char *by_popen(apr_pool_t *p, const char *command)
{
    char written[4000];
    FILE *pipe = popen(command, "r");
    if (pipe == NULL)
        return "popen fails";
    size_t size = fread(written, 1, sizeof written - 1, pipe);
    written[size] = '\0';
    int status = pclose(pipe);
    return apr_psprintf(p, "%sstatus %d", written, status);
}

static char *by_apr(apr_pool_t *p, const char *command)
{
    const char *argv[] = {"sh", "-c", command, NULL};
    char written[4000];
    apr_size_t size = 0, n;
    apr_procattr_t *how;
    apr_proc_t child;
    int code;
    apr_exit_why_e why;
    if (apr_procattr_create(&how, p) != APR_SUCCESS || apr_procattr_io_set(how, APR_NO_PIPE, APR_FULL_BLOCK, APR_NO_PIPE) != APR_SUCCESS ||
        apr_procattr_cmdtype_set(how, APR_PROGRAM_PATH) != APR_SUCCESS || apr_proc_create(&child, "sh", argv, NULL, how, p) != APR_SUCCESS)
        return "apr_proc_create fails";
    while (n = sizeof written - 1 - size, apr_file_read(child.out, written + size, &n) == APR_SUCCESS)
        size += n;
    written[size] = '\0';
    apr_proc_wait(&child, &code, &why, APR_WAIT);
    apr_file_close(child.out);
    return apr_psprintf(p, "%sended %d %d", written, code, why);
}

static char *by_fork(apr_pool_t *p, const char *command)
{
    char written[4000];
    size_t size = 0;
    ssize_t n;
    int ends[2], status = -1;
    if (pipe(ends) != 0)
        return "pipe fails";
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        _exit(WEXITSTATUS(system(command)));
    }
    close(ends[1]);
    while ((n = read(ends[0], written + size, sizeof written - 1 - size)) > 0)
        size += (size_t)n;
    written[size] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return apr_psprintf(p, "%sended %d", written, status);
}

static void *CALLBACK on_connect(const WebSocketServer *server) { return server->request(server); }

static size_t CALLBACK on_message(void *session, const WebSocketServer *server, const int type,
                                  unsigned char *buffer, const size_t size)
{
    request_rec *r = session;
    const char *command = apr_pstrmemdup(r->pool, (char *)buffer, size);
    char *text = "written";
    if (strncmp(command, "stderr:", 7) == 0)
        fprintf(stderr, "%s\n", command + 7);
    else if (strncmp(command, "apr:", 4) == 0)
        text = by_apr(r->pool, command + 4);
    else if (strncmp(command, "fork:", 5) == 0)
        text = by_fork(r->pool, command + 5);
    else
        text = by_popen(r->pool, command);
    return server->send(server, type, (unsigned char *)text, strlen(text));
}

static WebSocketPlugin plugin = {sizeof(WebSocketPlugin), WEBSOCKET_PLUGIN_VERSION_0, NULL, on_connect, on_message, NULL};

extern EXPORT WebSocketPlugin *CALLBACK command_init(void) { return &plugin; }
