/*
 * The plan by trying sets of sites: first all of one site, then of two, and so on, as far as the
 * bound on work goes. Within a set each line is taken from the sites in their order. What is found
 * is a plan; how good it is, is told by a lower bound that no plan can be below: the cheapest
 * site's handling, the cheapest kilogram and the cheapest parcel for all of the weight.
 */
#include "warehouse/domain/allocation_plan.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const struct allocation_problem *problem;
    size_t *usable; /* indexes of sites that may be used, in the order they are tried */
    size_t usable_count;
    int64_t *needed;     /* of each line */
    int64_t *rest;       /* of each line, while a set is tried */
    int64_t *quantities; /* of the set that is tried */
    size_t *chosen;      /* places in `usable` */
    bool found;
    int64_t best_cost;
    size_t best_size;
    int64_t *best_quantities;
    bool *best_sites;
    bool has_second;
    int64_t second_cost;
    size_t second_size;
    bool *second_sites;
    uint64_t work;
};

static int64_t available_at(const struct allocation_problem *problem, size_t site, size_t line)
{
    int64_t available = problem->available[site * problem->line_count + line];
    return available > 0 ? available : 0;
}

static int64_t ceiling(int64_t value, int64_t unit)
{
    return value / unit + (value % unit != 0);
}

static int64_t site_cost(const struct allocation_problem *problem, size_t site,
                         const int64_t *quantities)
{
    const struct allocation_site *one = &problem->sites[site];
    int64_t weight = 0;
    for (size_t k = 0; k < problem->line_count; k++)
        weight += quantities[site * problem->line_count + k] * problem->lines[k].weight_grams;
    return one->handling_minor + ceiling(weight, one->parcel_grams_max) * one->base_minor +
           ceiling(weight, 1000) * one->per_kilogram_minor;
}

/* Takes each line from the chosen sites in their order. False: they do not have it all. */
static bool fill(struct search *search, size_t size)
{
    const struct allocation_problem *problem = search->problem;
    size_t lines = problem->line_count;
    memset(search->quantities, 0, problem->site_count * lines * sizeof *search->quantities);
    memcpy(search->rest, search->needed, lines * sizeof *search->rest);
    for (size_t i = 0; i < size; i++) {
        size_t site = search->usable[search->chosen[i]];
        bool uses = false;
        for (size_t k = 0; k < lines; k++) {
            int64_t taken = available_at(problem, site, k);
            if (taken > search->rest[k])
                taken = search->rest[k];
            search->quantities[site * lines + k] = taken;
            search->rest[k] -= taken;
            uses = uses || taken > 0;
        }
        if (!uses)
            return false; /* a smaller set is the same */
    }
    for (size_t k = 0; k < lines; k++) {
        if (search->rest[k] > 0)
            return false;
    }
    return true;
}

static bool is_better(enum allocation_strategy strategy, int64_t cost, size_t size,
                      int64_t than_cost, size_t than_size)
{
    if (strategy == STRATEGY_FEWEST_SPLITS && size != than_size)
        return size < than_size;
    return cost < than_cost || (cost == than_cost && size < than_size);
}

static void set_sites(struct search *search, bool *sites, size_t size)
{
    memset(sites, 0, search->problem->site_count * sizeof *sites);
    for (size_t i = 0; i < size; i++)
        sites[search->usable[search->chosen[i]]] = true;
}

static void try_set(struct search *search, size_t size)
{
    const struct allocation_problem *problem = search->problem;
    int64_t cost = (int64_t)(size - 1) * problem->split_cost_minor;
    search->work++;
    if (!fill(search, size))
        return;
    for (size_t i = 0; i < size; i++)
        cost += site_cost(problem, search->usable[search->chosen[i]], search->quantities);
    if (!search->found ||
        is_better(problem->strategy, cost, size, search->best_cost, search->best_size)) {
        search->has_second = search->found;
        search->second_cost = search->best_cost;
        search->second_size = search->best_size;
        memcpy(search->second_sites, search->best_sites,
               problem->site_count * sizeof *search->second_sites);
        search->found = true;
        search->best_cost = cost;
        search->best_size = size;
        set_sites(search, search->best_sites, size);
        memcpy(search->best_quantities, search->quantities,
               problem->site_count * problem->line_count * sizeof *search->quantities);
    } else if (!search->has_second ||
               is_better(problem->strategy, cost, size, search->second_cost, search->second_size)) {
        search->has_second = true;
        search->second_cost = cost;
        search->second_size = size;
        set_sites(search, search->second_sites, size);
    }
}

/* All sets of that size in order, until the bound on work. */
static void try_sets(struct search *search, size_t size)
{
    for (size_t i = 0; i < size; i++)
        search->chosen[i] = i;
    while (search->work < search->problem->work_max) {
        size_t at = size;
        try_set(search, size);
        while (at > 0 && search->chosen[at - 1] == search->usable_count - size + at - 1)
            at--;
        if (at == 0)
            return;
        search->chosen[at - 1]++;
        for (size_t i = at; i < size; i++)
            search->chosen[i] = search->chosen[i - 1] + 1;
    }
}

/* A set that surely has it all, when no set was found within the bound: sites in turn. */
static void try_all(struct search *search)
{
    const struct allocation_problem *problem = search->problem;
    size_t size = 0;
    memcpy(search->rest, search->needed, problem->line_count * sizeof *search->rest);
    for (size_t i = 0; i < search->usable_count; i++) {
        bool uses = false;
        for (size_t k = 0; k < problem->line_count; k++) {
            int64_t taken = available_at(problem, search->usable[i], k);
            if (taken > search->rest[k])
                taken = search->rest[k];
            search->rest[k] -= taken;
            uses = uses || taken > 0;
        }
        if (uses)
            search->chosen[size++] = i;
    }
    if (size > 0)
        try_set(search, size);
}

/* Less than this no plan costs. */
static int64_t lower_bound(const struct search *search)
{
    const struct allocation_problem *problem = search->problem;
    int64_t weight = 0;
    int64_t handling = INT64_MAX, base = INT64_MAX, per_kilogram = INT64_MAX, parcel = 1;
    for (size_t k = 0; k < problem->line_count; k++)
        weight += search->needed[k] * problem->lines[k].weight_grams;
    for (size_t i = 0; i < search->usable_count; i++) {
        const struct allocation_site *site = &problem->sites[search->usable[i]];
        handling = site->handling_minor < handling ? site->handling_minor : handling;
        base = site->base_minor < base ? site->base_minor : base;
        per_kilogram =
            site->per_kilogram_minor < per_kilogram ? site->per_kilogram_minor : per_kilogram;
        parcel = site->parcel_grams_max > parcel ? site->parcel_grams_max : parcel;
    }
    return handling + ceiling(weight, parcel) * base + ceiling(weight, 1000) * per_kilogram;
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

static void take_by_priority(struct search *search)
{
    const struct allocation_problem *problem = search->problem;
    size_t lines = problem->line_count;
    qsort_r(search->usable, search->usable_count, sizeof *search->usable, compare_by_priority,
            (void *)(uintptr_t)problem);
    memcpy(search->rest, search->needed, lines * sizeof *search->rest);
    for (size_t i = 0; i < search->usable_count; i++) {
        size_t site = search->usable[i];
        bool uses = false;
        for (size_t k = 0; k < lines; k++) {
            int64_t taken = available_at(problem, site, k);
            if (taken > search->rest[k])
                taken = search->rest[k];
            search->best_quantities[site * lines + k] = taken;
            search->rest[k] -= taken;
            uses = uses || taken > 0;
        }
        search->best_sites[site] = uses;
        search->best_size += uses;
    }
    search->found = true;
}

/* --- the whole --- */

static bool begin(struct search *search, struct arena *arena, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = search->problem;
    size_t sites = problem->site_count;
    size_t lines = problem->line_count;
    search->usable = arena_allocate_zero(arena, sites + 1, sizeof *search->usable);
    search->chosen = arena_allocate_zero(arena, sites + 1, sizeof *search->chosen);
    search->needed = arena_allocate_zero(arena, lines + 1, sizeof *search->needed);
    search->rest = arena_allocate_zero(arena, lines + 1, sizeof *search->rest);
    search->quantities = arena_allocate_zero(arena, sites * lines + 1, sizeof(int64_t));
    search->best_quantities = arena_allocate_zero(arena, sites * lines + 1, sizeof(int64_t));
    search->best_sites = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->second_sites = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    plan->line_available = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    plan->site_cost_minor = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    plan->reasons = arena_allocate_zero(arena, sites + 1, sizeof *plan->reasons);
    return search->usable != NULL && search->chosen != NULL && search->needed != NULL &&
           search->rest != NULL && search->quantities != NULL && search->best_quantities != NULL &&
           search->best_sites != NULL && search->second_sites != NULL &&
           plan->line_available != NULL && plan->site_cost_minor != NULL && plan->reasons != NULL;
}

/* Which sites count, what there is of each line, what is to be taken. False: not enough. */
static bool look(struct search *search, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = search->problem;
    bool enough = true;
    int64_t sum = 0;
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
            search->usable[search->usable_count++] = i;
    }
    for (size_t k = 0; k < problem->line_count; k++) {
        search->needed[k] = problem->lines[k].quantity;
        if (plan->line_available[k] >= search->needed[k])
            sum += search->needed[k] > 0;
        else {
            enough = false;
            search->needed[k] = plan->line_available[k];
            sum += search->needed[k] > 0;
        }
    }
    return enough || (problem->allow_partial && sum > 0);
}

static void tell(const struct search *search, struct allocation_plan *plan)
{
    const struct allocation_problem *problem = search->problem;
    plan->quantities = search->best_quantities;
    plan->has_total_cost = true;
    plan->total_cost_minor = (int64_t)(search->best_size - 1) * problem->split_cost_minor;
    for (size_t i = 0; i < problem->site_count; i++) {
        if (!search->best_sites[i])
            continue;
        plan->reasons[i] = REASON_USED;
        plan->has_total_cost = plan->has_total_cost && problem->sites[i].has_cost;
        if (problem->sites[i].has_cost) {
            plan->site_cost_minor[i] = site_cost(problem, i, search->best_quantities);
            plan->total_cost_minor += plan->site_cost_minor[i];
        }
    }
    plan->optimal = true;
    if (problem->strategy != STRATEGY_PRIORITY) {
        plan->gap_minor = plan->total_cost_minor - lower_bound(search);
        plan->optimal = plan->gap_minor == 0;
    }
    plan->has_runner_up = search->has_second;
    plan->runner_up_sites = search->second_sites;
    plan->has_runner_up_cost = search->has_second;
    plan->runner_up_cost_minor = search->second_cost;
}

void allocation_plan_solve(const struct allocation_problem *problem, struct arena *arena,
                           struct allocation_plan *plan)
{
    struct search search = {.problem = problem};
    *plan = (struct allocation_plan){.outcome = ALLOCATION_PLAN_OUT_OF_MEMORY};
    if (!begin(&search, arena, plan))
        return;
    plan->outcome = ALLOCATION_PLAN_INSUFFICIENT;
    if (!look(&search, plan))
        return;
    if (problem->strategy == STRATEGY_PRIORITY) {
        take_by_priority(&search);
    } else {
        for (size_t size = 1; size <= search.usable_count && search.work < problem->work_max;
             size++)
            try_sets(&search, size);
        if (!search.found)
            try_all(&search);
    }
    plan->outcome = ALLOCATION_PLAN_FOUND;
    tell(&search, plan);
}
