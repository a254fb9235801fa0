#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_RESERVATION_LISTS_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_RESERVATION_LISTS_H

#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/hash_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How ListReservations finds what it lists without memory for each reservation: the first record of
 * a reservation says how far back the one made before it is (of any, of its order, of its
 * customer), so the lists are chains through the log, newest first, and memory holds only where
 * each begins. Orders and customers share chains by a hash of their id; whoever walks one passes
 * over strangers.
 *
 * The number of buckets and the hash are fixed for the life of a store, for the chains in its log
 * were made by them.
 */
enum reservation_list { LIST_ANY, LIST_ORDER, LIST_CUSTOMER };

struct legacy_reservation;

struct reservation_lists {
    uint64_t newest; /* position of the newest first record; 0 = none */
    uint64_t *orders;
    uint64_t *customers; /* likewise, by bucket */
    uint32_t bucket_count;
    /* Records of version 1 say nothing of lists; what they would have said is kept here. */
    struct legacy_reservation *legacy;
    size_t legacy_count;
    size_t legacy_capacity;
};

/* Memory for the beginnings; false without. */
__attribute__((warn_unused_result)) bool reservation_lists_open(struct reservation_lists *lists,
                                                                uint32_t bucket_count);
void reservation_lists_close(struct reservation_lists *lists);

/* What the record of a new reservation at `position` has to say. */
struct reservation_links reservation_lists_links(const struct reservation_lists *lists,
                                                 const struct reservation *reservation,
                                                 uint64_t position);

/* A first record is in the log at `position`. Cannot fail. */
void reservation_lists_add(struct reservation_lists *lists, const struct reservation *reservation,
                           uint64_t position);

/*
 * The same for one of version 1, whose links are kept in memory; positions grow from call to call.
 * False without memory.
 */
__attribute__((warn_unused_result)) bool reservation_lists_add_legacy(
    struct reservation_lists *lists, const struct reservation *reservation, uint64_t position);

/* Where a list begins: of LIST_ORDER and LIST_CUSTOMER that of the id. 0 = it is empty. */
uint64_t reservation_lists_first(const struct reservation_lists *lists, enum reservation_list list,
                                 struct text id);

/* Where it goes on behind a first record, decoded, at `position`. 0 = that was the last. */
uint64_t reservation_lists_next(const struct reservation_lists *lists, enum reservation_list list,
                                const struct inventory_record *record, uint64_t position);

#endif
