/* Money, addresses, instants. */
#include "warehouse/interfaces/rpc/common_readings.h"

#include "platform/rpc/message_fields.h"

struct money reading_money(struct rpc_reading *reading, const Waybill__Common__V1__Money *message,
                           const char *path)
{
    struct money money = {0};
    if (message == NULL)
        return money;
    if (!message_read_currency(message->currency_code, money.currency))
        violations_add(reading->violations, "must be three capital letters (ISO 4217)",
                       "%s.currency_code", path);
    money.amount_minor = message->amount_minor;
    return money;
}

struct address reading_address(struct rpc_reading *reading,
                               const Waybill__Common__V1__Address *message)
{
    struct address address = {0};
    if (message == NULL)
        return address;
    address.name = text_of(message->name);
    address.company = text_of(message->company);
    address.phone = text_of(message->phone);
    address.email = text_of(message->email);
    address.lines = reading_texts(reading, message->lines, message->n_lines);
    address.line_count = message->n_lines;
    address.city = text_of(message->city);
    address.region = text_of(message->region);
    address.postal_code = text_of(message->postal_code);
    address.country_code = text_of(message->country_code);
    if (message->point != NULL) {
        address.has_point = true;
        address.point.latitude_e7 = message->point->latitude_e7;
        address.point.longitude_e7 = message->point->longitude_e7;
    }
    return address;
}

int64_t reading_time(struct rpc_reading *reading, const Google__Protobuf__Timestamp *message,
                     const char *path)
{
    int64_t time_us = message_time_us(message);
    if (message == NULL || time_us > 0)
        return time_us;
    violations_add(reading->violations, "must be an instant after 1970 and before 10000", "%s",
                   path);
    return 0;
}
