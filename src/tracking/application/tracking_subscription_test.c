/*
 * Goal: a subscription is taken only with an address that something can be sent to, and nowhere in
 * the clear but to this machine. Method: URLs by hand.
 */
#include "tracking/application/tracking_subscription.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_taken(const char *url)
{
    struct arena arena;
    struct violations violations;
    struct tracking_subscription subscription = {
        .subscription_id = text_of("s"),
        .url = text_of(url),
        .secret = text_of("0123456789abcdef"),
    };
    arena_init(&arena, 64 * 1024);
    violations_init(&violations, &arena);
    tracking_subscription_check(&subscription, &violations);
    bool taken = violations.count == 0;
    if (!taken)
        assert_true(text_equals_string(violations.items[0].field, "subscription.url"));
    arena_deinit(&arena);
    return taken;
}

static void addresses_that_can_be_reached_are_taken(void **state)
{
    static const char *const urls[] = {
        "https://example.com",        "https://example.com/hooks?shop=1#x",
        "https://example.com:8443/x", "https://203.0.113.7/",
        "https://[2001:db8::1]/",     "https://[2001:db8::1]:8443/",
        "https://a_b-c.example?x",    "http://127.0.0.1:80/",
        "http://localhost:65535",     "http://[::1]:8080/hook",
    };
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        if (!is_taken(urls[i]))
            fail_msg("%s is refused", urls[i]);
    }
}

static void others_are_refused(void **state)
{
    static const char *const urls[] = {
        "",
        "https://",
        "https:///x",
        "https://?x",
        "https://#x",
        "https://:443/",
        "https://[::1",
        "https://[]/",
        "https://[::1]x/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999999999999999999/",
        "https://example.com:+1/",
        "https://example.com:443:443/",
        "https://user:word@example.com/",
        "https://exa mple.com/",
        "https://ex\\ample.com/",
        "https://\xC3\xA9.example/",
        "http://example.com:80/",
        "http://127.0.0.1",
        "http://127.0.0.1/",
        "http://127.0.0.1:",
        "http://127.0.0.1:80.example.com/",
        "http://127.0.0.1.example.com:80/",
        "http://localhost:99999/",
        "ftp://example.com/",
        "example.com",
    };
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        if (is_taken(urls[i]))
            fail_msg("%s is taken", urls[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_can_be_reached_are_taken),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
