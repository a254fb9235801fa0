/*
 * Goal: RocksDB's errors, which are texts, get the right code; keys sort as lists need it. Method:
 * the texts as RocksDB 7.8 writes them; keys made and compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracking/infrastructure/embedded/tracking_store.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_texts_are_told_apart),
        cmocka_unit_test(error_texts_name_files_without_their_directory),
        cmocka_unit_test(events_of_a_parcel_stand_by_time_then_by_id),
        cmocka_unit_test(end_of_a_prefix_is_behind_all_that_begin_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
