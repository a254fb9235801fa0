/*
 * The question by the search's own numbers, the plans met on the way, and the answer. The search
 * itself is allocation_branch.c's.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <stdlib.h>
#include <string.h>

int64_t search_product(int64_t a, int64_t b)
{
    __int128 product = (__int128)a * b;
    return product > (INT64_C(1) << 61) ? INT64_C(1) << 61 : (int64_t)product;
}

static int64_t ceiling(int64_t value, int64_t unit)
{
    return value / unit + (value % unit != 0);
}

int64_t search_stairs(const struct slope_site *site, int64_t grams)
{
    return ceiling(grams, site->parcel_grams_max) * site->base +
           ceiling(grams, 1000) * site->per_kilogram;
}

struct site_cap search_cap_of(const struct slope_site *site, int64_t grams)
{
    int64_t parcels = ceiling(grams, site->parcel_grams_max);
    int64_t kilograms = ceiling(grams, 1000);
    return (struct site_cap){.grams_max = INT64_MAX / 2,
                             .parcels_min = parcels > 1 ? parcels : 1,
                             .kilograms_min = kilograms > 1 ? kilograms : 1};
}

/* --- plans --- */

static int64_t plan_cost(const struct search *search, const int64_t *quantities, bool *used)
{
    int64_t cost = 0;
    memset(used, 0, search->question->site_count * sizeof *used);
    for (size_t site = 0; site < search->sites; site++) {
        int64_t grams = 0;
        for (size_t line = 0; line < search->lines; line++)
            grams += quantities[site * search->lines + line] * search->question->weight_grams[line];
        if (grams == 0)
            continue;
        used[search->site[site].number] = true;
        cost += search->site[site].fixed + search_stairs(&search->site[site], grams);
    }
    return cost;
}

static void take_second(struct search *search, int64_t cost, const bool *used)
{
    if (search->has_second && search->second_cost <= cost)
        return;
    search->has_second = true;
    search->second_cost = cost;
    memcpy(search->second_used, used, search->question->site_count * sizeof *used);
}

static bool is_better(const struct search *search, int64_t cost, const bool *used)
{
    if (cost != search->best_cost)
        return cost < search->best_cost;
    if (search->is_ordering)
        return search->round_wins; /* asked for: see search_prefer_first */
    return search_set_wins(search, used, search->best_used);
}

void search_take_plan(struct search *search, const int64_t *quantities)
{
    size_t bytes = search->question->site_count * sizeof *search->used;
    size_t lines = search->lines;
    int64_t cost = plan_cost(search, quantities, search->used);
    bool is_same_set =
        search->best_cost != INT64_MAX && memcmp(search->used, search->best_used, bytes) == 0;
    search->work += search->sites * lines;
    if (!is_better(search, cost, search->used)) {
        if (!is_same_set)
            take_second(search, cost, search->used);
        return;
    }
    if (!is_same_set && search->best_cost != INT64_MAX)
        take_second(search, search->best_cost, search->best_used);
    if (search->has_second && memcmp(search->used, search->second_used, bytes) == 0)
        search->has_second = false;
    search->best_cost = cost;
    search->round_wins = false; /* the set that is being rounded is the best one's, or a subset's */
    memcpy(search->best_used, search->used, bytes);
    memset(search->best, 0, search->question->site_count * lines * sizeof *search->best);
    for (size_t site = 0; site < search->sites; site++)
        memcpy(&search->best[search->site[site].number * lines], &quantities[site * lines],
               lines * sizeof *quantities);
}

void search_leave_open(struct search *search, int64_t bound_scaled)
{
    int64_t unit = INT64_C(1) << search->shift;
    int64_t bound = bound_scaled / unit + (bound_scaled % unit != 0);
    if (bound < search->open_bound)
        search->open_bound = bound;
}

bool search_is_dearer(const struct search *search, int64_t bound_scaled)
{
    if (search->best_cost == INT64_MAX)
        return bound_scaled == INT64_MAX;
    return bound_scaled > search->best_cost << search->shift;
}

bool search_is_no_cheaper(const struct search *search, int64_t bound_scaled)
{
    if (search->best_cost == INT64_MAX)
        return bound_scaled == INT64_MAX;
    return bound_scaled > (search->best_cost - 1) << search->shift;
}

bool search_fill(struct search *search)
{
    size_t lines = search->lines;
    memset(search->fill, 0, search->sites * lines * sizeof *search->fill);
    memset(search->grams, 0, search->sites * sizeof *search->grams);
    for (size_t line = 0; line < lines; line++) {
        int64_t rest = search->question->needed[line];
        size_t at = search->entry_begin[line];
        for (; rest > 0 && at < search->entry_begin[line + 1]; at++) {
            size_t site = search->entries[at].site;
            int64_t taken = search->usable[site * lines + line];
            if (!search->in_set[site])
                continue;
            taken = taken < rest ? taken : rest;
            search->fill[site * lines + line] = taken;
            search->grams[site] += taken * search->question->weight_grams[line];
            rest -= taken;
        }
        search->work += at - search->entry_begin[line];
        if (rest > 0)
            return false;
    }
    search->work += search->sites * lines / 8; /* for the zeros */
    return true;
}

/* --- the question by our numbers --- */

static int64_t divide_scaled(int64_t amount, unsigned shift, int64_t by)
{
    __int128 scaled = ((__int128)amount << shift) / by;
    return scaled > (INT64_C(1) << 61) ? INT64_C(1) << 61 : (int64_t)scaled;
}

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The most the site can ship, in grams. */
static int64_t grams_most(const struct search_question *question, size_t site)
{
    int64_t grams = 0;
    for (size_t line = 0; line < question->line_count; line++) {
        int64_t usable = question->available[site * question->line_count + line];
        if (usable > question->needed[line])
            usable = question->needed[line];
        grams += usable * question->weight_grams[line];
    }
    return grams;
}

/* What a first parcel and a first kilogram cost is fixed where there is never a second one. */
static struct slope_site describe(const struct search *search, size_t number, int64_t grams)
{
    const struct search_site *of = &search->question->sites[number];
    struct slope_site site = {
        .number = number,
        .grams_most = grams,
        .fixed = of->fixed,
        .base = of->base,
        .per_kilogram = of->per_kilogram,
        .parcel_grams_max = of->parcel_grams_max,
    };
    if (grams <= of->parcel_grams_max) {
        site.fixed += site.base;
        site.base = 0;
    }
    if (grams <= 1000) {
        site.fixed += site.per_kilogram;
        site.per_kilogram = 0;
    }
    site.slope_base = divide_scaled(site.base, search->shift, site.parcel_grams_max);
    site.slope_kilogram = divide_scaled(site.per_kilogram, search->shift, 1000);
    site.slope = site.slope_base + site.slope_kilogram;
    site.fixed_scaled = search_product(site.fixed, INT64_C(1) << search->shift);
    return site;
}

static int compare_sites(const void *left, const void *right)
{
    const struct slope_site *a = left;
    const struct slope_site *b = right;
    if (a->slope != b->slope)
        return a->slope < b->slope ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Costs are scaled as far as the dearest plan leaves room. False: it does not fit at all. */
static bool choose_shift(struct search *search)
{
    const struct search_question *question = search->question;
    __int128 most = 1;
    __int128 weight = 0;
    for (size_t line = 0; line < question->line_count; line++)
        weight += (__int128)question->needed[line] * question->weight_grams[line];
    if (weight > search_cost_max)
        return false;
    search->weight = (int64_t)weight;
    for (size_t i = 0; i < question->site_count; i++) {
        const struct search_site *site = &question->sites[i];
        most += site->fixed;
        most += (__int128)site->base * (ceiling(search->weight, site->parcel_grams_max) + 1);
        most += (__int128)site->per_kilogram * (ceiling(search->weight, 1000) + 1);
    }
    if (most > search_cost_max)
        return false;
    search->shift = 0;
    while (search->shift < 40 && most << (search->shift + 1) <= search_cost_max)
        search->shift++;
    return true;
}

static bool take_memory(struct search *search, struct arena *arena)
{
    size_t sites = search->question->site_count;
    size_t lines = search->question->line_count;
    size_t cells = sites * lines + 1;
    search->site = arena_allocate_zero(arena, sites + 1, sizeof *search->site);
    search->usable = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->best = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->best_used = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->second_used = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->fill = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->rest = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->grams = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->in_set = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->used = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->entry_begin = arena_allocate_zero(arena, lines + 2, sizeof(size_t));
    search->entries = arena_allocate_zero(arena, cells, sizeof *search->entries);
    search->site_begin = arena_allocate_zero(arena, sites + 1, sizeof(size_t));
    search->site_lines = arena_allocate_zero(arena, cells, sizeof(size_t));
    search->rank_words = (lines + 63) / 64;
    search->ranks = arena_allocate_zero(arena, search->rank_words + 1, sizeof(uint64_t));
    search->rank = arena_allocate_zero(arena, lines + 1, sizeof(size_t));
    search->caps = arena_allocate_zero(arena, sites + 1, sizeof *search->caps);
    search->relaxed = arena_allocate_zero(arena, sites + 1, sizeof *search->relaxed);
    search->order = arena_allocate_zero(arena, lines + 1, sizeof(size_t));
    search->density_at = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->shipped = arena_allocate_zero(arena, lines + 1, sizeof(double));
    search->direction = arena_allocate_zero(arena, lines + 1, sizeof(double));
    search->share = arena_allocate_zero(arena, sites + 1, sizeof(double));
    search->parcels = arena_allocate_zero(arena, sites + 1, sizeof(double));
    search->gain = arena_allocate_zero(arena, sites + 1, sizeof(double));
    search->reduced = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->best_reduced = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->may_use = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->tried_set = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->by_id = arena_allocate_zero(arena, sites + 1, sizeof(size_t));
    search->place = arena_allocate_zero(arena, sites + 1, sizeof(size_t));
    size_t set_cells = rounding_sites_max * lines + 1;
    search->flow = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->room = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->low = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->pieces = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->free_lines = arena_allocate_zero(arena, lines + 1, sizeof(size_t));
    search->demand = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->weight_needed = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    return search->site != NULL && search->usable != NULL && search->best != NULL &&
           search->best_used != NULL && search->second_used != NULL && search->fill != NULL &&
           search->rest != NULL && search->grams != NULL && search->in_set != NULL &&
           search->used != NULL && search->entry_begin != NULL && search->entries != NULL &&
           search->site_begin != NULL && search->site_lines != NULL && search->ranks != NULL &&
           search->rank != NULL && search->caps != NULL && search->relaxed != NULL &&
           search->order != NULL && search->density_at != NULL && search->shipped != NULL &&
           search->direction != NULL && search->share != NULL && search->gain != NULL &&
           search->parcels != NULL && search->reduced != NULL && search->best_reduced != NULL &&
           search->may_use != NULL && search->tried_set != NULL && search->flow != NULL &&
           search->room != NULL && search->low != NULL && search->pieces != NULL &&
           search->demand != NULL && search->free_lines != NULL && search->weight_needed != NULL &&
           search->by_id != NULL && search->place != NULL;
}

/* Of each line the sites that have it, the flattest first. */
static void list_entries(struct search *search)
{
    size_t count = 0;
    for (size_t line = 0; line < search->lines; line++) {
        search->entry_begin[line] = count;
        for (size_t site = 0; site < search->sites; site++) {
            int64_t usable = search->usable[site * search->lines + line];
            if (usable > 0)
                search->entries[count++] = (struct entry){
                    .site = site, .grams = usable * search->question->weight_grams[line]};
        }
    }
    search->entry_begin[search->lines] = count;
    count = 0;
    for (size_t site = 0; site < search->sites; site++) {
        search->site_begin[site] = count;
        for (size_t line = 0; line < search->lines; line++) {
            if (search->usable[site * search->lines + line] > 0)
                search->site_lines[count++] = line;
        }
    }
    search->site_begin[search->sites] = count;
}

static void renumber(struct search *search)
{
    const struct search_question *question = search->question;
    size_t lines = question->line_count;
    search->sites = 0;
    for (size_t i = 0; i < question->site_count; i++) {
        int64_t grams = grams_most(question, i);
        if (grams > 0)
            search->site[search->sites++] = describe(search, i, grams);
    }
    qsort(search->site, search->sites, sizeof *search->site, compare_sites);
    for (size_t i = 0; i < question->site_count; i++)
        search->place[i] = SIZE_MAX;
    for (size_t i = 0; i < search->sites; i++) {
        search->caps[i] = site_cap_none;
        search->place[search->site[i].number] = i;
        for (size_t line = 0; line < lines; line++) {
            int64_t usable = question->available[search->site[i].number * lines + line];
            search->usable[i * lines + line] =
                usable < question->needed[line] ? usable : question->needed[line];
        }
    }
    list_entries(search);
    for (size_t line = 0; line < lines; line++) {
        search->order[line] = line;
        search->weight_needed[line] = question->needed[line] * question->weight_grams[line];
        search->grain = greatest_common_divisor(question->weight_grams[line], search->grain);
    }
}

/* --- the whole --- */

static bool tell(struct search *search, struct search_answer *answer)
{
    answer->quantities = search->best;
    answer->used = search->best_used;
    answer->second_used = search->second_used;
    answer->cost = search->best_cost;
    answer->bound = search->open_bound < search->best_cost ? search->open_bound : search->best_cost;
    answer->is_best = search->best_cost != INT64_MAX && search->open_bound > search->best_cost &&
                      search_prefer_first(search);
    answer->has_second = search->has_second;
    answer->second_cost = search->second_cost;
    answer->work = search->work;
    return search->best_cost != INT64_MAX;
}

void allocation_search(const struct search_question *question, struct arena *arena,
                       struct search_answer *answer)
{
    struct search search = {
        .question = question,
        .lines = question->line_count,
        .best_cost = INT64_MAX,
        .open_bound = INT64_MAX,
    };
    *answer = (struct search_answer){0};
    answer->no_memory = !take_memory(&search, arena);
    if (answer->no_memory || !choose_shift(&search))
        return;
    search_ties_begin(&search);
    renumber(&search);
    answer->no_memory = !search_branch(&search, arena);
    if (!answer->no_memory)
        answer->found = tell(&search, answer);
}
