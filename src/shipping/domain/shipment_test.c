/*
 * Goal: a shipment is bought at most once an attempt, and every other cell of its life is as the
 * header says. Method: every state with every change; every piece of news in every state, of this
 * attempt and of others; hashes with every field altered.
 */
#include "shipping/domain/shipment.h"

#include "shipping/domain/shipping_event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const int64_t minute_us = INT64_C(60) * 1000000;

/* By change, in the order of the enum: the new state, 0 = does not fit. */
static const int life[shipment_state_count][shipment_change_count] = {
    [SHIPMENT_INTENT] = {SHIPMENT_SENT, 0, 0, 0, 0, 0, SHIPMENT_CANCELLED, 0},
    [SHIPMENT_SENT] = {0, SHIPMENT_INTENT, SHIPMENT_CREATED, SHIPMENT_FAILED, SHIPMENT_UNKNOWN},
    [SHIPMENT_CREATED] = {0, 0, 0, 0, 0, 0, SHIPMENT_CANCELLED, 0, SHIPMENT_NEEDS_ATTENTION},
    [SHIPMENT_UNKNOWN] = {0, SHIPMENT_INTENT, SHIPMENT_CREATED, SHIPMENT_FAILED, 0,
                          SHIPMENT_NEEDS_ATTENTION, SHIPMENT_CANCELLED, 0},
    [SHIPMENT_NEEDS_ATTENTION] = {0, 0, SHIPMENT_CREATED, 0, 0, 0, SHIPMENT_CANCELLED,
                                  SHIPMENT_INTENT},
};

static void every_change_of_every_state_is_as_told(void **state)
{
    (void)state;
    for (int from = 1; from < shipment_state_count; from++) {
        for (int change = 0; change < shipment_change_count; change++) {
            enum shipment_state next = SHIPMENT_FAILED;
            bool fits =
                shipment_next_state((enum shipment_state)from, (enum shipment_change)change, &next);
            int expected = life[from][change];
            if (fits != (expected != 0) || (int)next != (fits ? expected : SHIPMENT_FAILED))
                fail_msg("%s, change %d: %d, %s", shipment_state_name((enum shipment_state)from),
                         change, fits, shipment_state_name(next));
        }
    }
}

static void only_an_intent_is_sent(void **state)
{
    enum shipment_state next;
    (void)state;
    for (int from = 1; from < shipment_state_count; from++)
        assert_int_equal(
            shipment_next_state((enum shipment_state)from, SHIPMENT_CHANGE_SEND, &next),
            from == SHIPMENT_INTENT);
}

static void states_have_the_names_of_the_interface(void **state)
{
    (void)state;
    assert_string_equal(shipment_state_name(SHIPMENT_INTENT), "INTENT");
    assert_string_equal(shipment_state_name(SHIPMENT_SENT), "SENT");
    assert_string_equal(shipment_state_name(SHIPMENT_CREATED), "CREATED");
    assert_string_equal(shipment_state_name(SHIPMENT_FAILED), "FAILED");
    assert_string_equal(shipment_state_name(SHIPMENT_UNKNOWN), "UNKNOWN");
    assert_string_equal(shipment_state_name(SHIPMENT_NEEDS_ATTENTION), "NEEDS_ATTENTION");
    assert_string_equal(shipment_state_name(SHIPMENT_CANCELLED), "CANCELLED");
    assert_string_equal(shipping_event_name(EVENT_SHIPMENT_CREATED), "ShipmentCreated");
    assert_string_equal(shipping_event_name(EVENT_SHIPMENT_CANCELLED), "ShipmentCancelled");
    assert_string_equal(shipping_event_name(EVENT_SHIPMENT_FAILED), "ShipmentFailed");
    assert_string_equal(shipping_event_name(EVENT_CARRIER_EVENT_RECEIVED), "CarrierEventReceived");
}

/* --- news --- */

static enum shipment_news judge(enum shipment_state state, const char *number, uint32_t attempt,
                                enum shipment_change change, const char *told)
{
    struct shipment shipment = {.state = state, .attempt = 3, .tracking_number = text_of(number)};
    enum shipment_state next = 0;
    const struct carrier_shipment bought = {.tracking_number = text_of(told)};
    enum shipment_news news = shipment_judge_end(&shipment, attempt, change, &bought, &next);
    if (news == SHIPMENT_NEWS_MOVES)
        assert_int_equal(next, life[state][change]);
    else
        assert_int_equal(next, 0);
    return news;
}

static void an_end_counts_for_its_own_attempt_alone(void **state)
{
    (void)state;
    for (int from = 1; from < shipment_state_count; from++) {
        for (int change = 0; change < shipment_change_count; change++) {
            enum shipment_state at = (enum shipment_state)from;
            enum shipment_change end = (enum shipment_change)change;
            bool not_done = end == SHIPMENT_CHANGE_NOT_DONE;
            bool bought = end == SHIPMENT_CHANGE_BOUGHT; /* its number is the record's */
            assert_int_equal(judge(at, "N", 4, end, "N"), SHIPMENT_NEWS_DIFFERS);
            assert_int_equal(judge(at, "N", 0, end, "N"), SHIPMENT_NEWS_DIFFERS);
            assert_int_equal(judge(at, "N", 2, end, "N"),
                             not_done || bought ? SHIPMENT_NEWS_REPEATS : SHIPMENT_NEWS_DIFFERS);
            assert_int_equal(judge(at, "N", 2, end, "M"),
                             not_done ? SHIPMENT_NEWS_REPEATS : SHIPMENT_NEWS_DIFFERS);
        }
    }
}

static void what_is_no_end_does_not_pass_for_one(void **state)
{
    (void)state;
    assert_int_equal(judge(SHIPMENT_INTENT, "", 3, SHIPMENT_CHANGE_SEND, ""),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_CREATED, "N", 3, SHIPMENT_CHANGE_VOIDED, "N"),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "", 3, SHIPMENT_CHANGE_BUY_AGAIN, ""),
                     SHIPMENT_NEWS_DIFFERS);
}

static void an_attempt_that_was_not_sent_has_no_end(void **state)
{
    (void)state;
    for (int change = 0; change < shipment_change_count; change++)
        assert_int_equal(judge(SHIPMENT_INTENT, "", 3, (enum shipment_change)change, "N"),
                         SHIPMENT_NEWS_DIFFERS);
}

static void a_purchase_is_one_as_long_as_its_number_is_kept(void **state)
{
    (void)state;
    assert_int_equal(judge(SHIPMENT_SENT, "", 3, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPMENT_NEWS_MOVES);
    assert_int_equal(judge(SHIPMENT_UNKNOWN, "", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_MOVES);
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_MOVES);
    assert_int_equal(judge(SHIPMENT_CREATED, "N", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_CANCELLED, "N", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "N", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_REPEATS); /* its void is lost, and stays so */
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "N", 3, SHIPMENT_CHANGE_BOUGHT, "M"),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_CREATED, "N", 3, SHIPMENT_CHANGE_BOUGHT, "M"),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_CANCELLED, "", 3, SHIPMENT_CHANGE_BOUGHT, ""),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_FAILED, "", 3, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPMENT_NEWS_DIFFERS);
}

/* A look-up named the second parcel first: it is the same purchase. */
static void a_purchase_with_one_number_in_common_is_the_same(void **state)
{
    const struct shipment_parcel parcels[] = {{.tracking_number = text_of("P2")},
                                              {.tracking_number = text_of("P1")}};
    const struct shipment shipment = {.state = SHIPMENT_CREATED,
                                      .attempt = 1,
                                      .tracking_number = text_of("P2"),
                                      .consignment = {.parcel_count = 2},
                                      .parcels = parcels};
    const struct carrier_parcel told[] = {{.tracking_number = text_of("P1")},
                                          {.tracking_number = text_of("P3")}};
    struct carrier_shipment bought = {.tracking_number = text_of("P1")};
    enum shipment_state next;
    (void)state;
    assert_int_equal(shipment_judge_end(&shipment, 1, SHIPMENT_CHANGE_BOUGHT, &bought, &next),
                     SHIPMENT_NEWS_REPEATS);
    bought = (struct carrier_shipment){
        .tracking_number = text_of("M"), .parcels = told, .parcel_count = 2};
    assert_int_equal(shipment_judge_end(&shipment, 1, SHIPMENT_CHANGE_BOUGHT, &bought, &next),
                     SHIPMENT_NEWS_REPEATS);
    bought.parcels = &told[1];
    bought.parcel_count = 1;
    assert_int_equal(shipment_judge_end(&shipment, 1, SHIPMENT_CHANGE_BOUGHT, &bought, &next),
                     SHIPMENT_NEWS_DIFFERS);
}

static void the_same_end_again_is_a_repeat(void **state)
{
    (void)state;
    assert_int_equal(judge(SHIPMENT_FAILED, "", 3, SHIPMENT_CHANGE_REFUSED, ""),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_UNKNOWN, "", 3, SHIPMENT_CHANGE_LOST, ""),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "", 3, SHIPMENT_CHANGE_LOST, ""),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_NEEDS_ATTENTION, "", 3, SHIPMENT_CHANGE_ABANDONED, ""),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(judge(SHIPMENT_CREATED, "N", 3, SHIPMENT_CHANGE_LOST, ""),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(judge(SHIPMENT_CREATED, "N", 3, SHIPMENT_CHANGE_NOT_DONE, ""),
                     SHIPMENT_NEWS_DIFFERS);
}

static enum shipment_news resolve(enum shipment_state at, enum shipment_resolution resolution,
                                  const char *number, enum shipment_resolution latest)
{
    bool is_bought = at == SHIPMENT_CREATED || at == SHIPMENT_CANCELLED;
    struct shipment shipment = {
        .state = at, .attempt = 1, .tracking_number = text_of(is_bought ? "N" : "")};
    enum shipment_state next;
    return shipment_judge_resolution(&shipment, resolution, text_of(number), latest, &next);
}

static void a_person_decides_about_what_is_open_alone(void **state)
{
    (void)state;
    for (int at = 1; at < shipment_state_count; at++) {
        enum shipment_state from = (enum shipment_state)at;
        bool open = from == SHIPMENT_UNKNOWN || from == SHIPMENT_NEEDS_ATTENTION;
        assert_int_equal(resolve(from, SHIPMENT_ADOPT, "M", 0),
                         open ? SHIPMENT_NEWS_MOVES : SHIPMENT_NEWS_DIFFERS);
        assert_int_equal(resolve(from, SHIPMENT_VOID, "", 0), open ? SHIPMENT_NEWS_MOVES
                                                              : from == SHIPMENT_CANCELLED
                                                                  ? SHIPMENT_NEWS_REPEATS
                                                                  : SHIPMENT_NEWS_DIFFERS);
        assert_int_equal(resolve(from, SHIPMENT_BUY_AGAIN, "", 0), from == SHIPMENT_NEEDS_ATTENTION
                                                                       ? SHIPMENT_NEWS_MOVES
                                                                       : SHIPMENT_NEWS_DIFFERS);
    }
    assert_int_equal(resolve(SHIPMENT_CREATED, SHIPMENT_ADOPT, "N", SHIPMENT_ADOPT),
                     SHIPMENT_NEWS_REPEATS);
}

static void a_lost_void_is_voided_or_stands(void **state)
{
    struct shipment shipment = {
        .state = SHIPMENT_NEEDS_ATTENTION, .attempt = 1, .tracking_number = text_of("N")};
    enum shipment_state next = 0;
    (void)state;
    assert_int_equal(
        shipment_judge_resolution(&shipment, SHIPMENT_VOID, (struct text){0}, 0, &next),
        SHIPMENT_NEWS_MOVES);
    assert_int_equal(next, SHIPMENT_CANCELLED);
    assert_int_equal(shipment_judge_resolution(&shipment, SHIPMENT_ADOPT, text_of("N"), 0, &next),
                     SHIPMENT_NEWS_MOVES);
    assert_int_equal(next, SHIPMENT_CREATED);
    assert_int_equal(shipment_judge_resolution(&shipment, SHIPMENT_ADOPT, text_of("M"), 0, &next),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(
        shipment_judge_resolution(&shipment, SHIPMENT_BUY_AGAIN, (struct text){0}, 0, &next),
        SHIPMENT_NEWS_DIFFERS);
}

static void buying_again_is_decided_once(void **state)
{
    (void)state;
    assert_int_equal(resolve(SHIPMENT_INTENT, SHIPMENT_BUY_AGAIN, "", SHIPMENT_BUY_AGAIN),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(resolve(SHIPMENT_SENT, SHIPMENT_BUY_AGAIN, "", SHIPMENT_BUY_AGAIN),
                     SHIPMENT_NEWS_REPEATS);
    assert_int_equal(resolve(SHIPMENT_CREATED, SHIPMENT_BUY_AGAIN, "", SHIPMENT_ADOPT),
                     SHIPMENT_NEWS_DIFFERS);
    assert_int_equal(resolve(SHIPMENT_NEEDS_ATTENTION, SHIPMENT_BUY_AGAIN, "", SHIPMENT_BUY_AGAIN),
                     SHIPMENT_NEWS_MOVES);
}

/* --- references and look-ups --- */

static void each_attempt_has_a_reference_of_its_own(void **state)
{
    static const struct {
        uint32_t attempt;
        const char *reference;
    } known[] = {{1, "S-1"}, {2, "S-1~2"}, {10, "S-1~10"}, {UINT32_MAX, "S-1~4294967295"}};
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char reference[shipment_reference_bytes_max];
        size_t size = shipment_reference(text_of("S-1"), known[i].attempt, reference);
        assert_true(text_equals_string(text_make(reference, size), known[i].reference));
    }
}

static void the_longest_reference_has_room(void **state)
{
    char id[shipping_id_bytes_max];
    char reference[shipment_reference_bytes_max];
    (void)state;
    memset(id, 'a', sizeof id);
    assert_int_equal(shipment_reference(text_make(id, sizeof id), UINT32_MAX, reference),
                     shipment_reference_bytes_max);
}

static void lookups_come_at_doubled_distances_and_end_after_a_day(void **state)
{
    int64_t sent_us = INT64_C(1800000000) * 1000000;
    int64_t at_us = sent_us;
    uint32_t lookups = 0;
    static const int minutes[] = {1, 3, 7, 15, 31, 63, 123, 183};
    (void)state;
    while (true) {
        int64_t next_us = shipment_next_lookup(sent_us, lookups, at_us);
        if (next_us == 0)
            break;
        assert_true(next_us > at_us);
        if (lookups < sizeof minutes / sizeof minutes[0])
            assert_int_equal(next_us - sent_us, minutes[lookups] * minute_us);
        at_us = next_us;
        lookups++;
    }
    assert_int_equal(at_us - sent_us, shipping_lookup_us_max);
    assert_int_equal(lookups, 29); /* 1 … 63 minutes, then each hour, then at the end of the day */
}

static void what_was_never_looked_up_is_looked_up_once(void **state)
{
    int64_t sent_us = INT64_C(1800000000) * 1000000;
    int64_t late_us = sent_us + 3 * shipping_lookup_us_max;
    (void)state;
    assert_int_equal(shipment_next_lookup(sent_us, 0, late_us), sent_us + minute_us);
    assert_int_equal(shipment_next_lookup(sent_us, 1, late_us), 0);
    assert_true(shipment_next_lookup(sent_us, UINT32_MAX, sent_us) > sent_us);
}

/* --- hashes --- */

struct facts {
    struct shipment_request request;
    struct shipping_parcel parcels[2];
    struct shipping_customs customs;
    struct shipping_customs_item items[2];
};

static void fill_address(struct shipping_address *address, const char *country)
{
    *address = (struct shipping_address){
        .name = text_of("name"),
        .company = text_of("company"),
        .phone = text_of("phone"),
        .email = text_of("email"),
        .lines = {text_of("one"), text_of("two")},
        .line_count = 2,
        .city = text_of("city"),
        .region = text_of("region"),
        .postal_code = text_of("postal"),
        .country_code = text_of(country),
        .has_point = true,
        .latitude_e7 = 1,
        .longitude_e7 = 2,
    };
}

static void fill(struct facts *facts)
{
    *facts = (struct facts){
        .parcels = {{1, 2, 3, 4, {"USD", 5}, text_of("p")}, {6, 7, 8, 9, {"USD", 1}, text_of("q")}},
        .customs = {.incoterm = text_of("DAP"), .contents_type = text_of("GIFT"), .item_count = 2},
        .items = {{text_of("a"), 1, {"USD", 2}, 3, text_of("h"), text_of("DE")},
                  {text_of("b"), 1, {"USD", 2}, 3, text_of("h"), text_of("DE")}},
    };
    struct shipment_request *request = &facts->request;
    request->shipment_id = text_of("S");
    request->order_id = text_of("O");
    request->rate_id = text_of("R");
    request->carrier = text_of("ups");
    request->service_code = text_of("03");
    request->rule = 1;
    request->label_format = SHIPPING_LABEL_ZPL;
    request->reference = text_of("ref");
    fill_address(&request->consignment.origin, "DE");
    fill_address(&request->consignment.destination, "US");
    request->consignment.parcels = facts->parcels;
    request->consignment.parcel_count = 2;
    request->consignment.customs = &facts->customs;
    request->consignment.direction = SHIPPING_RETURN;
    request->consignment.options =
        (struct shipping_options){true, false, {"USD", INT64_C(1) << 40}};
    memcpy(request->consignment.ship_date, "2027-01-15", 11);
    facts->customs.items = facts->items;
}

/* One field altered; false: there are no more. Those from `first_of_request` on are no price. */
enum { first_of_request = 25, alteration_count = 34 };

static void alter(struct facts *facts, int which)
{
    struct shipment_request *request = &facts->request;
    struct consignment *consignment = &request->consignment;
    struct text other = text_of("other");
    struct text *const texts[] = {
        &consignment->origin.name,         &consignment->origin.company,
        &consignment->origin.phone,        &consignment->destination.email,
        &consignment->origin.lines[1],     &consignment->destination.city,
        &consignment->destination.region,  &consignment->destination.postal_code,
        &consignment->origin.country_code, &facts->parcels[1].reference,
        &facts->customs.incoterm,          &facts->customs.contents_type,
        &facts->items[1].description,      &facts->items[1].hs_code,
        &facts->items[0].origin_country,
    };
    enum { text_count = sizeof texts / sizeof texts[0] };
    struct text *const request_texts[] = {
        &request->shipment_id, &request->order_id,     &request->rate_id,
        &request->carrier,     &request->service_code, &request->reference,
    };
    if (which < text_count) {
        *texts[which] = other;
        return;
    }
    switch (which) {
    case text_count:
        consignment->origin.line_count = 1;
        break;
    case text_count + 1:
        consignment->destination.has_point = false;
        break;
    case text_count + 2:
        facts->parcels[0].weight_grams++;
        break;
    case text_count + 3:
        facts->parcels[1].height_mm++;
        break;
    case text_count + 4:
        facts->parcels[1].value.amount_minor++;
        break;
    case text_count + 5:
        consignment->parcel_count = 1;
        break;
    case text_count + 6:
        consignment->customs = NULL;
        break;
    case text_count + 7:
        facts->items[0].quantity++;
        break;
    case text_count + 8:
        consignment->direction = SHIPPING_OUTBOUND;
        break;
    case text_count + 9:
        consignment->options.insured_value.currency_code[0] = 'A';
        break;
    case first_of_request:
        request->rule = 2;
        break;
    case first_of_request + 1:
        request->label_format = SHIPPING_LABEL_PDF;
        break;
    case first_of_request + 2:
        consignment->ship_date[9] = '6';
        break;
    default:
        *request_texts[which - first_of_request - 3] = other;
        break;
    }
}

static size_t parts_that_differ(const struct consignment_facts *a,
                                const struct consignment_facts *b)
{
    size_t count = 0;
    for (size_t i = 0; i < consignment_part_count; i++)
        count += a->parts[i] != b->parts[i];
    return count;
}

static void every_field_is_in_the_hashes(void **state)
{
    static struct facts plain, altered;
    char content[32], other[32];
    struct consignment_facts price, changed;
    (void)state;
    fill(&plain);
    shipment_content_hash(&plain.request, content);
    consignment_facts_of(&plain.request.consignment, &price);
    for (int i = 0; i < alteration_count; i++) {
        fill(&altered);
        shipment_content_hash(&altered.request, other);
        assert_memory_equal(other, content, 32);
        alter(&altered, i);
        shipment_content_hash(&altered.request, other);
        if (memcmp(other, content, 32) == 0)
            fail_msg("alteration %d is not in the content", i);
        consignment_facts_of(&altered.request.consignment, &changed);
        bool is_fact = i < first_of_request;
        if ((memcmp(changed.hash, price.hash, 32) != 0) != is_fact ||
            parts_that_differ(&changed, &price) != is_fact)
            fail_msg("alteration %d and the price", i);
    }
}

/* Both are stored, and compared with what later releases work out. */
static void hashes_that_are_stored_stay_as_they_are(void **state)
{
    static const struct shipping_parcel parcel = {.weight_grams = 1200, .length_mm = 300};
    const struct shipment_request request = {
        .shipment_id = text_of("S-1"),
        .carrier = text_of("ups"),
        .service_code = text_of("03"),
        .consignment = {.origin = {.city = text_of("New York"), .country_code = text_of("US")},
                        .destination = {.city = text_of("Chicago"), .country_code = text_of("US")},
                        .parcels = &parcel,
                        .parcel_count = 1},
    };
    const struct shipping_scan scan = {
        .tracking_number = text_of("N"), .carrier_code = text_of("OD"), .occurred_time_us = 5};
    char hash[32], words[65] = "";
    (void)state;
    shipment_content_hash(&request, hash);
    for (size_t i = 0; i < 32; i++)
        sprintf(words + 2 * i, "%02x", (unsigned char)hash[i]);
    assert_string_equal(words, "2d1dff45cfde22f5025719d143a64cd36210a73a76eb6d2dd4eff4763f86b8d3");
    shipping_scan_hash(text_of("ups"), &scan, hash);
    for (size_t i = 0; i < 32; i++)
        sprintf(words + 2 * i, "%02x", (unsigned char)hash[i]);
    assert_string_equal(words, "664beabb3d33fb126a877a86fa15f05d5f4da26802e8f1ba05b05fc233dc7c56");
}

static void words_do_not_run_into_each_other(void **state)
{
    static struct facts a, b;
    char first[32], second[32];
    (void)state;
    fill(&a);
    fill(&b);
    a.request.shipment_id = text_of("AB");
    a.request.order_id = text_of("C");
    b.request.shipment_id = text_of("A");
    b.request.order_id = text_of("BC");
    shipment_content_hash(&a.request, first);
    shipment_content_hash(&b.request, second);
    assert_memory_not_equal(first, second, 32);
}

static void a_scan_is_known_by_all_that_was_said(void **state)
{
    struct shipping_scan scan = {.tracking_number = text_of("N"),
                                 .carrier_code = text_of("OD"),
                                 .description = text_of("Out"),
                                 .occurred_time_us = 5,
                                 .city = text_of("Bonn")};
    struct shipping_scan later = scan;
    struct shipping_scan offset = scan;
    char plain[32], other[32];
    (void)state;
    later.occurred_time_us++;
    offset.has_utc_offset = true;
    shipping_scan_hash(text_of("ups"), &scan, plain);
    shipping_scan_hash(text_of("ups"), &scan, other);
    assert_memory_equal(plain, other, 32);
    shipping_scan_hash(text_of("dhl"), &scan, other);
    assert_memory_not_equal(plain, other, 32);
    shipping_scan_hash(text_of("ups"), &later, other);
    assert_memory_not_equal(plain, other, 32);
    shipping_scan_hash(text_of("ups"), &offset, other);
    assert_memory_not_equal(plain, other, 32);
}

/* --- borders --- */

static void customs_are_asked_for_at_borders_alone(void **state)
{
    static const struct {
        const char *from, *to;
        bool needed;
    } known[] = {
        {"US", "US", false}, {"US", "CA", true},  {"DE", "FR", false}, {"DE", "GB", true},
        {"GB", "IE", true},  {"IE", "DE", false}, {"FR", "MC", false}, {"DE", "CH", true},
        {"NO", "SE", true},  {"CY", "GR", false}, {"BR", "BR", false}, {"DE", "XK", true},
        {"SK", "AT", false}, {"GB", "GB", false}, {"DE", "EL", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        assert_int_equal(customs_needed(text_of(known[i].from), text_of(known[i].to)),
                         known[i].needed);
        assert_int_equal(customs_needed(text_of(known[i].to), text_of(known[i].from)),
                         known[i].needed);
    }
    assert_true(customs_needed(text_of(""), text_of("DE")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_of_every_state_is_as_told),
        cmocka_unit_test(only_an_intent_is_sent),
        cmocka_unit_test(states_have_the_names_of_the_interface),
        cmocka_unit_test(an_end_counts_for_its_own_attempt_alone),
        cmocka_unit_test(what_is_no_end_does_not_pass_for_one),
        cmocka_unit_test(an_attempt_that_was_not_sent_has_no_end),
        cmocka_unit_test(a_purchase_is_one_as_long_as_its_number_is_kept),
        cmocka_unit_test(a_purchase_with_one_number_in_common_is_the_same),
        cmocka_unit_test(the_same_end_again_is_a_repeat),
        cmocka_unit_test(a_person_decides_about_what_is_open_alone),
        cmocka_unit_test(a_lost_void_is_voided_or_stands),
        cmocka_unit_test(buying_again_is_decided_once),
        cmocka_unit_test(each_attempt_has_a_reference_of_its_own),
        cmocka_unit_test(the_longest_reference_has_room),
        cmocka_unit_test(lookups_come_at_doubled_distances_and_end_after_a_day),
        cmocka_unit_test(what_was_never_looked_up_is_looked_up_once),
        cmocka_unit_test(every_field_is_in_the_hashes),
        cmocka_unit_test(hashes_that_are_stored_stay_as_they_are),
        cmocka_unit_test(words_do_not_run_into_each_other),
        cmocka_unit_test(a_scan_is_known_by_all_that_was_said),
        cmocka_unit_test(customs_are_asked_for_at_borders_alone),
    };
    return cmocka_run_group_tests_name("shipment", tests, NULL, NULL);
}
