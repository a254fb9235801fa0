#ifndef WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_RECORD_H
#define WAYBILL_INVENTORY_INFRASTRUCTURE_EMBEDDED_INVENTORY_RECORD_H

#include "inventory/domain/inventory_repository.h"
#include "inventory/domain/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the record log of inventory holds: one record a change, with its time and its outcome, so
 * that replay decides nothing. docs/internals/inventory_records.md lists the bytes.
 *
 *  - STOCK_RECEIVED, STOCK_ADJUSTED, STOCK_POLICY: one line;
 *  - RESERVATION: the whole reservation as it is after the change, whatever the change was; so the
 *    latest record of a reservation is all that is ever needed of it. The first one also has links
 *    to the reservations made before it: all, of its order, of its customer.
 *
 * Each line carries a link to the record that changed its SKU before: the ledger of one SKU is a
 * chain through the log, which ListStockEntries follows. And it tells what the change has crossed,
 * so that the events StockAlert and StockShortage follow from the record alone.
 *
 * Records of version 1 are read, too; they knew no policy and tell no crossing.
 */
enum { inventory_record_version = 2 };

enum inventory_record_type {
    RECORD_STOCK_RECEIVED = 1,
    RECORD_STOCK_ADJUSTED = 2,
    RECORD_RESERVATION = 3,
    RECORD_STOCK_POLICY = 4,
    RECORD_SHELF_PLACE = 5, /* how far the shelf was followed where nothing concerned on hand */
};

/* What happened to a reservation. */
enum reservation_change {
    CHANGE_RESERVED,
    CHANGE_COMMITTED,
    CHANGE_ROLLED_BACK,
    CHANGE_EXPIRED,
    CHANGE_EXTENDED, /* touches no stock */
    CHANGE_RETAKEN,  /* EXPIRED → COMMITTED */
    CHANGE_RETURNED, /* of what is committed; `id` is the reservation's, return_id the return's */
};

/*
 * How far back in the log the record of the reservation made before this one is: of any, of one in
 * the same bucket of orders, of customers (reservation_lists.h). 0 = there is none.
 */
struct reservation_links {
    uint64_t back_any;
    uint64_t back_order;
    uint64_t back_customer;
};

struct sku_link {
    uint64_t previous_position; /* of the record that changed the SKU before; 0 = none */
    uint64_t entry_number;      /* how many entries of the SKU come before this line's */
};

/* One record, decoded or to be encoded. Texts view the record's bytes or the command's. */
struct inventory_record {
    enum inventory_record_type type;
    unsigned version; /* as decoded; what is encoded is of the present one */
    struct text
        id; /* receipt, adjustment or reservation; of a policy its SKU; of a place its log */
    int64_t time_us;  /* when it happened */
    struct text sku;  /* RECEIVED, ADJUSTED, POLICY from here */
    int64_t quantity; /* signed; RECEIVED, ADJUSTED */
    int64_t stock_revision;
    struct sku_link link;
    struct stock_crossing crossing;
    struct stock_policy policy;    /* POLICY */
    enum adjustment_reason reason; /* ADJUSTED */
    struct text note;
    struct shelf_place
        shelf; /* RECEIVED, ADJUSTED: position 0 unless it follows the shelf; PLACE */
    enum reservation_change change;      /* RESERVATION from here */
    struct reservation_links list_links; /* RESERVED; in version 1 all 0 */
    struct text return_id;               /* RETURNED */
    enum return_reason return_reason;
    int64_t *returned_now;            /* RETURNED: one a line; its sum is in the lines */
    struct reservation reservation;   /* its id is `id` */
    struct sku_link *links;           /* one a line of the reservation */
    struct stock_crossing *crossings; /* likewise */
};

/* Room for the lines of a decoded reservation. */
struct inventory_record_lines {
    struct reservation_line lines[inventory_lines_max];
    struct sku_link links[inventory_lines_max];
    struct stock_crossing crossings[inventory_lines_max];
    struct quantity_line requested[inventory_lines_max];
    int64_t returned_now[inventory_lines_max];
};

/* No record is longer. */
enum {
    inventory_record_bytes_max = 128 + 4 * (inventory_id_bytes_max + 2) + inventory_note_bytes_max +
                                 inventory_lines_max * (inventory_sku_bytes_max + 1 + 11 * 10) +
                                 inventory_lines_max * (inventory_sku_bytes_max + 1 + 10),
};

/* Writes the record at `bytes`, which has room for it, and gives its size. */
size_t inventory_record_encode(const struct inventory_record *record, char *bytes);

/* Reads a whole record; `lines` must live as long as it. False if the bytes are no record. */
__attribute__((warn_unused_result)) bool inventory_record_decode(
    struct text bytes, struct inventory_record_lines *lines, struct inventory_record *record);

/* Only type and id, which come first: for looking an id up. */
__attribute__((warn_unused_result)) bool inventory_record_identity(struct text bytes,
                                                                   enum inventory_record_type *type,
                                                                   struct text *id);

/* How many lines it has, and one of them. */
size_t inventory_record_line_count(const struct inventory_record *record);
struct text inventory_record_sku(const struct inventory_record *record, size_t line);
struct sku_link inventory_record_link(const struct inventory_record *record, size_t line);
struct stock_crossing inventory_record_crossing(const struct inventory_record *record, size_t line);

/* Whether it changed the stock of that line's SKU: only then link, crossing and entries are its. */
bool inventory_record_touches(const struct inventory_record *record, size_t line);

/* The ledger entries of one line: 0 (a policy, a line not touched), 1 or 2. Only accounts and
 * quantity are set. */
size_t inventory_record_entries(const struct inventory_record *record, size_t line,
                                struct stock_entry entries[2]);

/* The event's name, "StockReserved", and the id of what caused it. */
const char *inventory_record_cause(const struct inventory_record *record);
struct text inventory_record_cause_id(const struct inventory_record *record);

#endif
