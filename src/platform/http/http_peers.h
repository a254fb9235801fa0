#ifndef WAYBILL_PLATFORM_HTTP_HTTP_PEERS_H
#define WAYBILL_PLATFORM_HTTP_HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * What each address has: connections, so that one peer cannot take them all, and points of abuse,
 * which outlive the connections they were made on, so that one who floods does not get a new budget
 * by connecting anew. Of IPv6 an address is its network of 64 bits, which is what one customer is
 * given (RFC 6177).
 *
 * Points run off at a rate. Who has more than http_peer_points_max is barred until it has half as
 * many: at 500 a second for 8 to 10 seconds, since no more than http_peer_points_kept_max are kept.
 * Connections cost none, and what goes well takes points back: many clients behind one address are
 * judged by what goes wrong beyond what goes well.
 *
 * Memory: an entry an address that has connections, and a table of fixed size for points; the
 * fewest make room for more. Thread: any.
 */
struct http_peers;
struct http_peer;

enum {
    http_peer_points_max = 8000,     /* what four connections may spend */
    http_peer_points_kept_max = 9000 /* more are not counted, so that a bar has an end */
};

struct http_peers_options {
    uint32_t connections_max;   /* of one address; 0 = no limit */
    uint32_t points_per_second; /* that run off; 0 = points are not counted */
};

enum http_peers_verdict {
    HTTP_PEERS_WELCOME,
    HTTP_PEERS_FULL,   /* has as many connections as it may, or there is no memory */
    HTTP_PEERS_BARRED, /* has overspent */
};

/* NULL without memory. */
struct http_peers *http_peers_create(const struct http_peers_options *options);
void http_peers_destroy(struct http_peers *peers);

/* One more connection of that address, if it is welcome; then *peer is to leave. */
enum http_peers_verdict http_peers_enter(struct http_peers *peers,
                                         const struct sockaddr_storage *address, int64_t now_us,
                                         struct http_peer **peer);

/* Adds points; negative ones are taken back. Whether it is barred now. */
bool http_peers_blame(struct http_peers *peers, const struct http_peer *peer, int32_t points,
                      int64_t now_us);

/* One less. NULL is allowed. */
void http_peers_leave(struct http_peers *peers, struct http_peer *peer);

#endif
