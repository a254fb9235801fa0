/* Any text as a cursor: what is taken for one is written again as one that says the same. */
#include "events/domain/event_cursor.h"
#include "events/domain/subscription.h"
#include "platform/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct event_cursor cursor;
    struct event_cursor again;
    uint64_t positions[1];
    struct text source;
    const struct event_log_state log = {{"inventory", 9}, {"00112233445566aa", 16}, 1, 1000};
    arena_init(&arena, 1 << 20);
    struct text text = text_make(data, size);
    if (event_cursor_decode(text, &arena, &cursor)) {
        struct text written = event_cursor_encode(&cursor, &arena);
        CHECK(event_cursor_decode(written, &arena, &again) && again.count == cursor.count);
        for (size_t i = 0; i < cursor.count; i++) {
            CHECK(again.places[i].position == cursor.places[i].position);
            CHECK(text_equal(again.places[i].source, cursor.places[i].source));
            CHECK(text_equal(again.places[i].identity, cursor.places[i].identity));
        }
    }
    if (subscription_start(text, &log, 1, &arena, positions, &source) == SUBSCRIPTION_STARTS)
        CHECK(positions[0] >= log.oldest && positions[0] <= log.newest);
    arena_deinit(&arena);
    return 0;
}
