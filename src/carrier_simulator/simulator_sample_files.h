#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SAMPLE_FILES_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_SAMPLE_FILES_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/json/json_writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The files of a folder as answers of carriers: found and told apart once, at the start, wherever
 * in the folder they are. Thread: one.
 */

enum sample_operation {
    SAMPLE_OAUTH,
    SAMPLE_RATE,
    SAMPLE_SHIP,
    SAMPLE_LABEL, /* had once more: UPS' label recovery */
    SAMPLE_CANCEL,
    SAMPLE_TRACK,
    SAMPLE_FIND, /* by our reference */
    SAMPLE_UNIFIED,
    SAMPLE_OPERATIONS,
    SAMPLE_OTHER = SAMPLE_OPERATIONS, /* of an interface that we do not call */
    SAMPLE_UNTOLD,
};

enum { sample_file_bytes_max = 4 * 1024 * 1024 };

struct sample_file {
    const char *path; /* below the folder */
    const char *carrier;
    enum sample_operation operation;
    unsigned status;
    bool is_good; /* 2xx, and no error or warning by its name or content */
    const char *media_type;
    size_t body_at;      /* behind the head of a whole HTTP answer */
    const char *why_not; /* why it answers nothing; NULL = it answers */
};

struct sample_files {
    const char *directory;
    struct arena arena;
    struct sample_file *all; /* in the order of their paths */
    size_t count;
};

/* "rate", "ship", "label recovery", … */
const char *sample_operation_name(enum sample_operation operation);

/*
 * What a file is, by its path, the last names of the folder's own path, and its content. Memory of
 * the arena is used on the way; `file` gets strings that live as long as `path` or the program.
 */
void sample_file_recognise(struct sample_file *file, const char *directory, const char *path,
                           struct text content, struct arena *arena);

/*
 * `directory` must outlive it. Error: INVALID_SETTING if there is no such folder, none of its files
 * answers anything, or there are too many; OUT_OF_MEMORY. To be closed after an error, too.
 */
struct error sample_files_open(struct sample_files *files, const char *directory);
void sample_files_close(struct sample_files *files);

/* The whole file, head included; false: it is gone, or longer than sample_file_bytes_max. */
bool sample_file_read(const struct sample_files *files, const struct sample_file *file,
                      struct buffer *out);

/* How many answer for each operation, and what is not read, on lines of their own. */
void sample_files_report(const struct sample_files *files, FILE *report);

/* All of them as members of an object. */
void sample_files_list(const struct sample_files *files, struct json_writer *json);

#endif
