/*
 * CancelShipment: what is wanted is durable before the carrier is asked, so that the resolver goes
 * on asking where no answer comes, or where the carrier does not find the label (yet). A carrier
 * without a void is not asked, and nothing is noted.
 */
#include "shipping/application/service_state.h"

#include <stddef.h>

/* On the call's arena. */
struct cancellation {
    struct cancel_shipment_call *call;
    union {
        struct shipping_command base;
        struct get_shipment_command get;
        struct cancel_shipment_command cancel;
    } command;
    struct carrier *carrier;
    size_t carrier_index;
    struct shipment shipment;
    struct carrier_cancel_request question;
    struct text words; /* of the carrier that will not */
};

static struct cancellation *cancellation_of(struct shipping_command *command)
{
    return (struct cancellation *)(void *)((char *)command -
                                           offsetof(struct cancellation, command));
}

static void run(struct cancellation *cancellation, enum shipping_command_kind kind,
                shipping_done *done)
{
    struct shipping_call *call = &cancellation->call->base;
    command_begin(call->service, &cancellation->command.base, kind, call->arena);
    if (kind == COMMAND_GET_SHIPMENT)
        cancellation->command.base.deadline_us = call->deadline_us;
    command_run(call->service, &cancellation->command.base, done);
}

static void finish(struct cancellation *cancellation, const struct shipment *shipment)
{
    cancellation->call->shipment = *shipment;
    call_finish(&cancellation->call->base);
}

/* Says no to a record in a state that cannot be cancelled. */
static void refuse_state(struct cancellation *cancellation, const struct shipment *shipment)
{
    struct shipping_call *call = &cancellation->call->base;
    if (shipment_has_lost_void(shipment))
        call_refuse(call, REFUSAL_CANCEL_REFUSED,
                    "the carrier does not find the label of shipment %.*s to void; a person says "
                    "by ResolveShipment whether it is void; the carrier: %.*s",
                    (int)shipment->shipment_id.size, shipment->shipment_id.data,
                    (int)shipment->failure.size,
                    shipment->failure.size == 0 ? "" : shipment->failure.data);
    else if (shipment->state == SHIPMENT_FAILED)
        call_refuse(call, REFUSAL_SHIPMENT_FAILED, "the carrier refused it: there is no label");
    else if (shipment->state == SHIPMENT_NEEDS_ATTENTION)
        call_refuse(
            call, REFUSAL_SHIPMENT_NEEDS_ATTENTION,
            "the shipment is NEEDS_ATTENTION: a person says by ResolveShipment whether there "
            "is a label");
    else
        call_refuse(call, REFUSAL_SHIPMENT_UNRESOLVED,
                    "the shipment is %s: nobody knows yet whether there is a label; it is being "
                    "looked up",
                    shipment_state_name(shipment->state));
}

static void ended(struct shipping_command *command, const struct error *error)
{
    struct cancellation *cancellation = cancellation_of(command);
    struct shipping_call *call = &cancellation->call->base;
    if (error != NULL)
        call_fail(call, error); /* the resolver asks the carrier again */
    else if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND)
        call_refuse(call, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
    else if (command->outcome == SHIPPING_STATE_DIFFERS)
        refuse_state(cancellation, &cancellation->command.cancel.shipment);
    else if (cancellation->command.cancel.voided)
        finish(cancellation, &cancellation->command.cancel.shipment);
    else
        call_refuse(call, REFUSAL_CANCEL_REFUSED, "%.*s", (int)cancellation->words.size,
                    cancellation->words.data);
}

static void end_with(struct cancellation *cancellation, bool voided)
{
    cancellation->command.cancel = (struct cancel_shipment_command){
        .shipment_id = cancellation->call->shipment_id,
        .voided = voided,
        .failure = cancellation->words,
    };
    run(cancellation, COMMAND_END_CANCEL, ended);
}

static void asked(void *context, const struct carrier_outcome *outcome)
{
    struct cancellation *cancellation = context;
    struct shipping_call *call = &cancellation->call->base;
    service_count(call->service, cancellation->carrier_index, QUESTION_CANCEL, outcome->verdict);
    cancellation->words = outcome_words(call->arena, outcome);
    if (outcome->verdict != CARRIER_ANSWERED && outcome->verdict != CARRIER_REFUSED) {
        call->retry_after_us = outcome->retry_after_us;
        call_refuse(call, REFUSAL_CARRIER_UNAVAILABLE,
                    "the cancellation is noted and will be asked for again; the carrier: %.*s",
                    (int)cancellation->words.size, cancellation->words.data);
        return;
    }
    end_with(cancellation, outcome->verdict == CARRIER_ANSWERED);
}

static void begun(struct shipping_command *command, const struct error *error)
{
    struct cancellation *cancellation = cancellation_of(command);
    struct shipping_call *call = &cancellation->call->base;
    if (error != NULL) {
        call_fail(call, error);
        return;
    }
    if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        call_refuse(call, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
        return;
    }
    cancellation->shipment = cancellation->command.cancel.shipment;
    struct shipment *shipment = &cancellation->shipment;
    if (command->outcome == SHIPPING_STATE_DIFFERS) {
        refuse_state(cancellation, shipment);
        return;
    }
    if (shipment->state == SHIPMENT_CANCELLED) {
        finish(cancellation, shipment);
        return;
    }
    if (cancellation->carrier == NULL || !cancellation->carrier->capabilities.cancel) {
        cancellation->words = text_of("it was bought meanwhile, and this carrier has no void");
        end_with(cancellation, false); /* it was an INTENT a moment ago */
        return;
    }
    cancellation->question = (struct carrier_cancel_request){
        .shipment_id = shipment->shipment_id,
        .tracking_number = shipment->tracking_number,
        .country_code = shipment->consignment.origin.country_code,
        .timeout_us = call->service->options.purchase_us_max,
    };
    struct error failed = carrier_cancel_shipment(cancellation->carrier, &cancellation->question,
                                                  asked, cancellation);
    if (error_is(failed))
        call_fail(call, &failed);
}

static void got(struct shipping_command *command, const struct error *error)
{
    struct cancellation *cancellation = cancellation_of(command);
    struct shipping_call *call = &cancellation->call->base;
    const struct shipment *shipment = &cancellation->command.get.shipment;
    if (error != NULL) {
        call_fail(call, error);
        return;
    }
    if (command->outcome != SHIPPING_DONE) {
        call_refuse(call, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
        return;
    }
    cancellation->carrier =
        service_carrier(call->service, shipment->carrier, &cancellation->carrier_index);
    if (shipment->state == SHIPMENT_CREATED && cancellation->carrier == NULL) {
        call_refuse(call, REFUSAL_CARRIER_UNAVAILABLE, "the shipment's carrier is not configured");
        return;
    }
    if (shipment->state == SHIPMENT_CREATED && !cancellation->carrier->capabilities.cancel) {
        struct text words = no_void_words(call->arena, cancellation->carrier);
        call_refuse(call, REFUSAL_CANCEL_UNSUPPORTED, "%.*s", (int)words.size, words.data);
        return;
    }
    cancellation->command.cancel = (struct cancel_shipment_command){
        .shipment_id = cancellation->call->shipment_id, .reason = cancellation->call->reason};
    run(cancellation, COMMAND_BEGIN_CANCEL, begun);
}

void run_cancel_shipment(struct shipping_call *base)
{
    struct cancellation *cancellation = arena_allocate_zero(base->arena, 1, sizeof *cancellation);
    if (cancellation == NULL) {
        call_fail_without_memory(base);
        return;
    }
    cancellation->call = (struct cancel_shipment_call *)base;
    cancellation->command.get =
        (struct get_shipment_command){.shipment_id = cancellation->call->shipment_id};
    run(cancellation, COMMAND_GET_SHIPMENT, got);
}
