/*
 * Goal: errors, record bytes, page tokens, violations and seeded randomness keep their contracts.
 * Method: round trips, every cut of an encoding, and forged tokens.
 */
#include "platform/base/codec.h"
#include "platform/base/error.h"
#include "platform/base/hexadecimal.h"
#include "platform/base/page_token.h"
#include "platform/base/random.h"
#include "platform/base/violations.h"

#include <errno.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_error_keeps_its_code_when_its_detail_is_cut(void **state)
{
    char longer[400];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    struct error error = error_prefix(error_make(ERROR_DAMAGED, "%s", longer), "%s", longer);
    assert_int_equal(error.code, ERROR_DAMAGED);
    assert_int_equal(strlen(error.detail), sizeof error.detail - 1);
    error = error_prefix(error_make(ERROR_LIMIT, "inner"), "outer %d", 1);
    assert_string_equal(error.detail, "outer 1: inner");
}

static void a_full_disk_is_told_from_a_broken_one(void **state)
{
    (void)state;
    assert_int_equal(error_from_errno(ENOSPC, "write").code, ERROR_DISK_FULL);
    assert_int_equal(error_from_errno(EDQUOT, "write").code, ERROR_DISK_FULL);
    assert_int_equal(error_from_errno(EIO, "write").code, ERROR_INPUT_OUTPUT);
    assert_int_equal(error_from_errno(ENOENT, "open").code, ERROR_NOT_FOUND);
    assert_string_equal(error_from_errno(EIO, "write %s", "f").detail,
                        "write f: Input/output error");
    assert_int_equal(error_grpc_status(ERROR_DISK_FULL), GRPC_STATUS_RESOURCE_EXHAUSTED);
    assert_string_equal(error_reason(ERROR_DISK_FULL), "DISK_FULL");
    assert_string_equal(grpc_status_name((enum grpc_status)99), "UNKNOWN");
}

static void encoded_values_come_back_and_every_cut_is_noticed(void **state)
{
    static const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
    char bytes[256];
    struct byte_writer writer = {.at = bytes};
    (void)state;
    for (size_t i = 0; i < 8; i++)
        write_varint(&writer, values[i]);
    write_uint8(&writer, 200);
    write_uint64(&writer, UINT64_C(0x0123456789ABCDEF));
    write_text(&writer, text_of("text"));
    size_t size = (size_t)(writer.at - bytes);
    for (size_t cut = 0; cut <= size; cut++) {
        struct byte_reader reader = byte_reader_of(text_make(bytes, cut));
        bool same = true;
        for (size_t i = 0; i < 8; i++)
            same = read_varint(&reader) == values[i] && same;
        same = read_uint8(&reader) == 200 && same;
        same = read_uint64(&reader) == UINT64_C(0x0123456789ABCDEF) && same;
        same = text_equals_string(read_text(&reader), "text") && same;
        assert_int_equal(reader.failed, cut < size);
        assert_int_equal(same, cut == size);
    }
}

static void a_varint_beyond_64_bits_fails(void **state)
{
    struct byte_reader reader = byte_reader_of(text_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));
    (void)state;
    read_varint(&reader);
    assert_true(reader.failed);
    reader = byte_reader_of(text_of("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
    read_quantity(&reader);
    assert_true(reader.failed);
}

/* What the sanitizer of the second build watches for is part of this. */
static void nothing_can_be_read_from_no_bytes(void **state)
{
    struct byte_reader reader = byte_reader_of((struct text){0});
    (void)state;
    assert_int_equal(read_uint8(&reader), 0);
    assert_true(reader.failed);
}

static void a_page_token_is_good_for_its_list_and_filter_only(void **state)
{
    struct arena arena;
    uint64_t position;
    (void)state;
    arena_init(&arena, 10000);
    struct text token = page_token_make(&arena, "a", text_of("filter"), 4711);
    assert_true(page_token_read(token, "a", text_of("filter"), &position));
    assert_int_equal(position, 4711);
    assert_true(page_token_read(text_of(""), "a", text_of("filter"), &position));
    assert_int_equal(position, 0);
    assert_false(page_token_read(token, "b", text_of("filter"), &position));
    assert_false(page_token_read(token, "a", text_of("filte"), &position));
    for (size_t i = 0; i < token.size; i++) {
        struct text forged = arena_copy_text(&arena, token);
        ((char *)(uintptr_t)forged.data)[i] ^= 1;
        assert_false(page_token_read(forged, "a", text_of("filter"), &position));
        assert_false(page_token_read(text_make(token.data, i == 0 ? 1 : i), "a", text_of("filter"),
                                     &position));
    }
    arena_deinit(&arena);
}

static void violations_beyond_the_bound_are_counted(void **state)
{
    struct arena arena;
    struct violations violations;
    (void)state;
    arena_init(&arena, 100000);
    violations_init(&violations, &arena);
    for (int i = 0; i < violations_max + 5; i++)
        violations_add(&violations, "wrong", "lines[%d]", i);
    assert_int_equal(violations.count, violations_max + 5);
    assert_int_equal(violations_kept(&violations), violations_max);
    assert_string_equal(violations.items[violations_max - 1].field.data, "lines[31]");
    arena_deinit(&arena);
}

static void a_seed_gives_one_sequence(void **state)
{
    struct random_seeded a;
    struct random_seeded b;
    char one[37];
    char other[37];
    (void)state;
    random_seeded_init(&a, 42);
    random_seeded_init(&b, 42);
    random_fill(&a.base, one, sizeof one);
    random_fill(&b.base, other, sizeof other);
    assert_memory_equal(one, other, sizeof one);
    random_seeded_init(&b, 43);
    random_fill(&b.base, other, sizeof other);
    assert_memory_not_equal(one, other, sizeof one);
    for (int i = 0; i < 1000; i++)
        assert_true(random_below(&a.base, 7) < 7);
}

static void a_page_token_may_hold_a_key(void **state)
{
    struct arena arena;
    struct text key;
    (void)state;
    arena_init(&arena, 100000);
    struct text token = page_token_make_key(&arena, "a", text_of("filter"), text_of("M8 × 20"));
    assert_true(page_token_read_key(&arena, token, "a", text_of("filter"), &key));
    assert_true(text_equals_string(key, "M8 × 20"));
    assert_true(page_token_read_key(&arena, text_of(""), "a", text_of("filter"), &key));
    assert_int_equal(key.size, 0);
    assert_false(page_token_read_key(&arena, token, "b", text_of("filter"), &key));
    assert_false(page_token_read_key(&arena, token, "a", text_of("filte"), &key));
    for (size_t i = 0; i < token.size; i++) {
        struct text forged = arena_copy_text(&arena, token);
        ((char *)(uintptr_t)forged.data)[i] ^= 1;
        assert_false(page_token_read_key(&arena, forged, "a", text_of("filter"), &key));
        assert_false(page_token_read_key(&arena, text_make(token.data, i == 0 ? 1 : i), "a",
                                         text_of("filter"), &key));
    }
    arena_deinit(&arena);
}

static void hexadecimal_digits_are_the_bytes(void **state)
{
    char digits[2 * 256 + 1];
    unsigned char bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)i;
    hexadecimal_write(bytes, sizeof bytes, digits);
    assert_int_equal(strlen(digits), 512);
    assert_memory_equal(digits + 2 * 0xa7, "a7a8a9aaabacadaeafb0", 20);
    for (size_t i = 0; i < sizeof bytes; i++)
        assert_int_equal(
            hexadecimal_value(digits[2 * i]) << 4 | hexadecimal_value(digits[2 * i + 1]), i);
    assert_int_equal(hexadecimal_value('F'), 15);
    for (const char *other = "/:@G`g \x80"; *other != '\0'; other++)
        assert_int_equal(hexadecimal_value(*other), -1);
    assert_int_equal(hexadecimal_value('\0'), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_keeps_its_code_when_its_detail_is_cut),
        cmocka_unit_test(a_full_disk_is_told_from_a_broken_one),
        cmocka_unit_test(encoded_values_come_back_and_every_cut_is_noticed),
        cmocka_unit_test(a_varint_beyond_64_bits_fails),
        cmocka_unit_test(nothing_can_be_read_from_no_bytes),
        cmocka_unit_test(a_page_token_is_good_for_its_list_and_filter_only),
        cmocka_unit_test(a_page_token_may_hold_a_key),
        cmocka_unit_test(violations_beyond_the_bound_are_counted),
        cmocka_unit_test(a_seed_gives_one_sequence),
        cmocka_unit_test(hexadecimal_digits_are_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
