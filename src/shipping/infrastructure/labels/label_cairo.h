#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_CAIRO_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_CAIRO_H

#include "shipping/infrastructure/labels/label_canvas.h"

#include <cairo.h>

/* PDF, a page a label; PNG, the pages one below the other. */
struct label_cairo {
    struct label_canvas base; /* first */
    bool is_pdf;
    cairo_surface_t *surface;
    cairo_t *cairo;
};

/* `date` ("YYYY-MM-DD") and `title` go into the file's information; no clock is asked. */
void label_cairo_init_pdf(struct label_cairo *canvas, struct buffer *content, const char *title,
                          const char *date);
void label_cairo_init_png(struct label_cairo *canvas, struct buffer *content, size_t pages);

#endif
