/*
 * JSON by jansson, a few hundred bytes. Saving: FILE.new is written and synced, then renamed to
 * FILE, then the folder is synced. A lock on FILE.lock lasts as long as the process.
 */
#include "main/replay/state/replay_progress.h"

#include "platform/base/arena.h"
#include "platform/base/hexadecimal.h"
#include "platform/base/memory.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { format_version = 1, file_bytes_max = 65536 };

struct replay_progress_file {
    struct file_system *file_system;
    const char *path;
    struct arena arena;
    const char *folder;
    const char *new_path;
    struct file *lock;
    uint64_t seed;
    char digest[2 * data_set_digest_bytes + 1]; /* of the data set, hexadecimal */
};

/* --- reading --- */

static struct error error_no_progress_file(const char *path, const char *why)
{
    return error_make(
        ERROR_INVALID_INPUT,
        "%s is not a progress file of waybill replay (%s). Delete it and run again: what "
        "was done is read from the server.",
        path, why);
}

static struct error read_measurements(json_t *json, struct replay_progress *progress)
{
    struct replay_measurements *to = &progress->measurements;
    json_int_t values[7] = {0};
    json_error_t why;
    if (json_unpack_ex(json, &why, 0, "{s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "calls",
                       &values[0], "repeated", &values[1], "busy_us", &values[2], "latency_us",
                       "p50", &values[3], "p95", &values[4], "p99", &values[5], "max",
                       &values[6]) != 0)
        return error_make(ERROR_INVALID_INPUT, "%s", why.text);
    to->calls = (uint64_t)values[0];
    to->repeated = (uint64_t)values[1];
    to->busy_us = values[2];
    to->latency = (struct latency_percentiles){values[3], values[4], values[5], values[6]};
    return error_none();
}

/* NULL = they were not compared. */
static bool read_strategies(const json_t *array, struct replay_progress *progress)
{
    bool is_read = array == NULL || json_array_size(array) == replay_strategy_count;
    for (size_t i = 0; i < replay_strategy_count && array != NULL && is_read; i++) {
        struct strategy_totals *of = &progress->strategies[i];
        int figures[3];
        json_int_t cost_minor;
        is_read = json_unpack(json_array_get(array, i), "{s:i, s:i, s:i, s:I}", "orders",
                              &figures[0], "parts", &figures[1], "optimal", &figures[2],
                              "cost_minor", &cost_minor) == 0;
        if (is_read)
            *of = (struct strategy_totals){(uint32_t)figures[0], (uint32_t)figures[1],
                                           (uint32_t)figures[2], cost_minor};
    }
    return is_read;
}

static struct error read_progress(const struct replay_progress_file *file, json_t *json,
                                  struct replay_progress *progress)
{
    json_error_t why;
    json_int_t seed;
    json_int_t finish_time_us = 0;
    json_t *measurements = NULL;
    json_t *strategies = NULL;
    const char *digest;
    int version;
    int complete;
    int counts[5] = {0};
    if (json_unpack_ex(json, &why, 0,
                       "{s:i, s:I, s:s, s:b, s:{s:i, s:i, s:i, s:i, s?i}, s?o, s?I, s?o}", "format",
                       &version, "seed", &seed, "data_set_sha256", &digest, "complete", &complete,
                       "counts", "products_received", &counts[0], "orders_committed", &counts[1],
                       "orders_rolled_back", &counts[2], "orders_expired", &counts[3],
                       "parcels_delivered", &counts[4], "strategies", &strategies, "finish_time_us",
                       &finish_time_us, "measurements", &measurements) != 0)
        return error_no_progress_file(file->path, why.text);
    if (version != format_version)
        return error_no_progress_file(file->path, "another format version");
    if (strcmp(digest, file->digest) != 0 || (uint64_t)seed != file->seed) {
        return error_make(
            ERROR_INVALID_INPUT,
            "%s belongs to another replay: seed %lld of the data set with SHA-256 "
            "%.12s…; this one is seed %llu of %.12s…. Give this one a file of its own "
            "with --progress FILE.",
            file->path, (long long)seed, digest, (unsigned long long)file->seed, file->digest);
    }
    progress->complete = complete != 0;
    progress->received = (uint32_t)counts[0];
    progress->committed = (uint32_t)counts[1];
    progress->rolled_back = (uint32_t)counts[2];
    progress->expired = (uint32_t)counts[3];
    progress->delivered = (uint32_t)counts[4];
    progress->finish_time_us = finish_time_us;
    if (!read_strategies(strategies, progress))
        return error_no_progress_file(file->path, "its strategies are no figures");
    if (measurements == NULL)
        return error_none();
    struct error error = read_measurements(measurements, progress);
    return error_is(error) ? error_no_progress_file(file->path, error.detail) : error;
}

static struct error parse(const struct replay_progress_file *file, const char *data, size_t size,
                          struct replay_progress *progress)
{
    json_error_t why;
    json_t *json = json_loadb(data, size, JSON_REJECT_DUPLICATES, &why);
    if (json == NULL)
        return error_no_progress_file(file->path, why.text);
    struct error error = read_progress(file, json, progress);
    json_decref(json);
    return error;
}

static struct error load(const struct replay_progress_file *file, struct replay_progress *progress)
{
    struct file *content = NULL;
    char *data = NULL;
    size_t size;
    struct error error = file_system_open(file->file_system, file->path, FILE_OPEN_READ, &content);
    *progress = (struct replay_progress){0};
    if (error.code == ERROR_NOT_FOUND)
        return error_none();
    if (error_is(error))
        return error;
    data = memory_allocate(file_bytes_max);
    error = error_make(ERROR_OUT_OF_MEMORY, "%s", file->path);
    if (data != NULL)
        error = file_read(content, 0, data, file_bytes_max, &size);
    if (!error_is(error))
        error = parse(file, data, size, progress);
    memory_release(data);
    file_close(content);
    return error;
}

/* --- opening --- */

/* The folder that holds the file. */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    if (slash == path)
        return "/";
    return arena_format(arena, "%.*s", (int)(slash - path), path);
}

static struct error lock(struct replay_progress_file *file, const char *lock_path)
{
    struct error error = file_system_create_directory(file->file_system, file->folder);
    if (!error_is(error))
        error = file_system_lock(file->file_system, lock_path, &file->lock);
    if (error.code == ERROR_LOCKED) {
        error =
            error_make(ERROR_LOCKED,
                       "another replay is running with %s. Wait for it, or give this one a file "
                       "of its own with --progress FILE.",
                       file->path);
    }
    return error;
}

struct error replay_progress_open(struct replay_progress_file **result,
                                  struct file_system *file_system, const char *path,
                                  const struct replay_plan *plan, struct replay_progress *progress)
{
    struct error error = error_make(ERROR_OUT_OF_MEMORY, "%s", path);
    struct replay_progress_file *file = memory_allocate_zero(1, sizeof *file);
    *result = NULL;
    if (file == NULL)
        return error;
    file->file_system = file_system;
    file->path = path;
    file->seed = plan->seed;
    hexadecimal_write(plan->data_set->digest, data_set_digest_bytes, file->digest);
    arena_init(&file->arena, 65536);
    file->folder = folder_of(&file->arena, path);
    file->new_path = arena_format(&file->arena, "%s.new", path);
    const char *lock_path = arena_format(&file->arena, "%s.lock", path);
    if (file->folder != NULL && file->new_path != NULL && lock_path != NULL)
        error = lock(file, lock_path);
    if (!error_is(error))
        error = load(file, progress);
    if (error_is(error))
        replay_progress_close(file);
    else
        *result = file;
    return error;
}

void replay_progress_close(struct replay_progress_file *file)
{
    if (file == NULL)
        return;
    file_close(file->lock);
    arena_deinit(&file->arena);
    memory_release(file);
}

/* --- saving --- */

/* Only once all orders are compared. False without memory. */
static bool add_strategies(json_t *json, const struct replay_progress *progress)
{
    bool fits = true;
    if (progress->strategies[0].orders == 0)
        return true;
    json_t *array = json_array();
    for (size_t i = 0; i < replay_strategy_count && fits; i++) {
        const struct strategy_totals *of = &progress->strategies[i];
        fits = json_array_append_new(array,
                                     json_pack("{s:i, s:i, s:i, s:I}", "orders", (int)of->orders,
                                               "parts", (int)of->parts, "optimal", (int)of->optimal,
                                               "cost_minor", (json_int_t)of->cost_minor)) == 0;
    }
    if (fits)
        return json_object_set_new(json, "strategies", array) == 0;
    json_decref(array);
    return false;
}

/* NULL without memory. */
static json_t *pack(const struct replay_progress_file *file, const struct replay_progress *progress)
{
    const struct replay_measurements *of = &progress->measurements;
    json_t *json = json_pack("{s:i, s:s, s:I, s:s, s:b, s:{s:i, s:i, s:i, s:i, s:i}}", "format",
                             format_version, "data_set_sha256", file->digest, "seed",
                             (json_int_t)file->seed, "stage", progress->stage, "complete",
                             progress->complete, "counts", "products_received",
                             (int)progress->received, "orders_committed", (int)progress->committed,
                             "orders_rolled_back", (int)progress->rolled_back, "orders_expired",
                             (int)progress->expired, "parcels_delivered", (int)progress->delivered);
    if (json == NULL || !add_strategies(json, progress)) {
        json_decref(json);
        return NULL;
    }
    if (!progress->complete)
        return json;
    json_t *measurements = json_pack(
        "{s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I}}", "calls", (json_int_t)of->calls, "repeated",
        (json_int_t)of->repeated, "busy_us", (json_int_t)of->busy_us, "latency_us", "p50",
        (json_int_t)of->latency.p50_us, "p95", (json_int_t)of->latency.p95_us, "p99",
        (json_int_t)of->latency.p99_us, "max", (json_int_t)of->latency.max_us);
    /* Both setters take the new value, also when they fail. */
    if (json_object_set_new(json, "finish_time_us", json_integer(progress->finish_time_us)) != 0 ||
        json_object_set_new(json, "measurements", measurements) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static struct error write_new(const struct replay_progress_file *file, struct text data)
{
    struct file *content = NULL;
    struct error error = file_system_remove(file->file_system, file->new_path);
    if (error_is(error) && error.code != ERROR_NOT_FOUND)
        return error;
    error = file_system_open(file->file_system, file->new_path, FILE_OPEN_CREATE, &content);
    if (!error_is(error))
        error = file_write(content, 0, data.data, data.size);
    if (!error_is(error))
        error = file_sync(content);
    file_close(content);
    return error;
}

struct error replay_progress_save(struct replay_progress_file *file,
                                  const struct replay_progress *progress)
{
    char data[2048]; /* three times what the fields can take */
    size_t size = 0;
    json_t *json = pack(file, progress);
    if (json != NULL)
        size = json_dumpb(json, data, sizeof data, JSON_INDENT(2));
    json_decref(json);
    if (size == 0 || size > sizeof data)
        return error_make(ERROR_OUT_OF_MEMORY, "%s", file->path);
    struct error error = write_new(file, text_make(data, size));
    if (!error_is(error))
        error = file_system_rename(file->file_system, file->new_path, file->path);
    if (!error_is(error))
        error = file_system_sync_directory(file->file_system, file->folder);
    return error;
}
