/* The model's decisions about reservations; see inventory_model.c. */
#include "tests/support/inventory/inventory_model_state.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static void fill_reservation(struct inventory_model *model, struct inventory_command *command,
                             const struct model_reservation *from, struct reservation *to)
{
    struct arena *arena = command->arena;
    size_t count = 0;
    *to = (struct reservation){
        .reservation_id = model_answer_text(arena, from->id),
        .order_id = model_answer_text(arena, from->order_id),
        .customer_id = model_answer_text(arena, from->customer_id),
        .state = from->state,
        .ttl_us = from->ttl_us,
        .create_time_us = from->create_time_us,
        .expire_time_us = from->expire_time_us,
        .resolve_time_us = from->resolve_time_us,
        .allow_partial = from->allow_partial,
        .lines = model_checked(arena_allocate(arena, from->line_count * sizeof *to->lines)),
    };
    for (size_t i = 0; i < from->line_count; i++) {
        const struct model_line *line = &from->lines[i];
        if (line->quantity == 0)
            continue;
        to->lines[count++] = (struct reservation_line){
            .sku = model_answer_text(arena, model->skus[line->sku].sku),
            .quantity = line->quantity,
            .committed_quantity = line->committed_quantity,
            .returned_quantity = line->returned_quantity,
            .backordered_quantity = line->backordered_quantity,
            .stock_revision = line->stock_revision,
        };
    }
    to->line_count = count;
}

static void answer_reservation(struct inventory_model *model, struct inventory_command *command,
                               const struct model_reservation *from, struct reservation *to)
{
    fill_reservation(model, command, from, to);
    model_answer(command, INVENTORY_DONE);
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
            model_answer_sku(&command->base, INVENTORY_SKU_NOT_FOUND, command->lines[i].sku);
            return false;
        }
    }
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->lines[i].sku);
        int64_t most = sku->stock.policy.reservation_quantity_max;
        if (most > 0 && command->lines[i].quantity > most) {
            model_answer_sku(&command->base, INVENTORY_QUANTITY_LIMIT, command->lines[i].sku);
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
            .sku = model_answer_text(arena, sku->sku),
            .requested_quantity = asked,
            .available_quantity = model_available(&sku->stock),
        };
    }
    if (command->shortage_count == 0 || (command->allow_partial && got_something > 0))
        return true;
    model_answer(&command->base, INVENTORY_INSUFFICIENT_STOCK);
    return false;
}

void model_reserve(struct inventory_repository *repository, struct reserve_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *known = model_find_reservation(model, command->reservation_id);
    if (known != NULL) {
        if (is_same_reservation(model, known, command))
            answer_reservation(model, &command->base, known, &command->reservation);
        else
            model_answer(&command->base, INVENTORY_ID_REUSED);
        return;
    }
    if (!may_ask(model, command) || !may_hold(model, command))
        return;
    if (model_is_full(model)) {
        model_answer_retention_full(&command->base);
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

/* What of the commit is not free now; as the answer to the command. */
static size_t find_missing(struct inventory_model *model,
                           const struct model_reservation *reservation,
                           struct commit_command *command)
{
    command->shortages = model_checked(
        arena_allocate(command->base.arena, reservation->line_count * sizeof *command->shortages));
    command->shortage_count = 0;
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct model_line *line = &reservation->lines[i];
        const struct stock *stock = &model->skus[line->sku].stock;
        int64_t wanted = commit_quantity(model, line, command);
        if (wanted == 0 || model_granted(stock, wanted, false) == wanted)
            continue;
        command->shortages[command->shortage_count++] = (struct shortage){
            .sku = model_answer_text(command->base.arena, model->skus[line->sku].sku),
            .requested_quantity = wanted,
            .available_quantity = model_available(stock),
        };
    }
    return command->shortage_count;
}

/* An expired reservation is committed all the same, if all of that is free. */
static void retake(struct inventory_model *model, struct model_reservation *reservation,
                   struct commit_command *command)
{
    if (find_missing(model, reservation, command) > 0) {
        model_answer(&command->base, INVENTORY_INSUFFICIENT_STOCK);
        return;
    }
    for (size_t i = 0; i < reservation->line_count; i++) {
        struct model_line *line = &reservation->lines[i];
        struct model_sku *sku = &model->skus[line->sku];
        int64_t available = model_available(&sku->stock);
        line->committed_quantity = commit_quantity(model, line, command);
        if (line->committed_quantity == 0)
            continue;
        if (available < 0)
            available = 0;
        line->backordered_quantity =
            line->committed_quantity > available ? line->committed_quantity - available : 0;
        model_move(model, sku, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_COMMITTED,
                   line->committed_quantity, model->now_us, "StockCommitted", reservation->id);
        model_changed(model, sku, model->now_us);
        line->stock_revision = sku->stock.revision;
    }
    reservation->state = RESERVATION_COMMITTED;
    reservation->resolve_time_us = model->now_us;
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

void model_commit(struct inventory_repository *repository, struct commit_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL) {
        model_answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
        return;
    }
    if (reservation->state == RESERVATION_ROLLED_BACK) {
        model_answer(&command->base, INVENTORY_RESERVATION_ROLLED_BACK);
        return;
    }
    if (reservation->state == RESERVATION_EXPIRED && !command->retake_if_expired) {
        model_answer(&command->base, INVENTORY_RESERVATION_EXPIRED);
        return;
    }
    if (reservation->state == RESERVATION_COMMITTED) {
        if (is_same_commit(model, reservation, command))
            answer_reservation(model, &command->base, reservation, &command->reservation);
        else
            model_answer(&command->base, INVENTORY_RESERVATION_COMMITTED);
        return;
    }
    const struct quantity_line *missing = line_not_held(model, reservation, command);
    if (missing != NULL) {
        model_answer_sku(&command->base, INVENTORY_LINES_NOT_HELD, missing->sku);
        return;
    }
    if (reservation->state == RESERVATION_EXPIRED) {
        retake(model, reservation, command);
        return;
    }
    for (size_t i = 0; i < reservation->line_count; i++)
        reservation->lines[i].committed_quantity =
            commit_quantity(model, &reservation->lines[i], command);
    model_resolve(model, reservation, RESERVATION_COMMITTED, "StockCommitted", model->now_us);
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

void model_rollback(struct inventory_repository *repository, struct rollback_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL) {
        model_answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
        return;
    }
    if (reservation->state == RESERVATION_COMMITTED) {
        model_answer(&command->base, INVENTORY_RESERVATION_COMMITTED);
        return;
    }
    if (reservation->state == RESERVATION_PENDING)
        model_resolve(model, reservation, RESERVATION_ROLLED_BACK, "ReservationRolledBack",
                      model->now_us);
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

void model_extend_reservation(struct inventory_repository *repository,
                              struct extend_reservation_command *command)
{
    static const enum inventory_outcome refusals[] = {
        [RESERVATION_PENDING] = INVENTORY_DONE,
        [RESERVATION_COMMITTED] = INVENTORY_RESERVATION_COMMITTED,
        [RESERVATION_ROLLED_BACK] = INVENTORY_RESERVATION_ROLLED_BACK,
        [RESERVATION_EXPIRED] = INVENTORY_RESERVATION_EXPIRED,
    };
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL || reservation->state != RESERVATION_PENDING) {
        model_answer(&command->base, reservation == NULL ? INVENTORY_RESERVATION_NOT_FOUND
                                                         : refusals[reservation->state]);
        return;
    }
    if (model->now_us + command->ttl_us > reservation->expire_time_us) {
        reservation->expire_time_us = model->now_us + command->ttl_us;
        reservation->expiry_set = ++model->expiries_set;
        if (model->now_us > model->stored_us)
            model->stored_us = model->now_us;
    }
    answer_reservation(model, &command->base, reservation, &command->reservation);
}

static struct model_line *line_of(struct inventory_model *model,
                                  struct model_reservation *reservation, struct text sku)
{
    for (size_t i = 0; i < reservation->line_count; i++) {
        if (text_equals_string(sku, model->skus[reservation->lines[i].sku].sku))
            return &reservation->lines[i];
    }
    return NULL;
}

static bool is_same_return(const struct inventory_model *model, const struct model_return *known,
                           const struct return_stock_command *command)
{
    bool same = text_equals_string(command->reservation_id, known->reservation_id) &&
                command->reason == known->reason && command->line_count == known->line_count;
    for (size_t i = 0; same && i < known->line_count; i++)
        same = text_equals_string(command->lines[i].sku, model->skus[known->skus[i]].sku) &&
               command->lines[i].quantity == known->quantities[i];
    return same;
}

static void answer_stocks(struct inventory_model *model, struct return_stock_command *command)
{
    command->stocks = model_checked(
        arena_allocate(command->base.arena, command->line_count * sizeof *command->stocks));
    for (size_t i = 0; i < command->line_count; i++)
        command->stocks[i] = (struct sku_stock){
            .sku = command->lines[i].sku,
            .stock = model_find_sku(model, command->lines[i].sku)->stock,
        };
    model_answer(&command->base, INVENTORY_DONE);
}

/* Whether all of it was committed and is out still, and fits; if not, the command is answered. */
static bool may_return(struct inventory_model *model, struct model_reservation *reservation,
                       struct return_stock_command *command)
{
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_line *line = line_of(model, reservation, command->lines[i].sku);
        if (line == NULL ||
            command->lines[i].quantity > line->committed_quantity - line->returned_quantity) {
            model_answer_sku(&command->base, INVENTORY_LINES_NOT_HELD, command->lines[i].sku);
            return false;
        }
    }
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_sku *sku = model_find_sku(model, command->lines[i].sku);
        if (model_on_hand(&sku->stock) + command->lines[i].quantity > inventory_on_hand_max) {
            model_answer(&command->base, INVENTORY_ON_HAND_LIMIT);
            return false;
        }
    }
    return true;
}

void model_return_stock(struct inventory_repository *repository,
                        struct return_stock_command *command)
{
    static const enum inventory_outcome refusals[] = {
        [RESERVATION_PENDING] = INVENTORY_RESERVATION_PENDING,
        [RESERVATION_COMMITTED] = INVENTORY_DONE,
        [RESERVATION_ROLLED_BACK] = INVENTORY_RESERVATION_ROLLED_BACK,
        [RESERVATION_EXPIRED] = INVENTORY_RESERVATION_EXPIRED,
    };
    struct inventory_model *model = model_at_present(repository);
    struct model_return *known = model_find_return(model, command->return_id);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (known != NULL && is_same_return(model, known, command)) {
        answer_stocks(model, command);
        return;
    }
    if (known == NULL && model->options.is_fed && command->reason != RETURN_CANCELLED &&
        command->reason != RETURN_SHORT_PICK) {
        model_answer(&command->base, INVENTORY_FED_BY_WAREHOUSE);
        return;
    }
    if (known != NULL || reservation == NULL || reservation->state != RESERVATION_COMMITTED) {
        model_answer(&command->base, known != NULL         ? INVENTORY_ID_REUSED
                                     : reservation == NULL ? INVENTORY_RESERVATION_NOT_FOUND
                                                           : refusals[reservation->state]);
        return;
    }
    if (!may_return(model, reservation, command))
        return;
    if (model_is_full(model)) {
        model_answer_retention_full(&command->base);
        return;
    }
    struct model_return *one = model_add_return(model, command);
    reservation->return_time_us = model->now_us;
    for (size_t i = 0; i < command->line_count; i++) {
        struct model_line *line = line_of(model, reservation, command->lines[i].sku);
        struct model_sku *sku = &model->skus[line->sku];
        line->returned_quantity += command->lines[i].quantity;
        model_move(model, sku, STOCK_ACCOUNT_RETURNED, STOCK_ACCOUNT_AVAILABLE,
                   command->lines[i].quantity, model->now_us, "StockReturned", one->id);
        model_changed(model, sku, model->now_us);
        line->stock_revision = sku->stock.revision;
    }
    answer_stocks(model, command);
}

static bool is_listed(struct inventory_model *model, struct model_reservation *reservation,
                      const struct list_reservations_command *command)
{
    const struct model_line *line =
        command->sku.size == 0 ? NULL : line_of(model, reservation, command->sku);
    return model_is_known(model, reservation) &&
           (command->order_id.size == 0 ||
            text_equals_string(command->order_id, reservation->order_id)) &&
           (command->customer_id.size == 0 ||
            text_equals_string(command->customer_id, reservation->customer_id)) &&
           (command->sku.size == 0 || (line != NULL && line->quantity > 0)) &&
           (!command->has_state || command->state == reservation->state);
}

/* `after` is the number of the reservation that the page before it ended with. */
void model_list_reservations(struct inventory_repository *repository,
                             struct list_reservations_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    command->reservations = model_checked(
        arena_allocate(command->base.arena, command->page_size * sizeof *command->reservations));
    command->reservation_count = 0;
    command->next = 0;
    if (command->after > model->reservations_made) {
        model_answer(&command->base, INVENTORY_PAGE_TOKEN_INVALID);
        return;
    }
    uint64_t last = 0;
    for (size_t i = model->reservation_count; i-- > 0;) {
        struct model_reservation *reservation = &model->reservations[i];
        if ((command->after != 0 && reservation->number >= command->after) ||
            !is_listed(model, reservation, command))
            continue;
        if (command->reservation_count == command->page_size) {
            command->next = last;
            break;
        }
        fill_reservation(model, &command->base, reservation,
                         &command->reservations[command->reservation_count++]);
        last = reservation->number;
    }
    model_answer(&command->base, INVENTORY_DONE);
}

void model_get_reservation(struct inventory_repository *repository,
                           struct get_reservation_command *command)
{
    struct inventory_model *model = model_at_present(repository);
    struct model_reservation *reservation = model_find_reservation(model, command->reservation_id);
    if (reservation == NULL)
        model_answer(&command->base, INVENTORY_RESERVATION_NOT_FOUND);
    else
        answer_reservation(model, &command->base, reservation, &command->reservation);
}
