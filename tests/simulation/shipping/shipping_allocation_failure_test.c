/*
 * Every allocation of ours and SQLite's fails once (RELIABILITY row 9): for each kind of command,
 * with the n-th allocation failing, alone or with all later ones, for every n there is. The answer
 * is an error of memory and nothing has happened, or it is the right one; asked again it is the
 * right one, and the record is the one that the model has, which was asked once.
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "tests/support/shipping/shipping_copy.h"
#include "tests/support/shipping/shipping_kit.h"

#include <stdio.h>
#include <string.h>

enum { trials_max = 3000 };

static struct shipping_kit stores[2]; /* the database, the model */
static char id[16];

/* Brings shipment `id` where the command fits, in that store, and makes it. */
typedef struct shipping_command *make_function(struct shipping_kit *kit);

static struct shipping_command *make_begin(struct shipping_kit *kit)
{
    return &kit_begin_command(kit, id, 1)->base;
}

static struct shipping_command *make_sent(struct shipping_kit *kit)
{
    kit_bring(kit, id, 1, SHIPMENT_INTENT);
    return &kit_send_command(kit, id, 1)->base;
}

static struct shipping_command *make_end(struct shipping_kit *kit, enum shipment_change change)
{
    kit_bring(kit, id, 1, SHIPMENT_INTENT);
    kit_send(kit, id, 1);
    return &kit_end_command(kit, id, 1, change, id)->base;
}

static struct shipping_command *make_bought(struct shipping_kit *kit)
{
    return make_end(kit, SHIPMENT_CHANGE_BOUGHT);
}

static struct shipping_command *make_refused(struct shipping_kit *kit)
{
    return make_end(kit, SHIPMENT_CHANGE_REFUSED);
}

static struct shipping_command *make_lost(struct shipping_kit *kit)
{
    return make_end(kit, SHIPMENT_CHANGE_LOST);
}

static struct shipping_command *make_lookup(struct shipping_kit *kit)
{
    struct record_lookup_command *lookup =
        shipping_kit_command(kit, COMMAND_RECORD_LOOKUP, sizeof *lookup);
    kit_bring(kit, id, 0, SHIPMENT_UNKNOWN);
    lookup->shipment_id = text_of(id);
    lookup->attempt = 1;
    lookup->lookup_time_us = 77;
    return &lookup->base;
}

static struct shipping_command *make_begin_cancel(struct shipping_kit *kit)
{
    kit_bring(kit, id, 0, SHIPMENT_CREATED);
    return &kit_cancel_command(kit, COMMAND_BEGIN_CANCEL, id, false, "x")->base;
}

static struct shipping_command *make_end_cancel(struct shipping_kit *kit)
{
    kit_bring(kit, id, 0, SHIPMENT_CREATED);
    kit_begin_cancel(kit, id, "x");
    return &kit_cancel_command(kit, COMMAND_END_CANCEL, id, true, "")->base;
}

static struct shipping_command *make_adopt(struct shipping_kit *kit)
{
    kit_bring(kit, id, 0, SHIPMENT_NEEDS_ATTENTION);
    struct resolve_shipment_command *adopt = kit_resolve_command(kit, id, SHIPMENT_ADOPT, id);
    adopt->bought = kit_purchase(kit, id, 1, true);
    return &adopt->base;
}

static struct shipping_command *make_get(struct shipping_kit *kit)
{
    struct get_shipment_command *get = shipping_kit_command(kit, COMMAND_GET_SHIPMENT, sizeof *get);
    kit_bring(kit, id, 1, SHIPMENT_CREATED);
    get->shipment_id = text_of(id);
    return &get->base;
}

static struct shipping_command *make_label(struct shipping_kit *kit)
{
    struct get_label_command *get =
        shipping_kit_command(kit, COMMAND_GET_SHIPMENT_LABEL, sizeof *get);
    kit_bring(kit, id, 1, SHIPMENT_CREATED);
    get->shipment_id = text_of(id);
    get->format = SHIPPING_LABEL_PDF;
    return &get->base;
}

static struct shipping_command *make_list(struct shipping_kit *kit)
{
    struct list_shipments_command *list =
        shipping_kit_command(kit, COMMAND_LIST_SHIPMENTS, sizeof *list);
    kit_bring(kit, id, 1, SHIPMENT_CREATED);
    list->page_size = 5;
    return &list->base;
}

static struct shipping_command *make_sweep(struct shipping_kit *kit)
{
    struct list_unfinished_command *list =
        shipping_kit_command(kit, COMMAND_LIST_UNFINISHED, sizeof *list);
    kit_bring(kit, id, 1, SHIPMENT_INTENT);
    kit_send(kit, id, 1);
    list->sent_before_us = INT64_MAX / 2;
    list->page_size = 5;
    return &list->base;
}

static struct shipping_command *make_push(struct shipping_kit *kit)
{
    struct keep_webhook_command *keep =
        shipping_kit_command(kit, COMMAND_KEEP_WEBHOOK, sizeof *keep);
    kit_bring(kit, id, 0, SHIPMENT_INTENT);
    keep->carrier = text_of("ups");
    keep->body = text_of(id);
    return &keep->base;
}

static struct shipping_command *make_scans(struct shipping_kit *kit)
{
    struct record_scans_command *record =
        shipping_kit_command(kit, COMMAND_RECORD_SCANS, sizeof *record);
    struct shipping_scan *scans = arena_allocate_zero(&kit->arena, 2, sizeof *scans);
    CHECK(scans != NULL);
    kit_bring(kit, id, 0, SHIPMENT_CREATED);
    scans[0].tracking_number = arena_copy_text(&kit->arena, text_of(id));
    scans[1].tracking_number = kit_get(kit, id)->tracking_number;
    record->carrier = text_of("ups");
    record->scans = scans;
    record->scan_count = 2;
    return &record->base;
}

/* Whether a shipment is there, and what it is. */
static bool look(struct shipping_kit *kit, struct shipment *shipment)
{
    struct get_shipment_command *get = shipping_kit_command(kit, COMMAND_GET_SHIPMENT, sizeof *get);
    get->shipment_id = text_of(id);
    if (shipping_kit_ask(kit, &get->base) != SHIPPING_DONE)
        return false;
    *shipment = get->shipment;
    return true;
}

static void assert_same(const struct shipment *a, const struct shipment *b, uint64_t successes)
{
    const char *different = shipping_difference(a, b, true);
    if (different != NULL)
        fail_msg("allocation %llu: %s", (unsigned long long)successes, different);
}

/* One trial; gives whether an allocation failed at all. */
static bool fails_at(make_function *make, uint64_t successes, int repeat)
{
    struct shipment before = {0}, after = {0}, expected = {0};
    struct shipping_kit *kit = &stores[0];
    size_t events_before, events_after;
    struct shipping_command *command = make(kit);
    bool was_there = look(kit, &before);
    (void)kit_events(kit, &events_before);
    uint64_t allocations = memory_allocation_count();
    memory_fail_after(successes, repeat);
    enum shipping_outcome outcome = shipping_kit_try(kit, command);
    bool failed = memory_allocation_count() - allocations > successes;
    memory_fail_after(UINT64_MAX, 0);
    enum error_code error = kit->error;
    if (error == ERROR_OUT_OF_MEMORY) {
        assert_int_equal(look(kit, &after), was_there);
        if (was_there)
            assert_same(&after, &before, successes);
        (void)kit_events(kit, &events_after);
        assert_int_equal(events_after, events_before);
        outcome = shipping_kit_ask(kit, command);
    } else if (error != ERROR_NONE) {
        fail_msg("allocation %llu: %s: %s", (unsigned long long)successes, error_text(error),
                 kit->error_detail);
    }
    assert_int_equal(outcome, SHIPPING_DONE);
    assert_int_equal(shipping_kit_ask(&stores[1], make(&stores[1])), SHIPPING_DONE);
    assert_true(look(kit, &after) && look(&stores[1], &expected));
    assert_same(&after, &expected, successes);
    return failed;
}

static void fail_each_allocation(void **state)
{
    make_function *make = *(make_function *const *)*state;
    unsigned number = 0;
    shipping_kit_init(&stores[0], SHIPPING_KIT_UNTHREADED);
    shipping_kit_init(&stores[1], SHIPPING_KIT_MODEL);
    for (int repeat = 0; repeat < 2; repeat++) {
        uint64_t successes = 0;
        bool failed = true;
        while (number < trials_max && failed) {
            snprintf(id, sizeof id, "S%u", number++);
            failed = fails_at(make, successes++, repeat);
            for (size_t i = 0; i < 2; i++)
                shipping_kit_reset(&stores[i]);
        }
    }
    print_message("# %u allocations failed\n", number - 2);
    assert_true(number > 10 && number < trials_max);
    size_t events[2];
    for (size_t i = 0; i < 2; i++)
        (void)kit_events(&stores[i], &events[i]);
    assert_int_equal(events[0], events[1]);
    for (size_t i = 0; i < 2; i++)
        shipping_kit_deinit(&stores[i]);
}

int main(void)
{
    static make_function *const makers[] = {
        make_begin,  make_sent,         make_bought,     make_refused, make_lost,
        make_lookup, make_begin_cancel, make_end_cancel, make_adopt,   make_get,
        make_label,  make_list,         make_sweep,      make_push,    make_scans,
    };
    static const char *const names[] = {
        "begin",  "mark_sent",    "bought",     "refused",      "lost",
        "lookup", "begin_cancel", "end_cancel", "adopt",        "get",
        "label",  "list",         "sweep",      "keep_webhook", "record_scans",
    };
    enum { count = sizeof makers / sizeof makers[0] };
    struct CMUnitTest tests[count];
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){.name = names[i],
                                       .test_func = fail_each_allocation,
                                       .initial_state = (void *)&makers[i]};
    return _cmocka_run_group_tests("shipping_allocation_failure", tests, count, NULL, NULL);
}
