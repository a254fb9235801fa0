/*
 * Branch and bound on the sites: each is open, optional or closed. A node is bounded by relaxation
 * (allocation_relaxation.c); sites that cannot pay any more are closed, sites without which a line
 * cannot be met or no plan is cheap enough are opened, and the search goes on with the optional
 * site of which the relaxation is least sure. When no site is optional the set is fixed, and the
 * rest is rounding (allocation_rounding.c).
 *
 * When the work is used up the nodes that wait keep their bounds, and the least of them bounds what
 * was not seen.
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

/* --- first plans --- */

/* Opens the sites that nobody can do without. False: a line cannot be met. */
static bool open_forced(struct search *search, uint8_t *states)
{
    for (size_t line = 0; line < search->lines; line++) {
        int64_t spare = -search->weight_needed[line];
        size_t end = search->entry_begin[line + 1];
        for (size_t at = search->entry_begin[line]; at < end; at++)
            spare +=
                states[search->entries[at].site] != SITE_CLOSED ? search->entries[at].grams : 0;
        if (spare < 0)
            return false;
        for (size_t at = search->entry_begin[line]; at < end; at++) {
            if (states[search->entries[at].site] == SITE_OPTIONAL &&
                search->entries[at].grams > spare)
                states[search->entries[at].site] = SITE_OPEN;
        }
    }
    search->work += 2 * search->entry_begin[search->lines];
    return true;
}

/* The sites that take part in the relaxation, mended and improved. */
static void improve_relaxed(struct search *search, const uint8_t *states, uint64_t work)
{
    for (size_t i = 0; i < search->sites; i++) {
        search->may_use[i] = states[i] != SITE_CLOSED;
        search->in_set[i] =
            states[i] == SITE_OPEN || (states[i] == SITE_OPTIONAL && search->best_reduced[i] < 0);
    }
    search_improve(search, work);
}

static void round_best(struct search *search, const int64_t *density)
{
    memcpy(search->round_density, density, search->lines * sizeof *density);
    int64_t open_bound = search->open_bound;
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] = search->best_used[search->site[i].number];
    search_round(search, 0, search->question->work_max / 400);
    search->open_bound = open_bound; /* the set is met again by branching */
}

/* Where the densities begin: the site that could ship the line at the least cost a gram. */
static void begin_densities(const struct search *search, int64_t *density)
{
    for (size_t line = 0; line < search->lines; line++) {
        double least = 0;
        size_t end = search->entry_begin[line + 1];
        for (size_t at = search->entry_begin[line]; at < end; at++) {
            const struct slope_site *site = &search->site[search->entries[at].site];
            double cost =
                (double)site->slope + (double)site->fixed_scaled / (double)site->grams_most;
            if (at == search->entry_begin[line] || cost < least)
                least = cost;
        }
        density[line] = least < (double)(INT64_C(1) << 60) ? (int64_t)least : INT64_C(1) << 60;
    }
}

/* Between rounds of the relaxation plans are made of what takes part in it. */
static int64_t bound_root(struct search *search, uint8_t *states, int64_t *density)
{
    int64_t bound = 0;
    if (!open_forced(search, states))
        return INT64_MAX;
    begin_densities(search, density);
    for (int round = 0; round < 4; round++) {
        search_list_active(search, states);
        bound = search_relax(search, states, density, 60, round == 0 ? 1.0 : 0.7);
        if (search_is_dearer(search, bound))
            return bound;
        improve_relaxed(search, states, search->question->work_max / 40);
        if (search->work >= search->question->work_max / 2)
            return bound;
        if (round == 0)
            round_best(search, density);
    }
    round_best(search, density);
    return bound;
}

/* --- branching --- */

/* Closes the sites with which no plan can be cheap enough, opens those without which none can. */
static void fix_sites(struct search *search, uint8_t *states, int64_t bound)
{
    for (size_t site = 0; site < search->sites; site++) {
        int64_t reduced = search->best_reduced[site];
        if (states[site] != SITE_OPTIONAL)
            continue;
        if (reduced >= 0 && search_is_dearer(search, bound + reduced))
            states[site] = SITE_CLOSED;
        else if (reduced < 0 && search_is_dearer(search, bound - reduced))
            states[site] = SITE_OPEN;
    }
}

/* The optional site of which the relaxation is least sure; `sites` if there is none. */
static size_t choose_site(const struct search *search, const uint8_t *states)
{
    size_t chosen = search->sites;
    double most = -1;
    for (size_t i = 0; i < search->sites; i++) {
        if (states[i] != SITE_OPTIONAL)
            continue;
        double share = search->share[i];
        double unsure = (share < 0.5 ? share : 1 - share) + 0.02;
        unsure *= (double)search->site[i].fixed_scaled + 1;
        if (unsure > most) {
            most = unsure;
            chosen = i;
        }
    }
    return chosen;
}

static bool is_hopeless(const struct search *search, const uint8_t *states, int64_t bound)
{
    return search_is_dearer(search, bound) ||
           (search_is_no_cheaper(search, bound) && !search_could_win(search, states));
}

static uint64_t work_left(const struct search *search)
{
    uint64_t work_max = search->question->work_max;
    return search->work < work_max ? work_max - search->work : 0;
}

/* Depth first; `states` and `density` have room for one row a level. */
static void branch(struct search *search, uint8_t *states, int64_t *density, int64_t parent_bound)
{
    uint8_t *below = states + search->sites;
    if (search->work >= search->question->work_max) {
        search_leave_open(search, parent_bound);
        return;
    }
    if (!open_forced(search, states))
        return;
    search_list_active(search, states);
    int64_t relaxed = search_relax(search, states, density, 12, 0.5);
    int64_t bound = relaxed > parent_bound ? relaxed : parent_bound;
    if (is_hopeless(search, states, bound))
        return;
    fix_sites(search, states, relaxed); /* the reduced costs belong to this bound */
    size_t chosen = choose_site(search, states);
    if (chosen == search->sites) {
        search_list_active(search, states);
        relaxed = search_relax(search, states, density, 60, 0.7);
        bound = relaxed > bound ? relaxed : bound;
        if (is_hopeless(search, states, bound))
            return;
        for (size_t i = 0; i < search->sites; i++)
            search->in_set[i] = states[i] == SITE_OPEN;
        memcpy(search->round_density, density, search->lines * sizeof *density);
        search_round(search, bound, work_left(search) / search->round_share);
        return;
    }
    improve_relaxed(search, states, search->entry_begin[search->lines] * 4);
    uint8_t first = search->share[chosen] >= 0.5 ? SITE_OPEN : SITE_CLOSED;
    for (int turn = 0; turn < 2; turn++) {
        memcpy(below, states, search->sites);
        memcpy(density + search->lines, density, search->lines * sizeof *density);
        below[chosen] = turn == 0 ? first : first == SITE_OPEN ? SITE_CLOSED : SITE_OPEN;
        branch(search, below, density + search->lines, bound);
    }
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
    search->active_begin = arena_allocate_zero(arena, lines + 2, sizeof(size_t));
    search->active = arena_allocate_zero(arena, cells, sizeof *search->active);
    search->caps = arena_allocate_zero(arena, sites + 1, sizeof *search->caps);
    search->round_states = arena_allocate_zero(arena, sites + 1, 1);
    search->round_density = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->relaxed = arena_allocate_zero(arena, sites + 1, sizeof *search->relaxed);
    search->order = arena_allocate_zero(arena, lines + 1, sizeof(size_t));
    search->density_at = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->densities = arena_allocate_zero(arena, (sites + 2) * lines + 1, sizeof(int64_t));
    search->missing = arena_allocate_zero(arena, lines + 1, sizeof(double));
    search->direction = arena_allocate_zero(arena, lines + 1, sizeof(double));
    search->share = arena_allocate_zero(arena, sites + 1, sizeof(double));
    search->gain = arena_allocate_zero(arena, sites + 1, sizeof(double));
    search->reduced = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->best_reduced = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->may_use = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->by_id = arena_allocate_zero(arena, sites + 1, sizeof(size_t));
    search->place = arena_allocate_zero(arena, sites + 1, sizeof(size_t));
    size_t set_cells = rounding_sites_max * lines + 1;
    search->flow = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->room = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->low = arena_allocate_zero(arena, set_cells, sizeof(int64_t));
    search->pieces = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->demand = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->weight_needed = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    return search->site != NULL && search->usable != NULL && search->best != NULL &&
           search->best_used != NULL && search->second_used != NULL && search->fill != NULL &&
           search->rest != NULL && search->grams != NULL && search->in_set != NULL &&
           search->used != NULL && search->entry_begin != NULL && search->entries != NULL &&
           search->active_begin != NULL && search->active != NULL && search->caps != NULL &&
           search->round_states != NULL && search->round_density != NULL &&
           search->relaxed != NULL && search->order != NULL && search->density_at != NULL &&
           search->densities != NULL && search->missing != NULL && search->direction != NULL &&
           search->share != NULL && search->gain != NULL && search->reduced != NULL &&
           search->best_reduced != NULL && search->may_use != NULL && search->flow != NULL &&
           search->room != NULL && search->low != NULL && search->pieces != NULL &&
           search->demand != NULL && search->weight_needed != NULL && search->by_id != NULL &&
           search->place != NULL;
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
    answer->is_best = search->best_cost != INT64_MAX && search_prefer_first(search) &&
                      search->open_bound > search->best_cost;
    answer->has_second = search->has_second;
    answer->second_cost = search->second_cost;
    answer->work = search->work;
    return search->best_cost != INT64_MAX;
}

/* Sets whose rounding was given up are gone through again while there is work left. */
static void branch_all(struct search *search, uint8_t *states, int64_t *density, int64_t bound)
{
    for (search->round_share = 24;; search->round_share = search->round_share / 3 + 1) {
        search->open_bound = INT64_MAX;
        memset(states, SITE_OPTIONAL, search->sites);
        branch(search, states, density, bound);
        if (search->open_bound > search->best_cost || search->round_share <= 1 ||
            search->work >= search->question->work_max)
            return;
    }
}

void allocation_search(const struct search_question *question, struct arena *arena,
                       struct search_answer *answer)
{
    struct search search = {
        .question = question,
        .lines = question->line_count,
        .best_cost = INT64_MAX,
        .open_bound = INT64_MAX,
        .round_share = 24,
    };
    *answer = (struct search_answer){0};
    uint8_t *states =
        arena_allocate_zero(arena, (question->site_count + 2) * (question->site_count + 1), 1);
    answer->no_memory = states == NULL || !take_memory(&search, arena);
    if (answer->no_memory || !choose_shift(&search))
        return;
    search_ties_begin(&search);
    renumber(&search);
    memset(states, SITE_OPTIONAL, search.sites);
    int64_t bound = bound_root(&search, states, search.densities);
    if (bound == INT64_MAX)
        return;
    branch_all(&search, states, search.densities, bound);
    answer->found = tell(&search, answer);
}
