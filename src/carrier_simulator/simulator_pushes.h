#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_PUSHES_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_PUSHES_H

#include "carrier_simulator/simulator_state.h"
#include "platform/http_client/http_client.h"

#include <uv.h>

/*
 * What happens to parcels is pushed to URL/ups, URL/fedex and URL/dhl as it happens: UPS with the
 * header `credential`, FedEx signed over the body (Base64 and hexadecimal by turns), DHL with
 * `x-dhl-token`. A push that is not answered 2xx is sent again, three times at most. By the rate of
 * faults one comes twice, or after later ones. Thread: the loop's.
 */
struct simulator_push {
    struct simulator_push *next;
    struct simulator_pushes *pushes;
    const struct simulator_shipment *shipment;
    size_t parcel;
    size_t step;
    int64_t due_us;
    int64_t event_time_us;
    unsigned attempts;
};

struct simulator_pushes {
    struct simulator *simulator;
    struct http_client *client;
    uv_timer_t timer;
    struct simulator_push *waiting;
    size_t looked_at; /* shipments before it have no step left */
    bool closing;
};

/* Nothing is pushed without options.push_url. */
void simulator_pushes_open(struct simulator_pushes *pushes, struct simulator *simulator,
                           struct http_client *client, uv_loop_t *loop);

/* After http_client_close; the timer is closed in the next turn of the loop. */
void simulator_pushes_close(struct simulator_pushes *pushes);

#endif
