#ifndef WAYBILL_PLATFORM_BASE_LOG_H
#define WAYBILL_PLATFORM_BASE_LOG_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The process's own log: one line an event on standard error, as text for people
 *     2026-11-24T10:00:00.000000Z info  server ready listen=127.0.0.1:7400
 * or as JSON for programs. Values are escaped; whoever logs a field answers for its not being a
 * secret, and addresses, tokens, e-mail and request bodies are never fields. Thread: any; a line is
 * written at once.
 */
enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_OFF
};

/* One name and value. `name` is a literal; a text lives until log_event returns. */
struct log_field {
    const char *name;
    bool is_number;
    int64_t number;
    struct text text;
};

static inline struct log_field log_number(const char *name, int64_t value)
{
    return (struct log_field){.name = name, .is_number = true, .number = value};
}

static inline struct log_field log_text(const char *name, struct text value)
{
    return (struct log_field){.name = name, .text = value};
}

static inline struct log_field log_string(const char *name, const char *value)
{
    return (struct log_field){.name = name, .text = text_of(value)};
}

/* For the whole process, before threads start. Default: info, text. */
void log_configure(enum log_level level_min, bool json);

/* False for a name that is none of debug, info, warning, error, off. */
bool log_level_from_text(struct text name, enum log_level *level);

/* Writes one line, or nothing below the level. */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t field_count);

/* The same for an error that ends here: fields `error` and `detail`. */
void log_error(const char *event, const struct error *error);

#endif
