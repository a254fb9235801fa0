/*
 * Fuzz target of the CSV reader and the data set built on it (RELIABILITY row 19): any bytes give a
 * data set whose sums hold, or an error.
 */
#include "main/replay/data/data_set.h"

#include "platform/base/check.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct data_set data_set;
    struct error error = data_set_read_bytes(&data_set, "fuzz.csv", text_make(data, size));
    if (error_is(error))
        return 0;
    uint32_t lines = 0;
    uint32_t summed_lines = 0;
    int64_t packs = 0;
    for (uint32_t i = 0; i < data_set.order_count; i++) {
        const struct data_set_order *order = &data_set.orders[i];
        CHECK(order->first_line == lines && order->line_count >= order->sku_count);
        for (uint32_t j = 0; j < order->line_count; j++)
            packs += data_set.lines[lines + j].packs;
        lines += order->line_count;
        summed_lines += order->sku_count;
    }
    for (uint32_t i = 0; i < data_set.product_count; i++)
        packs -= data_set.products[i].packs;
    CHECK(packs == 0 && lines == data_set.line_count && summed_lines == data_set.summed_line_count);
    data_set_deinit(&data_set);
    return 0;
}
