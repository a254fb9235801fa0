/*
 * Every record that ever came in is kept in the order of its coming; every answer is worked out by
 * looking through all. Copies live in one arena as long as the model.
 */
#include "tests/support/shipping/shipping_model.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/shipping/shipping_copy.h"
#include "tests/support/shipping/shipping_model_state.h"

static const size_t model_bytes_max = (size_t)1 << 30;

void *model_add(struct shipping_model *model, struct list *list, size_t size)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        list->items = memory_reallocate(list->items, list->capacity * sizeof *list->items);
        CHECK(list->items != NULL);
    }
    void *item = arena_allocate_zero(&model->arena, 1, size);
    CHECK(item != NULL);
    list->items[list->count++] = item;
    return item;
}

struct text model_keep(struct shipping_model *model, struct text text)
{
    return shipping_copy_text(&model->arena, text);
}

struct model_shipment *model_find(struct shipping_model *model, struct text shipment_id)
{
    for (size_t i = 0; i < model->shipments.count; i++) {
        struct model_shipment *record = model->shipments.items[i];
        if (text_equal(record->shipment.shipment_id, shipment_id))
            return record;
    }
    return NULL;
}

bool model_has_number(const struct model_shipment *record, struct text number)
{
    if (number.size == 0)
        return false;
    if (text_equal(record->shipment.tracking_number, number))
        return true;
    for (size_t i = 0; i < record->shipment.consignment.parcel_count; i++) {
        if (text_equal(record->parcels[i].tracking_number, number))
            return true;
    }
    return false;
}

struct model_shipment *model_find_number(struct shipping_model *model, struct text carrier,
                                         struct text number)
{
    for (size_t i = model->shipments.count; i > 0; i--) {
        struct model_shipment *record = model->shipments.items[i - 1];
        if (text_equal(record->shipment.carrier, carrier) && model_has_number(record, number))
            return record;
    }
    return NULL;
}

enum shipping_outcome model_show(struct shipping_command *command,
                                 const struct model_shipment *record, struct shipment *shipment,
                                 enum shipping_outcome outcome)
{
    if (record == NULL)
        return SHIPPING_SHIPMENT_NOT_FOUND;
    *shipment = shipping_copy_shipment(command->arena, &record->shipment);
    return outcome;
}

void model_note(struct shipping_model *model, const struct shipment *shipment, uint32_t attempt,
                const char *what, struct text why)
{
    struct shipping_audit *entry = model_add(model, &model->audit, sizeof *entry);
    entry->time_us = model->now_us;
    entry->shipment_id = shipment->shipment_id;
    entry->attempt = attempt;
    entry->what = text_of(what);
    entry->note = model_keep(model, why);
}

void model_emit(struct shipping_model *model, const struct shipping_event *event, struct text key,
                struct text event_id)
{
    struct shipping_model_event *sent = model_add(model, &model->events, sizeof *sent);
    sent->type = event->type;
    sent->key = key;
    sent->event_id = event_id;
    if (model->encode != NULL)
        CHECK(model->encode(event, &model->arena, &sent->data));
}

/* --- the port --- */

/* Puts the results back to nothing, as every store does at the start of a run. */
static void clear(struct shipping_command *command)
{
    command->outcome = SHIPPING_DONE;
    switch (command->kind) {
    case COMMAND_BEGIN_SHIPMENT:
        ((struct begin_shipment_command *)command)->is_new = false;
        break;
    case COMMAND_LIST_SHIPMENTS:
        ((struct list_shipments_command *)command)->shipment_count = 0;
        ((struct list_shipments_command *)command)->next = 0;
        break;
    case COMMAND_LIST_UNFINISHED:
        ((struct list_unfinished_command *)command)->shipment_count = 0;
        break;
    case COMMAND_GET_SHIPMENT_LABEL:
        ((struct get_label_command *)command)->content = (struct text){0};
        break;
    case COMMAND_LIST_AUDIT:
        ((struct list_audit_command *)command)->entry_count = 0;
        ((struct list_audit_command *)command)->next = 0;
        break;
    case COMMAND_KEEP_WEBHOOK:
        ((struct keep_webhook_command *)command)->is_new = false;
        break;
    case COMMAND_LIST_WEBHOOKS:
        ((struct list_webhooks_command *)command)->webhook_count = 0;
        break;
    case COMMAND_RECORD_SCANS:
        ((struct record_scans_command *)command)->new_count = 0;
        break;
    case COMMAND_MARK_SENT:
    case COMMAND_RECORD_PURCHASE:
    case COMMAND_RECORD_LOOKUP:
    case COMMAND_BEGIN_CANCEL:
    case COMMAND_END_CANCEL:
    case COMMAND_RESOLVE_SHIPMENT:
    case COMMAND_GET_SHIPMENT:
    case COMMAND_FIND_SHIPMENT:
    case COMMAND_KEEP_AUDIT:
    case COMMAND_LIST_UNREAD_PUSHES:
    case COMMAND_REPLAY_PUSHES:
    case COMMAND_LIST_UNWANTED_LABELS:
    case COMMAND_CHANGE_UNWANTED_LABEL:
        break;
    }
}

static enum shipping_outcome decide(struct shipping_model *model, struct shipping_command *command)
{
    switch (command->kind) {
    case COMMAND_BEGIN_SHIPMENT:
        return model_begin(model, (struct begin_shipment_command *)command);
    case COMMAND_MARK_SENT:
        return model_mark_sent(model, (struct mark_sent_command *)command);
    case COMMAND_RECORD_PURCHASE:
        return model_record_purchase(model, (struct record_purchase_command *)command);
    case COMMAND_RECORD_LOOKUP:
        return model_record_lookup(model, (struct record_lookup_command *)command);
    case COMMAND_BEGIN_CANCEL:
        return model_begin_cancel(model, (struct cancel_shipment_command *)command);
    case COMMAND_END_CANCEL:
        return model_end_cancel(model, (struct cancel_shipment_command *)command);
    case COMMAND_RESOLVE_SHIPMENT:
        return model_resolve(model, (struct resolve_shipment_command *)command);
    case COMMAND_GET_SHIPMENT: {
        struct get_shipment_command *get = (struct get_shipment_command *)command;
        return model_show(command, model_find(model, get->shipment_id), &get->shipment,
                          SHIPPING_DONE);
    }
    case COMMAND_FIND_SHIPMENT: {
        struct find_shipment_command *search = (struct find_shipment_command *)command;
        return model_show(command,
                          model_find_number(model, search->carrier, search->tracking_number),
                          &search->shipment, SHIPPING_DONE);
    }
    case COMMAND_LIST_SHIPMENTS:
        return model_list_shipments(model, (struct list_shipments_command *)command);
    case COMMAND_LIST_UNFINISHED:
        return model_list_unfinished(model, (struct list_unfinished_command *)command);
    case COMMAND_GET_SHIPMENT_LABEL:
        return model_get_label(model, (struct get_label_command *)command);
    case COMMAND_KEEP_AUDIT:
        return model_keep_audit(model, (struct keep_audit_command *)command);
    case COMMAND_LIST_AUDIT:
        return model_list_audit(model, (struct list_audit_command *)command);
    case COMMAND_KEEP_WEBHOOK:
        return model_keep_webhook(model, (struct keep_webhook_command *)command);
    case COMMAND_LIST_WEBHOOKS:
        return model_list_webhooks(model, (struct list_webhooks_command *)command);
    case COMMAND_RECORD_SCANS:
        return model_record_scans(model, (struct record_scans_command *)command);
    case COMMAND_LIST_UNREAD_PUSHES:
        return model_list_unread(model, (struct list_unread_pushes_command *)command);
    case COMMAND_REPLAY_PUSHES:
        return model_replay_pushes(model, (struct replay_pushes_command *)command);
    case COMMAND_LIST_UNWANTED_LABELS:
        return model_list_unwanted(model, (struct list_unwanted_labels_command *)command);
    case COMMAND_CHANGE_UNWANTED_LABEL:
        return model_change_unwanted(model, (struct change_unwanted_label_command *)command);
    }
    CHECK(false);
    return SHIPPING_DONE;
}

static struct shipping_command *command_of(struct task *task)
{
    return (struct shipping_command *)(void *)((char *)task -
                                               offsetof(struct shipping_command, task));
}

static void answer(struct task *task)
{
    struct shipping_command *command = command_of(task);
    command->done(command, NULL);
}

static void answer_unavailable(struct task *task)
{
    struct shipping_command *command = command_of(task);
    struct error error = error_make(ERROR_STORE_UNAVAILABLE, "the model was told to fail");
    command->done(command, &error);
}

static void answer_overloaded(struct task *task)
{
    struct shipping_command *command = command_of(task);
    struct error error = error_make(ERROR_OVERLOADED, "the model was told to fail");
    command->done(command, &error);
}

static void execute(struct shipping_repository *base, struct shipping_command *command)
{
    struct shipping_model *model = (struct shipping_model *)base;
    bool fails = model->failing_code != ERROR_NONE && model->failing_kind == command->kind;
    int64_t now_us = clock_now_us(model->clock);
    if (now_us > model->now_us)
        model->now_us = now_us;
    if (!fails || model->failing_is_done) {
        clear(command);
        command->outcome = decide(model, command);
    }
    command->task.run = !fails                                    ? answer
                        : model->failing_code == ERROR_OVERLOADED ? answer_overloaded
                                                                  : answer_unavailable;
    if (fails)
        model->failing_code = ERROR_NONE;
    executor_post(command->executor, &command->task);
}

struct shipping_model *shipping_model_create(struct clock *clock, shipping_event_encode *encode)
{
    static const struct shipping_repository_table table = {.execute = execute};
    struct shipping_model *model = memory_allocate_zero(1, sizeof *model);
    CHECK(model != NULL);
    model->base.table = &table;
    model->clock = clock;
    model->encode = encode;
    arena_init(&model->arena, model_bytes_max);
    return model;
}

void shipping_model_destroy(struct shipping_model *model)
{
    if (model == NULL)
        return;
    memory_release(model->shipments.items);
    memory_release(model->webhooks.items);
    memory_release(model->scans.items);
    memory_release(model->audit.items);
    memory_release(model->events.items);
    memory_release(model->unwanted.items);
    arena_deinit(&model->arena);
    memory_release(model);
}

struct shipping_repository *shipping_model_port(struct shipping_model *model)
{
    return &model->base;
}

void shipping_model_fail_next(struct shipping_model *model, enum shipping_command_kind kind,
                              enum error_code code, bool is_done)
{
    CHECK(code == ERROR_STORE_UNAVAILABLE || code == ERROR_OVERLOADED);
    CHECK(!(code == ERROR_OVERLOADED && is_done)); /* it says that nothing was done */
    model->failing_kind = kind;
    model->failing_code = code;
    model->failing_is_done = is_done;
}

size_t shipping_model_event_count(const struct shipping_model *model)
{
    return model->events.count;
}

const struct shipping_model_event *shipping_model_event(const struct shipping_model *model,
                                                        size_t index)
{
    CHECK(index < model->events.count);
    return model->events.items[index];
}
