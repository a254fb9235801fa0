/*
 * A card is in the form of a configuration file. Each setting is a row of a table: in which section
 * it stands, what kind of value it takes, where that goes, whether it must be there. A number with
 * more digits than can be kept exactly is refused, not rounded. The first fault ends the reading.
 */
#include "shipping/infrastructure/tariff/tariff_reader.h"

#include "platform/base/configuration_file.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/tariff/tariff_day.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum section {
    SECTION_NONE,
    SECTION_CARD,
    SECTION_FUEL,
    SECTION_REMOTE,
    SECTION_SERVICE,
    SECTION_ZONE
};

enum kind {
    KIND_TEXT,
    KIND_DATE,
    KIND_CURRENCY,
    KIND_YES_NO,
    KIND_COUNTRIES,
    KIND_INTEGER,
    KIND_AMOUNT,     /* in minor units of the card's currency */
    KIND_PERCENT,    /* in hundredths */
    KIND_KILOMETRES, /* in metres */
    KIND_RATE,       /* a price a kilogram: the zone's next step */
};

struct setting {
    enum section section;
    const char *name;
    enum kind kind;
    bool needed;
    size_t offset;
    int64_t least;
    int64_t most;
};

static const int64_t amount_most = INT64_C(100000000000);
static const int64_t grams_most = INT64_C(1000000000);
enum { mm_most = 100000 };

#define CARD(name, kind, member)                                                                   \
    {                                                                                              \
        SECTION_CARD, name, kind, true, offsetof(struct tariff_card, member), 0, 0                 \
    }
#define SERVICE(name, kind, member, least, most)                                                   \
    {                                                                                              \
        SECTION_SERVICE, name, kind, false, offsetof(struct tariff_service, member), least, most   \
    }
#define SURCHARGE(name, kind, member, least, most)                                                 \
    SERVICE(name, kind, surcharges.member, least, most)
#define ZONE(name, kind, needed, member, least, most)                                              \
    {                                                                                              \
        SECTION_ZONE, name, kind, needed, offsetof(struct tariff_zone, member), least, most        \
    }

static const struct setting settings[] = {
    CARD("name", KIND_TEXT, name),
    CARD("valid_from", KIND_DATE, valid_from_day),
    CARD("currency", KIND_CURRENCY, currency_code),
    SERVICE("title", KIND_TEXT, title, 0, 0),
    SERVICE("withdrawn", KIND_YES_NO, withdrawn, 0, 0),
    SERVICE("by_consignment", KIND_YES_NO, by_consignment, 0, 0),
    SERVICE("fuel", KIND_YES_NO, fuel, 0, 0),
    SERVICE("parcel_grams_max", KIND_INTEGER, parcel_grams_max, 1, grams_most),
    SERVICE("parcels_max", KIND_INTEGER, parcels_max, 1, shipping_parcels_max),
    SERVICE("length_mm_max", KIND_INTEGER, length_mm_max, 1, mm_most),
    SERVICE("girth_mm_max", KIND_INTEGER, girth_mm_max, 1, 5 * mm_most),
    SERVICE("beyond_parcel_grams", KIND_INTEGER, beyond_parcel_grams, 1, grams_most),
    SERVICE("beyond_consignment_grams", KIND_INTEGER, beyond_consignment_grams, 1,
            shipping_parcels_max *grams_most),
    SERVICE("beyond_length_mm", KIND_INTEGER, beyond_length_mm, 1, mm_most),
    SERVICE("divisor", KIND_INTEGER, divisor, 100, 100000),
    SERVICE("step_grams", KIND_INTEGER, step_grams, 1, 1000000),
    SURCHARGE("signature", KIND_AMOUNT, signature_minor, 0, amount_most),
    SURCHARGE("saturday", KIND_AMOUNT, saturday_minor, 0, amount_most),
    SURCHARGE("residential", KIND_AMOUNT, residential_minor, 0, amount_most),
    SURCHARGE("remote", KIND_AMOUNT, remote_minor, 0, amount_most),
    SURCHARGE("oversize", KIND_AMOUNT, oversize_minor, 0, amount_most),
    SURCHARGE("oversize_mm", KIND_INTEGER, oversize_mm, 1, mm_most),
    SURCHARGE("insurance_percent", KIND_PERCENT, insurance_percent_hundredth, 0, 10000),
    SURCHARGE("insurance_minimum", KIND_AMOUNT, insurance_minimum_minor, 0, amount_most),
    ZONE("same_country", KIND_YES_NO, false, same_country, 0, 0),
    ZONE("from_countries", KIND_COUNTRIES, false, from_countries, 0, 0),
    ZONE("to_countries", KIND_COUNTRIES, false, to_countries, 0, 0),
    ZONE("distance_kilometres_max", KIND_KILOMETRES, false, distance_metres_max, 1, 20100),
    ZONE("base", KIND_AMOUNT, true, base_minor, 0, amount_most),
    ZONE("minimum", KIND_AMOUNT, false, minimum_minor, 0, amount_most),
    ZONE("per_kilogram", KIND_RATE, true, steps, 0, 0),
    ZONE("transit_days", KIND_INTEGER, true, transit_days, 0, 365),
};

enum { settings_count = sizeof settings / sizeof settings[0] };

struct reader {
    const struct tariff_file *file;
    struct tariff_reading *reading;
    struct arena *arena;
    struct error error;
    enum section section;
    struct text section_text; /* as it stands in the file: where it stands tells two apart */
    unsigned long section_line;
    bool seen[settings_count];
    struct tariff_service *service;
    struct tariff_zone *zone;
    struct tariff_fuel_week *fuel;
    struct tariff_remote *remote;
    size_t list_max;
};

__attribute__((format(printf, 3, 4))) static void fail(struct reader *reader, unsigned long line,
                                                       const char *format, ...)
{
    char what[200];
    va_list arguments;
    if (error_is(reader->error))
        return;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    reader->error = error_make(ERROR_INVALID_SETTING, "%s:%lu: %s", reader->file->name, line, what);
}

static void fail_memory(struct reader *reader)
{
    if (!error_is(reader->error))
        reader->error = error_make(ERROR_OUT_OF_MEMORY, "reading %s", reader->file->name);
}

static void *take(struct reader *reader, size_t count, size_t size)
{
    void *piece = arena_allocate_zero(reader->arena, count, size);
    if (piece == NULL)
        fail_memory(reader);
    return piece;
}

/* ------------------------------------------------------------------------------------- values */

/* As an integer of 10^-digits; false: no decimal, negative, more digits, or beyond `most`. */
static bool exact(struct text text, int digits, int64_t least, int64_t most, int64_t *value)
{
    size_t point = 0, zeros;
    while (point < text.size && text.data[point] != '.')
        point++;
    zeros = point < text.size ? text.size - point - 1 : 0;
    return zeros <= (size_t)digits && text.size > 0 && text.data[0] != '-' &&
           decimal_to_integer(text, digits, value) && *value >= least && *value <= most;
}

static int currency_digits(const struct reader *reader)
{
    return currency_minor_digits(reader->reading->card->currency_code);
}

static bool is_capitals(struct text text, size_t size)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return false;
    }
    return text.size == size;
}

/* Words of `list`, one after the other; the empty text at the end. */
static struct text next_word(struct text *list)
{
    *list = text_trim(*list);
    if (list->size == 0)
        return *list;
    size_t size = 0;
    while (size < list->size && list->data[size] != ' ' && list->data[size] != '\t')
        size++;
    struct text word = text_make(list->data, size);
    *list = text_make(list->data + size, list->size - size);
    return word;
}

static bool are_countries(struct text list)
{
    if (list.size == 0)
        return false;
    while (list.size > 0) {
        if (!is_capitals(next_word(&list), 2))
            return false;
    }
    return true;
}

static bool read_yes_no(struct text value, bool *out)
{
    *out = text_equals_string(value, "yes");
    return *out || text_equals_string(value, "no");
}

/* The further steps of a zone: "per_kilogram above 500". */
static void read_rate(struct reader *reader, const struct configuration_file_line *line,
                      int64_t above_kilograms)
{
    struct tariff_zone *zone = reader->zone;
    struct tariff_step step = {.above_grams = above_kilograms * 1000};
    if (!exact(line->value, currency_digits(reader) + 6, 0, amount_most * 1000000,
               &step.per_kilogram_millionth)) {
        fail(reader, line->number, "a price with at most 6 digits beyond the currency's is needed");
        return;
    }
    if (zone->step_count == tariff_steps_max) {
        fail(reader, line->number, "a zone has at most %d steps", tariff_steps_max);
        return;
    }
    if (zone->step_count > 0 && zone->steps[zone->step_count - 1].above_grams >= step.above_grams) {
        fail(reader, line->number, "steps must ascend");
        return;
    }
    if ((zone->step_count == 0) != (above_kilograms == 0)) {
        fail(reader, line->number, "per_kilogram comes before its steps, once");
        return;
    }
    zone->steps[zone->step_count++] = step;
}

/* NULL, or what was expected. */
static const char *put_value(struct reader *reader, const struct setting *setting, void *owner,
                             const struct configuration_file_line *line)
{
    void *to = (char *)owner + setting->offset;
    struct text value = line->value;
    int64_t *number = to;
    switch (setting->kind) {
    case KIND_TEXT:
        *(struct text *)to = value;
        return value.size > 0 && value.size <= 128 && !text_has_control(value)
                   ? NULL
                   : "a text of 1 to 128 bytes is needed";
    case KIND_DATE:
        return tariff_day_of(value, number) ? NULL : "a date is needed: YYYY-MM-DD";
    case KIND_CURRENCY:
        if (!is_capitals(value, 3))
            return "a currency is needed: three capitals";
        memcpy(to, value.data, 3);
        return NULL;
    case KIND_YES_NO:
        return read_yes_no(value, to) ? NULL : "yes or no is needed";
    case KIND_COUNTRIES:
        *(struct text *)to = value;
        return are_countries(value) ? NULL : "countries are needed: two capitals each";
    case KIND_INTEGER:
        return exact(value, 0, setting->least, setting->most, number) ? NULL : "out of range";
    case KIND_AMOUNT:
        return exact(value, currency_digits(reader), setting->least, setting->most, number)
                   ? NULL
                   : "an amount of the card's currency is needed";
    case KIND_PERCENT:
        return exact(value, 2, setting->least, setting->most, number)
                   ? NULL
                   : "a percentage with at most two digits behind the point is needed";
    case KIND_KILOMETRES:
        if (!exact(value, 0, setting->least, setting->most, number))
            return "out of range";
        *number *= 1000;
        return NULL;
    case KIND_RATE:
        read_rate(reader, line, 0);
        return NULL;
    }
    return NULL;
}

static void *owner_of(const struct reader *reader)
{
    if (reader->section == SECTION_CARD)
        return reader->reading->card;
    return reader->section == SECTION_SERVICE ? (void *)reader->service : (void *)reader->zone;
}

static void read_setting(struct reader *reader, const struct configuration_file_line *line)
{
    struct text steps = text_of("per_kilogram above ");
    int64_t above;
    if (reader->section == SECTION_ZONE && text_starts_with(line->name, steps)) {
        struct text rest = text_make(line->name.data + steps.size, line->name.size - steps.size);
        if (exact(text_trim(rest), 0, 1, grams_most / 1000 * shipping_parcels_max, &above))
            read_rate(reader, line, above);
        else
            fail(reader, line->number, "whole kilograms are needed: per_kilogram above 500");
        return;
    }
    for (size_t i = 0; i < settings_count; i++) {
        if (settings[i].section != reader->section ||
            !text_equals_string(line->name, settings[i].name))
            continue;
        if (reader->seen[i]) {
            fail(reader, line->number, "%s is set twice", settings[i].name);
            return;
        }
        reader->seen[i] = true;
        const char *why = put_value(reader, &settings[i], owner_of(reader), line);
        if (why != NULL)
            fail(reader, line->number, "%s: %s", settings[i].name, why);
        return;
    }
    fail(reader, line->number, "no such setting: %.*s",
         (int)(line->name.size < 64 ? line->name.size : 64), line->name.data);
}

/* -------------------------------------------------------------------------------------- lists */

static void read_fuel(struct reader *reader, const struct configuration_file_line *line)
{
    struct tariff_card *card = reader->reading->card;
    struct tariff_fuel_week week = {0};
    if (!tariff_day_of(line->name, &week.day) || civil_weekday(week.day) != 1) {
        fail(reader, line->number, "a Monday is needed: YYYY-MM-DD = percent");
    } else if (!exact(line->value, 2, 0, 100000, &week.percent_hundredth)) {
        fail(reader, line->number,
             "a percentage with at most two digits behind the point is needed");
    } else if (card->fuel_count > 0 && reader->fuel[card->fuel_count - 1].day >= week.day) {
        fail(reader, line->number, "weeks must ascend");
    } else if (card->fuel_count == reader->list_max) {
        fail(reader, line->number, "more than %d weeks", tariff_fuel_weeks_max);
    } else {
        reader->fuel[card->fuel_count++] = week;
    }
}

static void read_remote(struct reader *reader, const struct configuration_file_line *line)
{
    struct tariff_card *card = reader->reading->card;
    if (!is_capitals(line->name, 2) || line->value.size == 0)
        fail(reader, line->number, "a country and beginnings of postal codes are needed");
    else if (card->remote_count == reader->list_max)
        fail(reader, line->number, "too many countries");
    else
        reader->remote[card->remote_count++] =
            (struct tariff_remote){.country_code = line->name, .prefixes = line->value};
}

/* ----------------------------------------------------------------------------------- sections */

/* What must be said was said. */
static void end_section(struct reader *reader)
{
    for (size_t i = 0; i < settings_count; i++) {
        if (settings[i].section == reader->section && settings[i].needed && !reader->seen[i])
            fail(reader, reader->section_line, "[%.*s] lacks %s", (int)reader->section_text.size,
                 reader->section_text.data, settings[i].name);
    }
    memset(reader->seen, 0, sizeof reader->seen);
}

static bool is_code(struct text code)
{
    for (size_t i = 0; i < code.size; i++) {
        char c = code.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return code.size > 0 && code.size <= tariff_code_bytes_max;
}

static struct tariff_service *find_service(const struct reader *reader, struct text code)
{
    for (size_t i = 0; i < reader->reading->service_count; i++) {
        if (text_equal(reader->reading->services[i]->code, code))
            return reader->reading->services[i];
    }
    return NULL;
}

static void begin_service(struct reader *reader, struct text code, unsigned long line)
{
    struct tariff_reading *reading = reader->reading;
    if (!is_code(code) || find_service(reader, code) != NULL) {
        fail(reader, line, "[service CODE] needs a code of its own: at most %d of A-Z, 0-9, _, -",
             tariff_code_bytes_max);
        return;
    }
    if (reading->service_count == tariff_services_max) {
        fail(reader, line, "more than %d services", tariff_services_max);
        return;
    }
    struct tariff_service *service = take(reader, 1, sizeof *service);
    struct tariff_zone *zones = take(reader, tariff_zones_max, sizeof *zones);
    if (service == NULL || zones == NULL)
        return;
    *service = (struct tariff_service){
        .code = code,
        .title = code,
        .card = reading->card,
        .parcel_grams_max = grams_most,
        .parcels_max = shipping_parcels_max,
        .step_grams = 1,
        .surcharges = {-1, -1, -1, -1, -1, 0, -1, 0},
        .zones = zones,
    };
    reading->lines[reading->service_count] = line;
    reading->services[reading->service_count++] = service;
    reader->service = service;
}

static void begin_zone(struct reader *reader, struct text rest, unsigned long line)
{
    struct text code = next_word(&rest);
    struct tariff_service *service = find_service(reader, code);
    rest = text_trim(rest);
    if (service == NULL || rest.size == 0 || rest.size > 64) {
        fail(reader, line, "[zone CODE NAME] needs a service that stands before it, and a name");
        return;
    }
    if (service->zone_count == tariff_zones_max) {
        fail(reader, line, "more than %d zones of a service", tariff_zones_max);
        return;
    }
    /* They are this reader's own, const for everybody else. */
    reader->zone = (struct tariff_zone *)&service->zones[service->zone_count++];
    reader->zone->name = rest;
}

static void begin_list(struct reader *reader, unsigned long line)
{
    struct tariff_card *card = reader->reading->card;
    bool is_fuel = reader->section == SECTION_FUEL;
    if (is_fuel ? card->fuel != NULL : card->remote != NULL)
        fail(reader, line, "the section is there twice");
    else if (is_fuel)
        card->fuel = reader->fuel = take(reader, reader->list_max, sizeof *reader->fuel);
    else
        card->remote = reader->remote = take(reader, reader->list_max, sizeof *reader->remote);
}

static void begin_section(struct reader *reader, const struct configuration_file_line *line)
{
    struct text rest = line->section, word = next_word(&rest);
    bool first = reader->section == SECTION_NONE;
    if (!first)
        end_section(reader);
    reader->section_text = line->section;
    reader->section_line = line->number;
    bool is_card = text_equals_string(word, "card");
    if (is_card != first || (is_card && text_trim(rest).size > 0)) {
        fail(reader, line->number, "[card] comes first, and once");
    } else if (is_card) {
        reader->section = SECTION_CARD;
    } else if (text_equals_string(line->section, "fuel")) {
        reader->section = SECTION_FUEL;
        begin_list(reader, line->number);
    } else if (text_equals_string(line->section, "remote")) {
        reader->section = SECTION_REMOTE;
        begin_list(reader, line->number);
    } else if (text_equals_string(word, "service")) {
        reader->section = SECTION_SERVICE;
        begin_service(reader, text_trim(rest), line->number);
    } else if (text_equals_string(word, "zone")) {
        reader->section = SECTION_ZONE;
        begin_zone(reader, rest, line->number);
    } else {
        fail(reader, line->number, "no such section");
    }
}

static void on_setting(void *context, const struct configuration_file_line *line)
{
    struct reader *reader = context;
    bool begins =
        reader->section == SECTION_NONE || line->section.data != reader->section_text.data;
    if (!error_is(reader->error) && begins)
        begin_section(reader, line);
    if (error_is(reader->error))
        return;
    if (reader->section == SECTION_FUEL)
        read_fuel(reader, line);
    else if (reader->section == SECTION_REMOTE)
        read_remote(reader, line);
    else
        read_setting(reader, line);
}

static void on_misformed(void *context, const struct configuration_file_line *line)
{
    fail(context, line->number, "neither a section nor a setting nor a comment");
}

/* What one line alone cannot show. */
static void check_whole(struct reader *reader)
{
    const struct tariff_reading *reading = reader->reading;
    const struct tariff_card *card = reading->card;
    if (reader->section == SECTION_NONE)
        fail(reader, 1, "there is no [card]");
    else
        end_section(reader);
    for (size_t i = 0; i < reading->service_count; i++) {
        const struct tariff_service *service = reading->services[i];
        const struct tariff_surcharges *more = &service->surcharges;
        if (service->withdrawn ? service->zone_count > 0 : service->zone_count == 0)
            fail(reader, reading->lines[i],
                 service->withdrawn ? "withdrawn, but it has zones" : "the service has no zone");
        if ((more->oversize_minor >= 0) != (more->oversize_mm > 0))
            fail(reader, reading->lines[i], "oversize and oversize_mm go together");
        if (service->fuel && (card->fuel_count == 0 || card->fuel[0].day > card->valid_from_day))
            fail(reader, reading->lines[i],
                 "[fuel] must begin on a Monday not after the card's first day");
    }
}

struct error tariff_read(const struct tariff_file *file, struct arena *arena,
                         struct tariff_reading *reading)
{
    struct reader reader = {.file = file, .reading = reading, .arena = arena, .list_max = 1};
    const struct configuration_file_reader sink = {
        .setting = on_setting, .misformed = on_misformed, .context = &reader};
    *reading = (struct tariff_reading){0};
    if (file->text.size > tariff_file_bytes_max || !text_is_utf8(file->text) ||
        (file->text.size > 0 && memchr(file->text.data, '\0', file->text.size) != NULL))
        return error_make(ERROR_INVALID_SETTING, "%s: is not UTF-8 of at most %d bytes", file->name,
                          tariff_file_bytes_max);
    struct text text = arena_copy_text(arena, file->text);
    reading->card = take(&reader, 1, sizeof *reading->card);
    if (text.data == NULL || reading->card == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading %s", file->name);
    for (size_t i = 0; i < text.size && reader.list_max < tariff_fuel_weeks_max; i++)
        reader.list_max += text.data[i] == '\n';
    configuration_file_read(text, &sink);
    check_whole(&reader);
    return reader.error;
}
