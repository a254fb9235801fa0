#ifndef WAYBILL_FULFILLMENT_APPLICATION_ORDER_DRIVER_H
#define WAYBILL_FULFILLMENT_APPLICATION_ORDER_DRIVER_H

#include "fulfillment/domain/fulfillment_repository.h"
#include "fulfillment/domain/order_services.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Drives orders: claims one, does what order_next_step says, keeps it, gives it up. It does so for
 * whoever asks (a promise, a confirmation, a cancellation), and of itself for orders that are due:
 * left by a driver that died, waiting to try again, told of by others' events.
 *
 * Each order is driven by one run at a time, by its claim. A run renews its lease before a call
 * could outlast it, so nothing is ever called by a driver that lost its claim.
 *
 * Thread: one, the executor's, on which services and repository answer; submit and wake: any. Time
 * passes by order_driver_tick, which its owner calls every few milliseconds.
 */
struct order_driver;

struct order_driver_options {
    struct fulfillment_repository *repository;
    struct order_services *services;
    struct executor *executor;
    struct clock *clock;
    struct random *random;
    /*
     * How long a claim is good for, and the longest that a call to a service may take, below it: of
     * most calls, and of those for which a carrier is asked. Whoever dies leaves his order alone
     * for so long.
     */
    int64_t lease_us;
    int64_t call_us_max;
    int64_t carrier_lease_us;
    int64_t carrier_call_us_max;
    int64_t poll_us;       /* between two looks at what is due */
    int64_t busy_retry_us; /* between two looks at an order that somebody else drives */
    int64_t busy_us_max;   /* how long a caller without deadline waits for that */
    size_t runs_max;       /* of its own */
    size_t jobs_max;       /* asked for */
};

/* 60 s lease, 25 s calls, 500 ms, 10 ms, 10 s, 64 of its own, 4,096 asked for; the rest is empty.
 */
struct order_driver_options order_driver_options_default(void);

/* NULL without memory. */
struct order_driver *order_driver_create(const struct order_driver_options *options);

/* When order_driver_is_idle. NULL is allowed. */
void order_driver_destroy(struct order_driver *driver);

/* What came of a job. */
enum order_answer {
    ORDER_ANSWER_ORDER,   /* `order` is as it is now */
    ORDER_ANSWER_REFUSED, /* order.refusal; `order` is as it is now, unless it could not be promised
                           */
    ORDER_ANSWER_NOT_FOUND,
    ORDER_ANSWER_ID_REUSED,
    ORDER_ANSWER_BUSY, /* somebody else drives it, for so long; ask again */
};

/*
 * Something that is asked of an order. The caller keeps it, what it points to and the arena until
 * `done`, which is called exactly once, on its executor, never before submit returned. `error` is
 * NULL when there is an answer; else nothing was done or it is not known (it goes on by itself),
 * and asking again is right.
 */
struct order_job;
typedef void order_job_done(struct order_job *job, const struct error *error);

enum order_job_kind { ORDER_JOB_PROMISE, ORDER_JOB_CONFIRM, ORDER_JOB_CANCEL };

struct order_job {
    enum order_job_kind kind;
    struct executor *executor;
    struct arena *arena;         /* the driver's meanwhile; results live there */
    int64_t deadline_us;         /* of the driver's clock, monotonic; 0 = none */
    const struct order *request; /* PROMISE: what was asked for, in normal form */
    struct text order_id;        /* the others */
    struct text reason;          /* CANCEL */

    enum order_answer answer; /* results */
    struct order order;

    struct task task; /* the driver's from here */
    struct error error;
    order_job_done *done;
    struct order_driver *driver;
};

void order_driver_submit(struct order_driver *driver, struct order_job *job, order_job_done *done);

/* Something may be due: it is looked at with the next tick. */
void order_driver_wake(struct order_driver *driver);

/* Time has passed. */
void order_driver_tick(struct order_driver *driver);

/* Drives no more of itself; jobs are still taken. */
void order_driver_stop(struct order_driver *driver);

/* Nothing is under way. On its thread. */
bool order_driver_is_idle(const struct order_driver *driver);

/* How it goes, since it was created. Any thread. */
struct order_driver_usage {
    uint64_t jobs;      /* asked for */
    uint64_t resumed;   /* driven of itself */
    uint64_t calls;     /* of services */
    uint64_t retries;   /* waits, after which a call is made again */
    uint64_t attention; /* orders that came to need a person */
    uint64_t running;   /* now */
    /* As the store had them when last counted; up to order_open_count_max. */
    uint64_t need_attention;
    uint64_t unfinished;
};
struct order_driver_usage order_driver_usage(struct order_driver *driver);

#endif
