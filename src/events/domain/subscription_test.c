/* Goal: cursors come back as they went, nobody's are found out, and a subscriber begins where it
 * says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/domain/event_cursor.h"
#include "events/domain/subscription.h"

#include <string.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct event_cursor cursor_of(uint64_t inventory, uint64_t warehouse)
{
    return (struct event_cursor){
        .count = 2,
        .places =
            {
                {text_of("inventory"), text_of("00112233445566aa"), inventory},
                {text_of("warehouse"), text_of("ffeeddccbbaa9988"), warehouse},
            },
    };
}

static void a_cursor_comes_back_as_it_went(void **state)
{
    (void)state;
    uint64_t values[] = {0, 1, 127, 128, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct event_cursor back;
        struct event_cursor cursor = cursor_of(values[i], 7);
        struct text text = event_cursor_encode(&cursor, &arena);
        assert_non_null(text.data);
        for (size_t j = 0; j < text.size; j++)
            assert_true(strchr("+/= ", text.data[j]) == NULL);
        assert_true(event_cursor_decode(text, &arena, &back));
        assert_int_equal(back.count, 2);
        assert_int_equal(back.places[0].position, values[i]);
        assert_true(text_equals_string(back.places[1].source, "warehouse"));
        assert_true(text_equals_string(back.places[1].identity, "ffeeddccbbaa9988"));
    }
}

static void a_changed_cursor_is_nobodys(void **state)
{
    (void)state;
    struct event_cursor back;
    struct event_cursor cursor = cursor_of(123456, 99);
    struct text text = event_cursor_encode(&cursor, &arena);
    for (size_t i = 0; i < text.size; i++) {
        char changed[256];
        memcpy(changed, text.data, text.size);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        assert_false(event_cursor_decode(text_make(changed, text.size), &arena, &back) &&
                     back.places[0].position != 123456);
        assert_false(event_cursor_decode(text_make(text.data, i), &arena, &back));
    }
    assert_false(event_cursor_decode(text_of("oldest"), &arena, &back));
    assert_false(event_cursor_decode(text_of(""), &arena, &back));
}

static const struct event_log_state logs[] = {
    {{"inventory", 9}, {"00112233445566aa", 16}, 100, 200},
    {{"warehouse", 9}, {"ffeeddccbbaa9988", 16}, 10, 20},
};

static enum subscription_start start_of(const struct event_cursor *cursor, uint64_t *positions)
{
    struct text source;
    return subscription_start(event_cursor_encode(cursor, &arena), logs, 2, &arena, positions,
                              &source);
}

static void a_subscriber_begins_where_it_says(void **state)
{
    (void)state;
    uint64_t positions[2];
    struct text source;
    assert_int_equal(subscription_start(text_of(""), logs, 2, &arena, positions, &source),
                     SUBSCRIPTION_STARTS);
    assert_int_equal(positions[0], 200);
    assert_int_equal(positions[1], 20);
    assert_int_equal(subscription_start(text_of("oldest"), logs, 2, &arena, positions, &source),
                     SUBSCRIPTION_STARTS);
    assert_int_equal(positions[0], 100);
    assert_int_equal(positions[1], 10);
    struct event_cursor cursor = cursor_of(150, 20);
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_STARTS);
    assert_int_equal(positions[0], 150);
    cursor.count = 1; /* warehouse came later */
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_STARTS);
    assert_int_equal(positions[1], 10);
}

static void a_place_that_is_of_no_use_is_refused(void **state)
{
    (void)state;
    uint64_t positions[2];
    struct text source;
    struct event_cursor cursor = cursor_of(99, 20);
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_CURSOR_NOT_KEPT);
    cursor = cursor_of(201, 20);
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_CURSOR_NOT_KEPT);
    cursor = cursor_of(150, 15);
    cursor.places[1].identity = text_of("0000000000000000");
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_CURSOR_OTHER_LOG);
    cursor = cursor_of(150, 15);
    cursor.places[1].source = text_of("shipping");
    assert_int_equal(start_of(&cursor, positions), SUBSCRIPTION_CURSOR_OTHER_LOG);
    assert_int_equal(subscription_start(text_of("x"), logs, 2, &arena, positions, &source),
                     SUBSCRIPTION_CURSOR_UNREADABLE);
}

static void a_filter_selects_by_type_and_key(void **state)
{
    (void)state;
    struct text reserved = text_of("waybill.inventory.v1.StockReserved");
    struct text received = text_of("waybill.inventory.v1.StockReceived");
    struct event_filter all = {0};
    struct event_filter one = {.types = &reserved, .type_count = 1, .key = text_of("k")};
    assert_true(event_filter_matches(&all, reserved, text_of("x")));
    assert_true(event_filter_matches(&one, reserved, text_of("k")));
    assert_false(event_filter_matches(&one, reserved, text_of("kk")));
    assert_false(event_filter_matches(&one, received, text_of("k")));
    assert_true(event_filter_concerns(&all, text_of("warehouse")));
    assert_true(event_filter_concerns(&one, text_of("inventory")));
    assert_false(event_filter_concerns(&one, text_of("invent")));
    assert_int_equal(event_type_source(text_of("waybill.x")).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_as_it_went),
        cmocka_unit_test(a_changed_cursor_is_nobodys),
        cmocka_unit_test(a_subscriber_begins_where_it_says),
        cmocka_unit_test(a_place_that_is_of_no_use_is_refused),
        cmocka_unit_test(a_filter_selects_by_type_and_key),
    };
    return cmocka_run_group_tests_name("subscription", tests, set_up, tear_down);
}
