/*
 * One function a command: make the question of it, note it, pass it on with our completion. The
 * question is copied, for the caller may forget a command that is never answered.
 */
#include "tests/simulation/inventory/audited_port.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static void audited_done(void *context, const struct error *error)
{
    struct audited_command *one = context;
    CHECK(!one->actual.is_answered); /* a completion comes once */
    one->actual.is_answered = true;
    one->actual.error = error == NULL ? error_none() : *error;
}

/* Ids and SKUs that are there, and lines in normal form. */
static void check_question(const struct inventory_question *question)
{
    CHECK(question->id.size <= inventory_id_bytes_max);
    CHECK(question->sku.size <= inventory_sku_bytes_max);
    CHECK(question->line_count <= inventory_lines_max);
    for (size_t i = 0; i < question->line_count; i++) {
        const struct quantity_line *line = &question->lines[i];
        CHECK(line->quantity >= 1 && line->quantity <= inventory_quantity_max);
        CHECK(i == 0 || text_compare(question->lines[i - 1].sku, line->sku) < 0);
    }
}

static struct audited_command *note(struct inventory_repository *repository,
                                    struct inventory_command *command,
                                    const struct inventory_question *question)
{
    struct audited_port *port = (struct audited_port *)repository;
    struct audited_command *one = memory_allocate(sizeof *one);
    CHECK(one != NULL);
    check_question(question);
    one->next = NULL;
    one->command = command;
    one->caller_done = command->done;
    one->caller_context = command->context;
    inventory_call_init(&one->expected, question);
    one->actual = (struct inventory_call){.question = one->expected.question};
    if (port->first == NULL)
        port->first = one;
    else
        port->last->next = one;
    port->last = one;
    port->command_count++;
    return one;
}

static struct inventory_repository *store_of(struct inventory_repository *repository)
{
    return ((struct audited_port *)repository)->store;
}

static void audit_receive_stock(struct inventory_repository *repository,
                                struct receive_stock_command *command)
{
    struct inventory_question question = {
        .kind = CALL_RECEIVE_STOCK,
        .id = command->receipt_id,
        .sku = command->sku,
        .quantity = command->quantity,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.id.size > 0 && question.sku.size > 0 && question.quantity > 0);
    inventory_repository_receive_stock(store_of(repository), command, audited_done, one);
}

static void audit_adjust_stock(struct inventory_repository *repository,
                               struct adjust_stock_command *command)
{
    struct inventory_question question = {
        .kind = CALL_ADJUST_STOCK,
        .id = command->adjustment_id,
        .sku = command->sku,
        .quantity = command->delta,
        .reason = command->reason,
        .note = command->note,
        .expected_revision = command->expected_revision,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.id.size > 0 && question.sku.size > 0 && question.quantity != 0);
    inventory_repository_adjust_stock(store_of(repository), command, audited_done, one);
}

static void audit_get_stock(struct inventory_repository *repository,
                            struct get_stock_command *command)
{
    struct inventory_question question = {.kind = CALL_GET_STOCK, .sku = command->sku};
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_get_stock(store_of(repository), command, audited_done, one);
}

static void audit_set_stock_policy(struct inventory_repository *repository,
                                   struct set_stock_policy_command *command)
{
    struct inventory_question question = {
        .kind = CALL_SET_STOCK_POLICY,
        .sku = command->sku,
        .policy = command->policy,
        .expected_revision = command->expected_revision,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.sku.size > 0 && question.policy.safety_stock >= 0);
    inventory_repository_set_stock_policy(store_of(repository), command, audited_done, one);
}

static void audit_batch_get_stock(struct inventory_repository *repository,
                                  struct batch_get_stock_command *command)
{
    struct quantity_line lines[inventory_lines_max];
    CHECK(command->sku_count >= 1 && command->sku_count <= inventory_lines_max);
    for (size_t i = 0; i < command->sku_count; i++)
        lines[i] = (struct quantity_line){command->skus[i], 1};
    struct inventory_question question = {
        .kind = CALL_BATCH_GET_STOCK,
        .lines = lines,
        .line_count = command->sku_count,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_batch_get_stock(store_of(repository), command, audited_done, one);
}

static void audit_list_stock(struct inventory_repository *repository,
                             struct list_stock_command *command)
{
    struct inventory_question question = {
        .kind = CALL_LIST_STOCK,
        .has_state = command->has_state,
        .state = command->state,
        .page_size = command->page_size,
        .after_sku = command->after,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.page_size >= 1 && question.page_size <= inventory_page_size_max);
    inventory_repository_list_stock(store_of(repository), command, audited_done, one);
}

static void audit_reserve(struct inventory_repository *repository, struct reserve_command *command)
{
    struct inventory_question question = {
        .kind = CALL_RESERVE,
        .id = command->reservation_id,
        .order_id = command->order_id,
        .customer_id = command->customer_id,
        .ttl_us = command->ttl_us,
        .allow_partial = command->allow_partial,
        .lines = command->lines,
        .line_count = command->line_count,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.id.size > 0 && question.line_count > 0);
    CHECK(question.ttl_us >= inventory_ttl_us_min && question.ttl_us <= inventory_ttl_us_max);
    inventory_repository_reserve(store_of(repository), command, audited_done, one);
}

static void audit_commit(struct inventory_repository *repository, struct commit_command *command)
{
    struct inventory_question question = {
        .kind = CALL_COMMIT,
        .id = command->reservation_id,
        .retake_if_expired = command->retake_if_expired,
        .lines = command->lines,
        .line_count = command->line_count,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_commit(store_of(repository), command, audited_done, one);
}

static void audit_rollback(struct inventory_repository *repository,
                           struct rollback_command *command)
{
    struct inventory_question question = {.kind = CALL_ROLLBACK, .id = command->reservation_id};
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_rollback(store_of(repository), command, audited_done, one);
}

static void audit_extend_reservation(struct inventory_repository *repository,
                                     struct extend_reservation_command *command)
{
    struct inventory_question question = {
        .kind = CALL_EXTEND_RESERVATION,
        .id = command->reservation_id,
        .ttl_us = command->ttl_us,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.ttl_us >= inventory_ttl_us_min && question.ttl_us <= inventory_ttl_us_max);
    inventory_repository_extend_reservation(store_of(repository), command, audited_done, one);
}

static void audit_return_stock(struct inventory_repository *repository,
                               struct return_stock_command *command)
{
    struct inventory_question question = {
        .kind = CALL_RETURN_STOCK,
        .id = command->return_id,
        .reservation_id = command->reservation_id,
        .lines = command->lines,
        .line_count = command->line_count,
        .return_reason = command->reason,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.id.size > 0 && question.line_count > 0);
    inventory_repository_return_stock(store_of(repository), command, audited_done, one);
}

static void audit_list_reservations(struct inventory_repository *repository,
                                    struct list_reservations_command *command)
{
    struct inventory_question question = {
        .kind = CALL_LIST_RESERVATIONS,
        .order_id = command->order_id,
        .customer_id = command->customer_id,
        .sku = command->sku,
        .has_state = command->has_state,
        .reservation_state = command->state,
        .page_size = command->page_size,
        .after = command->after,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.page_size >= 1 && question.page_size <= inventory_page_size_max);
    inventory_repository_list_reservations(store_of(repository), command, audited_done, one);
}

static void audit_get_reservation(struct inventory_repository *repository,
                                  struct get_reservation_command *command)
{
    struct inventory_question question = {
        .kind = CALL_GET_RESERVATION,
        .id = command->reservation_id,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_get_reservation(store_of(repository), command, audited_done, one);
}

static void audit_list_stock_entries(struct inventory_repository *repository,
                                     struct list_stock_entries_command *command)
{
    struct inventory_question question = {
        .kind = CALL_LIST_STOCK_ENTRIES,
        .sku = command->sku,
        .page_size = command->page_size,
        .after = command->after,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.page_size >= 1 && question.page_size <= inventory_page_size_max);
    inventory_repository_list_stock_entries(store_of(repository), command, audited_done, one);
}

static void audit_verify_ledger(struct inventory_repository *repository,
                                struct verify_ledger_command *command)
{
    struct inventory_question question = {.kind = CALL_VERIFY_LEDGER};
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_verify_ledger(store_of(repository), command, audited_done, one);
}

static void audit_follow_shelf(struct inventory_repository *repository,
                               struct follow_shelf_command *command)
{
    struct inventory_question question = {
        .kind = CALL_FOLLOW_SHELF,
        .id = command->movement_id,
        .sku = command->sku,
        .quantity = command->quantity,
        .is_receipt = command->is_receipt,
        .note = command->note,
        .shelf_log = command->place.log,
        .shelf_position = command->place.position,
    };
    struct audited_command *one = note(repository, &command->base, &question);
    CHECK(question.shelf_log.size > 0 && question.shelf_position > 0);
    inventory_repository_follow_shelf(store_of(repository), command, audited_done, one);
}

static void audit_get_shelf_place(struct inventory_repository *repository,
                                  struct get_shelf_place_command *command)
{
    struct inventory_question question = {.kind = CALL_GET_SHELF_PLACE};
    struct audited_command *one = note(repository, &command->base, &question);
    inventory_repository_get_shelf_place(store_of(repository), command, audited_done, one);
}

void audited_port_init(struct audited_port *port)
{
    static const struct inventory_repository_table table = {
        .receive_stock = audit_receive_stock,
        .adjust_stock = audit_adjust_stock,
        .get_stock = audit_get_stock,
        .set_stock_policy = audit_set_stock_policy,
        .batch_get_stock = audit_batch_get_stock,
        .list_stock = audit_list_stock,
        .reserve = audit_reserve,
        .commit = audit_commit,
        .rollback = audit_rollback,
        .extend_reservation = audit_extend_reservation,
        .return_stock = audit_return_stock,
        .list_reservations = audit_list_reservations,
        .get_reservation = audit_get_reservation,
        .list_stock_entries = audit_list_stock_entries,
        .verify_ledger = audit_verify_ledger,
        .follow_shelf = audit_follow_shelf,
        .get_shelf_place = audit_get_shelf_place,
    };
    *port = (struct audited_port){.base.table = &table};
}

/* A command as a call, to be compared and printed; the texts stay the command's. */
static void copy_answer(struct audited_command *one)
{
    static const size_t sizes[] = {
        [CALL_RECEIVE_STOCK] = sizeof(struct receive_stock_command),
        [CALL_ADJUST_STOCK] = sizeof(struct adjust_stock_command),
        [CALL_SET_STOCK_POLICY] = sizeof(struct set_stock_policy_command),
        [CALL_GET_STOCK] = sizeof(struct get_stock_command),
        [CALL_BATCH_GET_STOCK] = sizeof(struct batch_get_stock_command),
        [CALL_LIST_STOCK] = sizeof(struct list_stock_command),
        [CALL_RESERVE] = sizeof(struct reserve_command),
        [CALL_COMMIT] = sizeof(struct commit_command),
        [CALL_ROLLBACK] = sizeof(struct rollback_command),
        [CALL_EXTEND_RESERVATION] = sizeof(struct extend_reservation_command),
        [CALL_RETURN_STOCK] = sizeof(struct return_stock_command),
        [CALL_LIST_RESERVATIONS] = sizeof(struct list_reservations_command),
        [CALL_GET_RESERVATION] = sizeof(struct get_reservation_command),
        [CALL_LIST_STOCK_ENTRIES] = sizeof(struct list_stock_entries_command),
        [CALL_VERIFY_LEDGER] = sizeof(struct verify_ledger_command),
        [CALL_FOLLOW_SHELF] = sizeof(struct follow_shelf_command),
        [CALL_GET_SHELF_PLACE] = sizeof(struct get_shelf_place_command),
    };
    memcpy(&one->actual.command, one->command, sizes[one->actual.question.kind]);
}

struct audited_command *audited_port_take(struct audited_port *port)
{
    struct audited_command *commands = port->first;
    port->first = NULL;
    port->last = NULL;
    for (struct audited_command *one = commands; one != NULL; one = one->next) {
        if (one->actual.is_answered)
            copy_answer(one);
    }
    return commands;
}

struct audited_command *audited_commands_unanswered(struct audited_command *commands)
{
    while (commands != NULL && commands->actual.is_answered)
        commands = commands->next;
    return commands;
}

static void release_one(struct audited_command *one)
{
    inventory_call_deinit(&one->expected);
    memory_release(one);
}

void audited_commands_complete(struct audited_command *commands,
                               struct audited_command **unanswered)
{
    while (commands != NULL) {
        struct audited_command *one = commands;
        commands = one->next;
        if (one->actual.is_answered) {
            one->caller_done(one->caller_context,
                             error_is(one->actual.error) ? &one->actual.error : NULL);
            release_one(one);
            continue;
        }
        one->next = NULL;
        one->command = NULL;
        *unanswered = one;
        unanswered = &one->next;
    }
}

void audited_commands_release(struct audited_command *commands)
{
    while (commands != NULL) {
        struct audited_command *one = commands;
        commands = one->next;
        release_one(one);
    }
}
