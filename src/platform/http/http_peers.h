#ifndef WAYBILL_PLATFORM_HTTP_HTTP_PEERS_H
#define WAYBILL_PLATFORM_HTTP_HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* How many connections each address has, so that one peer cannot take them all. Thread: any. */
struct http_peers;
struct http_peer;

/* NULL without memory. */
struct http_peers *http_peers_create(uint32_t connections_max);
void http_peers_destroy(struct http_peers *peers);

/* One more connection of that address; NULL if it has as many as it may, or without memory. */
struct http_peer *http_peers_enter(struct http_peers *peers,
                                   const struct sockaddr_storage *address);

/* One less. NULL is allowed. */
void http_peers_leave(struct http_peers *peers, struct http_peer *peer);

#endif
