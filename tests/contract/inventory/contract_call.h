#ifndef WAYBILL_TESTS_CONTRACT_INVENTORY_CONTRACT_CALL_H
#define WAYBILL_TESTS_CONTRACT_INVENTORY_CONTRACT_CALL_H

#include "tests/contract/inventory/inventory_repository_contract.h"
#include "tests/support/inventory/inventory_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * The words in which the contract's cases are written: one call to the store, then its answer.
 *
 * Lines are said as "A=4 B=2", sorted. Except for call_failure, an operating error fails the test.
 */
struct contract {
    struct contract_store *store;
    struct inventory_repository *repository;
    struct test_executor executor;
    struct inventory_call call; /* the latest one, with its answer */
    bool has_call;
};

/* The cases of one source file; *state is the struct contract of an empty store. */
struct contract_cases {
    const struct CMUnitTest *cases;
    size_t count;
};

extern const struct contract_cases broken_promises_cases;
extern const struct contract_cases stock_cases;
extern const struct contract_cases policy_cases;
extern const struct contract_cases listing_cases;
extern const struct contract_cases reservation_cases;
extern const struct contract_cases commit_cases;
extern const struct contract_cases shelf_cases;
extern const struct contract_cases expiry_cases;
extern const struct contract_cases extension_cases;
extern const struct contract_cases retake_cases;
extern const struct contract_cases return_cases;
extern const struct contract_cases reservation_list_cases;
extern const struct contract_cases idempotency_cases;
extern const struct contract_cases retention_cases;
extern const struct contract_cases ledger_cases;
extern const struct contract_cases restart_cases;

static const int64_t contract_second_us = INT64_C(1000000);
static const int64_t contract_ttl_us = INT64_C(900000000); /* of call_reserve: 15 minutes */

/* Skips the case if the store's fixture lacks an ability. */
void contract_needs(struct contract *contract, enum contract_ability ability);

/* Begins anew with an empty store and other settings than a day, 90 days and no bound. */
void contract_reopen(struct contract *contract, const struct contract_settings *settings);
void contract_restart(struct contract *contract);
void contract_pass(struct contract *contract, int64_t duration_us);
void contract_set_clock(struct contract *contract, int64_t difference_us);
int64_t contract_now_us(struct contract *contract);

/* Any question; the answer is in contract->call. */
enum inventory_outcome call_ask(struct contract *contract,
                                const struct inventory_question *question);

/* A question that ends in an operating error: its code, NONE if it did not. */
enum error_code call_failure(struct contract *contract, const struct inventory_question *question);

/* Whether the use cases refuse the question before the store hears of it; lines as they come. */
bool call_is_invalid(struct contract *contract, const struct inventory_question *question);

/* Questions in short. */
struct inventory_question receive_question(const char *id, const char *sku, int64_t quantity);
struct inventory_question adjust_question(const char *id, const char *sku, int64_t delta);
struct inventory_question list_question(const char *sku, uint64_t after, size_t page_size);
struct inventory_question reserve_question(const char *id, const struct quantity_line *lines,
                                           size_t line_count);

enum inventory_outcome call_receive(struct contract *contract, const char *id, const char *sku,
                                    int64_t quantity);
/* Reason COUNT, no note, any revision. */
enum inventory_outcome call_adjust(struct contract *contract, const char *id, const char *sku,
                                   int64_t delta);
enum inventory_outcome call_set_policy(struct contract *contract, const char *sku,
                                       struct stock_policy policy);
enum inventory_outcome call_get_stock(struct contract *contract, const char *sku);
/* No order, no customer, contract_ttl_us. */
enum inventory_outcome call_reserve(struct contract *contract, const char *id, const char *lines);
enum inventory_outcome call_reserve_for(struct contract *contract, const char *id, int64_t ttl_us,
                                        const char *lines);
/* The same with allow_partial. */
enum inventory_outcome call_reserve_partly(struct contract *contract, const char *id,
                                           const char *lines);
enum inventory_outcome call_commit(struct contract *contract, const char *id, const char *lines);
/* Commit with retake_if_expired. */
enum inventory_outcome call_retake(struct contract *contract, const char *id, const char *lines);
enum inventory_outcome call_extend(struct contract *contract, const char *id, int64_t ttl_us);
/* Reason CANCELLED. */
enum inventory_outcome call_return(struct contract *contract, const char *id,
                                   const char *reservation_id, const char *lines);
enum inventory_outcome call_return_because(struct contract *contract, const char *id,
                                           const char *reservation_id, const char *lines,
                                           enum return_reason reason);
enum inventory_outcome call_rollback(struct contract *contract, const char *id);
enum inventory_outcome call_get_reservation(struct contract *contract, const char *id);
enum inventory_outcome call_list(struct contract *contract, const char *sku, uint64_t after,
                                 size_t page_size);
enum inventory_outcome call_verify(struct contract *contract);

/* The reservation that the latest call, a DONE one, answered. */
const struct reservation *answered_reservation(const struct contract *contract);

/* The stock as GetStock tells it; the SKU must be there. */
struct stock stock_of(struct contract *contract, const char *sku);
int64_t on_hand_of(struct contract *contract, const char *sku);
int64_t reserved_of(struct contract *contract, const char *sku);
int64_t revision_of(struct contract *contract, const char *sku);
/* on hand − reserved − safety stock. */
int64_t available_of(struct contract *contract, const char *sku);

/* on hand and reserved. */
void assert_stock(struct contract *contract, const char *sku, int64_t on_hand, int64_t reserved);

/* All fields. */
void assert_stocks_equal(const struct stock *expected, const struct stock *actual);

/* GetReservation: it is there, and in this state. */
void assert_reservation(struct contract *contract, const char *id, enum reservation_state state);

/* Whether the SKU's ledger says what its stock says, account by account, read page by page. */
void assert_ledger_matches(struct contract *contract, const char *sku);

/* How many entries the SKU's ledger has. */
size_t entry_count_of(struct contract *contract, const char *sku);

/* Parses "A=4 B=2" into `lines` and gives the count; texts view the string. */
size_t parse_lines(const char *string, struct quantity_line lines[inventory_lines_max]);

#endif
