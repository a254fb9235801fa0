/*
 * One loop thread. A tick four times a second, and each wake-up of the feed, looks at every hook
 * that has nothing under way and whose time has come (webhook_delivery.c). What hooks there are is
 * read again after each change (webhook_list.c).
 */
#include "platform/base/memory.h"
#include "tracking/interfaces/webhooks/webhook_state.h"

enum { read_bytes_max = 8 * 1024 * 1024, tick_ms = 250 };

static void run_pump(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task - offsetof(struct tracking_webhooks, pump_task));
    webhooks->pump_posted = false;
    if (!webhooks->stopping)
        webhook_pump(webhooks);
}

void webhook_pump_later(struct tracking_webhooks *webhooks)
{
    if (!atomic_exchange(&webhooks->pump_posted, true))
        executor_post(&webhooks->loop.base, &webhooks->pump_task);
}

static void wake(void *context)
{
    webhook_pump_later(context);
}

/* Nothing is on its way to the loop any more: it may be stopped. */
static void is_drained(uv_handle_t *timer)
{
    struct tracking_webhooks *webhooks = timer->data;
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->drained = true;
    pthread_cond_signal(&webhooks->changed);
    pthread_mutex_unlock(&webhooks->mutex);
}

static void tick(uv_timer_t *timer)
{
    struct tracking_webhooks *webhooks = timer->data;
    bool is_due = webhooks->reload_due_us != 0 &&
                  webhooks->reload_due_us <= clock_monotonic_us(clock_system());
    if (!webhooks->stopping && is_due && !atomic_exchange(&webhooks->reload_posted, true))
        executor_post(&webhooks->loop.base, &webhooks->reload_task);
    if (!webhooks->stopping)
        webhook_pump(webhooks);
    else if (webhooks->outstanding == 0 && webhooks->client_closed &&
             !uv_is_closing((uv_handle_t *)timer))
        uv_close((uv_handle_t *)timer, is_drained);
}

static void client_closed(void *context)
{
    ((struct tracking_webhooks *)context)->client_closed = true;
}

static void run_stop(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task - offsetof(struct tracking_webhooks, stop_task));
    webhooks->stopping = true;
    http_client_close(webhooks->client, client_closed, webhooks);
}

struct error tracking_webhooks_open(struct tracking_webhooks **webhooks,
                                    const struct tracking_webhooks_options *options)
{
    struct http_client_options client_options = http_client_options_default();
    struct tracking_webhooks *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: subscriptions");
    made->options = *options;
    made->reload_task.run = webhook_run_reload;
    made->pump_task.run = run_pump;
    made->stop_task.run = run_stop;
    client_options.certificate_authorities = options->certificate_authorities;
    if (client_options.connections_max < options->subscriptions_max)
        client_options.connections_max = options->subscriptions_max;
    client_options.connections_per_host_max = client_options.connections_max;
    arena_init(&made->arena, read_bytes_max);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    struct error error = io_loop_init(&made->loop);
    if (!error_is(error))
        error = http_client_create(&made->client, &made->loop.loop, &client_options);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    uv_timer_init(&made->loop.loop, &made->timer);
    made->timer.data = made;
    uv_timer_start(&made->timer, tick, tick_ms, tick_ms);
    error = io_loop_start(&made->loop);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    made->watcher = (struct event_feed_watcher){.wake = wake, .context = made};
    event_feed_watch(options->feed, &made->watcher);
    tracking_webhooks_changed(made);
    *webhooks = made;
    return error;
}

void tracking_webhooks_changed(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    if (!webhooks->stopped && !atomic_exchange(&webhooks->reload_posted, true))
        executor_post(&webhooks->loop.base, &webhooks->reload_task);
    pthread_mutex_unlock(&webhooks->mutex);
}

void tracking_webhooks_stop(struct tracking_webhooks *webhooks)
{
    if (webhooks == NULL || webhooks->stopped)
        return;
    pthread_mutex_lock(&webhooks->mutex);
    webhooks->stopped = true;
    pthread_mutex_unlock(&webhooks->mutex);
    event_feed_unwatch(webhooks->options.feed, &webhooks->watcher);
    executor_post(&webhooks->loop.base, &webhooks->stop_task);
    pthread_mutex_lock(&webhooks->mutex);
    while (!webhooks->drained) /* the store's answers need the loop until the last has come */
        pthread_cond_wait(&webhooks->changed, &webhooks->mutex);
    pthread_mutex_unlock(&webhooks->mutex);
    io_loop_stop(&webhooks->loop);
}

void tracking_webhooks_close(struct tracking_webhooks *webhooks)
{
    if (webhooks == NULL)
        return;
    tracking_webhooks_stop(webhooks);
    io_loop_deinit(&webhooks->loop);
    while (webhooks->hooks != NULL) {
        struct hook *hook = webhooks->hooks;
        webhooks->hooks = hook->next;
        webhook_destroy(hook);
    }
    arena_deinit(&webhooks->arena);
    pthread_mutex_destroy(&webhooks->mutex);
    pthread_cond_destroy(&webhooks->changed);
    memory_release(webhooks);
}

uint64_t tracking_webhooks_dead_letters(struct tracking_webhooks *webhooks,
                                        struct text subscription_id)
{
    pthread_mutex_lock(&webhooks->mutex);
    const struct hook *hook = webhook_find(webhooks, subscription_id);
    uint64_t dead_letters = hook == NULL ? 0 : hook->dead_letters;
    pthread_mutex_unlock(&webhooks->mutex);
    return dead_letters;
}

struct tracking_webhooks_usage tracking_webhooks_usage(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    struct tracking_webhooks_usage usage = webhooks->usage;
    for (const struct hook *hook = webhooks->hooks; hook != NULL; hook = hook->next)
        usage.dead_letters += hook->dead_letters;
    pthread_mutex_unlock(&webhooks->mutex);
    return usage;
}
