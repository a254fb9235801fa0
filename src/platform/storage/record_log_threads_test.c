/*
 * Goal: readers and the preparation ahead may run beside the log's owner (record_log.h, threads).
 * Method: real threads on the machine's own file system; ThreadSanitizer runs it, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/log.h"
#include "platform/storage/record_log_format.h"
#include "tests/support/storage/record_log_kit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void assert_good(struct error error)
{
    if (error_is(error))
        fail_msg("%s", error.detail);
}

static struct error count_record(void *context, uint64_t position, struct text record)
{
    (void)position;
    (void)record;
    ++*(uint64_t *)context;
    return error_none();
}

enum { threads_batches = 2000 };

struct reader_run {
    struct record_log *log;
    atomic_uint_fast64_t position; /* of a committed record, 0 = none yet */
    atomic_bool done;
    struct error error;
};

static void *read_and_scan(void *context)
{
    struct reader_run *run = context;
    struct buffer record;
    buffer_init(&record, kit_record_bytes_max);
    while (!atomic_load(&run->done) && !error_is(run->error)) {
        uint64_t count = 0;
        uint8_t head[chain_bytes];
        uint64_t position = atomic_load(&run->position);
        for (int i = 0; i < 1000 && position != 0 && !error_is(run->error); i++)
            run->error = record_log_read(run->log, position, &record);
        if (!error_is(run->error))
            run->error = record_log_scan(run->log, record_log_committed_end(run->log), count_record,
                                         &count, head);
    }
    buffer_deinit(&record);
    return NULL;
}

static void remove_log_file(void *context, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    assert_good(file_system_remove(file_system_posix(), path));
}

static void readers_and_preparation_run_beside_the_owner(void **state)
{
    (void)state;
    char directory[] = "/tmp/waybill-record-log-XXXXXX";
    struct record_log_kit kit = record_log_kit_make();
    struct reader_run run = {.error = error_none()};
    pthread_t reader;
    assert_non_null(mkdtemp(directory));
    kit.options.directory = directory;
    kit.options.segment_bytes = 256 * 1024;
    kit.options.batch_bytes_max = 4096;
    kit.options.background_prepare = true;
    assert_good(record_log_kit_open(&kit, file_system_posix()));
    run.log = kit.log;
    assert_int_equal(pthread_create(&reader, NULL, read_and_scan, &run), 0);
    for (int i = 0; i < threads_batches; i++) {
        assert_good(record_log_kit_commit(&kit, 3));
        atomic_store(&run.position, kit.last_position);
    }
    atomic_store(&run.done, true);
    pthread_join(reader, NULL);
    assert_good(run.error);
    record_log_kit_close(&kit);
    assert_good(record_log_kit_open(&kit, file_system_posix()));
    assert_int_equal(kit.replayed, 3 * threads_batches);
    assert_false(kit.replay_is_wrong);
    record_log_kit_close(&kit);
    assert_good(file_system_list(file_system_posix(), directory, remove_log_file, directory));
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    log_configure(LOG_LEVEL_OFF, false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_and_preparation_run_beside_the_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
