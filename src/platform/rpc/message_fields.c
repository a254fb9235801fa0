/* Plain copying. Nothing here can fail but for want of memory. */
#include "platform/rpc/message_fields.h"

#include <string.h>

void *message_create(struct arena *arena, const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = arena_allocate(arena, descriptor->sizeof_message);
    if (message != NULL)
        protobuf_c_message_init(descriptor, message);
    return message;
}

void *message_pointers(struct arena *arena, size_t count)
{
    return arena_allocate_zero(arena, count + 1, sizeof(void *));
}

bool message_put_text(struct arena *arena, char **field, struct text text)
{
    if (text.size == 0)
        *field = (char *)(uintptr_t)protobuf_c_empty_string;
    else
        *field = arena_copy_string(arena, text);
    return *field != NULL;
}

bool message_put_texts(struct arena *arena, char ***field, size_t *field_count,
                       const struct text *texts, size_t count)
{
    *field = message_pointers(arena, count);
    *field_count = count;
    if (*field == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!message_put_text(arena, &(*field)[i], texts[i]))
            return false;
    }
    return true;
}

Google__Protobuf__Timestamp *message_create_time(struct arena *arena, int64_t time_us)
{
    Google__Protobuf__Timestamp *message = arena_allocate(arena, sizeof *message);
    if (message != NULL)
        *message = message_of_time(time_us);
    return message;
}

bool message_put_time(struct arena *arena, Google__Protobuf__Timestamp **field, int64_t time_us)
{
    *field = NULL;
    if (time_us == 0)
        return true;
    *field = message_create_time(arena, time_us);
    return *field != NULL;
}

bool message_put_money(struct arena *arena, Waybill__Common__V1__Money **field,
                       const char *currency_code, int64_t amount_minor)
{
    *field = NULL;
    if (currency_code[0] == '\0')
        return true;
    *field = message_create(arena, &waybill__common__v1__money__descriptor);
    if (*field == NULL)
        return false;
    (*field)->amount_minor = amount_minor;
    return message_put_text(arena, &(*field)->currency_code, text_of(currency_code));
}

bool message_put_point(struct arena *arena, Waybill__Common__V1__GeoPoint **field,
                       int32_t latitude_e7, int32_t longitude_e7)
{
    *field = message_create(arena, &waybill__common__v1__geo_point__descriptor);
    if (*field == NULL)
        return false;
    (*field)->latitude_e7 = latitude_e7;
    (*field)->longitude_e7 = longitude_e7;
    return true;
}

Google__Protobuf__Timestamp message_of_time(int64_t time_us)
{
    Google__Protobuf__Timestamp message = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    message.seconds = time_us / 1000000;
    message.nanos = (int32_t)(time_us % 1000000) * 1000;
    if (message.nanos < 0) {
        message.seconds--;
        message.nanos += 1000000000;
    }
    return message;
}

int64_t message_time_us(const Google__Protobuf__Timestamp *message)
{
    static const int64_t seconds_max = INT64_C(253402300799); /* the end of the year 9999 */
    if (message == NULL)
        return 0;
    if (message->seconds < 0 || message->seconds > seconds_max || message->nanos < 0 ||
        message->nanos > 999999999)
        return -1;
    return message->seconds * 1000000 + message->nanos / 1000;
}

bool message_read_currency(const char *currency_code, char out[4])
{
    for (size_t i = 0; i < 3; i++) {
        if (currency_code[i] < 'A' || currency_code[i] > 'Z')
            return false;
    }
    if (currency_code[3] != '\0')
        return false;
    memcpy(out, currency_code, 4);
    return true;
}
