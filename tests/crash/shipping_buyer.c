/*
 * A shop that buys labels until all its shipments have come to an end, for shipping_kill_test.py,
 * which kills it and its database at any moment. The carrier is a file that each purchase adds a
 * line to, "REFERENCE NUMBER", in one write: what is in it was charged, whatever we know of it.
 *
 * Many shipments are under way at once: written down, marked as sent, bought (or refused, not done,
 * charged without an answer, neither), recorded. In between the resolver sweeps what was sent,
 * looks up what is unknown in the carrier's file, and gives up after some look-ups. Nothing is
 * bought but by who was given the attempt.
 *
 *   shipping_buyer URL FILE COUNT SEED         buys; told to end by a line on standard input, or
 *                                              when nothing is left to buy
 *   shipping_buyer URL FILE COUNT SEED finish  the only one now: also decides as a person would
 *                                              (void, or buy again), and tells everything:
 *       shipment ID STATE ATTEMPT NUMBER
 *       event TYPE KEY
 *
 * While it buys it writes "created ID NUMBER" for each answer that acknowledges a purchase. An
 * error that the port does not allow ends it with "bad".
 */
#include "main/migrations.h"
#include "platform/base/check.h"
#include "platform/base/random.h"
#include "platform/events/sql_outbox.h"
#include "platform/sql/sqlite_connection.h"
#include "shipping/infrastructure/sql/sql_shipping_repository.h"
#include "shipping/interfaces/events/shipping_events.h"
#include "tests/support/shipping/shipping_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { slots_max = 24, shipments_max = 4096, number_size = 128, lookups_max = 4 };

static const int64_t answer_us = 2000000;   /* a command's deadline */
static const int64_t sent_us_max = 1500000; /* no carrier answers later */
static const int64_t resolver_us = 100000;  /* between two rounds */
static const int64_t far_us = INT64_MAX / 2;

/* One shipment under way, and one command of it at a time. */
struct slot {
    struct shipping_kit words; /* for making commands */
    struct shipping_command *command;
    char id[32];
    char number[number_size];
    uint32_t attempt;
    enum shipment_change change; /* how the attempt ended */
    int64_t wait_until_us;       /* the store was away: again then */
    bool is_used;
    bool is_again; /* the command is to be given again */
};

static struct {
    const char *ledger;
    unsigned count;
    bool finishing;
    struct random_seeded chance;
    struct sql_store *store;
    struct sql_outbox outbox;
    struct shipping_repository *repository;
    struct test_executor executor;
    struct slot slots[slots_max];
    unsigned order[shipments_max]; /* in which shipments are begun */
    unsigned begun;
    struct slot resolver; /* its commands, one at a time */
    struct list_unfinished_command *found;
    size_t found_at;
    int64_t resolve_at_us;
    bool ending;
} buyer;

static int64_t monotonic_us(void)
{
    return clock_monotonic_us(clock_system());
}

static unsigned below(unsigned bound)
{
    return (unsigned)random_below(&buyer.chance.base, bound);
}

/* --- the carrier --- */

static void charge(struct slot *slot)
{
    char reference[shipment_reference_bytes_max], line[shipment_reference_bytes_max + number_size];
    size_t size = shipment_reference(text_of(slot->id), slot->attempt, reference);
    snprintf(slot->number, sizeof slot->number, "N%016llx",
             (unsigned long long)random_uint64(random_system()));
    int line_size = snprintf(line, sizeof line, "%.*s %s\n", (int)size, reference, slot->number);
    int file = open(buyer.ledger, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    CHECK(file >= 0 && write(file, line, (size_t)line_size) == line_size);
    close(file);
}

/* How many purchases of that attempt there are; `number` is the latest. */
static unsigned look_up(struct text shipment_id, uint32_t attempt, char number[number_size])
{
    char wanted[shipment_reference_bytes_max], reference[256], found[number_size];
    size_t size = shipment_reference(shipment_id, attempt, wanted);
    unsigned count = 0;
    FILE *file = fopen(buyer.ledger, "r");
    if (file == NULL)
        return 0;
    while (fscanf(file, "%255s %127s", reference, found) == 2) {
        if (strlen(reference) != size || memcmp(reference, wanted, size) != 0)
            continue;
        strcpy(number, found);
        count++;
    }
    fclose(file);
    return count;
}

/* --- asking --- */

static struct slot *slot_of(const struct shipping_command *command)
{
    for (size_t i = 0; i < slots_max; i++) {
        if (buyer.slots[i].command == command)
            return &buyer.slots[i];
    }
    CHECK(buyer.resolver.command == command);
    return &buyer.resolver;
}

static void answered(struct shipping_command *command, const struct error *error);

static void give(struct slot *slot, struct shipping_command *command)
{
    slot->command = command;
    slot->is_again = false;
    command->executor = &buyer.executor.base;
    command->deadline_us = monotonic_us() + answer_us;
    shipping_repository_execute(buyer.repository, command, answered);
}

static void begin(struct slot *slot)
{
    shipping_kit_reset(&slot->words);
    give(slot, &kit_begin_command(&slot->words, slot->id, 1)->base);
}

static void record(struct slot *slot)
{
    struct record_purchase_command *end =
        kit_end_command(&slot->words, slot->id, slot->attempt, slot->change, slot->number);
    if (slot->change == SHIPMENT_CHANGE_BOUGHT)
        end->bought = kit_purchase(&slot->words, slot->number, 2, true);
    give(slot, &end->base);
}

/* The attempt is ours: the only place where anything is bought. */
static void buy(struct slot *slot)
{
    unsigned roll = below(20);
    slot->number[0] = '\0';
    if (roll < 14) {
        charge(slot);
        slot->change = SHIPMENT_CHANGE_BOUGHT;
    } else if (roll < 16) {
        slot->change = SHIPMENT_CHANGE_NOT_DONE;
    } else if (roll < 18) {
        charge(slot);
        slot->change = SHIPMENT_CHANGE_LOST;
    } else {
        slot->change = roll == 18 ? SHIPMENT_CHANGE_LOST : SHIPMENT_CHANGE_REFUSED;
    }
    record(slot);
}

static void release(struct slot *slot)
{
    slot->is_used = false;
    slot->command = NULL;
}

static void tell_created(const struct shipment *shipment)
{
    printf("created %.*s %.*s\n", (int)shipment->shipment_id.size, shipment->shipment_id.data,
           (int)shipment->tracking_number.size, shipment->tracking_number.data);
    fflush(stdout);
}

static void begun(struct slot *slot, const struct begin_shipment_command *command)
{
    CHECK(command->base.outcome == SHIPPING_DONE);
    slot->attempt = command->shipment.attempt;
    if (command->shipment.state == SHIPMENT_INTENT)
        give(slot, &kit_send_command(&slot->words, slot->id, slot->attempt)->base);
    else
        release(slot);
}

static void recorded(struct slot *slot, const struct record_purchase_command *command)
{
    if (command->change == SHIPMENT_CHANGE_BOUGHT) {
        CHECK(command->base.outcome == SHIPPING_DONE); /* there is no other label to be had */
        tell_created(&command->shipment);
    }
    if (command->change == SHIPMENT_CHANGE_NOT_DONE)
        begin(slot);
    else
        release(slot);
}

static void went_on(struct slot *slot)
{
    struct shipping_command *command = slot->command;
    if (command->kind == COMMAND_BEGIN_SHIPMENT)
        begun(slot, (struct begin_shipment_command *)command);
    else if (command->kind == COMMAND_RECORD_PURCHASE)
        recorded(slot, (struct record_purchase_command *)command);
    else if (command->outcome == SHIPPING_DONE)
        buy(slot);
    else
        release(slot); /* somebody else has the attempt */
}

/* --- the resolver --- */

static void resolve_next(void)
{
    struct slot *resolver = &buyer.resolver;
    if (buyer.found == NULL || buyer.found_at == buyer.found->shipment_count) {
        resolver->command = NULL;
        buyer.found = NULL;
        buyer.resolve_at_us = monotonic_us() + resolver_us;
        return;
    }
    const struct shipment *shipment = &buyer.found->shipments[buyer.found_at];
    char id[32];
    snprintf(id, sizeof id, "%.*s", (int)shipment->shipment_id.size, shipment->shipment_id.data);
    unsigned count = look_up(shipment->shipment_id, shipment->attempt, resolver->number);
    CHECK(count <= 1);
    if (count == 1) {
        struct record_purchase_command *end = kit_end_command(
            &resolver->words, id, shipment->attempt, SHIPMENT_CHANGE_BOUGHT, resolver->number);
        give(resolver, &end->base);
    } else if (shipment->lookups >= lookups_max) {
        give(resolver, &kit_end_command(&resolver->words, id, shipment->attempt,
                                        SHIPMENT_CHANGE_ABANDONED, "not found")
                            ->base);
    } else {
        struct record_lookup_command *later =
            shipping_kit_command(&resolver->words, COMMAND_RECORD_LOOKUP, sizeof *later);
        later->shipment_id = arena_copy_text(&resolver->words.arena, text_of(id));
        later->attempt = shipment->attempt;
        later->lookup_time_us = 1;
        give(resolver, &later->base);
    }
}

static void resolver_went_on(struct shipping_command *command)
{
    if (command->kind == COMMAND_LIST_UNFINISHED) {
        buyer.found = (struct list_unfinished_command *)command;
        buyer.found_at = 0;
    } else {
        bool bought = command->kind == COMMAND_RECORD_PURCHASE &&
                      ((struct record_purchase_command *)command)->change == SHIPMENT_CHANGE_BOUGHT;
        if (bought && command->outcome == SHIPPING_DONE)
            tell_created(&((struct record_purchase_command *)command)->shipment);
        buyer.found_at++;
    }
    resolve_next();
}

static void resolve(int64_t sent_before_us)
{
    struct slot *resolver = &buyer.resolver;
    shipping_kit_reset(&resolver->words);
    struct list_unfinished_command *list =
        shipping_kit_command(&resolver->words, COMMAND_LIST_UNFINISHED, sizeof *list);
    list->now_us = far_us;
    list->sent_before_us = sent_before_us;
    list->page_size = 100;
    give(resolver, &list->base);
}

/* --- answers --- */

static void answered(struct shipping_command *command, const struct error *error)
{
    struct slot *slot = slot_of(command);
    if (error == NULL) {
        if (slot == &buyer.resolver)
            resolver_went_on(command);
        else
            went_on(slot);
        return;
    }
    bool typed = error->code == ERROR_STORE_UNAVAILABLE || error->code == ERROR_OVERLOADED ||
                 error->code == ERROR_DEADLINE;
    if (!typed) {
        printf("bad %s: %s\n", error_text(error->code), error->detail);
        exit(1);
    }
    if (command->kind == COMMAND_MARK_SENT) {
        release(slot); /* it may be sent or not: nobody knows, nobody buys */
        return;
    }
    slot->wait_until_us = monotonic_us() + 20000;
    slot->is_again = true;
}

/* --- its life --- */

static void open_store(const char *url)
{
    struct sql_store_options options = sql_store_options_default();
    const struct sql_migration_set *migrations[] = {migrations_of("shipping")};
    struct sql_shipping_options shipping = {.encode = shipping_events_encode,
                                            .outbox = &buyer.outbox};
    options.url = url;
    options.name = "shipping";
    options.migrations = migrations;
    options.migration_count = 1;
    sql_outbox_init(&buyer.outbox, "shipping", UINT64_C(1) << 40, random_system());
    struct error error = sql_store_open(&buyer.store, &options);
    if (error_is(error)) {
        printf("closed %s: %s\n", error_text(error.code), error.detail);
        exit(2);
    }
    shipping.store = buyer.store;
    error = sql_shipping_repository_open(&buyer.repository, &shipping);
    CHECK(!error_is(error));
}

static bool is_told_to_end(void)
{
    if (buyer.finishing)
        return false;
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0;
}

static void shuffle(void)
{
    for (unsigned i = 0; i < buyer.count; i++) {
        unsigned other = below(i + 1);
        buyer.order[i] = buyer.order[other];
        buyer.order[other] = i;
    }
}

static bool is_working(void)
{
    for (size_t i = 0; i < slots_max; i++) {
        if (buyer.slots[i].is_used)
            return true;
    }
    return buyer.resolver.command != NULL;
}

/* Begins what is to be begun, and gives again what the store has not answered. */
static void step(void)
{
    int64_t now_us = monotonic_us();
    for (size_t i = 0; i < slots_max; i++) {
        struct slot *slot = &buyer.slots[i];
        if (slot->is_used && slot->is_again && now_us >= slot->wait_until_us)
            give(slot, slot->command);
        if (slot->is_used || buyer.ending || buyer.begun == buyer.count)
            continue;
        slot->is_used = true;
        snprintf(slot->id, sizeof slot->id, "S%u", buyer.order[buyer.begun++]);
        begin(slot);
    }
    if (buyer.resolver.command == NULL && !buyer.ending && now_us >= buyer.resolve_at_us)
        resolve(clock_now_us(clock_system()) - sent_us_max);
    if (buyer.resolver.command != NULL && buyer.resolver.is_again &&
        now_us >= buyer.resolver.wait_until_us)
        give(&buyer.resolver, buyer.resolver.command);
}

static void run(void)
{
    while (true) {
        step();
        if (!is_working() && (buyer.ending || buyer.begun == buyer.count))
            return;
        (void)test_executor_wait(&buyer.executor, 10000);
        test_executor_run_all(&buyer.executor);
        buyer.ending = buyer.ending || is_told_to_end();
    }
}

/* --- finishing --- */

static bool is_done;

static void noted(struct shipping_command *command, const struct error *error)
{
    (void)command;
    CHECK(error == NULL);
    is_done = true;
}

static void ask(struct shipping_command *command)
{
    is_done = false;
    command->executor = &buyer.executor.base;
    shipping_repository_execute(buyer.repository, command, noted);
    while (!is_done) {
        (void)test_executor_wait(&buyer.executor, 1000000);
        test_executor_run_all(&buyer.executor);
    }
}

/* All shipments; with `tell` they are written, else what needs attention is decided. Gives how
 * many are not at their end. */
static unsigned go_through(bool tell)
{
    struct shipping_kit *words = &buyer.resolver.words;
    unsigned open = 0;
    for (unsigned i = 0; i < buyer.count; i++) {
        char id[32];
        snprintf(id, sizeof id, "S%u", i);
        shipping_kit_reset(words);
        struct get_shipment_command *get =
            shipping_kit_command(words, COMMAND_GET_SHIPMENT, sizeof *get);
        get->shipment_id = text_of(id);
        ask(&get->base);
        const struct shipment *shipment = &get->shipment;
        CHECK(get->base.outcome == SHIPPING_DONE);
        if (tell)
            printf("shipment %s %s %u %.*s\n", id, shipment_state_name(shipment->state),
                   shipment->attempt, (int)shipment->tracking_number.size,
                   shipment->tracking_number.data);
        open += shipment->state != SHIPMENT_CREATED && shipment->state != SHIPMENT_FAILED &&
                shipment->state != SHIPMENT_CANCELLED;
        if (shipment->state == SHIPMENT_NEEDS_ATTENTION && !tell)
            ask(&kit_resolve_command(words, id, below(2) == 0 ? SHIPMENT_VOID : SHIPMENT_BUY_AGAIN,
                                     "none")
                     ->base);
    }
    return open;
}

static enum sql_verdict tell_events(struct sql_session *session, void *context, struct error *error)
{
    static const struct sql_statement list = {
        .text = "SELECT event_type, event_key FROM shipping_outbox ORDER BY outbox_id"};
    struct sql_rows rows;
    (void)context;
    (void)error;
    if (!sql_query(session, &list, NULL, 0, &rows))
        return SQL_FAIL;
    for (size_t i = 0; i < rows.count; i++)
        printf("event %s %s\n", sql_rows_text(&rows, i, 0).data, sql_rows_text(&rows, i, 1).data);
    return SQL_COMMIT;
}

static void finish(void)
{
    struct arena arena;
    do {
        buyer.begun = 0;
        run();
        resolve(far_us);
        run();
    } while (go_through(false) > 0);
    (void)go_through(true);
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct sql_job job = {.arena = &arena, .access = SQL_READ, .script = tell_events};
    struct error error = sql_store_run(buyer.store, &job);
    CHECK(!error_is(error));
    arena_deinit(&arena);
    printf("finished\n");
}

int main(int argument_count, char **arguments)
{
    CHECK(argument_count >= 5);
    buyer.ledger = arguments[2];
    buyer.count = (unsigned)strtoul(arguments[3], NULL, 10);
    CHECK(buyer.count <= shipments_max);
    random_seeded_init(&buyer.chance, strtoull(arguments[4], NULL, 10));
    buyer.finishing = argument_count > 5;
    sqlite_memory_use();
    open_store(arguments[1]);
    test_executor_init(&buyer.executor);
    for (size_t i = 0; i < slots_max; i++)
        shipping_kit_init(&buyer.slots[i].words, SHIPPING_KIT_MODEL);
    shipping_kit_init(&buyer.resolver.words, SHIPPING_KIT_MODEL);
    shuffle();
    printf("ready\n");
    fflush(stdout);
    resolve(clock_now_us(clock_system())); /* what was found sent */
    if (buyer.finishing)
        finish();
    else
        run();
    sql_shipping_repository_close(buyer.repository);
    sql_store_close(buyer.store);
    for (size_t i = 0; i < slots_max; i++)
        shipping_kit_deinit(&buyer.slots[i].words);
    shipping_kit_deinit(&buyer.resolver.words);
    test_executor_deinit(&buyer.executor);
    return 0;
}
