#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_JSON_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_CARRIER_JSON_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "shipping/domain/carrier.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reading what carriers send: every member may be missing, null, a number instead of a string, one
 * object instead of an array, or an array instead of one object. None of that is an error here; an
 * absent thing is NULL, an empty text, or a count of 0. Thread: any.
 */

/* Members by a path ("a.b.c"); an array on the way stands for its first element. NULL = absent. */
json_t *json_member(json_t *value, const char *path);

/* Elements of the value at the path: an array's, or the one thing itself; 0 for absent and null. */
size_t json_count(json_t *value, const char *path);
json_t *json_element(json_t *value, const char *path, size_t index);

/*
 * A string, or a number as a string, without outer spaces; else empty. Lives in the arena (where
 * the tree is). A real number gets at most six digits behind the point.
 */
struct text json_words(struct arena *arena, json_t *value, const char *path);

/* An amount (string or number) at one path, its currency at another. */
bool json_money(struct arena *arena, json_t *value, const char *amount_path, json_t *currency_of,
                const char *currency_path, struct shipping_money *money);

/* Base64 at the path, decoded in the arena. False: absent, no Base64, or no memory. */
bool json_bytes(struct arena *arena, json_t *value, const char *path, struct text *bytes);

/*
 * A label in Base64 at the path. Its bytes say its format: %PDF, PNG, ^XA; a GIF becomes a PNG; of
 * what they do not tell, the name in `said` decides (PDF, PNG, ZPL, ZPLII, in any letters). False:
 * absent, or of no format of ours (EPL, SPL).
 */
bool json_label(struct arena *arena, json_t *value, const char *path, struct text said,
                struct carrier_label *label);

/*
 * The shipment's warnings: the words at `words_path` within each element at the path. None without
 * memory.
 */
void json_warnings(struct arena *arena, json_t *value, const char *path, const char *words_path,
                   struct carrier_shipment *shipment);

#endif
