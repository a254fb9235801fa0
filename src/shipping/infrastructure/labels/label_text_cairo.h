#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_TEXT_CAIRO_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_TEXT_CAIRO_H

#include "platform/base/error.h"
#include "shipping/infrastructure/labels/label_canvas.h"

#include <cairo.h>

/*
 * Draws the text into its box, whose corner is (x, y) there, with the source and operator that are
 * set. The user unit is a dot. Any script that an installed font has; what none has is drawn as a
 * box with its number. Nothing is drawn outside the box. Thread: any, each with fonts of its own.
 * Errors: OUT_OF_MEMORY.
 */
struct error label_text_cairo_draw(cairo_t *cairo, const struct label_text *text, int x, int y);

#endif
