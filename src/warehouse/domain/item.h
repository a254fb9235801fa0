#ifndef WAYBILL_WAREHOUSE_DOMAIN_ITEM_H
#define WAYBILL_WAREHOUSE_DOMAIN_ITEM_H

#include "platform/base/text.h"

#include <stddef.h>
#include <stdint.h>

/* What a SKU is as a thing. A weight or length of 0 is not known. */
struct item {
    struct text sku;
    struct text name;
    int64_t weight_grams;
    int64_t length_mm;
    int64_t width_mm;
    int64_t height_mm;
    struct text hazard_class;
    struct text hs_code;
    struct text origin_country;
};

/* A SKU and a quantity as a caller asks for them. */
struct item_line {
    struct text sku;
    int64_t quantity;
    size_t index; /* of the first such line in the request, for the path of a violation */
};

/* Sorts by SKU and sums lines of one SKU in place; gives the new count. Sums stay below 2^63. */
size_t item_lines_normalize(struct item_line *lines, size_t count);

#endif
