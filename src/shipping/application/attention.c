/*
 * What waits for a person: pushes that could not be read, labels that nobody wants. Each call is
 * one command of the store; what a person wants done again is begun when the store has it.
 */
#include "shipping/application/background.h"

#include <stddef.h>

/* On the call's arena. */
struct attention {
    struct shipping_call *call;
    union {
        struct shipping_command base;
        struct list_unread_pushes_command unread;
        struct replay_pushes_command replay;
        struct list_unwanted_labels_command unwanted;
        struct change_unwanted_label_command change;
    } command;
};

static struct attention *attention_of(struct shipping_command *command)
{
    return (struct attention *)(void *)((char *)command - offsetof(struct attention, command));
}

/* NULL without memory: the call has failed. */
static struct attention *begin(struct shipping_call *call)
{
    struct attention *attention = arena_allocate_zero(call->arena, 1, sizeof *attention);
    if (attention == NULL)
        call_fail_without_memory(call);
    else
        attention->call = call;
    return attention;
}

static void run(struct attention *attention, enum shipping_command_kind kind, shipping_done *done)
{
    struct shipping_call *call = attention->call;
    command_begin(call->service, &attention->command.base, kind, call->arena);
    attention->command.base.deadline_us = call->deadline_us;
    command_run(call->service, &attention->command.base, done);
}

/* --- pushes --- */

static void unread_listed(struct shipping_command *command, const struct error *error)
{
    struct attention *attention = attention_of(command);
    struct list_unread_pushes_call *call = (struct list_unread_pushes_call *)attention->call;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    call->pushes = attention->command.unread.pushes;
    call->push_count = attention->command.unread.push_count;
    call->next = attention->command.unread.next;
    call_finish(&call->base);
}

void run_list_unread_pushes(struct shipping_call *base)
{
    const struct list_unread_pushes_call *call = (const struct list_unread_pushes_call *)base;
    struct attention *attention = begin(base);
    if (attention == NULL)
        return;
    attention->command.unread = (struct list_unread_pushes_command){
        .carrier = call->carrier, .page_size = call->page_size, .after = call->after};
    run(attention, COMMAND_LIST_UNREAD_PUSHES, unread_listed);
}

static void replayed(struct shipping_command *command, const struct error *error)
{
    struct attention *attention = attention_of(command);
    struct replay_unread_pushes_call *call = (struct replay_unread_pushes_call *)attention->call;
    struct shipping_service *service = call->base.service;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    call->push_count = attention->command.replay.count;
    call->has_more = attention->command.replay.has_more;
    push_reader_wake(service);
    call_finish(&call->base);
}

void run_replay_unread_pushes(struct shipping_call *base)
{
    struct attention *attention = begin(base);
    if (attention == NULL)
        return;
    attention->command.replay = (struct replay_pushes_command){
        .carrier = ((const struct replay_unread_pushes_call *)base)->carrier,
        .count_max = shipping_replayed_max};
    run(attention, COMMAND_REPLAY_PUSHES, replayed);
}

/* --- labels --- */

static void unwanted_listed(struct shipping_command *command, const struct error *error)
{
    struct attention *attention = attention_of(command);
    struct list_unwanted_labels_call *call = (struct list_unwanted_labels_call *)attention->call;
    if (error != NULL) {
        call_fail(&call->base, error);
        return;
    }
    call->labels = attention->command.unwanted.labels;
    call->label_count = attention->command.unwanted.label_count;
    call->next = attention->command.unwanted.next;
    call_finish(&call->base);
}

void run_list_unwanted_labels(struct shipping_call *base)
{
    const struct list_unwanted_labels_call *call = (const struct list_unwanted_labels_call *)base;
    struct attention *attention = begin(base);
    if (attention == NULL)
        return;
    attention->command.unwanted = (struct list_unwanted_labels_command){
        .state = call->state, .page_size = call->page_size, .after = call->after};
    run(attention, COMMAND_LIST_UNWANTED_LABELS, unwanted_listed);
}

static void changed(struct shipping_command *command, const struct error *error)
{
    struct attention *attention = attention_of(command);
    struct resolve_unwanted_label_call *call =
        (struct resolve_unwanted_label_call *)attention->call;
    struct shipping_service *service = call->base.service;
    if (error != NULL) {
        call_fail(&call->base, error);
    } else if (command->outcome == SHIPPING_LABEL_NOT_FOUND) {
        call_refuse(&call->base, REFUSAL_UNWANTED_LABEL_NOT_FOUND,
                    "no label that nobody wants has this label_id; ListUnwantedLabels tells them");
    } else if (command->outcome != SHIPPING_DONE) {
        call_refuse(&call->base, REFUSAL_UNWANTED_LABEL_VOIDED, "the label has been voided");
    } else {
        call->label = attention->command.change.label;
        if (call->change == UNWANTED_LABEL_CHANGE_TRY_AGAIN)
            unwanted_labels_wake(service);
        call_finish(&call->base);
    }
}

void run_resolve_unwanted_label(struct shipping_call *base)
{
    const struct resolve_unwanted_label_call *call =
        (const struct resolve_unwanted_label_call *)base;
    struct attention *attention = begin(base);
    if (attention == NULL)
        return;
    attention->command.change = (struct change_unwanted_label_command){
        .label_id = (uint64_t)call->label_id,
        .change = call->change,
        .note = call->note,
    };
    run(attention, COMMAND_CHANGE_UNWANTED_LABEL, changed);
}
