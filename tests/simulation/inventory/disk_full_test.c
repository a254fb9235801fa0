/*
 * Goal: with a full disk every kind of write is refused with DISK_FULL and leaves nothing, every
 * kind of read is answered, and with space again the same writes are done, without a restart.
 *
 * Method: the store on a disk in memory that is filled; the same questions before and after.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "inventory/infrastructure/embedded/inventory_record.h"
#include "platform/base/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_call.h"
#include "tests/support/storage/crash_file_system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t ttl_us = INT64_C(900000000);

struct fixture {
    struct fake_clock clock;
    struct test_executor executor;
    struct random_seeded random;
    struct crash_file_system *disk;
    struct inventory_repository *store;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.disk = crash_file_system_create(1)};
    fake_clock_init(&fixture.clock, start_us);
    test_executor_init(&fixture.executor);
    random_seeded_init(&fixture.random, 1);
    struct embedded_repository_options options = embedded_repository_options_default();
    options.directory = "store";
    options.file_system = crash_file_system_port(fixture.disk);
    options.clock = &fixture.clock.base;
    options.random = &fixture.random.base;
    options.list_buckets = 8;
    options.batch_bytes_max = 2 * inventory_record_bytes_max;
    options.segment_bytes = 4 * options.batch_bytes_max;
    options.threaded = false;
    struct error error = embedded_repository_open(&fixture.store, &options);
    assert_false(error_is(error));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    embedded_repository_close(fixture->store);
    crash_file_system_destroy(fixture->disk);
    test_executor_deinit(&fixture->executor);
    return 0;
}

/* The error's code if there is one, else −1 − outcome. */
static int ask(struct fixture *fixture, const struct inventory_question *question)
{
    struct inventory_call call;
    inventory_call_init(&call, question);
    inventory_call_start(&call, fixture->store, &fixture->executor.base);
    struct error error = embedded_repository_step(fixture->store);
    assert_false(error_is(error));
    test_executor_run_all(&fixture->executor);
    assert_true(call.is_answered);
    int answer = error_is(call.error) ? (int)call.error.code : -1 - (int)call.command.base.outcome;
    inventory_call_deinit(&call);
    return answer;
}
enum { done = -1 - INVENTORY_DONE };

static struct inventory_question receive(const char *id, const char *sku)
{
    return (struct inventory_question){
        .kind = CALL_RECEIVE_STOCK, .id = text_of(id), .sku = text_of(sku), .quantity = 1000};
}

static const struct quantity_line line_a[] = {{{"A", 1}, 2}};

static struct inventory_question about(enum inventory_call_kind kind, const char *id)
{
    return (struct inventory_question){.kind = kind,
                                       .id = text_of(id),
                                       .sku = text_of("A"),
                                       .ttl_us = ttl_us,
                                       .page_size = 10,
                                       .lines = line_a,
                                       .line_count = 1};
}

/* Writes until the room that was claimed beforehand is used up. */
static void fill_the_disk(struct fixture *fixture)
{
    int answer = done;
    crash_file_system_set_room(fixture->disk, 0);
    for (int i = 0; answer == done; i++) {
        char id[24];
        snprintf(id, sizeof id, "fill-%d", i);
        struct inventory_question question = receive(id, "A");
        answer = ask(fixture, &question);
    }
    assert_int_equal(answer, ERROR_DISK_FULL);
}

static void writes_wait_for_space_and_reads_go_on(void **state)
{
    struct fixture *fixture = *state;
    const struct inventory_question history[] = {
        receive("r1", "A"),           about(CALL_RESERVE, "held"), about(CALL_RESERVE, "held-too"),
        about(CALL_RESERVE, "taken"), about(CALL_COMMIT, "taken"),
    };
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++)
        assert_int_equal(ask(fixture, &history[i]), done);
    struct inventory_question adjust = about(CALL_ADJUST_STOCK, "a1");
    adjust.quantity = -1;
    adjust.reason = ADJUSTMENT_LOSS;
    struct inventory_question policy = about(CALL_SET_STOCK_POLICY, "");
    policy.policy.safety_stock = 1;
    struct inventory_question extend = about(CALL_EXTEND_RESERVATION, "held-too");
    extend.ttl_us = 2 * ttl_us;
    struct inventory_question bring_back = about(CALL_RETURN_STOCK, "back");
    bring_back.reservation_id = text_of("taken");
    bring_back.return_reason = RETURN_SHORT_PICK;
    const struct inventory_question writes[] = {
        receive("r2", "A"),
        receive("r3", "NEW"),
        adjust,
        policy,
        about(CALL_RESERVE, "new"),
        about(CALL_COMMIT, "held"),
        extend,
        bring_back,
        about(CALL_ROLLBACK, "held-too"),
    };
    const struct inventory_question reads[] = {
        about(CALL_GET_STOCK, ""),
        about(CALL_BATCH_GET_STOCK, ""),
        about(CALL_LIST_STOCK, ""),
        about(CALL_GET_RESERVATION, "held"),
        about(CALL_LIST_STOCK_ENTRIES, ""),
        about(CALL_VERIFY_LEDGER, ""),
        {.kind = CALL_LIST_RESERVATIONS, .page_size = 10},
        about(CALL_RESERVE, "held"), /* a repeat */
    };
    fill_the_disk(fixture);
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        if (ask(fixture, &writes[i]) != ERROR_DISK_FULL)
            fail_msg("write %zu was not refused", i);
    }
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        if (ask(fixture, &reads[i]) != done)
            fail_msg("read %zu was not answered", i);
    }
    crash_file_system_set_room(fixture->disk, UINT64_MAX);
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        if (ask(fixture, &writes[i]) != done)
            fail_msg("write %zu was not done", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_wait_for_space_and_reads_go_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
