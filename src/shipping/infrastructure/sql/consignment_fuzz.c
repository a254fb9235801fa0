/*
 * Goal: bytes of a consignment that are not ours are refused, whatever they are, and what is taken
 * can be written and read again as the same. Method: any bytes, through the reader, the writer and
 * the reader.
 */
#include "platform/base/check.h"
#include "shipping/domain/shipment.h"
#include "shipping/infrastructure/sql/consignment_codec.h"

#include <string.h>

enum { arena_bytes_max = 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct consignment first, second;
    struct text numbers[shipping_parcels_max];
    arena_init(&arena, arena_bytes_max);
    (void)numbers_decode(text_make(data, size), numbers, shipping_parcels_max);
    if (consignment_decode(text_make(data, size), &arena, &first) == CONSIGNMENT_READ) {
        struct text again = consignment_encode(&arena, &first);
        CHECK(again.data != NULL || arena.refused);
        if (again.data != NULL) {
            enum consignment_decoded decoded = consignment_decode(again, &arena, &second);
            CHECK(decoded == CONSIGNMENT_READ || arena.refused);
            if (decoded == CONSIGNMENT_READ) {
                struct text once_more = consignment_encode(&arena, &second);
                CHECK(text_equal(again, once_more) || arena.refused);
                CHECK(strcmp(first.ship_date, second.ship_date) == 0);
            }
        }
    }
    arena_deinit(&arena);
    return 0;
}
