#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_KIT_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_KIT_H

#include "platform/events/sql_outbox.h"
#include "shipping/domain/shipping_repository.h"
#include "shipping/infrastructure/sql/sql_shipping_repository.h"
#include "tests/support/fake_clock.h"
#include "tests/support/shipping/shipping_model.h"
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Shipping's repository, empty, in a store of its own, and the words in which tests talk to it.
 * Commands are made on the kit's arena; results live until shipping_kit_reset. What fails where it
 * may not ends the running test.
 */
enum shipping_kit_store {
    SHIPPING_KIT_MODEL,
    SHIPPING_KIT_SQL,        /* PostgreSQL or SQLite, by sql_kit.h */
    SHIPPING_KIT_UNTHREADED, /* SQLite, everything on the test's thread */
};

struct kit_running;

struct shipping_kit {
    enum shipping_kit_store kind;
    struct shipping_model *model;
    struct sql_kit sql;
    struct sql_store *store;
    struct sql_outbox outbox;
    struct shipping_repository *sql_repository;
    struct sql_store *second_store; /* PostgreSQL: as of another process */
    struct shipping_repository *second_sql_repository;
    struct shipping_repository *repository; /* the one that is asked */
    struct fake_clock clock;                /* not of PostgreSQL */
    struct test_executor executor;
    struct arena arena;
    struct kit_running *running; /* commands made since the last reset, and their arenas */
    unsigned waiting;            /* commands under way */
    enum error_code error;       /* of the latest answer; NONE if the store decided */
    char error_detail[252];
};

void shipping_kit_init(struct shipping_kit *kit, enum shipping_kit_store kind);
void shipping_kit_deinit(struct shipping_kit *kit);
void shipping_kit_reset(struct shipping_kit *kit);

/* Closes the store and opens it again; of the model, nothing. */
void shipping_kit_reopen(struct shipping_kit *kit);

/* A second store on the same database, where several may be: PostgreSQL. Else the first. */
struct shipping_repository *shipping_kit_second(struct shipping_kit *kit);

/* A command of that kind. */
void *shipping_kit_command(struct shipping_kit *kit, enum shipping_command_kind kind, size_t size);

/* Gives it to the store without waiting; the answers are waited for together. */
void shipping_kit_submit(struct shipping_kit *kit, struct shipping_repository *repository,
                         struct shipping_command *command);
void shipping_kit_wait(struct shipping_kit *kit);

/* Asks and waits. An operating error fails the test, unless `try` asks: then kit->error. */
enum shipping_outcome shipping_kit_ask(struct shipping_kit *kit, struct shipping_command *command);
enum shipping_outcome shipping_kit_try(struct shipping_kit *kit, struct shipping_command *command);

/*
 * The words. `variant` alters the content: of two begins of one id the hashes differ when it does.
 * Variants have 1 + variant % 3 parcels; odd ones cross a border.
 */
struct begin_shipment_command *kit_begin_command(struct shipping_kit *kit, const char *id,
                                                 unsigned variant);
struct mark_sent_command *kit_send_command(struct shipping_kit *kit, const char *id,
                                           uint32_t attempt);
struct record_purchase_command *kit_end_command(struct shipping_kit *kit, const char *id,
                                                uint32_t attempt, enum shipment_change change,
                                                const char *words);
struct cancel_shipment_command *kit_cancel_command(struct shipping_kit *kit,
                                                   enum shipping_command_kind kind, const char *id,
                                                   bool voided, const char *words);
struct resolve_shipment_command *kit_resolve_command(struct shipping_kit *kit, const char *id,
                                                     enum shipment_resolution resolution,
                                                     const char *words);

/* Asked at once; they give the outcome. `words` is the number of BOUGHT and ADOPT, else why. */
enum shipping_outcome kit_begin(struct shipping_kit *kit, const char *id, unsigned variant);
enum shipping_outcome kit_send(struct shipping_kit *kit, const char *id, uint32_t attempt);
enum shipping_outcome kit_end(struct shipping_kit *kit, const char *id, uint32_t attempt,
                              enum shipment_change change, const char *words);
enum shipping_outcome kit_begin_cancel(struct shipping_kit *kit, const char *id,
                                       const char *reason);
enum shipping_outcome kit_end_cancel(struct shipping_kit *kit, const char *id, bool voided,
                                     const char *failure);
enum shipping_outcome kit_resolve(struct shipping_kit *kit, const char *id,
                                  enum shipment_resolution resolution, const char *words);

/* A purchase: number, one number and label a parcel ("NUMBER-0", …), one label of the whole. */
struct carrier_shipment *kit_purchase(struct shipping_kit *kit, const char *number,
                                      size_t parcel_count, bool with_labels);

/* Brings a new shipment into that state; the first number is "N-ID". */
void kit_bring(struct shipping_kit *kit, const char *id, unsigned variant,
               enum shipment_state state);

/* What GET tells; it must be there. */
struct shipment *kit_get(struct shipping_kit *kit, const char *id);
void kit_assert_state(struct shipping_kit *kit, const char *id, enum shipment_state state,
                      uint32_t attempt);

/* "SENT CREATED": what the audit trail says of it, in order. */
const char *kit_audit_words(struct shipping_kit *kit, const char *id);

/* What waits in the outbox, the oldest first. */
struct kit_event {
    struct text type; /* without package: "ShipmentCreated" */
    struct text key;
    struct text event_id;
    struct text data;
};
const struct kit_event *kit_events(struct shipping_kit *kit, size_t *count);

/* "ShipmentCreated:S ShipmentCancelled:S" */
const char *kit_event_words(struct shipping_kit *kit);

#endif
