#ifndef WAYBILL_PLATFORM_BASE_CONFIGURATION_FILE_H
#define WAYBILL_PLATFORM_BASE_CONFIGURATION_FILE_H

#include "platform/base/text.h"

/*
 * The form of a configuration file, whatever its settings are. A line is empty, a comment (";" or
 * "#" first), "[section]" or "name = value"; spaces around each part do not count, nor does what
 * follows " ;" behind a value. A line ends with LF or CR LF and may be of any length; a value goes
 * to its end and holds any other byte. A byte order mark at the start is passed over.
 * Thread: any; the file's text must live until the reading is over, and so do the views given.
 */
struct configuration_file_line {
    unsigned long number; /* from 1 */
    struct text section;  /* empty before the first "[section]" */
    struct text name;
    struct text value;
};

struct configuration_file_reader {
    /* One "name = value". */
    void (*setting)(void *context, const struct configuration_file_line *line);
    /* A line that is none of all these; only its number and section are set. */
    void (*misformed)(void *context, const struct configuration_file_line *line);
    void *context;
};

/* Tells the reader every line, in their order. */
void configuration_file_read(struct text text, const struct configuration_file_reader *reader);

#endif
