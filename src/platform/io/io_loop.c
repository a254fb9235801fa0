/*
 * Posting puts a chain behind a list under a mutex and wakes the loop only if it is not being woken
 * already: a thousand completions of one batch cost one system call. uv_async_send cannot fail for
 * a live handle.
 */
#include "platform/io/io_loop.h"

static void run_tasks(uv_async_t *wake)
{
    struct io_loop *loop = wake->data;
    pthread_mutex_lock(&loop->mutex);
    struct task *task = loop->first;
    loop->first = NULL;
    loop->last = NULL;
    loop->waking = false;
    pthread_mutex_unlock(&loop->mutex);
    while (task != NULL) {
        struct task *next = task->next; /* the task may be gone when it has run */
        task->run(task);
        task = next;
    }
}

static void post(struct executor *executor, struct task *first, struct task *last)
{
    struct io_loop *loop = (struct io_loop *)executor;
    last->next = NULL;
    pthread_mutex_lock(&loop->mutex);
    if (loop->last == NULL)
        loop->first = first;
    else
        loop->last->next = first;
    loop->last = last;
    bool wake = !loop->waking;
    loop->waking = true;
    pthread_mutex_unlock(&loop->mutex);
    if (wake)
        uv_async_send(&loop->wake);
}

struct error io_loop_init(struct io_loop *loop)
{
    static const struct executor_table table = {.post = post};
    *loop = (struct io_loop){.base = {.table = &table}};
    int result = uv_loop_init(&loop->loop);
    if (result != 0)
        return error_make(ERROR_INTERNAL, "event loop: %s", uv_strerror(result));
    result = uv_async_init(&loop->loop, &loop->wake, run_tasks);
    if (result != 0) {
        uv_loop_close(&loop->loop);
        return error_make(ERROR_INTERNAL, "event loop: %s", uv_strerror(result));
    }
    loop->wake.data = loop;
    pthread_mutex_init(&loop->mutex, NULL);
    return error_none();
}

static void *run_loop(void *context)
{
    struct io_loop *loop = context;
    uv_run(&loop->loop, UV_RUN_DEFAULT);
    return NULL;
}

struct error io_loop_start(struct io_loop *loop)
{
    if (pthread_create(&loop->thread, NULL, run_loop, loop) != 0)
        return error_make(ERROR_OUT_OF_MEMORY, "cannot start an I/O thread");
    loop->running = true;
    return error_none();
}

struct stop_request {
    struct task task;
    struct io_loop *loop;
};

static void close_wake(struct task *task)
{
    struct stop_request *request = (struct stop_request *)task;
    uv_close((uv_handle_t *)&request->loop->wake, NULL);
}

void io_loop_stop(struct io_loop *loop)
{
    struct stop_request request = {.task = {.run = close_wake}, .loop = loop};
    if (!loop->running)
        return;
    executor_post(&loop->base, &request.task);
    pthread_join(loop->thread, NULL);
    loop->running = false;
}

void io_loop_deinit(struct io_loop *loop)
{
    if (!uv_is_closing((uv_handle_t *)&loop->wake)) {
        uv_close((uv_handle_t *)&loop->wake, NULL);
        uv_run(&loop->loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&loop->loop);
    pthread_mutex_destroy(&loop->mutex);
}
