/*
 * CreateShipment. The steps, each one durable before the next begins:
 *
 *   read the record → choose carrier and service → write the INTENT → mark it SENT → ask the
 *   carrier → record how that ended
 *
 * One purchase of a shipment_id is in flight here at a time; further calls for it wait, and begin
 * anew when it has ended. After the carrier was asked there is no way back: what it said is offered
 * to the store until that has it, whatever becomes of the caller. If the process ends before, the
 * record is found SENT at the next start and looked up.
 */
#include "shipping/application/purchase.h"

#include "platform/base/log.h"
#include "shipping/application/background.h"
#include "shipping/application/carrier_copies.h"
#include "shipping/application/origin_date.h"
#include "shipping/application/rate_id.h"
#include "shipping/application/rates.h"

#include <stddef.h>
#include <string.h>

static const int64_t second_us = 1000000;

enum { kept_bytes_max = 96 * 1024 * 1024 };

/* On the call's arena. */
struct purchase {
    struct rate_round round; /* first */
    struct shipping_call *call;
    struct shipping_service *service;
    const struct shipment_request *request; /* NULL = buying again */
    struct text shipment_id;
    struct shipment *result;
    uint64_t hash;
    struct shipping_call *waiting; /* for the end of this */
    struct shipping_call *waiting_last;
    union {
        struct shipping_command base;
        struct get_shipment_command get;
        struct begin_shipment_command begin;
        struct mark_sent_command sent;
        struct record_purchase_command record;
    } command;

    struct carrier *carrier; /* as chosen, or as the record has it */
    size_t carrier_index;
    struct text service_code;
    struct shipping_money amount;

    struct shipment shipment; /* the record */
    struct consignment consignment;
    char reference[shipment_reference_bytes_max];
    struct carrier_shipment_request question;

    struct arena kept; /* what the carrier answered, until the store has it */
    struct carrier_shipment bought;
    enum shipment_change change;
    struct text failure;
    int64_t retry_after_us;
    struct service_timer timer;
    int64_t delay_us;
};

static struct purchase *purchase_of(struct shipping_command *command)
{
    return (struct purchase *)(void *)((char *)command - offsetof(struct purchase, command));
}

/* --- in flight --- */

static bool has_id(void *context, uint64_t value)
{
    return text_equal(((struct purchase *)(uintptr_t)value)->shipment_id,
                      *(const struct text *)context);
}

static struct purchase *find(struct shipping_service *service, struct text shipment_id)
{
    uint64_t value;
    uint64_t hash = hash_text(service->hash_seed, shipment_id);
    return hash_map_find(&service->flights, hash, has_id, &shipment_id, &value)
               ? (struct purchase *)(uintptr_t)value
               : NULL;
}

static void wait_for(struct purchase *purchase, struct shipping_call *call)
{
    call->next = NULL;
    if (purchase->waiting == NULL)
        purchase->waiting = call;
    else
        purchase->waiting_last->next = call;
    purchase->waiting_last = call;
}

/* NULL without memory. */
static struct purchase *begin(struct shipping_call *call, struct text shipment_id,
                              struct shipment *result)
{
    struct shipping_service *service = call->service;
    struct purchase *purchase = arena_allocate_zero(call->arena, 1, sizeof *purchase);
    if (purchase == NULL || !hash_map_reserve(&service->flights, 1))
        return NULL;
    purchase->call = call;
    purchase->service = service;
    purchase->shipment_id = shipment_id;
    purchase->result = result;
    purchase->hash = hash_text(service->hash_seed, shipment_id);
    arena_init(&purchase->kept, kept_bytes_max);
    hash_map_add(&service->flights, purchase->hash, (uint64_t)(uintptr_t)purchase);
    atomic_fetch_add_explicit(&service->counters.purchases, 1, memory_order_relaxed);
    return purchase;
}

/* The call is to be answered next; who waited begins anew after that. */
static struct shipping_call *end(struct purchase *purchase)
{
    struct shipping_service *service = purchase->service;
    hash_map_remove(&service->flights, purchase->hash, (uint64_t)(uintptr_t)purchase);
    atomic_fetch_sub_explicit(&service->counters.purchases, 1, memory_order_relaxed);
    arena_deinit(&purchase->kept);
    return purchase->waiting;
}

static void go_on(struct shipping_call *waiting)
{
    while (waiting != NULL) {
        struct shipping_call *next = waiting->next;
        if (call_is_late(waiting)) {
            struct error error =
                error_make(ERROR_DEADLINE, "the purchase took longer than the deadline");
            call_fail(waiting, &error);
        } else {
            run_create_shipment(waiting);
        }
        waiting = next;
    }
}

static void finish(struct purchase *purchase)
{
    *purchase->result = purchase->shipment;
    struct shipping_call *call = purchase->call, *waiting = end(purchase);
    call_finish(call);
    go_on(waiting);
}

static void fail(struct purchase *purchase, const struct error *error)
{
    struct shipping_call *call = purchase->call, *waiting = end(purchase);
    call_fail(call, error);
    go_on(waiting);
}

static void fail_without_memory(struct purchase *purchase)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
    fail(purchase, &error);
}

static void refuse(struct purchase *purchase, enum shipping_refusal refusal, struct text why)
{
    struct shipping_call *call = purchase->call, *waiting = end(purchase);
    call_refuse(call, refusal, "%.*s", (int)why.size, why.size == 0 ? "" : why.data);
    go_on(waiting);
}

static void refuse_string(struct purchase *purchase, enum shipping_refusal refusal, const char *why)
{
    refuse(purchase, refusal, text_of(why));
}

static void run(struct purchase *purchase, enum shipping_command_kind kind, int64_t deadline_us,
                shipping_done *done)
{
    command_begin(purchase->service, &purchase->command.base, kind, purchase->call->arena);
    purchase->command.base.deadline_us = deadline_us;
    command_run(purchase->service, &purchase->command.base, done);
}

/* --- the end: what the carrier said is written down --- */

static void record(struct purchase *purchase);

static void record_again(struct service_timer *timer)
{
    record((struct purchase *)(void *)((char *)timer - offsetof(struct purchase, timer)));
}

static void not_recorded(struct purchase *purchase, const struct error *error)
{
    struct log_field fields[] = {
        log_text("shipment_id", purchase->shipment_id),
        log_string("error", error_text(error->code)),
        log_string("detail", error->detail),
    };
    if (purchase->delay_us == 0)
        log_event(LOG_LEVEL_WARNING, "the end of a purchase could not be stored; trying again",
                  fields, 3);
    if (purchase->service->closing && purchase->delay_us > 0) {
        log_event(LOG_LEVEL_ERROR, "the end of a purchase was not stored; it is looked up later",
                  fields, 3);
        fail(purchase, error);
        return;
    }
    purchase->delay_us = purchase->delay_us == 0              ? second_us / 10
                         : purchase->delay_us < 4 * second_us ? 2 * purchase->delay_us
                                                              : 5 * second_us;
    if (purchase->service->closing)
        record(purchase); /* once more, at once */
    else
        service_timer_set(purchase->service, &purchase->timer, purchase->delay_us, record_again);
}

static void recorded(struct shipping_command *command, const struct error *error)
{
    struct purchase *purchase = purchase_of(command);
    if (error != NULL) {
        not_recorded(purchase, error);
        return;
    }
    enum shipping_outcome outcome = command->outcome;
    if (outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        struct error gone = error_make(ERROR_INTERNAL, "the shipment is gone from the store");
        fail(purchase, &gone);
        return;
    }
    purchase->shipment = purchase->command.record.shipment;
    atomic_fetch_add_explicit(&purchase->service->counters.ended[purchase->shipment.state], 1,
                              memory_order_relaxed);
    if (outcome == SHIPPING_STATE_DIFFERS && purchase->change == SHIPMENT_CHANGE_BOUGHT)
        unwanted_label_found(purchase->service, &purchase->shipment,
                             purchase->bought.tracking_number);
    if (outcome == SHIPPING_DONE && purchase->change == SHIPMENT_CHANGE_NOT_DONE) {
        purchase->call->retry_after_us = purchase->retry_after_us;
        refuse(purchase, REFUSAL_CARRIER_UNAVAILABLE,
               arena_copy_text(purchase->call->arena, purchase->failure));
        return;
    }
    finish(purchase);
}

static void record(struct purchase *purchase)
{
    purchase->command.record = (struct record_purchase_command){
        .shipment_id = purchase->shipment_id,
        .attempt = purchase->shipment.attempt,
        .change = purchase->change,
        .bought = purchase->change == SHIPMENT_CHANGE_BOUGHT ? &purchase->bought : NULL,
        .failure = purchase->failure,
    };
    run(purchase, COMMAND_RECORD_PURCHASE, 0, recorded);
}

/* --- the carrier --- */

static void answered(void *context, const struct carrier_outcome *outcome,
                     const struct carrier_shipment *shipment)
{
    static const enum shipment_change changes[carrier_verdict_count] = {
        [CARRIER_ANSWERED] = SHIPMENT_CHANGE_BOUGHT,
        [CARRIER_REFUSED] = SHIPMENT_CHANGE_REFUSED,
        [CARRIER_NOT_FOUND] = SHIPMENT_CHANGE_REFUSED,
        [CARRIER_THROTTLED] = SHIPMENT_CHANGE_NOT_DONE,
        [CARRIER_UNAVAILABLE] = SHIPMENT_CHANGE_NOT_DONE,
        [CARRIER_UNKNOWN] = SHIPMENT_CHANGE_LOST,
        [CARRIER_UNSUPPORTED] = SHIPMENT_CHANGE_REFUSED,
    };
    struct purchase *purchase = context;
    service_count(purchase->service, purchase->carrier_index, QUESTION_CREATE, outcome->verdict);
    purchase->change = changes[outcome->verdict];
    purchase->retry_after_us = outcome->retry_after_us;
    if (purchase->change != SHIPMENT_CHANGE_BOUGHT) {
        purchase->failure = outcome_words(&purchase->kept, outcome);
    } else if (!carrier_numbers_fit(shipment)) {
        purchase->change = SHIPMENT_CHANGE_LOST; /* there is a label; a person finds its number */
        purchase->failure = text_of("the carrier's answer has no tracking number that can be kept");
    } else if (!copy_carrier_shipment(&purchase->kept, shipment, &purchase->bought)) {
        purchase->change = SHIPMENT_CHANGE_LOST; /* the look-up brings it back */
        purchase->failure = text_of("there was no memory to keep the carrier's answer");
    }
    record(purchase);
}

static void ask_carrier(struct purchase *purchase)
{
    struct shipment *shipment = &purchase->shipment;
    char today[11];
    size_t size = shipment_reference(shipment->shipment_id, shipment->attempt, purchase->reference);
    purchase->consignment = shipment->consignment;
    origin_date(&purchase->consignment.origin, service_now_us(purchase->service), today);
    if (strcmp(purchase->consignment.ship_date, today) < 0) /* an INTENT of some days ago */
        memcpy(purchase->consignment.ship_date, today, sizeof today);
    purchase->question = (struct carrier_shipment_request){
        .shipment_id = text_make(purchase->reference, size),
        .service_code = shipment->service_code,
        .consignment = &purchase->consignment,
        .label_format = shipment->label_format,
        .timeout_us = purchase->service->options.purchase_us_max,
    };
    struct error error =
        carrier_create_shipment(purchase->carrier, &purchase->question, answered, purchase);
    if (!error_is(error))
        return;
    purchase->change = SHIPMENT_CHANGE_NOT_DONE;
    purchase->failure = text_of("there was no memory to ask the carrier");
    record(purchase);
}

static void marked(struct shipping_command *command, const struct error *error)
{
    struct purchase *purchase = purchase_of(command);
    if (error != NULL) {
        /* It may be SENT now, and nothing was sent. Only a look-up can tell that from a purchase of
         * another process, so it is left to that. */
        fail(purchase, error);
        return;
    }
    if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        struct error gone = error_make(ERROR_INTERNAL, "the shipment is gone from the store");
        fail(purchase, &gone);
        return;
    }
    purchase->shipment = purchase->command.sent.shipment;
    if (command->outcome == SHIPPING_DONE)
        ask_carrier(purchase);
    else
        finish(purchase); /* somebody else has it */
}

/* An INTENT is bought; all else is answered as it is. */
static void judge_record(struct purchase *purchase)
{
    struct shipping_service *service = purchase->service;
    if (purchase->shipment.state != SHIPMENT_INTENT) {
        finish(purchase);
        return;
    }
    purchase->carrier =
        service_carrier(service, purchase->shipment.carrier, &purchase->carrier_index);
    if (purchase->carrier == NULL) {
        refuse_string(purchase, REFUSAL_CARRIER_UNAVAILABLE,
                      "the shipment's carrier is not configured");
        return;
    }
    if (service->closing) {
        struct error error = error_make(ERROR_STORE_UNAVAILABLE, "shipping is stopping");
        fail(purchase, &error);
        return;
    }
    purchase->command.sent = (struct mark_sent_command){
        .shipment_id = purchase->shipment_id,
        .attempt = purchase->shipment.attempt,
    };
    run(purchase, COMMAND_MARK_SENT, 0, marked);
}

/* --- the beginning --- */

static void begun(struct shipping_command *command, const struct error *error)
{
    struct purchase *purchase = purchase_of(command);
    if (error != NULL) {
        fail(purchase, error);
    } else if (command->outcome != SHIPPING_DONE) {
        refuse_string(purchase, REFUSAL_ID_REUSED, "this id was used before for other content");
    } else {
        purchase->shipment = purchase->command.begin.shipment;
        judge_record(purchase);
    }
}

/* PDF was not asked for by name: the first that the carrier has. */
static void settle_format(struct create_shipment_call *call, const struct carrier *carrier)
{
    static const enum shipping_label_format order[] = {SHIPPING_LABEL_PDF, SHIPPING_LABEL_PNG,
                                                       SHIPPING_LABEL_ZPL};
    for (size_t i = 0; i < sizeof order / sizeof order[0] && call->any_format; i++) {
        if ((carrier->capabilities.label_formats & 1U << order[i]) != 0) {
            call->request.label_format = order[i];
            return;
        }
    }
}

static void write_intent(struct purchase *purchase)
{
    struct create_shipment_call *call = (struct create_shipment_call *)purchase->call;
    settle_format(call, purchase->carrier);
    enum shipping_label_format format = purchase->request->label_format;
    const char *unfit = carrier_unfit(purchase->carrier, &purchase->request->consignment, NULL);
    if (unfit != NULL) {
        refuse_string(purchase, REFUSAL_NO_SERVICE, unfit);
        return;
    }
    if (carrier_unfit(purchase->carrier, &purchase->request->consignment, &format) != NULL) {
        refuse_string(purchase, REFUSAL_LABEL_FORMAT_UNAVAILABLE,
                      "the carrier has no labels in this format; see ListCarriers");
        return;
    }
    if (call_is_late(purchase->call)) {
        struct error error = error_make(ERROR_DEADLINE, "nothing was bought before the deadline");
        fail(purchase, &error);
        return;
    }
    purchase->command.begin = (struct begin_shipment_command){
        .request = purchase->request,
        .carrier = text_of(purchase->carrier->name),
        .service_code = purchase->service_code,
        .amount = purchase->amount,
    };
    memcpy(purchase->command.begin.content_hash, call->content_hash, sizeof call->content_hash);
    origin_date(&purchase->request->consignment.origin, service_now_us(purchase->service),
                purchase->command.begin.ship_date);
    run(purchase, COMMAND_BEGIN_SHIPMENT, purchase->call->deadline_us, begun);
}

/* --- the choice --- */

/* Says what the caller has changed, or has not asked GetRates about. */
static void refuse_mismatch(struct purchase *purchase, const struct consignment_facts *rated,
                            const struct consignment_facts *wanted)
{
    struct arena *arena = purchase->call->arena;
    const char *parts = NULL;
    for (size_t i = 0; i < consignment_part_count; i++) {
        const char *name = consignment_part_name((enum consignment_part)i);
        if (rated->parts[i] != wanted->parts[i])
            parts = parts == NULL ? name : arena_format(arena, "%s, %s", parts, name);
    }
    refuse(purchase, REFUSAL_RATE_MISMATCH,
           text_of(arena_format(arena,
                                "the rate was given for another consignment; what differs: %s. "
                                "GetRates takes addresses, parcels, customs, direction and options "
                                "as they are bought",
                                parts == NULL ? "its facts" : parts)));
}

static void choose_by_rate(struct purchase *purchase)
{
    struct rate_offer offer;
    struct consignment_facts facts;
    consignment_facts_of(&purchase->request->consignment, &facts);
    enum rate_id_verdict verdict = rate_id_open(purchase->call->arena, purchase->request->rate_id,
                                                &purchase->service->sealer, &offer);
    if (verdict == RATE_ID_ALIEN) {
        refuse_string(purchase, REFUSAL_RATE_MISMATCH, "rate_id is not one that was given here");
        return;
    }
    if (verdict == RATE_ID_OUTDATED) {
        refuse_string(purchase, REFUSAL_RATE_EXPIRED,
                      "the rate was given by an earlier release; ask for new ones");
        return;
    }
    if (memcmp(facts.hash, offer.facts.hash, sizeof facts.hash) != 0) {
        refuse_mismatch(purchase, &offer.facts, &facts);
        return;
    }
    if (offer.expire_time_us <= service_now_us(purchase->service)) {
        refuse_string(purchase, REFUSAL_RATE_EXPIRED, "the rate has expired; ask for new ones");
        return;
    }
    purchase->carrier = service_carrier(purchase->service, offer.carrier, &purchase->carrier_index);
    if (purchase->carrier == NULL) {
        refuse_string(purchase, REFUSAL_CARRIER_UNAVAILABLE,
                      "the rate's carrier is not configured any more");
        return;
    }
    purchase->service_code = offer.service_code;
    purchase->amount = offer.amount;
    write_intent(purchase);
}

static void rule_rated(struct rate_round *round)
{
    struct purchase *purchase = (struct purchase *)round;
    size_t index = 0;
    const struct carrier_rate *rate =
        rate_round_choose(round, (enum rate_rule)purchase->request->rule, &index);
    struct text why;
    if (round->failed) {
        fail_without_memory(purchase);
    } else if (rate == NULL) {
        enum shipping_refusal refusal = rate_round_refusal(round, &why);
        refuse(purchase, refusal, why);
    } else {
        purchase->carrier = purchase->service->carriers[index];
        purchase->carrier_index = index;
        purchase->service_code = rate->service_code;
        purchase->amount = rate->amount;
        write_intent(purchase);
    }
}

/* The amount of the service that was named, if the carrier has said it by now. */
static void service_rated(struct rate_round *round)
{
    struct purchase *purchase = (struct purchase *)round;
    const struct rate_answer *answer = &round->answers[purchase->carrier_index];
    for (size_t i = 0; i < answer->rate_count; i++) {
        if (text_equal(answer->rates[i].service_code, purchase->service_code))
            purchase->amount = answer->rates[i].amount;
    }
    write_intent(purchase);
}

static void ask_rates(struct purchase *purchase)
{
    const struct shipment_request *request = purchase->request;
    struct shipping_service *service = purchase->service;
    bool by_rule = request->rule != 0;
    purchase->round = (struct rate_round){
        .service = service,
        .arena = purchase->call->arena,
        .consignment = &purchase->consignment,
        .timeout_us = call_time_left_us(purchase->call,
                                        by_rule ? service->options.rates_us_max : 2 * second_us),
        .any_format = ((struct create_shipment_call *)purchase->call)->any_format,
        .label_format = request->label_format,
        .done = by_rule ? rule_rated : service_rated,
    };
    purchase->consignment = request->consignment;
    origin_date(&purchase->consignment.origin, service_now_us(service),
                purchase->consignment.ship_date);
    for (size_t i = 0; i < service->options.carrier_count; i++)
        purchase->round.is_wanted[i] = by_rule || i == purchase->carrier_index;
    rate_round_begin(&purchase->round);
}

static void choose(struct purchase *purchase)
{
    const struct shipment_request *request = purchase->request;
    if (request->rate_id.size > 0) {
        choose_by_rate(purchase);
        return;
    }
    if (request->rule == 0) {
        purchase->carrier =
            service_carrier(purchase->service, request->carrier, &purchase->carrier_index);
        purchase->service_code = request->service_code;
    }
    ask_rates(purchase);
}

static void got(struct shipping_command *command, const struct error *error)
{
    struct purchase *purchase = purchase_of(command);
    struct create_shipment_call *call = (struct create_shipment_call *)purchase->call;
    if (error != NULL) {
        fail(purchase, error);
        return;
    }
    if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        choose(purchase);
        return;
    }
    purchase->shipment = purchase->command.get.shipment;
    if (memcmp(purchase->shipment.content_hash, call->content_hash, sizeof call->content_hash) != 0)
        refuse_string(purchase, REFUSAL_ID_REUSED, "this id was used before for other content");
    else
        judge_record(purchase);
}

void run_create_shipment(struct shipping_call *base)
{
    struct create_shipment_call *call = (struct create_shipment_call *)base;
    struct purchase *purchase = find(base->service, call->request.shipment_id);
    if (purchase != NULL) {
        wait_for(purchase, base);
        return;
    }
    purchase = begin(base, call->request.shipment_id, &call->shipment);
    if (purchase == NULL) {
        call_fail_without_memory(base);
        return;
    }
    purchase->request = &call->request;
    purchase->command.get = (struct get_shipment_command){.shipment_id = purchase->shipment_id};
    run(purchase, COMMAND_GET_SHIPMENT, base->deadline_us, got);
}

void purchase_again(struct shipping_call *call, const struct shipment *shipment,
                    struct shipment *result)
{
    struct purchase *purchase = find(call->service, shipment->shipment_id) != NULL
                                    ? NULL
                                    : begin(call, shipment->shipment_id, result);
    if (purchase == NULL) { /* somebody buys it already, or there is no memory: it is an INTENT */
        *result = *shipment;
        call_finish(call);
        return;
    }
    purchase->shipment = *shipment;
    judge_record(purchase);
}
