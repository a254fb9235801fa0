/*
 * Labels that nobody wants are voided: bought, but for an attempt that was over when the carrier's
 * answer came. The step that refuses such a purchase keeps it among them (RECORD_PURCHASE), so what
 * is to be voided outlives this process; here a page of what is due is taken at once when one was
 * found, at the start and every few seconds, and each carrier is asked. A carrier without such a
 * call, one that will not, and one that has not answered for a day are for a person.
 *
 * How it fails: what the store does not take stays due. Voiding is safe to repeat.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "shipping/application/background.h"

#include <stddef.h>
#include <stdio.h>

enum { page_size = 200, page_bytes_max = 4 * 1024 * 1024, voiding_bytes_max = 256 * 1024 };

static const int64_t second_us = 1000000;

struct void_page {
    struct shipping_service *service;
    struct arena arena;
    struct list_unwanted_labels_command command;
    size_t pending;
};

/* One label under way. */
struct voiding {
    struct void_page *page;
    const struct unwanted_label *label; /* on the page's arena */
    size_t carrier_index;
    struct arena arena;
    struct carrier_cancel_request request;
    struct change_unwanted_label_command command;
};

static void run_page(struct service_timer *timer);

static void end_page(struct void_page *page)
{
    struct shipping_service *service = page->service;
    if (--page->pending > 0)
        return;
    bool again = service->voider.again;
    arena_deinit(&page->arena);
    memory_release(page);
    service->voider.runs = false;
    service->voider.again = false;
    if (!service->closing)
        service_timer_set(service, &service->voider.timer, again ? 0 : service_pause_us(service),
                          run_page);
    service_job_end(service);
}

static void end(struct voiding *voiding)
{
    struct void_page *page = voiding->page;
    arena_deinit(&voiding->arena);
    memory_release(voiding);
    end_page(page);
}

static void tell(const struct voiding *voiding)
{
    const struct unwanted_label *label = &voiding->command.label;
    bool is_voided = label->state == UNWANTED_LABEL_VOIDED;
    struct log_field fields[] = {
        log_text("shipment_id", label->shipment_id),
        log_text("carrier", label->carrier),
        log_text("tracking_number", label->tracking_number),
        log_text("carrier_says", label->note),
    };
    log_event(is_voided ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
              is_voided ? "a label that nobody wants was voided"
                        : "a label that nobody wants needs a person: ListUnwantedLabels",
              fields, 4);
}

static void stored(struct shipping_command *command, const struct error *error)
{
    struct voiding *voiding =
        (struct voiding *)(void *)((char *)command - offsetof(struct voiding, command));
    if (error != NULL)
        log_error("the voiding of a label could not be stored; the carrier is asked again", error);
    else if (command->outcome == SHIPPING_DONE &&
             voiding->command.label.state != UNWANTED_LABEL_TO_VOID)
        tell(voiding);
    end(voiding);
}

static void change(struct voiding *voiding, enum unwanted_label_change change, int64_t next_time_us,
                   struct text note)
{
    struct shipping_service *service = voiding->page->service;
    voiding->command = (struct change_unwanted_label_command){
        .label_id = voiding->label->label_id,
        .change = change,
        .next_time_us = next_time_us,
        .note = note,
    };
    command_begin(service, &voiding->command.base, COMMAND_CHANGE_UNWANTED_LABEL, &voiding->arena);
    command_run(service, &voiding->command.base, stored);
}

/* Later again, as lost purchases are looked up; where the first look-up is sooner, so is this. */
static void try_later(struct voiding *voiding, struct text words, int64_t retry_after_us)
{
    struct shipping_service *service = voiding->page->service;
    const struct unwanted_label *label = voiding->label;
    int64_t now = service_now_us(service);
    int64_t next = unwanted_label_next_time(label->create_time_us, label->asks + 1, now);
    if (service->closing) {
        end(voiding); /* it stays due */
        return;
    }
    if (next == 0) {
        struct text last = text_shortened(words, 400);
        const char *why =
            arena_format(&voiding->arena, "not voided in a day of asking; the last: %.*s",
                         (int)last.size, last.size == 0 ? "" : last.data);
        change(voiding, UNWANTED_LABEL_CHANGE_GIVEN_UP, 0,
               text_of(why == NULL ? "not voided in a day of asking" : why));
        return;
    }
    if (service->options.first_lookup_us < 60 * second_us)
        next = now + (next - now) / 60 * (service->options.first_lookup_us / second_us);
    change(voiding, UNWANTED_LABEL_CHANGE_IN_VAIN,
           next < now + retry_after_us ? now + retry_after_us : next, words);
}

static void cancelled(void *context, const struct carrier_outcome *outcome)
{
    struct voiding *voiding = context;
    struct text words = outcome_words(&voiding->arena, outcome);
    service_count(voiding->page->service, voiding->carrier_index, QUESTION_CANCEL,
                  outcome->verdict);
    switch (outcome->verdict) {
    case CARRIER_ANSWERED:
        change(voiding, UNWANTED_LABEL_CHANGE_VOIDED, 0, words);
        break;
    case CARRIER_REFUSED:
    case CARRIER_UNSUPPORTED:
        change(voiding, UNWANTED_LABEL_CHANGE_GIVEN_UP, 0, words);
        break;
    case CARRIER_NOT_FOUND: /* its search lags */
    case CARRIER_THROTTLED:
    case CARRIER_UNAVAILABLE:
    case CARRIER_UNKNOWN:
        try_later(voiding, words, outcome->retry_after_us);
        break;
    }
}

static void ask(struct voiding *voiding)
{
    struct shipping_service *service = voiding->page->service;
    const struct unwanted_label *label = voiding->label;
    struct carrier *carrier = service_carrier(service, label->carrier, &voiding->carrier_index);
    if (carrier == NULL) {
        try_later(voiding, text_of("the carrier is not configured"), 0);
        return;
    }
    if (!carrier->capabilities.cancel) {
        change(voiding, UNWANTED_LABEL_CHANGE_GIVEN_UP, 0, no_void_words(&voiding->arena, carrier));
        return;
    }
    voiding->request = (struct carrier_cancel_request){
        .shipment_id = label->shipment_id,
        .tracking_number = label->tracking_number,
        .country_code = label->country_code,
        .timeout_us = service->options.purchase_us_max,
    };
    struct error error = carrier_cancel_shipment(carrier, &voiding->request, cancelled, voiding);
    if (error_is(error))
        try_later(voiding, text_of("there was no memory to ask"), 0);
}

static void begin(struct void_page *page, const struct unwanted_label *label)
{
    struct voiding *voiding = memory_allocate_zero(1, sizeof *voiding);
    if (voiding == NULL)
        return; /* it stays due */
    page->pending++;
    voiding->page = page;
    voiding->label = label;
    arena_init(&voiding->arena, voiding_bytes_max);
    ask(voiding);
}

static void listed(struct shipping_command *command, const struct error *error)
{
    struct void_page *page =
        (struct void_page *)(void *)((char *)command - offsetof(struct void_page, command));
    if (error != NULL)
        log_error("the labels to be voided could not be listed", error);
    for (size_t i = 0; error == NULL && i < page->command.label_count && !page->service->closing;
         i++)
        begin(page, &page->command.labels[i]);
    end_page(page);
}

static void run_page(struct service_timer *timer)
{
    struct shipping_service *service =
        (struct shipping_service *)(void *)((char *)timer -
                                            offsetof(struct shipping_service, voider.timer));
    if (service->closing || service->voider.runs)
        return;
    struct void_page *page = memory_allocate_zero(1, sizeof *page);
    if (page == NULL) {
        service_timer_set(service, timer, service_pause_us(service), run_page);
        return;
    }
    service->voider.runs = true;
    service_job_begin(service);
    page->service = service;
    page->pending = 1;
    arena_init(&page->arena, page_bytes_max);
    page->command = (struct list_unwanted_labels_command){
        .due_by_us = service_now_us(service),
        .page_size = page_size,
    };
    command_begin(service, &page->command.base, COMMAND_LIST_UNWANTED_LABELS, &page->arena);
    command_run(service, &page->command.base, listed);
}

void unwanted_labels_start(struct shipping_service *service)
{
    run_page(&service->voider.timer);
}

void unwanted_labels_wake(struct shipping_service *service)
{
    if (service->voider.runs) {
        service->voider.again = true;
        return;
    }
    service_timer_clear(service, &service->voider.timer);
    run_page(&service->voider.timer);
}

void unwanted_label_found(struct shipping_service *service, const struct shipment *shipment,
                          struct text tracking_number)
{
    struct log_field fields[] = {
        log_text("shipment_id", shipment->shipment_id),
        log_text("carrier", shipment->carrier),
        log_text("tracking_number", tracking_number),
    };
    log_event(LOG_LEVEL_WARNING, "a label was bought for an attempt that was over; it is voided",
              fields, 3);
    atomic_fetch_add_explicit(&service->counters.unwanted_labels, 1, memory_order_relaxed);
    unwanted_labels_wake(service);
}
