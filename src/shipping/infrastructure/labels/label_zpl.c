/*
 * A word from outside never becomes a command: ^, ~ and _ are written as hexadecimal (^FH_), and in
 * comments left out. A printer does not say how wide its letters are, so lines are broken by widths
 * that are rather too large (a share of the font's height for each kind of letter).
 */
#include "shipping/infrastructure/labels/label_zpl.h"

#include "shipping/infrastructure/labels/label_symbol.h"
#include "shipping/infrastructure/labels/label_text_cairo.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void print(struct label_canvas *canvas,
                                                        const char *format, ...)
{
    char out[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(out, sizeof out, format, arguments);
    va_end(arguments);
    label_canvas_write(canvas, text_make(out, (size_t)length));
}

/* As field data below ^FH_. */
static void print_escaped(struct label_canvas *canvas, struct text words)
{
    size_t from = 0;
    for (size_t i = 0; i < words.size; i++) {
        char c = words.data[i];
        if (c != '^' && c != '~' && c != '_')
            continue;
        label_canvas_write(canvas, text_make(words.data + from, i - from));
        print(canvas, "_%02X", (unsigned)(unsigned char)c);
        from = i + 1;
    }
    label_canvas_write(canvas, text_make(words.data + from, words.size - from));
}

/* ------------------------------------------------------------------------------ text as text */

/* The character at *at, which is well-formed, and on to the next. */
static uint32_t next_character(struct text text, size_t *at)
{
    unsigned char first = (unsigned char)text.data[*at];
    size_t more = first < 0x80 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    uint32_t character = more == 0 ? first : first & (0x3Fu >> more);
    for (size_t i = 1; i <= more; i++)
        character = character << 6 | ((unsigned char)text.data[*at + i] & 0x3Fu);
    *at += more + 1;
    return character;
}

/* Latin with the signs that come with it: what font 0 surely has. */
static bool has_font(struct text text)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t c = next_character(text, &at);
        bool latin = (c >= 0x20 && c < 0x7F) || (c >= 0xA0 && c <= 0x17F);
        if (!latin && c != 0x2013 && c != 0x2014 && c != 0x2018 && c != 0x2019 && c != 0x201C &&
            c != 0x201D)
            return false;
    }
    return true;
}

/* Per cent of the font's height, at most. */
static int width_of(uint32_t c)
{
    if (c >= 0x2013)
        return 100;
    if (c < 0x7F && strchr(" !'(),-.:;I[]ijl|`", (int)c) != NULL)
        return 34;
    if (c < 0x7F && strchr("MWmw@%&", (int)c) != NULL)
        return 90;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return 54;
    return c < 0x7F ? 64 : 80;
}

/* How many bytes from `at` on make the next line; *next is where the one after begins. */
static size_t line_bytes(struct text text, size_t at, int size, int width, size_t *next)
{
    int used = 0;
    size_t end = at, word_end = 0;
    while (end < text.size) {
        size_t after = end;
        uint32_t c = next_character(text, &after);
        used += width_of(c) * size;
        if (used > width * 100 && end > at) {
            size_t bytes = word_end > 0 ? word_end - at : end - at;
            *next = word_end > 0 ? word_end + 1 : end; /* the space goes with the break */
            return bytes;
        }
        if (c == ' ' && end > at)
            word_end = end;
        end = after;
    }
    *next = text.size;
    return text.size - at;
}

static int line_height(int size)
{
    return size + size / 5;
}

static int lines_of(const struct label_text *text, int size)
{
    int lines = 0;
    for (size_t i = 0; i < text->count; i++) {
        for (size_t at = 0; at < text->paragraphs[i].size; lines++)
            line_bytes(text->paragraphs[i], at, size, text->box.width, &at);
    }
    return lines;
}

static void print_line(struct label_canvas *canvas, const struct label_text *text, int size, int y,
                       struct text line, bool cut)
{
    int width = 0;
    for (size_t at = 0; at < line.size && text->centred;)
        width += width_of(next_character(line, &at)) * size;
    print(canvas, "^FO%d,%d%s^A0N,%d,%d", text->box.x, y, text->white ? "^FR" : "", size, size);
    if (text->centred && width <= text->box.width * 100)
        print(canvas, "^FB%d,1,0,C", text->box.width);
    print(canvas, "^FH_^FD");
    print_escaped(canvas, line);
    print(canvas, "%s^FS\n", cut ? "..." : "");
}

/* Every line, or one for each paragraph. */
static void print_lines(struct label_canvas *canvas, const struct label_text *text, int size,
                        bool all)
{
    int y = text->box.y + (text->centred ? (text->box.height - line_height(size)) / 2 : 0);
    for (size_t i = 0; i < text->count; i++) {
        struct text paragraph = text->paragraphs[i];
        for (size_t at = 0; at < paragraph.size;) {
            size_t next, begin = at;
            int width = text->box.width;
            size_t bytes = line_bytes(paragraph, at, size, width, &next);
            bool cut = !all && next < paragraph.size;
            if (cut)
                bytes = line_bytes(paragraph, at, size, width - 2 * size, &next);
            print_line(canvas, text, size, y, text_make(paragraph.data + begin, bytes), cut);
            y += line_height(size);
            at = all ? next : paragraph.size;
        }
    }
}

static void print_text(struct label_canvas *canvas, const struct label_text *text)
{
    int size = text->size;
    while (lines_of(text, size) * line_height(size) > text->box.height && size > text->size_min)
        size--;
    bool all = lines_of(text, size) * line_height(size) <= text->box.height;
    while (!all && (int)text->count * line_height(size) > text->box.height)
        size--;
    print_lines(canvas, text, size, all);
}

/* --------------------------------------------------------------------------- text as a picture */

static void print_comment(struct label_canvas *canvas, const struct label_text *text)
{
    for (size_t i = 0; i < text->count; i++) {
        struct text words = text->paragraphs[i];
        size_t from = 0;
        print(canvas, "^FX ");
        for (size_t at = 0; at <= words.size; at++) {
            if (at < words.size && words.data[at] != '^' && words.data[at] != '~')
                continue;
            label_canvas_write(canvas, text_make(words.data + from, at - from));
            from = at + 1;
        }
        print(canvas, "^FS\n");
    }
}

/* One bit a dot, black from the middle grey on; rows in hexadecimal, of whole bytes. */
static void print_rows(struct label_canvas *canvas, cairo_surface_t *surface, struct label_box box)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface), bytes = (box.width + 7) / 8;
    char row[2 * (label_dots_wide / 8 + 1)];
    print(canvas, "^FO%d,%d^GFA,%d,%d,%d,", box.x, box.y, bytes * box.height, bytes * box.height,
          bytes);
    for (int y = 0; y < box.height; y++) {
        for (int byte = 0; byte < bytes; byte++) {
            unsigned bits = 0;
            for (int bit = 0; bit < 8 && byte * 8 + bit < box.width; bit++)
                bits |= (pixels[y * stride + byte * 8 + bit] >= 128 ? 0x80u : 0) >> bit;
            row[2 * byte] = digits[bits >> 4];
            row[2 * byte + 1] = digits[bits & 15];
        }
        label_canvas_write(canvas, text_make(row, 2 * (size_t)bytes));
    }
    print(canvas, "^FS\n");
}

static void print_picture(struct label_canvas *canvas, const struct label_text *text)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_A8, text->box.width, text->box.height);
    cairo_t *cairo = cairo_create(surface);
    print_comment(canvas, text);
    if (!error_is(canvas->error))
        canvas->error = label_text_cairo_draw(cairo, text, 0, 0);
    if (cairo_status(cairo) != CAIRO_STATUS_SUCCESS && !error_is(canvas->error))
        canvas->error = error_make(ERROR_OUT_OF_MEMORY, "drawing a label: %s",
                                   cairo_status_to_string(cairo_status(cairo)));
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (!error_is(canvas->error))
        print_rows(canvas, surface, text->box);
    cairo_surface_destroy(surface);
}

static void draw_text(struct label_canvas *canvas, const struct label_text *text)
{
    bool all = true;
    for (size_t i = 0; i < text->count; i++)
        all = all && has_font(text->paragraphs[i]);
    if (all)
        print_text(canvas, text);
    else
        print_picture(canvas, text);
}

/* -------------------------------------------------------------------------------------- the rest
 */

static void begin_page(struct label_canvas *canvas, size_t page)
{
    (void)page;
    print(canvas, "^XA\n^CI28\n^PW%d\n^LL%d\n^LH0,0\n", label_dots_wide, label_dots_high);
}

static void fill(struct label_canvas *canvas, struct label_box box)
{
    int thick = box.width < box.height ? box.width : box.height;
    print(canvas, "^FO%d,%d^GB%d,%d,%d^FS\n", box.x, box.y, box.width, box.height, thick);
}

/* Mode A packs digits in pairs; mode D begins with FNC1 and takes the parentheses away. */
static void draw_bars(struct label_canvas *canvas, const struct label_bars *bars)
{
    bool gs1 = bars->identifier.size > 0;
    print(canvas, "^FO%d,%d^BY%d^BCN,%d,N,N,N,%c^FD", bars->x, bars->y, bars->module, bars->height,
          gs1 ? 'D' : 'A');
    print(canvas, "%s%.*s%s%.*s^FS\n", gs1 ? "(" : "", (int)bars->identifier.size,
          gs1 ? bars->identifier.data : "", gs1 ? ")" : "", (int)bars->value.size,
          bars->value.data);
}

static void draw_matrix(struct label_canvas *canvas, const struct label_matrix *matrix)
{
    struct zint_symbol *symbol; /* asked for its size alone, which depends on the data */
    if (error_is(canvas->error))
        return;
    canvas->error = label_symbol_matrix(matrix->data, &symbol);
    if (error_is(canvas->error))
        return;
    print(canvas, "^FO%d,%d^BXN,%d,200^FD%.*s^FS\n", matrix->box.x, matrix->box.y,
          label_symbol_matrix_module(matrix->box.width, symbol->width), (int)matrix->data.size,
          matrix->data.data);
    ZBarcode_Delete(symbol);
}

static void end_page(struct label_canvas *canvas)
{
    print(canvas, "^XZ\n");
}

static void finish(struct label_canvas *canvas)
{
    (void)canvas;
}

void label_zpl_init(struct label_zpl *canvas, struct buffer *content)
{
    static const struct label_canvas_table table = {
        .begin_page = begin_page,
        .fill = fill,
        .text = draw_text,
        .bars = draw_bars,
        .matrix = draw_matrix,
        .end_page = end_page,
        .finish = finish,
    };
    *canvas = (struct label_zpl){.base = {.table = &table, .content = content}};
}
