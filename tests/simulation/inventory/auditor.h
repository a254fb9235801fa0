#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_AUDITOR_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_AUDITOR_H

#include "inventory/domain/inventory_repository.h"
#include "platform/base/error.h"
#include "tests/support/inventory/inventory_model.h"
#include "tests/support/test_executor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Stands between the use cases and an embedded store that is stepped, as a repository itself, and
 * checks every answer.
 *
 * What it knows is a model of all that was answered. Commands go to the store in one order and are
 * decided in it, so after each step the answered ones are put to the model in that order, at the
 * same time, and must get equal answers. What was under way when the process died is in doubt: of
 * that step the store may have kept nothing, or the expiries and commands up to some point. Whoever
 * opens the store again shows it to the auditor, who looks for that point; if there is none,
 * acknowledged work was lost or half done.
 *
 * Apart from the model it holds each answer to what must be so by itself (see observations.h).
 */
struct auditor;

struct auditor_options {
    struct clock *clock;            /* the store's */
    struct test_executor *executor; /* of all commands */
    int64_t retention_us;
    int64_t committed_retention_us;
    uint64_t ids_max;
    bool is_fed;
};

struct auditor *auditor_create(const struct auditor_options *options);
void auditor_destroy(struct auditor *auditor);

/* For the use cases. */
struct inventory_repository *auditor_repository(struct auditor *auditor);

/*
 * A store just opened on what the last one left; its clock has not moved since. Finds out what
 * became of what was in doubt, and compares every stock. False: a violation.
 */
bool auditor_attach(struct auditor *auditor, struct inventory_repository *store);

/*
 * One step of the store, and what it answered. During the step the allocation after `successes`
 * more ones fails, and all later ones if `repeat` (UINT64_MAX: none does; else the disk must be
 * sound, for the search for what is in doubt knows no commands left out). The callers' completions
 * run before this returns. *died: the step ended with an error, so the process ends. False: a
 * violation.
 */
bool auditor_step(struct auditor *auditor, uint64_t successes, bool repeat, bool *died);

/*
 * The process has ended, whoever opened the store closes it: nothing more is answered. Commands
 * that came after the last step were never decided.
 */
void auditor_detach(struct auditor *auditor);

/* Compares the whole ledger, every id and the verification with the model. False: a violation. */
bool auditor_compare_everything(struct auditor *auditor);

/* How many commands came to the store. */
uint64_t auditor_commands(const struct auditor *auditor);

/* From now on each question and answer becomes part of the digest, which takes its time. */
void auditor_keep_digest(struct auditor *auditor);
uint64_t auditor_digest(const struct auditor *auditor);

/* From now on each question and answer is printed. */
void auditor_trace(struct auditor *auditor);

/* What was wrong, for people. */
struct text auditor_violation(const struct auditor *auditor);

#endif
