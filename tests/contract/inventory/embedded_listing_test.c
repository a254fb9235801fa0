/*
 * Goal: lists of the embedded store look at so many things for a page and no more, and lose nothing
 * by it. Method: a bound of a few, one bucket for all orders; the pages are followed to the end.
 */
#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "platform/base/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/inventory/inventory_call.h"
#include "tests/support/temporary_directory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { examined_max = 7, many = 100 };

struct fixture {
    struct fake_clock clock;
    struct test_executor executor;
    struct random_seeded random;
    struct temporary_directory directory;
    struct inventory_repository *store;
    struct inventory_call call;
};

static void ask(struct fixture *fixture, const struct inventory_question *question)
{
    inventory_call_deinit(&fixture->call);
    inventory_call_init(&fixture->call, question);
    inventory_call_start(&fixture->call, fixture->store, &fixture->executor.base);
    assert_false(error_is(embedded_repository_step(fixture->store)));
    test_executor_run_all(&fixture->executor);
    assert_true(fixture->call.is_answered && !error_is(fixture->call.error));
    assert_int_equal(fixture->call.command.base.outcome, INVENTORY_DONE);
}

/* Many SKUs, one of them with a low stock; many reservations, one in ten of order "mine". */
static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    fake_clock_init(&fixture.clock, INT64_C(1800000000) * 1000000);
    test_executor_init(&fixture.executor);
    random_seeded_init(&fixture.random, 1);
    temporary_directory_create(&fixture.directory);
    struct embedded_repository_options options = embedded_repository_options_default();
    options.directory = fixture.directory.path;
    options.clock = &fixture.clock.base;
    options.random = &fixture.random.base;
    options.list_buckets = 1;
    options.list_examined_max = examined_max;
    options.segment_bytes = 1 << 20;
    options.batch_bytes_max = 1 << 18;
    options.threaded = false;
    assert_false(error_is(embedded_repository_open(&fixture.store, &options)));
    for (int i = 0; i < many; i++) {
        char id[16];
        snprintf(id, sizeof id, "%03d", i);
        const struct inventory_question receive = {.kind = CALL_RECEIVE_STOCK,
                                                   .id = text_of(id),
                                                   .sku = text_of(id),
                                                   .quantity = i == 60 ? 1 : 5};
        ask(&fixture, &receive);
        const struct quantity_line line = {text_of(id), 1};
        const struct inventory_question reserve = {.kind = CALL_RESERVE,
                                                   .id = text_of(id),
                                                   .order_id =
                                                       text_of(i % 10 == 0 ? "mine" : "other"),
                                                   .ttl_us = inventory_ttl_us_default,
                                                   .lines = &line,
                                                   .line_count = 1};
        ask(&fixture, &reserve);
    }
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    inventory_call_deinit(&fixture->call);
    embedded_repository_close(fixture->store);
    temporary_directory_remove(&fixture->directory);
    test_executor_deinit(&fixture->executor);
    return 0;
}

static void pages_of_an_order_are_short_and_complete(void **state)
{
    struct fixture *fixture = *state;
    struct inventory_question question = {
        .kind = CALL_LIST_RESERVATIONS, .order_id = text_of("mine"), .page_size = 100};
    int pages = 0;
    int next = 90; /* newest first */
    do {
        ask(fixture, &question);
        const struct list_reservations_command *page = &fixture->call.command.list_reservations;
        assert_true(page->reservation_count <= 1); /* of seven looked at */
        if (page->reservation_count == 1) {
            char id[16];
            snprintf(id, sizeof id, "%03d", next);
            assert_true(text_equals_string(page->reservations[0].reservation_id, id));
            next -= 10;
        }
        question.after = page->next;
        pages++;
    } while (question.after != 0);
    assert_int_equal(next, -10);
    assert_int_equal(pages, (many + examined_max - 1) / examined_max);
}

static void pages_of_a_state_are_short_and_complete(void **state)
{
    struct fixture *fixture = *state;
    char after[inventory_sku_bytes_max + 1] = "";
    struct inventory_question question = {.kind = CALL_LIST_STOCK,
                                          .has_state = true,
                                          .state = STOCK_STATE_OUT_OF_STOCK,
                                          .page_size = 100};
    int pages = 0;
    size_t found = 0;
    do {
        question.after_sku = text_of(after);
        ask(fixture, &question);
        const struct list_stock_command *page = &fixture->call.command.list_stock;
        found += page->stock_count;
        snprintf(after, sizeof after, "%.*s", (int)page->next.size, page->next.data);
        pages++;
    } while (after[0] != '\0');
    assert_int_equal(found, 1);
    assert_int_equal(pages, (many + examined_max - 1) / examined_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_of_an_order_are_short_and_complete, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_of_a_state_are_short_and_complete, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
