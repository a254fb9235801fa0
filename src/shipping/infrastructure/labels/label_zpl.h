#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_ZPL_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_ZPL_H

#include "shipping/infrastructure/labels/label_canvas.h"

/*
 * ZPL II for printers of 203 dots an inch: ^XA … ^XZ a page, UTF-8 (^CI28). Bars and matrix are the
 * printer's own (^BC, ^BX), whose check characters are its own, too. Text is text where the
 * printer's font 0 has it (Latin); other scripts are a picture (^GFA) with the words in a comment.
 */
struct label_zpl {
    struct label_canvas base; /* first */
};

void label_zpl_init(struct label_zpl *canvas, struct buffer *content);

#endif
