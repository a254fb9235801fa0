/* An opening for reading only, whose replay looks at each event. */
#include "platform/events/event_log_verification.h"

#include "platform/events/event_record.h"
#include "platform/storage/record_log.h"

#include <stdio.h>

enum { kind_bytes_max = 16, segment_bytes = 64 * 1024 * 1024, batch_bytes = 1024 * 1024 };

static struct error look_at(void *context, uint64_t position, struct text record)
{
    struct event_log_verification *verification = context;
    struct event event;
    int64_t logged_us;
    if (!event_record_decode(record, &event, &logged_us))
        return error_make(ERROR_DAMAGED, "the record at position %llu is no event",
                          (unsigned long long)position);
    if (verification->newest == 0)
        verification->oldest = event.sequence - 1;
    else if (event.sequence != verification->newest + 1)
        return error_make(ERROR_DAMAGED, "at position %llu event %llu follows event %llu",
                          (unsigned long long)position, (unsigned long long)event.sequence,
                          (unsigned long long)verification->newest);
    verification->newest = event.sequence;
    return error_none();
}

struct error event_log_verify(struct file_system *file_system, const char *directory,
                              const char *source, struct event_log_verification *verification)
{
    char kind[kind_bytes_max];
    struct record_log *log;
    *verification = (struct event_log_verification){0};
    int size = snprintf(kind, sizeof kind, "ev:%s", source);
    if (size <= 0 || size >= kind_bytes_max)
        return error_make(ERROR_NOT_FOUND, "%.200s: there is no such context", source);
    struct record_log_options options = {
        .directory = directory,
        .kind = kind,
        .record_version = event_record_version,
        .segment_bytes = segment_bytes,
        .batch_bytes_max = batch_bytes,
        .read_only = true,
    };
    struct error error = record_log_open(&log, file_system, &options, look_at, verification);
    if (error_is(error))
        return error;
    record_log_chain_head(log, verification->chain_head);
    record_log_close(log);
    return error;
}
