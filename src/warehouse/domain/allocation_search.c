/*
 * Branch and bound on the sites: each is open, optional or closed. A node is bounded by dual ascent
 * (allocation_bound.c); sites that cannot pay any more are closed, sites without which a line
 * cannot be met are opened, and the search goes on with the optional site that a fill uses most,
 * first open, then closed. When no site is optional the set is fixed, and the rest is rounding
 * (allocation_rounding.c).
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

bool search_fill(struct search *search, int64_t *linear_scaled)
{
    size_t lines = search->lines;
    size_t missing = lines;
    *linear_scaled = 0;
    memcpy(search->rest, search->question->needed, lines * sizeof *search->rest);
    memset(search->fill, 0, search->sites * lines * sizeof *search->fill);
    memset(search->grams, 0, search->sites * sizeof *search->grams);
    for (size_t site = 0; site < search->sites && missing > 0; site++) {
        if (!search->in_set[site])
            continue;
        for (size_t line = 0; line < lines; line++) {
            int64_t taken = search->usable[site * lines + line];
            if (taken == 0 || search->rest[line] == 0)
                continue;
            taken = taken < search->rest[line] ? taken : search->rest[line];
            search->fill[site * lines + line] = taken;
            search->grams[site] += taken * search->question->weight_grams[line];
            search->rest[line] -= taken;
            missing -= search->rest[line] == 0;
        }
        *linear_scaled += search_product(search->site[site].slope, search->grams[site]);
        search->work += lines;
    }
    return missing == 0;
}

/* --- first plans --- */

/* The cost of the set as filled; INT64_MAX if it has not all. Takes the plan. */
static int64_t try_set(struct search *search)
{
    int64_t linear;
    if (!search_fill(search, &linear))
        return INT64_MAX;
    int64_t cost = 0;
    for (size_t site = 0; site < search->sites; site++) {
        if (search->grams[site] > 0)
            cost +=
                search->site[site].fixed + search_stairs(&search->site[site], search->grams[site]);
    }
    search_take_plan(search, search->fill);
    return cost;
}

/* Leaves out one site after the other where that is cheaper. `cost` is the set's. */
static int64_t drop_sites(struct search *search, int64_t cost)
{
    for (size_t i = search->sites; i-- > 0 && search->work < search->question->work_max;) {
        if (!search->in_set[i])
            continue;
        search->in_set[i] = false;
        int64_t without = try_set(search);
        if (without <= cost)
            cost = without;
        else
            search->in_set[i] = true;
    }
    return cost;
}

/* Adds the one site that helps most, as long as one does. */
static int64_t add_sites(struct search *search, int64_t cost)
{
    bool better = true;
    while (better && search->work < search->question->work_max / 4) {
        size_t best = search->sites;
        for (size_t i = 0; i < search->sites; i++) {
            if (search->in_set[i])
                continue;
            search->in_set[i] = true;
            int64_t with = try_set(search);
            search->in_set[i] = false;
            if (with < cost) {
                cost = with;
                best = i;
            }
        }
        better = best < search->sites;
        if (better)
            search->in_set[best] = true;
    }
    return cost;
}

static void polish(struct search *search)
{
    int64_t cost = try_set(search);
    for (int round = 0; round < 3 && cost != INT64_MAX; round++) {
        int64_t before = cost;
        cost = drop_sites(search, cost);
        cost = add_sites(search, cost);
        if (cost == before)
            break;
    }
}

/* From the sites that the bound has saturated, from all, and from each alone with what it lacks. */
static void find_first_plans(struct search *search)
{
    int64_t linear;
    memcpy(search->in_set, search->saturated, search->sites * sizeof *search->in_set);
    for (size_t i = 0; i < search->sites && !search_fill(search, &linear); i++)
        search->in_set[i] = true;
    polish(search);
    search_round(search, 0);
    memset(search->in_set, 1, search->sites * sizeof *search->in_set);
    polish(search);
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] = search->best_used[search->site[i].number];
    search_round(search, 0);
    search->open_bound = INT64_MAX; /* what was left open here is met again by branching */
}

/* --- branching --- */

/* Whether the line can be met without the site. */
static bool can_miss(const struct search *search, const uint8_t *states, size_t missed)
{
    for (size_t line = 0; line < search->lines; line++) {
        int64_t sum = 0;
        int64_t needed = search->question->needed[line];
        if (search->usable[missed * search->lines + line] == 0)
            continue;
        for (size_t site = 0; site < search->sites && sum < needed; site++) {
            if (states[site] != SITE_CLOSED && site != missed)
                sum += search->usable[site * search->lines + line];
        }
        if (sum < needed)
            return false;
    }
    return true;
}

/* Opens the sites that nobody can do without. */
static bool open_forced(struct search *search, uint8_t *states)
{
    bool opened = false;
    for (size_t site = 0; site < search->sites; site++) {
        if (states[site] != SITE_OPTIONAL || can_miss(search, states, site))
            continue;
        states[site] = SITE_OPEN;
        opened = true;
    }
    search->work += search->sites * search->lines;
    return opened;
}

/* Closes the sites with which no plan can be cheap enough. */
static bool close_hopeless(struct search *search, uint8_t *states, int64_t bound)
{
    bool closed = false;
    for (size_t site = 0; site < search->sites; site++) {
        if (states[site] != SITE_OPTIONAL || search->saturated[site] ||
            !search_is_dearer(search, bound + search->slack[site]))
            continue;
        states[site] = SITE_CLOSED;
        closed = true;
    }
    return closed;
}

/* The optional site that a fill of the open and saturated ones uses most; `sites` if none is. */
static size_t choose_site(struct search *search, const uint8_t *states)
{
    size_t chosen = search->sites;
    int64_t linear;
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] =
            states[i] == SITE_OPEN || (states[i] == SITE_OPTIONAL && search->saturated[i]);
    bool is_whole = search_fill(search, &linear);
    if (is_whole)
        search_take_plan(search, search->fill);
    for (size_t i = 0; i < search->sites; i++) {
        if (states[i] != SITE_OPTIONAL)
            continue;
        if (chosen == search->sites || search->grams[i] > search->grams[chosen] ||
            (search->grams[i] == search->grams[chosen] && search->slack[i] < search->slack[chosen]))
            chosen = i;
    }
    return chosen;
}

/* Bounds the node; opens and closes what follows from it. False: nothing is to be found below. */
static bool look_at_node(struct search *search, uint8_t *states, int64_t *bound)
{
    bool changed = true;
    while (changed) {
        *bound = search_bound(search, states);
        if (*bound == INT64_MAX || search_is_dearer(search, *bound) ||
            (search_is_no_cheaper(search, *bound) && !search_could_win(search, states)))
            return false;
        changed = close_hopeless(search, states, *bound);
        changed = open_forced(search, states) || changed;
    }
    return true;
}

/* Depth first; `states` has room for one row a level. */
static void branch(struct search *search, uint8_t *states, int64_t parent_bound)
{
    uint8_t *below = states + search->sites;
    int64_t bound;
    if (search->work >= search->question->work_max) {
        search_leave_open(search, parent_bound);
        return;
    }
    if (!look_at_node(search, states, &bound))
        return;
    if (bound < parent_bound)
        bound = parent_bound;
    size_t chosen = choose_site(search, states);
    if (chosen == search->sites) {
        for (size_t i = 0; i < search->sites; i++)
            search->in_set[i] = states[i] == SITE_OPEN;
        search_round(search, bound);
        return;
    }
    for (uint8_t state = SITE_OPEN;; state = SITE_CLOSED) {
        memcpy(below, states, search->sites);
        below[chosen] = state;
        branch(search, below, bound);
        if (state == SITE_CLOSED)
            return;
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
    site.bound_slope = site.slope;
    site.bound_fixed = site.fixed_scaled;
    if (search->first_parcel_is_fixed[number]) {
        site.bound_slope = site.slope_kilogram;
        site.bound_fixed += search_product(site.base, INT64_C(1) << search->shift);
    }
    return site;
}

static int compare_sites(const void *left, const void *right)
{
    const struct slope_site *a = left;
    const struct slope_site *b = right;
    if (a->bound_slope != b->bound_slope)
        return a->bound_slope < b->bound_slope ? -1 : 1;
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
    search->value = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->slack = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->saturated = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->reach = arena_allocate_zero(arena, lines + 1, sizeof(size_t));
    search->loss = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->fill = arena_allocate_zero(arena, cells, sizeof(int64_t));
    search->rest = arena_allocate_zero(arena, lines + 1, sizeof(int64_t));
    search->grams = arena_allocate_zero(arena, sites + 1, sizeof(int64_t));
    search->in_set = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->used = arena_allocate_zero(arena, sites + 1, sizeof(bool));
    search->first_parcel_is_fixed = arena_allocate_zero(arena, sites + 1, sizeof(bool));
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
           search->best_used != NULL && search->second_used != NULL && search->value != NULL &&
           search->slack != NULL && search->saturated != NULL && search->reach != NULL &&
           search->loss != NULL && search->fill != NULL && search->rest != NULL &&
           search->grams != NULL && search->in_set != NULL && search->used != NULL &&
           search->first_parcel_is_fixed != NULL && search->flow != NULL && search->room != NULL &&
           search->low != NULL && search->pieces != NULL && search->demand != NULL &&
           search->weight_needed != NULL && search->by_id != NULL && search->place != NULL;
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
        search->place[search->site[i].number] = i;
        for (size_t line = 0; line < lines; line++) {
            int64_t usable = question->available[search->site[i].number * lines + line];
            search->usable[i * lines + line] =
                usable < question->needed[line] ? usable : question->needed[line];
        }
    }
    for (size_t line = 0; line < lines; line++) {
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

/*
 * A site's cost is nowhere below fixed + slope × grams, and nowhere below fixed + one parcel + the
 * kilograms' slope × grams. The second is the better line for a site that ships less than a parcel:
 * as far as the first plan tells.
 */
static void choose_lines(struct search *search)
{
    int64_t used_count = 0;
    int64_t small_count = 0;
    for (size_t i = 0; i < search->question->site_count; i++) {
        int64_t grams = 0;
        for (size_t line = 0; line < search->lines; line++)
            grams += search->best[i * search->lines + line] * search->question->weight_grams[line];
        search->first_parcel_is_fixed[i] =
            grams > 0 && grams < search->question->sites[i].parcel_grams_max;
        used_count += grams > 0;
        small_count += search->first_parcel_is_fixed[i];
    }
    for (size_t i = 0; i < search->question->site_count; i++)
        search->first_parcel_is_fixed[i] =
            search->best_used[i] ? search->first_parcel_is_fixed[i] : 2 * small_count > used_count;
}

/* Numbers the sites and bounds the whole. INT64_MAX: the lines cannot be met. */
static int64_t begin(struct search *search, uint8_t *states)
{
    renumber(search);
    memset(states, SITE_OPTIONAL, search->sites);
    return search_bound(search, states);
}

/* Sets whose rounding was given up are gone through again while there is work left. */
static void branch_all(struct search *search, uint8_t *states, int64_t bound)
{
    for (search->round_share = 24;; search->round_share = search->round_share / 3 + 1) {
        search->open_bound = INT64_MAX;
        memset(states, SITE_OPTIONAL, search->sites);
        branch(search, states, bound);
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
    int64_t bound = begin(&search, states);
    if (bound == INT64_MAX)
        return;
    find_first_plans(&search);
    choose_lines(&search);
    int64_t better = begin(&search, states);
    if (better < bound) {
        memset(search.first_parcel_is_fixed, 0, question->site_count * sizeof(bool));
        better = begin(&search, states);
    }
    branch_all(&search, states, better);
    answer->found = tell(&search, answer);
}
