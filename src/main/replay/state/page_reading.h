#ifndef WAYBILL_MAIN_REPLAY_STATE_PAGE_READING_H
#define WAYBILL_MAIN_REPLAY_STATE_PAGE_READING_H

#include "main/replay/state/replay_state.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * For works of one item: a single call, or a list that is read page by page. The next page's token
 * is kept in the replay, so one list is read at a time. Thread: the loop's.
 */

/* item_count and is_due of a work with one item. */
size_t replay_one_item(void *context);
bool replay_is_always_due(void *context, size_t item);

/* The next page is the first. */
void replay_begin_pages(struct replay *replay);

/* For the request; lives until the next two. */
char *replay_page_token(const struct replay *replay);

/* Goes on to the page of that token; *again if there is one. Error: OUT_OF_MEMORY. */
__attribute__((warn_unused_result)) struct error replay_turn_page(struct replay *replay,
                                                                  const char *token, bool *again);

#endif
