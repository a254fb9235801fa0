/*
 * What nobody waits for: lost purchases are looked up at the carrier by our reference, and
 * cancellations that it has not confirmed are asked for again. Every few seconds a page of what is
 * due is taken from the store, and all of the page is asked at once; each look-up ends in one
 * command that moves the record or sets the next instant. What the store does not take stays due.
 *
 * It never buys. Exactly one label under the reference is adopted; a voided one means CANCELLED;
 * several are for a person, and so is what was not found in a day, and a label that its carrier has
 * told shipping_lost_voids_max times that it does not find it to void: it may exist all the same.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "shipping/application/background.h"
#include "shipping/application/carrier_copies.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    page_size = 500,
    page_bytes_max = 64 * 1024 * 1024,
    look_up_bytes_max = 96 * 1024 * 1024,
};

static const int64_t second_us = 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

struct resolver_page {
    struct shipping_service *service;
    struct arena arena;
    struct list_unfinished_command command;
    size_t pending;
};

struct look_up {
    struct resolver_page *page;
    const struct shipment *shipment;
    struct carrier *carrier;
    size_t carrier_index;
    struct arena arena;
    char reference[shipment_reference_bytes_max];
    struct carrier_find_request question;
    struct carrier_cancel_request cancel;
    struct carrier_shipment bought;
    enum shipment_change change;
    union {
        struct shipping_command base;
        struct record_purchase_command record;
        struct record_lookup_command lookup;
        struct resolve_shipment_command resolve;
        struct cancel_shipment_command cancel;
    } command;
};

static void run_page(struct service_timer *timer);

static void end_page(struct resolver_page *page)
{
    struct shipping_service *service = page->service;
    if (--page->pending > 0)
        return;
    arena_deinit(&page->arena);
    memory_release(page);
    service->resolver.runs = false;
    if (!service->closing)
        service_timer_set(service, &service->resolver.timer, service_pause_us(service), run_page);
    service_job_end(service);
}

static void end(struct look_up *look_up)
{
    struct resolver_page *page = look_up->page;
    arena_deinit(&look_up->arena);
    memory_release(look_up);
    end_page(page);
}

static struct look_up *look_up_of(struct shipping_command *command)
{
    return (struct look_up *)(void *)((char *)command - offsetof(struct look_up, command));
}

static void stored(struct shipping_command *command, const struct error *error)
{
    struct look_up *look_up = look_up_of(command);
    struct shipping_service *service = look_up->page->service;
    if (error != NULL) {
        log_error("the end of a look-up could not be stored; it is asked for again", error);
    } else if (command->kind == COMMAND_RECORD_PURCHASE) {
        const struct shipment *now = &look_up->command.record.shipment;
        if (command->outcome == SHIPPING_DONE)
            atomic_fetch_add_explicit(&service->counters.ended[now->state], 1,
                                      memory_order_relaxed);
        else if (command->outcome == SHIPPING_STATE_DIFFERS &&
                 look_up->change == SHIPMENT_CHANGE_BOUGHT)
            unwanted_label_found(service, now, look_up->bought.tracking_number);
    }
    end(look_up);
}

static void run(struct look_up *look_up, enum shipping_command_kind kind)
{
    command_begin(look_up->page->service, &look_up->command.base, kind, &look_up->arena);
    command_run(look_up->page->service, &look_up->command.base, stored);
}

static void record(struct look_up *look_up, enum shipment_change change, struct text failure)
{
    look_up->change = change;
    look_up->command.record = (struct record_purchase_command){
        .shipment_id = look_up->shipment->shipment_id,
        .attempt = look_up->shipment->attempt,
        .change = change,
        .bought = change == SHIPMENT_CHANGE_BOUGHT ? &look_up->bought : NULL,
        .failure = failure,
    };
    run(look_up, COMMAND_RECORD_PURCHASE);
}

/* How much sooner than the store's minute a lost purchase is looked up first. */
static int64_t ahead_us(const struct shipping_service *service)
{
    return 60 * second_us - service->options.first_lookup_us;
}

/* Where the first look-up is sooner, so are the others, in proportion. See run_page. */
static int64_t stored_time_us(const struct shipping_service *service, int64_t now, int64_t next)
{
    int64_t distance = (next - now) / 60 * (service->options.first_lookup_us / second_us);
    if (service->options.first_lookup_us >= 60 * second_us)
        distance = next - now;
    return now + distance + ahead_us(service);
}

/* In vain: later again, or a person is asked. A cancellation is asked for until it is answered. */
static void try_later(struct look_up *look_up, struct text failure)
{
    const struct shipment *shipment = look_up->shipment;
    int64_t now = service_now_us(look_up->page->service);
    int64_t since = shipment->cancel_wanted ? now : shipment->sent_time_us;
    int64_t next = shipment_next_lookup(since, shipment->lookups + 1, now);
    if (look_up->page->service->closing) {
        end(look_up);
        return;
    }
    if (next == 0 ||
        (!shipment->cancel_wanted &&
         now >= shipment->sent_time_us + look_up->page->service->options.lookup_us_max)) {
        char words[shipping_failure_bytes_max];
        snprintf(words, sizeof words, "not found in the time for look-ups; the last one: %.*s",
                 (int)(failure.size > 400 ? 400 : failure.size),
                 failure.size == 0 ? "" : failure.data);
        struct text copy = arena_copy_text(&look_up->arena, text_of(words));
        record(look_up, SHIPMENT_CHANGE_ABANDONED,
               copy.data == NULL ? text_of("not found in the time for look-ups") : copy);
        return;
    }
    look_up->command.lookup = (struct record_lookup_command){
        .shipment_id = shipment->shipment_id,
        .attempt = shipment->attempt,
        .lookup_time_us = stored_time_us(look_up->page->service, now, next),
        .failure = failure,
    };
    run(look_up, COMMAND_RECORD_LOOKUP);
}

/* --- lost purchases --- */

static void several(struct look_up *look_up, const struct carrier_matches *matches)
{
    char words[shipping_failure_bytes_max] = "bought more than once:";
    size_t size = strlen(words);
    for (size_t i = 0; i < matches->shipment_count; i++) {
        struct text number = matches->shipments[i].tracking_number;
        if (matches->shipments[i].voided || size + number.size + 2 > sizeof words)
            continue;
        words[size++] = ' ';
        memcpy(words + size, number.data, number.size);
        size += number.size;
    }
    struct text copy = arena_copy_text(&look_up->arena, text_make(words, size));
    record(look_up, SHIPMENT_CHANGE_ABANDONED,
           copy.data == NULL ? text_of("bought more than once") : copy);
}

static void voided(struct look_up *look_up)
{
    look_up->command.resolve = (struct resolve_shipment_command){
        .shipment_id = look_up->shipment->shipment_id,
        .resolution = SHIPMENT_VOID,
        .note = text_of("the carrier has it under our reference, voided"),
    };
    run(look_up, COMMAND_RESOLVE_SHIPMENT);
}

static void found(void *context, const struct carrier_outcome *outcome,
                  const struct carrier_matches *matches)
{
    struct look_up *look_up = context;
    const struct carrier_shipment *one = NULL;
    size_t count = 0;
    service_count(look_up->page->service, look_up->carrier_index, QUESTION_FIND, outcome->verdict);
    if (outcome->verdict != CARRIER_ANSWERED) {
        try_later(look_up, outcome_words(&look_up->arena, outcome));
        return;
    }
    for (size_t i = 0; i < matches->shipment_count; i++) {
        if (!matches->shipments[i].voided) {
            one = &matches->shipments[i];
            count++;
        }
    }
    if (count == 0)
        voided(look_up);
    else if (count > 1)
        several(look_up, matches);
    else if (!carrier_numbers_fit(one))
        record(look_up, SHIPMENT_CHANGE_ABANDONED,
               text_of("bought, but the carrier's tracking number cannot be kept: look in its "
                       "portal, then ResolveShipment"));
    else if (copy_carrier_shipment(&look_up->arena, one, &look_up->bought))
        record(look_up, SHIPMENT_CHANGE_BOUGHT, (struct text){0});
    else
        try_later(look_up, text_of("there was no memory to keep the carrier's answer"));
}

static void find(struct look_up *look_up)
{
    const struct shipment *shipment = look_up->shipment;
    size_t size = shipment_reference(shipment->shipment_id, shipment->attempt, look_up->reference);
    if (!look_up->carrier->capabilities.find_by_reference) {
        record(look_up, SHIPMENT_CHANGE_ABANDONED,
               text_of("this carrier cannot be asked by our reference: look in its portal, then "
                       "ResolveShipment"));
        return;
    }
    look_up->question = (struct carrier_find_request){
        .shipment_id = text_make(look_up->reference, size),
        .sent_time_us = shipment->sent_time_us,
        .consignment = &shipment->consignment,
        .service_code = shipment->service_code,
        .timeout_us = 4 * look_up->page->service->options.question_us_max,
    };
    struct error error =
        carrier_find_by_reference(look_up->carrier, &look_up->question, found, look_up);
    if (error_is(error))
        try_later(look_up, text_of("there was no memory to ask"));
}

/* --- cancellations --- */

static void cancelled(void *context, const struct carrier_outcome *outcome)
{
    struct look_up *look_up = context;
    service_count(look_up->page->service, look_up->carrier_index, QUESTION_CANCEL,
                  outcome->verdict);
    struct text words = outcome_words(&look_up->arena, outcome);
    bool is_lost = outcome->verdict == CARRIER_NOT_FOUND &&
                   look_up->shipment->lookups + 1 >= shipping_lost_voids_max;
    if (!is_lost && outcome->verdict != CARRIER_ANSWERED && outcome->verdict != CARRIER_REFUSED &&
        outcome->verdict != CARRIER_UNSUPPORTED) {
        try_later(look_up, words);
        return;
    }
    look_up->command.cancel = (struct cancel_shipment_command){
        .shipment_id = look_up->shipment->shipment_id,
        .voided = outcome->verdict == CARRIER_ANSWERED,
        .is_lost = is_lost,
        .failure = words,
    };
    run(look_up, COMMAND_END_CANCEL);
}

static void cancel(struct look_up *look_up)
{
    look_up->cancel = (struct carrier_cancel_request){
        .shipment_id = look_up->shipment->shipment_id,
        .tracking_number = look_up->shipment->tracking_number,
        .country_code = look_up->shipment->consignment.origin.country_code,
        .timeout_us = look_up->page->service->options.purchase_us_max,
    };
    struct error error =
        carrier_cancel_shipment(look_up->carrier, &look_up->cancel, cancelled, look_up);
    if (error_is(error))
        try_later(look_up, text_of("there was no memory to ask"));
}

/* --- the page --- */

static void begin(struct resolver_page *page, const struct shipment *shipment)
{
    struct look_up *look_up = memory_allocate_zero(1, sizeof *look_up);
    if (look_up == NULL)
        return; /* it stays due */
    page->pending++;
    look_up->page = page;
    look_up->shipment = shipment;
    arena_init(&look_up->arena, look_up_bytes_max);
    look_up->carrier = service_carrier(page->service, shipment->carrier, &look_up->carrier_index);
    if (look_up->carrier == NULL)
        try_later(look_up, text_of("the carrier is not configured"));
    else if (shipment->state == SHIPMENT_UNKNOWN)
        find(look_up);
    else
        cancel(look_up);
}

static void keep_counts(struct shipping_service *service, const struct shipping_open_counts *open)
{
    struct service_counters *counters = &service->counters;
    const struct {
        _Atomic uint64_t *kept;
        uint64_t now;
    } rows[] = {
        {&counters->shipments_need_attention, open->shipments_need_attention},
        {&counters->shipments_cancelling, open->shipments_cancelling},
        {&counters->labels_to_void, open->labels_to_void},
        {&counters->labels_need_attention, open->labels_need_attention},
        {&counters->unread_pushes, open->unread_pushes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        atomic_store_explicit(rows[i].kept, rows[i].now, memory_order_relaxed);
}

static void listed(struct shipping_command *command, const struct error *error)
{
    struct resolver_page *page =
        (struct resolver_page *)(void *)((char *)command - offsetof(struct resolver_page, command));
    struct resolver *resolver = &page->service->resolver;
    if (error != NULL) {
        log_error("what is unfinished could not be listed", error);
    } else {
        resolver->has_run = true;
        keep_counts(page->service, &page->command.open);
        for (size_t i = 0; i < page->command.shipment_count && !page->service->closing; i++)
            begin(page, &page->command.shipments[i]);
    }
    end_page(page);
}

/*
 * The store dates the first look-up a minute after the sending; where it is to be sooner, the list
 * is asked as of so much later. SENT: all of it at the start, when nothing is in flight here; later
 * what no carrier may still be answering.
 */
static void run_page(struct service_timer *timer)
{
    struct shipping_service *service =
        (struct shipping_service *)(void *)((char *)timer -
                                            offsetof(struct shipping_service, resolver.timer));
    int64_t now = service_now_us(service);
    if (service->closing || service->resolver.runs)
        return;
    struct resolver_page *page = memory_allocate_zero(1, sizeof *page);
    if (page == NULL) {
        service_timer_set(service, timer, service_pause_us(service), run_page);
        return;
    }
    service->resolver.runs = true;
    service_job_begin(service);
    page->service = service;
    page->pending = 1;
    arena_init(&page->arena, page_bytes_max);
    page->command = (struct list_unfinished_command){
        .now_us = now + ahead_us(service),
        .sent_before_us = service->resolver.has_run
                              ? now - 2 * service->options.purchase_us_max - 60 * second_us
                              : now + 400 * day_us,
        .page_size = page_size,
    };
    command_begin(service, &page->command.base, COMMAND_LIST_UNFINISHED, &page->arena);
    command_run(service, &page->command.base, listed);
}

void resolver_start(struct shipping_service *service)
{
    run_page(&service->resolver.timer);
}
