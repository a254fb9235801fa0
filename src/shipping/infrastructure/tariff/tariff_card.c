/*
 * Cards are read in any order and kept by code and day: a service's versions stand in a list from
 * the newest to the oldest, and the first that is not later than the day asked for is valid.
 * Everything lives in one arena; a tariff that cannot be read whole is none.
 */
#include "shipping/infrastructure/tariff/tariff_card.h"

#include "platform/base/arena.h"
#include "platform/base/memory.h"
#include "shipping/infrastructure/tariff/tariff_reader.h"

#include <stdio.h>
#include <string.h>

struct version {
    const struct tariff_service *service;
    struct version *older;
};

struct tariff {
    struct arena arena;
    struct version *newest[tariff_services_max]; /* by code, in the order in which they came up */
    size_t service_count;
};

static const size_t arena_bytes_max = (size_t)256 * 1024 * 1024;

/* ------------------------------------------------------------------------------------ keeping */

/* Where the code's versions are, a new place if it has none; NULL: no more room. */
static struct version **place_of(struct tariff *tariff, struct text code)
{
    for (size_t i = 0; i < tariff->service_count; i++) {
        if (text_equal(tariff->newest[i]->service->code, code))
            return &tariff->newest[i];
    }
    return tariff->service_count < tariff_services_max ? &tariff->newest[tariff->service_count++]
                                                       : NULL;
}

static struct error add(struct tariff *tariff, const struct tariff_file *file,
                        const struct tariff_service *service, unsigned long line)
{
    struct version **at = place_of(tariff, service->code);
    struct version *version = arena_allocate(&tariff->arena, sizeof *version);
    if (at == NULL)
        return error_make(ERROR_INVALID_SETTING, "%s:%lu: more than %d services in all cards",
                          file->name, line, tariff_services_max);
    if (version == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading %s", file->name);
    int64_t day = service->card->valid_from_day;
    while (*at != NULL && (*at)->service->card->valid_from_day > day)
        at = &(*at)->older;
    if (*at != NULL && (*at)->service->card->valid_from_day == day)
        return error_make(ERROR_INVALID_SETTING,
                          "%s:%lu: another card of the same day has the service, too", file->name,
                          line);
    *version = (struct version){.service = service, .older = *at};
    *at = version;
    return error_none();
}

static struct error add_file(struct tariff *tariff, const struct tariff_file *file)
{
    struct tariff_reading reading;
    struct error error = tariff_read(file, &tariff->arena, &reading);
    for (size_t i = 0; i < reading.service_count && !error_is(error); i++)
        error = add(tariff, file, reading.services[i], reading.lines[i]);
    return error;
}

struct error tariff_create(struct tariff **tariff, const struct tariff_file *files,
                           size_t file_count)
{
    struct error error = error_none();
    struct tariff *made = memory_allocate_zero(1, sizeof *made);
    *tariff = NULL;
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "tariff cards");
    arena_init(&made->arena, arena_bytes_max);
    for (size_t i = 0; i < file_count && !error_is(error); i++)
        error = add_file(made, &files[i]);
    if (!error_is(error) && made->service_count == 0)
        error = error_make(ERROR_INVALID_SETTING, "the tariff has no service");
    if (error_is(error))
        tariff_destroy(made);
    else
        *tariff = made;
    return error;
}

void tariff_destroy(struct tariff *tariff)
{
    if (tariff == NULL)
        return;
    arena_deinit(&tariff->arena);
    memory_release(tariff);
}

/* ------------------------------------------------------------------------------------- asking */

size_t tariff_service_count(const struct tariff *tariff)
{
    return tariff->service_count;
}

const struct tariff_service *tariff_service_on(const struct tariff *tariff, size_t index,
                                               int64_t day)
{
    const struct version *version = tariff->newest[index];
    while (version != NULL && version->service->card->valid_from_day > day)
        version = version->older;
    return version == NULL || version->service->withdrawn ? NULL : version->service;
}

/* ----------------------------------------------------------------------------------- a folder */

struct folder {
    struct arena arena;
    struct file_system *fs;
    const char *path;
    struct tariff_file files[tariff_cards_max];
    size_t count;
    struct error error;
};

static bool ends_in_ini(const char *name)
{
    size_t size = strlen(name);
    return size > 4 && strcmp(name + size - 4, ".ini") == 0;
}

static void on_name(void *context, const char *name)
{
    struct folder *folder = context;
    if (!ends_in_ini(name) || error_is(folder->error))
        return;
    char *path = arena_format(&folder->arena, "%s/%s", folder->path, name);
    if (folder->count == tariff_cards_max)
        folder->error = error_make(ERROR_INVALID_SETTING, "%s: more than %d cards", folder->path,
                                   tariff_cards_max);
    else if (path == NULL)
        folder->error = error_make(ERROR_OUT_OF_MEMORY, "reading %s", folder->path);
    else
        folder->files[folder->count++].name = path;
}

static struct error read_whole(struct folder *folder, struct tariff_file *card)
{
    struct file *file = NULL;
    uint64_t size = 0;
    size_t got = 0;
    struct error error = file_system_open(folder->fs, card->name, FILE_OPEN_READ, &file);
    if (!error_is(error))
        error = file_size(file, &size);
    if (!error_is(error) && size > tariff_file_bytes_max)
        error = error_make(ERROR_INVALID_SETTING, "%s: is larger than %d bytes", card->name,
                           tariff_file_bytes_max);
    char *data = error_is(error) ? NULL : arena_allocate(&folder->arena, (size_t)size);
    if (!error_is(error) && data == NULL)
        error = error_make(ERROR_OUT_OF_MEMORY, "reading %s", card->name);
    if (!error_is(error))
        error = file_read(file, 0, data, (size_t)size, &got);
    card->text = text_make(data, got);
    file_close(file);
    return error;
}

struct error tariff_create_from_directory(struct tariff **tariff, struct file_system *fs,
                                          const char *path)
{
    *tariff = NULL;
    struct folder *folder = memory_allocate_zero(1, sizeof *folder);
    if (folder == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading %s", path);
    folder->fs = fs;
    folder->path = path;
    arena_init(&folder->arena, arena_bytes_max);
    struct error error = file_system_list(fs, path, on_name, folder);
    if (!error_is(error))
        error = folder->error;
    for (size_t i = 0; i < folder->count && !error_is(error); i++)
        error = read_whole(folder, &folder->files[i]);
    if (!error_is(error) && folder->count == 0)
        error = error_make(ERROR_INVALID_SETTING, "%s: holds no card (*.ini)", path);
    if (!error_is(error))
        error = tariff_create(tariff, folder->files, folder->count);
    arena_deinit(&folder->arena);
    memory_release(folder);
    return error;
}
