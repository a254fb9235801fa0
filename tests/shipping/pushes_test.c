/*
 * Goal: a push is acknowledged when it is durable, read once, and has its effect once (RELIABILITY
 * row 22). Method: pushes to a fake carrier's reader, the books away or the process dead between.
 */
#include "shipping/application/carrier_copies.h"
#include "shipping/domain/limits.h"
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

static const int64_t second_us = 1000000;

static bool answered;

static void push_done(struct shipping_push *push)
{
    (void)push;
    answered = true;
}

static enum shipping_push_verdict push_with(struct shipping_desk *desk, const char *secret,
                                            const char *carrier, const char *body)
{
    const struct carrier_header header = {text_of("secret"), text_of(secret)};
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct shipping_push push = {
        .executor = &desk->executor.base,
        .arena = &arena,
        .carrier = text_of(carrier),
        .webhook = {.headers = &header, .header_count = 1, .body = text_of(body)},
        .done = push_done,
    };
    answered = false;
    shipping_service_keep_push(desk->service, &push);
    assert_false(answered);
    shipping_desk_run(desk);
    assert_true(answered);
    arena_deinit(&arena);
    return push.verdict;
}

static enum shipping_push_verdict push(struct shipping_desk *desk, const char *body)
{
    return push_with(desk, "ours", "alpha", body);
}

static size_t events(struct shipping_desk *desk)
{
    size_t count = 0;
    for (size_t i = 0; i < shipping_model_event_count(desk->model); i++)
        count += shipping_model_event(desk->model, i)->type == EVENT_CARRIER_EVENT_RECEIVED;
    return count;
}

static void a_push_is_kept_and_its_scan_is_told(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 1);
    assert_true(text_equals_string(shipping_model_event(desk->model, 1)->key, "a"));
}

static void replays_have_no_effect(void **state)
{
    struct shipping_desk *desk = *state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(push(desk, "push N1 PU again"), SHIPPING_PUSH_KEPT); /* the same scan */
    assert_int_equal(events(desk), 1);
    assert_int_equal(push(desk, "push N1 DL"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 2);
}

static void what_is_not_authentic_is_not_kept(void **state)
{
    struct shipping_desk *desk = *state;
    size_t before = desk->commands;
    assert_int_equal(push_with(desk, "theirs", "alpha", "push N1 PU"), SHIPPING_PUSH_REFUSED);
    assert_int_equal(push_with(desk, "ours", "gamma", "push N1 PU"), SHIPPING_PUSH_REFUSED);
    assert_int_equal(desk->commands, before);
}

static void without_the_store_the_carrier_is_to_come_again(void **state)
{
    struct shipping_desk *desk = *state;
    desk->is_away = true;
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_UNAVAILABLE);
    desk->is_away = false;
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 1);
}

static void what_could_not_be_recorded_is_read_again(void **state)
{
    struct shipping_desk *desk = *state;
    shipping_model_fail_next(desk->model, COMMAND_RECORD_SCANS, ERROR_STORE_UNAVAILABLE, false);
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 0);
    shipping_desk_pass(desk, 3 * second_us);
    assert_int_equal(events(desk), 1);
    shipping_model_fail_next(desk->model, COMMAND_RECORD_SCANS, ERROR_STORE_UNAVAILABLE, true);
    assert_int_equal(push(desk, "push N1 DL"), SHIPPING_PUSH_KEPT);
    shipping_desk_pass(desk, 3 * second_us);
    assert_int_equal(events(desk), 2);
}

static void what_waits_is_read_at_the_start(void **state)
{
    struct shipping_desk *desk = *state;
    desk->fuel = 1; /* KEEP is the last that the books hear */
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 0);
    shipping_desk_kill(desk);
    shipping_desk_start(desk);
    assert_int_equal(events(desk), 1);
}

static void an_unknown_shape_is_kept_and_stops_nobody(void **state)
{
    struct shipping_desk *desk = *state;
    assert_int_equal(push(desk, "something new"), SHIPPING_PUSH_KEPT);
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 1);
    struct buffer metrics;
    buffer_init(&metrics, 65536);
    assert_true(shipping_service_write_metrics(desk->service, &metrics));
    assert_true(buffer_append(&metrics, "", 1));
    assert_non_null(strstr(metrics.data, "\nwaybill_shipping_unknown_shapes_total 1\n"));
    assert_non_null(strstr(metrics.data, "\nwaybill_shipping_scans_total 1\n"));
    assert_non_null(strstr(metrics.data, "\nwaybill_shipping_pushes_kept_total 2\n"));
    buffer_deinit(&metrics);
}

static void what_is_longer_than_anybody_takes_stops_nobody(void **state)
{
    struct shipping_desk *desk = *state;
    assert_int_equal(push(desk, "flood"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 1); /* the one whose number can be kept */
    assert_int_equal(push(desk, "push N1 PU"), SHIPPING_PUSH_KEPT);
    assert_int_equal(events(desk), 2);
}

static void texts_of_scans_are_cut_between_characters(void **state)
{
    char words[1000];
    struct arena arena;
    size_t left_out;
    (void)state;
    memset(words, 'w', sizeof words);
    memcpy(words + 127, "\xC3\xBC", 2); /* across the limit */
    struct shipping_scan scans[] = {
        {.tracking_number = text_of("")},
        {.tracking_number = text_of("N"),
         .carrier_code = text_make(words, 1000),
         .description = text_make(words, 1000),
         .city = text_make(words, 100)},
        {.tracking_number = text_make(words, 65)},
    };
    arena_init(&arena, 65536);
    const struct shipping_scan *bound = bound_scans(&arena, scans, 3, &left_out);
    assert_int_equal(left_out, 2);
    assert_true(text_equals_string(bound[0].tracking_number, "N"));
    assert_int_equal(bound[0].carrier_code.size, 127);
    assert_int_equal(bound[0].description.size, shipping_description_bytes_max);
    assert_int_equal(bound[0].city.size, 100);
    arena_deinit(&arena);
}

static void listed(struct shipping_command *command, const struct error *error)
{
    (void)command;
    assert_null(error);
}

static void a_call_to_a_carrier_is_kept_for_audit_and_cut(void **state)
{
    struct shipping_desk *desk = *state;
    desk_call_destroy(desk_ask(desk, desk_create_shipment("a")));
    static char long_answer[shipping_audit_bytes_max + 1000];
    memset(long_answer, 'x', sizeof long_answer);
    struct shipping_audit entry = {
        .time_us = clock_now_us(&desk->clock.base),
        .shipment_id = text_of("a~3"),
        .what = text_of("create_shipment"),
        .url = text_of("https://carrier.example/ship"),
        .answer = text_make(long_answer, sizeof long_answer),
    };
    shipping_service_keep_audit(desk->service, &entry);
    shipping_desk_run(desk);
    struct arena arena;
    arena_init(&arena, 8 * 1024 * 1024);
    struct list_audit_command list = {
        .base = {.kind = COMMAND_LIST_AUDIT, .executor = &desk->executor.base, .arena = &arena},
        .shipment_id = text_of("a"),
        .page_size = 100,
    };
    shipping_repository_execute(shipping_model_port(desk->model), &list.base, listed);
    shipping_desk_run(desk);
    const struct shipping_audit *last = &list.entries[list.entry_count - 1];
    assert_true(text_equals_string(last->what, "create_shipment"));
    assert_int_equal(last->attempt, 3);
    assert_int_equal(last->answer.size, shipping_audit_bytes_max);
    assert_memory_equal(last->answer.data + last->answer.size - 10, "[cut here]", 10);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_push_is_kept_and_its_scan_is_told, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(replays_have_no_effect, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_authentic_is_not_kept, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(without_the_store_the_carrier_is_to_come_again,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_could_not_be_recorded_is_read_again,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_waits_is_read_at_the_start, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_shape_is_kept_and_stops_nobody,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_is_longer_than_anybody_takes_stops_nobody,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test(texts_of_scans_are_cut_between_characters),
        cmocka_unit_test_setup_teardown(a_call_to_a_carrier_is_kept_for_audit_and_cut,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_pushes", tests, NULL, NULL);
}
