#ifndef WAYBILL_SHIPPING_APPLICATION_RATE_ID_H
#define WAYBILL_SHIPPING_APPLICATION_RATE_ID_H

#include "platform/base/arena.h"
#include "shipping/domain/consignment.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A rate that its own caller carries: carrier, service, amount, end and a hash of the facts that it
 * was given for, sealed by HMAC-SHA256, so that nothing need be stored. No secret is in it. Pure.
 */
struct rate_offer {
    struct text carrier;
    struct text service_code;
    struct shipping_money amount;
    int64_t expire_time_us;
    char facts[32]; /* consignment_hash */
};

/* URL-safe Base64, at most shipping_rate_id_bytes_max; data is NULL without memory. */
struct text rate_id_seal(struct arena *arena, const struct rate_offer *offer, const char key[32]);

/*
 * False: it has another key's seal, or was bent, or is of nobody's making. Texts are on the arena;
 * without memory it is false, too, and arena->refused.
 */
bool rate_id_open(struct arena *arena, struct text rate_id, const char key[32],
                  struct rate_offer *offer);

#endif
