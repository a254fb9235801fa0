/*
 * Pages of large records: they end early, so that a call's memory is enough, and tell where they go
 * on; every record is on one of them. The id of each record is its letter and its number.
 */
#include "tests/contract/warehouse/warehouse_contract.h"

#include "warehouse/domain/limits.h"

#include <stdio.h>
#include <stdlib.h>

enum { numbers_max = 256, call_memory_bytes = 16 * 1024 * 1024 };

/* What a walk through all pages saw. */
struct walk {
    unsigned seen[numbers_max];
    size_t count;
    size_t pages;
};

static void see(struct walk *walk, struct text id)
{
    int number = atoi(id.data + 1);
    assert_in_range(number, 0, numbers_max - 1);
    walk->seen[number]++;
    walk->count++;
}

/* Asks for one page with the memory of a call, half of it left for the answer. */
static bool ask_page(struct warehouse_kit *kit, struct warehouse_command *command,
                     struct list_page *page, struct walk *walk)
{
    warehouse_kit_reset(kit);
    if (walk->pages > 0)
        page->after = page->next;
    else
        page->size = warehouse_page_size_max;
    kit->arena.taken_max = call_memory_bytes / 2;
    command->executor = &kit->executor.base;
    command->arena = &kit->arena;
    assert_int_equal(kit_ask(kit, command), WAREHOUSE_DONE);
    walk->pages++;
    return page->next != 0;
}

static void assert_saw_each_once(const struct walk *walk, size_t count)
{
    assert_int_equal(walk->count, count);
    assert_true(walk->pages > 1);
    assert_true(walk->pages < count); /* not one by one either */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(walk->seen[i], 1);
}

static char *name(char out[64], char letter, int number)
{
    snprintf(out, 64, "%c%d", letter, number);
    return out;
}

static void a_page_of_large_allocations_ends_early(void **state)
{
    enum { sites = 60, allocations = 250 };
    struct warehouse_kit *kit = *state;
    struct walk walk = {0};
    char id[64];
    for (int i = 0; i < sites; i++) {
        snprintf(id, sizeof id, "WAREHOUSE-OF-A-REGION-WITH-A-RATHER-LONG-NAME-%d", i);
        assert_int_equal(kit_bare_site(kit, id, 1, 1), WAREHOUSE_DONE);
        if (i == 0)
            assert_int_equal(kit_receive(kit, "M", id, "A", allocations), WAREHOUSE_DONE);
    }
    for (int i = 0; i < allocations; i++) {
        warehouse_kit_reset(kit);
        struct allocate_command *command = kit_allocation(kit, name(id, 'L', i), "A=1");
        command->strategy = STRATEGY_PRIORITY;
        assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    }
    struct list_allocations_command list = {.base.kind = COMMAND_LIST_ALLOCATIONS};
    bool more;
    do {
        more = ask_page(kit, &list.base, &list.page, &walk);
        for (size_t i = 0; i < list.allocation_count; i++) {
            assert_int_equal(list.allocations[i].reason_count, sites);
            see(&walk, list.allocations[i].allocation_id);
        }
    } while (more);
    assert_saw_each_once(&walk, allocations);
}

static void a_page_of_large_transfers_ends_early(void **state)
{
    enum { lines = 100, transfers = 60 };
    struct warehouse_kit *kit = *state;
    struct walk walk = {0};
    char id[64];
    char text[lines * 16];
    size_t at = 0;
    kit_bare_site(kit, "W", 1, 8);
    kit_bare_site(kit, "V", 1, 9);
    for (int i = 0; i < lines; i++) {
        assert_int_equal(kit_receive(kit, name(id, 'M', i), "W", id, transfers), WAREHOUSE_DONE);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s=1", i == 0 ? "" : " ", id);
    }
    for (int i = 0; i < transfers; i++) {
        warehouse_kit_reset(kit);
        assert_int_equal(kit_ask(kit, &kit_transfer(kit, name(id, 'T', i), "W", "V", text)->base),
                         WAREHOUSE_DONE);
    }
    struct list_transfers_command list = {.base.kind = COMMAND_LIST_TRANSFERS};
    bool more;
    do {
        more = ask_page(kit, &list.base, &list.page, &walk);
        for (size_t i = 0; i < list.transfer_count; i++) {
            assert_int_equal(list.transfers[i].line_count, lines);
            see(&walk, list.transfers[i].transfer_id);
        }
    } while (more);
    assert_saw_each_once(&walk, transfers);
}

enum { bins = 60, skus_a_count = 16, full_counts = 5 };

/* Finds 16 SKUs in each of 60 bins by a count, so that 960 places come in one decision. */
static void find_by_count(struct warehouse_kit *kit, int number)
{
    char id[64];
    struct count_line lines[bins * skus_a_count];
    char names[skus_a_count][64];
    char bin_names[bins][64];
    warehouse_kit_reset(kit);
    struct start_count_command *start =
        warehouse_kit_command(kit, COMMAND_START_COUNT, sizeof *start);
    struct text skus[skus_a_count];
    for (int i = 0; i < skus_a_count; i++)
        skus[i] = text_of(name(names[i], 'S', number * skus_a_count + i));
    start->count_id = text_of(name(id, 'C', number));
    start->warehouse_id = text_of("W");
    start->skus = skus;
    start->sku_count = skus_a_count;
    assert_int_equal(kit_ask(kit, &start->base), WAREHOUSE_DONE);
    for (int i = 0; i < bins * skus_a_count; i++)
        lines[i] = (struct count_line){.sku = text_of(names[i / bins]),
                                       .zone = text_of("Z"),
                                       .bin = text_of(name(bin_names[i % bins], 'B', i % bins)),
                                       .counted = 1};
    static const enum warehouse_command_kind steps[] = {COMMAND_RECORD_COUNT,
                                                        COMMAND_APPROVE_COUNT};
    for (int i = 0; i < 2; i++) {
        struct count_command *command = warehouse_kit_command(kit, steps[i], sizeof *command);
        command->count_id = text_of(id);
        command->lines = i == 0 ? lines : NULL;
        command->line_count = i == 0 ? bins * skus_a_count : 0;
        assert_int_equal(kit_ask(kit, &command->base), WAREHOUSE_DONE);
    }
}

static void pages_of_large_counts_and_of_stock_in_many_bins_end_early(void **state)
{
    struct warehouse_kit *kit = *state;
    struct walk counts = {0};
    struct walk stocks = {0};
    char id[64];
    bool more;
    kit_bare_site(kit, "W", 1, 8);
    for (int i = 0; i < bins; i++)
        kit_bin(kit, "W", "Z", name(id, 'B', i));
    for (int i = 0; i < full_counts; i++)
        find_by_count(kit, i);
    struct list_counts_command list = {.base.kind = COMMAND_LIST_COUNTS};
    do {
        more = ask_page(kit, &list.base, &list.page, &counts);
        for (size_t i = 0; i < list.count_count; i++) {
            assert_int_equal(list.counts[i].line_count, bins * skus_a_count);
            see(&counts, list.counts[i].count_id);
        }
    } while (more);
    assert_saw_each_once(&counts, full_counts);
    struct list_stock_command stock = {.base.kind = COMMAND_LIST_WAREHOUSE_STOCK};
    do {
        more = ask_page(kit, &stock.base, &stock.page, &stocks);
        for (size_t i = 0; i < stock.stock_count; i++) {
            assert_int_equal(stock.stocks[i].shelf_count, bins);
            see(&stocks, stock.stocks[i].sku);
        }
    } while (more);
    assert_saw_each_once(&stocks, (size_t)full_counts * skus_a_count);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_page_of_large_allocations_ends_early),
    cmocka_unit_test(a_page_of_large_transfers_ends_early),
    cmocka_unit_test(pages_of_large_counts_and_of_stock_in_many_bins_end_early),
};
const struct warehouse_cases page_cases = {cases, sizeof cases / sizeof cases[0]};
