/* Records that carry their number, and an opening that counts them. */
#include "tests/support/storage/record_log_kit.h"

#include "platform/base/random.h"

#include <string.h>

struct record_log_kit record_log_kit_make(void)
{
    return (struct record_log_kit){
        .options =
            {
                .directory = "log",
                .kind = "test",
                .record_version = 1,
                .segment_bytes = 4096,
                .batch_bytes_max = 1024,
            },
    };
}

size_t kit_record_encode(uint64_t number, char bytes[kit_record_bytes_max])
{
    struct random_seeded random;
    random_seeded_init(&random, number);
    size_t size = 1 + (size_t)random_below(&random.base, kit_record_bytes_max);
    random_fill(&random.base, bytes, size);
    return size;
}

static struct error replay(void *context, uint64_t position, struct text record)
{
    struct record_log_kit *kit = context;
    char expected[kit_record_bytes_max];
    size_t size = kit_record_encode(kit->replayed, expected);
    if (!text_equal(record, text_make(expected, size)) || position <= kit->last_position)
        kit->replay_is_wrong = true;
    kit->last_position = position;
    kit->replayed++;
    if (kit->watcher != NULL)
        return kit->watcher(kit->watcher_context, position, record);
    return error_none();
}

struct error record_log_kit_open(struct record_log_kit *kit, struct file_system *fs)
{
    kit->replayed = 0;
    kit->last_position = 0;
    kit->replay_is_wrong = false;
    struct error error = record_log_open(&kit->log, fs, &kit->options, replay, kit);
    kit->appended = kit->replayed;
    kit->committed = kit->replayed;
    return error;
}

void record_log_kit_close(struct record_log_kit *kit)
{
    record_log_close(kit->log);
    kit->log = NULL;
}

void record_log_kit_append(struct record_log_kit *kit)
{
    char *at = record_log_append_begin(kit->log, kit_record_bytes_max, &kit->last_position);
    record_log_append_end(kit->log, kit_record_encode(kit->appended, at));
    kit->appended++;
}

struct error record_log_kit_commit(struct record_log_kit *kit, unsigned count)
{
    struct error error = record_log_claim(kit->log);
    if (error_is(error))
        return error;
    for (unsigned i = 0; i < count; i++)
        record_log_kit_append(kit);
    error = record_log_commit(kit->log);
    if (!error_is(error))
        kit->committed = kit->appended;
    return error;
}

struct error record_log_kit_fill(struct record_log_kit *kit, unsigned batches)
{
    struct error error = error_none();
    for (unsigned i = 0; i < batches && !error_is(error); i++)
        error = record_log_kit_commit(kit, 1 + i % 3);
    return error;
}
