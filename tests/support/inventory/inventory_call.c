/*
 * Question and answer each have an arena of their own, so that every allocation for an answer can
 * be made to fail. An answer is compared by what it means to a caller: with an error by its code,
 * with a refusal by the outcome and the fields that the port promises for it, with DONE by all
 * fields.
 */
#include "tests/support/inventory/inventory_call.h"

#include "platform/base/check.h"

#include <inttypes.h>
#include <string.h>

enum { call_bytes_max = 4 << 20 };

static struct text copy(struct arena *arena, struct text text)
{
    struct text copied = arena_copy_text(arena, text);
    CHECK(copied.data != NULL);
    return copied;
}

static void copy_question(struct inventory_call *call, const struct inventory_question *question)
{
    struct arena *arena = &call->question_arena;
    call->question = *question;
    call->question.id = copy(arena, question->id);
    call->question.reservation_id = copy(arena, question->reservation_id);
    call->question.sku = copy(arena, question->sku);
    call->question.note = copy(arena, question->note);
    call->question.shelf_log = copy(arena, question->shelf_log);
    call->question.order_id = copy(arena, question->order_id);
    call->question.customer_id = copy(arena, question->customer_id);
    call->question.after_sku = copy(arena, question->after_sku);
    call->lines = arena_allocate(arena, (question->line_count + 1) * sizeof *call->lines);
    CHECK(call->lines != NULL);
    for (size_t i = 0; i < question->line_count; i++)
        call->lines[i] = (struct quantity_line){
            .sku = copy(arena, question->lines[i].sku),
            .quantity = question->lines[i].quantity,
        };
    call->question.lines = call->lines;
    call->skus = arena_allocate(arena, (question->line_count + 1) * sizeof *call->skus);
    CHECK(call->skus != NULL);
    for (size_t i = 0; i < question->line_count; i++)
        call->skus[i] = call->lines[i].sku;
}

/* Of a question about reservations. */
static void fill_reservation_command(struct inventory_call *call)
{
    const struct inventory_question *question = &call->question;
    switch ((int)question->kind) {
    case CALL_RESERVE:
        call->command.reserve = (struct reserve_command){.reservation_id = question->id,
                                                         .order_id = question->order_id,
                                                         .customer_id = question->customer_id,
                                                         .ttl_us = question->ttl_us,
                                                         .allow_partial = question->allow_partial,
                                                         .lines = question->lines,
                                                         .line_count = question->line_count};
        return;
    case CALL_COMMIT:
        call->command.commit =
            (struct commit_command){.reservation_id = question->id,
                                    .lines = question->lines,
                                    .line_count = question->line_count,
                                    .retake_if_expired = question->retake_if_expired};
        return;
    case CALL_EXTEND_RESERVATION:
        call->command.extend_reservation = (struct extend_reservation_command){
            .reservation_id = question->id, .ttl_us = question->ttl_us};
        return;
    case CALL_RETURN_STOCK:
        call->command.return_stock =
            (struct return_stock_command){.return_id = question->id,
                                          .reservation_id = question->reservation_id,
                                          .lines = question->lines,
                                          .line_count = question->line_count,
                                          .reason = question->return_reason};
        return;
    case CALL_LIST_RESERVATIONS:
        call->command.list_reservations =
            (struct list_reservations_command){.order_id = question->order_id,
                                               .customer_id = question->customer_id,
                                               .sku = question->sku,
                                               .has_state = question->has_state,
                                               .state = question->reservation_state,
                                               .page_size = question->page_size,
                                               .after = question->after};
        return;
    case CALL_ROLLBACK:
        call->command.rollback = (struct rollback_command){.reservation_id = question->id};
        return;
    case CALL_GET_RESERVATION:
        call->command.get_reservation =
            (struct get_reservation_command){.reservation_id = question->id};
        return;
    }
}

static void fill_command(struct inventory_call *call)
{
    const struct inventory_question *question = &call->question;
    memset(&call->command, 0, sizeof call->command);
    switch (question->kind) {
    case CALL_RECEIVE_STOCK:
        call->command.receive_stock = (struct receive_stock_command){
            .receipt_id = question->id, .sku = question->sku, .quantity = question->quantity};
        return;
    case CALL_ADJUST_STOCK:
        call->command.adjust_stock =
            (struct adjust_stock_command){.adjustment_id = question->id,
                                          .sku = question->sku,
                                          .delta = question->quantity,
                                          .reason = question->reason,
                                          .note = question->note,
                                          .expected_revision = question->expected_revision};
        return;
    case CALL_SET_STOCK_POLICY:
        call->command.set_stock_policy =
            (struct set_stock_policy_command){.sku = question->sku,
                                              .policy = question->policy,
                                              .expected_revision = question->expected_revision};
        return;
    case CALL_GET_STOCK:
        call->command.get_stock = (struct get_stock_command){.sku = question->sku};
        return;
    case CALL_BATCH_GET_STOCK:
        call->command.batch_get_stock =
            (struct batch_get_stock_command){.skus = call->skus, .sku_count = question->line_count};
        return;
    case CALL_LIST_STOCK:
        call->command.list_stock = (struct list_stock_command){.has_state = question->has_state,
                                                               .state = question->state,
                                                               .page_size = question->page_size,
                                                               .after = question->after_sku};
        return;
    case CALL_RESERVE:
    case CALL_COMMIT:
    case CALL_ROLLBACK:
    case CALL_EXTEND_RESERVATION:
    case CALL_RETURN_STOCK:
    case CALL_LIST_RESERVATIONS:
    case CALL_GET_RESERVATION:
        fill_reservation_command(call);
        return;
    case CALL_LIST_STOCK_ENTRIES:
        call->command.list_stock_entries = (struct list_stock_entries_command){
            .sku = question->sku, .page_size = question->page_size, .after = question->after};
        return;
    case CALL_VERIFY_LEDGER:
        call->command.verify_ledger = (struct verify_ledger_command){0};
        return;
    case CALL_FOLLOW_SHELF:
        call->command.follow_shelf =
            (struct follow_shelf_command){.movement_id = question->id,
                                          .sku = question->sku,
                                          .quantity = question->quantity,
                                          .is_receipt = question->is_receipt,
                                          .note = question->note,
                                          .place = {question->shelf_log, question->shelf_position}};
        return;
    case CALL_GET_SHELF_PLACE:
        call->command.get_shelf_place = (struct get_shelf_place_command){0};
        return;
    }
}

void inventory_call_init(struct inventory_call *call, const struct inventory_question *question)
{
    *call = (struct inventory_call){.error = error_none()};
    arena_init(&call->question_arena, call_bytes_max);
    arena_init(&call->arena, call_bytes_max);
    copy_question(call, question);
    fill_command(call);
}

void inventory_call_deinit(struct inventory_call *call)
{
    arena_deinit(&call->question_arena);
    arena_deinit(&call->arena);
}

static void call_done(void *context, const struct error *error)
{
    struct inventory_call *call = context;
    CHECK(!call->is_answered); /* a completion comes once */
    call->is_answered = true;
    call->error = error == NULL ? error_none() : *error;
}

void inventory_call_start(struct inventory_call *call, struct inventory_repository *repository,
                          struct executor *executor)
{
    call->command.base.executor = executor;
    call->command.base.arena = &call->arena;
    switch (call->question.kind) {
    case CALL_RECEIVE_STOCK:
        inventory_repository_receive_stock(repository, &call->command.receive_stock, call_done,
                                           call);
        return;
    case CALL_ADJUST_STOCK:
        inventory_repository_adjust_stock(repository, &call->command.adjust_stock, call_done, call);
        return;
    case CALL_SET_STOCK_POLICY:
        inventory_repository_set_stock_policy(repository, &call->command.set_stock_policy,
                                              call_done, call);
        return;
    case CALL_GET_STOCK:
        inventory_repository_get_stock(repository, &call->command.get_stock, call_done, call);
        return;
    case CALL_BATCH_GET_STOCK:
        inventory_repository_batch_get_stock(repository, &call->command.batch_get_stock, call_done,
                                             call);
        return;
    case CALL_LIST_STOCK:
        inventory_repository_list_stock(repository, &call->command.list_stock, call_done, call);
        return;
    case CALL_RESERVE:
        inventory_repository_reserve(repository, &call->command.reserve, call_done, call);
        return;
    case CALL_COMMIT:
        inventory_repository_commit(repository, &call->command.commit, call_done, call);
        return;
    case CALL_ROLLBACK:
        inventory_repository_rollback(repository, &call->command.rollback, call_done, call);
        return;
    case CALL_EXTEND_RESERVATION:
        inventory_repository_extend_reservation(repository, &call->command.extend_reservation,
                                                call_done, call);
        return;
    case CALL_RETURN_STOCK:
        inventory_repository_return_stock(repository, &call->command.return_stock, call_done, call);
        return;
    case CALL_LIST_RESERVATIONS:
        inventory_repository_list_reservations(repository, &call->command.list_reservations,
                                               call_done, call);
        return;
    case CALL_GET_RESERVATION:
        inventory_repository_get_reservation(repository, &call->command.get_reservation, call_done,
                                             call);
        return;
    case CALL_LIST_STOCK_ENTRIES:
        inventory_repository_list_stock_entries(repository, &call->command.list_stock_entries,
                                                call_done, call);
        return;
    case CALL_VERIFY_LEDGER:
        inventory_repository_verify_ledger(repository, &call->command.verify_ledger, call_done,
                                           call);
        return;
    case CALL_FOLLOW_SHELF:
        inventory_repository_follow_shelf(repository, &call->command.follow_shelf, call_done, call);
        return;
    case CALL_GET_SHELF_PLACE:
        inventory_repository_get_shelf_place(repository, &call->command.get_shelf_place, call_done,
                                             call);
        return;
    }
}

bool inventory_call_submit(struct inventory_call *call, struct inventory_service *service,
                           struct executor *executor)
{
    const struct inventory_question *question = &call->question;
    struct violations violations;
    bool accepted = false;
    call->command.base.executor = executor;
    call->command.base.arena = &call->arena;
    violations_init(&violations, &call->arena);
    switch (question->kind) {
    case CALL_RECEIVE_STOCK:
        return inventory_service_receive_stock(service, &call->command.receive_stock, &violations,
                                               call_done, call);
    case CALL_ADJUST_STOCK:
        return inventory_service_adjust_stock(service, &call->command.adjust_stock, &violations,
                                              call_done, call);
    case CALL_SET_STOCK_POLICY:
        return inventory_service_set_stock_policy(service, &call->command.set_stock_policy,
                                                  &violations, call_done, call);
    case CALL_GET_STOCK:
        return inventory_service_get_stock(service, &call->command.get_stock, &violations,
                                           call_done, call);
    case CALL_BATCH_GET_STOCK:
        return inventory_service_batch_get_stock(service, &call->command.batch_get_stock,
                                                 call->skus, question->line_count, &violations,
                                                 call_done, call);
    case CALL_LIST_STOCK:
        return inventory_service_list_stock(service, &call->command.list_stock,
                                            (int64_t)question->page_size, &violations, call_done,
                                            call);
    case CALL_RESERVE:
        accepted = inventory_service_reserve(service, &call->command.reserve, call->lines,
                                             question->line_count, &violations, call_done, call);
        call->question.line_count = call->command.reserve.line_count;
        return accepted;
    case CALL_COMMIT:
        accepted = inventory_service_commit(service, &call->command.commit, call->lines,
                                            question->line_count, &violations, call_done, call);
        call->question.line_count = call->command.commit.line_count;
        return accepted;
    case CALL_ROLLBACK:
        return inventory_service_rollback(service, &call->command.rollback, &violations, call_done,
                                          call);
    case CALL_EXTEND_RESERVATION:
        return inventory_service_extend_reservation(service, &call->command.extend_reservation,
                                                    &violations, call_done, call);
    case CALL_RETURN_STOCK:
        accepted =
            inventory_service_return_stock(service, &call->command.return_stock, call->lines,
                                           question->line_count, &violations, call_done, call);
        call->question.line_count = call->command.return_stock.line_count;
        return accepted;
    case CALL_LIST_RESERVATIONS:
        return inventory_service_list_reservations(service, &call->command.list_reservations,
                                                   (int64_t)question->page_size, &violations,
                                                   call_done, call);
    case CALL_GET_RESERVATION:
        return inventory_service_get_reservation(service, &call->command.get_reservation,
                                                 &violations, call_done, call);
    case CALL_LIST_STOCK_ENTRIES:
        return inventory_service_list_stock_entries(service, &call->command.list_stock_entries,
                                                    (int64_t)question->page_size, &violations,
                                                    call_done, call);
    case CALL_VERIFY_LEDGER:
        inventory_service_verify_ledger(service, &call->command.verify_ledger, call_done, call);
        return true;
    case CALL_FOLLOW_SHELF: /* no use cases: who follows the shelf asks the repository */
    case CALL_GET_SHELF_PLACE:
        inventory_call_start(call, service->repository, executor);
        return true;
    }
    return false;
}

/* --- comparison --- */

static bool differ(struct buffer *difference, const char *field)
{
    CHECK(buffer_append_format(difference, "%s differs", field));
    return false;
}

static bool numbers_equal(int64_t expected, int64_t actual, const char *field,
                          struct buffer *difference)
{
    if (expected == actual)
        return true;
    CHECK(buffer_append_format(difference, "%s is %" PRId64 ", expected %" PRId64, field, actual,
                               expected));
    return false;
}

static bool texts_equal(struct text expected, struct text actual, const char *field,
                        struct buffer *difference)
{
    return text_equal(expected, actual) || differ(difference, field);
}

static bool policies_equal(const struct stock_policy *expected, const struct stock_policy *actual,
                           struct buffer *difference)
{
    return numbers_equal(expected->low_stock_threshold, actual->low_stock_threshold,
                         "policy.low_stock_threshold", difference) &&
           numbers_equal(expected->safety_stock, actual->safety_stock, "policy.safety_stock",
                         difference) &&
           numbers_equal(expected->backorder_limit, actual->backorder_limit,
                         "policy.backorder_limit", difference) &&
           numbers_equal(expected->reservation_quantity_max, actual->reservation_quantity_max,
                         "policy.reservation_quantity_max", difference);
}

static bool stocks_equal(const struct stock *expected, const struct stock *actual,
                         struct buffer *difference)
{
    return numbers_equal(expected->received, actual->received, "stock.received", difference) &&
           numbers_equal(expected->returned, actual->returned, "stock.returned", difference) &&
           numbers_equal(expected->adjusted, actual->adjusted, "stock.adjusted", difference) &&
           numbers_equal(expected->committed, actual->committed, "stock.committed", difference) &&
           numbers_equal(expected->reserved, actual->reserved, "stock.reserved", difference) &&
           numbers_equal(expected->revision, actual->revision, "stock.revision", difference) &&
           numbers_equal(expected->update_time_us, actual->update_time_us, "stock.update_time",
                         difference) &&
           policies_equal(&expected->policy, &actual->policy, difference);
}

static bool sku_stocks_equal(const struct sku_stock *expected, size_t expected_count,
                             const struct sku_stock *actual, size_t actual_count,
                             struct buffer *difference)
{
    bool equal =
        numbers_equal((int64_t)expected_count, (int64_t)actual_count, "stock_count", difference);
    for (size_t i = 0; equal && i < expected_count; i++)
        equal = texts_equal(expected[i].sku, actual[i].sku, "stock.sku", difference) &&
                stocks_equal(&expected[i].stock, &actual[i].stock, difference);
    return equal;
}

static bool batches_equal(const struct batch_get_stock_command *expected,
                          const struct batch_get_stock_command *actual, struct buffer *difference)
{
    bool equal = sku_stocks_equal(expected->stocks, expected->stock_count, actual->stocks,
                                  actual->stock_count, difference) &&
                 numbers_equal((int64_t)expected->missing_count, (int64_t)actual->missing_count,
                               "missing_count", difference);
    for (size_t i = 0; equal && i < expected->missing_count; i++)
        equal = texts_equal(expected->missing[i], actual->missing[i], "missing", difference);
    return equal;
}

static bool shortages_equal(const struct shortage *expected, const struct shortage *actual,
                            struct buffer *difference)
{
    return texts_equal(expected->sku, actual->sku, "shortage.sku", difference) &&
           numbers_equal(expected->requested_quantity, actual->requested_quantity,
                         "shortage.requested", difference) &&
           numbers_equal(expected->available_quantity, actual->available_quantity,
                         "shortage.available", difference);
}

static bool reservation_lines_equal(const struct reservation_line *expected,
                                    const struct reservation_line *actual,
                                    struct buffer *difference)
{
    return texts_equal(expected->sku, actual->sku, "line.sku", difference) &&
           numbers_equal(expected->quantity, actual->quantity, "line.quantity", difference) &&
           numbers_equal(expected->committed_quantity, actual->committed_quantity,
                         "line.committed_quantity", difference) &&
           numbers_equal(expected->returned_quantity, actual->returned_quantity,
                         "line.returned_quantity", difference) &&
           numbers_equal(expected->backordered_quantity, actual->backordered_quantity,
                         "line.backordered_quantity", difference) &&
           numbers_equal(expected->stock_revision, actual->stock_revision, "line.stock_revision",
                         difference);
}

static bool reservations_equal(const struct reservation *expected, const struct reservation *actual,
                               struct buffer *difference)
{
    bool equal =
        texts_equal(expected->reservation_id, actual->reservation_id, "id", difference) &&
        texts_equal(expected->order_id, actual->order_id, "order_id", difference) &&
        texts_equal(expected->customer_id, actual->customer_id, "customer_id", difference) &&
        numbers_equal(expected->state, actual->state, "state", difference) &&
        numbers_equal(expected->ttl_us, actual->ttl_us, "ttl", difference) &&
        numbers_equal(expected->allow_partial, actual->allow_partial, "allow_partial",
                      difference) &&
        numbers_equal(expected->create_time_us, actual->create_time_us, "create_time",
                      difference) &&
        numbers_equal(expected->expire_time_us, actual->expire_time_us, "expire_time",
                      difference) &&
        numbers_equal(expected->resolve_time_us, actual->resolve_time_us, "resolve_time",
                      difference) &&
        numbers_equal((int64_t)expected->line_count, (int64_t)actual->line_count, "line_count",
                      difference);
    for (size_t i = 0; equal && i < expected->line_count; i++)
        equal = reservation_lines_equal(&expected->lines[i], &actual->lines[i], difference);
    return equal;
}

static bool lists_equal(const struct list_reservations_command *expected,
                        const struct list_reservations_command *actual, struct buffer *difference)
{
    bool equal = numbers_equal((int64_t)expected->reservation_count,
                               (int64_t)actual->reservation_count, "reservation_count", difference);
    for (size_t i = 0; equal && i < expected->reservation_count; i++)
        equal =
            reservations_equal(&expected->reservations[i], &actual->reservations[i], difference);
    return equal;
}

static bool entries_equal(const struct stock_entry *expected, const struct stock_entry *actual,
                          struct buffer *difference)
{
    return numbers_equal(expected->time_us, actual->time_us, "entry.time", difference) &&
           numbers_equal(expected->from_account, actual->from_account, "entry.from", difference) &&
           numbers_equal(expected->to_account, actual->to_account, "entry.to", difference) &&
           numbers_equal(expected->quantity, actual->quantity, "entry.quantity", difference) &&
           texts_equal(text_of(expected->cause), text_of(actual->cause), "entry.cause",
                       difference) &&
           texts_equal(expected->cause_id, actual->cause_id, "entry.cause_id", difference);
}

static bool pages_equal(const struct list_stock_entries_command *expected,
                        const struct list_stock_entries_command *actual, struct buffer *difference)
{
    bool equal = numbers_equal((int64_t)expected->entry_count, (int64_t)actual->entry_count,
                               "entry_count", difference) &&
                 numbers_equal((int64_t)expected->next, (int64_t)actual->next, "next", difference);
    for (size_t i = 0; equal && i < expected->entry_count; i++)
        equal = entries_equal(&expected->entries[i], &actual->entries[i], difference);
    return equal;
}

static bool verifications_equal(const struct verify_ledger_command *expected,
                                const struct verify_ledger_command *actual,
                                struct buffer *difference)
{
    return numbers_equal((int64_t)expected->entries, (int64_t)actual->entries, "entries",
                         difference) &&
           numbers_equal((int64_t)expected->skus, (int64_t)actual->skus, "skus", difference) &&
           numbers_equal((int64_t)expected->reservations, (int64_t)actual->reservations,
                         "reservations", difference) &&
           numbers_equal((int64_t)expected->mismatch_count, (int64_t)actual->mismatch_count,
                         "mismatch_count", difference);
}

static bool results_equal(const struct inventory_call *expected,
                          const struct inventory_call *actual, struct buffer *difference)
{
    switch (expected->question.kind) {
    case CALL_RECEIVE_STOCK:
        return stocks_equal(&expected->command.receive_stock.stock,
                            &actual->command.receive_stock.stock, difference);
    case CALL_ADJUST_STOCK:
        return stocks_equal(&expected->command.adjust_stock.stock,
                            &actual->command.adjust_stock.stock, difference);
    case CALL_SET_STOCK_POLICY:
        return stocks_equal(&expected->command.set_stock_policy.stock,
                            &actual->command.set_stock_policy.stock, difference);
    case CALL_GET_STOCK:
        return stocks_equal(&expected->command.get_stock.stock, &actual->command.get_stock.stock,
                            difference);
    case CALL_BATCH_GET_STOCK:
        return batches_equal(&expected->command.batch_get_stock, &actual->command.batch_get_stock,
                             difference);
    case CALL_LIST_STOCK:
        return sku_stocks_equal(expected->command.list_stock.stocks,
                                expected->command.list_stock.stock_count,
                                actual->command.list_stock.stocks,
                                actual->command.list_stock.stock_count, difference) &&
               texts_equal(expected->command.list_stock.next, actual->command.list_stock.next,
                           "next", difference);
    case CALL_RESERVE:
        return reservations_equal(&expected->command.reserve.reservation,
                                  &actual->command.reserve.reservation, difference);
    case CALL_COMMIT:
        return reservations_equal(&expected->command.commit.reservation,
                                  &actual->command.commit.reservation, difference);
    case CALL_ROLLBACK:
        return reservations_equal(&expected->command.rollback.reservation,
                                  &actual->command.rollback.reservation, difference);
    case CALL_EXTEND_RESERVATION:
        return reservations_equal(&expected->command.extend_reservation.reservation,
                                  &actual->command.extend_reservation.reservation, difference);
    case CALL_RETURN_STOCK:
        return sku_stocks_equal(expected->command.return_stock.stocks,
                                expected->command.return_stock.line_count,
                                actual->command.return_stock.stocks,
                                actual->command.return_stock.line_count, difference);
    case CALL_LIST_RESERVATIONS:
        return lists_equal(&expected->command.list_reservations, &actual->command.list_reservations,
                           difference);
    case CALL_GET_RESERVATION:
        return reservations_equal(&expected->command.get_reservation.reservation,
                                  &actual->command.get_reservation.reservation, difference);
    case CALL_LIST_STOCK_ENTRIES:
        return pages_equal(&expected->command.list_stock_entries,
                           &actual->command.list_stock_entries, difference);
    case CALL_VERIFY_LEDGER:
        return verifications_equal(&expected->command.verify_ledger, &actual->command.verify_ledger,
                                   difference);
    case CALL_FOLLOW_SHELF:
        return true;
    case CALL_GET_SHELF_PLACE:
        return texts_equal(expected->command.get_shelf_place.place.log,
                           actual->command.get_shelf_place.place.log, "place.log", difference) &&
               numbers_equal((int64_t)expected->command.get_shelf_place.place.position,
                             (int64_t)actual->command.get_shelf_place.place.position,
                             "place.position", difference);
    }
    return false;
}

const struct shortage *inventory_call_shortages(const struct inventory_call *call, size_t *count)
{
    if (call->question.kind == CALL_COMMIT) {
        *count = call->command.commit.shortage_count;
        return call->command.commit.shortages;
    }
    *count = call->command.reserve.shortage_count;
    return call->command.reserve.shortages;
}

static bool insufficiencies_equal(const struct inventory_call *expected,
                                  const struct inventory_call *actual, struct buffer *difference)
{
    if (expected->question.kind == CALL_ADJUST_STOCK)
        return shortages_equal(&expected->command.adjust_stock.shortage,
                               &actual->command.adjust_stock.shortage, difference);
    size_t expected_count;
    size_t actual_count;
    const struct shortage *left = inventory_call_shortages(expected, &expected_count);
    const struct shortage *right = inventory_call_shortages(actual, &actual_count);
    bool equal =
        numbers_equal((int64_t)expected_count, (int64_t)actual_count, "shortage_count", difference);
    for (size_t i = 0; equal && i < expected_count; i++)
        equal = shortages_equal(&left[i], &right[i], difference);
    return equal;
}

bool inventory_call_answers_equal(const struct inventory_call *expected,
                                  const struct inventory_call *actual, struct buffer *difference)
{
    if (!numbers_equal(expected->error.code, actual->error.code, "error", difference))
        return false;
    if (error_is(expected->error))
        return true;
    if (!numbers_equal(expected->command.base.outcome, actual->command.base.outcome, "outcome",
                       difference))
        return false;
    switch (expected->command.base.outcome) {
    case INVENTORY_DONE:
        return results_equal(expected, actual, difference);
    case INVENTORY_INSUFFICIENT_STOCK:
        return insufficiencies_equal(expected, actual, difference);
    case INVENTORY_REVISION_MISMATCH:
        if (expected->question.kind == CALL_SET_STOCK_POLICY)
            return stocks_equal(&expected->command.set_stock_policy.stock,
                                &actual->command.set_stock_policy.stock, difference);
        return stocks_equal(&expected->command.adjust_stock.stock,
                            &actual->command.adjust_stock.stock, difference);
    case INVENTORY_SKU_NOT_FOUND:
    case INVENTORY_LINES_NOT_HELD:
    case INVENTORY_QUANTITY_LIMIT:
        return texts_equal(expected->command.base.failed_sku, actual->command.base.failed_sku,
                           "failed_sku", difference);
    case INVENTORY_RESERVATION_NOT_FOUND:
    case INVENTORY_ID_REUSED:
    case INVENTORY_ON_HAND_LIMIT:
    case INVENTORY_RESERVATION_COMMITTED:
    case INVENTORY_RESERVATION_ROLLED_BACK:
    case INVENTORY_RESERVATION_EXPIRED:
    case INVENTORY_RESERVATION_PENDING:
    case INVENTORY_FED_BY_WAREHOUSE:
    case INVENTORY_PAGE_TOKEN_INVALID:
        return true;
    }
    return false;
}
