/*
 * A consumer on the subscription's thread that asks the repository one question at a time and
 * sleeps until it is answered. One at a time, because each stores the place behind it: if a later
 * one were taken while an earlier one was refused for want of room, the earlier would be lost.
 *
 * An event that is no message of its type, or whose ids are not such as inventory takes, stops the
 * feed there with DAMAGED: on hand is a sum of all movements, and skipping one would make a drift
 * that nobody asked for (decision 0012).
 */
#include "inventory/interfaces/events/shelf_feed.h"

#include "inventory/domain/limits.h"
#include "platform/base/memory.h"
#include "platform/base/waiting_executor.h"
#include "platform/rpc/message_pack.h"
#include "waybill/warehouse/v1/warehouse_events.pb-c.h"

#include <string.h>

static const char movement_recorded[] = "waybill.warehouse.v1.MovementRecorded";

struct shelf_feed {
    struct waiting_executor executor; /* the mail of the subscription's thread */
    struct inventory_repository *repository;
    struct event_subscription *subscription;
    bool answered; /* the question in hand */
    struct error error;
};

enum { question_bytes_max = 64 * 1024 };

/* --- asking the repository --- */

static void done(void *context, const struct error *error)
{
    struct shelf_feed *feed = context;
    feed->answered = true;
    feed->error = error == NULL ? error_none() : *error;
}

static struct error wait_for_answer(struct shelf_feed *feed)
{
    while (!feed->answered)
        waiting_executor_run_one(&feed->executor);
    return feed->error;
}

static struct inventory_command new_command(struct shelf_feed *feed, struct arena *arena)
{
    feed->answered = false;
    return (struct inventory_command){.executor = &feed->executor.base, .arena = arena};
}

static struct error load(void *context, struct event_place *place)
{
    struct shelf_feed *feed = context;
    struct arena arena;
    arena_init(&arena, question_bytes_max);
    struct get_shelf_place_command command = {.base = new_command(feed, &arena)};
    inventory_repository_get_shelf_place(feed->repository, &command, done, feed);
    struct error error = wait_for_answer(feed);
    if (!error_is(error)) {
        *place = (struct event_place){.position = command.place.position};
        memcpy(place->identity, command.place.log.data, command.place.log.size);
    }
    arena_deinit(&arena);
    return error;
}

static struct error follow(struct shelf_feed *feed, struct follow_shelf_command *command)
{
    struct arena arena;
    arena_init(&arena, question_bytes_max);
    command->base = new_command(feed, &arena);
    inventory_repository_follow_shelf(feed->repository, command, done, feed);
    struct error error = wait_for_answer(feed);
    arena_deinit(&arena);
    return error;
}

/* --- events --- */

/* What a movement is for on hand. False: nothing. */
static bool concerns_on_hand(const Waybill__Warehouse__V1__Movement *movement,
                             struct follow_shelf_command *command)
{
    switch (movement->type) {
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_INBOUND:
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_RETURN:
        command->is_receipt = true;
        return true;
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_ADJUSTMENT:
        command->note = text_of("ADJUSTMENT");
        return true;
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_OUTBOUND:
        command->note = text_of("OUTBOUND");
        return movement->reservation_id[0] == '\0';
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_TRANSFER:
    case WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE__MOVEMENT_TYPE_UNSPECIFIED:
    case _WAYBILL__WAREHOUSE__V1__MOVEMENT_TYPE_IS_INT_SIZE:
        break;
    }
    return false;
}

static bool is_good(const struct follow_shelf_command *command)
{
    return command->movement_id.size > 0 && command->movement_id.size <= inventory_id_bytes_max &&
           command->sku.size > 0 && command->sku.size <= inventory_sku_bytes_max &&
           command->quantity != 0 && (!command->is_receipt || command->quantity > 0);
}

static struct error follow_movement(struct shelf_feed *feed,
                                    const Waybill__Warehouse__V1__Movement *movement,
                                    struct shelf_place place, uint64_t *followed)
{
    struct follow_shelf_command command = {
        .movement_id = text_of(movement->movement_id),
        .sku = text_of(movement->sku),
        .quantity = movement->quantity,
        .place = place,
    };
    if (!concerns_on_hand(movement, &command))
        return error_none();
    if (!is_good(&command))
        return error_make(ERROR_DAMAGED, "it is no movement that inventory can follow");
    *followed = place.position;
    return follow(feed, &command);
}

static struct error handle_event(struct shelf_feed *feed, const struct event *event,
                                 struct text log, uint64_t *followed)
{
    if (!text_equals_string(event->type, movement_recorded))
        return error_none();
    const struct shelf_place place = {.log = log, .position = event->sequence};
    ProtobufCMessage *message;
    struct error error = message_unpack(&waybill__warehouse__v1__movement_recorded__descriptor,
                                        event->data, &message);
    const Waybill__Warehouse__V1__Movement *movement =
        message == NULL ? NULL : ((Waybill__Warehouse__V1__MovementRecorded *)message)->movement;
    if (movement != NULL)
        error = follow_movement(feed, movement, place, followed);
    else if (!error_is(error))
        error = error_make(ERROR_DAMAGED, "there is no movement");
    if (error.code == ERROR_DAMAGED)
        error = error_prefix(error, "event %.*s at %llu", (int)event->event_id.size,
                             event->event_id.data, (unsigned long long)event->sequence);
    message_release(message);
    return error;
}

static struct error handle(void *context, const struct event_batch *batch,
                           const struct event_place *place)
{
    struct shelf_feed *feed = context;
    struct text log = text_of(place->identity);
    uint64_t followed = 0;
    for (size_t i = 0; i < batch->event_count; i++) {
        struct error error = handle_event(feed, &batch->events[i], log, &followed);
        if (error_is(error))
            return error;
    }
    if (followed >= place->position || place->position == 0)
        return error_none();
    struct follow_shelf_command command = {.place = {.log = log, .position = place->position}};
    return follow(feed, &command);
}

/* --- its life --- */

static void destroy(struct shelf_feed *feed)
{
    waiting_executor_deinit(&feed->executor);
    memory_release(feed);
}

struct error shelf_feed_start(struct shelf_feed **feed, const struct shelf_feed_options *options)
{
    _Static_assert(shelf_log_bytes_max + 1 == event_log_identity_bytes_max, "one kind of name");
    struct shelf_feed *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "the shelf feed");
    waiting_executor_init(&made->executor);
    made->repository = options->repository;
    struct event_subscription_options subscription = event_subscription_options_default();
    subscription.name = "shelf feed";
    subscription.feed = options->feed;
    subscription.consumer =
        (struct event_consumer){.load = load, .handle = handle, .context = made};
    subscription.clock = options->clock;
    subscription.threaded = options->threaded;
    struct error error = event_subscription_start(&made->subscription, &subscription);
    if (error_is(error)) {
        destroy(made);
        return error;
    }
    *feed = made;
    return error;
}

struct error shelf_feed_step(struct shelf_feed *feed, bool *idle)
{
    return event_subscription_step(feed->subscription, idle);
}

void shelf_feed_stop(struct shelf_feed *feed)
{
    if (feed == NULL)
        return;
    event_subscription_stop(feed->subscription);
    destroy(feed);
}

struct event_subscription_status shelf_feed_status(struct shelf_feed *feed)
{
    return event_subscription_status(feed->subscription);
}
