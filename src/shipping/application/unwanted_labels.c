/*
 * Voids a label that was bought although its attempt was over: a person had decided in the
 * meantime, or two processes bought. Asked at once and again after growing distances; at the end
 * the audit trail says what became of it, and the log where nothing did.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "shipping/application/background.h"
#include "shipping/application/carrier_copies.h"

#include <stddef.h>
#include <stdio.h>

enum { attempts_max = 6, arena_bytes_max = 256 * 1024 };

static const int64_t second_us = 1000000;

struct unwanted_label {
    struct shipping_service *service;
    struct arena arena;
    struct service_timer timer;
    struct carrier *carrier;
    size_t carrier_index;
    struct text shipment_id;
    uint32_t attempt;
    unsigned attempts;
    struct carrier_cancel_request request;
    char note[shipping_failure_bytes_max];
    struct shipping_audit audit;
    struct keep_audit_command command;
};

static void release(struct unwanted_label *label)
{
    struct shipping_service *service = label->service;
    arena_deinit(&label->arena);
    memory_release(label);
    service_job_end(service);
}

static void kept(struct shipping_command *command, const struct error *error)
{
    struct unwanted_label *label =
        (struct unwanted_label *)(void *)((char *)command -
                                          offsetof(struct unwanted_label, command));
    if (error != NULL)
        log_error("an audit entry of a label nobody wants was not stored", error);
    release(label);
}

static void note(struct unwanted_label *label, bool voided, struct text words)
{
    struct log_field fields[] = {
        log_text("shipment_id", label->shipment_id),
        log_text("tracking_number", label->request.tracking_number),
        log_text("carrier_says", words),
    };
    log_event(voided ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
              voided ? "a label that nobody wants was voided"
                     : "a label that nobody wants could not be voided",
              fields, 3);
    snprintf(label->note, sizeof label->note, "%.*s: %s: %.*s",
             (int)label->request.tracking_number.size, label->request.tracking_number.data,
             voided ? "bought for an attempt that was over, voided"
                    : "bought for an attempt that was over, NOT voided",
             (int)(words.size > 300 ? 300 : words.size), words.size == 0 ? "" : words.data);
    label->audit = (struct shipping_audit){
        .time_us = service_now_us(label->service),
        .shipment_id = label->shipment_id,
        .attempt = label->attempt,
        .what = text_of("unwanted label"),
        .note = text_of(label->note),
    };
    label->command = (struct keep_audit_command){.entries = &label->audit, .entry_count = 1};
    command_begin(label->service, &label->command.base, COMMAND_KEEP_AUDIT, &label->arena);
    command_run(label->service, &label->command.base, kept);
}

static void ask(struct unwanted_label *label);

static void ask_again(struct service_timer *timer)
{
    ask((struct unwanted_label *)(void *)((char *)timer - offsetof(struct unwanted_label, timer)));
}

static void cancelled(void *context, const struct carrier_outcome *outcome)
{
    struct unwanted_label *label = context;
    bool again = outcome->verdict == CARRIER_THROTTLED || outcome->verdict == CARRIER_UNAVAILABLE ||
                 outcome->verdict == CARRIER_UNKNOWN || outcome->verdict == CARRIER_NOT_FOUND;
    service_count(label->service, label->carrier_index, QUESTION_CANCEL, outcome->verdict);
    if (again && label->attempts < attempts_max && !label->service->closing)
        service_timer_set(label->service, &label->timer, second_us << (2 * label->attempts),
                          ask_again);
    else
        note(label, outcome->verdict == CARRIER_ANSWERED, outcome_words(&label->arena, outcome));
}

static void ask(struct unwanted_label *label)
{
    label->attempts++;
    struct error error = carrier_cancel_shipment(label->carrier, &label->request, cancelled, label);
    if (error_is(error))
        note(label, false, text_of("there was no memory to ask"));
}

void void_unwanted_label(struct shipping_service *service, const struct shipment *shipment,
                         uint32_t attempt, struct text tracking_number)
{
    struct unwanted_label *label = memory_allocate_zero(1, sizeof *label);
    bool failed = label == NULL;
    atomic_fetch_add_explicit(&service->counters.unwanted_labels, 1, memory_order_relaxed);
    if (label != NULL) {
        label->service = service;
        arena_init(&label->arena, arena_bytes_max);
        label->shipment_id = copy_text(&label->arena, shipment->shipment_id, &failed);
        label->attempt = attempt;
        label->carrier = service_carrier(service, shipment->carrier, &label->carrier_index);
        label->request = (struct carrier_cancel_request){
            .shipment_id = label->shipment_id,
            .tracking_number = copy_text(&label->arena, tracking_number, &failed),
            .country_code =
                copy_text(&label->arena, shipment->consignment.origin.country_code, &failed),
            .timeout_us = service->options.purchase_us_max,
        };
    }
    if (failed || label->carrier == NULL) {
        struct log_field fields[] = {log_text("shipment_id", shipment->shipment_id),
                                     log_text("tracking_number", tracking_number)};
        log_event(LOG_LEVEL_ERROR, "a label that nobody wants was not voided", fields, 2);
        if (label != NULL)
            arena_deinit(&label->arena);
        memory_release(label);
        return;
    }
    service_job_begin(service);
    ask(label);
}
