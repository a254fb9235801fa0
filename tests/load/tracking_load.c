/*
 * How many events a second the embedded tracking store takes, synced, and how long a page of
 * ListEvents takes with all of them on disk. Method: `--under-way` events at once from one thread,
 * parcels chosen at random within a window that moves on, as parcels do; each answer sends the next
 * event. Then pages of parcels chosen at random from all. Figures only: nothing is asserted.
 *
 * --events N --parcels N --under-way N --memory BYTES --lists N --directory DIR
 */
#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_executor.h"
#include "tracking/infrastructure/embedded/embedded_tracking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { arena_bytes_max = 8 * 1024 * 1024, text_bytes = 24, window_parcels = 200000 };

struct slot {
    struct load *load;
    struct record_event_command record;
    struct list_events_command list;
    struct arena arena;
    char number[text_bytes];
    char id[text_bytes];
    int64_t sent_us;
};

struct load {
    struct tracking_repository *repository;
    struct test_executor executor;
    struct random_seeded random;
    uint64_t events;
    uint64_t parcels;
    uint64_t lists;
    uint64_t sent;
    uint64_t answered;
    int64_t *latencies_us;
};

static int64_t now_us(void)
{
    return clock_monotonic_us(clock_system());
}

static uint64_t argument(int count, char **arguments, const char *name, uint64_t otherwise)
{
    for (int i = 1; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0)
            return strtoull(arguments[i + 1], NULL, 10);
    }
    return otherwise;
}

static void number_of(struct load *load, uint64_t parcel, char number[text_bytes])
{
    (void)load;
    snprintf(number, text_bytes, "1Z%016llu", (unsigned long long)parcel);
}

/* --- RecordEvent --- */

static void send_event(struct slot *slot);

static void event_done(void *context, const struct error *error)
{
    struct slot *slot = context;
    struct load *load = slot->load;
    if (error != NULL) {
        fprintf(stderr, "tracking_load: %s\n", error->detail);
        exit(1);
    }
    load->latencies_us[load->answered++] = now_us() - slot->sent_us;
    if (load->sent < load->events)
        send_event(slot);
}

static void send_event(struct slot *slot)
{
    struct load *load = slot->load;
    uint64_t sequence = load->sent++;
    uint64_t window = load->parcels < window_parcels ? load->parcels : window_parcels;
    uint64_t first = (load->parcels - window) * sequence / load->events;
    number_of(load, first + random_below(&load->random.base, window), slot->number);
    snprintf(slot->id, sizeof slot->id, "%020llu", (unsigned long long)sequence);
    arena_reset(&slot->arena);
    slot->record = (struct record_event_command){
        .base = {.executor = &load->executor.base, .arena = &slot->arena},
        .event =
            {
                .event_id = text_of(slot->id),
                .carrier = text_of("ups"),
                .tracking_number = text_of(slot->number),
                .type = (enum tracking_event_type)(2 + sequence % 4),
                .occurred_time_us = INT64_C(1800000000000000) + (int64_t)sequence * 1000,
                .location = {.city = text_of("Johannesburg"), .country_code = text_of("ZA")},
                .carrier_code = text_of("I/AR/010"),
                .description = text_of("Arrived at facility"),
                .source = text_of("ups-webhook"),
            },
    };
    slot->sent_us = now_us();
    tracking_repository_record_event(load->repository, &slot->record, event_done, slot);
}

/* --- ListEvents --- */

static void send_list(struct slot *slot);

static void list_done(void *context, const struct error *error)
{
    struct slot *slot = context;
    struct load *load = slot->load;
    if (error != NULL) {
        fprintf(stderr, "tracking_load: %s\n", error->detail);
        exit(1);
    }
    load->latencies_us[load->answered++] = now_us() - slot->sent_us;
    if (load->sent < load->lists)
        send_list(slot);
}

static void send_list(struct slot *slot)
{
    struct load *load = slot->load;
    load->sent++;
    number_of(load, random_below(&load->random.base, load->parcels), slot->number);
    arena_reset(&slot->arena);
    slot->list = (struct list_events_command){
        .base = {.executor = &load->executor.base, .arena = &slot->arena},
        .carrier = text_of("ups"),
        .tracking_number = text_of(slot->number),
        .to_us = INT64_MAX,
        .page_size = 100,
    };
    slot->sent_us = now_us();
    tracking_repository_list_events(load->repository, &slot->list, list_done, slot);
}

/* --- figures --- */

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

static void run(struct load *load, uint64_t count)
{
    while (load->answered < count) {
        CHECK(test_executor_wait(&load->executor, INT64_C(60) * 1000000));
        test_executor_run_all(&load->executor);
    }
}

static void report(const char *name, struct load *load, int64_t begin_us)
{
    double seconds = (double)(now_us() - begin_us) / 1e6;
    qsort(load->latencies_us, load->answered, sizeof *load->latencies_us, compare);
    printf("%-12s %9.0f/s  p50 %7.3f ms  p99 %7.3f ms  max %8.3f ms  (%llu in %.1f s)\n", name,
           (double)load->answered / seconds, (double)load->latencies_us[load->answered / 2] / 1e3,
           (double)load->latencies_us[load->answered * 99 / 100] / 1e3,
           (double)load->latencies_us[load->answered - 1] / 1e3, (unsigned long long)load->answered,
           seconds);
    load->sent = load->answered = 0;
}

static void print_usage(struct tracking_repository *repository)
{
    struct embedded_tracking_usage usage = embedded_tracking_usage(repository);
    printf(
        "%llu trackings in memory (%llu MiB), rocksdb %llu MiB, log %llu MiB, %llu checkpoints\n",
        (unsigned long long)usage.hot_trackings, (unsigned long long)usage.memory_bytes >> 20,
        (unsigned long long)usage.store_bytes >> 20, (unsigned long long)usage.log_bytes >> 20,
        (unsigned long long)usage.checkpoints);
}

int main(int count, char **arguments)
{
    static struct load load;
    struct temporary_directory directory;
    struct embedded_tracking_options options = embedded_tracking_options_default();
    uint64_t under_way = argument(count, arguments, "--under-way", 8192);
    load.events = argument(count, arguments, "--events", 2000000);
    load.parcels = argument(count, arguments, "--parcels", load.events / 10 + 1);
    load.lists = argument(count, arguments, "--lists", 20000);
    options.memory_bytes_max = argument(count, arguments, "--memory", options.memory_bytes_max);
    log_configure(LOG_LEVEL_WARNING, false);
    temporary_directory_create(&directory);
    options.directory = directory.path;
    random_seeded_init(&load.random, 1);
    test_executor_init(&load.executor);
    struct error error = embedded_tracking_open(&load.repository, &options);
    if (error_is(error)) {
        fprintf(stderr, "tracking_load: %s\n", error.detail);
        return 1;
    }
    uint64_t most = load.events > load.lists ? load.events : load.lists;
    load.latencies_us = memory_allocate(most * sizeof *load.latencies_us);
    struct slot *slots = memory_allocate_zero(under_way, sizeof *slots);
    CHECK(load.latencies_us != NULL && slots != NULL);
    int64_t begin_us = now_us();
    for (uint64_t i = 0; i < under_way; i++) {
        slots[i].load = &load;
        arena_init(&slots[i].arena, arena_bytes_max);
        if (load.sent < load.events)
            send_event(&slots[i]);
    }
    run(&load, load.events);
    report("RecordEvent", &load, begin_us);
    print_usage(load.repository);
    begin_us = now_us();
    for (uint64_t i = 0; i < 4 && i < under_way && load.sent < load.lists; i++)
        send_list(&slots[i]);
    run(&load, load.lists);
    report("ListEvents", &load, begin_us);
    embedded_tracking_close(load.repository);
    for (uint64_t i = 0; i < under_way; i++)
        arena_deinit(&slots[i].arena);
    memory_release(slots);
    memory_release(load.latencies_us);
    temporary_directory_remove(&directory);
    return 0;
}
