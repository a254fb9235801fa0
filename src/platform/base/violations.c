/* A list with a bound. Without memory for a path the violation stays, its field is empty. */
#include "platform/base/violations.h"

#include <stdarg.h>
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

void violations_add(struct violations *violations, const char *description, const char *field, ...)
{
    char path[256];
    va_list arguments;
    if (violations->count++ >= violations_max)
        return;
    va_start(arguments, field);
    vsnprintf(path, sizeof path, field, arguments);
    va_end(arguments);
    violations->items[violations->count - 1] = (struct violation){
        .field = arena_copy_text(violations->arena, text_of(path)),
        .description = text_of(description),
    };
}
