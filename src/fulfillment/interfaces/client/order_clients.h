#ifndef WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENTS_H
#define WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_CLIENTS_H

#include "fulfillment/domain/order_services.h"
#include "platform/base/clock.h"
#include "platform/base/random.h"
#include "platform/resilience/dependency.h"

#include <stdbool.h>
#include <stdint.h>
struct uv_loop_s; /* uv_loop_t */

/*
 * The services of an order over gRPC: one client each, connected to another process, or by a pair
 * of sockets to the server of this one (docs/decisions/0007).
 *
 * Each call has a deadline and is repeated within it where that may help (every call acts once,
 * order_services.h); a breaker keeps calls from a service that does not answer, a bulkhead bounds
 * how many are on their way to it. What a service's answer means to an order is one table.
 *
 * Thread: the loop's, all of it.
 */
struct order_clients;

enum order_service {
    ORDER_SERVICE_INVENTORY,
    ORDER_SERVICE_WAREHOUSE,
    ORDER_SERVICE_SHIPPING,
    ORDER_SERVICE_TRACKING,
};
enum { order_service_count = ORDER_SERVICE_TRACKING + 1 };

const char *order_service_name(enum order_service service); /* "inventory" */

/* The longest that a call may take, with all its repeats; and one for which a carrier is asked. */
extern const int64_t order_clients_call_us_max;
extern const int64_t order_clients_carrier_call_us_max;

struct order_clients_options {
    struct uv_loop_s *loop;
    struct clock *clock;
    struct random *random;
    /* "HOST:PORT"; NULL = by `connect`. Live as long as the clients. */
    const char *servers[order_service_count];
    int (*connect)(void *context); /* as rpc_client_options.connect */
    void *connect_context;
    struct dependency_list *dependencies; /* "fulfillment.inventory", …; NULL = nowhere */
    int64_t parcel_grams_max;             /* what is heavier goes in several parcels */
    uint32_t calls_max;                   /* on their way to one service at once */
};

/* Errors: INVALID_SETTING (address), OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error order_clients_open(
    struct order_clients **clients, const struct order_clients_options *options);

/* Lives as long as the clients. */
struct order_services *order_clients_port(struct order_clients *clients);

/* Ends what is on its way as UNAVAILABLE; `closed` is called when all connections are gone. */
void order_clients_close(struct order_clients *clients, void (*closed)(void *context),
                         void *context);

/* After `closed`. NULL is allowed. */
void order_clients_destroy(struct order_clients *clients);

#endif
