#ifndef WAYBILL_MAIN_REPLAY_DATA_DATA_SET_H
#define WAYBILL_MAIN_REPLAY_DATA_DATA_SET_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/hash_map.h"
#include "platform/base/text.h"
#include "platform/storage/file_system.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The orders of a file like data/scms_deliveries.csv, each used field checked. A file may leave out
 * all the columns that tell where goods come from and go to; then only orders are there. An order
 * is what one `ASN/DN #` names, wherever its lines stand; a product is an `Item Description`.
 *
 * Texts are on the arena, each with a NUL behind it. Read only after data_set_read. Thread: any
 * then.
 */
enum {
    data_set_order_id_bytes_max = 32,     /* leaves room for the ids made of it */
    data_set_description_bytes_max = 256, /* it is the item's name */
    data_set_name_bytes_max = 128,        /* of a country, site or group */
    data_set_names_max = 1000,            /* of each */
    data_set_lines_max = 1000000,
    data_set_digest_bytes = 32,
};

/* A product or a place of making without a name of its own. */
enum { data_set_nowhere = UINT32_MAX };

struct data_set_product {
    struct text sku; /* "SCMS-" and the first 10 hex digits of the SHA-256 of the description */
    struct text description;
    int64_t packs;        /* of all orders; 10^12 at most */
    uint32_t group;       /* of groups */
    int64_t weight_grams; /* of a pack, at least 1 (item_weights.h); 0 = the file has no weights */
};

struct data_set_line {
    uint32_t product;
    int64_t packs; /* 1 to 10^12 */
    /* With has_logistics: */
    uint32_t site;         /* of sites; data_set_nowhere = from a distribution centre */
    int64_t value_minor;   /* in cents of a US dollar */
    int64_t weight_grams;  /* -1 = not recorded on this line */
    int64_t freight_minor; /* in cents; -1 = not recorded on this line */
    int32_t scheduled_day; /* days since 1970-01-01 */
    int32_t delivered_day;
};

struct data_set_order {
    struct text order_id;
    uint32_t country;    /* of countries */
    uint32_t first_line; /* its lines as they stand in the file, one behind the other */
    uint32_t line_count; /* 1 to 100 */
    uint32_t sku_count;  /* lines that remain after summing */
    int64_t packs;
};

struct data_set {
    struct arena arena;
    struct data_set_product *products; /* all in order of first appearance */
    struct data_set_order *orders;
    struct data_set_line *lines; /* by order */
    struct text *countries;
    struct text *sites;
    struct text *groups;
    uint32_t country_count;
    uint32_t site_count;
    uint32_t group_count;
    bool has_logistics; /* the file has the columns of countries, sites, weights, values and days */
    uint32_t product_count;
    uint32_t never_weighed_count; /* products whose weight is their group's */
    uint32_t order_count;
    uint32_t line_count;
    uint32_t summed_line_count;
    int64_t packs;
    uint8_t digest[data_set_digest_bytes]; /* SHA-256 of the file */
    struct hash_map order_places;          /* order_id → order */
};

/*
 * Reads and checks the whole file. Errors: INVALID_INPUT "FILE:LINE: COLUMN: problem"; the file
 * system's; OUT_OF_MEMORY. On an error there is nothing to release.
 */
__attribute__((warn_unused_result)) struct error data_set_read(struct data_set *data_set,
                                                               struct file_system *file_system,
                                                               const char *path);

/* The same from bytes at hand; `name` stands for the file in errors. */
__attribute__((warn_unused_result)) struct error data_set_read_bytes(struct data_set *data_set,
                                                                     const char *name,
                                                                     struct text bytes);

void data_set_deinit(struct data_set *data_set);

/* The place of that order; false if there is none. */
bool data_set_find_order(const struct data_set *data_set, struct text order_id, uint32_t *order);

/* The order that the line is one of. */
uint32_t data_set_order_of_line(const struct data_set *data_set, uint32_t line);

#endif
