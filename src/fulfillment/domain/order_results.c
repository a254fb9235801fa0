/* Results of calls into the record. Without memory a call counts as one that has to be made again.
 */
#include "fulfillment/domain/order_results.h"

#include <stdio.h>

struct order_refusal order_refusal_make(enum order_refusal_kind kind, const char *reason,
                                        const char *message)
{
    return (struct order_refusal){
        .kind = kind, .reason = text_of(reason), .message = text_of(message)};
}

/* --- what a step has to do --- */

bool order_step_is_for_parts(enum order_step step)
{
    return step == STEP_LOCATE || step == STEP_RATE || step == STEP_LABEL || step == STEP_ABANDON ||
           step == STEP_TRACK || step == STEP_RETURN_SHORT || step == STEP_VOID;
}

bool order_step_is_for_each(enum order_step step)
{
    return step == STEP_DESCRIBE || order_step_is_for_parts(step);
}

int64_t order_part_short_quantity(const struct order_part *part, size_t line)
{
    return part->is_shipped ? part->lines[line].quantity - part->lines[line].shipped_quantity : 0;
}

static bool has_shorts(const struct order_part *part)
{
    for (size_t i = 0; i < part->line_count; i++) {
        if (order_part_short_quantity(part, i) > 0)
            return true;
    }
    return false;
}

bool order_part_needs(const struct order_part *part, enum order_step step, size_t *item)
{
    *item = 0;
    if (step == STEP_LOCATE)
        return !part->is_located;
    if (step == STEP_RATE)
        return part->carrier.size == 0;
    if (step == STEP_LABEL || step == STEP_ABANDON)
        return part->label == LABEL_WANTED;
    if (step == STEP_RETURN_SHORT)
        return part->is_shipped && !part->shorts_are_given && has_shorts(part);
    if (step == STEP_VOID)
        return !part->is_shipped && part->label != LABEL_VOIDED && part->label != LABEL_LOST;
    if (step != STEP_TRACK)
        return false;
    while (*item < part->parcel_count && part->parcels[*item].is_registered)
        (*item)++;
    return *item < part->parcel_count;
}

/* --- rates --- */

static bool was_tried(const struct order_part *part, struct text carrier)
{
    for (size_t i = 0; i < part->tried_count; i++) {
        if (text_equal(part->tried_carriers[i], carrier))
            return true;
    }
    return false;
}

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_rates(const struct order_rate *a, const struct order_rate *b,
                         enum order_rule rule)
{
    int64_t time_a = a->estimated_delivery_time_us == 0 ? INT64_MAX : a->estimated_delivery_time_us;
    int64_t time_b = b->estimated_delivery_time_us == 0 ? INT64_MAX : b->estimated_delivery_time_us;
    int by_amount = compare_numbers(a->amount.amount_minor, b->amount.amount_minor);
    int by_time = compare_numbers(time_a, time_b);
    int first = rule == ORDER_FASTEST ? by_time : by_amount;
    int second = rule == ORDER_FASTEST ? by_amount : by_time;
    if (first != 0)
        return first;
    if (second != 0)
        return second;
    int by_carrier = text_compare(a->carrier, b->carrier);
    return by_carrier != 0 ? by_carrier : text_compare(a->service_code, b->service_code);
}

const struct order_rate *order_choose_rate(const struct order_rate *rates, size_t rate_count,
                                           const char *currency, enum order_rule rule,
                                           const struct order_part *part)
{
    const struct order_rate *best = NULL;
    for (size_t i = 0; i < rate_count; i++) {
        if (strcmp(rates[i].amount.currency, currency) != 0 || rates[i].amount.amount_minor < 0 ||
            was_tried(part, rates[i].carrier))
            continue;
        if (best == NULL || compare_rates(&rates[i], best, rule) < 0)
            best = &rates[i];
    }
    return best;
}

bool order_exclude_carrier(struct order *order, struct order_part *part, struct arena *arena)
{
    struct text *tried =
        arena_allocate_zero(arena, part->tried_count + 1, sizeof *part->tried_carriers);
    if (tried == NULL || part->tried_count >= fulfillment_carriers_max)
        return false;
    for (size_t i = 0; i < part->tried_count; i++)
        tried[i] = part->tried_carriers[i];
    tried[part->tried_count] = part->carrier;
    part->tried_carriers = tried;
    part->tried_count++;
    part->carrier = (struct text){0};
    part->service_code = (struct text){0};
    part->shipment_attempt = ++order->shipment_attempts;
    return true;
}

/* --- what calls bring --- */

static enum order_call_outcome refuse_currency(struct order *order, struct text warehouse_id,
                                               struct order_money costs, struct arena *arena)
{
    char *message =
        arena_format(arena, "the costs of warehouse %.*s are in %s, the order is in %s",
                     (int)warehouse_id.size, warehouse_id.data, costs.currency, order->currency);
    if (message == NULL)
        return CALL_UNAVAILABLE;
    order->refusal = order_refusal_make(REFUSAL_PRECONDITION, "CURRENCY_MISMATCH", message);
    return CALL_REFUSED;
}

static bool is_other_currency(const struct order *order, struct order_money money)
{
    return money.currency[0] != '\0' && money.amount_minor != 0 &&
           strcmp(money.currency, order->currency) != 0;
}

static enum order_call_outcome take_item(struct order *order, const struct order_call *result)
{
    struct order_line *line = &order->lines[result->item];
    line->is_described = true;
    line->name = result->item_name;
    line->weight_grams = result->weight_grams;
    line->hs_code = result->hs_code;
    line->origin_country = result->origin_country;
    return CALL_DONE;
}

/* The parts are new; what is known of the parts before (nothing was bought for them) is gone. */
static enum order_call_outcome take_allocation(struct order *order, const struct order_call *result,
                                               struct arena *arena)
{
    struct order_part *parts =
        arena_allocate_zero(arena, result->allocated_count + 1, sizeof *parts);
    int64_t splits = result->total_cost.amount_minor;
    if (parts == NULL)
        return CALL_UNAVAILABLE;
    if (result->allocated_count > 0)
        parts[0].warehouse_id = result->allocated[0].warehouse_id;
    if (is_other_currency(order, result->total_cost))
        return refuse_currency(order, parts[0].warehouse_id, result->total_cost, arena);
    for (size_t i = 0; i < result->allocated_count; i++) {
        parts[i].warehouse_id = result->allocated[i].warehouse_id;
        parts[i].lines = result->allocated[i].lines;
        parts[i].line_count = result->allocated[i].line_count;
        parts[i].shipment_attempt = ++order->shipment_attempts;
        splits -= result->allocated[i].cost_minor;
    }
    order->parts = parts;
    order->part_count = result->allocated_count;
    order->splits_minor = splits < 0 ? 0 : splits;
    return CALL_DONE;
}

static enum order_call_outcome take_warehouse(struct order *order, const struct order_call *result,
                                              struct arena *arena)
{
    struct order_part *part = &order->parts[result->part];
    if (is_other_currency(order, result->handling))
        return refuse_currency(order, part->warehouse_id, result->handling, arena);
    part->is_located = true;
    part->origin = result->origin;
    part->handling_minor = result->handling.amount_minor;
    return CALL_DONE;
}

/* "ups: tried before; fedex: in another currency; dhl: …": no carrier is passed over in silence. */
static struct order_refusal no_rate(const struct order *order, const struct order_call *result,
                                    const struct order_part *part, struct arena *arena)
{
    struct order_refusal refusal = order_refusal_make(
        REFUSAL_PRECONDITION, "NO_RATE", "no carrier has a rate for this in that currency");
    const char *words = "";
    for (size_t i = 0; i < part->tried_count && words != NULL; i++)
        words = arena_format(arena, "%s%s%.*s: tried before", words, i == 0 ? "" : "; ",
                             (int)part->tried_carriers[i].size, part->tried_carriers[i].data);
    for (size_t i = 0; i < result->rate_count && words != NULL; i++) {
        const struct order_rate *rate = &result->rates[i];
        bool is_told = i > 0 && text_equal(rate->carrier, result->rates[i - 1].carrier);
        if (!is_told && !was_tried(part, rate->carrier))
            words = arena_format(arena, "%s%s%.*s: has no rate in %s", words,
                                 words[0] == '\0' ? "" : "; ", (int)rate->carrier.size,
                                 rate->carrier.data, order->currency);
    }
    struct text told = result->refusal.message;
    if (words != NULL && told.size > 0)
        words = arena_format(arena, "%s%s%.*s", words, words[0] == '\0' ? "" : "; ", (int)told.size,
                             told.data);
    if (words != NULL && words[0] != '\0')
        refusal.message = text_of(words);
    return refusal;
}

static enum order_call_outcome take_rates(struct order *order, const struct order_call *result,
                                          struct arena *arena)
{
    struct order_part *part = &order->parts[result->part];
    const struct order_rate *rate =
        order_choose_rate(result->rates, result->rate_count, order->currency, order->rule, part);
    if (rate == NULL) {
        order->refusal = no_rate(order, result, part, arena);
        return CALL_CARRIER_REFUSED;
    }
    part->carrier = rate->carrier;
    part->service_code = rate->service_code;
    if (!order->pivot_is_passed) /* afterwards it stays what the customer was told */
        part->amount_minor = rate->amount.amount_minor;
    part->estimated_delivery_time_us = rate->estimated_delivery_time_us;
    return CALL_DONE;
}

static enum order_call_outcome take_shipment(struct order *order, const struct order_call *result,
                                             struct arena *arena)
{
    struct order_part *part = &order->parts[result->part];
    part->parcels =
        arena_allocate_zero(arena, result->tracking_number_count + 1, sizeof *part->parcels);
    if (part->parcels == NULL)
        return CALL_UNAVAILABLE;
    for (size_t i = 0; i < result->tracking_number_count; i++)
        part->parcels[i].tracking_number = result->tracking_numbers[i];
    part->parcel_count = result->tracking_number_count;
    part->charged = result->charged;
    part->label = LABEL_BOUGHT;
    return CALL_DONE;
}

void order_take_shipped_lines(struct order_part *part, const struct order_part_line *lines,
                              size_t line_count)
{
    for (size_t i = 0; i < part->line_count; i++) {
        for (size_t k = 0; k < line_count; k++) {
            if (text_equal(part->lines[i].sku, lines[k].sku))
                part->lines[i].shipped_quantity = lines[k].shipped_quantity;
        }
    }
}

/* Parts that had left already stay with the order. */
static enum order_call_outcome take_release(struct order *order, const struct order_call *result)
{
    for (size_t i = 0; i < order->part_count; i++) {
        struct order_part *part = &order->parts[i];
        for (size_t k = 0; k < result->allocated_count; k++) {
            const struct order_allocated_part *released = &result->allocated[k];
            if (part->is_shipped || !released->is_shipped ||
                !text_equal(part->warehouse_id, released->warehouse_id))
                continue;
            part->is_shipped = true;
            order_take_shipped_lines(part, released->lines, released->line_count);
        }
    }
    return CALL_DONE;
}

enum order_call_outcome order_take_result(struct order *order, const struct order_call *result,
                                          struct arena *arena)
{
    if (order->step == STEP_VOID && result->outcome == CALL_HOLD_GONE)
        order->parts[result->part].label = LABEL_VOIDED; /* there was none */
    if (result->outcome != CALL_DONE)
        return result->outcome;
    switch (order->step) {
    case STEP_DESCRIBE:
        return take_item(order, result);
    case STEP_RESERVE:
        order->must_reserve = false;
        order->hold_until_us = result->expire_time_us;
        break;
    case STEP_EXTEND:
        order->hold_until_us = result->expire_time_us;
        break;
    case STEP_ALLOCATE:
        return take_allocation(order, result, arena);
    case STEP_LOCATE:
        return take_warehouse(order, result, arena);
    case STEP_RATE:
        return take_rates(order, result, arena);
    case STEP_LABEL:
        return take_shipment(order, result, arena);
    case STEP_TRACK:
        order->parts[result->part].parcels[result->item].is_registered = true;
        break;
    case STEP_RETURN_SHORT:
        order->parts[result->part].shorts_are_given = true;
        break;
    case STEP_RELEASE:
        return take_release(order, result);
    case STEP_VOID:
        order->parts[result->part].label = LABEL_VOIDED;
        break;
    case STEP_NONE:
    case STEP_REPLACE:
    case STEP_FIRM:
    case STEP_COMMIT:
    case STEP_ABANDON:
    case STEP_ROLL_BACK:
    case STEP_RETURN:
        break;
    }
    return CALL_DONE;
}

/* --- words for people --- */

/* At most fulfillment_note_bytes_max, cut between characters. */
static struct text cut_note(struct text note)
{
    if (note.size > fulfillment_note_bytes_max)
        note.size = fulfillment_note_bytes_max;
    while (note.size > 0 && !text_is_utf8(note))
        note.size--;
    return note;
}

/*
 * The number of the parcel that tracking is to follow, "" at other steps; and what to do where
 * tracking knows it as another shipment's already, or shipping the shipment as another, which no
 * repetition changes.
 */
static void describe_parcel(const struct order *order, const struct order_call *result,
                            const struct order_refusal *refusal, struct text *number,
                            const char **advice)
{
    *number = text_of("");
    *advice = "";
    if (order->step == STEP_LABEL && text_equals_string(refusal->reason, "ID_REUSED"))
        *advice = "; a label may have been bought: CancelOrder voids it and gives all back";
    if (order->step != STEP_TRACK || result->part >= order->part_count ||
        result->item >= order->parts[result->part].parcel_count)
        return;
    *number = order->parts[result->part].parcels[result->item].tracking_number;
    if (text_equals_string(refusal->reason, "ID_REUSED"))
        *advice =
            "; tracking has this number for another shipment: CancelOrder voids the label and "
            "gives all back, ConfirmOrder tries once more";
}

struct text order_attention_text(const struct order *order, const char *step,
                                 const struct order_call *result, struct arena *arena)
{
    bool is_ours = result->outcome == CALL_DONE && order->refusal.message.size > 0;
    const struct order_refusal *refusal =
        !is_ours && result->refusal.message.size > 0 ? &result->refusal : &order->refusal;
    struct text warehouse = {0};
    if (order_step_is_for_parts(order->step) && result->part < order->part_count)
        warehouse = order->parts[result->part].warehouse_id;
    struct text number;
    const char *advice;
    describe_parcel(order, result, refusal, &number, &advice);
    char *text = arena_format(
        arena, "%s%s%.*s%s%.*s: %.*s %.*s%s", step, warehouse.size > 0 ? " of " : "",
        (int)warehouse.size, warehouse.size > 0 ? warehouse.data : "",
        number.size > 0 ? ", parcel " : "", (int)number.size, number.size > 0 ? number.data : "",
        (int)refusal->reason.size, refusal->reason.size > 0 ? refusal->reason.data : "",
        (int)refusal->message.size, refusal->message.size > 0 ? refusal->message.data : "", advice);
    return cut_note(text_of(text == NULL ? step : text));
}

void order_note_loss(struct order *order, const struct order_call *result, struct arena *arena)
{
    struct order_part *part = &order->parts[result->part];
    if (order->step == STEP_VOID)
        part->label = LABEL_LOST;
    else
        part->shorts_are_given = true;
    const char *what = order->step == STEP_VOID ? "label not voided" : "short pick not returned";
    order->attention_reason = order_attention_text(order, what, result, arena);
}
