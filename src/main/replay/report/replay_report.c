/*
 * Counts of holds and packs come from the survey of the server's ledger, not from what this
 * process believes to have done; rate and latencies from the run that finished the replay.
 */
#include "main/replay/report/replay_report.h"

#include "main/replay/report/number_text.h"
#include "main/replay/report/on_time_report.h"
#include "main/replay/report/shipment_report.h"

#include <jansson.h>

/* --- for people --- */

static bool write_holds(struct buffer *out, const char *name, const struct hold_totals *totals,
                        const char *explanation)
{
    return buffer_append_format(out, "  %-13s %13s holds  %15s packs%s\n", name,
                                number_text_of_count(totals->holds).string,
                                number_text_of_count(totals->packs).string, explanation);
}

static bool write_data_set(struct buffer *out, const struct replay_report *report)
{
    const struct data_set *data_set = report->plan->data_set;
    return buffer_append_format(out,
                                "  orders        %13s\n"
                                "  order lines   %13s, or %s when those of one product in an "
                                "order are added up\n"
                                "  packs         %13s of %s products\n\n",
                                number_text_of_count(data_set->order_count).string,
                                number_text_of_count(data_set->line_count).string,
                                number_text_of_count(data_set->summed_line_count).string,
                                number_text_of_count(data_set->packs).string,
                                number_text_of_count(data_set->product_count).string);
}

static int64_t calls_per_second(const struct replay_measurements *of)
{
    return of->busy_us == 0 ? 0 : (int64_t)((double)of->calls * 1e6 / (double)of->busy_us);
}

static bool write_measurements(struct buffer *out, const struct replay_result *result)
{
    const struct replay_measurements *of = &result->measurements;
    if (of->calls == 0)
        return true; /* the file with the figures is gone */
    return buffer_append_format(out, "  calls         %13s in %s, %s a second, %s repeated\n",
                                number_text_of_count((int64_t)of->calls).string,
                                number_text_of_duration(of->busy_us).string,
                                number_text_of_count(calls_per_second(of)).string,
                                number_text_of_count((int64_t)of->repeated).string) &&
           buffer_append_format(out, "  latency       p50 %s, p95 %s, p99 %s, max %s\n",
                                number_text_of_duration(of->latency.p50_us).string,
                                number_text_of_duration(of->latency.p95_us).string,
                                number_text_of_duration(of->latency.p99_us).string,
                                number_text_of_duration(of->latency.max_us).string);
}

static bool write_ledger(struct buffer *out, const struct replay_result *result)
{
    const struct survey_totals *totals = &result->totals;
    if (!buffer_append_format(out,
                              "  ledger        %13s entries, %s mismatches\n"
                              "  chain head    %s\n",
                              number_text_of_count(result->ledger_entries).string,
                              number_text_of_count(result->ledger_mismatches).string,
                              result->chain_head))
        return false;
    if (totals->others_received == 0 && totals->others_reserved == 0 &&
        totals->others_committed == 0)
        return true;
    return buffer_append_format(
        out, "  others        %s packs received, %s committed, %s held of these products\n",
        number_text_of_count(totals->others_received).string,
        number_text_of_count(totals->others_committed).string,
        number_text_of_count(totals->others_reserved).string);
}

static const char *const strategy_names[] = {
    [REPLAY_PRIORITY] = "PRIORITY",
    [REPLAY_FEWEST_SPLITS] = "FEWEST_SPLITS",
    [REPLAY_LOWEST_COST] = "LOWEST_COST",
};

/* Each order planned alone on the full shelves. */
static bool write_strategies(struct buffer *out, const struct replay_result *result)
{
    bool written = buffer_append_string(
        out,
        "  each order planned alone on full shelves, at the warehouses' own cost cards:\n"
        "  strategy          orders  shipments  more than orders          cost USD  proved best\n");
    for (size_t i = 0; i < replay_strategy_count && written; i++) {
        const struct strategy_totals *of = &result->strategies[i];
        written = buffer_append_format(
            out, "  %-15s %8s %10s %17s %17s %12s\n", strategy_names[i],
            number_text_of_count(of->orders).string, number_text_of_count(of->parts).string,
            number_text_of_count((int64_t)of->parts - of->orders).string,
            number_text_of_money(of->cost_minor).string, number_text_of_count(of->optimal).string);
    }
    return written && buffer_append_string(out, "\n");
}

static bool write_shelf(struct buffer *out, const struct replay_report *report)
{
    const struct replay_result *result = report->result;
    const struct shelf_totals *shelf = &result->shelf;
    int64_t orders = report->plan->data_set->order_count;
    if (!result->has_warehouses)
        return true;
    if (result->strategies[0].orders > 0 && !write_strategies(out, result))
        return false;
    return buffer_append_format(
        out,
        "  shipped       %13s packs in %s shipments, %s more than orders, planned at USD %s\n"
        "  on the shelf  %13s packs, %s of them allocated\n"
        "  movements     %13s, %s mismatches\n\n",
        number_text_of_count(shelf->shipped).string, number_text_of_count(shelf->parts).string,
        number_text_of_count((int64_t)shelf->parts - orders).string,
        number_text_of_money(shelf->cost_minor).string, number_text_of_count(shelf->on_hand).string,
        number_text_of_count(shelf->allocated).string,
        number_text_of_count(shelf->movements).string,
        number_text_of_count(shelf->mismatches).string);
}

/* For people. */
static const char *const order_states[replay_order_states] = {
    "elsewhere", "promised", "being confirmed", "confirmed", "shipped",
    "delivered", "returned", "expired",         "cancelled", "in need of attention",
};

/* Orders by state, and how much of what was ordered has left. */
static bool write_orders(struct buffer *out, const struct replay_report *report)
{
    const struct replay_result *result = report->result;
    const char *separator = "  orders now    ";
    bool written = true;
    if (!result->has_orders)
        return true;
    for (size_t i = 0; i < replay_order_states && written; i++) {
        if (result->order_counts[i] == 0)
            continue;
        written = buffer_append_format(out, "%s%s %s", separator,
                                       number_text_of_count(result->order_counts[i]).string,
                                       order_states[i]);
        separator = ", ";
    }
    int64_t packs = report->plan->data_set->packs;
    int64_t shipped = result->shelf.shipped < packs ? result->shelf.shipped : packs;
    int64_t per_mille = (int64_t)((__int128)shipped * 1000 / (packs == 0 ? 1 : packs));
    return written &&
           buffer_append_format(out,
                                "\n  fill rate     %lld.%lld %% of the packs ordered were "
                                "shipped\n\n",
                                (long long)(per_mille / 10), (long long)(per_mille % 10));
}

static bool write_shipments(struct buffer *out, const struct replay_result *result)
{
    return !result->has_shipping || shipment_report_write(out, &result->shipments);
}

static bool write_on_time(struct buffer *out, const struct replay_report *report)
{
    const struct on_time_survey *on_time = report->result->on_time;
    return on_time == NULL || on_time_report_write(out, on_time, report->plan, report->late_shown);
}

static bool write_differences(struct buffer *out, const struct difference_list *list)
{
    if (list->count == 0)
        return buffer_append_string(out, "\n  everything adds up\n");
    bool written = buffer_append_format(out, "\n%s things differ from the plan:\n",
                                        number_text_of_count((int64_t)list->count).string);
    for (size_t i = 0; i < difference_list_kept(list) && written; i++)
        written = buffer_append_format(out, "  %s\n", list->items[i]);
    if (written && list->count > differences_kept_max)
        written = buffer_append_string(out, "  …\n");
    return written;
}

static bool write_head(struct buffer *out, const struct replay_report *report)
{
    const struct replay_result *result = report->result;
    if (!buffer_append_format(out, "Replay of %s on %s, seed %llu", report->path, report->server,
                              (unsigned long long)report->plan->seed))
        return false;
    if (result->was_complete)
        return buffer_append_format(out, ": was complete since %s, nothing was sent\n\n",
                                    number_text_of_time(result->finish_time_us).string);
    return buffer_append_string(out, "\n\n");
}

struct error replay_report_write_text(const struct replay_report *report, struct buffer *out)
{
    const struct replay_result *result = report->result;
    const struct hold_totals *holds = result->totals.holds;
    if (write_head(out, report) && write_data_set(out, report) &&
        write_holds(out, "paid", &holds[HOLD_COMMITTED], "") &&
        write_holds(out, "cancelled", &holds[HOLD_ROLLED_BACK], ", then ordered again") &&
        write_holds(out, "abandoned", &holds[HOLD_EXPIRED],
                    " until their time was over, then ordered again") &&
        buffer_append_string(out, "\n") && write_orders(out, report) && write_shelf(out, report) &&
        write_shipments(out, result) && write_on_time(out, report) &&
        write_measurements(out, result) && write_ledger(out, result) &&
        write_differences(out, &result->differences))
        return error_none();
    return error_make(ERROR_OUT_OF_MEMORY, "report");
}

/* --- for programs --- */

static json_t *pack_holds(const struct hold_totals *totals)
{
    return json_pack("{s:I, s:I}", "holds", (json_int_t)totals->holds, "packs",
                     (json_int_t)totals->packs);
}

static json_t *pack_measurements(const struct replay_measurements *of)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "calls", (json_int_t)of->calls,
                     "repeated", (json_int_t)of->repeated, "busy_us", (json_int_t)of->busy_us,
                     "calls_per_second", (json_int_t)calls_per_second(of), "latency_us", "p50",
                     (json_int_t)of->latency.p50_us, "p95", (json_int_t)of->latency.p95_us, "p99",
                     (json_int_t)of->latency.p99_us, "max", (json_int_t)of->latency.max_us);
}

static json_t *pack_differences(const struct difference_list *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < difference_list_kept(list) && array != NULL; i++) {
        if (json_array_append_new(array, json_string(list->items[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

/* NULL without memory. */
static json_t *pack_strategies(const struct replay_result *result)
{
    json_t *object = json_object();
    for (size_t i = 0; i < replay_strategy_count && object != NULL; i++) {
        const struct strategy_totals *of = &result->strategies[i];
        json_t *figures =
            json_pack("{s:I, s:I, s:I, s:I}", "orders", (json_int_t)of->orders, "parts",
                      (json_int_t)of->parts, "optimal", (json_int_t)of->optimal, "cost_minor",
                      (json_int_t)of->cost_minor);
        if (json_object_set_new(object, strategy_names[i], figures) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* JSON's null where no warehouse took part. */
static json_t *pack_warehouses(const struct replay_result *result)
{
    const struct shelf_totals *of = &result->shelf;
    if (!result->has_warehouses)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "shipped_packs",
                     (json_int_t)of->shipped, "parts", (json_int_t)of->parts, "cost_minor",
                     (json_int_t)of->cost_minor, "on_hand_packs", (json_int_t)of->on_hand,
                     "allocated_packs", (json_int_t)of->allocated, "movements",
                     (json_int_t)of->movements, "mismatches", (json_int_t)of->mismatches,
                     "strategies", pack_strategies(result));
}

/* As the values of OrderState, in the spelling of the report's other keys. */
static const char *const order_state_keys[replay_order_states] = {
    "elsewhere", "promised", "confirming", "confirmed", "shipped",
    "delivered", "returned", "expired",    "cancelled", "needs_attention",
};

/* JSON's null where fulfillment takes no part. */
static json_t *pack_orders(const struct replay_result *result)
{
    if (!result->has_orders)
        return json_null();
    json_t *object = json_object();
    for (size_t i = 0; i < replay_order_states && object != NULL; i++) {
        if (json_object_set_new(object, order_state_keys[i],
                                json_integer(result->order_counts[i])) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* NULL without memory: json_pack releases what it was given ("o") also when it fails. */
static json_t *pack(const struct replay_report *report)
{
    const struct data_set *data_set = report->plan->data_set;
    const struct replay_result *result = report->result;
    const struct survey_totals *totals = &result->totals;
    return json_pack(
        "{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:{s:I, s:I, s:s}, "
        "s:{s:I, s:I, s:I}, s:o, s:o, s:o, s:o, s:I, s:o}",
        "adds_up", result->differences.count == 0, "was_complete", result->was_complete, "seed",
        (json_int_t)report->plan->seed, "orders", (json_int_t)data_set->order_count, "lines_sent",
        (json_int_t)data_set->line_count, "lines_summed", (json_int_t)data_set->summed_line_count,
        "packs", (json_int_t)data_set->packs, "products", (json_int_t)data_set->product_count,
        "committed", pack_holds(&totals->holds[HOLD_COMMITTED]), "rolled_back",
        pack_holds(&totals->holds[HOLD_ROLLED_BACK]), "expired",
        pack_holds(&totals->holds[HOLD_EXPIRED]), "measurements",
        pack_measurements(&result->measurements), "ledger", "entries",
        (json_int_t)result->ledger_entries, "mismatches", (json_int_t)result->ledger_mismatches,
        "chain_head", result->chain_head, "others", "received_packs",
        (json_int_t)totals->others_received, "committed_packs",
        (json_int_t)totals->others_committed, "held_packs", (json_int_t)totals->others_reserved,
        "warehouses", pack_warehouses(result), "order_states", pack_orders(result), "shipments",
        result->has_shipping ? shipment_report_pack(&result->shipments) : json_null(), "on_time",
        result->on_time == NULL ? json_null() : on_time_report_pack(result->on_time, report->plan),
        "difference_count", (json_int_t)result->differences.count, "differences",
        pack_differences(&result->differences));
}

static int append_piece(const char *piece, size_t size, void *out)
{
    return buffer_append(out, piece, size) ? 0 : -1;
}

struct error replay_report_write_json(const struct replay_report *report, struct buffer *out)
{
    json_t *json = pack(report);
    bool written = json != NULL && json_dump_callback(json, append_piece, out, JSON_COMPACT) == 0 &&
                   buffer_append_string(out, "\n");
    json_decref(json);
    return written ? error_none() : error_make(ERROR_OUT_OF_MEMORY, "report");
}
