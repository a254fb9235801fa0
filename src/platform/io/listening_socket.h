#ifndef WAYBILL_PLATFORM_IO_LISTENING_SOCKET_H
#define WAYBILL_PLATFORM_IO_LISTENING_SOCKET_H

#include "platform/base/error.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

/*
 * A port that is listened on by one loop. What connects is taken a few a turn, so that who connects
 * without end cannot keep the loop from those who are connected; the rest waits in the kernel.
 * Thread: its loop's.
 */
struct listening_socket;

/* A connection, nonblocking, which becomes the callee's, and who is at its other end. */
typedef void listening_socket_accepted(void *context, int descriptor,
                                       const struct sockaddr_storage *peer);

struct listening_socket {
    uv_poll_t poll;
    int descriptor; /* negative = not listening */
    int spare;      /* kept for when no other descriptor is left */
    bool paused;
    bool is_joined; /* to a socket that goes on without us */
    listening_socket_accepted *accepted;
    void *context;
};

/*
 * Several loops share a port: the first one finds it free, even of other processes' sockets that
 * share it, the others join. Errors: NETWORK. Afterwards, whatever the result, _close ends it.
 */
struct error listening_socket_open(struct listening_socket *listener, uv_loop_t *loop,
                                   const struct sockaddr_storage *address, bool is_first,
                                   listening_socket_accepted *accepted, void *context);

/*
 * The same on a socket that listens already and stays the caller's; several loops may take from
 * one. What connects after _close waits in it.
 */
struct error listening_socket_join(struct listening_socket *listener, uv_loop_t *loop,
                                   int descriptor, listening_socket_accepted *accepted,
                                   void *context);

/* The address really listened on. False: it is not open. */
bool listening_socket_address(const struct listening_socket *listener,
                              struct sockaddr_storage *address);

/* From time to time: goes on after a lack of descriptors or memory. */
void listening_socket_retry(struct listening_socket *listener);

/* No further connections; those that wait are given first, unless the socket is the caller's.
 * Repeats are nothing. */
void listening_socket_close(struct listening_socket *listener);

/* Ends a connection just taken with a reset, the least that can be done about it. */
void listening_socket_refuse(int descriptor);

#endif
