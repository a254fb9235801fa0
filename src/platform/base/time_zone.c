/*
 * TZif (RFC 8536): a list of instants at which the offset changes, and behind the last of them a
 * rule in the form of POSIX's TZ variable. Files of version 1 have no rule: the last offset stays.
 * Nothing in a file is trusted: what does not fit is DAMAGED.
 */
#include "platform/base/time_zone.h"

#include "platform/base/civil_date.h"
#include "platform/base/codec.h"
#include "platform/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { file_bytes_max = 256 * 1024, rule_bytes_max = 128, header_size = 44 };

/* The day of a year on which a rule changes the offset, and when on it. */
struct rule_day {
    enum { RULE_JULIAN, RULE_DAY, RULE_MONTH } kind;
    int64_t month;
    int64_t week;
    int64_t day;
    int64_t seconds; /* of local time, since midnight */
};

struct rule {
    bool exists;
    bool has_summer;
    int64_t standard_offset;
    int64_t summer_offset;
    struct rule_day begin;
    struct rule_day end;
};

struct transition {
    int64_t utc_seconds;
    int64_t offset;
};

struct time_zone {
    int64_t first_offset;
    struct rule rule;
    size_t transition_count;
    struct transition transitions[];
};

/* --- the rule behind the last transition --- */

struct rule_reader {
    const char *at;
    bool failed;
};

static bool skip_name(struct rule_reader *reader)
{
    const char *start = reader->at;
    if (*reader->at == '<') {
        while (*reader->at != '\0' && *reader->at != '>')
            reader->at++;
        reader->failed = reader->failed || *reader->at != '>';
        reader->at += *reader->at == '>';
    } else {
        while ((*reader->at >= 'A' && *reader->at <= 'Z') ||
               (*reader->at >= 'a' && *reader->at <= 'z'))
            reader->at++;
    }
    return reader->at > start;
}

static int64_t read_number(struct rule_reader *reader, int64_t maximum)
{
    int64_t value = 0;
    if (*reader->at < '0' || *reader->at > '9')
        reader->failed = true;
    while (*reader->at >= '0' && *reader->at <= '9' && value <= maximum)
        value = value * 10 + (*reader->at++ - '0');
    if (value > maximum)
        reader->failed = true;
    return value;
}

/* [+-]hh[:mm[:ss]] */
static int64_t read_time(struct rule_reader *reader)
{
    bool negative = *reader->at == '-';
    if (*reader->at == '-' || *reader->at == '+')
        reader->at++;
    int64_t seconds = read_number(reader, 167) * 3600;
    for (int64_t unit = 60; unit > 0 && *reader->at == ':'; unit /= 60) {
        reader->at++;
        seconds += read_number(reader, 59) * unit;
    }
    return negative ? -seconds : seconds;
}

static bool read_character(struct rule_reader *reader, char character)
{
    if (*reader->at != character)
        return false;
    reader->at++;
    return true;
}

static struct rule_day read_rule_day(struct rule_reader *reader)
{
    struct rule_day day = {.kind = RULE_DAY, .seconds = 7200};
    reader->failed = !read_character(reader, ',') || reader->failed;
    if (read_character(reader, 'M')) {
        day.kind = RULE_MONTH;
        day.month = read_number(reader, 12);
        reader->failed = !read_character(reader, '.') || reader->failed;
        day.week = read_number(reader, 5);
        reader->failed = !read_character(reader, '.') || reader->failed;
        day.day = read_number(reader, 6);
        reader->failed = reader->failed || day.month == 0 || day.week == 0;
    } else {
        if (read_character(reader, 'J'))
            day.kind = RULE_JULIAN;
        day.day = read_number(reader, 365);
    }
    if (read_character(reader, '/'))
        day.seconds = read_time(reader);
    return day;
}

/* std offset [dst [offset] , start , end] */
static bool read_rule(struct rule *rule, const char *text)
{
    struct rule_reader reader = {.at = text};
    if (text[0] == '\0')
        return true;
    reader.failed = !skip_name(&reader);
    rule->standard_offset = -read_time(&reader);
    rule->summer_offset = rule->standard_offset + 3600;
    if (*reader.at != '\0') {
        rule->has_summer = true;
        reader.failed = !skip_name(&reader) || reader.failed;
        if (*reader.at != ',' && *reader.at != '\0')
            rule->summer_offset = -read_time(&reader);
        rule->begin = read_rule_day(&reader);
        rule->end = read_rule_day(&reader);
    }
    rule->exists = true;
    return !reader.failed && *reader.at == '\0';
}

static int64_t first_day_of(int64_t year, int64_t month)
{
    return civil_date_to_day((struct civil_date){year, month, 1});
}

static int64_t first_day_of_year(int64_t year)
{
    return first_day_of(year, 1);
}

/* The rule's day in a year, in seconds of local time since 1970. */
static int64_t rule_seconds(const struct rule_day *day, int64_t year)
{
    int64_t number = first_day_of_year(year);
    if (day->kind == RULE_JULIAN) {
        bool is_leap_year = first_day_of_year(year + 1) - number == 366;
        number += day->day - 1 + (is_leap_year && day->day >= 60);
    } else if (day->kind == RULE_DAY) {
        number += day->day;
    } else {
        int64_t next =
            day->month == 12 ? first_day_of_year(year + 1) : first_day_of(year, day->month + 1);
        number = first_day_of(year, day->month);
        int64_t length = next - number;
        int64_t in_month = (day->day - civil_weekday(number) + 7) % 7 + (day->week - 1) * 7;
        while (in_month >= length)
            in_month -= 7;
        number += in_month;
    }
    return number * 86400 + day->seconds;
}

static int64_t rule_offset(const struct rule *rule, int64_t utc_seconds)
{
    if (!rule->has_summer)
        return rule->standard_offset;
    int64_t local = utc_seconds + rule->standard_offset;
    int64_t year = 1970 + local / 31556952; /* nearly; corrected below */
    while (first_day_of_year(year) * 86400 > local)
        year--;
    while (first_day_of_year(year + 1) * 86400 <= local)
        year++;
    int64_t begin = rule_seconds(&rule->begin, year) - rule->standard_offset;
    int64_t end = rule_seconds(&rule->end, year) - rule->summer_offset;
    bool summer = begin < end ? utc_seconds >= begin && utc_seconds < end
                              : utc_seconds >= begin || utc_seconds < end;
    return summer ? rule->summer_offset : rule->standard_offset;
}

/* --- the file --- */

struct counts {
    uint32_t is_utc, is_standard, leap, time, type, character;
};

static uint32_t read_big_uint32(struct byte_reader *reader)
{
    return __builtin_bswap32(read_uint32(reader));
}

static bool read_header(struct byte_reader *reader, uint8_t *version, struct counts *counts)
{
    char magic[4];
    char reserved[15];
    read_bytes(reader, magic, sizeof magic);
    *version = read_uint8(reader);
    read_bytes(reader, reserved, sizeof reserved);
    counts->is_utc = read_big_uint32(reader);
    counts->is_standard = read_big_uint32(reader);
    counts->leap = read_big_uint32(reader);
    counts->time = read_big_uint32(reader);
    counts->type = read_big_uint32(reader);
    counts->character = read_big_uint32(reader);
    return !reader->failed && memcmp(magic, "TZif", 4) == 0 && counts->time <= file_bytes_max &&
           counts->type >= 1 && counts->type <= 256 && counts->character <= file_bytes_max &&
           counts->leap <= file_bytes_max && counts->is_utc <= 256 && counts->is_standard <= 256;
}

static bool skip(struct byte_reader *reader, uint64_t size)
{
    if (reader->failed || size > (uint64_t)(reader->end - reader->at))
        return false;
    reader->at += size;
    return true;
}

static uint64_t size_behind_types(const struct counts *counts, uint64_t time_size)
{
    return counts->character + (uint64_t)counts->leap * (time_size + 4) + counts->is_standard +
           counts->is_utc;
}

/* The block with times of 8 or 4 bytes; gives NULL where it does not fit or without memory. */
static struct time_zone *read_block(struct byte_reader *reader, const struct counts *counts,
                                    uint64_t time_size)
{
    const char *times = reader->at;
    if (!skip(reader, counts->time * time_size))
        return NULL;
    const char *indexes = reader->at;
    if (!skip(reader, counts->time))
        return NULL;
    const char *types = reader->at;
    if (!skip(reader, counts->type * UINT64_C(6)) ||
        !skip(reader, size_behind_types(counts, time_size)))
        return NULL;
    struct time_zone *zone =
        memory_allocate_zero(1, sizeof *zone + counts->time * sizeof zone->transitions[0]);
    if (zone == NULL)
        return NULL;
    struct byte_reader time_reader = byte_reader_of(text_make(times, counts->time * time_size));
    for (size_t i = 0; i < counts->time; i++) {
        uint8_t index = (uint8_t)indexes[i];
        uint64_t time = time_size == 8 ? __builtin_bswap64(read_uint64(&time_reader))
                                       : (uint64_t)(int32_t)read_big_uint32(&time_reader);
        if (index >= counts->type) {
            memory_release(zone);
            return NULL;
        }
        struct byte_reader type = byte_reader_of(text_make(types + index * 6, 4));
        zone->transitions[i] = (struct transition){.utc_seconds = (int64_t)time,
                                                   .offset = (int32_t)read_big_uint32(&type)};
    }
    struct byte_reader first = byte_reader_of(text_make(types, 4));
    zone->first_offset = (int32_t)read_big_uint32(&first);
    zone->transition_count = counts->time;
    return zone;
}

static bool read_footer(struct byte_reader *reader, struct rule *rule)
{
    char text[rule_bytes_max];
    size_t size = 0;
    if (read_uint8(reader) != '\n')
        return false;
    for (;;) {
        uint8_t byte = read_uint8(reader);
        if (reader->failed || size + 1 >= sizeof text)
            return false;
        if (byte == '\n')
            break;
        text[size++] = (char)byte;
    }
    text[size] = '\0';
    return read_rule(rule, text);
}

static struct error read_zone(struct time_zone **zone, struct text bytes)
{
    struct byte_reader reader = byte_reader_of(bytes);
    struct counts counts;
    uint8_t version;
    *zone = NULL;
    bool fits = read_header(&reader, &version, &counts);
    if (fits && version >= '2') {
        fits = skip(&reader, counts.time * UINT64_C(5) + counts.type * UINT64_C(6) +
                                 size_behind_types(&counts, 4)) &&
               read_header(&reader, &version, &counts);
    }
    if (fits)
        *zone = read_block(&reader, &counts, version >= '2' ? 8 : 4);
    if (*zone != NULL && version >= '2' && !read_footer(&reader, &(*zone)->rule)) {
        time_zone_destroy(*zone);
        *zone = NULL;
    }
    return *zone == NULL ? error_make(ERROR_DAMAGED, "no time zone file (TZif)") : error_none();
}

/* Names lead nowhere but into the database. */
static bool is_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' ||
                        (c == '/' && i > 0 && name.data[i - 1] != '/');
        if (!is_letter && !(is_other && i > 0))
            return false;
    }
    return name.size > 0 && name.size <= 64 && name.data[name.size - 1] != '/';
}

static struct error read_file(struct text name, char *bytes, size_t *size)
{
    char path[512];
    const char *directory = getenv("TZDIR");
    snprintf(path, sizeof path, "%.400s/%.*s",
             directory == NULL || directory[0] == '\0' ? "/usr/share/zoneinfo" : directory,
             (int)name.size, name.data);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_from_errno(errno, "%s", path);
    *size = fread(bytes, 1, file_bytes_max, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    return failed ? error_make(ERROR_INPUT_OUTPUT, "%s", path) : error_none();
}

struct error time_zone_create(struct time_zone **zone, struct text name)
{
    size_t size = 0;
    *zone = NULL;
    if (name.size == 0) {
        *zone = memory_allocate_zero(1, sizeof **zone);
        return *zone == NULL ? error_make(ERROR_OUT_OF_MEMORY, "a time zone") : error_none();
    }
    if (!is_name(name))
        return error_make(ERROR_NOT_FOUND, "no name of a time zone");
    char *bytes = memory_allocate(file_bytes_max);
    if (bytes == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "a time zone's file");
    struct error error = read_file(name, bytes, &size);
    if (!error_is(error))
        error = error_prefix(read_zone(zone, text_make(bytes, size)), "time zone %.*s",
                             (int)name.size, name.data);
    memory_release(bytes);
    return error;
}

bool time_zone_is_known(struct text name)
{
    struct time_zone *zone;
    bool known = !error_is(time_zone_create(&zone, name));
    time_zone_destroy(zone);
    return known;
}

void time_zone_destroy(struct time_zone *zone)
{
    memory_release(zone);
}

int64_t time_zone_offset_seconds(const struct time_zone *zone, int64_t utc_seconds)
{
    size_t low = 0; /* transitions[0, low) are not after the instant */
    size_t high = zone->transition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->transitions[middle].utc_seconds <= utc_seconds)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->transition_count && zone->rule.exists)
        return rule_offset(&zone->rule, utc_seconds);
    return low == 0 ? zone->first_offset : zone->transitions[low - 1].offset;
}
