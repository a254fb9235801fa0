/*
 * One round: the lease, a read, the append, the deletion. The happy path needs no check for
 * doubles: what was read was never appended. Only after a start or a failed round the sink is asked
 * for each row (`is_doubtful`), because the last batch may have been appended and not deleted.
 *
 * Failures: the store's are tried again, later and later, for ever; the sink's, too, if it says
 * that nothing happened; any other one of the sink is final and ends the process. While the relay
 * is stuck the outbox grows to its bound and then refuses: that is measured here, once a second.
 */
#include "platform/events/event_relay.h"

#include "platform/base/check.h"
#include "platform/base/condition.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/events/event_relay_rows.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t retry_us_min = 100 * 1000;
static const int64_t measure_us = 1000 * 1000;
static const int64_t wake_us_max = 1000 * 1000; /* SQLite wakes us; this is for measuring */

struct event_relay {
    struct event_relay_options options;
    struct relay_rows rows;
    char holder[relay_holder_bytes];
    bool is_alone; /* SQLite: the lease lasts as long as the process */
    bool is_doubtful;
    bool is_half_full;
    int64_t lease_until_us; /* monotonic; 0 = not held */
    int64_t next_measure_us;
    int64_t next_tidy_us;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t changed;
    bool is_woken;
    bool is_stopping;
    struct event_relay_status status;
};

struct event_relay_options event_relay_options_default(void)
{
    return (struct event_relay_options){
        .clock = clock_system(),
        .random = random_system(),
        .batch_events_max = event_sink_batch_max,
        .lease_us = 10 * 1000000,
        .poll_us = 100 * 1000,
        .gather_us = 2 * 1000,
        .retry_us_max = 5 * 1000000,
        .tidy_us = 60 * 1000000,
        .threaded = true,
    };
}

const char *event_relay_state_name(enum event_relay_state state)
{
    static const char *const names[] = {
        [EVENT_RELAY_STARTING] = "starting",   [EVENT_RELAY_LEADING] = "leading",
        [EVENT_RELAY_FOLLOWING] = "following", [EVENT_RELAY_OTHER_SINK] = "other sink",
        [EVENT_RELAY_FAILING] = "failing",
    };
    return names[state];
}

static void set_state(struct event_relay *relay, enum event_relay_state state,
                      const struct error *error)
{
    pthread_mutex_lock(&relay->mutex);
    bool is_new = relay->status.state != state;
    relay->status.state = state;
    relay->status.last_error = error == NULL ? error_none() : *error;
    pthread_mutex_unlock(&relay->mutex);
    if (!is_new)
        return;
    struct log_field fields[] = {
        log_string("context", relay->options.outbox->context),
        log_string("state", event_relay_state_name(state)),
        log_string("detail", error == NULL ? "" : error->detail),
    };
    bool is_bad = state == EVENT_RELAY_FAILING || state == EVENT_RELAY_OTHER_SINK;
    log_event(is_bad ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, "event relay", fields,
              sizeof fields / sizeof fields[0]);
}

/* --- the backlog --- */

static void warn_of_backlog(struct event_relay *relay)
{
    const struct sql_outbox *outbox = relay->options.outbox;
    bool is_half_full = sql_outbox_bytes(outbox) >= outbox->bytes_max / 2;
    if (is_half_full && !relay->is_half_full) {
        struct log_field fields[] = {
            log_string("context", outbox->context),
            log_number("bytes", (int64_t)sql_outbox_bytes(outbox)),
            log_number("bytes_max", (int64_t)outbox->bytes_max),
        };
        log_event(
            LOG_LEVEL_WARNING,
            "events wait for the relay: half of what may wait; at all of it writes are refused",
            fields, sizeof fields / sizeof fields[0]);
    }
    relay->is_half_full = is_half_full;
}

/* Once a second, or more seldom if counting takes long. */
static struct error measure(struct event_relay *relay)
{
    struct clock *clock = relay->options.clock;
    struct relay_backlog backlog = {0};
    int64_t begin_us = clock_monotonic_us(clock);
    if (begin_us < relay->next_measure_us)
        return error_none();
    struct error error = relay_rows_measure(&relay->rows, &backlog);
    int64_t end_us = clock_monotonic_us(clock);
    relay->next_measure_us = end_us + measure_us + 20 * (end_us - begin_us);
    if (error_is(error))
        return error;
    sql_outbox_measured(relay->options.outbox, backlog.rows, backlog.data_bytes);
    int64_t lag_us = backlog.oldest_time_us == 0 ? 0 : clock_now_us(clock) - backlog.oldest_time_us;
    pthread_mutex_lock(&relay->mutex);
    relay->status.waiting = backlog.rows;
    relay->status.lag_us = lag_us < 0 ? 0 : lag_us;
    pthread_mutex_unlock(&relay->mutex);
    warn_of_backlog(relay);
    return error;
}

/* --- a round --- */

/* Whether we lead, after taking or renewing the lease if it is time. */
static struct error keep_lease(struct event_relay *relay, bool *leads)
{
    struct clock *clock = relay->options.clock;
    int64_t now_us = clock_monotonic_us(clock);
    *leads = relay->lease_until_us != 0 &&
             (relay->is_alone || now_us < relay->lease_until_us - relay->options.lease_us / 2);
    if (*leads)
        return error_none();
    struct relay_lease_request request = {
        .holder = relay->holder,
        .sink = event_sink_identity(relay->options.sink),
        .lease_us = relay->options.lease_us,
        .adopt_sink = relay->options.adopt_sink,
        .sink_is_exclusive = relay->options.sink_is_exclusive,
    };
    struct error error = relay_rows_lease(&relay->rows, &request);
    if (error_is(error)) { /* what is left of the old one may still be used */
        *leads = now_us < relay->lease_until_us;
        return *leads ? error_none() : error;
    }
    *leads = request.result == RELAY_LEASE_HELD;
    relay->lease_until_us = *leads ? now_us + relay->options.lease_us : 0;
    if (*leads) {
        set_state(relay, EVENT_RELAY_LEADING, NULL);
    } else if (request.result == RELAY_LEASE_ELSEWHERE) {
        set_state(relay, EVENT_RELAY_FOLLOWING, NULL);
    } else {
        struct error other = error_make(
            ERROR_INVALID_SETTING,
            "the events of this store go into the log %s, ours is %s: serve it with the data "
            "directory that holds that log, or adopt it (events_adopt)",
            request.other_sink, request.sink);
        set_state(relay, EVENT_RELAY_OTHER_SINK, &other);
    }
    return error_none();
}

/* How many rows at the start of the batch are in the sink already. */
static size_t known_rows(struct event_relay *relay, const struct relay_batch *batch)
{
    size_t known = 0;
    if (!relay->is_doubtful)
        return 0;
    while (known < batch->count &&
           event_sink_has_recent(relay->options.sink, batch->events[known].event_id))
        known++;
    return known;
}

/* How many at the start are not. */
static size_t unknown_rows(struct event_relay *relay, const struct relay_batch *batch)
{
    size_t unknown = 0;
    if (!relay->is_doubtful)
        return batch->count;
    while (unknown < batch->count &&
           !event_sink_has_recent(relay->options.sink, batch->events[unknown].event_id))
        unknown++;
    return unknown;
}

/* Whether the sink says that nothing happened, or nobody knows, and asking again is right. */
static bool sink_may_repeat(struct error error)
{
    return error.code == ERROR_DISK_FULL || error.code == ERROR_OUT_OF_MEMORY ||
           error.code == ERROR_NETWORK;
}

static void sink_failed(struct event_relay *relay, const struct error *error)
{
    log_error("event relay: the sink cannot go on", error);
    if (relay->options.failed != NULL)
        relay->options.failed(relay->options.failed_context, error);
    else
        abort();
}

/*
 * Appends the rows that are not in the sink yet, deletes those that are. While in doubt only one
 * run of either kind a round: on PostgreSQL rows that were committed late may stand before those
 * that were appended.
 */
static struct error hand_over(struct event_relay *relay, const struct relay_batch *batch)
{
    size_t known = known_rows(relay, batch);
    size_t count = known > 0 ? 0 : unknown_rows(relay, batch);
    size_t appended = 0;
    bool stays_doubtful = relay->is_doubtful && !(relay->is_alone && known == 0);
    relay->is_doubtful = true; /* until what is appended is deleted */
    if (count > 0) {
        struct error error =
            event_sink_append(relay->options.sink, batch->events, count, &appended);
        if (error_is(error)) {
            if (!sink_may_repeat(error))
                sink_failed(relay, &error);
            return error;
        }
    }
    struct error error = relay_rows_remove(&relay->rows, batch, known + appended);
    if (error_is(error))
        return error;
    relay->is_doubtful = stays_doubtful;
    pthread_mutex_lock(&relay->mutex);
    relay->status.relayed += appended;
    pthread_mutex_unlock(&relay->mutex);
    return error;
}

static void tidy_now_and_then(struct event_relay *relay)
{
    int64_t now_us = clock_monotonic_us(relay->options.clock);
    if (relay->next_tidy_us == 0)
        relay->next_tidy_us = now_us + relay->options.tidy_us;
    if (now_us < relay->next_tidy_us)
        return;
    relay->next_tidy_us = now_us + relay->options.tidy_us;
    struct error error = event_sink_tidy(relay->options.sink);
    if (error_is(error))
        log_error("event relay: removing old events", &error);
}

static struct error round_of(struct event_relay *relay, bool *idle)
{
    bool leads = false;
    *idle = true;
    struct error error = keep_lease(relay, &leads);
    if (!error_is(error) && leads) {
        struct relay_batch batch = {.count_max = relay->options.batch_events_max};
        error = relay_rows_read(&relay->rows, &batch);
        if (!error_is(error) && batch.count > 0) {
            *idle = false;
            error = hand_over(relay, &batch);
        } else if (!error_is(error)) {
            relay->is_doubtful = false;
        }
        tidy_now_and_then(relay);
    }
    if (!error_is(error))
        error = measure(relay);
    return error;
}

struct error event_relay_step(struct event_relay *relay, bool *idle)
{
    struct error error = round_of(relay, idle);
    if (error_is(error)) {
        set_state(relay, EVENT_RELAY_FAILING, &error);
    } else {
        pthread_mutex_lock(&relay->mutex);
        bool was_failing = relay->status.state == EVENT_RELAY_FAILING;
        pthread_mutex_unlock(&relay->mutex);
        if (was_failing && relay->lease_until_us != 0)
            set_state(relay, EVENT_RELAY_LEADING, NULL);
    }
    return error;
}

/* --- the thread --- */

/* Sleeps for `us`, or until something is committed if `woken_early`, or the end. */
static void sleep_for(struct event_relay *relay, int64_t us, bool woken_early)
{
    struct timespec until = condition_deadline(us);
    pthread_mutex_lock(&relay->mutex);
    while (!relay->is_stopping && !(woken_early && relay->is_woken)) {
        if (pthread_cond_timedwait(&relay->changed, &relay->mutex, &until) != 0)
            break;
    }
    if (woken_early)
        relay->is_woken = false;
    pthread_mutex_unlock(&relay->mutex);
}

static bool is_stopping(struct event_relay *relay)
{
    pthread_mutex_lock(&relay->mutex);
    bool stopping = relay->is_stopping;
    pthread_mutex_unlock(&relay->mutex);
    return stopping;
}

static void *run(void *context)
{
    struct event_relay *relay = context;
    int64_t retry_us = retry_us_min;
    while (!is_stopping(relay)) {
        bool idle = true;
        struct error error = event_relay_step(relay, &idle);
        if (error_is(error)) {
            sleep_for(relay, retry_us, false);
            retry_us = 2 * retry_us > relay->options.retry_us_max ? relay->options.retry_us_max
                                                                  : 2 * retry_us;
            continue;
        }
        retry_us = retry_us_min;
        if (idle)
            sleep_for(relay, relay->is_alone ? wake_us_max : relay->options.poll_us, true);
        if (relay->options.gather_us > 0)
            sleep_for(relay, relay->options.gather_us, false);
    }
    return NULL;
}

struct error event_relay_start(struct event_relay **relay,
                               const struct event_relay_options *options)
{
    CHECK(options->batch_events_max > 0 && options->batch_events_max <= event_sink_batch_max);
    struct event_relay *made = memory_allocate_zero(1, sizeof *made);
    *relay = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "starting the event relay");
    made->options = *options;
    made->is_alone = sql_store_dialect(options->store) == SQL_DIALECT_SQLITE;
    made->is_doubtful = true;
    snprintf(made->holder, sizeof made->holder, "%016llx%016llx",
             (unsigned long long)random_uint64(options->random),
             (unsigned long long)random_uint64(options->random));
    relay_rows_init(&made->rows, options->store, options->outbox->context, options->clock);
    condition_init(&made->changed);
    pthread_mutex_init(&made->mutex, NULL);
    made->status.last_error = error_none();
    *relay = made;
    if (!options->threaded || pthread_create(&made->thread, NULL, run, made) == 0)
        return error_none();
    made->options.threaded = false;
    event_relay_stop(made);
    *relay = NULL;
    return error_make(ERROR_OUT_OF_MEMORY, "starting the event relay's thread");
}

void event_relay_wake(void *context)
{
    struct event_relay *relay = context;
    pthread_mutex_lock(&relay->mutex);
    if (!relay->is_woken) {
        relay->is_woken = true;
        pthread_cond_signal(&relay->changed);
    }
    pthread_mutex_unlock(&relay->mutex);
}

void event_relay_stop(struct event_relay *relay)
{
    if (relay == NULL)
        return;
    if (relay->options.threaded) {
        pthread_mutex_lock(&relay->mutex);
        relay->is_stopping = true;
        pthread_cond_signal(&relay->changed);
        pthread_mutex_unlock(&relay->mutex);
        pthread_join(relay->thread, NULL);
        if (relay->lease_until_us != 0 && !relay->is_alone) {
            struct error error = relay_rows_release(&relay->rows, relay->holder);
            if (error_is(error)) /* then it runs out by itself */
                log_error("event relay: giving up the lease", &error);
        }
    }
    relay_rows_deinit(&relay->rows);
    pthread_cond_destroy(&relay->changed);
    pthread_mutex_destroy(&relay->mutex);
    memory_release(relay);
}

struct event_relay_status event_relay_status(struct event_relay *relay)
{
    pthread_mutex_lock(&relay->mutex);
    struct event_relay_status status = relay->status;
    pthread_mutex_unlock(&relay->mutex);
    status.waiting_bytes = sql_outbox_bytes(relay->options.outbox);
    return status;
}
