#ifndef WAYBILL_SHIPPING_INTERFACES_WEBHOOKS_CARRIER_WEBHOOKS_H
#define WAYBILL_SHIPPING_INTERFACES_WEBHOOKS_CARRIER_WEBHOOKS_H

#include "platform/http/http_routes.h"
#include "shipping/application/shipping_service.h"

/* Those configured, and one for each that could be. */
enum { carrier_webhook_routes_max = shipping_carriers_max + 3 };

/*
 * POST /webhooks/CARRIER: what carriers push to us. 200 when it is durable, or was before; 401 when
 * it is not authentic; 404 when the carrier pushes but is not configured; 413 beyond
 * shipping_webhook_bytes_max; 503 when the store does not take it, so that the carrier sends it
 * again. Reading it comes after.
 */
struct carrier_webhooks {
    struct carrier_webhook_route {
        struct shipping_service *service;
        char carrier[carrier_name_size];
        char path[carrier_name_size + 16];
    } carriers[carrier_webhook_routes_max];
    struct http_route routes[carrier_webhook_routes_max];
    size_t count;
};

/* A route for each carrier that pushes or would. It and the service must outlive the server. */
void carrier_webhooks_init(struct carrier_webhooks *webhooks, struct shipping_service *service,
                           struct carrier *const *carriers, size_t carrier_count);

#endif
