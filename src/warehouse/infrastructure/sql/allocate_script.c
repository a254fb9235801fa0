/*
 * Allocate, and PlanAllocation, which is the same without holding anything: look at all warehouses,
 * lock the stock of the SKUs everywhere, make the problem, solve it, hold, write.
 */
#include "warehouse/domain/allocation_plan.h"
#include "warehouse/domain/limits.h"
#include "warehouse/domain/site_offer.h"
#include "warehouse/infrastructure/sql/allocation_rows.h"
#include "warehouse/infrastructure/sql/site_directory.h"
#include "warehouse/infrastructure/sql/sql_warehouse_state.h"

#include <stdlib.h>
#include <string.h>

struct allocating {
    struct step *step;
    struct allocate_command *command;
    struct site_directory *directory;
    struct ledger ledger;
    enum sql_verdict verdict;
    bool is_plan;

    struct text *skus;
    struct site_offer *offers;
    bool *has_stock;
    struct allocation_demand *demands;
    struct allocation_site *sites;
    int64_t *available;
    struct money split_cost;
    char currency[4];
    struct allocation_plan plan;
};

static bool end_with(struct allocating *allocating, enum sql_verdict verdict)
{
    allocating->verdict = verdict;
    return false;
}

static struct text content_of(struct step *step, const struct allocate_command *command)
{
    struct content content;
    content_begin(&content, "allocation");
    content_text(&content, command->order_id);
    content_text(&content, command->reservation_id);
    content_address(&content, &command->destination);
    content_number(&content, (int64_t)command->line_count);
    for (size_t i = 0; i < command->line_count; i++) {
        content_text(&content, command->lines[i].sku);
        content_number(&content, command->lines[i].quantity);
    }
    content_number(&content, command->strategy);
    content_number(&content, command->allow_partial);
    content_money(&content, command->split_cost);
    content_number(&content, command->expire_time_us);
    return content_take(&content, step);
}

/* A repeat: the record as it is now, unless it is due. */
static enum sql_verdict repeat(struct step *step, struct allocate_command *command)
{
    struct allocation *allocation = &command->allocation;
    enum sql_verdict verdict;
    struct text content;
    int64_t now_us;
    if (!allocation_find(step, command->allocation_id, false, allocation, &content, &verdict))
        return verdict;
    if (!sql_session_now_us(step->session, allocation->create_time_us, &now_us))
        return SQL_FAIL;
    step->is_due = allocation_is_due(allocation->state, allocation->expire_time_us, now_us);
    step->due_at_us = now_us;
    if (step->is_due)
        return SQL_ROLL_BACK;
    return allocation_propose(step, allocation) ? SQL_COMMIT : SQL_FAIL;
}

/* --- the problem --- */

static bool make_room(struct allocating *allocating)
{
    size_t sites = allocating->directory->count;
    size_t lines = allocating->command->line_count;
    struct step *step = allocating->step;
    allocating->offers = step_allocate(step, sites + 1, sizeof *allocating->offers);
    allocating->has_stock = step_allocate(step, sites + 1, sizeof *allocating->has_stock);
    allocating->demands = step_allocate(step, lines + 1, sizeof *allocating->demands);
    allocating->sites = step_allocate(step, sites + 1, sizeof *allocating->sites);
    allocating->available = step_allocate(step, sites * lines + 1, sizeof *allocating->available);
    if (allocating->offers == NULL || allocating->has_stock == NULL ||
        allocating->demands == NULL || allocating->sites == NULL || allocating->available == NULL)
        return end_with(allocating, SQL_FAIL);
    return true;
}

/* What is free at each site, by line. */
static void count_available(struct allocating *allocating)
{
    size_t line_count = allocating->command->line_count;
    for (size_t i = 0; i < allocating->directory->count; i++) {
        for (size_t k = 0; k < line_count; k++) {
            const struct ledger_stock *stock =
                ledger_find(&allocating->ledger, allocating->skus[k],
                            allocating->directory->sites[i].warehouse_id);
            int64_t available = stock == NULL ? 0 : warehouse_stock_available(&stock->stock);
            allocating->available[i * line_count + k] = available > 0 ? available : 0;
            allocating->has_stock[i] = allocating->has_stock[i] || available > 0;
        }
    }
}

/* Of a line whose SKU has no stock anywhere: its item, which there must be. */
static bool read_item(struct allocating *allocating, size_t line)
{
    static const struct sql_statement find = {
        .text = "SELECT weight_grams FROM warehouse_items WHERE sku = $1"};
    struct step *step = allocating->step;
    struct sql_rows rows;
    if (!sql_query(step->session, &find, BOUND(sql_text(allocating->skus[line])), &rows))
        return end_with(allocating, SQL_FAIL);
    if (rows.count == 0)
        return end_with(allocating,
                        step_refuse(step, WAREHOUSE_SKU_NOT_FOUND, allocating->skus[line]));
    allocating->demands[line].weight_grams = sql_rows_integer(&rows, 0, 0);
    return true;
}

/* Quantities and weights. A SKU without item and without stock anywhere is unknown. */
static bool make_demands(struct allocating *allocating)
{
    struct allocate_command *command = allocating->command;
    size_t stock = 0; /* both lists are sorted by SKU */
    for (size_t i = 0; i < command->line_count; i++) {
        struct allocation_demand *demand = &allocating->demands[i];
        const struct ledger *ledger = &allocating->ledger;
        demand->quantity = command->lines[i].quantity;
        while (stock < ledger->count &&
               text_compare(ledger->stocks[stock].stock.sku, allocating->skus[i]) < 0)
            stock++;
        if (stock < ledger->count &&
            text_equal(ledger->stocks[stock].stock.sku, allocating->skus[i]))
            demand->weight_grams = ledger->stocks[stock].weight_grams;
        else if (!read_item(allocating, i))
            return false;
        if (demand->weight_grams == 0 && command->strategy != STRATEGY_PRIORITY)
            violations_add(&command->base.violations,
                           "the item has no weight, which its cost depends on; PutItem gives one",
                           "lines[%zu].sku", command->lines[i].index);
    }
    return command->base.violations.count == 0 ||
           end_with(allocating, step_invalid(allocating->step));
}

static void make_offers(struct allocating *allocating)
{
    const struct site_directory *directory = allocating->directory;
    const struct allocate_command *command = allocating->command;
    for (size_t i = 0; i < directory->count; i++) {
        int64_t now_us = allocating->ledger.now_us;
        int64_t offset = time_zone_offset_seconds(directory->zones[i], now_us / 1000000);
        allocating->offers[i] = site_offer_make(
            &directory->sites[i], command->destination.point, local_moment_of(now_us, offset),
            allocating->step->repository->options.ship_within_days, command->strategy);
    }
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/*
 * Warehouses whose day is full take no part. Their rows are locked, so that two allocations do not
 * both take the last place.
 */
static bool exclude_full_sites(struct allocating *allocating)
{
    static const struct sql_statement lock = {
        .text = "SELECT warehouse_id FROM warehouse_sites WHERE warehouse_id = $1",
        .postgresql = "SELECT warehouse_id FROM warehouse_sites WHERE warehouse_id = $1"
                      " FOR NO KEY UPDATE"};
    static const struct sql_statement count = {
        .text = "SELECT COUNT(*) FROM warehouse_allocation_parts"
                " WHERE warehouse_id = $1 AND ship_day = $2 AND state <= 3"};
    struct step *step = allocating->step;
    struct text *limited = step_allocate(step, allocating->directory->count + 1, sizeof *limited);
    struct sql_rows rows;
    size_t limited_count = 0;
    if (limited == NULL)
        return end_with(allocating, SQL_FAIL);
    for (size_t i = 0; i < allocating->directory->count; i++) {
        const struct site *site = &allocating->directory->sites[i];
        if (site->capacity_per_day > 0 && allocating->has_stock[i] &&
            (int)allocating->offers[i].site.excluded == 0)
            limited[limited_count++] = site->warehouse_id;
    }
    if (limited_count > 1) /* the order of locks */
        qsort(limited, limited_count, sizeof *limited, compare_texts);
    for (size_t i = 0; i < limited_count && !allocating->is_plan; i++) {
        if (!sql_query(step->session, &lock, BOUND(sql_text(limited[i])), &rows))
            return end_with(allocating, SQL_FAIL);
    }
    for (size_t i = 0; i < allocating->directory->count; i++) {
        const struct site *site = &allocating->directory->sites[i];
        struct site_offer *offer = &allocating->offers[i];
        if (site->capacity_per_day == 0 || !allocating->has_stock[i] ||
            (int)offer->site.excluded != 0 || allocating->command->strategy == STRATEGY_PRIORITY)
            continue;
        if (!sql_query(step->session, &count,
                       BOUND(sql_text(site->warehouse_id), sql_integer(offer->ship_day)), &rows))
            return end_with(allocating, SQL_FAIL);
        if (sql_rows_integer(&rows, 0, 0) >= site->capacity_per_day)
            offer->site.excluded = REASON_NO_CAPACITY;
    }
    return true;
}

static bool compare_offers(struct allocating *allocating)
{
    struct allocate_command *command = allocating->command;
    struct violations *violations = &command->base.violations;
    allocating->split_cost = money_is(command->split_cost)
                                 ? command->split_cost
                                 : allocating->step->repository->options.split_cost;
    switch (site_offers_compare(allocating->offers, allocating->has_stock,
                                allocating->directory->count, allocating->split_cost,
                                allocating->demands, command->line_count, command->strategy,
                                allocating->currency)) {
    case OFFERS_GOOD:
        return true;
    case OFFERS_MIX_CURRENCIES:
        violations_add(violations,
                       "handling costs, cost cards and split cost must be of one currency",
                       "split_cost.currency_code");
        break;
    case OFFERS_TOO_COSTLY:
        violations_add(violations, "weigh or cost more than 10^15 grams or minor units", "lines");
        break;
    }
    return end_with(allocating, step_invalid(allocating->step));
}

static bool make_problem(struct allocating *allocating)
{
    count_available(allocating);
    if (!make_demands(allocating))
        return false;
    make_offers(allocating);
    if (!exclude_full_sites(allocating) || !compare_offers(allocating))
        return false;
    for (size_t i = 0; i < allocating->directory->count; i++) {
        allocating->sites[i] = allocating->offers[i].site;
        allocating->sites[i].warehouse_id = allocating->directory->sites[i].warehouse_id;
    }
    return true;
}

/* --- the answer --- */

static bool refuse_shortages(struct allocating *allocating)
{
    struct step *step = allocating->step;
    const struct allocate_command *command = allocating->command;
    struct shortage *shortages = step_allocate(step, command->line_count + 1, sizeof *shortages);
    size_t count = 0;
    if (shortages == NULL)
        return end_with(allocating, SQL_FAIL);
    for (size_t i = 0; i < command->line_count; i++) {
        if (allocating->plan.line_available[i] >= command->lines[i].quantity)
            continue;
        shortages[count++] = (struct shortage){
            .sku = command->lines[i].sku,
            .requested_quantity = command->lines[i].quantity,
            .available_quantity = allocating->plan.line_available[i],
        };
    }
    step->command->shortages = shortages;
    step->command->shortage_count = count;
    return end_with(allocating, step_refuse(step, WAREHOUSE_INSUFFICIENT_STOCK, (struct text){0}));
}

static bool solve(struct allocating *allocating)
{
    const struct allocate_command *command = allocating->command;
    const struct allocation_problem problem = {
        .strategy = command->strategy,
        .allow_partial = command->allow_partial,
        .split_cost_minor = allocating->split_cost.amount_minor,
        .work_max = allocating->step->repository->options.allocation_work_max,
        .sites = allocating->sites,
        .site_count = allocating->directory->count,
        .lines = allocating->demands,
        .line_count = command->line_count,
        .available = allocating->available,
    };
    allocation_plan_solve(&problem, allocating->step->arena, &allocating->plan);
    switch (allocating->plan.outcome) {
    case ALLOCATION_PLAN_FOUND:
        return true;
    case ALLOCATION_PLAN_INSUFFICIENT:
        return refuse_shortages(allocating);
    case ALLOCATION_PLAN_OUT_OF_MEMORY:
        break;
    }
    return end_with(allocating, step_fail_memory(allocating->step));
}

static struct money money_in(const char currency[4], int64_t amount_minor)
{
    struct money money = {.amount_minor = amount_minor};
    memcpy(money.currency, currency, sizeof money.currency);
    return money;
}

static bool make_part(struct allocating *allocating, size_t site, enum allocation_state state)
{
    const struct allocation_plan *plan = &allocating->plan;
    struct allocation *allocation = &allocating->command->allocation;
    size_t line_count = allocating->command->line_count;
    struct allocation_part *part = &allocation->parts[allocation->part_count];
    const struct site_offer *offer = &allocating->offers[site];
    *part = (struct allocation_part){
        .warehouse_id = arena_copy_text(allocating->step->arena,
                                        allocating->directory->sites[site].warehouse_id),
        .state = state,
        .has_distance = offer->site.has_distance,
        .distance_metres = offer->site.distance_metres,
        .ship_day = offer->ship_day,
    };
    if (offer->site.has_cost)
        part->cost = money_in(allocating->currency, plan->site_cost_minor[site]);
    part->lines = step_allocate(allocating->step, line_count + 1, sizeof *part->lines);
    if (part->lines == NULL || part->warehouse_id.data == NULL)
        return end_with(allocating, step_fail_memory(allocating->step));
    for (size_t i = 0; i < line_count; i++) {
        int64_t quantity = plan->quantities[site * line_count + i];
        if (quantity > 0)
            part->lines[part->line_count++] =
                (struct allocation_line){.sku = allocating->skus[i], .quantity = quantity};
    }
    allocation->part_count += part->line_count > 0;
    return true;
}

/* Reasons and runner-up; warehouse_ids are copied, for the directory may go before the answer. */
static bool explain(struct allocating *allocating)
{
    struct step *step = allocating->step;
    const struct site_directory *directory = allocating->directory;
    const struct allocation_plan *plan = &allocating->plan;
    struct allocation *allocation = &allocating->command->allocation;
    allocation->reasons = step_allocate(step, directory->count + 1, sizeof *allocation->reasons);
    allocation->runner_up_warehouse_ids =
        step_allocate(step, directory->count + 1, sizeof *allocation->runner_up_warehouse_ids);
    if (allocation->reasons == NULL || allocation->runner_up_warehouse_ids == NULL)
        return end_with(allocating, SQL_FAIL);
    for (size_t i = 0; i < directory->count; i++) {
        struct text id = arena_copy_text(step->arena, directory->sites[i].warehouse_id);
        if (id.data == NULL)
            return end_with(allocating, step_fail_memory(step));
        allocation->reasons[i] =
            (struct allocation_reason){.warehouse_id = id, .code = plan->reasons[i]};
        if (plan->has_runner_up && plan->runner_up_sites[i])
            allocation->runner_up_warehouse_ids[allocation->runner_up_count++] = id;
    }
    allocation->reason_count = directory->count;
    if (plan->has_runner_up && plan->has_runner_up_cost)
        allocation->runner_up_cost = money_in(allocating->currency, plan->runner_up_cost_minor);
    return true;
}

static bool make_allocation(struct allocating *allocating)
{
    const struct allocate_command *command = allocating->command;
    struct allocation *allocation = &allocating->command->allocation;
    enum allocation_state state =
        command->expire_time_us == 0 ? ALLOCATION_FIRM : ALLOCATION_TENTATIVE;
    size_t site_count = allocating->directory->count;
    *allocation = (struct allocation){
        .allocation_id = command->allocation_id,
        .order_id = command->order_id,
        .reservation_id = command->reservation_id,
        .state = state,
        .strategy = command->strategy,
        .optimal = allocating->plan.optimal,
        .create_time_us = allocating->ledger.now_us,
        .expire_time_us = command->expire_time_us,
        .revision = 1,
    };
    if (allocating->plan.has_total_cost)
        allocation->total_cost = money_in(allocating->currency, allocating->plan.total_cost_minor);
    if (!allocation->optimal)
        allocation->gap = money_in(allocating->currency, allocating->plan.gap_minor);
    allocation->parts = step_allocate(allocating->step, site_count + 1, sizeof *allocation->parts);
    if (allocation->parts == NULL)
        return end_with(allocating, SQL_FAIL);
    for (size_t i = 0; i < site_count; i++) {
        if (allocating->plan.reasons[i] == REASON_USED && !make_part(allocating, i, state))
            return false;
    }
    return explain(allocating);
}

/* Where to pick: only the shelves of the places chosen are looked at. */
static bool propose(struct allocating *allocating)
{
    struct allocation *allocation = &allocating->command->allocation;
    struct text *skus;
    struct text *sites;
    size_t sku_count;
    size_t site_count;
    if (!allocation_places(allocating->step, allocation, &skus, &sku_count, &sites, &site_count))
        return end_with(allocating, SQL_FAIL);
    if (!ledger_read_shelves(&allocating->ledger, skus, sku_count, sites, site_count))
        return end_with(allocating, allocating->ledger.verdict);
    return allocation_propose_from(&allocating->ledger, allocation) ||
           end_with(allocating, SQL_FAIL);
}

/* Holds the quantities and proposes where to pick them. */
static bool hold(struct allocating *allocating)
{
    struct allocation *allocation = &allocating->command->allocation;
    for (size_t i = 0; i < allocation->part_count; i++) {
        const struct allocation_part *part = &allocation->parts[i];
        for (size_t k = 0; k < part->line_count; k++) {
            struct ledger_stock *stock =
                ledger_find(&allocating->ledger, part->lines[k].sku, part->warehouse_id);
            stock->stock.allocated += part->lines[k].quantity;
            stock->changed = true;
        }
    }
    return propose(allocating);
}

static bool lock_stock(struct allocating *allocating, struct text id,
                       struct allocation_known *known)
{
    struct step *step = allocating->step;
    const struct allocate_command *command = allocating->command;
    allocating->skus = step_allocate(step, command->line_count + 1, sizeof *allocating->skus);
    if (allocating->skus == NULL)
        return end_with(allocating, SQL_FAIL);
    for (size_t i = 0; i < command->line_count; i++)
        allocating->skus[i] = command->lines[i].sku;
    return ledger_lock_everywhere(&allocating->ledger, step, allocating->skus, command->line_count,
                                  !allocating->is_plan, id, known) ||
           end_with(allocating, allocating->ledger.verdict);
}

static bool check_expiry(struct allocating *allocating)
{
    struct step *step = allocating->step;
    const struct allocate_command *command = allocating->command;
    int64_t now_us = allocating->ledger.now_us;
    if (command->expire_time_us != 0 &&
        (command->expire_time_us <= now_us ||
         command->expire_time_us > now_us + warehouse_hold_us_max)) {
        violations_add(&step->command->violations, "must be in the next 31 days", "expire_time");
        return end_with(allocating, step_invalid(step));
    }
    return true;
}

static bool decide(struct allocating *allocating)
{
    return make_room(allocating) && check_expiry(allocating) && make_problem(allocating) &&
           solve(allocating) && make_allocation(allocating) && hold(allocating);
}

static bool write(struct allocating *allocating, struct text content)
{
    struct step *step = allocating->step;
    const struct allocation *allocation = &allocating->command->allocation;
    const struct warehouse_event event = {.type = EVENT_STOCK_ALLOCATED, .allocation = allocation};
    return ledger_write(&allocating->ledger) && allocation_insert(step, allocation, content) &&
           allocation_emit(step, &event, allocation->create_time_us);
}

static enum sql_verdict run(struct step *step, bool is_plan, struct text id, struct text content)
{
    struct allocating allocating = {
        .step = step,
        .command = (struct allocate_command *)step->command,
        .verdict = SQL_FAIL,
        .is_plan = is_plan,
    };
    struct allocation_known known;
    if (!lock_stock(&allocating, id, &known))
        return allocating.verdict;
    if (known.content.size > 0 && !text_equal(known.content, content))
        return step_refuse(step, WAREHOUSE_ID_REUSED, id);
    if (known.content.size > 0)
        return repeat(step, allocating.command);
    if (!site_directory_hold(step, known.directory_revision, &allocating.directory))
        return SQL_FAIL;
    if (decide(&allocating))
        allocating.verdict = is_plan || write(&allocating, content) ? SQL_COMMIT : SQL_FAIL;
    site_directory_release(allocating.directory);
    return allocating.verdict;
}

enum sql_verdict plan_allocation_script(struct step *step)
{
    return run(step, true, (struct text){0}, (struct text){0});
}

enum sql_verdict allocate_script(struct step *step)
{
    struct allocate_command *command = (struct allocate_command *)step->command;
    struct text content = content_of(step, command);
    return content.data == NULL ? SQL_FAIL : run(step, false, command->allocation_id, content);
}
