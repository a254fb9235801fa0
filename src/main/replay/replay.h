#ifndef WAYBILL_MAIN_REPLAY_REPLAY_H
#define WAYBILL_MAIN_REPLAY_REPLAY_H

#include "main/replay/call_pump.h"
#include "main/replay/difference_list.h"
#include "main/replay/ledger_survey.h"
#include "main/replay/on_time_survey.h"
#include "main/replay/replay_places.h"
#include "main/replay/replay_plan.h"
#include "main/replay/replay_progress.h"
#include "main/replay/shipment_survey.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/*
 * The replay of a data set against a server, once and no more, however often it is cut and started:
 *
 *   survey    read all ledgers, allocations and trackings: where does each order stand?
 *   stages    bring each order as far as the plan says; skipped if all are there
 *   survey    again, and the stages again for what is still not there
 *   verify    the server's own verifications, and everything against the plan
 *
 * With warehouses the goods are shelved there and inventory is fed by them; without, inventory
 * receives them itself and an order ends when it is paid. What is shipped is then followed until it
 * is delivered, if the server runs the tracking service.
 *
 * Nothing is sent on the word of the progress file, and nothing twice: what the ledger has is not
 * sent again, and a call whose answer was lost is repeated only within the time for which the
 * server surely remembers its id. Thread: the loop's. The functions block and run the loop.
 */
struct replay;

struct replay_options {
    uv_loop_t *loop;
    struct clock *clock;
    struct file_system *file_system;
    const struct replay_plan *plan;
    const struct replay_places *places;    /* NULL: only inventory takes part */
    const char *server;                    /* "HOST:PORT" */
    const struct call_pump_server *others; /* services that are elsewhere */
    size_t other_count;
    const struct tls_settings *tls; /* to all of them; NULL = plain */
    const char *progress_path;      /* texts and `others` live as long as the replay */
};

/* Where it is, for a display; may be asked at any time, also from a timer of the loop. */
struct replay_view {
    const char *stage;    /* "Reserving" */
    uint64_t steps_done;  /* of steps_total: a receipt is one, an order two */
    uint64_t steps_total; /* 0 = not known yet */
    uint64_t calls;       /* answered in this run */
    bool is_sending;      /* in a stage, not in a survey */
};

/* What the warehouses tell of the replay's orders, and what lies on all shelves. */
struct shelf_totals {
    uint32_t parts;   /* of all allocations */
    uint32_t optimal; /* allocations proved the cheapest when they were made */
    int64_t cost_minor;
    int64_t on_hand;
    int64_t allocated;
    int64_t shipped; /* for reservations */
    int64_t movements;
    int64_t mismatches;
};

enum { replay_order_states = 10 }; /* by the values of fulfillment's OrderState */

struct replay_result {
    bool has_warehouses; /* shelf and strategies are there */
    struct shelf_totals shelf;
    struct strategy_totals strategies[replay_strategy_count]; /* orders 0 = not compared */
    bool has_orders; /* fulfillment's orders are there: how many stand where, extra ones too */
    uint32_t order_counts[replay_order_states];
    bool has_shipping; /* shipments and labels are there */
    struct shipment_totals shipments;
    const struct on_time_survey
        *on_time; /* NULL: the server runs no tracking; lives as the replay */
    struct survey_totals totals;
    bool was_complete; /* the progress file said so: nothing but reads was sent */
    int64_t finish_time_us;
    struct replay_measurements measurements; /* of the run that finished it; calls 0 = not known */
    int64_t ledger_entries;
    int64_t ledger_mismatches;
    char chain_head[65];
    struct difference_list differences; /* none = everything adds up */
};

/* Opens the progress file. Errors: replay_progress_open's, call_pump_create's, OUT_OF_MEMORY. */
struct error replay_create(struct replay **replay, const struct replay_options *options);

/* NULL is allowed. */
void replay_destroy(struct replay *replay);

/*
 * Errors: CANCELLED (replay_stop), NETWORK (the server is away), INVALID_INPUT (it is not the
 * server of this progress file), the file system's, OUT_OF_MEMORY, INTERNAL (the server refused a
 * call, or answered what cannot be). What was done stands; the next run goes on from there.
 */
struct error replay_run(struct replay *replay, struct replay_result *result);

/* Has replay_run end soon with CANCELLED; from a callback of the loop. */
void replay_stop(struct replay *replay);

struct replay_view replay_view(const struct replay *replay);

/* Whether the server has answered anything yet. */
bool replay_has_met_server(const struct replay *replay);

#endif
