/*
 * GetRates, and the round of questions that CreateShipment's rules need, too. A carrier's answer is
 * copied when it comes; of a carrier that decides its rates it is there at once. All of it is on
 * the service's thread, but a GetRates that asks nobody is answered on its caller's: two hand-overs
 * cost more than the decision. Nothing is kept.
 *
 * Carriers are trusted to answer within the time they are given, but not relied on: the round has a
 * timer of its own, a little later. Who has not answered by then gets a reason, and its question,
 * which is memory of its own, waits alone for an answer that nobody takes.
 */
#include "shipping/application/rates.h"

#include "platform/base/memory.h"
#include "shipping/application/carrier_copies.h"
#include "shipping/application/origin_date.h"
#include "shipping/application/rate_id.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* However late a caller's deadline is. */
static const int64_t longest_us = INT64_C(60) * 1000000;

/* --- the round --- */

/* What a carrier holds until it answers. */
struct rate_question {
    struct shipping_service *service;
    struct rate_answer *answer; /* NULL: nobody waits any more */
    struct carrier_rate_request request;
};

const char *carrier_unfit(const struct carrier *carrier, const struct consignment *consignment,
                          const enum shipping_label_format *format)
{
    const struct carrier_capabilities *can = &carrier->capabilities;
    if (!can->shipments)
        return "sells nothing here";
    if (can->parcels_max > 0 && consignment->parcel_count > can->parcels_max)
        return "does not take so many parcels";
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        if (can->parcel_grams_max > 0 &&
            consignment->parcels[i].weight_grams > can->parcel_grams_max)
            return "does not take so heavy a parcel";
    }
    if (consignment->direction == SHIPPING_RETURN && !can->returns)
        return "has no returns";
    if (consignment->options.saturday && !can->saturday)
        return "does not deliver on Saturdays";
    if (consignment->options.insured_value.currency_code[0] != '\0' && !can->insurance)
        return "insures nothing";
    if (format != NULL && (can->label_formats & 1U << *format) == 0)
        return "has no labels in this format";
    return NULL;
}

static void end_answer(struct rate_round *round)
{
    if (--round->pending > 0)
        return;
    service_timer_clear(round->service, &round->timer);
    round->done(round);
}

static void take_answer(struct rate_answer *answer, const struct carrier_outcome *outcome,
                        const struct carrier_rates *rates)
{
    struct rate_round *round = answer->round;
    answer->question = NULL;
    answer->verdict = outcome->verdict;
    service_count(round->service, answer->carrier, QUESTION_RATE, outcome->verdict);
    if (outcome->verdict == CARRIER_ANSWERED) {
        answer->rates = copy_carrier_rates(round->arena, rates);
        answer->rate_count = answer->rates == NULL ? 0 : rates->rate_count;
        round->failed = round->failed || answer->rates == NULL;
    } else {
        answer->failure = outcome_words(round->arena, outcome);
    }
    end_answer(round);
}

static void rated(void *context, const struct carrier_outcome *outcome,
                  const struct carrier_rates *rates)
{
    struct rate_question *question = context;
    struct shipping_service *service = question->service;
    if (question->answer != NULL)
        take_answer(question->answer, outcome, rates);
    memory_release(question);
    service_job_end(service);
}

/* The round's time is over. */
static void stop_waiting(struct service_timer *timer)
{
    struct rate_round *round =
        (struct rate_round *)(void *)((char *)timer - offsetof(struct rate_round, timer));
    const char *why = round->service->closing ? "not available: the service is stopping"
                                              : "no usable answer: none came in time";
    for (size_t i = 0; i < round->service->options.carrier_count; i++) {
        struct rate_answer *answer = &round->answers[i];
        if (answer->question == NULL)
            continue;
        answer->question->answer = NULL;
        answer->question = NULL;
        answer->verdict = CARRIER_UNKNOWN;
        answer->failure = text_of(why);
        service_count(round->service, i, QUESTION_RATE, CARRIER_UNKNOWN);
    }
    round->pending = 0;
    round->done(round);
}

/* Later than the carriers' own time, earlier than the caller's: see call_time_left_us. */
static int64_t time_of_round_us(int64_t timeout_us)
{
    int64_t grace = timeout_us / 40 < 125000 ? timeout_us / 40 : 125000;
    return timeout_us + grace;
}

static void refuse_at_once(struct rate_answer *answer, enum carrier_verdict verdict,
                           const char *why)
{
    answer->verdict = verdict;
    answer->failure = text_of(why);
}

static void decide(struct rate_answer *answer, struct carrier *carrier,
                   const struct carrier_rate_request *request)
{
    struct rate_round *round = answer->round;
    struct carrier_outcome outcome;
    struct carrier_rates rates;
    if (!carrier_decide_rates(carrier, request, round->arena, &outcome, &rates)) {
        round->failed = true;
        return;
    }
    answer->verdict = outcome.verdict;
    service_count(round->service, answer->carrier, QUESTION_RATE, outcome.verdict);
    if (outcome.verdict == CARRIER_ANSWERED) {
        answer->rates = rates.rates;
        answer->rate_count = rates.rate_count;
    } else {
        answer->failure = outcome_words(round->arena, &outcome);
    }
}

static void put_question(struct rate_answer *answer, struct carrier *carrier,
                         const struct carrier_rate_request *request)
{
    struct rate_round *round = answer->round;
    struct rate_question *question = memory_allocate(sizeof *question);
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "a question to %s", carrier->name);
    if (question != NULL) {
        *question = (struct rate_question){
            .service = round->service, .answer = answer, .request = *request};
        error = carrier_calculate_rate(carrier, &question->request, rated, question);
    }
    if (error_is(error)) {
        memory_release(question);
        refuse_at_once(answer, CARRIER_UNAVAILABLE, "no memory to ask");
        return;
    }
    answer->question = question;
    round->pending++;
    service_job_begin(round->service);
}

static void ask(struct rate_round *round, size_t index)
{
    struct rate_answer *answer = &round->answers[index];
    struct carrier *carrier = round->service->carriers[index];
    const struct carrier_rate_request request = {.consignment = round->consignment,
                                                 .timeout_us = round->timeout_us};
    const char *unfit =
        carrier_unfit(carrier, round->consignment, round->any_format ? NULL : &round->label_format);
    *answer = (struct rate_answer){.round = round, .carrier = index, .is_asked = true};
    if (unfit == NULL && !carrier->capabilities.rates)
        unfit = "gives no rates";
    if (unfit != NULL)
        refuse_at_once(answer, CARRIER_REFUSED, unfit);
    else if (carrier_decides_rates(carrier))
        decide(answer, carrier, &request);
    else
        put_question(answer, carrier, &request);
}

void rate_round_begin(struct rate_round *round)
{
    round->pending = 1; /* this */
    for (size_t i = 0; i < round->service->options.carrier_count; i++) {
        round->answers[i] = (struct rate_answer){0};
        if (round->is_wanted[i])
            ask(round, i);
    }
    if (round->pending > 1)
        service_timer_set(round->service, &round->timer, time_of_round_us(round->timeout_us),
                          stop_waiting);
    end_answer(round);
}

/* --- choosing --- */

/* The currency that most rates have; amounts of others cannot be compared with it. */
static const char *main_currency(const struct rate_round *round)
{
    const char *best = NULL;
    size_t best_count = 0;
    for (size_t i = 0; i < shipping_carriers_max; i++) {
        for (size_t k = 0; k < round->answers[i].rate_count; k++) {
            const char *currency = round->answers[i].rates[k].amount.currency_code;
            size_t count = 0;
            for (size_t m = 0; m < shipping_carriers_max; m++) {
                for (size_t n = 0; n < round->answers[m].rate_count; n++)
                    count += strcmp(currency, round->answers[m].rates[n].amount.currency_code) == 0;
            }
            if (count > best_count) {
                best = currency;
                best_count = count;
            }
        }
    }
    return best;
}

/* Not said is later than anything. */
static int64_t delivery_of(const struct carrier_rate *rate)
{
    return rate->estimated_delivery_time_us == 0 ? INT64_MAX : rate->estimated_delivery_time_us;
}

static bool is_better(const struct carrier_rate *a, const struct carrier_rate *b,
                      enum rate_rule rule)
{
    bool cheaper = a->amount.amount_minor < b->amount.amount_minor;
    bool as_cheap = a->amount.amount_minor == b->amount.amount_minor;
    bool faster = delivery_of(a) < delivery_of(b);
    bool as_fast = delivery_of(a) == delivery_of(b);
    if (rule == RATE_RULE_FASTEST)
        return faster || (as_fast && cheaper);
    return cheaper || (as_cheap && faster);
}

const struct carrier_rate *rate_round_choose(const struct rate_round *round, enum rate_rule rule,
                                             size_t *carrier)
{
    const char *currency = main_currency(round);
    const struct carrier_rate *best = NULL;
    for (size_t i = 0; i < shipping_carriers_max; i++) {
        for (size_t k = 0; k < round->answers[i].rate_count; k++) {
            const struct carrier_rate *rate = &round->answers[i].rates[k];
            if (strcmp(rate->amount.currency_code, currency) != 0)
                continue;
            if (best == NULL || is_better(rate, best, rule)) {
                best = rate;
                *carrier = i;
            }
        }
    }
    return best;
}

static bool is_a_no(enum carrier_verdict verdict)
{
    return verdict == CARRIER_REFUSED || verdict == CARRIER_UNSUPPORTED ||
           verdict == CARRIER_NOT_FOUND || verdict == CARRIER_ANSWERED;
}

enum shipping_refusal rate_round_refusal(const struct rate_round *round, struct text *why)
{
    enum shipping_refusal refusal = REFUSAL_NO_SERVICE;
    enum { reason_bytes_max = 200 };
    char words[64 + shipping_carriers_max * (carrier_name_size + reason_bytes_max + 4)] =
        "no carrier takes it: ";
    size_t size = strlen(words);
    bool first = true;
    for (size_t i = 0; i < round->service->options.carrier_count; i++) {
        const struct rate_answer *answer = &round->answers[i];
        if (!answer->is_asked || answer->rate_count > 0)
            continue;
        if (!is_a_no(answer->verdict))
            refusal = REFUSAL_CARRIER_UNAVAILABLE;
        struct text reason = text_shortened(answer->failure, reason_bytes_max);
        int added = snprintf(words + size, sizeof words - size, "%s%s %.*s", first ? "" : "; ",
                             round->service->carriers[i]->name, (int)reason.size,
                             reason.size == 0 ? "" : reason.data);
        size = added < 0 || (size_t)added >= sizeof words - size ? sizeof words - 1
                                                                 : size + (size_t)added;
        first = false;
    }
    *why = arena_copy_text(round->arena, text_make(words, size));
    return refusal;
}

/* --- GetRates --- */

struct get_rates_work {
    struct rate_round round;
    struct get_rates_call *call;
};

static int compare_rates(const void *left, const void *right)
{
    const struct shipping_rate *a = left, *b = right;
    int order = strcmp(a->rate.amount.currency_code, b->rate.amount.currency_code);
    if (order != 0)
        return order;
    if (a->rate.amount.amount_minor != b->rate.amount.amount_minor)
        return a->rate.amount.amount_minor < b->rate.amount.amount_minor ? -1 : 1;
    if (delivery_of(&a->rate) != delivery_of(&b->rate))
        return delivery_of(&a->rate) < delivery_of(&b->rate) ? -1 : 1;
    order = strcmp(a->carrier, b->carrier);
    return order != 0 ? order : text_compare(a->rate.service_code, b->rate.service_code);
}

static bool seal(struct get_rates_work *work, struct shipping_rate *rate,
                 const struct consignment_facts *facts)
{
    struct rate_offer offer = {
        .carrier = text_of(rate->carrier),
        .service_code = rate->rate.service_code,
        .amount = rate->rate.amount,
        .expire_time_us = rate->expire_time_us,
        .facts = *facts,
    };
    rate->rate_id = rate_id_seal(work->round.arena, &offer, &work->round.service->sealer);
    return rate->rate_id.data != NULL;
}

/* False without memory. */
static bool collect(struct get_rates_work *work)
{
    struct get_rates_call *call = work->call;
    struct rate_round *round = &work->round;
    struct shipping_service *service = round->service;
    int64_t expire_time_us = service_now_us(service) + service->options.rate_lifetime_us;
    size_t count = 0;
    struct consignment_facts facts;
    consignment_facts_of(&call->consignment, &facts);
    for (size_t i = 0; i < service->options.carrier_count; i++)
        count += round->answers[i].rate_count;
    call->rates = arena_allocate_zero(round->arena, count + 1, sizeof *call->rates);
    call->failures = arena_allocate_zero(round->arena, service->options.carrier_count + 1,
                                         sizeof *call->failures);
    if (call->rates == NULL || call->failures == NULL)
        return false;
    for (size_t i = 0; i < service->options.carrier_count; i++) {
        const struct rate_answer *answer = &round->answers[i];
        const char *name = service->carriers[i]->name;
        for (size_t k = 0; k < answer->rate_count; k++) {
            struct shipping_rate *rate = &call->rates[call->rate_count++];
            *rate = (struct shipping_rate){
                .carrier = name, .rate = answer->rates[k], .expire_time_us = expire_time_us};
            if (!seal(work, rate, &facts))
                return false;
        }
        if (answer->is_asked && answer->rate_count == 0)
            call->failures[call->failure_count++] =
                (struct shipping_rate_failure){.carrier = name, .reason = answer->failure};
    }
    qsort(call->rates, call->rate_count, sizeof *call->rates, compare_rates);
    return true;
}

static bool is_wanted(const struct get_rates_call *call, const struct carrier *carrier)
{
    for (size_t i = 0; i < call->carrier_count; i++) {
        if (text_equals_string(call->carriers[i], carrier->name))
            return true;
    }
    return call->carrier_count == 0;
}

/* NULL without memory. */
static struct get_rates_work *begin_work(struct get_rates_call *call,
                                         void (*done)(struct rate_round *round))
{
    struct shipping_call *base = &call->base;
    struct shipping_service *service = base->service;
    struct get_rates_work *work = arena_allocate_zero(base->arena, 1, sizeof *work);
    int64_t limit_us = service->options.rates_us_max;
    if (work == NULL)
        return NULL;
    if (base->deadline_us != 0 && limit_us < longest_us)
        limit_us = longest_us;
    if (call->consignment.ship_date[0] == '\0')
        origin_date(&call->consignment.origin, service_now_us(service),
                    call->consignment.ship_date);
    work->call = call;
    work->round = (struct rate_round){
        .service = service,
        .arena = base->arena,
        .consignment = &call->consignment,
        .timeout_us = call_time_left_us(base, limit_us),
        .any_format = true,
        .done = done,
    };
    for (size_t i = 0; i < service->options.carrier_count; i++)
        work->round.is_wanted[i] = is_wanted(call, service->carriers[i]);
    return work;
}

static void rates_have_come(struct rate_round *round)
{
    struct get_rates_work *work = (struct get_rates_work *)round;
    struct shipping_call *call = &work->call->base;
    if (round->failed || !collect(work))
        call_fail_without_memory(call);
    else
        call_finish(call);
}

void run_get_rates(struct shipping_call *base)
{
    struct get_rates_work *work = begin_work((struct get_rates_call *)base, rates_have_come);
    if (work == NULL)
        call_fail_without_memory(base);
    else
        rate_round_begin(&work->round);
}

/* --- without asking anybody --- */

static bool asks_nobody(const struct get_rates_call *call)
{
    const struct shipping_service *service = call->base.service;
    for (size_t i = 0; i < service->options.carrier_count; i++) {
        const struct carrier *carrier = service->carriers[i];
        if (is_wanted(call, carrier) && !carrier_decides_rates(carrier))
            return false;
    }
    return true;
}

static void round_is_over(struct rate_round *round)
{
    (void)round;
}

bool get_rates_here(struct shipping_call *base)
{
    struct get_rates_call *call = (struct get_rates_call *)base;
    if (!asks_nobody(call))
        return false;
    struct get_rates_work *work = begin_work(call, round_is_over);
    if (work != NULL)
        rate_round_begin(&work->round);
    if (work == NULL || work->round.failed || !collect(work))
        base->error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    return true;
}
