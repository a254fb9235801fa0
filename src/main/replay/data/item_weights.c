/* All ratios are sorted once by product, once by group; a median is then a look at the middle. */
#include "main/replay/data/item_weights.h"

#include "platform/base/memory.h"

#include <stdlib.h>

struct ratio {
    uint32_t product;
    uint32_t group;
    int64_t milligrams; /* a pack */
};

static int compare_numbers(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_product(const void *a, const void *b)
{
    const struct ratio *left = a;
    const struct ratio *right = b;
    int order = compare_numbers(left->product, right->product);
    return order != 0 ? order : compare_numbers(left->milligrams, right->milligrams);
}

static int by_group(const void *a, const void *b)
{
    const struct ratio *left = a;
    const struct ratio *right = b;
    int order = compare_numbers(left->group, right->group);
    return order != 0 ? order : compare_numbers(left->milligrams, right->milligrams);
}

/* Of sorted ratios, in grams. */
static int64_t median_grams(const struct ratio *ratios, size_t count)
{
    int64_t middle = count % 2 == 1
                         ? ratios[count / 2].milligrams
                         : (ratios[count / 2 - 1].milligrams + ratios[count / 2].milligrams) / 2;
    int64_t grams = (middle + 500) / 1000;
    return grams < 1 ? 1 : grams;
}

static size_t collect(const struct data_set *data_set, struct ratio *ratios)
{
    size_t count = 0;
    for (uint32_t i = 0; i < data_set->line_count; i++) {
        const struct data_set_line *line = &data_set->lines[i];
        if (line->weight_grams < 0)
            continue;
        ratios[count++] = (struct ratio){
            .product = line->product,
            .group = data_set->products[line->product].group,
            .milligrams = (int64_t)((__int128)line->weight_grams * 1000 / line->packs),
        };
    }
    return count;
}

/* Takes the medians of the products that were weighed. */
static void fill_weighed(struct data_set *data_set, struct ratio *ratios, size_t count)
{
    qsort(ratios, count, sizeof *ratios, by_product);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first; end < count && ratios[end].product == ratios[first].product;)
            end++;
        data_set->products[ratios[first].product].weight_grams =
            median_grams(&ratios[first], end - first);
    }
}

/* 0 if no line of the group was weighed. */
static int64_t group_median(const struct ratio *ratios, size_t count, uint32_t group)
{
    size_t first = 0;
    while (first < count && ratios[first].group < group)
        first++;
    size_t end = first;
    while (end < count && ratios[end].group == group)
        end++;
    return first == end ? 0 : median_grams(&ratios[first], end - first);
}

struct error item_weights_fill(struct data_set *data_set, uint32_t *never_weighed)
{
    struct ratio *ratios = memory_allocate_zero(data_set->line_count, sizeof *ratios);
    struct error error = error_none();
    *never_weighed = 0;
    if (ratios == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "weights of items");
    size_t count = collect(data_set, ratios);
    fill_weighed(data_set, ratios, count);
    qsort(ratios, count, sizeof *ratios, by_group);
    for (uint32_t i = 0; i < data_set->product_count && !error_is(error); i++) {
        struct data_set_product *product = &data_set->products[i];
        if (product->weight_grams > 0)
            continue;
        ++*never_weighed;
        product->weight_grams = group_median(ratios, count, product->group);
        if (product->weight_grams == 0) {
            error =
                error_make(ERROR_INVALID_INPUT,
                           "no line tells a weight of %s, nor of anything in its group %.*s",
                           product->description.data, (int)data_set->groups[product->group].size,
                           data_set->groups[product->group].data);
        }
    }
    memory_release(ratios);
    return error;
}

int64_t item_edge_mm(int64_t weight_grams)
{
    /* 250 kg/m³ = 0.00025 g/mm³: 4,000 mm³ a gram. */
    __int128 volume = (__int128)weight_grams * 4000;
    int64_t low = 1;
    int64_t high = 100000000; /* its cube is above every weight's volume */
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((__int128)middle * middle * middle >= volume)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}
