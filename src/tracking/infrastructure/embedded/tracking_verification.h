#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_VERIFICATION_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_EMBEDDED_TRACKING_VERIFICATION_H

#include "tracking/infrastructure/embedded/embedded_tracking.h"

/* What was found in a store at rest. */
struct tracking_verification {
    uint64_t records;    /* of the log */
    uint64_t trackings;  /* summaries */
    uint64_t events;     /* behind the log */
    uint64_t mismatches; /* summaries that do not have the events that lie there */
    bool replay_pending; /* it was not closed in good order: the next start replays, and what lies
                            behind the log was not compared */
    uint8_t chain_head[32];
};

/*
 * Reads the whole log (checksums, chain, every record) and all of RocksDB (its checksums, every
 * summary and event), changes nothing. No process may have the store open. Errors: DAMAGED with
 * file and offset, NOT_FOUND, INPUT_OUTPUT, OUT_OF_MEMORY.
 */
struct error embedded_tracking_verify(const struct embedded_tracking_options *options,
                                      struct tracking_verification *verification);

#endif
