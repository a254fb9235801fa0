/*
 * Goal: a line's life begins before it ends and tells late from in time, every day of the data set;
 * what is counted by country and origin adds up, and is told whole. Method: the real data set;
 * counts made by another road, its lines one by one; small sums by hand.
 */
#include "main/replay/findings/on_time_survey.h"
#include "main/replay/plan/parcel_life.h"
#include "main/replay/report/on_time_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { lines = 10324, late_lines = 1186 };

static const int64_t day_us = INT64_C(86400) * 1000000;

static struct data_set data_set;
static struct replay_plan plan;

static int read_data_set(void **state)
{
    (void)state;
    struct error error = data_set_read(&data_set, file_system_posix(), getenv("WAYBILL_DATA_SET"));
    if (!error_is(error))
        error = replay_plan_init(&plan, &data_set, 1);
    return error_is(error) ? -1 : 0;
}

static int release_data_set(void **state)
{
    (void)state;
    replay_plan_deinit(&plan);
    data_set_deinit(&data_set);
    return 0;
}

/* --- lives --- */

static void life_goes_from_pickup_to_the_day_of_delivery(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < data_set.line_count; i++) {
        const struct data_set_line *line = &data_set.lines[i];
        uint32_t count = parcel_step_count(line);
        struct parcel_step first = parcel_step_at(line, 0);
        struct parcel_step last = parcel_step_at(line, count - 1);
        assert_int_equal(first.type, PARCEL_PICKED_UP);
        assert_int_equal(first.occurred_time_us, parcel_start_time_us(line));
        assert_int_equal(last.type, PARCEL_DELIVERED);
        assert_int_equal(last.occurred_time_us / day_us, line->delivered_day);
        for (uint32_t j = 0; j + 1 < count; j++) {
            struct parcel_step step = parcel_step_at(line, j);
            assert_true(step.occurred_time_us >= first.occurred_time_us);
            assert_true(step.occurred_time_us < last.occurred_time_us);
        }
    }
}

static void late_lines_alone_are_told_of_before(void **state)
{
    uint32_t late = 0;
    (void)state;
    for (uint32_t i = 0; i < data_set.line_count; i++) {
        const struct data_set_line *line = &data_set.lines[i];
        uint32_t delays = 0;
        struct parcel_step last = parcel_step_at(line, parcel_step_count(line) - 1);
        for (uint32_t j = 0; j < parcel_step_count(line); j++) {
            struct parcel_step step = parcel_step_at(line, j);
            delays += step.type == PARCEL_DELAYED;
            if (step.type == PARCEL_DELAYED) {
                assert_true(step.expected_delivery_time_us > last.occurred_time_us);
                assert_true(step.expected_delivery_time_us > parcel_promised_time_us(line));
            } else {
                assert_int_equal(step.expected_delivery_time_us, 0);
            }
        }
        assert_int_equal(delays, parcel_is_late(line));
        assert_int_equal(parcel_is_late(line),
                         last.occurred_time_us > parcel_promised_time_us(line));
        late += parcel_is_late(line);
    }
    assert_int_equal(late, late_lines);
}

static void life_in_the_first_days_of_1970_has_times_all_the_same(void **state)
{
    struct data_set_line line = {.scheduled_day = 0, .delivered_day = 3};
    (void)state;
    for (uint32_t i = 0; i < parcel_step_count(&line); i++)
        assert_true(parcel_step_at(&line, i).occurred_time_us > 0);
    assert_true(parcel_promised_time_us(&line) > 0);
}

/* --- counts --- */

static void count_all(struct on_time_survey *survey)
{
    assert_false(error_is(on_time_survey_init(survey, &data_set)));
    for (uint32_t i = 0; i < data_set.line_count; i++)
        on_time_survey_add(survey, data_set_order_of_line(&data_set, i), i,
                           parcel_is_late(&data_set.lines[i]));
}

static void lines_know_their_orders(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < data_set.order_count; i++) {
        const struct data_set_order *order = &data_set.orders[i];
        for (uint32_t j = 0; j < order->line_count; j++)
            assert_int_equal(data_set_order_of_line(&data_set, order->first_line + j), i);
    }
}

static void counts_add_up_by_country_and_by_origin(void **state)
{
    struct on_time_survey survey;
    struct on_time_count by_country = {0};
    (void)state;
    count_all(&survey);
    struct on_time_count by_origin = survey.centres;
    for (uint32_t i = 0; i < data_set.country_count; i++) {
        const struct on_time_country *country = &survey.countries[i];
        by_country = on_time_sum(by_country, on_time_sum(country->from_centres, country->direct));
    }
    for (uint32_t i = 0; i < data_set.site_count; i++)
        by_origin = on_time_sum(by_origin, survey.sites[i]);
    assert_int_equal(survey.whole.lines, lines);
    assert_int_equal(survey.whole.late, late_lines);
    assert_memory_equal(&by_country, &survey.whole, sizeof survey.whole);
    assert_memory_equal(&by_origin, &survey.whole, sizeof survey.whole);
    assert_int_equal(survey.centres.lines, 5404);
    on_time_survey_begin(&survey);
    assert_int_equal(survey.whole.lines, 0);
    assert_int_equal(survey.centres.lines, 0);
    assert_int_equal(survey.countries[0].direct.lines, 0);
    on_time_survey_deinit(&survey);
}

static void shares_are_rounded_half_up(void **state)
{
    (void)state;
    assert_int_equal(on_time_per_mille((struct on_time_count){0, 0}), 0);
    assert_int_equal(on_time_per_mille((struct on_time_count){3, 1}), 667);
    assert_int_equal(on_time_per_mille((struct on_time_count){2000, 1}), 1000);
    assert_int_equal(on_time_per_mille((struct on_time_count){2000, 2000}), 0);
    assert_int_equal(on_time_per_mille((struct on_time_count){lines, late_lines}), 885);
}

/* --- the report --- */

static void text_lists_every_country_and_the_whole(void **state)
{
    struct on_time_survey survey;
    struct buffer out;
    (void)state;
    count_all(&survey);
    buffer_init(&out, 65536);
    assert_true(on_time_report_write(&out, &survey, &plan, 10));
    assert_true(buffer_append(&out, "", 1));
    for (uint32_t i = 0; i < data_set.country_count; i++)
        assert_non_null(strstr(out.data, data_set.countries[i].data));
    assert_non_null(strstr(
        out.data, "  Côte d'Ivoire                      825    131   84.1 %     258      3   "
                  "98.8 %   1,083    134   87.6 %\n"));
    assert_non_null(strstr(
        out.data, "  all                              5,404    927   82.8 %   4,920    259   "
                  "94.7 %  10,324  1,186   88.5 %\n"));
    assert_non_null(strstr(out.data, "  the distribution centres         5,404    927   82.8 %\n"));
    buffer_deinit(&out);
    on_time_survey_deinit(&survey);
}

static void text_beyond_its_limit_is_refused(void **state)
{
    struct on_time_survey survey;
    (void)state;
    count_all(&survey);
    for (size_t limit = 0; limit < 4000; limit += 100) {
        struct buffer out;
        buffer_init(&out, limit);
        assert_false(on_time_report_write(&out, &survey, &plan, 10));
        buffer_deinit(&out);
    }
    on_time_survey_deinit(&survey);
}

/* Late by as many days as their place among the late ones: the last is the latest. */
static void count_late_days(struct on_time_survey *survey)
{
    uint32_t days = 0;
    assert_false(error_is(on_time_survey_init(survey, &data_set)));
    for (uint32_t i = 0; i < data_set.line_count; i++)
        on_time_survey_add(survey, data_set_order_of_line(&data_set, i), i,
                           parcel_is_late(&data_set.lines[i]) ? ++days : 0);
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static void late_lines_are_named_latest_first_with_what_it_takes_to_act(void **state)
{
    static const uint32_t shown[] = {0, 3, late_lines, late_lines + 5};
    struct on_time_survey survey;
    char last[200];
    uint32_t line = data_set.line_count - 1;
    (void)state;
    count_late_days(&survey);
    while (!parcel_is_late(&data_set.lines[line]))
        line--;
    const struct data_set_order *order = &data_set.orders[data_set_order_of_line(&data_set, line)];
    snprintf(last, sizeof last, "      1,186  %-16s %4u  %-38s  %s\n", order->order_id.data,
             line - order->first_line + 1, replay_plan_tracking_number(&plan, line).string,
             data_set.countries[order->country].data);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        struct buffer out;
        buffer_init(&out, 1 << 20);
        assert_true(on_time_report_write(&out, &survey, &plan, shown[i]));
        assert_true(buffer_append(&out, "", 1));
        assert_non_null(strstr(out.data, "  1,186 of 10,324 lines came late"));
        assert_int_equal(occurrences(out.data, plan.prefix),
                         shown[i] < late_lines ? shown[i] : late_lines);
        assert_int_equal(strstr(out.data, "with --late 1186 names all") != NULL,
                         shown[i] < late_lines);
        assert_int_equal(strstr(out.data, last) != NULL, shown[i] > 0);
        assert_non_null(strstr(out.data, "waybill call GetTracking '{\"carrier\": \"tariff\""));
        buffer_deinit(&out);
    }
    on_time_survey_deinit(&survey);
}

static void object_has_every_country_and_site(void **state)
{
    struct on_time_survey survey;
    json_int_t whole;
    json_int_t late;
    (void)state;
    count_all(&survey);
    json_t *json = on_time_report_pack(&survey, &plan);
    assert_int_equal(json_unpack(json, "{s:I, s:I}", "lines", &whole, "late", &late), 0);
    assert_int_equal(whole, lines);
    assert_int_equal(late, late_lines);
    assert_int_equal(json_array_size(json_object_get(json, "countries")), data_set.country_count);
    assert_int_equal(json_array_size(json_object_get(json, "sites")), data_set.site_count);
    json_t *late_parcels = json_object_get(json, "late_parcels");
    assert_int_equal(json_array_size(late_parcels), late_lines);
    for (size_t i = 0; i < late_lines; i++) {
        const char *order, *number, *country;
        json_int_t line, days;
        uint32_t found;
        assert_int_equal(json_unpack(json_array_get(late_parcels, i), "{s:s, s:I, s:I, s:s, s:s !}",
                                     "order", &order, "line", &line, "days", &days,
                                     "tracking_number", &number, "country", &country),
                         0);
        assert_true(replay_plan_find_parcel(&plan, text_of(number), &found));
        const struct data_set_order *of =
            &data_set.orders[data_set_order_of_line(&data_set, found)];
        assert_string_equal(order, of->order_id.data);
        assert_int_equal(line, found - of->first_line + 1);
        assert_string_equal(country, data_set.countries[of->country].data);
        assert_int_equal(days, 1);
    }
    json_decref(json);
    on_time_survey_deinit(&survey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_goes_from_pickup_to_the_day_of_delivery),
        cmocka_unit_test(late_lines_alone_are_told_of_before),
        cmocka_unit_test(life_in_the_first_days_of_1970_has_times_all_the_same),
        cmocka_unit_test(lines_know_their_orders),
        cmocka_unit_test(counts_add_up_by_country_and_by_origin),
        cmocka_unit_test(shares_are_rounded_half_up),
        cmocka_unit_test(text_lists_every_country_and_the_whole),
        cmocka_unit_test(text_beyond_its_limit_is_refused),
        cmocka_unit_test(late_lines_are_named_latest_first_with_what_it_takes_to_act),
        cmocka_unit_test(object_has_every_country_and_site),
    };
    return cmocka_run_group_tests_name("on_time_report", tests, read_data_set, release_data_set);
}
