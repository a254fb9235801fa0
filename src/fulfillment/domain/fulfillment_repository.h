#ifndef WAYBILL_FULFILLMENT_DOMAIN_FULFILLMENT_REPOSITORY_H
#define WAYBILL_FULFILLMENT_DOMAIN_FULFILLMENT_REPOSITORY_H

#include "fulfillment/domain/order_process.h"
#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/executor.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where orders and their processes are kept. A repository takes whole decisions, each one atomic,
 * durable step: state, process, signals and events together, durable before the answer (DESIGN
 * section 3 rules 2 and 3).
 *
 * Who drives an order has a claim on it: a number that grows with each claim, good for lease_us and
 * as much longer as it is renewed. Only the holder of the last claim can save; so two processes on
 * one database do not drive one order at once, and one that died is followed by another when its
 * lease is over. Its lower half is the number of the driver that made it: a driver whose answer got
 * lost on the way knows its own claim again, and takes it over without waiting for the lease.
 *
 * Time is the store's own and never runs back. No decision or read shows a promise that is due: the
 * store expires it first, in a step of its own (rule 6).
 *
 * A command belongs to the store from the call until `done`; texts in it must live as long. Results
 * are written into the command, memory for them comes from its arena. `done` is called exactly
 * once, never before the call returned, on the command's executor.
 * Thread: any that may post to that executor's owner, normally the executor's own.
 *
 * Inputs are valid (application/ has checked them) and in normal form.
 */
struct fulfillment_repository;

/* What the store decided. Every refusal is a result, not an error. */
enum fulfillment_outcome {
    FULFILLMENT_DONE,
    FULFILLMENT_ORDER_NOT_FOUND,
    FULFILLMENT_ID_REUSED,
    FULFILLMENT_BUSY,       /* somebody else drives it now */
    FULFILLMENT_CLAIM_LOST, /* SAVE: somebody else claimed it since; nothing is changed */
    FULFILLMENT_REFUSED,    /* order.refusal says why; the order is as it is */
};

enum fulfillment_command_kind {
    COMMAND_BEGIN_ORDER,
    COMMAND_CLAIM_ORDER,
    COMMAND_SAVE_ORDER,
    COMMAND_GET_ORDER,
    COMMAND_LIST_ORDERS,
    COMMAND_LIST_DUE,
    COMMAND_FOLLOW_EVENTS,
    COMMAND_GET_PLACE,
};
enum { fulfillment_command_count = COMMAND_GET_PLACE + 1 };

/*
 * Completion of every command. `error` is NULL when the store decided: read the outcome.
 * Errors: STORE_UNAVAILABLE (outcome unknown: ask again); OVERLOADED, DISK_FULL, OUTBOX_FULL,
 * OUT_OF_MEMORY, DEADLINE (nothing was done, or it is unknown and may be asked again). It lives
 * until this returns.
 */
struct fulfillment_command;
typedef void fulfillment_done(struct fulfillment_command *command, const struct error *error);

/* First member of every command. The caller sets the first part; the rest is the store's. */
struct fulfillment_command {
    enum fulfillment_command_kind kind;
    struct executor *executor;
    struct arena *arena;
    int64_t deadline_us; /* of the store's clock, monotonic; 0 = none */

    enum fulfillment_outcome outcome; /* results */
    struct task task;
    fulfillment_done *done;
};

/* Who claims. */
struct order_claimant {
    uint32_t driver; /* a random number of its own, for its life; 0 = nobody's */
    /* No run of this driver has a claim on the order: one that bears its number is lost. */
    bool takes_over;
};

/* The claim after `claim`. */
static inline uint64_t order_next_claim(uint64_t claim, const struct order_claimant *claimant)
{
    return ((claim >> 32) + 1) << 32 | claimant->driver;
}

/* Whether the claim under that lease keeps the claimant away. */
static inline bool order_is_claimed(uint64_t claim, int64_t lease_until_us, int64_t now_us,
                                    const struct order_claimant *claimant)
{
    bool is_lost =
        claimant->takes_over && claimant->driver != 0 && (uint32_t)claim == claimant->driver;
    return lease_until_us > now_us && !is_lost;
}

/*
 * --- BEGIN: a promise is wanted. DONE with is_claimed: the order is PROMISING, the caller's to
 * drive. DONE without: the same content was promised before, `order` is the record as it is now.
 * ID_REUSED: with other content. BUSY: its promise is just being made, or undone. An order that
 * could not be promised before begins anew, whatever its content was. ---
 */
struct begin_order_command {
    struct fulfillment_command base;
    const struct order *request; /* what the caller gave, and goods_minor */
    struct order_claimant claimant;
    int64_t lease_us;
    struct order order; /* results */
    bool is_claimed;
    uint64_t claim;
};

/*
 * --- CLAIM: the order is to be driven, as `request` says: order_confirm, order_cancel, or go on
 * with what there is (a promise left half way is undone). What others have told of it meanwhile is
 * put in first. DONE with is_claimed: drive it. DONE without: there is nothing to do, `order` is
 * the answer. REFUSED, BUSY, ORDER_NOT_FOUND (RESUME finds hidden ones, too). ---
 */
enum order_request { ORDER_RESUME, ORDER_CONFIRM, ORDER_CANCEL };

struct claim_order_command {
    struct fulfillment_command base;
    struct text order_id;
    enum order_request request;
    struct text reason; /* CANCEL */
    struct order_claimant claimant;
    int64_t lease_us;
    struct order order; /* results */
    bool is_claimed;
    uint64_t claim;
};

/*
 * --- SAVE: the order as it is now, with the events of its change (order_events). The claim is
 * renewed, or given up: the order then rests, or is due again after delay_us, or at once if
 * somebody has told something of it. CLAIM_LOST. ---
 */
enum save_order_mode { SAVE_AND_KEEP, SAVE_AND_WAIT, SAVE_AND_REST };

struct save_order_command {
    struct fulfillment_command base;
    struct order *order; /* its revision is counted up; milestones are marked */
    uint64_t claim;
    enum save_order_mode mode;
    int64_t delay_us; /* WAIT */
    int64_t lease_us; /* KEEP */
};

struct get_order_command { /* ORDER_NOT_FOUND */
    struct fulfillment_command base;
    struct text order_id;
    struct order order;
};

/* By create_time and id. A page whose records are large ends early, with `next` not 0. */
struct list_orders_command {
    struct fulfillment_command base;
    struct text customer_id; /* empty = any */
    enum order_state state;  /* 0 = any */
    size_t page_size;
    uint64_t after; /* 0 = from the beginning, or `next` of the page before */
    struct order *orders;
    size_t order_count;
    uint64_t next; /* 0 = this is the last */
};

/*
 * --- DUE: orders to be driven now, the longest waiting first. With must_count, what is open is
 * counted besides, each up to order_open_count_max. ---
 */
enum { order_open_count_max = 10000 };

struct order_open_counts {
    uint64_t need_attention; /* NEEDS_ATTENTION */
    uint64_t unfinished;     /* being driven, or waiting for their next step */
};

struct list_due_command {
    struct fulfillment_command base;
    size_t count_max;
    bool must_count;
    struct text *order_ids;
    size_t order_count;
    struct order_open_counts open;
};

/*
 * --- FOLLOW: what events of another context say of orders, and the place behind them, in one step.
 * Signals of orders that are not ours are dropped. ---
 */
struct order_place {
    struct text log;   /* its identity */
    uint64_t position; /* everything up to here was followed */
};

struct follow_events_command {
    struct fulfillment_command base;
    struct text source; /* "warehouse" */
    struct order_place place;
    const struct order_signal *signals;
    size_t signal_count;
    size_t kept_count; /* result */
};

struct get_place_command { /* log empty = none yet */
    struct fulfillment_command base;
    struct text source;
    struct order_place place;
};

struct fulfillment_repository_table {
    void (*execute)(struct fulfillment_repository *, struct fulfillment_command *);
};

struct fulfillment_repository {
    const struct fulfillment_repository_table *table;
};

/* Takes the decision that command->kind names; it is the base of the struct that belongs to it. */
static inline void fulfillment_repository_execute(struct fulfillment_repository *repository,
                                                  struct fulfillment_command *command,
                                                  fulfillment_done *done)
{
    command->done = done;
    repository->table->execute(repository, command);
}

#endif
