/*
 * The bound of a node: Lagrangian relaxation of "each line is met". A gram of each line is worth
 * its density; whatever the densities, no plan costs less than
 *
 *   Σ needed grams × density + Σ open sites least(site) + Σ optional sites min(0, least(site)),
 *
 * least(site) being the least that the site can cost, fixed cost and stairs included, less what
 * the grams it ships are worth. It ships the lines in the order of density, for all grams cost it
 * the same; what it gains falls from line to line while the stairs rise by whole parcels, so the
 * least is where a parcel is full or where the next line gains nothing. Within a parcel kilograms
 * count by their slope; where the last one is begun and not filled, what that costs at least is
 * added: the kilogram's rest, or what is lost by ending a little earlier or later.
 *
 * Only integers decide: densities are integers, costs scaled by 2^shift, sums of 128 bits. How the
 * densities move (subgradient steps, in floating point) can make the bound worse, never wrong.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <string.h>

static int64_t narrow(__int128 value)
{
    static const int64_t most = INT64_C(1) << 61;
    if (value > most)
        return most;
    return value < -most ? -most : (int64_t)value;
}

/* --- one evaluation --- */

/* By falling density; nearly sorted from last time. */
static void sort_lines(struct search *search, const int64_t *density)
{
    size_t *order = search->order;
    for (size_t i = 1; i < search->lines; i++) {
        size_t line = order[i];
        size_t at = i;
        for (; at > 0 && (density[order[at - 1]] < density[line] ||
                          (density[order[at - 1]] == density[line] && order[at - 1] > line));
             at--)
            order[at] = order[at - 1];
        order[at] = line;
    }
    for (size_t i = 0; i < search->lines; i++)
        search->rank[order[i]] = i;
}

/* Where parcels are full, on a stretch of one line. */
static void look_at_full_parcels(struct relaxed_site *relaxed, const struct slope_site *site,
                                 const struct site_cap *cap, int64_t net, int64_t grams,
                                 unsigned shift)
{
    int64_t unit = site->parcel_grams_max;
    int64_t last = (relaxed->grams + grams) / unit;
    int64_t first = relaxed->grams / unit + 1;
    if (first < cap->parcels_min)
        first = cap->parcels_min;
    for (int64_t parcels = first; parcels <= last; parcels += last > first ? last - first : 1) {
        __int128 cost = ((__int128)(parcels - cap->parcels_min) * site->base << shift) -
                        relaxed->gain - (__int128)net * (parcels * unit - relaxed->grams);
        if (!relaxed->has_least || cost < relaxed->least) {
            relaxed->has_least = true;
            relaxed->least = cost;
            relaxed->least_grams = parcels * unit;
        }
    }
}

/* Grams of one line that gain `net` each. */
static void ship_stretch(struct search *search, size_t number, int64_t net, int64_t grams)
{
    struct relaxed_site *relaxed = &search->relaxed[number];
    if (search->site[number].base > 0)
        look_at_full_parcels(relaxed, &search->site[number], &search->caps[number], net, grams,
                             search->shift);
    relaxed->gain += (__int128)net * grams;
    relaxed->grams += grams;
    relaxed->last_net = net;
}

/*
 * As much of the line as gains anything: first where kilograms are paid anyway, then at their
 * slope. False: no further line would be shipped.
 */
static bool ship_line(struct search *search, size_t number, int64_t density, int64_t grams)
{
    struct relaxed_site *relaxed = &search->relaxed[number];
    const struct site_cap *cap = &search->caps[number];
    if (grams > cap->grams_max - relaxed->grams)
        grams = cap->grams_max - relaxed->grams;
    int64_t paid = cap->kilograms_min * 1000 - relaxed->grams;
    paid = paid < grams ? paid : grams;
    if (paid > 0) {
        ship_stretch(search, number, density, paid);
        grams -= paid;
    }
    int64_t net = density - search->site[number].slope_kilogram;
    if (grams > 0 && net > 0) {
        ship_stretch(search, number, net, grams);
    } else if (grams > 0) {
        relaxed->has_ended = true;
        relaxed->next_loss = -net;
    }
    return !relaxed->has_ended && relaxed->grams < cap->grams_max;
}

/* What the last kilogram, begun and not filled, costs at least beyond its slope. */
static __int128 begun_kilogram(const struct relaxed_site *relaxed, const struct slope_site *site,
                               const struct site_cap *cap)
{
    int64_t begun = relaxed->grams % 1000;
    if (begun == 0 || relaxed->grams <= cap->kilograms_min * 1000)
        return 0;
    __int128 least = (__int128)site->slope_kilogram * (1000 - begun);
    if ((__int128)relaxed->last_net * begun < least)
        least = (__int128)relaxed->last_net * begun;
    if (relaxed->has_ended && (__int128)relaxed->next_loss * (1000 - begun) < least)
        least = (__int128)relaxed->next_loss * (1000 - begun);
    return least;
}

static __int128 least_of(struct search *search, size_t number)
{
    struct relaxed_site *relaxed = &search->relaxed[number];
    const struct slope_site *site = &search->site[number];
    const struct site_cap *cap = &search->caps[number];
    int64_t parcels = relaxed->grams / site->parcel_grams_max +
                      (relaxed->grams % site->parcel_grams_max != 0) - cap->parcels_min;
    __int128 paid =
        (__int128)cap->parcels_min * site->base + (__int128)cap->kilograms_min * site->per_kilogram;
    __int128 cost = ((__int128)(parcels > 0 ? parcels : 0) * site->base << search->shift) -
                    relaxed->gain + begun_kilogram(relaxed, site, cap);
    if (!relaxed->has_least || cost < relaxed->least) {
        relaxed->least = cost;
        relaxed->least_grams = relaxed->grams;
    }
    return site->fixed_scaled + (paid << search->shift) + relaxed->least;
}

/* The ranks, by falling density, of the lines that the site has, as bits. */
static void list_ranks(struct search *search, size_t site)
{
    memset(search->ranks, 0, search->rank_words * sizeof *search->ranks);
    for (size_t at = search->site_begin[site]; at < search->site_begin[site + 1]; at++) {
        size_t rank = search->rank[search->site_lines[at]];
        search->ranks[rank / 64] |= UINT64_C(1) << rank % 64;
    }
}

/* Calls for the lines of the site in the order of density, until it says that it is enough. */
static void ship_lines(struct search *search, size_t site, const int64_t *density)
{
    search->relaxed[site] = (struct relaxed_site){0};
    for (size_t word = 0; word < search->rank_words; word++) {
        for (uint64_t bits = search->ranks[word]; bits != 0; bits &= bits - 1) {
            size_t line = search->order[64 * word + (size_t)__builtin_ctzll(bits)];
            int64_t grams =
                search->usable[site * search->lines + line] * search->question->weight_grams[line];
            search->work += 2;
            if (!ship_line(search, site, density[line], grams))
                return;
        }
    }
}

/* Counts what the site ships where it costs least. */
static void count_shipped(struct search *search, size_t site)
{
    int64_t left = search->relaxed[site].least_grams;
    for (size_t word = 0; word < search->rank_words; word++) {
        for (uint64_t bits = search->ranks[word]; bits != 0; bits &= bits - 1) {
            size_t line = search->order[64 * word + (size_t)__builtin_ctzll(bits)];
            int64_t grams =
                search->usable[site * search->lines + line] * search->question->weight_grams[line];
            grams = grams < left ? grams : left;
            search->shipped[line] += (double)grams;
            left -= grams;
            if (left <= 0)
                return;
        }
    }
}

/* The bound for these densities; sets `reduced` and what the sites that take part ship. */
static int64_t evaluate(struct search *search, const uint8_t *states, const int64_t *density)
{
    __int128 bound = 0;
    sort_lines(search, density);
    for (size_t line = 0; line < search->lines; line++) {
        bound += (__int128)density[line] * search->weight_needed[line];
        search->shipped[line] = 0;
    }
    for (size_t site = 0; site < search->sites; site++) {
        search->relaxed[site].takes_part = false;
        if (states[site] == SITE_CLOSED)
            continue;
        list_ranks(search, site);
        ship_lines(search, site, density);
        __int128 least = least_of(search, site);
        search->reduced[site] = narrow(least);
        search->work += (search->site_begin[site + 1] - search->site_begin[site]) / 2;
        if (states[site] == SITE_OPTIONAL && search->reduced[site] >= 0)
            continue;
        search->relaxed[site].takes_part = true;
        bound += least; /* not what was narrowed: that could be more */
        count_shipped(search, site);
    }
    search->work += 4 * (search->sites + search->lines);
    return narrow(bound);
}

/* --- the ascent --- */

static void step_along(struct search *search, int64_t *density, double step)
{
    for (size_t line = 0; line < search->lines; line++) {
        double moved = (double)density[line] +
                       step * search->direction[line] / (double)search->weight_needed[line];
        double most = (double)(INT64_C(1) << 60);
        density[line] = moved <= 0 ? 0 : moved >= most ? INT64_C(1) << 60 : (int64_t)moved;
    }
}

/* What the ascent aims at: the best plan's cost, or a little above the bound. */
static double aim(const struct search *search, int64_t bound)
{
    if (search->best_cost == INT64_MAX)
        return 1.1 * (double)bound + 1;
    return (double)search->best_cost * (double)(INT64_C(1) << search->shift);
}

static void note_shares(struct search *search, double weight)
{
    for (size_t site = 0; site < search->sites; site++) {
        const struct relaxed_site *relaxed = &search->relaxed[site];
        int64_t unit = search->site[site].parcel_grams_max;
        double part = relaxed->takes_part ? 1 : 0;
        search->share[site] += weight * (part - search->share[site]);
        if (!relaxed->takes_part)
            continue;
        double parcels = (double)((relaxed->least_grams + unit - 1) / unit);
        search->parcels[site] += weight * (parcels - search->parcels[site]);
    }
}

int64_t search_relax(struct search *search, const uint8_t *states, int64_t *density, size_t steps,
                     double length)
{
    int64_t best = INT64_MIN;
    int64_t *at = search->density_at;
    size_t stalled = 0;
    memcpy(at, density, search->lines * sizeof *at);
    memset(search->direction, 0, search->lines * sizeof *search->direction);
    for (size_t step = 0; step < steps; step++) {
        int64_t bound = evaluate(search, states, at);
        if (bound > best) {
            best = bound;
            stalled = 0;
            memcpy(density, at, search->lines * sizeof *at);
            memcpy(search->best_reduced, search->reduced,
                   search->sites * sizeof *search->best_reduced);
        } else if (++stalled == 5) {
            stalled = 0;
            length *= 0.7;
        }
        note_shares(search, step < 7 ? 1 / (double)(step + 1) : 0.15);
        if (search_is_dearer(search, best) || search->work >= search->question->work_max)
            break;
        double norm = 0;
        for (size_t line = 0; line < search->lines; line++) {
            double missing = 1 - search->shipped[line] / (double)search->weight_needed[line];
            double along = missing + 0.6 * search->direction[line];
            if (at[line] == 0 && along < 0)
                along = 0;
            search->direction[line] = along;
            norm += along * along;
        }
        double distance = aim(search, best) - (double)bound;
        if (norm < 1e-12 || distance <= 0)
            break;
        step_along(search, at, length * distance / norm);
    }
    return best;
}
