/*
 * A request is checked, then its pages are drawn on the canvas of the format. After a failure the
 * content is cut back to what it was.
 */
#include "shipping/infrastructure/labels/label_drawer.h"

#include "shipping/infrastructure/labels/label_cairo.h"
#include "shipping/infrastructure/labels/label_page.h"
#include "shipping/infrastructure/labels/label_zpl.h"

#include <stdio.h>

union any_canvas {
    struct label_canvas base;
    struct label_cairo cairo;
    struct label_zpl zpl;
};

static void make_canvas(union any_canvas *canvas, const struct label_request *request,
                        struct buffer *content, size_t pages)
{
    char title[label_tracking_number_bytes_max + 8];
    struct text number = request->tracking_numbers[request->only > 0 ? request->only - 1 : 0];
    switch (request->format) {
    case SHIPPING_LABEL_PDF:
        snprintf(title, sizeof title, "Label %.*s", (int)number.size, number.data);
        label_cairo_init_pdf(&canvas->cairo, content, title, request->ship_date);
        return;
    case SHIPPING_LABEL_PNG:
        label_cairo_init_png(&canvas->cairo, content, pages);
        return;
    case SHIPPING_LABEL_ZPL:
        label_zpl_init(&canvas->zpl, content);
        return;
    }
}

static struct error draw(struct label_drawer *drawer, const struct label_request *request,
                         struct buffer *content)
{
    union any_canvas canvas;
    size_t before = content->size;
    (void)drawer;
    struct error error = label_request_check(request);
    if (error_is(error))
        return error;
    size_t first = request->only > 0 ? request->only - 1 : 0;
    size_t end = request->only > 0 ? request->only : request->tracking_number_count;
    make_canvas(&canvas, request, content, end - first);
    for (size_t i = first; i < end && !error_is(canvas.base.error); i++) {
        canvas.base.table->begin_page(&canvas.base, i - first);
        label_page_draw(&canvas.base, request, i);
        canvas.base.table->end_page(&canvas.base);
    }
    canvas.base.table->finish(&canvas.base);
    if (error_is(canvas.base.error))
        content->size = before;
    return canvas.base.error;
}

struct label_drawer *label_drawer_local(void)
{
    static const struct label_drawer_table table = {.draw = draw};
    static struct label_drawer drawer = {.table = &table};
    return &drawer;
}
