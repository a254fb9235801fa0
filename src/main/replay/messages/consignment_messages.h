#ifndef WAYBILL_MAIN_REPLAY_MESSAGES_CONSIGNMENT_MESSAGES_H
#define WAYBILL_MAIN_REPLAY_MESSAGES_CONSIGNMENT_MESSAGES_H

#include "main/replay/state/replay_state.h"
#include "platform/base/arena.h"
#include "waybill/shipping/v1/shipping.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What leaves one warehouse for one order, as messages to the shipping service. Up to 20 parcels of
 * 70 kg go as parcels of equal weight; what is heavier goes as one piece of freight, which only the
 * tariff takes. A parcel is a cube at 250 kg/m³ (data/README.md). Thread: the loop's.
 */
enum { consignment_parcels_max = 20 };
static const int64_t consignment_parcel_grams_max = 70000;

struct consignment_line {
    uint32_t product;
    int64_t packs;
    int64_t pack_value_minor; /* in cents, at least 1 */
};

struct replay_consignment {
    uint32_t order;
    uint32_t part;      /* of the order's allocation, from 0 */
    uint32_t warehouse; /* of the places */
    struct consignment_line *lines;
    size_t line_count;
    int64_t grams;
    int64_t value_minor;
};

/*
 * Of one part of an order's allocation, as the warehouse service tells it; its lines on the arena.
 * Errors: PROTOCOL (a warehouse or product that is not of this replay), OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error replay_consignment_read(
    const struct replay *replay, uint32_t order, uint32_t part,
    const Waybill__Warehouse__V1__Allocation *allocation, struct arena *arena,
    struct replay_consignment *consignment);

bool replay_consignment_is_freight(const struct replay_consignment *consignment);

/* The carriers that may take so much: those of parcels, or the tariff. Lives as the replay. */
char **consignment_message_carriers(const struct replay *replay, int64_t grams, size_t *count);

/* What the whole order weighs. */
int64_t consignment_order_grams(const struct replay *replay, uint32_t order);

/* How many parcels it goes as: 1 for freight. */
size_t replay_consignment_parcels(const struct replay_consignment *consignment);

/* What the order's lines of that product pay for a pack, in cents, rounded half up; at least 1. */
int64_t consignment_pack_value_minor(const struct replay *replay, uint32_t order, uint32_t product);

/* Who receives the order, with a name and a street that carriers want. */
Waybill__Common__V1__Address *consignment_message_destination(const struct replay *replay,
                                                              uint32_t order, struct arena *arena);

/* On the arena; NULL without memory. */
Waybill__Shipping__V1__GetRatesRequest *consignment_message_rates(
    const struct replay *replay, const struct replay_consignment *consignment, struct arena *arena);

/* With the carrier and the service whose rate was taken. */
Waybill__Shipping__V1__CreateShipmentRequest *consignment_message_shipment(
    const struct replay *replay, const struct replay_consignment *consignment, const char *carrier,
    const char *service_code, struct arena *arena);

#endif
