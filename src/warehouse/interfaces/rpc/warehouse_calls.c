/* What the rows share. */
#include "warehouse/interfaces/rpc/warehouse_calls.h"

#include "platform/base/page_token.h"
#include "warehouse/domain/calendar.h"

#include <stdio.h>
#include <string.h>

static void list_name(char out[96], const char *method)
{
    snprintf(out, 96, "warehouse.%s", method);
}

/* Joined by a byte that no text holds. */
static struct text join(struct rpc_reading *reading, const struct text *texts, size_t count)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += texts[i].size + 1;
    char *out = rpc_reading_allocate(reading, room, 1);
    char *at = out;
    if (out == NULL)
        return (struct text){0};
    for (size_t i = 0; i < count; i++) {
        if (texts[i].size > 0)
            memcpy(at, texts[i].data, texts[i].size);
        at += texts[i].size;
        *at++ = '\n';
    }
    return text_make(out, (size_t)(at - out));
}

void reading_page(struct rpc_reading *reading, struct list_page *page, struct page_request request,
                  const struct text *filter, size_t filter_count)
{
    char name[96];
    list_name(name, request.method);
    reading->filter = join(reading, filter, filter_count);
    page->size = request.page_size < 0 ? SIZE_MAX : (size_t)request.page_size;
    if (!page_token_read(text_of(request.page_token), name, reading->filter, &page->after) ||
        page->after > INT64_MAX)
        reading->page_token_invalid = true;
}

char *next_page_token(struct arena *arena, const char *method, struct text filter,
                      const struct list_page *page)
{
    char name[96];
    list_name(name, method);
    if (page->next == 0)
        return arena_copy_string(arena, text_of(""));
    return (char *)page_token_make(arena, name, filter, page->next).data;
}

int64_t reading_date(struct rpc_reading *reading, const char *date, const char *path)
{
    int64_t day = 0;
    if (date[0] != '\0' && !calendar_date_parse(text_of(date), &day))
        violations_add(reading->violations, "must be a date from 2000-01-01 to 9999-12-31", "%s",
                       path);
    return day;
}

struct text *reading_texts(struct rpc_reading *reading, char *const *texts, size_t count)
{
    struct text *out = rpc_reading_allocate(reading, count, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++)
        out[i] = text_of(texts[i]);
    return out;
}
