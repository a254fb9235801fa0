/*
 * Nothing is lost, made or taken twice (RELIABILITY rows 3 and 13): generated movements, transfers
 * in opposite directions and allocations, many in flight at once, each sent one to five times, some
 * of the copies together. At the end the stock of every SKU is compared with what the answers add
 * up to, each id once, and VerifyMovements recomputes every balance; on the way no warehouse has
 * less free than nothing.
 *
 *   warehouse_conservation_test [SEED [OPERATIONS]]      (WAYBILL_OPERATIONS=N does the same)
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/base/random.h"
#include "tests/support/warehouse/warehouse_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    site_count = 3,
    sku_count = 4,
    slots_max = 48,
    copies_max = 5,
    slot_arena_bytes_max = 8 * 1024 * 1024,
    operations_sqlite = 100000,
    operations_postgresql = 10000,
    answer_us_max = 60000000,
};

/* What a command says, so that it can be said again. */
struct operation {
    enum warehouse_command_kind kind;
    unsigned number;
    unsigned site;
    unsigned sku;
    unsigned target; /* of another operation: a transfer or an allocation */
    int64_t quantity;
    int64_t expire_time_us;
    unsigned copies_left;
    bool done; /* some copy was answered so */
};

struct world;

struct slot {
    struct world *world;
    struct arena arena;
    struct operation *operation;
    union {
        struct warehouse_command base;
        struct movement_command movement;
        struct create_transfer_command create_transfer;
        struct transfer_command transfer;
        struct allocate_command allocate;
        struct allocation_command allocation;
        struct ship_allocation_command ship;
        struct stock_command stock;
    } command;
    char id[32];
    char site[8];
    char other_site[8];
    char sku[8];
};

struct world {
    struct warehouse_kit kit;
    struct random_seeded random;
    struct operation *operations;
    unsigned operation_count;
    unsigned made;
    unsigned *waiting; /* operations with copies to send */
    unsigned waiting_count;
    struct slot slots[slots_max];
    unsigned in_flight;
    uint64_t sent;
};

static struct world world;
static uint64_t seed;
static unsigned operations_asked;

static uint64_t below(uint64_t bound)
{
    return random_below(&world.random.base, bound);
}

/* --- making operations --- */

static enum warehouse_command_kind any_kind(void)
{
    static const struct {
        enum warehouse_command_kind kind;
        unsigned weight;
    } kinds[] = {
        {COMMAND_RECEIVE_STOCK, 20},      {COMMAND_SHIP_STOCK, 6},
        {COMMAND_RETURN_STOCK, 3},        {COMMAND_ADJUST_STOCK, 3},
        {COMMAND_MOVE_STOCK, 6},          {COMMAND_CREATE_TRANSFER, 14},
        {COMMAND_RECEIVE_TRANSFER, 12},   {COMMAND_CANCEL_TRANSFER, 4},
        {COMMAND_ALLOCATE, 24},           {COMMAND_CONFIRM_ALLOCATION, 8},
        {COMMAND_RELEASE_ALLOCATION, 8},  {COMMAND_SHIP_ALLOCATION, 16},
        {COMMAND_GET_WAREHOUSE_STOCK, 6},
    };
    uint64_t total = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        total += kinds[i].weight;
    uint64_t at = below(total);
    for (size_t i = 0;; i++) {
        if (at < kinds[i].weight)
            return kinds[i].kind;
        at -= kinds[i].weight;
    }
}

/* The number of a recent operation of that kind, or of nothing. */
static unsigned any_target(enum warehouse_command_kind kind)
{
    for (unsigned tries = 0; tries < 200 && world.made > 0; tries++) {
        unsigned back = (unsigned)below(world.made < 300 ? world.made : 300);
        const struct operation *operation = &world.operations[world.made - 1 - back];
        if (operation->kind == kind)
            return operation->number;
    }
    return 0;
}

static void make_operation(void)
{
    struct operation *operation = &world.operations[world.made];
    *operation = (struct operation){
        .kind = any_kind(),
        .number = world.made,
        .site = (unsigned)below(site_count),
        .sku = (unsigned)below(sku_count),
        .quantity = 1 + (int64_t)below(9),
        .copies_left = below(3) > 0 ? 1 : 1 + (unsigned)below(copies_max),
    };
    bool is_of_transfer =
        operation->kind == COMMAND_RECEIVE_TRANSFER || operation->kind == COMMAND_CANCEL_TRANSFER;
    operation->target = any_target(is_of_transfer ? COMMAND_CREATE_TRANSFER : COMMAND_ALLOCATE);
    if (operation->kind == COMMAND_ALLOCATE && below(2) == 0)
        operation->expire_time_us =
            warehouse_kit_now_us(&world.kit) + 1000 + (int64_t)below(200000);
    world.waiting[world.waiting_count++] = world.made++;
}

/* --- saying them --- */

static struct text name(char *out, size_t size, const char *prefix, unsigned number)
{
    return text_make(out, (size_t)snprintf(out, size, "%s%u", prefix, number));
}

static void fill_movement(struct slot *slot, const struct operation *operation)
{
    struct movement_command *movement = &slot->command.movement;
    movement->movement_id = name(slot->id, sizeof slot->id, "M", operation->number);
    movement->warehouse_id = name(slot->site, sizeof slot->site, "W", operation->site);
    movement->sku = name(slot->sku, sizeof slot->sku, "S", operation->sku);
    movement->quantity = operation->quantity;
    if (operation->kind == COMMAND_RECEIVE_STOCK && operation->quantity % 2 == 0)
        movement->lot = text_of("L");
    if (operation->kind == COMMAND_MOVE_STOCK) {
        movement->to_zone = text_of("Z");
        movement->to_bin = text_of("1");
    }
}

static void fill_transfer(struct slot *slot, const struct operation *operation)
{
    struct create_transfer_command *create = &slot->command.create_transfer;
    create->transfer_id = name(slot->id, sizeof slot->id, "T", operation->number);
    create->from_warehouse_id = name(slot->site, sizeof slot->site, "W", operation->site);
    create->to_warehouse_id = name(slot->other_site, sizeof slot->other_site, "W",
                                   (operation->site + 1 + operation->sku % 2) % site_count);
    create->lines = arena_allocate_zero(&slot->arena, 2, sizeof *create->lines);
    CHECK(create->lines != NULL);
    create->line_count = 2; /* in another order each time */
    create->lines[0].sku = name(slot->sku, sizeof slot->sku, "S", operation->sku);
    create->lines[0].quantity = operation->quantity;
    create->lines[1].sku = text_of(operation->sku == 0 ? "S1" : "S0");
    create->lines[1].quantity = 1;
}

/* One line in eight is short, one is more. */
static void fill_reception(struct slot *slot, const struct operation *operation)
{
    struct transfer_command *transfer = &slot->command.transfer;
    struct reception_line *line = arena_allocate_zero(&slot->arena, 1, sizeof *line);
    CHECK(line != NULL);
    transfer->transfer_id = name(slot->id, sizeof slot->id, "T", operation->target);
    line->sku = text_of("S1");
    line->quantity = operation->quantity;
    transfer->lines = line;
    transfer->line_count = operation->quantity % 4 == 0 ? 1 : 0;
}

static void fill_allocation(struct slot *slot, const struct operation *operation)
{
    struct allocate_command *allocate = &slot->command.allocate;
    allocate->allocation_id = name(slot->id, sizeof slot->id, "A", operation->number);
    allocate->reservation_id = text_of(operation->quantity % 2 == 0 ? "R" : "");
    allocate->destination.has_point = true;
    allocate->destination.point = (struct geo_point){500000000, 0};
    allocate->lines = arena_allocate_zero(&slot->arena, 2, sizeof *allocate->lines);
    CHECK(allocate->lines != NULL);
    allocate->line_count = 2;
    allocate->lines[0].sku = name(slot->sku, sizeof slot->sku, "S", operation->sku);
    allocate->lines[0].quantity = operation->quantity;
    allocate->lines[1].sku = text_of(operation->sku == 0 ? "S1" : "S0");
    allocate->lines[1].quantity = 2;
    allocate->strategy = (enum allocation_strategy)(1 + operation->number % 3);
    allocate->allow_partial = operation->number % 5 == 0;
    allocate->expire_time_us = operation->expire_time_us;
}

static void fill(struct slot *slot, const struct operation *operation)
{
    memset(&slot->command, 0, sizeof slot->command);
    slot->command.base.kind = operation->kind;
    if (operation->kind >= COMMAND_RECEIVE_STOCK && operation->kind <= COMMAND_MOVE_STOCK) {
        fill_movement(slot, operation);
    } else if (operation->kind == COMMAND_CREATE_TRANSFER) {
        fill_transfer(slot, operation);
    } else if (operation->kind == COMMAND_RECEIVE_TRANSFER) {
        fill_reception(slot, operation);
    } else if (operation->kind == COMMAND_CANCEL_TRANSFER) {
        slot->command.transfer.transfer_id =
            name(slot->id, sizeof slot->id, "T", operation->target);
    } else if (operation->kind == COMMAND_ALLOCATE) {
        fill_allocation(slot, operation);
    } else if (operation->kind == COMMAND_SHIP_ALLOCATION) {
        slot->command.ship.allocation_id = name(slot->id, sizeof slot->id, "A", operation->target);
    } else if (operation->kind == COMMAND_GET_WAREHOUSE_STOCK) {
        slot->command.stock.warehouse_id =
            name(slot->site, sizeof slot->site, "W", operation->site);
        slot->command.stock.sku = name(slot->sku, sizeof slot->sku, "S", operation->sku);
    } else {
        slot->command.allocation.allocation_id =
            name(slot->id, sizeof slot->id, "A", operation->target);
    }
    slot->command.base.executor = &world.kit.executor.base;
    slot->command.base.arena = &slot->arena;
    violations_init(&slot->command.base.violations, &slot->arena);
}

static void answered(struct warehouse_command *command, const struct error *error)
{
    struct slot *slot = (struct slot *)(void *)((char *)command - offsetof(struct slot, command));
    struct operation *operation = slot->operation;
    if (error != NULL)
        fail_msg("operation %u: %s: %s", operation->number, error_text(error->code), error->detail);
    if (command->outcome == WAREHOUSE_ID_REUSED)
        fail_msg("operation %u: a repeat is told ID_REUSED", operation->number);
    if (command->outcome == WAREHOUSE_DONE)
        operation->done = true;
    if (operation->kind == COMMAND_GET_WAREHOUSE_STOCK && command->outcome == WAREHOUSE_DONE &&
        warehouse_stock_available(&slot->command.stock.stock) < 0)
        fail_msg("operation %u: a unit is held twice", operation->number);
    slot->operation = NULL;
    arena_reset(&slot->arena);
    world.in_flight--;
}

/* Sends a copy of one that waits; where copies go together, that is soon. */
static void send_one(struct slot *slot)
{
    unsigned at = (unsigned)below(world.waiting_count);
    struct operation *operation = &world.operations[world.waiting[at]];
    if (--operation->copies_left == 0)
        world.waiting[at] = world.waiting[--world.waiting_count];
    slot->operation = operation;
    fill(slot, operation);
    world.in_flight++;
    world.sent++;
    if (!warehouse_service_submit(&world.kit.service, &slot->command.base, answered))
        fail_msg("operation %u is not valid", operation->number);
    if (!world.kit.sql.is_postgresql)
        fake_clock_advance(&world.kit.clock, (int64_t)below(2000));
}

static void run_all(void)
{
    while (world.made < world.operation_count || world.waiting_count > 0 || world.in_flight > 0) {
        for (size_t i = 0; i < slots_max; i++) {
            while (world.waiting_count < 8 && world.made < world.operation_count)
                make_operation();
            if (world.slots[i].operation == NULL && world.waiting_count > 0)
                send_one(&world.slots[i]);
        }
        if (!test_executor_wait(&world.kit.executor, answer_us_max))
            fail_msg("the store does not answer");
        test_executor_run_all(&world.kit.executor);
        warehouse_kit_reset(&world.kit);
    }
}

/* --- what it must come to --- */

static void add(int64_t sums[sku_count], struct text sku, int64_t quantity)
{
    unsigned number = (unsigned)(sku.data[1] - '0');
    CHECK(number < sku_count);
    sums[number] += quantity;
}

static void add_movements(int64_t sums[sku_count])
{
    for (unsigned i = 0; i < world.made; i++) {
        const struct operation *operation = &world.operations[i];
        bool comes = operation->kind == COMMAND_RECEIVE_STOCK ||
                     operation->kind == COMMAND_RETURN_STOCK ||
                     operation->kind == COMMAND_ADJUST_STOCK;
        if (operation->done && comes)
            sums[operation->sku] += operation->quantity;
        if (operation->done && operation->kind == COMMAND_SHIP_STOCK)
            sums[operation->sku] -= operation->quantity;
    }
}

/* Not in transit any more: what came counts; still in transit: nothing lies anywhere. */
static void add_transfers(int64_t sums[sku_count])
{
    struct list_page page = {.size = 500};
    do {
        struct list_transfers_command *list =
            warehouse_kit_command(&world.kit, COMMAND_LIST_TRANSFERS, sizeof *list);
        list->page = page;
        assert_int_equal(kit_ask(&world.kit, &list->base), WAREHOUSE_DONE);
        for (size_t i = 0; i < list->transfer_count; i++) {
            const struct transfer *transfer = &list->transfers[i];
            for (size_t k = 0; k < transfer->line_count; k++) {
                const struct transfer_line *line = &transfer->lines[k];
                if (transfer->state != TRANSFER_CANCELLED)
                    add(sums, line->sku, line->received_quantity - line->quantity);
            }
        }
        page.after = list->page.next;
        warehouse_kit_reset(&world.kit);
    } while (page.after != 0);
}

static void subtract_shipped(int64_t sums[sku_count])
{
    struct list_page page = {.size = 500};
    do {
        struct list_allocations_command *list =
            warehouse_kit_command(&world.kit, COMMAND_LIST_ALLOCATIONS, sizeof *list);
        list->page = page;
        assert_int_equal(kit_ask(&world.kit, &list->base), WAREHOUSE_DONE);
        for (size_t i = 0; i < list->allocation_count; i++) {
            const struct allocation *allocation = &list->allocations[i];
            for (size_t k = 0; k < allocation->part_count; k++) {
                for (size_t n = 0; n < allocation->parts[k].line_count; n++)
                    add(sums, allocation->parts[k].lines[n].sku,
                        -allocation->parts[k].lines[n].shipped_quantity);
            }
        }
        page.after = list->page.next;
        warehouse_kit_reset(&world.kit);
    } while (page.after != 0);
}

static void assert_everything_is_somewhere(void)
{
    int64_t sums[sku_count] = {0};
    char site[8];
    char sku[8];
    add_movements(sums);
    add_transfers(sums);
    subtract_shipped(sums);
    for (unsigned k = 0; k < sku_count; k++) {
        int64_t on_hand = 0;
        name(sku, sizeof sku, "S", k);
        for (unsigned i = 0; i < site_count; i++) {
            name(site, sizeof site, "W", i);
            struct warehouse_stock stock = kit_stock(&world.kit, site, sku);
            on_hand += stock.on_hand;
            assert_true(warehouse_stock_available(&stock) >= 0);
        }
        if (on_hand != sums[k])
            fail_msg("%s: the shelves have %" PRId64 ", the answers say %" PRId64, sku, on_hand,
                     sums[k]);
    }
    kit_assert_books_are_right(&world.kit);
}

static void build(void)
{
    char id[8];
    random_seeded_init(&world.random, seed);
    warehouse_kit_init(&world.kit, true);
    world.operation_count = operations_asked != 0          ? operations_asked
                            : sql_kit_runs_on_postgresql() ? operations_postgresql
                                                           : operations_sqlite;
    world.operations = memory_allocate_zero(world.operation_count, sizeof *world.operations);
    world.waiting = memory_allocate_zero(world.operation_count, sizeof *world.waiting);
    CHECK(world.operations != NULL && world.waiting != NULL);
    for (size_t i = 0; i < slots_max; i++)
        arena_init(&world.slots[i].arena, slot_arena_bytes_max);
    for (unsigned i = 0; i < site_count; i++) {
        name(id, sizeof id, "W", i);
        assert_int_equal(kit_site(&world.kit, id, (int)i, (int)i + 1), WAREHOUSE_DONE);
        assert_int_equal(kit_bin(&world.kit, id, "Z", "1"), WAREHOUSE_DONE);
    }
    for (unsigned i = 0; i < sku_count; i++) {
        name(id, sizeof id, "S", i);
        assert_int_equal(kit_item(&world.kit, id, 100 + i), WAREHOUSE_DONE);
    }
}

static void nothing_is_lost_made_or_taken_twice(void **state)
{
    unsigned done = 0;
    (void)state;
    build();
    run_all();
    assert_everything_is_somewhere();
    for (unsigned i = 0; i < world.made; i++)
        done += world.operations[i].done;
    print_message("# seed %" PRIu64 ": %u operations, %" PRIu64 " calls, %u done\n", seed,
                  world.made, world.sent, done);
    assert_true(done > world.made / 3);
    for (size_t i = 0; i < slots_max; i++)
        arena_deinit(&world.slots[i].arena);
    memory_release(world.operations);
    memory_release(world.waiting);
    warehouse_kit_deinit(&world.kit);
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_lost_made_or_taken_twice)};
    seed = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : (uint64_t)time(NULL);
    const char *asked = argument_count > 2 ? arguments[2] : getenv("WAYBILL_OPERATIONS");
    operations_asked = asked == NULL ? 0 : (unsigned)strtoul(asked, NULL, 10);
    print_message("# replay: warehouse_conservation_test %" PRIu64 " %u\n", seed, operations_asked);
    return cmocka_run_group_tests_name("warehouse_conservation", tests, NULL, NULL);
}
