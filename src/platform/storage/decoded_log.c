/*
 * A read walks records from the one that holds `after` and gives the items behind it, so a batch
 * may end in the middle of a record: the reader then stands at that record, under the sequence of
 * the last item given. Each record is copied onto the arena, so that items may view it.
 */
#include "platform/storage/decoded_log.h"

#include <string.h>

struct error decoded_log_init(struct decoded_log *decoded, struct record_log *log,
                              struct file_system *file_system, const char *directory,
                              struct random *random)
{
    *decoded = (struct decoded_log){.log = log};
    struct error error = log_identity_open(file_system, directory, random, decoded->identity);
    if (error_is(error))
        return error;
    record_log_reader_pool_init(&decoded->readers, log);
    pthread_mutex_init(&decoded->mutex, NULL);
    return error;
}

void decoded_log_deinit(struct decoded_log *decoded)
{
    record_log_reader_pool_deinit(&decoded->readers);
    pthread_mutex_destroy(&decoded->mutex);
}

bool decoded_batch_add(struct decoded_batch *batch, const void *item, uint64_t sequence)
{
    if (sequence <= batch->after)
        return true;
    if (batch->count == batch->count_max)
        return false;
    memcpy((char *)batch->items + batch->count * batch->item_size, item, batch->item_size);
    batch->count++;
    batch->place.key = sequence;
    return true;
}

bool decoded_batch_fail_memory(struct decoded_batch *batch)
{
    if (batch->count == 0)
        batch->error = error_make(ERROR_OUT_OF_MEMORY, "reading what %s tells", batch->name);
    return false;
}

bool decoded_batch_fail_damaged(struct decoded_batch *batch, uint64_t position)
{
    batch->error = error_make(ERROR_DAMAGED, "record at position %llu is no %s record",
                              (unsigned long long)position, batch->name);
    return false;
}

static bool visit_record(void *context, uint64_t position, uint64_t end, struct text bytes)
{
    struct decoded_batch *batch = context;
    struct text copy = arena_copy_text(batch->arena, bytes);
    if (copy.data == NULL)
        return decoded_batch_fail_memory(batch);
    if (!batch->take(batch, position, copy))
        return false;
    batch->place.key = end - 1;
    batch->place.position = end;
    return batch->count < batch->count_max;
}

struct error decoded_log_read(struct decoded_log *decoded, struct decoded_batch *batch)
{
    batch->items = arena_allocate(batch->arena, batch->count_max * batch->item_size);
    batch->count = 0;
    batch->next = batch->after;
    batch->error = error_none();
    if (batch->items == NULL) {
        (void)decoded_batch_fail_memory(batch);
        return batch->error;
    }
    struct error error =
        record_log_reader_pool_take(&decoded->readers, batch->after, batch->after, &batch->place);
    if (error_is(error))
        return error;
    error = record_log_reader_read(batch->place.reader, batch->place.position, visit_record, batch);
    if (!error_is(error))
        error = batch->error;
    if (error_is(error)) {
        record_log_reader_destroy(batch->place.reader);
        return error;
    }
    batch->next = batch->place.key;
    record_log_reader_pool_give(&decoded->readers, &batch->place);
    return error;
}

uint64_t decoded_log_oldest(const struct decoded_log *decoded)
{
    return record_log_oldest(decoded->log);
}

uint64_t decoded_log_newest(const struct decoded_log *decoded)
{
    return record_log_committed_end(decoded->log);
}

void decoded_log_set_wake(struct decoded_log *decoded, void (*wake)(void *context), void *context)
{
    pthread_mutex_lock(&decoded->mutex);
    decoded->wake = wake;
    decoded->wake_context = context;
    pthread_mutex_unlock(&decoded->mutex);
}

void decoded_log_set_held(struct decoded_log *decoded, uint64_t (*held)(void *context),
                          void *context)
{
    pthread_mutex_lock(&decoded->mutex);
    decoded->held = held;
    decoded->held_context = context;
    pthread_mutex_unlock(&decoded->mutex);
}

void decoded_log_committed(struct decoded_log *decoded)
{
    pthread_mutex_lock(&decoded->mutex);
    if (decoded->wake != NULL)
        decoded->wake(decoded->wake_context);
    pthread_mutex_unlock(&decoded->mutex);
}

uint64_t decoded_log_held(struct decoded_log *decoded)
{
    uint64_t held = UINT64_MAX;
    pthread_mutex_lock(&decoded->mutex);
    if (decoded->held != NULL)
        held = decoded->held(decoded->held_context);
    pthread_mutex_unlock(&decoded->mutex);
    return held;
}
