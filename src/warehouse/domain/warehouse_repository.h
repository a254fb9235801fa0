#ifndef WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_REPOSITORY_H
#define WAYBILL_WAREHOUSE_DOMAIN_WAREHOUSE_REPOSITORY_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/text.h"
#include "platform/base/violations.h"
#include "warehouse/domain/allocation.h"
#include "warehouse/domain/cost_card.h"
#include "warehouse/domain/count.h"
#include "warehouse/domain/item.h"
#include "warehouse/domain/movement.h"
#include "warehouse/domain/shelf.h"
#include "warehouse/domain/transfer.h"
#include "warehouse/domain/warehouse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where warehouse is kept. A repository takes whole decisions, each one atomic, durable step:
 * state, id and event together, durable before the answer (DESIGN section 3 rules 2 and 3).
 *
 * Time is the store's own and never runs back. No decision or read counts a tentative allocation
 * that is due: the store expires it first, in a step of its own (rule 6).
 *
 * Every write is idempotent. What is made under a caller's id: the same id with the same content
 * gives DONE and the record as it is now, with other content ID_REUSED. What sets or moves
 * something existing is absolute: the same again gives DONE and the record. A refusal leaves no
 * trace.
 *
 * A command belongs to the store from the call until `done`; texts in it must live as long. Results
 * are written into the command, memory for them comes from its arena. `done` is called exactly
 * once, never before the call returned, on the command's executor.
 * Thread: any that may post to that executor's owner, normally the executor's own.
 *
 * Inputs are valid (application/ has checked them) and in normal form.
 */
struct warehouse_repository;

/* What the store decided. Every refusal is a result, not an error. */
enum warehouse_outcome {
    WAREHOUSE_DONE,
    WAREHOUSE_INVALID_FIELD, /* `violations`: what only the state can tell */
    WAREHOUSE_SKU_NOT_FOUND, /* `failed` names it; so with the following */
    WAREHOUSE_WAREHOUSE_NOT_FOUND,
    WAREHOUSE_BIN_NOT_FOUND,
    WAREHOUSE_TRANSFER_NOT_FOUND,
    WAREHOUSE_COUNT_NOT_FOUND,
    WAREHOUSE_ALLOCATION_NOT_FOUND,
    WAREHOUSE_PART_NOT_FOUND,     /* the allocation has none at that warehouse */
    WAREHOUSE_INSUFFICIENT_STOCK, /* `shortages` */
    WAREHOUSE_ID_REUSED,
    WAREHOUSE_REVISION_MISMATCH,
    WAREHOUSE_INACTIVE,
    WAREHOUSE_ON_HAND_LIMIT,     /* on hand would exceed 10^15 */
    WAREHOUSE_PLACES_LIMIT,      /* the SKU would lie in more than 1,000 places of a warehouse */
    WAREHOUSE_SITES_LIMIT,       /* more than 1,000 warehouses */
    WAREHOUSE_CARDS_LIMIT,       /* more than 1,000 cost cards of a warehouse */
    WAREHOUSE_LOT_MISMATCH,      /* the lot is known with another expiry date */
    WAREHOUSE_TRANSFER_RECEIVED, /* a change after the end, named by the state it is in */
    WAREHOUSE_TRANSFER_CANCELLED,
    WAREHOUSE_COUNT_OPEN, /* nothing is recorded yet */
    WAREHOUSE_COUNT_APPROVED,
    WAREHOUSE_COUNT_CANCELLED,
    WAREHOUSE_COUNT_TOO_LARGE, /* more than 1,000 lines */
    WAREHOUSE_ALLOCATION_TENTATIVE,
    WAREHOUSE_ALLOCATION_SHIPPED,
    WAREHOUSE_ALLOCATION_RELEASED,
    WAREHOUSE_ALLOCATION_EXPIRED,
};

enum warehouse_command_kind {
    COMMAND_PUT_ITEM,
    COMMAND_GET_ITEM,
    COMMAND_LIST_ITEMS,
    COMMAND_CREATE_WAREHOUSE,
    COMMAND_UPDATE_WAREHOUSE,
    COMMAND_GET_WAREHOUSE,
    COMMAND_LIST_WAREHOUSES,
    COMMAND_SET_COST_CARD,
    COMMAND_LIST_COST_CARDS,
    COMMAND_CREATE_BIN,
    COMMAND_LIST_BINS,
    COMMAND_RECEIVE_STOCK,
    COMMAND_SHIP_STOCK,
    COMMAND_RETURN_STOCK,
    COMMAND_ADJUST_STOCK,
    COMMAND_MOVE_STOCK,
    COMMAND_CREATE_TRANSFER,
    COMMAND_RECEIVE_TRANSFER,
    COMMAND_CANCEL_TRANSFER,
    COMMAND_GET_TRANSFER,
    COMMAND_LIST_TRANSFERS,
    COMMAND_START_COUNT,
    COMMAND_RECORD_COUNT,
    COMMAND_APPROVE_COUNT,
    COMMAND_CANCEL_COUNT,
    COMMAND_GET_COUNT,
    COMMAND_LIST_COUNTS,
    COMMAND_GET_WAREHOUSE_STOCK,
    COMMAND_LIST_WAREHOUSE_STOCK,
    COMMAND_PLAN_ALLOCATION,
    COMMAND_ALLOCATE,
    COMMAND_CONFIRM_ALLOCATION,
    COMMAND_RELEASE_ALLOCATION,
    COMMAND_GET_ALLOCATION,
    COMMAND_LIST_ALLOCATIONS,
    COMMAND_SHIP_ALLOCATION,
    COMMAND_LIST_MOVEMENTS,
    COMMAND_VERIFY_MOVEMENTS,
};
enum { warehouse_command_count = COMMAND_VERIFY_MOVEMENTS + 1 };

/*
 * Completion of every command. `error` is NULL when the store decided: read the outcome.
 * Errors: STORE_UNAVAILABLE (outcome unknown: ask again with the same id); OVERLOADED, DISK_FULL,
 * OUTBOX_FULL, OUT_OF_MEMORY, DEADLINE (nothing was done, or it is unknown and may be asked again).
 * It lives until this returns.
 */
struct warehouse_command;
typedef void warehouse_done(struct warehouse_command *command, const struct error *error);

/* One SKU that fell short. */
struct shortage {
    struct text sku;
    int64_t requested_quantity;
    int64_t available_quantity;
};

/* First member of every command. The caller sets the first part; the rest is the store's. */
struct warehouse_command {
    enum warehouse_command_kind kind;
    struct executor *executor;
    struct arena *arena;
    int64_t deadline_us; /* of the store's clock, monotonic; 0 = none */

    enum warehouse_outcome outcome; /* results */
    struct text failed;             /* what was not found */
    struct violations violations;
    struct shortage *shortages; /* one a SKU, sorted by SKU */
    size_t shortage_count;

    struct task task;
    warehouse_done *done;
};

/*
 * Which page of a list, and what comes after it. A page whose records are large ends early, so that
 * a list never fails for its size: it has fewer than `size`, at least one, and `next` is not 0.
 */
struct list_page {
    size_t size;
    uint64_t after; /* 0 = from the beginning, or `next` of the page before */
    uint64_t next;  /* result: 0 = this is the last */
};

/* --- items. PutItem: DONE. GetItem: SKU_NOT_FOUND. --- */

struct item_command { /* PUT, GET */
    struct warehouse_command base;
    struct item item; /* GET: `sku` only; result */
};

struct list_items_command {
    struct warehouse_command base;
    struct list_page page;
    struct item *items;
    size_t item_count;
};

/*
 * --- warehouses. CREATE: ID_REUSED (content is what CREATE was given), SITES_LIMIT. UPDATE:
 * WAREHOUSE_NOT_FOUND, REVISION_MISMATCH; nothing changed = no new revision. ---
 */
struct warehouse_record_command { /* CREATE, UPDATE, GET */
    struct warehouse_command base;
    struct warehouse warehouse; /* as asked; GET: warehouse_id only */
    unsigned fields;            /* UPDATE: of enum warehouse_field */
    int64_t expected_revision;  /* UPDATE: 0 = any */
    struct warehouse record;    /* result */
};

struct list_warehouses_command {
    struct warehouse_command base;
    struct list_page page;
    struct warehouse *warehouses;
    size_t warehouse_count;
};

/* --- cost cards. SET: WAREHOUSE_NOT_FOUND, CARDS_LIMIT. --- */

struct cost_card_command { /* SET */
    struct warehouse_command base;
    struct cost_card cost_card;
};

struct list_cost_cards_command { /* WAREHOUSE_NOT_FOUND */
    struct warehouse_command base;
    struct text warehouse_id;
    struct list_page page;
    struct cost_card *cost_cards;
    size_t cost_card_count;
};

/* --- bins. CREATE: WAREHOUSE_NOT_FOUND. --- */

struct bin {
    struct text warehouse_id;
    struct text zone;
    struct text bin;
};

struct bin_command { /* CREATE */
    struct warehouse_command base;
    struct bin bin;
};

struct list_bins_command { /* WAREHOUSE_NOT_FOUND */
    struct warehouse_command base;
    struct text warehouse_id;
    struct text zone; /* empty = all */
    struct list_page page;
    struct bin *bins;
    size_t bin_count;
};

/*
 * --- movements. Outcomes: ID_REUSED, WAREHOUSE_NOT_FOUND, BIN_NOT_FOUND, LOT_MISMATCH,
 * INSUFFICIENT_STOCK (the place has not so much; SHIP and MOVE of what is allocated, too; never
 * ADJUST for that), INACTIVE (RECEIVE, RETURN), ON_HAND_LIMIT, PLACES_LIMIT. What leaves without a
 * place named is picked in picking order; every place is a movement of its own, the first of them
 * under movement_id, the others under ids made from it. ---
 */
struct movement_command { /* RECEIVE, SHIP, RETURN, ADJUST, MOVE */
    struct warehouse_command base;
    struct text movement_id;
    struct text warehouse_id;
    struct text zone; /* MOVE: from */
    struct text bin;
    struct text to_zone; /* MOVE only */
    struct text to_bin;
    struct text sku;
    struct text lot;
    int64_t expiry_day;
    int64_t quantity; /* ADJUST: the delta */
    struct text reason;
    struct text reference;
    struct text note;
    struct movement movement; /* result; MOVE: the leg to the new place */
    struct warehouse_stock stock;
};

struct list_movements_command {
    struct warehouse_command base;
    struct text warehouse_id; /* each empty or 0 = any */
    struct text sku;
    enum movement_type type;
    struct text reference;
    int64_t start_time_us;
    int64_t end_time_us;
    struct list_page page;
    struct movement *movements;
    size_t movement_count;
};

struct movement_mismatch {
    struct text warehouse_id;
    struct text sku;
    struct text zone;
    struct text bin;
    struct text lot;
    int64_t expiry_day;
    const char *balance; /* "shelf", "on_hand", … */
    int64_t movement_quantity;
    int64_t balance_quantity;
};

struct verify_movements_command {
    struct warehouse_command base;
    int64_t movements; /* results */
    int64_t balances;
    struct movement_mismatch *mismatches; /* the first warehouse_mismatches_max */
    size_t mismatch_count;
};

/* --- stock. GET: WAREHOUSE_NOT_FOUND, SKU_NOT_FOUND (no item, and never here). --- */

struct stock_command { /* GET */
    struct warehouse_command base;
    struct text warehouse_id;
    struct text sku;
    struct warehouse_stock stock;
};

struct list_stock_command {
    struct warehouse_command base;
    struct text sku; /* each empty = any */
    struct text warehouse_id;
    struct list_page page;
    struct warehouse_stock *stocks;
    size_t stock_count;
};

/*
 * --- transfers. CREATE: ID_REUSED, WAREHOUSE_NOT_FOUND, INACTIVE (where they go),
 * INSUFFICIENT_STOCK, PLACES_LIMIT. RECEIVE: TRANSFER_NOT_FOUND, TRANSFER_RECEIVED (with other
 * lines), TRANSFER_CANCELLED, INVALID_FIELD (lines that it does not have), BIN_NOT_FOUND,
 * ON_HAND_LIMIT, PLACES_LIMIT. CANCEL: TRANSFER_NOT_FOUND, TRANSFER_RECEIVED. ---
 */
struct create_transfer_command {
    struct warehouse_command base;
    struct text transfer_id;
    struct text from_warehouse_id;
    struct text to_warehouse_id;
    struct transfer_request_line *lines; /* normal form (transfer_request_normalize) */
    size_t line_count;
    struct transfer transfer;
};

struct transfer_command { /* RECEIVE, CANCEL, GET */
    struct warehouse_command base;
    struct text transfer_id;
    const struct reception_line *lines; /* RECEIVE only, as asked */
    size_t line_count;
    struct transfer transfer;
};

struct list_transfers_command {
    struct warehouse_command base;
    struct text warehouse_id; /* from or to; empty = any */
    enum transfer_state state;
    struct list_page page;
    struct transfer *transfers;
    size_t transfer_count;
};

/*
 * --- counts. START: ID_REUSED, WAREHOUSE_NOT_FOUND, COUNT_TOO_LARGE. RECORD: INVALID_FIELD (what
 * the count is not about), BIN_NOT_FOUND, COUNT_APPROVED, COUNT_CANCELLED, COUNT_TOO_LARGE,
 * LOT_MISMATCH. APPROVE: COUNT_OPEN, COUNT_CANCELLED, INSUFFICIENT_STOCK (a place would go below
 * 0), ON_HAND_LIMIT, PLACES_LIMIT. CANCEL: COUNT_APPROVED. All but START: COUNT_NOT_FOUND. ---
 */
struct start_count_command {
    struct warehouse_command base;
    struct text count_id;
    struct text warehouse_id;
    struct text zone;
    struct text *skus; /* sorted, each once (count_skus_normalize) */
    size_t sku_count;
    struct count count;
};

struct count_command { /* RECORD, APPROVE, CANCEL, GET */
    struct warehouse_command base;
    struct text count_id;
    struct count_line *lines; /* RECORD only: sorted, each place once */
    size_t line_count;
    struct count count;
};

struct list_counts_command {
    struct warehouse_command base;
    struct text warehouse_id;
    enum count_state state;
    struct list_page page;
    struct count *counts;
    size_t count_count;
};

/*
 * --- allocations. ALLOCATE, PLAN: ID_REUSED (not PLAN), SKU_NOT_FOUND, INVALID_FIELD (an item
 * without weight, currencies that differ, expire_time not in the next 31 days),
 * INSUFFICIENT_STOCK. CONFIRM, RELEASE, SHIP: ALLOCATION_NOT_FOUND and ALLOCATION_…. SHIP:
 * PART_NOT_FOUND, INVALID_FIELD (lines that the part does not hold, or that need a warehouse_id),
 * INSUFFICIENT_STOCK. ---
 */
struct allocate_command { /* PLAN, ALLOCATE */
    struct warehouse_command base;
    struct text allocation_id;
    struct text order_id;
    struct text reservation_id;
    struct address destination;
    struct item_line *lines; /* normal form (item_lines_normalize) */
    size_t line_count;
    enum allocation_strategy strategy;
    bool allow_partial;
    struct money split_cost; /* absent = the store's setting */
    int64_t expire_time_us;  /* 0 = FIRM */
    struct allocation allocation;
};

struct allocation_command { /* CONFIRM, RELEASE, GET */
    struct warehouse_command base;
    struct text allocation_id;
    struct allocation allocation;
};

struct ship_allocation_command {
    struct warehouse_command base;
    struct text allocation_id;
    struct text warehouse_id;
    const struct ship_line *lines;
    size_t line_count;
    struct allocation allocation;
};

struct list_allocations_command {
    struct warehouse_command base;
    struct text order_id; /* each empty or 0 = any */
    struct text warehouse_id;
    enum allocation_state state;
    struct list_page page;
    struct allocation *allocations;
    size_t allocation_count;
};

struct warehouse_repository_table {
    void (*execute)(struct warehouse_repository *, struct warehouse_command *);
};

struct warehouse_repository {
    const struct warehouse_repository_table *table;
};

/* Takes the decision that command->kind names; it is the base of the struct that belongs to it. */
static inline void warehouse_repository_execute(struct warehouse_repository *repository,
                                                struct warehouse_command *command,
                                                warehouse_done *done)
{
    command->done = done;
    repository->table->execute(repository, command);
}

#endif
