/* How a shipment is written down, sent, bought, lost and decided about. */
#include "tests/contract/shipping/shipping_contract.h"

#include "tests/support/shipping/shipping_copy.h"

#include <string.h>

static void a_shipment_is_kept_as_it_was_asked_for(void **state)
{
    struct shipping_kit *kit = *state;
    for (unsigned variant = 0; variant < 6; variant++) {
        char id[] = {'S', (char)('0' + variant), '\0'};
        struct begin_shipment_command *begin = kit_begin_command(kit, id, variant);
        assert_int_equal(shipping_kit_ask(kit, &begin->base), SHIPPING_DONE);
        assert_true(begin->is_new);
        shipping_kit_reopen(kit);
        const struct shipment *kept = kit_get(kit, id);
        assert_null(shipping_difference(kept, &begin->shipment, true));
        assert_int_equal(kept->state, SHIPMENT_INTENT);
        assert_int_equal(kept->attempt, 1);
        assert_int_equal(kept->revision, 1);
        assert_string_equal(kept->consignment.ship_date, "2027-01-18");
        assert_memory_equal(kept->content_hash, begin->content_hash, 32);
        assert_true(text_equal(kept->order_id, begin->request->order_id));
        assert_true(text_equal(kept->consignment.destination.city,
                               begin->request->consignment.destination.city));
        struct consignment_facts stored, asked;
        consignment_facts_of(&kept->consignment, &stored);
        consignment_facts_of(&begin->request->consignment, &asked);
        assert_memory_equal(&stored, &asked, sizeof asked); /* sent again, it is the same */
    }
}

static void the_same_shipment_again_answers_with_the_record_as_it_is_now(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    struct begin_shipment_command *again = kit_begin_command(kit, "S", 0);
    again->amount.amount_minor = 1; /* what is chosen now does not matter */
    again->service_code = text_of("01");
    assert_int_equal(shipping_kit_ask(kit, &again->base), SHIPPING_DONE);
    assert_false(again->is_new);
    assert_int_equal(again->shipment.state, SHIPMENT_CREATED);
    assert_int_equal(again->shipment.amount.amount_minor, 1299);
    assert_true(text_equals_string(again->shipment.service_code, "03"));
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S");
}

static void an_id_used_for_other_content_is_refused(void **state)
{
    struct shipping_kit *kit = *state;
    assert_int_equal(kit_begin(kit, "S", 0), SHIPPING_DONE);
    assert_int_equal(kit_begin(kit, "S", 2), SHIPPING_ID_REUSED);
    assert_int_equal(kit_get(kit, "S")->revision, 1);
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT");
}

static void what_is_not_there_is_not_found(void **state)
{
    struct shipping_kit *kit = *state;
    assert_int_equal(kit_send(kit, "S", 1), SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N"),
                     SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(kit_begin_cancel(kit, "S", ""), SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(kit_end_cancel(kit, "S", true, ""), SHIPPING_SHIPMENT_NOT_FOUND);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_VOID, ""), SHIPPING_SHIPMENT_NOT_FOUND);
    struct record_lookup_command *lookup =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *lookup);
    lookup->shipment_id = text_of("S");
    lookup->attempt = 1;
    assert_int_equal(shipping_kit_ask(kit, &lookup->base), SHIPPING_SHIPMENT_NOT_FOUND);
}

static void an_attempt_is_sent_by_one_caller_alone(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    assert_int_equal(kit_send(kit, "S", 2), SHIPPING_STATE_DIFFERS);
    struct mark_sent_command *sent = kit_send_command(kit, "S", 1);
    assert_int_equal(shipping_kit_ask(kit, &sent->base), SHIPPING_DONE);
    assert_int_equal(sent->shipment.state, SHIPMENT_SENT);
    assert_true(sent->shipment.sent_time_us >= sent->shipment.create_time_us);
    struct mark_sent_command *again = kit_send_command(kit, "S", 1);
    assert_int_equal(shipping_kit_ask(kit, &again->base), SHIPPING_STATE_DIFFERS);
    assert_null(shipping_difference(&again->shipment, &sent->shipment, true));
    shipping_kit_reopen(kit);
    assert_null(shipping_difference(kit_get(kit, "S"), &sent->shipment, true));
}

static void a_purchase_keeps_numbers_charge_and_labels(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 1);
    kit_send(kit, "S", 1);
    struct record_purchase_command *end = kit_end_command(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N");
    assert_int_equal(shipping_kit_ask(kit, &end->base), SHIPPING_DONE);
    shipping_kit_reopen(kit);
    const struct shipment *kept = kit_get(kit, "S");
    assert_null(shipping_difference(kept, &end->shipment, true));
    assert_int_equal(kept->state, SHIPMENT_CREATED);
    assert_int_equal(kept->charged.amount_minor, 1111);
    assert_true(text_equals_string(kept->tracking_number, "N"));
    assert_int_equal(kept->consignment.parcel_count, 2);
    assert_true(text_equals_string(kept->parcels[0].tracking_number, "N-0"));
    assert_true(text_equals_string(kept->parcels[1].tracking_number, "N-1"));
    assert_int_equal(kept->estimated_delivery_time_us, INT64_C(1800200000) * 1000000);
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT SENT CREATED");
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S");
}

static void a_carrier_with_fewer_or_more_parcels_does_no_harm(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 2); /* three parcels; two numbers come */
    kit_send(kit, "S", 1);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
    assert_int_equal(kit_get(kit, "S")->parcels[2].tracking_number.size, 0);
    kit_begin(kit, "T", 0); /* one parcel; two numbers come */
    kit_send(kit, "T", 1);
    assert_int_equal(kit_end(kit, "T", 1, SHIPMENT_CHANGE_BOUGHT, "M"), SHIPPING_DONE);
    assert_true(text_equals_string(kit_get(kit, "T")->parcels[0].tracking_number, "M-0"));
    kit_begin(kit, "F", 0); /* freight: the whole has a number, the parcel none */
    kit_send(kit, "F", 1);
    struct record_purchase_command *freight =
        kit_end_command(kit, "F", 1, SHIPMENT_CHANGE_BOUGHT, "W");
    freight->bought = kit_purchase(kit, "W", 0, false);
    assert_int_equal(shipping_kit_ask(kit, &freight->base), SHIPPING_DONE);
    assert_int_equal(kit_get(kit, "F")->parcels[0].tracking_number.size, 0);
}

static void the_same_end_again_changes_nothing(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_bring(kit, "F", 0, SHIPMENT_FAILED);
    kit_bring(kit, "U", 0, SHIPMENT_UNKNOWN);
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N-S"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "F", 1, SHIPMENT_CHANGE_REFUSED, "other words"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "U", 1, SHIPMENT_CHANGE_LOST, "other words"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "A", 1, SHIPMENT_CHANGE_LOST, "other words"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "A", 1, SHIPMENT_CHANGE_ABANDONED, "other"), SHIPPING_DONE);
    assert_int_equal(kit_get(kit, "S")->revision, 3);
    assert_true(text_equals_string(kit_get(kit, "F")->failure, "no such street"));
    assert_true(text_equals_string(kit_get(kit, "U")->failure, "cut off"));
    assert_int_equal(kit_get(kit, "A")->revision, 4);
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S ShipmentFailed:F");
}

static void a_second_label_is_told_to_its_buyer(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    struct record_purchase_command *other =
        kit_end_command(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "OTHER");
    assert_int_equal(shipping_kit_ask(kit, &other->base), SHIPPING_STATE_DIFFERS);
    assert_true(text_equals_string(other->shipment.tracking_number, "N-S"));
    kit_bring(kit, "C", 0, SHIPMENT_UNKNOWN);
    assert_int_equal(kit_resolve(kit, "C", SHIPMENT_VOID, "there is none"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "C", 1, SHIPMENT_CHANGE_BOUGHT, "LATE"), SHIPPING_STATE_DIFFERS);
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S ShipmentCancelled:C");
}

/* A look-up brought the parcels in another order; the answer, coming late, is no second label. */
static void a_purchase_named_otherwise_is_not_told_to_be_voided(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U", 1, SHIPMENT_UNKNOWN);
    struct record_purchase_command *found =
        kit_end_command(kit, "U", 1, SHIPMENT_CHANGE_BOUGHT, "N-1");
    struct carrier_shipment *bought = kit_purchase(kit, "N-1", 2, false);
    ((struct carrier_parcel *)bought->parcels)[0].tracking_number = text_of("N-1");
    ((struct carrier_parcel *)bought->parcels)[1].tracking_number = text_of("N-0");
    found->bought = bought;
    assert_int_equal(shipping_kit_ask(kit, &found->base), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "U", 1, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "U", 1, SHIPMENT_CHANGE_BOUGHT, "M"), SHIPPING_STATE_DIFFERS);
    assert_true(text_equals_string(kit_get(kit, "U")->tracking_number, "N-1"));
}

static void a_late_answer_ends_what_was_given_up(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U", 0, SHIPMENT_UNKNOWN);
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    kit_bring(kit, "R", 0, SHIPMENT_UNKNOWN);
    assert_int_equal(kit_end(kit, "U", 1, SHIPMENT_CHANGE_BOUGHT, "N1"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "A", 1, SHIPMENT_CHANGE_BOUGHT, "N2"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "R", 1, SHIPMENT_CHANGE_REFUSED, "no"), SHIPPING_DONE);
    kit_assert_state(kit, "U", SHIPMENT_CREATED, 1);
    kit_assert_state(kit, "A", SHIPMENT_CREATED, 1);
    kit_assert_state(kit, "R", SHIPMENT_FAILED, 1);
    assert_int_equal(kit_get(kit, "U")->failure.size, 0);
    assert_int_equal(kit_get(kit, "U")->lookup_time_us, 0);
}

static void what_was_surely_not_done_may_be_sent_again(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    for (uint32_t attempt = 1; attempt <= 3; attempt++) {
        assert_int_equal(kit_send(kit, "S", attempt), SHIPPING_DONE);
        assert_int_equal(kit_end(kit, "S", attempt, SHIPMENT_CHANGE_NOT_DONE, "throttled"),
                         SHIPPING_DONE);
        kit_assert_state(kit, "S", SHIPMENT_INTENT, attempt + 1);
    }
    assert_true(text_equals_string(kit_get(kit, "S")->failure, "throttled"));
    assert_int_equal(kit_get(kit, "S")->sent_time_us, 0);
}

/* The answer of the first NOT_DONE was lost; meanwhile somebody else is buying. */
static void an_old_end_told_again_does_not_end_a_new_attempt(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    kit_send(kit, "S", 1);
    kit_end(kit, "S", 1, SHIPMENT_CHANGE_NOT_DONE, "throttled");
    assert_int_equal(kit_send(kit, "S", 2), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_NOT_DONE, "throttled"), SHIPPING_DONE);
    kit_assert_state(kit, "S", SHIPMENT_SENT, 2);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_LOST, "x"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "OLD"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_end(kit, "S", 3, SHIPMENT_CHANGE_BOUGHT, "NEW"), SHIPPING_STATE_DIFFERS);
    kit_assert_state(kit, "S", SHIPMENT_SENT, 2);
    assert_int_equal(kit_end(kit, "S", 2, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
}

static void every_end_in_every_state_is_as_the_domain_says(void **state)
{
    static const enum shipment_change ends[] = {
        SHIPMENT_CHANGE_NOT_DONE, SHIPMENT_CHANGE_BOUGHT,    SHIPMENT_CHANGE_REFUSED,
        SHIPMENT_CHANGE_LOST,     SHIPMENT_CHANGE_ABANDONED,
    };
    struct shipping_kit *kit = *state;
    for (int from = SHIPMENT_INTENT; from < shipment_state_count; from++) {
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            char id[] = {(char)('a' + from), (char)('a' + i), '\0'};
            enum shipment_state next = (enum shipment_state)from;
            if (from == SHIPMENT_SENT) {
                kit_begin(kit, id, 0);
                kit_send(kit, id, 1);
            } else {
                kit_bring(kit, id, 0, (enum shipment_state)from);
            }
            struct shipment before = *kit_get(kit, id);
            enum shipment_news news =
                shipment_judge_end(&before, 1, ends[i], kit_purchase(kit, "NEWS", 2, true), &next);
            enum shipping_outcome outcome = kit_end(kit, id, 1, ends[i], "NEWS");
            assert_int_equal(outcome, news == SHIPMENT_NEWS_DIFFERS ? SHIPPING_STATE_DIFFERS
                                                                    : SHIPPING_DONE);
            const struct shipment *after = kit_get(kit, id);
            if (news != SHIPMENT_NEWS_MOVES)
                assert_null(shipping_difference(after, &before, true));
            else
                assert_int_equal(after->state, next);
        }
        shipping_kit_reset(kit);
    }
}

static void a_lost_purchase_is_looked_up_after_a_minute(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U", 0, SHIPMENT_UNKNOWN);
    struct shipment before = *kit_get(kit, "U");
    assert_int_equal(before.lookup_time_us, before.sent_time_us + INT64_C(60) * 1000000);
    struct record_lookup_command *lookup =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *lookup);
    lookup->shipment_id = text_of("U");
    lookup->attempt = 1;
    lookup->lookup_time_us = before.lookup_time_us + 5;
    lookup->failure = text_of("not found yet");
    assert_int_equal(shipping_kit_ask(kit, &lookup->base), SHIPPING_DONE);
    const struct shipment *after = kit_get(kit, "U");
    assert_null(shipping_difference(after, &lookup->shipment, true));
    assert_int_equal(after->lookup_time_us, before.lookup_time_us + 5);
    assert_int_equal(after->lookups, 1);
    assert_true(text_equals_string(after->failure, "not found yet"));
    lookup->attempt = 2;
    assert_int_equal(shipping_kit_ask(kit, &lookup->base), SHIPPING_STATE_DIFFERS);
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    lookup->shipment_id = text_of("S");
    lookup->attempt = 1;
    assert_int_equal(shipping_kit_ask(kit, &lookup->base), SHIPPING_STATE_DIFFERS);
}

/* --- a person's decisions --- */

static void a_person_adopts_a_number(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_ADOPT, "1Z"), SHIPPING_DONE);
    const struct shipment *adopted = kit_get(kit, "A");
    assert_int_equal(adopted->state, SHIPMENT_CREATED);
    assert_true(text_equals_string(adopted->tracking_number, "1Z"));
    assert_true(text_equals_string(adopted->parcels[0].tracking_number, "1Z"));
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_ADOPT, "1Z"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_ADOPT, "2Z"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_VOID, ""), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_BUY_AGAIN, ""), SHIPPING_STATE_DIFFERS);
    assert_string_equal(kit_audit_words(kit, "A"),
                        "INTENT SENT UNKNOWN NEEDS_ATTENTION RESOLVE ADOPT");
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:A");
}

static void what_a_look_up_brings_is_adopted_with_it(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U", 1, SHIPMENT_UNKNOWN);
    struct resolve_shipment_command *adopt = kit_resolve_command(kit, "U", SHIPMENT_ADOPT, "N");
    adopt->bought = kit_purchase(kit, "N", 2, true);
    assert_int_equal(shipping_kit_ask(kit, &adopt->base), SHIPPING_DONE);
    const struct shipment *adopted = kit_get(kit, "U");
    assert_null(shipping_difference(adopted, &adopt->shipment, true));
    assert_true(text_equals_string(adopted->parcels[1].tracking_number, "N-1"));
    assert_int_equal(adopted->charged.amount_minor, 1111);
}

static void buying_again_is_a_new_attempt_decided_once(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "U", 0, SHIPMENT_UNKNOWN);
    assert_int_equal(kit_resolve(kit, "U", SHIPMENT_BUY_AGAIN, ""), SHIPPING_STATE_DIFFERS);
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_BUY_AGAIN, "none there"), SHIPPING_DONE);
    kit_assert_state(kit, "A", SHIPMENT_INTENT, 2);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_BUY_AGAIN, "none there"), SHIPPING_DONE);
    kit_assert_state(kit, "A", SHIPMENT_INTENT, 2);
    assert_int_equal(kit_send(kit, "A", 1), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_send(kit, "A", 2), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_BUY_AGAIN, "none there"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "A", 2, SHIPMENT_CHANGE_BOUGHT, "N"), SHIPPING_DONE);
    kit_assert_state(kit, "A", SHIPMENT_CREATED, 2);
    assert_string_equal(kit_audit_words(kit, "A"),
                        "INTENT SENT UNKNOWN NEEDS_ATTENTION RESOLVE BUY_AGAIN SENT CREATED");
}

static void a_person_says_that_there_is_none(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_VOID, "voided by hand"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_VOID, "voided by hand"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "A", SHIPMENT_BUY_AGAIN, ""), SHIPPING_STATE_DIFFERS);
    kit_assert_state(kit, "A", SHIPMENT_CANCELLED, 1);
    assert_true(text_equals_string(kit_get(kit, "A")->cancel_reason, "voided by hand"));
    assert_string_equal(kit_event_words(kit), "ShipmentCancelled:A");
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_shipment_is_kept_as_it_was_asked_for),
    cmocka_unit_test(the_same_shipment_again_answers_with_the_record_as_it_is_now),
    cmocka_unit_test(an_id_used_for_other_content_is_refused),
    cmocka_unit_test(what_is_not_there_is_not_found),
    cmocka_unit_test(an_attempt_is_sent_by_one_caller_alone),
    cmocka_unit_test(a_purchase_keeps_numbers_charge_and_labels),
    cmocka_unit_test(a_carrier_with_fewer_or_more_parcels_does_no_harm),
    cmocka_unit_test(the_same_end_again_changes_nothing),
    cmocka_unit_test(a_second_label_is_told_to_its_buyer),
    cmocka_unit_test(a_purchase_named_otherwise_is_not_told_to_be_voided),
    cmocka_unit_test(a_late_answer_ends_what_was_given_up),
    cmocka_unit_test(what_was_surely_not_done_may_be_sent_again),
    cmocka_unit_test(an_old_end_told_again_does_not_end_a_new_attempt),
    cmocka_unit_test(every_end_in_every_state_is_as_the_domain_says),
    cmocka_unit_test(a_lost_purchase_is_looked_up_after_a_minute),
    cmocka_unit_test(a_person_adopts_a_number),
    cmocka_unit_test(what_a_look_up_brings_is_adopted_with_it),
    cmocka_unit_test(buying_again_is_a_new_attempt_decided_once),
    cmocka_unit_test(a_person_says_that_there_is_none),
};
const struct shipping_cases purchase_cases = {cases, sizeof cases / sizeof cases[0]};
