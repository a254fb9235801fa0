/*
 * Calls wait in one list in the order they came. A timer alone takes them from there, so that no
 * completion comes from within a start; it is set to the next instant at which something can
 * change: a token of the rate's bucket, a repeat's delay, a deadline, at once after any event.
 *
 * How it fails: what cannot be sent in time ends as UNAVAILABLE (or THROTTLED by our own limits),
 * nothing done. A token that cannot be had ends all who wait for it. What was sent and got no
 * usable answer is repeated if it changes nothing, and is UNKNOWN if it buys.
 */
#include "shipping/infrastructure/carriers/http_carrier.h"

#include "platform/base/base64.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/json/json_tree.h"
#include "platform/resilience/bulkhead.h"
#include "platform/resilience/retry.h"
#include "shipping/infrastructure/carriers/http_carrier_call.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { second_us = 1000000, url_size = 6000, token_size = 8192, token_retries_max = 3 };
static const int64_t day_us = 86400LL * second_us;

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
    int64_t bucket; /* millionths of a call that may go now */
    int64_t bucket_time_us;
    int64_t day; /* UTC, of the count below */
    uint32_t calls_of_day;
    char token[token_size];
    int64_t token_end_us; /* monotonic; 0 = there is none */
    int64_t token_renew_us;
    uint64_t token_number;
    struct carrier_call *token_call; /* fetching one */
    unsigned token_failures;         /* in a row */
    int64_t token_not_before_us;     /* the next try */
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

/* --------------------------------------------------------------------------------- our limits */

/* 0 = one may go now; else how long to wait. */
static int64_t bucket_wait(struct http_carrier *carrier, int64_t now)
{
    int64_t rate = carrier->settings.calls_per_second_max;
    if (rate == 0)
        return 0;
    int64_t passed = now - carrier->bucket_time_us;
    carrier->bucket_time_us = now;
    if (passed > second_us)
        passed = second_us;
    carrier->bucket += passed * rate;
    if (carrier->bucket > rate * second_us)
        carrier->bucket = rate * second_us;
    return carrier->bucket >= second_us ? 0 : (second_us - carrier->bucket + rate - 1) / rate;
}

/* 0 = the day's quota lasts; else how long until the next day. */
static int64_t quota_wait(struct http_carrier *carrier)
{
    int64_t time_us = clock_now_us(carrier->environment.clock), day = time_us / day_us;
    if (day != carrier->day) {
        carrier->day = day;
        carrier->calls_of_day = 0;
    }
    if (carrier->settings.calls_per_day_max == 0 ||
        carrier->calls_of_day < carrier->settings.calls_per_day_max)
        return 0;
    return (day + 1) * day_us - time_us;
}

static void take_a_turn(struct http_carrier *carrier)
{
    carrier->calls_of_day++;
    if (carrier->settings.calls_per_second_max > 0)
        carrier->bucket -= second_us;
}

/* ----------------------------------------------------------------------------------- sending */

static const char *base_of(const struct http_carrier *carrier, const struct carrier_wire *wire)
{
    return wire->to_tracking ? carrier->settings.tracking_base_url : carrier->settings.base_url;
}

/* "Authorization: Basic …" for the token and for DHL, "Bearer …" else; none to Unified Tracking. */
static bool write_authorization(const struct http_carrier *carrier, const struct carrier_call *call,
                                char *out, size_t size)
{
    const struct carrier_settings *settings = &carrier->settings;
    bool basic = carrier->protocol->basic_credentials || call->operation == CARRIER_OPERATION_TOKEN;
    out[0] = '\0';
    if (call->wire.to_tracking)
        return true;
    if (!basic)
        return (size_t)snprintf(out, size, "Bearer %s", carrier->token) < size;
    char pair[512], encoded[sizeof pair * 4 / 3 + 8];
    int length = snprintf(pair, sizeof pair, "%s:%s", settings->client_id, settings->client_secret);
    if (length < 0 || (size_t)length >= sizeof pair)
        return false;
    base64_encode(text_make(pair, (size_t)length), true, encoded);
    return (size_t)snprintf(out, size, "Basic %s", encoded) < size;
}

static struct error send_wire(struct http_carrier *carrier, struct carrier_call *call,
                              http_client_done *done)
{
    const struct carrier_wire *wire = &call->wire;
    struct http_client_header headers[wire_headers_max + 3];
    char authorization[token_size + 16], url[url_size];
    size_t count = 0;
    int64_t left = call->deadline_us - now_us(carrier);
    snprintf(url, sizeof url, "%s%.*s", base_of(carrier, wire), (int)wire->path.size,
             wire->path.data);
    if (!write_authorization(carrier, call, authorization, sizeof authorization))
        return error_make(ERROR_INVALID_SETTING, "the credentials are too long");
    if (authorization[0] != '\0')
        headers[count++] =
            (struct http_client_header){text_of("Authorization"), text_of(authorization)};
    headers[count++] = (struct http_client_header){text_of("Accept"), text_of("application/json")};
    if (wire->content_type != NULL)
        headers[count++] =
            (struct http_client_header){text_of("Content-Type"), text_of(wire->content_type)};
    for (size_t i = 0; i < wire->header_count; i++)
        headers[count++] = (struct http_client_header){text_of(wire->headers[i].name),
                                                       text_of(wire->headers[i].value)};
    struct http_client_request request = {
        .method = text_of(wire->method),
        .url = text_of(url),
        .headers = headers,
        .header_count = count,
        .body = buffer_text(&wire->body),
        .connect_us_max =
            left < carrier->settings.connect_us_max ? left : carrier->settings.connect_us_max,
        .total_us_max = left,
        .answer_bytes_max = carrier->settings.answer_bytes_max,
        .at_most_once = call->operation == CARRIER_OPERATION_CREATE,
    };
    call->sent_time_us = clock_now_us(carrier->environment.clock);
    call->sent_us = now_us(carrier);
    return http_client_send(carrier->environment.client, &request, done, call);
}

static void audit(struct http_carrier *carrier, const struct carrier_call *call,
                  const struct http_client_answer *answer)
{
    char url[url_size];
    bool secret = call->operation == CARRIER_OPERATION_TOKEN;
    bool answered = answer->verdict == HTTP_CLIENT_ANSWERED;
    if (carrier->environment.audit == NULL)
        return;
    int size = snprintf(url, sizeof url, "%s%.*s", base_of(carrier, &call->wire),
                        (int)call->wire.path.size, call->wire.path.data);
    struct carrier_audit record = {
        .carrier = carrier->base.name,
        .operation = carrier_operation_name(call->operation),
        .shipment_id = call->shipment_id,
        .method = call->wire.method,
        .url = text_make(url, (size_t)size < sizeof url ? (size_t)size : sizeof url - 1),
        .request = secret ? text_of("[credentials]") : buffer_text(&call->wire.body),
        .status = answer->status,
        .answer = secret && answered ? text_of("[token]") : answer->body,
        .failure = answered ? NULL : answer->error.detail,
        .sent_time_us = call->sent_time_us,
        .duration_us = now_us(carrier) - call->sent_us,
    };
    carrier->environment.audit(carrier->environment.audit_context, &record);
}

/* Seconds, or a date (RFC 9110 section 10.2.3), a day at most; 0 = absent or neither. */
static int64_t retry_after_us(const struct http_carrier *carrier,
                              const struct http_client_answer *answer)
{
    struct text value = text_trim(http_client_answer_header(answer, "retry-after"));
    int64_t seconds = 0;
    struct tm date = {0};
    char text[64];
    if (text_to_int64(value, &seconds))
        return seconds <= 0 ? 0 : seconds < 86400 ? seconds * second_us : day_us;
    if (value.size == 0 || value.size >= sizeof text)
        return 0;
    snprintf(text, sizeof text, "%.*s", (int)value.size, value.data);
    if (strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &date) == NULL)
        return 0;
    int64_t wait = (int64_t)timegm(&date) * second_us - clock_now_us(carrier->environment.clock);
    return wait <= 0 ? 0 : wait < day_us ? wait : day_us;
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
    if (call->token_number == carrier->token_number)
        carrier->token_end_us = 0;
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
    audit(carrier, call, answer);
    if (answer->verdict == HTTP_CLIENT_ANSWERED) {
        if (renew_token(carrier, call, answer->status)) {
            wake(carrier, 0);
            return;
        }
        carrier_call_read(call, carrier->protocol, answer->status, answer->body, &outcome);
        outcome.retry_after_us = retry_after_us(carrier, answer);
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

static void take_token(struct http_carrier *carrier, const struct carrier_token *token)
{
    int64_t now = now_us(carrier), life = token->lifetime_seconds * second_us;
    int64_t early = life / 10 < 300LL * second_us ? life / 10 : 300LL * second_us;
    memcpy(carrier->token, token->value.data, token->value.size);
    carrier->token[token->value.size] = '\0';
    carrier->token_end_us = now + life;
    carrier->token_renew_us = now + life - early;
    carrier->token_number++;
    carrier->token_failures = 0;
}

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
    carrier->token_failures = 0;
    refuse_all(carrier, text_of(why));
}

/* True: it is tried again soon, and who waits goes on waiting. A token costs nothing. */
static bool retry_token(struct http_carrier *carrier, const struct carrier_outcome *outcome,
                        const struct http_client_answer *answer)
{
    bool may_pass = answer->verdict != HTTP_CLIENT_ANSWERED ||
                    outcome->verdict == CARRIER_THROTTLED || outcome->verdict == CARRIER_UNKNOWN;
    if (!may_pass || carrier->stopping || carrier->token_failures >= token_retries_max)
        return false;
    carrier->token_not_before_us = now_us(carrier) + (200000LL << carrier->token_failures);
    carrier->token_failures++;
    return true;
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
    audit(carrier, call, answer);
    if (answer->verdict == HTTP_CLIENT_ANSWERED &&
        carrier_answer_read(carrier->protocol, answer->status, answer->body, &call->arena, &read,
                            &outcome))
        carrier_read_token(&read, &outcome, &token);
    if (token.value.size > 0 && token.value.size < token_size) {
        take_token(carrier, &token);
    } else if (now_us(carrier) >= carrier->token_end_us) {
        if (!retry_token(carrier, &outcome, answer))
            give_up_token(carrier, &outcome, answer);
    } else {
        carrier->token_renew_us = now_us(carrier) + 10LL * second_us; /* the old one still holds */
    }
    carrier_call_destroy(call);
    wake(carrier, 0);
}

/* False: it cannot be fetched now; *why says so. */
static bool fetch_token(struct http_carrier *carrier, struct error *why)
{
    if (carrier->token_call != NULL || now_us(carrier) < carrier->token_not_before_us)
        return true;
    if (!dependency_admit(&carrier->dependency)) {
        *why = error_make(ERROR_NETWORK, "the circuit breaker is open");
        return false;
    }
    struct carrier_call *call = carrier_call_create(carrier, CARRIER_OPERATION_TOKEN);
    *why = error_make(ERROR_OUT_OF_MEMORY, "no memory");
    if (call != NULL) {
        call->deadline_us = now_us(carrier) + 15LL * second_us;
        carrier->protocol->write_token(&carrier->settings, &call->wire);
        if (!call->wire.failed)
            *why = send_wire(carrier, call, on_token);
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
    bool usable = now < carrier->token_end_us;
    struct error ignored = error_none();
    if (!usable || now >= carrier->token_renew_us)
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
    struct error error = send_wire(carrier, call, on_answer);
    if (error_is(error)) {
        dependency_abandoned(&carrier->dependency);
        bulkhead_leave(&carrier->bulkhead);
        refuse(carrier, call, CARRIER_UNAVAILABLE, text_of(error.detail), 0);
        return;
    }
    call->token_number = carrier->token_number;
    take_out(carrier, call);
    take_a_turn(carrier);
    carrier->sent++;
    if (call->retry.attempts == 0)
        retry_budget_pay(&carrier->retry_budget);
}

/*
 * One step for one waiting call. True: the list has changed, look again from its start. False: it
 * stays; *wait is when to look again at the latest.
 */
static bool advance(struct http_carrier *carrier, struct carrier_call *call, int64_t now,
                    int64_t *wait)
{
    struct error why;
    int64_t quota = quota_wait(carrier), bucket;
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
    if (call->not_before_us > now) {
        *wait = call->not_before_us - now < left ? call->not_before_us - now : left;
        return false;
    }
    if (quota > 0) {
        refuse(carrier, call, CARRIER_THROTTLED, text_of("the day's quota is used up"), quota);
        return true;
    }
    if (!has_token(carrier, now, &why)) {
        if (error_is(why))
            refuse(carrier, call, CARRIER_UNAVAILABLE, text_of(why.detail), 0);
        else if (carrier->token_not_before_us > now && carrier->token_not_before_us - now < left)
            *wait = carrier->token_not_before_us - now;
        return error_is(why);
    }
    bucket = bucket_wait(carrier, now);
    if (bucket > 0) {
        *wait = bucket < left ? bucket : left;
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
    made->bucket = (int64_t)settings->calls_per_second_max * second_us;
    made->bucket_time_us = now_us(made);
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
