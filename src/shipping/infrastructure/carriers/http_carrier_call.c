/*
 * From the port's requests to calls and from answers to the port's completions. An unsupported
 * operation waits its turn like any other, with an outcome that is known already.
 */
#include "shipping/infrastructure/carriers/http_carrier_call.h"

#include "platform/base/memory.h"
#include "platform/json/json_tree.h"

#include <string.h>

const char *carrier_operation_name(enum carrier_operation operation)
{
    static const char *const names[] = {"token",           "calculate_rate",    "create_shipment",
                                        "cancel_shipment", "get_tracking_info", "find_by_reference",
                                        "recover_labels"};
    return names[operation];
}

struct carrier_call *carrier_call_create(struct http_carrier *carrier,
                                         enum carrier_operation operation)
{
    struct carrier_call *call = memory_allocate_zero(1, sizeof *call);
    if (call == NULL)
        return NULL;
    call->carrier = carrier;
    call->operation = operation;
    carrier_wire_init(&call->wire);
    arena_init(&call->arena,
               2 * json_tree_bytes_max(http_carrier_settings(carrier)->answer_bytes_max));
    return call;
}

void carrier_call_destroy(struct carrier_call *call)
{
    if (call == NULL)
        return;
    carrier_wire_deinit(&call->wire);
    arena_deinit(&call->arena);
    memory_release(call);
}

enum carrier_api carrier_call_api(const struct carrier_call *call)
{
    if (call->wire.to_tracking)
        return CARRIER_API_UNIFIED_TRACKING;
    switch (call->operation) {
    case CARRIER_OPERATION_TOKEN:
        return CARRIER_API_TOKENS;
    case CARRIER_OPERATION_RATE:
        return CARRIER_API_RATES;
    case CARRIER_OPERATION_CREATE:
    case CARRIER_OPERATION_CANCEL:
    case CARRIER_OPERATION_RECOVER:
        return CARRIER_API_SHIPMENTS;
    case CARRIER_OPERATION_TRACK:
    case CARRIER_OPERATION_FIND:
        return CARRIER_API_TRACKING;
    }
    return CARRIER_API_SHIPMENTS;
}

/* Labels of what was found: an answer that does not bring them is no reason to forget the find. */
static void read_recovered(struct carrier_call *call, const struct carrier_protocol *protocol,
                           const struct carrier_answer *answer)
{
    struct carrier_outcome ignored = {0};
    struct carrier_shipment *found = arena_allocate(&call->arena, sizeof *found);
    if (found == NULL || call->result.matches.shipment_count != 1)
        return;
    *found = call->result.matches.shipments[0];
    protocol->read_labels(answer, &ignored, found);
    call->result.matches.shipments = found;
}

/*
 * "… has already been voided": who repeats a cancellation wants to hear that it is cancelled. By
 * the carriers' codes (UPS 190117, FedEx), or by their words where the code is another. What has
 * "already been picked up and cannot be voided" is not.
 */
static bool says_already_cancelled(struct text code, struct text message)
{
    static const char *const words[] = {"already void",    "already been void",
                                        "already cancel",  "already been cancel",
                                        "previously void", "previously cancel"};
    if (text_equals_string(code, "190117") ||
        text_equals_string(code, "SHIPMENT.ALREADY.CANCELLED"))
        return true;
    char lower[256] = {0};
    for (size_t i = 0; i < message.size && i < sizeof lower - 1; i++) {
        char c = message.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strstr(lower, words[i]) != NULL)
            return true;
    }
    return false;
}

/*
 * A 2xx that looks like an error may hold what was asked for all the same: a word beside the answer
 * ("message": "OK") is no refusal. True: it does.
 */
static bool read_beside_error(struct carrier_call *call, const struct carrier_protocol *protocol,
                              const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    struct carrier_outcome tried = {.verdict = CARRIER_ANSWERED, .http_status = answer->status};
    if (answer->root == NULL || answer->status < 200 || answer->status >= 300)
        return false;
    if (call->operation == CARRIER_OPERATION_RATE)
        protocol->read_rates(answer, &tried, &call->result.rates);
    else if (call->operation == CARRIER_OPERATION_CREATE)
        protocol->read_shipment(answer, &tried, &call->result.shipment);
    else
        return false;
    if (tried.verdict == CARRIER_ANSWERED)
        *outcome = tried;
    return tried.verdict == CARRIER_ANSWERED;
}

/* A no without a reason that can be read, where something may have been done. */
static bool is_doubtful(const struct carrier_call *call, const struct carrier_outcome *outcome)
{
    bool is_2xx = outcome->http_status >= 200 && outcome->http_status < 300;
    return outcome->verdict == CARRIER_REFUSED && outcome->code.size == 0 &&
           (call->operation == CARRIER_OPERATION_CANCEL ||
            (call->operation == CARRIER_OPERATION_CREATE && is_2xx));
}

static void settle_refusal(const struct carrier_call *call, struct carrier_outcome *outcome)
{
    bool asks =
        call->operation == CARRIER_OPERATION_RATE || call->operation == CARRIER_OPERATION_CREATE;
    if (asks && outcome->verdict == CARRIER_NOT_FOUND)
        outcome->verdict = CARRIER_REFUSED; /* there is nothing to be found */
    if (call->operation == CARRIER_OPERATION_CANCEL && outcome->verdict == CARRIER_REFUSED &&
        says_already_cancelled(outcome->code, outcome->message))
        outcome->verdict = CARRIER_ANSWERED;
    if (is_doubtful(call, outcome))
        outcome->verdict = CARRIER_UNKNOWN; /* asked again, or looked up, later */
}

static void read_call(struct carrier_call *call, const struct carrier_protocol *protocol,
                      unsigned status, struct text body, struct carrier_outcome *outcome)
{
    struct carrier_answer answer;
    bool good = carrier_answer_read(protocol, status, body, &call->arena, &answer, outcome);
    if (call->operation == CARRIER_OPERATION_RECOVER) {
        if (good)
            read_recovered(call, protocol, &answer);
        *outcome = (struct carrier_outcome){.verdict = CARRIER_ANSWERED, .http_status = 200};
        return;
    }
    if (!good) {
        if (!read_beside_error(call, protocol, &answer, outcome))
            settle_refusal(call, outcome);
        return;
    }
    switch (call->operation) {
    case CARRIER_OPERATION_RATE:
        protocol->read_rates(&answer, outcome, &call->result.rates);
        break;
    case CARRIER_OPERATION_CREATE:
        protocol->read_shipment(&answer, outcome, &call->result.shipment);
        break;
    case CARRIER_OPERATION_CANCEL:
        protocol->read_cancel(&answer, outcome);
        break;
    case CARRIER_OPERATION_TRACK:
        protocol->read_tracking(&answer, outcome, &call->result.tracking);
        break;
    case CARRIER_OPERATION_FIND:
        protocol->read_find(&answer, outcome, &call->result.matches);
        break;
    case CARRIER_OPERATION_TOKEN:
    case CARRIER_OPERATION_RECOVER:
        break; /* read elsewhere */
    }
}

void carrier_call_read(struct carrier_call *call, const struct carrier_protocol *protocol,
                       unsigned status, struct text body, struct carrier_outcome *outcome)
{
    /* Without memory a label may be missing from what looks like an answer. */
    read_call(call, protocol, status, body, outcome);
    bool holds_something =
        call->operation != CARRIER_OPERATION_CANCEL && call->operation != CARRIER_OPERATION_RECOVER;
    if (call->arena.refused && holds_something && outcome->verdict == CARRIER_ANSWERED)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "no memory for the answer");
}

void carrier_call_keep_outcome(struct carrier_call *call, const struct carrier_outcome *outcome)
{
    size_t size =
        outcome->message.size < sizeof call->said ? outcome->message.size : sizeof call->said;
    call->last_outcome = *outcome;
    if (size > 0)
        memcpy(call->said, outcome->message.data, size);
    call->last_outcome.message = text_make(call->said, size);
    call->last_outcome.code = (struct text){0};
    arena_reset(&call->arena);
}

bool carrier_call_goes_on(struct carrier_call *call, const struct carrier_protocol *protocol,
                          const struct carrier_settings *settings,
                          const struct carrier_outcome *outcome)
{
    const struct carrier_matches *found = &call->result.matches;
    if (call->operation != CARRIER_OPERATION_FIND || outcome->verdict != CARRIER_ANSWERED ||
        protocol->write_label_recovery == NULL || found->shipment_count != 1 ||
        found->shipments[0].voided)
        return false;
    protocol->write_label_recovery(settings, found->shipments[0].tracking_number, &call->wire);
    call->operation = CARRIER_OPERATION_RECOVER;
    call->retry = (struct retry){.attempts = UINT32_MAX / 2}; /* once is enough */
    return !call->wire.failed;
}

void carrier_call_finish(struct carrier_call *call, const struct carrier_outcome *outcome)
{
    struct carrier_outcome found = {.verdict = CARRIER_ANSWERED, .http_status = 200};
    bool answered = outcome->verdict == CARRIER_ANSWERED;
    switch (call->operation) {
    case CARRIER_OPERATION_RATE:
        call->done.rate(call->context, outcome, answered ? &call->result.rates : NULL);
        break;
    case CARRIER_OPERATION_CREATE:
        call->done.shipment(call->context, outcome, answered ? &call->result.shipment : NULL);
        break;
    case CARRIER_OPERATION_CANCEL:
        call->done.cancel(call->context, outcome);
        break;
    case CARRIER_OPERATION_TRACK:
        call->done.tracking(call->context, outcome, answered ? &call->result.tracking : NULL);
        break;
    case CARRIER_OPERATION_FIND:
        call->done.find(call->context, outcome, answered ? &call->result.matches : NULL);
        break;
    case CARRIER_OPERATION_RECOVER: /* without labels it is found all the same */
        call->done.find(call->context, &found, &call->result.matches);
        break;
    case CARRIER_OPERATION_TOKEN:
        break;
    }
    carrier_call_destroy(call);
}

/* ------------------------------------------------------------------------------------ the port */

static struct http_carrier *of(struct carrier *carrier)
{
    return (struct http_carrier *)carrier; /* its first member */
}

static struct error no_memory(const struct carrier *carrier)
{
    return error_make(ERROR_OUT_OF_MEMORY, "a call to %s", carrier->name);
}

static struct error calculate_rate(struct carrier *carrier,
                                   const struct carrier_rate_request *request,
                                   carrier_rate_done *done, void *context)
{
    struct carrier_call *call = carrier_call_create(of(carrier), CARRIER_OPERATION_RATE);
    if (call == NULL)
        return no_memory(carrier);
    call->done.rate = done;
    call->context = context;
    http_carrier_protocol(of(carrier))
        ->write_rates(http_carrier_settings(of(carrier)), request, &call->wire);
    return http_carrier_start(of(carrier), call, request->timeout_us);
}

static struct error create_shipment(struct carrier *carrier,
                                    const struct carrier_shipment_request *request,
                                    carrier_shipment_done *done, void *context)
{
    struct carrier_call *call = carrier_call_create(of(carrier), CARRIER_OPERATION_CREATE);
    if (call == NULL)
        return no_memory(carrier);
    call->done.shipment = done;
    call->context = context;
    call->shipment_id = request->shipment_id;
    http_carrier_protocol(of(carrier))
        ->write_shipment(http_carrier_settings(of(carrier)), request, &call->wire);
    return http_carrier_start(of(carrier), call, request->timeout_us);
}

static struct error cancel_shipment(struct carrier *carrier,
                                    const struct carrier_cancel_request *request,
                                    carrier_cancel_done *done, void *context)
{
    const struct carrier_protocol *protocol = http_carrier_protocol(of(carrier));
    struct carrier_call *call = carrier_call_create(of(carrier), CARRIER_OPERATION_CANCEL);
    if (call == NULL)
        return no_memory(carrier);
    call->done.cancel = done;
    call->context = context;
    call->shipment_id = request->shipment_id;
    call->unsupported = protocol->write_cancel == NULL;
    if (!call->unsupported)
        protocol->write_cancel(http_carrier_settings(of(carrier)), request, &call->wire);
    return http_carrier_start(of(carrier), call, request->timeout_us);
}

static struct error get_tracking_info(struct carrier *carrier,
                                      const struct carrier_tracking_request *request,
                                      carrier_tracking_done *done, void *context)
{
    struct carrier_call *call = carrier_call_create(of(carrier), CARRIER_OPERATION_TRACK);
    if (call == NULL)
        return no_memory(carrier);
    call->done.tracking = done;
    call->context = context;
    http_carrier_protocol(of(carrier))
        ->write_tracking(http_carrier_settings(of(carrier)), request, &call->wire);
    return http_carrier_start(of(carrier), call, request->timeout_us);
}

static struct error find_by_reference(struct carrier *carrier,
                                      const struct carrier_find_request *request,
                                      carrier_find_done *done, void *context)
{
    struct carrier_call *call = carrier_call_create(of(carrier), CARRIER_OPERATION_FIND);
    if (call == NULL)
        return no_memory(carrier);
    call->done.find = done;
    call->context = context;
    call->shipment_id = request->shipment_id;
    http_carrier_protocol(of(carrier))
        ->write_find(http_carrier_settings(of(carrier)), request, &call->wire);
    return http_carrier_start(of(carrier), call, request->timeout_us);
}

static struct error read_webhook(struct carrier *carrier, const struct carrier_webhook *webhook,
                                 struct arena *arena, struct carrier_webhook_result *result)
{
    *result = (struct carrier_webhook_result){.verdict = CARRIER_WEBHOOK_REFUSED};
    struct error error =
        http_carrier_protocol(of(carrier))
            ->read_webhook(http_carrier_settings(of(carrier)), webhook, arena, result);
    if (!error_is(error) && arena->refused)
        error = error_make(ERROR_OUT_OF_MEMORY, "reading a push of %s", carrier->name);
    return error;
}

const struct carrier_table http_carrier_table = {
    .calculate_rate = calculate_rate,
    .create_shipment = create_shipment,
    .cancel_shipment = cancel_shipment,
    .get_tracking_info = get_tracking_info,
    .find_by_reference = find_by_reference,
    .read_webhook = read_webhook,
    .state = http_carrier_state,
};
