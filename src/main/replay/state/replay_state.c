/* Arrays by hold, order, product and line, each with the counts that a display wants at any time.
 */
#include "main/replay/state/replay_state.h"

#include "main/replay/plan/parcel_life.h"
#include "platform/base/memory.h"

enum { page_token_bytes_max = 4096 };

/* What a data set without places does not need. */
static struct error allocate_logistics(struct replay *replay)
{
    uint32_t orders = replay->data_set->order_count;
    replay->parcels = memory_allocate_zero(replay->data_set->line_count, 1);
    replay->part_counts = memory_allocate_zero(orders, sizeof *replay->part_counts);
    replay->shipment_counts = memory_allocate_zero(orders, sizeof *replay->shipment_counts);
    replay->consigned = memory_allocate_zero(orders, sizeof *replay->consigned);
    replay->consignments = memory_allocate_zero(orders, sizeof *replay->consignments);
    replay->confirming = memory_allocate_zero(replay->plan->hold_count, sizeof *replay->confirming);
    replay->delivered = memory_allocate_zero(orders, sizeof *replay->delivered);
    replay->allocation_ids = memory_allocate_zero(orders, sizeof *replay->allocation_ids);
    replay->deliveries = memory_allocate_zero(orders, sizeof *replay->deliveries);
    if (replay->confirming == NULL || replay->delivered == NULL || replay->allocation_ids == NULL ||
        replay->deliveries == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "replay");
    if (replay->parcels == NULL || replay->part_counts == NULL || replay->shipment_counts == NULL ||
        replay->consigned == NULL || replay->consignments == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "replay");
    for (uint32_t i = 0; i < replay->data_set->line_count; i++)
        replay->parcel_calls_total += replay_parcel_calls(replay, i);
    struct error error = on_time_survey_init(&replay->on_time, replay->data_set);
    if (!error_is(error))
        error = order_turns_init(&replay->turns, replay->data_set);
    return error_is(error) ? error
                           : replay_supply_init(&replay->supply, replay->data_set, replay->places);
}

struct error replay_state_init(struct replay *replay, const struct replay_options *options)
{
    replay->options = *options;
    replay->plan = options->plan;
    replay->data_set = options->plan->data_set;
    replay->places = options->places;
    uint32_t hold_count = replay->plan->hold_count;
    latency_sample_init(&replay->latencies);
    replay->holds = memory_allocate_zero(hold_count, sizeof *replay->holds);
    replay->look_up_us = memory_allocate_zero(hold_count, sizeof *replay->look_up_us);
    replay->received =
        memory_allocate_zero(replay->data_set->product_count, sizeof *replay->received);
    if (replay->holds == NULL || replay->look_up_us == NULL || replay->received == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "replay");
    buffer_init(&replay->page_token, page_token_bytes_max);
    replay->allocations = memory_allocate_zero(replay->data_set->order_count, 1);
    replay->allocation_counts[ALLOCATION_NONE] = replay->data_set->order_count;
    if (replay->allocations == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "replay");
    return replay->places == NULL ? error_none() : allocate_logistics(replay);
}

void replay_state_deinit(struct replay *replay)
{
    latency_sample_deinit(&replay->latencies);
    ledger_survey_destroy(replay->survey);
    memory_release(replay->holds);
    memory_release(replay->look_up_us);
    memory_release(replay->received);
    memory_release(replay->allocations);
    memory_release(replay->parcels);
    memory_release(replay->consignments);
    memory_release(replay->deliveries);
    memory_release(replay->allocation_ids);
    memory_release(replay->delivered);
    memory_release(replay->confirming);
    memory_release(replay->consigned);
    memory_release(replay->shipment_counts);
    memory_release(replay->part_counts);
    on_time_survey_deinit(&replay->on_time);
    order_turns_deinit(&replay->turns);
    replay_supply_deinit(&replay->supply);
    buffer_deinit(&replay->page_token);
}

struct order_turns *replay_turns(void *context)
{
    struct replay *replay = context;
    return &replay->turns;
}

void replay_set_hold(struct replay *replay, uint32_t hold, struct hold_status status)
{
    replay->state_counts[replay->holds[hold].state]--;
    replay->state_counts[status.state]++;
    replay->holds[hold] = status;
}

void replay_set_allocation(struct replay *replay, uint32_t order, enum allocation_progress progress)
{
    replay->allocation_counts[replay->allocations[order]]--;
    replay->allocation_counts[progress]++;
    replay->allocations[order] = (uint8_t)progress;
}

uint32_t replay_parcel_calls(const struct replay *replay, uint32_t line)
{
    return 1 + parcel_step_count(&replay->data_set->lines[line]);
}

void replay_set_parcel(struct replay *replay, uint32_t line, uint32_t calls)
{
    uint32_t all = replay_parcel_calls(replay, line);
    replay->parcels_arrived += calls == all;
    replay->parcels_arrived -= replay->parcels[line] == all;
    replay->parcel_calls += calls;
    replay->parcel_calls -= replay->parcels[line];
    replay->parcels[line] = (uint8_t)calls;
}

void replay_set_consigned(struct replay *replay, uint32_t order, bool is_consigned)
{
    replay->consigned_count += is_consigned;
    replay->consigned_count -= replay->consigned[order];
    replay->consigned[order] = is_consigned;
}

void replay_set_delivered(struct replay *replay, uint32_t order, bool is_delivered)
{
    replay->delivered_count += is_delivered;
    replay->delivered_count -= replay->delivered[order];
    replay->delivered[order] = is_delivered;
}

struct replay_id replay_allocation_id(const struct replay *replay, uint32_t order)
{
    return replay->has_fulfillment ? replay->allocation_ids[order]
                                   : replay_plan_allocation_id(replay->plan, order);
}
