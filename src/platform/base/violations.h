#ifndef WAYBILL_PLATFORM_BASE_VIOLATIONS_H
#define WAYBILL_PLATFORM_BASE_VIOLATIONS_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What is wrong with a request: every field with its path, not the first only (DESIGN section 3,
 * Errors). At most violations_max are kept; a request that has more is no less refused.
 */
struct violation {
    struct text field;       /* "lines[2].quantity" */
    struct text description; /* for people: what is allowed */
};

enum { violations_max = 32 };

struct violations {
    struct arena *arena;
    size_t count; /* of all found, also beyond violations_max */
    struct violation items[violations_max];
};

void violations_init(struct violations *violations, struct arena *arena);

/* How many of `items` are set. */
size_t violations_kept(const struct violations *violations);

/* Adds one; `description` is a literal, the path is formatted. */
__attribute__((format(printf, 3, 4))) void violations_add(struct violations *violations,
                                                          const char *description,
                                                          const char *field, ...);

/* The same with the path's arguments as a list. */
void violations_add_list(struct violations *violations, const char *description, const char *field,
                         va_list arguments);

#endif
