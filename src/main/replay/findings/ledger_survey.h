#ifndef WAYBILL_MAIN_REPLAY_FINDINGS_LEDGER_SURVEY_H
#define WAYBILL_MAIN_REPLAY_FINDINGS_LEDGER_SURVEY_H

#include "main/replay/findings/difference_list.h"
#include "main/replay/plan/replay_plan.h"
#include "platform/base/error.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How far a replay has come, by the only witness that forgets nothing: the server's ledger.
 *
 * Ids are forgotten (of what was rolled back or expired after a day, of what was committed after
 * 90), and what a client noted before it was killed does not tell whether its last calls arrived.
 * But each change of stock stands in the ledger for ever, with the id that caused it, and our ids
 * name replay, hold and attempt. So the ledgers of all products, read to the end, tell of each
 * hold whether it was never made, is pending, or how it ended, however long ago, and what
 * somebody else did.
 *
 * Feed it each product's entries, oldest first, then fold. Thread: one at a time.
 */
struct ledger_survey;

/* Where a hold stands. */
enum hold_state {
    HOLD_NONE, /* nothing is held: to be reserved */
    HOLD_PENDING,
    HOLD_COMMITTED,
    HOLD_ROLLED_BACK,
    HOLD_EXPIRED, /* final only if the plan lets it lapse, else followed by the next attempt */
    HOLD_UNKNOWN, /* only another survey can tell; or it is in conflict with the plan */
};
enum { hold_state_count = HOLD_UNKNOWN + 1 };

struct hold_status {
    enum hold_state state;
    uint32_t attempt; /* of the hold; if HOLD_NONE, of the next one */
};

/* What all holds together have come to. */
struct survey_totals {
    struct hold_totals holds[hold_state_count];
    uint32_t products_received;
    int64_t others_received; /* packs of our products moved by other callers */
    int64_t others_reserved; /* … and still held */
    int64_t others_committed;
};

/* The state in which the plan leaves a hold of that outcome. */
enum hold_state hold_state_wanted(enum hold_outcome outcome);

/* The plan lives as long. Error: OUT_OF_MEMORY. */
struct error ledger_survey_create(struct ledger_survey **survey, const struct replay_plan *plan);

/* NULL is allowed. */
void ledger_survey_destroy(struct ledger_survey *survey);

/* Forgets what was fed of one product: its ledger is read anew. */
void ledger_survey_restart(struct ledger_survey *survey, uint32_t product);

/* Takes the product's next entry. Error: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error ledger_survey_add(
    struct ledger_survey *survey, uint32_t product,
    const Waybill__Inventory__V1__StockEntry *entry);

/*
 * Whether the entries fed add up to the product's running totals. If not, some are missing, or the
 * stock has changed since they were read.
 */
bool ledger_survey_is_complete(const struct ledger_survey *survey, uint32_t product,
                               const Waybill__Inventory__V1__Stock *stock);

/* Whether our receipts of the product are all in its ledger. */
bool ledger_survey_is_received(const struct ledger_survey *survey, uint32_t product);

/*
 * Draws the sum: `holds` gets the status of each hold, `totals` their sums, and `conflicts` what
 * can be by no means the work of this replay (an order reserved or paid twice, of other quantities,
 * …). Error: OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error ledger_survey_fold(
    const struct ledger_survey *survey, struct hold_status *holds, struct survey_totals *totals,
    struct difference_list *conflicts);

/* Adds to `differences` what is not as the plan leaves it at its end; `holds` as folded. Error:
 * OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error ledger_survey_compare(
    const struct ledger_survey *survey, const struct hold_status *holds,
    struct difference_list *differences);

#endif
