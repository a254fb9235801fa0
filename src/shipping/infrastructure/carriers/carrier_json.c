/* Tolerant reading on jansson's tree; see the header. Nothing here fails but for lack of memory,
 * which looks like absence and is noticed by the arena's owner when nothing usable is left. */
#include "shipping/infrastructure/carriers/carrier_json.h"

#include "platform/base/base64.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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
    char *decoded = text.size == 0 ? NULL : arena_allocate(arena, text.size + 4);
    size_t size = 0;
    if (decoded == NULL || !base64_decode(text, decoded, &size) || size == 0)
        return false;
    *bytes = text_make(decoded, size);
    return true;
}

enum shipping_label_format label_format_of(struct text content,
                                           enum shipping_label_format otherwise)
{
    if (text_starts_with(content, text_of("%PDF")))
        return SHIPPING_LABEL_PDF;
    if (text_starts_with(content, text_of("\x89PNG")))
        return SHIPPING_LABEL_PNG;
    if (content.size > 3 && memmem(content.data, content.size < 64 ? content.size : 64, "^XA", 3))
        return SHIPPING_LABEL_ZPL;
    return otherwise;
}
