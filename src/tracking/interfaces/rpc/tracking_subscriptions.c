/*
 * Subscriptions are notes of the repository. Creating one again with the same content answers with
 * what is there; the secret is never given back. Whoever sends is told of each change.
 */
#include "tracking/interfaces/rpc/tracking_subscriptions.h"

#include "platform/base/page_token.h"
#include "tracking/application/tracking_subscription.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include <string.h>

static const char list_name[] = "tracking.ListSubscriptions";

static Waybill__Tracking__V1__Subscription *subscription_message(
    struct arena *arena, const struct tracking_subscription *subscription,
    struct tracking_webhooks *webhooks)
{
    Waybill__Tracking__V1__Subscription *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__subscription__init(message);
    message->subscription_id = arena_copy_string(arena, subscription->subscription_id);
    message->url = arena_copy_string(arena, subscription->url);
    message->create_time = message_create_time(arena, subscription->create_time_us);
    message->types = arena_allocate(arena, subscription_type_count * sizeof *message->types);
    if (message->subscription_id == NULL || message->url == NULL || message->create_time == NULL ||
        message->types == NULL)
        return NULL;
    for (uint32_t i = 0; i < subscription_type_count; i++) {
        if ((subscription->types & UINT32_C(1) << i) != 0)
            message->types[message->n_types++] = (char *)(uintptr_t)subscription_type_names[i];
    }
    message->dead_letter_count =
        (int64_t)tracking_webhooks_dead_letters(webhooks, subscription->subscription_id);
    if (subscription->replay_from_us == 0)
        return message;
    message->replay_from = message_create_time(arena, subscription->replay_from_us);
    return message->replay_from == NULL ? NULL : message;
}

static struct text note_name(struct arena *arena, const char *prefix, struct text id)
{
    return text_of(arena_format(arena, "%s%.*s", prefix, (int)id.size, id.data));
}

/* --- CreateSubscription --- */

struct create_subscription_call {
    struct put_note_command command;
    struct rpc_call *call;
    struct tracking_door *door;
    struct tracking_subscription subscription;
};

static void fail_reused(struct rpc_call *call)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED",
                        "this subscription_id was used before for another subscription");
    rpc_call_fail(call, &status);
}

static void create_done(void *context, const struct error *error)
{
    struct create_subscription_call *state = context;
    Waybill__Tracking__V1__CreateSubscriptionResponse response;
    struct tracking_subscription kept;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    if (!tracking_subscription_decode(state->command.value, &kept) ||
        !tracking_subscription_same(&kept, &state->subscription)) {
        fail_reused(state->call);
        return;
    }
    kept.subscription_id = state->subscription.subscription_id;
    tracking_webhooks_changed(state->door->webhooks);
    waybill__tracking__v1__create_subscription_response__init(&response);
    response.subscription =
        subscription_message(rpc_call_arena(state->call), &kept, state->door->webhooks);
    rpc_call_end_with_answer(state->call, &response.base, response.subscription != NULL);
}

static void read_request(const Waybill__Tracking__V1__Subscription *message,
                         struct tracking_subscription *subscription, struct violations *violations)
{
    *subscription = (struct tracking_subscription){
        .subscription_id = text_of(message->subscription_id),
        .url = text_of(message->url),
        .secret = text_of(message->secret),
        .replay_from_us = message_time_us(message->replay_from),
    };
    for (size_t i = 0; i < message->n_types; i++) {
        uint32_t bit = 0;
        if (!subscription_type_find(text_of(message->types[i]), &bit))
            violations_add(violations,
                           "must be TrackingUpdated, ShipmentDelivered or TrackingSilent",
                           "subscription.types[%zu]", i);
        subscription->types |= bit;
    }
    tracking_subscription_check(subscription, violations);
}

void tracking_create_subscription(void *context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__CreateSubscriptionRequest *request = (const void *)message;
    static const Waybill__Tracking__V1__Subscription nothing =
        WAYBILL__TRACKING__V1__SUBSCRIPTION__INIT;
    struct tracking_door *door = context;
    struct violations violations;
    struct create_subscription_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->door = door;
    read_request(request->subscription == NULL ? &nothing : request->subscription,
                 &state->subscription, &violations);
    if (violations.count > 0) {
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    state->subscription.create_time_us = clock_now_us(door->service->clock);
    state->subscription.start_position =
        state->subscription.replay_from_us == 0
            ? tracking_announcement_source_newest(door->announcements)
            : tracking_announcement_source_oldest(door->announcements);
    state->command.only_if_absent = true;
    state->command.limited_prefix = text_of(subscription_prefix);
    state->command.count_max = door->subscriptions_max;
    state->command.name =
        note_name(rpc_call_arena(call), subscription_prefix, state->subscription.subscription_id);
    state->command.value = tracking_subscription_encode(rpc_call_arena(call), &state->subscription);
    if (state->command.name.data == NULL || state->command.value.data == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    tracking_repository_put_note(door->service->repository, &state->command, create_done, state);
}

/* --- ListSubscriptions --- */

struct list_subscriptions_call {
    struct list_notes_command command;
    struct rpc_call *call;
    struct tracking_door *door;
};

static bool fill_list(struct list_subscriptions_call *state,
                      Waybill__Tracking__V1__ListSubscriptionsResponse *response)
{
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_notes_command *command = &state->command;
    response->subscriptions =
        arena_allocate(arena, (command->note_count + 1) * sizeof *response->subscriptions);
    if (response->subscriptions == NULL)
        return false;
    for (size_t i = 0; i < command->note_count; i++) {
        struct tracking_subscription subscription;
        struct text name = command->notes[i].name;
        if (!tracking_subscription_decode(command->notes[i].value, &subscription))
            continue;
        subscription.subscription_id = text_make(name.data + strlen(subscription_prefix),
                                                 name.size - strlen(subscription_prefix));
        Waybill__Tracking__V1__Subscription *message =
            subscription_message(arena, &subscription, state->door->webhooks);
        if (message == NULL)
            return false;
        response->subscriptions[response->n_subscriptions++] = message;
    }
    if (!command->more)
        return true;
    response->next_page_token =
        (char *)page_token_make_key(arena, list_name, text_make("", 0),
                                    command->notes[command->note_count - 1].name)
            .data;
    return response->next_page_token != NULL;
}

static void list_done(void *context, const struct error *error)
{
    struct list_subscriptions_call *state = context;
    Waybill__Tracking__V1__ListSubscriptionsResponse response;
    if (tracking_fail_unless_done(state->call, &state->command.base, error))
        return;
    waybill__tracking__v1__list_subscriptions_response__init(&response);
    bool filled = fill_list(state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

void tracking_list_subscriptions(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__ListSubscriptionsRequest *request = (const void *)message;
    struct tracking_door *door = context;
    struct violations violations;
    struct list_subscriptions_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, rpc_call_arena(call));
    state->call = call;
    state->door = door;
    state->command.prefix = text_of(subscription_prefix);
    if (request->page_size < 0 || request->page_size > tracking_page_size_max) {
        violations_add(&violations, "must be 0 to 1000", "page_size");
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    state->command.page_size =
        request->page_size == 0 ? tracking_page_size_default : (size_t)request->page_size;
    if (!page_token_read_key(rpc_call_arena(call), text_of(request->page_token), list_name,
                             text_make("", 0), &state->command.after)) {
        rpc_call_end_with_page_token(call);
        return;
    }
    tracking_repository_list_notes(door->service->repository, &state->command, list_done, state);
}

/* --- DeleteSubscription --- */

struct delete_subscription_call {
    struct put_note_command subscription;
    struct put_note_command delivery;
    struct rpc_call *call;
    struct tracking_door *door;
};

static void delete_done(void *context, const struct error *error)
{
    struct delete_subscription_call *state = context;
    Waybill__Tracking__V1__DeleteSubscriptionResponse response;
    struct rpc_status status;
    (void)error; /* how far it had got does not matter any more */
    tracking_webhooks_changed(state->door->webhooks);
    if (state->subscription.base.outcome == TRACKING_NOT_FOUND) {
        status = rpc_status_make(rpc_call_arena(state->call), GRPC_STATUS_NOT_FOUND,
                                 "SUBSCRIPTION_NOT_FOUND", "no subscription has this id");
        rpc_call_fail(state->call, &status);
        return;
    }
    waybill__tracking__v1__delete_subscription_response__init(&response);
    rpc_call_answer(state->call, &response.base);
}

static void subscription_gone(void *context, const struct error *error)
{
    struct delete_subscription_call *state = context;
    if (error != NULL) {
        (void)tracking_fail_unless_done(state->call, &state->subscription.base, error);
        return;
    }
    tracking_repository_put_note(state->door->service->repository, &state->delivery, delete_done,
                                 state);
}

void tracking_delete_subscription(void *context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__DeleteSubscriptionRequest *request = (const void *)message;
    struct tracking_door *door = context;
    struct violations violations;
    struct text id = text_of(request->subscription_id);
    struct arena *arena = rpc_call_arena(call);
    struct delete_subscription_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return;
    violations_init(&violations, arena);
    if (id.size == 0 || id.size > tracking_id_bytes_max) {
        violations_add(&violations, "must be 1 to 64 characters", "subscription_id");
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    state->call = call;
    state->door = door;
    state->delivery.base = state->subscription.base;
    state->subscription.name = note_name(arena, subscription_prefix, id);
    state->delivery.name = note_name(arena, delivery_prefix, id);
    if (state->subscription.name.data == NULL || state->delivery.name.data == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    tracking_repository_put_note(door->service->repository, &state->subscription, subscription_gone,
                                 state);
}
