/* Checks, and the bytes of a subscription's notes. */
#include "tracking/application/tracking_subscription.h"

#include "platform/base/codec.h"

#include <stdio.h>
#include <string.h>

const char *const subscription_type_names[subscription_type_count] = {
    "TrackingUpdated",
    "ShipmentDelivered",
    "TrackingSilent",
};

static bool is_id(struct text id)
{
    return id.size > 0 && id.size <= tracking_id_bytes_max && text_is_identifier(id);
}

/* What stands before the port, brackets included. */
static struct text host_of(struct text authority)
{
    size_t size = 0;
    bool in_brackets = authority.size > 0 && authority.data[0] == '[';
    while (size < authority.size && authority.data[size] != (in_brackets ? ']' : ':'))
        size++;
    return text_make(authority.data, size + (in_brackets && size < authority.size));
}

/* A name, or an address in brackets. */
static bool is_host(struct text host)
{
    size_t skip = host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']';
    for (size_t i = skip; i < host.size - skip; i++) {
        char c = host.data[i];
        bool is_common =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.';
        if (!is_common && (skip > 0 ? c != ':' : c != '-' && c != '_'))
            return false;
    }
    return host.size > 0;
}

/* ":443" */
static bool is_port(struct text text)
{
    uint32_t port = 0;
    for (size_t i = 1; i < text.size && port <= UINT16_MAX; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        port = port * 10 + (uint32_t)(text.data[i] - '0');
    }
    return text.size > 0 && text.data[0] == ':' && port >= 1 && port <= UINT16_MAX;
}

/* https, or http to this machine: what is sent is the merchant's business alone. */
static bool is_url(struct text url)
{
    bool is_secure = text_starts_with(url, text_of("https://"));
    size_t start = strlen(is_secure ? "https://" : "http://");
    size_t end = start;
    if ((!is_secure && !text_starts_with(url, text_of("http://"))) ||
        url.size > subscription_url_bytes_max)
        return false;
    for (size_t i = 0; i < url.size; i++) {
        if (url.data[i] <= ' ' || url.data[i] >= 0x7F || url.data[i] == '@')
            return false;
    }
    while (end < url.size && strchr("/?#", url.data[end]) == NULL)
        end++;
    struct text authority = text_make(url.data + start, end - start);
    struct text host = host_of(authority);
    struct text port = text_make(host.data + host.size, authority.size - host.size);
    bool is_own = text_equals_string(host, "127.0.0.1") || text_equals_string(host, "localhost") ||
                  text_equals_string(host, "[::1]");
    return is_host(host) && (port.size == 0 ? is_secure : is_port(port) && (is_secure || is_own));
}

void tracking_subscription_check(const struct tracking_subscription *subscription,
                                 struct violations *violations)
{
    if (!is_id(subscription->subscription_id))
        violations_add(violations, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -",
                       "subscription.subscription_id");
    if (!is_url(subscription->url))
        violations_add(violations,
                       "must be an https URL without credentials of at most 512 bytes, or http to "
                       "this machine with its port",
                       "subscription.url");
    if (subscription->secret.size < subscription_secret_bytes_min ||
        subscription->secret.size > subscription_secret_bytes_max)
        violations_add(violations, "must be 16 to 64 bytes", "subscription.secret");
    if (subscription->replay_from_us < 0)
        violations_add(violations, "must be a time from 1970 to 9999", "subscription.replay_from");
}

bool subscription_type_find(struct text name, uint32_t *bit)
{
    for (uint32_t i = 0; i < subscription_type_count; i++) {
        if (text_equals_string(name, subscription_type_names[i])) {
            *bit = UINT32_C(1) << i;
            return true;
        }
    }
    return false;
}

struct text tracking_subscription_encode(struct arena *arena,
                                         const struct tracking_subscription *subscription)
{
    char *bytes = arena_allocate(arena, subscription_value_bytes_max);
    if (bytes == NULL)
        return (struct text){0};
    struct byte_writer writer = {.at = bytes};
    write_uint8(&writer, 1);
    write_text(&writer, subscription->url);
    write_text(&writer, subscription->secret);
    write_uint32(&writer, subscription->types);
    write_varint(&writer, (uint64_t)subscription->create_time_us);
    write_varint(&writer, (uint64_t)subscription->replay_from_us);
    write_varint(&writer, subscription->start_position);
    return text_make(bytes, (size_t)(writer.at - bytes));
}

bool tracking_subscription_decode(struct text value, struct tracking_subscription *subscription)
{
    struct byte_reader reader = byte_reader_of(value);
    *subscription = (struct tracking_subscription){0};
    reader.failed |= read_uint8(&reader) != 1;
    subscription->url = read_text(&reader);
    subscription->secret = read_text(&reader);
    subscription->types = read_uint32(&reader);
    subscription->create_time_us = read_quantity(&reader);
    subscription->replay_from_us = read_quantity(&reader);
    subscription->start_position = read_varint(&reader);
    return !reader.failed && reader.at == reader.end;
}

bool tracking_subscription_same(const struct tracking_subscription *a,
                                const struct tracking_subscription *b)
{
    return text_equal(a->url, b->url) && text_equal(a->secret, b->secret) && a->types == b->types &&
           a->replay_from_us == b->replay_from_us;
}

/* --- beside a subscription --- */

struct text delivery_place_encode(const struct delivery_place *place,
                                  char bytes[delivery_place_bytes_max])
{
    struct byte_writer writer = {.at = bytes};
    write_varint(&writer, (uint64_t)place->create_time_us);
    write_varint(&writer, place->position);
    return text_make(bytes, (size_t)(writer.at - bytes));
}

bool delivery_place_decode(struct text value, struct delivery_place *place)
{
    struct byte_reader reader = byte_reader_of(value);
    place->create_time_us = read_quantity(&reader);
    place->position = read_varint(&reader);
    return !reader.failed && reader.at == reader.end;
}

static struct text cut(struct text text, size_t bytes_max)
{
    return text.size <= bytes_max ? text : text_make(text.data, bytes_max);
}

struct text dead_letter_encode(const struct dead_letter *letter, char bytes[dead_letter_bytes_max])
{
    struct byte_writer writer = {.at = bytes};
    write_varint(&writer, (uint64_t)letter->create_time_us);
    write_varint(&writer, (uint64_t)letter->time_us);
    write_text(&writer, cut(letter->event_id, dead_letter_event_id_bytes_max));
    write_text(&writer, cut(letter->reason, dead_letter_reason_bytes_max));
    return text_make(bytes, (size_t)(writer.at - bytes));
}

bool dead_letter_decode(struct text value, struct dead_letter *letter)
{
    struct byte_reader reader = byte_reader_of(value);
    letter->create_time_us = read_quantity(&reader);
    letter->time_us = read_quantity(&reader);
    letter->event_id = read_text(&reader);
    letter->reason = read_text(&reader);
    return !reader.failed && reader.at == reader.end;
}

enum { sequence_digits = 16 };

void dead_letter_write_name(const char *prefix, const char *subscription_id, uint64_t sequence,
                            char name[tracking_note_name_bytes_max])
{
    snprintf(name, tracking_note_name_bytes_max, "%s%.*s/%0*llx", prefix, tracking_id_bytes_max,
             subscription_id, sequence_digits, (unsigned long long)sequence);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool dead_letter_read_name(struct text name, const char *prefix, struct text *subscription_id,
                           uint64_t *sequence)
{
    size_t start = strlen(prefix);
    if (!text_starts_with(name, text_of(prefix)) || name.size < start + 2 + sequence_digits ||
        name.data[name.size - sequence_digits - 1] != '/')
        return false;
    *subscription_id = text_make(name.data + start, name.size - start - sequence_digits - 1);
    *sequence = 0;
    for (size_t i = name.size - sequence_digits; i < name.size; i++) {
        int digit = digit_of(name.data[i]);
        if (digit < 0)
            return false;
        *sequence = *sequence << 4 | (uint64_t)digit;
    }
    return true;
}
