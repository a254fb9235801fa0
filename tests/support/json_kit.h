#ifndef WAYBILL_TESTS_SUPPORT_JSON_KIT_H
#define WAYBILL_TESTS_SUPPORT_JSON_KIT_H

#include "platform/base/error.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON read as json_kinds.Kinds, which has every kind of field, and what became of it. The type is
 * also registered for Any. A cmocka test: what differs from what was expected fails it.
 */

/* Registers the type; call it first. */
void json_kit_prepare(void);

/*
 * Reads, writes, and reads and writes again what was written and what was packed into protobuf's
 * bytes and unpacked: every time exactly `expected` must come out.
 */
void json_kit_expect(const char *json, const char *expected);

/* The same for JSON that is written as it was read. */
void json_kit_expect_same(const char *json);

/* Reading must give INVALID_INPUT with exactly that detail. */
void json_kit_refuse(const char *json, const char *detail);

/* Writing the message must give INVALID_INPUT with that detail. */
void json_kit_refuse_writing(const ProtobufCMessage *message, const char *detail);

#endif
