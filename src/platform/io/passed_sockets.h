#ifndef WAYBILL_PLATFORM_IO_PASSED_SOCKETS_H
#define WAYBILL_PLATFORM_IO_PASSED_SOCKETS_H

#include "platform/base/error.h"

#include <stddef.h>
#include <sys/socket.h>

/*
 * Listening sockets that whoever started this process has opened for it and keeps: systemd's socket
 * activation (sd_listen_fds(3)). LISTEN_FDS says how many descriptors there are from 3 on,
 * LISTEN_PID for which process, LISTEN_FDNAMES their names, with ':' between. Because the other
 * side keeps them, connections wait in their queues while nobody runs.
 */
enum { passed_sockets_max = 16, passed_socket_name_bytes_max = 256 };

struct passed_socket {
    int descriptor;                              /* closed by exec; nobody closes it here */
    char name[passed_socket_name_bytes_max + 1]; /* "" = none was given */
    struct sockaddr_storage address;
};

struct passed_sockets {
    size_t count;
    struct passed_socket all[passed_sockets_max];
};

/*
 * Takes what was passed and removes the variables, so that no child process takes it too. Nothing
 * passed, or passed to another process: none. Error: INVALID_SETTING, for variables that cannot be
 * meant and for a descriptor that is no listening TCP socket, by its number and name.
 * Thread: the main thread, before there are others: it changes the environment.
 */
__attribute__((warn_unused_result)) struct error passed_sockets_take(
    struct passed_sockets *sockets);

#endif
