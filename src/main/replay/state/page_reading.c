/* The token is kept with its NUL, so that a request can point at it; empty means the first page. */
#include "main/replay/state/page_reading.h"

size_t replay_one_item(void *context)
{
    (void)context;
    return 1;
}

bool replay_is_always_due(void *context, size_t item)
{
    (void)context;
    (void)item;
    return true;
}

void replay_begin_pages(struct replay *replay)
{
    buffer_clear(&replay->page_token);
}

char *replay_page_token(const struct replay *replay)
{
    return replay->page_token.size == 0 ? (char *)protobuf_c_empty_string : replay->page_token.data;
}

struct error replay_turn_page(struct replay *replay, const char *token, bool *again)
{
    buffer_clear(&replay->page_token);
    *again = token[0] != '\0';
    if (*again && !(buffer_append_string(&replay->page_token, token) &&
                    buffer_append(&replay->page_token, "", 1)))
        return error_make(ERROR_OUT_OF_MEMORY, "page token");
    return error_none();
}
