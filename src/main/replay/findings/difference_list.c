/*
 * A fixed number of sentences of a fixed length: telling what is wrong needs no memory and cannot
 * fail.
 */
#include "main/replay/findings/difference_list.h"

#include <stdarg.h>
#include <stdio.h>

size_t difference_list_kept(const struct difference_list *list)
{
    return list->count < differences_kept_max ? list->count : differences_kept_max;
}

void difference_list_add(struct difference_list *list, const char *format, ...)
{
    if (list->count < differences_kept_max) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(list->items[list->count], sizeof list->items[0], format, arguments);
        va_end(arguments);
    }
    list->count++;
}
