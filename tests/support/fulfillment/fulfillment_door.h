#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_DOOR_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_DOOR_H

#include "fulfillment/application/order_driver.h"
#include "fulfillment/interfaces/rpc/fulfillment_rpc.h"
#include "platform/events/event_log.h"
#include "tests/support/fulfillment/fulfillment_kit.h"
#include "tests/support/fulfillment/order_world.h"
#include "tests/support/temporary_directory.h"

/*
 * All of fulfillment behind its door on the test's thread: use cases, driver, SQLite, against the
 * services of order_world.h, with watchers that read an event log (the hub has threads of its own).
 * Nothing happens but in fulfillment_door_work, and time passes only when the test says so. The
 * outbox is moved into the log when the test says so, too.
 *
 * The world answers out of memory that was put by, so that what fails for want of memory is never
 * the test's; that a client of a service has none is tried by an allocation in front of each call.
 */
struct fulfillment_door_kit {
    struct fulfillment_kit books; /* stepped */
    struct temporary_directory directory;
    struct event_log *log;
    struct random_seeded random;
    struct order_world world;
    struct order_services services; /* in front of the world */
    struct order_call *waiting;     /* for their answers, the latest first */
    struct arena world_arena;
    struct order_driver *driver;
    struct order_watch *watch;
    struct fulfillment_service service;
    struct fulfillment_door door;
};

void fulfillment_door_open(struct fulfillment_door_kit *kit);

/* No calls are under way any more at the server. */
void fulfillment_door_close(struct fulfillment_door_kit *kit);

/* Whatever can be done now is done; answers to calls are posted. */
void fulfillment_door_work(struct fulfillment_door_kit *kit);

/* Time passes until every order is at rest: leases that are left run out, pauses end. */
void fulfillment_door_settle(struct fulfillment_door_kit *kit);

/* The services begin anew, with full shelves. All orders are at rest. */
void fulfillment_door_restock(struct fulfillment_door_kit *kit);

/* As the relay: what is in the outbox goes into the log. */
void fulfillment_door_relay(struct fulfillment_door_kit *kit);

#endif
