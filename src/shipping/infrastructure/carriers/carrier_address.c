/* Views and small copies; nothing here fails. */
#include "shipping/infrastructure/carriers/carrier_address.h"

#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <string.h>

/* Where a text of more than `width` bytes breaks: at its last space within, else between
 * characters. */
static size_t break_of(struct text text, size_t width)
{
    for (size_t at = width; at > 0; at--) {
        if (text.data[at] == ' ')
            return at;
    }
    return text_shortened(text, width).size;
}

/* Appends the lines that the text takes; how many there are then, also those without a place. */
static size_t wrap(struct text text, size_t width, struct text *lines, size_t count)
{
    for (text = text_trim(text); text.size > 0; count++) {
        size_t size = text.size <= width ? text.size : break_of(text, width);
        if (size == 0)
            return count; /* no character fits */
        if (count < carrier_lines_max)
            lines[count] = text_trim(text_make(text.data, size));
        text = text_trim(text_make(text.data + size, text.size - size));
    }
    return count;
}

void carrier_lines(const struct shipping_address *address, size_t width, struct carrier_lines *out)
{
    size_t size = 0, each = 0;
    for (size_t i = 0; i < address->line_count; i++)
        each = wrap(address->lines[i], width, out->lines, each);
    out->count = each;
    if (each <= carrier_lines_max)
        return;
    for (size_t i = 0; i < address->line_count; i++) {
        struct text line = text_trim(address->lines[i]);
        if (line.size + 1 > sizeof out->room - size)
            break;
        memcpy(out->room + size, line.data, line.size);
        size += line.size;
        out->room[size++] = ' ';
    }
    out->count = wrap(text_make(out->room, size), width, out->lines, 0);
    if (out->count > carrier_lines_max)
        out->count = carrier_lines_max;
}

struct text carrier_phone(struct text phone, char digits[carrier_phone_digits_max])
{
    const struct text trunk = text_of("(0)");
    size_t count = 0;
    for (size_t i = 0; i < phone.size && count < carrier_phone_digits_max; i++) {
        char byte = phone.data[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        if ((is_letter || byte == '#' || byte == ';') && count > 0)
            break; /* the extension */
        bool is_trunk = text_starts_with(text_make(phone.data + i, phone.size - i), trunk);
        if (is_trunk && text_starts_with(phone, text_of("+")))
            i += trunk.size - 1; /* dialled within the country alone */
        else if (byte >= '0' && byte <= '9')
            digits[count++] = byte;
    }
    return text_make(digits, count);
}

struct text carrier_postal_code(struct text code, size_t size, char room[16])
{
    size_t count = 0;
    if (code.size <= size)
        return code;
    for (size_t i = 0; i < code.size && count < 16; i++) {
        if (code.data[i] != '-' && code.data[i] != ' ')
            room[count++] = code.data[i];
    }
    return text_shortened(text_make(room, count), size);
}

void carrier_put_whole(struct json_writer *json, const char *key, struct text text, size_t size)
{
    if (text.size > 0 && text.size <= size)
        json_put_text(json, key, text);
}
