/* The model's lists of what waits for a person: pushes not understood, labels nobody wants. */
#include "tests/support/shipping/shipping_model_state.h"

#include "platform/base/check.h"

/* --- pushes of unknown shape --- */

static bool is_unread_of(const struct model_webhook *push, struct text carrier)
{
    return push->is_unread && (carrier.size == 0 || text_equal(push->webhook.carrier, carrier));
}

enum shipping_outcome model_list_unread(struct shipping_model *model,
                                        struct list_unread_pushes_command *command)
{
    uint64_t after = command->after;
    command->push_count = 0;
    command->next = 0;
    command->pushes =
        arena_allocate_zero(command->base.arena, command->page_size + 1, sizeof *command->pushes);
    CHECK(command->pushes != NULL);
    for (size_t i = command->after; i < model->webhooks.count; i++) {
        const struct model_webhook *push = model->webhooks.items[i];
        if (!is_unread_of(push, command->carrier))
            continue;
        if (command->push_count == command->page_size) {
            command->next = after;
            return SHIPPING_DONE;
        }
        command->pushes[command->push_count].push = push->webhook;
        command->pushes[command->push_count++].why = push->why;
        after = push->webhook.webhook_id;
    }
    return SHIPPING_DONE;
}

enum shipping_outcome model_replay_pushes(struct shipping_model *model,
                                          struct replay_pushes_command *command)
{
    command->count = 0;
    command->has_more = false;
    for (size_t i = 0; i < model->webhooks.count; i++) {
        struct model_webhook *push = model->webhooks.items[i];
        if (!is_unread_of(push, command->carrier))
            continue;
        if (command->count == command->count_max) {
            command->has_more = true;
            return SHIPPING_DONE;
        }
        push->is_unread = false;
        push->processed = false;
        command->count++;
    }
    return SHIPPING_DONE;
}

/* --- labels nobody wants --- */

static bool is_known(const struct shipping_model *model, const struct shipment *shipment,
                     uint32_t attempt, struct text number)
{
    for (size_t i = 0; i < model->unwanted.count; i++) {
        const struct unwanted_label *label = model->unwanted.items[i];
        if (text_equal(label->shipment_id, shipment->shipment_id) && label->attempt == attempt &&
            text_equal(label->tracking_number, number))
            return true;
    }
    return false;
}

static void note(struct shipping_model *model, const struct unwanted_label *label, const char *why)
{
    const struct shipment shipment = {.shipment_id = label->shipment_id};
    const char *words = arena_format(&model->arena, "%.*s: %s", (int)label->tracking_number.size,
                                     label->tracking_number.data, why);
    CHECK(words != NULL);
    model_note(model, &shipment, label->attempt, "unwanted label", text_of(words));
}

void model_add_unwanted(struct shipping_model *model, const struct shipment *shipment,
                        uint32_t attempt, struct text number)
{
    if (is_known(model, shipment, attempt, number))
        return;
    struct unwanted_label *label = model_add(model, &model->unwanted, sizeof *label);
    *label = (struct unwanted_label){
        .label_id = model->unwanted.count,
        .carrier = shipment->carrier,
        .tracking_number = model_keep(model, number),
        .shipment_id = shipment->shipment_id,
        .attempt = attempt,
        .country_code = shipment->consignment.origin.country_code,
        .state = UNWANTED_LABEL_TO_VOID,
        .create_time_us = model->now_us,
        .next_time_us = model->now_us,
    };
    note(model, label, "TO_VOID: bought for an attempt that was over");
}

/* By time; of the same time in the order they came. */
static void sort_by_next_time(struct unwanted_label *labels, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct unwanted_label label = labels[i];
        size_t at = i;
        for (; at > 0 && labels[at - 1].next_time_us > label.next_time_us; at--)
            labels[at] = labels[at - 1];
        labels[at] = label;
    }
}

enum shipping_outcome model_list_unwanted(struct shipping_model *model,
                                          struct list_unwanted_labels_command *command)
{
    size_t count = 0;
    size_t after = command->after;
    command->label_count = 0;
    command->next = 0;
    command->labels = arena_allocate_zero(command->base.arena, model->unwanted.count + 1,
                                          sizeof *command->labels);
    CHECK(command->labels != NULL);
    for (size_t i = after; i < model->unwanted.count; i++) {
        const struct unwanted_label *label = model->unwanted.items[i];
        bool is_asked_for = command->due_by_us > 0
                                ? label->state == UNWANTED_LABEL_TO_VOID &&
                                      label->next_time_us <= command->due_by_us
                                : command->state == 0 || label->state == command->state;
        if (!is_asked_for)
            continue;
        if (count < command->page_size)
            after = i + 1;
        command->labels[count++] = *label;
    }
    if (command->due_by_us > 0)
        sort_by_next_time(command->labels, count);
    command->label_count = count < command->page_size ? count : command->page_size;
    if (count > command->page_size)
        command->next = after;
    return SHIPPING_DONE;
}

static bool may_change(const struct unwanted_label *label, enum unwanted_label_change change)
{
    bool by_a_person =
        change == UNWANTED_LABEL_CHANGE_VOIDED || change == UNWANTED_LABEL_CHANGE_TRY_AGAIN;
    return label->state == UNWANTED_LABEL_TO_VOID ||
           (label->state == UNWANTED_LABEL_NEEDS_ATTENTION && by_a_person);
}

enum shipping_outcome model_change_unwanted(struct shipping_model *model,
                                            struct change_unwanted_label_command *command)
{
    if (command->label_id < 1 || command->label_id > model->unwanted.count)
        return SHIPPING_LABEL_NOT_FOUND;
    struct unwanted_label *label = model->unwanted.items[command->label_id - 1];
    if (!may_change(label, command->change)) {
        command->label = *label;
        return label->state == UNWANTED_LABEL_VOIDED &&
                       command->change == UNWANTED_LABEL_CHANGE_VOIDED
                   ? SHIPPING_DONE
                   : SHIPPING_STATE_DIFFERS;
    }
    const char *name = NULL;
    label->next_time_us = 0;
    switch (command->change) {
    case UNWANTED_LABEL_CHANGE_IN_VAIN:
        label->asks++;
        label->next_time_us = command->next_time_us;
        break;
    case UNWANTED_LABEL_CHANGE_VOIDED:
        label->state = UNWANTED_LABEL_VOIDED;
        name = "VOIDED";
        break;
    case UNWANTED_LABEL_CHANGE_GIVEN_UP:
        label->state = UNWANTED_LABEL_NEEDS_ATTENTION;
        name = "NEEDS_ATTENTION";
        break;
    case UNWANTED_LABEL_CHANGE_TRY_AGAIN:
        label->state = UNWANTED_LABEL_TO_VOID;
        label->next_time_us = model->now_us;
        name = "TO_VOID";
        break;
    }
    label->note = model_keep(model, command->note);
    if (name != NULL)
        note(model, label,
             arena_format(&model->arena, "%s%s%.*s", name, label->note.size > 0 ? ": " : "",
                          (int)label->note.size, label->note.size > 0 ? label->note.data : ""));
    command->label = *label;
    return SHIPPING_DONE;
}

void model_count_open(const struct shipping_model *model, struct shipping_open_counts *counts)
{
    *counts = (struct shipping_open_counts){0};
    for (size_t i = 0; i < model->shipments.count; i++) {
        const struct shipment *one =
            &((const struct model_shipment *)model->shipments.items[i])->shipment;
        counts->shipments_need_attention += one->state == SHIPMENT_NEEDS_ATTENTION;
        counts->shipments_cancelling +=
            one->state == SHIPMENT_CREATED && one->cancel_wanted && one->lookup_time_us > 0;
    }
    for (size_t i = 0; i < model->unwanted.count; i++) {
        const struct unwanted_label *label = model->unwanted.items[i];
        counts->labels_to_void += label->state == UNWANTED_LABEL_TO_VOID;
        counts->labels_need_attention += label->state == UNWANTED_LABEL_NEEDS_ATTENTION;
    }
    for (size_t i = 0; i < model->webhooks.count; i++)
        counts->unread_pushes +=
            ((const struct model_webhook *)model->webhooks.items[i])->is_unread;
}
