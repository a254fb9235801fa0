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

/*
 * The same where the next page begins behind a key: a text that is not empty, of at most
 * page_token_key_bytes_max bytes. Its bytes can be read from the token.
 */
enum { page_token_key_bytes_max = 160 };
struct text page_token_make_key(struct arena *arena, const char *list, struct text filter,
                                struct text key);

/* An empty token is an empty key. False: PAGE_TOKEN_INVALID, or no memory for the key (arena). */
bool page_token_read_key(struct arena *arena, struct text token, const char *list,
                         struct text filter, struct text *key);

#endif
