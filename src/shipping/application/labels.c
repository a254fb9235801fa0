/*
 * GetLabel: the carrier's own, as the store has it. Labels of `tariff` are never stored: they are
 * drawn when wanted, on the drawing thread, from the record alone.
 */
#include "shipping/application/service_state.h"

#include <stddef.h>
#include <string.h>

enum { format_count = SHIPPING_LABEL_PNG + 1 };

/* On the call's arena. */
struct label_work {
    struct get_label_call *call;
    struct task task;
    union {
        struct shipping_command base;
        struct get_shipment_command get;
        struct get_label_command label;
    } command;
    enum shipping_label_format order[format_count]; /* the wanted ones first */
    size_t wanted;
    size_t at;
    struct shipment shipment;

    struct label_request request; /* of a drawing */
    struct text numbers[shipping_parcels_max];
    struct buffer drawn;
    struct error error;
};

static const char *format_name(enum shipping_label_format format)
{
    static const char *const names[] = {"PDF", "ZPL", "PNG"};
    return names[format];
}

static struct label_work *work_of(struct shipping_command *command)
{
    return (struct label_work *)(void *)((char *)command - offsetof(struct label_work, command));
}

static struct label_work *work_of_task(struct task *task)
{
    return (struct label_work *)(void *)((char *)task - offsetof(struct label_work, task));
}

static void run(struct label_work *work, enum shipping_command_kind kind, shipping_done *done)
{
    struct shipping_call *call = &work->call->base;
    command_begin(call->service, &work->command.base, kind, call->arena);
    work->command.base.deadline_us = call->deadline_us;
    command_run(call->service, &work->command.base, done);
}

/* Puts `first` in front. */
static void order_formats(struct label_work *work, enum shipping_label_format first)
{
    size_t count = 0;
    work->order[count++] = first;
    for (int format = SHIPPING_LABEL_PDF; format <= SHIPPING_LABEL_PNG; format++) {
        if (format != (int)first)
            work->order[count++] = (enum shipping_label_format)format;
    }
}

/* --- drawing --- */

static void drawn(struct task *task)
{
    struct label_work *work = work_of_task(task);
    struct get_label_call *call = work->call;
    if (!error_is(work->error)) {
        call->content = arena_copy_text(call->base.arena, buffer_text(&work->drawn));
        call->format = work->request.format;
        if (call->content.data == NULL)
            work->error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this label");
    }
    buffer_deinit(&work->drawn);
    if (error_is(work->error))
        call_fail(&call->base, &work->error);
    else
        call_finish(&call->base);
}

static void draw(struct task *task)
{
    struct label_work *work = work_of_task(task);
    struct shipping_service *service = work->call->base.service;
    work->error = label_draw(service->options.drawer, &work->request, &work->drawn);
    work->task.run = drawn;
    executor_post(service->options.executor, &work->task);
}

/* A number a parcel; or one for all of it, where the parcels have none of their own. */
static size_t take_numbers(struct label_work *work)
{
    const struct shipment *shipment = &work->shipment;
    size_t count = shipment->consignment.parcel_count;
    bool differ = count == 1;
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        work->numbers[i] = shipment->parcels[i].tracking_number;
        all = all && work->numbers[i].size > 0;
        differ = differ || (i > 0 && !text_equal(work->numbers[i], work->numbers[0]));
    }
    if (differ && all)
        return count;
    work->numbers[0] = shipment->tracking_number;
    return 1;
}

static void begin_drawing(struct label_work *work)
{
    const struct shipment *shipment = &work->shipment;
    struct shipping_service *service = work->call->base.service;
    size_t numbers = take_numbers(work);
    work->request = (struct label_request){
        .format = work->order[0],
        .carrier = shipment->carrier,
        .service_name = shipment->service_code,
        .shipment_id = shipment->shipment_id,
        .reference = shipment->reference,
        .origin = &shipment->consignment.origin,
        .destination = &shipment->consignment.destination,
        .direction = shipment->consignment.direction,
        .parcels = shipment->consignment.parcels,
        .parcel_count = shipment->consignment.parcel_count,
        .tracking_numbers = work->numbers,
        .tracking_number_count = numbers,
        .only = numbers == 1 ? 1 : (size_t)(work->call->parcel == 0 ? 1 : work->call->parcel),
    };
    memcpy(work->request.ship_date, shipment->consignment.ship_date,
           sizeof work->request.ship_date);
    buffer_init(&work->drawn, label_content_bytes_max);
    work->task.run = draw;
    executor_post(service->options.drawing, &work->task);
}

/* --- the store's --- */

static void ask(struct label_work *work);

/* True: the record may have labels; else the call has been answered. */
static bool may_have_labels(struct label_work *work)
{
    struct shipping_call *call = &work->call->base;
    const struct shipment *shipment = &work->shipment;
    if (shipment->state == SHIPMENT_CANCELLED)
        call_refuse(call, REFUSAL_SHIPMENT_CANCELLED, "the shipment was cancelled");
    else if (shipment->state == SHIPMENT_FAILED)
        call_refuse(call, REFUSAL_SHIPMENT_FAILED, "the carrier refused it: there is no label");
    else if (shipment->state != SHIPMENT_CREATED)
        call_refuse(call, REFUSAL_SHIPMENT_NOT_CREATED, "the shipment is %s",
                    shipment_state_name(shipment->state));
    else if ((uint64_t)work->call->parcel > shipment->consignment.parcel_count)
        call_refuse(call, REFUSAL_LABEL_NOT_FOUND, "the shipment has %zu parcels",
                    shipment->consignment.parcel_count);
    else
        return true;
    return false;
}

static void not_found(struct label_work *work)
{
    struct shipping_call *call = &work->call->base;
    if (text_equals_string(work->shipment.carrier, "tariff") &&
        call->service->options.drawer != NULL) {
        begin_drawing(work);
    } else if (++work->at < format_count) {
        ask(work);
    } else {
        call_refuse(call, REFUSAL_LABEL_NOT_FOUND,
                    "the number is all that is known of it: the carrier's portal has the label");
    }
}

static void asked(struct shipping_command *command, const struct error *error)
{
    struct label_work *work = work_of(command);
    struct get_label_call *call = work->call;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    if (command->outcome == SHIPPING_SHIPMENT_NOT_FOUND) {
        call_refuse(&call->base, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
        return;
    }
    work->shipment = work->command.label.shipment;
    if (!may_have_labels(work))
        return;
    if (command->outcome == SHIPPING_LABEL_NOT_FOUND) {
        not_found(work);
        return;
    }
    if (work->at >= work->wanted) {
        call_refuse(&call->base, REFUSAL_LABEL_FORMAT_UNAVAILABLE,
                    "the carrier gave the label as %s", format_name(work->order[work->at]));
        return;
    }
    call->content = work->command.label.content;
    call->format = work->order[work->at];
    call_finish(&call->base);
}

static void ask(struct label_work *work)
{
    work->command.label = (struct get_label_command){
        .shipment_id = work->call->shipment_id,
        .parcel = work->call->parcel == 0 ? 0 : (size_t)work->call->parcel - 1,
        .format = work->order[work->at],
    };
    run(work, COMMAND_GET_SHIPMENT_LABEL, asked);
}

static void got(struct shipping_command *command, const struct error *error)
{
    struct label_work *work = work_of(command);
    if (error != NULL) {
        call_fail(&work->call->base, error);
    } else if (command->outcome != SHIPPING_DONE) {
        call_refuse(&work->call->base, REFUSAL_SHIPMENT_NOT_FOUND, "no shipment has this id");
    } else {
        order_formats(work, work->command.get.shipment.label_format);
        ask(work);
    }
}

void run_get_label(struct shipping_call *base)
{
    struct label_work *work = arena_allocate_zero(base->arena, 1, sizeof *work);
    if (work == NULL) {
        call_fail_without_memory(base);
        return;
    }
    work->call = (struct get_label_call *)base;
    work->error = error_none();
    work->wanted = work->call->any_format ? format_count : 1;
    if (!work->call->any_format) {
        order_formats(work, work->call->format);
        ask(work);
        return;
    }
    work->command.get = (struct get_shipment_command){.shipment_id = work->call->shipment_id};
    run(work, COMMAND_GET_SHIPMENT, got);
}
