#ifndef WAYBILL_FULFILLMENT_APPLICATION_FULFILLMENT_SERVICE_H
#define WAYBILL_FULFILLMENT_APPLICATION_FULFILLMENT_SERVICE_H

#include "fulfillment/application/order_driver.h"
#include "platform/base/violations.h"

/*
 * The use cases: what a request must be, then to whom it goes. Changes of an order go to the
 * driver, reads to the repository. False: refused, every violation of every field is told; nothing
 * else happens then. Any thread.
 */
struct fulfillment_service {
    struct fulfillment_repository *repository;
    struct order_driver *driver;
};

/*
 * Brings the request into normal form: lines summed by SKU and sorted, carriers sorted, defaults
 * filled in, goods_minor. `currencies` are those of the lines' unit values, "" = none given.
 */
__attribute__((warn_unused_result)) bool fulfillment_service_promise(
    struct fulfillment_service *service, struct order *request, const char (*currencies)[4],
    struct order_job *job, struct violations *violations, order_job_done *done);

/* CONFIRM and CANCEL, by job->kind. */
__attribute__((warn_unused_result)) bool fulfillment_service_change(
    struct fulfillment_service *service, struct order_job *job, struct violations *violations,
    order_job_done *done);

__attribute__((warn_unused_result)) bool fulfillment_service_get(
    struct fulfillment_service *service, struct get_order_command *command,
    struct violations *violations, fulfillment_done *done);

/* page_size as given: 0 becomes the default. */
__attribute__((warn_unused_result)) bool fulfillment_service_list(
    struct fulfillment_service *service, struct list_orders_command *command, int64_t page_size,
    int64_t state, struct violations *violations, fulfillment_done *done);

/* Whether it is an order's id; else a violation. */
bool fulfillment_check_order_id(struct violations *violations, struct text order_id);

#endif
