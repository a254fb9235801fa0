#ifndef WAYBILL_TESTS_SUPPORT_WAREHOUSE_WAREHOUSE_KIT_H
#define WAYBILL_TESTS_SUPPORT_WAREHOUSE_WAREHOUSE_KIT_H

#include "platform/events/sql_outbox.h"
#include "tests/support/fake_clock.h"
#include "tests/support/sql/sql_kit.h"
#include "tests/support/test_executor.h"
#include "warehouse/application/warehouse_service.h"
#include "warehouse/infrastructure/sql/sql_warehouse_repository.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * Warehouse in a database of its own (sql_kit.h), and the words in which tests talk to it: a
 * command goes through the use cases to the repository, its answer is waited for. What fails where
 * it may not ends the running test. Results live until the next warehouse_kit_reset.
 */
struct warehouse_kit {
    struct sql_kit sql;
    struct fake_clock clock; /* of SQLite; PostgreSQL has its own */
    struct sql_store *store;
    struct sql_outbox outbox;
    struct warehouse_repository *repository;
    struct warehouse_service service;
    struct test_executor executor;
    struct arena arena;
    bool threaded;
    enum error_code error; /* of the latest command; NONE if the store decided */
    char error_detail[252];
};

/* Opens an empty one. Not threaded: SQLite only, everything on the test's thread. */
void warehouse_kit_init(struct warehouse_kit *kit, bool threaded);
void warehouse_kit_deinit(struct warehouse_kit *kit);
void warehouse_kit_reset(struct warehouse_kit *kit);

/* Time passes: by the fake clock, or by waiting (PostgreSQL). */
void warehouse_kit_pass(struct warehouse_kit *kit, int64_t duration_us);
int64_t warehouse_kit_now_us(struct warehouse_kit *kit);

/* A command of that kind, on the arena. */
void *warehouse_kit_command(struct warehouse_kit *kit, enum warehouse_command_kind kind,
                            size_t size);

/* Asks and waits. An operating error fails the test, unless `kit_try` asks: then kit->error. */
enum warehouse_outcome kit_ask(struct warehouse_kit *kit, struct warehouse_command *command);
enum warehouse_outcome kit_try(struct warehouse_kit *kit, struct warehouse_command *command);

/* In short. Sites are at 50° N, `longitude` ° E, with card "USD": parcels of 10 kg, 0 to 500 km
 * base 500 and 10 a kilogram, to 2,000 km 900 and 20; handling 100. */
enum warehouse_outcome kit_site(struct warehouse_kit *kit, const char *id, int priority,
                                int longitude);
enum warehouse_outcome kit_bare_site(struct warehouse_kit *kit, const char *id, int priority,
                                     int longitude);
enum warehouse_outcome kit_card(struct warehouse_kit *kit, const char *id, const char *valid_from,
                                const char *currency);
enum warehouse_outcome kit_item(struct warehouse_kit *kit, const char *sku, int64_t weight_grams);
enum warehouse_outcome kit_bin(struct warehouse_kit *kit, const char *warehouse_id,
                               const char *zone, const char *bin);

struct movement_command *kit_movement(struct warehouse_kit *kit, enum warehouse_command_kind kind,
                                      const char *movement_id, const char *warehouse_id,
                                      const char *sku, int64_t quantity);
enum warehouse_outcome kit_receive(struct warehouse_kit *kit, const char *movement_id,
                                   const char *warehouse_id, const char *sku, int64_t quantity);

/* "A=4 B=2" as lines on the arena. */
struct item_line *kit_lines(struct warehouse_kit *kit, const char *text, size_t *count);

/* To 50° N, 0° E, LOWEST_COST. */
struct allocate_command *kit_allocation(struct warehouse_kit *kit, const char *allocation_id,
                                        const char *lines);
struct allocation_command *kit_allocation_command(struct warehouse_kit *kit,
                                                  enum warehouse_command_kind kind,
                                                  const char *allocation_id);
struct ship_allocation_command *kit_shipping(struct warehouse_kit *kit, const char *allocation_id,
                                             const char *warehouse_id, const char *lines);
struct create_transfer_command *kit_transfer(struct warehouse_kit *kit, const char *transfer_id,
                                             const char *from, const char *to, const char *lines);
struct transfer_command *kit_transfer_command(struct warehouse_kit *kit,
                                              enum warehouse_command_kind kind,
                                              const char *transfer_id, const char *lines);

/* What GetWarehouseStock tells; it must be there. */
struct warehouse_stock kit_stock(struct warehouse_kit *kit, const char *warehouse_id,
                                 const char *sku);
void kit_assert_stock(struct warehouse_kit *kit, const char *warehouse_id, const char *sku,
                      int64_t on_hand, int64_t allocated);

/* GetAllocation: it is there. */
struct allocation *kit_get_allocation(struct warehouse_kit *kit, const char *allocation_id);

/* VerifyMovements finds nothing wrong. */
void kit_assert_books_are_right(struct warehouse_kit *kit);

#endif
