/*
 * Goal: the display's line fits its width, and tells no rate before there is one. Method: views
 * made by hand, every width.
 */
#include "main/replay/replay_display.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void bar_fits_the_terminal(void **state)
{
    struct replay_view view = {
        .stage = "Letting holds lapse", .steps_done = 7122, .steps_total = 14244, .calls = 7122};
    char line[512];
    (void)state;
    for (size_t width = 20; width < 300; width++) {
        replay_display_format(line, sizeof line, &view, 7122, 7122, 1000000, width);
        bool has_bar = strchr(line, '[') != NULL;
        assert_int_equal(has_bar, width >= 66);
        if (has_bar)
            assert_true(strlen(line) < width);
        assert_non_null(strstr(line, " 50 %  7,122 calls/s  0:01 left"));
    }
    replay_display_format(line, sizeof line, &view, 7122, 7122, 1000000, 76);
    assert_string_equal(line, "Letting holds lapse  [##########----------]  50 %  7,122 calls/s  "
                              "0:01 left");
    replay_display_format(line, sizeof line, &view, 7122, 7122, 1000000, 0);
    assert_string_equal(line, "Letting holds lapse:  50 %  7,122 calls/s  0:01 left");
}

static void display_knows_no_rate_before_the_first_step(void **state)
{
    struct replay_view view = {.stage = "Reading the ledger"};
    char line[512];
    (void)state;
    replay_display_format(line, sizeof line, &view, 0, 0, 0, 0);
    assert_string_equal(line, "Reading the ledger:   0 %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bar_fits_the_terminal),
        cmocka_unit_test(display_knows_no_rate_before_the_first_step),
    };
    return cmocka_run_group_tests_name("replay_display", tests, NULL, NULL);
}
