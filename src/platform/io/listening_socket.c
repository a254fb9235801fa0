/*
 * The kernel's own calls under libuv's poll handle: libuv's listener takes connections until there
 * is none left, and knows who is there only after a connection has been made of it.
 *
 * Failures: without a descriptor for a connection the spare one is given up for it, so that the
 * peer is told by an end at once; if that does not help, or without memory in the kernel, nothing
 * is taken until listening_socket_retry. A connection that was lost while it waited is skipped.
 */
#include "platform/io/listening_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

enum { backlog = 1024, taken_a_turn_max = 16 };

static int take(const struct listening_socket *listener, struct sockaddr_storage *peer)
{
    socklen_t size = sizeof *peer;
    return accept4(listener->descriptor, (struct sockaddr *)peer, &size,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* No descriptor is left. True: one that waited was ended. */
static bool end_one(struct listening_socket *listener)
{
    struct sockaddr_storage peer;
    if (listener->spare < 0)
        return false;
    close(listener->spare);
    int taken = take(listener, &peer);
    if (taken >= 0)
        close(taken);
    listener->spare = open_spare();
    return taken >= 0;
}

static void pause_taking(struct listening_socket *listener)
{
    listener->paused = true;
    uv_poll_stop(&listener->poll);
}

static bool was_lost(int reason)
{
    return reason == ECONNABORTED || reason == EPROTO || reason == EINTR || reason == EPERM;
}

static void take_some(struct listening_socket *listener, int count_max)
{
    struct sockaddr_storage peer;
    for (int i = 0; i < count_max && listener->descriptor >= 0; i++) {
        int taken = take(listener, &peer);
        if (taken >= 0) {
            listener->accepted(listener->context, taken, &peer);
            continue;
        }
        if (errno == EAGAIN)
            return;
        bool goes_on =
            was_lost(errno) || ((errno == EMFILE || errno == ENFILE) && end_one(listener));
        if (!goes_on) {
            pause_taking(listener);
            return;
        }
    }
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    take_some(poll->data, taken_a_turn_max);
}

/* --- its life --- */

static bool set(int descriptor, int option)
{
    int on = 1;
    return setsockopt(descriptor, SOL_SOCKET, option, &on, sizeof on) == 0;
}

static bool bind_to(int descriptor, const struct sockaddr_storage *address)
{
    socklen_t size =
        address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    return bind(descriptor, (const struct sockaddr *)address, size) == 0;
}

/*
 * The first one binds before it shares the port, so that a port on which another process listens is
 * refused, even one that shares it.
 */
static bool listen_on(int descriptor, const struct sockaddr_storage *address, bool is_first)
{
    return set(descriptor, SO_REUSEADDR) && (is_first || set(descriptor, SO_REUSEPORT)) &&
           bind_to(descriptor, address) && (!is_first || set(descriptor, SO_REUSEPORT)) &&
           listen(descriptor, backlog) == 0;
}

/* Takes from the socket, which becomes its own, or is closed. `result`: whether there is one. */
static struct error begin(struct listening_socket *listener, uv_loop_t *loop, int descriptor,
                          int result)
{
    if (result == 0)
        result = uv_poll_init(loop, &listener->poll, descriptor);
    if (result != 0) {
        if (descriptor >= 0)
            close(descriptor);
        return error_make(ERROR_NETWORK, "%s", uv_strerror(result));
    }
    listener->descriptor = descriptor;
    listener->poll.data = listener;
    listener->spare = open_spare();
    result = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    if (result != 0)
        return error_make(ERROR_NETWORK, "%s", uv_strerror(result));
    return error_none();
}

struct error listening_socket_open(struct listening_socket *listener, uv_loop_t *loop,
                                   const struct sockaddr_storage *address, bool is_first,
                                   listening_socket_accepted *accepted, void *context)
{
    *listener = (struct listening_socket){
        .descriptor = -1, .spare = -1, .accepted = accepted, .context = context};
    int made = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool listens = made >= 0 && listen_on(made, address, is_first);
    return begin(listener, loop, made, listens ? 0 : uv_translate_sys_error(errno));
}

/* By a descriptor of its own, so that closing it leaves the caller's. */
struct error listening_socket_join(struct listening_socket *listener, uv_loop_t *loop,
                                   int descriptor, listening_socket_accepted *accepted,
                                   void *context)
{
    *listener = (struct listening_socket){
        .descriptor = -1, .spare = -1, .accepted = accepted, .context = context};
    listener->is_joined = true;
    int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    bool listens = own >= 0 && fcntl(own, F_SETFL, O_NONBLOCK) == 0;
    return begin(listener, loop, own, listens ? 0 : uv_translate_sys_error(errno));
}

bool listening_socket_address(const struct listening_socket *listener,
                              struct sockaddr_storage *address)
{
    socklen_t size = sizeof *address;
    return listener->descriptor >= 0 &&
           getsockname(listener->descriptor, (struct sockaddr *)address, &size) == 0;
}

void listening_socket_retry(struct listening_socket *listener)
{
    if (!listener->paused || listener->descriptor < 0)
        return;
    if (listener->spare < 0)
        listener->spare = open_spare();
    listener->paused = uv_poll_start(&listener->poll, UV_READABLE, on_readable) != 0;
}

void listening_socket_close(struct listening_socket *listener)
{
    if (listener->descriptor < 0)
        return;
    if (!listener->is_joined)
        take_some(listener, backlog);
    uv_close((uv_handle_t *)&listener->poll, NULL);
    close(listener->descriptor);
    if (listener->spare >= 0)
        close(listener->spare);
    listener->descriptor = -1;
    listener->spare = -1;
}

void listening_socket_refuse(int descriptor)
{
    struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(descriptor);
}
