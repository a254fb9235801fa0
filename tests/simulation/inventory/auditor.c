/*
 * A step: the store decides on what waits; the completions, ours, note the answers; then each
 * answered command is put to the model in the order in which they came, and compared; only then the
 * callers hear.
 *
 * Commands that the store refused for want of memory, disk or queue did nothing, so the model does
 * not see them. A verification tells the state at the end of its batch, which lies somewhere
 * between the command and the end of the step: its counts must lie between the model's at these
 * two.
 *
 * The model has a clock of its own, set to the store's at every step, so that the past can be told
 * again when the world has gone on.
 */
#include "tests/simulation/inventory/auditor.h"

#include "inventory/infrastructure/embedded/embedded_repository.h"
#include "platform/base/check.h"
#include "platform/base/hash_map.h"
#include "platform/base/memory.h"
#include "tests/simulation/inventory/audited_port.h"
#include "tests/simulation/inventory/inventory_workload.h"
#include "tests/simulation/inventory/observations.h"
#include "tests/support/fake_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct auditor {
    struct audited_port port;
    struct clock *clock;
    struct test_executor *executor;
    struct fake_clock model_clock;
    struct inventory_model *model; /* all that was answered */
    struct observations observations;
    struct audited_command *doubtful; /* unanswered by the step that died, in order */
    bool keeps_digest;
    bool traces;
    uint64_t digest;
    struct buffer line;
    struct buffer violation;
};

enum { line_bytes_max = 1 << 22 };

/* --- its life --- */

struct auditor *auditor_create(const struct auditor_options *options)
{
    struct auditor *auditor = memory_allocate_zero(1, sizeof *auditor);
    CHECK(auditor != NULL);
    audited_port_init(&auditor->port);
    auditor->clock = options->clock;
    auditor->executor = options->executor;
    fake_clock_init(&auditor->model_clock, clock_now_us(options->clock));
    struct inventory_model_options model_options = {
        .clock = &auditor->model_clock.base,
        .retention_us = options->retention_us,
        .committed_retention_us = options->committed_retention_us,
        .ids_max = options->ids_max,
        .is_fed = options->is_fed,
    };
    auditor->model = inventory_model_create(&model_options);
    observations_init(&auditor->observations);
    buffer_init(&auditor->line, line_bytes_max);
    buffer_init(&auditor->violation, line_bytes_max);
    return auditor;
}

void auditor_destroy(struct auditor *auditor)
{
    audited_commands_release(auditor->doubtful);
    audited_commands_release(audited_port_take(&auditor->port));
    inventory_model_destroy(auditor->model);
    observations_deinit(&auditor->observations);
    buffer_deinit(&auditor->line);
    buffer_deinit(&auditor->violation);
    memory_release(auditor);
}

struct inventory_repository *auditor_repository(struct auditor *auditor)
{
    return &auditor->port.base;
}

uint64_t auditor_commands(const struct auditor *auditor)
{
    return auditor->port.command_count;
}

void auditor_keep_digest(struct auditor *auditor)
{
    auditor->keeps_digest = true;
}

uint64_t auditor_digest(const struct auditor *auditor)
{
    return auditor->digest;
}

void auditor_trace(struct auditor *auditor)
{
    auditor->traces = true;
}

struct text auditor_violation(const struct auditor *auditor)
{
    return buffer_text(&auditor->violation);
}

static void set_model_clock(struct auditor *auditor, int64_t now_us)
{
    fake_clock_step(&auditor->model_clock, now_us - clock_now_us(&auditor->model_clock.base));
}

/* --- comparison --- */

/* The model's answer to the question of `expected`. */
static void ask_model(struct auditor *auditor, struct inventory_model *model,
                      struct inventory_call *expected)
{
    inventory_call_start(expected, inventory_model_repository(model), &auditor->executor->base);
    test_executor_run_all(auditor->executor);
    CHECK(expected->is_answered);
}

static bool report(struct auditor *auditor, const struct inventory_call *expected,
                   const struct inventory_call *actual)
{
    struct buffer *violation = &auditor->violation;
    CHECK(buffer_append_string(violation, "\n  question: "));
    inventory_question_print(&actual->question, violation);
    CHECK(buffer_append_string(violation, "\n  model:    "));
    if (expected != NULL)
        inventory_answer_print(expected, violation);
    CHECK(buffer_append_string(violation, "\n  store:    "));
    inventory_answer_print(actual, violation);
    return false;
}

static void record(struct auditor *auditor, const struct inventory_call *actual)
{
    struct buffer *line = &auditor->line;
    if (!auditor->keeps_digest && !auditor->traces)
        return;
    buffer_clear(line);
    inventory_question_print(&actual->question, line);
    CHECK(buffer_append_string(line, ": "));
    inventory_answer_print(actual, line);
    auditor->digest = hash_text(auditor->digest, buffer_text(line));
    if (auditor->traces)
        printf("# %" PRId64 " %.*s\n", clock_now_us(auditor->clock), (int)line->size, line->data);
}

static bool did_nothing(const struct inventory_call *actual)
{
    return actual->error.code == ERROR_OVERLOADED || actual->error.code == ERROR_DISK_FULL ||
           actual->error.code == ERROR_OUT_OF_MEMORY;
}

static bool counts_at_least(const struct verify_ledger_command *more,
                            const struct verify_ledger_command *less)
{
    return more->entries >= less->entries && more->skus >= less->skus &&
           more->reservations >= less->reservations;
}

/* After the step: what a verification counted is not more than there is now. */
static bool check_verification(struct auditor *auditor, struct audited_command *one)
{
    struct inventory_call now;
    inventory_call_init(&now, &one->expected.question);
    ask_model(auditor, auditor->model, &now);
    bool between =
        counts_at_least(&now.command.verify_ledger, &one->actual.command.verify_ledger) &&
        counts_at_least(&one->actual.command.verify_ledger, &one->expected.command.verify_ledger);
    if (!between)
        report(auditor, &now, &one->actual);
    inventory_call_deinit(&now);
    return between;
}

static bool check_answer(struct auditor *auditor, struct audited_command *one)
{
    struct buffer *violation = &auditor->violation;
    record(auditor, &one->actual);
    if (did_nothing(&one->actual))
        return true;
    ask_model(auditor, auditor->model, &one->expected);
    bool equal = one->actual.question.kind == CALL_VERIFY_LEDGER ||
                 inventory_call_answers_equal(&one->expected, &one->actual, violation);
    if (equal && observations_add(&auditor->observations, &one->actual,
                                  clock_now_us(auditor->clock), violation))
        return true;
    return report(auditor, &one->expected, &one->actual);
}

static bool check_answers(struct auditor *auditor, struct audited_command *commands)
{
    bool right = true;
    inventory_model_see_clock(auditor->model);
    for (struct audited_command *one = commands; one != NULL && right; one = one->next)
        right = !one->actual.is_answered || check_answer(auditor, one);
    for (struct audited_command *one = commands; one != NULL && right; one = one->next) {
        if (one->actual.is_answered && one->actual.question.kind == CALL_VERIFY_LEDGER &&
            !error_is(one->actual.error))
            right = check_verification(auditor, one);
    }
    return right;
}

static void trace_unanswered(struct auditor *auditor, struct audited_command *commands)
{
    for (struct audited_command *one = commands; one != NULL; one = one->next) {
        if (!one->actual.is_answered)
            record(auditor, &one->actual);
    }
}

bool auditor_step(struct auditor *auditor, uint64_t successes, bool repeat, bool *died)
{
    CHECK(auditor->doubtful == NULL);
    memory_fail_after(successes, repeat);
    struct error error = embedded_repository_step(auditor->port.store);
    memory_fail_after(UINT64_MAX, 0);
    test_executor_run_all(auditor->executor);
    set_model_clock(auditor, clock_now_us(auditor->clock));
    struct audited_command *commands = audited_port_take(&auditor->port);
    trace_unanswered(auditor, commands);
    bool right = check_answers(auditor, commands);
    *died = error_is(error);
    if (right && !*died && audited_commands_unanswered(commands) != NULL) {
        CHECK(buffer_append_string(&auditor->violation, "a command was never answered"));
        right = report(auditor, NULL, &audited_commands_unanswered(commands)->actual);
    }
    audited_commands_complete(commands, &auditor->doubtful);
    return right;
}

void auditor_detach(struct auditor *auditor)
{
    test_executor_run_all(auditor->executor); /* what was refused at the door */
    audited_commands_release(audited_port_take(&auditor->port));
    auditor->port.store = NULL;
}

/* --- a store that was opened again --- */

/* Asks the store itself, past the use cases; the call is the caller's to release. */
static void ask_store(struct auditor *auditor, const struct inventory_question *question,
                      struct inventory_call *call)
{
    inventory_call_init(call, question);
    inventory_call_start(call, auditor->port.store, &auditor->executor->base);
    struct error error = embedded_repository_step(auditor->port.store);
    CHECK(!error_is(error)); /* nothing is wrong with the disk while the auditor looks */
    test_executor_run_all(auditor->executor);
}

/*
 * What the store says of every SKU there may be: its stock, and the ledger entries that came after
 * the answered ones, for stock alone does not tell a rollback from an expiry. How far it followed
 * the shelf. And each reservation that a command in doubt names, for a hold that was made longer
 * shows in no stock.
 */
enum { inspected_max = 2 * workload_skus_max + 1 };

struct inspection {
    struct inventory_call *answers;
    size_t count;
    uint64_t ids;
    uint64_t skus;
};

static size_t answered_entry_count(const struct auditor *auditor, struct text sku)
{
    for (size_t i = 0; i < inventory_model_sku_count(auditor->model); i++) {
        if (text_equal(inventory_model_sku(auditor->model, i), sku))
            return inventory_model_entry_count(auditor->model, i);
    }
    return 0;
}

static bool names_a_reservation(enum inventory_call_kind kind)
{
    return kind == CALL_RESERVE || kind == CALL_COMMIT || kind == CALL_ROLLBACK ||
           kind == CALL_EXTEND_RESERVATION;
}

static void inspect(struct auditor *auditor, struct inspection *inspection)
{
    size_t room = inspected_max;
    for (const struct audited_command *one = auditor->doubtful; one != NULL; one = one->next)
        room++;
    inspection->answers = memory_allocate_zero(room, sizeof *inspection->answers);
    CHECK(inspection->answers != NULL);
    for (size_t i = 0; i < workload_skus_max; i++) {
        struct inventory_question question = {
            .kind = CALL_GET_STOCK,
            .sku = text_of(inventory_workload_sku(i)),
        };
        ask_store(auditor, &question, &inspection->answers[2 * i]);
        question.kind = CALL_LIST_STOCK_ENTRIES;
        question.after = answered_entry_count(auditor, question.sku);
        question.page_size = inventory_page_size_max;
        ask_store(auditor, &question, &inspection->answers[2 * i + 1]);
    }
    struct inventory_question place = {.kind = CALL_GET_SHELF_PLACE};
    ask_store(auditor, &place, &inspection->answers[inspected_max - 1]);
    inspection->count = inspected_max;
    for (const struct audited_command *one = auditor->doubtful; one != NULL; one = one->next) {
        struct inventory_question question = {.kind = CALL_GET_RESERVATION,
                                              .id = one->expected.question.id};
        if (names_a_reservation(one->expected.question.kind))
            ask_store(auditor, &question, &inspection->answers[inspection->count++]);
    }
    struct embedded_repository_usage usage = embedded_repository_usage(auditor->port.store);
    inspection->ids = usage.ids;
    inspection->skus = usage.skus;
}

/* Whether the store is in the model's state; `difference` is told the first thing that is not. */
static bool is_in_state(struct auditor *auditor, const struct inspection *inspection,
                        struct inventory_model *model, struct buffer *difference)
{
    bool equal = true;
    for (size_t i = 0; i < inspection->count && equal; i++) {
        const struct inventory_call *actual = &inspection->answers[i];
        struct inventory_call expected;
        inventory_call_init(&expected, &actual->question);
        ask_model(auditor, model, &expected);
        equal = inventory_call_answers_equal(&expected, actual, difference);
        if (!equal)
            report(auditor, &expected, actual);
        inventory_call_deinit(&expected);
    }
    if (!equal)
        return false;
    if (inspection->ids == inventory_model_id_count(model) &&
        inspection->skus == inventory_model_sku_count(model))
        return true;
    CHECK(buffer_append_format(difference, "%" PRIu64 " ids and not %zu; ", inspection->ids,
                               inventory_model_id_count(model)));
    return false;
}

/* What comes next in the past of `model`: an expiry or a command in doubt. False at its end. */
static bool go_on(struct auditor *auditor, struct inventory_model *model,
                  struct audited_command **doubtful)
{
    if (inventory_model_expire_next(model))
        return true;
    if (*doubtful == NULL)
        return false;
    ask_model(auditor, model, &(*doubtful)->expected);
    *doubtful = (*doubtful)->next;
    return true;
}

/* Finds the state in which the store is among those in which it may be, and makes it the model's.
 */
static bool reconcile(struct auditor *auditor, const struct inspection *inspection)
{
    int64_t past_us = clock_now_us(&auditor->model_clock.base);
    struct inventory_model *past = inventory_model_copy(auditor->model);
    struct audited_command *doubtful = auditor->doubtful;
    bool found = false;
    do {
        struct inventory_model *candidate = inventory_model_copy(past);
        set_model_clock(auditor, clock_now_us(auditor->clock));
        inventory_model_restart(candidate);
        buffer_clear(&auditor->violation); /* the last state's difference is told */
        found = is_in_state(auditor, inspection, candidate, &auditor->violation);
        if (found) {
            inventory_model_destroy(auditor->model);
            auditor->model = candidate;
        } else {
            inventory_model_destroy(candidate);
            set_model_clock(auditor, past_us);
        }
    } while (!found && go_on(auditor, past, &doubtful));
    inventory_model_destroy(past);
    if (!found)
        CHECK(buffer_append_string(&auditor->violation,
                                   "\n  the store is in no state that it may be in"));
    return found;
}

bool auditor_attach(struct auditor *auditor, struct inventory_repository *store)
{
    struct inspection inspection = {0};
    auditor->port.store = store;
    inspect(auditor, &inspection);
    bool right = reconcile(auditor, &inspection);
    for (size_t i = 0; i < inspection.count; i++) {
        right = right && observations_add(&auditor->observations, &inspection.answers[i],
                                          clock_now_us(auditor->clock), &auditor->violation);
        inventory_call_deinit(&inspection.answers[i]);
    }
    memory_release(inspection.answers);
    audited_commands_release(auditor->doubtful);
    auditor->doubtful = NULL;
    return right;
}

static bool compare_one(struct auditor *auditor, const struct inventory_question *question,
                        uint64_t *next)
{
    struct inventory_call expected;
    struct inventory_call actual;
    inventory_call_init(&expected, question);
    ask_store(auditor, question, &actual);
    ask_model(auditor, auditor->model, &expected);
    bool equal = inventory_call_answers_equal(&expected, &actual, &auditor->violation) &&
                 observations_add(&auditor->observations, &actual, clock_now_us(auditor->clock),
                                  &auditor->violation);
    if (!equal)
        report(auditor, &expected, &actual);
    *next = actual.command.list_stock_entries.next;
    inventory_call_deinit(&expected);
    inventory_call_deinit(&actual);
    return equal;
}

static bool compare_ledger(struct auditor *auditor, struct text sku)
{
    struct inventory_question question = {
        .kind = CALL_LIST_STOCK_ENTRIES,
        .sku = sku,
        .page_size = inventory_page_size_max,
    };
    bool equal = true;
    do {
        equal = compare_one(auditor, &question, &question.after);
    } while (equal && question.after != 0);
    return equal;
}

bool auditor_compare_everything(struct auditor *auditor)
{
    uint64_t none;
    struct inventory_question verify = {.kind = CALL_VERIFY_LEDGER};
    const char *broken = inventory_model_broken_invariant(auditor->model);
    set_model_clock(auditor, clock_now_us(auditor->clock));
    if (broken != NULL) {
        CHECK(buffer_append_string(&auditor->violation, broken));
        return false;
    }
    bool equal = compare_one(auditor, &verify, &none);
    for (size_t i = 0; i < inventory_model_sku_count(auditor->model) && equal; i++)
        equal = compare_ledger(auditor, inventory_model_sku(auditor->model, i));
    for (size_t i = 0; i < inventory_model_reservation_count(auditor->model) && equal; i++) {
        struct inventory_question question = {
            .kind = CALL_GET_RESERVATION,
            .id = inventory_model_reservation_id(auditor->model, i),
        };
        equal = compare_one(auditor, &question, &none);
    }
    return equal;
}
