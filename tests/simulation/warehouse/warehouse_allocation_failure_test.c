/*
 * Every allocation of ours and SQLite's fails once (RELIABILITY row 9): for each kind of command,
 * with the n-th allocation failing, alone or with all later ones, for every n there is. The answer
 * is an error of memory and nothing has happened, or it is the right one; asked again it is the
 * right one, and the books agree with the movements.
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/warehouse/warehouse_kit.h"

#include <stdio.h>
#include <string.h>

enum { trials_max = 3000, verify_every = 64 };

/* Makes the command of trial `number`, after what it needs. */
typedef struct warehouse_command *make_function(struct warehouse_kit *kit, unsigned number);

static char *numbered(struct warehouse_kit *kit, const char *prefix, unsigned number)
{
    char *id = arena_format(&kit->arena, "%s%u", prefix, number);
    CHECK(id != NULL);
    return id;
}

static struct warehouse_command *make_item(struct warehouse_kit *kit, unsigned number)
{
    struct item_command *put = warehouse_kit_command(kit, COMMAND_PUT_ITEM, sizeof *put);
    put->item.sku = text_of(numbered(kit, "I", number));
    put->item.weight_grams = 5;
    return &put->base;
}

static struct warehouse_command *make_site(struct warehouse_kit *kit, unsigned number)
{
    struct warehouse_record_command *create =
        warehouse_kit_command(kit, COMMAND_CREATE_WAREHOUSE, sizeof *create);
    create->warehouse.warehouse_id = text_of(numbered(kit, "X", number % 900));
    return &create->base;
}

static struct warehouse_command *make_card(struct warehouse_kit *kit, unsigned number)
{
    static const struct cost_band bands[] = {{1000, 1, 1}, {2000, 2, 2}};
    struct cost_card_command *set = warehouse_kit_command(kit, COMMAND_SET_COST_CARD, sizeof *set);
    set->cost_card.warehouse_id = text_of("V");
    set->cost_card.valid_from_day = 30000 + number % 900;
    set->cost_card.parcel_grams_max = 1000;
    memcpy(set->cost_card.currency, "USD", 4);
    set->cost_card.bands = bands;
    set->cost_card.band_count = 2;
    return &set->base;
}

static struct warehouse_command *make_receipt(struct warehouse_kit *kit, unsigned number)
{
    struct movement_command *receive =
        kit_movement(kit, COMMAND_RECEIVE_STOCK, numbered(kit, "R", number), "W", "A", 5);
    receive->lot = text_of(numbered(kit, "L", number % 8));
    return &receive->base;
}

static struct warehouse_command *make_shipment(struct warehouse_kit *kit, unsigned number)
{
    return &kit_movement(kit, COMMAND_SHIP_STOCK, numbered(kit, "S", number), "W", "A", 2)->base;
}

static struct warehouse_command *make_move(struct warehouse_kit *kit, unsigned number)
{
    struct movement_command *move =
        kit_movement(kit, COMMAND_MOVE_STOCK, numbered(kit, "V", number), "W", "A", 1);
    move->to_zone = text_of("Z");
    move->to_bin = text_of("1");
    return &move->base;
}

static struct warehouse_command *make_transfer(struct warehouse_kit *kit, unsigned number)
{
    return &kit_transfer(kit, numbered(kit, "T", number), "W", "V", "A=2 B=1")->base;
}

static struct warehouse_command *make_reception(struct warehouse_kit *kit, unsigned number)
{
    const char *id = numbered(kit, "TR", number);
    assert_int_equal(kit_ask(kit, &kit_transfer(kit, id, "W", "V", "A=2 B=1")->base),
                     WAREHOUSE_DONE);
    return &kit_transfer_command(kit, COMMAND_RECEIVE_TRANSFER, id, "A=1 B=2")->base;
}

static struct warehouse_command *make_count(struct warehouse_kit *kit, unsigned number)
{
    struct start_count_command *start =
        warehouse_kit_command(kit, COMMAND_START_COUNT, sizeof *start);
    start->count_id = text_of(numbered(kit, "C", number));
    start->warehouse_id = text_of("W");
    return &start->base;
}

static struct warehouse_command *make_approval(struct warehouse_kit *kit, unsigned number)
{
    struct count_command *record = warehouse_kit_command(kit, COMMAND_RECORD_COUNT, sizeof *record);
    struct start_count_command *start = (struct start_count_command *)make_count(kit, number);
    struct count_line line = {.sku = text_of("B"), .counted = 40 + number % 2};
    start->count_id = text_of(numbered(kit, "CA", number));
    assert_int_equal(kit_ask(kit, &start->base), WAREHOUSE_DONE);
    record->count_id = start->count_id;
    record->lines = &line;
    record->line_count = 1;
    assert_int_equal(kit_ask(kit, &record->base), WAREHOUSE_DONE);
    struct count_command *approve =
        warehouse_kit_command(kit, COMMAND_APPROVE_COUNT, sizeof *approve);
    approve->count_id = start->count_id;
    return &approve->base;
}

static struct warehouse_command *make_allocation(struct warehouse_kit *kit, unsigned number)
{
    return &kit_allocation(kit, numbered(kit, "AL", number), "A=2 B=1")->base;
}

static struct warehouse_command *make_release(struct warehouse_kit *kit, unsigned number)
{
    const char *id = numbered(kit, "AR", number);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, id, "A=1")->base), WAREHOUSE_DONE);
    return &kit_allocation_command(kit, COMMAND_RELEASE_ALLOCATION, id)->base;
}

/* What it holds is due when it is asked for: it is expired on the way. */
static struct warehouse_command *make_expiry(struct warehouse_kit *kit, unsigned number)
{
    const char *id = numbered(kit, "AE", number);
    struct allocate_command *allocate = kit_allocation(kit, id, "A=1");
    allocate->expire_time_us = warehouse_kit_now_us(kit) + 1000;
    assert_int_equal(kit_ask(kit, &allocate->base), WAREHOUSE_DONE);
    warehouse_kit_pass(kit, 1000);
    return &kit_allocation_command(kit, COMMAND_GET_ALLOCATION, id)->base;
}

static struct warehouse_command *make_shipping(struct warehouse_kit *kit, unsigned number)
{
    const char *id = numbered(kit, "AS", number);
    assert_int_equal(kit_ask(kit, &kit_allocation(kit, id, "A=2 B=1")->base), WAREHOUSE_DONE);
    return &kit_shipping(kit, id, "", "A=1")->base;
}

static struct warehouse_command *make_list(struct warehouse_kit *kit, unsigned number)
{
    struct list_movements_command *list =
        warehouse_kit_command(kit, COMMAND_LIST_MOVEMENTS, sizeof *list);
    list->page.size = 1 + number % 3;
    return &list->base;
}

static void build(struct warehouse_kit *kit)
{
    warehouse_kit_init(kit, false);
    assert_int_equal(kit_site(kit, "W", 1, 1), WAREHOUSE_DONE);
    assert_int_equal(kit_site(kit, "V", 2, 2), WAREHOUSE_DONE);
    kit_bin(kit, "W", "Z", "1");
    kit_item(kit, "A", 100);
    kit_item(kit, "B", 100);
    kit_receive(kit, "A", "W", "A", INT64_C(1000000));
    kit_receive(kit, "B", "W", "B", INT64_C(1000000));
}

static bool is_of_memory(enum error_code code)
{
    return code == ERROR_OUT_OF_MEMORY;
}

/* One trial; gives whether an allocation failed at all. */
static bool fails_at(struct warehouse_kit *kit, make_function *make, unsigned number,
                     uint64_t successes, int repeat)
{
    warehouse_kit_reset(kit);
    struct warehouse_command *command = make(kit, number);
    uint64_t before = memory_allocation_count();
    memory_fail_after(successes, repeat);
    enum warehouse_outcome outcome = kit_try(kit, command);
    bool failed = memory_allocation_count() - before > successes;
    memory_fail_after(UINT64_MAX, 0);
    if (kit->error != ERROR_NONE && !is_of_memory(kit->error))
        fail_msg("allocation %llu: %s: %s", (unsigned long long)successes, error_text(kit->error),
                 kit->error_detail);
    if (kit->error == ERROR_NONE && outcome != WAREHOUSE_DONE)
        fail_msg("allocation %llu: outcome %d", (unsigned long long)successes, (int)outcome);
    outcome = kit_try(kit, command);
    if (kit->error != ERROR_NONE || outcome != WAREHOUSE_DONE)
        fail_msg("allocation %llu: asked again: %s: %s, outcome %d", (unsigned long long)successes,
                 error_text(kit->error), kit->error_detail, (int)outcome);
    if (number % verify_every == 0)
        kit_assert_books_are_right(kit);
    return failed;
}

static void fail_each_allocation(void **state)
{
    make_function *make = *(make_function *const *)*state;
    static struct warehouse_kit kit;
    unsigned number = 0;
    build(&kit);
    for (int repeat = 0; repeat < 2; repeat++) {
        uint64_t successes = 0;
        while (number < trials_max && fails_at(&kit, make, number, successes, repeat)) {
            successes++;
            number++;
        }
        number++;
    }
    kit_assert_books_are_right(&kit);
    print_message("# %u allocations failed\n", number - 2);
    assert_true(number > 10);
    warehouse_kit_deinit(&kit);
}

int main(void)
{
    static make_function *const makers[] = {
        make_item,       make_site,     make_card,      make_receipt,  make_shipment,
        make_move,       make_transfer, make_reception, make_count,    make_approval,
        make_allocation, make_release,  make_expiry,    make_shipping, make_list,
    };
    static const char *const names[] = {
        "PutItem",   "CreateWarehouse",   "SetCostCard",     "ReceiveStock",   "ShipStock",
        "MoveStock", "CreateTransfer",    "ReceiveTransfer", "StartCount",     "ApproveCount",
        "Allocate",  "ReleaseAllocation", "expiry",          "ShipAllocation", "ListMovements",
    };
    enum { count = sizeof makers / sizeof makers[0] };
    struct CMUnitTest tests[count];
    if (sql_kit_runs_on_postgresql())
        return 0;
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = fail_each_allocation,
                                       .initial_state = (void *)(uintptr_t)&makers[i]};
    return _cmocka_run_group_tests("warehouse_allocation_failure", tests, count, NULL, NULL);
}
