/*
 * Solves allocation problems given as text on standard input, one after the other, for comparison
 * with an outside solver. Numbers separated by blanks:
 *
 *   strategy allow_partial split_cost work_max sites lines
 *   for each site: handling base per_kilogram parcel_grams_max
 *   for each line: quantity weight_grams, then what each site has
 *
 * Answers one line each: outcome optimal total_cost gap, the number of sites, and per site and line
 * the quantity. Sites are numbered in the order of priority.
 */
#include "warehouse/domain/allocation_plan.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t read_number(void)
{
    int64_t number = 0;
    CHECK(scanf("%" SCNd64, &number) == 1);
    return number;
}

static void answer(const struct allocation_problem *problem, const struct allocation_plan *plan)
{
    size_t used = 0;
    if (plan->outcome != ALLOCATION_PLAN_FOUND) {
        printf("%d\n", plan->outcome);
        return;
    }
    for (size_t i = 0; i < problem->site_count; i++)
        used += plan->reasons[i] == REASON_USED;
    printf("%d %d %" PRId64 " %" PRId64 " %zu", plan->outcome, plan->optimal,
           plan->total_cost_minor, plan->gap_minor, used);
    for (size_t i = 0; i < problem->site_count * problem->line_count; i++)
        printf(" %" PRId64, plan->quantities[i]);
    printf("\n");
}

static void solve(int64_t strategy, struct arena *arena)
{
    struct allocation_problem problem = {.strategy = (enum allocation_strategy)strategy};
    problem.allow_partial = read_number() != 0;
    problem.split_cost_minor = read_number();
    problem.work_max = (uint64_t)read_number();
    problem.site_count = (size_t)read_number();
    problem.line_count = (size_t)read_number();
    struct allocation_site *sites =
        arena_allocate_zero(arena, problem.site_count + 1, sizeof *sites);
    struct allocation_demand *lines =
        arena_allocate_zero(arena, problem.line_count + 1, sizeof *lines);
    int64_t *available =
        arena_allocate_zero(arena, problem.site_count * problem.line_count + 1, sizeof *available);
    CHECK(sites != NULL && lines != NULL && available != NULL);
    for (size_t i = 0; i < problem.site_count; i++) {
        sites[i] = (struct allocation_site){.priority = (int32_t)i, .has_cost = true};
        sites[i].warehouse_id = text_of(arena_format(arena, "w%04zu", i));
        sites[i].handling_minor = read_number();
        sites[i].base_minor = read_number();
        sites[i].per_kilogram_minor = read_number();
        sites[i].parcel_grams_max = read_number();
    }
    for (size_t k = 0; k < problem.line_count; k++) {
        lines[k].quantity = read_number();
        lines[k].weight_grams = read_number();
        for (size_t i = 0; i < problem.site_count; i++)
            available[i * problem.line_count + k] = read_number();
    }
    problem.sites = sites;
    problem.lines = lines;
    problem.available = available;
    struct allocation_plan plan;
    allocation_plan_solve(&problem, arena, &plan);
    answer(&problem, &plan);
}

int main(void)
{
    int64_t strategy;
    struct arena arena;
    arena_init(&arena, (size_t)256 << 20);
    while (scanf("%" SCNd64, &strategy) == 1) {
        solve(strategy, &arena);
        arena_reset(&arena);
    }
    arena_deinit(&arena);
    return 0;
}
