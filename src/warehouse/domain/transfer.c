/* The life of a transfer as a table, and how what came is told from what was sent. */
#include "warehouse/domain/transfer.h"

#include "warehouse/domain/shelf.h"

#include <stdlib.h>

struct transition_row {
    enum transfer_transition transition;
    enum transfer_state after;
};

static const struct transition_row transitions[4][2] = {
    [TRANSFER_IN_TRANSIT] =
        {
            [TRANSFER_RECEIVE] = {TRANSFER_MOVES, TRANSFER_RECEIVED},
            [TRANSFER_CANCEL] = {TRANSFER_MOVES, TRANSFER_CANCELLED},
        },
    [TRANSFER_RECEIVED] =
        {
            [TRANSFER_RECEIVE] = {TRANSFER_STAYS, TRANSFER_RECEIVED},
            [TRANSFER_CANCEL] = {TRANSFER_REFUSES, TRANSFER_RECEIVED},
        },
    [TRANSFER_CANCELLED] =
        {
            [TRANSFER_RECEIVE] = {TRANSFER_REFUSES, TRANSFER_CANCELLED},
            [TRANSFER_CANCEL] = {TRANSFER_STAYS, TRANSFER_CANCELLED},
        },
};

enum transfer_transition transfer_transition(enum transfer_state state, enum transfer_event event,
                                             enum transfer_state *after)
{
    *after = transitions[state][event].after;
    return transitions[state][event].transition;
}

static int compare_requests(const void *left, const void *right)
{
    const struct transfer_request_line *a = left;
    const struct transfer_request_line *b = right;
    int order = text_compare(a->sku, b->sku);
    if (order == 0)
        order = (a->lot.size == 0) - (b->lot.size == 0);
    if (order == 0)
        order = text_compare(a->lot, b->lot);
    return order == 0 ? (a->index > b->index) - (a->index < b->index) : order;
}

size_t transfer_request_normalize(struct transfer_request_line *lines, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(lines, count, sizeof *lines, compare_requests);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && text_equal(lines[kept - 1].sku, lines[i].sku) &&
            text_equal(lines[kept - 1].lot, lines[i].lot))
            lines[kept - 1].quantity += lines[i].quantity;
        else
            lines[kept++] = lines[i];
    }
    return kept;
}

/* Adds to the placement of that line and place, or makes one. */
static void place(struct placement *placements, size_t *count, size_t line, struct text zone,
                  struct text bin, int64_t quantity)
{
    if (quantity == 0)
        return;
    for (size_t i = 0; i < *count; i++) {
        if (placements[i].line == line &&
            place_equal(placements[i].zone, placements[i].bin, zone, bin)) {
            placements[i].quantity += quantity;
            return;
        }
    }
    placements[(*count)++] =
        (struct placement){.line = line, .zone = zone, .bin = bin, .quantity = quantity};
}

static int compare_placements(const void *left, const void *right)
{
    const struct placement *a = left;
    const struct placement *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    int order = text_compare(a->zone, b->zone);
    return order == 0 ? text_compare(a->bin, b->bin) : order;
}

static bool names(const struct reception_line *asked, const struct transfer_line *line)
{
    return text_equal(asked->sku, line->sku) &&
           (asked->lot.size == 0 || text_equal(asked->lot, line->lot));
}

/* Deals one asked line out to the transfer's; false if it has none such. */
static bool receive_line(struct transfer_line *transfer_lines, size_t count,
                         const struct reception_line *asked, struct placement *placements,
                         size_t *placement_count)
{
    int64_t rest = asked->quantity;
    size_t last = count;
    for (size_t i = 0; i < count; i++) {
        if (!names(asked, &transfer_lines[i]))
            continue;
        int64_t missing = transfer_lines[i].quantity - transfer_lines[i].received_quantity;
        int64_t taken = rest < missing ? rest : missing;
        last = i;
        if (taken <= 0)
            continue;
        transfer_lines[i].received_quantity += taken;
        rest -= taken;
        place(placements, placement_count, i, asked->zone, asked->bin, taken);
    }
    if (last == count)
        return false;
    transfer_lines[last].received_quantity += rest;
    place(placements, placement_count, last, asked->zone, asked->bin, rest);
    return true;
}

bool transfer_reception(struct transfer_line *transfer_lines, size_t transfer_line_count,
                        const struct reception_line *lines, size_t line_count,
                        struct placement *placements, size_t *placement_count, size_t *failed)
{
    const struct text nowhere = {0};
    *placement_count = 0;
    for (size_t i = 0; i < transfer_line_count; i++)
        transfer_lines[i].received_quantity = 0;
    for (size_t i = 0; i < line_count; i++) {
        if (!receive_line(transfer_lines, transfer_line_count, &lines[i], placements,
                          placement_count)) {
            *failed = i;
            return false;
        }
    }
    for (size_t i = 0; line_count == 0 && i < transfer_line_count; i++) {
        transfer_lines[i].received_quantity = transfer_lines[i].quantity;
        place(placements, placement_count, i, nowhere, nowhere, transfer_lines[i].quantity);
    }
    if (*placement_count > 1)
        qsort(placements, *placement_count, sizeof *placements, compare_placements);
    return true;
}
