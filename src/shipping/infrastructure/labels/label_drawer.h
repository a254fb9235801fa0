#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_DRAWER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_DRAWER_H

#include "shipping/domain/label.h"

/*
 * The drawer of shipping/domain/label.h: libzint makes the symbols, cairo and pango draw PDF and
 * PNG, ZPL is text (docs/internals/labels.md). One object for the process. Each thread that draws
 * keeps fonts of its own until it ends; the first label of a thread therefore takes longer. Where
 * cairo, pango and fontconfig find no memory they end the process: only our own allocations are
 * errors.
 */
struct label_drawer *label_drawer_local(void);

#endif
