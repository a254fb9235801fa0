/*
 * The best plan on a fixed set of sites. Without the stairs it would be easy: each line from the
 * cheapest sites that have it. The stairs make whole parcels and kilograms of it, and it may pay to
 * move a few pieces so that a parcel less is begun.
 *
 * Branch and bound on the stairs. A node says of each site: at most so many grams, and at least so
 * many parcels and kilograms are paid. What a site then costs is convex in its grams: nothing up to
 * what is paid anyway, then the slope of the kilograms or of the parcels, then both. Which grams
 * the sites can ship together form a polymatroid (for each line every site has its own amount), so
 * the node's linear optimum is greedy: stretches of equal slope, the flattest first, each as long
 * as the lines allow, lines being handed from site to site where that makes room (augmenting
 * paths). Edmonds (1970); Federgruen and Groenevelt, Operations Research 34 (1986).
 *
 * Lines that only one set of amounts can meet are not looked at again: their grams are paid before.
 * A node whose optimum begins a parcel or kilogram that it does not fill is split: no more than the
 * full ones, or all of the begun one paid; one that breaks a piece, on that. Grams are turned into
 * pieces by rounding down and putting the rest where it costs least; where that costs more than the
 * node's bound, the bound stays open.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <string.h>

/* Grams of one slope that a site can still take. */
struct stretch {
    size_t place; /* in the set */
    int64_t grams;
    int64_t slope;
};

static const struct slope_site *site_at(const struct search *search, size_t place)
{
    return &search->site[search->set[place]];
}

/* --- handing lines around --- */

struct augmentation {
    uint8_t queue[rounding_sites_max];
    size_t queued;
    int16_t giver[rounding_sites_max]; /* who takes a line from this place; -1 = not reached */
    size_t given[rounding_sites_max];  /* which line */
};

/* A line with demand left that the place can ship more of; `lines` if there is none. */
static size_t find_demand(const struct search *search, size_t place)
{
    for (size_t i = 0; i < search->free_count; i++) {
        size_t line = search->free_lines[i];
        size_t cell = place * search->lines + line;
        if (search->demand[line] > 0 && search->flow[cell] < search->room[cell])
            return line;
    }
    return search->lines;
}

/* Places that would be relieved of a line by `place` join the queue. */
static void reach_neighbours(const struct search *search, struct augmentation *path, size_t place)
{
    for (size_t i = 0; i < search->free_count; i++) {
        size_t line = search->free_lines[i];
        size_t cell = place * search->lines + line;
        if (search->flow[cell] >= search->room[cell])
            continue;
        for (size_t other = 0; other < search->set_count; other++) {
            size_t given = other * search->lines + line;
            if (path->giver[other] >= 0 || search->flow[given] <= search->low[given])
                continue;
            path->giver[other] = (int16_t)place;
            path->given[other] = line;
            path->queue[path->queued++] = (uint8_t)other;
        }
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Moves as much as the path allows, at most `grams`; `end` ships `line` for it. */
static int64_t move_along(struct search *search, const struct augmentation *path, size_t start,
                          size_t end, size_t line, int64_t grams)
{
    size_t lines = search->lines;
    size_t cell = end * lines + line;
    int64_t moved =
        least(grams, least(search->demand[line], search->room[cell] - search->flow[cell]));
    for (size_t at = end; at != start; at = (size_t)path->giver[at]) {
        size_t taker = (size_t)path->giver[at] * lines + path->given[at];
        size_t given = at * lines + path->given[at];
        moved = least(moved, search->flow[given] - search->low[given]);
        moved = least(moved, search->room[taker] - search->flow[taker]);
    }
    search->flow[cell] += moved;
    search->demand[line] -= moved;
    for (size_t at = end; at != start; at = (size_t)path->giver[at]) {
        search->flow[at * lines + path->given[at]] -= moved;
        search->flow[(size_t)path->giver[at] * lines + path->given[at]] += moved;
    }
    return moved;
}

/* Has the place ship so many grams more, as far as possible; gives how many. */
static int64_t ship_more(struct search *search, size_t start, int64_t grams)
{
    int64_t shipped = 0;
    while (shipped < grams) {
        struct augmentation path = {.queued = 1};
        memset(path.giver, -1, sizeof path.giver);
        path.queue[0] = (uint8_t)start;
        path.giver[start] = (int16_t)start;
        size_t line = search->lines;
        size_t at = 0;
        for (; at < path.queued && line == search->lines; at++) {
            line = find_demand(search, path.queue[at]);
            search->work += search->free_count;
            if (line == search->lines) {
                reach_neighbours(search, &path, path.queue[at]);
                search->work += search->free_count;
            }
        }
        if (line == search->lines)
            return shipped;
        shipped += move_along(search, &path, start, path.queue[at - 1], line, grams - shipped);
    }
    return shipped;
}

/* --- a node's linear optimum --- */

static size_t add_stretch(struct stretch *stretches, size_t count, struct stretch added)
{
    size_t at = count;
    if (added.grams <= 0)
        return count;
    for (; at > 0 && stretches[at - 1].slope > added.slope; at--)
        stretches[at] = stretches[at - 1];
    stretches[at] = added;
    return count + 1;
}

/* Takes what flows in any case from the stretch; gives what that costs. */
static int64_t use_stretch(struct stretch *stretch, int64_t *shipped)
{
    int64_t used = least(*shipped, stretch->grams > 0 ? stretch->grams : 0);
    stretch->grams -= used;
    *shipped -= used;
    return search_product(used, stretch->slope);
}

/* Up to three stretches of a place, of rising slope, less what is shipped already. */
static size_t add_stretches(const struct search *search, const struct site_cap *cap, size_t place,
                            int64_t shipped, struct stretch *stretches, size_t count,
                            int64_t *bound)
{
    const struct slope_site *site = site_at(search, place);
    int64_t parcels = search_product(cap->parcels_min, site->parcel_grams_max);
    int64_t kilograms = search_product(cap->kilograms_min, 1000);
    int64_t first = least(cap->grams_max, least(parcels, kilograms));
    int64_t second = least(cap->grams_max, parcels > kilograms ? parcels : kilograms);
    int64_t slope = parcels > kilograms ? site->slope_kilogram : site->slope_base;
    struct stretch three[] = {{place, first, 0},
                              {place, second - first, slope},
                              {place, cap->grams_max - second, site->slope}};
    for (size_t i = 0; i < 3; i++) {
        *bound += use_stretch(&three[i], &shipped);
        count = add_stretch(stretches, count, three[i]);
    }
    if (shipped > 0)
        *bound = INT64_MAX / 2; /* more than the cap has to flow */
    return count;
}

/* Both caps at once. */
static void tighten(struct site_cap *cap, const struct site_cap *by)
{
    if (by->grams_max < cap->grams_max)
        cap->grams_max = by->grams_max;
    if (by->parcels_min > cap->parcels_min)
        cap->parcels_min = by->parcels_min;
    if (by->kilograms_min > cap->kilograms_min)
        cap->kilograms_min = by->kilograms_min;
}

/* Has flow what must flow: what is low, or what the other places have no room for. False: too much.
 */
static bool begin_flow(struct search *search)
{
    size_t lines = search->lines;
    memcpy(search->flow_grams, search->forced_grams, sizeof search->flow_grams);
    memcpy(search->flow, search->low, search->set_count * lines * sizeof *search->flow);
    memset(search->demand, 0, lines * sizeof *search->demand);
    search->work += search->free_count * search->set_count;
    for (size_t i = 0; i < search->free_count; i++) {
        size_t line = search->free_lines[i];
        int64_t spare = -search->weight_needed[line];
        int64_t flowing = 0;
        for (size_t place = 0; place < search->set_count; place++)
            spare += search->room[place * lines + line];
        if (spare < 0)
            return false;
        for (size_t place = 0; place < search->set_count; place++) {
            size_t cell = place * lines + line;
            if (search->flow[cell] < search->room[cell] - spare)
                search->flow[cell] = search->room[cell] - spare;
            flowing += search->flow[cell];
            search->flow_grams[place] += search->flow[cell];
        }
        search->demand[line] = search->weight_needed[line] - flowing;
        if (search->demand[line] < 0)
            return false;
    }
    return true;
}

/* The bound, scaled; flow is the optimum. INT64_MAX: the caps are too low. */
static int64_t solve_node(struct search *search, const struct site_cap *caps)
{
    struct stretch stretches[3 * rounding_sites_max];
    size_t count = 0;
    int64_t unmet = search->weight;
    int64_t bound = 0;
    if (!begin_flow(search))
        return INT64_MAX;
    for (size_t place = 0; place < search->set_count && bound < INT64_MAX / 2; place++) {
        const struct slope_site *site = site_at(search, place);
        int64_t shipped = search->flow_grams[place];
        struct site_cap cap = search_cap_of(site, shipped);
        tighten(&cap, &caps[place]);
        unmet -= shipped;
        int64_t paid = cap.parcels_min * site->base + cap.kilograms_min * site->per_kilogram;
        bound += site->fixed_scaled + (paid << search->shift);
        count = add_stretches(search, &cap, place, shipped, stretches, count, &bound);
    }
    if (bound >= INT64_MAX / 2)
        return INT64_MAX;
    for (size_t i = 0; i < count && unmet > 0; i++) {
        int64_t shipped = ship_more(search, stretches[i].place, stretches[i].grams);
        unmet -= shipped;
        search->flow_grams[stretches[i].place] += shipped;
        bound += search_product(shipped, stretches[i].slope);
    }
    return unmet > 0 ? INT64_MAX : bound;
}

/* --- pieces --- */

static int64_t stairs_with(const struct search *search, size_t place, int64_t grams)
{
    return search_stairs(site_at(search, place), grams);
}

/* Where another piece of the line costs least; set_count if nobody has one. */
static size_t cheapest_place(const struct search *search, const int64_t *grams, size_t line)
{
    int64_t weight = search->question->weight_grams[line];
    size_t cheapest = search->set_count;
    int64_t least_cost = INT64_MAX;
    for (size_t place = 0; place < search->set_count; place++) {
        size_t cell = search->set[place] * search->lines + line;
        if (search->pieces[cell] >= search->usable[cell])
            continue;
        int64_t cost = stairs_with(search, place, grams[place] + weight) -
                       stairs_with(search, place, grams[place]);
        if (cost < least_cost) {
            least_cost = cost;
            cheapest = place;
        }
    }
    return cheapest;
}

/* A plan near the flow, taken if it is better. */
static void take_pieces(struct search *search)
{
    int64_t grams[rounding_sites_max] = {0};
    size_t lines = search->lines;
    memset(search->pieces, 0, search->sites * lines * sizeof *search->pieces);
    for (size_t line = 0; line < lines; line++) {
        int64_t weight = search->question->weight_grams[line];
        search->rest[line] = search->question->needed[line];
        for (size_t place = 0; place < search->set_count; place++) {
            int64_t pieces = search->flow[place * lines + line] / weight;
            search->pieces[search->set[place] * lines + line] = pieces;
            search->rest[line] -= pieces;
            grams[place] += pieces * weight;
        }
    }
    for (size_t line = 0; line < lines; line++) {
        for (; search->rest[line] > 0; search->rest[line]--) {
            size_t place = cheapest_place(search, grams, line);
            if (place == search->set_count)
                return;
            search->pieces[search->set[place] * lines + line]++;
            grams[place] += search->question->weight_grams[line];
            search->work += search->set_count;
        }
    }
    search->work += search->set_count * lines;
    search_take_plan(search, search->pieces);
}

/* --- branching --- */

/* What to split: a site's parcels or kilograms, and how many of them are full. */
struct split {
    size_t place;
    bool is_parcel;
    int64_t full;
    int64_t excess; /* what the begun one costs beyond its grams, scaled */
};

/* Of one kind of stairs at one place: what is paid for grams that are not there. */
static void look_at_stairs(struct split *best, size_t place, bool is_parcel, int64_t grams,
                           int64_t unit, int64_t paid_units, int64_t cost, int64_t slope,
                           unsigned shift)
{
    int64_t full = grams / unit;
    if (cost == 0 || grams % unit == 0 || full < paid_units)
        return;
    int64_t excess = (cost << shift) - search_product(slope, grams % unit);
    if (excess > best->excess)
        *best = (struct split){place, is_parcel, full, excess};
}

static struct split choose_split(const struct search *search, const struct site_cap *caps)
{
    struct split best = {0};
    for (size_t place = 0; place < search->set_count; place++) {
        const struct slope_site *site = site_at(search, place);
        int64_t grams = search->flow_grams[place];
        look_at_stairs(&best, place, true, grams, site->parcel_grams_max, caps[place].parcels_min,
                       site->base, site->slope_base, search->shift);
        look_at_stairs(&best, place, false, grams, 1000, caps[place].kilograms_min,
                       site->per_kilogram, site->slope_kilogram, search->shift);
    }
    return best;
}

static void round_node(struct search *search, const struct site_cap *caps, int64_t known,
                       size_t depth);

/* The line that a place ships in the most costly broken piece, one gram too few of it or many. */
static size_t choose_broken(const struct search *search, int64_t *cost_most)
{
    size_t chosen = SIZE_MAX;
    int64_t most = -1;
    for (size_t i = 0; i < search->free_count; i++) {
        size_t line = search->free_lines[i];
        int64_t weight = search->question->weight_grams[line];
        for (size_t place = 0; place < search->set_count; place++) {
            size_t cell = place * search->lines + line;
            int64_t part = search->flow[cell] % weight;
            int64_t cost =
                search_product(least(part, weight - part), site_at(search, place)->slope);
            if (part > 0 && cost > most) {
                most = cost;
                chosen = cell;
            }
        }
    }
    *cost_most = most;
    return chosen;
}

/* Either the whole pieces at most, or one more at least. */
static void split_pieces(struct search *search, const struct site_cap *caps, size_t cell,
                         int64_t known, size_t depth)
{
    int64_t weight = search->question->weight_grams[cell % search->lines];
    int64_t whole = search->flow[cell] / weight * weight;
    int64_t room = search->room[cell];
    int64_t low = search->low[cell];
    search->low[cell] = whole + weight;
    if (search->low[cell] <= room)
        round_node(search, caps, known, depth + 1);
    search->low[cell] = low;
    search->room[cell] = whole;
    round_node(search, caps, known, depth + 1);
    search->room[cell] = room;
}

static bool is_hopeless(const struct search *search, int64_t bound)
{
    return search_is_dearer(search, bound) ||
           (search_is_no_cheaper(search, bound) && !search->round_wins);
}

static void round_node(struct search *search, const struct site_cap *caps, int64_t known,
                       size_t depth)
{
    struct site_cap below[rounding_sites_max];
    int64_t bound = solve_node(search, caps);
    if (bound < known)
        bound = known; /* the sites' own bound may be the better one */
    if (bound == INT64_MAX || is_hopeless(search, bound))
        return;
    take_pieces(search);
    if (is_hopeless(search, bound))
        return;
    struct split split = choose_split(search, caps);
    int64_t cost = 0;
    size_t broken = choose_broken(search, &cost);
    if (split.excess > 0 && (split.is_parcel || !search->is_pieces_first))
        broken = SIZE_MAX;
    if (depth == rounding_depth_max || search->work >= search->round_work_max ||
        (split.excess <= 0 && broken == SIZE_MAX)) {
        search_leave_open(search, bound);
        return;
    }
    if (broken != SIZE_MAX) {
        split_pieces(search, caps, broken, bound, depth);
        return;
    }
    memcpy(below, caps, search->set_count * sizeof *below);
    if (split.is_parcel)
        below[split.place].parcels_min = split.full + 1;
    else
        below[split.place].kilograms_min = split.full + 1;
    round_node(search, below, bound, depth + 1);
    int64_t unit = split.is_parcel ? site_at(search, split.place)->parcel_grams_max : 1000;
    int64_t grams_max = split.full * unit;
    below[split.place] = caps[split.place];
    below[split.place].grams_max = grams_max - grams_max % search->grain;
    if (below[split.place].grams_max > 0)
        round_node(search, below, bound, depth + 1);
}

/* What each place can and must ship of the line; it is free if anything is left to choose. */
static void set_line(struct search *search, size_t line)
{
    int64_t spare = -search->weight_needed[line];
    for (size_t place = 0; place < search->set_count; place++) {
        size_t cell = place * search->lines + line;
        search->room[cell] = search->usable[search->set[place] * search->lines + line] *
                             search->question->weight_grams[line];
        spare += search->room[cell];
    }
    bool is_free = false;
    for (size_t place = 0; place < search->set_count; place++) {
        size_t cell = place * search->lines + line;
        search->low[cell] = search->room[cell] > spare ? search->room[cell] - spare : 0;
        is_free = is_free || search->low[cell] < search->room[cell];
    }
    if (is_free) {
        search->free_lines[search->free_count++] = line;
        return;
    }
    for (size_t place = 0; place < search->set_count; place++)
        search->forced_grams[place] += search->low[place * search->lines + line];
}

/* The sites of in_set, their places, and caps of all they have. False: too many. */
static bool set_places(struct search *search, struct site_cap *caps)
{
    size_t lines = search->lines;
    size_t count = 0;
    search->work += 4 * search->entry_begin[lines];
    for (size_t i = 0; i < search->sites; i++)
        count += search->in_set[i];
    if (count > rounding_sites_max)
        return false;
    search->set_count = 0;
    for (size_t i = 0; i < search->sites; i++) {
        if (search->in_set[i])
            search->set[search->set_count++] = i;
    }
    memset(search->forced_grams, 0, sizeof search->forced_grams);
    search->free_count = 0;
    for (size_t line = 0; line < lines; line++)
        set_line(search, line);
    for (size_t place = 0; place < search->set_count; place++) {
        int64_t least_grams = search->forced_grams[place];
        int64_t most = search->forced_grams[place];
        for (size_t i = 0; i < search->free_count; i++) {
            size_t cell = place * lines + search->free_lines[i];
            least_grams += search->low[cell];
            most += search->room[cell];
        }
        caps[place] = search_cap_of(site_at(search, place), least_grams);
        caps[place].grams_max = most;
        tighten(&caps[place], &search->caps[search->set[place]]);
    }
    return true;
}

void search_round(struct search *search, int64_t bound, uint64_t work)
{
    struct site_cap caps[rounding_sites_max];
    if (!search_fill(search))
        return;
    search_take_plan(search, search->fill);
    memset(search->used, 0, search->question->site_count * sizeof *search->used);
    for (size_t i = 0; i < search->sites; i++)
        search->used[search->site[i].number] = search->in_set[i];
    search->round_wins = search_set_wins(search, search->used, search->best_used);
    if (!set_places(search, caps)) {
        search_leave_open(search, bound);
        return;
    }
    search->round_work_max = search->work + work;
    round_node(search, caps, bound, 0);
}

/* --- more from the first --- */

/* Whether a plan of the best cost ships at least so many pieces; it is the best one then. */
static bool can_ship(struct search *search, const struct site_cap *caps, size_t cell,
                     int64_t pieces)
{
    int64_t weight = search->question->weight_grams[cell % search->lines];
    int64_t low = search->low[cell];
    search->low[cell] = pieces * weight;
    search->round_wins = true;
    round_node(search, caps, 0, 0);
    search->low[cell] = low;
    return !search->round_wins;
}

/* The most that the place can ship of the line at the best cost; bisection, for it is a range. */
static void ship_most(struct search *search, const struct site_cap *caps, size_t place, size_t line)
{
    size_t lines = search->lines;
    size_t cell = place * lines + line;
    const int64_t *pieces = &search->best[search->site[search->set[place]].number * lines + line];
    int64_t weight = search->question->weight_grams[line];
    int64_t most = search->room[cell] / weight;
    int64_t missing = search->question->needed[line];
    for (size_t i = 0; i < search->set_count; i++)
        missing -= search->low[i * lines + line] / weight;
    most = least(most, search->low[cell] / weight + missing);
    if (*pieces < most && can_ship(search, caps, cell, *pieces + 1) &&
        (*pieces == most || !can_ship(search, caps, cell, most))) {
        while (most - *pieces > 1) {
            int64_t middle = *pieces + (most - *pieces) / 2;
            if (!can_ship(search, caps, cell, middle))
                most = middle;
        }
    }
    search->low[cell] = *pieces * weight;
    search->room[cell] = search->low[cell];
}

bool search_prefer_first(struct search *search)
{
    struct site_cap caps[rounding_sites_max];
    int64_t open_bound = search->open_bound;
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] = search->best_used[search->site[i].number];
    for (size_t i = 0; i < search->sites; i++)
        search->caps[i] = site_cap_none;
    if (!set_places(search, caps))
        return false;
    search->open_bound = INT64_MAX;
    search->is_ordering = true;
    search->is_pieces_first = false;
    search->round_work_max = search->question->work_max;
    for (size_t i = 0; i < search->question->site_count; i++) {
        for (size_t place = 0; place < search->set_count; place++) {
            if (search->site[search->set[place]].number != i)
                continue;
            for (size_t line = 0; line < search->lines; line++)
                ship_most(search, caps, place, line);
        }
    }
    search->is_ordering = false;
    bool is_whole = search->open_bound == INT64_MAX;
    search->open_bound = open_bound;
    return is_whole;
}
