/* The life of a count as a table. */
#include "warehouse/domain/count.h"

#include <stdlib.h>

struct transition_row {
    enum count_transition transition;
    enum count_state after;
};

static const struct transition_row transitions[5][3] = {
    [COUNT_OPEN] =
        {
            [COUNT_RECORD] = {COUNT_MOVES, COUNT_RECORDED},
            [COUNT_APPROVE] = {COUNT_REFUSES, COUNT_OPEN},
            [COUNT_CANCEL] = {COUNT_MOVES, COUNT_CANCELLED},
        },
    [COUNT_RECORDED] =
        {
            [COUNT_RECORD] = {COUNT_MOVES, COUNT_RECORDED},
            [COUNT_APPROVE] = {COUNT_MOVES, COUNT_APPROVED},
            [COUNT_CANCEL] = {COUNT_MOVES, COUNT_CANCELLED},
        },
    [COUNT_APPROVED] =
        {
            [COUNT_RECORD] = {COUNT_REFUSES, COUNT_APPROVED},
            [COUNT_APPROVE] = {COUNT_STAYS, COUNT_APPROVED},
            [COUNT_CANCEL] = {COUNT_REFUSES, COUNT_APPROVED},
        },
    [COUNT_CANCELLED] =
        {
            [COUNT_RECORD] = {COUNT_REFUSES, COUNT_CANCELLED},
            [COUNT_APPROVE] = {COUNT_REFUSES, COUNT_CANCELLED},
            [COUNT_CANCEL] = {COUNT_STAYS, COUNT_CANCELLED},
        },
};

enum count_transition count_transition(enum count_state state, enum count_event event,
                                       enum count_state *after)
{
    *after = transitions[state][event].after;
    return transitions[state][event].transition;
}

int count_line_compare(const struct count_line *a, const struct count_line *b)
{
    int order = text_compare(a->sku, b->sku);
    if (order == 0)
        order = text_compare(a->zone, b->zone);
    if (order == 0)
        order = text_compare(a->bin, b->bin);
    if (order == 0)
        order = text_compare(a->lot, b->lot);
    return order == 0 ? (a->expiry_day > b->expiry_day) - (a->expiry_day < b->expiry_day) : order;
}

static int compare_lines(const void *a, const void *b)
{
    return count_line_compare(a, b);
}

void count_lines_sort(struct count_line *lines, size_t count)
{
    if (count > 1)
        qsort(lines, count, sizeof *lines, compare_lines);
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

size_t count_skus_normalize(struct text *skus, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(skus, count, sizeof *skus, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !text_equal(skus[kept - 1], skus[i]))
            skus[kept++] = skus[i];
    }
    return kept;
}

bool count_covers(const struct count *count, struct text sku, struct text zone)
{
    if (count->zone.size > 0 && !text_equal(count->zone, zone))
        return false;
    for (size_t i = 0; i < count->sku_count; i++) {
        if (text_equal(count->skus[i], sku))
            return true;
    }
    return count->sku_count == 0;
}
