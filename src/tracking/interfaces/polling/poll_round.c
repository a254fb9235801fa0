/*
 * A round: for each offset the parcels are listed whose last activity has just come to lie so far
 * back, those told of as silent too; each takes one of its carrier's quota. Then the note is
 * written, and only then is anybody asked. A list or note that fails ends the round before its
 * first question; it begins anew after a pause, from where the last one ended.
 */
#include "platform/base/codec.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tracking/interfaces/polling/poll_state.h"

#include <stdio.h>
#include <string.h>

enum { page_parcels = 256, arena_bytes_max = 1024 * 1024, note_version = 1 };

static const char note_name[] = "polling";
static const int64_t round_us_max = INT64_C(60) * 1000000;
static const int64_t retry_us = INT64_C(10) * 1000000;
static const int64_t behind_us_max = INT64_C(86400) * 1000000; /* after having been away */

/* One list after the other: each offset, told and not; or the note. */
struct poll_listing {
    struct tracking_polls *polls;
    struct arena arena; /* of a page */
    union {
        struct list_idle_trackings_command parcels;
        struct list_notes_command notes;
        struct put_note_command note;
    };
    size_t offset;
    bool told;
    struct tracking_key after; /* in `names` */
    char names[2][tracking_id_bytes_max + 1];
    int64_t after_us;
};

static struct poll_listing *make_listing(struct tracking_polls *polls)
{
    struct poll_listing *listing = memory_allocate_zero(1, sizeof *listing);
    if (listing == NULL)
        return NULL;
    listing->polls = polls;
    arena_init(&listing->arena, arena_bytes_max);
    polls->outstanding++;
    return listing;
}

static void end_listing(struct poll_listing *listing)
{
    listing->polls->outstanding--;
    arena_deinit(&listing->arena);
    memory_release(listing);
}

static struct tracking_command command_base(struct poll_listing *listing)
{
    return (struct tracking_command){.executor = &listing->polls->loop.base,
                                     .arena = &listing->arena};
}

static int64_t round_length_us(const struct tracking_polls *polls)
{
    int64_t shortest_us = polling_offset_us(polls->options.interval_us, 0);
    return shortest_us < round_us_max ? shortest_us : round_us_max;
}

/* --- carriers --- */

/* NULL: there are too many. */
static struct poll_carrier *find_carrier(struct tracking_polls *polls, struct text name)
{
    for (size_t i = 0; i < polls->carrier_count; i++) {
        if (text_equals_string(name, polls->carriers[i].name))
            return &polls->carriers[i];
    }
    if (polls->carrier_count == poll_carriers_max || name.size > tracking_carrier_bytes_max)
        return NULL;
    struct poll_carrier *carrier = &polls->carriers[polls->carrier_count++];
    snprintf(carrier->name, sizeof carrier->name, "%.*s", (int)name.size, name.data);
    return carrier;
}

bool poll_take_of_quota(struct tracking_polls *polls, struct poll_carrier *carrier)
{
    int64_t per_day = polling_quota_of(&polls->options.quotas, text_of(carrier->name));
    int64_t day = polling_day_of(polls->round_us);
    if (carrier->day != day) {
        carrier->day = day;
        carrier->used = 0;
    }
    if (carrier->used >= polling_allowance(per_day, polls->round_us))
        return false;
    carrier->used++;
    return true;
}

/* --- the note --- */

static void fail(struct tracking_polls *polls, const struct error *error)
{
    log_error("tracking: carriers are not asked now", error);
    polls->next_us = poll_now_us() + retry_us;
    while (polls->polls != NULL) {
        struct poll *next = polls->polls->next;
        memory_release(polls->polls);
        polls->polls = next;
    }
    polls->poll_count = 0;
}

static void read_note(struct tracking_polls *polls, struct text value)
{
    struct byte_reader reader = byte_reader_of(value);
    reader.failed |= read_uint8(&reader) != note_version;
    int64_t done_until_us = read_quantity(&reader);
    uint64_t count = read_varint(&reader);
    for (uint64_t i = 0; i < count && !reader.failed; i++) {
        struct text name = read_text(&reader);
        int64_t day = read_quantity(&reader);
        int64_t used = read_quantity(&reader);
        struct poll_carrier *carrier = reader.failed ? NULL : find_carrier(polls, name);
        if (carrier == NULL)
            continue;
        carrier->day = day;
        carrier->used = used;
    }
    if (!reader.failed)
        polls->done_until_us = done_until_us;
}

static void note_read(void *context, const struct error *error)
{
    struct poll_listing *listing = context;
    struct tracking_polls *polls = listing->polls;
    if (error != NULL) {
        fail(polls, error);
    } else {
        if (listing->notes.note_count > 0)
            read_note(polls, listing->notes.notes[0].value);
        polls->phase = POLL_WAITING;
        polls->next_us = 0;
    }
    end_listing(listing);
}

void poll_load(struct tracking_polls *polls)
{
    struct poll_listing *listing = make_listing(polls);
    if (listing == NULL)
        return; /* with the next tick */
    listing->notes = (struct list_notes_command){
        .base = command_base(listing), .prefix = text_of(note_name), .page_size = 1};
    tracking_repository_list_notes(polls->options.service->repository, &listing->notes, note_read,
                                   listing);
}

/* Where everything until done_until_us has been asked about, and the quotas. */
static void write_state(struct poll_listing *listing, tracking_done *done)
{
    struct tracking_polls *polls = listing->polls;
    char *bytes = arena_allocate(&listing->arena, tracking_note_bytes_max);
    struct byte_writer writer = {.at = bytes};
    static const struct error no_memory = {.code = ERROR_OUT_OF_MEMORY, .detail = "polling"};
    if (bytes == NULL) {
        done(listing, &no_memory);
        return;
    }
    write_uint8(&writer, note_version);
    write_varint(&writer, (uint64_t)polls->done_until_us);
    write_varint(&writer, polls->carrier_count);
    for (size_t i = 0; i < polls->carrier_count; i++) { /* 64 of at most 60 bytes */
        write_text(&writer, text_of(polls->carriers[i].name));
        write_varint(&writer, (uint64_t)polls->carriers[i].day);
        write_varint(&writer, (uint64_t)polls->carriers[i].used);
    }
    listing->note = (struct put_note_command){
        .base = command_base(listing),
        .name = text_of(note_name),
        .value = text_make(bytes, (size_t)(writer.at - bytes)),
    };
    tracking_repository_put_note(polls->options.service->repository, &listing->note, done, listing);
}

static void quotas_noted(void *context, const struct error *error)
{
    struct poll_listing *listing = context;
    struct tracking_polls *polls = listing->polls;
    polls->phase = error == NULL ? POLL_ASKING : POLL_WAITING;
    if (error != NULL)
        fail(polls, error);
    end_listing(listing);
}

static void end_noted(void *context, const struct error *error)
{
    if (error != NULL)
        log_error("tracking: how far carriers were asked could not be noted", error);
    end_listing(context);
}

void poll_note_quotas(struct tracking_polls *polls)
{
    struct poll_listing *listing = make_listing(polls);
    if (listing != NULL)
        write_state(listing, end_noted);
}

void poll_end_round(struct tracking_polls *polls)
{
    polls->done_until_us = polls->round_us;
    polls->phase = POLL_WAITING;
    polls->next_us = poll_now_us() + round_length_us(polls);
    poll_count(polls, &polls->usage.rounds, 1);
    poll_note_quotas(polls);
}

/* --- listing --- */

static void add(struct tracking_polls *polls, const struct idle_tracking *idle)
{
    struct poll_carrier *carrier = find_carrier(polls, idle->key.carrier);
    bool is_open = carrier != NULL && carrier->not_before_us <= poll_now_us() &&
                   polls->poll_count < poll_round_questions_max;
    struct poll *poll = is_open ? memory_allocate_zero(1, sizeof *poll) : NULL;
    if (poll == NULL || !poll_take_of_quota(polls, carrier)) {
        memory_release(poll);
        poll_count(polls, &polls->usage.skipped, 1);
        return;
    }
    poll->carrier = carrier;
    poll->expected_delivery_time_us = idle->expected_delivery_time_us;
    poll->due_us = poll_now_us() +
                   (int64_t)random_below(polls->options.random, (uint64_t)round_length_us(polls));
    snprintf(poll->tracking_number, sizeof poll->tracking_number, "%.*s",
             (int)idle->key.tracking_number.size, idle->key.tracking_number.data);
    poll->next = polls->polls;
    polls->polls = poll;
    polls->poll_count++;
}

static void keep_place(struct poll_listing *listing)
{
    const struct list_idle_trackings_command *command = &listing->parcels;
    if (!command->more) {
        listing->after = (struct tracking_key){0};
        listing->offset += listing->told; /* each offset twice */
        listing->told = !listing->told;
        return;
    }
    const struct idle_tracking *last = &command->trackings[command->tracking_count - 1];
    snprintf(listing->names[0], sizeof listing->names[0], "%.*s", (int)last->key.carrier.size,
             last->key.carrier.data);
    snprintf(listing->names[1], sizeof listing->names[1], "%.*s",
             (int)last->key.tracking_number.size, last->key.tracking_number.data);
    listing->after = (struct tracking_key){text_of(listing->names[0]), text_of(listing->names[1]),
                                           last->key.generation};
    listing->after_us = last->activity_us;
}

static void page_listed(void *context, const struct error *error);

static void list_page(struct poll_listing *listing)
{
    struct tracking_polls *polls = listing->polls;
    int64_t offset_us = polling_offset_us(polls->options.interval_us, listing->offset);
    int64_t from_us = polls->done_until_us - offset_us + 1;
    int64_t to_us = polls->round_us - offset_us + 1;
    arena_reset(&listing->arena);
    listing->parcels = (struct list_idle_trackings_command){
        .base = command_base(listing),
        .from_us = from_us < 0 ? 0 : from_us,
        .to_us = to_us < 0 ? 0 : to_us,
        .told = listing->told,
        .page_size = page_parcels,
        .after = listing->after,
        .after_us = listing->after_us,
    };
    tracking_repository_list_idle_trackings(polls->options.service->repository, &listing->parcels,
                                            page_listed, listing);
}

static void page_listed(void *context, const struct error *error)
{
    struct poll_listing *listing = context;
    struct tracking_polls *polls = listing->polls;
    if (error != NULL || polls->stopping) {
        polls->phase = POLL_WAITING;
        if (error != NULL)
            fail(polls, error);
        end_listing(listing);
        return;
    }
    for (size_t i = 0; i < listing->parcels.tracking_count; i++) {
        if (polling_applies(listing->parcels.trackings[i].status, listing->offset))
            add(polls, &listing->parcels.trackings[i]);
    }
    keep_place(listing);
    if (listing->offset < polling_offset_count) {
        list_page(listing);
        return;
    }
    if (polls->poll_count == 0) { /* nothing to ask: the quotas are as noted */
        polls->phase = POLL_WAITING;
        poll_end_round(polls);
        end_listing(listing);
        return;
    }
    polls->phase = POLL_NOTING;
    arena_reset(&listing->arena);
    write_state(listing, quotas_noted);
}

void poll_begin_round(struct tracking_polls *polls)
{
    struct poll_listing *listing = make_listing(polls);
    if (listing == NULL)
        return; /* with the next tick */
    polls->round_us = clock_now_us(clock_system());
    if (polls->done_until_us == 0) /* the first round ever: of what becomes due from now on */
        polls->done_until_us = polls->round_us - round_length_us(polls);
    if (polls->done_until_us < polls->round_us - behind_us_max)
        polls->done_until_us = polls->round_us - behind_us_max;
    if (polls->done_until_us > polls->round_us) /* the clock was set back */
        polls->done_until_us = polls->round_us;
    polls->phase = POLL_LISTING;
    list_page(listing);
}
