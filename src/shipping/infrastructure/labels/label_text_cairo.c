/*
 * Pango lays the paragraphs out, broken at words and where need be inside them. If that is too high
 * for the box the font shrinks by a tenth, down to the least size; then each paragraph becomes one
 * line that ends in "…", shrinking further; and the box clips what a strange font may still draw.
 *
 * A font map may not be used by two threads, and making one reads the font configuration; so each
 * thread keeps one until it ends.
 */
#include "shipping/infrastructure/labels/label_text_cairo.h"

#include "platform/base/buffer.h"
#include "platform/base/check.h"

#include <pango/pangocairo.h>
#include <pthread.h>

/* Latin, Greek, Cyrillic, Hebrew and Arabic of the first; Chinese, Japanese, Korean of the second.
 */
static const char families[] = "DejaVu Sans,WenQuanYi Micro Hei";
static const double smaller = 0.9;
enum { size_least = 5, joined_bytes_max = 16 * 1024 };

static pthread_key_t context_key;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

static void release_context(void *context)
{
    g_object_unref(context);
}

static void make_key(void)
{
    CHECK(pthread_key_create(&context_key, release_context) == 0);
}

/* The thread's own; it keeps its font map alive. NULL without memory for the key's value. */
static PangoContext *thread_context(void)
{
    CHECK(pthread_once(&context_once, make_key) == 0);
    PangoContext *context = pthread_getspecific(context_key);
    if (context != NULL)
        return context;
    PangoFontMap *map = pango_cairo_font_map_new();
    context = pango_font_map_create_context(map);
    g_object_unref(map);
    /* The same outlines at every size and in every format. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_context_set_language(context, pango_language_from_string("en"));
    if (pthread_setspecific(context_key, context) != 0) {
        g_object_unref(context);
        return NULL;
    }
    return context;
}

static void set_size(PangoLayout *layout, PangoFontDescription *font, double size)
{
    pango_font_description_set_absolute_size(font, size * PANGO_SCALE);
    pango_layout_set_font_description(layout, font);
}

static bool fits(PangoLayout *layout, const struct label_text *text)
{
    PangoRectangle logical;
    pango_layout_get_pixel_extents(layout, NULL, &logical);
    return logical.height <= text->box.height && logical.width <= text->box.width;
}

static void fit(PangoLayout *layout, PangoFontDescription *font, const struct label_text *text)
{
    double size = text->size;
    set_size(layout, font, size);
    while (!fits(layout, text) && size * smaller >= text->size_min) {
        size *= smaller;
        set_size(layout, font, size);
    }
    if (fits(layout, text))
        return;
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_set_height(layout, -1); /* a line a paragraph */
    while (!fits(layout, text) && size * smaller >= size_least) {
        size *= smaller;
        set_size(layout, font, size);
    }
}

static void draw(cairo_t *cairo, PangoContext *context, const struct label_text *text,
                 struct text joined, int x, int y)
{
    PangoLayout *layout = pango_layout_new(context);
    PangoFontDescription *font = pango_font_description_from_string(families);
    if (text->bold)
        pango_font_description_set_weight(font, PANGO_WEIGHT_BOLD);
    pango_layout_set_text(layout, joined.data, (int)joined.size);
    pango_layout_set_width(layout, text->box.width * PANGO_SCALE);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(layout, text->centred ? PANGO_ALIGN_CENTER : PANGO_ALIGN_LEFT);
    fit(layout, font, text);
    cairo_save(cairo);
    cairo_rectangle(cairo, x, y, text->box.width, text->box.height);
    cairo_clip(cairo);
    cairo_move_to(cairo, x, y);
    pango_cairo_show_layout(cairo, layout);
    cairo_restore(cairo);
    pango_font_description_free(font);
    g_object_unref(layout);
}

struct error label_text_cairo_draw(cairo_t *cairo, const struct label_text *text, int x, int y)
{
    struct buffer joined;
    PangoContext *context = thread_context();
    bool good = context != NULL;
    buffer_init(&joined, joined_bytes_max);
    for (size_t i = 0; i < text->count && good; i++)
        good = (i == 0 || buffer_append_string(&joined, "\n")) &&
               buffer_append_text(&joined, text->paragraphs[i]);
    if (good)
        draw(cairo, context, text, buffer_text(&joined), x, y);
    buffer_deinit(&joined);
    return good ? error_none() : error_make(ERROR_OUT_OF_MEMORY, "the text of a label");
}
