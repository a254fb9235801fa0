/*
 * The list of hooks, read from the repository's notes at the start and after each change of
 * subscriptions: subscriptions, how far each has got, what is to be sent once more, and how much
 * was given up. What belongs to no subscription that there is, is removed. A hook whose
 * subscription is gone ends when its request has. A reading that fails changes nothing and is tried
 * again a second later.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tracking/interfaces/webhooks/webhook_state.h"

#include <stdio.h>
#include <string.h>

enum { page_notes = 256, arena_bytes_max = 4 * 1024 * 1024 };

static const int64_t retry_us = 1000000;

/* One reading, list by list, page by page. */
struct reload {
    struct tracking_webhooks *webhooks;
    struct list_notes_command command;
    struct arena arena; /* of one page */
    char after[tracking_note_name_bytes_max];
    size_t list;
};

struct hook *webhook_find(struct tracking_webhooks *webhooks, struct text id)
{
    for (struct hook *hook = webhooks->hooks; hook != NULL; hook = hook->next) {
        if (text_equals_string(id, hook->id))
            return hook;
    }
    return NULL;
}

/* The hook that a note belongs to; without one the note is removed. */
static struct hook *owner_of(struct tracking_webhooks *webhooks, const struct tracking_note *note,
                             struct text id, bool is_read, int64_t create_time_us)
{
    char name[tracking_note_name_bytes_max + 1];
    struct hook *hook = webhook_find(webhooks, id);
    if (is_read && hook != NULL && hook->seen && hook->create_time_us == create_time_us)
        return hook;
    snprintf(name, sizeof name, "%.*s", (int)note->name.size, note->name.data);
    webhook_write_note(webhooks, name, text_make("", 0));
    return NULL;
}

/* --- the four lists; each takes a note, and is false without memory --- */

static bool add_hook(struct tracking_webhooks *webhooks, struct text id,
                     const struct tracking_subscription *subscription)
{
    struct hook *hook = memory_allocate_zero(1, sizeof *hook);
    if (hook == NULL)
        return false;
    hook->webhooks = webhooks;
    hook->seen = true;
    snprintf(hook->id, sizeof hook->id, "%.*s", (int)id.size, id.data);
    snprintf(hook->url, sizeof hook->url, "%.*s", (int)subscription->url.size,
             subscription->url.data);
    memcpy(hook->secret, subscription->secret.data, subscription->secret.size);
    hook->secret_size = subscription->secret.size;
    hook->types = subscription->types;
    hook->create_time_us = subscription->create_time_us;
    hook->replay_from_us = subscription->replay_from_us;
    hook->position = hook->saved = subscription->start_position;
    webhook_init_body(hook);
    pthread_mutex_lock(&webhooks->mutex);
    hook->next = webhooks->hooks; /* before one of that name that goes */
    webhooks->hooks = hook;
    pthread_mutex_unlock(&webhooks->mutex);
    return true;
}

static bool take_subscription(struct tracking_webhooks *webhooks, const struct tracking_note *note)
{
    struct tracking_subscription subscription;
    struct text id = text_make(note->name.data + strlen(subscription_prefix),
                               note->name.size - strlen(subscription_prefix));
    struct hook *hook = webhook_find(webhooks, id);
    if (!tracking_subscription_decode(note->value, &subscription))
        return true;
    if (hook == NULL || hook->create_time_us != subscription.create_time_us)
        return add_hook(webhooks, id, &subscription);
    hook->seen = true;
    return true;
}

static bool take_place(struct tracking_webhooks *webhooks, const struct tracking_note *note)
{
    struct delivery_place place = {0};
    struct text id = text_make(note->name.data + strlen(delivery_prefix),
                               note->name.size - strlen(delivery_prefix));
    bool is_read = delivery_place_decode(note->value, &place);
    struct hook *hook = owner_of(webhooks, note, id, is_read, place.create_time_us);
    if (hook != NULL && !hook->loaded)
        hook->position = hook->saved = place.position;
    return true;
}

static bool take_again(struct tracking_webhooks *webhooks, const struct tracking_note *note)
{
    struct dead_letter letter = {0};
    struct text id = {0};
    bool is_read = dead_letter_read_name(note->name, again_prefix, &id, &letter.sequence) &&
                   dead_letter_decode(note->value, &letter);
    struct hook *hook = owner_of(webhooks, note, id, is_read, letter.create_time_us);
    if (hook == NULL)
        return true;
    struct hook_again *found =
        memory_reallocate(hook->found, (hook->found_count + 1) * sizeof *hook->found);
    if (found == NULL)
        return false;
    hook->found = found;
    struct hook_again *again = &hook->found[hook->found_count++];
    again->sequence = letter.sequence;
    snprintf(again->event_id, sizeof again->event_id, "%.*s", (int)letter.event_id.size,
             letter.event_id.data);
    return true;
}

static bool take_dead_letter(struct tracking_webhooks *webhooks, const struct tracking_note *note)
{
    struct dead_letter letter = {0};
    struct text id = {0};
    bool is_read = dead_letter_read_name(note->name, dead_letter_prefix, &id, &letter.sequence) &&
                   dead_letter_decode(note->value, &letter);
    struct hook *hook = owner_of(webhooks, note, id, is_read, letter.create_time_us);
    if (hook != NULL)
        hook->counted++;
    return true;
}

static const struct {
    const char *prefix;
    bool (*take)(struct tracking_webhooks *webhooks, const struct tracking_note *note);
} lists[] = {
    {subscription_prefix, take_subscription},
    {delivery_prefix, take_place},
    {again_prefix, take_again},
    {dead_letter_prefix, take_dead_letter},
};
enum { list_count = sizeof lists / sizeof lists[0] };

/* --- the reading --- */

static void forget_found(struct hook *hook)
{
    memory_release(hook->found);
    hook->found = NULL;
    hook->found_count = 0;
    hook->counted = 0;
    hook->seen = false;
}

/* What was found is so from now on. */
static void take_over(struct hook *hook)
{
    memory_release(hook->again);
    hook->again = hook->found;
    hook->again_count = hook->found_count;
    hook->again_at = 0;
    hook->dead_letters = hook->counted;
    hook->loaded = true;
    hook->found = NULL;
    forget_found(hook);
}

/* Takes over what was found, and takes out those whose subscription is gone. */
static void settle(struct tracking_webhooks *webhooks)
{
    pthread_mutex_lock(&webhooks->mutex);
    struct hook **link = &webhooks->hooks;
    webhooks->usage.subscriptions = 0;
    while (*link != NULL) {
        struct hook *hook = *link;
        if (hook->seen) {
            take_over(hook);
            webhooks->usage.subscriptions++;
            link = &hook->next;
            continue;
        }
        *link = hook->next;
        hook->gone = true;
        if (!hook->sending)
            webhook_destroy(hook);
    }
    pthread_mutex_unlock(&webhooks->mutex);
}

static void finish(struct reload *reload, const struct error *error)
{
    struct tracking_webhooks *webhooks = reload->webhooks;
    webhooks->outstanding--;
    webhooks->reloading = false;
    if (error != NULL) {
        log_error("tracking: subscriptions cannot be read", error);
        for (struct hook *hook = webhooks->hooks; hook != NULL; hook = hook->next)
            forget_found(hook);
        webhooks->reload_due_us = clock_monotonic_us(clock_system()) + retry_us;
    } else if (!webhooks->stopping) {
        settle(webhooks);
    }
    arena_deinit(&reload->arena);
    memory_release(reload);
    if (webhooks->reload_again && !webhooks->stopping)
        executor_post(&webhooks->loop.base, &webhooks->reload_task);
    if (!webhooks->stopping)
        webhook_pump(webhooks);
}

static void page_read(void *context, const struct error *error);

static void read_page(struct reload *reload)
{
    arena_reset(&reload->arena);
    reload->command = (struct list_notes_command){
        .base.executor = &reload->webhooks->loop.base,
        .base.arena = &reload->arena,
        .prefix = text_of(lists[reload->list].prefix),
        .after = text_of(reload->after),
        .page_size = page_notes,
    };
    tracking_repository_list_notes(reload->webhooks->options.repository, &reload->command,
                                   page_read, reload);
}

static void page_read(void *context, const struct error *error)
{
    static const struct error no_memory = {.code = ERROR_OUT_OF_MEMORY, .detail = "subscriptions"};
    struct reload *reload = context;
    const struct list_notes_command *command = &reload->command;
    for (size_t i = 0; error == NULL && i < command->note_count; i++) {
        if (!lists[reload->list].take(reload->webhooks, &command->notes[i]))
            error = &no_memory;
    }
    if (error == NULL && command->more) {
        struct text last = command->notes[command->note_count - 1].name;
        snprintf(reload->after, sizeof reload->after, "%.*s", (int)last.size, last.data);
    } else {
        reload->after[0] = '\0';
        reload->list++;
    }
    if (error != NULL || reload->list == list_count || reload->webhooks->stopping)
        finish(reload, error);
    else
        read_page(reload);
}

void webhook_run_reload(struct task *task)
{
    struct tracking_webhooks *webhooks =
        (struct tracking_webhooks *)((char *)task -
                                     offsetof(struct tracking_webhooks, reload_task));
    webhooks->reload_again = webhooks->reloading; /* once more after this one */
    if (webhooks->stopping || webhooks->reloading)
        return;
    webhooks->reload_posted = false;
    webhooks->reload_due_us = 0;
    struct reload *reload = memory_allocate_zero(1, sizeof *reload);
    if (reload == NULL) {
        webhooks->reload_due_us = clock_monotonic_us(clock_system()) + retry_us;
        return;
    }
    arena_init(&reload->arena, arena_bytes_max);
    reload->webhooks = webhooks;
    webhooks->reloading = true;
    webhooks->outstanding++;
    read_page(reload);
}
