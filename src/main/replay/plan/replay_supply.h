#ifndef WAYBILL_MAIN_REPLAY_PLAN_REPLAY_SUPPLY_H
#define WAYBILL_MAIN_REPLAY_PLAN_REPLAY_SUPPLY_H

#include "main/replay/data/replay_places.h"
#include "platform/base/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What lies where before the first order comes: exactly what all orders need. Goods that were
 * dropped directly lie at their site; what came from a distribution centre lies in equal shares in
 * all of them (the first ones take the rest), since the data does not say in which.
 * A pure function of data set and places; read only after the making.
 */
struct replay_delivery {
    uint32_t warehouse; /* of the places */
    uint32_t product;
    int64_t packs;
};

struct replay_supply {
    struct replay_delivery *deliveries; /* by warehouse, then product; none of 0 packs */
    size_t delivery_count;
};

/* Error: OUT_OF_MEMORY, then there is nothing to release. */
struct error replay_supply_init(struct replay_supply *supply, const struct data_set *data_set,
                                const struct replay_places *places);
void replay_supply_deinit(struct replay_supply *supply);

#endif
