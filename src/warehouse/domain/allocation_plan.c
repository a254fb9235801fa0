/*
 * Strategies, reasons and what the caller is told; the search for the cheapest plan is
 * allocation_search.c's. It minimises one number a plan, so what is asked is put into one: a cost
 * times T, T being more than there are sites, plus the sites used. So the cheaper plan wins, then
 * the one with fewer sites. With FEWEST_SPLITS each site costs M more, M being more than any plan
 * costs: fewer sites win, then the cheaper plan. Amounts too large for that are refused by the
 * search; then the plan is the one by priority, and its bound 0.
 */
#include "warehouse/domain/allocation_plan.h"

#include "warehouse/domain/allocation_search.h"

#include <stdlib.h>
#include <string.h>

struct planning {
    const struct allocation_problem *problem;
    struct arena *arena;
    size_t *usable; /* indexes of sites that may be used */
    size_t usable_count;
    size_t *lines; /* indexes of lines of which something is needed */
    size_t line_count;
    int64_t *needed; /* of each line of the problem */
    int64_t *rest;
    int64_t *quantities;
    bool *sites;
    size_t size; /* of the set of sites */
    bool *second;
    int64_t factor;  /* T */
    int64_t penalty; /* M */
    bool no_memory;
};

static int64_t available_at(const struct allocation_problem *problem, size_t site, size_t line)
{
    int64_t available = problem->available[site * problem->line_count + line];
    return available > 0 ? available : 0;
}

static int64_t ceiling(int64_t value, int64_t unit)
{
    return value / unit + (value % unit > 0);
}

static __int128 stairs(const struct allocation_site *site, int64_t weight)
{
    return (__int128)ceiling(weight, site->parcel_grams_max) * site->base_minor +
           (__int128)ceiling(weight, 1000) * site->per_kilogram_minor;
}

static int64_t site_cost(const struct planning *planning, size_t site)
{
    const struct allocation_problem *problem = planning->problem;
    const struct allocation_site *one = &problem->sites[site];
    __int128 weight = 0;
    for (size_t k = 0; k < problem->line_count; k++)
        weight += (__int128)planning->quantities[site * problem->line_count + k] *
                  problem->lines[k].weight_grams;
    return one->handling_minor + (int64_t)stairs(one, (int64_t)weight);
}

/* --- priority --- */

static int compare_by_priority(const void *left, const void *right, void *context)
{
    const struct allocation_problem *problem = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    const struct allocation_site *x = &problem->sites[a];
    const struct allocation_site *y = &problem->sites[b];
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (x->distance_metres != y->distance_metres)
        return x->distance_metres < y->distance_metres ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void take_by_priority(struct planning *planning)
{
    const struct allocation_problem *problem = planning->problem;
    size_t lines = problem->line_count;
    qsort_r(planning->usable, planning->usable_count, sizeof *planning->usable, compare_by_priority,
            (void *)(uintptr_t)problem);
    memcpy(planning->rest, planning->needed, lines * sizeof *planning->rest);
    for (size_t i = 0; i < planning->usable_count; i++) {
        size_t site = planning->usable[i];
        bool uses = false;
        for (size_t k = 0; k < lines; k++) {
            int64_t taken = available_at(problem, site, k);
            if (taken > planning->rest[k])
                taken = planning->rest[k];
            planning->quantities[site * lines + k] = taken;
            planning->rest[k] -= taken;
            uses = uses || taken > 0;
        }
        planning->sites[site] = uses;
        planning->size += uses;
    }
}

/* --- the search --- */

static int64_t whole_weight(const struct planning *planning)
{
    __int128 weight = 0;
    for (size_t k = 0; k < planning->problem->line_count; k++)
        weight += (__int128)planning->needed[k] * planning->problem->lines[k].weight_grams;
    return weight > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)weight;
}

/* More than any plan costs, splits included; or INT64_MAX / 4. */
static int64_t cost_above_all(const struct planning *planning)
{
    const struct allocation_problem *problem = planning->problem;
    int64_t weight = whole_weight(planning);
    __int128 most = 0;
    __int128 sum = 1;
    for (size_t i = 0; i < planning->usable_count; i++) {
        const struct allocation_site *site = &problem->sites[planning->usable[i]];
        __int128 all = stairs(site, weight);
        most = all > most ? all : most;
        sum += (__int128)site->handling_minor + site->base_minor + site->per_kilogram_minor +
               problem->split_cost_minor;
    }
    sum += most;
    return sum > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)sum;
}

/* The question in one number a plan. False: no memory, or the amounts are too large for it. */
static bool pose(struct planning *planning, struct search_question *question)
{
    const struct allocation_problem *problem = planning->problem;
    size_t sites = planning->usable_count;
    size_t lines = planning->line_count;
    struct search_site *site = arena_allocate_zero(planning->arena, sites + 1, sizeof *site);
    int64_t *needed = arena_allocate_zero(planning->arena, lines + 1, sizeof *needed);
    int64_t *weights = arena_allocate_zero(planning->arena, lines + 1, sizeof *weights);
    int64_t *available = arena_allocate_zero(planning->arena, sites * lines + 1, sizeof *available);
    bool fits = true;
    if (site == NULL || needed == NULL || weights == NULL || available == NULL) {
        planning->no_memory = true;
        return false;
    }
    for (size_t k = 0; k < lines; k++) {
        needed[k] = planning->needed[planning->lines[k]];
        weights[k] = problem->lines[planning->lines[k]].weight_grams;
    }
    for (size_t i = 0; i < sites; i++) {
        const struct allocation_site *of = &problem->sites[planning->usable[i]];
        __int128 fixed =
            ((__int128)of->handling_minor + problem->split_cost_minor + planning->penalty) *
                planning->factor +
            (planning->factor > 1);
        __int128 base = (__int128)of->base_minor * planning->factor;
        __int128 per_kilogram = (__int128)of->per_kilogram_minor * planning->factor;
        fits = fits && fixed < search_cost_max && base < search_cost_max &&
               per_kilogram < search_cost_max;
        site[i] = (struct search_site){.fixed = (int64_t)fixed,
                                       .base = (int64_t)base,
                                       .per_kilogram = (int64_t)per_kilogram,
                                       .parcel_grams_max = of->parcel_grams_max,
                                       .priority = of->priority,
                                       .warehouse_id = of->warehouse_id};
        for (size_t k = 0; k < lines; k++)
            available[i * lines + k] =
                available_at(problem, planning->usable[i], planning->lines[k]);
    }
    *question = (struct search_question){.sites = site,
                                         .site_count = sites,
                                         .line_count = lines,
                                         .needed = needed,
                                         .weight_grams = weights,
                                         .available = available};
    return fits;
}

static uint64_t steps(uint64_t work)
{
    return work > UINT64_MAX / 40 ? UINT64_MAX : work * 40;
}

/* Asks with ties in the number if they fit, else without. */
static bool ask(struct planning *planning, uint64_t work_max, struct search_answer *answer)
{
    int64_t factors[] = {(int64_t)planning->usable_count + 1, 1};
    *answer = (struct search_answer){0};
    for (size_t i = 0; i < 2 && !answer->found; i++) {
        struct search_question question;
        planning->factor = factors[i];
        if (!pose(planning, &question))
            continue;
        question.work_max = work_max;
        question.counts_sites = planning->factor > 1;
        allocation_search(&question, planning->arena, answer);
        planning->no_memory = planning->no_memory || answer->no_memory;
    }
    return answer->found;
}

/* What no plan is below, split cost of every site included, of a bound on the search's number. */
static int64_t cost_at_least(const struct planning *planning, int64_t bound, size_t penalties)
{
    __int128 least = bound - (__int128)penalties * planning->penalty * planning->factor;
    if (planning->factor > 1)
        least -= (__int128)planning->usable_count;
    return least <= 0 ? 0 : ceiling((int64_t)least, planning->factor);
}

/*
 * The bound on the best plan's cost. With FEWEST_SPLITS it is that of plans with as many sites,
 * if fewer are ruled out; else that of any plan.
 */
static int64_t least_cost(struct planning *planning, const struct search_answer *answer)
{
    int64_t least = 0;
    if (planning->penalty == 0)
        return cost_at_least(planning, answer->bound, 0);
    if (answer->bound >= (__int128)planning->penalty * planning->factor * (__int128)planning->size)
        return cost_at_least(planning, answer->bound, planning->size);
    struct search_answer cheapest;
    planning->penalty = 0;
    if (ask(planning, 0, &cheapest))
        least = cost_at_least(planning, cheapest.bound, 0);
    return least;
}

static void take_answer(struct planning *planning, const struct search_answer *answer,
                        struct allocation_plan *plan)
{
    const struct allocation_problem *problem = planning->problem;
    size_t second_size = 0;
    for (size_t i = 0; i < planning->usable_count; i++) {
        size_t site = planning->usable[i];
        planning->sites[site] = answer->used[i];
        planning->size += answer->used[i];
        planning->second[site] = answer->has_second && answer->second_used[i];
        second_size += planning->second[site];
        for (size_t k = 0; k < planning->line_count; k++)
            planning->quantities[site * problem->line_count + planning->lines[k]] =
                answer->quantities[i * planning->line_count + k];
    }
    plan->has_runner_up = answer->has_second;
    plan->has_runner_up_cost = answer->has_second;
    if (answer->has_second) {
        int64_t second = answer->second_cost / planning->factor;
        plan->runner_up_cost_minor =
            second - (int64_t)second_size * planning->penalty - problem->split_cost_minor;
    }
}

/* False: nothing was found, for the amounts are too large. */
static bool search(struct planning *planning, struct allocation_plan *plan)
{
    struct search_answer answer;
    if (planning->problem->strategy == STRATEGY_FEWEST_SPLITS)
        planning->penalty = cost_above_all(planning);
    if (!ask(planning, steps(planning->problem->work_max), &answer))
        return false;
    take_answer(planning, &answer, plan);
    plan->work = answer.work / 40;
    plan->optimal = answer.is_best;
    plan->gap_minor = answer.is_best ? 0 : least_cost(planning, &answer);
    return true;
}

/* --- the whole --- */

static bool begin(struct planning *planning, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = planning->problem;
    struct arena *arena = planning->arena;
    size_t sites = problem->site_count;
    size_t lines = problem->line_count;
    planning->usable = arena_allocate_zero(arena, sites + 1, sizeof *planning->usable);
    planning->lines = arena_allocate_zero(arena, lines + 1, sizeof *planning->lines);
    planning->needed = arena_allocate_zero(arena, lines + 1, sizeof *planning->needed);
    planning->rest = arena_allocate_zero(arena, lines + 1, sizeof *planning->rest);
    planning->quantities = arena_allocate_zero(arena, sites * lines + 1, sizeof(int64_t));
    planning->sites = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    planning->second = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    plan->line_available = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    plan->site_cost_minor = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    plan->reasons = arena_allocate_zero(arena, sites + 1, sizeof *plan->reasons);
    return planning->usable != NULL && planning->lines != NULL && planning->needed != NULL &&
           planning->rest != NULL && planning->quantities != NULL && planning->sites != NULL &&
           planning->second != NULL && plan->line_available != NULL &&
           plan->site_cost_minor != NULL && plan->reasons != NULL;
}

/* Which sites count, what there is of each line, what is to be taken. False: not enough. */
static bool look(struct planning *planning, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = planning->problem;
    bool enough = true;
    for (size_t i = 0; i < problem->site_count; i++) {
        bool has_any = false;
        plan->reasons[i] = problem->sites[i].excluded;
        if ((int)problem->sites[i].excluded != 0)
            continue;
        for (size_t k = 0; k < problem->line_count; k++) {
            plan->line_available[k] += available_at(problem, i, k);
            has_any = has_any || available_at(problem, i, k) > 0;
        }
        plan->reasons[i] = has_any ? REASON_NOT_NEEDED : REASON_NO_STOCK;
        if (has_any)
            planning->usable[planning->usable_count++] = i;
    }
    for (size_t k = 0; k < problem->line_count; k++) {
        planning->needed[k] = problem->lines[k].quantity;
        if (plan->line_available[k] < planning->needed[k]) {
            enough = false;
            planning->needed[k] = plan->line_available[k];
        }
        if (planning->needed[k] > 0)
            planning->lines[planning->line_count++] = k;
    }
    return enough || (problem->allow_partial && planning->line_count > 0);
}

static void tell(const struct planning *planning, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = planning->problem;
    plan->quantities = planning->quantities;
    plan->runner_up_sites = planning->second;
    plan->has_total_cost = true;
    plan->total_cost_minor = ((int64_t)planning->size - 1) * problem->split_cost_minor;
    for (size_t i = 0; i < problem->site_count; i++) {
        if (!planning->sites[i])
            continue;
        plan->reasons[i] = REASON_USED;
        plan->has_total_cost = plan->has_total_cost && problem->sites[i].has_cost;
        if (problem->sites[i].has_cost) {
            plan->site_cost_minor[i] = site_cost(planning, i);
            plan->total_cost_minor += plan->site_cost_minor[i];
        }
    }
}

void allocation_plan_solve(const struct allocation_problem *problem, struct arena *arena,
                           struct allocation_plan *plan)
{
    struct planning planning = {.problem = problem, .arena = arena, .factor = 1};
    *plan = (struct allocation_plan){.outcome = ALLOCATION_PLAN_OUT_OF_MEMORY};
    if (!begin(&planning, plan))
        return;
    plan->outcome = ALLOCATION_PLAN_INSUFFICIENT;
    if (!look(&planning, plan))
        return;
    plan->outcome = ALLOCATION_PLAN_FOUND;
    if (problem->strategy == STRATEGY_PRIORITY) {
        take_by_priority(&planning);
        plan->optimal = true;
        tell(&planning, plan);
        return;
    }
    if (!search(&planning, plan))
        take_by_priority(&planning);
    if (planning.no_memory) {
        plan->outcome = ALLOCATION_PLAN_OUT_OF_MEMORY;
        return;
    }
    int64_t least = plan->gap_minor - problem->split_cost_minor;
    tell(&planning, plan);
    plan->gap_minor = plan->optimal ? 0 : plan->total_cost_minor - (least > 0 ? least : 0);
}
