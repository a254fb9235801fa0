/*
 * Builds the line in a buffer on the stack and writes it with one write(2), so that lines of
 * several threads never mix. A line that is too long is cut; a log that cannot be written is
 * dropped: logging must never stop the work.
 */
#include "platform/base/log.h"

#include "platform/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static enum log_level level_wanted = LOG_LEVEL_INFO;
static bool json_wanted;

static const char *const level_names[] = {"debug", "info", "warning", "error", "off"};

struct line {
    char data[2048];
    size_t size;
};

void log_configure(enum log_level level_min, bool json)
{
    level_wanted = level_min;
    json_wanted = json;
}

bool log_level_from_text(struct text name, enum log_level *level)
{
    for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_OFF; i++) {
        if (text_equals_string(name, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static void line_add(struct line *line, const char *data, size_t size)
{
    size_t room = sizeof line->data - 2 - line->size; /* the closing '}' and the line end */
    size_t part = size < room ? size : room;
    memcpy(line->data + line->size, data, part);
    line->size += part;
}

static void line_add_string(struct line *line, const char *string)
{
    line_add(line, string, strlen(string));
}

/* Both forms quote alike: JSON's escapes, so that no value can forge a line or a field. */
static void line_add_quoted(struct line *line, struct text text)
{
    line_add(line, "\"", 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        char escape[8];
        if (c == '"' || c == '\\') {
            escape[0] = '\\';
            escape[1] = (char)c;
            line_add(line, escape, 2);
        } else if (c < 0x20 || c == 0x7F) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            line_add(line, escape, 6);
        } else {
            line_add(line, &text.data[i], 1);
        }
    }
    line_add(line, "\"", 1);
}

static bool is_plain(struct text text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= 0x20 || c == '"' || c == '\\' || c == '=' || c >= 0x7F)
            return false;
    }
    return text.size > 0;
}

static void line_add_value(struct line *line, const struct log_field *field)
{
    char number[24];
    if (field->is_number) {
        snprintf(number, sizeof number, "%lld", (long long)field->number);
        line_add_string(line, number);
    } else if (!json_wanted && is_plain(field->text)) {
        line_add(line, field->text.data, field->text.size);
    } else {
        line_add_quoted(line, field->text);
    }
}

static void format_time(char *out, size_t size)
{
    int64_t now_us = clock_now_us(clock_system());
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    size_t used = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + used, size - used, ".%06dZ", (int)(now_us % 1000000));
}

static void line_open(struct line *line, enum log_level level, const char *event)
{
    char time[48];
    format_time(time, sizeof time);
    if (json_wanted) {
        line_add_string(line, "{\"time\":\"");
        line_add_string(line, time);
        line_add_string(line, "\",\"level\":\"");
        line_add_string(line, level_names[level]);
        line_add_string(line, "\",\"event\":");
        line_add_quoted(line, text_of(event));
        return;
    }
    line_add_string(line, time);
    line_add_string(line, " ");
    line_add_string(line, level_names[level]);
    line_add_string(line, " ");
    line_add_string(line, event);
}

void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t field_count)
{
    struct line line = {.size = 0};
    if (level < level_wanted)
        return;
    line_open(&line, level, event);
    for (size_t i = 0; i < field_count; i++) {
        if (json_wanted) {
            line_add(&line, ",", 1);
            line_add_quoted(&line, text_of(fields[i].name));
            line_add(&line, ":", 1);
        } else {
            line_add(&line, " ", 1);
            line_add_string(&line, fields[i].name);
            line_add(&line, "=", 1);
        }
        line_add_value(&line, &fields[i]);
    }
    if (json_wanted)
        line.data[line.size++] = '}';
    line.data[line.size++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line.data, line.size);
    (void)ignored;
}

void log_error(const char *event, const struct error *error)
{
    struct log_field fields[] = {
        log_string("error", error_text(error->code)),
        log_string("detail", error->detail),
    };
    log_event(LOG_LEVEL_ERROR, event, fields, sizeof fields / sizeof fields[0]);
}
