#ifndef WAYBILL_MAIN_REPLAY_STATE_REPLAY_PROGRESS_H
#define WAYBILL_MAIN_REPLAY_STATE_REPLAY_PROGRESS_H

#include "main/replay/plan/replay_plan.h"
#include "main/replay/plan/replay_strategy.h"
#include "main/replay/pump/latency_sample.h"
#include "platform/base/error.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The progress file (waybill-data/replay.json): which replay this is, how far it had come at least,
 * and at its end what was measured. It decides nothing about what is sent: that is read from the
 * server's ledger. It tells a server that lost its data from one that never had any, keeps two
 * replays from one file, and holds what no ledger knows: rates, latencies, and what each strategy
 * would have done while the shelves were full.
 *
 * Written whole, to a second file that then takes its place, so a cut leaves the old or the new
 * one.
 */
struct replay_measurements {
    uint64_t calls;    /* answered; reads of the survey are not counted */
    uint64_t repeated; /* sent again after an error that allows it */
    int64_t busy_us;   /* how long at least one call was in flight */
    struct latency_percentiles latency;
};

struct replay_progress {
    const char *stage; /* "reserve", for people; not read back */
    bool complete;
    uint32_t received; /* products; the next three are holds */
    uint32_t committed;
    uint32_t rolled_back;
    uint32_t expired;
    uint32_t delivered;                                       /* parcels */
    struct strategy_totals strategies[replay_strategy_count]; /* orders 0 = not compared yet */
    int64_t finish_time_us;                                   /* if complete */
    struct replay_measurements measurements; /* if complete: of the run that finished it */
};

struct replay_progress_file;

/*
 * Opens and locks the file of that plan's replay; the folder is made if needed. `progress` gets
 * what is in it, all zero if it is not there yet. Path and file system live as long as the file.
 * Errors: LOCKED (another run has it), INVALID_INPUT (it belongs to another replay, or is none),
 * the file system's, OUT_OF_MEMORY. The detail says what to do.
 */
struct error replay_progress_open(struct replay_progress_file **file,
                                  struct file_system *file_system, const char *path,
                                  const struct replay_plan *plan, struct replay_progress *progress);

/* Replaces the content, durably. Errors: the file system's, OUT_OF_MEMORY; then the old one stands.
 */
__attribute__((warn_unused_result)) struct error replay_progress_save(
    struct replay_progress_file *file, const struct replay_progress *progress);

/* Gives up the lock. NULL is allowed. */
void replay_progress_close(struct replay_progress_file *file);

#endif
