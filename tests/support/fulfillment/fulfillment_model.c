/*
 * Every order that ever came in is a record in a list; every answer is worked out by looking
 * through all. Copies live in one arena as long as the model.
 */
#include "tests/support/fulfillment/fulfillment_model.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/fulfillment/order_copy.h"

#include <string.h>

static const size_t model_bytes_max = (size_t)1 << 30;

struct model_order {
    struct order *order;
    const struct order *request; /* what it was promised for */
    uint64_t position;
    uint64_t claim;
    int64_t lease_until_us;
    int64_t next_time_us; /* 0 = it rests */
    bool is_forgotten;    /* another one stands in its place */
};

struct model_place {
    struct text source;
    struct order_place place;
};

/* A list that grows; elements are never moved away. */
struct list {
    void **items;
    size_t count;
    size_t capacity;
};

struct fulfillment_model {
    struct fulfillment_repository base;
    struct clock *clock;
    fulfillment_event_encode *encode;
    struct arena arena;
    int64_t now_us;
    struct list orders, signals, places, events;
};

static void *add(struct fulfillment_model *model, struct list *list, size_t size)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        list->items = memory_reallocate(list->items, list->capacity * sizeof *list->items);
        CHECK(list->items != NULL);
    }
    void *item = arena_allocate_zero(&model->arena, 1, size);
    CHECK(item != NULL);
    list->items[list->count++] = item;
    return item;
}

static struct model_order *find(struct fulfillment_model *model, struct text order_id)
{
    for (size_t i = 0; i < model->orders.count; i++) {
        struct model_order *record = model->orders.items[i];
        if (!record->is_forgotten && text_equal(record->order->order_id, order_id))
            return record;
    }
    return NULL;
}

static bool is_hidden(const struct model_order *record)
{
    return record->order->state == ORDER_PROMISING || record->order->state == ORDER_REFUSED;
}

/* --- one change --- */

static void emit(struct fulfillment_model *model, const struct order *order,
                 enum order_event_type type, int64_t time_us)
{
    struct fulfillment_model_event *event = add(model, &model->events, sizeof *event);
    const struct fulfillment_event told = {.type = type, .order = order};
    event->type = order_event_name(type);
    event->key = order->order_id;
    event->revision = order->revision;
    event->time_us = time_us;
    if (model->encode != NULL)
        CHECK(model->encode(&told, &model->arena, &event->data));
}

/* The order as it is now takes the record's place; the change since `before` is told. */
static void write(struct fulfillment_model *model, struct model_order *record,
                  const struct order *order, enum order_state before, int64_t time_us)
{
    enum order_event_type events[order_events_max];
    record->order = order_copy(&model->arena, order);
    record->order->revision++;
    size_t count = order_events(before, record->order, events);
    for (size_t i = 0; i < count; i++)
        emit(model, record->order, events[i], time_us);
}

static bool is_due_promise(const struct fulfillment_model *model, const struct model_order *record)
{
    return !record->is_forgotten && record->order->state == ORDER_PROMISED &&
           record->order->goal == GOAL_NONE && record->order->expire_time_us <= model->now_us;
}

static bool has_signal(const struct fulfillment_model *model, struct text order_id)
{
    for (size_t i = 0; i < model->signals.count; i++) {
        if (text_equal(((struct order_signal *)model->signals.items[i])->order_id, order_id))
            return true;
    }
    return false;
}

static void expire(struct fulfillment_model *model, struct model_order *record)
{
    struct order order = *record->order;
    if (!is_due_promise(model, record))
        return;
    order.state = ORDER_EXPIRED;
    record->lease_until_us = 0;
    record->next_time_us = has_signal(model, order.order_id) ? model->now_us : 0;
    write(model, record, &order, ORDER_PROMISED, record->order->expire_time_us);
}

static void expire_all(struct fulfillment_model *model)
{
    for (size_t i = 0; i < model->orders.count; i++)
        expire(model, model->orders.items[i]);
}

static struct order shown(const struct fulfillment_command *command,
                          const struct model_order *record)
{
    return *order_copy(command->arena, record->order);
}

/* --- decisions --- */

static void begin_anew(struct fulfillment_model *model, struct begin_order_command *command,
                       struct model_order *refused)
{
    struct model_order *record = add(model, &model->orders, sizeof *record);
    struct order order = *command->request;
    record->position = model->orders.count;
    record->claim = order_next_claim(0, &command->claimant);
    record->request = order_copy(&model->arena, command->request);
    if (refused != NULL) {
        order.reservation_attempt = refused->order->reservation_attempt;
        order.allocation_attempt = refused->order->allocation_attempt;
        order.shipment_attempts = refused->order->shipment_attempts;
        record->claim = order_next_claim(refused->claim, &command->claimant);
        refused->is_forgotten = true;
    }
    order_begin_promise(&order);
    order.create_time_us = model->now_us;
    record->order = order_copy(&model->arena, &order);
    record->lease_until_us = record->next_time_us = model->now_us + command->lease_us;
    command->order = shown(&command->base, record);
    command->claim = record->claim;
    command->is_claimed = true;
}

static enum fulfillment_outcome begin(struct fulfillment_model *model,
                                      struct begin_order_command *command)
{
    struct model_order *record = find(model, command->request->order_id);
    command->is_claimed = false;
    if (record == NULL || record->order->state == ORDER_REFUSED) {
        begin_anew(model, command, record);
        return FULFILLMENT_DONE;
    }
    expire(model, record);
    bool is_promising = record->order->state == ORDER_PROMISING;
    if (!order_same_request(record->request, command->request))
        return is_promising ? FULFILLMENT_BUSY : FULFILLMENT_ID_REUSED;
    if (is_promising) {
        if (order_is_claimed(record->claim, record->lease_until_us, model->now_us,
                             &command->claimant) ||
            record->order->goal != GOAL_PROMISE)
            return FULFILLMENT_BUSY;
        record->claim = order_next_claim(record->claim, &command->claimant);
        record->lease_until_us = record->next_time_us = model->now_us + command->lease_us;
        write(model, record, record->order, ORDER_PROMISING, model->now_us);
        command->claim = record->claim;
        command->is_claimed = true;
    }
    command->order = shown(&command->base, record);
    return FULFILLMENT_DONE;
}

/* The signals of that order, the first ones, put into it; `forget` takes them out of the list. */
static size_t take_signals(struct fulfillment_model *model, struct order *order, bool forget)
{
    size_t count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < model->signals.count; i++) {
        struct order_signal *signal = model->signals.items[i];
        bool is_taken =
            text_equal(signal->order_id, order->order_id) && count < fulfillment_signals_max;
        if (is_taken && !forget)
            order_take_signal(order, signal, &model->arena);
        count += is_taken;
        if (!is_taken || !forget)
            model->signals.items[kept++] = signal;
    }
    model->signals.count = kept;
    return count;
}

static bool rests(const struct order *order)
{
    return order->goal == GOAL_NONE || order->state == ORDER_NEEDS_ATTENTION;
}

static enum order_request_outcome apply(const struct claim_order_command *command,
                                        struct order *order, int64_t now_us)
{
    switch (command->request) {
    case ORDER_CONFIRM:
        return order_confirm(order, now_us);
    case ORDER_CANCEL:
        return order_cancel(order, command->reason);
    case ORDER_RESUME:
        break;
    }
    if (order->state == ORDER_PROMISING)
        order_abandon_promise(order);
    return rests(order) ? REQUEST_ANSWERED : REQUEST_STARTED;
}

static enum fulfillment_outcome claim(struct fulfillment_model *model,
                                      struct claim_order_command *command)
{
    struct model_order *record = find(model, command->order_id);
    command->is_claimed = false;
    if (record == NULL || (command->request != ORDER_RESUME && is_hidden(record)))
        return FULFILLMENT_ORDER_NOT_FOUND;
    if (order_is_claimed(record->claim, record->lease_until_us, model->now_us, &command->claimant))
        return FULFILLMENT_BUSY;
    expire(model, record);
    struct order *order = order_copy(&model->arena, record->order);
    size_t signal_count = take_signals(model, order, false);
    enum order_request_outcome outcome = apply(command, order, model->now_us);
    command->order = *order_copy(command->base.arena, order);
    command->order.refusal = order->refusal;
    if (outcome == REQUEST_REFUSED)
        return FULFILLMENT_REFUSED;
    command->is_claimed = outcome == REQUEST_STARTED || !rests(order);
    bool is_repeat = !command->is_claimed && signal_count == 0 && command->request != ORDER_RESUME;
    if (is_repeat)
        return FULFILLMENT_DONE;
    (void)take_signals(model, order, true);
    if (command->is_claimed)
        record->claim = order_next_claim(record->claim, &command->claimant);
    record->lease_until_us = record->next_time_us =
        command->is_claimed ? model->now_us + command->lease_us : 0;
    write(model, record, order, record->order->state, model->now_us);
    command->order = shown(&command->base, record);
    command->claim = record->claim;
    return FULFILLMENT_DONE;
}

static enum fulfillment_outcome save(struct fulfillment_model *model,
                                     struct save_order_command *command)
{
    struct model_order *record = find(model, command->order->order_id);
    if (record == NULL)
        return FULFILLMENT_ORDER_NOT_FOUND;
    if (record->claim != command->claim)
        return FULFILLMENT_CLAIM_LOST;
    struct order order = *command->order;
    order.revision = record->order->revision;
    order.create_time_us = record->order->create_time_us;
    order.milestones = record->order->milestones;
    record->lease_until_us = record->next_time_us = 0;
    if (command->mode == SAVE_AND_KEEP)
        record->lease_until_us = record->next_time_us = model->now_us + command->lease_us;
    else if (has_signal(model, order.order_id))
        record->next_time_us = model->now_us;
    else if (command->mode == SAVE_AND_WAIT)
        record->next_time_us = model->now_us + command->delay_us;
    write(model, record, &order, record->order->state, model->now_us);
    command->order->revision = record->order->revision;
    command->order->create_time_us = record->order->create_time_us;
    command->order->milestones = record->order->milestones;
    return FULFILLMENT_DONE;
}

/* --- reads --- */

static enum fulfillment_outcome get(struct fulfillment_model *model,
                                    struct get_order_command *command)
{
    struct model_order *record = find(model, command->order_id);
    if (record == NULL || is_hidden(record))
        return FULFILLMENT_ORDER_NOT_FOUND;
    expire(model, record);
    command->order = shown(&command->base, record);
    return FULFILLMENT_DONE;
}

static enum fulfillment_outcome list(struct fulfillment_model *model,
                                     struct list_orders_command *command)
{
    uint64_t last = command->after;
    expire_all(model);
    command->order_count = 0;
    command->next = 0;
    command->orders =
        arena_allocate_zero(command->base.arena, command->page_size, sizeof *command->orders);
    CHECK(command->orders != NULL);
    for (size_t i = 0; i < model->orders.count; i++) {
        const struct model_order *record = model->orders.items[i];
        bool is_wanted = !record->is_forgotten && !is_hidden(record) &&
                         record->position > command->after &&
                         (command->state == 0 || record->order->state == command->state) &&
                         (command->customer_id.size == 0 ||
                          text_equal(record->order->customer_id, command->customer_id));
        if (!is_wanted)
            continue;
        if (command->order_count == command->page_size) {
            command->next = last;
            break;
        }
        command->orders[command->order_count++] = shown(&command->base, record);
        last = record->position;
    }
    return FULFILLMENT_DONE;
}

static void count_open(const struct fulfillment_model *model, struct order_open_counts *counts)
{
    *counts = (struct order_open_counts){0};
    for (size_t i = 0; i < model->orders.count; i++) {
        const struct model_order *one = model->orders.items[i];
        if (one->is_forgotten)
            continue;
        counts->need_attention += one->order->state == ORDER_NEEDS_ATTENTION;
        counts->unfinished += one->next_time_us > 0;
    }
}

static enum fulfillment_outcome list_due(struct fulfillment_model *model,
                                         struct list_due_command *command)
{
    const struct model_order *last = NULL; /* the longest waiting first; of two, the older one */
    expire_all(model);
    command->order_count = 0;
    command->order_ids =
        arena_allocate_zero(command->base.arena, command->count_max + 1, sizeof(struct text));
    CHECK(command->order_ids != NULL);
    if (command->must_count)
        count_open(model, &command->open);
    while (command->order_count < command->count_max) {
        const struct model_order *next = NULL;
        for (size_t i = 0; i < model->orders.count; i++) {
            const struct model_order *one = model->orders.items[i];
            bool is_due =
                !one->is_forgotten && one->next_time_us > 0 && one->next_time_us <= model->now_us;
            bool is_behind =
                last == NULL || one->next_time_us > last->next_time_us ||
                (one->next_time_us == last->next_time_us && one->position > last->position);
            if (is_due && is_behind && (next == NULL || one->next_time_us < next->next_time_us))
                next = one;
        }
        if (next == NULL)
            break;
        command->order_ids[command->order_count++] =
            arena_copy_text(command->base.arena, next->order->order_id);
        last = next;
    }
    return FULFILLMENT_DONE;
}

/* --- what others tell --- */

static struct model_place *find_place(struct fulfillment_model *model, struct text source)
{
    for (size_t i = 0; i < model->places.count; i++) {
        struct model_place *place = model->places.items[i];
        if (text_equal(place->source, source))
            return place;
    }
    return NULL;
}

static enum fulfillment_outcome follow(struct fulfillment_model *model,
                                       struct follow_events_command *command)
{
    struct model_place *place = find_place(model, command->source);
    command->kept_count = 0;
    for (size_t i = 0; i < command->signal_count; i++) {
        struct model_order *record = find(model, command->signals[i].order_id);
        if (record == NULL || is_hidden(record))
            continue;
        struct order_signal *signal = add(model, &model->signals, sizeof *signal);
        *signal = order_copy_signal(&model->arena, &command->signals[i]);
        command->kept_count++;
        if (record->lease_until_us <= model->now_us &&
            (record->next_time_us == 0 || record->next_time_us > model->now_us))
            record->next_time_us = model->now_us;
    }
    if (place == NULL) {
        place = add(model, &model->places, sizeof *place);
        place->source = arena_copy_text(&model->arena, command->source);
    }
    place->place.log = arena_copy_text(&model->arena, command->place.log);
    place->place.position = command->place.position;
    return FULFILLMENT_DONE;
}

static enum fulfillment_outcome get_place(struct fulfillment_model *model,
                                          struct get_place_command *command)
{
    const struct model_place *place = find_place(model, command->source);
    command->place = place == NULL ? (struct order_place){0} : place->place;
    return FULFILLMENT_DONE;
}

/* --- the port --- */

static enum fulfillment_outcome decide(struct fulfillment_model *model,
                                       struct fulfillment_command *command)
{
    switch (command->kind) {
    case COMMAND_BEGIN_ORDER:
        return begin(model, (struct begin_order_command *)command);
    case COMMAND_CLAIM_ORDER:
        return claim(model, (struct claim_order_command *)command);
    case COMMAND_SAVE_ORDER:
        return save(model, (struct save_order_command *)command);
    case COMMAND_GET_ORDER:
        return get(model, (struct get_order_command *)command);
    case COMMAND_LIST_ORDERS:
        return list(model, (struct list_orders_command *)command);
    case COMMAND_LIST_DUE:
        return list_due(model, (struct list_due_command *)command);
    case COMMAND_FOLLOW_EVENTS:
        return follow(model, (struct follow_events_command *)command);
    case COMMAND_GET_PLACE:
        return get_place(model, (struct get_place_command *)command);
    }
    CHECK(false);
    return FULFILLMENT_DONE;
}

static void answer(struct task *task)
{
    struct fulfillment_command *command =
        (struct fulfillment_command *)(void *)((char *)task -
                                               offsetof(struct fulfillment_command, task));
    command->done(command, NULL);
}

static void execute(struct fulfillment_repository *base, struct fulfillment_command *command)
{
    struct fulfillment_model *model = (struct fulfillment_model *)base;
    model->now_us = clock_now_us(model->clock);
    command->outcome = decide(model, command);
    command->task.run = answer;
    executor_post(command->executor, &command->task);
}

struct fulfillment_model *fulfillment_model_create(struct clock *clock,
                                                   fulfillment_event_encode *encode)
{
    static const struct fulfillment_repository_table table = {.execute = execute};
    struct fulfillment_model *model = memory_allocate_zero(1, sizeof *model);
    CHECK(model != NULL);
    model->base.table = &table;
    model->clock = clock;
    model->encode = encode;
    arena_init(&model->arena, model_bytes_max);
    return model;
}

void fulfillment_model_destroy(struct fulfillment_model *model)
{
    struct list *lists[] = {&model->orders, &model->signals, &model->places, &model->events};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        memory_release(lists[i]->items);
    arena_deinit(&model->arena);
    memory_release(model);
}

struct fulfillment_repository *fulfillment_model_port(struct fulfillment_model *model)
{
    return &model->base;
}

void fulfillment_model_release_claims(struct fulfillment_model *model)
{
    for (size_t i = 0; i < model->orders.count; i++) {
        struct model_order *record = model->orders.items[i];
        if (record->lease_until_us > 0)
            record->next_time_us = clock_now_us(model->clock);
        record->lease_until_us = 0;
    }
}

size_t fulfillment_model_event_count(const struct fulfillment_model *model)
{
    return model->events.count;
}

const struct fulfillment_model_event *fulfillment_model_event(const struct fulfillment_model *model,
                                                              size_t index)
{
    return model->events.items[index];
}
