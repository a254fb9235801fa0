/*
 * Reading goes record by record: fields are checked, order and product are found or added by their
 * hash, and the line is noted with both places. At the end the lines are dealt out to their orders
 * (a counting sort, which keeps the file's order within each) and what depends on all lines of an
 * order or product is checked. The first error ends the reading; everything read is then released.
 */
#include "main/replay/data/data_set.h"

#include "inventory/domain/limits.h"
#include "main/replay/data/csv_reader.h"
#include "main/replay/data/data_set_field.h"
#include "main/replay/data/item_weights.h"
#include "platform/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum column {
    COLUMN_ORDER,
    COLUMN_DESCRIPTION,
    COLUMN_PACKS,
    COLUMN_COUNTRY, /* from here on all or none */
    COLUMN_FULFILL,
    COLUMN_SITE,
    COLUMN_GROUP,
    COLUMN_VALUE,
    COLUMN_WEIGHT,
    COLUMN_FREIGHT,
    COLUMN_SCHEDULED,
    COLUMN_DELIVERED,
};
static const char *const columns[] = {
    [COLUMN_ORDER] = "ASN/DN #",
    [COLUMN_DESCRIPTION] = "Item Description",
    [COLUMN_PACKS] = "Line Item Quantity",
    [COLUMN_COUNTRY] = "Country",
    [COLUMN_FULFILL] = "Fulfill Via",
    [COLUMN_SITE] = "Manufacturing Site",
    [COLUMN_GROUP] = "Product Group",
    [COLUMN_VALUE] = "Line Item Value",
    [COLUMN_WEIGHT] = "Weight (Kilograms)",
    [COLUMN_FREIGHT] = "Freight Cost (USD)",
    [COLUMN_SCHEDULED] = "Scheduled Delivery Date",
    [COLUMN_DELIVERED] = "Delivered to Client Date",
};
enum { column_count = sizeof columns / sizeof columns[0] };

static const size_t arena_bytes_max = (size_t)1 << 30;
static const size_t read_bytes = (size_t)64 * 1024;
static const uint64_t hash_seed = 0; /* keys come from a file that the user chose */

/* A line before it is dealt out. */
struct read_line {
    uint32_t order;
    struct data_set_line line;
};

struct data_set_reader {
    struct data_set *data_set;
    const char *name;
    struct csv_reader *csv;
    EVP_MD_CTX *digest;
    struct hash_map product_places; /* SKU → product */
    struct read_line *lines;
    size_t product_capacity; /* of the arrays in data_set and of lines */
    size_t order_capacity;
    size_t line_capacity;
};

static struct error error_memory(const struct data_set_reader *reader)
{
    return error_make(ERROR_OUT_OF_MEMORY, "%s: data set", reader->name);
}

static struct error error_field(const struct data_set_reader *reader, uint64_t line,
                                enum column column, const char *problem)
{
    return error_make(ERROR_INVALID_INPUT, "%s:%llu: %s: %s", reader->name,
                      (unsigned long long)line, columns[column], problem);
}

/* Room for one more item in an array that grows by doubling; false without memory. */
static bool make_room(void **array, size_t *capacity, size_t count, size_t item_size)
{
    if (count < *capacity)
        return true;
    size_t wanted = *capacity == 0 ? 256 : 2 * *capacity;
    void *grown = memory_reallocate(*array, wanted * item_size);
    if (grown == NULL)
        return false;
    *array = grown;
    *capacity = wanted;
    return true;
}

/* --- one record --- */

static bool is_id(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        char byte = text.data[i];
        bool allowed = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                       (byte >= '0' && byte <= '9') || byte == '.' || byte == '_' || byte == ':' ||
                       byte == '-';
        if (!allowed)
            return false;
    }
    return text.size > 0 && text.size <= data_set_order_id_bytes_max;
}

/* --- what tells where goods come from and go to --- */

/* Finds the name in a short list or adds it. */
static struct error place_name(const struct data_set_reader *reader, uint64_t line,
                               enum column column, struct text name, struct text *names,
                               uint32_t *count, uint32_t *place)
{
    if (name.size == 0 || name.size > data_set_name_bytes_max)
        return error_field(reader, line, column, "must have 1 to 128 bytes");
    if (!text_is_utf8(name))
        return error_field(reader, line, column, "is not UTF-8");
    for (*place = 0; *place < *count; ++*place) {
        if (text_equal(names[*place], name))
            return error_none();
    }
    if (*count == data_set_names_max)
        return error_field(reader, line, column, "is the 1001st of its kind");
    names[*count] = arena_copy_text(&reader->data_set->arena, name);
    if (names[*count].data == NULL)
        return error_memory(reader);
    ++*count;
    return error_none();
}

static struct error read_origin(const struct data_set_reader *reader, uint64_t line,
                                const struct text *fields, struct data_set_line *read)
{
    struct data_set *data_set = reader->data_set;
    read->site = data_set_nowhere;
    if (text_equals_string(fields[COLUMN_FULFILL], "From RDC"))
        return error_none();
    if (!text_equals_string(fields[COLUMN_FULFILL], "Direct Drop"))
        return error_field(reader, line, COLUMN_FULFILL, "must be From RDC or Direct Drop");
    return place_name(reader, line, COLUMN_SITE, fields[COLUMN_SITE], data_set->sites,
                      &data_set->site_count, &read->site);
}

/* Weight and freight may be words ("Weight Captured Separately"): then they are not recorded. */
static struct error read_figures(const struct data_set_reader *reader, uint64_t line,
                                 const struct text *fields, struct data_set_line *read)
{
    if (!data_set_decimal(fields[COLUMN_VALUE], 2, &read->value_minor))
        return error_field(reader, line, COLUMN_VALUE, "must be an amount up to 10^13");
    if (!data_set_decimal(fields[COLUMN_WEIGHT], 3, &read->weight_grams))
        read->weight_grams = -1;
    if (!data_set_decimal(fields[COLUMN_FREIGHT], 2, &read->freight_minor))
        read->freight_minor = -1;
    if (!data_set_day(fields[COLUMN_SCHEDULED], &read->scheduled_day))
        return error_field(reader, line, COLUMN_SCHEDULED, "must be a day like 2-Jun-06");
    if (!data_set_day(fields[COLUMN_DELIVERED], &read->delivered_day))
        return error_field(reader, line, COLUMN_DELIVERED, "must be a day like 2-Jun-06");
    return error_none();
}

/* Order and product are placed already. */
static struct error read_logistics(const struct data_set_reader *reader, uint64_t line,
                                   const struct text *fields, struct read_line *read)
{
    struct data_set *data_set = reader->data_set;
    struct data_set_order *order = &data_set->orders[read->order];
    struct data_set_product *product = &data_set->products[read->line.product];
    uint32_t country = 0;
    uint32_t group = 0;
    struct error error = place_name(reader, line, COLUMN_COUNTRY, fields[COLUMN_COUNTRY],
                                    data_set->countries, &data_set->country_count, &country);
    if (!error_is(error))
        error = place_name(reader, line, COLUMN_GROUP, fields[COLUMN_GROUP], data_set->groups,
                           &data_set->group_count, &group);
    if (!error_is(error))
        error = read_origin(reader, line, fields, &read->line);
    if (!error_is(error))
        error = read_figures(reader, line, fields, &read->line);
    if (error_is(error))
        return error;
    if (order->line_count > 0 && order->country != country)
        return error_field(reader, line, COLUMN_COUNTRY, "is not that of the order's other lines");
    order->country = country;
    product->group = group;
    return error;
}

static struct error check_record(const struct data_set_reader *reader, uint64_t line,
                                 const struct text *fields, int64_t *packs)
{
    struct text description = fields[COLUMN_DESCRIPTION];
    if (!is_id(fields[COLUMN_ORDER])) {
        return error_field(reader, line, COLUMN_ORDER,
                           "an order is named by 1 to 32 of A-Z a-z 0-9 . _ : -");
    }
    if (description.size == 0 || description.size > data_set_description_bytes_max)
        return error_field(reader, line, COLUMN_DESCRIPTION, "must have 1 to 256 bytes");
    if (!text_is_utf8(description))
        return error_field(reader, line, COLUMN_DESCRIPTION, "is not UTF-8");
    if (text_has_control(description))
        return error_field(reader, line, COLUMN_DESCRIPTION, "holds a control character");
    if (!text_to_int64(fields[COLUMN_PACKS], packs) || *packs < 1 ||
        *packs > inventory_quantity_max) {
        return error_field(reader, line, COLUMN_PACKS,
                           "must be a whole number from 1 to 1000000000000");
    }
    return error_none();
}

struct order_search {
    const struct data_set *data_set;
    struct text order_id;
};

static bool is_order(void *context, uint64_t value)
{
    const struct order_search *search = context;
    return text_equal(search->data_set->orders[value].order_id, search->order_id);
}

bool data_set_find_order(const struct data_set *data_set, struct text order_id, uint32_t *order)
{
    struct order_search search = {data_set, order_id};
    uint64_t place;
    if (!hash_map_find(&data_set->order_places, hash_text(hash_seed, order_id), is_order, &search,
                       &place))
        return false;
    *order = (uint32_t)place;
    return true;
}

/* The last order that begins at the line or before. */
uint32_t data_set_order_of_line(const struct data_set *data_set, uint32_t line)
{
    uint32_t order = 0;
    uint32_t end = data_set->order_count;
    while (end - order > 1) {
        uint32_t middle = order + (end - order) / 2;
        if (data_set->orders[middle].first_line <= line)
            order = middle;
        else
            end = middle;
    }
    return order;
}

/* Finds the order or adds it. */
static struct error place_order(struct data_set_reader *reader, struct text order_id,
                                uint32_t *place)
{
    struct data_set *data_set = reader->data_set;
    if (data_set_find_order(data_set, order_id, place))
        return error_none();
    void *orders = data_set->orders;
    struct text kept = arena_copy_text(&data_set->arena, order_id);
    if (kept.data == NULL || !hash_map_reserve(&data_set->order_places, 1) ||
        !make_room(&orders, &reader->order_capacity, data_set->order_count,
                   sizeof *data_set->orders))
        return error_memory(reader);
    data_set->orders = orders;
    *place = data_set->order_count++;
    data_set->orders[*place] = (struct data_set_order){.order_id = kept};
    hash_map_add(&data_set->order_places, hash_text(hash_seed, kept), *place);
    return error_none();
}

struct product_search {
    const struct data_set *data_set;
    struct text sku;
};

static bool is_product(void *context, uint64_t value)
{
    const struct product_search *search = context;
    return text_equal(search->data_set->products[value].sku, search->sku);
}

enum { sku_digits = 10 };
static const char sku_prefix[] = "SCMS-";
enum { sku_bytes = sizeof sku_prefix - 1 + sku_digits };

/* Writes the SKU and a NUL; false if OpenSSL has no memory. */
static bool make_sku(struct text description, char sku[sku_bytes + 1])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(description.data, description.size, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    snprintf(sku, sku_bytes + 1, "%s%02x%02x%02x%02x%02x", sku_prefix, digest[0], digest[1],
             digest[2], digest[3], digest[4]);
    return true;
}

static struct error add_product(struct data_set_reader *reader, struct text sku,
                                struct text description, uint32_t *place)
{
    struct data_set *data_set = reader->data_set;
    struct data_set_product product = {
        .sku = arena_copy_text(&data_set->arena, sku),
        .description = arena_copy_text(&data_set->arena, description),
    };
    void *products = data_set->products;
    if (product.sku.data == NULL || product.description.data == NULL ||
        !hash_map_reserve(&reader->product_places, 1) ||
        !make_room(&products, &reader->product_capacity, data_set->product_count,
                   sizeof *data_set->products))
        return error_memory(reader);
    data_set->products = products;
    *place = data_set->product_count++;
    data_set->products[*place] = product;
    hash_map_add(&reader->product_places, hash_text(hash_seed, product.sku), *place);
    return error_none();
}

/* Finds the product or adds it. */
static struct error place_product(struct data_set_reader *reader, uint64_t line,
                                  struct text description, uint32_t *place)
{
    char sku[sku_bytes + 1];
    uint64_t found;
    if (!make_sku(description, sku))
        return error_memory(reader);
    struct product_search search = {reader->data_set, text_of(sku)};
    if (!hash_map_find(&reader->product_places, hash_text(hash_seed, search.sku), is_product,
                       &search, &found))
        return add_product(reader, search.sku, description, place);
    *place = (uint32_t)found;
    if (!text_equal(reader->data_set->products[found].description, description)) {
        return error_field(reader, line, COLUMN_DESCRIPTION,
                           "gives the same SKU as another description");
    }
    return error_none();
}

static struct error add_line(struct data_set_reader *reader, const struct read_line *line)
{
    struct data_set *data_set = reader->data_set;
    void *lines = reader->lines;
    if (!make_room(&lines, &reader->line_capacity, data_set->line_count, sizeof *reader->lines))
        return error_memory(reader);
    reader->lines = lines;
    reader->lines[data_set->line_count++] = *line;
    data_set->orders[line->order].line_count++;
    data_set->orders[line->order].packs += line->line.packs;
    data_set->products[line->line.product].packs += line->line.packs;
    data_set->packs += line->line.packs;
    return error_none();
}

static struct error record_is_read(void *context, uint64_t line, const struct text *fields)
{
    struct data_set_reader *reader = context;
    struct read_line read = {0};
    if (reader->data_set->line_count == 0)
        reader->data_set->has_logistics = fields[COLUMN_COUNTRY].size > 0;
    if (reader->data_set->line_count == data_set_lines_max) {
        return error_make(ERROR_INVALID_INPUT, "%s:%llu: more than 1000000 lines", reader->name,
                          (unsigned long long)line);
    }
    struct error error = check_record(reader, line, fields, &read.line.packs);
    if (!error_is(error))
        error = place_order(reader, fields[COLUMN_ORDER], &read.order);
    if (!error_is(error))
        error = place_product(reader, line, fields[COLUMN_DESCRIPTION], &read.line.product);
    if (error_is(error))
        return error;
    if (reader->data_set->has_logistics != (fields[COLUMN_COUNTRY].size > 0))
        return error_field(reader, line, COLUMN_COUNTRY, "is needed on every line or on none");
    if (reader->data_set->has_logistics) {
        error = read_logistics(reader, line, fields, &read);
        if (error_is(error))
            return error;
    }
    if (reader->data_set->orders[read.order].line_count == inventory_lines_max)
        return error_field(reader, line, COLUMN_ORDER, "has more than 100 lines");
    if (reader->data_set->products[read.line.product].packs >
        inventory_quantity_max - read.line.packs) {
        return error_field(reader, line, COLUMN_PACKS,
                           "brings the product's sum above 1000000000000");
    }
    return add_line(reader, &read);
}

/* --- the whole --- */

/* Puts each order's lines together and counts what remains of them after summing by product. */
static struct error deal_out_lines(struct data_set_reader *reader)
{
    struct data_set *data_set = reader->data_set;
    uint32_t *seen = memory_allocate_zero(data_set->product_count, sizeof *seen); /* order + 1 */
    data_set->lines = memory_allocate_zero(data_set->line_count, sizeof *data_set->lines);
    if (seen == NULL || data_set->lines == NULL) {
        memory_release(seen);
        return error_memory(reader);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        data_set->orders[i].first_line = at;
        at += data_set->orders[i].line_count;
        data_set->orders[i].line_count = 0;
    }
    for (uint32_t i = 0; i < data_set->line_count; i++) {
        struct data_set_order *order = &data_set->orders[reader->lines[i].order];
        data_set->lines[order->first_line + order->line_count++] = reader->lines[i].line;
    }
    for (uint32_t i = 0; i < data_set->order_count; i++) {
        struct data_set_order *order = &data_set->orders[i];
        for (uint32_t j = 0; j < order->line_count; j++) {
            uint32_t product = data_set->lines[order->first_line + j].product;
            order->sku_count += seen[product] != i + 1;
            seen[product] = i + 1;
        }
        data_set->summed_line_count += order->sku_count;
    }
    memory_release(seen);
    return error_none();
}

static struct error reader_init(struct data_set_reader *reader, struct data_set *data_set,
                                const char *name)
{
    *data_set = (struct data_set){0};
    arena_init(&data_set->arena, arena_bytes_max);
    hash_map_init(&data_set->order_places);
    *reader = (struct data_set_reader){.data_set = data_set, .name = name};
    hash_map_init(&reader->product_places);
    data_set->countries = memory_allocate_zero(data_set_names_max, sizeof(struct text));
    data_set->sites = memory_allocate_zero(data_set_names_max, sizeof(struct text));
    data_set->groups = memory_allocate_zero(data_set_names_max, sizeof(struct text));
    if (data_set->countries == NULL || data_set->sites == NULL || data_set->groups == NULL)
        return error_memory(reader);
    reader->digest = EVP_MD_CTX_new();
    if (reader->digest == NULL || EVP_DigestInit_ex(reader->digest, EVP_sha256(), NULL) != 1)
        return error_memory(reader);
    struct csv_reader_options options = {
        .name = name,
        .columns = columns,
        .column_count = column_count,
        .optional_count = column_count - COLUMN_COUNTRY,
        .record = record_is_read,
        .context = reader,
    };
    return csv_reader_create(&reader->csv, &options);
}

static struct error reader_feed(struct data_set_reader *reader, struct text bytes)
{
    if (EVP_DigestUpdate(reader->digest, bytes.data, bytes.size) != 1)
        return error_memory(reader);
    return csv_reader_feed(reader->csv, bytes);
}

static struct error reader_finish(struct data_set_reader *reader)
{
    struct error error = csv_reader_finish(reader->csv);
    if (error_is(error))
        return error;
    if (reader->data_set->line_count == 0)
        return error_make(ERROR_INVALID_INPUT, "%s: there is no line behind the header",
                          reader->name);
    if (EVP_DigestFinal_ex(reader->digest, reader->data_set->digest, NULL) != 1)
        return error_memory(reader);
    struct data_set *data_set = reader->data_set;
    error = deal_out_lines(reader);
    if (!error_is(error) && data_set->has_logistics)
        error = item_weights_fill(data_set, &data_set->never_weighed_count);
    return error_is(error) ? error_prefix(error, "%s", reader->name) : error;
}

/* With an error the data set is released too. */
static void reader_deinit(struct data_set_reader *reader, const struct error *error)
{
    csv_reader_destroy(reader->csv);
    EVP_MD_CTX_free(reader->digest);
    hash_map_deinit(&reader->product_places);
    memory_release(reader->lines);
    if (error_is(*error))
        data_set_deinit(reader->data_set);
}

struct error data_set_read_bytes(struct data_set *data_set, const char *name, struct text bytes)
{
    struct data_set_reader reader;
    struct error error = reader_init(&reader, data_set, name);
    if (!error_is(error))
        error = reader_feed(&reader, bytes);
    if (!error_is(error))
        error = reader_finish(&reader);
    reader_deinit(&reader, &error);
    return error;
}

static struct error feed_file(struct data_set_reader *reader, struct file *file)
{
    struct error error = error_none();
    char *piece = memory_allocate(read_bytes);
    size_t got = read_bytes;
    if (piece == NULL)
        return error_memory(reader);
    for (uint64_t offset = 0; got == read_bytes && !error_is(error); offset += got) {
        error = file_read(file, offset, piece, read_bytes, &got);
        if (!error_is(error))
            error = reader_feed(reader, text_make(piece, got));
    }
    memory_release(piece);
    return error;
}

struct error data_set_read(struct data_set *data_set, struct file_system *file_system,
                           const char *path)
{
    struct data_set_reader reader;
    struct file *file = NULL;
    struct error error = reader_init(&reader, data_set, path);
    if (!error_is(error))
        error = file_system_open(file_system, path, FILE_OPEN_READ, &file);
    if (!error_is(error))
        error = feed_file(&reader, file);
    if (!error_is(error))
        error = reader_finish(&reader);
    file_close(file);
    reader_deinit(&reader, &error);
    return error;
}

void data_set_deinit(struct data_set *data_set)
{
    hash_map_deinit(&data_set->order_places);
    memory_release(data_set->products);
    memory_release(data_set->orders);
    memory_release(data_set->lines);
    memory_release(data_set->countries);
    memory_release(data_set->sites);
    memory_release(data_set->groups);
    arena_deinit(&data_set->arena);
}
