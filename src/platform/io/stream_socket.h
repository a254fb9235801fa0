#ifndef WAYBILL_PLATFORM_IO_STREAM_SOCKET_H
#define WAYBILL_PLATFORM_IO_STREAM_SOCKET_H

#include "platform/base/buffer.h"
#include "platform/base/text.h"
#include "platform/io/tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

/*
 * One connection, plain or in TLS, of a server or a client. Its owner has it as first member,
 * gives bytes when `in_write` is false, and is told what comes. Nothing is kept for an idle one:
 * what the socket does not take at once is copied and written when there is room.
 * Thread: its loop's.
 */
struct stream_socket;

struct stream_socket_table {
    /* The connection is there, with TLS secured: stream_socket_protocol is known. */
    void (*ready)(struct stream_socket *socket);
    /* Bytes from the peer, alive until this returns. It may close the socket. */
    void (*received)(struct stream_socket *socket, struct text bytes);
    /* What was sent has left: more may be given. */
    void (*writable)(struct stream_socket *socket);
    /* The peer has ended, or the connection is broken (why: for people). Close it. */
    void (*lost)(struct stream_socket *socket, const char *why);
    /* The last of all: its memory may be released. */
    void (*closed)(struct stream_socket *socket);
};

struct stream_socket {
    uv_tcp_t tcp;
    uv_write_t write;
    uv_connect_t connect;
    uv_shutdown_t shutdown;
    const struct stream_socket_table *table;
    char *scratch; /* where reads go; shared by all of the loop */
    size_t scratch_size;
    SSL *tls;              /* NULL = plain */
    struct buffer writing; /* given to libuv */
    bool is_ready;
    bool more;     /* of what was read with these bytes will be given at once */
    bool in_write; /* give nothing now */
    bool closing;
};

enum { stream_socket_bytes_max = 96 * 1024 * 1024 };

/* All below give 0 or a libuv error. After a successful init only _close ends it. */
int stream_socket_init(struct stream_socket *socket, uv_loop_t *loop,
                       const struct stream_socket_table *table, char *scratch, size_t scratch_size);

/* Takes a connection that a listening_socket gave, which becomes its own, whatever the result.
 * `identity` NULL = plain. `ready` follows, later or at once. */
int stream_socket_accept(struct stream_socket *socket, int descriptor,
                         struct tls_identity *identity);

/* The same for a connected socket of any family (one of a pair), always plain. */
int stream_socket_adopt(struct stream_socket *socket, int descriptor);

/* Connects; `ready` or `lost` follows. */
int stream_socket_connect(struct stream_socket *socket, const struct sockaddr *address,
                          struct tls_identity *identity, const char *server_name);

/* Whether bytes are wanted now; they are from the start. */
void stream_socket_read(struct stream_socket *socket, bool wanted);

/* Sends all of it; `in_write` afterwards tells that some of it waits. False: broken, close it. */
__attribute__((warn_unused_result)) bool stream_socket_send(struct stream_socket *socket,
                                                            struct text bytes);

/*
 * Nothing more will be sent: the peer sees the end behind all that was. `lost` follows when it has
 * ended, too; until then what it still sends can be read and thrown away. Closing at once instead
 * would break the connection, and the peer could lose what it has not read yet (RFC 9112 section
 * 9.6). `in_write` must be false. False: broken, close it.
 */
__attribute__((warn_unused_result)) bool stream_socket_finish(struct stream_socket *socket);

/* In `lost`: whether TLS failed because the peer's certificate is not believed. */
bool stream_socket_is_distrusted(const struct stream_socket *socket);

/* By ALPN: "h2", "http/1.1"; empty when plain. */
struct text stream_socket_protocol(const struct stream_socket *socket);

/* Ends it; with TLS a close_notify is tried. `closed` follows. Repeats are nothing. */
void stream_socket_close(struct stream_socket *socket);

#endif
