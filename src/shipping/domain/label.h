#ifndef WAYBILL_SHIPPING_DOMAIN_LABEL_H
#define WAYBILL_SHIPPING_DOMAIN_LABEL_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "shipping/domain/consignment.h"

#include <stddef.h>

/*
 * Labels that we draw ourselves: those of `tariff`, whose shipments no carrier made (a carrier's
 * own label is stored as it came and never drawn). 4 × 6 inches, one page a label. A label is a
 * pure function of the request: the same request gives the same bytes from the same build on the
 * same fonts, so that it need not be stored. Each page says NOT FOR CARRIAGE.
 */
struct label_request {
    enum shipping_label_format format;
    struct text carrier;      /* "tariff" */
    struct text service_name; /* for people; or the service's code */
    struct text shipment_id;
    struct text reference; /* may be empty */
    const struct shipping_address *origin;
    const struct shipping_address *destination;
    char ship_date[11]; /* "YYYY-MM-DD", NUL-terminated */
    enum shipping_direction direction;
    const struct shipping_parcel *parcels; /* 1 to shipping_parcels_max */
    size_t parcel_count;
    /*
     * As many as parcels: a page each ("2 of 3"). One for several parcels: the consignment has one
     * label (freight), which gives their number and the sum of their weights.
     */
    const struct text *tracking_numbers;
    size_t tracking_number_count;
    size_t only; /* 0 = all pages, else the page of this tracking number, from 1 */
};

/* What is read from outside has been checked before; these are what can be drawn at all. */
enum {
    label_tracking_number_bytes_max = 30, /* 'A' to 'Z' and '0' to '9': bars of two dots fit */
    label_text_bytes_max = 512,           /* of any other text: UTF-8 without control characters */
    label_content_bytes_max = 4 << 20,    /* enough for shipping_parcels_max pages in any format */
};

/* Draws. An adapter has it as its first member. */
struct label_drawer;

struct label_drawer_table {
    struct error (*draw)(struct label_drawer *drawer, const struct label_request *request,
                         struct buffer *content);
};

struct label_drawer {
    const struct label_drawer_table *table;
};

/*
 * Appends the file to `content`: a PDF with a page a label, the ZPL II of all labels one after the
 * other, or a PNG with the pages one below the other. Text that is too long for its place is drawn
 * smaller, then cut with "…": it never runs over. Takes milliseconds of the processor and no locks:
 * any thread, several at once. Errors (content is then as it was): INVALID_INPUT (beyond the limits
 * above, `only` beyond the numbers, a count that does not fit), LIMIT (content would outgrow its
 * limit), OUT_OF_MEMORY, INTERNAL (a library's failure, with its text).
 */
__attribute__((warn_unused_result)) static inline struct error label_draw(
    struct label_drawer *drawer, const struct label_request *request, struct buffer *content)
{
    return drawer->table->draw(drawer, request, content);
}

/* "application/pdf" and so on. */
static inline const char *label_media_type(enum shipping_label_format format)
{
    static const char *const types[] = {
        [SHIPPING_LABEL_PDF] = "application/pdf",
        [SHIPPING_LABEL_ZPL] = "application/zpl",
        [SHIPPING_LABEL_PNG] = "image/png",
    };
    return types[format];
}

#endif
