/*
 * Walks the folder without following links, so that it ends; keeps a line for each file, and reads
 * a file again when it answers, so that what it says may be edited while the simulator runs.
 */
#include "carrier_simulator/simulator_sample_files.h"

#include "carrier_simulator/simulator_exchange.h"
#include "platform/base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { files_max = 4096, depth_max = 12, path_size = 2048, scratch_bytes_max = 256 * 1024 * 1024 };

const char *sample_operation_name(enum sample_operation operation)
{
    static const char *const names[] = {
        [SAMPLE_OAUTH] = "oauth",   [SAMPLE_RATE] = "rate",
        [SAMPLE_SHIP] = "ship",     [SAMPLE_LABEL] = "label recovery",
        [SAMPLE_CANCEL] = "cancel", [SAMPLE_TRACK] = "track",
        [SAMPLE_FIND] = "find",     [SAMPLE_UNIFIED] = "unified-track",
    };
    return operation < SAMPLE_OPERATIONS ? names[operation] : "";
}

static bool read_path(const char *path, struct buffer *out)
{
    char block[16384];
    size_t size;
    FILE *file = fopen(path, "rb");
    bool fine = file != NULL;
    buffer_clear(out);
    while (fine && (size = fread(block, 1, sizeof block, file)) > 0)
        fine = out->size + size <= sample_file_bytes_max && buffer_append(out, block, size);
    if (file != NULL)
        fclose(file);
    return fine;
}

bool sample_file_read(const struct sample_files *files, const struct sample_file *file,
                      struct buffer *out)
{
    char path[path_size];
    int size = snprintf(path, sizeof path, "%s/%s", files->directory, file->path);
    return size > 0 && (size_t)size < sizeof path && read_path(path, out);
}

/* ------------------------------------------------------------------------------------- the walk */

struct walk {
    struct sample_files *files;
    struct buffer content;
    const char *real; /* the folder's own path */
    struct error error;
};

static void take_file(struct walk *walk, const char *path)
{
    struct sample_files *files = walk->files;
    struct sample_file *file = &files->all[files->count];
    const char *kept = arena_copy_string(&files->arena, text_of(path));
    struct arena scratch;
    if (files->count == files_max) {
        walk->error = error_make(ERROR_INVALID_SETTING, "--samples %s: more than %d files",
                                 files->directory, files_max);
        return;
    }
    *file = (struct sample_file){.path = kept, .operation = SAMPLE_UNTOLD};
    if (kept == NULL) {
        walk->error = error_make(ERROR_OUT_OF_MEMORY, "the names of the samples");
        return;
    }
    files->count++;
    if (!sample_file_read(files, file, &walk->content)) {
        file->why_not = "longer than 4 MiB, or not to be read";
        return;
    }
    arena_init(&scratch, scratch_bytes_max);
    sample_file_recognise(file, walk->real, kept, buffer_text(&walk->content), &scratch);
    arena_deinit(&scratch);
}

static void take_folder(struct walk *walk, const char *below, int depth)
{
    char path[path_size];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", walk->files->directory, below);
    DIR *folder = opendir(path);
    for (struct dirent *entry = NULL; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char inner[path_size];
        int size = snprintf(inner, sizeof inner, "%s%s%s", below, below[0] == '\0' ? "" : "/",
                            entry->d_name);
        bool fits =
            size > 0 && (size_t)size < sizeof inner &&
            snprintf(path, sizeof path, "%s/%s", walk->files->directory, inner) < (int)sizeof path;
        if (error_is(walk->error) || entry->d_name[0] == '.' || !fits || lstat(path, &about) != 0)
            continue;
        if (S_ISDIR(about.st_mode) && depth < depth_max)
            take_folder(walk, inner, depth + 1);
        else if (S_ISREG(about.st_mode) ||
                 (S_ISLNK(about.st_mode) && stat(path, &about) == 0 && S_ISREG(about.st_mode)))
            take_file(walk, inner);
    }
    if (folder != NULL)
        closedir(folder);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct sample_file *)a)->path, ((const struct sample_file *)b)->path);
}

static struct error nothing_answers(const struct sample_files *files)
{
    return error_make(ERROR_INVALID_SETTING,
                      "--samples %s: none of its %zu files answers; name them as in "
                      "dhl/rate/response-200-it.json, --help explains",
                      files->directory, files->count);
}

struct error sample_files_open(struct sample_files *files, const char *directory)
{
    struct walk walk = {.files = files, .error = error_none()};
    struct stat about;
    char real[4096];
    size_t answering = 0;
    *files = (struct sample_files){.directory = directory};
    arena_init(&files->arena, 64 * 1024 * 1024);
    if (realpath(directory, real) == NULL || stat(real, &about) != 0)
        return error_make(ERROR_INVALID_SETTING, "--samples %s: %s", directory, strerror(errno));
    if (!S_ISDIR(about.st_mode))
        return error_make(ERROR_INVALID_SETTING, "--samples %s: not a folder", directory);
    files->all = arena_allocate_zero(&files->arena, files_max + 1, sizeof *files->all);
    if (files->all == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "the list of the samples");
    walk.real = real;
    buffer_init(&walk.content, sample_file_bytes_max);
    take_folder(&walk, "", 0);
    buffer_deinit(&walk.content);
    if (error_is(walk.error))
        return walk.error;
    qsort(files->all, files->count, sizeof *files->all, by_path);
    for (size_t i = 0; i < files->count; i++)
        answering += files->all[i].why_not == NULL;
    return answering > 0 ? error_none() : nothing_answers(files);
}

void sample_files_close(struct sample_files *files)
{
    arena_deinit(&files->arena);
    files->count = 0;
}

/* ------------------------------------------------------------------------------- what there is */

static size_t count(const struct sample_files *files, const char *carrier,
                    enum sample_operation operation)
{
    size_t found = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct sample_file *file = &files->all[i];
        found += file->why_not == NULL && file->operation == operation &&
                 strcmp(file->carrier, carrier) == 0;
    }
    return found;
}

static void report_carrier(const struct sample_files *files, const char *carrier, FILE *report)
{
    const char *before = "";
    fprintf(report, "samples: %s:", carrier);
    for (int operation = 0; operation < SAMPLE_OPERATIONS; operation++) {
        size_t found = count(files, carrier, (enum sample_operation)operation);
        if (found == 0)
            continue;
        fprintf(report, "%s %s %zu", before,
                sample_operation_name((enum sample_operation)operation), found);
        before = ",";
    }
    fprintf(report, "%s\n", before[0] == '\0' ? " no file answers" : "");
}

/* "samples: not read: 12 a request (ups/rate/request-a.json, …)": each reason with its first. */
static void report_reasons(const struct sample_files *files, FILE *report)
{
    const char *before = "samples: not read:";
    for (size_t i = 0; i < files->count; i++) {
        const char *why = files->all[i].why_not;
        size_t same = 0;
        bool is_first = why != NULL;
        for (size_t j = 0; j < files->count && why != NULL; j++) {
            bool is_same = files->all[j].why_not != NULL && strcmp(files->all[j].why_not, why) == 0;
            is_first = is_first && !(is_same && j < i);
            same += is_same;
        }
        if (!is_first)
            continue;
        fprintf(report, "%s %zu %s (%s%s)", before, same, why, files->all[i].path,
                same > 1 ? ", …" : "");
        before = ";";
    }
    if (before[0] == ';')
        fprintf(report, "\n");
}

void sample_files_report(const struct sample_files *files, FILE *report)
{
    if (files->count == 0)
        return;
    for (int i = 0; i < simulator_carrier_count; i++)
        report_carrier(files, simulator_carrier_name((enum simulator_carrier)i), report);
    report_reasons(files, report);
}

void sample_files_list(const struct sample_files *files, struct json_writer *json)
{
    json_open_array(json, "samples");
    for (size_t i = 0; i < files->count; i++) {
        const struct sample_file *file = &files->all[i];
        json_open_object(json, NULL);
        json_put_string(json, "path", file->path);
        if (file->why_not != NULL) {
            json_put_string(json, "not_read", file->why_not);
        } else {
            json_put_string(json, "carrier", file->carrier);
            json_put_string(json, "operation", sample_operation_name(file->operation));
            json_put_integer(json, "status", file->status);
            json_put_boolean(json, "answers_in_turn", file->is_good);
        }
        json_close_object(json);
    }
    json_close_array(json);
}
