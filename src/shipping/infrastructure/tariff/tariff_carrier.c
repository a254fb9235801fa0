/*
 * A call is one piece of memory: task, completion, result. The answer is complete before the task
 * is posted; running it hands the answer over. How it fails: without memory the call is not
 * started; nothing fails after that.
 */
#include "shipping/infrastructure/tariff/tariff_carrier.h"

#include "platform/base/memory.h"
#include "shipping/domain/limits.h"
#include "shipping/infrastructure/tariff/tariff_number.h"
#include "shipping/infrastructure/tariff/tariff_price.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { rates_bytes_max = 256 * 1024 }; /* far above what all services of a tariff need */

struct tariff_carrier {
    struct carrier base; /* first */
    const struct tariff *tariff;
    struct executor *executor;
    size_t pending;
    bool closing;
};

/* What every call is; the answer's own struct has it first. */
struct call {
    struct task task; /* first */
    struct tariff_carrier *carrier;
    void *context;
    struct carrier_outcome outcome;
    char message[512];
};

struct rate_call {
    struct call call;
    carrier_rate_done *done;
    struct arena arena;
    struct carrier_rates rates;
};

struct shipment_call {
    struct call call;
    carrier_shipment_done *done;
    carrier_find_done *find_done; /* instead */
    struct carrier_shipment shipment;
    struct carrier_parcel parcels[shipping_parcels_max];
    char numbers[shipping_parcels_max][tariff_number_size];
};

struct cancel_call {
    struct call call;
    carrier_cancel_done *done;
};

struct tracking_call {
    struct call call;
    carrier_tracking_done *done;
    struct carrier_tracking tracking;
};

static struct tariff_carrier *of(struct carrier *carrier)
{
    return (struct tariff_carrier *)carrier; /* its first member */
}

/* -------------------------------------------------------------------------------------- calls */

/* Not cleared beyond the common part; NULL without memory. */
static void *make_call(struct carrier *carrier, size_t size, void *context,
                       void (*run)(struct task *task))
{
    struct call *call = memory_allocate(size);
    if (call == NULL)
        return NULL;
    call->task.run = run;
    call->carrier = of(carrier);
    call->context = context;
    call->outcome = (struct carrier_outcome){.verdict = CARRIER_ANSWERED};
    call->message[0] = '\0';
    return call;
}

static struct error start(struct call *call)
{
    call->carrier->pending++;
    executor_post(call->carrier->executor, &call->task);
    return error_none();
}

static struct error no_memory(const struct carrier *carrier)
{
    return error_make(ERROR_OUT_OF_MEMORY, "a call to %s", carrier->name);
}

/* After `done`. */
static void end(struct call *call)
{
    struct tariff_carrier *carrier = call->carrier;
    memory_release(call);
    if (--carrier->pending == 0 && carrier->closing)
        memory_release(carrier);
}

__attribute__((format(printf, 2, 3))) static void say(struct call *call, const char *format, ...)
{
    size_t size = strlen(call->message);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->message + size, sizeof call->message - size, format, arguments);
    va_end(arguments);
    call->outcome.message = text_of(call->message);
}

static void refuse(struct call *call, const char *code)
{
    call->outcome.verdict = CARRIER_REFUSED;
    call->outcome.code = text_of(code);
}

static void say_why_not(struct call *call, const struct tariff_service *service,
                        enum tariff_verdict verdict)
{
    say(call, "%s%.*s: %s", call->message[0] == '\0' ? "" : "; ", (int)service->code.size,
        service->code.data, tariff_verdict_text(verdict));
}

/* -------------------------------------------------------------------------------------- rates */

/* What is offered so far, and why not the rest. */
struct decision {
    struct arena *arena;
    struct carrier_rate *offers;
    size_t count;
    char why_not[512];
    size_t why_not_size;
};

/* Takes a copy of the price that is no larger than it needs to be. False without memory. */
static bool add_offer(struct decision *decision, const struct tariff_service *service,
                      const struct tariff_price *price)
{
    size_t size = price->charge_count * sizeof price->charges[0];
    struct carrier_charge *charges = arena_allocate(decision->arena, size);
    if (charges == NULL)
        return false;
    memcpy(charges, price->charges, size);
    decision->offers[decision->count++] = (struct carrier_rate){
        .service_code = service->code,
        .service_name = service->title,
        .amount = price->amount,
        .estimated_delivery_time_us = price->estimated_delivery_time_us,
        .breakdown = charges,
        .charge_count = price->charge_count,
    };
    return true;
}

static void add_why_not(struct decision *decision, const struct tariff_service *service,
                        enum tariff_verdict verdict)
{
    size_t room = sizeof decision->why_not - decision->why_not_size;
    int size = snprintf(decision->why_not + decision->why_not_size, room, "%s%.*s: %s",
                        decision->why_not_size == 0 ? "" : "; ", (int)service->code.size,
                        service->code.data, tariff_verdict_text(verdict));
    if (size > 0 && (size_t)size < room)
        decision->why_not_size += (size_t)size;
}

static bool decide(struct decision *decision, const struct tariff *tariff,
                   const struct tariff_facts *facts)
{
    size_t services = tariff_service_count(tariff);
    decision->offers = arena_allocate(decision->arena, services * sizeof decision->offers[0]);
    if (decision->offers == NULL)
        return false;
    for (size_t i = 0; i < services; i++) {
        struct tariff_price price;
        const struct tariff_service *service = tariff_service_on(tariff, i, facts->day);
        if (service == NULL)
            continue;
        enum tariff_verdict verdict = tariff_price_of(service, facts, &price);
        if (verdict == TARIFF_OFFERED && !add_offer(decision, service, &price))
            return false;
        if (verdict != TARIFF_OFFERED && verdict != TARIFF_NOT_BEYOND)
            add_why_not(decision, service, verdict);
    }
    return true;
}

static bool decide_rates(struct carrier *carrier, const struct carrier_rate_request *request,
                         struct arena *arena, struct carrier_outcome *outcome,
                         struct carrier_rates *rates)
{
    struct decision decision = {.arena = arena};
    struct tariff_facts facts;
    *outcome = (struct carrier_outcome){.verdict = CARRIER_ANSWERED};
    if (!tariff_facts_of(request->consignment, &facts)) {
        *outcome = (struct carrier_outcome){.verdict = CARRIER_REFUSED,
                                            .code = text_of("SHIP_DATE"),
                                            .message = text_of("the ship date is no date")};
        return true;
    }
    if (!decide(&decision, of(carrier)->tariff, &facts))
        return false;
    *rates = (struct carrier_rates){.rates = decision.offers, .rate_count = decision.count};
    if (decision.count > 0)
        return true;
    struct text why =
        decision.why_not_size == 0
            ? text_of("no service on that day")
            : arena_copy_text(arena, text_make(decision.why_not, decision.why_not_size));
    *outcome = (struct carrier_outcome){
        .verdict = CARRIER_REFUSED, .code = text_of("NO_SERVICE"), .message = why};
    return why.data != NULL;
}

static void run_rate(struct task *task)
{
    struct rate_call *call = (struct rate_call *)task;
    bool answered = call->call.outcome.verdict == CARRIER_ANSWERED;
    call->done(call->call.context, &call->call.outcome, answered ? &call->rates : NULL);
    arena_deinit(&call->arena);
    end(&call->call);
}

static struct error calculate_rate(struct carrier *carrier,
                                   const struct carrier_rate_request *request,
                                   carrier_rate_done *done, void *context)
{
    struct rate_call *call = make_call(carrier, sizeof *call, context, run_rate);
    if (call == NULL)
        return no_memory(carrier);
    call->done = done;
    arena_init(&call->arena, rates_bytes_max);
    if (!decide_rates(carrier, request, &call->arena, &call->call.outcome, &call->rates)) {
        arena_deinit(&call->arena);
        memory_release(call);
        return no_memory(carrier);
    }
    return start(&call->call);
}

/* ---------------------------------------------------------------------------------- shipments */

static void run_shipment(struct task *task)
{
    struct shipment_call *call = (struct shipment_call *)task;
    bool answered = call->call.outcome.verdict == CARRIER_ANSWERED;
    struct carrier_matches matches = {.shipments = &call->shipment, .shipment_count = 1};
    if (call->find_done != NULL)
        call->find_done(call->call.context, &call->call.outcome, answered ? &matches : NULL);
    else
        call->done(call->call.context, &call->call.outcome, answered ? &call->shipment : NULL);
    end(&call->call);
}

static const struct tariff_service *find_service(const struct tariff *tariff, struct text code,
                                                 int64_t day)
{
    for (size_t i = 0; i < tariff_service_count(tariff); i++) {
        const struct tariff_service *service = tariff_service_on(tariff, i, day);
        if (service != NULL && text_equal(service->code, code))
            return service;
    }
    return NULL;
}

/* Of the whole, which is the first parcel's, and of so many parcels. False without memory. */
static bool put_numbers(struct shipment_call *call, struct text shipment_id, size_t count)
{
    for (size_t i = 0; i < count || i == 0; i++) {
        if (!tariff_number_make(shipment_id, i + 1, call->numbers[i]))
            return false;
        call->parcels[i] = (struct carrier_parcel){.tracking_number = text_of(call->numbers[i])};
    }
    call->shipment.tracking_number = text_of(call->numbers[0]);
    call->shipment.parcels = call->parcels;
    call->shipment.parcel_count = count;
    return true;
}

/* Decides; false without memory. */
static bool make_shipment(struct shipment_call *call, const struct tariff *tariff,
                          struct text shipment_id, struct text service_code,
                          const struct consignment *consignment)
{
    struct tariff_facts facts;
    struct tariff_price price;
    if (!tariff_facts_of(consignment, &facts)) {
        refuse(&call->call, "SHIP_DATE");
        say(&call->call, "the ship date is no date");
        return true;
    }
    const struct tariff_service *service = find_service(tariff, service_code, facts.day);
    if (service == NULL) {
        refuse(&call->call, "SERVICE_UNKNOWN");
        say(&call->call, "no such service on that day: %.*s",
            (int)(service_code.size < 64 ? service_code.size : 64), service_code.data);
        return true;
    }
    enum tariff_verdict verdict = tariff_price_of(service, &facts, &price);
    if (verdict != TARIFF_OFFERED) {
        refuse(&call->call, "NO_SERVICE");
        say_why_not(&call->call, service, verdict);
        return true;
    }
    call->shipment.charged = price.amount;
    call->shipment.estimated_delivery_time_us = price.estimated_delivery_time_us;
    return put_numbers(call, shipment_id, service->by_consignment ? 0 : consignment->parcel_count);
}

static struct shipment_call *make_shipment_call(struct carrier *carrier, void *context)
{
    struct shipment_call *call =
        make_call(carrier, sizeof(struct shipment_call), context, run_shipment);
    if (call != NULL) {
        call->done = NULL;
        call->find_done = NULL;
        call->shipment = (struct carrier_shipment){0};
    }
    return call;
}

static struct error create_shipment(struct carrier *carrier,
                                    const struct carrier_shipment_request *request,
                                    carrier_shipment_done *done, void *context)
{
    struct shipment_call *call = make_shipment_call(carrier, context);
    if (call == NULL)
        return no_memory(carrier);
    call->done = done;
    if (!make_shipment(call, of(carrier)->tariff, request->shipment_id, request->service_code,
                       request->consignment)) {
        memory_release(call);
        return no_memory(carrier);
    }
    return start(&call->call);
}

static struct error find_by_reference(struct carrier *carrier,
                                      const struct carrier_find_request *request,
                                      carrier_find_done *done, void *context)
{
    struct shipment_call *call = make_shipment_call(carrier, context);
    if (call == NULL)
        return no_memory(carrier);
    call->find_done = done;
    bool whole = request->consignment != NULL;
    bool good = whole ? make_shipment(call, of(carrier)->tariff, request->shipment_id,
                                      request->service_code, request->consignment)
                      : put_numbers(call, request->shipment_id, 0);
    if (!good) {
        memory_release(call);
        return no_memory(carrier);
    }
    if (call->call.outcome.verdict == CARRIER_REFUSED)
        call->call.outcome.verdict = CARRIER_NOT_FOUND; /* what is refused was never made */
    return start(&call->call);
}

static void run_cancel(struct task *task)
{
    struct cancel_call *call = (struct cancel_call *)task;
    call->done(call->call.context, &call->call.outcome);
    end(&call->call);
}

static struct error cancel_shipment(struct carrier *carrier,
                                    const struct carrier_cancel_request *request,
                                    carrier_cancel_done *done, void *context)
{
    char number[tariff_number_size];
    struct cancel_call *call = make_call(carrier, sizeof *call, context, run_cancel);
    if (call == NULL || !tariff_number_make(request->shipment_id, 1, number)) {
        memory_release(call);
        return no_memory(carrier);
    }
    call->done = done;
    if (!text_equals_string(request->tracking_number, number)) {
        call->call.outcome.verdict = CARRIER_NOT_FOUND;
        say(&call->call, "not the number of that shipment");
    }
    return start(&call->call);
}

/* --------------------------------------------------------------------------------------- rest */

static void run_tracking(struct task *task)
{
    struct tracking_call *call = (struct tracking_call *)task;
    bool answered = call->call.outcome.verdict == CARRIER_ANSWERED;
    call->done(call->call.context, &call->call.outcome, answered ? &call->tracking : NULL);
    end(&call->call);
}

static struct error get_tracking_info(struct carrier *carrier,
                                      const struct carrier_tracking_request *request,
                                      carrier_tracking_done *done, void *context)
{
    struct tracking_call *call = make_call(carrier, sizeof *call, context, run_tracking);
    if (call == NULL)
        return no_memory(carrier);
    call->done = done;
    call->tracking = (struct carrier_tracking){0};
    if (!tariff_number_is(request->tracking_number)) {
        call->call.outcome.verdict = CARRIER_NOT_FOUND;
        say(&call->call, "not a number of this carrier");
    }
    return start(&call->call);
}

static struct error read_webhook(struct carrier *carrier, const struct carrier_webhook *webhook,
                                 struct arena *arena, struct carrier_webhook_result *result)
{
    (void)carrier;
    (void)webhook;
    (void)arena;
    *result = (struct carrier_webhook_result){.verdict = CARRIER_WEBHOOK_REFUSED,
                                              .why = text_of("tariff pushes nothing")};
    return error_none();
}

static struct carrier_state state(struct carrier *carrier)
{
    (void)carrier;
    return (struct carrier_state){.circuit = CARRIER_CIRCUIT_CLOSED};
}

struct error tariff_carrier_create(struct carrier **carrier, const struct tariff *tariff,
                                   struct executor *executor)
{
    static const struct carrier_table table = {
        .calculate_rate = calculate_rate,
        .decide_rates = decide_rates,
        .create_shipment = create_shipment,
        .cancel_shipment = cancel_shipment,
        .get_tracking_info = get_tracking_info,
        .find_by_reference = find_by_reference,
        .read_webhook = read_webhook,
        .state = state,
    };
    struct tariff_carrier *made = memory_allocate(sizeof *made);
    *carrier = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "carrier tariff");
    *made = (struct tariff_carrier){
        .base = {.table = &table,
                 .name = "tariff",
                 .capabilities = {.rates = true,
                                  .shipments = true,
                                  .cancel = true,
                                  .tracking = true,
                                  .find_by_reference = true,
                                  .saturday = true,
                                  .insurance = true,
                                  .returns = true,
                                  .parcel_grams_max = shipping_weight_grams_max,
                                  .parcels_max = shipping_parcels_max,
                                  .label_formats = 1u << SHIPPING_LABEL_PDF |
                                                   1u << SHIPPING_LABEL_ZPL |
                                                   1u << SHIPPING_LABEL_PNG}},
        .tariff = tariff,
        .executor = executor,
    };
    *carrier = &made->base;
    return error_none();
}

size_t tariff_carrier_pending(const struct carrier *carrier)
{
    return ((const struct tariff_carrier *)carrier)->pending;
}

void tariff_carrier_close(struct carrier *carrier)
{
    if (carrier == NULL)
        return;
    of(carrier)->closing = true;
    if (of(carrier)->pending == 0)
        memory_release(carrier);
}
