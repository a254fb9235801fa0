/*
 * How fast this machine's disk takes a record log. Not a test: nothing is asserted.
 *
 *     record_log_load DIRECTORY [SEGMENT_MIB]
 *
 * In a new log in DIRECTORY, which must be empty or missing, and with batches of at most 4 MiB:
 *   - opening, empty;
 *   - commits of one record of 200 bytes: percentiles of the latency;
 *   - commits of 1 MiB of records of 150 bytes, with the next segment prepared in the background:
 *     records a second, percentiles, and the share of a core that encoding them takes;
 *   - reading records by position, and opening the log again.
 */
#include "platform/base/clock.h"
#include "platform/base/random.h"
#include "platform/storage/record_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    single_commits = 5000,
    batch_commits = 2000,
    batch_bytes = 1024 * 1024,
    record_bytes = 150,
    reads = 500000,
};

static int64_t now_us(void)
{
    return clock_monotonic_us(clock_system());
}

static void stop_on(struct error error)
{
    if (!error_is(error))
        return;
    fprintf(stderr, "%s: %s\n", error_text(error.code), error.detail);
    exit(1);
}

static struct error count_record(void *context, uint64_t position, struct text record)
{
    (void)position;
    (void)record;
    (*(uint64_t *)context)++;
    return error_none();
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_percentiles(const char *what, int64_t *times_us, size_t count)
{
    qsort(times_us, count, sizeof times_us[0], compare_times);
    printf("%s: p50 %lld us, p99 %lld us, max %lld us\n", what, (long long)times_us[count / 2],
           (long long)times_us[count * 99 / 100], (long long)times_us[count - 1]);
}

static uint64_t append(struct record_log *log, size_t size)
{
    uint64_t position;
    memset(record_log_append_begin(log, size, &position), 'r', size);
    record_log_append_end(log, size);
    return position;
}

static void commit_single_records(struct record_log *log)
{
    static int64_t times_us[single_commits];
    for (int i = 0; i < single_commits; i++) {
        int64_t start = now_us();
        stop_on(record_log_claim(log));
        append(log, 200);
        stop_on(record_log_commit(log));
        times_us[i] = now_us() - start;
    }
    print_percentiles("commit of one record of 200 bytes", times_us, single_commits);
}

static void commit_batches(struct record_log *log, uint64_t *positions)
{
    static int64_t times_us[batch_commits];
    int64_t encoding_us = 0;
    uint64_t records = 0;
    int64_t begun = now_us();
    for (int i = 0; i < batch_commits; i++) {
        int64_t start = now_us();
        stop_on(record_log_claim(log));
        int64_t claimed = now_us();
        for (int filled = 0; filled < batch_bytes; filled += record_bytes + 8) {
            positions[records % reads] = append(log, record_bytes);
            records++;
        }
        encoding_us += now_us() - claimed;
        stop_on(record_log_commit(log));
        times_us[i] = now_us() - start;
    }
    double seconds = (double)(now_us() - begun) / 1e6;
    print_percentiles("claim, append and commit of 1 MiB", times_us, batch_commits);
    printf("  %.0f records/s, %.0f MiB/s; appending %.0f ns a record\n", (double)records / seconds,
           batch_commits / seconds, (double)encoding_us * 1e3 / (double)records);
}

static void read_records(struct record_log *log, const uint64_t *positions)
{
    struct random_seeded random;
    struct buffer record;
    random_seeded_init(&random, 1);
    buffer_init(&record, record_bytes);
    int64_t start = now_us();
    for (int i = 0; i < reads; i++)
        stop_on(record_log_read(log, positions[random_below(&random.base, reads)], &record));
    printf("read by position: %.0f ns\n", (double)(now_us() - start) * 1e3 / reads);
    buffer_deinit(&record);
}

int main(int argc, char **argv)
{
    static uint64_t positions[reads];
    struct record_log *log;
    uint64_t replayed = 0;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: record_log_load DIRECTORY [SEGMENT_MIB]\n");
        return 2;
    }
    struct record_log_options options = {
        .directory = argv[1],
        .kind = "load",
        .record_version = 1,
        .segment_bytes = (argc > 2 ? strtoull(argv[2], NULL, 10) : 64) << 20,
        .batch_bytes_max = 4 * batch_bytes,
        .background_prepare = true,
    };
    int64_t start = now_us();
    stop_on(record_log_open(&log, file_system_posix(), &options, count_record, &replayed));
    printf("open, empty: %.1f ms\n", (double)(now_us() - start) / 1e3);
    commit_single_records(log);
    commit_batches(log, positions);
    read_records(log, positions);
    record_log_close(log);
    start = now_us();
    stop_on(record_log_open(&log, file_system_posix(), &options, count_record, &replayed));
    double seconds = (double)(now_us() - start) / 1e6;
    printf("open with %llu records: %.2f s, %.1f million/s\n", (unsigned long long)replayed,
           seconds, (double)replayed / seconds / 1e6);
    record_log_close(log);
    return 0;
}
