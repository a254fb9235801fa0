/*
 * Allocate as fast as the store answers: N commands in flight, each of one line of one of 10,000
 * SKUs that lie in three warehouses. What the answers say is then compared with the books.
 *
 *   warehouse_load [IN_FLIGHT [SECONDS [SKUS]]]      WAYBILL_SQL_URL as for the suites
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/base/random.h"
#include "tests/load/histogram.h"
#include "tests/support/warehouse/warehouse_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { in_flight_max = 4096, slot_arena_bytes_max = 4 * 1024 * 1024, answer_us_max = 60000000 };

struct slot {
    struct arena arena;
    struct allocate_command command;
    struct item_line line;
    struct movement_command movement;
    char id[32];
    char sku[16];
    int64_t began_us;
    bool is_busy;
};

struct load {
    struct warehouse_kit kit;
    struct random_seeded random;
    struct slot *slots;
    unsigned slot_count;
    unsigned skus;
    unsigned in_flight;
    uint64_t done;
    uint64_t refused;
    bool measuring;
    struct histogram *latencies;
};

static struct load load;

static int64_t monotonic_us(void)
{
    return clock_monotonic_us(clock_system());
}

static void allocated(struct warehouse_command *command, const struct error *error)
{
    struct slot *slot = (struct slot *)(void *)((char *)command - offsetof(struct slot, command));
    if (error != NULL)
        fail_msg("%s: %s", error_text(error->code), error->detail);
    load.done += command->outcome == WAREHOUSE_DONE;
    load.refused += command->outcome != WAREHOUSE_DONE;
    histogram_add(load.latencies, (uint64_t)(monotonic_us() - slot->began_us) * 1000);
    arena_reset(&slot->arena);
    slot->is_busy = false;
    load.in_flight--;
}

static void received(struct warehouse_command *command, const struct error *error)
{
    struct slot *slot = (struct slot *)(void *)((char *)command - offsetof(struct slot, movement));
    if (error != NULL || command->outcome != WAREHOUSE_DONE)
        fail_msg("a receipt is not taken");
    arena_reset(&slot->arena);
    slot->is_busy = false;
    load.in_flight--;
}

static void begin(struct slot *slot, struct warehouse_command *command,
                  enum warehouse_command_kind kind)
{
    command->kind = kind;
    command->executor = &load.kit.executor.base;
    command->arena = &slot->arena;
    violations_init(&command->violations, &slot->arena);
    slot->began_us = monotonic_us();
    slot->is_busy = true;
    load.in_flight++;
}

static void send_allocation(struct slot *slot, uint64_t number)
{
    struct allocate_command *command = &slot->command;
    memset(command, 0, sizeof *command);
    begin(slot, &command->base, COMMAND_ALLOCATE);
    snprintf(slot->id, sizeof slot->id, "A%llu", (unsigned long long)number);
    snprintf(slot->sku, sizeof slot->sku, "S%u",
             (unsigned)random_below(&load.random.base, load.skus));
    slot->line = (struct item_line){.sku = text_of(slot->sku), .quantity = 1};
    command->allocation_id = text_of(slot->id);
    command->destination.has_point = true;
    command->destination.point = (struct geo_point){500000000, 0};
    command->lines = &slot->line;
    command->line_count = 1;
    if (!warehouse_service_submit(&load.kit.service, &command->base, allocated))
        fail_msg("an allocation is not valid");
}

static void send_receipt(struct slot *slot, unsigned number)
{
    static const char *const sites[] = {"W0", "W1", "W2"};
    struct movement_command *command = &slot->movement;
    memset(command, 0, sizeof *command);
    begin(slot, &command->base, COMMAND_RECEIVE_STOCK);
    snprintf(slot->id, sizeof slot->id, "M%u", number);
    snprintf(slot->sku, sizeof slot->sku, "S%u", number / 3);
    command->movement_id = text_of(slot->id);
    command->warehouse_id = text_of(sites[number % 3]);
    command->sku = text_of(slot->sku);
    command->quantity = 1000000;
    if (!warehouse_service_submit(&load.kit.service, &command->base, received))
        fail_msg("a receipt is not valid");
}

static void wait_for_answers(void)
{
    if (load.in_flight > 0 && !test_executor_wait(&load.kit.executor, answer_us_max))
        fail_msg("the store does not answer");
    test_executor_run_all(&load.kit.executor);
}

static void fill(void)
{
    unsigned next = 0;
    char id[16];
    for (int i = 0; i < 3; i++) {
        snprintf(id, sizeof id, "W%d", i);
        assert_int_equal(kit_site(&load.kit, id, i, i + 1), WAREHOUSE_DONE);
    }
    for (unsigned i = 0; i < load.skus; i++) {
        snprintf(id, sizeof id, "S%u", i);
        assert_int_equal(kit_item(&load.kit, id, 500), WAREHOUSE_DONE);
        warehouse_kit_reset(&load.kit);
    }
    while (next < 3 * load.skus || load.in_flight > 0) {
        for (size_t i = 0; i < load.slot_count && next < 3 * load.skus; i++) {
            if (!load.slots[i].is_busy)
                send_receipt(&load.slots[i], next++);
        }
        wait_for_answers();
    }
}

static void run(double seconds)
{
    uint64_t number = 0;
    int64_t began_us = monotonic_us();
    int64_t end_us = began_us + (int64_t)(seconds * 1e6);
    while (monotonic_us() < end_us || load.in_flight > 0) {
        bool going = monotonic_us() < end_us;
        for (size_t i = 0; i < load.slot_count && going; i++) {
            if (!load.slots[i].is_busy)
                send_allocation(&load.slots[i], number++);
        }
        wait_for_answers();
    }
    double took = (double)(monotonic_us() - began_us) / 1e6;
    printf("in flight %u: %.0f allocations/s, p50 %.2f ms, p99 %.2f ms, refused %llu\n",
           load.slot_count, (double)load.done / took,
           (double)histogram_at(load.latencies, 0.5) / 1e6,
           (double)histogram_at(load.latencies, 0.99) / 1e6, (unsigned long long)load.refused);
}

int main(int argument_count, char **arguments)
{
    load.slot_count = argument_count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 64;
    double seconds = argument_count > 2 ? strtod(arguments[2], NULL) : 5;
    load.skus = argument_count > 3 ? (unsigned)strtoul(arguments[3], NULL, 10) : 1000;
    CHECK(load.slot_count >= 1 && load.slot_count <= in_flight_max && load.skus >= 1);
    load.slots = memory_allocate_zero(load.slot_count, sizeof *load.slots);
    load.latencies = memory_allocate_zero(1, sizeof *load.latencies);
    CHECK(load.slots != NULL && load.latencies != NULL);
    for (unsigned i = 0; i < load.slot_count; i++)
        arena_init(&load.slots[i].arena, slot_arena_bytes_max);
    random_seeded_init(&load.random, 1);
    warehouse_kit_init(&load.kit, true);
    fill();
    run(seconds);
    kit_assert_books_are_right(&load.kit);
    for (unsigned i = 0; i < load.slot_count; i++)
        arena_deinit(&load.slots[i].arena);
    memory_release(load.slots);
    memory_release(load.latencies);
    warehouse_kit_deinit(&load.kit);
    return 0;
}
