#ifndef WAYBILL_PLATFORM_RPC_MESSAGE_FIELDS_H
#define WAYBILL_PLATFORM_RPC_MESSAGE_FIELDS_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include "google/protobuf/timestamp.pb-c.h"
#include "waybill/common/v1/common.pb-c.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages filled on an arena, and the values of messages read. What is made keeps nothing of what
 * it was made from. NULL or false: no memory, and the message is of no use. Thread: the arena's
 * owner.
 */

/* A message of that type with all fields absent. */
void *message_create(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);

/* Room for `count` pointers to messages or texts, all NULL. */
void *message_pointers(struct arena *arena, size_t count);

/* protobuf-c wants a NUL behind each text, so it is copied. The text holds none. What is put is
 * never written to. */
bool message_put_text(struct arena *arena, char **field, struct text text);
bool message_put_texts(struct arena *arena, char ***field, size_t *field_count,
                       const struct text *texts, size_t count);

/* The instant, whatever it is. */
Google__Protobuf__Timestamp *message_create_time(struct arena *arena, int64_t time_us);

/* Absent where the time is 0. Microseconds since 1970 UTC, also before. */
bool message_put_time(struct arena *arena, Google__Protobuf__Timestamp **field, int64_t time_us);

/* Absent where there is no currency (""), else its three letters. */
bool message_put_money(struct arena *arena, Waybill__Common__V1__Money **field,
                       const char *currency_code, int64_t amount_minor);

bool message_put_point(struct arena *arena, Waybill__Common__V1__GeoPoint **field,
                       int32_t latitude_e7, int32_t longitude_e7);

/* The instant as a message by value; nanos count forwards also before 1970. */
Google__Protobuf__Timestamp message_of_time(int64_t time_us);

/* 0 where it is absent; −1 for none between 1970 and the end of the year 9999, or with nanos that
 * are none. Microseconds, rounded down. */
int64_t message_time_us(const Google__Protobuf__Timestamp *message);

/* Three capital letters (ISO 4217) and a NUL; false for a code that is none, and `out` is left. */
bool message_read_currency(const char *currency_code, char out[4]);

#endif
