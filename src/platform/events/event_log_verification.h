#ifndef WAYBILL_PLATFORM_EVENTS_EVENT_LOG_VERIFICATION_H
#define WAYBILL_PLATFORM_EVENTS_EVENT_LOG_VERIFICATION_H

#include "platform/base/error.h"
#include "platform/storage/file_system.h"

#include <stdint.h>

/* What is in an event log that no process has open. */
struct event_log_verification {
    uint64_t oldest; /* sequence before the first event kept */
    uint64_t newest;
    uint8_t chain_head[32];
};

/*
 * For `waybill verify`: reads every batch and every event, without changing or locking anything:
 * checksums, the chain, each event within its limits, sequences without gaps. `source` is the
 * context. Errors: DAMAGED with file and offset, or with the position of the event; NOT_FOUND
 * (there is no log), INPUT_OUTPUT, OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error event_log_verify(
    struct file_system *file_system, const char *directory, const char *source,
    struct event_log_verification *verification);

#endif
