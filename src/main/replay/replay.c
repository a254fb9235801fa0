/*
 * The order of a replay; see replay.h. The progress file is saved once a second, when a stage
 * begins, and at the end; failing to save ends the run, for a run that cannot say how far it came
 * must not go on as if it could.
 *
 * A run is only cut at points where nothing is lost by it: between two saves the ledger knows more
 * than the file, never less, and that is all that the next run asks of it.
 */
#include "main/replay/replay.h"

#include "main/replay/pump/answer_details.h"
#include "main/replay/stages/replay_stage.h"
#include "main/replay/state/page_reading.h"
#include "main/replay/survey/replay_survey.h"
#include "platform/base/memory.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <stdio.h>
#include <string.h>

enum {
    connection_count = 4,
    calls_per_connection = 64,
    rounds_max = 5,
    save_interval_ms = 1000,
};
static const int64_t patience_us = INT64_C(60) * 1000000;
static const int64_t first_patience_us = INT64_C(3) * 1000000;
static const int64_t verify_timeout_us = INT64_C(3600) * 1000000;

/* --- saving --- */

static struct error save(struct replay *replay)
{
    struct replay_progress *progress = &replay->progress;
    progress->received = replay->received_count;
    progress->committed = replay->state_counts[HOLD_COMMITTED];
    progress->rolled_back = replay->state_counts[HOLD_ROLLED_BACK];
    progress->expired = replay->state_counts[HOLD_EXPIRED];
    progress->delivered = replay->parcels_arrived;
    return replay_progress_save(replay->file, progress);
}

static void save_now(uv_timer_t *timer)
{
    struct replay *replay = timer->data;
    struct error error = save(replay);
    if (!error_is(error))
        return;
    replay->save_error = error;
    call_pump_stop(replay->pump);
}

/* --- making --- */

static struct error create_pump(struct replay *replay)
{
    struct call_pump_options options = {
        .loop = replay->options.loop,
        .clock = replay->options.clock,
        .server = replay->options.server,
        .others = replay->options.others,
        .other_count = replay->options.other_count,
        .tls = replay->options.tls,
        .connections = connection_count,
        .calls_per_connection = calls_per_connection,
        .patience_us = patience_us,
        .first_patience_us = first_patience_us,
    };
    return call_pump_create(&replay->pump, &options);
}

struct error replay_create(struct replay **result, const struct replay_options *options)
{
    struct replay *replay = memory_allocate_zero(1, sizeof *replay);
    *result = NULL;
    if (replay == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "replay");
    struct error error = replay_state_init(replay, options);
    if (!error_is(error))
        error = replay_progress_open(&replay->file, options->file_system, options->progress_path,
                                     options->plan, &replay->progress);
    if (!error_is(error))
        error = create_pump(replay);
    if (error_is(error)) {
        replay_destroy(replay);
        return error;
    }
    (void)uv_timer_init(options->loop, &replay->save_timer); /* never fails */
    replay->save_timer.data = replay;
    replay->save_timer_is_open = true;
    *result = replay;
    return error_none();
}

static void save_timer_closed(uv_handle_t *timer)
{
    struct replay *replay = timer->data;
    replay->save_timer_is_open = false;
}

void replay_destroy(struct replay *replay)
{
    if (replay == NULL)
        return;
    if (replay->save_timer_is_open)
        uv_close((uv_handle_t *)&replay->save_timer, save_timer_closed);
    while (replay->save_timer_is_open)
        uv_run(replay->options.loop, UV_RUN_ONCE);
    call_pump_destroy(replay->pump);
    replay_progress_close(replay->file);
    for (uint32_t i = 0; replay->consignments != NULL && i < replay->data_set->order_count; i++)
        replay_release_consignments(replay, i);
    for (uint32_t i = 0; replay->deliveries != NULL && i < replay->data_set->order_count; i++)
        replay_release_delivery(replay, i);
    replay_state_deinit(replay);
    memory_release(replay);
}

/* --- running --- */

/*
 * Receipts, holds and orders: one step each for what is received or held, a second for a hold's
 * end; with warehouses one for each plan, for an order that is allocated, and one more when it is
 * shipped, and one for each call about a parcel on its way.
 */
static uint64_t steps_done(const struct replay *replay)
{
    uint64_t done = replay->received_count + replay->state_counts[HOLD_PENDING];
    for (int i = 0; i < hold_outcome_count; i++)
        done += 2 * (uint64_t)replay->state_counts[hold_state_wanted((enum hold_outcome)i)];
    if (replay->places == NULL)
        return done;
    return done + replay->plans_made + replay->allocation_counts[ALLOCATION_FIRM] +
           2 * (uint64_t)replay->allocation_counts[ALLOCATION_SHIPPED] + replay->consigned_count +
           replay->parcel_calls + replay->delivered_count;
}

/* Whether orders are followed until fulfillment calls them delivered. */
static bool delivers(const struct replay *replay)
{
    return replay->has_fulfillment && replay->has_tracking;
}

static uint64_t steps_total(const struct replay *replay)
{
    uint64_t total = replay->data_set->product_count + 2 * (uint64_t)replay->plan->hold_count;
    if (replay->places == NULL)
        return total;
    return total + (replay_strategy_count + 2) * (uint64_t)replay->data_set->order_count +
           (replay->has_shipping ? replay->data_set->order_count : 0) +
           (replay->has_tracking ? replay->parcel_calls_total : 0) +
           (delivers(replay) ? replay->data_set->order_count : 0);
}

/* A server that has less than it once had is another one, or has lost its data. */
static struct error check_server(const struct replay *replay)
{
    const struct replay_progress *progress = &replay->progress;
    const struct hold_totals *holds = replay->result->totals.holds;
    if (replay->result->totals.products_received >= progress->received &&
        holds[HOLD_COMMITTED].holds >= progress->committed &&
        holds[HOLD_ROLLED_BACK].holds >= progress->rolled_back &&
        holds[HOLD_EXPIRED].holds >= progress->expired &&
        replay->parcels_arrived >= progress->delivered)
        return error_none();
    return error_make(
        ERROR_INVALID_INPUT,
        "%s says that %u holds are finished and %u lines delivered, the server knows of %u and "
        "%u. "
        "Start the server on the data that this replay went to; or, to replay from the beginning, "
        "delete that file.",
        replay->options.progress_path,
        progress->committed + progress->rolled_back + progress->expired, progress->delivered,
        holds[HOLD_COMMITTED].holds + holds[HOLD_ROLLED_BACK].holds + holds[HOLD_EXPIRED].holds,
        replay->parcels_arrived);
}

static struct error run_stage(struct replay *replay, const struct replay_stage *stage)
{
    struct call_pump_counts before = call_pump_counts(replay->pump);
    replay->progress.stage = stage->name;
    struct error error = save(replay);
    if (error_is(error))
        return error;
    replay->stage = stage;
    error = call_pump_run(replay->pump, &stage->work, replay, &replay->latencies);
    replay->stage = NULL;
    struct call_pump_counts after = call_pump_counts(replay->pump);
    replay->stage_calls += after.calls - before.calls;
    replay->stage_repeated += after.repeated - before.repeated;
    replay->stage_busy_us += after.busy_us - before.busy_us;
    return error;
}

static struct error run_stages(struct replay *replay, const struct replay_stage *stages,
                               size_t count)
{
    struct error error = error_none();
    for (size_t i = 0; i < count && !error_is(error); i++)
        error = run_stage(replay, &stages[i]);
    return error;
}

/* Whether the shelves are as full as the comparison wants them, and it is not there yet. */
static bool is_to_compare(const struct replay *replay)
{
    return replay->progress.strategies[0].orders == 0 &&
           replay->allocation_counts[ALLOCATION_NONE] == replay->data_set->order_count;
}

static struct error compare_strategies(struct replay *replay)
{
    memset(replay->strategies, 0, sizeof replay->strategies);
    replay->plans_made = 0;
    struct error error = is_to_compare(replay) ? run_stage(replay, &strategy_stage) : error_none();
    if (error_is(error))
        return error;
    if (replay->plans_made > 0)
        memcpy(replay->progress.strategies, replay->strategies, sizeof replay->strategies);
    replay->plans_made = replay_strategy_count * replay->data_set->order_count;
    return save(replay);
}

/* Where each hold and each order stands. */
static struct error survey(struct replay *replay)
{
    struct error error = replay_survey_holds(replay);
    if (!error_is(error) && replay->places != NULL)
        error = replay_survey_orders(replay);
    if (!error_is(error) && replay->places != NULL)
        error = replay_survey_allocations(replay);
    if (!error_is(error) && replay->places != NULL)
        error = replay_survey_shipments(replay);
    if (!error_is(error) && replay->places != NULL)
        error = replay_survey_parcels(replay);
    return error;
}

/* What fulfillment does by itself, call by call. */
static struct error hold_and_allocate(struct replay *replay)
{
    struct error error = run_stages(replay, hold_stages, hold_stage_count);
    if (!error_is(error) && replay->places != NULL)
        error = run_stage(replay, &allocate_stage);
    if (!error_is(error) && replay->has_shipping)
        error = run_stage(replay, &consignment_stage);
    return error;
}

static struct error run_round(struct replay *replay)
{
    struct error error = replay->places == NULL
                             ? run_stage(replay, &receive_stage)
                             : run_stages(replay, supply_stages, supply_stage_count);
    if (!error_is(error) && replay->places != NULL)
        error = compare_strategies(replay);
    if (!error_is(error))
        error = replay->has_fulfillment ? run_stages(replay, promise_stages, promise_stage_count)
                                        : hold_and_allocate(replay);
    if (!error_is(error) && replay->places != NULL)
        error = run_stage(replay, &dispatch_stage);
    if (!error_is(error) && delivers(replay))
        error = run_stage(replay, &deliver_stage);
    if (!error_is(error) && replay->has_tracking)
        error = run_stage(replay, &tracking_stage);
    if (!error_is(error))
        error = survey(replay);
    return error;
}

/* All stages until all holds are where the plan wants them, or it turns out that they never will
 * be. */
static struct error run_rounds(struct replay *replay)
{
    const struct difference_list *conflicts = &replay->result->differences;
    struct error error = error_none();
    for (int round = 0; round < rounds_max && steps_done(replay) < steps_total(replay) &&
                        conflicts->count == 0 && !error_is(error);
         round++) {
        replay->lapse_give_up_us =
            clock_monotonic_us(replay->options.clock) + replay_lapse_ttl_us + replay_lapse_grace_us;
        replay->feed_give_up_us = INT64_MAX;
        error = run_round(replay);
    }
    return error;
}

/* --- verifying --- */

static bool verify_prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    Waybill__Inventory__V1__VerifyLedgerRequest *request = arena_allocate(arena, sizeof *request);
    (void)context;
    (void)item;
    if (request == NULL)
        return false;
    waybill__inventory__v1__verify_ledger_request__init(request);
    call->path = "/waybill.inventory.v1.InventoryService/VerifyLedger";
    call->request = &request->base;
    call->response = &waybill__inventory__v1__verify_ledger_response__descriptor;
    call->timeout_us = verify_timeout_us;
    return true;
}

static struct error verify_answered(void *context, size_t item,
                                    const struct rpc_client_result *answer, bool *again)
{
    struct replay_result *result = context;
    (void)item;
    *again = false;
    if (answer->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&answer->status), "VerifyLedger");
    const Waybill__Inventory__V1__VerifyLedgerResponse *response =
        (const Waybill__Inventory__V1__VerifyLedgerResponse *)answer->response;
    result->ledger_entries = response->entries;
    result->ledger_mismatches = (int64_t)response->n_mismatches;
    snprintf(result->chain_head, sizeof result->chain_head, "%s", response->chain_head);
    for (size_t i = 0; i < response->n_mismatches; i++) {
        const Waybill__Inventory__V1__LedgerMismatch *mismatch = response->mismatches[i];
        difference_list_add(&result->differences,
                            "%s: the ledger's entries give %lld, the balance is %lld",
                            mismatch->sku, (long long)mismatch->ledger_quantity,
                            (long long)mismatch->balance_quantity);
    }
    return error_none();
}

static const struct pump_work verify_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = verify_prepare,
    .answered = verify_answered,
};

/* --- the whole --- */

/* What was measured goes into the result: by this run, or by the one that finished the replay
 * before. */
static void measure(struct replay *replay)
{
    struct replay_progress *progress = &replay->progress;
    if (replay->stage_calls > 0) {
        progress->finish_time_us = clock_now_us(replay->options.clock);
        progress->measurements = (struct replay_measurements){
            .calls = replay->stage_calls,
            .repeated = replay->stage_repeated,
            .busy_us = replay->stage_busy_us,
            .latency = latency_sample_percentiles(&replay->latencies),
        };
    }
    replay->result->finish_time_us = progress->finish_time_us;
    replay->result->measurements = progress->measurements;
    replay->result->has_warehouses = replay->places != NULL;
    replay->result->has_shipping = replay->has_shipping;
    replay->result->on_time = replay->has_tracking ? &replay->on_time : NULL;
    memcpy(replay->result->strategies, progress->strategies, sizeof progress->strategies);
}

/* The survey that came last against the plan, and the server's own verification. */
static struct error judge(struct replay *replay)
{
    struct replay_result *result = replay->result;
    struct error error = call_pump_run(replay->pump, &verify_work, result, NULL);
    if (!error_is(error) && replay->has_fulfillment)
        replay_judge_orders(replay);
    else if (!error_is(error))
        error = ledger_survey_compare(replay->survey, replay->holds, &result->differences);
    if (!error_is(error) && replay->places != NULL)
        error = replay_judge_shelves(replay);
    if (!error_is(error) && replay->has_tracking)
        replay_judge_parcels(replay);
    if (!error_is(error) && replay->has_shipping)
        replay_judge_shipments(replay);
    return error;
}

static struct error run(struct replay *replay)
{
    struct error error = survey(replay);
    if (!error_is(error))
        error = check_server(replay);
    if (error_is(error))
        return error;
    replay->counts_are_true = true;
    (void)uv_timer_start(&replay->save_timer, save_now, save_interval_ms, save_interval_ms);
    if (!replay->progress.complete)
        error = run_rounds(replay);
    if (!error_is(error))
        error = judge(replay);
    (void)uv_timer_stop(&replay->save_timer);
    if (error_is(error))
        return error_is(replay->save_error) ? replay->save_error : error;
    replay->result->was_complete = replay->progress.complete;
    measure(replay);
    replay->progress.complete = replay->result->differences.count == 0;
    return error_none();
}

struct error replay_run(struct replay *replay, struct replay_result *result)
{
    *result = (struct replay_result){0};
    replay->result = result;
    struct error error = run(replay);
    /* Also after an error, once the counts are true: the next run then begins with what is known
     * now. */
    if (!replay->counts_are_true)
        return error;
    replay->progress.stage = replay->progress.complete ? "done" : "cut";
    struct error save_error = save(replay);
    return error_is(error) ? error : save_error;
}

void replay_stop(struct replay *replay)
{
    call_pump_stop(replay->pump);
}

struct replay_view replay_view(const struct replay *replay)
{
    return (struct replay_view){
        .stage = replay->stage == NULL ? "Reading the ledger" : replay->stage->title,
        .steps_done = steps_done(replay),
        .steps_total = steps_total(replay),
        .calls = call_pump_counts(replay->pump).calls,
        .is_sending = replay->stage != NULL,
    };
}

bool replay_has_met_server(const struct replay *replay)
{
    return call_pump_has_answered(replay->pump);
}
