/*
 * Goal: a label that nobody wants is voided whatever becomes of the process, or a person sees it;
 * pushes that nobody understood are seen, counted, and read once more when they can be. Method:
 * labels sold after a person's no, with carriers of every manner, the process dead at every command
 * in between; a carrier's reader that learns a shape.
 */
#include "tests/support/shipping/shipping_desk.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;
static const int64_t hour_us = INT64_C(3600) * 1000000;

static uint64_t gauge(struct shipping_desk *desk, const char *name)
{
    char line[128];
    unsigned long long value = 0;
    struct buffer metrics;
    buffer_init(&metrics, 65536);
    assert_true(shipping_service_write_metrics(desk->service, &metrics));
    assert_true(buffer_append(&metrics, "", 1));
    snprintf(line, sizeof line, "\nwaybill_shipping_%s ", name);
    const char *found = strstr(metrics.data, line);
    assert_non_null(found);
    assert_int_equal(sscanf(found + strlen(line), "%llu", &value), 1);
    buffer_deinit(&metrics);
    return value;
}

/* --- labels --- */

/*
 * alpha has sold "a" and not yet said so; nobody found it in a day, and a person said: there is
 * none. Its answer is the next thing that comes. The call is the caller's.
 */
static struct desk_call *sell_what_is_given_up(struct shipping_desk *desk)
{
    desk->alpha.create = (struct fake_orders){.held = true, .done_before = true, .count = 1};
    desk->alpha.find = (struct fake_orders){.verdict = CARRIER_NOT_FOUND, .count = SIZE_MAX};
    struct desk_call *call = desk_ask(desk, desk_create_shipment("a"));
    shipping_desk_pass(desk, 10 * 60 * second_us);
    shipping_desk_leap(desk, 25 * hour_us);
    shipping_desk_pass(desk, 60 * second_us);
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_NEEDS_ATTENTION);
    struct desk_call *no = desk_call_create(CALL_RESOLVE_SHIPMENT);
    no->as.resolve.shipment_id = text_of("a");
    no->as.resolve.resolution = SHIPMENT_VOID;
    desk_call_destroy(desk_ask(desk, no));
    assert_int_equal(desk_state(desk, "a"), SHIPMENT_CANCELLED);
    return call;
}

static void answer_and_forget(struct shipping_desk *desk, struct desk_call *call)
{
    fake_carrier_release(&desk->alpha);
    shipping_desk_run(desk);
    desk_call_destroy(call);
}

/* The only unwanted label; the call is the caller's. */
static struct desk_call *the_label(struct shipping_desk *desk, const struct unwanted_label **label)
{
    struct desk_call *call = desk_call_create(CALL_LIST_UNWANTED_LABELS);
    desk_ask(desk, call);
    assert_false(error_is(call->error));
    assert_int_equal(call->as.unwanted.label_count, 1);
    assert_int_equal(call->as.unwanted.next, 0);
    *label = &call->as.unwanted.labels[0];
    return call;
}

static void expect_label(struct shipping_desk *desk, enum unwanted_label_state state,
                         const char *note)
{
    const struct unwanted_label *label;
    struct desk_call *call = the_label(desk, &label);
    assert_int_equal(label->state, state);
    assert_true(text_equals_string(label->carrier, "alpha"));
    assert_true(text_equals_string(label->tracking_number, "N1"));
    assert_true(text_equals_string(label->shipment_id, "a"));
    assert_int_equal(label->next_time_us != 0, state == UNWANTED_LABEL_TO_VOID);
    if (label->note.size < strlen(note) ||
        memmem(label->note.data, label->note.size, note, strlen(note)) == NULL)
        fail_msg("%.*s, not %s", (int)label->note.size, label->note.data, note);
    desk_call_destroy(call);
}

static struct desk_call *resolve(struct shipping_desk *desk, enum unwanted_label_change change)
{
    struct desk_call *call = desk_call_create(CALL_RESOLVE_UNWANTED_LABEL);
    call->as.unwant.label_id = 1;
    call->as.unwant.change = change;
    call->as.unwant.note = text_of("seen to");
    return desk_ask(desk, call);
}

static void a_label_is_voided_at_once_where_the_carrier_does(void **state)
{
    struct shipping_desk *desk = *state;
    answer_and_forget(desk, sell_what_is_given_up(desk));
    expect_label(desk, UNWANTED_LABEL_VOIDED, "answered");
    assert_int_equal(desk->alpha.cancels, 1);
    assert_int_equal(fake_carrier_sold(&desk->alpha, "a"), 0);
    assert_int_equal(gauge(desk, "unwanted_labels_total"), 1);
    shipping_desk_leap(desk, 48 * hour_us);
    assert_int_equal(desk->alpha.cancels, 1);
}

static void a_carrier_that_is_away_is_asked_until_it_answers(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = 5};
    answer_and_forget(desk, sell_what_is_given_up(desk));
    expect_label(desk, UNWANTED_LABEL_TO_VOID, "not available");
    shipping_desk_pass(desk, 60 * second_us);
    assert_int_equal(desk->alpha.cancels, 1); /* two minutes, then four, … */
    assert_int_equal(gauge(desk, "unwanted_labels_to_void"), 1);
    shipping_desk_pass(desk, 2 * 3600 * second_us);
    assert_int_equal(desk->alpha.cancels, 6);
    expect_label(desk, UNWANTED_LABEL_VOIDED, "answered");
    assert_int_equal(gauge(desk, "unwanted_labels_to_void"), 0);
}

static void when_to_come_back_is_the_carriers_word(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.cancel = (struct fake_orders){
        .verdict = CARRIER_THROTTLED, .retry_after_us = 600 * second_us, .count = 1};
    answer_and_forget(desk, sell_what_is_given_up(desk));
    shipping_desk_pass(desk, 590 * second_us);
    assert_int_equal(desk->alpha.cancels, 1);
    shipping_desk_pass(desk, 60 * second_us);
    assert_int_equal(desk->alpha.cancels, 2);
    expect_label(desk, UNWANTED_LABEL_VOIDED, "answered");
}

static void after_a_day_of_asking_a_person_sees_to_it(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_UNKNOWN, .count = SIZE_MAX};
    answer_and_forget(desk, sell_what_is_given_up(desk));
    shipping_desk_leap(desk, 20 * hour_us);
    expect_label(desk, UNWANTED_LABEL_TO_VOID, "lost");
    shipping_desk_leap(desk, 5 * hour_us);
    shipping_desk_pass(desk, 60 * second_us);
    expect_label(desk, UNWANTED_LABEL_NEEDS_ATTENTION, "not voided in a day of asking");
    assert_int_equal(gauge(desk, "unwanted_labels_need_attention"), 1);
    size_t cancels = desk->alpha.cancels;
    shipping_desk_leap(desk, 24 * hour_us);
    assert_int_equal(desk->alpha.cancels, cancels);
}

static void a_carrier_that_will_not_and_one_that_cannot_are_for_a_person(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = 1};
    answer_and_forget(desk, sell_what_is_given_up(desk));
    expect_label(desk, UNWANTED_LABEL_NEEDS_ATTENTION, "refused: no");
    shipping_desk_deinit(desk);
    shipping_desk_init(desk);
    desk->alpha.base.capabilities.cancel = false; /* as of DHL Express */
    shipping_desk_start(desk);
    answer_and_forget(desk, sell_what_is_given_up(desk));
    expect_label(desk, UNWANTED_LABEL_NEEDS_ATTENTION,
                 "alpha has no call to void a label; do not hand the parcel over");
    assert_int_equal(desk->alpha.cancels, 0);
}

static void a_person_has_it_tried_again_or_says_that_it_is_done(void **state)
{
    struct shipping_desk *desk = *state;
    desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_REFUSED, .count = 2};
    answer_and_forget(desk, sell_what_is_given_up(desk));
    struct desk_call *call = resolve(desk, UNWANTED_LABEL_CHANGE_TRY_AGAIN);
    assert_int_equal(call->as.unwant.label.state, UNWANTED_LABEL_TO_VOID);
    desk_call_destroy(call);
    assert_int_equal(desk->alpha.cancels, 2);
    expect_label(desk, UNWANTED_LABEL_NEEDS_ATTENTION, "refused: no");
    for (int i = 0; i < 2; i++) { /* said twice is said once */
        call = resolve(desk, UNWANTED_LABEL_CHANGE_VOIDED);
        assert_int_equal(call->call->refusal, REFUSAL_NONE);
        assert_int_equal(call->as.unwant.label.state, UNWANTED_LABEL_VOIDED);
        desk_call_destroy(call);
    }
    expect_label(desk, UNWANTED_LABEL_VOIDED, "seen to");
    call = resolve(desk, UNWANTED_LABEL_CHANGE_TRY_AGAIN);
    assert_int_equal(call->call->refusal, REFUSAL_UNWANTED_LABEL_VOIDED);
    desk_call_destroy(call);
    call = desk_call_create(CALL_RESOLVE_UNWANTED_LABEL);
    call->as.unwant.label_id = 2;
    call->as.unwant.change = UNWANTED_LABEL_CHANGE_VOIDED;
    desk_ask(desk, call);
    assert_int_equal(call->call->refusal, REFUSAL_UNWANTED_LABEL_NOT_FOUND);
    desk_call_destroy(call);
}

/* The promise: from the answer on, wherever the process dies, the label ends voided. */
static void no_crash_forgets_a_label_nobody_wants(void **state)
{
    enum { fuel_max = 12 };
    struct shipping_desk *desk = *state;
    for (size_t fuel = 0; fuel <= fuel_max; fuel++) {
        for (int is_lost = 0; is_lost < 2; is_lost++) {
            shipping_desk_deinit(desk);
            shipping_desk_init(desk);
            shipping_desk_start(desk);
            desk->alpha.cancel = (struct fake_orders){.verdict = CARRIER_UNAVAILABLE, .count = 2};
            struct desk_call *call = sell_what_is_given_up(desk);
            desk->fuel = fuel;
            desk->last_is_lost = is_lost != 0;
            fake_carrier_release(&desk->alpha);
            shipping_desk_pass(desk, 300 * second_us);
            bool was_heard = fuel > 0 && desk->fuel < fuel;
            shipping_desk_kill(desk);
            desk_call_destroy(call);
            desk->last_is_lost = false;
            shipping_desk_start(desk);
            shipping_desk_pass(desk, 900 * second_us);
            if (was_heard) /* the books know of the answer */
                expect_label(desk, UNWANTED_LABEL_VOIDED, "answered");
            if (was_heard)
                assert_int_equal(fake_carrier_sold(&desk->alpha, "a"), 0);
        }
    }
}

static void wrong_fields_are_named(void **state)
{
    struct shipping_desk *desk = *state;
    struct desk_call *call = desk_call_create(CALL_RESOLVE_UNWANTED_LABEL);
    assert_false(desk_call_submit(desk, call));
    assert_int_equal(call->call->violations.count, 2);
    desk_call_destroy(call);
    call = desk_call_create(CALL_LIST_UNWANTED_LABELS);
    call->as.unwanted.state = (enum unwanted_label_state)unwanted_label_state_count;
    call->as.unwanted.page_size = shipping_page_size_max + 1;
    assert_false(desk_call_submit(desk, call));
    assert_int_equal(call->call->violations.count, 2);
    desk_call_destroy(call);
    call = desk_call_create(CALL_LIST_UNREAD_PUSHES);
    call->as.unread.carrier = text_of("a\nb");
    assert_false(desk_call_submit(desk, call));
    assert_int_equal(call->call->violations.count, 1);
    desk_call_destroy(call);
}

/* --- pushes --- */

static void push_done(struct shipping_push *push)
{
    assert_int_equal(push->verdict, SHIPPING_PUSH_KEPT);
}

static void push(struct shipping_desk *desk, const char *carrier, const char *body)
{
    const struct carrier_header header = {text_of("secret"), text_of("ours")};
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct shipping_push push = {
        .executor = &desk->executor.base,
        .arena = &arena,
        .carrier = text_of(carrier),
        .webhook = {.headers = &header, .header_count = 1, .body = text_of(body)},
        .done = push_done,
    };
    shipping_service_keep_push(desk->service, &push);
    shipping_desk_run(desk);
    arena_deinit(&arena);
}

static struct desk_call *unread(struct shipping_desk *desk, const char *carrier, size_t page_size,
                                uint64_t after)
{
    struct desk_call *call = desk_call_create(CALL_LIST_UNREAD_PUSHES);
    call->as.unread.carrier = text_of(carrier);
    call->as.unread.page_size = page_size;
    call->as.unread.after = after;
    return desk_ask(desk, call);
}

static size_t replay(struct shipping_desk *desk, const char *carrier)
{
    struct desk_call *call = desk_call_create(CALL_REPLAY_UNREAD_PUSHES);
    call->as.replay.carrier = text_of(carrier);
    desk_ask(desk, call);
    size_t count = call->as.replay.push_count;
    assert_false(call->as.replay.has_more);
    desk_call_destroy(call);
    return count;
}

static size_t scans_told(struct shipping_desk *desk)
{
    size_t count = 0;
    for (size_t i = 0; i < shipping_model_event_count(desk->model); i++)
        count += shipping_model_event(desk->model, i)->type == EVENT_CARRIER_EVENT_RECEIVED;
    return count;
}

/* What a release after this one understands. */
static struct error read_more(struct carrier *carrier, const struct carrier_webhook *webhook,
                              struct arena *arena, struct carrier_webhook_result *result)
{
    static const struct shipping_scan scan = {
        .tracking_number = {"N7", 2}, .carrier_code = {"DL", 2}, .occurred_time_us = 9};
    struct fake_carrier plain;
    if (!text_equals_string(webhook->body, "something new")) {
        fake_carrier_init(&plain, carrier->name, NULL);
        return carrier_read_webhook(&plain.base, webhook, arena, result);
    }
    *result = (struct carrier_webhook_result){
        .verdict = CARRIER_WEBHOOK_SCANS, .scans = &scan, .scan_count = 1};
    return error_none();
}

static void what_was_not_understood_is_seen_and_counted(void **state)
{
    struct shipping_desk *desk = *state;
    push(desk, "alpha", "something new");
    push(desk, "alpha", "push N1 PU");
    push(desk, "beta", "something else");
    struct desk_call *call = unread(desk, "", 1, 0);
    assert_int_equal(call->as.unread.push_count, 1);
    assert_true(text_equals_string(call->as.unread.pushes[0].push.body, "something new"));
    assert_true(text_equals_string(call->as.unread.pushes[0].push.carrier, "alpha"));
    assert_true(call->as.unread.pushes[0].push.receive_time_us > 0);
    assert_true(call->as.unread.pushes[0].why.size > 0);
    uint64_t next = call->as.unread.next;
    assert_int_not_equal(next, 0);
    desk_call_destroy(call);
    call = unread(desk, "", 1, next);
    assert_true(text_equals_string(call->as.unread.pushes[0].push.body, "something else"));
    assert_int_equal(call->as.unread.next, 0);
    desk_call_destroy(call);
    call = unread(desk, "beta", 0, 0);
    assert_int_equal(call->as.unread.push_count, 1);
    desk_call_destroy(call);
    shipping_desk_pass(desk, 20 * second_us);
    assert_int_equal(gauge(desk, "unread_pushes"), 2);
    shipping_desk_stop(desk); /* the count is the books', not the process's */
    shipping_desk_start(desk);
    assert_int_equal(gauge(desk, "unread_pushes"), 2);
}

static void after_an_upgrade_they_are_read_once_more(void **state)
{
    static struct carrier_table table;
    struct shipping_desk *desk = *state;
    push(desk, "alpha", "something new");
    push(desk, "alpha", "something odd");
    push(desk, "beta", "something else");
    assert_int_equal(scans_told(desk), 0);
    assert_int_equal(replay(desk, ""), 3); /* nothing has changed: they are as unread as before */
    struct desk_call *call = unread(desk, "", 0, 0);
    assert_int_equal(call->as.unread.push_count, 3);
    desk_call_destroy(call);
    table = *desk->alpha.base.table;
    table.read_webhook = read_more;
    desk->alpha.base.table = &table;
    assert_int_equal(replay(desk, "alpha"), 2);
    assert_int_equal(scans_told(desk), 1);
    call = unread(desk, "", 0, 0);
    assert_int_equal(call->as.unread.push_count, 2);
    assert_true(text_equals_string(call->as.unread.pushes[0].push.body, "something odd"));
    desk_call_destroy(call);
    assert_int_equal(replay(desk, "alpha"), 1);
    assert_int_equal(scans_told(desk), 1); /* told once for ever */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_label_is_voided_at_once_where_the_carrier_does,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_carrier_that_is_away_is_asked_until_it_answers,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(when_to_come_back_is_the_carriers_word,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(after_a_day_of_asking_a_person_sees_to_it,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(
            a_carrier_that_will_not_and_one_that_cannot_are_for_a_person, shipping_desk_set_up,
            shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(a_person_has_it_tried_again_or_says_that_it_is_done,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(no_crash_forgets_a_label_nobody_wants, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(wrong_fields_are_named, shipping_desk_set_up,
                                        shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_understood_is_seen_and_counted,
                                        shipping_desk_set_up, shipping_desk_tear_down),
        cmocka_unit_test_setup_teardown(after_an_upgrade_they_are_read_once_more,
                                        shipping_desk_set_up, shipping_desk_tear_down),
    };
    return cmocka_run_group_tests_name("shipping_attention", tests, NULL, NULL);
}
