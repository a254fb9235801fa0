/*
 * Goal: the account of each address, as http_peers.h says: who floods is barred for a while,
 * whoever else is not, and no number of addresses takes memory or hides one. Method: addresses made
 * up, time given.
 */
#include "platform/http/http_peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

static const int64_t start_us = INT64_C(1000000000);
static const int64_t second_us = 1000000;

static struct sockaddr_storage address_of(const char *text)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (void *)&address;
    struct sockaddr_in6 *v6 = (void *)&address;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        address.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        address.ss_family = AF_INET6;
    else
        fail_msg("%s is no address", text);
    return address;
}

static struct sockaddr_storage numbered(uint32_t number)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    ((struct sockaddr_in *)(void *)&address)->sin_addr.s_addr = htonl(number);
    return address;
}

static enum http_peers_verdict try(struct http_peers *peers, const struct sockaddr_storage *address,
                                   int64_t now_us)
{
    struct http_peer *peer;
    enum http_peers_verdict verdict = http_peers_enter(peers, address, now_us, &peer);
    http_peers_leave(peers, peer);
    return verdict;
}

/* One connection that makes so many points. */
static void blame(struct http_peers *peers, const struct sockaddr_storage *address, int32_t points,
                  int64_t now_us)
{
    struct http_peer *peer;
    assert_int_equal(http_peers_enter(peers, address, now_us, &peer), HTTP_PEERS_WELCOME);
    (void)http_peers_blame(peers, peer, points, now_us);
    http_peers_leave(peers, peer);
}

static int set_up(void **state)
{
    struct http_peers_options options = {.connections_max = 3, .points_per_second = 500};
    *state = http_peers_create(&options);
    return *state == NULL;
}

static int tear_down(void **state)
{
    http_peers_destroy(*state);
    return 0;
}

static void connections_of_one_address_are_bounded(void **state)
{
    struct sockaddr_storage one = address_of("192.0.2.1");
    struct sockaddr_storage other = address_of("192.0.2.2");
    struct http_peer *peers[4];
    for (int i = 0; i < 3; i++)
        assert_int_equal(http_peers_enter(*state, &one, start_us, &peers[i]), HTTP_PEERS_WELCOME);
    assert_int_equal(http_peers_enter(*state, &one, start_us, &peers[3]), HTTP_PEERS_FULL);
    assert_null(peers[3]);
    assert_int_equal(try(*state, &other, start_us), HTTP_PEERS_WELCOME);
    http_peers_leave(*state, peers[0]);
    assert_int_equal(try(*state, &one, start_us), HTTP_PEERS_WELCOME);
    http_peers_leave(*state, peers[1]);
    http_peers_leave(*state, peers[2]);
}

static void who_overspends_is_barred_and_nobody_else(void **state)
{
    struct sockaddr_storage bad = address_of("192.0.2.1");
    struct sockaddr_storage good = address_of("192.0.2.2");
    for (int i = 0; i < 4; i++)
        blame(*state, &bad, 2000, start_us);
    assert_int_equal(try(*state, &bad, start_us), HTTP_PEERS_WELCOME);
    blame(*state, &bad, 1, start_us);
    assert_int_equal(try(*state, &bad, start_us), HTTP_PEERS_BARRED);
    assert_int_equal(try(*state, &good, start_us), HTTP_PEERS_WELCOME);
}

static void bar_ends_though_all_was_tried(void **state)
{
    struct sockaddr_storage bad = address_of("192.0.2.1");
    blame(*state, &bad, INT32_MAX, start_us);
    assert_int_equal(try(*state, &bad, start_us + 9 * second_us), HTTP_PEERS_BARRED);
    for (int64_t at_us = 0; at_us < 10 * second_us; at_us += 10000)
        (void)try(*state, &bad, start_us + at_us); /* trying costs none */
    assert_int_equal(try(*state, &bad, start_us + 10 * second_us), HTTP_PEERS_WELCOME);
    blame(*state, &bad, 4001, start_us + 10 * second_us); /* what is left has not run off yet */
    assert_int_equal(try(*state, &bad, start_us + 10 * second_us), HTTP_PEERS_BARRED);
}

static void little_a_second_is_forgiven_for_ever(void **state)
{
    struct sockaddr_storage peer = address_of("192.0.2.1");
    for (int64_t i = 0; i < 10000; i++)
        blame(*state, &peer, 49, start_us + i * second_us / 10);
}

static void twice_what_is_forgiven_is_barred_in_the_end(void **state)
{
    struct sockaddr_storage peer = address_of("192.0.2.1");
    int64_t at_us = start_us;
    while (try(*state, &peer, at_us) == HTTP_PEERS_WELCOME) {
        assert_true(at_us < start_us + 20 * second_us);
        blame(*state, &peer, 20, at_us);
        at_us += second_us / 50;
    }
    assert_true(at_us > start_us + 15 * second_us);
}

static void what_goes_well_takes_points_back(void **state)
{
    struct sockaddr_storage peer = address_of("192.0.2.1");
    for (int i = 0; i < 1000; i++) {
        blame(*state, &peer, 400, start_us);
        blame(*state, &peer, -400, start_us);
    }
    blame(*state, &peer, -1000000, start_us); /* and is not saved up */
    blame(*state, &peer, http_peer_points_max + 1, start_us);
    assert_int_equal(try(*state, &peer, start_us), HTTP_PEERS_BARRED);
}

static void connected_ones_are_told_that_their_address_has_overspent(void **state)
{
    struct sockaddr_storage bad = address_of("192.0.2.1");
    struct http_peer *first;
    struct http_peer *second;
    assert_int_equal(http_peers_enter(*state, &bad, start_us, &first), HTTP_PEERS_WELCOME);
    assert_int_equal(http_peers_enter(*state, &bad, start_us, &second), HTTP_PEERS_WELCOME);
    assert_false(http_peers_blame(*state, first, 8000, start_us));
    assert_true(http_peers_blame(*state, second, 20, start_us));
    assert_true(http_peers_blame(*state, first, 20, start_us));
    http_peers_leave(*state, first);
    http_peers_leave(*state, second);
}

static void addresses_of_one_ipv6_network_are_one(void **state)
{
    struct sockaddr_storage one = address_of("2001:db8:1:2::1");
    struct sockaddr_storage neighbour = address_of("2001:db8:1:2:ffff::7");
    struct sockaddr_storage stranger = address_of("2001:db8:1:3::1");
    struct sockaddr_storage mapped = address_of("::ffff:192.0.2.1");
    struct sockaddr_storage next_mapped = address_of("::ffff:192.0.2.2");
    struct sockaddr_storage plain = address_of("192.0.2.1");
    blame(*state, &one, 8001, start_us);
    assert_int_equal(try(*state, &neighbour, start_us), HTTP_PEERS_BARRED);
    assert_int_equal(try(*state, &stranger, start_us), HTTP_PEERS_WELCOME);
    blame(*state, &mapped, 8001, start_us);
    assert_int_equal(try(*state, &plain, start_us), HTTP_PEERS_BARRED);
    assert_int_equal(try(*state, &next_mapped, start_us), HTTP_PEERS_WELCOME);
}

static void many_addresses_do_not_hide_the_worst(void **state)
{
    enum { crowd = 200000 };
    struct sockaddr_storage bad = address_of("192.0.2.1");
    unsigned barred = 0;
    blame(*state, &bad, 8500, start_us);
    for (uint32_t i = 0; i < crowd; i++) {
        struct sockaddr_storage one = numbered(0x0A000000 + i);
        blame(*state, &one, 100, start_us);
        barred += try(*state, &one, start_us) == HTTP_PEERS_BARRED;
    }
    assert_int_equal(barred, 0);
    assert_int_equal(try(*state, &bad, start_us), HTTP_PEERS_BARRED);
}

static void points_are_not_counted_unless_they_run_off(void **state)
{
    struct http_peers_options options = {.connections_max = 0};
    struct http_peers *peers = http_peers_create(&options);
    struct sockaddr_storage peer = address_of("192.0.2.1");
    (void)state;
    for (int i = 0; i < 100; i++)
        blame(peers, &peer, 2000, start_us);
    assert_int_equal(try(peers, &peer, start_us), HTTP_PEERS_WELCOME);
    http_peers_destroy(peers);
}

#define PEERS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PEERS_TEST(connections_of_one_address_are_bounded),
        PEERS_TEST(who_overspends_is_barred_and_nobody_else),
        PEERS_TEST(bar_ends_though_all_was_tried),
        PEERS_TEST(little_a_second_is_forgiven_for_ever),
        PEERS_TEST(twice_what_is_forgiven_is_barred_in_the_end),
        PEERS_TEST(what_goes_well_takes_points_back),
        PEERS_TEST(connected_ones_are_told_that_their_address_has_overspent),
        PEERS_TEST(addresses_of_one_ipv6_network_are_one),
        PEERS_TEST(many_addresses_do_not_hide_the_worst),
        cmocka_unit_test(points_are_not_counted_unless_they_run_off),
    };
    return cmocka_run_group_tests_name("http_peers", tests, NULL, NULL);
}
