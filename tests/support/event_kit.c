/* The number stands in the id; the data is as long as chance seeded by the number says. */
#include "tests/support/event_kit.h"

#include "platform/base/check.h"
#include "platform/base/random.h"

#include <stdlib.h>
#include <string.h>

struct event kit_event(struct arena *arena, uint64_t number)
{
    struct random_seeded random;
    random_seeded_init(&random, number);
    size_t size = (size_t)random_below(&random.base, 200);
    char *data = arena_allocate(arena, size + 1);
    char *id = arena_format(arena, "event-%llu", (unsigned long long)number);
    char *key = arena_format(arena, "key-%llu", (unsigned long long)(number % kit_event_keys));
    CHECK(data != NULL && id != NULL && key != NULL);
    random_fill(&random.base, data, size);
    return (struct event){
        .event_id = text_of(id),
        .type = text_of("waybill.test.v1.SomethingHappened"),
        .source = text_of("test"),
        .key = text_of(key),
        .time_us = 1000000 + (int64_t)number,
        .data = text_make(data, size),
    };
}

uint64_t kit_event_number(const struct event *event)
{
    struct arena arena;
    static const char prefix[] = "event-";
    int64_t number = -1;
    size_t skipped = sizeof prefix - 1;
    arena_init(&arena, 65536);
    bool good =
        text_starts_with(event->event_id, text_of(prefix)) &&
        text_to_int64(text_make(event->event_id.data + skipped, event->event_id.size - skipped),
                      &number);
    if (good) {
        struct event expected = kit_event(&arena, (uint64_t)number);
        good = text_equal(event->type, expected.type) && text_equal(event->key, expected.key) &&
               text_equal(event->data, expected.data) && event->time_us == expected.time_us;
    }
    arena_deinit(&arena);
    return good ? (uint64_t)number : UINT64_MAX;
}
