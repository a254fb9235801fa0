/*
 * RocksDB by its C API. Options are explained and measured in docs/internals/tracking_store.md.
 *
 * Failures: every call that can fail gives a text, which becomes an error with a code. Errors of
 * background flushes and compactions show in a property that the engine looks at each step.
 */
#include "tracking/infrastructure/embedded/tracking_store.h"

#include "platform/base/check.h"
#include "platform/base/memory.h"

#include <rocksdb/c.h>
#include <stdio.h>
#include <string.h>

struct tracking_store {
    rocksdb_t *database;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_writeoptions_t *write_options;
    rocksdb_readoptions_t *read_options;
    rocksdb_writebatch_t *batch;
    char directory[1024];
};

struct tracking_store_iterator {
    rocksdb_iterator_t *rows;
    rocksdb_readoptions_t *options;
    struct tracking_store_key to; /* RocksDB keeps a pointer to it */
    struct tracking_store_key from;
    bool backwards;
    bool started;
    const char *directory;
};

enum error_code tracking_store_error_code(const char *text)
{
    if (strstr(text, "No space") != NULL || strstr(text, "quota") != NULL)
        return ERROR_DISK_FULL;
    if (strstr(text, "Corruption") != NULL)
        return ERROR_DAMAGED;
    if (strstr(text, "lock") != NULL && strstr(text, "No locks") == NULL &&
        strstr(text, "IO error") != NULL)
        return ERROR_LOCKED;
    return ERROR_INPUT_OUTPUT;
}

void tracking_store_shorten_error(const char *directory, char *text)
{
    size_t size = strlen(directory);
    for (char *at = strstr(text, directory); at != NULL; at = strstr(at, directory)) {
        if (at[size] == '/')
            memmove(at, at + size + 1, strlen(at + size + 1) + 1);
        else
            at += size;
    }
}

/* Takes the text over. */
static struct error error_of(const char *directory, char *text)
{
    if (text == NULL)
        return error_none();
    tracking_store_shorten_error(directory, text);
    struct error error =
        error_make(tracking_store_error_code(text), "%.100s: RocksDB: %.139s", directory, text);
    rocksdb_free(text);
    return error;
}

/* --- opening --- */

static void set_table_options(struct tracking_store *store,
                              const struct tracking_store_options *options)
{
    store->cache = rocksdb_cache_create_lru(options->block_cache_bytes);
    store->table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(store->table, store->cache);
    rocksdb_block_based_options_set_block_size(store->table, (size_t)16 * 1024);
    rocksdb_block_based_options_set_format_version(store->table, 5);
    /* A number never seen is found out without reading: bloom filters over whole keys. */
    rocksdb_block_based_options_set_filter_policy(store->table,
                                                  rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_block_based_options_set_whole_key_filtering(store->table, 1);
    /*
     * In parts, of which a look-up reads one: a whole file's filter may be larger than a shard of
     * the cache, and would then be read anew, all of it, for each number never seen.
     */
    rocksdb_block_based_options_set_index_type(
        store->table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(store->table, 1);
    rocksdb_block_based_options_set_metadata_block_size(store->table, (uint64_t)8 * 1024);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(store->table, 1);
    /* Within the cache's bound, so that memory is bounded by one number. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(store->table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(store->table,
                                                                                     1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(store->table, 1);
    rocksdb_options_set_block_based_table_factory(store->options, store->table);
}

/* A third of all memory tables are flushed together, as one file. */
enum { memory_tables_max = 24, memory_tables_merged = memory_tables_max / 3 };

/* Options that have no function of their own in the C API. */
static const char option_text[] = "avoid_flush_during_shutdown=true"; /* who wants it flushes */

static void set_options(struct tracking_store *store, const struct tracking_store_options *options)
{
    char *text = NULL;
    rocksdb_options_t *base = rocksdb_options_create();
    store->options = rocksdb_options_create();
    rocksdb_get_options_from_string(base, option_text, store->options, &text);
    CHECK(text == NULL);
    rocksdb_options_destroy(base);
    rocksdb_options_set_create_if_missing(store->options, options->read_only ? 0 : 1);
    /* Many small memory tables: their skip lists stay in the processor's cache while they grow. */
    rocksdb_options_set_write_buffer_size(store->options,
                                          options->memory_table_bytes / memory_tables_max);
    rocksdb_options_set_max_write_buffer_number(store->options, memory_tables_max);
    rocksdb_options_set_min_write_buffer_number_to_merge(store->options, memory_tables_merged);
    rocksdb_options_set_max_background_jobs(store->options, options->background_jobs);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(store->options, 1);
    uint64_t flushed = options->memory_table_bytes / memory_tables_max * memory_tables_merged;
    rocksdb_options_set_target_file_size_base(store->options, flushed);
    rocksdb_options_set_max_bytes_for_level_base(store->options, 4 * flushed);
    rocksdb_options_set_compression(store->options, rocksdb_lz4_compression);
    rocksdb_options_set_bottommost_compression(store->options, rocksdb_zstd_compression);
    rocksdb_options_set_max_open_files(store->options, 512);
    rocksdb_options_set_keep_log_file_num(store->options, 2);
    rocksdb_options_set_info_log_level(store->options, 3); /* errors */
    rocksdb_options_set_bytes_per_sync(store->options, (uint64_t)1 << 20);
    set_table_options(store, options);
    store->write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(store->write_options, 1);
    store->read_options = rocksdb_readoptions_create();
    store->batch = rocksdb_writebatch_create();
}

struct error tracking_store_open(struct tracking_store **store,
                                 const struct tracking_store_options *options)
{
    char *text = NULL;
    *store = NULL;
    struct tracking_store *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tracking store");
    snprintf(made->directory, sizeof made->directory, "%s", options->directory);
    set_options(made, options);
    made->database = options->read_only
                         ? rocksdb_open_for_read_only(made->options, made->directory, 0, &text)
                         : rocksdb_open(made->options, made->directory, &text);
    struct error error = error_of(made->directory, text);
    if (error_is(error)) {
        tracking_store_close(made);
        return error;
    }
    *store = made;
    return error;
}

void tracking_store_close(struct tracking_store *store)
{
    if (store == NULL)
        return;
    if (store->database != NULL)
        rocksdb_close(store->database);
    rocksdb_writebatch_destroy(store->batch);
    rocksdb_readoptions_destroy(store->read_options);
    rocksdb_writeoptions_destroy(store->write_options);
    rocksdb_options_destroy(store->options);
    rocksdb_block_based_options_destroy(store->table);
    rocksdb_cache_destroy(store->cache);
    memory_release(store);
}

/* --- keys --- */

static void key_bytes(struct tracking_store_key *key, const void *data, size_t size)
{
    CHECK(size <= sizeof key->bytes - key->size);
    if (size > 0)
        memcpy(key->bytes + key->size, data, size);
    key->size += size;
}

static void key_number(struct tracking_store_key *key, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        char byte = (char)(number >> (8 * i));
        key_bytes(key, &byte, 1);
    }
}

static struct tracking_store_key key_begin(char kind)
{
    struct tracking_store_key key;
    key.bytes[0] = kind;
    key.size = 1;
    return key;
}

struct tracking_store_key tracking_key_event(struct text parcel, int64_t time_us, struct text id)
{
    struct tracking_store_key key = key_begin('e');
    key_bytes(&key, parcel.data, parcel.size);
    key_number(&key, (uint64_t)time_us, 8);
    key_bytes(&key, id.data, id.size);
    return key;
}

int64_t tracking_day_of(int64_t time_us)
{
    return time_us / (INT64_C(86400) * 1000000);
}

struct tracking_store_key tracking_key_ping_day(int64_t day)
{
    struct tracking_store_key key = key_begin('g');
    key_number(&key, (uint64_t)day, 4);
    return key;
}

struct tracking_store_key tracking_key_ping_of_day(int64_t day, struct text parcel)
{
    struct tracking_store_key key = tracking_key_ping_day(day);
    key_bytes(&key, parcel.data, parcel.size);
    return key;
}

struct tracking_store_key tracking_key_ping(struct text parcel, int64_t time_us)
{
    struct tracking_store_key key = tracking_key_ping_of_day(tracking_day_of(time_us), parcel);
    key_number(&key, (uint64_t)time_us, 8);
    return key;
}

struct tracking_store_key tracking_key_parcel(struct text parcel)
{
    struct tracking_store_key key = key_begin('p');
    key_bytes(&key, parcel.data, parcel.size);
    return key;
}

static void key_generation(struct tracking_store_key *key, struct text parcel, int32_t generation)
{
    key_bytes(key, parcel.data, parcel.size);
    if (generation > 0)
        key_number(key, (uint64_t)generation, 4);
}

struct tracking_store_key tracking_key_order(struct text order_id, struct text parcel,
                                             int32_t generation)
{
    struct tracking_store_key key = key_begin('o');
    key_bytes(&key, order_id.data, order_id.size);
    key_bytes(&key, "", 1);
    key_generation(&key, parcel, generation);
    return key;
}

struct tracking_store_key tracking_key_status(uint8_t status, struct text parcel,
                                              int32_t generation)
{
    struct tracking_store_key key = key_begin('s');
    key_number(&key, status, 1);
    key_generation(&key, parcel, generation);
    return key;
}

struct tracking_store_key tracking_key_activity(bool told, int64_t time_us, struct text parcel,
                                                int32_t generation)
{
    struct tracking_store_key key = key_begin(told ? 'b' : 'a');
    key_number(&key, (uint64_t)time_us, 8);
    key_generation(&key, parcel, generation);
    return key;
}

struct tracking_store_key tracking_key_meta(const char *name)
{
    struct tracking_store_key key = key_begin('m');
    key_bytes(&key, name, strlen(name));
    return key;
}

struct tracking_store_key tracking_key_mark(int64_t time_us)
{
    struct tracking_store_key key = key_begin('t');
    key_number(&key, (uint64_t)time_us, 8);
    return key;
}

struct tracking_store_key tracking_key_note(struct text name)
{
    struct tracking_store_key key = key_begin('n');
    key_bytes(&key, name.data, name.size);
    return key;
}

struct tracking_store_key tracking_key_end(struct tracking_store_key prefix)
{
    while (prefix.size > 1 && (unsigned char)prefix.bytes[prefix.size - 1] == 0xFF)
        prefix.size--;
    prefix.bytes[prefix.size - 1] = (char)((unsigned char)prefix.bytes[prefix.size - 1] + 1);
    return prefix;
}

bool tracking_key_read_parcel(struct text key, size_t skip, struct text *parcel,
                              int32_t *generation)
{
    uint32_t number = 0;
    if (key.size < skip + 4 + 4)
        return false;
    *parcel = text_make(key.data + skip, key.size - skip - 4);
    for (size_t i = key.size - 4; i < key.size; i++)
        number = number << 8 | (uint8_t)key.data[i];
    *generation = (int32_t)number;
    return number >= 1 && number <= tracking_generations_max;
}

/* --- writing --- */

void tracking_store_writer_begins(void)
{
    rocksdb_set_perf_level(1); /* rocksdb::kDisable */
}

void tracking_store_put(struct tracking_store *store, const struct tracking_store_key *key,
                        struct text value)
{
    rocksdb_writebatch_put(store->batch, key->bytes, key->size, value.data, value.size);
}

void tracking_store_delete(struct tracking_store *store, const struct tracking_store_key *key)
{
    rocksdb_writebatch_delete(store->batch, key->bytes, key->size);
}

void tracking_store_delete_range(struct tracking_store *store,
                                 const struct tracking_store_key *from,
                                 const struct tracking_store_key *to)
{
    rocksdb_writebatch_delete_range(store->batch, from->bytes, from->size, to->bytes, to->size);
}

size_t tracking_store_batch_bytes(const struct tracking_store *store)
{
    size_t size = 0;
    (void)rocksdb_writebatch_data(store->batch, &size);
    return size;
}

struct error tracking_store_write(struct tracking_store *store)
{
    char *text = NULL;
    if (rocksdb_writebatch_count(store->batch) == 0)
        return error_none();
    rocksdb_write(store->database, store->write_options, store->batch, &text);
    rocksdb_writebatch_clear(store->batch);
    return error_of(store->directory, text);
}

struct error tracking_store_flush(struct tracking_store *store)
{
    char *text = NULL;
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(options, 1);
    rocksdb_flush(store->database, options, &text);
    rocksdb_flushoptions_destroy(options);
    return error_of(store->directory, text);
}

void tracking_store_compact(struct tracking_store *store, const struct tracking_store_key *from,
                            const struct tracking_store_key *to)
{
    rocksdb_compactoptions_t *options = rocksdb_compactoptions_create();
    rocksdb_compactoptions_set_exclusive_manual_compaction(options, 0);
    rocksdb_compactoptions_set_bottommost_level_compaction(options, 2); /* force */
    rocksdb_compact_range_opt(store->database, options, from->bytes, from->size, to->bytes,
                              to->size);
    rocksdb_compactoptions_destroy(options);
}

uint64_t tracking_store_property(struct tracking_store *store, const char *name)
{
    uint64_t value = 0;
    return rocksdb_property_int(store->database, name, &value) == 0 ? value : 0;
}

struct error tracking_store_background_error(struct tracking_store *store)
{
    if (tracking_store_property(store, "rocksdb.background-errors") == 0)
        return error_none();
    /* The property only counts; a write repeats the text of what stopped the store. */
    struct tracking_store_key key = tracking_key_meta("probe");
    char *text = NULL;
    rocksdb_put(store->database, store->write_options, key.bytes, key.size, "", 0, &text);
    if (text != NULL)
        return error_of(store->directory, text);
    return error_make(ERROR_INPUT_OUTPUT, "%s: RocksDB: an error in the background",
                      store->directory);
}

/* --- reading --- */

static rocksdb_readoptions_t *options_at(const struct tracking_store_snapshot *snapshot)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    if (snapshot != NULL)
        rocksdb_readoptions_set_snapshot(options, (const rocksdb_snapshot_t *)snapshot);
    return options;
}

struct error tracking_store_get(struct tracking_store *store,
                                const struct tracking_store_snapshot *snapshot,
                                const struct tracking_store_key *key, struct buffer *value,
                                bool *found)
{
    char *text = NULL;
    size_t size = 0;
    rocksdb_readoptions_t *options = snapshot == NULL ? NULL : options_at(snapshot);
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned(store->database, options == NULL ? store->read_options : options,
                           key->bytes, key->size, &text);
    struct error error = error_of(store->directory, text);
    *found = slice != NULL;
    if (slice != NULL) {
        const char *data = rocksdb_pinnableslice_value(slice, &size);
        buffer_clear(value);
        if (!buffer_append(value, data, size))
            error = error_make(size > value->size_max ? ERROR_DAMAGED : ERROR_OUT_OF_MEMORY,
                               "%.120s: a value of %zu bytes", store->directory, size);
        rocksdb_pinnableslice_destroy(slice);
    }
    if (options != NULL)
        rocksdb_readoptions_destroy(options);
    return error;
}

struct tracking_store_snapshot *tracking_store_snapshot_take(struct tracking_store *store)
{
    return (struct tracking_store_snapshot *)(uintptr_t)rocksdb_create_snapshot(store->database);
}

void tracking_store_snapshot_release(struct tracking_store *store,
                                     struct tracking_store_snapshot *snapshot)
{
    if (snapshot != NULL)
        rocksdb_release_snapshot(store->database, (const rocksdb_snapshot_t *)snapshot);
}

struct tracking_store_iterator *tracking_store_iterate(
    struct tracking_store *store, const struct tracking_store_snapshot *snapshot,
    const struct tracking_store_key *from, const struct tracking_store_key *to, bool backwards)
{
    struct tracking_store_iterator *iterator = memory_allocate_zero(1, sizeof *iterator);
    if (iterator == NULL)
        return NULL;
    iterator->from = *from;
    iterator->to = *to;
    iterator->backwards = backwards;
    iterator->directory = store->directory;
    iterator->options = options_at(snapshot);
    rocksdb_readoptions_set_iterate_upper_bound(iterator->options, iterator->to.bytes,
                                                iterator->to.size);
    rocksdb_readoptions_set_iterate_lower_bound(iterator->options, iterator->from.bytes,
                                                iterator->from.size);
    iterator->rows = rocksdb_create_iterator(store->database, iterator->options);
    return iterator;
}

bool tracking_store_iterator_next(struct tracking_store_iterator *iterator, struct text *key,
                                  struct text *value)
{
    size_t size = 0;
    if (!iterator->started && iterator->backwards)
        rocksdb_iter_seek_to_last(iterator->rows);
    else if (!iterator->started)
        rocksdb_iter_seek(iterator->rows, iterator->from.bytes, iterator->from.size);
    else if (iterator->backwards)
        rocksdb_iter_prev(iterator->rows);
    else
        rocksdb_iter_next(iterator->rows);
    iterator->started = true;
    if (!rocksdb_iter_valid(iterator->rows))
        return false;
    const char *data = rocksdb_iter_key(iterator->rows, &size);
    *key = text_make(data, size);
    data = rocksdb_iter_value(iterator->rows, &size);
    *value = text_make(data, size);
    return true;
}

struct error tracking_store_iterator_end(struct tracking_store_iterator *iterator)
{
    char *text = NULL;
    rocksdb_iter_get_error(iterator->rows, &text);
    struct error error = error_of(iterator->directory, text);
    rocksdb_iter_destroy(iterator->rows);
    rocksdb_readoptions_destroy(iterator->options);
    memory_release(iterator);
    return error;
}
