/*
 * The decisions. A call first brings the model to the present (expires what is due, forgets ids
 * past their retention), then decides, then copies the answer to the command's arena and posts the
 * completion. Nothing can fail but memory, which aborts.
 */
#include "tests/support/inventory/inventory_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

struct inventory_model *model_at_present(struct inventory_repository *repository)
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

void model_answer(struct inventory_command *command, enum inventory_outcome outcome)
{
    post(command, outcome, NULL);
}

void model_answer_retention_full(struct inventory_command *command)
{
    struct error *error = model_checked(arena_allocate(command->arena, sizeof *error));
    *error = error_make(ERROR_RETENTION_FULL, "the model keeps no more ids");
    post(command, INVENTORY_DONE, error);
}

void model_answer_sku(struct inventory_command *command, enum inventory_outcome outcome,
                      struct text sku)
{
    command->failed_sku = arena_copy_text(command->arena, sku);
    CHECK(command->failed_sku.data != NULL);
    model_answer(command, outcome);
}

struct text model_answer_text(struct arena *arena, const char *string)
{
    struct text copy = arena_copy_text(arena, text_of(string));
    CHECK(copy.data != NULL);
    return copy;
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
        .cause_id = model_answer_text(arena, from->cause_id),
    };
}

static void model_list_stock_entries(struct inventory_repository *repository,
                                     struct list_stock_entries_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_sku *sku = model_find_sku(model, command->sku);
    if (sku == NULL) {
        model_answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->sku);
        return;
    }
    if (command->after > sku->entry_count) {
        model_answer(&command->base, INVENTORY_PAGE_TOKEN_INVALID);
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
    model_answer(&command->base, INVENTORY_DONE);
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
    model_answer(&command->base, INVENTORY_DONE);
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
        .extend_reservation = model_extend_reservation,
        .return_stock = model_return_stock,
        .list_reservations = model_list_reservations,
        .get_reservation = model_get_reservation,
        .list_stock_entries = model_list_stock_entries,
        .verify_ledger = model_verify_ledger,
        .follow_shelf = model_follow_shelf,
        .get_shelf_place = model_get_shelf_place,
    };
    struct inventory_model *model = model_checked(memory_allocate_zero(1, sizeof *model));
    model->base.table = &table;
    model->options = *options;
    inventory_model_restart(model);
    return model;
}
