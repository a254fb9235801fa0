/* One pass over the lines; views into the text, nothing is copied and nothing can fail. */
#include "platform/base/configuration_file.h"

#include <string.h>

static struct text skip(struct text text, size_t size)
{
    return text_make(text.data + size, text.size - size);
}

/* The first line without its end; *left goes on behind it. */
static struct text take_line(struct text *left)
{
    const char *end = memchr(left->data, '\n', left->size);
    struct text line = text_make(left->data, end == NULL ? left->size : (size_t)(end - left->data));
    *left = skip(*left, line.size + (end != NULL));
    return line;
}

/* Up to a ';' with a space before it. */
static struct text without_comment(struct text value)
{
    for (size_t i = 1; i < value.size; i++) {
        if (value.data[i] == ';' && (value.data[i - 1] == ' ' || value.data[i - 1] == '\t'))
            return text_make(value.data, i);
    }
    return value;
}

static bool read_section(struct text line, struct text *section)
{
    struct text trimmed = text_trim(without_comment(line));
    if (trimmed.size < 2 || trimmed.data[trimmed.size - 1] != ']')
        return false;
    *section = text_trim(text_make(trimmed.data + 1, trimmed.size - 2));
    return true;
}

static bool read_setting(struct text text, struct configuration_file_line *line)
{
    const char *equals = memchr(text.data, '=', text.size);
    if (equals == NULL)
        return false;
    size_t before = (size_t)(equals - text.data);
    line->name = text_trim(text_make(text.data, before));
    line->value = text_trim(without_comment(skip(text, before + 1)));
    return line->name.size > 0;
}

void configuration_file_read(struct text text, const struct configuration_file_reader *reader)
{
    struct text section = {0};
    text = text_without_mark(text);
    for (unsigned long number = 1; text.size > 0; number++) {
        struct text content = text_trim(take_line(&text));
        struct configuration_file_line line = {.number = number, .section = section};
        if (content.size == 0 || content.data[0] == ';' || content.data[0] == '#')
            continue;
        if (content.data[0] == '[' && read_section(content, &section))
            continue;
        if (content.data[0] != '[' && read_setting(content, &line))
            reader->setting(reader->context, &line);
        else
            reader->misformed(reader->context, &line);
    }
}
