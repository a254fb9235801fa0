#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_STATE_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_ENGINE_STATE_H

#include "inventory/domain/inventory_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "inventory/infrastructure/embedded/reservation_lists.h"
#include "platform/base/hash_map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the engine keeps in memory: stock by SKU, pending reservations as their records, and for
 * every id it still knows where its record is. Everything here could be made again from the record
 * log. Nothing here does I/O or decides anything. Thread: the engine's.
 */

/* A place in one SKU's chain of records, so that a page far back is found without walking it all.
 */
struct sku_checkpoint {
    uint64_t position;
    uint64_t entry_number; /* entries before this record's */
};

struct sku {
    struct stock stock;
    uint64_t last_position; /* newest record that changed it */
    uint64_t entry_count;
    uint64_t record_count;
    struct sku_checkpoint *checkpoints; /* every sku_checkpoint_interval records */
    size_t checkpoint_count;
    size_t checkpoint_capacity;
    struct sku *smaller; /* the order by name (sku_order.h) */
    struct sku *larger;
    uint32_t priority;
    uint8_t name_size;
    char name[]; /* inventory_sku_bytes_max at most */
};
enum { sku_checkpoint_interval = 64 };

/* A pending reservation: its record as it stands in the log. */
struct held_reservation {
    int64_t expire_time_us;
    uint64_t position;        /* of its record */
    uint64_t create_position; /* of its first record; the same unless it was extended */
    uint32_t due_index;       /* its place in the heap of due times */
    uint32_t record_size;
    char record[];
};

/* Ids of different things never meet. */
enum id_space { ID_SPACE_RECEIPT, ID_SPACE_ADJUSTMENT, ID_SPACE_RESERVATION, ID_SPACE_RETURN };
enum { id_space_count = ID_SPACE_RETURN + 1 };

/* Where the record of an id is. Exactly one of the two is set. */
struct id_place {
    struct held_reservation *held;
    uint64_t position;
};

/* Positions of resolved records, oldest first; a list of chunks, so that 8 bytes an id are 8 bytes.
 */
struct position_chunk;
struct position_queue {
    struct position_chunk *first;
    struct position_chunk *last;
    size_t first_at;
    size_t last_at;
};

/* How long an id is kept after its end (DESIGN section 3 rule 1). */
enum retention_class { RETENTION_SHORT, RETENTION_LONG };
enum { retention_class_count = RETENTION_LONG + 1 };

struct engine_state {
    uint64_t hash_seed;
    struct hash_map skus;
    struct sku *sku_order; /* the same, by name */
    struct hash_map ids[id_space_count];
    struct held_reservation **due; /* binary heap by (expire_time, position) */
    size_t due_count;
    size_t due_capacity;
    struct position_queue retained[retention_class_count];
    struct position_chunk *spare_chunks;
    size_t spare_positions; /* room in spare chunks */
    struct reservation_lists lists;
};

/* Takes no memory but for the lists, which have to be opened. */
void engine_state_init(struct engine_state *state, uint64_t hash_seed);
void engine_state_deinit(struct engine_state *state);

/* The SKU, or NULL. */
struct sku *engine_state_sku(const struct engine_state *state, struct text name);

/* The SKU that follows a name in byte order, which need not be one; NULL behind the last. */
struct sku *engine_state_sku_after(const struct engine_state *state, struct text name);

/* Makes room for a new SKU and gives it, not yet known; NULL without memory. */
struct sku *engine_state_sku_create(struct engine_state *state, struct text name);
/* Makes it known. Cannot fail. */
void engine_state_sku_add(struct engine_state *state, struct sku *sku);
struct text sku_name(const struct sku *sku);

/* The SKU was changed by the record at `position`, with `entries` ledger entries. Cannot fail. */
void sku_changed(struct sku *sku, const struct stock *after, uint64_t position, size_t entries);

/* What the next record of this SKU must hold. */
struct sku_link sku_next_link(const struct sku *sku);

/* pending + retained, all spaces. */
size_t engine_state_id_count(const struct engine_state *state);

uint64_t engine_state_id_hash(const struct engine_state *state, struct text id);

/*
 * Makes room for one more id of any kind, for its heap place and for its later retention; false
 * without memory. After it, adding and resolving that id cannot fail.
 */
__attribute__((warn_unused_result)) bool engine_state_reserve_id(struct engine_state *state);

/* A held reservation with a copy of its record, not yet known; NULL without memory. */
struct held_reservation *held_reservation_create(struct text record);

/* Adds a pending reservation. Room was reserved. */
void engine_state_hold(struct engine_state *state, uint64_t id_hash, struct held_reservation *held);

/* It was resolved by the record at `position`: forgets `held` and releases it. */
void engine_state_resolve(struct engine_state *state, uint64_t id_hash,
                          struct held_reservation *held, uint64_t position,
                          enum retention_class retention);

/* It was extended: `extended` takes its place, with a later expire time; releases `held`. */
void engine_state_extend(struct engine_state *state, uint64_t id_hash,
                         struct held_reservation *held, struct held_reservation *extended);

/* It was resolved so long ago that its id is not kept: forgets all of it. */
void engine_state_drop(struct engine_state *state, uint64_t id_hash, struct held_reservation *held);

/*
 * The record of a resolved reservation is now the one at `position`. The place of the old record in
 * its queue stays, and stands for nothing any more.
 */
void engine_state_replace(struct engine_state *state, uint64_t id_hash, uint64_t old_position,
                          uint64_t position);

/* The record at `position` is to be looked at when its retention is over. Room was reserved. */
void engine_state_retain(struct engine_state *state, uint64_t position,
                         enum retention_class retention);

/* Adds an id at a record that is retained. Room was reserved. */
void engine_state_add_id(struct engine_state *state, enum id_space space, uint64_t id_hash,
                         uint64_t position);

/* Adds an id whose record is final at once: both. Room was reserved. */
void engine_state_add_final(struct engine_state *state, enum id_space space, uint64_t id_hash,
                            uint64_t position, enum retention_class retention);

/* The oldest retained position of a class; false if there is none. */
bool engine_state_oldest(const struct engine_state *state, enum retention_class retention,
                         uint64_t *position);

/* Drops it from its queue. */
void engine_state_pop_oldest(struct engine_state *state, enum retention_class retention);

/* Forgets the id if its record is still the one at `position`. */
void engine_state_forget(struct engine_state *state, enum id_space space, uint64_t id_hash,
                         uint64_t position);

/* The pending reservation that expires first, or NULL. */
struct held_reservation *engine_state_next_due(const struct engine_state *state);

/* Whether a record at such a place may be the one looked for; see hash_map_find. */
typedef bool id_place_equal_function(void *context, struct id_place place);

/* The place of an id; false if unknown. */
bool engine_state_find_id(const struct engine_state *state, enum id_space space, uint64_t id_hash,
                          id_place_equal_function *equal, void *context, struct id_place *place);

#endif
