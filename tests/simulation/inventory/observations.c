/*
 * Two tables, of SKUs and of reservations, that hold what was last seen. Nothing here is taken from
 * the model or the domain; without memory it aborts.
 */
#include "tests/simulation/inventory/observations.h"

#include "inventory/domain/limits.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <inttypes.h>
#include <string.h>

struct observed_stock {
    char sku[inventory_sku_bytes_max + 1];
    struct stock stock;
};

struct observed_reservation {
    char id[inventory_id_bytes_max + 1];
    enum reservation_state state;
    int64_t create_time_us;
    int64_t resolve_time_us;
};

void observations_init(struct observations *observations)
{
    *observations = (struct observations){0};
    hash_map_init(&observations->stocks_by_sku);
    hash_map_init(&observations->reservations_by_id);
}

void observations_deinit(struct observations *observations)
{
    hash_map_deinit(&observations->stocks_by_sku);
    hash_map_deinit(&observations->reservations_by_id);
    memory_release(observations->stocks);
    memory_release(observations->reservations);
}

struct lookup {
    const struct observations *observations;
    struct text name;
};

static bool stock_has_sku(void *context, uint64_t index)
{
    const struct lookup *lookup = context;
    return text_equals_string(lookup->name, lookup->observations->stocks[index].sku);
}

static bool reservation_has_id(void *context, uint64_t index)
{
    const struct lookup *lookup = context;
    return text_equals_string(lookup->name, lookup->observations->reservations[index].id);
}

/* The item of that name at the end of `items`, which grow; the map knows it then. */
static void *add_item(struct hash_map *map, struct text name, void **items, size_t *count,
                      size_t item_size)
{
    size_t capacity = 16;
    while (capacity < *count + 1)
        capacity *= 2;
    *items = memory_reallocate(*items, capacity * item_size);
    CHECK(*items != NULL && hash_map_reserve(map, 1));
    hash_map_add(map, hash_text(0, name), *count);
    void *item = (char *)*items + item_size * (*count)++;
    memset(item, 0, item_size);
    memcpy(item, name.data, name.size); /* each begins with its name */
    return item;
}

static struct observed_stock *find_stock(struct observations *observations, struct text sku)
{
    struct lookup lookup = {observations, sku};
    uint64_t index;
    if (hash_map_find(&observations->stocks_by_sku, hash_text(0, sku), stock_has_sku, &lookup,
                      &index))
        return &observations->stocks[index];
    return add_item(&observations->stocks_by_sku, sku, (void **)&observations->stocks,
                    &observations->stock_count, sizeof *observations->stocks);
}

/* NULL if it was never seen. */
static struct observed_reservation *find_reservation(struct observations *observations,
                                                     struct text id)
{
    struct lookup lookup = {observations, id};
    uint64_t index;
    if (hash_map_find(&observations->reservations_by_id, hash_text(0, id), reservation_has_id,
                      &lookup, &index))
        return &observations->reservations[index];
    return NULL;
}

static bool violated(struct buffer *violation, const char *what, struct text name)
{
    CHECK(buffer_append_format(violation, "%s: %.*s", what, (int)name.size, name.data));
    return false;
}

static bool is_same_stock(const struct stock *a, const struct stock *b)
{
    return a->received == b->received && a->returned == b->returned && a->adjusted == b->adjusted &&
           a->committed == b->committed && a->reserved == b->reserved &&
           a->update_time_us == b->update_time_us &&
           memcmp(&a->policy, &b->policy, sizeof a->policy) == 0;
}

static bool see_stock(struct observations *observations, struct text sku, const struct stock *stock,
                      struct buffer *violation)
{
    struct observed_stock *seen = find_stock(observations, sku);
    if (stock->reserved < 0 || stock->received < 0 || stock->returned < 0 || stock->committed < 0)
        return violated(violation, "a total that cannot be", sku);
    if (stock->revision < seen->stock.revision)
        return violated(violation, "the revision ran back", sku);
    if (stock->revision == seen->stock.revision && !is_same_stock(stock, &seen->stock))
        return violated(violation, "one revision, two contents", sku);
    seen->stock = *stock;
    return true;
}

/* A commit in time comes before the end. */
static bool is_retaken(const struct reservation *reservation)
{
    return reservation->state == RESERVATION_COMMITTED &&
           reservation->resolve_time_us >= reservation->expire_time_us;
}

/* If the reservation's present state is the very next change of a line's SKU, the stock follows. */
static bool see_line(struct observations *observations, const struct reservation *reservation,
                     const struct reservation_line *line, struct buffer *violation)
{
    struct stock *stock = &find_stock(observations, line->sku)->stock;
    if (stock->revision == 0 || line->stock_revision != stock->revision + 1)
        return true;
    if (line->returned_quantity > 0 || (is_retaken(reservation) && line->committed_quantity == 0))
        return true; /* the change that gave this revision is not told here */
    stock->revision++;
    if (is_retaken(reservation)) {
        stock->committed += line->committed_quantity;
        stock->update_time_us = reservation->resolve_time_us;
        return true;
    }
    if (reservation->state == RESERVATION_PENDING) {
        int64_t on_hand = stock->received + stock->returned + stock->adjusted - stock->committed;
        if (line->quantity >
            on_hand - stock->reserved - stock->policy.safety_stock + stock->policy.backorder_limit)
            return violated(violation, "granted more than may be promised", line->sku);
        stock->reserved += line->quantity;
        stock->update_time_us = reservation->create_time_us;
        return true;
    }
    stock->reserved -= line->quantity;
    stock->committed += line->committed_quantity;
    stock->update_time_us = reservation->resolve_time_us;
    return true;
}

static bool is_consistent(const struct reservation *reservation)
{
    bool pending = reservation->state == RESERVATION_PENDING;
    bool consistent =
        reservation->expire_time_us >= reservation->create_time_us + reservation->ttl_us &&
        (pending ? reservation->resolve_time_us == 0
                 : reservation->resolve_time_us >= reservation->create_time_us &&
                       (reservation->resolve_time_us <= reservation->expire_time_us ||
                        is_retaken(reservation)));
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *line = &reservation->lines[i];
        consistent &=
            line->quantity > 0 && line->committed_quantity >= 0 &&
            line->backordered_quantity >= 0 && line->backordered_quantity <= line->quantity &&
            line->committed_quantity <= line->quantity && line->returned_quantity >= 0 &&
            line->returned_quantity <= line->committed_quantity &&
            (line->committed_quantity == 0 || reservation->state == RESERVATION_COMMITTED);
    }
    return consistent;
}

static bool see_reservation(struct observations *observations,
                            const struct reservation *reservation, int64_t now_us,
                            struct buffer *violation)
{
    struct text id = reservation->reservation_id;
    struct observed_reservation *seen = find_reservation(observations, id);
    if (!is_consistent(reservation))
        return violated(violation, "a reservation that cannot be", id);
    if (reservation->state == RESERVATION_PENDING && reservation->expire_time_us <= now_us)
        return violated(violation, "pending beyond its time", id);
    if (seen != NULL && seen->create_time_us == reservation->create_time_us &&
        seen->state != RESERVATION_PENDING &&
        (seen->state != reservation->state ||
         seen->resolve_time_us != reservation->resolve_time_us) &&
        !(seen->state == RESERVATION_EXPIRED && is_retaken(reservation)))
        return violated(violation, "changed after its end", id);
    if (seen != NULL && seen->create_time_us > reservation->create_time_us)
        return violated(violation, "an older reservation came back", id);
    if (seen == NULL)
        seen = add_item(&observations->reservations_by_id, id, (void **)&observations->reservations,
                        &observations->reservation_count, sizeof *observations->reservations);
    seen->state = reservation->state;
    seen->create_time_us = reservation->create_time_us;
    seen->resolve_time_us = reservation->resolve_time_us;
    for (size_t i = 0; i < reservation->line_count; i++) {
        if (!see_line(observations, reservation, &reservation->lines[i], violation))
            return false;
    }
    return true;
}

static bool see_reservations(struct observations *observations,
                             const struct list_reservations_command *list, int64_t now_us,
                             struct buffer *violation)
{
    for (size_t i = 0; i < list->reservation_count; i++) {
        const struct reservation *one = &list->reservations[i];
        if (i > 0 && list->reservations[i - 1].create_time_us < one->create_time_us)
            return violated(violation, "listed out of order", one->reservation_id);
        if (!see_reservation(observations, one, now_us, violation))
            return false;
    }
    return true;
}

static bool see_stocks(struct observations *observations, const struct sku_stock *stocks,
                       size_t count, struct buffer *violation)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && text_compare(stocks[i - 1].sku, stocks[i].sku) >= 0)
            return violated(violation, "listed twice, or out of order", stocks[i].sku);
        if (!see_stock(observations, stocks[i].sku, &stocks[i].stock, violation))
            return false;
    }
    return true;
}

bool observations_add(struct observations *observations, const struct inventory_call *call,
                      int64_t now_us, struct buffer *violation)
{
    struct text sku = call->question.sku;
    if (error_is(call->error) || call->command.base.outcome != INVENTORY_DONE)
        return true;
    switch (call->question.kind) {
    case CALL_RECEIVE_STOCK:
        return see_stock(observations, sku, &call->command.receive_stock.stock, violation);
    case CALL_ADJUST_STOCK:
        return see_stock(observations, sku, &call->command.adjust_stock.stock, violation);
    case CALL_SET_STOCK_POLICY:
        return see_stock(observations, sku, &call->command.set_stock_policy.stock, violation);
    case CALL_BATCH_GET_STOCK:
        return see_stocks(observations, call->command.batch_get_stock.stocks,
                          call->command.batch_get_stock.stock_count, violation);
    case CALL_LIST_STOCK:
        return see_stocks(observations, call->command.list_stock.stocks,
                          call->command.list_stock.stock_count, violation);
    case CALL_GET_STOCK:
        return see_stock(observations, sku, &call->command.get_stock.stock, violation);
    case CALL_RESERVE:
        return see_reservation(observations, &call->command.reserve.reservation, now_us, violation);
    case CALL_COMMIT:
        return see_reservation(observations, &call->command.commit.reservation, now_us, violation);
    case CALL_ROLLBACK:
        return see_reservation(observations, &call->command.rollback.reservation, now_us,
                               violation);
    case CALL_EXTEND_RESERVATION:
        return see_reservation(observations, &call->command.extend_reservation.reservation, now_us,
                               violation);
    case CALL_RETURN_STOCK:
        return see_stocks(observations, call->command.return_stock.stocks,
                          call->command.return_stock.line_count, violation);
    case CALL_LIST_RESERVATIONS:
        return see_reservations(observations, &call->command.list_reservations, now_us, violation);
    case CALL_GET_RESERVATION:
        return see_reservation(observations, &call->command.get_reservation.reservation, now_us,
                               violation);
    case CALL_LIST_STOCK_ENTRIES:
    case CALL_FOLLOW_SHELF:
    case CALL_GET_SHELF_PLACE:
        return true;
    case CALL_VERIFY_LEDGER:
        return call->command.verify_ledger.mismatch_count == 0 ||
               violated(violation, "VerifyLedger found mismatches", sku);
    }
    return true;
}
