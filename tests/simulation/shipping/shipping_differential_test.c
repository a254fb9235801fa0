/*
 * Goal: the SQL stores decide what the model decides, whatever is asked in whatever order.
 * Method: from a seed, the same commands to both, with wrong attempts, repeats, other content and
 * reopened stores among them; each answer is compared at once, all that is there every so often:
 * records, labels, audit trails, lists, numbers, pushes, events (on SQLite byte for byte, for both
 * have one clock there).
 */
#include "platform/base/check.h"
#include "platform/base/random.h"
#include "tests/support/shipping/shipping_copy.h"
#include "tests/support/shipping/shipping_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ids_per_world = 9, operations_per_world = 220, worlds_sqlite = 12, worlds_postgresql = 3 };

static const int64_t far_us = INT64_MAX / 2;

static uint64_t seed;
static struct random_seeded chance;
static struct shipping_kit stores[2]; /* the model, the database */

static unsigned below(unsigned bound)
{
    return (unsigned)random_below(&chance.base, bound);
}

static bool has_one_clock(void)
{
    return !sql_kit_runs_on_postgresql();
}

/* --- one command, as both get it --- */

struct operation {
    enum shipping_command_kind kind;
    char id[16];
    uint32_t attempt;
    enum shipment_change change;
    enum shipment_resolution resolution;
    unsigned variant;
    char words[16];
    bool flag;
    int64_t time_us;
};

static uint32_t some_attempt(const char *id)
{
    struct get_shipment_command *get =
        shipping_kit_command(&stores[0], COMMAND_GET_SHIPMENT, sizeof *get);
    get->shipment_id = text_of(id);
    uint32_t now =
        shipping_kit_ask(&stores[0], &get->base) == SHIPPING_DONE ? get->shipment.attempt : 1;
    unsigned roll = below(10);
    return roll == 0 ? now + 1 : roll == 1 && now > 1 ? now - 1 : now;
}

static struct operation some_operation(void)
{
    static const enum shipping_command_kind kinds[] = {
        COMMAND_BEGIN_SHIPMENT,
        COMMAND_BEGIN_SHIPMENT,
        COMMAND_MARK_SENT,
        COMMAND_MARK_SENT,
        COMMAND_MARK_SENT,
        COMMAND_RECORD_PURCHASE,
        COMMAND_RECORD_PURCHASE,
        COMMAND_RECORD_PURCHASE,
        COMMAND_RECORD_PURCHASE,
        COMMAND_RECORD_LOOKUP,
        COMMAND_BEGIN_CANCEL,
        COMMAND_END_CANCEL,
        COMMAND_RESOLVE_SHIPMENT,
        COMMAND_RESOLVE_SHIPMENT,
        COMMAND_LIST_UNFINISHED,
        COMMAND_KEEP_WEBHOOK,
        COMMAND_RECORD_SCANS,
        COMMAND_KEEP_AUDIT,
        COMMAND_REPLAY_PUSHES,
        COMMAND_CHANGE_UNWANTED_LABEL,
        COMMAND_LIST_UNWANTED_LABELS,
    };
    static const enum shipment_change changes[] = {
        SHIPMENT_CHANGE_NOT_DONE, SHIPMENT_CHANGE_BOUGHT,    SHIPMENT_CHANGE_REFUSED,
        SHIPMENT_CHANGE_LOST,     SHIPMENT_CHANGE_ABANDONED, SHIPMENT_CHANGE_LOST,
        SHIPMENT_CHANGE_NOT_DONE, SHIPMENT_CHANGE_BOUGHT,
    };
    struct operation operation = {
        .kind = kinds[below(sizeof kinds / sizeof kinds[0])],
        .change = changes[below(sizeof changes / sizeof changes[0])],
        .resolution = (enum shipment_resolution)(1 + below(3)),
        .flag = below(2) == 0,
        .time_us = below(3) == 0 ? far_us : 1 + (int64_t)below(50),
    };
    unsigned number = below(ids_per_world);
    snprintf(operation.id, sizeof operation.id, "S%u", number);
    operation.variant = below(12) == 0 ? number + 1 : number;
    snprintf(operation.words, sizeof operation.words, "N%u", below(4));
    operation.attempt = some_attempt(operation.id);
    return operation;
}

static struct shipping_command *make_scans(struct shipping_kit *kit,
                                           const struct operation *operation)
{
    struct record_scans_command *record =
        shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *record);
    struct shipping_scan *scans = arena_allocate_zero(&kit->arena, 3, sizeof *scans);
    CHECK(scans != NULL);
    for (unsigned i = 0; i < 3; i++) {
        char *number = arena_format(&kit->arena, "N%u-%u", operation->attempt % 4, i);
        CHECK(number != NULL);
        scans[i].tracking_number = text_of(number);
        scans[i].carrier_code = text_of(operation->flag ? "DP" : "AR");
        scans[i].has_point = operation->flag;
        scans[i].latitude_e7 = 7;
        scans[i].occurred_time_us = operation->time_us;
    }
    record->carrier = text_of(operation->variant % 2 == 0 ? "ups" : "dhl");
    record->receive_time_us = 17;
    record->scans = scans;
    record->scan_count = operation->variant % 4;
    record->webhook_id = operation->variant;
    record->is_unknown_shape = record->scan_count == 0;
    record->why = text_of(record->is_unknown_shape ? "strange" : "");
    return &record->base;
}

static struct shipping_command *make_audit(struct shipping_kit *kit,
                                           const struct operation *operation)
{
    struct keep_audit_command *keep = shipping_kit_command(kit, COMMAND_KEEP_AUDIT, sizeof *keep);
    struct shipping_audit *entry = arena_allocate_zero(&kit->arena, 1, sizeof *entry);
    CHECK(entry != NULL);
    entry->time_us = operation->time_us;
    entry->shipment_id = arena_copy_text(&kit->arena, text_of(operation->id));
    entry->what = text_of("create_shipment");
    entry->status = operation->variant;
    entry->answer = text_make("\xFF\0", 2);
    keep->entries = entry;
    keep->entry_count = 1;
    return &keep->base;
}

static struct shipping_command *make_lookup(struct shipping_kit *kit,
                                            const struct operation *operation)
{
    struct record_lookup_command *lookup =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *lookup);
    lookup->shipment_id = arena_copy_text(&kit->arena, text_of(operation->id));
    lookup->attempt = operation->attempt;
    lookup->lookup_time_us = operation->time_us;
    lookup->failure = arena_copy_text(&kit->arena, text_of(operation->words));
    return &lookup->base;
}

static struct shipping_command *make_unfinished(struct shipping_kit *kit,
                                                const struct operation *operation)
{
    struct list_unfinished_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNFINISHED, sizeof *list);
    list->now_us = operation->flag ? far_us : operation->time_us;
    list->sent_before_us = operation->variant % 3 == 0 ? far_us : 0;
    list->page_size = 1 + operation->variant;
    return &list->base;
}

static struct shipping_command *make_replay(struct shipping_kit *kit,
                                            const struct operation *operation)
{
    struct replay_pushes_command *replay =
        shipping_kit_command(kit, COMMAND_REPLAY_PUSHES, sizeof *replay);
    replay->carrier = text_of(operation->flag ? "ups" : "");
    replay->count_max = 1 + operation->variant % 2;
    return &replay->base;
}

static struct shipping_command *make_unwanted(struct shipping_kit *kit,
                                              const struct operation *operation)
{
    struct list_unwanted_labels_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNWANTED_LABELS, sizeof *list);
    list->due_by_us = operation->flag ? far_us : 0;
    list->state = (enum unwanted_label_state)(operation->variant % unwanted_label_state_count);
    list->page_size = operation->flag ? 100 : 1 + operation->variant;
    return &list->base;
}

/* The one at that place in the list: a store's ids are its own. */
static struct shipping_command *make_voiding(struct shipping_kit *kit,
                                             const struct operation *operation)
{
    struct change_unwanted_label_command *change =
        shipping_kit_command(kit, COMMAND_CHANGE_UNWANTED_LABEL, sizeof *change);
    struct list_unwanted_labels_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNWANTED_LABELS, sizeof *list);
    list->page_size = 1000;
    (void)shipping_kit_ask(kit, &list->base);
    size_t place = operation->attempt % (list->label_count + 1);
    change->label_id = place < list->label_count ? list->labels[place].label_id : UINT64_C(1) << 40;
    change->change = (enum unwanted_label_change)(operation->variant % unwanted_label_change_count);
    change->next_time_us = operation->time_us;
    change->note = arena_copy_text(&kit->arena, text_of(operation->flag ? operation->id : ""));
    return &change->base;
}

static struct shipping_command *make(struct shipping_kit *kit, const struct operation *operation)
{
    switch (operation->kind) {
    case COMMAND_BEGIN_SHIPMENT:
        return &kit_begin_command(kit, operation->id, operation->variant)->base;
    case COMMAND_MARK_SENT:
        return &kit_send_command(kit, operation->id, operation->attempt)->base;
    case COMMAND_RECORD_PURCHASE:
        return &kit_end_command(kit, operation->id, operation->attempt, operation->change,
                                operation->words)
                    ->base;
    case COMMAND_RECORD_LOOKUP:
        return make_lookup(kit, operation);
    case COMMAND_BEGIN_CANCEL:
    case COMMAND_END_CANCEL: {
        struct cancel_shipment_command *cancel = kit_cancel_command(
            kit, operation->kind, operation->id, operation->flag, operation->words);
        cancel->is_lost = !operation->flag && operation->time_us != far_us;
        return &cancel->base;
    }
    case COMMAND_RESOLVE_SHIPMENT:
        return &kit_resolve_command(kit, operation->id, operation->resolution, operation->words)
                    ->base;
    case COMMAND_LIST_UNFINISHED:
        return make_unfinished(kit, operation);
    case COMMAND_KEEP_WEBHOOK: {
        struct keep_webhook_command *keep =
            shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *keep);
        keep->carrier = text_of(operation->flag ? "ups" : "dhl");
        keep->body = arena_copy_text(&kit->arena, text_of(operation->id));
        return &keep->base;
    }
    case COMMAND_KEEP_AUDIT:
        return make_audit(kit, operation);
    case COMMAND_RECORD_SCANS:
        return make_scans(kit, operation);
    case COMMAND_REPLAY_PUSHES:
        return make_replay(kit, operation);
    case COMMAND_LIST_UNWANTED_LABELS:
        return make_unwanted(kit, operation);
    case COMMAND_CHANGE_UNWANTED_LABEL:
        return make_voiding(kit, operation);
    case COMMAND_LIST_UNREAD_PUSHES:
    case COMMAND_GET_SHIPMENT:
    case COMMAND_FIND_SHIPMENT:
    case COMMAND_LIST_SHIPMENTS:
    case COMMAND_GET_SHIPMENT_LABEL:
    case COMMAND_LIST_AUDIT:
    case COMMAND_LIST_WEBHOOKS:
        break;
    }
    CHECK(false);
    return NULL;
}

/* --- comparing --- */

static const struct shipment *shipment_of(const struct shipping_command *command)
{
    switch (command->kind) {
    case COMMAND_BEGIN_SHIPMENT:
        return &((const struct begin_shipment_command *)command)->shipment;
    case COMMAND_MARK_SENT:
        return &((const struct mark_sent_command *)command)->shipment;
    case COMMAND_RECORD_PURCHASE:
        return &((const struct record_purchase_command *)command)->shipment;
    case COMMAND_RECORD_LOOKUP:
        return &((const struct record_lookup_command *)command)->shipment;
    case COMMAND_BEGIN_CANCEL:
    case COMMAND_END_CANCEL:
        return &((const struct cancel_shipment_command *)command)->shipment;
    case COMMAND_RESOLVE_SHIPMENT:
        return &((const struct resolve_shipment_command *)command)->shipment;
    case COMMAND_GET_SHIPMENT:
        return &((const struct get_shipment_command *)command)->shipment;
    case COMMAND_FIND_SHIPMENT:
        return &((const struct find_shipment_command *)command)->shipment;
    case COMMAND_GET_SHIPMENT_LABEL:
        return &((const struct get_label_command *)command)->shipment;
    case COMMAND_LIST_SHIPMENTS:
    case COMMAND_LIST_UNFINISHED:
    case COMMAND_KEEP_AUDIT:
    case COMMAND_LIST_AUDIT:
    case COMMAND_KEEP_WEBHOOK:
    case COMMAND_LIST_WEBHOOKS:
    case COMMAND_RECORD_SCANS:
    case COMMAND_LIST_UNREAD_PUSHES:
    case COMMAND_REPLAY_PUSHES:
    case COMMAND_LIST_UNWANTED_LABELS:
    case COMMAND_CHANGE_UNWANTED_LABEL:
        return NULL;
    }
    return NULL;
}

static void same_label(const struct unwanted_label *a, const struct unwanted_label *b)
{
    assert_true(text_equal(a->carrier, b->carrier) &&
                text_equal(a->tracking_number, b->tracking_number) &&
                text_equal(a->shipment_id, b->shipment_id) && text_equal(a->note, b->note) &&
                text_equal(a->country_code, b->country_code));
    assert_int_equal(a->attempt, b->attempt);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->asks, b->asks);
    assert_int_equal(a->next_time_us == 0, b->next_time_us == 0);
    if (has_one_clock()) {
        assert_int_equal(a->create_time_us, b->create_time_us);
        assert_int_equal(a->next_time_us, b->next_time_us);
    }
}

/* What is due is ordered by the store's clock, which are two where one is PostgreSQL's. */
static void same_labels(const struct list_unwanted_labels_command *a,
                        const struct list_unwanted_labels_command *b)
{
    assert_int_equal(a->label_count, b->label_count);
    assert_int_equal(a->next == 0, b->next == 0);
    for (size_t i = 0; i < a->label_count && (a->due_by_us == 0 || has_one_clock()); i++)
        same_label(&a->labels[i], &b->labels[i]);
}

static void same_shipments(const struct shipment *a, size_t a_count, const struct shipment *b,
                           size_t b_count)
{
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        const char *different = shipping_difference(&a[i], &b[i], has_one_clock());
        if (different != NULL)
            fail_msg("%.*s: %s", (int)a[i].shipment_id.size, a[i].shipment_id.data, different);
    }
}

static void same_answer(const struct shipping_command *a, const struct shipping_command *b)
{
    assert_int_equal(a->outcome, b->outcome);
    bool shows = a->outcome != SHIPPING_SHIPMENT_NOT_FOUND && a->outcome != SHIPPING_ID_REUSED;
    if (shipment_of(a) != NULL && shows)
        same_shipments(shipment_of(a), 1, shipment_of(b), 1);
    if (a->kind == COMMAND_BEGIN_SHIPMENT)
        assert_int_equal(((const struct begin_shipment_command *)a)->is_new,
                         ((const struct begin_shipment_command *)b)->is_new);
    if (a->kind == COMMAND_KEEP_WEBHOOK)
        assert_int_equal(((const struct keep_webhook_command *)a)->is_new,
                         ((const struct keep_webhook_command *)b)->is_new);
    if (a->kind == COMMAND_RECORD_SCANS)
        assert_int_equal(((const struct record_scans_command *)a)->new_count,
                         ((const struct record_scans_command *)b)->new_count);
    if (a->kind == COMMAND_LIST_UNFINISHED) {
        const struct list_unfinished_command *one = (const struct list_unfinished_command *)a;
        const struct list_unfinished_command *other = (const struct list_unfinished_command *)b;
        same_shipments(one->shipments, one->shipment_count, other->shipments,
                       other->shipment_count);
        assert_memory_equal(&one->open, &other->open, sizeof one->open);
    }
    if (a->kind == COMMAND_REPLAY_PUSHES) {
        const struct replay_pushes_command *one = (const struct replay_pushes_command *)a;
        const struct replay_pushes_command *other = (const struct replay_pushes_command *)b;
        assert_int_equal(one->count, other->count);
        assert_int_equal(one->has_more, other->has_more);
    }
    if (a->kind == COMMAND_LIST_UNWANTED_LABELS)
        same_labels((const struct list_unwanted_labels_command *)a,
                    (const struct list_unwanted_labels_command *)b);
    if (a->kind == COMMAND_CHANGE_UNWANTED_LABEL && a->outcome != SHIPPING_LABEL_NOT_FOUND)
        same_label(&((const struct change_unwanted_label_command *)a)->label,
                   &((const struct change_unwanted_label_command *)b)->label);
}

/* Everything that can be asked about one shipment, and its labels. */
static void same_shipment(const char *id)
{
    static const enum shipping_label_format formats[] = {SHIPPING_LABEL_ZPL, SHIPPING_LABEL_PDF};
    for (size_t i = 0; i < 6; i++) {
        struct get_label_command *get[2];
        for (size_t k = 0; k < 2; k++) {
            get[k] = shipping_kit_command(&stores[k], COMMAND_GET_SHIPMENT_LABEL, sizeof *get[k]);
            get[k]->shipment_id = text_of(id);
            get[k]->parcel = i / 2;
            get[k]->format = formats[i % 2];
            (void)shipping_kit_ask(&stores[k], &get[k]->base);
        }
        same_answer(&get[0]->base, &get[1]->base);
        assert_true(text_equal(get[0]->content, get[1]->content));
    }
    struct list_audit_command *trail[2];
    for (size_t k = 0; k < 2; k++) {
        trail[k] = shipping_kit_command(&stores[k], COMMAND_LIST_AUDIT, sizeof *trail[k]);
        trail[k]->shipment_id = text_of(id);
        trail[k]->page_size = 1000;
        (void)shipping_kit_ask(&stores[k], &trail[k]->base);
    }
    assert_int_equal(trail[0]->entry_count, trail[1]->entry_count);
    for (size_t i = 0; i < trail[0]->entry_count; i++) {
        const struct shipping_audit *a = &trail[0]->entries[i];
        const struct shipping_audit *b = &trail[1]->entries[i];
        assert_true(text_equal(a->what, b->what) && text_equal(a->note, b->note));
        assert_true(text_equal(a->answer, b->answer) && a->status == b->status);
        assert_int_equal(a->attempt, b->attempt);
        if (has_one_clock())
            assert_int_equal(a->time_us, b->time_us);
    }
}

static void same_unread(void)
{
    struct list_unread_pushes_command *list[2];
    for (size_t k = 0; k < 2; k++) {
        list[k] = shipping_kit_command(&stores[k], COMMAND_LIST_UNREAD_PUSHES, sizeof *list[k]);
        list[k]->page_size = 1000;
        (void)shipping_kit_ask(&stores[k], &list[k]->base);
    }
    assert_int_equal(list[0]->push_count, list[1]->push_count);
    for (size_t i = 0; i < list[0]->push_count; i++) {
        const struct shipping_unread_push *a = &list[0]->pushes[i], *b = &list[1]->pushes[i];
        assert_true(text_equal(a->push.body, b->push.body) && text_equal(a->why, b->why) &&
                    text_equal(a->push.carrier, b->push.carrier));
    }
}

static void same_lists(void)
{
    same_unread();
    for (int at = 0; at < shipment_state_count; at++) {
        struct list_shipments_command *list[2];
        for (size_t k = 0; k < 2; k++) {
            list[k] = shipping_kit_command(&stores[k], COMMAND_LIST_SHIPMENTS, sizeof *list[k]);
            list[k]->state = (enum shipment_state)at;
            list[k]->page_size = 1000;
            (void)shipping_kit_ask(&stores[k], &list[k]->base);
        }
        same_shipments(list[0]->shipments, list[0]->shipment_count, list[1]->shipments,
                       list[1]->shipment_count);
    }
    struct list_webhooks_command *pushes[2];
    for (size_t k = 0; k < 2; k++) {
        pushes[k] = shipping_kit_command(&stores[k], COMMAND_LIST_WEBHOOKS, sizeof *pushes[k]);
        pushes[k]->page_size = 1000;
        (void)shipping_kit_ask(&stores[k], &pushes[k]->base);
    }
    assert_int_equal(pushes[0]->webhook_count, pushes[1]->webhook_count);
    for (size_t i = 0; i < pushes[0]->webhook_count; i++)
        assert_true(text_equal(pushes[0]->webhooks[i].body, pushes[1]->webhooks[i].body) &&
                    text_equal(pushes[0]->webhooks[i].carrier, pushes[1]->webhooks[i].carrier));
}

static void same_numbers(void)
{
    for (unsigned i = 0; i < 24; i++) {
        struct find_shipment_command *find[2];
        for (size_t k = 0; k < 2; k++) {
            find[k] = shipping_kit_command(&stores[k], COMMAND_FIND_SHIPMENT, sizeof *find[k]);
            find[k]->carrier = text_of(i % 2 == 0 ? "ups" : "dhl");
            char *number = i / 2 % 3 == 0
                               ? arena_format(&stores[k].arena, "N%u", i / 6)
                               : arena_format(&stores[k].arena, "N%u-%u", i / 6, i / 2 % 3 - 1);
            CHECK(number != NULL);
            find[k]->tracking_number = text_of(number);
            (void)shipping_kit_ask(&stores[k], &find[k]->base);
        }
        same_answer(&find[0]->base, &find[1]->base);
    }
}

static void same_events(void)
{
    size_t count[2];
    const struct kit_event *a = kit_events(&stores[0], &count[0]);
    const struct kit_event *b = kit_events(&stores[1], &count[1]);
    assert_int_equal(count[0], count[1]);
    for (size_t i = 0; i < count[0]; i++) {
        assert_true(text_equal(a[i].type, b[i].type) && text_equal(a[i].key, b[i].key));
        assert_true(text_equal(a[i].event_id, b[i].event_id));
        if (has_one_clock())
            assert_true(text_equal(a[i].data, b[i].data));
    }
}

static void same_everything(void)
{
    for (unsigned i = 0; i < ids_per_world; i++) {
        char id[16];
        snprintf(id, sizeof id, "S%u", i);
        same_shipment(id);
    }
    same_lists();
    same_numbers();
    same_events();
}

/* --- a world --- */

static void run_world(unsigned *outcomes)
{
    shipping_kit_init(&stores[0], SHIPPING_KIT_MODEL);
    shipping_kit_init(&stores[1], SHIPPING_KIT_SQL);
    for (unsigned i = 0; i < operations_per_world; i++) {
        struct operation operation = some_operation();
        struct shipping_command *commands[2];
        int64_t passed_us = 1 + (int64_t)below(1000);
        bool again = below(8) == 0;
        for (size_t k = 0; k < 2; k++)
            fake_clock_advance(&stores[k].clock, passed_us);
        if (below(40) == 0)
            shipping_kit_reopen(&stores[1]);
        for (size_t k = 0; k < 2; k++) {
            commands[k] = make(&stores[k], &operation);
            for (int time = 0; time <= again; time++)
                (void)shipping_kit_ask(&stores[k], commands[k]);
        }
        same_answer(commands[0], commands[1]);
        outcomes[commands[0]->outcome]++;
        if (i % 100 == 99)
            same_everything();
        for (size_t k = 0; k < 2; k++)
            shipping_kit_reset(&stores[k]);
    }
    same_everything();
    for (size_t k = 0; k < 2; k++)
        shipping_kit_deinit(&stores[k]);
}

static void the_stores_decide_what_the_model_decides(void **state)
{
    unsigned outcomes[SHIPPING_STATE_DIFFERS + 1] = {0};
    unsigned worlds = sql_kit_runs_on_postgresql() ? worlds_postgresql : worlds_sqlite;
    (void)state;
    random_seeded_init(&chance, seed);
    for (unsigned i = 0; i < worlds; i++)
        run_world(outcomes);
    print_message("# %u operations: %u done, %u not found, %u of another state, %u ids reused\n",
                  worlds * operations_per_world, outcomes[SHIPPING_DONE],
                  outcomes[SHIPPING_SHIPMENT_NOT_FOUND], outcomes[SHIPPING_STATE_DIFFERS],
                  outcomes[SHIPPING_ID_REUSED]);
    assert_true(outcomes[SHIPPING_DONE] > worlds * operations_per_world / 4);
    assert_true(outcomes[SHIPPING_STATE_DIFFERS] > 0 && outcomes[SHIPPING_ID_REUSED] > 0);
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_stores_decide_what_the_model_decides)};
    seed = argument_count > 1 ? strtoull(arguments[1], NULL, 10) : (uint64_t)time(NULL);
    print_message("# replay: shipping_differential_test %" PRIu64 "\n", seed);
    return cmocka_run_group_tests_name("shipping_differential", tests, NULL, NULL);
}
