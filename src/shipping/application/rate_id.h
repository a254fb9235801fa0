#ifndef WAYBILL_SHIPPING_APPLICATION_RATE_ID_H
#define WAYBILL_SHIPPING_APPLICATION_RATE_ID_H

#include "platform/base/arena.h"
#include "shipping/domain/shipment.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A rate that its own caller carries: carrier, service, amount, end and the facts that it was given
 * for (as hashes), sealed by HMAC-SHA256, so that nothing need be stored. No secret is in it. Pure.
 */
struct rate_offer {
    struct text carrier;
    struct text service_code;
    struct shipping_money amount;
    int64_t expire_time_us;
    struct consignment_facts facts;
};

/* The key, as the two states of SHA-256 that HMAC begins with (RFC 2104). Fixed: any thread. */
struct rate_sealer {
    SHA256_CTX inner;
    SHA256_CTX outer;
};

void rate_sealer_init(struct rate_sealer *sealer, const char key[32]);

/*
 * URL-safe Base64 with a NUL behind it, at most shipping_rate_id_bytes_max; data is NULL without
 * memory.
 */
struct text rate_id_seal(struct arena *arena, const struct rate_offer *offer,
                         const struct rate_sealer *sealer);

enum rate_id_verdict {
    RATE_ID_OPENED,
    RATE_ID_OUTDATED, /* our seal, but in the form of an earlier release: ask for new rates */
    RATE_ID_ALIEN,    /* another key's seal, or bent, or of nobody's making; also without memory */
};

/* Texts are on the arena; arena->refused tells a lack of memory. */
enum rate_id_verdict rate_id_open(struct arena *arena, struct text rate_id,
                                  const struct rate_sealer *sealer, struct rate_offer *offer);

#endif
