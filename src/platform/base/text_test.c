/*
 * Goal: views of bytes compare, validate and convert as their contract says.
 * Method: tables of inputs around every limit.
 */
#include "platform/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void utf8_of_the_standard_is_accepted(void **state)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "seven by7\xC3\xA9 and more"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(text_is_utf8(text_of(good[i])));
}

static void what_is_not_utf8_is_refused(void **state)
{
    static const char *const bad[] = {
        "\x80",             /* a continuation alone */
        "\xC0\x80",         /* overlong NUL */
        "\xC1\xBF",         /* overlong */
        "\xC3",             /* cut */
        "\xE0\x9F\xBF",     /* overlong */
        "\xED\xA0\x80",     /* surrogate */
        "\xE2\x82",         /* cut */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xF4\x90\x80\x80", /* beyond U+10FFFF */
        "\xF5\x80\x80\x80",
        "\xFF",
        "12345678\xC3",
        "1234567\xC3(",
        "\xE2\x28\xA1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(text_of(bad[i])));
}

static void control_characters_are_found(void **state)
{
    (void)state;
    assert_false(text_has_control(text_of("plain \xC3\xA9 text~")));
    assert_true(text_has_control(text_of("a\tb")));
    assert_true(text_has_control(text_of("a\x7F")));
    assert_true(text_has_control(text_of("a\xC2\x85")));
    assert_false(text_has_control(text_of("a\xC2\xA0")));
    assert_true(text_has_control(text_make("a\0b", 3)));
}

static void order_is_by_bytes_and_then_by_length(void **state)
{
    (void)state;
    assert_true(text_compare(text_of("a"), text_of("b")) < 0);
    assert_true(text_compare(text_of("a"), text_of("ab")) < 0);
    assert_true(text_compare(text_of("b"), text_of("ab")) > 0);
    assert_int_equal(text_compare(text_of("ab"), text_of("ab")), 0);
    assert_int_equal(text_compare(text_of(NULL), text_of("")), 0);
    assert_true(text_compare(text_of("\x7F"), text_of("\x80")) < 0);
    assert_true(text_starts_with(text_of("abc"), text_of("ab")));
    assert_false(text_starts_with(text_of("a"), text_of("ab")));
}

static void whole_decimal_numbers_are_read_without_overflow(void **state)
{
    int64_t value;
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "0x10",
                                      "99999999999999999999"};
    (void)state;
    assert_true(text_to_int64(text_of("0"), &value) && value == 0);
    assert_true(text_to_int64(text_of("-7"), &value) && value == -7);
    assert_true(text_to_int64(text_of("9223372036854775807"), &value) && value == INT64_MAX);
    assert_true(text_to_int64(text_of("-9223372036854775808"), &value) && value == INT64_MIN);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_to_int64(text_of(bad[i]), &value));
}

static void trimming_takes_only_the_ends(void **state)
{
    (void)state;
    assert_true(text_equals_string(text_trim(text_of(" \t a b\r\n")), "a b"));
    assert_int_equal(text_trim(text_of(" \n")).size, 0);
}

static void identifiers_and_names_are_told_from_other_texts(void **state)
{
    (void)state;
    assert_true(text_is_identifier(text_of("AZaz09._:-")) && text_is_identifier(text_of("")));
    for (int c = 1; c < 256; c++) {
        char one[] = {(char)c, '\0'};
        bool alphanumeric =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        assert_int_equal(text_is_identifier(text_of(one)),
                         alphanumeric || strchr("._:-", c) != NULL);
    }
    assert_true(text_is_name(text_of("M8 \xC3\x97 20")));
    static const char *const wrong[] = {"", " ", " a", "a ", "a\tb", "\xC3", "a\x7F"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_is_name(text_of(wrong[i])));
}

static void a_cut_leaves_whole_characters(void **state)
{
    struct text text = text_of("a\xC3\xA9\xE2\x82\xAC"); /* one, two and three bytes */
    static const size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6};
    (void)state;
    for (size_t max = 0; max < sizeof kept / sizeof kept[0]; max++)
        assert_int_equal(text_shortened(text, max).size, kept[max]);
    assert_int_equal(text_shortened((struct text){0}, 0).size, 0);
}

static void only_a_whole_mark_is_passed_over(void **state)
{
    (void)state;
    assert_true(text_equals_string(text_without_mark(text_of("\xEF\xBB\xBFx")), "x"));
    assert_true(text_equals_string(text_without_mark(text_of("\xEF\xBBx")), "\xEF\xBBx"));
    assert_true(text_equals_string(text_without_mark(text_of("x\xEF\xBB\xBF")), "x\xEF\xBB\xBF"));
    assert_int_equal(text_without_mark((struct text){0}).size, 0);
}

static void digits_are_one_at_least_and_nothing_else(void **state)
{
    static const char *const wrong[] = {"", "-1", "1 ", " 1", "1a", "/", ":"};
    (void)state;
    assert_true(text_is_digits(text_of("0")));
    assert_true(text_is_digits(text_of("0123456789012345678901234567890")));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(text_is_digits(text_of(wrong[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cut_leaves_whole_characters),
        cmocka_unit_test(only_a_whole_mark_is_passed_over),
        cmocka_unit_test(digits_are_one_at_least_and_nothing_else),
        cmocka_unit_test(utf8_of_the_standard_is_accepted),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(control_characters_are_found),
        cmocka_unit_test(order_is_by_bytes_and_then_by_length),
        cmocka_unit_test(whole_decimal_numbers_are_read_without_overflow),
        cmocka_unit_test(trimming_takes_only_the_ends),
        cmocka_unit_test(identifiers_and_names_are_told_from_other_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
