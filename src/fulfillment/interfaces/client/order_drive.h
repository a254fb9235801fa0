#ifndef WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_DRIVE_H
#define WAYBILL_FULFILLMENT_INTERFACES_CLIENT_ORDER_DRIVE_H

#include "fulfillment/application/order_driver.h"
#include "fulfillment/interfaces/client/order_clients.h"

/*
 * The thread that drives orders: a loop with the driver, the clients of its services, and a timer
 * that tells the driver that time passes. Opened, started, stopped and closed by the main thread.
 */
struct order_drive;

struct order_drive_options {
    struct fulfillment_repository *repository; /* outlives it */
    struct order_clients_options clients;      /* but loop, clock and random */
    struct clock *clock;
    struct random *random;
};

/* Nothing runs yet, but jobs are taken. Errors: INVALID_SETTING, OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error order_drive_open(
    struct order_drive **drive, const struct order_drive_options *options);

struct order_driver *order_drive_driver(struct order_drive *drive);

/* OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error order_drive_start(struct order_drive *drive);

/* It begins nothing of itself any more; jobs are still taken. */
void order_drive_stop(struct order_drive *drive);

/*
 * Ends calls of services that are on their way as not answered, waits until no order is being
 * driven, and ends the thread. No jobs come any more; the repository still answers. NULL is
 * allowed.
 */
void order_drive_close(struct order_drive *drive);

#endif
