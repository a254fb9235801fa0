/*
 * What was given up for a subscription lies in notes of the repository, put there by the sender.
 * Replaying writes each under another name, by which the sender knows that it is wanted once more;
 * the old note goes only when the new one is there, so a crash in between loses nothing.
 */
#include "platform/base/page_token.h"
#include "tracking/application/tracking_subscription.h"
#include "tracking/interfaces/rpc/tracking_answers.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "tracking/interfaces/rpc/tracking_rpc.h"
#include "tracking/interfaces/rpc/tracking_subscriptions.h"
#include "tracking/interfaces/webhooks/tracking_webhooks.h"

#include <string.h>

static const char list_name[] = "tracking.ListDeadLetters";

/* Both methods: the subscription must be there, then its dead letters are listed. */
struct dead_letters_call {
    struct list_notes_command subscription;
    struct list_notes_command letters;
    struct rpc_call *call;
    struct tracking_door *door;
    struct text id;
    struct put_note_command *again; /* ReplayDeadLetters: one a letter … */
    struct put_note_command *gone;
    size_t under_way;
    bool failed;
};

static bool names_it(const struct dead_letters_call *state)
{
    const struct list_notes_command *command = &state->subscription;
    size_t start = strlen(subscription_prefix);
    return command->note_count > 0 && text_equal(text_make(command->notes[0].name.data + start,
                                                           command->notes[0].name.size - start),
                                                 state->id);
}

static void fail_not_found(struct rpc_call *call)
{
    struct rpc_status status =
        rpc_status_make(rpc_call_arena(call), GRPC_STATUS_NOT_FOUND, "SUBSCRIPTION_NOT_FOUND",
                        "no subscription has this id");
    rpc_call_fail(call, &status);
}

/* Starts a call: looks the subscription up. NULL: it was refused. */
static struct dead_letters_call *begin(struct tracking_door *door, struct rpc_call *call,
                                       const char *subscription_id, struct violations *violations)
{
    struct arena *arena = rpc_call_arena(call);
    struct dead_letters_call *state = tracking_command_create(call, sizeof *state);
    if (state == NULL)
        return NULL;
    state->call = call;
    state->door = door;
    state->id = text_of(subscription_id);
    state->letters.base = state->subscription.base;
    if (state->id.size == 0 || state->id.size > tracking_id_bytes_max)
        violations_add(violations, "must be 1 to 64 characters", "subscription_id");
    state->subscription.page_size = 1;
    state->subscription.prefix = text_of(
        arena_format(arena, "%s%.*s", subscription_prefix, (int)state->id.size, state->id.data));
    state->letters.prefix = text_of(
        arena_format(arena, "%s%.*s/", dead_letter_prefix, (int)state->id.size, state->id.data));
    if (state->subscription.prefix.data != NULL && state->letters.prefix.data != NULL)
        return state;
    rpc_call_end_without_memory(call);
    return NULL;
}

/* --- ListDeadLetters --- */

static Waybill__Tracking__V1__DeadLetter *letter_message(struct arena *arena,
                                                         const struct dead_letter *letter)
{
    Waybill__Tracking__V1__DeadLetter *message = arena_allocate(arena, sizeof *message);
    if (message == NULL)
        return NULL;
    waybill__tracking__v1__dead_letter__init(message);
    message->sequence = (int64_t)letter->sequence;
    message->event_id = arena_copy_string(arena, letter->event_id);
    message->reason = arena_copy_string(arena, letter->reason);
    message->give_up_time = message_create_time(arena, letter->time_us);
    return message->event_id == NULL || message->reason == NULL || message->give_up_time == NULL
               ? NULL
               : message;
}

static bool fill_list(const struct dead_letters_call *state,
                      Waybill__Tracking__V1__ListDeadLettersResponse *response)
{
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_notes_command *command = &state->letters;
    response->dead_letters =
        arena_allocate(arena, (command->note_count + 1) * sizeof *response->dead_letters);
    if (response->dead_letters == NULL)
        return false;
    for (size_t i = 0; i < command->note_count; i++) {
        struct dead_letter letter;
        struct text id;
        if (!dead_letter_decode(command->notes[i].value, &letter) ||
            !dead_letter_read_name(command->notes[i].name, dead_letter_prefix, &id,
                                   &letter.sequence))
            continue;
        Waybill__Tracking__V1__DeadLetter *message = letter_message(arena, &letter);
        if (message == NULL)
            return false;
        response->dead_letters[response->n_dead_letters++] = message;
    }
    if (!command->more)
        return true;
    response->next_page_token =
        (char *)page_token_make_key(arena, list_name, state->id,
                                    command->notes[command->note_count - 1].name)
            .data;
    return response->next_page_token != NULL;
}

static void letters_listed(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    Waybill__Tracking__V1__ListDeadLettersResponse response;
    if (tracking_fail_unless_done(state->call, &state->letters.base, error))
        return;
    waybill__tracking__v1__list_dead_letters_response__init(&response);
    bool filled = fill_list(state, &response);
    rpc_call_end_with_answer(state->call, &response.base, filled);
}

static void list_subscription_found(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    if (tracking_fail_unless_done(state->call, &state->subscription.base, error))
        return;
    if (names_it(state))
        tracking_repository_list_notes(state->door->service->repository, &state->letters,
                                       letters_listed, state);
    else
        fail_not_found(state->call);
}

void tracking_list_dead_letters(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__ListDeadLettersRequest *request = (const void *)message;
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    struct dead_letters_call *state = begin(context, call, request->subscription_id, &violations);
    if (state == NULL)
        return;
    if (request->page_size < 0 || request->page_size > tracking_page_size_max)
        violations_add(&violations, "must be 0 to 1000", "page_size");
    if (violations.count > 0) {
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    state->letters.page_size =
        request->page_size == 0 ? tracking_page_size_default : (size_t)request->page_size;
    if (!page_token_read_key(rpc_call_arena(call), text_of(request->page_token), list_name,
                             state->id, &state->letters.after)) {
        rpc_call_end_with_page_token(call);
        return;
    }
    tracking_repository_list_notes(state->door->service->repository, &state->subscription,
                                   list_subscription_found, state);
}

/* --- ReplayDeadLetters --- */

static void replay_done(struct dead_letters_call *state)
{
    Waybill__Tracking__V1__ReplayDeadLettersResponse response;
    tracking_webhooks_changed(state->door->webhooks);
    waybill__tracking__v1__replay_dead_letters_response__init(&response);
    response.dead_letters = (int64_t)state->letters.note_count;
    response.more = state->letters.more;
    rpc_call_answer(state->call, &response.base);
}

/* One of the writes has ended; true: all of them have. The first failure is the answer. */
static bool is_last(struct dead_letters_call *state, const struct tracking_command *command,
                    const struct error *error)
{
    if (error != NULL && !state->failed)
        state->failed = tracking_fail_unless_done(state->call, command, error);
    return --state->under_way == 0 && !state->failed;
}

static void letter_gone(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    if (is_last(state, &state->gone[0].base, error))
        replay_done(state);
}

static void letter_is_wanted(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    if (!is_last(state, &state->again[0].base, error))
        return;
    state->under_way = state->letters.note_count;
    for (size_t i = 0; i < state->letters.note_count; i++)
        tracking_repository_put_note(state->door->service->repository, &state->gone[i], letter_gone,
                                     state);
}

static bool prepare_writes(struct dead_letters_call *state)
{
    struct arena *arena = rpc_call_arena(state->call);
    const struct list_notes_command *letters = &state->letters;
    size_t start = strlen(dead_letter_prefix);
    state->again = arena_allocate_zero(arena, letters->note_count, sizeof *state->again);
    state->gone = arena_allocate_zero(arena, letters->note_count, sizeof *state->gone);
    if (state->again == NULL || state->gone == NULL)
        return false;
    for (size_t i = 0; i < letters->note_count; i++) {
        const struct tracking_note *note = &letters->notes[i];
        state->again[i].base = state->subscription.base;
        state->gone[i].base = state->subscription.base;
        state->gone[i].name = note->name;
        state->again[i].value = note->value;
        state->again[i].name =
            text_of(arena_format(arena, "%s%.*s", again_prefix, (int)(note->name.size - start),
                                 note->name.data + start));
        if (state->again[i].name.data == NULL)
            return false;
    }
    return true;
}

static void letters_found(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    if (tracking_fail_unless_done(state->call, &state->letters.base, error))
        return;
    if (state->letters.note_count == 0) {
        replay_done(state);
        return;
    }
    if (!prepare_writes(state)) {
        rpc_call_end_without_memory(state->call);
        return;
    }
    state->under_way = state->letters.note_count;
    for (size_t i = 0; i < state->letters.note_count; i++)
        tracking_repository_put_note(state->door->service->repository, &state->again[i],
                                     letter_is_wanted, state);
}

static void replay_subscription_found(void *context, const struct error *error)
{
    struct dead_letters_call *state = context;
    if (tracking_fail_unless_done(state->call, &state->subscription.base, error))
        return;
    if (names_it(state))
        tracking_repository_list_notes(state->door->service->repository, &state->letters,
                                       letters_found, state);
    else
        fail_not_found(state->call);
}

void tracking_replay_dead_letters(void *context, struct rpc_call *call,
                                  const ProtobufCMessage *message)
{
    const Waybill__Tracking__V1__ReplayDeadLettersRequest *request = (const void *)message;
    struct violations violations;
    violations_init(&violations, rpc_call_arena(call));
    struct dead_letters_call *state = begin(context, call, request->subscription_id, &violations);
    if (state == NULL)
        return;
    if (violations.count > 0) {
        rpc_call_end_with_violations(call, &violations);
        return;
    }
    state->letters.page_size = tracking_page_size_max;
    tracking_repository_list_notes(state->door->service->repository, &state->subscription,
                                   replay_subscription_found, state);
}
