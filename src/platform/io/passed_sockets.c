/*
 * Reads the three variables, looks at each descriptor, and says of a wrong one what it is instead.
 * A failure leaves the descriptors open: the process ends over it.
 */
#include "platform/io/passed_sockets.h"

#include "platform/base/text.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { descriptor_first = 3 }; /* SD_LISTEN_FDS_START */

static const char names_variable[] = "LISTEN_FDNAMES";

/* What it is instead of a listening TCP socket; NULL = it is one. */
static const char *objection_to(int descriptor, struct sockaddr_storage *address)
{
    int type = 0;
    int listens = 0;
    socklen_t size = sizeof type;
    if (fcntl(descriptor, F_GETFD) < 0)
        return "it is not open";
    if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0)
        return "it is no socket";
    size = sizeof *address;
    if (getsockname(descriptor, (struct sockaddr *)address, &size) != 0)
        return "it has no address";
    if (address->ss_family == AF_UNIX)
        return "it is a Unix socket";
    if (address->ss_family != AF_INET && address->ss_family != AF_INET6)
        return "it is of another address family";
    if (type != SOCK_STREAM)
        return "it is a socket for datagrams";
    size = sizeof listens;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        return "it does not listen (Accept=no in the socket's unit)";
    return NULL;
}

static struct error take_socket(struct passed_socket *socket, int descriptor)
{
    socket->descriptor = descriptor;
    const char *objection = objection_to(descriptor, &socket->address);
    if (objection != NULL)
        return error_make(ERROR_INVALID_SETTING,
                          "descriptor %d (\"%.100s\"), passed by LISTEN_FDS: a listening TCP "
                          "socket is wanted, %s",
                          descriptor, socket->name, objection);
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
        return error_make(ERROR_INTERNAL, "descriptor %d", descriptor);
    return error_none();
}

/* Deals the names out; there must be one a socket. */
static struct error read_names(struct passed_sockets *sockets, const char *names)
{
    size_t count = 0;
    for (const char *at = names; at != NULL; count++) {
        const char *colon = strchr(at, ':');
        size_t size = colon == NULL ? strlen(at) : (size_t)(colon - at);
        if (size > passed_socket_name_bytes_max)
            return error_make(ERROR_INVALID_SETTING, "%s: a name ends at %d bytes", names_variable,
                              passed_socket_name_bytes_max);
        if (count < sockets->count)
            memcpy(sockets->all[count].name, at, size);
        at = colon == NULL ? NULL : colon + 1;
    }
    if (names == NULL || count == sockets->count)
        return error_none();
    return error_make(ERROR_INVALID_SETTING, "%s has %zu names for %zu sockets", names_variable,
                      count, sockets->count);
}

static struct error take(struct passed_sockets *sockets, const char *process, const char *count,
                         const char *names)
{
    int64_t number;
    if (process == NULL || count == NULL)
        return error_none();
    if (!text_to_int64(text_of(process), &number))
        return error_make(ERROR_INVALID_SETTING, "LISTEN_PID: %.100s is no process", process);
    if (number != getpid())
        return error_none();
    if (!text_to_int64(text_of(count), &number) || number < 0 || number > passed_sockets_max)
        return error_make(ERROR_INVALID_SETTING,
                          "LISTEN_FDS: %.100s: a whole number from 0 to %d is wanted", count,
                          passed_sockets_max);
    sockets->count = (size_t)number;
    struct error error = number == 0 ? error_none() : read_names(sockets, names);
    for (size_t i = 0; i < sockets->count && !error_is(error); i++)
        error = take_socket(&sockets->all[i], descriptor_first + (int)i);
    return error;
}

struct error passed_sockets_take(struct passed_sockets *sockets)
{
    *sockets = (struct passed_sockets){0};
    struct error error =
        take(sockets, getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getenv(names_variable));
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv(names_variable);
    return error;
}
