/*
 * Three small tables, read whole with the CSV reader, each record checked; then the data set's
 * names are looked up. The first error ends the reading; everything read is then released.
 */
#include "main/replay/data/replay_places.h"

#include "main/replay/data/csv_reader.h"
#include "main/replay/data/data_set_field.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { table_bytes_max = 1 << 20, path_bytes_max = 4096 };
static const size_t places_arena_bytes_max = (size_t)1 << 24;
static const char centre_site[] = "From RDC";

/* One table at a time. */
struct table_reader {
    struct replay_places *places;
    const char *path;
    const char *const *columns;
};

static struct error error_at(const struct table_reader *reader, uint64_t line, size_t column,
                             const char *problem)
{
    return error_make(ERROR_INVALID_INPUT, "%s:%llu: %s: %s", reader->path,
                      (unsigned long long)line, reader->columns[column], problem);
}

static const char *keep(struct replay_places *places, struct text text)
{
    return arena_copy_text(&places->arena, text).data;
}

/* Degrees as in "-1.2864", times 10^7. */
static bool read_degrees(struct text text, int64_t degrees_max, int32_t *degrees_e7)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    int64_t value;
    if (is_negative)
        text = text_make(text.data + 1, text.size - 1);
    if (!data_set_decimal(text, 7, &value) || value > degrees_max * 10000000)
        return false;
    *degrees_e7 = (int32_t)(is_negative ? -value : value);
    return true;
}

/* The four fields from `first` on: [place, country_code or the other way round], latitude, … */
static struct error read_place(const struct table_reader *reader, uint64_t line,
                               const struct text *fields, size_t place_column, size_t code_column,
                               size_t latitude_column, struct replay_place *place)
{
    if (fields[place_column].size == 0)
        return error_at(reader, line, place_column, "is empty");
    if (fields[code_column].size != 2)
        return error_at(reader, line, code_column, "must be two letters of ISO 3166-1");
    if (!read_degrees(fields[latitude_column], 90, &place->latitude_e7))
        return error_at(reader, line, latitude_column, "must be degrees from -90 to 90");
    if (!read_degrees(fields[latitude_column + 1], 180, &place->longitude_e7))
        return error_at(reader, line, latitude_column + 1, "must be degrees from -180 to 180");
    place->place = keep(reader->places, fields[place_column]);
    place->country_code = keep(reader->places, fields[code_column]);
    if (place->place == NULL || place->country_code == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", reader->path);
    return error_none();
}

/* --- the tables --- */

static const char *const site_columns[] = {"site",         "warehouse_id", "place",
                                           "country_code", "latitude",     "longitude"};

static struct error site_is_read(void *context, uint64_t line, const struct text *fields)
{
    const struct table_reader *reader = context;
    struct replay_places *places = reader->places;
    struct replay_warehouse warehouse = {.is_centre = text_equals_string(fields[0], centre_site)};
    if (places->warehouse_count == replay_warehouses_max)
        return error_at(reader, line, 0, "more than 1000 warehouses");
    if (fields[1].size == 0 || fields[1].size > replay_warehouse_id_bytes_max)
        return error_at(reader, line, 1, "must have 1 to 24 bytes");
    if (warehouse.is_centre && places->centre_count != places->warehouse_count)
        return error_at(reader, line, 0, "distribution centres come first");
    struct error error = read_place(reader, line, fields, 2, 3, 4, &warehouse.place);
    if (error_is(error))
        return error;
    warehouse.site = arena_copy_text(&places->arena, fields[0]);
    warehouse.warehouse_id = keep(places, fields[1]);
    if (warehouse.site.data == NULL || warehouse.warehouse_id == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", reader->path);
    places->centre_count += warehouse.is_centre;
    places->warehouses[places->warehouse_count++] = warehouse;
    return error;
}

static const char *const country_columns[] = {"country", "country_code", "place", "latitude",
                                              "longitude"};

static struct error country_is_read(void *context, uint64_t line, const struct text *fields)
{
    const struct table_reader *reader = context;
    struct replay_places *places = reader->places;
    struct replay_country country = {0};
    if (places->country_count == replay_countries_max)
        return error_at(reader, line, 0, "more than 300 countries");
    struct error error = read_place(reader, line, fields, 2, 1, 3, &country.place);
    if (error_is(error))
        return error;
    country.country = arena_copy_text(&places->arena, fields[0]);
    if (country.country.data == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", reader->path);
    places->countries[places->country_count++] = country;
    return error;
}

enum { CARD_KIND, CARD_FROM, CARD_HANDLING, CARD_PARCEL, CARD_DISTANCE, CARD_BASE, CARD_KILOGRAM };
static const char *const card_columns[] = {
    "kind", "valid_from",  "handling", "parcel_grams_max", "distance_metres_max",
    "base", "per_kilogram"};

static bool is_date(struct text text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; i < text.size && text.size == sizeof form - 1; i++) {
        bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (form[i] == 'd' ? !is_digit : text.data[i] != form[i])
            return false;
    }
    return text.size == sizeof form - 1;
}

static struct error card_is_read(void *context, uint64_t line, const struct text *fields)
{
    const struct table_reader *reader = context;
    bool is_centre = text_equals_string(fields[CARD_KIND], "centre");
    struct replay_cost_card *card = &reader->places->cards[is_centre];
    struct replay_band *band = &card->bands[card->band_count];
    if (!is_centre && !text_equals_string(fields[CARD_KIND], "site"))
        return error_at(reader, line, CARD_KIND, "must be centre or site");
    if (card->band_count == replay_bands_max)
        return error_at(reader, line, CARD_DISTANCE, "more than 20 bands");
    if (!is_date(fields[CARD_FROM]))
        return error_at(reader, line, CARD_FROM, "must be a day like 2006-01-01");
    snprintf(card->valid_from, sizeof card->valid_from, "%.10s", fields[CARD_FROM].data);
    if (!data_set_decimal(fields[CARD_HANDLING], 2, &card->handling_minor))
        return error_at(reader, line, CARD_HANDLING, "must be an amount");
    if (!data_set_decimal(fields[CARD_PARCEL], 0, &card->parcel_grams_max) ||
        card->parcel_grams_max < 1)
        return error_at(reader, line, CARD_PARCEL, "must be whole grams, at least 1");
    if (!data_set_decimal(fields[CARD_DISTANCE], 0, &band->distance_metres_max) ||
        (card->band_count > 0 && band->distance_metres_max <= band[-1].distance_metres_max))
        return error_at(reader, line, CARD_DISTANCE, "must be whole metres, more than before");
    if (!data_set_decimal(fields[CARD_BASE], 2, &band->base_minor))
        return error_at(reader, line, CARD_BASE, "must be an amount");
    if (!data_set_decimal(fields[CARD_KILOGRAM], 2, &band->per_kilogram_minor))
        return error_at(reader, line, CARD_KILOGRAM, "must be an amount");
    card->band_count++;
    return error_none();
}

static struct error read_bytes(struct file_system *file_system, const char *path, char *bytes,
                               size_t *size)
{
    struct file *file = NULL;
    struct error error = file_system_open(file_system, path, FILE_OPEN_READ, &file);
    if (error_is(error))
        return error;
    error = file_read(file, 0, bytes, table_bytes_max, size);
    file_close(file);
    if (!error_is(error) && *size == table_bytes_max)
        error = error_make(ERROR_INVALID_INPUT, "%s: larger than 1 MiB", path);
    return error;
}

static struct error read_table(struct replay_places *places, struct file_system *file_system,
                               const char *folder, const char *name, const char *const *columns,
                               size_t column_count, csv_record_function *record)
{
    char path[path_bytes_max];
    struct table_reader reader = {places, path, columns};
    struct csv_reader_options options = {
        .name = path,
        .columns = columns,
        .column_count = column_count,
        .record = record,
        .context = &reader,
    };
    struct csv_reader *csv = NULL;
    size_t size = 0;
    char *bytes = memory_allocate(table_bytes_max);
    if (bytes == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct error error = read_bytes(file_system, path, bytes, &size);
    if (!error_is(error))
        error = csv_reader_create(&csv, &options);
    if (!error_is(error))
        error = csv_reader_feed(csv, text_make(bytes, size));
    if (!error_is(error))
        error = csv_reader_finish(csv);
    csv_reader_destroy(csv);
    memory_release(bytes);
    return error;
}

/* --- the data set's names --- */

static struct error find_sites(struct replay_places *places, const struct data_set *data_set)
{
    for (uint32_t i = 0; i < data_set->site_count; i++) {
        size_t at = places->centre_count;
        while (at < places->warehouse_count &&
               !text_equal(places->warehouses[at].site, data_set->sites[i]))
            at++;
        if (at == places->warehouse_count) {
            return error_make(ERROR_INVALID_INPUT, "sites.csv: names no site '%.*s'",
                              (int)data_set->sites[i].size, data_set->sites[i].data);
        }
        places->warehouse_of_site[i] = (uint32_t)at;
    }
    return error_none();
}

static struct error find_countries(struct replay_places *places, const struct data_set *data_set)
{
    for (uint32_t i = 0; i < data_set->country_count; i++) {
        size_t at = 0;
        while (at < places->country_count &&
               !text_equal(places->countries[at].country, data_set->countries[i]))
            at++;
        if (at == places->country_count) {
            return error_make(ERROR_INVALID_INPUT, "places.csv: names no country '%.*s'",
                              (int)data_set->countries[i].size, data_set->countries[i].data);
        }
        places->country_of_country[i] = (uint32_t)at;
    }
    return error_none();
}

static struct error check_whole(const struct replay_places *places)
{
    if (places->centre_count == 0)
        return error_make(ERROR_INVALID_INPUT, "sites.csv: names no distribution centre (%s)",
                          centre_site);
    if (places->cards[0].band_count == 0 || places->cards[1].band_count == 0)
        return error_make(ERROR_INVALID_INPUT, "cost_cards.csv: needs bands of centre and of site");
    return error_none();
}

static struct error read_all(struct replay_places *places, struct file_system *file_system,
                             const char *folder, const struct data_set *data_set)
{
    struct error error = read_table(places, file_system, folder, "sites.csv", site_columns,
                                    sizeof site_columns / sizeof site_columns[0], site_is_read);
    if (!error_is(error))
        error = read_table(places, file_system, folder, "places.csv", country_columns,
                           sizeof country_columns / sizeof country_columns[0], country_is_read);
    if (!error_is(error))
        error = read_table(places, file_system, folder, "cost_cards.csv", card_columns,
                           sizeof card_columns / sizeof card_columns[0], card_is_read);
    if (!error_is(error))
        error = check_whole(places);
    if (!error_is(error))
        error = find_sites(places, data_set);
    if (!error_is(error))
        error = find_countries(places, data_set);
    return error;
}

struct error replay_places_read(struct replay_places *places, struct file_system *file_system,
                                const char *folder, const struct data_set *data_set)
{
    *places = (struct replay_places){0};
    arena_init(&places->arena, places_arena_bytes_max);
    places->warehouses = memory_allocate_zero(replay_warehouses_max, sizeof *places->warehouses);
    places->countries = memory_allocate_zero(replay_countries_max, sizeof *places->countries);
    places->warehouse_of_site =
        memory_allocate_zero(data_set->site_count + 1, sizeof *places->warehouse_of_site);
    places->country_of_country =
        memory_allocate_zero(data_set->country_count + 1, sizeof *places->country_of_country);
    struct error error = error_none();
    if (places->warehouses == NULL || places->countries == NULL ||
        places->warehouse_of_site == NULL || places->country_of_country == NULL)
        error = error_make(ERROR_OUT_OF_MEMORY, "%s", folder);
    if (!error_is(error))
        error = read_all(places, file_system, folder, data_set);
    if (error_is(error))
        replay_places_deinit(places);
    return error;
}

void replay_places_deinit(struct replay_places *places)
{
    memory_release(places->warehouses);
    memory_release(places->countries);
    memory_release(places->warehouse_of_site);
    memory_release(places->country_of_country);
    arena_deinit(&places->arena);
}
