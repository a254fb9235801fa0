/*
 * A carrier's push on its way in: authenticated on the caller's thread (an alien's bytes cost
 * nobody else anything), kept by the store from the service's, and the reader is woken.
 */
#include "shipping/application/background.h"

#include <stddef.h>

enum { judging_bytes_max = 64 * 1024 * 1024 };

static struct shipping_push *push_of_task(struct task *task)
{
    return (struct shipping_push *)(void *)((char *)task - offsetof(struct shipping_push, task));
}

static void tell_caller(struct task *task)
{
    struct shipping_push *push = push_of_task(task);
    push->done(push);
}

/* Not to be called twice. */
static void answer(struct shipping_push *push, enum shipping_push_verdict verdict)
{
    push->verdict = verdict;
    atomic_fetch_add_explicit(&push->service->counters.pushes[verdict], 1, memory_order_relaxed);
    push->task.run = tell_caller;
    executor_post(push->executor, &push->task);
}

static void kept(struct shipping_command *command, const struct error *error)
{
    struct shipping_push *push =
        (struct shipping_push *)(void *)((char *)command - offsetof(struct shipping_push, command));
    struct shipping_service *service = push->service;
    bool is_new = error == NULL && push->command.is_new;
    answer(push, error == NULL ? SHIPPING_PUSH_KEPT : SHIPPING_PUSH_UNAVAILABLE);
    if (is_new)
        push_reader_wake(service);
    service_job_end(service);
}

static void keep(struct task *task)
{
    struct shipping_push *push = push_of_task(task);
    struct shipping_service *service = push->service;
    if (service->closing) {
        answer(push, SHIPPING_PUSH_UNAVAILABLE);
        return;
    }
    service_job_begin(service);
    push->command = (struct keep_webhook_command){
        .carrier = push->carrier,
        .body = push->webhook.body,
    };
    command_begin(service, &push->command.base, COMMAND_KEEP_WEBHOOK, push->arena);
    command_run(service, &push->command.base, kept);
}

void shipping_service_keep_push(struct shipping_service *service, struct shipping_push *push)
{
    struct carrier_webhook_result result = {.verdict = CARRIER_WEBHOOK_REFUSED};
    struct arena arena;
    size_t index;
    struct carrier *carrier = service_carrier(service, push->carrier, &index);
    struct error error = error_none();
    push->service = service;
    arena_init(&arena, judging_bytes_max);
    if (carrier != NULL)
        error = carrier_read_webhook(carrier, &push->webhook, &arena, &result);
    arena_deinit(&arena);
    if (error_is(error)) {
        answer(push, SHIPPING_PUSH_UNAVAILABLE);
    } else if (result.verdict == CARRIER_WEBHOOK_REFUSED) {
        answer(push, SHIPPING_PUSH_REFUSED);
    } else {
        push->task.run = keep;
        executor_post(service->options.executor, &push->task);
    }
}
