#ifndef WAYBILL_PLATFORM_BASE_PAGE_TOKEN_H
#define WAYBILL_PLATFORM_BASE_PAGE_TOKEN_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Page tokens: where the next page of a list begins, bound to the list and its filter, so that a
 * token of another list, another filter or of nobody's making is found out. Opaque to callers; no
 * secret.
 */

/* The token for `position` > 0; data is NULL without memory. */
struct text page_token_make(struct arena *arena, const char *list, struct text filter,
                            uint64_t position);

/* An empty token is position 0. False: PAGE_TOKEN_INVALID. */
bool page_token_read(struct text token, const char *list, struct text filter, uint64_t *position);

#endif
