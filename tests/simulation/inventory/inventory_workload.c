/*
 * Each question is either one of the last ones again, whole or with one word changed, or drawn
 * anew. Nothing here knows what the right answer is.
 */
#include "tests/simulation/inventory/inventory_workload.h"

#include "platform/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static uint64_t below(struct inventory_workload *workload, uint64_t bound)
{
    return random_below(workload->random, bound);
}

static bool chance(struct inventory_workload *workload, unsigned percent)
{
    return below(workload, 100) < percent;
}

const char *inventory_workload_sku(size_t index)
{
    static const char *const skus[] = {
        "A",
        "B",
        "a",
        "AA",
        "SKU-0001",
        "SKU-0002",
        "Schraube M8 × 20",
        "螺丝",
        "0",
        "sku with spaces",
        "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK",
        "KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKL",
        "z/9",
        "~",
        "é",
        "NEVER",
    };
    _Static_assert(sizeof skus / sizeof skus[0] == workload_skus_max, "one name each");
    CHECK(index < workload_skus_max);
    return skus[index];
}

void inventory_workload_init(struct inventory_workload *workload, struct random *random)
{
    static const int64_t ttls_us[] = {INT64_C(1000000), INT64_C(3000000), INT64_C(20000000)};
    *workload = (struct inventory_workload){.random = random, .newest_id = 1};
    workload->sku_count = 1 + below(workload, workload_skus_max - 1);
    workload->unreceived = chance(workload, 80) ? workload->sku_count : 0;
    workload->id_window = 4 + below(workload, 60);
    workload->reserve_weight = 20 + (unsigned)below(workload, 40);
    workload->read_weight = 5 + (unsigned)below(workload, 25);
    workload->is_large = chance(workload, 20);
    if (workload->is_large && chance(workload, 50))
        workload->fill_left = (size_t)(inventory_on_hand_max / inventory_quantity_max) - 1;
    workload->is_fed = below(workload, 6) == 0;
    if (workload->is_fed)
        workload->fill_left = 0;
    workload->is_filled = workload->fill_left > 0;
    workload->has_policies = chance(workload, 60);
    workload->ttl_us_typical = ttls_us[below(workload, 3)];
}

static int64_t draw_quantity(struct inventory_workload *workload)
{
    if (!workload->is_large)
        return 1 + (int64_t)below(workload, chance(workload, 80) ? 12 : 200);
    switch (below(workload, 5)) {
    case 0:
        return 1;
    case 1:
        return inventory_quantity_max;
    case 2:
        return inventory_quantity_max - (int64_t)below(workload, 3);
    default:
        return 1 + (int64_t)below(workload, (uint64_t)inventory_quantity_max);
    }
}

static struct text draw_sku(struct inventory_workload *workload)
{
    size_t index =
        chance(workload, 2) ? workload_skus_max - 1 : (size_t)below(workload, workload->sku_count);
    return text_of(inventory_workload_sku(index));
}

/* A reservation asked for lately, or NULL. */
static const struct remembered_question *recall_reserve(struct inventory_workload *workload)
{
    size_t known = workload->remembered < workload_memory ? workload->remembered : workload_memory;
    for (int tries = 0; known > 0 && tries < 8; tries++) {
        const struct remembered_question *one = &workload->memory[below(workload, known)];
        if (one->question.kind == CALL_RESERVE)
            return one;
    }
    return NULL;
}

static void draw_reservation_id(struct inventory_workload *workload)
{
    const struct remembered_question *reserve = recall_reserve(workload);
    if (reserve != NULL && chance(workload, 70))
        memcpy(workload->present.id, reserve->id, sizeof reserve->id);
}

static void draw_id(struct inventory_workload *workload)
{
    struct remembered_question *present = &workload->present;
    if (chance(workload, 20))
        workload->newest_id++;
    uint64_t back = below(workload, workload->id_window);
    uint64_t number = back < workload->newest_id ? workload->newest_id - back : 0;
    snprintf(present->id, sizeof present->id, "id-%" PRIu64, number);
    if (number % 16 == 5) { /* some as long as they may be */
        memset(present->id, 'i', inventory_id_bytes_max);
        snprintf(present->id + 40, sizeof present->id - 40, "%024" PRIu64, number);
    }
    present->question.id = text_of(present->id);
}

/* Ends the drawing of lines: sums stay within what a line may say. */
static void set_lines(struct inventory_workload *workload, size_t count, bool normal)
{
    struct remembered_question *present = &workload->present;
    if (normal)
        count = quantity_lines_normalize(present->lines, count);
    for (size_t i = 0; normal && i < count; i++) {
        if (present->lines[i].quantity > inventory_quantity_max)
            present->lines[i].quantity = inventory_quantity_max;
    }
    present->question.line_count = count;
}

static void draw_lines(struct inventory_workload *workload, bool normal)
{
    struct remembered_question *present = &workload->present;
    size_t count = 1;
    if (chance(workload, 40))
        count += below(workload, 4);
    if (chance(workload, 1))
        count = inventory_lines_max;
    for (size_t i = 0; i < count; i++)
        present->lines[i] = (struct quantity_line){draw_sku(workload), draw_quantity(workload)};
    set_lines(workload, count, normal);
}

static void draw_reserve(struct inventory_workload *workload, bool normal)
{
    struct remembered_question *present = &workload->present;
    struct inventory_question *question = &present->question;
    question->kind = CALL_RESERVE;
    draw_lines(workload, normal);
    question->ttl_us = workload->ttl_us_typical + (int64_t)below(workload, 3);
    if (chance(workload, 10))
        question->ttl_us = inventory_ttl_us_min;
    if (chance(workload, 2))
        question->ttl_us = inventory_ttl_us_max;
    question->allow_partial = chance(workload, 15);
    if (chance(workload, 30)) {
        snprintf(present->order_id, sizeof present->order_id, "order-%" PRIu64,
                 below(workload, 50));
        question->order_id = text_of(present->order_id);
    }
    if (chance(workload, 30)) {
        snprintf(present->customer_id, sizeof present->customer_id, "c%" PRIu64,
                 below(workload, 9));
        question->customer_id = text_of(present->customer_id);
    }
}

/* Some of the lines that were asked for, some of them changed. */
static void draw_commit(struct inventory_workload *workload, bool normal)
{
    struct remembered_question *present = &workload->present;
    const struct remembered_question *reserve = recall_reserve(workload);
    size_t count = 0;
    present->question.kind = CALL_COMMIT;
    present->question.retake_if_expired = chance(workload, 40);
    if (reserve == NULL || chance(workload, 50)) {
        draw_reservation_id(workload);
        return;
    }
    memcpy(present->id, reserve->id, sizeof present->id);
    for (size_t i = 0; i < reserve->question.line_count; i++) {
        struct quantity_line line = reserve->lines[i];
        if (chance(workload, 30))
            continue;
        if (chance(workload, 40))
            line.quantity = 1 + (int64_t)below(workload, (uint64_t)line.quantity);
        if (chance(workload, 3) && line.quantity < inventory_quantity_max)
            line.quantity++;
        if (chance(workload, 2))
            line.sku = draw_sku(workload);
        present->lines[count++] = line;
    }
    set_lines(workload, count, normal);
}

static void draw_extension(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    question->kind = CALL_EXTEND_RESERVATION;
    draw_reservation_id(workload);
    question->ttl_us = workload->ttl_us_typical + (int64_t)below(workload, 3);
    if (chance(workload, 30))
        question->ttl_us = inventory_ttl_us_min;
    if (chance(workload, 2))
        question->ttl_us = inventory_ttl_us_max;
}

/* Some of what was asked for comes back, some of it more than once. */
static void draw_return(struct inventory_workload *workload, bool normal)
{
    struct remembered_question *present = &workload->present;
    const struct remembered_question *reserve = recall_reserve(workload);
    size_t count = 0;
    present->question.kind = CALL_RETURN_STOCK;
    present->question.return_reason =
        (enum return_reason)(RETURN_CANCELLED + (int)below(workload, RETURN_OTHER));
    if (reserve == NULL) {
        memcpy(present->reservation_id, present->id, sizeof present->id);
        draw_lines(workload, normal);
        return;
    }
    memcpy(present->reservation_id, reserve->id, sizeof reserve->id);
    for (size_t i = 0; i < reserve->question.line_count; i++) {
        struct quantity_line line = reserve->lines[i];
        if (count > 0 && chance(workload, 30))
            continue;
        if (chance(workload, 60))
            line.quantity = 1 + (int64_t)below(workload, (uint64_t)line.quantity);
        if (chance(workload, 2))
            line.sku = draw_sku(workload);
        present->lines[count++] = line;
    }
    set_lines(workload, count, normal);
}

static void draw_expected_revision(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    for (size_t i = 0; i < workload_skus_max && chance(workload, 30); i++) {
        if (text_equals_string(question->sku, inventory_workload_sku(i)))
            question->expected_revision = workload->revisions[i] + (chance(workload, 20) ? 1 : 0);
    }
}

static void draw_adjustment(struct inventory_workload *workload)
{
    struct remembered_question *present = &workload->present;
    struct inventory_question *question = &present->question;
    question->kind = CALL_ADJUST_STOCK;
    question->sku = draw_sku(workload);
    question->quantity = draw_quantity(workload);
    if (chance(workload, 60))
        question->quantity = -question->quantity;
    question->reason = (enum adjustment_reason)(
        ADJUSTMENT_COUNT + (int)below(workload, ADJUSTMENT_OTHER - ADJUSTMENT_COUNT + 1));
    if (chance(workload, 30)) {
        snprintf(present->note, sizeof present->note, "note %" PRIu64, below(workload, 3));
        if (chance(workload, 10)) {
            memset(present->note, 'n', inventory_note_bytes_max);
            present->note[inventory_note_bytes_max] = '\0';
        }
        question->note = text_of(present->note);
    }
    draw_expected_revision(workload);
}

/* Nothing, something small, or a bound. */
static int64_t draw_policy_value(struct inventory_workload *workload)
{
    if (chance(workload, 50))
        return 0;
    return chance(workload, 95) ? (int64_t)below(workload, 12) : draw_quantity(workload);
}

static void draw_policy(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    question->kind = CALL_SET_STOCK_POLICY;
    question->sku = draw_sku(workload);
    question->policy = (struct stock_policy){
        .low_stock_threshold = draw_policy_value(workload),
        .safety_stock = draw_policy_value(workload),
        .backorder_limit = draw_policy_value(workload),
        .reservation_quantity_max = chance(workload, 70) ? 0 : draw_quantity(workload),
    };
    draw_expected_revision(workload);
}

static void draw_listing(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    question->kind = CALL_LIST_STOCK_ENTRIES;
    question->sku = draw_sku(workload);
    question->page_size = 1 + (size_t)below(workload, 20);
    question->after = below(workload, 40);
    if (chance(workload, 5))
        question->page_size = inventory_page_size_max;
    if (chance(workload, 20))
        question->after = below(workload, 2000);
}

static void draw_stock_listing(struct inventory_workload *workload)
{
    struct remembered_question *present = &workload->present;
    struct inventory_question *question = &present->question;
    question->kind = CALL_LIST_STOCK;
    question->page_size = 1 + (size_t)below(workload, workload_skus_max + 2);
    question->has_state = chance(workload, 60);
    question->state = (enum stock_state)below(workload, STOCK_STATE_OUT_OF_STOCK + 1);
    if (chance(workload, 50))
        snprintf(present->after_sku, sizeof present->after_sku, "%s",
                 inventory_workload_sku(below(workload, workload_skus_max)));
    question->after_sku = text_of(present->after_sku);
}

static void draw_reservation_listing(struct inventory_workload *workload)
{
    struct remembered_question *present = &workload->present;
    struct inventory_question *question = &present->question;
    question->kind = CALL_LIST_RESERVATIONS;
    question->page_size = 1 + (size_t)below(workload, 12);
    question->has_state = chance(workload, 40);
    question->reservation_state = (enum reservation_state)below(workload, RESERVATION_EXPIRED + 1);
    question->sku = chance(workload, 40) ? draw_sku(workload) : text_of("");
    if (chance(workload, 50))
        snprintf(present->order_id, sizeof present->order_id, "order-%" PRIu64,
                 below(workload, 50));
    if (chance(workload, 30))
        snprintf(present->customer_id, sizeof present->customer_id, "c%" PRIu64,
                 below(workload, 9));
}

static void draw_batch(struct inventory_workload *workload, bool normal)
{
    workload->present.question.kind = CALL_BATCH_GET_STOCK;
    draw_lines(workload, normal);
    for (size_t i = 0; i < workload->present.question.line_count; i++)
        workload->present.lines[i].quantity = 1;
}

static void draw_reservation_lookup(struct inventory_workload *workload,
                                    enum inventory_call_kind kind)
{
    workload->present.question.kind = kind;
    draw_reservation_id(workload);
}

static void draw_read(struct inventory_workload *workload, bool normal)
{
    struct inventory_question *question = &workload->present.question;
    uint64_t dice = below(workload, 200);
    question->sku = draw_sku(workload);
    if (dice < 80)
        question->kind = CALL_GET_STOCK;
    else if (dice < 90)
        draw_stock_listing(workload);
    else if (dice < 100)
        draw_batch(workload, normal);
    else if (dice < 120)
        draw_reservation_listing(workload);
    else if (dice < 175)
        draw_reservation_lookup(workload, CALL_GET_RESERVATION);
    else if (dice < 199)
        draw_listing(workload);
    else
        question->kind = CALL_VERIFY_LEDGER;
}

static void draw_receipt(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    question->kind = CALL_RECEIVE_STOCK;
    question->sku = text_of(inventory_workload_sku(below(workload, workload->sku_count)));
    question->quantity = draw_quantity(workload) * (workload->is_large ? 1 : 4);
    if (workload->is_filled && chance(workload, 30)) { /* over the limit, perhaps */
        question->sku = text_of(inventory_workload_sku(0));
        question->quantity = inventory_quantity_max;
    }
}

/* A movement on the shelf: mostly the next one, at times one from before, at times none. */
static void draw_movement(struct inventory_workload *workload)
{
    struct inventory_question *question = &workload->present.question;
    question->kind = CALL_FOLLOW_SHELF;
    question->is_receipt = chance(workload, 60);
    if (!question->is_receipt && chance(workload, 70))
        question->quantity = -question->quantity;
    question->shelf_log = text_of(chance(workload, 98) ? "shelf" : "another shelf");
    question->shelf_position = workload->shelf_position += 1 + below(workload, 3);
    if (chance(workload, 10))
        question->shelf_position = 1 + below(workload, workload->shelf_position);
}

static void draw_first_receipt(struct inventory_workload *workload)
{
    workload->present = (struct remembered_question){0};
    draw_receipt(workload);
    draw_id(workload);
    if (workload->is_fed)
        draw_movement(workload);
    workload->present.question.sku = text_of(inventory_workload_sku(--workload->unreceived));
}

static void draw_filling_receipt(struct inventory_workload *workload)
{
    workload->present = (struct remembered_question){0};
    struct remembered_question *present = &workload->present;
    snprintf(present->id, sizeof present->id, "fill-%zu", workload->fill_left--);
    present->question.kind = CALL_RECEIVE_STOCK;
    present->question.sku = text_of(inventory_workload_sku(0));
    present->question.quantity = inventory_quantity_max;
}

static void draw_anew(struct inventory_workload *workload, bool normal)
{
    workload->present = (struct remembered_question){0};
    draw_id(workload);
    uint64_t dice = below(workload, 100);
    if (dice < workload->reserve_weight) {
        draw_reserve(workload, normal);
    } else if (dice < workload->reserve_weight + workload->read_weight) {
        draw_read(workload, normal);
    } else if (chance(workload, 45)) {
        draw_commit(workload, normal);
    } else if (chance(workload, 45)) {
        draw_reservation_lookup(workload, CALL_ROLLBACK);
    } else if (chance(workload, 30)) {
        if (chance(workload, 40))
            draw_extension(workload);
        else
            draw_return(workload, normal);
    } else if (workload->has_policies && chance(workload, 25)) {
        draw_policy(workload);
    } else if (chance(workload, 40)) {
        draw_adjustment(workload);
    } else {
        draw_receipt(workload);
        if (workload->is_fed && chance(workload, 85))
            draw_movement(workload);
        if (workload->present.question.kind == CALL_FOLLOW_SHELF && chance(workload, 5))
            workload->present.id[0] = '\0'; /* nothing but the place */
    }
}

/* Texts and lines of a remembered question are the copy's own again. */
static void point_to_itself(struct remembered_question *one)
{
    struct inventory_question *question = &one->question;
    question->id = text_of(one->id);
    question->reservation_id = text_of(one->reservation_id);
    question->note = text_of(one->note);
    question->order_id = text_of(one->order_id);
    question->customer_id = text_of(one->customer_id);
    question->after_sku = text_of(one->after_sku);
    question->lines = one->lines;
}

static void change_one_word(struct inventory_workload *workload)
{
    struct remembered_question *present = &workload->present;
    struct inventory_question *question = &present->question;
    switch (below(workload, 8)) {
    case 0:
        if (question->quantity > 1)
            question->quantity--;
        break;
    case 1:
        if (question->line_count > 0)
            present->lines[below(workload, question->line_count)].quantity = 1;
        break;
    case 2:
        if (question->line_count > 1)
            question->line_count--;
        break;
    case 3:
        if (question->kind == CALL_RESERVE)
            question->ttl_us = inventory_ttl_us_min + 7;
        break;
    case 4:
        snprintf(present->order_id, sizeof present->order_id, "other");
        snprintf(present->note, sizeof present->note, "other");
        break;
    case 6:
        question->retake_if_expired = !question->retake_if_expired;
        if (question->kind == CALL_RETURN_STOCK)
            question->return_reason = RETURN_OTHER;
        break;
    case 5:
        question->allow_partial = !question->allow_partial;
        break;
    default:
        snprintf(present->customer_id, sizeof present->customer_id, "other");
        break;
    }
    point_to_itself(present);
}

const struct inventory_question *inventory_workload_next(struct inventory_workload *workload,
                                                         bool normal)
{
    size_t known = workload->remembered < workload_memory ? workload->remembered : workload_memory;
    if (workload->fill_left > 0 || workload->unreceived > 0) {
        if (workload->fill_left > 0)
            draw_filling_receipt(workload);
        else
            draw_first_receipt(workload);
        point_to_itself(&workload->present);
        return &workload->present.question;
    }
    if (known > 0 && chance(workload, 25)) {
        workload->present = workload->memory[below(workload, known)];
        point_to_itself(&workload->present);
        if (chance(workload, 30))
            change_one_word(workload);
        return &workload->present.question;
    }
    draw_anew(workload, normal);
    point_to_itself(&workload->present);
    struct remembered_question *kept = &workload->memory[workload->remembered++ % workload_memory];
    *kept = workload->present;
    return &workload->present.question;
}

static void observe_stock(struct inventory_workload *workload, struct text sku,
                          const struct stock *stock)
{
    for (size_t i = 0; i < workload_skus_max; i++) {
        if (text_equals_string(sku, inventory_workload_sku(i)))
            workload->revisions[i] = stock->revision;
    }
}

void inventory_workload_observe(struct inventory_workload *workload,
                                const struct inventory_call *call)
{
    if (!call->is_answered || error_is(call->error) || call->command.base.outcome != INVENTORY_DONE)
        return;
    if (call->question.kind == CALL_GET_STOCK)
        observe_stock(workload, call->question.sku, &call->command.get_stock.stock);
    else if (call->question.kind == CALL_RECEIVE_STOCK)
        observe_stock(workload, call->question.sku, &call->command.receive_stock.stock);
    else if (call->question.kind == CALL_SET_STOCK_POLICY)
        observe_stock(workload, call->question.sku, &call->command.set_stock_policy.stock);
    else if (call->question.kind == CALL_ADJUST_STOCK)
        observe_stock(workload, call->question.sku, &call->command.adjust_stock.stock);
}
