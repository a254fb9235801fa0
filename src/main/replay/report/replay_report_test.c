/*
 * Goal: the report says what the result holds, for people and for programs. Method: results made
 * by hand; texts compared whole or by their parts.
 */
#include "main/replay/report/replay_report.h"

#include "main/replay/report/number_text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct data_set data_set = {
    .product_count = 184,
    .order_count = 7030,
    .line_count = 10324,
    .summed_line_count = 9610,
    .packs = 189265090,
};
static const struct replay_plan plan = {.data_set = &data_set, .seed = 1};

static struct replay_result a_result(void)
{
    return (struct replay_result){
        .totals = {.holds = {[HOLD_COMMITTED] = {7030, 9610, 189265090},
                             [HOLD_ROLLED_BACK] = {387, 515, 11185677},
                             [HOLD_EXPIRED] = {347, 468, 9605800}}},
        .finish_time_us = INT64_C(1795523800507796),
        .measurements = {.calls = 14244,
                         .repeated = 3,
                         .busy_us = 1200000,
                         .latency = {850, 5100, 9000, 2300000}},
        .ledger_entries = 19404,
        .chain_head = "316bd24d",
    };
}

static void write_text(const struct replay_result *result, struct buffer *out)
{
    struct replay_report report = {"d.csv", "h:1", &plan, result, 10};
    buffer_init(out, 65536);
    assert_false(error_is(replay_report_write_text(&report, out)));
    assert_true(buffer_append(out, "", 1));
}

static void text_has_all_figures(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    (void)state;
    write_text(&result, &out);
    assert_string_equal(
        out.data, "Replay of d.csv on h:1, seed 1\n\n"
                  "  orders                7,030\n"
                  "  order lines          10,324, or 9,610 when those of one product in an "
                  "order are added up\n"
                  "  packs           189,265,090 of 184 products\n\n"
                  "  paid                  7,030 holds      189,265,090 packs\n"
                  "  cancelled               387 holds       11,185,677 packs, then ordered again\n"
                  "  abandoned               347 holds        9,605,800 packs until their time was "
                  "over, then ordered again\n\n"
                  "  calls                14,244 in 1.2 s, 11,870 a second, 3 repeated\n"
                  "  latency       p50 850 µs, p95 5.1 ms, p99 9.0 ms, max 2.3 s\n"
                  "  ledger               19,404 entries, 0 mismatches\n"
                  "  chain head    316bd24d\n\n"
                  "  everything adds up\n");
    buffer_deinit(&out);
}

static void text_of_a_complete_replay_says_that_nothing_was_sent(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    (void)state;
    result.was_complete = true;
    write_text(&result, &out);
    assert_non_null(
        strstr(out.data, "was complete since 2026-11-24 12:36 UTC, nothing was sent\n"));
    buffer_deinit(&out);
}

static void text_leaves_out_what_nobody_measured(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    (void)state;
    result.measurements = (struct replay_measurements){0};
    write_text(&result, &out);
    assert_null(strstr(out.data, "latency"));
    assert_null(strstr(out.data, "calls"));
    buffer_deinit(&out);
}

static void text_names_others_and_the_first_differences(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    (void)state;
    result.totals.others_committed = 5;
    for (int i = 0; i < 12; i++)
        difference_list_add(&result.differences, "number %d", i);
    write_text(&result, &out);
    assert_non_null(strstr(out.data, "0 packs received, 5 committed, 0 held of these products\n"));
    assert_non_null(strstr(out.data, "12 things differ from the plan:\n  number 0\n"));
    assert_non_null(strstr(out.data, "  number 9\n  …\n"));
    assert_null(strstr(out.data, "number 10"));
    assert_null(strstr(out.data, "adds up"));
    buffer_deinit(&out);
}

static void json_is_one_line_with_all_figures(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    struct replay_report report = {"d.csv", "h:1", &plan, &result, 10};
    json_error_t why;
    int adds_up;
    json_int_t committed;
    json_int_t p99;
    json_int_t entries;
    const char *chain_head;
    (void)state;
    buffer_init(&out, 65536);
    assert_false(error_is(replay_report_write_json(&report, &out)));
    assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
    json_t *json = json_loadb(out.data, out.size, 0, &why);
    assert_non_null(json);
    assert_int_equal(json_unpack(json, "{s:b, s:{s:I}, s:{s:{s:I}}, s:{s:I, s:s}}", "adds_up",
                                 &adds_up, "committed", "packs", &committed, "measurements",
                                 "latency_us", "p99", &p99, "ledger", "entries", &entries,
                                 "chain_head", &chain_head),
                     0);
    assert_int_equal(adds_up, 1);
    assert_int_equal(committed, 189265090);
    assert_int_equal(p99, 9000);
    assert_int_equal(entries, 19404);
    assert_string_equal(chain_head, "316bd24d");
    json_decref(json);
    buffer_deinit(&out);
}

/* Keys are names, not words for people. */
static void json_has_orders_by_state(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    struct replay_report report = {"d.csv", "h:1", &plan, &result, 10};
    (void)state;
    result.has_orders = true;
    for (uint32_t i = 0; i < replay_order_states; i++)
        result.order_counts[i] = i;
    buffer_init(&out, 65536);
    assert_false(error_is(replay_report_write_json(&report, &out)));
    assert_true(buffer_append(&out, "", 1));
    assert_non_null(strstr(out.data,
                           "\"order_states\":{\"elsewhere\":0,\"promised\":1,\"confirming\":2,"
                           "\"confirmed\":3,\"shipped\":4,\"delivered\":5,\"returned\":6,"
                           "\"expired\":7,\"cancelled\":8,\"needs_attention\":9}"));
    buffer_deinit(&out);
}

static void json_tells_what_differs(void **state)
{
    struct replay_result result = a_result();
    struct buffer out;
    struct replay_report report = {"d.csv", "h:1", &plan, &result, 10};
    (void)state;
    difference_list_add(&result.differences, "a \"quoted\" thing");
    buffer_init(&out, 65536);
    assert_false(error_is(replay_report_write_json(&report, &out)));
    assert_true(buffer_append(&out, "", 1));
    assert_non_null(strstr(out.data, "\"adds_up\":false"));
    assert_non_null(
        strstr(out.data, "\"difference_count\":1,\"differences\":[\"a \\\"quoted\\\" thing\"]"));
    buffer_deinit(&out);
}

static void report_beyond_its_limit_is_an_error(void **state)
{
    struct replay_result result = a_result();
    struct replay_report report = {"d.csv", "h:1", &plan, &result, 10};
    (void)state;
    for (size_t limit = 0; limit < 500; limit += 20) {
        struct buffer out;
        buffer_init(&out, limit);
        assert_true(error_is(replay_report_write_text(&report, &out)));
        buffer_clear(&out);
        assert_true(error_is(replay_report_write_json(&report, &out)));
        buffer_deinit(&out);
    }
}

static void numbers_are_grouped(void **state)
{
    static const struct {
        int64_t count;
        const char *text;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {-1000, "-1,000"},
        {-999, "-999"},
        {189265090, "189,265,090"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(number_text_of_count(cases[i].count).string, cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_all_figures),
        cmocka_unit_test(text_of_a_complete_replay_says_that_nothing_was_sent),
        cmocka_unit_test(text_leaves_out_what_nobody_measured),
        cmocka_unit_test(text_names_others_and_the_first_differences),
        cmocka_unit_test(json_is_one_line_with_all_figures),
        cmocka_unit_test(json_has_orders_by_state),
        cmocka_unit_test(json_tells_what_differs),
        cmocka_unit_test(report_beyond_its_limit_is_an_error),
        cmocka_unit_test(numbers_are_grouped),
    };
    return cmocka_run_group_tests_name("replay_report", tests, NULL, NULL);
}
