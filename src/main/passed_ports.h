#ifndef WAYBILL_MAIN_PASSED_PORTS_H
#define WAYBILL_MAIN_PASSED_PORTS_H

#include "platform/base/error.h"
#include "platform/io/passed_sockets.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The sockets that a supervisor passed (platform/io/passed_sockets.h), by the port they are for:
 * those named "listen" and "operations". A single one with another name, or none, is for calls.
 * A port without passed sockets listens on its setting's address.
 */
struct passed_ports {
    int listen[passed_sockets_max];
    size_t listen_count;
    int operations[passed_sockets_max];
    size_t operations_count;
    bool all_loopback; /* those for calls */
};

/* Takes them, once a process. Error: INVALID_SETTING, with what is wrong about which. */
__attribute__((warn_unused_result)) struct error passed_ports_take(struct passed_ports *ports);

/* Whether there are any: somebody else keeps the sockets, and so callers can wait. */
bool passed_ports_any(const struct passed_ports *ports);

#endif
