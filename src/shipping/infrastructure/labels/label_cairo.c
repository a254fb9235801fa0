/*
 * Both formats are drawn by the same calls in dots; a PDF is scaled to points. A PNG is drawn on a
 * surface of one byte a dot that cairo takes for opacity and writes as grey: white is opaque, and
 * black ink takes opacity away.
 *
 * How it fails: cairo keeps the first failure in its objects; it is asked for once, at the end.
 * What the content cannot take is a failure of ours, remembered at once.
 */
#include "shipping/infrastructure/labels/label_cairo.h"

#include "shipping/infrastructure/labels/label_symbol.h"
#include "shipping/infrastructure/labels/label_text_cairo.h"

#include <cairo-pdf.h>
#include <stdio.h>

static struct label_cairo *of(struct label_canvas *canvas)
{
    return (struct label_cairo *)canvas; /* its first member */
}

void label_canvas_write(struct label_canvas *canvas, struct text bytes)
{
    struct buffer *content = canvas->content;
    if (error_is(canvas->error) || buffer_append_text(content, bytes))
        return;
    if (bytes.size > content->size_max - content->size)
        canvas->error =
            error_make(ERROR_LIMIT, "a label of more than %zu bytes", content->size_max);
    else
        canvas->error = error_make(ERROR_OUT_OF_MEMORY, "a label");
}

static cairo_status_t on_bytes(void *closure, const unsigned char *data, unsigned size)
{
    struct label_canvas *canvas = closure;
    label_canvas_write(canvas, text_make(data, size));
    return error_is(canvas->error) ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void note_status(struct label_canvas *canvas, cairo_status_t status)
{
    if (status == CAIRO_STATUS_SUCCESS || error_is(canvas->error))
        return;
    canvas->error =
        error_make(status == CAIRO_STATUS_NO_MEMORY ? ERROR_OUT_OF_MEMORY : ERROR_INTERNAL,
                   "drawing a label: %s", cairo_status_to_string(status));
}

/* --------------------------------------------------------------------------------------- drawing
 */

static void ink(struct label_cairo *canvas, bool white)
{
    if (canvas->is_pdf) {
        cairo_set_source_rgb(canvas->cairo, white, white, white);
        return;
    }
    cairo_set_source_rgba(canvas->cairo, 0, 0, 0, 1);
    cairo_set_operator(canvas->cairo, white ? CAIRO_OPERATOR_OVER : CAIRO_OPERATOR_DEST_OUT);
}

static void begin_page(struct label_canvas *base, size_t page)
{
    struct label_cairo *canvas = of(base);
    cairo_identity_matrix(canvas->cairo);
    if (canvas->is_pdf)
        cairo_scale(canvas->cairo, 72.0 / label_dots_per_inch, 72.0 / label_dots_per_inch);
    else
        cairo_translate(canvas->cairo, 0, (double)page * label_dots_high);
}

static void fill(struct label_canvas *base, struct label_box box)
{
    struct label_cairo *canvas = of(base);
    ink(canvas, false);
    cairo_rectangle(canvas->cairo, box.x, box.y, box.width, box.height);
    cairo_fill(canvas->cairo);
}

static void draw_text(struct label_canvas *base, const struct label_text *text)
{
    struct label_cairo *canvas = of(base);
    if (error_is(base->error))
        return;
    ink(canvas, text->white);
    base->error = label_text_cairo_draw(canvas->cairo, text, text->box.x, text->box.y);
}

static void draw_bars(struct label_canvas *base, const struct label_bars *bars)
{
    struct label_cairo *canvas = of(base);
    struct zint_symbol *symbol;
    if (error_is(base->error))
        return;
    base->error = label_symbol_bars(bars->identifier, bars->value, &symbol);
    if (error_is(base->error))
        return;
    ink(canvas, false);
    for (struct zint_vector_rect *bar = symbol->vector->rectangles; bar != NULL; bar = bar->next)
        cairo_rectangle(canvas->cairo, bars->x + (double)bar->x * bars->module, bars->y,
                        (double)bar->width * bars->module, bars->height);
    cairo_fill(canvas->cairo);
    ZBarcode_Delete(symbol);
}

static void draw_matrix(struct label_canvas *base, const struct label_matrix *matrix)
{
    struct label_cairo *canvas = of(base);
    struct zint_symbol *symbol;
    if (error_is(base->error))
        return;
    base->error = label_symbol_matrix(matrix->data, &symbol);
    if (error_is(base->error))
        return;
    int module = label_symbol_matrix_module(matrix->box.width, symbol->width);
    ink(canvas, false);
    for (struct zint_vector_rect *dot = symbol->vector->rectangles; dot != NULL; dot = dot->next)
        cairo_rectangle(canvas->cairo, matrix->box.x + (double)dot->x * module,
                        matrix->box.y + (double)dot->y * module, (double)dot->width * module,
                        (double)dot->height * module);
    cairo_fill(canvas->cairo);
    ZBarcode_Delete(symbol);
}

static void end_page(struct label_canvas *base)
{
    if (of(base)->is_pdf)
        cairo_show_page(of(base)->cairo);
}

static void finish(struct label_canvas *base)
{
    struct label_cairo *canvas = of(base);
    note_status(base, cairo_status(canvas->cairo));
    cairo_destroy(canvas->cairo);
    if (!canvas->is_pdf && !error_is(base->error))
        note_status(base, cairo_surface_write_to_png_stream(canvas->surface, on_bytes, base));
    cairo_surface_finish(canvas->surface);
    note_status(base, cairo_surface_status(canvas->surface));
    cairo_surface_destroy(canvas->surface);
}

/* ------------------------------------------------------------------------------------------ life
 */

static const struct label_canvas_table table = {
    .begin_page = begin_page,
    .fill = fill,
    .text = draw_text,
    .bars = draw_bars,
    .matrix = draw_matrix,
    .end_page = end_page,
    .finish = finish,
};

void label_cairo_init_pdf(struct label_cairo *canvas, struct buffer *content, const char *title,
                          const char *date)
{
    char created[32];
    *canvas = (struct label_cairo){.base = {.table = &table, .content = content}, .is_pdf = true};
    canvas->surface = cairo_pdf_surface_create_for_stream(
        on_bytes, canvas, 72.0 * label_dots_wide / label_dots_per_inch,
        72.0 * label_dots_high / label_dots_per_inch);
    snprintf(created, sizeof created, "%sT00:00:00Z", date);
    cairo_pdf_surface_set_metadata(canvas->surface, CAIRO_PDF_METADATA_CREATE_DATE, created);
    cairo_pdf_surface_set_metadata(canvas->surface, CAIRO_PDF_METADATA_TITLE, title);
    cairo_pdf_surface_set_metadata(canvas->surface, CAIRO_PDF_METADATA_CREATOR, "Waybill");
    canvas->cairo = cairo_create(canvas->surface);
}

void label_cairo_init_png(struct label_cairo *canvas, struct buffer *content, size_t pages)
{
    *canvas = (struct label_cairo){.base = {.table = &table, .content = content}};
    canvas->surface =
        cairo_image_surface_create(CAIRO_FORMAT_A8, label_dots_wide, label_dots_high * (int)pages);
    canvas->cairo = cairo_create(canvas->surface);
    cairo_set_source_rgba(canvas->cairo, 0, 0, 0, 1);
    cairo_paint(canvas->cairo);
}
