/*
 * Goal: nothing that was put is lost, doubled or reordered per putter; a full or closed queue says
 * so. Method: single steps, then four putting threads and one taker (also run under
 * ThreadSanitizer).
 */
#include "platform/base/queue.h"

#include <sched.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { putters = 4, items_each = 20000 };

static void a_full_queue_refuses(void **state)
{
    struct queue queue;
    void *items[4];
    int a;
    int b;
    (void)state;
    assert_true(queue_init(&queue, 2));
    assert_true(queue_put(&queue, &a));
    assert_true(queue_put(&queue, &b));
    assert_false(queue_put(&queue, &a));
    assert_int_equal(queue_take(&queue, items, 1, 0), 1);
    assert_ptr_equal(items[0], &a);
    assert_true(queue_put(&queue, &a));
    assert_int_equal(queue_take(&queue, items, 4, -1), 2);
    assert_ptr_equal(items[0], &b);
    assert_ptr_equal(items[1], &a);
    queue_deinit(&queue);
}

static void a_closed_queue_gives_what_it_has_and_takes_nothing(void **state)
{
    struct queue queue;
    void *items[4];
    int a;
    (void)state;
    assert_true(queue_init(&queue, 2));
    assert_true(queue_put(&queue, &a));
    queue_close(&queue);
    assert_false(queue_put(&queue, &a));
    assert_false(queue_is_finished(&queue));
    assert_int_equal(queue_take(&queue, items, 4, -1), 1);
    assert_true(queue_is_finished(&queue));
    assert_int_equal(queue_take(&queue, items, 4, -1), 0);
    queue_deinit(&queue);
}

static void a_wake_ends_a_wait_without_items(void **state)
{
    struct queue queue;
    void *items[1];
    (void)state;
    assert_true(queue_init(&queue, 2));
    queue_wake(&queue);
    assert_int_equal(queue_take(&queue, items, 1, -1), 0);
    assert_int_equal(queue_take(&queue, items, 1, 1000), 0);
    queue_deinit(&queue);
}

static struct queue shared;
static uintptr_t numbers[putters][items_each];

static void *put_all(void *context)
{
    uintptr_t *own = context;
    for (size_t i = 0; i < items_each; i++) {
        while (!queue_put(&shared, &own[i]))
            sched_yield();
    }
    return NULL;
}

static void many_putters_lose_nothing_and_keep_their_order(void **state)
{
    pthread_t threads[putters];
    size_t next[putters] = {0};
    size_t total = 0;
    (void)state;
    assert_true(queue_init(&shared, 64));
    for (size_t i = 0; i < putters; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, put_all, numbers[i]), 0);
    while (total < (size_t)putters * items_each) {
        void *items[100];
        size_t count = queue_take(&shared, items, 100, -1);
        for (size_t i = 0; i < count; i++) {
            size_t at = (size_t)((uintptr_t *)items[i] - &numbers[0][0]);
            assert_int_equal(at % items_each, next[at / items_each]);
            next[at / items_each]++;
        }
        total += count;
    }
    for (size_t i = 0; i < putters; i++)
        pthread_join(threads[i], NULL);
    queue_deinit(&shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(a_closed_queue_gives_what_it_has_and_takes_nothing),
        cmocka_unit_test(a_wake_ends_a_wait_without_items),
        cmocka_unit_test(many_putters_lose_nothing_and_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
