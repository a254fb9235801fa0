/*
 * Goal: arena and buffer never exceed their limit, never change on failure, and give back
 * everything. Method: drive them to the limit, and fail every allocation in turn.
 */
#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/memory.h"

#include <pthread.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_arena_stops_at_its_limit(void **state)
{
    struct arena arena;
    size_t taken = 0;
    (void)state;
    arena_init(&arena, 100000);
    while (arena_allocate(&arena, 1000) != NULL)
        taken += 1000;
    assert_true(taken > 50000 && taken < 100000);
    assert_true(arena.taken <= 100000);
    assert_null(arena_allocate(&arena, SIZE_MAX));
    assert_null(arena_allocate_zero(&arena, SIZE_MAX / 2, 3));
    arena_deinit(&arena);
}

static void pieces_of_an_arena_do_not_overlap(void **state)
{
    struct arena arena;
    char *pieces[200];
    (void)state;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 200; i++) {
            pieces[i] = arena_allocate(&arena, i);
            assert_non_null(pieces[i]);
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], (int)i, i);
        }
        for (size_t i = 0; i < 200; i++) {
            for (size_t j = 0; j < i; j++)
                assert_int_equal((unsigned char)pieces[i][j], i);
        }
        arena_reset(&arena);
    }
    arena_deinit(&arena);
}

static void a_text_copied_to_an_arena_ends_with_nul(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 10000);
    struct text copy = arena_copy_text(&arena, text_make("abcd", 3));
    assert_string_equal(copy.data, "abc");
    assert_int_equal(copy.size, 3);
    assert_string_equal(arena_copy_text(&arena, text_of(NULL)).data, "");
    assert_string_equal(arena_format(&arena, "%d-%s", 7, "x"), "7-x");
    arena_deinit(&arena);
}

static void an_arena_without_memory_gives_null_and_recovers(void **state)
{
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    memory_fail_after(0, 0);
    assert_null(arena_allocate(&arena, 10));
    assert_non_null(arena_allocate(&arena, 10));
    memory_fail_after(0, 0);
    assert_null(arena_allocate(&arena, 1 << 16));
    assert_string_equal(arena_copy_text(&arena, text_of("still")).data, "still");
    memory_fail_after(UINT64_MAX, 0);
    arena_deinit(&arena);
}

static void a_buffer_takes_all_or_nothing(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 1000);
    while (buffer_append(&buffer, "seven..", 7)) {
    }
    assert_int_equal(buffer.size, 994);
    assert_true(buffer_append_string(&buffer, "6 left"));
    assert_false(buffer_append(&buffer, "x", 1));
    assert_false(buffer_reserve(&buffer, SIZE_MAX));
    assert_int_equal(buffer.size, 1000);
    buffer_consume(&buffer, 994);
    assert_true(text_equals_string(buffer_text(&buffer), "6 left"));
    buffer_deinit(&buffer);
}

static void a_buffer_without_memory_keeps_what_it_has(void **state)
{
    struct buffer buffer;
    (void)state;
    buffer_init(&buffer, 100000);
    assert_true(buffer_append_format(&buffer, "%s", "kept"));
    memory_fail_after(0, 1);
    assert_false(buffer_reserve(&buffer, 5000));
    memory_fail_after(UINT64_MAX, 0);
    assert_true(text_equals_string(buffer_text(&buffer), "kept"));
    buffer_deinit(&buffer);
}

/* Blocks come back from those released; of every size, on this thread and on one that ends. */
static void *use_blocks_of_every_size(void *good)
{
    enum { sizes = 700, each = 5 };
    static _Thread_local unsigned char *blocks[sizes][each];
    *(bool *)good = true;
    for (int round = 0; round < 3; round++) {
        for (size_t size = 0; size < sizes; size++) {
            for (size_t i = 0; i < each; i++) {
                blocks[size][i] = i % 2 == 0 ? memory_allocate(size)
                                             : memory_reallocate(memory_allocate(size / 2), size);
                memset(blocks[size][i], (int)(size + i), size);
            }
        }
        for (size_t size = 0; size < sizes; size++) {
            for (size_t i = 0; i < each; i++) {
                for (size_t at = 0; at < size; at++)
                    *(bool *)good &= blocks[size][i][at] == (unsigned char)(size + i);
                memory_release(blocks[size][i]);
            }
        }
    }
    return NULL;
}

static void blocks_of_every_size_are_whole_and_ones_own(void **state)
{
    bool good;
    pthread_t thread;
    (void)state;
    memory_release(NULL);
    use_blocks_of_every_size(&good);
    assert_true(good);
    assert_int_equal(pthread_create(&thread, NULL, use_blocks_of_every_size, &good), 0);
    pthread_join(thread, NULL);
    assert_true(good);
}

static void a_block_that_was_kept_may_fail_and_is_clear_when_asked_for(void **state)
{
    unsigned char *blocks[300];
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = memory_allocate(100);
        memset(blocks[i], 0xFF, 100);
    }
    for (size_t i = 0; i < 300; i++)
        memory_release(blocks[i]);
    memory_fail_after(0, 0);
    assert_null(memory_allocate(100));
    for (size_t i = 0; i < 300; i++) {
        blocks[i] = memory_allocate_zero(10, 10);
        for (size_t at = 0; at < 100; at++)
            assert_int_equal(blocks[i][at], 0);
    }
    for (size_t i = 0; i < 300; i++)
        memory_release(blocks[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_arena_stops_at_its_limit),
        cmocka_unit_test(pieces_of_an_arena_do_not_overlap),
        cmocka_unit_test(a_text_copied_to_an_arena_ends_with_nul),
        cmocka_unit_test(an_arena_without_memory_gives_null_and_recovers),
        cmocka_unit_test(a_buffer_takes_all_or_nothing),
        cmocka_unit_test(a_buffer_without_memory_keeps_what_it_has),
        cmocka_unit_test(blocks_of_every_size_are_whole_and_ones_own),
        cmocka_unit_test(a_block_that_was_kept_may_fail_and_is_clear_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
