/*
 * A run is one order under way: claim, then call after call, then the last save. Everything of it
 * lies on one arena: the job's, or for what the driver does of itself one of its own.
 *
 * What can fail is the repository: then the run ends with that error. Its claim is lost, since
 * nobody holds it any more, and the driver says so when it claims the order again: for whoever asks
 * next, or of itself as soon as the store answers again. Only a driver that died leaves its claim
 * until the lease is over. Calls of services do not fail, they have outcomes.
 *
 * So that a claim is known to be lost, each order that a run of this driver has a claim on, or asks
 * for one, is in a table; while one asks, others do not.
 */
#include "fulfillment/application/order_driver.h"

#include "platform/base/check.h"
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"

#include <stdatomic.h>
#include <string.h>

enum { own_arena_bytes_max = 16 * 1024 * 1024, holder_buckets = 1024, lost_orders_max = 4096 };

/* What a run has of its order. */
enum run_hold { HOLD_NONE, HOLD_ASKED, HOLD_CLAIMED };

struct order_run {
    struct order_driver *driver;
    struct order_run *next; /* of those that wait for somebody else's claim */
    struct order_job *job;  /* NULL: of its own */
    struct arena *arena;
    struct arena own_arena;
    struct text order_id;
    struct order_run *neighbour; /* in the table of holders */
    enum run_hold hold;          /* not NONE: it is in there */
    int64_t retry_us;            /* when to look at a busy order again */
    int64_t give_up_us;          /* when no more */
    int64_t claimed_us;          /* when the claim or its renewal was asked for, */
    int64_t lease_us;            /* and for how long */
    struct begin_order_command begin;
    struct claim_order_command claim;
    struct save_order_command save;
    struct order *order; /* in `begin` or `claim` */
    uint64_t claim_number;
    struct order_action action; /* to be done when the lease is renewed */
    struct order_call call;
};

/* An order whose claim was lost, to be driven on. */
struct lost_order {
    struct lost_order *next;
    size_t order_id_size;
    char order_id[fulfillment_id_bytes_max];
};

struct order_driver {
    struct order_driver_options options;
    uint32_t number;
    struct order_run *holders[holder_buckets];
    struct lost_order *lost;
    size_t lost_count;
    struct order_run *busy; /* first in, first out */
    size_t run_count;       /* of its own */
    size_t job_count;
    bool is_stopping;
    bool is_listing;
    bool has_more; /* the last list was full */
    int64_t next_poll_us;
    struct arena list_arena;
    struct list_due_command list;
    _Atomic bool is_woken;
    _Atomic uint64_t jobs;
    _Atomic uint64_t resumed;
    _Atomic uint64_t calls;
    _Atomic uint64_t retries;
    _Atomic uint64_t attention;
    int64_t next_count_us; /* when what is open is counted again */
    _Atomic uint64_t need_attention;
    _Atomic uint64_t unfinished;
    _Atomic uint64_t running;
};

struct order_driver_options order_driver_options_default(void)
{
    return (struct order_driver_options){
        .lease_us = 8000000,
        .call_us_max = 6000000,
        .carrier_lease_us = 30000000,
        .carrier_call_us_max = 25000000,
        .poll_us = 500000,
        .busy_retry_us = 10000,
        .busy_us_max = 10000000,
        .runs_max = 64,
        .jobs_max = 4096,
    };
}

/* Between two counts of what is open: each goes through all rows that it counts. */
static const int64_t count_interval_us = 2000000;

static int64_t monotonic_us(const struct order_driver *driver)
{
    return clock_monotonic_us(driver->options.clock);
}

/* --- who has a claim --- */

static struct order_run **bucket_of(struct order_driver *driver, struct text order_id)
{
    return &driver->holders[hash_text(driver->number, order_id) % holder_buckets];
}

/* Of other runs: the first asks, and there is only one that has. */
static enum run_hold hold_of_others(struct order_driver *driver, struct text order_id)
{
    enum run_hold found = HOLD_NONE;
    for (const struct order_run *run = *bucket_of(driver, order_id); run != NULL;
         run = run->neighbour) {
        if (!text_equal(run->order_id, order_id))
            continue;
        if (run->hold == HOLD_ASKED)
            return HOLD_ASKED;
        found = run->hold;
    }
    return found;
}

static void begin_hold(struct order_run *run)
{
    struct order_run **bucket = bucket_of(run->driver, run->order_id);
    run->hold = HOLD_ASKED;
    run->neighbour = *bucket;
    *bucket = run;
}

static void end_hold(struct order_run *run)
{
    struct order_run **at = bucket_of(run->driver, run->order_id);
    if (run->hold == HOLD_NONE)
        return;
    while (*at != run)
        at = &(*at)->neighbour;
    *at = run->neighbour;
    run->hold = HOLD_NONE;
}

/* Without room for it the lease has to run out. */
static void note_lost_order(struct order_driver *driver, struct text order_id)
{
    struct lost_order *lost =
        driver->lost_count < lost_orders_max ? memory_allocate_zero(1, sizeof *lost) : NULL;
    if (lost == NULL || order_id.size > sizeof lost->order_id) {
        memory_release(lost);
        return;
    }
    lost->order_id_size = order_id.size;
    memcpy(lost->order_id, order_id.data, order_id.size);
    lost->next = driver->lost;
    driver->lost = lost;
    driver->lost_count++;
}

/* --- the end of a run --- */

static void run_job_done(struct task *task)
{
    struct order_job *job =
        (struct order_job *)(void *)((char *)task - offsetof(struct order_job, task));
    job->done(job, error_is(job->error) ? &job->error : NULL);
}

static void answer_job(struct order_job *job, const struct error *error)
{
    job->error = error == NULL ? error_none() : *error;
    job->task.run = run_job_done;
    executor_post(job->executor, &job->task);
}

/* The run is gone afterwards: a job's lies on the job's arena. */
static void end_run(struct order_run *run, const struct error *error)
{
    struct order_driver *driver = run->driver;
    bool is_lost = error != NULL && run->hold != HOLD_NONE;
    end_hold(run);
    if (is_lost)
        note_lost_order(driver, run->order_id);
    atomic_fetch_sub(&driver->running, 1);
    if (run->job != NULL) {
        driver->job_count--;
        answer_job(run->job, error);
        return;
    }
    driver->run_count--;
    arena_deinit(&run->own_arena);
    memory_release(run);
}

static void answer_order(struct order_run *run, const struct order *order)
{
    if (run->job != NULL) {
        run->job->order = *order;
        run->job->answer =
            order->refusal.kind == REFUSAL_NONE ? ORDER_ANSWER_ORDER : ORDER_ANSWER_REFUSED;
    }
    end_run(run, NULL);
}

static void answer_plain(struct order_run *run, enum order_answer answer)
{
    if (run->job != NULL)
        run->job->answer = answer;
    end_run(run, NULL);
}

static struct fulfillment_command command_of(const struct order_run *run,
                                             enum fulfillment_command_kind kind)
{
    return (struct fulfillment_command){
        .kind = kind, .executor = run->driver->options.executor, .arena = run->arena};
}

/* --- driving --- */

static void go_on(struct order_run *run, const struct order_call *result);

static struct order_run *run_of_save(struct fulfillment_command *command)
{
    return (struct order_run *)(void *)((char *)command - offsetof(struct order_run, save));
}

static void saved(struct fulfillment_command *command, const struct error *error);

/* Whether a carrier is asked. */
static bool is_slow(enum order_call_kind kind)
{
    return kind == CALL_CREATE_SHIPMENT || kind == CALL_CANCEL_SHIPMENT;
}

/* Behind the pivot carriers are asked next. */
static int64_t next_lease_us(const struct order_run *run)
{
    const struct order_driver_options *options = &run->driver->options;
    return run->order->pivot_is_passed ? options->carrier_lease_us : options->lease_us;
}

static void save(struct order_run *run, enum save_order_mode mode, int64_t delay_us)
{
    run->lease_us = next_lease_us(run);
    run->save = (struct save_order_command){
        .base = command_of(run, COMMAND_SAVE_ORDER),
        .order = run->order,
        .claim = run->claim_number,
        .mode = mode,
        .delay_us = delay_us,
        .lease_us = run->lease_us,
    };
    run->claimed_us = monotonic_us(run->driver);
    fulfillment_repository_execute(run->driver->options.repository, &run->save.base, saved);
}

static void called(struct order_call *call)
{
    go_on(call->context, call);
}

static void make_call(struct order_run *run)
{
    run->call = (struct order_call){
        .kind = run->action.call,
        .order = run->order,
        .part = run->action.part,
        .item = run->action.item,
        .arena = run->arena,
    };
    atomic_fetch_add(&run->driver->calls, 1);
    order_services_call(run->driver->options.services, &run->call, called, run);
}

/* Whether a call begun now could outlast the lease. */
static bool lease_is_short(const struct order_run *run)
{
    const struct order_driver_options *options = &run->driver->options;
    int64_t call_us =
        is_slow(run->action.call) ? options->carrier_call_us_max : options->call_us_max;
    return monotonic_us(run->driver) + call_us > run->claimed_us + run->lease_us;
}

/* A random part of the pause's second half is left out, so that orders do not come in step. */
static int64_t spread(struct order_driver *driver, int64_t delay_us)
{
    return delay_us - (int64_t)random_below(driver->options.random, (uint64_t)delay_us / 2 + 1);
}

static void go_on(struct order_run *run, const struct order_call *result)
{
    struct order_driver *driver = run->driver;
    run->action =
        order_next_step(run->order, result, run->arena, clock_now_us(driver->options.clock));
    switch (run->action.kind) {
    case ACTION_CALL:
        if (lease_is_short(run))
            save(run, SAVE_AND_KEEP, 0);
        else
            make_call(run);
        break;
    case ACTION_SAVE:
        save(run, SAVE_AND_KEEP, 0);
        break;
    case ACTION_WAIT:
        atomic_fetch_add(&driver->retries, 1);
        save(run, SAVE_AND_WAIT, spread(driver, run->action.delay_us));
        break;
    case ACTION_REST:
        if (run->order->state == ORDER_NEEDS_ATTENTION)
            atomic_fetch_add(&driver->attention, 1);
        save(run, SAVE_AND_REST, 0);
        break;
    }
}

static void saved(struct fulfillment_command *command, const struct error *error)
{
    struct order_run *run = run_of_save(command);
    if (error != NULL) {
        end_run(run, error);
        return;
    }
    if (command->outcome != FULFILLMENT_DONE) {
        answer_plain(run, ORDER_ANSWER_BUSY); /* the claim is lost: another goes on with it */
        return;
    }
    if (run->action.kind == ACTION_CALL) {
        make_call(run);
    } else if (run->action.kind == ACTION_SAVE) {
        run->order->must_save = false;
        go_on(run, NULL);
    } else {
        answer_order(run, run->order);
    }
}

/* --- claims --- */

static void claim_or_begin(struct order_run *run);

static void wait_for_other(struct order_run *run)
{
    struct order_driver *driver = run->driver;
    int64_t now_us = monotonic_us(driver);
    end_hold(run);
    if (run->job == NULL || now_us >= run->give_up_us) {
        answer_plain(run, ORDER_ANSWER_BUSY);
        return;
    }
    run->retry_us = now_us + driver->options.busy_retry_us;
    struct order_run **end = &driver->busy;
    while (*end != NULL)
        end = &(*end)->next;
    run->next = NULL;
    *end = run;
}

static void take_outcome(struct order_run *run, const struct fulfillment_command *command,
                         struct order *order, bool is_claimed)
{
    switch (command->outcome) {
    case FULFILLMENT_DONE:
        run->order = order;
        if (is_claimed) {
            run->hold = HOLD_CLAIMED;
            go_on(run, NULL);
        } else {
            answer_order(run, order);
        }
        break;
    case FULFILLMENT_REFUSED:
        answer_order(run, order);
        break;
    case FULFILLMENT_BUSY:
    case FULFILLMENT_CLAIM_LOST:
        wait_for_other(run);
        break;
    case FULFILLMENT_ORDER_NOT_FOUND:
        answer_plain(run, ORDER_ANSWER_NOT_FOUND);
        break;
    case FULFILLMENT_ID_REUSED:
        answer_plain(run, ORDER_ANSWER_ID_REUSED);
        break;
    }
}

static void begun(struct fulfillment_command *command, const struct error *error)
{
    struct order_run *run =
        (struct order_run *)(void *)((char *)command - offsetof(struct order_run, begin));
    run->claim_number = run->begin.claim;
    if (error != NULL)
        end_run(run, error);
    else
        take_outcome(run, command, &run->begin.order, run->begin.is_claimed);
}

static void claimed(struct fulfillment_command *command, const struct error *error)
{
    struct order_run *run =
        (struct order_run *)(void *)((char *)command - offsetof(struct order_run, claim));
    run->claim_number = run->claim.claim;
    if (error != NULL)
        end_run(run, error);
    else
        take_outcome(run, command, &run->claim.order, run->claim.is_claimed);
}

static void claim_or_begin(struct order_run *run)
{
    struct order_driver *driver = run->driver;
    const struct order_job *job = run->job;
    bool is_promise = job != NULL && job->kind == ORDER_JOB_PROMISE;
    enum run_hold other = hold_of_others(driver, run->order_id);
    /* A promise that was made is answered also while the order is confirmed. */
    if (other == HOLD_ASKED || (other == HOLD_CLAIMED && !is_promise)) {
        wait_for_other(run);
        return;
    }
    const struct order_claimant claimant = {.driver = driver->number,
                                            .takes_over = other == HOLD_NONE};
    begin_hold(run);
    run->claimed_us = monotonic_us(driver);
    run->lease_us = driver->options.lease_us;
    if (is_promise) {
        run->begin = (struct begin_order_command){
            .base = command_of(run, COMMAND_BEGIN_ORDER),
            .request = job->request,
            .claimant = claimant,
            .lease_us = driver->options.lease_us,
        };
        fulfillment_repository_execute(driver->options.repository, &run->begin.base, begun);
        return;
    }
    run->claim = (struct claim_order_command){
        .base = command_of(run, COMMAND_CLAIM_ORDER),
        .order_id = run->order_id,
        .request = job == NULL                      ? ORDER_RESUME
                   : job->kind == ORDER_JOB_CONFIRM ? ORDER_CONFIRM
                                                    : ORDER_CANCEL,
        .reason = job == NULL ? (struct text){0} : job->reason,
        .claimant = claimant,
        .lease_us = driver->options.lease_us,
    };
    fulfillment_repository_execute(driver->options.repository, &run->claim.base, claimed);
}

/* --- jobs --- */

static void refuse_job(struct order_job *job, const char *why)
{
    struct error error = error_make(ERROR_OVERLOADED, "%s", why);
    answer_job(job, &error);
}

static void start_job(struct task *task)
{
    struct order_job *job =
        (struct order_job *)(void *)((char *)task - offsetof(struct order_job, task));
    struct order_driver *driver = job->driver;
    if (driver->job_count >= driver->options.jobs_max) {
        refuse_job(job, "too many orders are being changed at once");
        return;
    }
    struct order_run *run = arena_allocate_zero(job->arena, 1, sizeof *run);
    if (run == NULL) {
        refuse_job(job, "no memory for another order");
        return;
    }
    run->driver = driver;
    run->job = job;
    run->arena = job->arena;
    run->order_id = job->kind == ORDER_JOB_PROMISE ? job->request->order_id : job->order_id;
    run->give_up_us = monotonic_us(driver) + driver->options.busy_us_max;
    if (job->deadline_us != 0 && job->deadline_us < run->give_up_us)
        run->give_up_us = job->deadline_us;
    driver->job_count++;
    atomic_fetch_add(&driver->jobs, 1);
    atomic_fetch_add(&driver->running, 1);
    claim_or_begin(run);
}

void order_driver_submit(struct order_driver *driver, struct order_job *job, order_job_done *done)
{
    job->driver = driver;
    job->done = done;
    job->task.run = start_job;
    executor_post(driver->options.executor, &job->task);
}

/* --- what is due --- */

static void start_own(struct order_driver *driver, struct text order_id)
{
    struct order_run *run = memory_allocate_zero(1, sizeof *run);
    if (run == NULL)
        return; /* it stays due */
    arena_init(&run->own_arena, own_arena_bytes_max);
    run->driver = driver;
    run->arena = &run->own_arena;
    run->order_id = arena_copy_text(run->arena, order_id);
    if (run->order_id.data == NULL) {
        arena_deinit(&run->own_arena);
        memory_release(run);
        return;
    }
    driver->run_count++;
    atomic_fetch_add(&driver->resumed, 1);
    atomic_fetch_add(&driver->running, 1);
    claim_or_begin(run);
}

/* The store answers: what was lost while it did not is driven on. */
static void start_lost(struct order_driver *driver)
{
    while (driver->lost != NULL && driver->run_count < driver->options.runs_max) {
        struct lost_order *lost = driver->lost;
        driver->lost = lost->next;
        driver->lost_count--;
        start_own(driver, text_make(lost->order_id, lost->order_id_size));
        memory_release(lost);
    }
}

static void listed(struct fulfillment_command *command, const struct error *error)
{
    struct order_driver *driver =
        (struct order_driver *)(void *)((char *)command - offsetof(struct order_driver, list));
    driver->is_listing = false;
    driver->has_more = error == NULL && driver->list.order_count == driver->list.count_max;
    if (error == NULL && driver->list.must_count) {
        atomic_store(&driver->need_attention, driver->list.open.need_attention);
        atomic_store(&driver->unfinished, driver->list.open.unfinished);
        driver->next_count_us = monotonic_us(driver) + count_interval_us;
    }
    for (size_t i = 0; error == NULL && i < driver->list.order_count; i++)
        start_own(driver, driver->list.order_ids[i]);
    if (error == NULL)
        start_lost(driver);
    arena_reset(&driver->list_arena);
}

/* As many as may run; not while the last ones of a full list still do. */
static void look_for_due(struct order_driver *driver, int64_t now_us)
{
    bool is_time =
        now_us >= driver->next_poll_us || driver->has_more || atomic_load(&driver->is_woken);
    if (driver->is_stopping || driver->is_listing || !is_time ||
        driver->run_count >= driver->options.runs_max)
        return;
    atomic_store(&driver->is_woken, false);
    driver->next_poll_us = now_us + driver->options.poll_us;
    driver->is_listing = true;
    driver->list = (struct list_due_command){
        .base = {.kind = COMMAND_LIST_DUE,
                 .executor = driver->options.executor,
                 .arena = &driver->list_arena},
        .count_max = driver->options.runs_max - driver->run_count,
        .must_count = now_us >= driver->next_count_us,
    };
    fulfillment_repository_execute(driver->options.repository, &driver->list.base, listed);
}

void order_driver_tick(struct order_driver *driver)
{
    int64_t now_us = monotonic_us(driver);
    struct order_run *waiting = driver->busy;
    driver->busy = NULL;
    while (waiting != NULL) {
        struct order_run *run = waiting;
        waiting = run->next;
        if (run->retry_us <= now_us) {
            claim_or_begin(run);
            continue;
        }
        run->next = driver->busy;
        driver->busy = run;
    }
    look_for_due(driver, now_us);
}

void order_driver_wake(struct order_driver *driver)
{
    atomic_store(&driver->is_woken, true);
}

/* --- its life --- */

struct order_driver *order_driver_create(const struct order_driver_options *options)
{
    struct order_driver *driver = memory_allocate_zero(1, sizeof *driver);
    if (driver == NULL)
        return NULL;
    CHECK(options->call_us_max < options->lease_us &&
          options->carrier_call_us_max < options->carrier_lease_us);
    driver->options = *options;
    driver->number = 1 + (uint32_t)random_below(options->random, UINT32_MAX);
    arena_init(&driver->list_arena, own_arena_bytes_max);
    return driver;
}

void order_driver_destroy(struct order_driver *driver)
{
    if (driver == NULL)
        return;
    CHECK(order_driver_is_idle(driver));
    while (driver->lost != NULL) {
        struct lost_order *lost = driver->lost;
        driver->lost = lost->next;
        memory_release(lost);
    }
    arena_deinit(&driver->list_arena);
    memory_release(driver);
}

void order_driver_stop(struct order_driver *driver)
{
    driver->is_stopping = true;
}

bool order_driver_is_idle(const struct order_driver *driver)
{
    return driver->job_count == 0 && driver->run_count == 0 && !driver->is_listing;
}

struct order_driver_usage order_driver_usage(struct order_driver *driver)
{
    return (struct order_driver_usage){
        .jobs = atomic_load(&driver->jobs),
        .resumed = atomic_load(&driver->resumed),
        .calls = atomic_load(&driver->calls),
        .retries = atomic_load(&driver->retries),
        .attention = atomic_load(&driver->attention),
        .need_attention = atomic_load(&driver->need_attention),
        .unfinished = atomic_load(&driver->unfinished),
        .running = atomic_load(&driver->running),
    };
}
