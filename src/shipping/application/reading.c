/* GetShipment, ListShipments, GetTrackingInfo, ListCarriers: what is asked and answered at once. */
#include "shipping/application/carrier_copies.h"
#include "shipping/application/service_state.h"

#include <stddef.h>

/* --- one shipment --- */

/* On the call's arena. */
struct reading {
    struct shipping_call *call;
    union {
        struct shipping_command base;
        struct get_shipment_command get;
        struct list_shipments_command list;
    } command;
    struct carrier_tracking_request question;
    size_t carrier_index;
};

static struct reading *reading_of(struct shipping_command *command)
{
    return (struct reading *)(void *)((char *)command - offsetof(struct reading, command));
}

/* NULL without memory; the call has been answered then. */
static struct reading *begin(struct shipping_call *call)
{
    struct reading *reading = arena_allocate_zero(call->arena, 1, sizeof *reading);
    if (reading == NULL)
        call_fail_without_memory(call);
    else
        reading->call = call;
    return reading;
}

static void run(struct reading *reading, enum shipping_command_kind kind, shipping_done *done)
{
    command_begin(reading->call->service, &reading->command.base, kind, reading->call->arena);
    reading->command.base.deadline_us = reading->call->deadline_us;
    command_run(reading->call->service, &reading->command.base, done);
}

/* True: the record is there; else the call has been answered. */
static bool has_shipment(struct reading *reading, const struct error *error)
{
    if (error != NULL)
        call_fail(reading->call, error);
    else if (reading->command.base.outcome != SHIPPING_DONE)
        call_refuse(reading->call, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
    else
        return true;
    return false;
}

static void got(struct shipping_command *command, const struct error *error)
{
    struct reading *reading = reading_of(command);
    if (!has_shipment(reading, error))
        return;
    ((struct get_shipment_call *)reading->call)->shipment = reading->command.get.shipment;
    call_finish(reading->call);
}

void run_get_shipment(struct shipping_call *base)
{
    struct reading *reading = begin(base);
    if (reading == NULL)
        return;
    reading->command.get = (struct get_shipment_command){
        .shipment_id = ((struct get_shipment_call *)base)->shipment_id};
    run(reading, COMMAND_GET_SHIPMENT, got);
}

/* --- lists --- */

static void listed(struct shipping_command *command, const struct error *error)
{
    struct reading *reading = reading_of(command);
    struct list_shipments_call *call = (struct list_shipments_call *)reading->call;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    call->shipments = reading->command.list.shipments;
    call->shipment_count = reading->command.list.shipment_count;
    call->next = reading->command.list.next;
    call_finish(&call->base);
}

void run_list_shipments(struct shipping_call *base)
{
    struct list_shipments_call *call = (struct list_shipments_call *)base;
    struct reading *reading = begin(base);
    if (reading == NULL)
        return;
    reading->command.list = (struct list_shipments_command){
        .order_id = call->order_id,
        .state = call->state,
        .page_size = call->page_size,
        .after = call->after,
    };
    run(reading, COMMAND_LIST_SHIPMENTS, listed);
}

/* --- tracking --- */

static void tracked(void *context, const struct carrier_outcome *outcome,
                    const struct carrier_tracking *tracking)
{
    struct reading *reading = context;
    struct get_tracking_info_call *call = (struct get_tracking_info_call *)reading->call;
    service_count(call->base.service, reading->carrier_index, QUESTION_TRACK, outcome->verdict);
    if (outcome->verdict == CARRIER_ANSWERED) {
        call->tracking = *tracking;
        call->tracking.scans = copy_scans(call->base.arena, tracking->scans, tracking->scan_count);
        if (call->tracking.scans == NULL)
            call_fail_without_memory(&call->base);
        else
            call_finish(&call->base);
        return;
    }
    enum shipping_refusal refusal = REFUSAL_CARRIER_UNAVAILABLE;
    if (outcome->verdict == CARRIER_NOT_FOUND)
        refusal = REFUSAL_NUMBER_NOT_FOUND;
    else if (outcome->verdict == CARRIER_REFUSED)
        refusal = REFUSAL_CARRIER_REFUSED;
    else if (outcome->verdict == CARRIER_UNSUPPORTED)
        refusal = REFUSAL_TRACKING_UNSUPPORTED;
    struct text words = outcome_words(call->base.arena, outcome);
    call->base.retry_after_us = outcome->retry_after_us;
    call_refuse(&call->base, refusal, "%.*s", (int)words.size, words.data);
}

static void ask_tracking(struct reading *reading, struct text name, struct text number)
{
    struct shipping_call *call = reading->call;
    struct carrier *carrier = service_carrier(call->service, name, &reading->carrier_index);
    if (carrier == NULL) {
        call_refuse(call, REFUSAL_CARRIER_UNAVAILABLE, "the shipment's carrier is not configured");
        return;
    }
    if (!carrier->capabilities.tracking) {
        call_refuse(call, REFUSAL_TRACKING_UNSUPPORTED, "%s tells nothing of its parcels",
                    carrier->name);
        return;
    }
    reading->question = (struct carrier_tracking_request){
        .tracking_number = number,
        .timeout_us = call_time_left_us(call, call->service->options.question_us_max),
    };
    struct error error = carrier_get_tracking_info(carrier, &reading->question, tracked, reading);
    if (error_is(error))
        call_fail(call, &error);
}

static void got_for_tracking(struct shipping_command *command, const struct error *error)
{
    struct reading *reading = reading_of(command);
    if (!has_shipment(reading, error))
        return;
    const struct shipment *shipment = &reading->command.get.shipment;
    if (shipment->tracking_number.size == 0)
        call_refuse(reading->call, REFUSAL_SHIPMENT_NOT_CREATED,
                    "the shipment is %s: it has no tracking number",
                    shipment_state_name(shipment->state));
    else
        ask_tracking(reading, shipment->carrier, shipment->tracking_number);
}

void run_get_tracking_info(struct shipping_call *base)
{
    struct get_tracking_info_call *call = (struct get_tracking_info_call *)base;
    struct reading *reading = begin(base);
    if (reading == NULL)
        return;
    if (call->shipment_id.size == 0) {
        ask_tracking(reading, call->carrier, call->tracking_number);
        return;
    }
    reading->command.get = (struct get_shipment_command){.shipment_id = call->shipment_id};
    run(reading, COMMAND_GET_SHIPMENT, got_for_tracking);
}

/* --- carriers --- */

void run_list_carriers(struct shipping_call *base)
{
    struct list_carriers_call *call = (struct list_carriers_call *)base;
    struct shipping_service *service = base->service;
    call->carrier_count = service->options.carrier_count;
    call->carriers =
        arena_allocate_zero(base->arena, call->carrier_count + 1, sizeof *call->carriers);
    if (call->carriers == NULL) {
        call_fail_without_memory(base);
        return;
    }
    for (size_t i = 0; i < call->carrier_count; i++)
        call->carriers[i] = (struct shipping_carrier_view){
            .name = service->carriers[i]->name,
            .capabilities = &service->carriers[i]->capabilities,
            .state = carrier_state(service->carriers[i]),
        };
    call_finish(base);
}
