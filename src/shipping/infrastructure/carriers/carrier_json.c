/* Tolerant reading on jansson's tree; see the header. Nothing here fails but for lack of memory,
 * which looks like absence and is noticed by the arena's owner when nothing usable is left. */
#include "shipping/infrastructure/carriers/carrier_json.h"

#include "platform/base/base64.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/gif_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static json_t *step(json_t *value, const char *name, size_t size)
{
    char key[64];
    for (int depth = 0; json_is_array(value) && depth < 8; depth++)
        value = json_array_get(value, 0);
    if (!json_is_object(value) || size >= sizeof key)
        return NULL;
    memcpy(key, name, size);
    key[size] = '\0';
    return json_object_get(value, key);
}

json_t *json_member(json_t *value, const char *path)
{
    while (value != NULL && path != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        value = step(value, path, size);
        path += size + (path[size] == '.' ? 1 : 0);
    }
    return json_is_null(value) ? NULL : value;
}

size_t json_count(json_t *value, const char *path)
{
    json_t *found = json_member(value, path);
    if (found == NULL)
        return 0;
    return json_is_array(found) ? json_array_size(found) : 1;
}

json_t *json_element(json_t *value, const char *path, size_t index)
{
    json_t *found = json_member(value, path);
    if (json_is_array(found))
        return json_array_get(found, index);
    return index == 0 ? found : NULL;
}

struct text json_words(struct arena *arena, json_t *value, const char *path)
{
    json_t *found = json_member(value, path);
    for (int depth = 0; json_is_array(found) && depth < 8; depth++)
        found = json_array_get(found, 0);
    if (json_is_string(found))
        return text_trim(text_make(json_string_value(found), json_string_length(found)));
    if (json_is_integer(found))
        return text_of(arena_format(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(found)));
    if (json_is_real(found))
        return text_of(arena_format(arena, "%.6f", json_real_value(found)));
    if (json_is_boolean(found))
        return text_of(json_is_true(found) ? "true" : "false");
    return (struct text){0};
}

bool json_money(struct arena *arena, json_t *value, const char *amount_path, json_t *currency_of,
                const char *currency_path, struct shipping_money *money)
{
    return money_from_decimal(json_words(arena, value, amount_path),
                              json_words(arena, currency_of, currency_path), money);
}

bool json_bytes(struct arena *arena, json_t *value, const char *path, struct text *bytes)
{
    struct text text = json_words(arena, value, path);
    char *plain = text.size == 0 ? NULL : arena_allocate(arena, text.size);
    char *decoded = plain == NULL ? NULL : arena_allocate(arena, text.size + 4);
    size_t size = 0, kept = 0;
    for (size_t i = 0; i < text.size && plain != NULL; i++) {
        char byte = text.data[i];
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            plain[kept++] = byte; /* lines as in mail (RFC 2045) are one */
    }
    if (decoded == NULL || !base64_decode(text_make(plain, kept), decoded, &size) || size == 0)
        return false;
    *bytes = text_make(decoded, size);
    return true;
}

static bool is_named(struct text said, const char *name)
{
    size_t size = strlen(name);
    return said.size >= size && strncasecmp(said.data, name, size) == 0;
}

bool json_label(struct arena *arena, json_t *value, const char *path, struct text said,
                struct carrier_label *label)
{
    if (!json_bytes(arena, value, path, &label->content))
        return false;
    const struct text *content = &label->content;
    size_t head = content->size < 64 ? content->size : 64;
    label->format = SHIPPING_LABEL_PNG;
    if (gif_is(*content))
        return gif_to_png(*content, arena, &label->content);
    if (text_starts_with(*content, text_of("\x89PNG")))
        return true;
    label->format = SHIPPING_LABEL_PDF;
    if (text_starts_with(*content, text_of("%PDF")))
        return true;
    label->format = SHIPPING_LABEL_ZPL;
    if (memmem(content->data, head, "^XA", 3) != NULL || is_named(said, "ZPL"))
        return true;
    label->format = is_named(said, "PNG") ? SHIPPING_LABEL_PNG : SHIPPING_LABEL_PDF;
    return is_named(said, "PNG") || is_named(said, "PDF");
}

void json_warnings(struct arena *arena, json_t *value, const char *path, const char *words_path,
                   struct carrier_shipment *shipment)
{
    size_t count = json_count(value, path);
    struct carrier_charge *all = arena_allocate_zero(arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++)
        all[i].description = json_words(arena, json_element(value, path, i), words_path);
    shipment->warnings = all;
    shipment->warning_count = all == NULL ? 0 : count;
}
