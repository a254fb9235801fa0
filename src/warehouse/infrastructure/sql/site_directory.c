/*
 * Rows are read one by one straight into the directory's own arena: sites, then the cards from the
 * one valid two days ago on (nobody's today is earlier), then their bands.
 */
#include "warehouse/infrastructure/sql/site_directory.h"

#include "platform/base/memory.h"
#include "warehouse/domain/limits.h"
#include "warehouse/infrastructure/sql/sql_warehouse_state.h"
#include "warehouse/infrastructure/sql/step.h"

#include <stdlib.h>
#include <string.h>

enum { directory_bytes_max = 256 * 1024 * 1024 };

static const int64_t day_us = INT64_C(86400) * 1000000;

void site_directory_cache_init(struct site_directory_cache *cache)
{
    pthread_mutex_init(&cache->mutex, NULL);
    cache->latest = NULL;
}

void site_directory_cache_deinit(struct site_directory_cache *cache)
{
    site_directory_release(cache->latest);
    pthread_mutex_destroy(&cache->mutex);
}

void site_directory_release(struct site_directory *directory)
{
    if (directory == NULL || atomic_fetch_sub(&directory->holders, 1) > 1)
        return;
    for (size_t i = 0; i < directory->count; i++)
        time_zone_destroy(directory->zones[i]);
    arena_deinit(&directory->arena);
    memory_release(directory);
}

/* --- reading --- */

struct reading {
    struct site_directory *directory;
    struct error error;
    struct cost_card *cards; /* all, by warehouse_id and day */
    size_t card_count;
    size_t card_room;
    struct cost_band *bands;
    size_t band_room;
    size_t band_count;
    size_t card_at; /* whose bands come now */
};

static bool fail_memory(struct reading *reading)
{
    reading->error = error_make(ERROR_OUT_OF_MEMORY, "no room for the warehouses");
    return false;
}

static bool read_closed_days(struct reading *reading, struct working_days *days, struct text joined)
{
    size_t start = 0;
    int64_t *dates =
        arena_allocate_zero(&reading->directory->arena, joined.size / 11 + 1, sizeof *dates);
    if (dates == NULL)
        return fail_memory(reading);
    for (size_t i = 0; i < joined.size; i++) {
        int weekday;
        if (joined.data[i] != '\n')
            continue;
        struct text name = text_make(joined.data + start, i - start);
        start = i + 1;
        if (calendar_weekday_parse(name, &weekday))
            days->closed_weekdays |= 1u << weekday;
        else if (calendar_date_parse(name, &dates[days->closed_date_count]))
            days->closed_date_count++;
    }
    days->closed_dates = dates;
    return true;
}

static void copy_currency(char out[4], struct text currency)
{
    memset(out, 0, 4);
    memcpy(out, currency.data, currency.size < 3 ? currency.size : 3);
}

static bool read_site(void *context, const struct sql_value *values, size_t column_count)
{
    struct reading *reading = context;
    struct site_directory *directory = reading->directory;
    (void)column_count;
    if (directory->count == warehouse_sites_max)
        return false;
    struct site *site = &directory->sites[directory->count];
    site->warehouse_id = arena_copy_text(&directory->arena, values[0].text);
    if (site->warehouse_id.data == NULL)
        return fail_memory(reading);
    site->priority = (int32_t)values[1].integer;
    site->active = values[2].integer != 0;
    site->has_point = values[3].kind == SQL_INTEGER;
    site->point = (struct geo_point){(int32_t)values[3].integer, (int32_t)values[4].integer};
    copy_currency(site->handling_cost.currency, values[5].text);
    site->handling_cost.amount_minor = values[6].integer;
    site->working_days.cutoff_minutes = 1440;
    (void)calendar_time_parse(values[7].text, &site->working_days.cutoff_minutes);
    site->capacity_per_day = values[10].integer;
    if (!read_closed_days(reading, &site->working_days, values[9].text))
        return false;
    reading->error = time_zone_create(&directory->zones[directory->count], values[8].text);
    if (error_is(reading->error))
        return false;
    directory->count++;
    return true;
}

static bool read_card(void *context, const struct sql_value *values, size_t column_count)
{
    struct reading *reading = context;
    (void)column_count;
    if (reading->card_count == reading->card_room) {
        size_t room = reading->card_room == 0 ? 128 : 2 * reading->card_room;
        struct cost_card *cards =
            arena_allocate_zero(&reading->directory->arena, room, sizeof *cards);
        if (cards == NULL)
            return fail_memory(reading);
        if (reading->card_count > 0)
            memcpy(cards, reading->cards, reading->card_count * sizeof *cards);
        reading->cards = cards;
        reading->card_room = room;
    }
    struct cost_card *card = &reading->cards[reading->card_count];
    card->warehouse_id = arena_copy_text(&reading->directory->arena, values[0].text);
    if (card->warehouse_id.data == NULL)
        return fail_memory(reading);
    card->valid_from_day = values[1].integer;
    card->parcel_grams_max = values[2].integer;
    copy_currency(card->currency, values[3].text);
    reading->card_count++;
    return true;
}

/* Bands come in the order of the cards. */
static bool read_band(void *context, const struct sql_value *values, size_t column_count)
{
    struct reading *reading = context;
    (void)column_count;
    while (reading->card_at < reading->card_count) {
        struct cost_card *card = &reading->cards[reading->card_at];
        if (text_equal(card->warehouse_id, values[0].text) &&
            card->valid_from_day == values[1].integer)
            break;
        reading->card_at++;
    }
    if (reading->card_at == reading->card_count)
        return true; /* of a card made meanwhile: the revision has grown, too */
    struct cost_card *card = &reading->cards[reading->card_at];
    if (card->bands == NULL) {
        card->bands = arena_allocate_zero(&reading->directory->arena, warehouse_bands_max,
                                          sizeof *card->bands);
        if (card->bands == NULL)
            return fail_memory(reading);
    }
    if (card->band_count < warehouse_bands_max)
        ((struct cost_band *)(uintptr_t)card->bands)[card->band_count++] =
            (struct cost_band){values[2].integer, values[3].integer, values[4].integer};
    return true;
}

/* Cards are sorted by id, sites by priority. */
static void deal_cards(const struct reading *reading)
{
    struct site_directory *directory = reading->directory;
    for (size_t i = 0; i < directory->count; i++) {
        struct site *site = &directory->sites[i];
        for (size_t k = 0; k < reading->card_count; k++) {
            if (!text_equal(reading->cards[k].warehouse_id, site->warehouse_id))
                continue;
            if (site->cards == NULL)
                site->cards = &reading->cards[k];
            site->card_count++;
        }
    }
}

static bool read_rows(struct step *step, struct reading *reading)
{
    static const struct sql_statement sites = {
        .text = "SELECT warehouse_id, priority, active, latitude_e7, longitude_e7,"
                " handling_currency, handling_minor, cutoff_local_time, time_zone, closed_days,"
                " capacity_per_day FROM warehouse_sites ORDER BY priority, warehouse_id"};
    static const struct sql_statement cards = {
        .text = "SELECT warehouse_id, valid_from_day, parcel_grams_max, currency"
                " FROM warehouse_cost_cards c WHERE valid_from_day >= COALESCE((SELECT"
                " MAX(d.valid_from_day) FROM warehouse_cost_cards d WHERE d.warehouse_id ="
                " c.warehouse_id AND d.valid_from_day <= $1), 0)"
                " ORDER BY warehouse_id, valid_from_day"};
    static const struct sql_statement bands = {
        .text = "SELECT warehouse_id, valid_from_day, distance_metres_max, base_minor,"
                " per_kilogram_minor FROM warehouse_cost_bands"
                " ORDER BY warehouse_id, valid_from_day, distance_metres_max"};
    int64_t now_us;
    if (!sql_session_now_us(step->session, 0, &now_us))
        return false;
    return sql_each(step->session, &sites, NULL, 0, read_site, reading) &&
           !error_is(reading->error) &&
           sql_each(step->session, &cards, BOUND(sql_integer(now_us / day_us - 2)), read_card,
                    reading) &&
           !error_is(reading->error) &&
           sql_each(step->session, &bands, NULL, 0, read_band, reading) &&
           !error_is(reading->error);
}

static struct site_directory *read_directory(struct step *step, int64_t revision)
{
    struct site_directory *directory = memory_allocate_zero(1, sizeof *directory);
    struct reading reading = {.directory = directory, .error = error_none()};
    if (directory == NULL) {
        (void)step_fail_memory(step);
        return NULL;
    }
    directory->holders = 1;
    directory->revision = revision;
    arena_init(&directory->arena, directory_bytes_max);
    directory->sites =
        arena_allocate_zero(&directory->arena, warehouse_sites_max, sizeof(struct site));
    directory->zones =
        arena_allocate_zero(&directory->arena, warehouse_sites_max, sizeof(struct time_zone *));
    bool good = directory->sites != NULL && directory->zones != NULL;
    if (!good)
        (void)fail_memory(&reading);
    good = good && read_rows(step, &reading);
    if (good) {
        deal_cards(&reading);
        return directory;
    }
    if (error_is(reading.error))
        *step->error = reading.error;
    site_directory_release(directory);
    return NULL;
}

/* --- holding --- */

static struct site_directory *hold_latest(struct site_directory_cache *cache, int64_t revision)
{
    struct site_directory *directory = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (cache->latest != NULL && cache->latest->revision == revision) {
        directory = cache->latest;
        atomic_fetch_add(&directory->holders, 1);
    }
    pthread_mutex_unlock(&cache->mutex);
    return directory;
}

static void remember(struct site_directory_cache *cache, struct site_directory *directory)
{
    struct site_directory *before = NULL;
    pthread_mutex_lock(&cache->mutex);
    if (cache->latest == NULL || cache->latest->revision < directory->revision) {
        before = cache->latest;
        cache->latest = directory;
        atomic_fetch_add(&directory->holders, 1);
    }
    pthread_mutex_unlock(&cache->mutex);
    site_directory_release(before);
}

bool site_directory_hold(struct step *step, int64_t revision, struct site_directory **directory)
{
    struct site_directory_cache *cache = &step->repository->directory;
    *directory = hold_latest(cache, revision);
    if (*directory != NULL)
        return true;
    *directory = read_directory(step, revision);
    if (*directory == NULL)
        return false;
    remember(cache, *directory);
    return true;
}

bool site_directory_touch(struct step *step)
{
    static const struct sql_statement touch = {
        .text = "UPDATE warehouse_directory SET revision = revision + 1 WHERE directory_id = 1"};
    return sql_enqueue(step->session, &touch, NULL, 0, 1);
}
