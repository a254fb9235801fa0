#ifndef WAYBILL_TESTS_LOAD_LOAD_PEER_H
#define WAYBILL_TESTS_LOAD_LOAD_PEER_H

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A connection of a load generator: gRPC over HTTP/2 without TLS, the bytes of messages left to the
 * caller. Whatever goes wrong ends the process: a figure of half a run is none. Thread: one.
 */
struct load_peer {
    int socket;
    nghttp2_session *session;
    const uint8_t *pending; /* of nghttp2's, not yet sent */
    size_t pending_size;
};

/* Monotonic. */
uint64_t load_now_ns(void);

/* Says why on stderr and exits with 1. */
_Noreturn void load_give_up(const char *what, const char *why);

/* "127.0.0.1:7400". */
struct sockaddr_in load_address(const char *text);

/* Connects; the callbacks are the caller's, so is what they get as user data. */
void load_peer_open(struct load_peer *peer, const struct sockaddr_in *address,
                    const nghttp2_session_callbacks *callbacks, void *user);

/* Opens a call; the body is read by the provider. */
int32_t load_peer_call(struct load_peer *peer, const char *path, const char *authority,
                       const nghttp2_data_provider *body);

/* Sends and receives as much as goes without waiting. */
void load_peer_write(struct load_peer *peer);
void load_peer_read(struct load_peer *peer);

#endif
