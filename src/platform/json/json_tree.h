#ifndef WAYBILL_PLATFORM_JSON_JSON_TREE_H
#define WAYBILL_PLATFORM_JSON_JSON_TREE_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <jansson.h>

/*
 * JSON text as jansson's tree, which the caller releases (json_decref). Strict: UTF-8 without NUL,
 * no member twice, nothing behind the value. Errors: INVALID_INPUT ("line 1 column 7: …"), LIMIT (a
 * tree that would take far more memory than its text), OUT_OF_MEMORY. Thread: any.
 */
__attribute__((warn_unused_result)) struct error json_tree_parse(struct text json, json_t **value);

#endif
