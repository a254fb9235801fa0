/* Records of orders and of signals: no bytes may be read wrongly, and what is read is written
 * again. */
#include "fulfillment/infrastructure/sql/order_record.h"
#include "platform/base/check.h"

#include <stddef.h>
#include <stdint.h>

enum { arena_bytes_max = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct order order;
    struct order_signal signal;
    arena_init(&arena, arena_bytes_max);
    if (order_record_unpack(&arena, text_make(data, size), &order)) {
        struct order again;
        struct text bytes = order_record_pack(&arena, &order);
        CHECK(order_record_unpack(&arena, bytes, &again) || arena.refused);
    }
    if (order_signal_unpack(&arena, text_make(data, size), &signal))
        CHECK(order_signal_pack(&arena, &signal).data != NULL || arena.refused);
    arena_deinit(&arena);
    return 0;
}
