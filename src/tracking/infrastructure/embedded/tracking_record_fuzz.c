/*
 * Fuzz target: any bytes are a record that can be written again and read back the same, or are
 * refused; and a summary likewise.
 */
#include "tracking/infrastructure/embedded/parcel.h"
#include "tracking/infrastructure/embedded/tracking_record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_record(struct text bytes)
{
    static struct tracking_record_lists lists;
    static struct tracking_record_lists lists_again;
    static char written[tracking_record_bytes_max];
    static char again[tracking_record_bytes_max];
    struct tracking_record record;
    struct tracking_record second;
    if (!tracking_record_decode(bytes, &lists, &record))
        return;
    size_t size = tracking_record_encode(&record, written);
    if (size > tracking_record_bytes_max ||
        !tracking_record_decode(text_make(written, size), &lists_again, &second))
        abort();
    if (tracking_record_encode(&second, again) != size || memcmp(written, again, size) != 0)
        abort();
}

static void try_summary(struct text bytes)
{
    static const char key[] = "ups\0"
                              "1Z";
    struct parcel *parcel = NULL;
    struct parcel *again = NULL;
    struct buffer out;
    struct error error = parcel_decode(text_make(key, sizeof key), bytes, &parcel);
    if (error_is(error))
        return;
    buffer_init(&out, (size_t)64 * 1024 * 1024);
    if (!parcel_encode(parcel, &out))
        abort();
    error = parcel_decode(text_make(key, sizeof key), buffer_text(&out), &again);
    if (error_is(error) || again->fact_count != parcel->fact_count ||
        again->revision != parcel->revision)
        abort();
    for (size_t i = 0; i < parcel->generation_count; i++)
        (void)parcel_decide(parcel, i);
    parcel_destroy(parcel);
    parcel_destroy(again);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > tracking_record_bytes_max)
        return 0;
    if (data[0] == 0xFF)
        try_summary(text_make(data + 1, size - 1));
    else
        try_record(text_make(data, size));
    return 0;
}
