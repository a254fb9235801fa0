#ifndef WAYBILL_INVENTORY_DOMAIN_INVENTORY_REPOSITORY_H
#define WAYBILL_INVENTORY_DOMAIN_INVENTORY_REPOSITORY_H

#include "inventory/domain/reservation.h"
#include "inventory/domain/stock.h"
#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where inventory is kept. A repository takes whole decisions, each one atomic, durable step:
 * state, id and event together, synced before the answer; so every technology keeps its own
 * atomicity (DESIGN section 3 rules 2 and 3).
 *
 * Time is the store's own and never runs back. Before each decision and each read the store
 * expires, in the same order of steps, what is due on the SKUs touched (rule 6), so no answer ever
 * counts an expired hold.
 *
 * Every write is idempotent by its id: the same id with the same content gives INVENTORY_DONE and
 * the record as it is now; with other content INVENTORY_ID_REUSED. A refusal leaves no trace. An id
 * is forgotten, and free again, as soon as its retention is over: end + retention ≤ now.
 *
 * A command belongs to the store from the call until `done`; texts in it must live as long. Results
 * are written into the command, further memory for them comes from its arena. `done` is called
 * exactly once, never before the call returned, on the command's executor.
 * Thread: any that may post to that executor's owner, normally the executor's own.
 *
 * Inputs are valid (application/ has checked them): ids and SKUs within limits.h, lines in normal
 * form (quantity_lines_normalize), quantities and ttl in range.
 */
struct inventory_repository;

/* What the store decided. Every refusal is a result, not an error. */
enum inventory_outcome {
    INVENTORY_DONE,
    INVENTORY_SKU_NOT_FOUND,         /* `failed_sku` names it */
    INVENTORY_RESERVATION_NOT_FOUND, /* never made, or forgotten after its retention */
    INVENTORY_INSUFFICIENT_STOCK,    /* `shortages` */
    INVENTORY_ID_REUSED,
    INVENTORY_REVISION_MISMATCH, /* AdjustStock, SetStockPolicy: `stock` is the present one */
    INVENTORY_ON_HAND_LIMIT,     /* on hand would exceed 10^15 */
    INVENTORY_LINES_NOT_HELD, /* `failed_sku` is not held (Commit), or not committed and out still
                                 (ReturnStock), or not so many */
    INVENTORY_RESERVATION_COMMITTED, /* a change after the end, named by the state it is in */
    INVENTORY_RESERVATION_ROLLED_BACK,
    INVENTORY_RESERVATION_EXPIRED,
    INVENTORY_RESERVATION_PENDING, /* ReturnStock: nothing is committed yet */
    INVENTORY_PAGE_TOKEN_INVALID,  /* ListStockEntries, ListReservations: `after` is no place in it
                                    */
    INVENTORY_FED_BY_WAREHOUSE,    /* ReceiveStock, AdjustStock, ReturnStock of what has left: on
                                      hand comes from the shelf */
    INVENTORY_QUANTITY_LIMIT,      /* Reserve: more of `failed_sku` than its policy gives to one */
};

enum adjustment_reason {
    ADJUSTMENT_COUNT = 1,
    ADJUSTMENT_DAMAGE,
    ADJUSTMENT_LOSS,
    ADJUSTMENT_FOUND,
    ADJUSTMENT_CORRECTION,
    ADJUSTMENT_OTHER,
};

enum return_reason {
    RETURN_CANCELLED = 1,
    RETURN_SHORT_PICK,
    RETURN_CUSTOMER,
    RETURN_OTHER,
};

/*
 * Completion of every call. `error` is NULL when the store decided: read the command's outcome.
 * Errors: STORE_UNAVAILABLE (outcome unknown: ask again with the same id); OVERLOADED, DISK_FULL,
 * RETENTION_FULL, OUT_OF_MEMORY (nothing was done). A refusal, being a decision, goes before
 * RETENTION_FULL. It lives until this returns.
 */
typedef void inventory_done(void *context, const struct error *error);

/* First member of every command. The caller sets executor and arena; the rest is the store's. */
struct inventory_command {
    struct executor *executor;
    struct arena *arena;
    enum inventory_outcome outcome;
    struct text failed_sku;
    struct task task;
    int kind;
    inventory_done *done;
    void *context;
    struct error *error; /* NULL or on the arena */
};

/* One SKU that fell short. */
struct shortage {
    struct text sku;
    int64_t requested_quantity;
    int64_t available_quantity;
};

struct receive_stock_command {
    struct inventory_command base;
    struct text receipt_id;
    struct text sku;
    int64_t quantity;
    struct stock stock; /* result: as it is now */
};

struct adjust_stock_command {
    struct inventory_command base;
    struct text adjustment_id;
    struct text sku;
    int64_t delta;
    enum adjustment_reason reason;
    struct text note;
    int64_t expected_revision; /* 0 = any; a precondition, not part of the content */
    struct stock stock;        /* result: as it is now, also with REVISION_MISMATCH */
    struct shortage shortage;  /* result with INSUFFICIENT_STOCK: −delta and on hand */
};

/*
 * Where on hand comes from, once and for all in one store (DESIGN section 2): from inventory's own
 * receipts and adjustments, or from the movements on the warehouse's shelves.
 */
enum on_hand_source { ON_HAND_OWN, ON_HAND_WAREHOUSE };

/* How far a store has followed the warehouse: which log, and up to which position in it. */
enum { shelf_log_bytes_max = 31 };
struct shelf_place {
    struct text log; /* empty = it has not begun */
    uint64_t position;
};

/* What happened on the shelf, as far as it concerns on hand. */
struct follow_shelf_command {
    struct inventory_command base;
    struct text movement_id; /* empty: nothing happened, only the place moves on */
    struct text sku;
    int64_t quantity;         /* signed, not 0 */
    bool is_receipt;          /* goods that came, else a correction */
    struct text note;         /* of a correction: what it was, "OUTBOUND" */
    struct shelf_place place; /* behind it */
};

struct get_shelf_place_command {
    struct inventory_command base;
    struct shelf_place place; /* result */
};

struct get_stock_command {
    struct inventory_command base;
    struct text sku;
    struct stock stock; /* result */
};

struct set_stock_policy_command {
    struct inventory_command base;
    struct text sku;
    struct stock_policy policy;
    int64_t expected_revision; /* 0 = any */
    struct stock stock;        /* result: as it is now, also with REVISION_MISMATCH */
};

/* A stock with its name. */
struct sku_stock {
    struct text sku;
    struct stock stock;
};

struct batch_get_stock_command {
    struct inventory_command base;
    const struct text *skus; /* sorted, each once; at most inventory_batch_skus_max */
    size_t sku_count;
    struct sku_stock *stocks; /* results: every SKU is in one of the two, both sorted */
    size_t stock_count;
    struct text *missing;
    size_t missing_count;
};

struct list_stock_command {
    struct inventory_command base;
    bool has_state; /* else those in any state */
    enum stock_state state;
    size_t page_size;
    struct text after;        /* SKUs behind this one; empty = from the first */
    struct sku_stock *stocks; /* result, sorted by SKU */
    size_t stock_count;       /* may be less than page_size, even 0, on any page */
    struct text next;         /* result: `after` of the next page; empty = this is the last */
};

struct reserve_command {
    struct inventory_command base;
    struct text reservation_id;
    struct text order_id;
    struct text customer_id;
    int64_t ttl_us;
    bool allow_partial; /* each line gets what is free of it */
    const struct quantity_line *lines;
    size_t line_count;
    struct reservation reservation; /* result; with a refusal undefined */
    struct shortage *shortages;     /* result with INSUFFICIENT_STOCK, one a SKU, sorted by SKU */
    size_t shortage_count;
};

struct commit_command {
    struct inventory_command base;
    struct text reservation_id;
    const struct quantity_line *lines; /* none = all */
    size_t line_count;
    bool retake_if_expired;
    struct reservation reservation; /* result */
    struct shortage *shortages;     /* result with INSUFFICIENT_STOCK: what cannot be retaken */
    size_t shortage_count;
};

struct extend_reservation_command {
    struct inventory_command base;
    struct text reservation_id;
    int64_t ttl_us;                 /* from now */
    struct reservation reservation; /* result */
};

struct return_stock_command {
    struct inventory_command base;
    struct text return_id;
    struct text reservation_id;
    const struct quantity_line *lines; /* not none */
    size_t line_count;
    enum return_reason reason;
    struct sku_stock *stocks; /* result: those of the lines, as they are now */
};

struct rollback_command {
    struct inventory_command base;
    struct text reservation_id;
    struct reservation reservation; /* result */
};

struct get_reservation_command {
    struct inventory_command base;
    struct text reservation_id;
    struct reservation reservation; /* result */
};

struct list_reservations_command {
    struct inventory_command base;
    struct text order_id; /* each filter: empty = any */
    struct text customer_id;
    struct text sku; /* one of its lines */
    bool has_state;
    enum reservation_state state;
    size_t page_size;
    uint64_t after;                   /* 0, or `next` of a page of the same filters */
    struct reservation *reservations; /* result, newest first */
    size_t reservation_count;         /* may be less than page_size, even 0, on any page */
    uint64_t next;                    /* result: `after` of the next page; 0 = this is the last */
};

/* The accounts of the ledger: an entry moves a quantity from one to another. */
enum stock_account {
    STOCK_ACCOUNT_SUPPLY,
    STOCK_ACCOUNT_AVAILABLE,
    STOCK_ACCOUNT_RESERVED,
    STOCK_ACCOUNT_COMMITTED,
    STOCK_ACCOUNT_RETURNED,
    STOCK_ACCOUNT_ADJUSTMENT,
};
enum { stock_account_count = STOCK_ACCOUNT_ADJUSTMENT + 1 };

struct stock_entry {
    struct text entry_id; /* unique in the store */
    int64_t time_us;
    enum stock_account from_account;
    enum stock_account to_account;
    int64_t quantity;  /* > 0 */
    const char *cause; /* the event's name: "StockReserved" */
    struct text cause_id;
};

struct list_stock_entries_command {
    struct inventory_command base;
    struct text sku;
    size_t page_size;
    uint64_t after;              /* entries of this SKU to pass over: 0, or `next` of a page */
    struct stock_entry *entries; /* result, oldest first */
    size_t entry_count;
    uint64_t next; /* result: `after` of the next page; 0 = this is the last */
};

struct ledger_mismatch {
    struct text sku;
    enum stock_account account;
    int64_t ledger_quantity;  /* the sum of all entries */
    int64_t balance_quantity; /* what the stock says */
};

struct verify_ledger_command {
    struct inventory_command base;
    uint64_t entries; /* results: how much was verified, of all that ever was */
    uint64_t skus;
    uint64_t reservations;
    struct ledger_mismatch *mismatches; /* the first ledger_mismatches_max, by SKU */
    size_t mismatch_count;
    uint8_t chain_head[32];
};
enum { ledger_mismatches_max = 1000 };

struct inventory_repository_table {
    void (*receive_stock)(struct inventory_repository *, struct receive_stock_command *);
    void (*adjust_stock)(struct inventory_repository *, struct adjust_stock_command *);
    void (*get_stock)(struct inventory_repository *, struct get_stock_command *);
    void (*set_stock_policy)(struct inventory_repository *, struct set_stock_policy_command *);
    void (*batch_get_stock)(struct inventory_repository *, struct batch_get_stock_command *);
    void (*list_stock)(struct inventory_repository *, struct list_stock_command *);
    void (*reserve)(struct inventory_repository *, struct reserve_command *);
    void (*commit)(struct inventory_repository *, struct commit_command *);
    void (*rollback)(struct inventory_repository *, struct rollback_command *);
    void (*extend_reservation)(struct inventory_repository *, struct extend_reservation_command *);
    void (*return_stock)(struct inventory_repository *, struct return_stock_command *);
    void (*list_reservations)(struct inventory_repository *, struct list_reservations_command *);
    void (*get_reservation)(struct inventory_repository *, struct get_reservation_command *);
    void (*list_stock_entries)(struct inventory_repository *, struct list_stock_entries_command *);
    void (*verify_ledger)(struct inventory_repository *, struct verify_ledger_command *);
    void (*follow_shelf)(struct inventory_repository *, struct follow_shelf_command *);
    void (*get_shelf_place)(struct inventory_repository *, struct get_shelf_place_command *);
};

struct inventory_repository {
    const struct inventory_repository_table *table;
};

/*
 * Adds to on hand; the first receipt of a SKU creates it.
 * Outcomes: DONE, ID_REUSED, ON_HAND_LIMIT, FED_BY_WAREHOUSE.
 */
static inline void inventory_repository_receive_stock(struct inventory_repository *repository,
                                                      struct receive_stock_command *command,
                                                      inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->receive_stock(repository, command);
}

/*
 * Corrects on hand by delta. A store fed by the warehouse takes only the reconciler's entries
 * (is_reconciliation).
 * Outcomes: DONE, ID_REUSED, SKU_NOT_FOUND, REVISION_MISMATCH, INSUFFICIENT_STOCK, ON_HAND_LIMIT,
 * FED_BY_WAREHOUSE.
 */
static inline void inventory_repository_adjust_stock(struct inventory_repository *repository,
                                                     struct adjust_stock_command *command,
                                                     inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->adjust_stock(repository, command);
}

/*
 * Follows the shelf by one movement, and moves the place behind it, in one step. What lies at or
 * before the place that the store has in the same log was followed already: DONE, without effect;
 * so was a movement whose id is known. Only stores fed by the warehouse; a SKU that is not there is
 * made. Outcome: DONE.
 */
static inline void inventory_repository_follow_shelf(struct inventory_repository *repository,
                                                     struct follow_shelf_command *command,
                                                     inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->follow_shelf(repository, command);
}

/* Outcome: DONE. */
static inline void inventory_repository_get_shelf_place(struct inventory_repository *repository,
                                                        struct get_shelf_place_command *command,
                                                        inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->get_shelf_place(repository, command);
}

/* Whether an adjustment is one of the reconciler: reason CORRECTION, id "reconcile:…". */
static inline bool inventory_is_reconciliation(struct text adjustment_id,
                                               enum adjustment_reason reason)
{
    return reason == ADJUSTMENT_CORRECTION &&
           text_starts_with(adjustment_id, text_of("reconcile:"));
}

/*
 * Whether the goods of such a return never left the shelf. Only those may come back to a store fed
 * by the warehouse: for what left, the warehouse posts a movement, which the store follows.
 */
static inline bool inventory_return_never_left(enum return_reason reason)
{
    return reason == RETURN_CANCELLED || reason == RETURN_SHORT_PICK;
}

/* Outcomes: DONE, SKU_NOT_FOUND. */
static inline void inventory_repository_get_stock(struct inventory_repository *repository,
                                                  struct get_stock_command *command,
                                                  inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->get_stock(repository, command);
}

/*
 * Sets the whole policy of a SKU that was received. The policy it has already: DONE, and nothing
 * changes, whatever revision was expected, so that a repeat is safe.
 * Outcomes: DONE, SKU_NOT_FOUND, REVISION_MISMATCH.
 */
static inline void inventory_repository_set_stock_policy(struct inventory_repository *repository,
                                                         struct set_stock_policy_command *command,
                                                         inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->set_stock_policy(repository, command);
}

/* The stocks of one instant. Outcome: DONE. */
static inline void inventory_repository_batch_get_stock(struct inventory_repository *repository,
                                                        struct batch_get_stock_command *command,
                                                        inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->batch_get_stock(repository, command);
}

/*
 * A page of SKUs in byte order. What is in the state asked for during the whole listing appears
 * exactly once; what comes to it or leaves it meanwhile, at most once. Outcome: DONE.
 */
static inline void inventory_repository_list_stock(struct inventory_repository *repository,
                                                   struct list_stock_command *command,
                                                   inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_stock(repository, command);
}

/*
 * Holds all lines until now + ttl, or none; with allow_partial min(quantity, what is free) of each,
 * or none if nothing of any is. Free is available + backorder_limit.
 * Outcomes: DONE, ID_REUSED; SKU_NOT_FOUND, then QUANTITY_LIMIT (go before a shortage);
 * INSUFFICIENT_STOCK.
 */
static inline void inventory_repository_reserve(struct inventory_repository *repository,
                                                struct reserve_command *command,
                                                inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->reserve(repository, command);
}

/*
 * PENDING → COMMITTED, with the lines given; the rest is free at once. The same lines again give
 * the record (lines that name everything = none). Taken even if on hand goes below 0.
 * Outcomes: DONE, RESERVATION_NOT_FOUND, LINES_NOT_HELD (of a pending one), RESERVATION_COMMITTED
 * (with other lines, held or not), RESERVATION_ROLLED_BACK, RESERVATION_EXPIRED.
 * With retake_if_expired, which is no part of the content, EXPIRED → COMMITTED in one step if all
 * that is to be committed is free at that instant (available + backorder_limit), else
 * INSUFFICIENT_STOCK and it stays EXPIRED.
 */
static inline void inventory_repository_commit(struct inventory_repository *repository,
                                               struct commit_command *command, inventory_done *done,
                                               void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->commit(repository, command);
}

/*
 * PENDING → ROLLED_BACK. Of one rolled back or expired: DONE and the record.
 * Outcomes: DONE, RESERVATION_NOT_FOUND, RESERVATION_COMMITTED.
 */
static inline void inventory_repository_rollback(struct inventory_repository *repository,
                                                 struct rollback_command *command,
                                                 inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->rollback(repository, command);
}

/*
 * expire_time = max(present, now + ttl).
 * Outcomes: DONE, RESERVATION_NOT_FOUND, RESERVATION_COMMITTED, RESERVATION_ROLLED_BACK,
 * RESERVATION_EXPIRED.
 */
static inline void inventory_repository_extend_reservation(
    struct inventory_repository *repository, struct extend_reservation_command *command,
    inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->extend_reservation(repository, command);
}

/*
 * Committed goods that never left are on hand again. The reservation's id is then kept from this on
 * as long as from its commit.
 * Outcomes: DONE, ID_REUSED, RESERVATION_NOT_FOUND, RESERVATION_PENDING, RESERVATION_ROLLED_BACK,
 * RESERVATION_EXPIRED, LINES_NOT_HELD, ON_HAND_LIMIT.
 */
static inline void inventory_repository_return_stock(struct inventory_repository *repository,
                                                     struct return_stock_command *command,
                                                     inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->return_stock(repository, command);
}

/*
 * A page of the reservations that are known, pending and retained, newest first by their creation.
 * What matches during the whole listing appears exactly once. Outcomes: DONE, PAGE_TOKEN_INVALID.
 */
static inline void inventory_repository_list_reservations(struct inventory_repository *repository,
                                                          struct list_reservations_command *command,
                                                          inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_reservations(repository, command);
}

/* Outcomes: DONE, RESERVATION_NOT_FOUND. */
static inline void inventory_repository_get_reservation(struct inventory_repository *repository,
                                                        struct get_reservation_command *command,
                                                        inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->get_reservation(repository, command);
}

/* Outcomes: DONE, SKU_NOT_FOUND, PAGE_TOKEN_INVALID. */
static inline void inventory_repository_list_stock_entries(
    struct inventory_repository *repository, struct list_stock_entries_command *command,
    inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->list_stock_entries(repository, command);
}

/*
 * Recomputes every balance from the entries: SUPPLY = −received, AVAILABLE = on hand − reserved
 * (whatever the safety stock), RESERVED = reserved, COMMITTED = committed, RETURNED = −returned,
 * ADJUSTMENT = −adjusted. Writes may go on meanwhile; the result is of one instant. Outcome: DONE.
 * Errors: also DAMAGED.
 */
static inline void inventory_repository_verify_ledger(struct inventory_repository *repository,
                                                      struct verify_ledger_command *command,
                                                      inventory_done *done, void *context)
{
    command->base.done = done;
    command->base.context = context;
    repository->table->verify_ledger(repository, command);
}

#endif
