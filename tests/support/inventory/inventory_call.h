#ifndef WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_CALL_H
#define WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_CALL_H

#include "inventory/application/inventory_service.h"
#include "inventory/domain/inventory_repository.h"
#include "inventory/domain/limits.h"
#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "tests/support/test_executor.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One call of an inventory repository as a value: what is asked, then the answer; to be made,
 * copied, sent to any store, compared and printed by every suite alike. A call owns all that it
 * says.
 */
enum inventory_call_kind {
    CALL_RECEIVE_STOCK,
    CALL_ADJUST_STOCK,
    CALL_SET_STOCK_POLICY,
    CALL_GET_STOCK,
    CALL_BATCH_GET_STOCK,
    CALL_LIST_STOCK,
    CALL_RESERVE,
    CALL_COMMIT,
    CALL_ROLLBACK,
    CALL_EXTEND_RESERVATION,
    CALL_RETURN_STOCK,
    CALL_LIST_RESERVATIONS,
    CALL_GET_RESERVATION,
    CALL_LIST_STOCK_ENTRIES,
    CALL_VERIFY_LEDGER,
    CALL_FOLLOW_SHELF,
    CALL_GET_SHELF_PLACE,
};
enum { inventory_call_kind_count = CALL_GET_SHELF_PLACE + 1 };

/* What is asked; fields that the kind does not have are ignored. */
struct inventory_question {
    enum inventory_call_kind kind;
    struct text id;             /* of the receipt, adjustment, return or reservation */
    struct text reservation_id; /* of the return's */
    enum return_reason return_reason;
    bool retake_if_expired;
    enum reservation_state reservation_state; /* of the reservations listed, with has_state */
    struct text sku;
    int64_t quantity; /* of the receipt; the adjustment's delta */
    enum adjustment_reason reason;
    struct text note;
    int64_t expected_revision;
    struct stock_policy policy;
    bool has_state; /* of the stocks listed */
    enum stock_state state;
    struct text after_sku;
    struct text order_id;
    struct text customer_id;
    int64_t ttl_us;
    bool allow_partial;
    /* In normal form, unless it goes to a service. Of BatchGetStock only the SKUs count. */
    const struct quantity_line *lines;
    size_t line_count;
    size_t page_size;
    uint64_t after;
    bool is_receipt; /* FollowShelf: id, sku, quantity and note are the movement's */
    struct text shelf_log;
    uint64_t shelf_position;
};

struct inventory_call {
    union {
        struct inventory_command base;
        struct receive_stock_command receive_stock;
        struct adjust_stock_command adjust_stock;
        struct set_stock_policy_command set_stock_policy;
        struct get_stock_command get_stock;
        struct batch_get_stock_command batch_get_stock;
        struct list_stock_command list_stock;
        struct reserve_command reserve;
        struct commit_command commit;
        struct rollback_command rollback;
        struct extend_reservation_command extend_reservation;
        struct return_stock_command return_stock;
        struct list_reservations_command list_reservations;
        struct get_reservation_command get_reservation;
        struct list_stock_entries_command list_stock_entries;
        struct verify_ledger_command verify_ledger;
        struct follow_shelf_command follow_shelf;
        struct get_shelf_place_command get_shelf_place;
    } command;
    struct inventory_question question;
    struct quantity_line *lines; /* the question's */
    struct text *skus;           /* the same, of BatchGetStock */
    struct arena question_arena;
    struct arena arena; /* of the answer, empty before it */
    bool is_answered;
    struct error error; /* NONE: the store decided, see command */
};

/* Copies the question. Without memory it aborts, as everything here. */
void inventory_call_init(struct inventory_call *call, const struct inventory_question *question);
void inventory_call_deinit(struct inventory_call *call);

/* Sends it; is_answered becomes true when the executor runs the completion. */
void inventory_call_start(struct inventory_call *call, struct inventory_repository *repository,
                          struct executor *executor);

/*
 * The same through the use cases, which bring the question into normal form. False if they refuse
 * it; then there is no answer.
 */
bool inventory_call_submit(struct inventory_call *call, struct inventory_service *service,
                           struct executor *executor);

/*
 * Whether two answers to the same question say the same, field by field; entry_id, chain_head and
 * where a list of reservations goes on are a store's own. If not, `difference` is told what
 * differs.
 */
bool inventory_call_answers_equal(const struct inventory_call *expected,
                                  const struct inventory_call *actual, struct buffer *difference);

/* What a Reserve or a Commit that was answered INSUFFICIENT_STOCK fell short of. */
const struct shortage *inventory_call_shortages(const struct inventory_call *call, size_t *count);

/* One line, without its end. */
void inventory_question_print(const struct inventory_question *question, struct buffer *line);
void inventory_answer_print(const struct inventory_call *call, struct buffer *line);
const char *inventory_outcome_name(enum inventory_outcome outcome);

#endif
