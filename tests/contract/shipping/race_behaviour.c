/*
 * What many callers ask at once, on PostgreSQL of two processes: whoever is first, the effect is
 * there once (RELIABILITY row 3).
 */
#include "tests/contract/shipping/shipping_contract.h"

#include <stdio.h>

enum { callers = 16, rounds = 8 };

/* The round's commands at the same time, the odd ones by the second store; gives how many with
 * `outcome`. */
static unsigned race(struct shipping_kit *kit, struct shipping_command *const *commands,
                     enum shipping_outcome outcome)
{
    struct shipping_repository *const stores[] = {kit->repository, shipping_kit_second(kit)};
    unsigned count = 0;
    for (size_t i = 0; i < callers; i++)
        shipping_kit_submit(kit, stores[i % 2], commands[i]);
    shipping_kit_wait(kit);
    assert_int_equal(kit->error, ERROR_NONE);
    for (size_t i = 0; i < callers; i++)
        count += commands[i]->outcome == outcome;
    return count;
}

static void one_of_many_callers_gets_the_attempt(void **state)
{
    struct shipping_kit *kit = *state;
    for (unsigned round = 0; round < rounds; round++) {
        struct shipping_command *commands[callers];
        char id[16];
        sprintf(id, "S%u", round);
        for (size_t i = 0; i < callers; i++)
            commands[i] = &kit_begin_command(kit, id, 0)->base;
        assert_int_equal(race(kit, commands, SHIPPING_DONE), callers);
        unsigned made = 0;
        for (size_t i = 0; i < callers; i++)
            made += ((struct begin_shipment_command *)commands[i])->is_new;
        assert_int_equal(made, 1);
        for (uint32_t attempt = 1; attempt <= 2; attempt++) {
            for (size_t i = 0; i < callers; i++)
                commands[i] = &kit_send_command(kit, id, attempt)->base;
            assert_int_equal(race(kit, commands, SHIPPING_DONE), 1);
            if (attempt == 1)
                kit_end(kit, id, 1, SHIPMENT_CHANGE_NOT_DONE, "throttled");
        }
        shipping_kit_reset(kit);
    }
}

static void one_of_many_purchases_is_kept(void **state)
{
    struct shipping_kit *kit = *state;
    for (unsigned round = 0; round < rounds; round++) {
        struct shipping_command *commands[callers];
        char id[16], number[16];
        sprintf(id, "S%u", round);
        kit_begin(kit, id, 1);
        kit_send(kit, id, 1);
        for (unsigned i = 0; i < callers; i++) {
            sprintf(number, "N%u", i / 2); /* each told twice */
            commands[i] = &kit_end_command(kit, id, 1, SHIPMENT_CHANGE_BOUGHT, number)->base;
        }
        assert_int_equal(race(kit, commands, SHIPPING_DONE), 2);
        assert_int_equal(kit_get(kit, id)->revision, 3);
        const char *words = kit_audit_words(kit, id);
        assert_memory_equal(words, "INTENT SENT CREATED unwanted label", 34);
        assert_int_equal(strlen(words), 19 + (callers / 2 - 1) * strlen(" unwanted label"));
        shipping_kit_reset(kit);
    }
    size_t count;
    (void)kit_events(kit, &count);
    assert_int_equal(count, rounds);
}

/* Sending against cancelling: either it is cancelled and nobody sends, or one sends. */
static void sending_and_cancelling_at_once_agree(void **state)
{
    struct shipping_kit *kit = *state;
    for (unsigned round = 0; round < rounds; round++) {
        struct shipping_command *commands[callers];
        char id[16];
        unsigned sent = 0, cancelled = 0;
        sprintf(id, "S%u", round);
        kit_begin(kit, id, 0);
        for (size_t i = 0; i < callers; i++) {
            if ((i + round) % 3 == 0)
                commands[i] = &kit_cancel_command(kit, COMMAND_BEGIN_CANCEL, id, false, "x")->base;
            else
                commands[i] = &kit_send_command(kit, id, 1)->base;
        }
        (void)race(kit, commands, SHIPPING_DONE);
        for (size_t i = 0; i < callers; i++) {
            bool done = commands[i]->outcome == SHIPPING_DONE;
            sent += done && commands[i]->kind == COMMAND_MARK_SENT;
            cancelled += done && commands[i]->kind == COMMAND_BEGIN_CANCEL;
        }
        assert_true((sent == 1 && cancelled == 0) || (sent == 0 && cancelled > 0));
        kit_assert_state(kit, id, sent == 1 ? SHIPMENT_SENT : SHIPMENT_CANCELLED, 1);
        shipping_kit_reset(kit);
    }
}

/* The answer against the resolver: sweep, look-ups and a person at the same time. */
static void an_answer_and_the_resolver_at_once_leave_one_label(void **state)
{
    struct shipping_kit *kit = *state;
    for (unsigned round = 0; round < rounds; round++) {
        struct shipping_command *commands[callers];
        char id[16];
        sprintf(id, "S%u", round);
        kit_begin(kit, id, 0);
        kit_send(kit, id, 1);
        for (unsigned i = 0; i < callers; i++) {
            if (i % 4 == 0) {
                struct list_unfinished_command *sweep =
                    shipping_kit_command(kit, COMMAND_LIST_UNFINISHED, sizeof *sweep);
                sweep->now_us = sweep->sent_before_us = INT64_MAX / 2;
                sweep->page_size = 100;
                commands[i] = &sweep->base;
            } else if (i % 4 == 1) {
                commands[i] = &kit_end_command(kit, id, 1, SHIPMENT_CHANGE_BOUGHT, "ANSWER")->base;
            } else if (i % 4 == 2) {
                commands[i] = &kit_end_command(kit, id, 1, SHIPMENT_CHANGE_LOST, "cut")->base;
            } else {
                commands[i] = &kit_resolve_command(kit, id, SHIPMENT_ADOPT, "ADOPTED")->base;
            }
        }
        (void)race(kit, commands, SHIPPING_DONE);
        const struct shipment *shipment = kit_get(kit, id);
        assert_int_equal(shipment->state, SHIPMENT_CREATED);
        bool answered = text_equals_string(shipment->tracking_number, "ANSWER");
        for (size_t i = 0; i < callers; i++) {
            if (commands[i]->kind == COMMAND_RECORD_PURCHASE && i % 4 == 1)
                assert_int_equal(commands[i]->outcome == SHIPPING_DONE, answered);
            if (commands[i]->kind == COMMAND_RESOLVE_SHIPMENT && answered)
                assert_int_equal(commands[i]->outcome, SHIPPING_STATE_DIFFERS);
        }
        shipping_kit_reset(kit);
    }
    size_t count;
    (void)kit_events(kit, &count);
    assert_int_equal(count, rounds);
}

static void a_push_sent_many_times_at_once_is_kept_and_told_once(void **state)
{
    struct shipping_kit *kit = *state;
    kit_bring(kit, "S", 0, SHIPMENT_CREATED);
    for (unsigned round = 0; round < rounds; round++) {
        struct shipping_command *commands[callers];
        struct shipping_scan scans[2] = {0};
        char body[16];
        unsigned made = 0;
        size_t told = 0;
        sprintf(body, "body %u", round);
        for (size_t i = 0; i < callers; i++) {
            struct keep_webhook_command *keep =
                shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *keep);
            keep->carrier = text_of("ups");
            keep->body = text_of(body);
            commands[i] = &keep->base;
        }
        assert_int_equal(race(kit, commands, SHIPPING_DONE), callers);
        uint64_t id = ((struct keep_webhook_command *)commands[0])->webhook_id;
        for (size_t i = 0; i < callers; i++) {
            made += ((struct keep_webhook_command *)commands[i])->is_new;
            assert_int_equal(((struct keep_webhook_command *)commands[i])->webhook_id, id);
        }
        assert_int_equal(made, 1);
        scans[0].tracking_number = text_of("N-S");
        scans[1].tracking_number = text_of("elsewhere");
        scans[0].carrier_code = scans[1].carrier_code = text_of(body);
        for (size_t i = 0; i < callers; i++) {
            struct record_scans_command *record =
                shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *record);
            record->webhook_id = id;
            record->carrier = text_of("ups");
            record->scans = scans;
            record->scan_count = 2;
            commands[i] = &record->base;
        }
        assert_int_equal(race(kit, commands, SHIPPING_DONE), callers);
        for (size_t i = 0; i < callers; i++)
            told += ((struct record_scans_command *)commands[i])->new_count;
        assert_int_equal(told, 2);
        shipping_kit_reset(kit);
    }
    size_t count;
    (void)kit_events(kit, &count);
    assert_int_equal(count, 1 + 2 * rounds);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(one_of_many_callers_gets_the_attempt),
    cmocka_unit_test(one_of_many_purchases_is_kept),
    cmocka_unit_test(sending_and_cancelling_at_once_agree),
    cmocka_unit_test(an_answer_and_the_resolver_at_once_leave_one_label),
    cmocka_unit_test(a_push_sent_many_times_at_once_is_kept_and_told_once),
};
const struct shipping_cases race_cases = {cases, sizeof cases / sizeof cases[0]};
