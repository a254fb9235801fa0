/*
 * The life of an allocation. What was shipped is kept as bytes that two equal requests have in
 * common: nothing for "all", else the lines in normal form.
 */
#include "warehouse/domain/allocation.h"

#include "platform/base/codec.h"

#include <stdlib.h>

static const enum allocation_transition transitions[6][4] = {
    [ALLOCATION_TENTATIVE] =
        {
            [ALLOCATION_CONFIRM] = ALLOCATION_MOVES,
            [ALLOCATION_RELEASE] = ALLOCATION_MOVES,
            [ALLOCATION_EXPIRE] = ALLOCATION_MOVES,
            [ALLOCATION_SHIP] = ALLOCATION_REFUSES,
        },
    [ALLOCATION_FIRM] =
        {
            [ALLOCATION_CONFIRM] = ALLOCATION_STAYS,
            [ALLOCATION_RELEASE] = ALLOCATION_MOVES,
            [ALLOCATION_EXPIRE] = ALLOCATION_STAYS,
            [ALLOCATION_SHIP] = ALLOCATION_MOVES,
        },
    [ALLOCATION_SHIPPED] =
        {
            [ALLOCATION_CONFIRM] = ALLOCATION_STAYS,
            [ALLOCATION_RELEASE] = ALLOCATION_REFUSES,
            [ALLOCATION_EXPIRE] = ALLOCATION_STAYS,
            [ALLOCATION_SHIP] = ALLOCATION_STAYS,
        },
    [ALLOCATION_RELEASED] =
        {
            [ALLOCATION_CONFIRM] = ALLOCATION_REFUSES,
            [ALLOCATION_RELEASE] = ALLOCATION_STAYS,
            [ALLOCATION_EXPIRE] = ALLOCATION_STAYS,
            [ALLOCATION_SHIP] = ALLOCATION_REFUSES,
        },
    [ALLOCATION_EXPIRED] =
        {
            [ALLOCATION_CONFIRM] = ALLOCATION_REFUSES,
            [ALLOCATION_RELEASE] = ALLOCATION_STAYS, /* a compensation must not fail */
            [ALLOCATION_EXPIRE] = ALLOCATION_STAYS,
            [ALLOCATION_SHIP] = ALLOCATION_REFUSES,
        },
};

static bool has_part_in(const struct allocation *allocation, enum allocation_state state)
{
    for (size_t i = 0; i < allocation->part_count; i++) {
        if (allocation->parts[i].state == state)
            return true;
    }
    return false;
}

enum allocation_transition allocation_transition(const struct allocation *allocation,
                                                 enum allocation_event event)
{
    if (allocation->state == ALLOCATION_SHIPPED && event == ALLOCATION_RELEASE &&
        has_part_in(allocation, ALLOCATION_RELEASED))
        return ALLOCATION_STAYS;
    return transitions[allocation->state][event];
}

bool allocation_is_due(enum allocation_state state, int64_t expire_time_us, int64_t now_us)
{
    return state == ALLOCATION_TENTATIVE && expire_time_us <= now_us;
}

enum allocation_state allocation_state_of_parts(const struct allocation *allocation)
{
    if (has_part_in(allocation, ALLOCATION_FIRM))
        return ALLOCATION_FIRM;
    return has_part_in(allocation, ALLOCATION_SHIPPED) ? ALLOCATION_SHIPPED : ALLOCATION_RELEASED;
}

/* --- shipping --- */

static bool is_by_proposal(const struct ship_line *line)
{
    return line->zone.size == 0 && line->bin.size == 0 && line->lot.size == 0;
}

static int compare_ship_lines(const void *left, const void *right)
{
    const struct ship_line *a = left;
    const struct ship_line *b = right;
    int order = text_compare(a->sku, b->sku);
    if (order == 0)
        order = (int)is_by_proposal(a) - (int)is_by_proposal(b); /* what is named goes first */
    if (order == 0)
        order = text_compare(a->zone, b->zone);
    if (order == 0)
        order = text_compare(a->bin, b->bin);
    if (order == 0)
        order = text_compare(a->lot, b->lot);
    return order == 0 ? (a->index > b->index) - (a->index < b->index) : order;
}

static size_t normalize(struct ship_line *lines, size_t count)
{
    size_t kept = 0;
    if (count > 1)
        qsort(lines, count, sizeof *lines, compare_ship_lines);
    for (size_t i = 0; i < count; i++) {
        struct ship_line *last = kept == 0 ? NULL : &lines[kept - 1];
        if (last != NULL && text_equal(last->sku, lines[i].sku) &&
            place_equal(last->zone, last->bin, lines[i].zone, lines[i].bin) &&
            text_equal(last->lot, lines[i].lot))
            last->quantity += lines[i].quantity;
        else
            lines[kept++] = lines[i];
    }
    return kept;
}

/* Whether the lines, in normal form, name all the part holds and no place. */
static bool names_everything(const struct allocation_part *part, const struct ship_line *lines,
                             size_t count)
{
    if (count != part->line_count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_by_proposal(&lines[i]) || !text_equal(lines[i].sku, part->lines[i].sku) ||
            lines[i].quantity != part->lines[i].quantity)
            return false;
    }
    return true;
}

/* Whether the part holds all of it; else *failed is the first line that it does not. */
static bool holds(const struct allocation_part *part, const struct ship_line *lines, size_t count,
                  size_t *failed)
{
    int64_t asked = 0;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !text_equal(lines[i].sku, lines[i - 1].sku))
            asked = 0;
        asked += lines[i].quantity;
        while (at < part->line_count && text_compare(part->lines[at].sku, lines[i].sku) < 0)
            at++;
        if (at == part->line_count || !text_equal(part->lines[at].sku, lines[i].sku) ||
            asked > part->lines[at].quantity) {
            *failed = lines[i].index;
            return false;
        }
    }
    return true;
}

static bool pack_lines(const struct ship_line *lines, size_t count, struct arena *arena,
                       struct text *packed)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += 5 * varint_bytes_max + lines[i].sku.size + lines[i].zone.size + lines[i].bin.size +
                lines[i].lot.size;
    char *bytes = arena_allocate(arena, room);
    struct byte_writer writer = {.at = bytes};
    if (bytes == NULL)
        return false;
    write_uint8(&writer, 1); /* so that "all" is not the empty text of "not shipped" */
    for (size_t i = 0; i < count; i++) {
        write_text(&writer, lines[i].sku);
        write_text(&writer, lines[i].zone);
        write_text(&writer, lines[i].bin);
        write_text(&writer, lines[i].lot);
        write_varint(&writer, (uint64_t)lines[i].quantity);
    }
    *packed = text_make(bytes, (size_t)(writer.at - bytes));
    return true;
}

/* The one part that lines are about, or part_count: an outcome says why. */
static size_t find_part(const struct allocation *allocation, struct text warehouse_id,
                        bool has_lines, enum ship_outcome *outcome)
{
    size_t found = allocation->part_count;
    size_t firm = 0;
    size_t shipped = 0;
    size_t last_firm = found;
    size_t last_shipped = found;
    for (size_t i = 0; i < allocation->part_count; i++) {
        const struct allocation_part *part = &allocation->parts[i];
        if (text_equal(part->warehouse_id, warehouse_id))
            found = i;
        if (part->state == ALLOCATION_FIRM) {
            firm++;
            last_firm = i;
        } else if (part->state == ALLOCATION_SHIPPED) {
            shipped++;
            last_shipped = i;
        }
    }
    *outcome = SHIP_PART_NOT_FOUND;
    if (warehouse_id.size > 0 || !has_lines)
        return found;
    *outcome = SHIP_PART_AMBIGUOUS;
    if (firm == 1 && shipped == 0)
        return last_firm;
    return firm == 0 && shipped == 1 ? last_shipped : allocation->part_count;
}

/* One part, or all of them when `only` is part_count. */
static struct ship_decision decide_parts(const struct allocation *allocation, size_t only,
                                         struct text shipped, struct arena *arena)
{
    struct ship_decision decision = {.outcome = SHIP_REPEATED, .shipped = shipped};
    decision.parts = arena_allocate_zero(arena, allocation->part_count + 1, sizeof(bool));
    if (decision.parts == NULL)
        return (struct ship_decision){.outcome = SHIP_OUT_OF_MEMORY};
    for (size_t i = 0; i < allocation->part_count; i++) {
        const struct allocation_part *part = &allocation->parts[i];
        if (only != allocation->part_count && only != i)
            continue;
        if (part->state == ALLOCATION_FIRM) {
            decision.parts[i] = true;
            decision.outcome = SHIP_NOW;
        } else if (only == i && part->state != ALLOCATION_SHIPPED) {
            return (struct ship_decision){.outcome = SHIP_NOT_FIRM, .part_state = part->state};
        } else if (only == i && !text_equal(part->shipped, shipped)) {
            return (struct ship_decision){.outcome = SHIP_SHIPPED};
        }
    }
    return decision;
}

struct ship_decision allocation_ship_decide(const struct allocation *allocation,
                                            struct text warehouse_id, struct ship_line *lines,
                                            size_t *line_count, struct arena *arena)
{
    struct ship_decision decision = {.outcome = SHIP_OUT_OF_MEMORY};
    enum ship_outcome why;
    struct text shipped;
    if (allocation_transition(allocation, ALLOCATION_SHIP) == ALLOCATION_REFUSES)
        return (struct ship_decision){.outcome = SHIP_NOT_FIRM, .part_state = allocation->state};
    size_t only = find_part(allocation, warehouse_id, *line_count > 0, &why);
    if (only == allocation->part_count && (warehouse_id.size > 0 || *line_count > 0))
        return (struct ship_decision){.outcome = why};
    *line_count = normalize(lines, *line_count);
    if (*line_count > 0) {
        const struct allocation_part *part = &allocation->parts[only];
        if (part->state == ALLOCATION_FIRM && !holds(part, lines, *line_count, &decision.failed)) {
            decision.outcome = SHIP_LINES_NOT_HELD;
            return decision;
        }
        if (names_everything(part, lines, *line_count))
            *line_count = 0;
    }
    if (!pack_lines(lines, *line_count, arena, &shipped))
        return decision;
    return decide_parts(allocation, only, shipped, arena);
}
