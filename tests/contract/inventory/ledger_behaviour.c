/* Every change leaves its entries; a listing gives each exactly once; the sums are the stock. */
#include "tests/contract/inventory/contract_call.h"

#include <stdio.h>
#include <string.h>

static struct contract *begin(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_receive(contract, "r1", "A", 10), INVENTORY_DONE);
    return contract;
}

/* Entry `number` of A. */
static void assert_entry(struct contract *contract, uint64_t number, enum stock_account from,
                         enum stock_account to, int64_t quantity, const char *cause,
                         const char *cause_id)
{
    assert_int_equal(call_list(contract, "A", number, 1), INVENTORY_DONE);
    const struct list_stock_entries_command *page = &contract->call.command.list_stock_entries;
    assert_int_equal(page->entry_count, 1);
    assert_int_equal(page->entries[0].from_account, from);
    assert_int_equal(page->entries[0].to_account, to);
    assert_int_equal(page->entries[0].quantity, quantity);
    assert_string_equal(page->entries[0].cause, cause);
    assert_true(text_equals_string(page->entries[0].cause_id, cause_id));
}

static void receipts_and_adjustments_leave_an_entry(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_adjust(contract, "a1", "A", -3), INVENTORY_DONE);
    assert_int_equal(call_adjust(contract, "a2", "A", 5), INVENTORY_DONE);
    assert_entry(contract, 0, STOCK_ACCOUNT_SUPPLY, STOCK_ACCOUNT_AVAILABLE, 10, "StockReceived",
                 "r1");
    assert_entry(contract, 1, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_ADJUSTMENT, 3, "StockAdjusted",
                 "a1");
    assert_entry(contract, 2, STOCK_ACCOUNT_ADJUSTMENT, STOCK_ACCOUNT_AVAILABLE, 5, "StockAdjusted",
                 "a2");
    assert_int_equal(entry_count_of(contract, "A"), 3);
}

static void reservation_leaves_an_entry_at_each_turn(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", NULL), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h2", "A=3"), INVENTORY_DONE);
    assert_int_equal(call_rollback(contract, "h2"), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h3", "A=2"), INVENTORY_DONE);
    contract_pass(contract, contract_ttl_us);
    assert_entry(contract, 1, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_RESERVED, 4, "StockReserved",
                 "h1");
    assert_entry(contract, 2, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_COMMITTED, 4, "StockCommitted",
                 "h1");
    assert_entry(contract, 4, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE, 3,
                 "ReservationRolledBack", "h2");
    assert_entry(contract, 6, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE, 2,
                 "ReservationExpired", "h3");
    assert_int_equal(entry_count_of(contract, "A"), 7);
    assert_ledger_matches(contract, "A");
}

static void partial_commit_leaves_what_was_taken_and_what_was_freed(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "r2", "B", 9), INVENTORY_DONE);
    assert_int_equal(call_reserve(contract, "h1", "A=4 B=2"), INVENTORY_DONE);
    assert_int_equal(call_commit(contract, "h1", "A=1"), INVENTORY_DONE);
    assert_entry(contract, 2, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_COMMITTED, 1, "StockCommitted",
                 "h1");
    assert_entry(contract, 3, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE, 3, "StockCommitted",
                 "h1");
    assert_int_equal(entry_count_of(contract, "A"), 4);
    assert_int_equal(entry_count_of(contract, "B"), 3);
    assert_ledger_matches(contract, "A");
    assert_ledger_matches(contract, "B");
}

static void entries_are_dated_by_their_change(void **state)
{
    struct contract *contract = begin(state);
    contract_needs(contract, CONTRACT_CLOCK);
    int64_t start_us = contract_now_us(contract);
    contract_pass(contract, 5);
    assert_int_equal(call_reserve(contract, "h1", "A=4"), INVENTORY_DONE);
    contract_pass(contract, 2 * contract_ttl_us);
    assert_int_equal(call_list(contract, "A", 0, 10), INVENTORY_DONE);
    const struct list_stock_entries_command *page = &contract->call.command.list_stock_entries;
    assert_int_equal(page->entry_count, 3);
    assert_int_equal(page->entries[0].time_us, start_us);
    assert_int_equal(page->entries[1].time_us, start_us + 5);
    assert_int_equal(page->entries[2].time_us, start_us + 5 + contract_ttl_us);
}

/* Four entries a round. */
static void make_rounds(struct contract *contract, int first, int count)
{
    for (int i = first; i < first + count; i++) {
        char id[24];
        snprintf(id, sizeof id, "round%d", i);
        assert_int_equal(call_reserve(contract, id, "A=3"), INVENTORY_DONE);
        assert_int_equal(call_commit(contract, id, "A=1"), INVENTORY_DONE);
        assert_int_equal(call_receive(contract, id, "A", 1), INVENTORY_DONE);
    }
}

static void pages_of_any_size_give_each_entry_once(void **state)
{
    static const size_t page_sizes[] = {1, 2, 3, 7, 21, 1000};
    struct contract *contract = begin(state);
    make_rounds(contract, 0, 5);
    for (size_t i = 0; i < sizeof page_sizes / sizeof page_sizes[0]; i++) {
        uint64_t after = 0;
        size_t count = 0;
        do {
            assert_int_equal(call_list(contract, "A", after, page_sizes[i]), INVENTORY_DONE);
            const struct list_stock_entries_command *page =
                &contract->call.command.list_stock_entries;
            assert_true(page->entry_count <= page_sizes[i]);
            assert_true(page->next == 0 || page->entry_count == page_sizes[i]);
            count += page->entry_count;
            after = page->next;
        } while (after != 0);
        assert_int_equal(count, 21);
    }
}

static void last_page_says_so_even_when_it_is_full(void **state)
{
    struct contract *contract = begin(state);
    make_rounds(contract, 0, 1);
    assert_int_equal(call_list(contract, "A", 0, 5), INVENTORY_DONE);
    assert_int_equal(contract->call.command.list_stock_entries.entry_count, 5);
    assert_int_equal(contract->call.command.list_stock_entries.next, 0);
    assert_int_equal(call_list(contract, "A", 0, 4), INVENTORY_DONE);
    assert_int_not_equal(contract->call.command.list_stock_entries.next, 0);
}

static void listing_while_writes_go_on_gives_each_entry_once(void **state)
{
    enum { entries_max = 128, id_size = 64 };
    static char seen[entries_max][id_size];
    struct contract *contract = begin(state);
    size_t count = 0;
    uint64_t after = 0;
    int round = 0;
    make_rounds(contract, round++, 1);
    do {
        assert_int_equal(call_list(contract, "A", after, 3), INVENTORY_DONE);
        const struct list_stock_entries_command *page = &contract->call.command.list_stock_entries;
        for (size_t i = 0; i < page->entry_count; i++) {
            struct text id = page->entries[i].entry_id;
            assert_true(count < entries_max && id.size > 0 && id.size < id_size);
            for (size_t k = 0; k < count; k++)
                assert_false(text_equals_string(id, seen[k]));
            memcpy(seen[count], id.data, id.size);
            seen[count++][id.size] = '\0';
        }
        after = page->next;
        if (round < 8)
            make_rounds(contract, round++, 1);
    } while (after != 0);
    assert_true(count >= 5); /* what was there at the start */
    assert_true(count <= entry_count_of(contract, "A"));
}

static void entry_ids_are_the_same_at_every_listing(void **state)
{
    struct contract *contract = begin(state);
    char ids[5][64];
    make_rounds(contract, 0, 1);
    assert_int_equal(call_list(contract, "A", 0, 5), INVENTORY_DONE);
    for (size_t i = 0; i < 5; i++) {
        struct text id = contract->call.command.list_stock_entries.entries[i].entry_id;
        assert_true(id.size < sizeof ids[i]);
        memcpy(ids[i], id.data, id.size);
        ids[i][id.size] = '\0';
    }
    contract_restart(contract);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(call_list(contract, "A", i, 1), INVENTORY_DONE);
        assert_true(text_equals_string(
            contract->call.command.list_stock_entries.entries[0].entry_id, ids[i]));
    }
}

static void place_beyond_the_entries_is_no_page_token(void **state)
{
    struct contract *contract = begin(state);
    make_rounds(contract, 0, 1);
    assert_int_equal(call_list(contract, "A", 6, 10), INVENTORY_PAGE_TOKEN_INVALID);
    assert_int_equal(call_list(contract, "A", UINT64_MAX, 10), INVENTORY_PAGE_TOKEN_INVALID);
    assert_int_equal(call_list(contract, "A", 4, 10), INVENTORY_DONE);
    assert_int_equal(contract->call.command.list_stock_entries.entry_count, 1);
}

static void long_ledger_can_be_read_from_any_place(void **state)
{
    enum { rounds = 70 };
    struct contract *contract = begin(state);
    make_rounds(contract, 0, rounds);
    assert_int_equal(entry_count_of(contract, "A"), 1 + 4 * rounds);
    for (int i = 0; i < rounds; i++) {
        char id[24];
        uint64_t first = 1 + 4 * (uint64_t)i;
        snprintf(id, sizeof id, "round%d", i);
        assert_entry(contract, first, STOCK_ACCOUNT_AVAILABLE, STOCK_ACCOUNT_RESERVED, 3,
                     "StockReserved", id);
        assert_entry(contract, first + 2, STOCK_ACCOUNT_RESERVED, STOCK_ACCOUNT_AVAILABLE, 2,
                     "StockCommitted", id);
    }
    assert_ledger_matches(contract, "A");
}

static void verification_counts_all_and_finds_no_mismatch(void **state)
{
    struct contract *contract = begin(state);
    assert_int_equal(call_receive(contract, "r2", "B", 10), INVENTORY_DONE);
    make_rounds(contract, 0, 3);
    assert_int_equal(call_reserve(contract, "h1", "A=1 B=1"), INVENTORY_DONE);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(call_verify(contract), INVENTORY_DONE);
        const struct verify_ledger_command *verified = &contract->call.command.verify_ledger;
        assert_int_equal(verified->entries, 2 + 3 * 4 + 2);
        assert_int_equal(verified->skus, 2);
        assert_int_equal(verified->reservations, 4);
        assert_int_equal(verified->mismatch_count, 0);
        contract_restart(contract);
    }
}

static void empty_store_verifies(void **state)
{
    struct contract *contract = *state;
    assert_int_equal(call_verify(contract), INVENTORY_DONE);
    assert_int_equal(contract->call.command.verify_ledger.entries, 0);
    assert_int_equal(contract->call.command.verify_ledger.mismatch_count, 0);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(receipts_and_adjustments_leave_an_entry),
    cmocka_unit_test(reservation_leaves_an_entry_at_each_turn),
    cmocka_unit_test(partial_commit_leaves_what_was_taken_and_what_was_freed),
    cmocka_unit_test(entries_are_dated_by_their_change),
    cmocka_unit_test(pages_of_any_size_give_each_entry_once),
    cmocka_unit_test(last_page_says_so_even_when_it_is_full),
    cmocka_unit_test(listing_while_writes_go_on_gives_each_entry_once),
    cmocka_unit_test(entry_ids_are_the_same_at_every_listing),
    cmocka_unit_test(place_beyond_the_entries_is_no_page_token),
    cmocka_unit_test(long_ledger_can_be_read_from_any_place),
    cmocka_unit_test(verification_counts_all_and_finds_no_mismatch),
    cmocka_unit_test(empty_store_verifies),
};

const struct contract_cases ledger_cases = {cases, sizeof cases / sizeof cases[0]};
