/*
 * Goal: the progress file comes back as it was saved, belongs to one replay and one run at a time,
 * and a damaged one is refused, never taken for an empty one. Method: real files in a directory of
 * the test's own.
 */
#include "main/replay/state/replay_progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char directory[64];
    char path[128];
    struct data_set data_set;
    struct replay_plan plan;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    static const char table[] = "ASN/DN #,Item Description,Line Item Quantity\nA,x,1\n";
    fixture = (struct fixture){.directory = "/tmp/waybill-progress-XXXXXX"};
    if (mkdtemp(fixture.directory) == NULL ||
        error_is(data_set_read_bytes(&fixture.data_set, "t.csv", text_of(table))) ||
        error_is(replay_plan_init(&fixture.plan, &fixture.data_set, 7)))
        return -1;
    snprintf(fixture.path, sizeof fixture.path, "%s/below/replay.json", fixture.directory);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"below/replay.json", "below/replay.json.new",
                                        "below/replay.json.lock", "below", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", fixture->directory, names[i]);
        (void)remove(path);
    }
    replay_plan_deinit(&fixture->plan);
    data_set_deinit(&fixture->data_set);
    return 0;
}

static struct error open_file(const struct fixture *fixture, struct replay_progress_file **file,
                              struct replay_progress *progress)
{
    return replay_progress_open(file, file_system_posix(), fixture->path, &fixture->plan, progress);
}

/* Opens what must open, closes it and gives what was in it. */
static struct replay_progress load(const struct fixture *fixture)
{
    struct replay_progress_file *file;
    struct replay_progress progress;
    struct error error = open_file(fixture, &file, &progress);
    assert_string_equal(error.detail, "");
    replay_progress_close(file);
    return progress;
}

static void save(const struct fixture *fixture, const struct replay_progress *progress)
{
    struct replay_progress_file *file;
    struct replay_progress before;
    struct error error = open_file(fixture, &file, &before);
    assert_string_equal(error.detail, "");
    error = replay_progress_save(file, progress);
    assert_string_equal(error.detail, "");
    replay_progress_close(file);
}

static void write_file(const char *path, const char *content)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const struct replay_progress half = {
    .stage = "pay",
    .received = 184,
    .committed = 5000,
    .rolled_back = 3,
    .expired = 1,
};

static const struct replay_progress whole = {
    .stage = "done",
    .complete = true,
    .received = 184,
    .committed = 6296,
    .rolled_back = 387,
    .expired = 347,
    .delivered = 10324,
    .finish_time_us = INT64_C(1795523800507796),
    .measurements =
        {
            .calls = 14244,
            .repeated = 5,
            .busy_us = 95071,
            .latency = {.p50_us = 1, .p95_us = 2, .p99_us = 3, .max_us = 4},
        },
};

static void expect_equal(const struct replay_progress *a, const struct replay_progress *b)
{
    assert_int_equal(a->complete, b->complete);
    assert_int_equal(a->received, b->received);
    assert_int_equal(a->committed, b->committed);
    assert_int_equal(a->rolled_back, b->rolled_back);
    assert_int_equal(a->expired, b->expired);
    assert_int_equal(a->delivered, b->delivered);
    assert_int_equal(a->finish_time_us, b->finish_time_us);
    assert_memory_equal(&a->measurements, &b->measurements, sizeof a->measurements);
}

static void absent_file_is_an_empty_one(void **state)
{
    static const struct replay_progress nothing = {0};
    struct replay_progress progress = load(*state);
    expect_equal(&progress, &nothing);
}

static void what_was_saved_comes_back(void **state)
{
    save(*state, &half);
    struct replay_progress progress = load(*state);
    expect_equal(&progress, &half);
    save(*state, &whole);
    progress = load(*state);
    expect_equal(&progress, &whole);
}

static void leftover_of_a_cut_save_does_no_harm(void **state)
{
    const struct fixture *fixture = *state;
    char path[160];
    save(fixture, &half);
    snprintf(path, sizeof path, "%s.new", fixture->path);
    write_file(path, "{\"format\": 1, \"se");
    struct replay_progress progress = load(fixture);
    expect_equal(&progress, &half);
    save(fixture, &whole);
    progress = load(fixture);
    expect_equal(&progress, &whole);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void second_run_is_refused_while_the_first_lasts(void **state)
{
    const struct fixture *fixture = *state;
    struct replay_progress_file *first;
    struct replay_progress_file *second;
    struct replay_progress progress;
    assert_false(error_is(open_file(fixture, &first, &progress)));
    struct error error = open_file(fixture, &second, &progress);
    assert_int_equal(error.code, ERROR_LOCKED);
    assert_null(second);
    replay_progress_close(first);
    (void)load(fixture);
}

static void file_of_another_replay_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct replay_progress_file *file;
    struct replay_progress progress;
    save(fixture, &half);
    fixture->plan.seed = 8;
    struct error error = open_file(fixture, &file, &progress);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_non_null(strstr(error.detail, "belongs to another replay"));
    fixture->plan.seed = 7;
    fixture->data_set.digest[31] ^= 1;
    error = open_file(fixture, &file, &progress);
    assert_int_equal(error.code, ERROR_INVALID_INPUT);
    assert_non_null(strstr(error.detail, "belongs to another replay"));
}

static void file_cut_anywhere_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    char content[4096];
    save(fixture, &whole);
    FILE *file = fopen(fixture->path, "r");
    assert_non_null(file);
    size_t size = fread(content, 1, sizeof content - 1, file);
    (void)fclose(file);
    assert_true(size > 100);
    for (size_t cut = 0; cut < size; cut++) {
        struct replay_progress_file *opened;
        struct replay_progress progress;
        char part[4096] = "";
        memcpy(part, content, cut);
        write_file(fixture->path, part);
        struct error error = open_file(fixture, &opened, &progress);
        assert_int_equal(error.code, ERROR_INVALID_INPUT);
        assert_non_null(strstr(error.detail, "is not a progress file"));
    }
}

static void file_without_a_field_or_of_another_format_is_refused(void **state)
{
    static const char *const contents[] = {
        "[]",
        "{}",
        "{\"format\": 2, \"seed\": 7, \"data_set_sha256\": \"\", \"complete\": false, \"counts\": "
        "{\"products_received\": 0, \"orders_committed\": 0, \"orders_rolled_back\": 0, "
        "\"orders_expired\": 0}}",
        "{\"format\": 1, \"seed\": \"7\", \"data_set_sha256\": \"\", \"complete\": false}",
    };
    const struct fixture *fixture = *state;
    (void)load(fixture); /* makes the folder */
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        struct replay_progress_file *opened;
        struct replay_progress progress;
        write_file(fixture->path, contents[i]);
        struct error error = open_file(fixture, &opened, &progress);
        assert_int_equal(error.code, ERROR_INVALID_INPUT);
        assert_non_null(strstr(error.detail, "is not a progress file"));
    }
}

#define PROGRESS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROGRESS_TEST(absent_file_is_an_empty_one),
        PROGRESS_TEST(what_was_saved_comes_back),
        PROGRESS_TEST(leftover_of_a_cut_save_does_no_harm),
        PROGRESS_TEST(second_run_is_refused_while_the_first_lasts),
        PROGRESS_TEST(file_of_another_replay_is_refused),
        PROGRESS_TEST(file_cut_anywhere_is_refused),
        PROGRESS_TEST(file_without_a_field_or_of_another_format_is_refused),
    };
    return cmocka_run_group_tests_name("replay_progress", tests, NULL, NULL);
}
