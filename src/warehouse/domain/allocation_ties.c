/*
 * Which of two sets of sites is to be preferred when their plans cost the same: the one with fewer
 * sites, then with the smaller ascending list of priorities, then of warehouse_ids. Sites are
 * numbered by priority, so the first list is that of the numbers; for the second they are sorted by
 * warehouse_id once.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <stdlib.h>

static int compare_ids(const void *left, const void *right, void *context)
{
    const struct search_question *question = context;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;
    int order = text_compare(question->sites[a].warehouse_id, question->sites[b].warehouse_id);
    if (order != 0)
        return order;
    return a < b ? -1 : a > b;
}

void search_ties_begin(struct search *search)
{
    size_t count = search->question->site_count;
    for (size_t i = 0; i < count; i++)
        search->by_id[i] = i;
    qsort_r(search->by_id, count, sizeof *search->by_id, compare_ids,
            (void *)(uintptr_t)search->question);
}

static size_t count_of(const bool *set, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += set[i];
    return size;
}

/* Of ascending lists of priorities, equally long: negative if the first is smaller. */
static int compare_priorities(const struct search_question *question, const bool *a, const bool *b)
{
    size_t i = 0;
    size_t k = 0;
    for (;; i++, k++) {
        while (i < question->site_count && !a[i])
            i++;
        while (k < question->site_count && !b[k])
            k++;
        if (i == question->site_count || k == question->site_count)
            return 0;
        if (question->sites[i].priority != question->sites[k].priority)
            return question->sites[i].priority < question->sites[k].priority ? -1 : 1;
    }
}

bool search_set_wins(const struct search *search, const bool *set, const bool *than)
{
    const struct search_question *question = search->question;
    size_t size = count_of(set, question->site_count);
    size_t than_size = count_of(than, question->site_count);
    if (size != than_size)
        return size < than_size;
    int order = compare_priorities(question, set, than);
    if (order != 0)
        return order < 0;
    for (size_t i = 0; i < question->site_count; i++) {
        size_t site = search->by_id[i];
        if (set[site] != than[site])
            return set[site]; /* it has the smaller id where the lists first differ */
    }
    return false;
}

/*
 * The smallest lists that could come of it, one after the other: the open sites and as many
 * optional ones as are missing, the first by priority, and the first by id.
 */
bool search_could_win(const struct search *search, const uint8_t *states)
{
    const struct search_question *question = search->question;
    size_t size = count_of(search->best_used, question->site_count);
    size_t open = 0;
    size_t optional = 0;
    if (!question->counts_sites || search->best_cost == INT64_MAX)
        return true;
    for (size_t i = 0; i < search->sites; i++) {
        open += states[i] == SITE_OPEN;
        optional += states[i] == SITE_OPTIONAL;
    }
    if (open > size || open + optional < size)
        return false;
    size_t missing = size - open;
    size_t by_priority = missing;
    size_t by_id = missing;
    int order = 0; /* of the priorities against the best plan's */
    size_t k = 0;
    for (size_t i = 0; i < question->site_count && order == 0; i++) {
        size_t place = search->place[i];
        if (place == SIZE_MAX || states[place] == SITE_CLOSED ||
            (states[place] == SITE_OPTIONAL && by_priority == 0))
            continue;
        by_priority -= states[place] == SITE_OPTIONAL;
        while (k < question->site_count && !search->best_used[k])
            k++;
        if (k == question->site_count)
            break;
        if (question->sites[i].priority != question->sites[k].priority)
            order = question->sites[i].priority < question->sites[k].priority ? -1 : 1;
        k++;
    }
    if (order != 0)
        return order < 0;
    for (size_t i = 0; i < question->site_count; i++) {
        size_t site = search->by_id[i];
        size_t place = search->place[site];
        bool takes = place != SIZE_MAX &&
                     (states[place] == SITE_OPEN || (states[place] == SITE_OPTIONAL && by_id > 0));
        if (place != SIZE_MAX && states[place] == SITE_OPTIONAL && takes)
            by_id--;
        if (takes != search->best_used[site])
            return takes;
    }
    return false;
}
