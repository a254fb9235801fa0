#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_SYMBOL_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_SYMBOL_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <zint.h>

/*
 * Symbols by libzint, as vectors whose unit is a module. zint gives check characters and error
 * correction; nothing is checked twice. Any thread. Errors: OUT_OF_MEMORY, INTERNAL with zint's
 * text. ZBarcode_Delete releases the symbol.
 */

/* Code 128; GS1-128 when there is an application identifier. */
struct error label_symbol_bars(struct text identifier, struct text value,
                               struct zint_symbol **symbol);

/* Data Matrix (ECC 200), the smallest square that holds the data. */
struct error label_symbol_matrix(struct text data, struct zint_symbol **symbol);

/* How wide a module of a matrix of so many is in a box, with one of quiet on each side. */
int label_symbol_matrix_module(int box_width, int modules);

/*
 * The most modules that Code 128 takes for so many characters A-Z and 0-9, quiet zones of ten
 * modules on both sides included. GS1-128 has one character more (FNC1).
 */
int label_symbol_modules_max(struct text value, bool gs1);

#endif
