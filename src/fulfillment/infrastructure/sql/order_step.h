#ifndef WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_ORDER_STEP_H
#define WAYBILL_FULFILLMENT_INFRASTRUCTURE_SQL_ORDER_STEP_H

#include "fulfillment/domain/fulfillment_event.h"
#include "fulfillment/domain/fulfillment_repository.h"
#include "fulfillment/infrastructure/sql/sql_fulfillment_repository.h"

/*
 * One run of a script: a command on its way through one transaction. A script may be run again from
 * the beginning. Thread: the store's that runs the script.
 */
struct sql_fulfillment_repository {
    struct fulfillment_repository base;
    struct sql_fulfillment_options options;
};

struct order_script {
    struct sql_fulfillment_repository *repository;
    struct sql_session *session;
    struct arena *arena;
    struct error *error;
    struct fulfillment_command *command;
    bool is_due; /* set with SQL_ROLL_BACK: promises must be expired first */
};

typedef enum sql_verdict order_script_function(struct order_script *script);

/* The row beside what its record says. */
struct order_row {
    struct order order;
    struct text content;
    uint64_t position;
    uint64_t claim;
    int64_t lease_until_us;
    int64_t update_time_us;
};

/* All columns of an order, in the order that order_row_read takes. */
#define ORDER_COLUMNS                                                                              \
    "position, content, state, expire_time_us, create_time_us, update_time_us, revision, claim,"   \
    " lease_until_us, record"

/* False: damaged or no memory, the error is set; or a statement has failed. */
bool order_row_read(struct order_script *script, const struct sql_rows *rows, size_t row,
                    struct order_row *found);

/*
 * The order's row, locked if it is to be written. False with *is_there: a failure; without: there
 * is none.
 */
bool order_row_find(struct order_script *script, struct text order_id, bool lock,
                    struct order_row *found, bool *is_there);

/* The step's time, after the row is locked. */
bool order_now_us(struct order_script *script, int64_t latest_us, int64_t *now_us);

/* Whether the order is a promise whose time is over. */
bool order_row_is_due(const struct order_row *row, int64_t now_us);

/* Whether others have told something of it that no claim has taken yet. False: a failure. */
bool order_has_signals(struct order_script *script, struct text order_id, bool *has);

/*
 * Writes the row with claim, lease and when it is due again; the revision is counted up, and the
 * events of the change from `before` go out, dated time_us.
 */
struct order_change {
    enum order_state before;
    int64_t now_us;
    int64_t time_us; /* of the events */
    int64_t lease_until_us;
    int64_t next_time_us;
};
bool order_row_write(struct order_script *script, struct order_row *row,
                     const struct order_change *change);

enum sql_verdict order_fail_memory(struct order_script *script);

order_script_function begin_order_script, claim_order_script, save_order_script;
order_script_function get_order_script, list_orders_script, list_due_script;
order_script_function follow_events_script, get_place_script;

/*
 * Expires promises that are due, at most so many at once, and forgets what could not be promised a
 * day ago; *count tells how many.
 */
enum sql_verdict expire_orders_script(struct order_script *script, size_t count_max, size_t *count);

#endif
