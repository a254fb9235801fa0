/* The rules of fields, in one place. */
#include "warehouse/application/field_checks.h"

#include "warehouse/domain/limits.h"

#include <stdio.h>

static const char id_rule[] = "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -";
static const char optional_id_rule[] = "must be empty or 1 to 64 characters of A-Z a-z 0-9 . _ : -";
const char field_name_rule[] =
    "must be 1 to 64 bytes of UTF-8 without control characters or a space at either end";
static const char optional_name_rule[] =
    "must be at most 64 bytes of UTF-8 without control characters or a space at either end";
static const char words_rule[] = "must be UTF-8 without control characters, at most 64 bytes";
static const char long_words_rule[] = "must be UTF-8 without control characters, at most 256 bytes";
static const char short_words_rule[] = "must be UTF-8 without control characters, at most 16 bytes";
const char field_quantity_rule[] = "must be 1 to 1000000000000";
static const char place_rule[] = "zone and bin must be both given or both empty";

static bool is_id(struct text id)
{
    return id.size <= warehouse_id_bytes_max && text_is_identifier(id);
}

void field_check_id(struct violations *violations, struct text id, const char *path)
{
    if (id.size == 0 || !is_id(id))
        violations_add(violations, id_rule, "%s", path);
}

void field_check_optional_id(struct violations *violations, struct text id, const char *path)
{
    if (!is_id(id))
        violations_add(violations, optional_id_rule, "%s", path);
}

bool field_is_name(struct text name)
{
    return name.size <= warehouse_sku_bytes_max && text_is_name(name);
}

void field_check_sku(struct violations *violations, struct text sku, const char *path)
{
    if (!field_is_name(sku))
        violations_add(violations, field_name_rule, "%s", path);
}

void field_check_optional_sku(struct violations *violations, struct text sku, const char *path)
{
    if (sku.size > 0 && !field_is_name(sku))
        violations_add(violations, optional_name_rule, "%s", path);
}

void field_check_words(struct violations *violations, struct text words, size_t size_max,
                       const char *path)
{
    const char *rule =
        size_max <= 16 ? short_words_rule : (size_max <= 64 ? words_rule : long_words_rule);
    if (words.size > size_max || text_has_control(words) || !text_is_utf8(words))
        violations_add(violations, rule, "%s", path);
}

void field_check_range(struct violations *violations, int64_t value, int64_t minimum,
                       int64_t maximum, const char *rule, const char *path)
{
    if (value < minimum || value > maximum)
        violations_add(violations, rule, "%s", path);
}

void field_check_quantity(struct violations *violations, int64_t quantity, const char *path)
{
    field_check_range(violations, quantity, 1, warehouse_quantity_max, field_quantity_rule, path);
}

void field_check_place(struct violations *violations, struct text zone, struct text bin,
                       const char *zone_path, const char *bin_path)
{
    field_check_optional_sku(violations, zone, zone_path);
    field_check_optional_sku(violations, bin, bin_path);
    if ((zone.size == 0) != (bin.size == 0))
        violations_add(violations, place_rule, "%s", zone.size == 0 ? zone_path : bin_path);
}

void field_check_page(struct violations *violations, struct list_page *page)
{
    if (page->size > warehouse_page_size_max)
        violations_add(violations, "must be 0 to 1000", "page_size");
    if (page->size == 0)
        page->size = warehouse_page_size_default;
}

void field_check_amount(struct violations *violations, struct money money, const char *path)
{
    if (money_is(money) &&
        (money.amount_minor < 0 || money.amount_minor > warehouse_amount_minor_max))
        violations_add(violations, "must be 0 to 1000000000000", "%s.amount_minor", path);
}

static bool is_country(struct text code)
{
    return code.size == 0 || (code.size == 2 && code.data[0] >= 'A' && code.data[0] <= 'Z' &&
                              code.data[1] >= 'A' && code.data[1] <= 'Z');
}

void field_check_address(struct violations *violations, const struct address *address,
                         const char *path)
{
    const struct {
        struct text text;
        const char *name;
    } fields[] = {
        {address->name, "name"},
        {address->company, "company"},
        {address->phone, "phone"},
        {address->email, "email"},
        {address->city, "city"},
        {address->region, "region"},
        {address->postal_code, "postal_code"},
    };
    char field[160];
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        snprintf(field, sizeof field, "%s.%s", path, fields[i].name);
        field_check_words(violations, fields[i].text, warehouse_name_bytes_max, field);
    }
    if (address->line_count > warehouse_address_lines_max)
        violations_add(violations, "must be at most 8", "%s.lines", path);
    for (size_t i = 0; i < address->line_count; i++) {
        snprintf(field, sizeof field, "%s.lines[%zu]", path, i);
        field_check_words(violations, address->lines[i], warehouse_name_bytes_max, field);
    }
    if (!is_country(address->country_code))
        violations_add(violations, "must be empty or two capital letters", "%s.country_code", path);
    if (address->has_point &&
        (address->point.latitude_e7 < -900000000 || address->point.latitude_e7 > 900000000))
        violations_add(violations, "must be -900000000 to 900000000", "%s.point.latitude_e7", path);
    if (address->has_point &&
        (address->point.longitude_e7 < -1800000000 || address->point.longitude_e7 > 1800000000))
        violations_add(violations, "must be -1800000000 to 1800000000", "%s.point.longitude_e7",
                       path);
}
