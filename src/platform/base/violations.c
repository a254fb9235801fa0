/* A list with a bound. Without memory for a path the violation stays, its field is empty. */
#include "platform/base/violations.h"

#include <stdio.h>

void violations_init(struct violations *violations, struct arena *arena)
{
    violations->arena = arena;
    violations->count = 0;
}

size_t violations_kept(const struct violations *violations)
{
    return violations->count < violations_max ? violations->count : violations_max;
}

void violations_add_list(struct violations *violations, const char *description, const char *field,
                         va_list arguments)
{
    char path[256];
    if (violations->count++ >= violations_max)
        return;
    vsnprintf(path, sizeof path, field, arguments);
    violations->items[violations->count - 1] = (struct violation){
        .field = arena_copy_text(violations->arena, text_of(path)),
        .description = text_of(description),
    };
}

void violations_add(struct violations *violations, const char *description, const char *field, ...)
{
    va_list arguments;
    va_start(arguments, field);
    violations_add_list(violations, description, field, arguments);
    va_end(arguments);
}
