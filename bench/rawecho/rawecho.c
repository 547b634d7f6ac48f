/*
 * rawecho PORT - the same bytes back, on 127.0.0.1: one thread, level-triggered
 * epoll, one recv and one send for each readable socket. No server that answers
 * each message by itself can be cheaper; it is the yardstick of the measurements.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 512 * 1024, EVENTS = 1024, BACKLOG = 4096 };

/* What a short send left over, by descriptor; nothing is read meanwhile. */
struct rest {
    char *bytes;
    size_t begin, end;
};

static struct rest *rests;
static int epoll, listener, descriptors;
static char buffer[BUFFER];

static void arm(int op, int fd, unsigned events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    if (epoll_ctl(epoll, op, fd, &e) != 0) {
        perror("epoll_ctl");
        exit(1);
    }
}

static void drop(int fd)
{
    free(rests[fd].bytes);
    memset(&rests[fd], 0, sizeof rests[fd]);
    close(fd);
}

static void accept_all(void)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= descriptors) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        arm(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

/* keep takes what was not sent and waits for room instead of input. */
static void keep(int fd, const char *bytes, size_t n)
{
    struct rest *r = &rests[fd];
    r->bytes = malloc(n);
    if (!r->bytes) {
        drop(fd);
        return;
    }
    memcpy(r->bytes, bytes, n);
    r->begin = 0;
    r->end = n;
    arm(EPOLL_CTL_MOD, fd, EPOLLOUT);
}

static void send_rest(int fd)
{
    struct rest *r = &rests[fd];
    ssize_t n = send(fd, r->bytes + r->begin, r->end - r->begin, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno != EAGAIN)
            drop(fd);
        return;
    }
    r->begin += (size_t)n;
    if (r->begin == r->end) {
        free(r->bytes);
        memset(r, 0, sizeof *r);
        arm(EPOLL_CTL_MOD, fd, EPOLLIN);
    }
}

static void echo(int fd)
{
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            drop(fd);
        return;
    }
    ssize_t sent = send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) {
            drop(fd);
            return;
        }
        sent = 0;
    }
    if (sent < n)
        keep(fd, buffer + sent, (size_t)(n - sent));
}

static int open_listener(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS];
    struct rlimit limit;

    if (argc != 2) {
        fprintf(stderr, "usage: rawecho PORT\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    descriptors = limit.rlim_cur > 1000000 ? 1000000 : (int)limit.rlim_cur;
    rests = calloc((size_t)descriptors, sizeof *rests);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!rests || epoll < 0) {
        perror("rawecho");
        return 1;
    }
    listener = open_listener(atoi(argv[1]));
    arm(EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                accept_all();
            else if (rests[fd].bytes)
                send_rest(fd);
            else
                echo(fd);
        }
    }
}
