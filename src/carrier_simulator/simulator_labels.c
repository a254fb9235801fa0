/*
 * Labels of 4 x 6 inches by the simplest means: a PDF with text, ZPL with a Code 128, a PNG with a
 * frame and the number's bits as bars. All say that they are samples.
 */
#include "carrier_simulator/simulator_labels.h"

#include "platform/base/base64.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { png_width = 408, png_height = 609, png_row = 1 + png_width / 8 };

static struct text make_pdf(struct arena *arena, const struct simulator_shipment *shipment,
                            const char *number)
{
    char *text = arena_format(arena,
                              "BT /F1 14 Tf 20 400 Td (SAMPLE - NOT FOR CARRIAGE) Tj "
                              "0 -30 Td (%s %s) Tj 0 -30 Td (%s) Tj 0 -30 Td (REF %s) Tj ET",
                              simulator_carrier_name(shipment->carrier), shipment->service, number,
                              shipment->reference);
    if (text == NULL)
        return (struct text){0};
    char *pdf = arena_format(
        arena,
        "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 288 432]/Contents 4 0 R"
        "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n"
        "4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\n"
        "trailer<</Root 1 0 R/Size 5>>\n%%%%EOF\n",
        strlen(text), text);
    return text_of(pdf);
}

static struct text make_zpl(struct arena *arena, const struct simulator_shipment *shipment,
                            const char *number)
{
    return text_of(arena_format(arena,
                                "^XA^PW812^LL1218^FO40,40^A0N,40,40^FDSAMPLE - NOT FOR CARRIAGE^FS"
                                "^FO40,120^A0N,36,36^FD%s %s^FS^FO40,180^A0N,30,30^FDREF %s^FS"
                                "^FO40,260^BY3^BCN,180,Y,N,N^FD%s^FS^XZ\n",
                                simulator_carrier_name(shipment->carrier), shipment->service,
                                shipment->reference, number));
}

static void put_number(unsigned char *at, size_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* Length, type, data, checksum (PNG specification section 5.3). */
static unsigned char *put_chunk(unsigned char *at, const char *type, const unsigned char *data,
                                size_t size)
{
    put_number(at, size);
    memcpy(at + 4, type, 4);
    if (size > 0)
        memcpy(at + 8, data, size);
    put_number(at + 8 + size, crc32(0, at + 4, (uInt)(size + 4)));
    return at + size + 12;
}

static bool is_black(size_t x, size_t y, const char *number, size_t bits)
{
    size_t bit = (x - 40) / 2;
    bool frame = x < 4 || y < 4 || x >= png_width - 4 || y >= png_height - 4;
    return frame || (y > 200 && y < 320 && x >= 40 && bit < bits &&
                     (number[bit / 8] >> (7 - bit % 8) & 1) != 0);
}

/* Grey of one bit a pixel, 1 is white; one filter byte before each row. */
static void draw_rows(unsigned char *rows, const char *number)
{
    size_t bits = 8 * strlen(number);
    for (size_t y = 0; y < png_height; y++) {
        unsigned char *row = rows + y * png_row;
        memset(row, 0xFF, png_row);
        row[0] = 0;
        for (size_t x = 0; x < png_width; x++) {
            if (is_black(x, y, number, bits))
                row[1 + x / 8] &= (unsigned char)~(0x80u >> x % 8);
        }
    }
}

static struct text make_png(struct arena *arena, const char *number)
{
    static const size_t raw_size = (size_t)png_height * png_row;
    uLongf size = compressBound(raw_size);
    unsigned char head[13] = {0};
    unsigned char *rows = arena_allocate(arena, raw_size);
    unsigned char *packed = arena_allocate(arena, size);
    unsigned char *png = arena_allocate(arena, size + 128);
    if (rows == NULL || packed == NULL || png == NULL)
        return (struct text){0};
    draw_rows(rows, number);
    if (compress2(packed, &size, rows, raw_size, 1) != Z_OK)
        return (struct text){0};
    put_number(head, png_width);
    put_number(head + 4, png_height);
    head[8] = 1;
    memcpy(png, "\x89PNG\r\n\x1a\n", 8);
    unsigned char *at = put_chunk(png + 8, "IHDR", head, sizeof head);
    at = put_chunk(at, "IDAT", packed, size);
    at = put_chunk(at, "IEND", NULL, 0);
    return text_make((const char *)png, (size_t)(at - png));
}

struct text simulator_label(struct arena *arena, const struct simulator_shipment *shipment,
                            size_t parcel)
{
    const char *number = shipment->numbers[parcel];
    struct text label =
        strcmp(shipment->label_format, "ZPL") == 0   ? make_zpl(arena, shipment, number)
        : strcmp(shipment->label_format, "PNG") == 0 ? make_png(arena, number)
                                                     : make_pdf(arena, shipment, number);
    char *encoded = arena_allocate(arena, base64_room(label.size));
    if (label.size == 0 || encoded == NULL)
        return (struct text){0};
    return text_make(encoded, base64_encode(label, true, encoded));
}
