/*
 * What waits for a person: labels sold for attempts that were over, kept by the very step that
 * refuses the purchase; pushes of unknown shape, listed and put back to be read.
 */
#include "tests/contract/shipping/shipping_contract.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

static const int64_t far_us = INT64_C(4000000000000000);

static struct list_unwanted_labels_command *labels(struct shipping_kit *kit,
                                                   enum unwanted_label_state state,
                                                   size_t page_size, uint64_t after)
{
    struct list_unwanted_labels_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNWANTED_LABELS, sizeof *list);
    list->state = state;
    list->page_size = page_size;
    list->after = after;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    return list;
}

static struct list_unwanted_labels_command *due(struct shipping_kit *kit, int64_t by_us)
{
    struct list_unwanted_labels_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNWANTED_LABELS, sizeof *list);
    list->due_by_us = by_us;
    list->page_size = 10;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    return list;
}

static uint64_t id_of(struct shipping_kit *kit, const char *number)
{
    struct list_unwanted_labels_command *list = labels(kit, 0, 100, 0);
    for (size_t i = 0; i < list->label_count; i++) {
        if (text_equals_string(list->labels[i].tracking_number, number))
            return list->labels[i].label_id;
    }
    return 1000000;
}

static struct change_unwanted_label_command *change(struct shipping_kit *kit, const char *number,
                                                    enum unwanted_label_change what,
                                                    const char *note, enum shipping_outcome outcome)
{
    struct change_unwanted_label_command *command =
        shipping_kit_command(kit, COMMAND_CHANGE_UNWANTED_LABEL, sizeof *command);
    command->label_id = id_of(kit, number);
    command->change = what;
    command->next_time_us = far_us;
    command->note = text_of(note);
    assert_int_equal(shipping_kit_ask(kit, &command->base), outcome);
    return command;
}

static void the_step_that_refuses_a_purchase_keeps_its_label(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_VOID, "none there"), SHIPPING_DONE);
    for (int i = 0; i < 3; i++) /* told again, it is the same label */
        assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "LATE"),
                         SHIPPING_STATE_DIFFERS);
    shipping_kit_reopen(kit);
    struct list_unwanted_labels_command *list = labels(kit, 0, 10, 0);
    assert_int_equal(list->label_count, 1);
    const struct unwanted_label *label = &list->labels[0];
    assert_true(text_equals_string(label->carrier, "ups"));
    assert_true(text_equals_string(label->tracking_number, "LATE"));
    assert_true(text_equals_string(label->shipment_id, "S"));
    assert_true(
        text_equal(label->country_code, kit_get(kit, "S")->consignment.origin.country_code));
    assert_int_equal(label->attempt, 1);
    assert_int_equal(label->state, UNWANTED_LABEL_TO_VOID);
    assert_int_equal(label->asks, 0);
    assert_int_equal(label->next_time_us, label->create_time_us); /* at once */
    kit_assert_state(kit, "S", SHIPMENT_CANCELLED, 1);
    assert_string_equal(kit_audit_words(kit, "S"), "INTENT SENT UNKNOWN NEEDS_ATTENTION RESOLVE "
                                                   "VOID unwanted label");
    assert_string_equal(kit_event_words(kit), "ShipmentCancelled:S");
}

/* Carriers give a number again after months: the label of then says nothing about that of now. */
static void a_number_that_recurs_is_another_label(void **state)
{
    struct shipping_kit *kit = *state;
    static const char *const ids[] = {"A", "B"};
    for (size_t i = 0; i < 2; i++) {
        kit_bring(kit, ids[i], 0, SHIPMENT_CREATED);
        kit_end(kit, ids[i], 1, SHIPMENT_CHANGE_BOUGHT, "X");
        if (i == 0)
            change(kit, "X", UNWANTED_LABEL_CHANGE_VOIDED, "", SHIPPING_DONE);
    }
    assert_int_equal(labels(kit, 0, 10, 0)->label_count, 2);
    assert_int_equal(labels(kit, UNWANTED_LABEL_TO_VOID, 10, 0)->label_count, 1);
}

static void other_refusals_keep_none(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "N-S"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_REFUSED, "no"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_LOST, "cut"), SHIPPING_STATE_DIFFERS);
    assert_int_equal(labels(kit, 0, 10, 0)->label_count, 0);
}

/* A person adopted the number of an attempt that was given up; its answer comes at last. */
static void a_number_that_was_adopted_is_wanted_whatever_its_attempt(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_NEEDS_ATTENTION);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_BUY_AGAIN, ""), SHIPPING_DONE);
    assert_int_equal(kit_send(kit, "S", 2), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 2, SHIPMENT_CHANGE_LOST, "cut"), SHIPPING_DONE);
    assert_int_equal(kit_resolve(kit, "S", SHIPMENT_ADOPT, "FIRST"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "FIRST"), SHIPPING_DONE);
    assert_int_equal(kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "OTHER"), SHIPPING_STATE_DIFFERS);
    struct list_unwanted_labels_command *list = labels(kit, 0, 10, 0);
    assert_int_equal(list->label_count, 1);
    assert_true(text_equals_string(list->labels[0].tracking_number, "OTHER"));
}

static void a_label_goes_its_way_to_the_end(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, "X");
    assert_int_equal(due(kit, far_us)->label_count, 1);
    struct change_unwanted_label_command *done =
        change(kit, "X", UNWANTED_LABEL_CHANGE_IN_VAIN, "away", SHIPPING_DONE);
    assert_int_equal(done->label.asks, 1);
    assert_int_equal(done->label.next_time_us, far_us);
    assert_int_equal(due(kit, far_us - 1)->label_count, 0);
    assert_int_equal(due(kit, far_us)->label_count, 1);
    change(kit, "X", UNWANTED_LABEL_CHANGE_GIVEN_UP, "it will not", SHIPPING_DONE);
    assert_int_equal(due(kit, far_us)->label_count, 0);
    change(kit, "X", UNWANTED_LABEL_CHANGE_IN_VAIN, "late", SHIPPING_STATE_DIFFERS);
    struct list_unwanted_labels_command *list = labels(kit, UNWANTED_LABEL_NEEDS_ATTENTION, 10, 0);
    assert_int_equal(list->label_count, 1);
    assert_true(text_equals_string(list->labels[0].note, "it will not"));
    assert_int_equal(list->labels[0].next_time_us, 0);
    change(kit, "X", UNWANTED_LABEL_CHANGE_TRY_AGAIN, "please", SHIPPING_DONE);
    assert_int_equal(due(kit, far_us - 1)->label_count, 1);
    change(kit, "X", UNWANTED_LABEL_CHANGE_VOIDED, "answered", SHIPPING_DONE);
    change(kit, "X", UNWANTED_LABEL_CHANGE_VOIDED, "answered again", SHIPPING_DONE);
    done = change(kit, "X", UNWANTED_LABEL_CHANGE_TRY_AGAIN, "", SHIPPING_STATE_DIFFERS);
    assert_true(text_equals_string(done->label.note, "answered"));
    change(kit, "Y", UNWANTED_LABEL_CHANGE_VOIDED, "", SHIPPING_LABEL_NOT_FOUND);
    assert_string_equal(kit_audit_words(kit, "S"),
                        "INTENT SENT CREATED unwanted label unwanted label unwanted label "
                        "unwanted label"); /* IN_VAIN leaves none */
}

static void lists_are_whole_in_order_and_in_pages(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    for (int i = 0; i < 5; i++) {
        char number[8];
        snprintf(number, sizeof number, "X%d", i);
        kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, number);
    }
    change(kit, "X2", UNWANTED_LABEL_CHANGE_VOIDED, "", SHIPPING_DONE);
    struct list_unwanted_labels_command *list = labels(kit, 0, 2, 0);
    assert_true(text_equals_string(list->labels[1].tracking_number, "X1"));
    list = labels(kit, 0, 2, list->next);
    assert_true(text_equals_string(list->labels[0].tracking_number, "X2"));
    assert_true(text_equals_string(list->labels[1].tracking_number, "X3"));
    list = labels(kit, 0, 2, list->next);
    assert_int_equal(list->label_count, 1);
    assert_int_equal(list->next, 0);
    list = labels(kit, UNWANTED_LABEL_TO_VOID, 4, 0);
    assert_int_equal(list->label_count, 4);
    assert_int_equal(list->next, 0);
}

/* --- pushes of unknown shape --- */

static void keep_unread(struct shipping_kit *kit, const char *carrier, const char *body)
{
    struct keep_webhook_command *keep =
        shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *keep);
    keep->carrier = text_of(carrier);
    keep->body = text_of(body);
    assert_int_equal(shipping_kit_ask(kit, &keep->base), SHIPPING_DONE);
    struct record_scans_command *record =
        shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *record);
    record->webhook_id = keep->webhook_id;
    record->carrier = keep->carrier;
    record->is_unknown_shape = true;
    record->why = text_of("no events in it");
    assert_int_equal(shipping_kit_ask(kit, &record->base), SHIPPING_DONE);
}

static struct list_unread_pushes_command *unread(struct shipping_kit *kit, const char *carrier,
                                                 size_t page_size, uint64_t after)
{
    struct list_unread_pushes_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNREAD_PUSHES, sizeof *list);
    list->carrier = text_of(carrier);
    list->page_size = page_size;
    list->after = after;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    return list;
}

static void unread_pushes_are_listed_as_they_came(void **state)
{
    struct shipping_kit *kit = *state;
    keep_unread(kit, "ups", "one");
    keep_unread(kit, "dhl", "two");
    keep_unread(kit, "ups", "three");
    shipping_kit_reopen(kit);
    struct list_unread_pushes_command *list = unread(kit, "", 2, 0);
    assert_int_equal(list->push_count, 2);
    assert_true(text_equals_string(list->pushes[0].push.body, "one"));
    assert_true(text_equals_string(list->pushes[0].why, "no events in it"));
    assert_true(list->pushes[0].push.receive_time_us > 0);
    assert_true(text_equals_string(list->pushes[1].push.carrier, "dhl"));
    list = unread(kit, "", 2, list->next);
    assert_int_equal(list->push_count, 1);
    assert_int_equal(list->next, 0);
    list = unread(kit, "ups", 2, 0);
    assert_int_equal(list->push_count, 2);
    assert_int_equal(list->next, 0);
    assert_int_equal(unread(kit, "fedex", 2, 0)->push_count, 0);
}

static void replayed_pushes_wait_to_be_read_again(void **state)
{
    struct shipping_kit *kit = *state;
    keep_unread(kit, "ups", "one");
    keep_unread(kit, "dhl", "two");
    keep_unread(kit, "ups", "three");
    struct replay_pushes_command *replay =
        shipping_kit_command(kit, COMMAND_REPLAY_PUSHES, sizeof *replay);
    replay->carrier = text_of("ups");
    replay->count_max = 1;
    assert_int_equal(shipping_kit_ask(kit, &replay->base), SHIPPING_DONE);
    assert_int_equal(replay->count, 1);
    assert_true(replay->has_more);
    struct list_webhooks_command *waiting =
        shipping_kit_command(kit, COMMAND_LIST_WEBHOOKS, sizeof *waiting);
    waiting->page_size = 10;
    assert_int_equal(shipping_kit_ask(kit, &waiting->base), SHIPPING_DONE);
    assert_int_equal(waiting->webhook_count, 1);
    assert_true(text_equals_string(waiting->webhooks[0].body, "one"));
    assert_int_equal(unread(kit, "", 10, 0)->push_count, 2);
    replay = shipping_kit_command(kit, COMMAND_REPLAY_PUSHES, sizeof *replay);
    replay->count_max = 10;
    assert_int_equal(shipping_kit_ask(kit, &replay->base), SHIPPING_DONE);
    assert_int_equal(replay->count, 2);
    assert_false(replay->has_more);
}

static void what_is_open_is_counted(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "A", 0, SHIPMENT_NEEDS_ATTENTION);
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    for (int i = 0; i < 3; i++) {
        char number[8];
        snprintf(number, sizeof number, "X%d", i);
        kit_end(kit, "S", 1, SHIPMENT_CHANGE_BOUGHT, number);
    }
    change(kit, "X0", UNWANTED_LABEL_CHANGE_GIVEN_UP, "", SHIPPING_DONE);
    keep_unread(kit, "ups", "one");
    struct list_unfinished_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNFINISHED, sizeof *list);
    list->page_size = 10;
    assert_int_equal(shipping_kit_ask(kit, &list->base), SHIPPING_DONE);
    assert_int_equal(list->open.shipments_need_attention, 1);
    assert_int_equal(list->open.labels_to_void, 2);
    assert_int_equal(list->open.labels_need_attention, 1);
    assert_int_equal(list->open.unread_pushes, 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(the_step_that_refuses_a_purchase_keeps_its_label),
    cmocka_unit_test(a_number_that_recurs_is_another_label),
    cmocka_unit_test(other_refusals_keep_none),
    cmocka_unit_test(a_number_that_was_adopted_is_wanted_whatever_its_attempt),
    cmocka_unit_test(a_label_goes_its_way_to_the_end),
    cmocka_unit_test(lists_are_whole_in_order_and_in_pages),
    cmocka_unit_test(unread_pushes_are_listed_as_they_came),
    cmocka_unit_test(replayed_pushes_wait_to_be_read_again),
    cmocka_unit_test(what_is_open_is_counted),
};
const struct shipping_cases attention_cases = {cases, sizeof cases / sizeof cases[0]};
