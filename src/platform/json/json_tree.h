#ifndef WAYBILL_PLATFORM_JSON_JSON_TREE_H
#define WAYBILL_PLATFORM_JSON_JSON_TREE_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <jansson.h>

/* What the tree of a text of this size may take: jansson needs up to a hundred times its text. */
size_t json_tree_bytes_max(size_t text_size);

/*
 * JSON text as jansson's tree, which lives in the arena and dies with it: never json_decref it.
 * Strict: UTF-8 without NUL, no member twice, nothing behind the value. Errors: INVALID_INPUT
 * ("line 1 column 7: …"), LIMIT (the arena is full), OUT_OF_MEMORY. Thread: any.
 */
__attribute__((warn_unused_result)) struct error json_tree_parse(struct text json,
                                                                 struct arena *arena,
                                                                 json_t **value);

#endif
