/* The life of a reservation as a table, and what its content is. */
#include "inventory/domain/reservation.h"

#include <stdlib.h>

struct transition_row {
    enum reservation_transition transition;
    enum reservation_state after;
};

/*
 * Terminal is terminal; only a retake moves what has expired. A repeated commit is a question of
 * its lines, which the store answers; here it stays. Rolling back what expired is no error, for a
 * compensation must not fail.
 */
static const struct transition_row transitions[4][6] = {
    [RESERVATION_PENDING] =
        {
            [RESERVATION_COMMIT] = {RESERVATION_MOVES, RESERVATION_COMMITTED},
            [RESERVATION_ROLLBACK] = {RESERVATION_MOVES, RESERVATION_ROLLED_BACK},
            [RESERVATION_EXPIRE] = {RESERVATION_MOVES, RESERVATION_EXPIRED},
            [RESERVATION_EXTEND] = {RESERVATION_MOVES, RESERVATION_PENDING},
            [RESERVATION_RETAKE] = {RESERVATION_MOVES, RESERVATION_COMMITTED},
            [RESERVATION_RETURN] = {RESERVATION_REFUSES, RESERVATION_PENDING},
        },
    [RESERVATION_COMMITTED] =
        {
            [RESERVATION_COMMIT] = {RESERVATION_STAYS, RESERVATION_COMMITTED},
            [RESERVATION_ROLLBACK] = {RESERVATION_REFUSES, RESERVATION_COMMITTED},
            [RESERVATION_EXPIRE] = {RESERVATION_STAYS, RESERVATION_COMMITTED},
            [RESERVATION_EXTEND] = {RESERVATION_REFUSES, RESERVATION_COMMITTED},
            [RESERVATION_RETAKE] = {RESERVATION_STAYS, RESERVATION_COMMITTED},
            [RESERVATION_RETURN] = {RESERVATION_MOVES, RESERVATION_COMMITTED},
        },
    [RESERVATION_ROLLED_BACK] =
        {
            [RESERVATION_COMMIT] = {RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
            [RESERVATION_ROLLBACK] = {RESERVATION_STAYS, RESERVATION_ROLLED_BACK},
            [RESERVATION_EXPIRE] = {RESERVATION_STAYS, RESERVATION_ROLLED_BACK},
            [RESERVATION_EXTEND] = {RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
            [RESERVATION_RETAKE] = {RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
            [RESERVATION_RETURN] = {RESERVATION_REFUSES, RESERVATION_ROLLED_BACK},
        },
    [RESERVATION_EXPIRED] =
        {
            [RESERVATION_COMMIT] = {RESERVATION_REFUSES, RESERVATION_EXPIRED},
            [RESERVATION_ROLLBACK] = {RESERVATION_STAYS, RESERVATION_EXPIRED},
            [RESERVATION_EXPIRE] = {RESERVATION_STAYS, RESERVATION_EXPIRED},
            [RESERVATION_EXTEND] = {RESERVATION_REFUSES, RESERVATION_EXPIRED},
            [RESERVATION_RETAKE] = {RESERVATION_MOVES, RESERVATION_COMMITTED},
            [RESERVATION_RETURN] = {RESERVATION_REFUSES, RESERVATION_EXPIRED},
        },
};

enum reservation_transition reservation_transition(enum reservation_state state,
                                                   enum reservation_event event,
                                                   enum reservation_state *after)
{
    *after = transitions[state][event].after;
    return transitions[state][event].transition;
}

bool reservation_is_due(int64_t expire_time_us, int64_t now_us)
{
    return expire_time_us <= now_us;
}

static int compare_lines(const void *a, const void *b)
{
    const struct quantity_line *left = a;
    const struct quantity_line *right = b;
    return text_compare(left->sku, right->sku);
}

size_t quantity_lines_normalize(struct quantity_line *lines, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && text_equal(lines[kept - 1].sku, lines[i].sku))
            lines[kept - 1].quantity += lines[i].quantity;
        else
            lines[kept++] = lines[i];
    }
    return kept;
}

static int compare_texts(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

size_t texts_normalize(struct text *texts, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !text_equal(texts[kept - 1], texts[i]))
            texts[kept++] = texts[i];
    }
    return kept;
}

static bool is_requested(const struct reservation *reservation, size_t at,
                         const struct quantity_line *line)
{
    if (reservation->allow_partial)
        return text_equal(reservation->requested[at].sku, line->sku) &&
               reservation->requested[at].quantity == line->quantity;
    return text_equal(reservation->lines[at].sku, line->sku) &&
           reservation->lines[at].quantity == line->quantity;
}

bool reservation_has_content(const struct reservation *reservation,
                             const struct reservation_content *content)
{
    size_t line_count =
        reservation->allow_partial ? reservation->requested_count : reservation->line_count;
    bool same = text_equal(reservation->order_id, content->order_id) &&
                text_equal(reservation->customer_id, content->customer_id) &&
                reservation->ttl_us == content->ttl_us &&
                reservation->allow_partial == content->allow_partial &&
                line_count == content->line_count;
    for (size_t i = 0; same && i < line_count; i++)
        same = is_requested(reservation, i, &content->lines[i]);
    return same;
}

bool reservation_committed_quantities(const struct reservation *reservation,
                                      const struct quantity_line *lines, size_t line_count,
                                      int64_t *committed_quantities, size_t *failed)
{
    size_t asked = 0; /* both lists are sorted: one walk over the two */
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *held = &reservation->lines[i];
        committed_quantities[i] = line_count == 0 ? held->quantity : 0;
        if (asked == line_count || !text_equal(held->sku, lines[asked].sku))
            continue;
        if (lines[asked].quantity > held->quantity)
            break;
        committed_quantities[i] = lines[asked++].quantity;
    }
    *failed = asked;
    return asked == line_count;
}

bool reservation_returned_quantities(const struct reservation *reservation,
                                     const struct quantity_line *lines, size_t line_count,
                                     int64_t *returned_quantities, size_t *failed)
{
    size_t asked = 0; /* both lists are sorted */
    for (size_t i = 0; i < reservation->line_count; i++) {
        const struct reservation_line *line = &reservation->lines[i];
        returned_quantities[i] = 0;
        if (asked == line_count || !text_equal(line->sku, lines[asked].sku))
            continue;
        if (lines[asked].quantity > line->committed_quantity - line->returned_quantity)
            break;
        returned_quantities[i] = lines[asked++].quantity;
    }
    *failed = asked;
    return asked == line_count;
}
