#ifndef WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_KIT_H
#define WAYBILL_TESTS_SUPPORT_FULFILLMENT_FULFILLMENT_KIT_H

#include "fulfillment/domain/fulfillment_repository.h"
#include "fulfillment/infrastructure/sql/sql_fulfillment_repository.h"
#include "platform/events/sql_outbox.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fulfillment/fulfillment_model.h"
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Fulfillment's repository in a database of its own (sql_kit.h), or the model; a command is asked
 * and waited for. An operating error ends the running test, unless it is tried. Results live until
 * fulfillment_kit_deinit or fulfillment_kit_reset.
 */
struct fulfillment_kit {
    struct sql_kit sql;
    struct fake_clock clock; /* of SQLite; PostgreSQL has its own */
    struct sql_store *store;
    struct sql_outbox outbox;
    struct fulfillment_repository *repository;
    struct test_executor executor;
    struct arena arena;
    bool is_stepped; /* SQLite on the test's thread: fulfillment_kit_step runs what waits */
    struct fulfillment_model *model; /* NULL: a database */
    enum error_code error;           /* of the last command; NONE: it was decided */
    char error_detail[256];
};

void fulfillment_kit_init(struct fulfillment_kit *kit);
void fulfillment_kit_init_stepped(struct fulfillment_kit *kit);
void fulfillment_kit_init_model(struct fulfillment_kit *kit);
void fulfillment_kit_deinit(struct fulfillment_kit *kit);
void fulfillment_kit_step(struct fulfillment_kit *kit);

/* Results so far are not needed any more. */
void fulfillment_kit_reset(struct fulfillment_kit *kit);

/* Closes the store and opens it again, as after a restart. Of the model: nothing. */
void fulfillment_kit_reopen(struct fulfillment_kit *kit);

/* Nobody drives anything now. */
void fulfillment_kit_release_claims(struct fulfillment_kit *kit);

/* Time passes: by the fake clock, or by waiting (PostgreSQL). */
void fulfillment_kit_pass(struct fulfillment_kit *kit, int64_t duration_us);
int64_t fulfillment_kit_now_us(struct fulfillment_kit *kit);

/* A command of that kind, on the arena. */
void *fulfillment_kit_command(struct fulfillment_kit *kit, enum fulfillment_command_kind kind,
                              size_t size);
enum fulfillment_outcome fulfillment_kit_ask(struct fulfillment_kit *kit,
                                             struct fulfillment_command *command);

/* The same; an operating error is in kit->error. */
enum fulfillment_outcome fulfillment_kit_try(struct fulfillment_kit *kit,
                                             struct fulfillment_command *command);

/* What went out so far, in order. On the arena. */
struct fulfillment_kit_event {
    struct text event_id;
    struct text type; /* "OrderPromised" */
    struct text key;
    int64_t time_us;
    struct text data;
};
const struct fulfillment_kit_event *fulfillment_kit_told(struct fulfillment_kit *kit,
                                                         size_t *count);

/* The types of all events told so far, "OrderPromised OrderExpired". */
const char *fulfillment_kit_events(struct fulfillment_kit *kit);

#endif
