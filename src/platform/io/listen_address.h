#ifndef WAYBILL_PLATFORM_IO_LISTEN_ADDRESS_H
#define WAYBILL_PLATFORM_IO_LISTEN_ADDRESS_H

#include "platform/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Addresses as people write them: "HOST:PORT", "[::1]:PORT"; port 0 = any free one. Any thread. */
enum { listen_address_bytes_max = 64 };

/* Resolves; blocks as getaddrinfo does. INVALID_SETTING with what is wrong. */
struct error listen_address_resolve(const char *text, struct sockaddr_storage *address);

/* The numeric form. `out` has room for listen_address_bytes_max. */
void listen_address_format(const struct sockaddr_storage *address, char *out);

/* Whether only this machine can reach it: 127.0.0.0/8, ::1, and the first mapped into IPv6. */
bool listen_address_is_loopback(const struct sockaddr_storage *address);

#endif
