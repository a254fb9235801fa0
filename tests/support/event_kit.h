#ifndef WAYBILL_TESTS_SUPPORT_EVENT_KIT_H
#define WAYBILL_TESTS_SUPPORT_EVENT_KIT_H

#include "platform/base/arena.h"
#include "platform/events/event.h"
#include "platform/events/event_feed.h"

#include <stdbool.h>
#include <stdint.h>

/* Events for tests: everything about the n-th event follows from n. */
enum { kit_event_keys = 5 };

/* Texts live on the arena. The key is "key-K", K = n mod kit_event_keys. */
struct event kit_event(struct arena *arena, uint64_t number);

/* The n of an event that kit_event made; UINT64_MAX if it is not exactly that. */
uint64_t kit_event_number(const struct event *event);

#endif
