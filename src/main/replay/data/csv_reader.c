/*
 * CSV on libcsv, which splits bytes into fields but counts no lines. So it is fed line by line, and
 * the number of the line that it works on is always known; a quoted field may still run over
 * several.
 *
 * The fields of the record at hand are gathered in `record`, one behind the other; the header's
 * stay in `header` for the names in errors. libcsv's callbacks cannot stop it: an error is kept,
 * what follows in the same line is passed over, and the feed ends with it.
 */
#include "main/replay/data/csv_reader.h"

#include "platform/base/buffer.h"
#include "platform/base/memory.h"

#include <csv.h>
#include <stdbool.h>
#include <string.h>

static const size_t field_block_bytes = 4096; /* libcsv grows its buffer by this much */

static const size_t no_place = SIZE_MAX; /* of an optional column that is missing */

/* Fields one behind the other; field i ends at ends[i]. */
struct field_list {
    struct buffer bytes;
    size_t ends[csv_columns_max];
    size_t count;
};

struct csv_reader {
    struct csv_reader_options options;
    struct csv_parser parser;
    struct field_list header;
    struct field_list record;
    size_t mark_bytes; /* of a byte order mark, passed over; SIZE_MAX = the table has begun */
    bool header_is_read;
    bool in_record;        /* bytes of it were fed */
    uint64_t line;         /* being fed, from 1 */
    uint64_t record_line;  /* where the record at hand began */
    uint64_t record_bytes; /* fed of it */
    struct error error;    /* the first one met in a callback */
    struct text *wanted;   /* column_count views, filled for each record */
    size_t *places;        /* wanted column → its field */
};

static struct text field_at(const struct field_list *list, size_t i)
{
    size_t begin = i == 0 ? 0 : list->ends[i - 1];
    if (begin == list->ends[i])
        return (struct text){0}; /* there may be no memory at all yet */
    return text_make(list->bytes.data + begin, list->ends[i] - begin);
}

/* The position for errors: the column that `record` would get next, if the header names one. */
static struct error error_here(const struct csv_reader *reader, uint64_t line, const char *problem)
{
    const char *name = reader->options.name;
    if (!reader->header_is_read || reader->record.count >= reader->header.count) {
        return error_make(ERROR_INVALID_INPUT, "%s:%llu: %s", name, (unsigned long long)line,
                          problem);
    }
    struct text column = field_at(&reader->header, reader->record.count);
    return error_make(ERROR_INVALID_INPUT, "%s:%llu: %.*s: %s", name, (unsigned long long)line,
                      (int)column.size, column.data, problem);
}

static void field_ends(void *data, size_t size, void *context)
{
    struct csv_reader *reader = context;
    struct field_list *list = reader->header_is_read ? &reader->record : &reader->header;
    if (error_is(reader->error))
        return;
    if (list->count == csv_columns_max) {
        reader->error = error_here(reader, reader->record_line, "more than 256 columns");
        return;
    }
    /* The limit of the buffer cannot be met: record_bytes_max is checked before the bytes are fed.
     */
    if (!buffer_append(&list->bytes, data, size)) {
        reader->error = error_make(ERROR_OUT_OF_MEMORY, "%s: a record", reader->options.name);
        return;
    }
    list->ends[list->count++] = list->bytes.size;
}

static struct error find_column(struct csv_reader *reader, size_t wanted)
{
    const char *column = reader->options.columns[wanted];
    size_t found = 0;
    for (size_t i = 0; i < reader->header.count; i++) {
        if (text_equals_string(field_at(&reader->header, i), column)) {
            reader->places[wanted] = i;
            found++;
        }
    }
    bool is_optional = wanted >= reader->options.column_count - reader->options.optional_count;
    if (found == 0 && is_optional)
        reader->places[wanted] = no_place;
    if (found == 1 || (found == 0 && is_optional))
        return error_none();
    return error_make(ERROR_INVALID_INPUT, "%s:%llu: the header names column '%s' %s",
                      reader->options.name, (unsigned long long)reader->record_line, column,
                      found == 0 ? "nowhere" : "more than once");
}

static void tell_unused(const struct csv_reader *reader)
{
    for (size_t i = 0; i < reader->header.count; i++) {
        bool is_wanted = false;
        for (size_t k = 0; k < reader->options.column_count; k++)
            is_wanted = is_wanted || reader->places[k] == i;
        if (!is_wanted)
            reader->options.unused(reader->options.context, field_at(&reader->header, i));
    }
}

static struct error header_ends(struct csv_reader *reader)
{
    struct error error = error_none();
    for (size_t i = 0; i < reader->options.column_count && !error_is(error); i++)
        error = find_column(reader, i);
    reader->header_is_read = true;
    if (!error_is(error) && reader->options.unused != NULL)
        tell_unused(reader);
    return error;
}

static struct error record_is_read(struct csv_reader *reader)
{
    const struct field_list *record = &reader->record;
    if (record->count != reader->header.count) {
        return error_make(ERROR_INVALID_INPUT, "%s:%llu: %zu columns where the header has %zu",
                          reader->options.name, (unsigned long long)reader->record_line,
                          record->count, reader->header.count);
    }
    for (size_t i = 0; i < reader->options.column_count; i++)
        reader->wanted[i] =
            reader->places[i] == no_place ? (struct text){0} : field_at(record, reader->places[i]);
    return reader->options.record(reader->options.context, reader->record_line, reader->wanted);
}

static void record_ends(int terminator, void *context)
{
    struct csv_reader *reader = context;
    const struct field_list *list = reader->header_is_read ? &reader->record : &reader->header;
    (void)terminator;
    reader->in_record = false;
    if (error_is(reader->error) || list->count == 0)
        return;
    if (!reader->header_is_read) {
        reader->error = header_ends(reader);
    } else {
        reader->error = record_is_read(reader);
        reader->record.count = 0;
        buffer_clear(&reader->record.bytes);
    }
}

/* RFC 4180: spaces are part of a field. */
static int nothing_is_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

struct error csv_reader_create(struct csv_reader **result, const struct csv_reader_options *options)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "%s: CSV reader", options->name);
    struct csv_reader *reader = memory_allocate_zero(1, sizeof *reader);
    *result = NULL;
    if (reader == NULL)
        return error;
    reader->options = *options;
    reader->line = 1;
    buffer_init(&reader->header.bytes, csv_record_bytes_max);
    buffer_init(&reader->record.bytes, csv_record_bytes_max);
    reader->wanted = memory_allocate_zero(options->column_count, sizeof *reader->wanted);
    reader->places = memory_allocate_zero(options->column_count, sizeof *reader->places);
    /* REPALL_NL: an empty line ends a record of no fields. csv_init takes no memory: cannot fail.
     */
    csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL);
    csv_set_realloc_func(&reader->parser, memory_reallocate);
    csv_set_free_func(&reader->parser, memory_release);
    csv_set_blk_size(&reader->parser, field_block_bytes);
    csv_set_space_func(&reader->parser, nothing_is_space);
    if (reader->wanted == NULL || reader->places == NULL) {
        csv_reader_destroy(reader);
        return error;
    }
    *result = reader;
    return error_none();
}

/* Why libcsv stopped. */
static struct error parser_error(struct csv_reader *reader)
{
    if (csv_error(&reader->parser) != CSV_EPARSE)
        return error_make(ERROR_OUT_OF_MEMORY, "%s: a field", reader->options.name);
    return error_here(reader, reader->line,
                      "a quote inside an unquoted field, or text behind a closing quote");
}

/* Part of one line; only its last byte may be a line feed. */
static struct error feed_line_part(struct csv_reader *reader, struct text part)
{
    if (!reader->in_record) {
        reader->in_record = true;
        reader->record_line = reader->line;
        reader->record_bytes = 0;
    }
    reader->record_bytes += part.size;
    if (reader->record_bytes > csv_record_bytes_max) {
        return error_here(reader, reader->record_line,
                          "this record is longer than 1 MiB; is a quote left open?");
    }
    size_t read = csv_parse(&reader->parser, part.data, part.size, field_ends, record_ends, reader);
    if (error_is(reader->error))
        return reader->error;
    if (read != part.size)
        return parser_error(reader);
    return error_none();
}

/*
 * Passes over a byte order mark before libcsv sees it: behind one a field could not be quoted. What
 * only began as one is fed after all.
 */
static struct error skip_mark(struct csv_reader *reader, struct text *bytes)
{
    static const char mark[] = "\xEF\xBB\xBF";
    while (reader->mark_bytes < sizeof mark - 1) {
        if (bytes->size == 0)
            return error_none();
        if (bytes->data[0] != mark[reader->mark_bytes]) {
            size_t begun = reader->mark_bytes;
            reader->mark_bytes = no_place;
            return begun == 0 ? error_none() : feed_line_part(reader, text_make(mark, begun));
        }
        reader->mark_bytes++;
        *bytes = text_make(bytes->data + 1, bytes->size - 1);
    }
    reader->mark_bytes = no_place;
    return error_none();
}

struct error csv_reader_feed(struct csv_reader *reader, struct text bytes)
{
    struct error error = reader->mark_bytes == no_place ? error_none() : skip_mark(reader, &bytes);
    while (bytes.size > 0 && !error_is(error)) {
        const char *line_feed = memchr(bytes.data, '\n', bytes.size);
        size_t size = line_feed == NULL ? bytes.size : (size_t)(line_feed - bytes.data) + 1;
        error = feed_line_part(reader, text_make(bytes.data, size));
        if (line_feed != NULL)
            reader->line++;
        bytes = text_make(bytes.data + size, bytes.size - size);
    }
    return error;
}

struct error csv_reader_finish(struct csv_reader *reader)
{
    int failed = csv_fini(&reader->parser, field_ends, record_ends, reader);
    if (error_is(reader->error))
        return reader->error;
    if (failed != 0) {
        if (csv_error(&reader->parser) != CSV_EPARSE)
            return parser_error(reader);
        return error_here(reader, reader->record_line, "a quoted field of this record never ends");
    }
    if (!reader->header_is_read) {
        return error_make(ERROR_INVALID_INPUT, "%s:1: empty; the first line names the columns",
                          reader->options.name);
    }
    return error_none();
}

void csv_reader_destroy(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    csv_free(&reader->parser);
    buffer_deinit(&reader->header.bytes);
    buffer_deinit(&reader->record.bytes);
    memory_release(reader->wanted);
    memory_release(reader->places);
    memory_release(reader);
}
