/*
 * Hash maps, a heap and queues. All that can fail for want of memory is asked for before a decision
 * (…_create, …_reserve_id); what follows a decision cannot fail.
 *
 * A value of an id map is a pointer to a held reservation, or a position in the log with the top
 * bit set, which no pointer of a user process has.
 */
#include "inventory/infrastructure/embedded/engine_state.h"

#include "inventory/infrastructure/embedded/sku_order.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

enum { chunk_positions = 1022 };

struct position_chunk {
    struct position_chunk *next;
    uint64_t positions[chunk_positions];
};

static const uint64_t position_bit = UINT64_C(1) << 63;

static uint64_t value_of_position(uint64_t position)
{
    return position | position_bit;
}

static uint64_t value_of_held(const struct held_reservation *held)
{
    return (uint64_t)(uintptr_t)held;
}

static struct id_place place_of_value(uint64_t value)
{
    if (value & position_bit)
        return (struct id_place){.position = value & ~position_bit};
    return (struct id_place){.held = (struct held_reservation *)(uintptr_t)value};
}

static struct sku *sku_of_value(uint64_t value)
{
    return (struct sku *)(uintptr_t)value;
}

void engine_state_init(struct engine_state *state, uint64_t hash_seed)
{
    *state = (struct engine_state){.hash_seed = hash_seed};
}

static void release_chunks(struct position_chunk *chunk)
{
    while (chunk != NULL) {
        struct position_chunk *next = chunk->next;
        memory_release(chunk);
        chunk = next;
    }
}

void engine_state_deinit(struct engine_state *state)
{
    size_t cursor = 0;
    uint64_t value;
    while (hash_map_next(&state->skus, &cursor, &value)) {
        memory_release(sku_of_value(value)->checkpoints);
        memory_release(sku_of_value(value));
    }
    hash_map_deinit(&state->skus);
    for (size_t i = 0; i < id_space_count; i++)
        hash_map_deinit(&state->ids[i]);
    for (size_t i = 0; i < state->due_count; i++)
        memory_release(state->due[i]);
    memory_release(state->due);
    for (size_t i = 0; i < retention_class_count; i++)
        release_chunks(state->retained[i].first);
    release_chunks(state->spare_chunks);
    reservation_lists_close(&state->lists);
    *state = (struct engine_state){0};
}

/* --- SKUs --- */

struct text sku_name(const struct sku *sku)
{
    return text_make(sku->name, sku->name_size);
}

static bool sku_has_name(void *context, uint64_t value)
{
    return text_equal(sku_name(sku_of_value(value)), *(struct text *)context);
}

struct sku *engine_state_sku(const struct engine_state *state, struct text name)
{
    uint64_t value;
    if (!hash_map_find(&state->skus, hash_text(state->hash_seed, name), sku_has_name, &name,
                       &value))
        return NULL;
    return sku_of_value(value);
}

struct sku *engine_state_sku_create(struct engine_state *state, struct text name)
{
    CHECK(name.size <= inventory_sku_bytes_max);
    if (!hash_map_reserve(&state->skus, 1))
        return NULL;
    struct sku *sku = memory_allocate_zero(1, sizeof *sku + name.size);
    if (sku == NULL)
        return NULL;
    sku->name_size = (uint8_t)name.size;
    memcpy(sku->name, name.data, name.size);
    return sku;
}

void engine_state_sku_add(struct engine_state *state, struct sku *sku)
{
    uint64_t hash = hash_text(state->hash_seed, sku_name(sku));
    hash_map_add(&state->skus, hash, (uint64_t)(uintptr_t)sku);
    sku->priority = (uint32_t)(hash >> 32);
    sku_order_add(&state->sku_order, sku);
}

struct sku *engine_state_sku_after(const struct engine_state *state, struct text name)
{
    return sku_order_after(state->sku_order, name);
}

/* A checkpoint that finds no memory is left out: pages are then found by a longer walk. */
static void sku_add_checkpoint(struct sku *sku, uint64_t position)
{
    if (sku->checkpoint_count == sku->checkpoint_capacity) {
        size_t capacity = sku->checkpoint_capacity == 0 ? 4 : sku->checkpoint_capacity * 2;
        struct sku_checkpoint *larger =
            memory_reallocate(sku->checkpoints, capacity * sizeof *larger);
        if (larger == NULL)
            return;
        sku->checkpoints = larger;
        sku->checkpoint_capacity = capacity;
    }
    sku->checkpoints[sku->checkpoint_count++] =
        (struct sku_checkpoint){.position = position, .entry_number = sku->entry_count};
}

void sku_changed(struct sku *sku, const struct stock *after, uint64_t position, size_t entries)
{
    sku->stock = *after;
    sku->record_count++;
    if (sku->record_count % sku_checkpoint_interval == 0)
        sku_add_checkpoint(sku, position);
    sku->last_position = position;
    sku->entry_count += entries;
}

struct sku_link sku_next_link(const struct sku *sku)
{
    return (struct sku_link){
        .previous_position = sku->last_position,
        .entry_number = sku->entry_count,
    };
}

/* --- the heap of due times --- */

static bool is_due_before(const struct held_reservation *a, const struct held_reservation *b)
{
    if (a->expire_time_us != b->expire_time_us)
        return a->expire_time_us < b->expire_time_us;
    return a->position < b->position;
}

static void due_place(struct engine_state *state, size_t at, struct held_reservation *held)
{
    state->due[at] = held;
    held->due_index = (uint32_t)at;
}

static void due_rise(struct engine_state *state, size_t at, struct held_reservation *held)
{
    while (at > 0 && is_due_before(held, state->due[(at - 1) / 2])) {
        due_place(state, at, state->due[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    due_place(state, at, held);
}

static void due_sink(struct engine_state *state, size_t at, struct held_reservation *held)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= state->due_count)
            break;
        if (child + 1 < state->due_count && is_due_before(state->due[child + 1], state->due[child]))
            child++;
        if (!is_due_before(state->due[child], held))
            break;
        due_place(state, at, state->due[child]);
        at = child;
    }
    due_place(state, at, held);
}

static void due_remove(struct engine_state *state, const struct held_reservation *held)
{
    size_t at = held->due_index;
    struct held_reservation *moved = state->due[--state->due_count];
    if (moved == held)
        return;
    if (at > 0 && is_due_before(moved, state->due[(at - 1) / 2]))
        due_rise(state, at, moved);
    else
        due_sink(state, at, moved);
}

struct held_reservation *engine_state_next_due(const struct engine_state *state)
{
    return state->due_count == 0 ? NULL : state->due[0];
}

/* --- queues of retained positions --- */

static void position_queue_push(struct engine_state *state, struct position_queue *queue,
                                uint64_t position)
{
    if (queue->first == queue->last && queue->first_at == queue->last_at) {
        queue->first_at = 0; /* empty: its chunk, if any, starts anew */
        queue->last_at = 0;
    }
    if (queue->last == NULL || queue->last_at == chunk_positions) {
        struct position_chunk *chunk = state->spare_chunks;
        CHECK(chunk != NULL);
        state->spare_chunks = chunk->next;
        state->spare_positions -= chunk_positions;
        chunk->next = NULL;
        if (queue->last == NULL)
            queue->first = chunk;
        else
            queue->last->next = chunk;
        queue->last = chunk;
        queue->last_at = 0;
    }
    queue->last->positions[queue->last_at++] = position;
}

bool engine_state_oldest(const struct engine_state *state, enum retention_class retention,
                         uint64_t *position)
{
    const struct position_queue *queue = &state->retained[retention];
    if (queue->first == NULL || (queue->first == queue->last && queue->first_at == queue->last_at))
        return false;
    *position = queue->first->positions[queue->first_at];
    return true;
}

static void position_queue_pop(struct engine_state *state, struct position_queue *queue)
{
    queue->first_at++;
    if (queue->first_at < chunk_positions || queue->first == queue->last)
        return;
    struct position_chunk *empty = queue->first;
    queue->first = empty->next;
    queue->first_at = 0;
    empty->next = state->spare_chunks;
    state->spare_chunks = empty;
    state->spare_positions += chunk_positions;
}

/*
 * Each pending reservation will need one position, in either class. A class can waste at most the
 * rest of one chunk, so one chunk a class beyond the count is always enough.
 */
static bool reserve_positions(struct engine_state *state)
{
    size_t needed = state->due_count + 1 + retention_class_count * chunk_positions;
    while (state->spare_positions < needed) {
        struct position_chunk *chunk = memory_allocate(sizeof *chunk);
        if (chunk == NULL)
            return false;
        chunk->next = state->spare_chunks;
        state->spare_chunks = chunk;
        state->spare_positions += chunk_positions;
    }
    return true;
}

/* --- ids --- */

size_t engine_state_id_count(const struct engine_state *state)
{
    size_t count = 0;
    for (size_t i = 0; i < id_space_count; i++)
        count += state->ids[i].count;
    return count;
}

uint64_t engine_state_id_hash(const struct engine_state *state, struct text id)
{
    return hash_text(state->hash_seed, id);
}

bool engine_state_reserve_id(struct engine_state *state)
{
    for (size_t i = 0; i < id_space_count; i++) {
        if (!hash_map_reserve(&state->ids[i], 1))
            return false;
    }
    if (state->due_count == state->due_capacity) {
        size_t capacity = state->due_capacity == 0 ? 64 : state->due_capacity * 2;
        struct held_reservation **larger =
            memory_reallocate(state->due, capacity * sizeof(struct held_reservation *));
        if (larger == NULL)
            return false;
        state->due = larger;
        state->due_capacity = capacity;
    }
    return reserve_positions(state);
}

struct held_reservation *held_reservation_create(struct text record)
{
    struct held_reservation *held = memory_allocate(sizeof *held + record.size);
    if (held == NULL)
        return NULL;
    held->record_size = (uint32_t)record.size;
    memcpy(held->record, record.data, record.size);
    return held;
}

void engine_state_hold(struct engine_state *state, uint64_t id_hash, struct held_reservation *held)
{
    CHECK(state->due_count < state->due_capacity);
    hash_map_add(&state->ids[ID_SPACE_RESERVATION], id_hash, value_of_held(held));
    state->due_count++;
    due_rise(state, state->due_count - 1, held);
}

void engine_state_resolve(struct engine_state *state, uint64_t id_hash,
                          struct held_reservation *held, uint64_t position,
                          enum retention_class retention)
{
    hash_map_replace(&state->ids[ID_SPACE_RESERVATION], id_hash, value_of_held(held),
                     value_of_position(position));
    position_queue_push(state, &state->retained[retention], position);
    due_remove(state, held);
    memory_release(held);
}

void engine_state_extend(struct engine_state *state, uint64_t id_hash,
                         struct held_reservation *held, struct held_reservation *extended)
{
    hash_map_replace(&state->ids[ID_SPACE_RESERVATION], id_hash, value_of_held(held),
                     value_of_held(extended));
    due_sink(state, held->due_index, extended); /* it falls due later */
    memory_release(held);
}

void engine_state_replace(struct engine_state *state, uint64_t id_hash, uint64_t old_position,
                          uint64_t position)
{
    hash_map_replace(&state->ids[ID_SPACE_RESERVATION], id_hash, value_of_position(old_position),
                     value_of_position(position));
}

void engine_state_retain(struct engine_state *state, uint64_t position,
                         enum retention_class retention)
{
    position_queue_push(state, &state->retained[retention], position);
}

void engine_state_add_id(struct engine_state *state, enum id_space space, uint64_t id_hash,
                         uint64_t position)
{
    hash_map_add(&state->ids[space], id_hash, value_of_position(position));
}

void engine_state_drop(struct engine_state *state, uint64_t id_hash, struct held_reservation *held)
{
    hash_map_remove(&state->ids[ID_SPACE_RESERVATION], id_hash, value_of_held(held));
    due_remove(state, held);
    memory_release(held);
}

void engine_state_add_final(struct engine_state *state, enum id_space space, uint64_t id_hash,
                            uint64_t position, enum retention_class retention)
{
    engine_state_add_id(state, space, id_hash, position);
    engine_state_retain(state, position, retention);
}

void engine_state_pop_oldest(struct engine_state *state, enum retention_class retention)
{
    position_queue_pop(state, &state->retained[retention]);
}

static bool value_is(void *context, uint64_t value)
{
    return value == *(const uint64_t *)context;
}

void engine_state_forget(struct engine_state *state, enum id_space space, uint64_t id_hash,
                         uint64_t position)
{
    uint64_t value = value_of_position(position);
    uint64_t found;
    if (hash_map_find(&state->ids[space], id_hash, value_is, &value, &found))
        hash_map_remove(&state->ids[space], id_hash, found);
}

struct id_search {
    id_place_equal_function *equal;
    void *context;
};

static bool place_is_equal(void *context, uint64_t value)
{
    const struct id_search *search = context;
    return search->equal(search->context, place_of_value(value));
}

bool engine_state_find_id(const struct engine_state *state, enum id_space space, uint64_t id_hash,
                          id_place_equal_function *equal, void *context, struct id_place *place)
{
    struct id_search search = {.equal = equal, .context = context};
    uint64_t value;
    if (!hash_map_find(&state->ids[space], id_hash, place_is_equal, &search, &value))
        return false;
    *place = place_of_value(value);
    return true;
}
