/*
 * Any bytes as a record of the event log: what is taken for one is within the limits and comes
 * back the same when it is written again.
 */
#include "platform/base/check.h"
#include "platform/events/event_record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event event;
    struct event again;
    int64_t logged_us;
    int64_t logged_again_us;
    if (!event_record_decode(text_make(data, size), &event, &logged_us))
        return 0;
    CHECK(event_is_within_limits(&event));
    char *bytes = malloc(event_record_overhead_bytes + event.data.size);
    CHECK(bytes != NULL);
    size_t written = event_record_encode(&event, logged_us, bytes);
    CHECK(event_record_decode(text_make(bytes, written), &again, &logged_again_us));
    CHECK(again.sequence == event.sequence && again.time_us == event.time_us);
    CHECK(logged_again_us == logged_us);
    CHECK(text_equal(again.event_id, event.event_id) && text_equal(again.type, event.type));
    CHECK(text_equal(again.key, event.key) && text_equal(again.data, event.data));
    free(bytes);
    return 0;
}
