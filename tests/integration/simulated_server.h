#ifndef WAYBILL_TESTS_INTEGRATION_SIMULATED_SERVER_H
#define WAYBILL_TESTS_INTEGRATION_SIMULATED_SERVER_H

#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_model.h"

#include "platform/base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A server and the network before it, in the process of the test: the real RPC handlers and use
 * cases over the model of inventory, on a fake clock. This file takes the place of
 * platform/rpc/client/client.c: whoever makes a client while a simulated server exists talks to it.
 *
 * Every call is answered from the loop, in random order, after random time. By chance the answer is
 * lost, or the request, or both; or the request arrives long after the client was told that it is
 * lost. Thread: one. Without memory it aborts.
 */
struct simulated_server_options {
    uint64_t seed;
    uint32_t fault_percent; /* of the calls */
    uint32_t gap_per_mille; /* of the calls: 20 minutes pass, or the machines sleep for a day */
};

struct simulated_server;

struct simulated_server *simulated_server_create(const struct simulated_server_options *options);
void simulated_server_destroy(struct simulated_server *server);

struct clock *simulated_server_clock(struct simulated_server *server);
struct inventory_model *simulated_server_model(struct simulated_server *server);

/*
 * After that many more calls the client is dead: some of its calls still arrive, none is answered
 * but with CANCELLED, which ends its replay. UINT64_MAX = it lives.
 */
void simulated_server_kill_client_after(struct simulated_server *server, uint64_t calls);

/* What was on its way arrives or is lost; then time passes. For between two clients. */
void simulated_server_pass_time(struct simulated_server *server, int64_t duration_us);

/* Calls taken so far. */
uint64_t simulated_server_calls(const struct simulated_server *server);

#endif
