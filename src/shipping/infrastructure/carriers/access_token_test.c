/*
 * Goal: a token is used while it holds, renewed in time, and not asked for more often than that.
 * Method: times by hand.
 */
#include "shipping/infrastructure/carriers/access_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const int64_t second = 1000000;
static const int64_t start = INT64_C(5000) * 1000000;

static void a_token_is_renewed_when_a_tenth_of_its_life_is_left(void **state)
{
    static const struct {
        int64_t life;
        int64_t due;
    } rows[] = {{100, 90}, {3600, 3300}, {14400, 14100}, {10, 9}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct access_token token = {0};
        const struct carrier_token got = {text_of("abc"), rows[i].life};
        assert_true(access_token_is_due(&token, start));
        assert_true(access_token_take(&token, &got, start));
        assert_string_equal(token.value, "abc");
        assert_false(access_token_is_due(&token, start + rows[i].due * second - 1));
        assert_true(access_token_is_due(&token, start + rows[i].due * second));
        assert_true(access_token_is_usable(&token, start + rows[i].life * second - 1));
        assert_false(access_token_is_usable(&token, start + rows[i].life * second));
    }
}

static void a_token_that_fits_nowhere_is_none(void **state)
{
    static const char letters[access_token_size] = {'x'};
    struct access_token token = {0};
    struct carrier_token got = {text_make(letters, sizeof letters), 100};
    (void)state;
    assert_false(access_token_take(&token, &got, start));
    got.value.size--;
    assert_true(access_token_take(&token, &got, start));
    got.value.size = 0;
    assert_false(access_token_take(&token, &got, start));
}

static void only_the_token_that_was_refused_is_withdrawn(void **state)
{
    struct access_token token = {0};
    const struct carrier_token got = {text_of("abc"), 100};
    (void)state;
    assert_true(access_token_take(&token, &got, start));
    uint64_t first = token.number;
    assert_true(access_token_take(&token, &got, start));
    access_token_withdraw(&token, first);
    assert_true(access_token_is_usable(&token, start));
    access_token_withdraw(&token, token.number);
    assert_false(access_token_is_usable(&token, start));
}

static void one_that_cannot_be_had_is_tried_for_three_times_again(void **state)
{
    struct access_token token = {0};
    (void)state;
    for (int64_t delay = 200000; delay <= 800000; delay *= 2) {
        assert_true(access_token_try_again(&token, start));
        assert_int_equal(token.not_before_us, start + delay);
    }
    assert_false(access_token_try_again(&token, start));
    access_token_give_up(&token);
    assert_true(access_token_try_again(&token, start));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_renewed_when_a_tenth_of_its_life_is_left),
        cmocka_unit_test(a_token_that_fits_nowhere_is_none),
        cmocka_unit_test(only_the_token_that_was_refused_is_withdrawn),
        cmocka_unit_test(one_that_cannot_be_had_is_tried_for_three_times_again),
    };
    return cmocka_run_group_tests_name("access_token", tests, NULL, NULL);
}
