/*
 * One loop thread and a tick: it begins a round when it is time, and asks what is due. The rest is
 * done by completions.
 */
#include "platform/base/memory.h"
#include "tracking/interfaces/polling/poll_state.h"

enum { tick_ms = 100 };

int64_t poll_now_us(void)
{
    return clock_monotonic_us(clock_system());
}

void poll_count(struct tracking_polls *polls, uint64_t *counter, uint64_t more)
{
    pthread_mutex_lock(&polls->mutex);
    *counter += more;
    pthread_mutex_unlock(&polls->mutex);
}

/* Nothing is on its way to the loop any more: it may be stopped. */
static void is_drained(uv_handle_t *timer)
{
    struct tracking_polls *polls = timer->data;
    pthread_mutex_lock(&polls->mutex);
    polls->drained = true;
    pthread_cond_signal(&polls->changed);
    pthread_mutex_unlock(&polls->mutex);
}

static void tick(uv_timer_t *timer)
{
    struct tracking_polls *polls = timer->data;
    if (polls->stopping) {
        if (polls->outstanding == 0 && polls->client_closed && !uv_is_closing((uv_handle_t *)timer))
            uv_close((uv_handle_t *)timer, is_drained);
        return;
    }
    if (polls->phase == POLL_ASKING)
        poll_ask_due(polls);
    if (polls->phase == POLL_LOADING && polls->outstanding == 0 && polls->next_us <= poll_now_us())
        poll_load(polls);
    if (polls->phase == POLL_WAITING && polls->next_us <= poll_now_us())
        poll_begin_round(polls);
}

static void client_closed(void *context)
{
    ((struct tracking_polls *)context)->client_closed = true;
}

static void run_stop(struct task *task)
{
    struct tracking_polls *polls =
        (struct tracking_polls *)((char *)task - offsetof(struct tracking_polls, stop_task));
    polls->stopping = true;
    rpc_client_close(polls->client, client_closed, polls);
}

struct error tracking_polls_open(struct tracking_polls **polls,
                                 const struct tracking_polls_options *options)
{
    struct tracking_polls *made = memory_allocate_zero(1, sizeof *made);
    *polls = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking: questions to carriers");
    made->options = *options;
    made->stop_task.run = run_stop;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    struct error error = io_loop_init(&made->loop);
    if (!error_is(error))
        error = rpc_client_create(&made->client, &made->loop.loop, &options->shipping);
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
    *polls = made;
    return error;
}

void tracking_polls_stop(struct tracking_polls *polls)
{
    if (polls == NULL || polls->stopped)
        return;
    polls->stopped = true;
    executor_post(&polls->loop.base, &polls->stop_task);
    pthread_mutex_lock(&polls->mutex);
    while (!polls->drained) /* the store's answers need the loop until the last has come */
        pthread_cond_wait(&polls->changed, &polls->mutex);
    pthread_mutex_unlock(&polls->mutex);
    io_loop_stop(&polls->loop);
}

void tracking_polls_close(struct tracking_polls *polls)
{
    if (polls == NULL)
        return;
    tracking_polls_stop(polls);
    io_loop_deinit(&polls->loop);
    while (polls->polls != NULL) {
        struct poll *next = polls->polls->next;
        memory_release(polls->polls);
        polls->polls = next;
    }
    pthread_mutex_destroy(&polls->mutex);
    pthread_cond_destroy(&polls->changed);
    memory_release(polls);
}

struct tracking_polls_usage tracking_polls_usage(struct tracking_polls *polls)
{
    pthread_mutex_lock(&polls->mutex);
    struct tracking_polls_usage usage = polls->usage;
    pthread_mutex_unlock(&polls->mutex);
    return usage;
}
