/* The model's decisions about stock; see inventory_model.c. */
#include "tests/support/inventory/inventory_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

void model_receive_stock(struct inventory_repository *repository,
                         struct receive_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    struct model_posting *known = model_find_posting(model, POSTING_RECEIPT, command->receipt_id);
    if (model->options.is_fed) {
        model_answer(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (known != NULL) {
        if (sku != &model->skus[known->sku] || known->quantity != command->quantity) {
            model_answer(&command->base, INVENTORY_ID_REUSED);
            return;
        }
        command->stock = sku->stock;
        model_answer(&command->base, INVENTORY_DONE);
        return;
    }
    if (sku != NULL && model_on_hand(&sku->stock) + command->quantity > inventory_on_hand_max) {
        model_answer(&command->base, INVENTORY_ON_HAND_LIMIT);
        return;
    }
    if (model_is_full(model)) {
        model_answer_retention_full(&command->base);
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
    model_answer(&command->base, INVENTORY_DONE);
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
        .sku = model_answer_text(command->base.arena, sku->sku),
        .requested_quantity = -command->delta,
        .available_quantity = before,
    };
    return INVENTORY_INSUFFICIENT_STOCK;
}

void model_adjust_stock(struct inventory_repository *repository,
                        struct adjust_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    struct model_posting *known =
        model_find_posting(model, POSTING_ADJUSTMENT, command->adjustment_id);
    if (model->options.is_fed &&
        (command->reason != ADJUSTMENT_CORRECTION ||
         command->adjustment_id.size < strlen("reconcile:") ||
         memcmp(command->adjustment_id.data, "reconcile:", strlen("reconcile:")) != 0)) {
        model_answer(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (known != NULL) {
        bool same = is_same_adjustment(model, known, command);
        if (same)
            command->stock = sku->stock;
        model_answer(&command->base, same ? INVENTORY_DONE : INVENTORY_ID_REUSED);
        return;
    }
    if (sku == NULL) {
        model_answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    enum inventory_outcome outcome = decide_adjustment(sku, command);
    if (outcome == INVENTORY_DONE && model_is_full(model)) {
        model_answer_retention_full(&command->base);
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
    model_answer(&command->base, outcome);
}

void model_get_stock(struct inventory_repository *repository, struct get_stock_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        model_answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    command->stock = sku->stock;
    model_answer(&command->base, INVENTORY_DONE);
}

void model_set_stock_policy(struct inventory_repository *repository,
                            struct set_stock_policy_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        model_answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
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
    model_answer(&command->base, same || expected ? INVENTORY_DONE : INVENTORY_REVISION_MISMATCH);
}

void model_batch_get_stock(struct inventory_repository *repository,
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
                (struct sku_stock){.sku = model_answer_text(arena, sku->sku), .stock = sku->stock};
    }
    model_answer(&command->base, INVENTORY_DONE);
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

void model_list_stock(struct inventory_repository *repository, struct list_stock_command *command)
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
                (struct sku_stock){.sku = model_answer_text(arena, sku->sku), .stock = sku->stock};
        last = text_of(sku->sku);
        sku = sku_above(model, last);
    }
    if (sku != NULL)
        command->next = model_answer_text(arena, last.data);
    model_answer(&command->base, INVENTORY_DONE);
}

void model_follow_shelf(struct inventory_repository *repository,
                        struct follow_shelf_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    enum posting_kind kind = command->is_receipt ? POSTING_RECEIPT : POSTING_ADJUSTMENT;
    bool again = text_equals_string(command->place.log, model->shelf_log) &&
                 command->place.position <= model->shelf_position;
    if (again) {
        model_answer(&command->base, INVENTORY_DONE);
        return;
    }
    bool happened = command->movement_id.size > 0 &&
                    model_find_posting(model, kind, command->movement_id) == NULL;
    if (happened && model_is_full(model)) {
        model_answer_retention_full(&command->base);
        return;
    }
    model_keep_text(model->shelf_log, command->place.log);
    model->shelf_position = command->place.position;
    if (model->now_us > model->stored_us)
        model->stored_us = model->now_us;
    if (!happened) {
        model_answer(&command->base, INVENTORY_DONE);
        return;
    }
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL)
        sku = model_add_sku(model, command->sku);
    struct model_posting *posting =
        model_add_posting(model, kind, command->movement_id, sku, command->quantity);
    posting->reason = ADJUSTMENT_OTHER;
    model_keep_text(posting->note, command->note);
    if (command->is_receipt)
        model_move(model, sku, STOCK_ACCOUNT_SUPPLY, STOCK_ACCOUNT_AVAILABLE, command->quantity,
                   model->now_us, "StockReceived", posting->id);
    else if (command->quantity > 0)
        model_move(model, sku, STOCK_ACCOUNT_ADJUSTMENT, STOCK_ACCOUNT_AVAILABLE, command->quantity,
                   model->now_us, "StockAdjusted", posting->id);
    else
        model_move(model, sku, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_ADJUSTMENT,
                   -command->quantity, model->now_us, "StockAdjusted", posting->id);
    model_changed(model, sku, model->now_us);
    model_answer(&command->base, INVENTORY_DONE);
}

void model_get_shelf_place(struct inventory_repository *repository,
                           struct get_shelf_place_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    command->place.log = model_answer_text(command->base.arena, model->shelf_log);
    command->place.position = model->shelf_position;
    model_answer(&command->base, INVENTORY_DONE);
}
