/*
 * The decisions. A call first brings the model to the present (expires what is due, forgets ids
 * past their retention), then decides, then copies the answer to the command's arena and posts the
 * completion. Nothing can fail but memory, which aborts.
 */
#include "tests/support/inventory_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static struct inventory_model *model_at_present(struct inventory_repository *repository)
{
    struct inventory_model *model = (struct inventory_model *)repository;
    model_to_the_present(model);
    return model;
}

static void complete(struct task *task)
{
    struct inventory_command *command =
        (struct inventory_command *)((char *)task - offsetof(struct inventory_command, task));
    command->done(command->context, command->error);
}

static void post(struct inventory_command *command, enum inventory_outcome outcome,
                 struct error *error)
{
    command->outcome = outcome;
    command->error = error;
    command->task.run = complete;
    executor_post(command->executor, &command->task);
}

static void answer(struct inventory_command *command, enum inventory_outcome outcome)
{
    post(command, outcome, NULL);
}

static void answer_retention_full(struct inventory_command *command)
{
    struct error *error = model_checked(arena_allocate(command->arena, sizeof *error));
    *error = error_make(ERROR_RETENTION_FULL, "the model keeps no more ids");
    post(command, INVENTORY_DONE, error);
}

static void answer_sku(struct inventory_command *command, enum inventory_outcome outcome,
                       struct text sku)
{
    command->failed_sku = arena_copy_text(command->arena, sku);
    CHECK(command->failed_sku.data != NULL);
    answer(command, outcome);
}

static void model_receive_stock(struct inventory_repository *repository,
                                struct receive_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    struct model_posting *known = model_find_posting(model, POSTING_RECEIPT, command->receipt_id);
    if (known != NULL) {
        if (sku != &model->skus[known->sku] || known->quantity != command->quantity) {
            answer(&command->base, INVENTORY_ID_REUSED);
            return;
        }
        command->stock = sku->stock;
        answer(&command->base, INVENTORY_DONE);
        return;
    }
    if (sku != NULL && model_on_hand(&sku->stock) + command->quantity > inventory_on_hand_max) {
        answer(&command->base, INVENTORY_ON_HAND_LIMIT);
        return;
    }
    if (model_is_full(model)) {
        answer_retention_full(&command->base);
        return;
    }
    if (sku == NULL)
        sku = model_add_sku(model, command->sku);
    struct model_posting *posting =
        model_add_posting(model, POSTING_RECEIPT, command->receipt_id, sku, command->quantity);
    model_move(model, sku, STOCK_ACCOUNT_SUPPLY, STOCK_ACCOUNT_AVAILABLE, command->quantity,
               model->now_us, "StockReceived", posting->id);
    model_changed(model, sku, model->now_us);
    command->stock = sku->stock;
    answer(&command->base, INVENTORY_DONE);
}

static struct text answer_text(struct arena *arena, const char *string)
{
    struct text copy = arena_copy_text(arena, text_of(string));
    CHECK(copy.data != NULL);
    return copy;
}

static bool is_same_adjustment(const struct inventory_model *model,
                               const struct model_posting *known,
                               const struct adjust_stock_command *command)
{
    return text_equals_string(command->sku, model->skus[known->sku].sku) &&
           known->quantity == command->delta && known->reason == command->reason &&
           text_equals_string(command->note, known->note);
}

static enum inventory_outcome decide_adjustment(const struct model_sku *sku,
                                                struct adjust_stock_command *command)
{
    int64_t before = model_on_hand(&sku->stock);
    if (command->expected_revision != 0 && command->expected_revision != sku->stock.revision)
        return INVENTORY_REVISION_MISMATCH;
    if (before + command->delta > inventory_on_hand_max)
        return INVENTORY_ON_HAND_LIMIT;
    if (command->delta > 0 || before + command->delta >= 0)
        return INVENTORY_DONE;
    command->shortage = (struct shortage){
        .sku = answer_text(command->base.arena, sku->sku),
        .requested_quantity = -command->delta,
        .available_quantity = before,
    };
    return INVENTORY_INSUFFICIENT_STOCK;
}

static void model_adjust_stock(struct inventory_repository *repository,
                               struct adjust_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    struct model_posting *known =
        model_find_posting(model, POSTING_ADJUSTMENT, command->adjustment_id);
    if (known != NULL) {
        bool same = is_same_adjustment(model, known, command);
        if (same)
            command->stock = sku->stock;
        answer(&command->base, same ? INVENTORY_DONE : INVENTORY_ID_REUSED);
        return;
    }
    if (sku == NULL) {
        answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    enum inventory_outcome outcome = decide_adjustment(sku, command);
    if (outcome == INVENTORY_DONE && model_is_full(model)) {
        answer_retention_full(&command->base);
        return;
    }
    if (outcome == INVENTORY_DONE) {
        struct model_posting *posting = model_add_posting(
            model, POSTING_ADJUSTMENT, command->adjustment_id, sku, command->delta);
        posting->reason = command->reason;
        model_keep_text(posting->note, command->note);
        if (command->delta > 0)
            model_move(model, sku, STOCK_ACCOUNT_ADJUSTMENT, STOCK_ACCOUNT_AVAILABLE,
                       command->delta, model->now_us, "StockAdjusted", posting->id);
        else
            model_move(model, sku, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_ADJUSTMENT,
                       -command->delta, model->now_us, "StockAdjusted", posting->id);
        model_changed(model, sku, model->now_us);
    }
    command->stock = sku->stock;
    answer(&command->base, outcome);
}

static void model_get_stock(struct inventory_repository *repository,
                            struct get_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    command->stock = sku->stock;
    answer(&command->base, INVENTORY_DONE);
}

static void model_set_stock_policy(struct inventory_repository *repository,
                                   struct set_stock_policy_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    bool same = memcmp(&sku->stock.policy, &command->policy, sizeof command->policy) == 0;
    bool expected =
        command->expected_revision == 0 || command->expected_revision == sku->stock.revision;
    if (!same && expected) {
        sku->stock.policy = command->policy;
        model_changed(model, sku, model->now_us);
    }
    command->stock = sku->stock;
    answer(&command->base, same || expected ? INVENTORY_DONE : INVENTORY_REVISION_MISMATCH);
}

static void model_batch_get_stock(struct inventory_repository *repository,
                                  struct batch_get_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct arena *arena = command->base.arena;
    command->stocks =
        model_checked(arena_allocate(arena, command->sku_count * sizeof *command->stocks));
    command->missing =
        model_checked(arena_allocate(arena, command->sku_count * sizeof *command->missing));
    command->stock_count = 0;
    command->missing_count = 0;
    for (size_t i = 0; i < command->sku_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->skus[i]);
        if (sku == NULL)
            command->missing[command->missing_count++] = command->skus[i];
        else
            command->stocks[command->stock_count++] =
                (struct sku_stock){.sku = answer_text(arena, sku->sku), .stock = sku->stock};
    }
    answer(&command->base, INVENTORY_DONE);
}

static enum stock_state state_of(const struct stock *stock)
{
    int64_t available = model_available(stock);
    if (available > stock->policy.low_stock_threshold && available > 0)
        return STOCK_STATE_IN_STOCK;
    return available > 0 ? STOCK_STATE_LOW_STOCK : STOCK_STATE_OUT_OF_STOCK;
}

/* The SKU with the smallest name above `name`, or NULL. */
static struct model_sku *sku_above(struct inventory_model *model, struct text name)
{
    struct model_sku *next = NULL;
    for (size_t i = 0; i < model->sku_count; i++) {
        struct model_sku *sku = &model->skus[i];
        if (text_compare(text_of(sku->sku), name) > 0 &&
            (next == NULL || strcmp(sku->sku, next->sku) < 0))
            next = sku;
    }
    return next;
}

static void model_list_stock(struct inventory_repository *repository,
                             struct list_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct arena *arena = command->base.arena;
    struct text last = command->after;
    struct model_sku *sku = sku_above(model, last);
    command->stocks =
        model_checked(arena_allocate(arena, command->page_size * sizeof *command->stocks));
    command->stock_count = 0;
    command->next = (struct text){0};
    while (sku != NULL && command->stock_count < command->page_size) {
        if (!command->has_state || state_of(&sku->stock) == command->state)
            command->stocks[command->stock_count++] =
                (struct sku_stock){.sku = answer_text(arena, sku->sku), .stock = sku->stock};
        last = text_of(sku->sku);
        sku = sku_above(model, last);
    }
    if (sku != NULL)
        command->next = answer_text(arena, last.data);
    answer(&command->base, INVENTORY_DONE);
}

static void answer_reservation(struct inventory_model *model, struct inventory_command *command,
                               const struct model_reservation *from, struct reservation *to)
{
    struct arena *arena = command->arena;
    size_t count = 0;
    *to = (struct reservation){
        .reservation_id = answer_text(arena, from->id),
        .order_id = answer_text(arena, from->order_id),
        .customer_id = answer_text(arena, from->customer_id),
        .state = from->state,
        .ttl_us = from->ttl_us,
        .create_time_us = from->create_time_us,
        .expire_time_us = from->create_time_us + from->ttl_us,
        .resolve_time_us = from->resolve_time_us,
        .allow_partial = from->allow_partial,
        .lines = model_checked(arena_allocate(arena, from->line_count * sizeof *to->lines)),
    };
    for (size_t i = 0; i < from->line_count; i++) {
        const struct model_line *line = &from->lines[i];
        if (line->quantity == 0)
            continue;
        to->lines[count++] = (struct reservation_line){
            .sku = answer_text(arena, model->skus[line->sku].sku),
            .quantity = line->quantity,
            .committed_quantity = line->committed_quantity,
            .backordered_quantity = line->backordered_quantity,
            .stock_revision = line->stock_revision,
        };
    }
    to->line_count = count;
    answer(command, INVENTORY_DONE);
}

static bool is_same_reservation(const struct inventory_model *model,
                                const struct model_reservation *known,
                                const struct reserve_command *command)
{
    if (!text_equals_string(command->order_id, known->order_id) ||
        !text_equals_string(command->customer_id, known->customer_id) ||
        command->ttl_us != known->ttl_us || command->allow_partial != known->allow_partial ||
        command->line_count != known->line_count)
        return false;
    for (size_t i = 0; i < known->line_count; i++) {
        const struct model_line *line = &known->lines[i];
        if (!text_equals_string(command->lines[i].sku, model->skus[line->sku].sku) ||
            command->lines[i].quantity != line->asked)
            return false;
    }
    return true;
}

/* Whether each line may be asked for; if not, the command says why. */
static bool may_ask(struct inventory_model *model, struct reserve_command *command)
{
    for (size_t i = 0; i < command->line_count; i++) {
        if (model_find_sku(model, command->lines[i].sku) == NULL) {
            answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->lines[i].sku);
            return false;
        }
    }
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->lines[i].sku);
        int64_t most = sku->stock.policy.reservation_quantity_max;
        if (most > 0 && command->lines[i].quantity > most) {
            answer_sku(&command->base, INVENTORY_QUANTITY_LIMIT, command->lines[i].sku);
            return false;
        }
    }
    return true;
}

/* Whether there is enough: of every line, or with allow_partial something of any. */
static bool may_hold(struct inventory_model *model, struct reserve_command *command)
{
    struct arena *arena = command->base.arena;
    size_t got_something = 0;
    command->shortages =
        model_checked(arena_allocate(arena, command->line_count * sizeof *command->shortages));
    command->shortage_count = 0;
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->lines[i].sku);
        int64_t asked = command->lines[i].quantity;
        if (model_granted(&sku->stock, asked, command->allow_partial) > 0) {
            got_something++;
            continue;
        }
        command->shortages[command->shortage_count++] = (struct shortage){
            .sku = answer_text(arena, sku->sku),
            .requested_quantity = asked,
            .available_quantity = model_available(&sku->stock),
        };
    }
    if (command->shortage_count == 0 || (command->allow_partial && got_something > 0))
        return true;
    answer(&command->base, INVENTORY_INSUFFICIENT_STOCK);
    return false;
}

static void model_reserve(struct inventory_repository *repository, struct reserve_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *known = model_find_reservation(model, command->reservation_id);
    if (known != NULL) {
        if (is_same_reservation(model, known, command))
            answer_reservation(model, &command->base, known, &command->reservation);
        else
            answer(&command->base, INVENTORY_ID_REUSED);
        return;
    }
    if (!may_ask(model, command) || !may_hold(model, command))
        return;
    if (model_is_full(model)) {
        answer_retention_full(&command->base);
        return;
    }
    model->reservations_made++;
    answer_reservation(model, &command->base, model_add_reservation(model, command),
                       &command->reservation);
}

/* What the commit would take of a line; −1 if it names more than is held. */
static int64_t commit_quantity(const struct inventory_model *model, const struct model_line *line,
                               const struct commit_command *command)
{
    if (command->line_count == 0)
        return line->quantity;
    for (size_t i = 0; i < command->line_count; i++) {
        if (text_equals_string(command->lines[i].sku, model->skus[line->sku].sku))
            return command->lines[i].quantity <= line->quantity ? command->lines[i].quantity : -1;
    }
    return 0;
}

/* The first line of the commit that the reservation does not have, or NULL. */
static const struct quantity_line *line_not_held(const struct inventory_model *model,
                                                 const struct model_reservation *reservation,
                                                 const struct commit_command *command)
{
    for (size_t i = 0; i < command->line_count; i++) {
        const struct quantity_line *asked = &command->lines[i];
        bool held = false;
        for (size_t k = 0; k < reservation->line_count; k++) {
            const struct model_line *line = &reservation->lines[k];
            held |= text_equals_string(asked->sku, model->skus[line->sku].sku) &&
                    asked->quantity <= line->quantity; /* of a line in vain there is no 1 */
        }
        if (!held)
            return asked;
    }
    return NULL;
}

static bool is_same_commit(const struct inventory_model *model,
                           const struct model_reservation *reservation,
                           const struct commit_command *command)
{
    if (line_not_held(model, reservation, command) != NULL)
        return false;
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct model_line *line = &reservation->lines[i];
        if (commit_quantity(model, line, command) != line->committed_quantity)
            return false;
    }
    return true;
}

static void model_commit(struct inventory_repository *repository, struct commit_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL) {
        answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
        return;
    }
    if (reservation->state == RESERVATION_ROLLED_BACK) {
        answer(&command->base, INVENTORY_RESERVATION_ROLLED_BACK);
        return;
    }
    if (reservation->state == RESERVATION_EXPIRED) {
        answer(&command->base, INVENTORY_RESERVATION_EXPIRED);
        return;
    }
    if (reservation->state == RESERVATION_COMMITTED) {
        if (is_same_commit(model, reservation, command))
            answer_reservation(model, &command->base, reservation, &command->reservation);
        else
            answer(&command->base, INVENTORY_RESERVATION_COMMITTED);
        return;
    }
    const struct quantity_line *missing = line_not_held(model, reservation, command);
    if (missing != NULL) {
        answer_sku(&command->base, INVENTORY_LINES_NOT_HELD, missing->sku);
        return;
    }
    for (size_t i = 0; i < reservation->line_count; i++)
        reservation->lines[i].committed_quantity =
            commit_quantity(model, &reservation->lines[i], command);
    model_resolve(model, reservation, RESERVATION_COMMITTED, "StockCommitted", model->now_us);
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

static void model_rollback(struct inventory_repository *repository,
                           struct rollback_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL) {
        answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
        return;
    }
    if (reservation->state == RESERVATION_COMMITTED) {
        answer(&command->base, INVENTORY_RESERVATION_COMMITTED);
        return;
    }
    if (reservation->state == RESERVATION_PENDING)
        model_resolve(model, reservation, RESERVATION_ROLLED_BACK, "ReservationRolledBack",
                      model->now_us);
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

static void model_get_reservation(struct inventory_repository *repository,
                                  struct get_reservation_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL)
        answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
    else
        answer_reservation(model, &command->base, reservation, &command->reservation);
}

static struct stock_entry answer_entry(struct arena *arena, const struct model_entry *from)
{
    char *entry_id = arena_format(arena, "%llu", (unsigned long long)from->number);
    CHECK(entry_id != NULL);
    return (struct stock_entry){
        .entry_id = text_of(entry_id),
        .time_us = from->time_us,
        .from_account = from->from_account,
        .to_account = from->to_account,
        .quantity = from->quantity,
        .cause = from->cause,
        .cause_id = answer_text(arena, from->cause_id),
    };
}

static void model_list_stock_entries(struct inventory_repository *repository,
                                     struct list_stock_entries_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    if (command->after > sku->entry_count) {
        answer(&command->base, INVENTORY_PAGE_TOKEN_INVALID);
        return;
    }
    size_t left = sku->entry_count - (size_t)command->after;
    command->entry_count = left < command->page_size ? left : command->page_size;
    command->next = left > command->page_size ? command->after + command->page_size : 0;
    command->entries = model_checked(
        arena_allocate(command->base.arena, command->entry_count * sizeof *command->entries));
    for (size_t i = 0; i < command->entry_count; i++)
        command->entries[i] =
            answer_entry(command->base.arena, &sku->entries[(size_t)command->after + i]);
    answer(&command->base, INVENTORY_DONE);
}

static void model_verify_ledger(struct inventory_repository *repository,
                                struct verify_ledger_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    command->entries = model->entry_count;
    command->skus = model->sku_count;
    command->reservations = model->reservations_made;
    command->mismatches = NULL;
    command->mismatch_count = 0;
    memset(command->chain_head, 0, sizeof command->chain_head);
    answer(&command->base, INVENTORY_DONE);
}

struct inventory_repository *inventory_model_repository(struct inventory_model *model)
{
    return &model->base;
}

struct inventory_model *inventory_model_create(const struct inventory_model_options *options)
{
    static const struct inventory_repository_table table = {
        .receive_stock = model_receive_stock,
        .adjust_stock = model_adjust_stock,
        .get_stock = model_get_stock,
        .set_stock_policy = model_set_stock_policy,
        .batch_get_stock = model_batch_get_stock,
        .list_stock = model_list_stock,
        .reserve = model_reserve,
        .commit = model_commit,
        .rollback = model_rollback,
        .get_reservation = model_get_reservation,
        .list_stock_entries = model_list_stock_entries,
        .verify_ledger = model_verify_ledger,
    };
    struct inventory_model *model = model_checked(memory_allocate_zero(1, sizeof *model));
    model->base.table = &table;
    model->options = *options;
    inventory_model_restart(model);
    return model;
}
