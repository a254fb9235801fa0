/*
 * A call is done when it is made, or not at all; its answer is a task on the executor, now or when
 * it is released. Pushes are "push NUMBER CODE", authentic with the header `secret: ours`. What it
 * keeps is on the C library's heap, so that memory_fail_after hits only what is tested.
 */
#include "tests/support/shipping/fake_carrier.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum fake_kind { FAKE_RATE, FAKE_CREATE, FAKE_CANCEL, FAKE_TRACK, FAKE_FIND };

struct fake_call {
    struct task task; /* first */
    struct fake_call *next;
    struct fake_carrier *carrier;
    enum fake_kind kind;
    struct carrier_outcome outcome;
    void *context;
    union {
        carrier_rate_done *rate;
        carrier_shipment_done *shipment;
        carrier_cancel_done *cancel;
        carrier_tracking_done *tracking;
        carrier_find_done *find;
    } done;
    size_t sale;
    char reference[96];
};

static const char label[] = "%PDF-1.4 a label";

/* --- what is told --- */

static void fill_shipment(const struct fake_carrier *carrier, const struct fake_sale *sale,
                          struct carrier_shipment *shipment, struct carrier_parcel parcels[],
                          struct carrier_label *one)
{
    *one = (struct carrier_label){.format = SHIPPING_LABEL_PDF, .content = text_of(label)};
    for (size_t i = 0; i < sale->parcel_count; i++)
        parcels[i] = (struct carrier_parcel){
            .tracking_number = text_of(sale->number),
            .labels = carrier->with_labels ? one : NULL,
            .label_count = carrier->with_labels,
        };
    *shipment = (struct carrier_shipment){
        .tracking_number = text_of(sale->number),
        .charged = {"USD", carrier->price_minor},
        .parcels = parcels,
        .parcel_count = sale->parcel_count,
        .voided = sale->voided,
    };
}

static void tell_created(struct fake_call *call)
{
    struct fake_carrier *carrier = call->carrier;
    struct carrier_shipment shipment;
    struct carrier_parcel parcels[shipping_parcels_max];
    struct carrier_label one;
    bool answered = call->outcome.verdict == CARRIER_ANSWERED;
    if (answered)
        fill_shipment(carrier, &carrier->sales[call->sale], &shipment, parcels, &one);
    call->done.shipment(call->context, &call->outcome, answered ? &shipment : NULL);
}

static void tell_rates(struct fake_call *call)
{
    struct fake_carrier *carrier = call->carrier;
    struct carrier_rate rates[4] = {{.service_code = text_of("S1")}};
    static const char *const codes[] = {"S1", "S2", "S3", "S4"};
    bool answered = call->outcome.verdict == CARRIER_ANSWERED;
    for (size_t i = 0; i < carrier->rate_services; i++)
        rates[i] = (struct carrier_rate){
            .service_code = text_of(codes[i]),
            .service_name = text_of("Service"),
            .amount = {"USD", carrier->price_minor + 500 * (int64_t)i},
            .estimated_delivery_time_us = INT64_C(1800000000000000) - (int64_t)i * 86400000000,
        };
    struct carrier_rates all = {rates, carrier->rate_services};
    call->done.rate(call->context, &call->outcome, answered ? &all : NULL);
}

static void tell_found(struct fake_call *call)
{
    struct fake_carrier *carrier = call->carrier;
    struct carrier_shipment shipments[4];
    struct carrier_parcel parcels[4][shipping_parcels_max];
    struct carrier_label labels[4];
    struct fake_sale twin;
    size_t count = 0;
    for (size_t i = 0; i < carrier->sale_count && count < 3; i++) {
        if (strcmp(carrier->sales[i].reference, call->reference) != 0)
            continue;
        fill_shipment(carrier, &carrier->sales[i], &shipments[count], parcels[count],
                      &labels[count]);
        count++;
        if (carrier->finds_twice) {
            twin = carrier->sales[i];
            twin.number[0] = 'T';
            fill_shipment(carrier, &twin, &shipments[count], parcels[count], &labels[count]);
            count++;
        }
    }
    if (call->outcome.verdict == CARRIER_ANSWERED && count == 0)
        call->outcome.verdict = CARRIER_NOT_FOUND;
    struct carrier_matches matches = {shipments, count};
    call->done.find(call->context, &call->outcome,
                    call->outcome.verdict == CARRIER_ANSWERED ? &matches : NULL);
}

static void tell_tracking(struct fake_call *call)
{
    const struct shipping_scan scan = {
        .tracking_number = text_of("N1"),
        .carrier_code = text_of("PU"),
        .description = text_of("Picked up"),
        .occurred_time_us = 1,
    };
    struct carrier_tracking tracking = {.scans = &scan, .scan_count = 1};
    bool answered = call->outcome.verdict == CARRIER_ANSWERED;
    call->done.tracking(call->context, &call->outcome, answered ? &tracking : NULL);
}

static void tell(struct task *task)
{
    struct fake_call *call = (struct fake_call *)task;
    call->carrier->pending--;
    switch (call->kind) {
    case FAKE_RATE:
        tell_rates(call);
        break;
    case FAKE_CREATE:
        tell_created(call);
        break;
    case FAKE_CANCEL:
        call->done.cancel(call->context, &call->outcome);
        break;
    case FAKE_TRACK:
        tell_tracking(call);
        break;
    case FAKE_FIND:
        tell_found(call);
        break;
    }
    free(call);
}

/* --- what is done --- */

static void use_fuel(struct fake_carrier *carrier)
{
    if (carrier->fuel == 0)
        carrier->dead = true;
    else if (carrier->fuel != SIZE_MAX)
        carrier->fuel--;
}

static struct fake_call *begin(struct fake_carrier *carrier, enum fake_kind kind, void *context)
{
    struct fake_call *call = calloc(1, sizeof *call);
    CHECK(call != NULL);
    use_fuel(carrier);
    call->carrier = carrier;
    call->kind = kind;
    call->context = context;
    carrier->pending++;
    return call;
}

/* Takes one of the orders. */
static struct fake_orders take(struct fake_carrier *carrier, struct fake_orders *orders)
{
    struct fake_orders now = {.verdict = CARRIER_ANSWERED, .done_before = true};
    if (carrier->dead)
        return (struct fake_orders){.verdict = CARRIER_UNKNOWN};
    if (orders->count == 0)
        return now;
    now = *orders;
    now.done_before = now.done_before || now.verdict == CARRIER_ANSWERED;
    if (orders->count != SIZE_MAX)
        orders->count--;
    return now;
}

static struct error end(struct fake_call *call, const struct fake_orders *orders)
{
    struct fake_carrier *carrier = call->carrier;
    static const char *const words[] = {"", "no", "unknown here", "slow down", "away", "lost", ""};
    call->outcome = (struct carrier_outcome){
        .verdict = orders->verdict,
        .message = text_of(words[orders->verdict]),
        .retry_after_us = orders->retry_after_us,
    };
    call->task.run = tell;
    if (!orders->held) {
        executor_post(carrier->executor, &call->task);
        return error_none();
    }
    if (carrier->held == NULL)
        carrier->held = call;
    else
        carrier->held_last->next = call;
    carrier->held_last = call;
    return error_none();
}

size_t fake_carrier_release(struct fake_carrier *carrier)
{
    size_t count = 0;
    while (carrier->held != NULL) {
        struct fake_call *call = carrier->held;
        carrier->held = call->next;
        executor_post(carrier->executor, &call->task);
        count++;
    }
    return count;
}

static struct error rate(struct carrier *base, const struct carrier_rate_request *request,
                         carrier_rate_done *done, void *context)
{
    struct fake_carrier *carrier = (struct fake_carrier *)base;
    struct fake_call *call = begin(carrier, FAKE_RATE, context);
    struct fake_orders orders = take(carrier, &carrier->rate);
    CHECK(request->timeout_us > 0 && request->consignment->ship_date[0] != '\0');
    carrier->rates_asked++;
    call->done.rate = done;
    return end(call, &orders);
}

static struct error create(struct carrier *base, const struct carrier_shipment_request *request,
                           carrier_shipment_done *done, void *context)
{
    struct fake_carrier *carrier = (struct fake_carrier *)base;
    struct fake_call *call = begin(carrier, FAKE_CREATE, context);
    struct fake_orders orders = take(carrier, &carrier->create);
    carrier->creates++;
    call->done.shipment = done;
    if (orders.done_before) {
        struct fake_sale *sale = &carrier->sales[carrier->sale_count];
        CHECK(carrier->sale_count < fake_sales_max);
        *sale = (struct fake_sale){.parcel_count = request->consignment->parcel_count};
        snprintf(sale->reference, sizeof sale->reference, "%.*s", (int)request->shipment_id.size,
                 request->shipment_id.data);
        snprintf(sale->number, sizeof sale->number, "N%zu", carrier->sale_count + 1);
        call->sale = carrier->sale_count++;
    }
    return end(call, &orders);
}

static struct error cancel(struct carrier *base, const struct carrier_cancel_request *request,
                           carrier_cancel_done *done, void *context)
{
    struct fake_carrier *carrier = (struct fake_carrier *)base;
    struct fake_call *call = begin(carrier, FAKE_CANCEL, context);
    struct fake_orders orders = take(carrier, &carrier->cancel);
    carrier->cancels++;
    call->done.cancel = done;
    for (size_t i = 0; i < carrier->sale_count && orders.done_before; i++) {
        if (text_equals_string(request->tracking_number, carrier->sales[i].number))
            carrier->sales[i].voided = true;
    }
    return end(call, &orders);
}

static struct error track(struct carrier *base, const struct carrier_tracking_request *request,
                          carrier_tracking_done *done, void *context)
{
    struct fake_carrier *carrier = (struct fake_carrier *)base;
    struct fake_call *call = begin(carrier, FAKE_TRACK, context);
    struct fake_orders orders = take(carrier, &carrier->track);
    (void)request;
    call->done.tracking = done;
    return end(call, &orders);
}

static struct error find(struct carrier *base, const struct carrier_find_request *request,
                         carrier_find_done *done, void *context)
{
    struct fake_carrier *carrier = (struct fake_carrier *)base;
    struct fake_call *call = begin(carrier, FAKE_FIND, context);
    struct fake_orders orders = take(carrier, &carrier->find);
    carrier->finds++;
    call->done.find = done;
    snprintf(call->reference, sizeof call->reference, "%.*s", (int)request->shipment_id.size,
             request->shipment_id.data);
    return end(call, &orders);
}

static bool is_authentic(const struct carrier_webhook *webhook)
{
    for (size_t i = 0; i < webhook->header_count; i++) {
        if (text_equals_string(webhook->headers[i].name, "secret") &&
            text_equals_string(webhook->headers[i].value, "ours"))
            return true;
    }
    return webhook->is_authenticated;
}

/* One scan whose number is too long for anybody, one with a description as long as it likes. */
static void read_flood(struct arena *arena, struct carrier_webhook_result *result)
{
    enum { long_bytes = 300000 };
    struct shipping_scan *scans = arena_allocate_zero(arena, 2, sizeof *scans);
    char *words = arena_allocate(arena, long_bytes);
    CHECK(scans != NULL && words != NULL);
    memset(words, 'w', long_bytes);
    scans[0].tracking_number = text_make(words, 65);
    scans[1].tracking_number = text_make(words, 64);
    scans[1].description = text_make(words, long_bytes);
    *result = (struct carrier_webhook_result){
        .verdict = CARRIER_WEBHOOK_SCANS, .scans = scans, .scan_count = 2};
}

static struct error read_webhook(struct carrier *base, const struct carrier_webhook *webhook,
                                 struct arena *arena, struct carrier_webhook_result *result)
{
    char number[fake_number_size], code[16], line[128];
    (void)base;
    *result = (struct carrier_webhook_result){.verdict = CARRIER_WEBHOOK_REFUSED};
    if (!is_authentic(webhook))
        return error_none();
    if (text_equals_string(webhook->body, "flood")) {
        read_flood(arena, result);
        return error_none();
    }
    snprintf(line, sizeof line, "%.*s", (int)webhook->body.size, webhook->body.data);
    if (sscanf(line, "push %23s %15s", number, code) != 2) {
        result->verdict = CARRIER_WEBHOOK_UNKNOWN_SHAPE;
        result->why = text_of("no push");
        return error_none();
    }
    struct shipping_scan *scan = arena_allocate_zero(arena, 1, sizeof *scan);
    if (scan == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "no memory for a push");
    scan->tracking_number = arena_copy_text(arena, text_of(number));
    scan->carrier_code = arena_copy_text(arena, text_of(code));
    scan->occurred_time_us = 1000000;
    if (scan->tracking_number.data == NULL || scan->carrier_code.data == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "no memory for a push");
    result->verdict = CARRIER_WEBHOOK_SCANS;
    result->scans = scan;
    result->scan_count = 1;
    return error_none();
}

static struct carrier_state state(struct carrier *base)
{
    (void)base;
    return (struct carrier_state){.circuit = CARRIER_CIRCUIT_CLOSED};
}

void fake_carrier_init(struct fake_carrier *carrier, const char *name, struct executor *executor)
{
    static const struct carrier_table table = {
        .calculate_rate = rate,
        .create_shipment = create,
        .cancel_shipment = cancel,
        .get_tracking_info = track,
        .find_by_reference = find,
        .read_webhook = read_webhook,
        .state = state,
    };
    memset(carrier, 0, sizeof *carrier);
    carrier->base.table = &table;
    snprintf(carrier->base.name, sizeof carrier->base.name, "%s", name);
    carrier->base.capabilities = (struct carrier_capabilities){
        .rates = true,
        .shipments = true,
        .cancel = true,
        .tracking = true,
        .find_by_reference = true,
        .label_recovery = true,
        .webhooks = true,
        .saturday = true,
        .insurance = true,
        .returns = true,
        .parcel_grams_max = 70000,
        .parcels_max = 20,
        .label_formats = 1U << SHIPPING_LABEL_PDF | 1U << SHIPPING_LABEL_ZPL,
    };
    carrier->executor = executor;
    carrier->with_labels = true;
    carrier->price_minor = 1000;
    carrier->rate_services = 1;
    carrier->fuel = SIZE_MAX;
}

size_t fake_carrier_sold(const struct fake_carrier *carrier, const char *reference)
{
    size_t count = 0;
    for (size_t i = 0; i < carrier->sale_count; i++)
        count += strcmp(carrier->sales[i].reference, reference) == 0 && !carrier->sales[i].voided;
    return count;
}
