/*
 * The entries of one reservation lie in the ledgers of several products, and attempts of one hold
 * may be met in any order. So our entries are only gathered at first, 24 bytes each; the fold looks
 * for each hold's latest attempt, then counts for each hold what its attempts did and judges the
 * counts: a hold is whole or it is a conflict, and so is its end.
 *
 * Other callers' entries are only summed: a product's balances minus theirs are ours.
 */
#include "main/replay/findings/ledger_survey.h"

#include "platform/base/memory.h"

#include <string.h>

/* What an entry says of our reservation. */
enum entry_cause { CAUSE_RESERVED, CAUSE_COMMITTED, CAUSE_ROLLED_BACK, CAUSE_EXPIRED, CAUSE_ALIEN };
enum { entry_cause_count = CAUSE_ALIEN + 1 };

static const char *const cause_names[] = {
    [CAUSE_RESERVED] = "StockReserved",
    [CAUSE_COMMITTED] = "StockCommitted",
    [CAUSE_ROLLED_BACK] = "ReservationRolledBack",
    [CAUSE_EXPIRED] = "ReservationExpired",
};

struct survey_entry {
    uint32_t hold;
    uint32_t attempt;
    enum entry_cause cause;
    int64_t packs;
};

enum { account_count = WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_ADJUSTMENT + 1 };

struct product_survey {
    struct survey_entry *entries; /* of our reservations */
    size_t count;
    size_t capacity;
    int64_t receipt_packs;           /* of our own receipts */
    int64_t balances[account_count]; /* what flowed in minus what flowed out, by account */
    int64_t others[account_count];   /* the same of other callers' entries */
};

struct ledger_survey {
    const struct replay_plan *plan;
    struct product_survey *products;
};

/* What the attempts of one hold did; [1] is the latest, [0] all before it. */
struct hold_tally {
    uint32_t attempt; /* the latest; 0 = none */
    uint32_t lines[2][entry_cause_count];
    int64_t packs[2][entry_cause_count];
};

enum hold_state hold_state_wanted(enum hold_outcome outcome)
{
    static const enum hold_state wanted[] = {
        [HOLD_PAID] = HOLD_COMMITTED,
        [HOLD_CANCELLED] = HOLD_ROLLED_BACK,
        [HOLD_LAPSED] = HOLD_EXPIRED,
    };
    return wanted[outcome];
}

struct error ledger_survey_create(struct ledger_survey **result, const struct replay_plan *plan)
{
    struct ledger_survey *survey = memory_allocate_zero(1, sizeof *survey);
    *result = NULL;
    if (survey == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
    survey->plan = plan;
    survey->products =
        memory_allocate_zero(plan->data_set->product_count, sizeof *survey->products);
    if (survey->products == NULL) {
        memory_release(survey);
        return error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
    }
    *result = survey;
    return error_none();
}

void ledger_survey_destroy(struct ledger_survey *survey)
{
    if (survey == NULL)
        return;
    for (uint32_t i = 0; i < survey->plan->data_set->product_count; i++)
        memory_release(survey->products[i].entries);
    memory_release(survey->products);
    memory_release(survey);
}

void ledger_survey_restart(struct ledger_survey *survey, uint32_t product)
{
    struct product_survey *of = &survey->products[product];
    *of = (struct product_survey){.entries = of->entries, .capacity = of->capacity};
}

/* --- one entry --- */

static enum entry_cause cause_of(const char *name)
{
    for (size_t i = 0; i < sizeof cause_names / sizeof cause_names[0]; i++) {
        if (strcmp(name, cause_names[i]) == 0)
            return (enum entry_cause)i;
    }
    return CAUSE_ALIEN;
}

static void move(int64_t *balances, const Waybill__Inventory__V1__StockEntry *entry)
{
    if ((unsigned)entry->from_account < account_count)
        balances[entry->from_account] -= entry->quantity;
    if ((unsigned)entry->to_account < account_count)
        balances[entry->to_account] += entry->quantity;
}

static struct error keep_entry(struct product_survey *of, const struct survey_entry *entry)
{
    if (of->count == of->capacity) {
        size_t capacity = of->capacity == 0 ? 64 : 2 * of->capacity;
        void *grown = memory_reallocate(of->entries, capacity * sizeof *of->entries);
        if (grown == NULL)
            return error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
        of->entries = grown;
        of->capacity = capacity;
    }
    of->entries[of->count++] = *entry;
    return error_none();
}

struct error ledger_survey_add(struct ledger_survey *survey, uint32_t product,
                               const Waybill__Inventory__V1__StockEntry *entry)
{
    struct product_survey *of = &survey->products[product];
    struct survey_entry ours = {.cause = cause_of(entry->cause), .packs = entry->quantity};
    move(of->balances, entry);
    if (strcmp(entry->cause, "StockReceived") == 0 &&
        replay_plan_is_receipt(survey->plan, text_of(entry->cause_id), product)) {
        of->receipt_packs += entry->quantity;
        return error_none();
    }
    if (replay_plan_find_reservation(survey->plan, text_of(entry->cause_id), &ours.hold,
                                     &ours.attempt))
        return keep_entry(of, &ours);
    move(of->others, entry);
    return error_none();
}

bool ledger_survey_is_complete(const struct ledger_survey *survey, uint32_t product,
                               const Waybill__Inventory__V1__Stock *stock)
{
    const int64_t *balances = survey->products[product].balances;
    return balances[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_SUPPLY] ==
               -stock->received &&
           balances[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RESERVED] ==
               stock->reserved &&
           balances[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_COMMITTED] ==
               stock->committed &&
           balances[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RETURNED] ==
               -stock->returned &&
           balances[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_ADJUSTMENT] ==
               -stock->adjusted;
}

bool ledger_survey_is_received(const struct ledger_survey *survey, uint32_t product)
{
    return survey->products[product].receipt_packs >=
           survey->plan->data_set->products[product].packs;
}

/* --- the fold --- */

static void tally_entries(const struct ledger_survey *survey, struct hold_tally *tallies)
{
    uint32_t product_count = survey->plan->data_set->product_count;
    for (uint32_t i = 0; i < product_count; i++) {
        const struct product_survey *of = &survey->products[i];
        for (size_t j = 0; j < of->count; j++) {
            struct hold_tally *tally = &tallies[of->entries[j].hold];
            if (of->entries[j].attempt > tally->attempt)
                tally->attempt = of->entries[j].attempt;
        }
    }
    for (uint32_t i = 0; i < product_count; i++) {
        const struct product_survey *of = &survey->products[i];
        for (size_t j = 0; j < of->count; j++) {
            const struct survey_entry *entry = &of->entries[j];
            struct hold_tally *tally = &tallies[entry->hold];
            size_t latest = entry->attempt == tally->attempt;
            tally->lines[latest][entry->cause]++;
            tally->packs[latest][entry->cause] += entry->packs;
        }
    }
}

/* Whether `cause` was met for the whole order, `times` times. */
static bool is_whole(const struct hold_tally *tally, size_t latest, enum entry_cause cause,
                     const struct data_set_order *order, uint32_t times)
{
    return tally->lines[latest][cause] == times * order->sku_count &&
           tally->packs[latest][cause] == (int64_t)times * order->packs;
}

/* The state that the counts tell; HOLD_UNKNOWN if no replay leaves such counts. */
static enum hold_state state_of(const struct hold_tally *tally, const struct data_set_order *order)
{
    static const enum hold_state ends[] = {
        [CAUSE_RESERVED] = HOLD_PENDING,
        [CAUSE_COMMITTED] = HOLD_COMMITTED,
        [CAUSE_ROLLED_BACK] = HOLD_ROLLED_BACK,
        [CAUSE_EXPIRED] = HOLD_EXPIRED,
    };
    enum hold_state state = HOLD_PENDING;
    if (tally->attempt == 0)
        return HOLD_NONE;
    uint32_t earlier = tally->attempt - 1;
    if (!is_whole(tally, 0, CAUSE_RESERVED, order, earlier) ||
        !is_whole(tally, 0, CAUSE_EXPIRED, order, earlier) ||
        tally->lines[0][CAUSE_COMMITTED] + tally->lines[0][CAUSE_ROLLED_BACK] > 0 ||
        tally->lines[0][CAUSE_ALIEN] + tally->lines[1][CAUSE_ALIEN] > 0 ||
        !is_whole(tally, 1, CAUSE_RESERVED, order, 1))
        return HOLD_UNKNOWN;
    for (enum entry_cause cause = CAUSE_COMMITTED; cause <= CAUSE_EXPIRED; cause++) {
        if (tally->lines[1][cause] == 0)
            continue;
        if (state != HOLD_PENDING || !is_whole(tally, 1, cause, order, 1))
            return HOLD_UNKNOWN;
        state = ends[cause];
    }
    return state;
}

static void add_conflict(struct difference_list *conflicts, const struct data_set_order *order,
                         const struct hold_tally *tally)
{
    uint32_t sums[entry_cause_count];
    for (size_t i = 0; i < entry_cause_count; i++)
        sums[i] = tally->lines[0][i] + tally->lines[1][i];
    difference_list_add(
        conflicts,
        "order %s of %u lines, in %u attempts: the ledger has %u lines reserved, %u "
        "committed, %u rolled back, %u expired, %u other",
        order->order_id.data, order->sku_count, tally->attempt, sums[CAUSE_RESERVED],
        sums[CAUSE_COMMITTED], sums[CAUSE_ROLLED_BACK], sums[CAUSE_EXPIRED], sums[CAUSE_ALIEN]);
}

static struct hold_status status_of(const struct hold_tally *tally,
                                    const struct data_set_order *order, enum hold_outcome outcome,
                                    struct difference_list *conflicts)
{
    struct hold_status status = {.state = state_of(tally, order), .attempt = tally->attempt};
    bool again = status.state == HOLD_EXPIRED && outcome != HOLD_LAPSED;
    if (status.state == HOLD_UNKNOWN || (again && status.attempt == replay_attempts_max)) {
        add_conflict(conflicts, order, tally);
        status.state = HOLD_UNKNOWN;
    } else if (again || status.state == HOLD_NONE) {
        status = (struct hold_status){.state = HOLD_NONE, .attempt = tally->attempt + 1};
    }
    return status;
}

static void sum_products(const struct ledger_survey *survey, struct survey_totals *totals,
                         struct difference_list *conflicts)
{
    const struct data_set *data_set = survey->plan->data_set;
    for (uint32_t i = 0; i < data_set->product_count; i++) {
        const struct product_survey *of = &survey->products[i];
        totals->products_received += ledger_survey_is_received(survey, i);
        totals->others_received -=
            of->others[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_SUPPLY];
        totals->others_reserved +=
            of->others[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RESERVED];
        totals->others_committed +=
            of->others[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_COMMITTED];
        if (of->receipt_packs > data_set->products[i].packs)
            difference_list_add(conflicts, "%s: %lld packs received instead of %lld",
                                data_set->products[i].sku.data, (long long)of->receipt_packs,
                                (long long)data_set->products[i].packs);
    }
}

struct error ledger_survey_fold(const struct ledger_survey *survey, struct hold_status *holds,
                                struct survey_totals *totals, struct difference_list *conflicts)
{
    const struct replay_plan *plan = survey->plan;
    struct hold_tally *tallies = memory_allocate_zero(plan->hold_count, sizeof *tallies);
    *totals = (struct survey_totals){0};
    if (tallies == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
    tally_entries(survey, tallies);
    for (uint32_t i = 0; i < plan->hold_count; i++) {
        const struct data_set_order *order = replay_plan_order(plan, i);
        holds[i] = status_of(&tallies[i], order, replay_plan_outcome(plan, i), conflicts);
        struct hold_totals *sum = &totals->holds[holds[i].state];
        sum->holds++;
        sum->lines += order->sku_count;
        sum->packs += order->packs;
    }
    sum_products(survey, totals, conflicts);
    memory_release(tallies);
    return error_none();
}

/* --- against the plan --- */

/* What the plan leaves committed of each product. */
static void sum_planned(const struct replay_plan *plan, int64_t *committed)
{
    const struct data_set *data_set = plan->data_set;
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        const struct data_set_order *order = &data_set->orders[i];
        for (uint32_t j = 0; j < order->line_count; j++) {
            const struct data_set_line *line = &data_set->lines[order->first_line + j];
            committed[line->product] += line->packs;
        }
    }
}

static void compare_products(const struct ledger_survey *survey, const int64_t *planned,
                             struct difference_list *differences)
{
    const struct data_set *data_set = survey->plan->data_set;
    for (uint32_t i = 0; i < data_set->product_count; i++) {
        const struct product_survey *of = &survey->products[i];
        const char *sku = data_set->products[i].sku.data;
        int64_t ours[account_count];
        for (size_t j = 0; j < account_count; j++)
            ours[j] = of->balances[j] - of->others[j];
        int64_t received = -ours[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_SUPPLY];
        int64_t committed = ours[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_COMMITTED];
        int64_t reserved = ours[WAYBILL__INVENTORY__V1__STOCK_ACCOUNT__STOCK_ACCOUNT_RESERVED];
        if (received != data_set->products[i].packs)
            difference_list_add(differences, "%s: %lld packs received instead of %lld", sku,
                                (long long)received, (long long)data_set->products[i].packs);
        if (committed != planned[i])
            difference_list_add(differences, "%s: %lld packs committed instead of %lld", sku,
                                (long long)committed, (long long)planned[i]);
        if (reserved != 0)
            difference_list_add(differences, "%s: %lld packs still reserved", sku,
                                (long long)reserved);
    }
}

static void compare_holds(const struct replay_plan *plan, const struct hold_status *holds,
                          struct difference_list *differences)
{
    static const char *const state_names[] = {
        [HOLD_NONE] = "not there",      [HOLD_PENDING] = "pending",
        [HOLD_COMMITTED] = "committed", [HOLD_ROLLED_BACK] = "rolled back",
        [HOLD_EXPIRED] = "expired",     [HOLD_UNKNOWN] = "in conflict",
    };
    for (uint32_t i = 0; i < plan->hold_count; i++) {
        enum hold_state wanted = hold_state_wanted(replay_plan_outcome(plan, i));
        if (holds[i].state != wanted)
            difference_list_add(differences, "order %s: its %shold is %s instead of %s",
                                replay_plan_order(plan, i)->order_id.data,
                                i < plan->data_set->order_count ? "" : "extra ",
                                state_names[holds[i].state], state_names[wanted]);
    }
}

struct error ledger_survey_compare(const struct ledger_survey *survey,
                                   const struct hold_status *holds,
                                   struct difference_list *differences)
{
    int64_t *planned = memory_allocate_zero(survey->plan->data_set->product_count, sizeof *planned);
    if (planned == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "survey of the ledger");
    sum_planned(survey->plan, planned);
    compare_products(survey, planned, differences);
    compare_holds(survey->plan, holds, differences);
    memory_release(planned);
    return error_none();
}
