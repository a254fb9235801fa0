/*
 * Closing goes step by step on the loop's thread: clients first, so that whatever waits for a
 * service is answered; then, by the timer, until the driver is idle; then the timer itself. The
 * main thread waits for the last.
 */
#include "fulfillment/interfaces/client/order_drive.h"

#include "platform/base/memory.h"
#include "platform/io/io_loop.h"

#include <pthread.h>

enum { tick_ms = 5 };

struct order_drive {
    struct io_loop loop;
    uv_timer_t tick;
    struct order_clients *clients;
    struct order_driver *driver;
    bool is_started;
    bool are_clients_closed; /* the loop's thread's */
    bool is_closing;
    struct task stop_task;
    struct task close_task;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_over;
};

static struct order_drive *drive_of_stop(struct task *task)
{
    return (struct order_drive *)(void *)((char *)task - offsetof(struct order_drive, stop_task));
}

static struct order_drive *drive_of_close(struct task *task)
{
    return (struct order_drive *)(void *)((char *)task - offsetof(struct order_drive, close_task));
}

/* --- the loop's thread --- */

static void timer_closed(uv_handle_t *handle)
{
    struct order_drive *drive = handle->data;
    pthread_mutex_lock(&drive->mutex);
    drive->is_over = true;
    pthread_cond_signal(&drive->changed);
    pthread_mutex_unlock(&drive->mutex);
}

static void on_tick(uv_timer_t *timer)
{
    struct order_drive *drive = timer->data;
    order_driver_tick(drive->driver);
    bool may_end =
        drive->is_closing && drive->are_clients_closed && order_driver_is_idle(drive->driver);
    if (may_end && !uv_is_closing((uv_handle_t *)timer))
        uv_close((uv_handle_t *)timer, timer_closed);
}

static void clients_closed(void *context)
{
    ((struct order_drive *)context)->are_clients_closed = true;
}

static void run_stop(struct task *task)
{
    order_driver_stop(drive_of_stop(task)->driver);
}

static void run_close(struct task *task)
{
    struct order_drive *drive = drive_of_close(task);
    order_driver_stop(drive->driver);
    drive->is_closing = true;
    order_clients_close(drive->clients, clients_closed, drive);
}

/* --- its life --- */

struct error order_drive_open(struct order_drive **drive, const struct order_drive_options *options)
{
    struct order_drive *made = memory_allocate_zero(1, sizeof *made);
    *drive = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "fulfillment: the driver of orders");
    struct error error = io_loop_init(&made->loop);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->changed, NULL);
    uv_timer_init(&made->loop.loop, &made->tick);
    made->tick.data = made;
    uv_timer_start(&made->tick, on_tick, tick_ms, tick_ms);
    made->stop_task.run = run_stop;
    made->close_task.run = run_close;
    *drive = made;
    struct order_clients_options clients = options->clients;
    clients.loop = &made->loop.loop;
    clients.clock = options->clock;
    clients.random = options->random;
    error = order_clients_open(&made->clients, &clients);
    if (error_is(error))
        return error;
    struct order_driver_options driver = order_driver_options_default();
    driver.repository = options->repository;
    driver.services = order_clients_port(made->clients);
    driver.executor = &made->loop.base;
    driver.clock = options->clock;
    driver.random = options->random;
    driver.call_us_max = order_clients_call_us_max;
    driver.carrier_call_us_max = order_clients_carrier_call_us_max;
    made->driver = order_driver_create(&driver);
    if (made->driver == NULL)
        error = error_make(ERROR_OUT_OF_MEMORY, "fulfillment: the driver of orders");
    return error;
}

struct order_driver *order_drive_driver(struct order_drive *drive)
{
    return drive->driver;
}

struct error order_drive_start(struct order_drive *drive)
{
    struct error error = io_loop_start(&drive->loop);
    drive->is_started = !error_is(error);
    return error;
}

void order_drive_stop(struct order_drive *drive)
{
    if (drive->is_started)
        executor_post(&drive->loop.base, &drive->stop_task);
}

/* Never started: everything is closed here. */
static void close_here(struct order_drive *drive)
{
    uv_close((uv_handle_t *)&drive->tick, NULL);
    if (drive->clients != NULL)
        order_clients_close(drive->clients, clients_closed, drive);
}

void order_drive_close(struct order_drive *drive)
{
    if (drive == NULL)
        return;
    if (drive->is_started) {
        executor_post(&drive->loop.base, &drive->close_task);
        pthread_mutex_lock(&drive->mutex);
        while (!drive->is_over)
            pthread_cond_wait(&drive->changed, &drive->mutex);
        pthread_mutex_unlock(&drive->mutex);
        io_loop_stop(&drive->loop);
    } else {
        close_here(drive);
    }
    io_loop_deinit(&drive->loop); /* runs what is left to be closed */
    order_driver_destroy(drive->driver);
    order_clients_destroy(drive->clients);
    pthread_cond_destroy(&drive->changed);
    pthread_mutex_destroy(&drive->mutex);
    memory_release(drive);
}
