/* One command at a time, asked and waited for. */
#include "tests/support/warehouse/warehouse_kit.h"

#include "main/migrations.h"
#include "platform/base/check.h"
#include "warehouse/interfaces/events/warehouse_events.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000; /* Friday, 2027-01-15 08:00 UTC */

enum { arena_bytes_max = 64 * 1024 * 1024, answer_us_max = 60000000 };

void warehouse_kit_init(struct warehouse_kit *kit, bool threaded)
{
    struct sql_store_options options = sql_store_options_default();
    struct sql_warehouse_options warehouse = sql_warehouse_options_default();
    const struct sql_migration_set *migrations[] = {migrations_of("warehouse")};
    memset(kit, 0, sizeof *kit);
    sql_kit_init(&kit->sql);
    fake_clock_init(&kit->clock, start_us);
    test_executor_init(&kit->executor);
    arena_init(&kit->arena, arena_bytes_max);
    kit->threaded = threaded;
    options.url = kit->sql.url;
    options.name = "warehouse";
    options.migrations = migrations;
    options.migration_count = 1;
    options.threaded = threaded;
    if (!kit->sql.is_postgresql)
        options.clock = &kit->clock.base;
    struct error error = sql_store_open(&kit->store, &options);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    sql_outbox_init(&kit->outbox, "warehouse", UINT64_C(1) << 40, random_system());
    warehouse.store = kit->store;
    warehouse.outbox = &kit->outbox;
    warehouse.encode = warehouse_events_encode;
    warehouse.sweep = false;
    error = sql_warehouse_repository_open(&kit->repository, &warehouse);
    if (error_is(error))
        fail_msg("%s: %s", error_text(error.code), error.detail);
    kit->service.repository = kit->repository;
}

void warehouse_kit_deinit(struct warehouse_kit *kit)
{
    sql_warehouse_repository_close(kit->repository);
    sql_store_close(kit->store);
    test_executor_deinit(&kit->executor);
    arena_deinit(&kit->arena);
    sql_kit_deinit(&kit->sql);
}

void warehouse_kit_reset(struct warehouse_kit *kit)
{
    arena_reset(&kit->arena);
}

void warehouse_kit_pass(struct warehouse_kit *kit, int64_t duration_us)
{
    if (kit->sql.is_postgresql)
        usleep((useconds_t)duration_us);
    else
        fake_clock_advance(&kit->clock, duration_us);
}

int64_t warehouse_kit_now_us(struct warehouse_kit *kit)
{
    return clock_now_us(kit->sql.is_postgresql ? clock_system() : &kit->clock.base);
}

void *warehouse_kit_command(struct warehouse_kit *kit, enum warehouse_command_kind kind,
                            size_t size)
{
    struct warehouse_command *command = arena_allocate_zero(&kit->arena, 1, size);
    CHECK(command != NULL);
    command->kind = kind;
    command->executor = &kit->executor.base;
    command->arena = &kit->arena;
    violations_init(&command->violations, &kit->arena);
    return command;
}

static bool is_answered;
static struct error answered_error;

static void answered(struct warehouse_command *command, const struct error *error)
{
    (void)command;
    is_answered = true;
    answered_error = error == NULL ? error_none() : *error;
}

enum warehouse_outcome kit_try(struct warehouse_kit *kit, struct warehouse_command *command)
{
    is_answered = false;
    kit->error = ERROR_NONE;
    violations_init(&command->violations, &kit->arena);
    if (!warehouse_service_submit(&kit->service, command, answered))
        return WAREHOUSE_INVALID_FIELD;
    assert_false(is_answered); /* never before the call returned */
    while (!is_answered) {
        if (!kit->threaded) {
            struct error error = sql_store_step(kit->store);
            if (error_is(error))
                fail_msg("%s: %s", error_text(error.code), error.detail);
        }
        if (!test_executor_wait(&kit->executor, kit->threaded ? answer_us_max : 0))
            fail_msg("the store does not answer");
        test_executor_run_all(&kit->executor);
    }
    kit->error = answered_error.code;
    memcpy(kit->error_detail, answered_error.detail, sizeof kit->error_detail);
    return command->outcome;
}

enum warehouse_outcome kit_ask(struct warehouse_kit *kit, struct warehouse_command *command)
{
    enum warehouse_outcome outcome = kit_try(kit, command);
    if (kit->error != ERROR_NONE)
        fail_msg("%s: %s", error_text(kit->error), kit->error_detail);
    return outcome;
}

/* --- words --- */

static struct text copy(struct warehouse_kit *kit, const char *string)
{
    return arena_copy_text(&kit->arena, text_of(string));
}

enum warehouse_outcome kit_bare_site(struct warehouse_kit *kit, const char *id, int priority,
                                     int longitude)
{
    struct warehouse_record_command *create =
        warehouse_kit_command(kit, COMMAND_CREATE_WAREHOUSE, sizeof *create);
    create->warehouse.warehouse_id = copy(kit, id);
    create->warehouse.priority = priority;
    create->warehouse.active = true;
    create->warehouse.handling_cost = (struct money){"USD", 100};
    create->warehouse.address.has_point = true;
    create->warehouse.address.point = (struct geo_point){500000000, longitude * 10000000};
    return kit_ask(kit, &create->base);
}

enum warehouse_outcome kit_card(struct warehouse_kit *kit, const char *id, const char *valid_from,
                                const char *currency)
{
    static const struct cost_band bands[] = {{500000, 500, 10}, {2000000, 900, 20}};
    struct cost_card_command *set = warehouse_kit_command(kit, COMMAND_SET_COST_CARD, sizeof *set);
    set->cost_card.warehouse_id = copy(kit, id);
    CHECK(calendar_date_parse(text_of(valid_from), &set->cost_card.valid_from_day));
    set->cost_card.parcel_grams_max = 10000;
    memcpy(set->cost_card.currency, currency, 3);
    set->cost_card.bands = bands;
    set->cost_card.band_count = 2;
    return kit_ask(kit, &set->base);
}

enum warehouse_outcome kit_site(struct warehouse_kit *kit, const char *id, int priority,
                                int longitude)
{
    enum warehouse_outcome outcome = kit_bare_site(kit, id, priority, longitude);
    return outcome == WAREHOUSE_DONE ? kit_card(kit, id, "2020-01-01", "USD") : outcome;
}

enum warehouse_outcome kit_item(struct warehouse_kit *kit, const char *sku, int64_t weight_grams)
{
    struct item_command *put = warehouse_kit_command(kit, COMMAND_PUT_ITEM, sizeof *put);
    put->item.sku = copy(kit, sku);
    put->item.weight_grams = weight_grams;
    return kit_ask(kit, &put->base);
}

enum warehouse_outcome kit_bin(struct warehouse_kit *kit, const char *warehouse_id,
                               const char *zone, const char *bin)
{
    struct bin_command *create = warehouse_kit_command(kit, COMMAND_CREATE_BIN, sizeof *create);
    create->bin = (struct bin){copy(kit, warehouse_id), copy(kit, zone), copy(kit, bin)};
    return kit_ask(kit, &create->base);
}

struct movement_command *kit_movement(struct warehouse_kit *kit, enum warehouse_command_kind kind,
                                      const char *movement_id, const char *warehouse_id,
                                      const char *sku, int64_t quantity)
{
    struct movement_command *command = warehouse_kit_command(kit, kind, sizeof *command);
    command->movement_id = copy(kit, movement_id);
    command->warehouse_id = copy(kit, warehouse_id);
    command->sku = copy(kit, sku);
    command->quantity = quantity;
    return command;
}

enum warehouse_outcome kit_receive(struct warehouse_kit *kit, const char *movement_id,
                                   const char *warehouse_id, const char *sku, int64_t quantity)
{
    struct movement_command *command =
        kit_movement(kit, COMMAND_RECEIVE_STOCK, movement_id, warehouse_id, sku, quantity);
    return kit_ask(kit, &command->base);
}

struct item_line *kit_lines(struct warehouse_kit *kit, const char *text, size_t *count)
{
    struct item_line *lines = arena_allocate_zero(&kit->arena, strlen(text) + 1, sizeof *lines);
    CHECK(lines != NULL);
    *count = 0;
    while (*text != '\0') {
        char *end;
        const char *equals = strchr(text, '=');
        CHECK(equals != NULL);
        lines[*count].sku = arena_copy_text(&kit->arena, text_make(text, (size_t)(equals - text)));
        lines[*count].quantity = strtoll(equals + 1, &end, 10);
        lines[*count].index = *count;
        (*count)++;
        text = *end == ' ' ? end + 1 : end;
    }
    return lines;
}

struct allocate_command *kit_allocation(struct warehouse_kit *kit, const char *allocation_id,
                                        const char *lines)
{
    struct allocate_command *command =
        warehouse_kit_command(kit, COMMAND_ALLOCATE, sizeof *command);
    command->allocation_id = copy(kit, allocation_id);
    command->destination.has_point = true;
    command->destination.point = (struct geo_point){500000000, 0};
    command->lines = kit_lines(kit, lines, &command->line_count);
    return command;
}

struct allocation_command *kit_allocation_command(struct warehouse_kit *kit,
                                                  enum warehouse_command_kind kind,
                                                  const char *allocation_id)
{
    struct allocation_command *command = warehouse_kit_command(kit, kind, sizeof *command);
    command->allocation_id = copy(kit, allocation_id);
    return command;
}

struct ship_allocation_command *kit_shipping(struct warehouse_kit *kit, const char *allocation_id,
                                             const char *warehouse_id, const char *lines)
{
    struct ship_allocation_command *command =
        warehouse_kit_command(kit, COMMAND_SHIP_ALLOCATION, sizeof *command);
    const struct item_line *items = kit_lines(kit, lines, &command->line_count);
    struct ship_line *asked =
        arena_allocate_zero(&kit->arena, command->line_count + 1, sizeof *asked);
    CHECK(asked != NULL);
    for (size_t i = 0; i < command->line_count; i++)
        asked[i] = (struct ship_line){.sku = items[i].sku, .quantity = items[i].quantity};
    command->allocation_id = copy(kit, allocation_id);
    command->warehouse_id = copy(kit, warehouse_id);
    command->lines = asked;
    return command;
}

struct create_transfer_command *kit_transfer(struct warehouse_kit *kit, const char *transfer_id,
                                             const char *from, const char *to, const char *lines)
{
    struct create_transfer_command *command =
        warehouse_kit_command(kit, COMMAND_CREATE_TRANSFER, sizeof *command);
    const struct item_line *items = kit_lines(kit, lines, &command->line_count);
    command->lines =
        arena_allocate_zero(&kit->arena, command->line_count + 1, sizeof *command->lines);
    CHECK(command->lines != NULL);
    for (size_t i = 0; i < command->line_count; i++)
        command->lines[i] =
            (struct transfer_request_line){.sku = items[i].sku, .quantity = items[i].quantity};
    command->transfer_id = copy(kit, transfer_id);
    command->from_warehouse_id = copy(kit, from);
    command->to_warehouse_id = copy(kit, to);
    return command;
}

struct transfer_command *kit_transfer_command(struct warehouse_kit *kit,
                                              enum warehouse_command_kind kind,
                                              const char *transfer_id, const char *lines)
{
    struct transfer_command *command = warehouse_kit_command(kit, kind, sizeof *command);
    const struct item_line *items = kit_lines(kit, lines, &command->line_count);
    struct reception_line *came =
        arena_allocate_zero(&kit->arena, command->line_count + 1, sizeof *came);
    CHECK(came != NULL);
    for (size_t i = 0; i < command->line_count; i++)
        came[i] = (struct reception_line){.sku = items[i].sku, .quantity = items[i].quantity};
    command->transfer_id = copy(kit, transfer_id);
    command->lines = came;
    return command;
}

struct warehouse_stock kit_stock(struct warehouse_kit *kit, const char *warehouse_id,
                                 const char *sku)
{
    struct stock_command *get =
        warehouse_kit_command(kit, COMMAND_GET_WAREHOUSE_STOCK, sizeof *get);
    get->warehouse_id = copy(kit, warehouse_id);
    get->sku = copy(kit, sku);
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_DONE);
    return get->stock;
}

void kit_assert_stock(struct warehouse_kit *kit, const char *warehouse_id, const char *sku,
                      int64_t on_hand, int64_t allocated)
{
    struct warehouse_stock stock = kit_stock(kit, warehouse_id, sku);
    if (stock.on_hand != on_hand || stock.allocated != allocated)
        fail_msg("%s at %s: on hand %lld, allocated %lld; expected %lld, %lld", sku, warehouse_id,
                 (long long)stock.on_hand, (long long)stock.allocated, (long long)on_hand,
                 (long long)allocated);
}

struct allocation *kit_get_allocation(struct warehouse_kit *kit, const char *allocation_id)
{
    struct allocation_command *get =
        kit_allocation_command(kit, COMMAND_GET_ALLOCATION, allocation_id);
    assert_int_equal(kit_ask(kit, &get->base), WAREHOUSE_DONE);
    return &get->allocation;
}

void kit_assert_books_are_right(struct warehouse_kit *kit)
{
    struct verify_movements_command *verify =
        warehouse_kit_command(kit, COMMAND_VERIFY_MOVEMENTS, sizeof *verify);
    assert_int_equal(kit_ask(kit, &verify->base), WAREHOUSE_DONE);
    for (size_t i = 0; i < verify->mismatch_count; i++) {
        const struct movement_mismatch *one = &verify->mismatches[i];
        print_message("# %s of %.*s at %.*s: movements say %lld, the books %lld\n", one->balance,
                      (int)one->sku.size, one->sku.data, (int)one->warehouse_id.size,
                      one->warehouse_id.data, (long long)one->movement_quantity,
                      (long long)one->balance_quantity);
    }
    assert_int_equal(verify->mismatch_count, 0);
}
