#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_CANVAS_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_LABELS_LABEL_CANVAS_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What a page is drawn on: 812 × 1218 dots, which are 4 × 6 inches at 203 dots an inch, the usual
 * resolution of label printers. The first failure sticks in `error`, and nothing is drawn after it.
 */
enum { label_dots_wide = 812, label_dots_high = 1218, label_dots_per_inch = 203 };

struct label_box {
    int x;
    int y;
    int width;
    int height;
};

/* Paragraphs that stay in their box: broken into lines, then smaller, then cut with "…". */
struct label_text {
    struct label_box box;
    const struct text *paragraphs;
    size_t count;
    int size; /* height of the font */
    int size_min;
    bool bold;
    bool centred;
    bool white;
};

/* Code 128, or GS1-128, where `data` is the application identifier and `value` what follows. */
struct label_bars {
    int x;
    int y;
    int module; /* width of the thinnest bar */
    int height;
    struct text identifier; /* empty = plain Code 128 */
    struct text value;      /* A-Z, 0-9 */
};

/* Data Matrix (ECC 200), square, as large as the box allows. */
struct label_matrix {
    struct label_box box;
    struct text data; /* A-Z, 0-9, '|', '/', '-' */
};

struct label_canvas;

struct label_canvas_table {
    void (*begin_page)(struct label_canvas *canvas, size_t page);
    void (*fill)(struct label_canvas *canvas, struct label_box box);
    void (*text)(struct label_canvas *canvas, const struct label_text *text);
    void (*bars)(struct label_canvas *canvas, const struct label_bars *bars);
    void (*matrix)(struct label_canvas *canvas, const struct label_matrix *matrix);
    void (*end_page)(struct label_canvas *canvas);
    void (*finish)(struct label_canvas *canvas); /* always, once, last */
};

struct label_canvas {
    const struct label_canvas_table *table;
    struct buffer *content;
    struct error error;
};

/* Appends; a failure is LIMIT or OUT_OF_MEMORY. */
void label_canvas_write(struct label_canvas *canvas, struct text bytes);

#endif
