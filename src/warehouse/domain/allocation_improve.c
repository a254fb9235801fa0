/*
 * Plans by local search on sets of sites. A set is judged by the plan that takes each line from the
 * flattest sites that have it, with its stairs; sites are added where lines are not met, dropped,
 * exchanged and added as long as the cost falls.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <string.h>

int64_t search_judge(struct search *search)
{
    memset(search->grams, 0, search->sites * sizeof *search->grams);
    for (size_t line = 0; line < search->lines; line++) {
        int64_t rest = search->weight_needed[line];
        size_t at = search->entry_begin[line];
        for (; rest > 0 && at < search->entry_begin[line + 1]; at++) {
            const struct entry *entry = &search->entries[at];
            if (!search->in_set[entry->site])
                continue;
            int64_t taken = entry->grams < rest ? entry->grams : rest;
            search->grams[entry->site] += taken;
            rest -= taken;
        }
        search->work += at - search->entry_begin[line];
        if (rest > 0)
            return INT64_MAX;
    }
    int64_t cost = 0;
    for (size_t site = 0; site < search->sites; site++) {
        if (search->grams[site] > 0)
            cost +=
                search->site[site].fixed + search_stairs(&search->site[site], search->grams[site]);
    }
    search->work += search->sites;
    return cost;
}

/* Takes the plan of the set if it is good; drops sites that ship nothing. */
static int64_t settle(struct search *search)
{
    int64_t cost = search_judge(search);
    if (cost == INT64_MAX)
        return cost;
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] = search->grams[i] > 0;
    if (cost <= search->best_cost && search_fill(search))
        search_take_plan(search, search->fill);
    return cost;
}

/* Adds the site that meets most of what is missing for its cost, until nothing is. */
static void repair(struct search *search)
{
    int64_t *missing = search->demand;
    for (size_t round = 0; round < search->sites; round++) {
        double best_ratio = 0;
        size_t best = search->sites;
        memset(search->gain, 0, search->sites * sizeof *search->gain);
        for (size_t line = 0; line < search->lines; line++) {
            missing[line] = search->weight_needed[line];
            size_t begin = search->entry_begin[line];
            size_t end = search->entry_begin[line + 1];
            for (size_t at = begin; at < end; at++)
                missing[line] -=
                    search->in_set[search->entries[at].site] ? search->entries[at].grams : 0;
            for (size_t at = begin; at < end && missing[line] > 0; at++) {
                int64_t given = search->entries[at].grams;
                given = given < missing[line] ? given : missing[line];
                if (!search->in_set[search->entries[at].site] &&
                    search->may_use[search->entries[at].site])
                    search->gain[search->entries[at].site] +=
                        (double)given * (double)search->density_at[line];
            }
        }
        search->work += 2 * search->entry_begin[search->lines];
        for (size_t i = 0; i < search->sites; i++) {
            double ratio = search->gain[i] / (double)(search->site[i].fixed_scaled + 1);
            if (ratio > best_ratio) {
                best_ratio = ratio;
                best = i;
            }
        }
        if (best == search->sites)
            return;
        search->in_set[best] = true;
    }
}

/* Flips `site` and if it pays keeps it so. */
static bool try_flip(struct search *search, size_t site, int64_t *cost)
{
    search->in_set[site] = !search->in_set[site];
    int64_t with = search_judge(search);
    if (with < *cost) {
        *cost = with;
        return true;
    }
    search->in_set[site] = !search->in_set[site];
    return false;
}

static bool try_exchange(struct search *search, size_t out, int64_t *cost)
{
    search->in_set[out] = false;
    for (size_t in = 0; in < search->sites; in++) {
        if (in == out || search->in_set[in] || !search->may_use[in] ||
            search->work >= search->improve_work_max)
            continue;
        if (try_flip(search, in, cost))
            return true;
    }
    search->in_set[out] = true;
    return false;
}

int64_t search_improve(struct search *search, uint64_t work)
{
    repair(search);
    int64_t cost = settle(search);
    bool better = cost != INT64_MAX;
    search->improve_work_max = search->work + work;
    while (better && search->work < search->improve_work_max) {
        better = false;
        for (size_t i = search->sites; i-- > 0;) {
            if (search->in_set[i] || search->may_use[i])
                better = try_flip(search, i, &cost) || better;
            if (search->work >= search->improve_work_max)
                break;
        }
        for (size_t i = 0; i < search->sites && !better; i++) {
            if (search->in_set[i])
                better = try_exchange(search, i, &cost);
        }
        cost = settle(search);
    }
    return cost;
}
