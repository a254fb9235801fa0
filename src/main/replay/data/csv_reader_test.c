/*
 * Goal: a table is read as RFC 4180 says, however its bytes are cut, and what is no table is
 * refused with its line and column. Method: small tables in memory; each is read whole and cut at
 * every byte.
 */
#include "main/replay/data/csv_reader.h"

#include "platform/base/buffer.h"
#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const columns[] = {"name", "count"};

/* Notes each record as "LINE:name|count;". */
static struct error note_record(void *context, uint64_t line, const struct text *fields)
{
    struct buffer *seen = context;
    bool noted =
        buffer_append_format(seen, "%llu:%.*s|%.*s;", (unsigned long long)line, (int)fields[0].size,
                             fields[0].data, (int)fields[1].size, fields[1].data);
    return noted ? error_none() : error_make(ERROR_OUT_OF_MEMORY, "note");
}

/* Reads `table` in two pieces, the first of `cut` bytes. */
static struct error read_table(const char *table, size_t size, size_t cut, struct buffer *seen)
{
    struct csv_reader_options options = {
        .name = "t.csv",
        .columns = columns,
        .column_count = 2,
        .record = note_record,
        .context = seen,
    };
    struct csv_reader *reader;
    struct error error = csv_reader_create(&reader, &options);
    if (!error_is(error))
        error = csv_reader_feed(reader, text_make(table, cut));
    if (!error_is(error))
        error = csv_reader_feed(reader, text_make(table + cut, size - cut));
    if (!error_is(error))
        error = csv_reader_finish(reader);
    csv_reader_destroy(reader);
    return error;
}

static void expect_records(const char *table, const char *records)
{
    for (size_t cut = 0; cut <= strlen(table); cut++) {
        struct buffer seen;
        buffer_init(&seen, 4096);
        struct error error = read_table(table, strlen(table), cut, &seen);
        assert_string_equal(error.detail, "");
        assert_true(text_equals_string(buffer_text(&seen), records));
        buffer_deinit(&seen);
    }
}

static void expect_refusal(const char *table, const char *detail)
{
    for (size_t cut = 0; cut <= strlen(table); cut++) {
        struct buffer seen;
        buffer_init(&seen, 4096);
        struct error error = read_table(table, strlen(table), cut, &seen);
        assert_int_equal(error.code, ERROR_INVALID_INPUT);
        assert_string_equal(error.detail, detail);
        buffer_deinit(&seen);
    }
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    expect_records("name,count\na,1\nb,2\n", "2:a|1;3:b|2;");
    expect_records("x,count,y,name\n0,1,0,a\n", "2:a|1;");
}

static void quoted_fields_hold_anything(void **state)
{
    (void)state;
    expect_records("name,count\n\"a,\"\"b\"\"\nc\",1\nd,2\n", "2:a,\"b\"\nc|1;4:d|2;");
    expect_records("name,count\n\"\",\"\"\n", "2:|;");
}

static void line_ends_may_be_of_either_kind_and_absent_at_the_end(void **state)
{
    (void)state;
    expect_records("name,count\r\na,1\r\nb,2", "2:a|1;3:b|2;");
    expect_records("name,count\na,1\n\n\r\n\nb,2", "2:a|1;6:b|2;");
}

static void byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    expect_records("\xEF\xBB\xBFname,count\na,1\n", "2:a|1;");
    expect_records("\xEF\xBB\xBF\"name\",\"count\"\na,1\n", "2:a|1;");
    expect_records("\xEF\xBBname,name,count\na,b,1\n", "2:b|1;");
    expect_refusal("\xEF\xBB\xBF", "t.csv:1: empty; the first line names the columns");
}

static void spaces_belong_to_their_field(void **state)
{
    (void)state;
    expect_records("name,count\n a ,\t1\n", "2: a |\t1;");
}

static void missing_or_doubled_column_is_refused(void **state)
{
    (void)state;
    expect_refusal("name,number\na,1\n", "t.csv:1: the header names column 'count' nowhere");
    expect_refusal("\nname,count,name\na,1,b\n",
                   "t.csv:2: the header names column 'name' more than once");
    expect_refusal("", "t.csv:1: empty; the first line names the columns");
    expect_refusal("\n\n", "t.csv:1: empty; the first line names the columns");
}

static void record_of_other_length_is_refused(void **state)
{
    (void)state;
    expect_refusal("name,count\na\n", "t.csv:2: 1 columns where the header has 2");
    expect_refusal("name,count\na,1\nb,2,3\n", "t.csv:3: 3 columns where the header has 2");
}

static void stray_quote_is_refused(void **state)
{
    static const char problem[] =
        "a quote inside an unquoted field, or text behind a closing quote";
    char detail[200];
    (void)state;
    snprintf(detail, sizeof detail, "t.csv:3: count: %s", problem);
    expect_refusal("name,count\na,1\nb,2\"\n", detail);
    expect_refusal("name,count\na,1\nb,\"2\"3\n", detail);
    snprintf(detail, sizeof detail, "t.csv:1: %s", problem);
    expect_refusal("na\"me,count\na,1\n", detail);
}

static void quote_left_open_is_refused(void **state)
{
    (void)state;
    expect_refusal("name,count\na,1\n\"b,2\nc,3\n",
                   "t.csv:3: name: a quoted field of this record never ends");
}

static void endless_record_is_refused(void **state)
{
    size_t size = 2 * (size_t)csv_record_bytes_max;
    char *table = malloc(size);
    struct buffer seen;
    (void)state;
    assert_non_null(table);
    memset(table, '\n', size);
    memcpy(table, "name,count\n\"", 12);
    buffer_init(&seen, 4096);
    struct error error = read_table(table, size, size / 2, &seen);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_string_equal(error.detail,
                        "t.csv:2: name: this record is longer than 1 MiB; is a quote left open?");
    buffer_deinit(&seen);
    free(table);
}

static void more_than_256_columns_are_refused(void **state)
{
    char table[1024] = "name,count";
    (void)state;
    for (int i = 0; i < 255; i++)
        strcat(table, ",x");
    struct buffer seen;
    buffer_init(&seen, 4096);
    struct error error = read_table(table, strlen(table), 0, &seen);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_string_equal(error.detail, "t.csv:1: more than 256 columns");
    buffer_deinit(&seen);
}

static void every_failing_allocation_is_an_error(void **state)
{
    static const char table[] = "name,count\n\"a\",1\n";
    (void)state;
    for (uint64_t successes = 0;; successes++) {
        char memory[256];
        /* The note's own memory must not be part of the count. */
        struct buffer seen = {.data = memory, .capacity = sizeof memory, .size_max = sizeof memory};
        memory_fail_after(successes, 1);
        struct error error = read_table(table, sizeof table - 1, 5, &seen);
        memory_fail_after(UINT64_MAX, 0);
        if (!error_is(error))
            return;
        assert_int_equal(error.code, ERROR_OUT_OF_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(quoted_fields_hold_anything),
        cmocka_unit_test(line_ends_may_be_of_either_kind_and_absent_at_the_end),
        cmocka_unit_test(byte_order_mark_is_passed_over),
        cmocka_unit_test(spaces_belong_to_their_field),
        cmocka_unit_test(missing_or_doubled_column_is_refused),
        cmocka_unit_test(record_of_other_length_is_refused),
        cmocka_unit_test(stray_quote_is_refused),
        cmocka_unit_test(quote_left_open_is_refused),
        cmocka_unit_test(endless_record_is_refused),
        cmocka_unit_test(more_than_256_columns_are_refused),
        cmocka_unit_test(every_failing_allocation_is_an_error),
    };
    return cmocka_run_group_tests_name("csv_reader", tests, NULL, NULL);
}
