/* The normal form of lines. */
#include "warehouse/domain/item.h"

#include <stdlib.h>

static int compare_lines(const void *a, const void *b)
{
    const struct item_line *left = a;
    const struct item_line *right = b;
    int order = text_compare(left->sku, right->sku);
    if (order == 0)
        order = left->index < right->index ? -1 : 1;
    return order;
}

size_t item_lines_normalize(struct item_line *lines, size_t count)
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
