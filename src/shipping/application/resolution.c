/*
 * ResolveShipment: a person decides. A number to be adopted is held against what the carrier has
 * under our reference: it may not be another one, nor that of another shipment of ours, and what
 * cannot be a number of that carrier is not even asked about. Where the
 * carrier cannot say, the person's word counts. BUY_AGAIN buys at once; its record is an INTENT
 * again, so that a crash in between leaves what CreateShipment goes on with.
 */
#include "shipping/application/carrier_copies.h"
#include "shipping/application/purchase.h"
#include "shipping/domain/tracking_number.h"

#include <stddef.h>

/* On the call's arena. */
struct resolution {
    struct resolve_shipment_call *call;
    union {
        struct shipping_command base;
        struct get_shipment_command get;
        struct find_shipment_command find;
        struct resolve_shipment_command resolve;
    } command;
    struct shipment shipment;
    size_t carrier_index;
    char reference[shipment_reference_bytes_max];
    struct carrier_find_request question;
    struct carrier_shipment bought;
    bool is_verified;
};

static struct resolution *resolution_of(struct shipping_command *command)
{
    return (struct resolution *)(void *)((char *)command - offsetof(struct resolution, command));
}

static void run(struct resolution *resolution, enum shipping_command_kind kind, shipping_done *done)
{
    struct shipping_call *call = &resolution->call->base;
    command_begin(call->service, &resolution->command.base, kind, call->arena);
    resolution->command.base.deadline_us = call->deadline_us;
    command_run(call->service, &resolution->command.base, done);
}

static void refuse_state(struct shipping_call *call, const struct shipment *shipment,
                         enum shipment_resolution resolution)
{
    bool is_early = shipment->state == SHIPMENT_UNKNOWN || shipment->state == SHIPMENT_SENT;
    if (is_early)
        call_refuse(
            call, REFUSAL_SHIPMENT_UNRESOLVED,
            resolution == SHIPMENT_BUY_AGAIN
                ? "the shipment is %s: it may be bought again only when the look-ups have "
                  "ended (NEEDS_ATTENTION)"
                : "the shipment is %s: it is being looked up, the carrier may have sold it; "
                  "decide when it is NEEDS_ATTENTION",
            shipment_state_name(shipment->state));
    else if (shipment_has_lost_void(shipment))
        call_refuse(
            call, REFUSAL_SHIPMENT_RESOLVED,
            "the shipment was bought, and its carrier does not find it to void: VOID it, or "
            "ADOPT its own number %.*s if the label stands",
            (int)shipment->tracking_number.size, shipment->tracking_number.data);
    else
        call_refuse(call, REFUSAL_SHIPMENT_RESOLVED,
                    "the shipment is %s: there is nothing to decide",
                    shipment_state_name(shipment->state));
}

static void resolved(struct shipping_command *command, const struct error *error)
{
    struct resolution *resolution = resolution_of(command);
    struct shipping_call *call = &resolution->call->base;
    const struct shipment *shipment = &resolution->command.resolve.shipment;
    if (error != NULL) {
        call_fail(call, error);
        return;
    }
    if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        call_refuse(call, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
        return;
    }
    if (command->outcome != SHIPPING_DONE) {
        refuse_state(call, shipment, resolution->call->resolution);
        return;
    }
    resolution->shipment = *shipment;
    if (resolution->call->resolution == SHIPMENT_BUY_AGAIN && shipment->state == SHIPMENT_INTENT) {
        purchase_again(call, &resolution->shipment, &resolution->call->shipment);
        return;
    }
    resolution->call->shipment = *shipment;
    call_finish(call);
}

static void decide(struct resolution *resolution)
{
    const struct resolve_shipment_call *call = resolution->call;
    resolution->command.resolve = (struct resolve_shipment_command){
        .shipment_id = call->shipment_id,
        .resolution = call->resolution,
        .tracking_number = call->tracking_number,
        .bought = resolution->is_verified ? &resolution->bought : NULL,
        .note = call->note,
    };
    run(resolution, COMMAND_RESOLVE_SHIPMENT, resolved);
}

static bool has_number(const struct carrier_shipment *shipment, struct text number)
{
    bool found = text_equal(shipment->tracking_number, number);
    for (size_t i = 0; i < shipment->parcel_count; i++)
        found = found || text_equal(shipment->parcels[i].tracking_number, number);
    return found;
}

static void found(void *context, const struct carrier_outcome *outcome,
                  const struct carrier_matches *matches)
{
    struct resolution *resolution = context;
    struct resolve_shipment_call *call = resolution->call;
    service_count(call->base.service, resolution->carrier_index, QUESTION_FIND, outcome->verdict);
    if (outcome->verdict != CARRIER_ANSWERED) {
        decide(resolution); /* nobody knows better than the person */
        return;
    }
    for (size_t i = 0; i < matches->shipment_count; i++) {
        const struct carrier_shipment *match = &matches->shipments[i];
        if (!has_number(match, call->tracking_number))
            continue;
        if (match->voided) {
            call_refuse(&call->base, REFUSAL_NUMBER_MISMATCH, "the carrier has voided that label");
            return;
        }
        if (!carrier_numbers_fit(match)) {
            decide(resolution); /* the number counts; nothing else of it can be kept */
            return;
        }
        if (!copy_carrier_shipment(call->base.arena, match, &resolution->bought)) {
            call_fail_without_memory(&call->base);
            return;
        }
        resolution->is_verified = true;
        decide(resolution);
        return;
    }
    call_refuse(&call->base, REFUSAL_NUMBER_MISMATCH, "under our reference the carrier has %.*s",
                (int)matches->shipments[0].tracking_number.size,
                matches->shipments[0].tracking_number.data);
}

/* Holds the number against what the carrier has; where it has nothing to say, the person decides.
 */
static void ask_carrier(struct resolution *resolution)
{
    struct resolve_shipment_call *call = resolution->call;
    const struct shipment *shipment = &resolution->shipment;
    struct carrier *carrier =
        service_carrier(call->base.service, shipment->carrier, &resolution->carrier_index);
    if (carrier == NULL || !carrier->capabilities.find_by_reference) {
        decide(resolution);
        return;
    }
    size_t size =
        shipment_reference(shipment->shipment_id, shipment->attempt, resolution->reference);
    resolution->question = (struct carrier_find_request){
        .shipment_id = text_make(resolution->reference, size),
        .sent_time_us = shipment->sent_time_us,
        .consignment = &shipment->consignment,
        .service_code = shipment->service_code,
        .timeout_us = call_time_left_us(&call->base, call->base.service->options.question_us_max),
    };
    struct error failed =
        carrier_find_by_reference(carrier, &resolution->question, found, resolution);
    if (error_is(failed))
        call_fail(&call->base, &failed);
}

static void owner_found(struct shipping_command *command, const struct error *error)
{
    struct resolution *resolution = resolution_of(command);
    struct shipping_call *call = &resolution->call->base;
    const struct shipment *owner = &resolution->command.find.shipment;
    if (error != NULL)
        call_fail(call, error);
    else if (command->outcome == SHIPPING_DONE &&
             !text_equal(owner->shipment_id, resolution->call->shipment_id))
        call_refuse(call, REFUSAL_NUMBER_MISMATCH, "the number is that of shipment %.*s",
                    (int)owner->shipment_id.size, owner->shipment_id.data);
    else
        ask_carrier(resolution);
}

static void got(struct shipping_command *command, const struct error *error)
{
    struct resolution *resolution = resolution_of(command);
    struct resolve_shipment_call *call = resolution->call;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    if (command->outcome != SHIPPING_DONE) {
        call_refuse(&call->base, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
        return;
    }
    resolution->shipment = resolution->command.get.shipment;
    const struct shipment *shipment = &resolution->shipment;
    if (call->resolution == SHIPMENT_VOID) {
        /* While it is looked up there may be a label, and nobody would look for it any more. */
        if (shipment->state == SHIPMENT_UNKNOWN || shipment->state == SHIPMENT_SENT)
            refuse_state(&call->base, shipment, SHIPMENT_VOID);
        else
            decide(resolution);
        return;
    }
    if (shipment->state != SHIPMENT_UNKNOWN && shipment->state != SHIPMENT_NEEDS_ATTENTION) {
        decide(resolution);
        return;
    }
    const char *form = shipment_has_lost_void(shipment)
                           ? NULL /* it has a number of the carrier's */
                           : tracking_number_form_missed(shipment->carrier, call->tracking_number);
    if (form != NULL) {
        violations_add(&call->base.violations, form, "tracking_number");
        call_refuse(&call->base, REFUSAL_NUMBER_MALFORMED, "tracking_number: %s", form);
        return;
    }
    resolution->command.find = (struct find_shipment_command){
        .carrier = shipment->carrier,
        .tracking_number = call->tracking_number,
    };
    run(resolution, COMMAND_FIND_SHIPMENT, owner_found);
}

void run_resolve_shipment(struct shipping_call *base)
{
    struct resolution *resolution = arena_allocate_zero(base->arena, 1, sizeof *resolution);
    if (resolution == NULL) {
        call_fail_without_memory(base);
        return;
    }
    resolution->call = (struct resolve_shipment_call *)base;
    if (resolution->call->resolution == SHIPMENT_BUY_AGAIN) {
        decide(resolution);
        return;
    }
    resolution->command.get =
        (struct get_shipment_command){.shipment_id = resolution->call->shipment_id};
    run(resolution, COMMAND_GET_SHIPMENT, got);
}
