/* Time, the type's last word, the key, the message as JSON; UTF-8 is cut between characters. */
#include "main/commands/watch_display.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "platform/json/json_message.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { line_bytes_max = 16 * 1024 * 1024 };

void watch_display_begin(struct watch_display *display)
{
    struct winsize size = {0};
    buffer_init(&display->line, line_bytes_max);
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        display->columns = size.ws_col;
}

void watch_display_end(struct watch_display *display)
{
    buffer_deinit(&display->line);
}

/* "13:42:16.744", in local time: people watch. */
static void format_time(const Google__Protobuf__Timestamp *timestamp, char out[16])
{
    time_t seconds = timestamp == NULL ? 0 : (time_t)timestamp->seconds;
    struct tm local;
    char clock[16] = "--:--:--";
    if (localtime_r(&seconds, &local) != NULL)
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
    int millis = timestamp == NULL ? 0 : timestamp->nanos / 1000000;
    snprintf(out, 16, "%.8s.%03d", clock, millis < 0 || millis > 999 ? 0 : millis);
}

/* What stands in the Any, as JSON; a type that this program does not know is only measured. */
static bool append_data(struct buffer *line, const Waybill__Events__V1__Event *event)
{
    const ProtobufCMessageDescriptor *type = json_message_type(text_of(event->type));
    ProtobufCMessage *message = type == NULL || event->data == NULL
                                    ? NULL
                                    : protobuf_c_message_unpack(type, NULL, event->data->value.len,
                                                                event->data->value.data);
    if (message == NULL)
        return buffer_append_format(line, "(%zu bytes)",
                                    event->data == NULL ? 0 : event->data->value.len);
    struct error error = json_message_write(message, 0, line);
    protobuf_c_message_free_unpacked(message, NULL);
    return !error_is(error);
}

/* A text from outside, without what would move a terminal's cursor. */
static bool append_plain(struct buffer *line, const char *string)
{
    struct text text = text_of(string);
    if (!text_is_utf8(text))
        return buffer_append_string(line, "?");
    return text_has_control(text) ? json_string_write(text, line) : buffer_append_text(line, text);
}

/* Ends the line at the terminal's edge, between characters. */
static void cut(struct buffer *line, size_t columns)
{
    size_t column = 0;
    for (size_t i = 0; columns > 0 && i < line->size; i++) {
        bool begins = ((unsigned char)line->data[i] & 0xC0) != 0x80;
        if (begins && ++column >= columns) {
            line->size = i;
            if (!buffer_append_string(line, "…"))
                line->size = i;
            return;
        }
    }
}

static bool format_line(struct watch_display *display, const Waybill__Events__V1__Event *event)
{
    char time[16];
    const char *name = strrchr(event->type, '.');
    struct buffer *line = &display->line;
    format_time(event->time, time);
    bool good = buffer_append_format(line, "%s  ", time);
    size_t from = line->size;
    good = good && append_plain(line, name == NULL ? event->type : name + 1);
    while (good && line->size < from + 22)
        good = buffer_append_string(line, " ");
    from = line->size;
    good = good && buffer_append_string(line, "  ") && append_plain(line, event->key);
    while (good && line->size < from + 26)
        good = buffer_append_string(line, " ");
    good = good && buffer_append_string(line, "  ") && append_data(line, event);
    if (good)
        cut(line, display->columns);
    return good;
}

bool watch_display_event(struct watch_display *display, const Waybill__Events__V1__Event *event)
{
    struct buffer *line = &display->line;
    buffer_clear(line);
    bool good = false;
    if (display->json) {
        struct error error = json_message_write(&event->base, 0, line);
        good = !error_is(error);
        if (!good)
            fprintf(stderr, "waybill watch: event %s cannot be shown: %s\n", event->event_id,
                    error.detail);
    } else {
        good = format_line(display, event);
    }
    if (!good)
        return true; /* the next one may be shown */
    fwrite(line->data, 1, line->size, stdout);
    putchar('\n');
    fflush(stdout);
    return !ferror(stdout);
}
