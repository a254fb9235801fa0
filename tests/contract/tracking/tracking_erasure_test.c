/*
 * Goal: what was announced of an erased number leaves the log within a stated time, in a service
 * where nothing else happens too, over restarts and kills; and however much is erased, it costs at
 * most one segment a day. Whoever follows what is announced is not disturbed. Method: the embedded
 * store stepped by the test on a fake clock; the bytes of the log's files are searched for what was
 * recorded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "tests/contract/tracking/stepped_tracking.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t start_us = INT64_C(1800000000) * 1000000;
static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

enum { retention_days = 3 };

static const char secret[] = "left-with-Mrs-Adeyemi";

/* Where somebody stands who reads what is announced as it comes, and holds the log there. */
static uint64_t follower;

static int set_up(void **state)
{
    static struct stepped_tracking stepped;
    stepped_tracking_init(&stepped, start_us);
    stepped.options.log_retention_us = retention_days * day_us;
    stepped_tracking_open(&stepped);
    follower = 0;
    *state = &stepped;
    return 0;
}

static int tear_down(void **state)
{
    stepped_tracking_deinit(*state);
    return 0;
}

static void erase(struct stepped_tracking *stepped, const char *number)
{
    struct tracking_call call = {.kind = TRACKING_CALL_ERASE};
    call.erase.carrier = text_of("ups");
    call.erase.tracking_number = text_of(number);
    tracking_call_run(&stepped->caller, &call);
    assert_string_equal(stepped->caller.error.detail, "");
    assert_int_equal(call.base.outcome, TRACKING_DONE);
}

static bool file_tells(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &status), 0);
    void *bytes = status.st_size == 0
                      ? NULL
                      : mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    assert_true(bytes != MAP_FAILED);
    bool tells =
        bytes != NULL && memmem(bytes, (size_t)status.st_size, secret, strlen(secret)) != NULL;
    if (bytes != NULL)
        munmap(bytes, (size_t)status.st_size);
    close(file);
    return tells;
}

/* How many segments the log has, and whether any of its files tells of the parcel. */
static size_t look(const struct stepped_tracking *stepped, bool *tells)
{
    char path[1024];
    size_t segments = 0;
    const struct dirent *entry;
    *tells = false;
    snprintf(path, sizeof path, "%s/log", stepped->directory.path);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/log/%s", stepped->directory.path, entry->d_name);
        *tells = file_tells(path) || *tells;
        segments += strstr(entry->d_name, ".log") != NULL;
    }
    closedir(directory);
    return segments;
}

static bool log_tells(const struct stepped_tracking *stepped)
{
    bool tells;
    look(stepped, &tells);
    return tells;
}

static uint64_t follower_place(void *context)
{
    (void)context;
    return follower;
}

static void follow(struct stepped_tracking *stepped)
{
    struct tracking_announcement_source *source =
        embedded_tracking_announcements(stepped->repository);
    struct tracking_announcement_batch batch;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct error error = tracking_announcement_source_read(source, follower, 1000, &arena, &batch);
    assert_string_equal(error.detail, "");
    follower = batch.next;
    tracking_announcement_source_set_held(source, follower_place, NULL);
    arena_deinit(&arena);
}

/* Days pass as they do, a quarter at a time. */
static void pass_days(struct stepped_tracking *stepped, int days)
{
    for (int i = 0; i < 4 * days; i++) {
        follow(stepped);
        stepped_tracking_pass(stepped, day_us / 4);
    }
}

static void it_leaves_the_log_a_day_after_the_time_that_the_log_is_kept(void **state)
{
    struct stepped_tracking *stepped = *state;
    stepped_tracking_record(stepped, secret, "e1", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_record(stepped, "other", "e1", TRACKING_EVENT_IN_TRANSIT);
    stepped_tracking_pass(stepped, hour_us);
    erase(stepped, secret);
    pass_days(stepped, retention_days);
    assert_true(log_tells(stepped)); /* as long as those who read events may count on it */
    pass_days(stepped, 1);
    stepped_tracking_pass(stepped, hour_us);
    assert_false(log_tells(stepped));
    struct tracking_call call = {.kind = TRACKING_CALL_GET};
    call.get.carrier = text_of("ups");
    call.get.tracking_number = text_of("other");
    stepped_tracking_restart(stepped, true);
    tracking_call_run(&stepped->caller, &call);
    assert_int_equal(call.base.outcome, TRACKING_DONE);
    assert_int_equal(call.get.tracking.event_count, 1);
}

static void without_an_erasure_the_newest_segment_stays(void **state)
{
    struct stepped_tracking *stepped = *state;
    stepped_tracking_record(stepped, secret, "e1", TRACKING_EVENT_IN_TRANSIT);
    pass_days(stepped, 2 * retention_days + 1);
    assert_true(log_tells(stepped));
}

static void restarts_and_kills_do_not_keep_it(void **state)
{
    struct stepped_tracking *stepped = *state;
    stepped_tracking_record(stepped, secret, "e1", TRACKING_EVENT_IN_TRANSIT);
    erase(stepped, secret);
    for (int i = 0; i <= 2 * (retention_days + 1); i++) {
        stepped_tracking_restart(stepped, i % 2 == 0);
        follow(stepped);
        stepped_tracking_pass(stepped, day_us / 2 + hour_us);
    }
    assert_false(log_tells(stepped));
}

static void erasures_all_the_time_cost_a_segment_a_day(void **state)
{
    enum { days = 7, erasures_a_day = 12 };
    struct stepped_tracking *stepped = *state;
    bool tells;
    size_t most = 0;
    for (int i = 0; i < days * erasures_a_day; i++) {
        stepped_tracking_record(stepped, secret, "e1", TRACKING_EVENT_IN_TRANSIT);
        erase(stepped, secret);
        follow(stepped);
        stepped_tracking_pass(stepped, day_us / erasures_a_day);
        size_t segments = look(stepped, &tells);
        most = segments > most ? segments : most;
    }
    assert_in_range(most, 2, retention_days + 3);
    pass_days(stepped, retention_days + 1);
    stepped_tracking_pass(stepped, hour_us);
    assert_false(log_tells(stepped));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_leaves_the_log_a_day_after_the_time_that_the_log_is_kept),
        CASE(without_an_erasure_the_newest_segment_stays),
        CASE(restarts_and_kills_do_not_keep_it),
        CASE(erasures_all_the_time_cost_a_segment_a_day),
    };
    log_configure(LOG_LEVEL_ERROR, false);
    return cmocka_run_group_tests_name("tracking_erasure", tests, NULL, NULL);
}
