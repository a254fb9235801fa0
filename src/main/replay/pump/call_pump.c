/*
 * A fixed number of slots, each bound to one connection to each server. A slot takes the next item
 * that is due, waits if it must, sends the call, and on the answer either repeats it after a pause,
 * sends the item's next call, or takes the next item. When none is left the slot rests; when all
 * rest the work is done. Where items take turns, an answer may bring several their turn: slots that
 * rest are then woken for them.
 *
 * Failure: the first error is kept, no slot starts anything new, and the pump waits for the answers
 * that are still out, so that the caller's state is as true as it can be. What has not come after 5
 * s is given up; its completion runs when the connections are closed.
 */
#include "main/replay/pump/call_pump.h"

#include "main/replay/pump/answer_details.h"
#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <string.h>

static const int64_t call_timeout_us = INT64_C(30) * 1000000;
static const int64_t connect_timeout_us = INT64_C(5) * 1000000;
static const int64_t pause_us_min = INT64_C(10) * 1000;
static const int64_t pause_us_max = INT64_C(1000) * 1000;
static const int64_t drain_us = INT64_C(5) * 1000000;
static const size_t call_bytes_max = (size_t)1 << 20;
static const size_t response_bytes_max = (size_t)4 << 20;

enum slot_state {
    SLOT_RESTING,
    SLOT_WAITING, /* for its timer */
    SLOT_CALLING,
};

struct slot {
    struct call_pump *pump;
    size_t connection; /* of each server */
    uv_timer_t timer;
    enum slot_state state;
    struct arena arena; /* of the call at hand */
    struct pump_call call;
    size_t item;
    bool is_sent;        /* the call at hand, at least once */
    int64_t sent_us;     /* first, monotonic */
    int64_t sent_now_us; /* first, wall clock */
    int64_t pause_us;    /* before the next repeat */
};

struct call_pump {
    struct call_pump_options options;
    struct rpc_client **clients; /* `connections` a server: the first, then the others in order */
    struct slot *slots;
    size_t slot_count;
    size_t slots_open; /* their timers are to be closed */
    size_t clients_open;
    size_t busy; /* slots that do not rest */
    bool stopped;
    bool has_answered; /* the server has, once */
    struct call_pump_counts counts;
    size_t in_flight;
    int64_t busy_since_us; /* if in_flight > 0 */
    /* Of the work at hand: */
    const struct pump_work *work;
    void *context;
    struct latency_sample *latencies;
    size_t item_count;
    struct order_turns *turns; /* NULL = in rising order */
    size_t next_item;          /* then */
    struct error error;        /* the first */
};

static void slot_end_item(struct slot *slot);

static void fail(struct call_pump *pump, struct error error)
{
    if (!error_is(pump->error))
        pump->error = error;
}

static bool is_ending(const struct call_pump *pump)
{
    return pump->stopped || error_is(pump->error);
}

static void slot_rest(struct slot *slot)
{
    slot->state = SLOT_RESTING;
    slot->pump->busy--;
}

/* --- answers --- */

static void timer_send(uv_timer_t *timer);

static void slot_wait(struct slot *slot, int64_t wait_us)
{
    slot->state = SLOT_WAITING;
    /* A timer counts from the loop's idea of now, which may be old. */
    uv_update_time(slot->pump->options.loop);
    /* Cannot fail: the callback is set and the timer is not closing. */
    (void)uv_timer_start(&slot->timer, timer_send, (uint64_t)((wait_us + 999) / 1000), 0);
}

static void slot_prepare(struct slot *slot);

/* The server, or the way to it, does not answer. */
static void slot_repeat(struct slot *slot, const struct rpc_status *status)
{
    struct call_pump *pump = slot->pump;
    int64_t age_us = clock_now_us(pump->options.clock) - slot->sent_now_us;
    int64_t patience_us =
        pump->has_answered ? pump->options.patience_us : pump->options.first_patience_us;
    if (age_us < 0 || age_us > patience_us) {
        fail(pump, error_make(ERROR_NETWORK, "%s: %.*s", grpc_status_name(status->code),
                              (int)status->message.size, status->message.data));
    }
    if (is_ending(pump)) {
        slot_rest(slot);
        return;
    }
    int64_t asked_us = answer_retry_delay_us(status);
    slot_wait(slot, asked_us > slot->pause_us ? asked_us : slot->pause_us);
    slot->pause_us = 2 * slot->pause_us > pause_us_max ? pause_us_max : 2 * slot->pause_us;
    pump->counts.repeated++;
}

static void slot_done(struct slot *slot, const struct rpc_client_result *result)
{
    struct call_pump *pump = slot->pump;
    bool again = false;
    int64_t latency_us = clock_monotonic_us(pump->options.clock) - slot->sent_us;
    pump->has_answered = true;
    pump->counts.calls++;
    if (pump->latencies != NULL && !latency_sample_add(pump->latencies, latency_us))
        fail(pump, error_make(ERROR_OUT_OF_MEMORY, "latencies"));
    struct error error = pump->work->answered(pump->context, slot->item, result, &again);
    if (error_is(error))
        fail(pump, error);
    if (is_ending(pump))
        slot_rest(slot);
    else if (again)
        slot_prepare(slot);
    else
        slot_end_item(slot);
}

static void call_done(void *context, const struct rpc_client_result *result)
{
    struct slot *slot = context;
    struct call_pump *pump = slot->pump;
    if (pump->work == NULL)
        return;
    if (--pump->in_flight == 0)
        pump->counts.busy_us += clock_monotonic_us(pump->options.clock) - pump->busy_since_us;
    if (answer_may_be_repeated(&result->status))
        slot_repeat(slot, &result->status);
    else
        slot_done(slot, result);
}

/* --- sending --- */

/* The connection to whoever serves the method. */
static struct rpc_client *client_for(const struct slot *slot)
{
    static const char package[] = "/waybill.";
    const struct call_pump_options *options = &slot->pump->options;
    size_t server = 0;
    const char *context = slot->call.path + sizeof package - 1;
    for (size_t i = 0; i < options->other_count; i++) {
        size_t size = strlen(options->others[i].context);
        if (strncmp(slot->call.path, package, sizeof package - 1) == 0 &&
            strncmp(context, options->others[i].context, size) == 0 && context[size] == '.')
            server = i + 1;
    }
    return slot->pump->clients[server * options->connections + slot->connection];
}

static void slot_send(struct slot *slot)
{
    struct call_pump *pump = slot->pump;
    if (!slot->is_sent) {
        slot->is_sent = true;
        slot->sent_us = clock_monotonic_us(pump->options.clock);
        slot->sent_now_us = clock_now_us(pump->options.clock);
    }
    if (pump->in_flight++ == 0)
        pump->busy_since_us = clock_monotonic_us(pump->options.clock);
    slot->state = SLOT_CALLING;
    rpc_client_call(client_for(slot), slot->call.path, slot->call.request, slot->call.response,
                    slot->call.timeout_us > 0 ? slot->call.timeout_us : call_timeout_us, call_done,
                    slot);
}

static void timer_send(uv_timer_t *timer)
{
    struct slot *slot = timer->data;
    if (is_ending(slot->pump))
        slot_rest(slot);
    else
        slot_send(slot);
}

/* Sends the item's next call, now or when its wait is over. */
static void slot_prepare(struct slot *slot)
{
    struct call_pump *pump = slot->pump;
    int64_t wait_us = 0;
    if (pump->work->wait_us != NULL)
        wait_us = pump->work->wait_us(pump->context, slot->item);
    arena_reset(&slot->arena);
    slot->call = (struct pump_call){0};
    slot->is_sent = false;
    slot->pause_us = pause_us_min;
    if (!pump->work->prepare(pump->context, slot->item, &slot->arena, &slot->call)) {
        fail(pump, error_make(ERROR_OUT_OF_MEMORY, "request"));
        slot_rest(slot);
    } else if (wait_us > 0) {
        slot_wait(slot, wait_us);
    } else {
        slot_send(slot);
    }
}

/* The next item that may begin, due or not. False: none, or none before another is over. */
static bool next_item(struct call_pump *pump, size_t *item)
{
    uint32_t order;
    if (pump->turns == NULL) {
        *item = pump->next_item;
        pump->next_item += pump->next_item < pump->item_count;
        return *item < pump->item_count;
    }
    if (!order_turns_next(pump->turns, &order))
        return false;
    *item = order;
    return true;
}

static void end_item(struct call_pump *pump, size_t item)
{
    if (pump->turns != NULL)
        order_turns_done(pump->turns, (uint32_t)item);
}

/* The next item that has something to do; those that have not are over. */
static bool next_due_item(struct call_pump *pump, size_t *item)
{
    while (next_item(pump, item)) {
        if (pump->work->is_due(pump->context, *item))
            return true;
        end_item(pump, *item);
    }
    return false;
}

static void slot_take_item(struct slot *slot)
{
    if (is_ending(slot->pump) || !next_due_item(slot->pump, &slot->item))
        slot_rest(slot);
    else
        slot_prepare(slot);
}

/* Slots that rest, for the items whose turn has come. */
static void wake_resting(struct call_pump *pump)
{
    for (size_t i = 0; i < pump->slot_count && !is_ending(pump); i++) {
        struct slot *slot = &pump->slots[i];
        if (slot->state != SLOT_RESTING)
            continue;
        if (!next_due_item(pump, &slot->item))
            return;
        pump->busy++;
        slot_prepare(slot);
    }
}

static void slot_end_item(struct slot *slot)
{
    end_item(slot->pump, slot->item);
    slot_take_item(slot);
    if (slot->pump->turns != NULL)
        wake_resting(slot->pump);
}

/* --- a work --- */

/* The work ends early: what only waits need not. */
static void wake_waiting(struct call_pump *pump)
{
    for (size_t i = 0; i < pump->slot_count; i++) {
        if (pump->slots[i].state == SLOT_WAITING) {
            (void)uv_timer_stop(&pump->slots[i].timer);
            slot_rest(&pump->slots[i]);
        }
    }
}

static void drain(struct call_pump *pump)
{
    int64_t until_us = clock_monotonic_us(pump->options.clock) + drain_us;
    wake_waiting(pump);
    while (pump->busy > 0 && clock_monotonic_us(pump->options.clock) < until_us) {
        if (uv_run(pump->options.loop, UV_RUN_NOWAIT) != 0)
            uv_sleep(1);
    }
}

struct error call_pump_run(struct call_pump *pump, const struct pump_work *work, void *context,
                           struct latency_sample *latencies)
{
    CHECK(pump->busy == 0);
    pump->work = work;
    pump->context = context;
    pump->latencies = latencies;
    pump->item_count = work->item_count(context);
    pump->turns = work->turns == NULL ? NULL : work->turns(context);
    pump->next_item = 0;
    pump->error = error_none();
    if (pump->turns != NULL)
        order_turns_begin(pump->turns);
    for (size_t i = 0; i < pump->slot_count && !is_ending(pump); i++) {
        pump->busy++;
        slot_take_item(&pump->slots[i]);
    }
    while (pump->busy > 0 && !is_ending(pump))
        uv_run(pump->options.loop, UV_RUN_ONCE);
    if (is_ending(pump))
        drain(pump);
    pump->work = NULL; /* its context is the caller's: an answer that comes now is for nobody */
    if (!error_is(pump->error) && pump->stopped)
        return error_make(ERROR_CANCELLED, "stopped");
    return pump->error;
}

void call_pump_stop(struct call_pump *pump)
{
    pump->stopped = true;
}

bool call_pump_has_answered(const struct call_pump *pump)
{
    return pump->has_answered;
}

struct call_pump_counts call_pump_counts(const struct call_pump *pump)
{
    return pump->counts;
}

/* --- making --- */

static struct error create_clients(struct call_pump *pump, const char *server)
{
    struct rpc_client_options options = rpc_client_options_default();
    options.server = server;
    options.tls = pump->options.tls;
    options.connect_timeout_us = connect_timeout_us;
    options.response_bytes_max = response_bytes_max;
    options.calls_max = pump->options.calls_per_connection;
    for (uint32_t i = 0; i < pump->options.connections; i++) {
        struct error error =
            rpc_client_create(&pump->clients[pump->clients_open], pump->options.loop, &options);
        if (error_is(error))
            return error;
        pump->clients_open++;
    }
    return error_none();
}

static void create_slots(struct call_pump *pump)
{
    for (size_t i = 0; i < pump->slot_count; i++) {
        struct slot *slot = &pump->slots[i];
        slot->pump = pump;
        slot->connection = i % pump->options.connections;
        arena_init(&slot->arena, call_bytes_max);
        (void)uv_timer_init(pump->options.loop, &slot->timer); /* never fails */
        slot->timer.data = slot;
        pump->slots_open++;
    }
}

struct error call_pump_create(struct call_pump **result, const struct call_pump_options *options)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "calls");
    struct call_pump *pump = memory_allocate_zero(1, sizeof *pump);
    *result = NULL;
    if (pump == NULL)
        return error;
    pump->options = *options;
    pump->slot_count = (size_t)options->connections * options->calls_per_connection;
    pump->clients = memory_allocate_zero((options->other_count + 1) * options->connections,
                                         sizeof(struct rpc_client *));
    pump->slots = memory_allocate_zero(pump->slot_count, sizeof *pump->slots);
    if (pump->clients != NULL && pump->slots != NULL)
        error = create_clients(pump, options->server);
    for (size_t i = 0; i < options->other_count && !error_is(error); i++)
        error = create_clients(pump, options->others[i].server);
    if (error_is(error)) {
        call_pump_destroy(pump);
        return error;
    }
    create_slots(pump);
    *result = pump;
    return error_none();
}

static void client_closed(void *context)
{
    struct call_pump *pump = context;
    pump->clients_open--;
}

static void timer_closed(uv_handle_t *timer)
{
    struct slot *slot = timer->data;
    slot->pump->slots_open--;
}

void call_pump_destroy(struct call_pump *pump)
{
    if (pump == NULL)
        return;
    size_t client_count = pump->clients_open;
    size_t slot_count = pump->slots_open;
    for (size_t i = 0; i < client_count; i++)
        rpc_client_close(pump->clients[i], client_closed, pump);
    for (size_t i = 0; i < slot_count; i++)
        uv_close((uv_handle_t *)&pump->slots[i].timer, timer_closed);
    while (pump->clients_open > 0 || pump->slots_open > 0)
        uv_run(pump->options.loop, UV_RUN_ONCE);
    for (size_t i = 0; i < slot_count; i++)
        arena_deinit(&pump->slots[i].arena);
    memory_release(pump->clients);
    memory_release(pump->slots);
    memory_release(pump);
}
