/*
 * Calls wait in one list in the order they came. A timer alone takes them from there, so that no
 * completion comes from within a start; it is set to the next instant at which something can
 * change: a token of the rate's bucket, a repeat's delay, the end of a pause that the carrier asked
 * for, a deadline, at once after any event.
 *
 * How it fails: what cannot be sent in time ends as UNAVAILABLE (or THROTTLED, by our own limits or
 * the carrier's wish), nothing done. A token that cannot be had ends all who wait for it. What was
 * sent and got no usable answer is repeated if it changes nothing, and is UNKNOWN if it buys.
 */
#include "shipping/infrastructure/carriers/http_carrier.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/http_client/retry_after.h"
#include "platform/resilience/bulkhead.h"
#include "platform/resilience/retry.h"
#include "shipping/infrastructure/carriers/access_token.h"
#include "shipping/infrastructure/carriers/carrier_admission.h"
#include "shipping/infrastructure/carriers/http_carrier_call.h"
#include "shipping/infrastructure/carriers/http_carrier_send.h"

#include <stdio.h>
#include <string.h>

enum { second_us = 1000000 };

struct http_carrier {
    struct carrier base; /* first */
    const struct carrier_protocol *protocol;
    struct carrier_settings settings;
    struct http_carrier_environment environment;
    char dependency_name[carrier_name_size + 16];
    struct dependency dependency;
    struct bulkhead bulkhead;
    struct retry_policy retry_policy;
    struct retry_budget retry_budget;
    uv_timer_t timer;
    struct carrier_call *first; /* who waits */
    struct carrier_call *last;
    size_t waiting;
    size_t sent;
    struct carrier_admission admission;
    struct access_token token;
    struct carrier_call *token_call; /* fetching one */
    bool stopping;                   /* nothing is sent any more */
    bool closing;
};

static int64_t now_us(const struct http_carrier *carrier)
{
    return clock_monotonic_us(carrier->environment.clock);
}

/* ------------------------------------------------------------------------------- the waiting */

static void pump(uv_timer_t *timer);

static void wake(struct http_carrier *carrier, int64_t delay_us)
{
    uint64_t delay_ms = delay_us <= 0 ? 0 : (uint64_t)((delay_us + 999) / 1000);
    if (!carrier->closing)
        uv_timer_start(&carrier->timer, pump, delay_ms, 0);
}

static void append(struct http_carrier *carrier, struct carrier_call *call)
{
    call->next = NULL;
    call->previous = carrier->last;
    if (carrier->last != NULL)
        carrier->last->next = call;
    else
        carrier->first = call;
    carrier->last = call;
    carrier->waiting++;
}

static void take_out(struct http_carrier *carrier, struct carrier_call *call)
{
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        carrier->first = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    else
        carrier->last = call->previous;
    carrier->waiting--;
}

/* The end of a waiting call. */
static void refuse(struct http_carrier *carrier, struct carrier_call *call,
                   enum carrier_verdict verdict, struct text why, int64_t retry_after_us)
{
    struct carrier_outcome outcome = {
        .verdict = verdict, .message = why, .retry_after_us = retry_after_us};
    if (call->last_outcome.verdict == CARRIER_THROTTLED && verdict == CARRIER_UNAVAILABLE)
        outcome = call->last_outcome;
    if (call->maybe_done)
        outcome.verdict = CARRIER_UNKNOWN; /* by a try before: nobody may say "nothing was done" */
    take_out(carrier, call);
    carrier_call_finish(call, &outcome);
}

static void refuse_all(struct http_carrier *carrier, struct text why)
{
    struct carrier_call *end = carrier->last;
    while (carrier->first != NULL) {
        struct carrier_call *call = carrier->first;
        refuse(carrier, call, CARRIER_UNAVAILABLE, why, 0);
        if (call == end)
            return;
    }
}

/* --------------------------------------------------------------------------------- the answer */

static void note_health(struct http_carrier *carrier, const struct http_client_answer *answer)
{
    struct error error = answer->error;
    if (answer->verdict == HTTP_CLIENT_ANSWERED && answer->status < 500) {
        dependency_succeeded(&carrier->dependency);
        return;
    }
    if (error.code == ERROR_CANCELLED || error.code == ERROR_OUT_OF_MEMORY) {
        dependency_abandoned(&carrier->dependency);
        return;
    }
    if (!error_is(error))
        error = error_make(ERROR_NETWORK, "HTTP %u", answer->status);
    dependency_failed(&carrier->dependency, &error);
}

/*
 * What the answer says about when to come again. If that was too many calls, or it is not ready and
 * says until when, all calls that it can have meant are held back. Returns how long the next one
 * waits at least; 0 = nothing is said.
 */
static int64_t heed(struct http_carrier *carrier, const struct carrier_call *call,
                    const struct http_client_answer *answer, bool has_too_many)
{
    enum carrier_api api = carrier_call_api(call);
    int64_t now = now_us(carrier);
    int64_t after_us = http_retry_after_us(http_client_answer_header(answer, "retry-after"),
                                           http_client_answer_header(answer, "date"),
                                           clock_now_us(carrier->environment.clock));
    bool is_not_ready = answer->status == 503 && after_us > 0;
    if (!has_too_many && !is_not_ready) {
        if (answer->status < 500)
            carrier_admission_resume(&carrier->admission, api, call->sent_us);
        return after_us;
    }
    after_us = carrier_admission_pause(&carrier->admission, api, call->sent_us, now, after_us);
    dependency_leave_alone(&carrier->dependency, now + after_us);
    return after_us;
}

/* What kind of repeat the outcome allows. */
static enum retry_class class_of(const struct carrier_call *call,
                                 const struct carrier_outcome *outcome)
{
    switch (outcome->verdict) {
    case CARRIER_THROTTLED:
        return RETRY_CLASS_THROTTLED;
    case CARRIER_UNAVAILABLE:
        return outcome->http_status == 0 ? RETRY_CLASS_NOT_DONE : RETRY_CLASS_NEVER;
    case CARRIER_UNKNOWN:
        return call->operation == CARRIER_OPERATION_CREATE ? RETRY_CLASS_NEVER
                                                           : RETRY_CLASS_UNKNOWN;
    case CARRIER_ANSWERED:
    case CARRIER_REFUSED:
    case CARRIER_NOT_FOUND:
    case CARRIER_UNSUPPORTED:
        return RETRY_CLASS_NEVER;
    }
    return RETRY_CLASS_NEVER;
}

/* True: it waits to go again. */
static bool try_again(struct http_carrier *carrier, struct carrier_call *call,
                      const struct carrier_outcome *outcome)
{
    int64_t delay = 0, now = now_us(carrier);
    enum retry_class class = class_of(call, outcome);
    if (carrier->stopping || class == RETRY_CLASS_NEVER)
        return false;
    if (!retry_after_failure(&call->retry, &carrier->retry_policy, &carrier->retry_budget, class,
                             call->deadline_us - now, outcome->retry_after_us,
                             carrier->environment.random, &delay))
        return false;
    call->not_before_us = now + delay;
    carrier_call_keep_outcome(call, outcome);
    append(carrier, call);
    return true;
}

/* A 401: the token was withdrawn. Nothing was done, so a purchase may go again, too; once. */
static bool renew_token(struct http_carrier *carrier, struct carrier_call *call, unsigned status)
{
    if (status != 401 || carrier->protocol->basic_credentials || call->token_renewed ||
        carrier->stopping)
        return false;
    access_token_withdraw(&carrier->token, call->token_number);
    call->token_renewed = true;
    append(carrier, call);
    return true;
}

static void on_answer(void *context, const struct http_client_answer *answer)
{
    struct carrier_call *call = context;
    struct http_carrier *carrier = call->carrier;
    struct carrier_outcome outcome = {.verdict = CARRIER_ANSWERED};
    carrier->sent--;
    bulkhead_leave(&carrier->bulkhead);
    note_health(carrier, answer);
    carrier_call_audit(call, &carrier->environment, answer);
    if (answer->verdict == HTTP_CLIENT_ANSWERED) {
        if (renew_token(carrier, call, answer->status)) {
            wake(carrier, 0);
            return;
        }
        carrier_call_read(call, carrier->protocol, answer->status, answer->body, &outcome);
        outcome.retry_after_us = heed(
            carrier, call, answer, answer->status == 429 || outcome.verdict == CARRIER_THROTTLED);
    } else {
        outcome.verdict =
            answer->verdict == HTTP_CLIENT_NOT_SENT ? CARRIER_UNAVAILABLE : CARRIER_UNKNOWN;
        outcome.message = text_of(answer->error.detail);
    }
    wake(carrier, 0);
    call->maybe_done = call->maybe_done || outcome.verdict == CARRIER_UNKNOWN;
    if (try_again(carrier, call, &outcome))
        return;
    if (call->maybe_done &&
        (outcome.verdict == CARRIER_UNAVAILABLE || outcome.verdict == CARRIER_THROTTLED))
        outcome.verdict = CARRIER_UNKNOWN;
    if (carrier_call_goes_on(call, carrier->protocol, &carrier->settings, &outcome)) {
        append(carrier, call);
        return;
    }
    carrier_call_finish(call, &outcome);
}

/* ----------------------------------------------------------------------------------- the token */

/* Ends all who wait for a token that cannot be had. */
static void give_up_token(struct http_carrier *carrier, const struct carrier_outcome *outcome,
                          const struct http_client_answer *answer)
{
    char why[300];
    struct text code = outcome->code;
    struct text said = outcome->message.size > 0 ? outcome->message : text_of(answer->error.detail);
    snprintf(why, sizeof why, "no token: %.*s%s%.*s", (int)(code.size < 60 ? code.size : 60),
             code.size > 0 ? code.data : "", code.size > 0 ? ": " : "",
             (int)(said.size < 200 ? said.size : 200), said.size > 0 ? said.data : "");
    access_token_give_up(&carrier->token);
    refuse_all(carrier, text_of(why));
}

/*
 * There is no token: it is tried for again soon, for it costs nothing, and who waits goes on
 * waiting; or all are told. FedEx answers who asks for too many with 403, for ten minutes.
 */
static void token_failed(struct http_carrier *carrier, const struct carrier_call *call,
                         const struct carrier_outcome *outcome,
                         const struct http_client_answer *answer)
{
    bool answered = answer->verdict == HTTP_CLIENT_ANSWERED;
    bool has_too_many = answered && (outcome->verdict == CARRIER_THROTTLED ||
                                     answer->status == 429 || answer->status == 403);
    bool may_pass = !answered || outcome->verdict == CARRIER_UNKNOWN;
    if (answered)
        (void)heed(carrier, call, answer, has_too_many);
    if (access_token_is_usable(&carrier->token, now_us(carrier)))
        access_token_postpone(&carrier->token, now_us(carrier));
    else if (has_too_many && answer->status != 403)
        return; /* held back, as the pause says */
    else if (!may_pass || carrier->stopping ||
             !access_token_try_again(&carrier->token, now_us(carrier)))
        give_up_token(carrier, outcome, answer);
}

static void on_token(void *context, const struct http_client_answer *answer)
{
    struct carrier_call *call = context;
    struct http_carrier *carrier = call->carrier;
    struct carrier_outcome outcome = {.verdict = CARRIER_UNAVAILABLE};
    struct carrier_answer read;
    struct carrier_token token = {0};
    carrier->sent--;
    carrier->token_call = NULL;
    note_health(carrier, answer);
    carrier_call_audit(call, &carrier->environment, answer);
    if (answer->verdict == HTTP_CLIENT_ANSWERED &&
        carrier_answer_read(carrier->protocol, answer->status, answer->body, &call->arena, &read,
                            &outcome))
        carrier_read_token(&read, &outcome, &token);
    if (access_token_take(&carrier->token, &token, now_us(carrier)))
        (void)heed(carrier, call, answer, false);
    else
        token_failed(carrier, call, &outcome, answer);
    carrier_call_destroy(call);
    wake(carrier, 0);
}

/* False: it cannot be fetched now; *why says so. */
static bool fetch_token(struct http_carrier *carrier, struct error *why)
{
    int64_t now = now_us(carrier);
    if (carrier->token_call != NULL || now < carrier->token.not_before_us ||
        carrier_admission_pause_us(&carrier->admission, CARRIER_API_TOKENS, now) > 0)
        return true;
    if (!dependency_admit(&carrier->dependency)) {
        *why = error_make(ERROR_NETWORK, "the circuit breaker is open");
        return false;
    }
    struct carrier_call *call = carrier_call_create(carrier, CARRIER_OPERATION_TOKEN);
    *why = error_make(ERROR_OUT_OF_MEMORY, "no memory");
    if (call != NULL) {
        call->deadline_us = now + 15LL * second_us;
        carrier->protocol->write_token(&carrier->settings, &call->wire);
        if (!call->wire.failed)
            *why = carrier_call_send(call, &carrier->environment, carrier->token.value, on_token);
    }
    if (error_is(*why)) {
        dependency_abandoned(&carrier->dependency);
        carrier_call_destroy(call);
        return false;
    }
    carrier->token_call = call;
    carrier->sent++;
    return true;
}

/* True: a token is there. It may be fetched meanwhile; *why is set if that cannot be. */
static bool has_token(struct http_carrier *carrier, int64_t now, struct error *why)
{
    *why = error_none();
    if (carrier->protocol->basic_credentials)
        return true;
    bool usable = access_token_is_usable(&carrier->token, now);
    struct error ignored = error_none();
    if (access_token_is_due(&carrier->token, now))
        (void)fetch_token(carrier, usable ? &ignored : why);
    return usable;
}

/* ------------------------------------------------------------------------------------ the turn */

/* Sends it, or ends it. */
static void send_call(struct http_carrier *carrier, struct carrier_call *call)
{
    if (!dependency_admit(&carrier->dependency)) {
        bulkhead_leave(&carrier->bulkhead);
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of("the circuit breaker is open"), 0);
        return;
    }
    struct error error =
        carrier_call_send(call, &carrier->environment, carrier->token.value, on_answer);
    if (error_is(error)) {
        dependency_abandoned(&carrier->dependency);
        bulkhead_leave(&carrier->bulkhead);
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of(error.detail), 0);
        return;
    }
    call->token_number = carrier->token.number;
    take_out(carrier, call);
    carrier_admission_take(&carrier->admission);
    carrier->sent++;
    if (call->retry.attempts == 0)
        retry_budget_pay(&carrier->retry_budget);
}

/*
 * The carrier wants to be left alone for `pause_us`: who can wait that long does, who cannot is
 * told at once. Returns as advance().
 */
static bool hold_back(struct http_carrier *carrier, struct carrier_call *call, int64_t pause_us,
                      const char *what, int64_t now, int64_t *wait)
{
    char why[120];
    if (pause_us < call->deadline_us - now) {
        if (!call->delayed)
            dependency_delayed(&carrier->dependency);
        call->delayed = true;
        *wait = pause_us;
        return false;
    }
    snprintf(why, sizeof why, "%s for another %lld s", what,
             (long long)((pause_us + second_us - 1) / second_us));
    dependency_held_back(&carrier->dependency);
    refuse(carrier, call, CARRIER_THROTTLED, text_of(why), pause_us);
    return true;
}

/* As advance(): for a call that has no token to go with. */
static bool await_token(struct http_carrier *carrier, struct carrier_call *call,
                        const struct error *why, int64_t now, int64_t *wait)
{
    int64_t pause_us = carrier_admission_pause_us(&carrier->admission, CARRIER_API_TOKENS, now);
    int64_t delay_us = carrier->token.not_before_us - now;
    if (error_is(*why)) {
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of(why->detail), 0);
        return true;
    }
    if (pause_us > 0)
        return hold_back(carrier, call, pause_us, "no token: the carrier gives none", now, wait);
    if (delay_us > 0 && delay_us < *wait)
        *wait = delay_us;
    return false;
}

/*
 * One step for one waiting call. True: the list has changed, look again from its start. False: it
 * stays; *wait is when to look again at the latest.
 */
static bool advance(struct http_carrier *carrier, struct carrier_call *call, int64_t now,
                    int64_t *wait)
{
    struct error why;
    int64_t quota =
        carrier_admission_quota_us(&carrier->admission, clock_now_us(carrier->environment.clock));
    int64_t pause = carrier_admission_pause_us(&carrier->admission, carrier_call_api(call), now);
    int64_t left = call->deadline_us - now;
    *wait = left;
    if (carrier->stopping) {
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of("the service is stopping"), 0);
        return true;
    }
    if (call->unsupported) {
        refuse(carrier, call, CARRIER_UNSUPPORTED, text_of("this carrier has no such call"), 0);
        return true;
    }
    if (call->overflow) {
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of("too many calls wait"), 0);
        return true;
    }
    if (left <= 0) {
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of("no turn before the deadline"), 0);
        return true;
    }
    if (pause > 0)
        return hold_back(carrier, call, pause, "the carrier wants no calls", now, wait);
    if (call->not_before_us > now) {
        *wait = call->not_before_us - now < left ? call->not_before_us - now : left;
        return false;
    }
    if (quota > 0) {
        refuse(carrier, call, CARRIER_THROTTLED, text_of("the day's quota is used up"), quota);
        return true;
    }
    if (!has_token(carrier, now, &why))
        return await_token(carrier, call, &why, now, wait);
    int64_t turn = carrier_admission_turn_us(&carrier->admission, now);
    if (turn > 0) {
        *wait = turn < left ? turn : left;
        return false;
    }
    if (!bulkhead_enter(&carrier->bulkhead))
        return false;
    send_call(carrier, call);
    return true;
}

static void pump(uv_timer_t *timer)
{
    struct http_carrier *carrier = timer->data;
    int64_t next = INT64_MAX;
    struct carrier_call *call = carrier->first;
    while (call != NULL) {
        int64_t wait = INT64_MAX;
        if (advance(carrier, call, now_us(carrier), &wait)) {
            call = carrier->first;
            next = INT64_MAX;
            continue;
        }
        next = wait < next ? wait : next;
        call = call->next;
    }
    if (next != INT64_MAX)
        wake(carrier, next);
}

/* ------------------------------------------------------------------------------------ the port */

struct error http_carrier_start(struct http_carrier *carrier, struct carrier_call *call,
                                int64_t timeout_us)
{
    CHECK(timeout_us > 0);
    if (call->wire.failed && !call->unsupported) {
        carrier_call_destroy(call);
        return error_make(ERROR_OUT_OF_MEMORY, "writing a request to %s", carrier->base.name);
    }
    call->deadline_us = now_us(carrier) + timeout_us;
    call->overflow = carrier->closing || carrier->waiting >= carrier->settings.waiting_max;
    append(carrier, call);
    wake(carrier, 0);
    return error_none();
}

const struct carrier_settings *http_carrier_settings(const struct http_carrier *carrier)
{
    return &carrier->settings;
}

const struct carrier_protocol *http_carrier_protocol(const struct http_carrier *carrier)
{
    return carrier->protocol;
}

struct carrier_state http_carrier_state(struct carrier *base)
{
    struct http_carrier *carrier = (struct http_carrier *)base;
    static const enum carrier_circuit circuits[] = {
        [CIRCUIT_CLOSED] = CARRIER_CIRCUIT_CLOSED,
        [CIRCUIT_OPEN] = CARRIER_CIRCUIT_OPEN,
        [CIRCUIT_HALF_OPEN] = CARRIER_CIRCUIT_HALF_OPEN,
    };
    struct dependency_state state = dependency_state(&carrier->dependency);
    return (struct carrier_state){.circuit = circuits[state.circuit],
                                  .last_error = state.last_error,
                                  .last_error_time_us = state.last_error_time_us};
}

/* -------------------------------------------------------------------------------------- life */

struct error http_carrier_create(struct http_carrier **carrier,
                                 const struct carrier_protocol *protocol,
                                 const struct carrier_settings *settings,
                                 const struct http_carrier_environment *environment)
{
    struct circuit_breaker_settings breaker = circuit_breaker_settings_default();
    *carrier = NULL;
    if (settings->base_url == NULL || settings->client_id == NULL ||
        settings->client_secret == NULL || settings->account_number == NULL ||
        settings->calls_at_once_max == 0 || settings->connect_us_max <= 0)
        return error_make(ERROR_INVALID_SETTING,
                          "carrier %s: base URL, credentials, account and limits are needed",
                          protocol->name);
    struct http_carrier *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "carrier %s", protocol->name);
    made->base.table = &http_carrier_table;
    made->base.capabilities = protocol->capabilities;
    snprintf(made->base.name, sizeof made->base.name, "%s", protocol->name);
    made->protocol = protocol;
    made->settings = *settings;
    made->environment = *environment;
    snprintf(made->dependency_name, sizeof made->dependency_name, "carrier.%s", protocol->name);
    dependency_init(&made->dependency, made->dependency_name, false, &breaker, environment->clock,
                    environment->random);
    bulkhead_init(&made->bulkhead, settings->calls_at_once_max);
    made->retry_policy = retry_policy_default();
    retry_budget_init(&made->retry_budget, 20, 10);
    carrier_admission_init(&made->admission, settings, now_us(made));
    uv_timer_init(environment->loop, &made->timer);
    made->timer.data = made;
    *carrier = made;
    return error_none();
}

struct carrier *http_carrier_port(struct http_carrier *carrier)
{
    return &carrier->base;
}

struct dependency *http_carrier_dependency(struct http_carrier *carrier)
{
    return &carrier->dependency;
}

size_t http_carrier_pending(const struct http_carrier *carrier)
{
    return carrier->waiting + carrier->sent;
}

static void closed(uv_handle_t *handle)
{
    struct http_carrier *carrier = handle->data;
    dependency_deinit(&carrier->dependency);
    memory_release(carrier);
}

void http_carrier_stop(struct http_carrier *carrier)
{
    carrier->stopping = true;
    wake(carrier, 0);
}

void http_carrier_close(struct http_carrier *carrier)
{
    if (carrier == NULL)
        return;
    CHECK(carrier->sent == 0);
    carrier->stopping = true;
    carrier->closing = true;
    while (carrier->first != NULL)
        refuse(carrier, carrier->first, CARRIER_UNAVAILABLE, text_of("the service is stopping"), 0);
    uv_timer_stop(&carrier->timer);
    uv_close((uv_handle_t *)&carrier->timer, closed);
}
