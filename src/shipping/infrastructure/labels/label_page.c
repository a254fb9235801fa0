/*
 * Where everything stands on the page, the same for all formats. From top to bottom: carrier and
 * service, NOT FOR CARRIAGE, sender, receiver, routing code with the Data Matrix beside it, the
 * bars of the tracking number, what it is about. Boxes do not overlap; a text never leaves its own.
 */
#include "shipping/infrastructure/labels/label_page.h"

#include "shipping/infrastructure/labels/label_country.h"
#include "shipping/infrastructure/labels/label_symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { margin = 20, inner = label_dots_wide - 2 * margin, quiet_modules = 10 };

/* ------------------------------------------------------------------------------------ checking */

static bool is_drawable(struct text text)
{
    return text.size <= label_text_bytes_max && text_is_utf8(text) && !text_has_control(text);
}

static bool is_number(struct text number)
{
    for (size_t i = 0; i < number.size; i++) {
        char c = number.data[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return number.size > 0 && number.size <= label_tracking_number_bytes_max;
}

static bool is_address(const struct shipping_address *address)
{
    const struct text texts[] = {address->name,        address->company, address->phone,
                                 address->city,        address->region,  address->postal_code,
                                 address->country_code};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (!is_drawable(texts[i]))
            return false;
    }
    for (size_t i = 0; i < address->line_count && i < shipping_address_lines_max; i++) {
        if (!is_drawable(address->lines[i]))
            return false;
    }
    return address->line_count <= shipping_address_lines_max;
}

static struct error invalid(const char *what)
{
    return error_make(ERROR_INVALID_INPUT, "a label: %s", what);
}

struct error label_request_check(const struct label_request *request)
{
    size_t numbers = request->tracking_number_count;
    if (request->parcel_count < 1 || request->parcel_count > shipping_parcels_max)
        return invalid("the number of parcels");
    if (numbers != 1 && numbers != request->parcel_count)
        return invalid("as many tracking numbers as parcels, or one");
    if (request->only > numbers)
        return invalid("there is no such page");
    if (request->format != SHIPPING_LABEL_PDF && request->format != SHIPPING_LABEL_ZPL &&
        request->format != SHIPPING_LABEL_PNG)
        return invalid("the format");
    for (size_t i = 0; i < numbers; i++) {
        if (!is_number(request->tracking_numbers[i]))
            return invalid("a tracking number");
    }
    for (size_t i = 0; i < request->parcel_count; i++) {
        if (request->parcels[i].weight_grams < 0 ||
            request->parcels[i].weight_grams > INT64_MAX / shipping_parcels_max)
            return invalid("a weight");
    }
    if (!is_address(request->origin) || !is_address(request->destination))
        return invalid("an address");
    if (!is_drawable(request->carrier) || !is_drawable(request->service_name) ||
        !is_drawable(request->shipment_id) || !is_drawable(request->reference) ||
        memchr(request->ship_date, '\0', sizeof request->ship_date) == NULL ||
        !is_drawable(text_of(request->ship_date)))
        return invalid("a text");
    return error_none();
}

/* ------------------------------------------------------------------------------------- helpers */

static struct label_box box_of(int x, int y, int width, int height)
{
    return (struct label_box){x, y, width, height};
}

static void put(struct label_canvas *canvas, struct label_box box, int size, struct text words)
{
    if (words.size > 0)
        canvas->table->text(
            canvas,
            &(struct label_text){
                .box = box, .paragraphs = &words, .count = 1, .size = size, .size_min = size / 2});
}

static void put_bold(struct label_canvas *canvas, struct label_box box, int size, const char *words)
{
    struct text text = text_of(words);
    canvas->table->text(canvas, &(struct label_text){.box = box,
                                                     .paragraphs = &text,
                                                     .count = 1,
                                                     .size = size,
                                                     .size_min = size / 2,
                                                     .bold = true});
}

static void put_centred(struct label_canvas *canvas, struct label_box box, int size,
                        struct text words, bool white)
{
    canvas->table->text(canvas, &(struct label_text){.box = box,
                                                     .paragraphs = &words,
                                                     .count = 1,
                                                     .size = size,
                                                     .size_min = size / 2,
                                                     .bold = true,
                                                     .centred = true,
                                                     .white = white});
}

static void put_line(struct label_canvas *canvas, int y)
{
    canvas->table->fill(canvas, box_of(margin, y, inner, 3));
}

/* ------------------------------------------------------------------------------------ addresses */

enum { address_paragraphs_max = shipping_address_lines_max + 5 };

struct address_block {
    struct text paragraphs[address_paragraphs_max];
    size_t count;
    char place[3 * (label_text_bytes_max + 2)];
};

static void add(struct address_block *block, struct text text)
{
    if (text.size > 0)
        block->paragraphs[block->count++] = text;
}

/* "10115 Berlin, Berlin" */
static struct text place_of(const struct shipping_address *address, char *out, size_t size)
{
    int length = snprintf(out, size, "%.*s%s%.*s%s%.*s", (int)address->postal_code.size,
                          address->postal_code.size > 0 ? address->postal_code.data : "",
                          address->postal_code.size > 0 && address->city.size > 0 ? " " : "",
                          (int)address->city.size, address->city.size > 0 ? address->city.data : "",
                          address->region.size > 0 ? ", " : "", (int)address->region.size,
                          address->region.size > 0 ? address->region.data : "");
    return text_make(out, (size_t)length);
}

static void put_address(struct label_canvas *canvas, const struct shipping_address *address,
                        struct label_text text, bool with_phone)
{
    struct address_block block;
    block.count = 0;
    add(&block, address->name);
    add(&block, address->company);
    for (size_t i = 0; i < address->line_count; i++)
        add(&block, address->lines[i]);
    add(&block, place_of(address, block.place, sizeof block.place));
    add(&block, address->country_code);
    if (with_phone)
        add(&block, address->phone);
    text.paragraphs = block.paragraphs;
    text.count = block.count;
    if (text.count > 0)
        canvas->table->text(canvas, &text);
}

/* ---------------------------------------------------------------------------------------- codes */

enum { postal_size_max = 12 };

/* Letters and digits of a postal code in capitals; the empty text if it holds anything else. */
static struct text compact_postal_code(struct text code, char out[postal_size_max + 1])
{
    size_t size = 0;
    for (size_t i = 0; i < code.size; i++) {
        char c = code.data[i];
        if (c == ' ' || c == '-')
            continue;
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) || size == postal_size_max)
            return (struct text){0};
        out[size++] = c;
    }
    return text_make(out, size);
}

/*
 * GS1-128: (420) and the postal code inside a country, (421), the country's number and the postal
 * code (at most 9) across a border (GS1 General Specifications, section 3). Absent where there is
 * no such code.
 */
static void put_routing(struct label_canvas *canvas, const struct label_request *request)
{
    const struct shipping_address *to = request->destination;
    char postal[postal_size_max + 1], value[16], words[40];
    struct text code = compact_postal_code(to->postal_code, postal);
    struct text country = label_country_number(to->country_code);
    bool abroad = !text_equal(to->country_code, request->origin->country_code);
    if (code.size == 0 || (abroad && (country.size == 0 || code.size > 9)))
        return;
    int length = snprintf(value, sizeof value, "%.*s%.*s", abroad ? 3 : 0,
                          abroad ? country.data : "", (int)code.size, code.data);
    struct label_bars bars = {.x = margin + 20,
                              .y = 574,
                              .module = 2,
                              .height = 90,
                              .identifier = text_of(abroad ? "421" : "420"),
                              .value = text_make(value, (size_t)length)};
    canvas->table->bars(canvas, &bars);
    snprintf(words, sizeof words, "(%s) %s", abroad ? "421" : "420", value);
    put(canvas, box_of(margin + 20, 668, 500, 28), 24, text_of(words));
}

static void put_matrix(struct label_canvas *canvas, const struct label_request *request,
                       const char *number, size_t index, int64_t grams)
{
    const struct shipping_address *to = request->destination;
    char postal[postal_size_max + 1], data[200];
    struct text code = compact_postal_code(to->postal_code, postal);
    bool known = label_country_number(to->country_code).size > 0;
    snprintf(data, sizeof data, "WB1|%s|%.*s|%.*s|%zu/%zu|%" PRId64, number, known ? 2 : 0,
             known ? to->country_code.data : "", (int)code.size, code.data, index + 1,
             request->tracking_number_count, grams);
    canvas->table->matrix(
        canvas, &(struct label_matrix){.box = box_of(604, 574, 188, 188), .data = text_of(data)});
}

static void put_tracking(struct label_canvas *canvas, struct text number)
{
    int modules = label_symbol_modules_max(number, false);
    int module = label_dots_wide / modules < 3 ? label_dots_wide / modules : 3;
    struct label_bars bars = {.x =
                                  (label_dots_wide - modules * module) / 2 + quiet_modules * module,
                              .y = 816,
                              .module = module,
                              .height = 220,
                              .value = number};
    canvas->table->bars(canvas, &bars);
    put_centred(canvas, box_of(margin, 1042, inner, 46), 38, number, false);
}

/* ----------------------------------------------------------------------------------------- page */

static void put_head(struct label_canvas *canvas, const struct label_request *request)
{
    char carrier[2 * label_text_bytes_max + 8];
    snprintf(carrier, sizeof carrier, "%.*s · %.*s", (int)request->carrier.size,
             request->carrier.size > 0 ? request->carrier.data : "",
             (int)request->service_name.size,
             request->service_name.size > 0 ? request->service_name.data : "");
    put_bold(canvas, box_of(margin, 12, 520, 46), 36, carrier);
    put(canvas, box_of(560, 18, 232, 36), 28, text_of(request->ship_date));
    canvas->table->fill(canvas, box_of(margin, 62, inner, 60));
    put_centred(canvas, box_of(margin, 64, inner, 56), 46, text_of("NOT FOR CARRIAGE"), true);
}

/* What the page is of: one parcel of some, or all of a consignment. */
static void put_parcel(struct label_canvas *canvas, const struct label_request *request,
                       size_t index, int64_t grams)
{
    bool whole = request->tracking_number_count == 1 && request->parcel_count > 1;
    char words[64], reference[label_text_bytes_max + 8];
    if (whole)
        snprintf(words, sizeof words, "%zu pieces", request->parcel_count);
    else
        snprintf(words, sizeof words, "%zu of %zu", index + 1, request->parcel_count);
    put_bold(canvas, box_of(margin, 700, 220, 46), 38, words);
    snprintf(words, sizeof words, "%" PRId64 ".%03d kg", grams / 1000, (int)(grams % 1000));
    put_bold(canvas, box_of(250, 700, 340, 46), 38, words);
    if (request->reference.size > 0) {
        snprintf(reference, sizeof reference, "Ref. %.*s", (int)request->reference.size,
                 request->reference.data);
        put(canvas, box_of(margin, 750, 570, 34), 26, text_of(reference));
    }
}

static void put_foot(struct label_canvas *canvas, const struct label_request *request)
{
    char words[label_text_bytes_max + 16];
    snprintf(words, sizeof words, "Shipment %.*s", (int)request->shipment_id.size,
             request->shipment_id.size > 0 ? request->shipment_id.data : "");
    put(canvas, box_of(margin, 1100, inner, 36), 28, text_of(words));
    put(canvas, box_of(margin, 1142, inner, 30), 22,
        text_of("Not for carriage: no carrier has been paid for this parcel."));
}

static int64_t grams_of(const struct label_request *request, size_t index)
{
    int64_t grams = 0;
    if (request->tracking_number_count == request->parcel_count)
        return request->parcels[index].weight_grams;
    for (size_t i = 0; i < request->parcel_count; i++)
        grams += request->parcels[i].weight_grams;
    return grams;
}

void label_page_draw(struct label_canvas *canvas, const struct label_request *request, size_t index)
{
    struct text number = request->tracking_numbers[index];
    int64_t grams = grams_of(request, index);
    char name[label_tracking_number_bytes_max + 1];
    snprintf(name, sizeof name, "%.*s", (int)number.size, number.data);
    put_head(canvas, request);
    put(canvas, box_of(margin, 128, 200, 24), 20, text_of("FROM"));
    put_address(
        canvas, request->origin,
        (struct label_text){.box = box_of(margin, 152, inner, 128), .size = 24, .size_min = 12},
        false);
    put_line(canvas, 284);
    put_bold(canvas, box_of(margin, 292, 80, 40), 32, "TO");
    if (request->direction == SHIPPING_RETURN)
        put_bold(canvas, box_of(margin, 520, 80, 32), 20, "RETURN");
    put_address(canvas, request->destination,
                (struct label_text){
                    .box = box_of(110, 292, 682, 264), .size = 40, .size_min = 18, .bold = true},
                true);
    put_line(canvas, 560);
    put_routing(canvas, request);
    put_matrix(canvas, request, name, index, grams);
    put_parcel(canvas, request, index, grams);
    put_line(canvas, 796);
    put_tracking(canvas, number);
    put_line(canvas, 1092);
    put_foot(canvas, request);
}
