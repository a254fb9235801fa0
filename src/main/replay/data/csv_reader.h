#ifndef WAYBILL_MAIN_REPLAY_DATA_CSV_READER_H
#define WAYBILL_MAIN_REPLAY_DATA_CSV_READER_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A CSV table (RFC 4180) whose first record names the columns, read piece by piece; the columns
 * wanted are found by name, in whatever order they stand. Strict: a stray quote, a record with more
 * or fewer fields than the header, a column that is missing or there twice end the reading. A byte
 * order mark before the header and empty lines are passed over.
 *
 * Every error is INVALID_INPUT with "NAME:LINE: " before it, and the column where one is to blame;
 * or OUT_OF_MEMORY. After an error the reader is only to be destroyed. Thread: one at a time.
 */
struct csv_reader;

enum {
    csv_record_bytes_max = 1 << 20,
    csv_columns_max = 256,
};

/*
 * Called for each record after the header: `line` is where it begins, fields[i] the field of the
 * i-th wanted column, a view that lives until this returns. An error ends the reading and is given
 * on.
 */
typedef struct error csv_record_function(void *context, uint64_t line, const struct text *fields);

struct csv_reader_options {
    const char *name;           /* of the file, for errors */
    const char *const *columns; /* the wanted ones */
    size_t column_count;
    size_t optional_count; /* so many of the last may be missing: their fields are empty */
    csv_record_function *record;
    /* Called for each column of the header that is none of the wanted ones; NULL = for none. */
    void (*unused)(void *context, struct text column);
    void *context;
};

/* The options' texts live as long as the reader. Error: OUT_OF_MEMORY. */
struct error csv_reader_create(struct csv_reader **reader,
                               const struct csv_reader_options *options);

/* Reads the next bytes, cut anywhere. */
__attribute__((warn_unused_result)) struct error csv_reader_feed(struct csv_reader *reader,
                                                                 struct text bytes);

/* There are no more bytes. */
__attribute__((warn_unused_result)) struct error csv_reader_finish(struct csv_reader *reader);

/* NULL is allowed. */
void csv_reader_destroy(struct csv_reader *reader);

#endif
