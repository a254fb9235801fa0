/*
 * The allocation decision alone, on cases made from fixed seeds: how long it takes, how often the
 * plan is proved the cheapest, and how far the bound is off where it is not. Not a test: nothing is
 * asserted.
 *
 *   allocation_load [cases of each family] [bound on the work]
 *
 * An order of 1 to 5 pieces a line, of 50 to 2,050 g each; parcels of up to 30 kg. Each SKU lies in
 * 4, 20 or all warehouses, which have it one to four times over and up to 49 pieces more.
 */
#include "warehouse/domain/allocation_plan.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/base/random.h"
#include "tests/load/histogram.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { sites_max = 91, lines_max = 100, arena_bytes_max = 64 << 20 };

struct family {
    size_t sites;
    size_t lines;
    size_t spread;
};

static struct allocation_site sites[sites_max];
static struct allocation_demand lines[lines_max];
static int64_t available[sites_max * lines_max];
static char ids[sites_max][16];

static int64_t between(struct random_seeded *random, int64_t least, int64_t most)
{
    return least + (int64_t)random_below(&random->base, (uint64_t)(most - least + 1));
}

static void make_case(struct family family, uint64_t seed)
{
    struct random_seeded random;
    random_seeded_init(&random, seed);
    for (size_t i = 0; i < family.sites; i++) {
        snprintf(ids[i], sizeof ids[i], "w%03zu", i);
        sites[i] = (struct allocation_site){
            .warehouse_id = text_of(ids[i]),
            .priority = (int32_t)i,
            .has_distance = true,
            .has_cost = true,
            .handling_minor = between(&random, 200, 1999),
            .base_minor = between(&random, 300, 1999),
            .per_kilogram_minor = between(&random, 20, 499),
            .parcel_grams_max = 30000,
        };
    }
    for (size_t i = 0; i < family.sites * family.lines; i++)
        available[i] = 0;
    for (size_t k = 0; k < family.lines; k++) {
        lines[k].quantity = between(&random, 1, 5);
        lines[k].weight_grams = between(&random, 50, 2049);
        for (size_t placed = 0; placed < family.spread;) {
            size_t site = family.spread == family.sites
                              ? placed
                              : (size_t)between(&random, 0, (int64_t)family.sites - 1);
            if (available[site * family.lines + k] > 0)
                continue;
            available[site * family.lines + k] =
                lines[k].quantity * between(&random, 1, 4) + between(&random, 0, 49);
            placed++;
        }
    }
}

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void run(struct family family, size_t cases, uint64_t work_max)
{
    static struct histogram wall;
    static struct histogram processor;
    size_t proved = 0;
    double *gaps = memory_allocate_zero(cases, sizeof *gaps);
    struct arena arena;
    CHECK(gaps != NULL);
    wall = (struct histogram){0};
    processor = (struct histogram){0};
    arena_init(&arena, arena_bytes_max);
    for (size_t number = 0; number < cases; number++) {
        const struct allocation_problem problem = {
            .strategy = STRATEGY_LOWEST_COST,
            .split_cost_minor = 300,
            .work_max = work_max,
            .sites = sites,
            .site_count = family.sites,
            .lines = lines,
            .line_count = family.lines,
            .available = available,
        };
        struct allocation_plan plan;
        make_case(family, 1000 + number);
        arena_reset(&arena);
        uint64_t began = nanoseconds(CLOCK_MONOTONIC);
        uint64_t used = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
        allocation_plan_solve(&problem, &arena, &plan);
        histogram_add(&processor, nanoseconds(CLOCK_THREAD_CPUTIME_ID) - used);
        histogram_add(&wall, nanoseconds(CLOCK_MONOTONIC) - began);
        CHECK(plan.outcome == ALLOCATION_PLAN_FOUND);
        proved += plan.optimal;
        gaps[number] = 100.0 * (double)plan.gap_minor / (double)plan.total_cost_minor;
    }
    qsort(gaps, cases, sizeof *gaps, compare_doubles);
    printf("%zu x %zu, SKU in %zu: p50 %.2f, p99 %.2f, max %.2f ms; processor p50 %.2f, p99 %.2f,"
           " max %.2f ms; proved %.1f %%; gap median %.2f %%, max %.2f %%\n",
           family.sites, family.lines, family.spread, (double)histogram_at(&wall, 0.5) / 1e6,
           (double)histogram_at(&wall, 0.99) / 1e6, (double)wall.largest / 1e6,
           (double)histogram_at(&processor, 0.5) / 1e6,
           (double)histogram_at(&processor, 0.99) / 1e6, (double)processor.largest / 1e6,
           100.0 * (double)proved / (double)cases, gaps[cases / 2], gaps[cases - 1]);
    arena_deinit(&arena);
    memory_release(gaps);
}

int main(int count, char **arguments)
{
    static const struct family families[] = {
        {16, 20, 4}, {16, 20, 16}, {91, 100, 4}, {91, 100, 20}, {91, 100, 91}};
    size_t cases = count > 1 ? strtoul(arguments[1], NULL, 10) : 200;
    uint64_t work_max = count > 2 ? strtoull(arguments[2], NULL, 10) : 200000;
    for (size_t i = 0; i < sizeof families / sizeof families[0] && cases > 0; i++)
        run(families[i], cases, work_max);
    return 0;
}
