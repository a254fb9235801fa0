/*
 * Goal: the rules of status, generations and corrections, and that order and repetition do not
 * matter. Method: cases said by hand, then 100,000 shuffles of random sets of events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/random.h"
#include "tracking/domain/tracking_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t day_us = INT64_C(86400) * 1000000;
static const int64_t start_us = INT64_C(1800000000) * 1000000;

struct scan {
    const char *id;
    enum tracking_event_type type;
    int day;
    const char *corrects;
};

/* The state of the scans in this order, all of one generation. */
static struct tracking_verdict decide(const struct scan *scans, size_t count)
{
    struct tracking_generation generation = {.create_time_us = start_us};
    struct tracking_fact facts[16];
    for (size_t i = 0; i < count; i++) {
        struct tracking_event event = {
            .event_id = text_of(scans[i].id),
            .type = scans[i].type,
            .occurred_time_us = start_us + scans[i].day * day_us,
            .corrects_event_id = text_of(scans[i].corrects),
        };
        facts[i] = tracking_fact_of(&event);
        tracking_fact_relate(facts, i, &facts[i]);
    }
    return tracking_decide(facts, count, &generation, 1, 0);
}

static void nothing_is_known_without_events(void **state)
{
    (void)state;
    struct tracking_verdict verdict = decide(NULL, 0);
    assert_int_equal(verdict.status, TRACKING_STATUS_UNKNOWN);
    assert_int_equal(verdict.event_count, 0);
    assert_true(verdict.last_fact == tracking_no_fact);
}

static void latest_scan_decides_whenever_it_comes(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"b", TRACKING_EVENT_IN_TRANSIT, 2, NULL},
        {"c", TRACKING_EVENT_OUT_FOR_DELIVERY, 3, NULL},
        {"a", TRACKING_EVENT_PICKED_UP, 1, NULL},
    };
    assert_int_equal(decide(scans, 3).status, TRACKING_STATUS_OUT_FOR_DELIVERY);
    assert_int_equal(decide(scans, 1).status, TRACKING_STATUS_IN_TRANSIT);
}

static void delivered_does_not_regress(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"a", TRACKING_EVENT_DELIVERED, 3, NULL},   {"b", TRACKING_EVENT_IN_TRANSIT, 5, NULL},
        {"c", TRACKING_EVENT_EXCEPTION, 6, NULL},   {"d", TRACKING_EVENT_RETURNED, 7, NULL},
        {"e", TRACKING_EVENT_CANCELLED, 8, NULL},   {"f", TRACKING_EVENT_INFO_RECEIVED, 9, NULL},
        {"g", TRACKING_EVENT_UNSPECIFIED, 9, NULL}, {"h", TRACKING_EVENT_DELIVERED, 9, NULL},
    };
    struct tracking_verdict verdict = decide(scans, 8);
    assert_int_equal(verdict.status, TRACKING_STATUS_DELIVERED);
    assert_int_equal(verdict.delivered_time_us, start_us + 3 * day_us);
    assert_int_equal(verdict.sub_status, TRACKING_SUB_STATUS_NONE);
}

static void correction_withdraws_a_delivery(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"fix", TRACKING_EVENT_EXCEPTION, 4, "a"},
        {"a", TRACKING_EVENT_DELIVERED, 3, NULL},
    };
    struct tracking_verdict verdict = decide(scans, 2);
    assert_int_equal(verdict.status, TRACKING_STATUS_EXCEPTION);
    assert_int_equal(verdict.delivered_time_us, 0);
    assert_int_equal(verdict.event_count, 2);
}

static void events_that_correct_each_other_are_both_withdrawn(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"a", TRACKING_EVENT_IN_TRANSIT, 1, "b"},
        {"b", TRACKING_EVENT_DELIVERED, 2, "a"},
        {"c", TRACKING_EVENT_EXCEPTION, 3, "c"},
    };
    assert_int_equal(decide(scans, 3).status, TRACKING_STATUS_UNKNOWN);
}

static void delivery_after_a_return_is_one_to_the_sender(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"a", TRACKING_EVENT_DELIVERED, 5, NULL},
        {"b", TRACKING_EVENT_RETURNED, 3, NULL},
    };
    struct tracking_verdict verdict = decide(scans, 2);
    assert_int_equal(verdict.status, TRACKING_STATUS_DELIVERED);
    assert_int_equal(verdict.sub_status, TRACKING_SUB_STATUS_RETURNED_TO_SENDER);
}

static void news_of_the_label_do_not_stop_a_parcel(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"a", TRACKING_EVENT_IN_TRANSIT, 1, NULL},
        {"b", TRACKING_EVENT_INFO_RECEIVED, 2, NULL},
        {"c", TRACKING_EVENT_UNSPECIFIED, 3, NULL},
    };
    struct tracking_verdict verdict = decide(scans, 3);
    assert_int_equal(verdict.status, TRACKING_STATUS_IN_TRANSIT);
    assert_int_equal(verdict.last_time_us, start_us + 3 * day_us);
}

static void scan_after_a_cancellation_moves_the_parcel(void **state)
{
    (void)state;
    struct scan scans[] = {
        {"a", TRACKING_EVENT_CANCELLED, 1, NULL},
        {"b", TRACKING_EVENT_PICKED_UP, 2, NULL},
    };
    assert_int_equal(decide(scans, 1).status, TRACKING_STATUS_CANCELLED);
    assert_int_equal(decide(scans, 2).status, TRACKING_STATUS_PICKED_UP);
}

/* --- generations --- */

static void event_belongs_to_the_last_generation_that_began_a_week_after_it_at_most(void **state)
{
    (void)state;
    struct tracking_generation generations[3] = {
        {.start_time_us = start_us},
        {.start_time_us = start_us + 100 * day_us},
        {.start_time_us = start_us + 300 * day_us},
    };
    assert_int_equal(tracking_generation_of(generations, 3, 0), 0);
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 93 * day_us - 1), 0);
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 93 * day_us), 1);
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 293 * day_us - 1), 1);
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 900 * day_us), 2);
    generations[2].start_time_us = start_us + 50 * day_us; /* earlier than the one before */
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 200 * day_us), 2);
    assert_int_equal(tracking_generation_of(generations, 3, start_us + 43 * day_us - 1), 0);
}

static void spans_say_the_same_as_generation_of(void **state)
{
    struct random_seeded random;
    (void)state;
    random_seeded_init(&random, 7);
    for (int i = 0; i < 20000; i++) {
        struct tracking_generation generations[5];
        size_t count = 1 + random_below(&random.base, 5);
        int64_t time_us = start_us + (int64_t)random_below(&random.base, 100) * day_us;
        for (size_t j = 0; j < count; j++)
            generations[j].start_time_us =
                start_us + (int64_t)random_below(&random.base, 100) * day_us;
        for (size_t j = 0; j < count; j++) {
            struct tracking_span span = tracking_generation_span(generations, count, j);
            bool inside = span.from_us <= time_us && time_us < span.to_us;
            assert_int_equal(inside, tracking_generation_of(generations, count, time_us) == j);
        }
    }
}

static enum tracking_creation create(const struct tracking_generation *present,
                                     const struct scan *scan, const char *shipment_id, int day)
{
    struct tracking_fact fact = {0};
    size_t index;
    struct tracking_generation wanted = {
        .shipment_id = text_of(shipment_id),
        .start_time_us = start_us + day * day_us,
        .is_created = true,
    };
    if (scan != NULL) {
        struct tracking_event event = {.event_id = text_of(scan->id),
                                       .type = scan->type,
                                       .occurred_time_us = start_us + scan->day * day_us};
        fact = tracking_fact_of(&event);
    }
    return tracking_decide_creation(&fact, scan != NULL, present, 1, &wanted,
                                    start_us + day * day_us, tracking_generation_gap_us_default,
                                    &index);
}

static void number_of_another_shipment_is_taken_only_when_the_present_one_is_over(void **state)
{
    (void)state;
    struct tracking_generation present = {
        .shipment_id = text_of("s1"), .create_time_us = start_us, .is_created = true};
    struct scan moving = {"a", TRACKING_EVENT_IN_TRANSIT, 1, NULL};
    struct scan delivered = {"a", TRACKING_EVENT_DELIVERED, 1, NULL};
    assert_int_equal(create(&present, &moving, "s1", 5), TRACKING_CREATION_EXISTS);
    assert_int_equal(create(&present, &moving, "", 5), TRACKING_CREATION_EXISTS);
    assert_int_equal(create(&present, &moving, "s2", 5), TRACKING_CREATION_REUSED);
    assert_int_equal(create(&present, &moving, "s2", 91), TRACKING_CREATION_REUSED);
    assert_int_equal(create(&present, &moving, "s2", 92), TRACKING_CREATION_OPEN);
    assert_int_equal(create(&present, &delivered, "s2", 30), TRACKING_CREATION_OPEN);
    assert_int_equal(create(&present, NULL, "s2", 89), TRACKING_CREATION_REUSED);
}

static void tracking_that_events_made_becomes_the_shipments(void **state)
{
    (void)state;
    struct tracking_generation present = {.create_time_us = start_us};
    struct scan delivered = {"a", TRACKING_EVENT_DELIVERED, 1, NULL};
    assert_int_equal(create(&present, &delivered, "s1", 2), TRACKING_CREATION_COMPLETE);
    assert_int_equal(create(&present, &delivered, "s1", 100), TRACKING_CREATION_OPEN);
}

/* --- order --- */

static void shuffle(struct random *random, struct tracking_event *events, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(random, i);
        struct tracking_event kept = events[i - 1];
        events[i - 1] = events[j];
        events[j] = kept;
    }
}

/* As a store does it: each event once, whatever comes. */
static struct tracking_verdict fold(const struct tracking_event *events, size_t count,
                                    struct tracking_fact *last, struct tracking_fact *located)
{
    struct tracking_generation generations[2] = {
        {.start_time_us = start_us, .create_time_us = start_us},
        {.start_time_us = start_us + 20 * day_us, .create_time_us = start_us}};
    struct tracking_fact facts[64];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct tracking_fact fact = tracking_fact_of(&events[i]);
        bool known = false;
        for (size_t j = 0; j < kept; j++)
            known = known || facts[j].id_hash == fact.id_hash;
        if (known)
            continue;
        tracking_fact_relate(facts, kept, &fact);
        facts[kept++] = fact;
    }
    struct tracking_verdict verdict =
        tracking_decide(facts, kept, generations, 2, events[0].payload.size);
    memset(last, 0, sizeof *last);
    memset(located, 0, sizeof *located);
    if (verdict.last_fact != tracking_no_fact)
        *last = facts[verdict.last_fact];
    if (verdict.located_fact != tracking_no_fact)
        *located = facts[verdict.located_fact];
    verdict.last_fact = verdict.located_fact = 0;
    return verdict;
}

static void order_and_repetition_do_not_matter(void **state)
{
    static char ids[32][8];
    const char *seed_text = getenv("WAYBILL_SEED");
    uint64_t seed = seed_text == NULL ? 1 : strtoull(seed_text, NULL, 10);
    struct random_seeded random;
    (void)state;
    print_message("# seed %llu, WAYBILL_SEED replays it\n", (unsigned long long)seed);
    random_seeded_init(&random, seed);
    for (int set = 0; set < 2000; set++) {
        struct tracking_event events[64] = {0};
        size_t distinct = 1 + random_below(&random.base, 12);
        size_t count = distinct + random_below(&random.base, 12);
        for (size_t i = 0; i < distinct; i++) {
            snprintf(ids[i], sizeof ids[i], "e%zu", i);
            events[i].event_id = text_of(ids[i]);
            events[i].type = (enum tracking_event_type)random_below(&random.base, 10);
            events[i].occurred_time_us =
                start_us + (int64_t)random_below(&random.base, 30) * day_us;
            events[i].location.has_point = random_below(&random.base, 2) == 0;
            events[i].expected_delivery_time_us =
                random_below(&random.base, 2) == 0 ? 0 : start_us + (int64_t)i;
            if (random_below(&random.base, 4) == 0)
                events[i].corrects_event_id = text_of(ids[random_below(&random.base, distinct)]);
        }
        for (size_t i = distinct; i < count; i++)
            events[i] = events[random_below(&random.base, distinct)];
        struct tracking_fact last;
        struct tracking_fact located;
        struct tracking_verdict first = fold(events, count, &last, &located);
        for (int permutation = 0; permutation < 50; permutation++) {
            struct tracking_fact other_last;
            struct tracking_fact other_located;
            shuffle(&random.base, events, count);
            struct tracking_verdict other = fold(events, count, &other_last, &other_located);
            assert_memory_equal(&other, &first, sizeof first);
            assert_int_equal(other_last.id_hash, last.id_hash);
            assert_int_equal(other_located.id_hash, located.id_hash);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_without_events),
        cmocka_unit_test(latest_scan_decides_whenever_it_comes),
        cmocka_unit_test(delivered_does_not_regress),
        cmocka_unit_test(correction_withdraws_a_delivery),
        cmocka_unit_test(events_that_correct_each_other_are_both_withdrawn),
        cmocka_unit_test(delivery_after_a_return_is_one_to_the_sender),
        cmocka_unit_test(news_of_the_label_do_not_stop_a_parcel),
        cmocka_unit_test(scan_after_a_cancellation_moves_the_parcel),
        cmocka_unit_test(event_belongs_to_the_last_generation_that_began_a_week_after_it_at_most),
        cmocka_unit_test(spans_say_the_same_as_generation_of),
        cmocka_unit_test(number_of_another_shipment_is_taken_only_when_the_present_one_is_over),
        cmocka_unit_test(tracking_that_events_made_becomes_the_shipments),
        cmocka_unit_test(order_and_repetition_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
