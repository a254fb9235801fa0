/*
 * Pushes that were kept are read in the order they came, one after the other: their scans are
 * recorded, and what is of unknown shape is kept for a person with the reason. It runs when
 * something was kept, at the start, and a while after the store did not take something.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "shipping/application/background.h"
#include "shipping/application/carrier_copies.h"

#include <stddef.h>

enum {
    page_size = 50,
    page_bytes_max = 128 * 1024 * 1024,
    push_bytes_max = 64 * 1024 * 1024,
};

static const int64_t pause_us = 2000000; /* after an error */

struct push_page {
    struct shipping_service *service;
    struct arena arena; /* of the pushes */
    struct list_webhooks_command list;
    size_t at;
    struct arena reading; /* of the scans of one */
    struct carrier_webhook_result result;
    size_t recorded; /* scans of it */
    struct record_scans_command record;
};

static void begin(struct shipping_service *service);

static void begin_later(struct service_timer *timer)
{
    begin((struct shipping_service *)(void *)((char *)timer -
                                              offsetof(struct shipping_service, pushes.timer)));
}

static void end(struct push_page *page, bool failed)
{
    struct shipping_service *service = page->service;
    bool more = service->pushes.again || page->list.webhook_count > 0;
    arena_deinit(&page->reading);
    arena_deinit(&page->arena);
    memory_release(page);
    service->pushes.runs = false;
    if (!service->closing && failed && !service->pushes.timer.is_set)
        service_timer_set(service, &service->pushes.timer, pause_us, begin_later);
    else if (!service->closing && !failed && more)
        begin(service);
    service_job_end(service);
}

static void read_next(struct push_page *page);
static void record_part(struct push_page *page);

/* A subscription wants to be activated, failed, or is over: nothing to record, but to know. */
static void tell_notice(const struct push_page *page)
{
    const struct shipping_webhook *push = &page->list.webhooks[page->at];
    struct log_field fields[] = {
        log_text("carrier", push->carrier),
        log_text("what", page->result.why),
        log_number("push", (int64_t)push->webhook_id),
    };
    log_event(LOG_LEVEL_WARNING, "a carrier tells of the subscription to its pushes", fields,
              sizeof fields / sizeof fields[0]);
}

static void recorded(struct shipping_command *command, const struct error *error)
{
    struct push_page *page =
        (struct push_page *)(void *)((char *)command - offsetof(struct push_page, record));
    struct service_counters *counters = &page->service->counters;
    if (error != NULL) {
        log_error("the scans of a push could not be stored; trying again", error);
        end(page, true);
        return;
    }
    atomic_fetch_add_explicit(&counters->scans, page->record.new_count, memory_order_relaxed);
    page->recorded += page->record.scan_count;
    if (page->record.webhook_id == 0) {
        record_part(page);
        return;
    }
    if (page->record.is_unknown_shape)
        atomic_fetch_add_explicit(&counters->unread_shapes, 1, memory_order_relaxed);
    if (page->result.verdict == CARRIER_WEBHOOK_NOTICE)
        tell_notice(page);
    page->at++;
    read_next(page);
}

/* A push of more scans than one step takes is processed with the last of them. */
static void record_part(struct push_page *page)
{
    const struct shipping_webhook *push = &page->list.webhooks[page->at];
    size_t left = page->result.scan_count - page->recorded;
    bool is_last = left <= shipping_scans_max;
    page->record = (struct record_scans_command){
        .webhook_id = is_last ? push->webhook_id : 0,
        .carrier = push->carrier,
        .receive_time_us = push->receive_time_us,
        .scans = left == 0 ? NULL : page->result.scans + page->recorded,
        .scan_count = is_last ? left : shipping_scans_max,
        .is_unknown_shape = is_last && page->result.verdict == CARRIER_WEBHOOK_UNKNOWN_SHAPE,
        .why = page->result.why,
    };
    command_begin(page->service, &page->record.base, COMMAND_RECORD_SCANS, &page->reading);
    command_run(page->service, &page->record.base, recorded);
}

/* Puts what was read within its limits: what the store never takes would stop all that follow. */
static struct error bound(struct push_page *page)
{
    struct carrier_webhook_result *result = &page->result;
    size_t left_out;
    const struct shipping_scan *scans =
        bound_scans(&page->reading, result->scans, result->scan_count, &left_out);
    if (scans == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "no room for the scans of a push");
    result->scans = scans;
    result->scan_count -= left_out;
    if (left_out > 0) {
        result->verdict = CARRIER_WEBHOOK_UNKNOWN_SHAPE;
        result->why = text_of("a scan without a tracking number, or with one that is too long");
    }
    return error_none();
}

static void read_next(struct push_page *page)
{
    size_t index;
    if (page->service->closing || page->at == page->list.webhook_count) {
        end(page, false);
        return;
    }
    const struct shipping_webhook *push = &page->list.webhooks[page->at];
    struct carrier *carrier = service_carrier(page->service, push->carrier, &index);
    struct carrier_webhook webhook = {.body = push->body, .is_authenticated = true};
    page->recorded = 0;
    page->result = (struct carrier_webhook_result){.verdict = CARRIER_WEBHOOK_UNKNOWN_SHAPE,
                                                   .why = text_of("the carrier is not configured")};
    arena_reset(&page->reading);
    struct error error = error_none();
    if (carrier != NULL)
        error = carrier_read_webhook(carrier, &webhook, &page->reading, &page->result);
    if (!error_is(error))
        error = bound(page);
    if (error_is(error)) {
        log_error("a push could not be read; trying again", &error);
        end(page, true);
        return;
    }
    record_part(page);
}

static void listed(struct shipping_command *command, const struct error *error)
{
    struct push_page *page =
        (struct push_page *)(void *)((char *)command - offsetof(struct push_page, list));
    if (error != NULL) {
        log_error("the pushes that wait could not be listed; trying again", error);
        end(page, true);
        return;
    }
    read_next(page);
}

static void begin(struct shipping_service *service)
{
    if (service->closing)
        return;
    if (service->pushes.runs) {
        service->pushes.again = true;
        return;
    }
    struct push_page *page = memory_allocate_zero(1, sizeof *page);
    if (page == NULL) {
        if (!service->pushes.timer.is_set)
            service_timer_set(service, &service->pushes.timer, pause_us, begin_later);
        return;
    }
    service->pushes.runs = true;
    service->pushes.again = false;
    service_job_begin(service);
    page->service = service;
    arena_init(&page->arena, page_bytes_max);
    arena_init(&page->reading, push_bytes_max);
    page->list.page_size = page_size;
    command_begin(service, &page->list.base, COMMAND_LIST_WEBHOOKS, &page->arena);
    command_run(service, &page->list.base, listed);
}

void push_reader_wake(struct shipping_service *service)
{
    begin(service);
}

void push_reader_start(struct shipping_service *service)
{
    begin(service);
}
