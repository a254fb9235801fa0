/*
 * Everything is in arrays in the order of creation and found by looking at one after the other.
 * A change of stock goes through model_move(), which writes balance and ledger entry together.
 */
#include "tests/support/inventory/inventory_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

void *model_checked(void *block)
{
    CHECK(block != NULL);
    return block;
}

/*
 * Room for one more item behind `count`: whenever count is a power of two the room becomes twice
 * that, which may also be less than it was.
 */
static void *grown(void *items, size_t count, size_t item_size)
{
    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    return model_checked(memory_reallocate(items, (count == 0 ? 1 : 2 * count) * item_size));
}

static void *duplicate(const void *items, size_t count, size_t item_size)
{
    size_t capacity = 1;
    while (capacity < count)
        capacity *= 2;
    void *copy = model_checked(memory_allocate(capacity * item_size));
    if (count > 0)
        memcpy(copy, items, count * item_size);
    return copy;
}

void model_keep_text(char *to, struct text text)
{
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    to[text.size] = '\0';
}

int64_t model_on_hand(const struct stock *stock)
{
    return stock->received + stock->returned + stock->adjusted - stock->committed;
}

int64_t model_available(const struct stock *stock)
{
    return model_on_hand(stock) - stock->reserved - stock->policy.safety_stock;
}

int64_t model_granted(const struct stock *stock, int64_t asked, bool allow_partial)
{
    int64_t most = model_available(stock) + stock->policy.backorder_limit;
    if (most >= asked)
        return asked;
    return allow_partial && most > 0 ? most : 0;
}

struct model_sku *model_find_sku(struct inventory_model *model, struct text sku)
{
    for (size_t i = 0; i < model->sku_count; i++) {
        if (text_equals_string(sku, model->skus[i].sku))
            return &model->skus[i];
    }
    return NULL;
}

static int64_t reservation_until_us(const struct inventory_model *model,
                                    const struct model_reservation *reservation)
{
    if (reservation->state == RESERVATION_PENDING)
        return INT64_MAX;
    if (reservation->state != RESERVATION_COMMITTED)
        return reservation->resolve_time_us + model->options.retention_us;
    int64_t last_us = reservation->return_time_us > reservation->resolve_time_us
                          ? reservation->return_time_us
                          : reservation->resolve_time_us;
    return last_us + model->options.committed_retention_us;
}

bool model_is_known(const struct inventory_model *model,
                    const struct model_reservation *reservation)
{
    return reservation_until_us(model, reservation) > model->now_us;
}

static int64_t posting_until_us(const struct inventory_model *model,
                                const struct model_posting *posting)
{
    return posting->time_us + model->options.committed_retention_us;
}

struct model_reservation *model_find_reservation(struct inventory_model *model, struct text id)
{
    for (size_t i = 0; i < model->reservation_count; i++) {
        if (text_equals_string(id, model->reservations[i].id) &&
            reservation_until_us(model, &model->reservations[i]) > model->now_us)
            return &model->reservations[i];
    }
    return NULL;
}

struct model_posting *model_find_posting(struct inventory_model *model, enum posting_kind kind,
                                         struct text id)
{
    for (size_t i = 0; i < model->posting_count; i++) {
        if (model->postings[i].kind == kind && text_equals_string(id, model->postings[i].id) &&
            posting_until_us(model, &model->postings[i]) > model->now_us)
            return &model->postings[i];
    }
    return NULL;
}

static int64_t return_until_us(const struct inventory_model *model, const struct model_return *one)
{
    return one->time_us + model->options.committed_retention_us;
}

struct model_return *model_find_return(struct inventory_model *model, struct text id)
{
    for (size_t i = 0; i < model->return_count; i++) {
        if (text_equals_string(id, model->returns[i].id) &&
            return_until_us(model, &model->returns[i]) > model->now_us)
            return &model->returns[i];
    }
    return NULL;
}

/* What an account's quantity means for the balance. */
static void add_to_account(struct stock *stock, enum stock_account account, int64_t quantity)
{
    switch (account) {
    case STOCK_ACCOUNT_SUPPLY:
        stock->received -= quantity;
        break;
    case STOCK_ACCOUNT_AVAILABLE:
        break; /* what is left of the others */
    case STOCK_ACCOUNT_RESERVED:
        stock->reserved += quantity;
        break;
    case STOCK_ACCOUNT_COMMITTED:
        stock->committed += quantity;
        break;
    case STOCK_ACCOUNT_RETURNED:
        stock->returned -= quantity;
        break;
    case STOCK_ACCOUNT_ADJUSTMENT:
        stock->adjusted -= quantity;
        break;
    }
}

void model_move(struct inventory_model *model, struct model_sku *sku, enum stock_account from,
                enum stock_account to, int64_t quantity, int64_t time_us, const char *cause,
                const char *cause_id)
{
    if (quantity == 0)
        return;
    add_to_account(&sku->stock, from, -quantity);
    add_to_account(&sku->stock, to, quantity);
    sku->entries = grown(sku->entries, sku->entry_count, sizeof *sku->entries);
    struct model_entry *entry = &sku->entries[sku->entry_count++];
    *entry = (struct model_entry){
        .number = ++model->entry_count,
        .time_us = time_us,
        .from_account = from,
        .to_account = to,
        .quantity = quantity,
        .cause = cause,
    };
    model_keep_text(entry->cause_id, text_of(cause_id));
}

void model_changed(struct inventory_model *model, struct model_sku *sku, int64_t time_us)
{
    sku->stock.revision++;
    sku->stock.update_time_us = time_us;
    if (time_us > model->stored_us)
        model->stored_us = time_us;
}

void model_resolve(struct inventory_model *model, struct model_reservation *reservation,
                   enum reservation_state state, const char *cause, int64_t time_us)
{
    reservation->state = state;
    reservation->resolve_time_us = time_us;
    for (size_t i = 0; i < reservation->line_count; i++) {
        struct model_line *line = &reservation->lines[i];
        struct model_sku *sku = &model->skus[line->sku];
        if (line->quantity == 0)
            continue;
        model_move(model, sku, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_COMMITTED,
                   line->committed_quantity, time_us, cause, reservation->id);
        model_move(model, sku, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE,
                   line->quantity - line->committed_quantity, time_us, cause, reservation->id);
        model_changed(model, sku, time_us);
        line->stock_revision = sku->stock.revision;
    }
}

void inventory_model_see_clock(struct inventory_model *model)
{
    int64_t clock_us = clock_now_us(model->options.clock);
    if (clock_us > model->now_us)
        model->now_us = clock_us;
}

/* Of one time, the one whose time was set first. */
static bool expires_before(const struct model_reservation *a, const struct model_reservation *b)
{
    if (a->expire_time_us != b->expire_time_us)
        return a->expire_time_us < b->expire_time_us;
    return a->expiry_set < b->expiry_set;
}

bool inventory_model_expire_next(struct inventory_model *model)
{
    struct model_reservation *next = NULL;
    inventory_model_see_clock(model);
    for (size_t i = 0; i < model->reservation_count; i++) {
        struct model_reservation *reservation = &model->reservations[i];
        if (reservation->state != RESERVATION_PENDING)
            continue;
        if (reservation->expire_time_us > model->now_us)
            continue;
        if (next == NULL || expires_before(reservation, next))
            next = reservation;
    }
    if (next == NULL)
        return false;
    model_resolve(model, next, RESERVATION_EXPIRED, "ReservationExpired", next->expire_time_us);
    return true;
}

/*
 * Drops ids whose retention is over for ever. Those whose time is over only by the present clock
 * are merely not found: a restart under a clock set back may know them again.
 */
static void forget(struct inventory_model *model)
{
    size_t kept = 0;
    for (size_t i = 0; i < model->reservation_count; i++) {
        if (reservation_until_us(model, &model->reservations[i]) > model->stored_us)
            model->reservations[kept++] = model->reservations[i];
        else
            memory_release(model->reservations[i].lines);
    }
    model->reservation_count = kept;
    kept = 0;
    for (size_t i = 0; i < model->posting_count; i++) {
        if (posting_until_us(model, &model->postings[i]) > model->stored_us)
            model->postings[kept++] = model->postings[i];
    }
    model->posting_count = kept;
    kept = 0;
    for (size_t i = 0; i < model->return_count; i++) {
        if (return_until_us(model, &model->returns[i]) > model->stored_us)
            model->returns[kept++] = model->returns[i];
    }
    model->return_count = kept;
}

void model_to_the_present(struct inventory_model *model)
{
    while (inventory_model_expire_next(model))
        continue;
    forget(model);
}

size_t inventory_model_id_count(const struct inventory_model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < model->reservation_count; i++)
        count += reservation_until_us(model, &model->reservations[i]) > model->now_us;
    for (size_t i = 0; i < model->posting_count; i++)
        count += posting_until_us(model, &model->postings[i]) > model->now_us;
    for (size_t i = 0; i < model->return_count; i++)
        count += return_until_us(model, &model->returns[i]) > model->now_us;
    return count;
}

bool model_is_full(const struct inventory_model *model)
{
    return inventory_model_id_count(model) >= model->options.ids_max;
}

struct model_posting *model_add_posting(struct inventory_model *model, enum posting_kind kind,
                                        struct text id, const struct model_sku *sku,
                                        int64_t quantity)
{
    model->postings = grown(model->postings, model->posting_count, sizeof *model->postings);
    struct model_posting *posting = &model->postings[model->posting_count++];
    *posting = (struct model_posting){
        .kind = kind,
        .sku = (size_t)(sku - model->skus),
        .quantity = quantity,
        .time_us = model->now_us,
    };
    model_keep_text(posting->id, id);
    return posting;
}

struct model_return *model_add_return(struct inventory_model *model,
                                      const struct return_stock_command *command)
{
    model->returns = grown(model->returns, model->return_count, sizeof *model->returns);
    struct model_return *one = &model->returns[model->return_count++];
    *one = (struct model_return){
        .reason = command->reason,
        .line_count = command->line_count,
        .time_us = model->now_us,
    };
    model_keep_text(one->id, command->return_id);
    model_keep_text(one->reservation_id, command->reservation_id);
    for (size_t i = 0; i < command->line_count; i++) {
        one->skus[i] = (size_t)(model_find_sku(model, command->lines[i].sku) - model->skus);
        one->quantities[i] = command->lines[i].quantity;
    }
    return one;
}

struct model_sku *model_add_sku(struct inventory_model *model, struct text name)
{
    model->skus = grown(model->skus, model->sku_count, sizeof *model->skus);
    struct model_sku *sku = &model->skus[model->sku_count++];
    *sku = (struct model_sku){0};
    model_keep_text(sku->sku, name);
    return sku;
}

struct model_reservation *model_add_reservation(struct inventory_model *model,
                                                const struct reserve_command *command)
{
    model->reservations =
        grown(model->reservations, model->reservation_count, sizeof *model->reservations);
    struct model_reservation *reservation = &model->reservations[model->reservation_count++];
    *reservation = (struct model_reservation){
        .number = model->reservations_made,
        .state = RESERVATION_PENDING,
        .allow_partial = command->allow_partial,
        .ttl_us = command->ttl_us,
        .create_time_us = model->now_us,
        .expire_time_us = model->now_us + command->ttl_us,
        .expiry_set = ++model->expiries_set,
        .line_count = command->line_count,
        .lines = model_checked(memory_allocate(command->line_count * sizeof(struct model_line))),
    };
    model_keep_text(reservation->id, command->reservation_id);
    model_keep_text(reservation->order_id, command->order_id);
    model_keep_text(reservation->customer_id, command->customer_id);
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->lines[i].sku);
        struct model_line *line = &reservation->lines[i];
        int64_t available = model_available(&sku->stock);
        *line = (struct model_line){
            .sku = (size_t)(sku - model->skus),
            .asked = command->lines[i].quantity,
            .quantity =
                model_granted(&sku->stock, command->lines[i].quantity, command->allow_partial),
        };
        if (line->quantity == 0)
            continue;
        if (available < line->quantity)
            line->backordered_quantity = line->quantity - (available < 0 ? 0 : available);
        model_move(model, sku, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_RESERVED, line->quantity,
                   model->now_us, "StockReserved", reservation->id);
        model_changed(model, sku, model->now_us);
        line->stock_revision = sku->stock.revision;
    }
    return reservation;
}

void inventory_model_destroy(struct inventory_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->sku_count; i++)
        memory_release(model->skus[i].entries);
    for (size_t i = 0; i < model->reservation_count; i++)
        memory_release(model->reservations[i].lines);
    memory_release(model->skus);
    memory_release(model->reservations);
    memory_release(model->postings);
    memory_release(model->returns);
    memory_release(model);
}

struct inventory_model *inventory_model_copy(const struct inventory_model *model)
{
    struct inventory_model *copy = duplicate(model, 1, sizeof *model);
    copy->skus = duplicate(model->skus, model->sku_count, sizeof *copy->skus);
    copy->reservations =
        duplicate(model->reservations, model->reservation_count, sizeof *copy->reservations);
    copy->postings = duplicate(model->postings, model->posting_count, sizeof *copy->postings);
    copy->returns = duplicate(model->returns, model->return_count, sizeof *copy->returns);
    for (size_t i = 0; i < copy->sku_count; i++) {
        struct model_sku *sku = &copy->skus[i];
        sku->entries = duplicate(sku->entries, sku->entry_count, sizeof *sku->entries);
    }
    for (size_t i = 0; i < copy->reservation_count; i++) {
        struct model_reservation *reservation = &copy->reservations[i];
        reservation->lines =
            duplicate(reservation->lines, reservation->line_count, sizeof *reservation->lines);
    }
    return copy;
}

void inventory_model_restart(struct inventory_model *model)
{
    model->now_us = model->stored_us;
    model_to_the_present(model);
}

size_t inventory_model_sku_count(const struct inventory_model *model)
{
    return model->sku_count;
}

struct text inventory_model_sku(const struct inventory_model *model, size_t index)
{
    return text_of(model->skus[index].sku);
}

const struct stock *inventory_model_stock(const struct inventory_model *model, size_t index)
{
    return &model->skus[index].stock;
}

size_t inventory_model_entry_count(const struct inventory_model *model, size_t index)
{
    return model->skus[index].entry_count;
}

size_t inventory_model_reservation_count(const struct inventory_model *model)
{
    return model->reservation_count;
}

struct text inventory_model_reservation_id(const struct inventory_model *model, size_t index)
{
    return text_of(model->reservations[index].id);
}

static bool entries_sum_up(const struct model_sku *sku)
{
    struct stock sum = {0};
    for (size_t i = 0; i < sku->entry_count; i++) {
        add_to_account(&sum, sku->entries[i].from_account, -sku->entries[i].quantity);
        add_to_account(&sum, sku->entries[i].to_account, sku->entries[i].quantity);
    }
    return sum.received == sku->stock.received && sum.returned == sku->stock.returned &&
           sum.adjusted == sku->stock.adjusted && sum.committed == sku->stock.committed &&
           sum.reserved == sku->stock.reserved;
}

static int64_t pending_quantity(const struct inventory_model *model, size_t sku)
{
    int64_t sum = 0;
    for (size_t i = 0; i < model->reservation_count; i++) {
        const struct model_reservation *reservation = &model->reservations[i];
        for (size_t k = 0; k < reservation->line_count; k++) {
            if (reservation->state == RESERVATION_PENDING && reservation->lines[k].sku == sku)
                sum += reservation->lines[k].quantity;
        }
    }
    return sum;
}

const char *inventory_model_broken_invariant(const struct inventory_model *model)
{
    for (size_t i = 0; i < model->sku_count; i++) {
        if (!entries_sum_up(&model->skus[i]))
            return "a total is not the sum of its ledger entries";
        if (model->skus[i].stock.reserved != pending_quantity(model, i))
            return "reserved is not the sum of the pending lines";
    }
    return NULL;
}
