#ifndef WAYBILL_PLATFORM_IO_IO_LOOP_H
#define WAYBILL_PLATFORM_IO_IO_LOOP_H

#include "platform/base/error.h"
#include "platform/base/executor.h"

#include <pthread.h>
#include <stdbool.h>
#include <uv.h>

/*
 * One I/O thread: a libuv loop that is also an executor, so that stores can hand completions to the
 * thread that owns the call. Thread: its own, except io_loop_post and the life of the loop.
 */
struct io_loop {
    struct executor base;
    uv_loop_t loop;
    uv_async_t wake;
    pthread_mutex_t mutex; /* guards the list */
    struct task *first;
    struct task *last;
    bool waking; /* the wake-up is on its way */
    pthread_t thread;
    bool running;
};

/* Errors: OUT_OF_MEMORY, INTERNAL (libuv's text). */
struct error io_loop_init(struct io_loop *loop);

/* Starts the thread; it runs until no handle but the wake-up is active and io_loop_stop was called.
 */
struct error io_loop_start(struct io_loop *loop);

/* Lets the thread end when its other handles are closed, and waits for it. Another thread. */
void io_loop_stop(struct io_loop *loop);

/* After io_loop_stop, or after io_loop_init if it was never started. */
void io_loop_deinit(struct io_loop *loop);

#endif
