#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_PAGE_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_PAGE_H

#include "shipping/domain/label.h"
#include "shipping/infrastructure/labels/label_canvas.h"

/* INVALID_INPUT with what is wrong, or none. Pure. */
__attribute__((warn_unused_result)) struct error label_request_check(
    const struct label_request *request);

/* The page of a tracking number, from 0. The request has been checked. */
void label_page_draw(struct label_canvas *canvas, const struct label_request *request,
                     size_t index);

#endif
