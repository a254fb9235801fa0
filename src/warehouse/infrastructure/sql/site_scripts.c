/*
 * Warehouses, their cost cards and bins. Each change touches the directory, so that allocations see
 * it.
 */
#include "warehouse/domain/limits.h"
#include "warehouse/infrastructure/sql/site_directory.h"
#include "warehouse/infrastructure/sql/step.h"

#include <string.h>

/* --- warehouses --- */

#define SITE_COLUMNS                                                                               \
    "position, warehouse_id, content, name, priority, active, address_name, company, phone,"       \
    " email, address_lines, city, region, postal_code, country_code, latitude_e7, longitude_e7,"   \
    " handling_currency, handling_minor, cutoff_local_time, time_zone, closed_days,"               \
    " capacity_per_day, revision"

static bool site_of(struct step *step, const struct sql_rows *rows, size_t row,
                    struct warehouse *site)
{
    struct address *address = &site->address;
    struct text currency = sql_rows_text(rows, row, 17);
    *site = (struct warehouse){
        .warehouse_id = sql_rows_text(rows, row, 1),
        .name = sql_rows_text(rows, row, 3),
        .priority = (int32_t)sql_rows_integer(rows, row, 4),
        .active = sql_rows_integer(rows, row, 5) != 0,
        .handling_cost.amount_minor = sql_rows_integer(rows, row, 18),
        .cutoff_local_time = sql_rows_text(rows, row, 19),
        .time_zone = sql_rows_text(rows, row, 20),
        .capacity_per_day = sql_rows_integer(rows, row, 22),
        .revision = sql_rows_integer(rows, row, 23),
    };
    memcpy(site->handling_cost.currency, currency.data, currency.size < 3 ? currency.size : 3);
    address->name = sql_rows_text(rows, row, 6);
    address->company = sql_rows_text(rows, row, 7);
    address->phone = sql_rows_text(rows, row, 8);
    address->email = sql_rows_text(rows, row, 9);
    address->city = sql_rows_text(rows, row, 11);
    address->region = sql_rows_text(rows, row, 12);
    address->postal_code = sql_rows_text(rows, row, 13);
    address->country_code = sql_rows_text(rows, row, 14);
    address->has_point = !sql_rows_is_null(rows, row, 15);
    address->point.latitude_e7 = (int32_t)sql_rows_integer(rows, row, 15);
    address->point.longitude_e7 = (int32_t)sql_rows_integer(rows, row, 16);
    return step_split(step, sql_rows_text(rows, row, 10), &address->lines, &address->line_count) &&
           step_split(step, sql_rows_text(rows, row, 21), &site->closed_days,
                      &site->closed_day_count);
}

static struct text site_content(struct step *step, const struct warehouse *site)
{
    struct content content;
    content_begin(&content, "warehouse");
    content_text(&content, site->name);
    content_number(&content, site->priority);
    content_number(&content, site->active);
    content_address(&content, &site->address);
    content_money(&content, site->handling_cost);
    content_text(&content, site->cutoff_local_time);
    content_text(&content, site->time_zone);
    content_number(&content, (int64_t)site->closed_day_count);
    for (size_t i = 0; i < site->closed_day_count; i++)
        content_text(&content, site->closed_days[i]);
    content_number(&content, site->capacity_per_day);
    return content_take(&content, step);
}

/* Inserts or updates: the statement has its parameters in this order. */
static bool write_site(struct step *step, const struct sql_statement *statement,
                       const struct warehouse *site, struct text content)
{
    const struct address *address = &site->address;
    struct text lines = step_join(step, address->lines, address->line_count);
    struct text days = step_join(step, site->closed_days, site->closed_day_count);
    struct sql_value nothing = sql_null();
    if (lines.data == NULL || days.data == NULL)
        return false;
    return sql_enqueue(
               step->session, statement,
               BOUND(sql_text(site->warehouse_id), sql_blob(content), sql_text(site->name),
                     sql_integer(site->priority), sql_integer(site->active),
                     sql_text(address->name), sql_text(address->company), sql_text(address->phone),
                     sql_text(address->email), sql_text(lines), sql_text(address->city),
                     sql_text(address->region), sql_text(address->postal_code),
                     sql_text(address->country_code),
                     address->has_point ? sql_integer(address->point.latitude_e7) : nothing,
                     address->has_point ? sql_integer(address->point.longitude_e7) : nothing,
                     sql_text(text_of(site->handling_cost.currency)),
                     sql_integer(site->handling_cost.amount_minor),
                     sql_text(site->cutoff_local_time), sql_text(site->time_zone), sql_text(days),
                     sql_integer(site->capacity_per_day), sql_integer(site->revision)),
               1) &&
           site_directory_touch(step);
}

/* False: a statement failed; *found tells whether there is one. */
static bool find_site(struct step *step, const struct sql_statement *statement,
                      struct text warehouse_id, struct warehouse *site, struct text *content,
                      bool *found)
{
    struct sql_rows rows;
    *found = false;
    if (!sql_query(step->session, statement, BOUND(sql_text(warehouse_id)), &rows))
        return false;
    if (rows.count == 0)
        return true;
    *found = true;
    *content = sql_rows_blob(&rows, 0, 2);
    return site_of(step, &rows, 0, site);
}

static const struct sql_statement find_site_plainly = {
    .text = "SELECT " SITE_COLUMNS " FROM warehouse_sites WHERE warehouse_id = $1"};

enum sql_verdict create_warehouse_script(struct step *step)
{
    static const struct sql_statement count = {.text = "SELECT COUNT(*) FROM warehouse_sites"};
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_sites (warehouse_id, content, name, priority, active,"
                " address_name, company, phone, email, address_lines, city, region, postal_code,"
                " country_code, latitude_e7, longitude_e7, handling_currency, handling_minor,"
                " cutoff_local_time, time_zone, closed_days, capacity_per_day, revision)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
                " $17, $18, $19, $20, $21, $22, $23)"};
    struct warehouse_record_command *command = (struct warehouse_record_command *)step->command;
    struct warehouse site;
    struct text before;
    struct sql_rows rows;
    bool found;
    struct text content = site_content(step, &command->warehouse);
    if (content.data == NULL || !find_site(step, &find_site_plainly,
                                           command->warehouse.warehouse_id, &site, &before, &found))
        return SQL_FAIL;
    if (found && !text_equal(before, content))
        return step_refuse(step, WAREHOUSE_ID_REUSED, command->warehouse.warehouse_id);
    command->record = found ? site : command->warehouse;
    if (found)
        return SQL_COMMIT;
    if (!sql_query(step->session, &count, NULL, 0, &rows))
        return SQL_FAIL;
    if (sql_rows_integer(&rows, 0, 0) >= warehouse_sites_max)
        return step_refuse(step, WAREHOUSE_SITES_LIMIT, command->warehouse.warehouse_id);
    command->record.revision = 1;
    return write_site(step, &insert, &command->record, content) ? SQL_COMMIT : SQL_FAIL;
}

enum sql_verdict update_warehouse_script(struct step *step)
{
    static const struct sql_statement find = {
        .text = "SELECT " SITE_COLUMNS " FROM warehouse_sites WHERE warehouse_id = $1",
        .for_update = true};
    static const struct sql_statement update = {
        .text = "UPDATE warehouse_sites SET content = $2, name = $3, priority = $4, active = $5,"
                " address_name = $6, company = $7, phone = $8, email = $9, address_lines = $10,"
                " city = $11, region = $12, postal_code = $13, country_code = $14,"
                " latitude_e7 = $15, longitude_e7 = $16, handling_currency = $17,"
                " handling_minor = $18, cutoff_local_time = $19, time_zone = $20,"
                " closed_days = $21, capacity_per_day = $22, revision = $23"
                " WHERE warehouse_id = $1"};
    struct warehouse_record_command *command = (struct warehouse_record_command *)step->command;
    struct warehouse before;
    struct text content;
    bool found;
    if (!find_site(step, &find, command->warehouse.warehouse_id, &before, &content, &found))
        return SQL_FAIL;
    if (!found)
        return step_refuse(step, WAREHOUSE_WAREHOUSE_NOT_FOUND, command->warehouse.warehouse_id);
    struct warehouse after = before;
    warehouse_merge(&after, &command->warehouse, command->fields);
    if (!warehouse_equal(&before, &after)) {
        if (command->expected_revision != 0 && command->expected_revision != before.revision)
            return step_refuse(step, WAREHOUSE_REVISION_MISMATCH, before.warehouse_id);
        after.revision = before.revision + 1;
        if (!write_site(step, &update, &after, content))
            return SQL_FAIL;
    }
    command->record = after;
    return SQL_COMMIT;
}

enum sql_verdict get_warehouse_script(struct step *step)
{
    struct warehouse_record_command *command = (struct warehouse_record_command *)step->command;
    struct text content;
    struct text warehouse_id = command->warehouse.warehouse_id;
    bool found;
    if (!find_site(step, &find_site_plainly, warehouse_id, &command->record, &content, &found))
        return SQL_FAIL;
    return found ? SQL_COMMIT : step_refuse(step, WAREHOUSE_WAREHOUSE_NOT_FOUND, warehouse_id);
}

static bool query_listed_site(struct step *step, const struct list_page *part,
                              struct sql_rows *rows)
{
    static const struct sql_statement list = {
        .text = "SELECT " SITE_COLUMNS " FROM warehouse_sites"
                " WHERE position > $1 ORDER BY position LIMIT $2"};
    return sql_query(step->session, &list,
                     BOUND(sql_integer((int64_t)part->after), page_limit(part)), rows);
}

static bool read_listed_site(struct step *step, const struct sql_rows *rows, size_t row,
                             void *record)
{
    return site_of(step, rows, row, record);
}

enum sql_verdict list_warehouses_script(struct step *step)
{
    static const struct page_source source = {query_listed_site, read_listed_site,
                                              sizeof(struct warehouse)};
    struct list_warehouses_command *command = (struct list_warehouses_command *)step->command;
    command->warehouses = page_read(step, &command->page, &source, &command->warehouse_count);
    return command->warehouses == NULL ? SQL_FAIL : SQL_COMMIT;
}

/* --- cost cards --- */

static bool write_card(struct step *step, const struct cost_card *card)
{
    static const struct sql_statement put = {
        .text = "INSERT INTO warehouse_cost_cards (warehouse_id, valid_from_day,"
                " parcel_grams_max, currency) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (warehouse_id, valid_from_day) DO UPDATE SET"
                " parcel_grams_max = excluded.parcel_grams_max, currency = excluded.currency"};
    static const struct sql_statement clear = {
        .text = "DELETE FROM warehouse_cost_bands WHERE warehouse_id = $1 AND valid_from_day = $2"};
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_cost_bands (warehouse_id, valid_from_day,"
                " distance_metres_max, base_minor, per_kilogram_minor)"
                " VALUES ($1, $2, $3, $4, $5)"};
    struct sql_value id = sql_text(card->warehouse_id);
    struct sql_value day = sql_integer(card->valid_from_day);
    sql_enqueue(
        step->session, &put,
        BOUND(id, day, sql_integer(card->parcel_grams_max), sql_text(text_of(card->currency))), 1);
    sql_enqueue(step->session, &clear, BOUND(id, day), sql_any_number);
    for (size_t i = 0; i < card->band_count; i++)
        sql_enqueue(step->session, &insert,
                    BOUND(id, day, sql_integer(card->bands[i].distance_metres_max),
                          sql_integer(card->bands[i].base_minor),
                          sql_integer(card->bands[i].per_kilogram_minor)),
                    1);
    return site_directory_touch(step);
}

enum sql_verdict set_cost_card_script(struct step *step)
{
    static const struct sql_statement lock = {
        .text = "SELECT active FROM warehouse_sites WHERE warehouse_id = $1", .for_update = true};
    static const struct sql_statement count = {
        .text = "SELECT COUNT(*) FROM warehouse_cost_cards"
                " WHERE warehouse_id = $1 AND valid_from_day <> $2"};
    const struct cost_card *card = &((struct cost_card_command *)step->command)->cost_card;
    struct sql_value id = sql_text(card->warehouse_id);
    struct sql_rows rows;
    if (!sql_query(step->session, &lock, BOUND(id), &rows))
        return SQL_FAIL;
    if (rows.count == 0)
        return step_refuse(step, WAREHOUSE_WAREHOUSE_NOT_FOUND, card->warehouse_id);
    if (!sql_query(step->session, &count, BOUND(id, sql_integer(card->valid_from_day)), &rows))
        return SQL_FAIL;
    if (sql_rows_integer(&rows, 0, 0) >= warehouse_cards_max)
        return step_refuse(step, WAREHOUSE_CARDS_LIMIT, card->warehouse_id);
    return write_card(step, card) ? SQL_COMMIT : SQL_FAIL;
}

static bool read_bands(struct step *step, struct cost_card *card)
{
    static const struct sql_statement find = {
        .text = "SELECT distance_metres_max, base_minor, per_kilogram_minor"
                " FROM warehouse_cost_bands WHERE warehouse_id = $1 AND valid_from_day = $2"
                " ORDER BY distance_metres_max"};
    struct sql_rows rows;
    if (!sql_query(step->session, &find,
                   BOUND(sql_text(card->warehouse_id), sql_integer(card->valid_from_day)), &rows))
        return false;
    struct cost_band *bands = step_allocate(step, rows.count + 1, sizeof *bands);
    if (bands == NULL)
        return false;
    for (size_t i = 0; i < rows.count; i++)
        bands[i] = (struct cost_band){sql_rows_integer(&rows, i, 0), sql_rows_integer(&rows, i, 1),
                                      sql_rows_integer(&rows, i, 2)};
    card->bands = bands;
    card->band_count = rows.count;
    return true;
}

static bool query_listed_card(struct step *step, const struct list_page *part,
                              struct sql_rows *rows)
{
    static const struct sql_statement list = {
        .text = "SELECT valid_from_day, parcel_grams_max, currency FROM warehouse_cost_cards"
                " WHERE warehouse_id = $1 AND valid_from_day > $2"
                " ORDER BY valid_from_day LIMIT $3"};
    const struct list_cost_cards_command *command =
        (const struct list_cost_cards_command *)step->command;
    return sql_query(
        step->session, &list,
        BOUND(sql_text(command->warehouse_id), sql_integer((int64_t)part->after), page_limit(part)),
        rows);
}

static bool read_listed_card(struct step *step, const struct sql_rows *rows, size_t row,
                             void *record)
{
    struct cost_card *card = record;
    struct text currency = sql_rows_text(rows, row, 2);
    card->warehouse_id = ((const struct list_cost_cards_command *)step->command)->warehouse_id;
    card->valid_from_day = sql_rows_integer(rows, row, 0);
    card->parcel_grams_max = sql_rows_integer(rows, row, 1);
    memcpy(card->currency, currency.data, currency.size < 3 ? currency.size : 3);
    return read_bands(step, card);
}

enum sql_verdict list_cost_cards_script(struct step *step)
{
    static const struct page_source source = {query_listed_card, read_listed_card,
                                              sizeof(struct cost_card)};
    struct list_cost_cards_command *command = (struct list_cost_cards_command *)step->command;
    enum sql_verdict verdict;
    bool active;
    if (!step_find_site(step, command->warehouse_id, &active, &verdict))
        return verdict;
    command->cost_cards = page_read(step, &command->page, &source, &command->cost_card_count);
    return command->cost_cards == NULL ? SQL_FAIL : SQL_COMMIT;
}

/* --- bins --- */

enum sql_verdict create_bin_script(struct step *step)
{
    static const struct sql_statement insert = {
        .text = "INSERT INTO warehouse_bins (warehouse_id, zone, bin) VALUES ($1, $2, $3)"
                " ON CONFLICT (warehouse_id, zone, bin) DO NOTHING"};
    const struct bin *bin = &((struct bin_command *)step->command)->bin;
    enum sql_verdict verdict;
    bool active;
    if (!step_find_site(step, bin->warehouse_id, &active, &verdict))
        return verdict;
    sql_enqueue(step->session, &insert,
                BOUND(sql_text(bin->warehouse_id), sql_text(bin->zone), sql_text(bin->bin)),
                sql_any_number);
    return SQL_COMMIT;
}

enum sql_verdict list_bins_script(struct step *step)
{
    static const struct sql_statement list = {
        .text = "SELECT position, zone, bin FROM warehouse_bins WHERE warehouse_id = $1"
                " AND position > $2 AND ($3 = '' OR zone = $3) ORDER BY position LIMIT $4"};
    struct list_bins_command *command = (struct list_bins_command *)step->command;
    struct sql_rows rows;
    enum sql_verdict verdict;
    bool active;
    if (!step_find_site(step, command->warehouse_id, &active, &verdict))
        return verdict;
    if (!sql_query(step->session, &list,
                   BOUND(sql_text(command->warehouse_id), sql_integer((int64_t)command->page.after),
                         sql_text(command->zone), page_limit(&command->page)),
                   &rows))
        return SQL_FAIL;
    command->bin_count = page_rows(&command->page, &rows);
    command->bins = step_allocate(step, command->bin_count + 1, sizeof *command->bins);
    if (command->bins == NULL)
        return SQL_FAIL;
    for (size_t i = 0; i < command->bin_count; i++)
        command->bins[i] = (struct bin){.warehouse_id = command->warehouse_id,
                                        .zone = sql_rows_text(&rows, i, 1),
                                        .bin = sql_rows_text(&rows, i, 2)};
    return SQL_COMMIT;
}
