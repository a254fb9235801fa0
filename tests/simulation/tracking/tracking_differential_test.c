/*
 * Goal: the embedded store says of everything what the model says, whatever happens to it in
 * between. Method: random calls from a seed go to both, every answer is compared as text. The store
 * has little memory and frequent checkpoints; now and then it is closed and opened, or given up
 * with all that was only in RocksDB's memory, as by kill -9, and opened.
 *
 * --seed N --seeds N --operations N
 */
#include "platform/base/check.h"
#include "platform/base/hash_map.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tracking/tracking_call.h"
#include "tests/support/tracking/tracking_model.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { numbers = 60, event_ids = 14, text_bytes_max = 8 * 1024 * 1024 };

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

struct run {
    uint64_t seed;
    struct random_seeded random;
    struct fake_clock clock;
    struct temporary_directory directory;
    struct embedded_tracking_options options;
    struct tracking_model *model;
    struct tracking_caller store;
    struct tracking_caller reference;
    struct buffer said;
    struct buffer expected;
    struct arena texts; /* of the present call */
};

static uint64_t below(struct run *run, uint64_t bound)
{
    return random_below(&run->random.base, bound);
}

/* --- the store's lives --- */

static void check(struct error error)
{
    if (error_is(error)) {
        printf("Bail out! %s: %s\n", error_text(error.code), error.detail);
        exit(1);
    }
}

static void step(void *context)
{
    struct run *run = context;
    check(embedded_tracking_step(run->store.repository));
}

static void open_store(struct run *run)
{
    run->options.directory = run->directory.path;
    check(embedded_tracking_open(&run->store.repository, &run->options));
}

static void restart(struct run *run)
{
    embedded_tracking_close(run->store.repository);
    open_store(run);
}

/* What a killed process leaves: what was only in RocksDB's memory is gone. */
static void crash(struct run *run)
{
    embedded_tracking_abandon(run->store.repository);
    open_store(run);
}

static void begin(struct run *run, uint64_t seed)
{
    *run = (struct run){.seed = seed};
    random_seeded_init(&run->random, seed);
    fake_clock_init(&run->clock, start_us);
    temporary_directory_create(&run->directory);
    run->options = embedded_tracking_options_default();
    run->options.clock = &run->clock.base;
    run->options.random = &run->random.base;
    run->options.segment_bytes = 1 << 20;
    run->options.batch_bytes_max = 1 << 16;
    run->options.memory_bytes_max = 1 << 16;
    run->options.checkpoint_bytes = 1 << 16;
    run->options.free_bytes_min = 0;
    run->options.silence_us = 20 * day_us;
    run->options.threaded = false;
    run->model = tracking_model_create(&run->clock.base, run->options.ping_retention_us,
                                       run->options.generation_gap_us);
    tracking_caller_init(&run->reference, tracking_model_port(run->model));
    tracking_caller_init(&run->store, NULL);
    run->store.work = step;
    run->store.work_context = run;
    buffer_init(&run->said, text_bytes_max);
    buffer_init(&run->expected, text_bytes_max);
    arena_init(&run->texts, text_bytes_max);
    open_store(run);
}

static void end(struct run *run)
{
    embedded_tracking_close(run->store.repository);
    tracking_caller_deinit(&run->store);
    tracking_caller_deinit(&run->reference);
    tracking_model_destroy(run->model);
    buffer_deinit(&run->said);
    buffer_deinit(&run->expected);
    arena_deinit(&run->texts);
    temporary_directory_remove(&run->directory);
}

/* --- random calls --- */

static struct text name(struct run *run, const char *prefix, uint64_t bound)
{
    char *made = arena_format(&run->texts, "%s%llu", prefix, (unsigned long long)below(run, bound));
    return text_of(made);
}

static struct text perhaps(struct run *run, const char *prefix, uint64_t bound)
{
    return below(run, 2) == 0 ? text_of("") : name(run, prefix, bound);
}

static struct text carrier(struct run *run)
{
    static const char *const carriers[] = {"ups", "fedex", "dhl"};
    return text_of(carriers[below(run, 3)]);
}

/* Whole hours, so that many events share an instant, over 300 days. */
static int64_t some_time(struct run *run)
{
    return start_us - 200 * day_us + (int64_t)below(run, 300 * 24) * 3600 * 1000000;
}

static struct tracking_event some_event(struct run *run, struct text number)
{
    static const char *const codes[] = {"A", "B", "C", "D", "Z", ""};
    struct tracking_event event = {
        .event_id = name(run, "e", event_ids),
        .carrier = carrier(run),
        .tracking_number = number,
        .source = text_of("test"),
    };
    /* One id, one content: what is random follows from number and id. */
    struct random_seeded own;
    random_seeded_init(&own,
                       hash_text(hash_text(run->seed, event.tracking_number), event.event_id) ^
                           event.carrier.size);
    if (below(run, 50) == 0)
        random_seeded_init(&own, below(run, 1000)); /* … but for some */
    struct random *random = &own.base;
    event.type = (enum tracking_event_type)(1 + random_below(random, 9));
    event.carrier_code = text_of(codes[random_below(random, 6)]);
    event.type_is_mapped = event.carrier_code.size > 0 && random_below(random, 3) == 0;
    if (event.type == TRACKING_EVENT_DELIVERED && random_below(random, 2) == 0)
        event.type = TRACKING_EVENT_IN_TRANSIT;
    event.occurred_time_us =
        start_us - 200 * day_us + (int64_t)random_below(random, 300 * 24) * 3600 * 1000000;
    event.has_utc_offset = random_below(random, 2) == 0;
    event.utc_offset_minutes = event.has_utc_offset ? (int32_t)random_below(random, 800) - 400 : 0;
    event.location.has_point = random_below(random, 3) == 0;
    if (event.location.has_point)
        event.location.latitude_e7 = (int32_t)random_below(random, 1000);
    if (random_below(random, 2) == 0)
        event.location.city = text_of("Lagos");
    if (random_below(random, 4) == 0)
        event.expected_delivery_time_us = start_us + (int64_t)random_below(random, 99) * day_us;
    if (random_below(random, 6) == 0)
        event.corrects_event_id = text_of(arena_format(
            &run->texts, "e%llu", (unsigned long long)random_below(random, event_ids)));
    if (random_below(random, 5) == 0)
        event.payload = text_of("{\"raw\":true}");
    return event;
}

/* Two versions that contradict each other. */
static const struct code_maps *maps(void)
{
    static const char file[] = "version,code,type,sub_status,reason,provenance\n"
                               "1,A,PICKED_UP,COLLECTED,,test\n"
                               "2,A,EXCEPTION,LOST,,test\n"
                               "1,B,DELIVERED,,,test\n"
                               "2,B,IN_TRANSIT,,,test\n"
                               "1,C,NO_CHANGE,,,test\n"
                               "3,C,RETURNED,RETURN_STARTED,,test\n"
                               "2,D,CANCELLED,VOIDED,,test\n";
    static struct arena arena;
    static struct code_map all[2];
    static struct code_maps made = {.maps = all};
    if (made.count == 0) {
        arena_init(&arena, text_bytes_max);
        check(code_map_parse(text_of("ups"), text_of(file), &arena, &all[0]));
        check(code_map_parse(text_of("dhl"), text_of(file), &arena, &all[1]));
        made.count = 2;
    }
    return &made;
}

static void make_event_call(struct run *run, struct text number, struct tracking_call *call)
{
    call->kind = TRACKING_CALL_RECORD_EVENT;
    call->record_event.event = some_event(run, number);
    call->record_event.wants_tracking = true;
    code_maps_apply(maps(), 1, &call->record_event.event);
    if (call->record_event.event.type_is_mapped && call->record_event.event.map_version == 0)
        call->record_event.event.type = TRACKING_EVENT_UNSPECIFIED;
}

static void make_create_call(struct run *run, struct text number, struct tracking_call *call)
{
    call->kind = TRACKING_CALL_CREATE;
    call->create.carrier = carrier(run);
    call->create.tracking_number = number;
    call->create.shipment_id = perhaps(run, "s", 5);
    call->create.order_id = perhaps(run, "o", 8);
    call->create.expected_delivery_time_us = below(run, 2) == 0 ? 0 : some_time(run);
    call->create.start_time_us = below(run, 2) == 0 ? 0 : some_time(run);
}

static void make_list_call(struct run *run, struct text number, struct tracking_call *call)
{
    if (below(run, 2) == 0) {
        call->kind = TRACKING_CALL_LIST_EVENTS;
        call->list_events.carrier = carrier(run);
        call->list_events.tracking_number = number;
        call->list_events.generation = (int32_t)below(run, 3);
        call->list_events.from_us = below(run, 2) == 0 ? 0 : some_time(run);
        call->list_events.to_us = below(run, 2) == 0 ? INT64_MAX : some_time(run);
        call->list_events.newest_first = below(run, 2) == 0;
        call->list_events.page_size = 1 + below(run, 12);
        call->list_events.has_after = below(run, 3) == 0;
        call->list_events.after_time_us = some_time(run);
        call->list_events.after_event_id = name(run, "e", event_ids);
        return;
    }
    call->kind = TRACKING_CALL_LIST_TRACKINGS;
    call->list_trackings.order_id = perhaps(run, "o", 8);
    call->list_trackings.status = (enum tracking_status)(1 + below(run, 10));
    call->list_trackings.page_size = 1 + below(run, 20);
    if (below(run, 2) == 0)
        call->list_trackings.after = (struct tracking_key){carrier(run), name(run, "N", numbers),
                                                           (int32_t)(1 + below(run, 3))};
}

static void make_note_call(struct run *run, struct tracking_call *call)
{
    if (below(run, 3) == 0) {
        call->kind = TRACKING_CALL_LIST_NOTES;
        call->list_notes.prefix = text_of("x");
        call->list_notes.after = perhaps(run, "x", 30);
        call->list_notes.page_size = 1 + below(run, 9);
        return;
    }
    call->kind = TRACKING_CALL_PUT_NOTE;
    call->put_note.name = name(run, below(run, 4) == 0 ? "y" : "x", 30);
    call->put_note.value = perhaps(run, "value", 1000);
    call->put_note.only_if_absent = call->put_note.value.size > 0 && below(run, 2) == 0;
    call->put_note.limited_prefix = text_of("x");
    call->put_note.count_max = below(run, 30);
}

static void make_call(struct run *run, struct tracking_call *call)
{
    struct text number = name(run, "N", numbers);
    uint64_t dice = below(run, 100);
    *call = (struct tracking_call){.kind = TRACKING_CALL_GET};
    if (dice < 5) {
        make_note_call(run, call);
    } else if (dice < 55) {
        make_event_call(run, number, call);
    } else if (dice < 67) {
        make_create_call(run, number, call);
    } else if (dice < 75) {
        call->get.carrier = carrier(run);
        call->get.tracking_number = number;
        call->get.generation = (int32_t)below(run, 3);
    } else if (dice < 88) {
        make_list_call(run, number, call);
    } else if (dice < 95) {
        call->kind = TRACKING_CALL_RECORD_PING;
        call->record_ping.carrier = carrier(run);
        call->record_ping.tracking_number = number;
        call->record_ping.latitude_e7 = (int32_t)below(run, 1000);
        call->record_ping.time_us =
            clock_now_us(&run->clock.base) - (int64_t)below(run, 24) * 3600 * 1000000;
    } else if (dice < 98) {
        call->kind = TRACKING_CALL_ERASE;
        call->erase.carrier = carrier(run);
        call->erase.tracking_number = number;
    } else {
        call->kind = TRACKING_CALL_REMAP;
        call->remap.carrier = carrier(run);
        call->remap.maps = maps();
        call->remap.map_version = (int32_t)(1 + below(run, 3));
    }
}

static bool compare(struct run *run, uint64_t operation)
{
    struct tracking_call call;
    make_call(run, &call);
    struct tracking_call reference = call;
    tracking_call_run(&run->store, &call);
    tracking_call_run(&run->reference, &reference);
    tracking_call_print(&run->said, &run->store, &call);
    tracking_call_print(&run->expected, &run->reference, &reference);
    bool same = text_equal(buffer_text(&run->said), buffer_text(&run->expected));
    if (!same)
        printf("# operation %llu, kind %d\n# said     %.*s\n# expected %.*s\n",
               (unsigned long long)operation, (int)call.kind, (int)run->said.size, run->said.data,
               (int)run->expected.size, run->expected.data);
    arena_reset(&run->texts);
    return same;
}

static bool run_seed(uint64_t seed, uint64_t operations)
{
    static struct run run;
    bool same = true;
    begin(&run, seed);
    for (uint64_t i = 0; i < operations && same; i++) {
        uint64_t dice = below(&run, 2000);
        fake_clock_advance(&run.clock, (int64_t)below(&run, 3600) * 1000000);
        if (dice == 0)
            restart(&run);
        else if (dice <= 5)
            crash(&run);
        same = compare(&run, i);
    }
    end(&run);
    return same;
}

static uint64_t argument(int count, char **arguments, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0)
            return strtoull(arguments[i + 1], NULL, 10);
    }
    return otherwise;
}

int main(int argument_count, char **arguments)
{
    uint64_t first = argument(argument_count, arguments, "--seed", 1);
    uint64_t seeds = argument(argument_count, arguments, "--seeds", 5);
    uint64_t operations = argument(argument_count, arguments, "--operations", 3000);
    bool good = true;
    log_configure(LOG_LEVEL_ERROR, false);
    printf("1..%llu\n", (unsigned long long)seeds);
    for (uint64_t i = 0; i < seeds; i++) {
        bool same = run_seed(first + i, operations);
        printf("%s %llu the_store_answers_as_the_model # seed %llu, %llu operations\n",
               same ? "ok" : "not ok", (unsigned long long)(i + 1), (unsigned long long)(first + i),
               (unsigned long long)operations);
        fflush(stdout);
        good = good && same;
    }
    return good ? 0 : 1;
}
