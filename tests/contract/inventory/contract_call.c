/* Every word is one call, sent alone and waited for. What goes wrong fails the running test. */
#include "tests/contract/inventory/contract_call.h"

#include "platform/base/check.h"

#include <string.h>

void contract_needs(struct contract *contract, enum contract_ability ability)
{
    if ((contract->store->table->abilities & (unsigned)ability) == 0)
        skip();
}

void contract_reopen(struct contract *contract, const struct contract_settings *settings)
{
    contract->store->table->close(contract->store);
    contract->repository = contract->store->table->open(contract->store, settings);
}

void contract_restart(struct contract *contract)
{
    contract->repository = contract->store->table->restart(contract->store);
}

void contract_pass(struct contract *contract, int64_t duration_us)
{
    contract->store->table->pass(contract->store, duration_us);
}

void contract_set_clock(struct contract *contract, int64_t difference_us)
{
    contract->store->table->set_clock(contract->store, difference_us);
}

int64_t contract_now_us(struct contract *contract)
{
    return contract->store->table->now_us(contract->store);
}

static void begin_call(struct contract *contract, const struct inventory_question *question)
{
    if (contract->has_call)
        inventory_call_deinit(&contract->call);
    inventory_call_init(&contract->call, question);
    contract->has_call = true;
}

static void ask(struct contract *contract, const struct inventory_question *question)
{
    struct inventory_call *call = &contract->call;
    begin_call(contract, question);
    inventory_call_start(call, contract->repository, &contract->executor.base);
    assert_false(call->is_answered); /* never before the call returned */
    while (!call->is_answered) {
        contract->store->table->work(contract->store, &contract->executor);
        test_executor_run_all(&contract->executor);
    }
}

enum inventory_outcome call_ask(struct contract *contract,
                                const struct inventory_question *question)
{
    ask(contract, question);
    if (error_is(contract->call.error))
        fail_msg("%s: %s", error_text(contract->call.error.code), contract->call.error.detail);
    return contract->call.command.base.outcome;
}

enum error_code call_failure(struct contract *contract, const struct inventory_question *question)
{
    ask(contract, question);
    return contract->call.error.code;
}

bool call_is_invalid(struct contract *contract, const struct inventory_question *question)
{
    struct inventory_service service = {.repository = contract->repository};
    begin_call(contract, question);
    if (inventory_call_submit(&contract->call, &service, &contract->executor.base))
        fail_msg("an invalid question was accepted");
    return true;
}

struct inventory_question receive_question(const char *id, const char *sku, int64_t quantity)
{
    return (struct inventory_question){
        .kind = CALL_RECEIVE_STOCK,
        .id = text_of(id),
        .sku = text_of(sku),
        .quantity = quantity,
    };
}

struct inventory_question adjust_question(const char *id, const char *sku, int64_t delta)
{
    return (struct inventory_question){
        .kind = CALL_ADJUST_STOCK,
        .id = text_of(id),
        .sku = text_of(sku),
        .quantity = delta,
        .reason = ADJUSTMENT_COUNT,
    };
}

struct inventory_question list_question(const char *sku, uint64_t after, size_t page_size)
{
    return (struct inventory_question){
        .kind = CALL_LIST_STOCK_ENTRIES,
        .sku = text_of(sku),
        .after = after,
        .page_size = page_size,
    };
}

struct inventory_question reserve_question(const char *id, const struct quantity_line *lines,
                                           size_t line_count)
{
    return (struct inventory_question){
        .kind = CALL_RESERVE,
        .id = text_of(id),
        .ttl_us = contract_ttl_us,
        .lines = lines,
        .line_count = line_count,
    };
}

size_t parse_lines(const char *string, struct quantity_line lines[inventory_lines_max])
{
    size_t count = 0;
    const char *at = string == NULL ? "" : string;
    while (*at != '\0') {
        size_t size = strcspn(at, " ");
        const char *equals = memchr(at, '=', size);
        CHECK(equals != NULL && count < inventory_lines_max);
        struct text number = text_make(equals + 1, (size_t)(at + size - equals - 1));
        lines[count].sku = text_make(at, (size_t)(equals - at));
        CHECK(text_to_int64(number, &lines[count].quantity));
        count++;
        at += size;
        at += strspn(at, " ");
    }
    return count;
}

enum inventory_outcome call_receive(struct contract *contract, const char *id, const char *sku,
                                    int64_t quantity)
{
    struct inventory_question question = receive_question(id, sku, quantity);
    return call_ask(contract, &question);
}

enum inventory_outcome call_adjust(struct contract *contract, const char *id, const char *sku,
                                   int64_t delta)
{
    struct inventory_question question = adjust_question(id, sku, delta);
    return call_ask(contract, &question);
}

enum inventory_outcome call_set_policy(struct contract *contract, const char *sku,
                                       struct stock_policy policy)
{
    struct inventory_question question = {
        .kind = CALL_SET_STOCK_POLICY,
        .sku = text_of(sku),
        .policy = policy,
    };
    return call_ask(contract, &question);
}

enum inventory_outcome call_reserve_partly(struct contract *contract, const char *id,
                                           const char *lines)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = reserve_question(id, parsed, parse_lines(lines, parsed));
    question.allow_partial = true;
    return call_ask(contract, &question);
}

enum inventory_outcome call_get_stock(struct contract *contract, const char *sku)
{
    struct inventory_question question = {.kind = CALL_GET_STOCK, .sku = text_of(sku)};
    return call_ask(contract, &question);
}

enum inventory_outcome call_reserve(struct contract *contract, const char *id, const char *lines)
{
    return call_reserve_for(contract, id, contract_ttl_us, lines);
}

enum inventory_outcome call_reserve_for(struct contract *contract, const char *id, int64_t ttl_us,
                                        const char *lines)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = reserve_question(id, parsed, parse_lines(lines, parsed));
    question.ttl_us = ttl_us;
    return call_ask(contract, &question);
}

enum inventory_outcome call_commit(struct contract *contract, const char *id, const char *lines)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = {
        .kind = CALL_COMMIT,
        .id = text_of(id),
        .lines = parsed,
        .line_count = parse_lines(lines, parsed),
    };
    return call_ask(contract, &question);
}

enum inventory_outcome call_retake(struct contract *contract, const char *id, const char *lines)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = {
        .kind = CALL_COMMIT,
        .id = text_of(id),
        .lines = parsed,
        .line_count = parse_lines(lines, parsed),
        .retake_if_expired = true,
    };
    return call_ask(contract, &question);
}

enum inventory_outcome call_extend(struct contract *contract, const char *id, int64_t ttl_us)
{
    struct inventory_question question = {
        .kind = CALL_EXTEND_RESERVATION,
        .id = text_of(id),
        .ttl_us = ttl_us,
    };
    return call_ask(contract, &question);
}

enum inventory_outcome call_return_because(struct contract *contract, const char *id,
                                           const char *reservation_id, const char *lines,
                                           enum return_reason reason)
{
    struct quantity_line parsed[inventory_lines_max];
    struct inventory_question question = {
        .kind = CALL_RETURN_STOCK,
        .id = text_of(id),
        .reservation_id = text_of(reservation_id),
        .lines = parsed,
        .line_count = parse_lines(lines, parsed),
        .return_reason = reason,
    };
    return call_ask(contract, &question);
}

enum inventory_outcome call_return(struct contract *contract, const char *id,
                                   const char *reservation_id, const char *lines)
{
    return call_return_because(contract, id, reservation_id, lines, RETURN_CANCELLED);
}

enum inventory_outcome call_rollback(struct contract *contract, const char *id)
{
    struct inventory_question question = {.kind = CALL_ROLLBACK, .id = text_of(id)};
    return call_ask(contract, &question);
}

enum inventory_outcome call_get_reservation(struct contract *contract, const char *id)
{
    struct inventory_question question = {.kind = CALL_GET_RESERVATION, .id = text_of(id)};
    return call_ask(contract, &question);
}

enum inventory_outcome call_list(struct contract *contract, const char *sku, uint64_t after,
                                 size_t page_size)
{
    struct inventory_question question = list_question(sku, after, page_size);
    return call_ask(contract, &question);
}

enum inventory_outcome call_verify(struct contract *contract)
{
    struct inventory_question question = {.kind = CALL_VERIFY_LEDGER};
    return call_ask(contract, &question);
}

const struct reservation *answered_reservation(const struct contract *contract)
{
    assert_int_equal(contract->call.command.base.outcome, INVENTORY_DONE);
    switch (contract->call.question.kind) {
    case CALL_RESERVE:
        return &contract->call.command.reserve.reservation;
    case CALL_COMMIT:
        return &contract->call.command.commit.reservation;
    case CALL_ROLLBACK:
        return &contract->call.command.rollback.reservation;
    case CALL_EXTEND_RESERVATION:
        return &contract->call.command.extend_reservation.reservation;
    case CALL_GET_RESERVATION:
        return &contract->call.command.get_reservation.reservation;
    case CALL_RECEIVE_STOCK:
    case CALL_ADJUST_STOCK:
    case CALL_SET_STOCK_POLICY:
    case CALL_GET_STOCK:
    case CALL_BATCH_GET_STOCK:
    case CALL_LIST_STOCK:
    case CALL_RETURN_STOCK:
    case CALL_LIST_RESERVATIONS:
    case CALL_LIST_STOCK_ENTRIES:
    case CALL_VERIFY_LEDGER:
    case CALL_FOLLOW_SHELF:
    case CALL_GET_SHELF_PLACE:
        break;
    }
    fail_msg("the latest call answers no reservation");
    return NULL;
}

struct stock stock_of(struct contract *contract, const char *sku)
{
    assert_int_equal(call_get_stock(contract, sku), INVENTORY_DONE);
    return contract->call.command.get_stock.stock;
}

static int64_t on_hand(const struct stock *stock)
{
    return stock->received + stock->returned + stock->adjusted - stock->committed;
}

int64_t on_hand_of(struct contract *contract, const char *sku)
{
    struct stock stock = stock_of(contract, sku);
    return on_hand(&stock);
}

int64_t reserved_of(struct contract *contract, const char *sku)
{
    return stock_of(contract, sku).reserved;
}

int64_t revision_of(struct contract *contract, const char *sku)
{
    return stock_of(contract, sku).revision;
}

void assert_stock(struct contract *contract, const char *sku, int64_t expected_on_hand,
                  int64_t reserved)
{
    struct stock stock = stock_of(contract, sku);
    assert_int_equal(on_hand(&stock), expected_on_hand);
    assert_int_equal(stock.reserved, reserved);
}

void assert_stocks_equal(const struct stock *expected, const struct stock *actual)
{
    assert_int_equal(expected->received, actual->received);
    assert_int_equal(expected->returned, actual->returned);
    assert_int_equal(expected->adjusted, actual->adjusted);
    assert_int_equal(expected->committed, actual->committed);
    assert_int_equal(expected->reserved, actual->reserved);
    assert_int_equal(expected->revision, actual->revision);
    assert_int_equal(expected->update_time_us, actual->update_time_us);
    assert_memory_equal(&expected->policy, &actual->policy, sizeof expected->policy);
}

int64_t available_of(struct contract *contract, const char *sku)
{
    struct stock stock = stock_of(contract, sku);
    return on_hand(&stock) - stock.reserved - stock.policy.safety_stock;
}

void assert_reservation(struct contract *contract, const char *id, enum reservation_state state)
{
    assert_int_equal(call_get_reservation(contract, id), INVENTORY_DONE);
    assert_int_equal(answered_reservation(contract)->state, state);
}

void assert_ledger_matches(struct contract *contract, const char *sku)
{
    int64_t sums[stock_account_count] = {0};
    struct stock stock = stock_of(contract, sku);
    uint64_t after = 0;
    do {
        assert_int_equal(call_list(contract, sku, after, 7), INVENTORY_DONE);
        const struct list_stock_entries_command *page = &contract->call.command.list_stock_entries;
        for (size_t i = 0; i < page->entry_count; i++) {
            assert_true(page->entries[i].quantity > 0);
            sums[page->entries[i].from_account] -= page->entries[i].quantity;
            sums[page->entries[i].to_account] += page->entries[i].quantity;
        }
        after = page->next;
    } while (after != 0);
    assert_int_equal(sums[STOCK_ACCOUNT_SUPPLY], -stock.received);
    assert_int_equal(sums[STOCK_ACCOUNT_AVAILABLE], on_hand(&stock) - stock.reserved);
    assert_int_equal(sums[STOCK_ACCOUNT_RESERVED], stock.reserved);
    assert_int_equal(sums[STOCK_ACCOUNT_COMMITTED], stock.committed);
    assert_int_equal(sums[STOCK_ACCOUNT_RETURNED], -stock.returned);
    assert_int_equal(sums[STOCK_ACCOUNT_ADJUSTMENT], -stock.adjusted);
}

size_t entry_count_of(struct contract *contract, const char *sku)
{
    size_t count = 0;
    uint64_t after = 0;
    do {
        assert_int_equal(call_list(contract, sku, after, inventory_page_size_max), INVENTORY_DONE);
        count += contract->call.command.list_stock_entries.entry_count;
        after = contract->call.command.list_stock_entries.next;
    } while (after != 0);
    return count;
}
