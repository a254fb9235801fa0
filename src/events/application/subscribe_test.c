/* Goal: every field of a Subscribe that is wrong is named, and what is right is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events/application/subscribe.h"

static const struct event_log_state logs[] = {
    {{"inventory", 9}, {"00112233445566aa", 16}, 100, 200},
};

static void every_field_that_is_wrong_is_named(void **state)
{
    static const char *const names[] = {"waybill.inventory.v1.StockReserved",
                                        "waybill.shipping.v1.ShipmentCreated"};
    struct event_types known = {names, 2};
    struct text types[] = {text_of(names[0]), text_of("nonsense"), text_of(names[1])};
    struct event_filter filter = {.types = types, .type_count = 3, .key = text_of("a\x01")};
    struct violations violations;
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    violations_init(&violations, &arena);
    assert_false(subscribe_check(&filter, &known, logs, 1, &violations));
    assert_int_equal(violations.count, 3);
    assert_true(text_equals_string(violations.items[0].field, "types[1]"));
    assert_true(text_equals_string(violations.items[1].field, "types[2]"));
    assert_true(text_equals_string(violations.items[2].field, "key"));
    filter = (struct event_filter){.types = types, .type_count = 1};
    violations_init(&violations, &arena);
    assert_true(subscribe_check(&filter, &known, logs, 1, &violations));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_that_is_wrong_is_named),
    };
    return cmocka_run_group_tests_name("subscribe", tests, NULL, NULL);
}
