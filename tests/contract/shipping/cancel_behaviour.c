/* Cancelling: before anything was sent at once, afterwards when the carrier has said so. */
#include "tests/contract/shipping/shipping_contract.h"

#include "tests/support/shipping/shipping_copy.h"

static void what_was_not_sent_is_cancelled_at_once(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    assert_int_equal(kit_begin_cancel(kit, "S", "customer"), SHIPPING_DONE);
    kit_assert_state(kit, "S", SHIPMENT_CANCELLED, 1);
    assert_int_equal(kit_send(kit, "S", 1), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_begin_cancel(kit, "S", "again"), SHIPPING_DONE);
    assert_true(text_equals_string(kit_get(kit, "S")->cancel_reason, "customer"));
    assert_string_equal(kit_event_words(kit), "ShipmentCancelled:S");
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT CANCELLED");
}

static void a_label_is_cancelled_when_the_carrier_has_voided_it(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    struct cancel_shipment_command *begin =
        kit_cancel_command(kit, COMMAND_BEGIN_CANCEL, "S", false, "customer");
    assert_int_equal(shipping_kit_ask(kit, &begin->base), SHIPPING_DONE);
    assert_int_equal(begin->shipment.state, SHIPMENT_CREATED);
    assert_true(begin->shipment.cancel_wanted);
    assert_true(begin->shipment.lookup_time_us > 0);
    shipping_kit_reopen(kit);
    assert_null(shipping_difference(kit_get(kit, "S"), &begin->shipment, true));
    assert_int_equal(kit_begin_cancel(kit, "S", "again"), SHIPPING_DONE);
    assert_true(text_equals_string(kit_get(kit, "S")->cancel_reason, "customer"));
    assert_int_equal(kit_end_cancel(kit, "S", true, ""), SHIPPING_DONE);
    assert_int_equal(kit_end_cancel(kit, "S", true, ""), SHIPPING_DONE);
    const struct shipment *shipment = kit_get(kit, "S");
    assert_int_equal(shipment->state, SHIPMENT_CANCELLED);
    assert_false(shipment->cancel_wanted);
    assert_int_equal(shipment->lookup_time_us, 0);
    assert_true(text_equals_string(shipment->cancel_reason, "customer"));
    assert_true(text_equals_string(shipment->tracking_number, "N-S"));
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S ShipmentCancelled:S");
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT SENT CREATED CANCEL WANTED CANCELLED");
}

static void a_carrier_may_refuse_and_be_asked_anew(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, "S", "customer");
    assert_int_equal(kit_end_cancel(kit, "S", false, "on its way"), SHIPPING_DONE);
    assert_int_equal(kit_end_cancel(kit, "S", false, "on its way"), SHIPPING_DONE);
    struct shipment shipment = *kit_get(kit, "S");
    assert_int_equal(shipment.state, SHIPMENT_CREATED);
    assert_false(shipment.cancel_wanted);
    assert_int_equal(shipment.lookup_time_us, 0);
    assert_int_equal(shipment.cancel_reason.size, 0);
    assert_true(text_equals_string(shipment.failure, "on its way"));
    assert_int_equal(shipment.revision, 5);
    assert_int_equal(kit_begin_cancel(kit, "S", "customer insists"), SHIPPING_DONE);
    assert_int_equal(kit_end_cancel(kit, "S", true, ""), SHIPPING_DONE);
    assert_int_equal(kit_get(kit, "S")->failure.size, 0);
    assert_int_equal(kit_end_cancel(kit, "S", false, "late"), SHIPPING_STATE_DIFFERS);
    assert_string_equal(kit_audit_words(kit, "S"),
                        "INTENT SENT CREATED CANCEL WANTED CANCEL REFUSED CANCEL WANTED CANCELLED");
}

static void lose_void(struct shipping_kit *kit, const char *id)
{
    kit_bring(kit, id, 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, id, "customer");
    struct cancel_shipment_command *end =
        kit_cancel_command(kit, COMMAND_END_CANCEL, id, false, "no such shipment");
    end->is_lost = true;
    assert_int_equal(shipping_kit_ask(kit, &end->base), SHIPPING_DONE);
}

static void a_label_its_carrier_does_not_find_waits_for_a_person(void **state)
{
    struct shipping_kit *kit = *state;
    lose_void(kit, "S");
    shipping_kit_reopen(kit);
    struct shipment shipment = *kit_get(kit, "S");
    assert_int_equal(shipment.state, SHIPMENT_NEEDS_ATTENTION);
    assert_true(shipment_has_lost_void(&shipment));
    assert_true(text_equals_string(shipment.tracking_number, "N-S"));
    assert_true(text_equals_string(shipment.failure, "no such shipment"));
    assert_true(text_equals_string(shipment.cancel_reason, "customer"));
    assert_false(shipment.cancel_wanted);
    assert_int_equal(shipment.lookup_time_us, 0);
    assert_int_equal(kit_begin_cancel(kit, "S", "again"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N-S"), SHIPPING_DONE);
    assert_int_equal(kit_end_cancel(kit, "S", false, "late"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_BUY_AGAIN, ""), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_ADOPT, "M"), SHIPPING_STATE_DIFFERS);
    assert_null(shipping_difference(kit_get(kit, "S"), &shipment, true));
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_VOID, "not in the portal"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_VOID, "not in the portal"), SHIPPING_DONE);
    kit_assert_state(kit, "S", SHIPMENT_CANCELLED, 1);
    assert_string_equal(kit_event_words(kit), "ShipmentCreated:S ShipmentCancelled:S");
    assert_string_equal(kit_audit_words(kit, "S"),
                        "INTENT SENT CREATED CANCEL WANTED CANCEL LOST RESOLVE VOID");
}

static void a_lost_void_may_turn_out_to_be_one_or_none(void **state)
{
    struct shipping_kit *kit = *state;
    lose_void(kit, "S");
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_ADOPT, "N-S"), SHIPPING_DONE);
    const struct shipment *shipment = kit_get(kit, "S");
    assert_int_equal(shipment->state, SHIPMENT_CREATED);
    assert_int_equal(shipment->failure.size, 0);
    assert_int_equal(shipment->cancel_reason.size, 0);
    lose_void(kit, "T");
    assert_int_equal(kit_end_cancel(kit, "T", true, ""), SHIPPING_DONE); /* a late answer */
    kit_assert_state(kit, "T", SHIPMENT_CANCELLED, 1);
    assert_string_equal(kit_event_words(kit),
                        "ShipmentCreated:S ShipmentCreated:T ShipmentCancelled:T");
}

static void what_is_under_way_or_over_is_not_cancelled(void **state)
{
    struct shipping_kit *kit = *state;
    kit_begin(kit, "S", 0);
    kit_send(kit, "S", 1);
    kit_bring(kit, "F", 0, SHIPMENT_FAILED);
    kit_bring(kit, "U", 0, SHIPMENT_UNKNOWN);
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    static const char *const ids[] = {"S", "F", "U", "A"};
    for (size_t i = 0; i < 4; i++) {
        struct shipment before = *kit_get(kit, ids[i]);
        assert_int_equal(kit_begin_cancel(kit, ids[i], "x"), SHIPPING_STATE_DIFFERS);
        assert_int_equal(kit_end_cancel(kit, ids[i], true, ""), SHIPPING_STATE_DIFFERS);
        assert_int_equal(kit_end_cancel(kit, ids[i], false, "x"), SHIPPING_STATE_DIFFERS);
        assert_null(shipping_difference(kit_get(kit, ids[i]), &before, true));
    }
}

static void a_purchase_told_again_after_its_cancellation_is_a_repeat(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, "S", "customer");
    kit_end_cancel(kit, "S", true, "");
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N-S"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "M"), SHIPPING_STATE_DIFFERS);
    kit_assert_state(kit, "S", SHIPMENT_CANCELLED, 1);
}

static void a_cancellation_nobody_answered_is_put_off(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, "S", "customer");
    struct record_lookup_command *later =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *later);
    later->shipment_id = text_of("S");
    later->attempt = 1;
    later->lookup_time_us = INT64_MAX / 2;
    later->failure = text_of("no answer");
    assert_int_equal(shipping_kit_ask(kit, &later->base), SHIPPING_DONE);
    const struct shipment *shipment = kit_get(kit, "S");
    assert_true(shipment->cancel_wanted);
    assert_int_equal(shipment->lookup_time_us, INT64_MAX / 2);
    assert_int_equal(shipment->lookups, 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(what_was_not_sent_is_cancelled_at_once),
    cmocka_unit_test(a_label_is_cancelled_when_the_carrier_has_voided_it),
    cmocka_unit_test(a_carrier_may_refuse_and_be_asked_anew),
    cmocka_unit_test(a_label_its_carrier_does_not_find_waits_for_a_person),
    cmocka_unit_test(a_lost_void_may_turn_out_to_be_one_or_none),
    cmocka_unit_test(what_is_under_way_or_over_is_not_cancelled),
    cmocka_unit_test(a_purchase_told_again_after_its_cancellation_is_a_repeat),
    cmocka_unit_test(a_cancellation_nobody_answered_is_put_off),
};
const struct shipping_cases cancel_cases = {cases, sizeof cases / sizeof cases[0]};
