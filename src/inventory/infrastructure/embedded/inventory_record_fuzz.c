/* Fuzz target: any bytes are a record that can be walked and written again, or are refused. */
#include "inventory/infrastructure/embedded/inventory_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct inventory_record_lines lines;
    static struct inventory_record_lines lines_again;
    static char bytes[inventory_record_bytes_max];
    struct inventory_record record;
    struct inventory_record again;
    struct stock_entry entries[2];
    if (size > inventory_record_bytes_max ||
        !inventory_record_decode(text_make(data, size), &lines, &record))
        return 0;
    for (size_t i = 0; i < inventory_record_line_count(&record); i++) {
        bool is_posted = inventory_record_entries(&record, i, entries) > 0;
        bool is_stock = record.type != RECORD_STOCK_POLICY && record.type != RECORD_SHELF_PLACE;
        if (is_posted != (is_stock && inventory_record_touches(&record, i)))
            abort();
        if (inventory_record_sku(&record, i).size > size)
            abort();
    }
    /*
     * Varints may have been longer than need be, and version 1 said less, so the bytes may differ;
     * the meaning may not.
     */
    size_t written = inventory_record_encode(&record, bytes);
    if ((written > size && record.version > 1) ||
        !inventory_record_decode(text_make(bytes, written), &lines_again, &again))
        abort();
    if (again.time_us != record.time_us || !text_equal(again.id, record.id))
        abort();
    return 0;
}
