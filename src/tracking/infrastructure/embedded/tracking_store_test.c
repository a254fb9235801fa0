/*
 * Goal: RocksDB's errors, which are texts, get the right code; keys sort as lists need it. Method:
 * the texts as RocksDB 7.8 writes them; keys made and compared. A number never seen is found out
 * with little reading, however small the cache: what the process reads is counted by the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/buffer.h"
#include "tracking/infrastructure/embedded/tracking_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void error_texts_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(
        tracking_store_error_code("IO error: No space left on device: While appending "
                                  "to file: /data/000012.sst: No space left on device"),
        ERROR_DISK_FULL);
    assert_int_equal(tracking_store_error_code("IO error: While appending to file: /data/1.sst: "
                                               "Disk quota exceeded"),
                     ERROR_DISK_FULL);
    assert_int_equal(tracking_store_error_code("Corruption: block checksum mismatch: stored = 1"),
                     ERROR_DAMAGED);
    assert_int_equal(tracking_store_error_code("IO error: While lock file: /data/LOCK: Resource "
                                               "temporarily unavailable"),
                     ERROR_LOCKED);
    assert_int_equal(tracking_store_error_code("IO error: While fdatasync: Input/output error"),
                     ERROR_INPUT_OUTPUT);
}

static void error_texts_name_files_without_their_directory(void **state)
{
    char text[] = "Corruption: block checksum mismatch: stored = 1, computed = 2, type = 4  in "
                  "/data/x/rocksdb/000008.sst offset 0 size 1400";
    char others[] = "IO error: /data/x/rocksdb: no; /data/x/rocksdb/a /data/x/rocksdb/";
    (void)state;
    tracking_store_shorten_error("/data/x/rocksdb", text);
    assert_string_equal(text, "Corruption: block checksum mismatch: stored = 1, computed = 2, type "
                              "= 4  in 000008.sst offset 0 size 1400");
    tracking_store_shorten_error("/data/x/rocksdb", others);
    assert_string_equal(others, "IO error: /data/x/rocksdb: no; a ");
}

static struct text bytes_of(const struct tracking_store_key *key)
{
    return text_make(key->bytes, key->size);
}

static void events_of_a_parcel_stand_by_time_then_by_id(void **state)
{
    static const char parcel[] = "ups\0"
                                 "1Z";
    struct text name = text_make(parcel, sizeof parcel);
    struct tracking_store_key keys[] = {
        tracking_key_event(name, 255, text_of("b")),
        tracking_key_event(name, 256, text_of("a")),
        tracking_key_event(name, 256, text_of("aa")),
        tracking_key_event(name, INT64_C(1) << 50, text_of("")),
    };
    (void)state;
    for (size_t i = 1; i < sizeof keys / sizeof keys[0]; i++)
        assert_true(text_compare(bytes_of(&keys[i - 1]), bytes_of(&keys[i])) < 0);
}

static void end_of_a_prefix_is_behind_all_that_begin_with_it(void **state)
{
    struct tracking_store_key prefix = tracking_key_ping_day(255);
    struct tracking_store_key end = tracking_key_end(prefix);
    struct tracking_store_key inside = tracking_key_ping_of_day(255, text_of("\xFF\xFF"));
    struct tracking_store_key next = tracking_key_ping_day(256);
    (void)state;
    assert_true(text_compare(bytes_of(&inside), bytes_of(&end)) < 0);
    assert_true(text_compare(bytes_of(&end), bytes_of(&next)) <= 0);
}

/* --- reading --- */

static unsigned long long bytes_read_by_this_process(void)
{
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "rchar: %llu", &bytes), 1);
    fclose(file);
    return bytes;
}

static struct tracking_store_key numbered(unsigned number)
{
    char parcel[32];
    int size = snprintf(parcel, sizeof parcel, "ups%c%012u", '\0', number);
    return tracking_key_parcel(text_make(parcel, (size_t)size));
}

static void number_never_seen_is_found_out_with_little_reading(void **state)
{
    enum { parcels = 600000, absent = 2000, bytes_each_max = 64 * 1024 };
    char directory[] = "/tmp/waybill-store-XXXXXX";
    char command[64];
    struct tracking_store *store;
    struct tracking_store_options options = {
        .memory_table_bytes = (size_t)24 * 1024 * 1024,
        .block_cache_bytes = (size_t)1024 * 1024,
        .background_jobs = 2,
    };
    struct buffer value;
    bool found;
    (void)state;
    assert_non_null(mkdtemp(directory));
    options.directory = directory;
    assert_false(error_is(tracking_store_open(&store, &options)));
    buffer_init(&value, 1024);
    for (unsigned i = 0; i < parcels; i++) {
        struct tracking_store_key key = numbered(2 * i);
        tracking_store_put(store, &key, text_of("v"));
        if (i % 10000 == 0)
            assert_false(error_is(tracking_store_write(store)));
    }
    assert_false(error_is(tracking_store_write(store)));
    assert_false(error_is(tracking_store_flush(store)));
    struct tracking_store_key from = numbered(0);
    struct tracking_store_key to = numbered(2 * parcels);
    tracking_store_compact(store, &from, &to);
    unsigned long long before = bytes_read_by_this_process();
    for (unsigned i = 0; i < absent; i++) {
        struct tracking_store_key key = numbered(2 * (i * 277 % parcels) + 1);
        assert_false(error_is(tracking_store_get(store, NULL, &key, &value, &found)));
        assert_false(found);
    }
    unsigned long long read = bytes_read_by_this_process() - before;
    if (read > (unsigned long long)absent * bytes_each_max)
        fail_msg("%llu bytes read for %d numbers", read, absent);
    buffer_deinit(&value);
    tracking_store_close(store);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_texts_are_told_apart),
        cmocka_unit_test(error_texts_name_files_without_their_directory),
        cmocka_unit_test(events_of_a_parcel_stand_by_time_then_by_id),
        cmocka_unit_test(end_of_a_prefix_is_behind_all_that_begin_with_it),
        cmocka_unit_test(number_never_seen_is_found_out_with_little_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
