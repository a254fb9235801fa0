#ifndef WAYBILL_MAIN_REPLAY_REPLAY_H
#define WAYBILL_MAIN_REPLAY_REPLAY_H

#include "main/replay/state/replay_options.h"
#include "main/replay/state/replay_result.h"
#include "platform/base/error.h"

#include <stdbool.h>
#include <stdint.h>

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
 * Rooms, each of which knows only what stands before it: data (the files), plan (what is to be),
 * pump (calls), findings (what was counted), state (where it is), messages, then stages, survey and
 * report, which know nothing of each other; the order of it all is replay.c's.
 *
 * Nothing is sent on the word of the progress file, and nothing twice: what the ledger has is not
 * sent again, and a call whose answer was lost is repeated only within the time for which the
 * server surely remembers its id. Thread: the loop's. The functions block and run the loop.
 */
struct replay;

/* Where it is, for a display; may be asked at any time, also from a timer of the loop. */
struct replay_view {
    const char *stage;    /* "Reserving" */
    uint64_t steps_done;  /* of steps_total: a receipt is one, an order two */
    uint64_t steps_total; /* 0 = not known yet */
    uint64_t calls;       /* answered in this run */
    bool is_sending;      /* in a stage, not in a survey */
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
