#ifndef WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_CALL_H
#define WAYBILL_TESTS_SUPPORT_TRACKING_TRACKING_CALL_H

#include "platform/base/buffer.h"
#include "tests/support/test_executor.h"
#include "tracking/domain/tracking_repository.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Calls of a tracking repository, one at a time, for tests of whatever store: make, send, wait,
 * print. A failed call ends the test.
 */
struct tracking_caller {
    struct tracking_repository *repository;
    struct test_executor executor;
    /* Lets the store work until something is answered; NULL = it does by itself. */
    void (*work)(void *context);
    void *work_context;
    struct arena arena; /* of the last call */
    struct error error; /* of the last call */
    size_t under_way;
};

enum tracking_call_kind {
    TRACKING_CALL_CREATE,
    TRACKING_CALL_GET,
    TRACKING_CALL_LIST_TRACKINGS,
    TRACKING_CALL_LIST_IDLE,
    TRACKING_CALL_RECORD_EVENT,
    TRACKING_CALL_RECORD_PING,
    TRACKING_CALL_LIST_EVENTS,
    TRACKING_CALL_REMAP,
    TRACKING_CALL_ERASE,
    TRACKING_CALL_PUT_NOTE,
    TRACKING_CALL_LIST_NOTES,
};

/* A call's request and, after it, its result; texts are the caller's. */
struct tracking_call {
    enum tracking_call_kind kind;
    union {
        struct tracking_command base;
        struct create_tracking_command create;
        struct get_tracking_command get;
        struct list_trackings_command list_trackings;
        struct list_idle_trackings_command list_idle;
        struct record_event_command record_event;
        struct record_ping_command record_ping;
        struct list_events_command list_events;
        struct remap_trackings_command remap;
        struct erase_tracking_command erase;
        struct put_note_command put_note;
        struct list_notes_command list_notes;
    };
};

void tracking_caller_init(struct tracking_caller *caller, struct tracking_repository *repository);
void tracking_caller_deinit(struct tracking_caller *caller);

/* Sends the call and waits for its answer. Results live until the next one. */
void tracking_call_run(struct tracking_caller *caller, struct tracking_call *call);

/* The same for many at once, sent in their order; an error of any is left in caller->error. */
void tracking_call_run_all(struct tracking_caller *caller, struct tracking_call *calls,
                           size_t count);

/* Outcome and everything in the answer, as text; without `revision` if told so. */
void tracking_call_print(struct buffer *out, const struct tracking_caller *caller,
                         const struct tracking_call *call);
void tracking_print(struct buffer *out, const struct tracking *tracking, bool revision);
void tracking_event_print(struct buffer *out, const struct tracking_event *event);

#endif
