/*
 * What holds the use cases together: the way of a call from its caller's thread to the service's
 * and back, timers over one alarm, counters, the end. A job is a call or a piece of background work
 * that has not ended; the service is closed when there is none left.
 */
#include "shipping/application/shipping_service.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "shipping/application/background.h"
#include "shipping/application/field_checks.h"
#include "shipping/application/rates.h"
#include "shipping/application/service_state.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;

struct shipping_service_options shipping_service_options_default(void)
{
    return (struct shipping_service_options){
        .rates_us_max = 5 * second_us,
        .rate_lifetime_us = 3600 * second_us,
        .purchase_us_max = 60 * second_us,
        .question_us_max = 15 * second_us,
        .first_lookup_us = 60 * second_us,
        .lookup_us_max = shipping_lookup_us_max,
    };
}

struct error shipping_service_create(struct shipping_service **service,
                                     const struct shipping_service_options *options)
{
    struct shipping_service *made = memory_allocate_zero(1, sizeof *made);
    *service = made;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "shipping");
    CHECK(options->carrier_count <= shipping_carriers_max);
    made->options = *options;
    rate_sealer_init(&made->sealer, options->rate_key);
    for (size_t i = 0; i < options->carrier_count; i++)
        made->carriers[i] = options->carriers[i];
    made->hash_seed = random_uint64(options->random);
    hash_map_init(&made->flights);
    return error_none();
}

void shipping_service_destroy(struct shipping_service *service)
{
    if (service == NULL)
        return;
    CHECK(service->jobs == 0);
    hash_map_deinit(&service->flights);
    memory_release(service);
}

void shipping_service_start(struct shipping_service *service)
{
    resolver_start(service);
    unwanted_labels_start(service);
    push_reader_start(service);
}

/* --- jobs --- */

void service_job_begin(struct shipping_service *service)
{
    service->jobs++;
}

void service_job_end(struct shipping_service *service)
{
    CHECK(service->jobs > 0);
    if (--service->jobs == 0 && service->closing)
        service->options.closed(service->options.context);
}

void shipping_service_close(struct shipping_service *service)
{
    service_job_begin(service); /* so that it does not end before this does */
    service->closing = true;
    while (service->timers != NULL) { /* none is set any more */
        struct service_timer *timer = service->timers;
        service_timer_clear(service, timer);
        timer->run(timer); /* what waits to be tried again is tried a last time */
    }
    service_job_end(service);
}

/* --- time --- */

int64_t service_now_us(struct shipping_service *service)
{
    return clock_now_us(service->options.clock);
}

int64_t service_monotonic_us(struct shipping_service *service)
{
    return clock_monotonic_us(service->options.clock);
}

int64_t service_pause_us(const struct shipping_service *service)
{
    int64_t pause = service->options.first_lookup_us / 4;
    return pause < second_us / 4 ? second_us / 4 : pause > 15 * second_us ? 15 * second_us : pause;
}

/* Most are set for later than those before, so the place is looked for from the end. */
void service_timer_set(struct shipping_service *service, struct service_timer *timer,
                       int64_t delay_us, void (*run)(struct service_timer *timer))
{
    CHECK(!timer->is_set);
    timer->at_us = service_monotonic_us(service) + delay_us;
    timer->run = run;
    timer->is_set = true;
    timer->previous = service->last_timer;
    while (timer->previous != NULL && timer->previous->at_us > timer->at_us)
        timer->previous = timer->previous->previous;
    timer->next = timer->previous == NULL ? service->timers : timer->previous->next;
    *(timer->previous == NULL ? &service->timers : &timer->previous->next) = timer;
    *(timer->next == NULL ? &service->last_timer : &timer->next->previous) = timer;
    if (service->timers == timer)
        service->options.set_alarm(service->options.context, timer->at_us);
}

void service_timer_clear(struct shipping_service *service, struct service_timer *timer)
{
    if (!timer->is_set)
        return;
    timer->is_set = false;
    *(timer->previous == NULL ? &service->timers : &timer->previous->next) = timer->next;
    *(timer->next == NULL ? &service->last_timer : &timer->next->previous) = timer->previous;
}

void shipping_service_alarm(struct shipping_service *service)
{
    int64_t now = service_monotonic_us(service);
    while (service->timers != NULL && service->timers->at_us <= now) {
        struct service_timer *timer = service->timers;
        service_timer_clear(service, timer);
        timer->run(timer);
    }
    if (service->timers != NULL)
        service->options.set_alarm(service->options.context, service->timers->at_us);
}

bool call_is_late(const struct shipping_call *call)
{
    return call->deadline_us != 0 && service_monotonic_us(call->service) >= call->deadline_us;
}

int64_t call_time_left_us(const struct shipping_call *call, int64_t limit_us)
{
    int64_t left = INT64_MAX;
    if (call->deadline_us != 0) {
        left = call->deadline_us - service_monotonic_us(call->service);
        int64_t margin = left / 20 < 250000 ? left / 20 : 250000; /* for the way back */
        left -= margin;
    }
    if (left > limit_us)
        left = limit_us;
    if (left > 3600 * second_us)
        left = 3600 * second_us;
    return left < 1000 ? 1000 : left;
}

/* --- calls --- */

static shipping_use_case *const use_cases[shipping_call_count] = {
    [CALL_GET_RATES] = run_get_rates,
    [CALL_CREATE_SHIPMENT] = run_create_shipment,
    [CALL_GET_SHIPMENT] = run_get_shipment,
    [CALL_LIST_SHIPMENTS] = run_list_shipments,
    [CALL_CANCEL_SHIPMENT] = run_cancel_shipment,
    [CALL_RESOLVE_SHIPMENT] = run_resolve_shipment,
    [CALL_GET_LABEL] = run_get_label,
    [CALL_GET_TRACKING_INFO] = run_get_tracking_info,
    [CALL_LIST_CARRIERS] = run_list_carriers,
    [CALL_LIST_UNREAD_PUSHES] = run_list_unread_pushes,
    [CALL_REPLAY_UNREAD_PUSHES] = run_replay_unread_pushes,
    [CALL_LIST_UNWANTED_LABELS] = run_list_unwanted_labels,
    [CALL_RESOLVE_UNWANTED_LABEL] = run_resolve_unwanted_label,
};

static struct shipping_call *call_of_task(struct task *task)
{
    return (struct shipping_call *)(void *)((char *)task - offsetof(struct shipping_call, task));
}

static void run_call(struct task *task)
{
    struct shipping_call *call = call_of_task(task);
    service_job_begin(call->service);
    if (call->service->closing) {
        struct error error = error_make(ERROR_STORE_UNAVAILABLE, "shipping is stopping");
        call_fail(call, &error);
    } else if (call_is_late(call)) {
        struct error error = error_make(ERROR_DEADLINE, "the deadline passed in the queue");
        call_fail(call, &error);
    } else {
        use_cases[call->kind](call);
    }
}

static void tell_caller(struct task *task)
{
    struct shipping_call *call = call_of_task(task);
    call->done(call, error_is(call->error) ? &call->error : NULL);
}

bool shipping_service_submit(struct shipping_service *service, struct shipping_call *call,
                             shipping_call_done *done)
{
    field_checks_run(service, call);
    if (call->violations.count > 0)
        return false;
    call->service = service;
    call->done = done;
    call->refusal = REFUSAL_NONE;
    call->error = error_none();
    if (call->kind == CALL_GET_RATES && get_rates_here(call)) {
        call->task.run = tell_caller;
        executor_post(call->executor, &call->task);
        return true;
    }
    call->task.run = run_call;
    executor_post(service->options.executor, &call->task);
    return true;
}

void call_finish(struct shipping_call *call)
{
    struct shipping_service *service = call->service;
    call->task.run = tell_caller;
    executor_post(call->executor, &call->task);
    service_job_end(service);
}

void call_fail(struct shipping_call *call, const struct error *error)
{
    call->error = *error;
    call_finish(call);
}

void call_fail_without_memory(struct shipping_call *call)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    call_fail(call, &error);
}

void call_refuse(struct shipping_call *call, enum shipping_refusal refusal, const char *format, ...)
{
    char words[1200];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    size_t taken = size < 0 ? 0 : (size_t)size < sizeof words ? (size_t)size : sizeof words - 1;
    call->refusal = refusal;
    call->why = arena_copy_text(call->arena, text_make(words, taken));
    call_finish(call);
}

/* --- carriers --- */

struct carrier *service_carrier(struct shipping_service *service, struct text name, size_t *index)
{
    for (size_t i = 0; i < service->options.carrier_count; i++) {
        if (text_equals_string(name, service->carriers[i]->name)) {
            *index = i;
            return service->carriers[i];
        }
    }
    return NULL;
}

void service_count(struct shipping_service *service, size_t carrier, enum carrier_question question,
                   enum carrier_verdict verdict)
{
    atomic_fetch_add_explicit(&service->counters.answers[carrier][question][verdict], 1,
                              memory_order_relaxed);
}

struct text no_void_words(struct arena *arena, const struct carrier *carrier)
{
    const char *words = arena_format(
        arena,
        "%s has no call to void a label%s; do not hand the parcel over, and ask its customer "
        "service",
        carrier->name, strcmp(carrier->name, "dhl") == 0 ? " (DHL Express has none)" : "");
    return text_of(words == NULL ? "this carrier has no call to void a label" : words);
}

struct text outcome_words(struct arena *arena, const struct carrier_outcome *outcome)
{
    static const char *const verdicts[carrier_verdict_count] = {
        [CARRIER_ANSWERED] = "answered",
        [CARRIER_REFUSED] = "refused",
        [CARRIER_NOT_FOUND] = "not found",
        [CARRIER_THROTTLED] = "too many calls",
        [CARRIER_UNAVAILABLE] = "not available",
        [CARRIER_UNKNOWN] = "no usable answer",
        [CARRIER_UNSUPPORTED] = "has no such call",
    };
    struct text code = outcome->code, message = outcome->message;
    char words[shipping_failure_bytes_max];
    int size = snprintf(
        words, sizeof words, "%s%s%.*s%s%s%.*s", verdicts[outcome->verdict],
        code.size > 0 ? " (" : "", (int)(code.size > 64 ? 64 : code.size),
        code.size > 0 ? code.data : "", code.size > 0 ? ")" : "", message.size > 0 ? ": " : "",
        (int)(message.size > 360 ? 360 : message.size), message.size > 0 ? message.data : "");
    size_t taken = size < 0 ? 0 : (size_t)size;
    while (taken > 0 && !text_is_utf8(text_make(words, taken)))
        taken--; /* a character was cut */
    struct text copy = arena_copy_text(arena, text_make(words, taken));
    return copy.data == NULL ? text_of(verdicts[outcome->verdict]) : copy;
}

/* --- commands --- */

void command_begin(struct shipping_service *service, struct shipping_command *base,
                   enum shipping_command_kind kind, struct arena *arena)
{
    base->kind = kind;
    base->executor = service->options.executor;
    base->arena = arena;
}

void command_run(struct shipping_service *service, struct shipping_command *command,
                 shipping_done *done)
{
    shipping_repository_execute(service->options.repository, command, done);
}

/* --- metrics --- */

size_t shipping_service_purchases(struct shipping_service *service)
{
    return (size_t)atomic_load_explicit(&service->counters.purchases, memory_order_relaxed);
}

static bool write_answers(struct shipping_service *service, struct buffer *out)
{
    static const char *const questions[] = {"rate", "create", "cancel", "track", "find"};
    static const char *const verdicts[] = {"answered",    "refused", "not_found",  "throttled",
                                           "unavailable", "unknown", "unsupported"};
    bool fits = buffer_append_string(
        out, "# HELP waybill_shipping_carrier_calls_total Answers of carriers.\n"
             "# TYPE waybill_shipping_carrier_calls_total counter\n");
    for (size_t i = 0; i < service->options.carrier_count; i++) {
        for (size_t q = 0; q < carrier_question_count; q++) {
            for (size_t v = 0; v < carrier_verdict_count && fits; v++) {
                uint64_t count =
                    atomic_load_explicit(&service->counters.answers[i][q][v], memory_order_relaxed);
                fits = count == 0 ||
                       buffer_append_format(out,
                                            "waybill_shipping_carrier_calls_total{carrier=\"%s\","
                                            "operation=\"%s\",verdict=\"%s\"} %llu\n",
                                            service->carriers[i]->name, questions[q], verdicts[v],
                                            (unsigned long long)count);
            }
        }
    }
    return fits;
}

static bool write_states(struct shipping_service *service, struct buffer *out)
{
    bool fits = buffer_append_string(
        out, "# HELP waybill_shipping_attempts_total Ends of purchases and look-ups, by the state "
             "they led to.\n"
             "# TYPE waybill_shipping_attempts_total counter\n");
    for (int state = SHIPMENT_INTENT; state < shipment_state_count && fits; state++)
        fits = buffer_append_format(out, "waybill_shipping_attempts_total{state=\"%s\"} %llu\n",
                                    shipment_state_name((enum shipment_state)state),
                                    (unsigned long long)atomic_load_explicit(
                                        &service->counters.ended[state], memory_order_relaxed));
    return fits;
}

bool shipping_service_write_metrics(struct shipping_service *service, struct buffer *out)
{
    struct service_counters *counters = &service->counters;
    const struct {
        const char *name;
        const char *help;
        const char *type;
        _Atomic uint64_t *value;
    } rows[] = {
        {"waybill_shipping_purchases_in_flight", "Purchases that have not ended.", "gauge",
         &counters->purchases},
        {"waybill_shipping_pushes_kept_total", "Pushes of carriers kept.", "counter",
         &counters->pushes[SHIPPING_PUSH_KEPT]},
        {"waybill_shipping_pushes_refused_total", "Pushes that were not authentic.", "counter",
         &counters->pushes[SHIPPING_PUSH_REFUSED]},
        {"waybill_shipping_pushes_unavailable_total", "Pushes that could not be kept.", "counter",
         &counters->pushes[SHIPPING_PUSH_UNAVAILABLE]},
        {"waybill_shipping_scans_total", "New scans from carriers.", "counter", &counters->scans},
        {"waybill_shipping_unknown_shapes_total", "Pushes kept that could not be read.", "counter",
         &counters->unread_shapes},
        {"waybill_shipping_audits_lost_total", "Audit entries that the store did not take.",
         "counter", &counters->audits_lost},
        {"waybill_shipping_unwanted_labels_total",
         "Labels bought for an attempt that was over; they are voided.", "counter",
         &counters->unwanted_labels},
        {"waybill_shipping_unwanted_labels_to_void",
         "Labels that carriers are asked to void (10,000 = or more).", "gauge",
         &counters->labels_to_void},
        {"waybill_shipping_unwanted_labels_need_attention",
         "Labels that a person must see to: ListUnwantedLabels (10,000 = or more).", "gauge",
         &counters->labels_need_attention},
        {"waybill_shipping_unread_pushes",
         "Pushes of unknown shape that are kept: ListUnreadPushes (10,000 = or more).", "gauge",
         &counters->unread_pushes},
        {"waybill_shipping_shipments_cancelling",
         "Bought shipments whose carrier has not confirmed the void (10,000 = or more).", "gauge",
         &counters->shipments_cancelling},
        {"waybill_shipping_shipments_need_attention",
         "Shipments that a person must decide about: ResolveShipment (10,000 = or more).", "gauge",
         &counters->shipments_need_attention},
    };
    bool fits = write_answers(service, out) && write_states(service, out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && fits; i++)
        fits = buffer_append_format(
            out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", rows[i].name, rows[i].help, rows[i].name,
            rows[i].type, rows[i].name,
            (unsigned long long)atomic_load_explicit(rows[i].value, memory_order_relaxed));
    return fits;
}
