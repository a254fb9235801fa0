#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_INVENTORY_WORKLOAD_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_INVENTORY_WORKLOAD_H

#include "inventory/domain/limits.h"
#include "platform/base/random.h"
#include "tests/support/inventory/inventory_call.h"

#include <stdint.h>

/*
 * Questions that look for trouble: few SKUs and ids, so that they collide; quantities and times at
 * their bounds; questions asked before, word for word or with one word changed; commits of lines
 * that are held, nearly held and not held. All of it from one source of randomness.
 */
enum { workload_skus_max = 16, workload_memory = 64 };

/* A question that was asked, with its own texts and lines. */
struct remembered_question {
    struct inventory_question question;
    char id[inventory_id_bytes_max + 1];
    char reservation_id[inventory_id_bytes_max + 1];
    char note[inventory_note_bytes_max + 1];
    char order_id[inventory_id_bytes_max + 1];
    char customer_id[inventory_id_bytes_max + 1];
    char after_sku[inventory_sku_bytes_max + 1];
    struct quantity_line lines[inventory_lines_max];
};

struct inventory_workload {
    struct random *random;
    size_t sku_count;   /* of those that are ever received */
    uint64_t newest_id; /* ids are drawn from a window that moves on */
    uint64_t id_window;
    unsigned reserve_weight; /* of 100; the mix differs from seed to seed */
    unsigned read_weight;
    bool is_large;     /* quantities near the limits */
    bool has_policies; /* policies are set now and then */
    size_t unreceived; /* SKUs that get a receipt before anything else is asked */
    size_t fill_left;  /* receipts that first bring one SKU near its limit */
    bool is_fed;       /* on hand follows a shelf; whoever asks sets it, and the store's source */
    uint64_t shelf_position;
    bool is_filled; /* that was to be done */
    int64_t ttl_us_typical;
    int64_t revisions[workload_skus_max]; /* as last seen */
    struct remembered_question memory[workload_memory];
    size_t remembered;
    struct remembered_question present;
};

/* Draws what this seed is like; `is_fed` 's chance is one in six. */
void inventory_workload_init(struct inventory_workload *workload, struct random *random);

/*
 * The next question; it lives until the next call. Lines are not in normal form (a SKU may come
 * twice, in any order) unless `normal`.
 */
const struct inventory_question *inventory_workload_next(struct inventory_workload *workload,
                                                         bool normal);

/* Lets later questions know what an answer told. */
void inventory_workload_observe(struct inventory_workload *workload,
                                const struct inventory_call *call);

/* The names of SKUs; the last one is never received. */
const char *inventory_workload_sku(size_t index);

#endif
