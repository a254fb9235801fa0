#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_RPC_KIT_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_RPC_KIT_H

#include "tests/support/fulfillment/fulfillment_door.h"
#include "tests/support/rpc_memory_kit.h"

/* All of fulfillment behind its door, and a client of it, in one thread. */
struct fulfillment_rpc_kit {
    struct rpc_memory_kit rpc; /* first; the context of its trials is this kit */
    struct fulfillment_door_kit door;
    struct arena arena; /* for the test's requests */
    char cursor[512];   /* for the test: of a watcher's latest message */
};

/*
 * Fixtures: *state is the one kit, which is open; before, it is the kit's trial, or NULL. SIGPIPE
 * must be ignored.
 */
int fulfillment_rpc_kit_set_up(void **state);
int fulfillment_rpc_kit_tear_down(void **state);

#endif
