/*
 * A folder of samples plays the carriers. What a request asks for is told by its method and path,
 * and with it the folder: CARRIER/OPERATION/NAME.json, where the operation is rate, ship, void or
 * cancel, track, unified-track, oauth. The name tells the rest:
 *
 *   response-201-anything.json   the status (else 200; 201 for DHL's ship; 400 with "error" in it)
 *   …label-recovery….json        answers label recovery
 *   request…, schema-…request…   are not answers
 *   CARRIER/errors-by-endpoint.json   {"POST /ship/v1/shipments 400": {…}, …}
 *
 * The good ones (2xx, no "error", no "warning") are answered in turn, in the order of their names.
 * A request may choose by a header, x-sample: a status ("400"), or a part of the file's name. For
 * what the folder has nothing, the simulator answers as without it.
 */
#include "carrier_simulator/simulator.h"
#include "platform/base/memory.h"
#include "platform/json/json_tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { files_max = 256, name_size = 128, file_bytes_max = 4 * 1024 * 1024, path_size = 2048 };

struct place {
    const char *carrier;
    const char *folder;
    const char *other_folder; /* another name of it; NULL = none */
    bool recovery;
};

static bool has(struct text text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static bool begins(struct text text, const char *start)
{
    return text_starts_with(text, text_of(start));
}

static bool find_place(const struct simulator_request *request, struct place *place)
{
    struct text path = request->path;
    *place = (struct place){0};
    if (begins(path, "/security/") || begins(path, "/api/")) {
        place->carrier = "ups";
        place->recovery = begins(path, "/api/labels/");
        place->folder = begins(path, "/security/")     ? "oauth"
                        : begins(path, "/api/rating/") ? "rate"
                        : begins(path, "/api/track/")  ? "track"
                        : has(path, "/void/")          ? "void"
                                                       : "ship";
        place->other_folder = has(path, "/void/") ? "cancel" : NULL;
    } else if (begins(path, "/oauth/") || begins(path, "/rate/") || begins(path, "/ship/") ||
               begins(path, "/track/")) {
        place->carrier = "fedex";
        place->folder = begins(path, "/oauth/")   ? "oauth"
                        : begins(path, "/rate/")  ? "rate"
                        : begins(path, "/track/") ? "track"
                        : has(path, "/cancel")    ? "cancel"
                                                  : "ship";
    } else if (begins(path, "/rates") || begins(path, "/shipments") || begins(path, "/tracking")) {
        place->carrier = "dhl";
        place->folder = begins(path, "/rates")                ? "rate"
                        : has(path, "/tracking")              ? "track"
                        : request->method == HTTP_METHOD_POST ? "ship"
                                                              : "unified-track";
    }
    return place->carrier != NULL;
}

/* ------------------------------------------------------------------------------------ the files */

static unsigned status_of(const char *name, const struct place *place)
{
    const char *at = strstr(name, "response-");
    if (at != NULL && strspn(at + 9, "0123456789") == 3)
        return (unsigned)atoi(at + 9);
    if (strstr(name, "error") != NULL)
        return strcmp(place->folder, "oauth") == 0 ? 401 : 400;
    return strcmp(place->carrier, "dhl") == 0 && strcmp(place->folder, "ship") == 0 ? 201 : 200;
}

static bool is_answer(const char *name, const struct place *place)
{
    size_t size = strlen(name);
    bool recovery = strstr(name, "recovery") != NULL;
    return size > 5 && size < name_size && strcmp(name + size - 5, ".json") == 0 &&
           strstr(name, "request.") == NULL && strncmp(name, "request", 7) != 0 &&
           strstr(name, "Request.") == NULL && strstr(name, "timelines") == NULL &&
           recovery == place->recovery;
}

static bool is_good(const char *name, const struct place *place)
{
    unsigned status = status_of(name, place);
    return status >= 200 && status < 300 && strstr(name, "error") == NULL &&
           strstr(name, "warning") == NULL && strstr(name, "not-found") == NULL &&
           strstr(name, "validatedataonly") == NULL;
}

static bool is_wanted(const char *name, const struct place *place, struct text sample)
{
    int64_t status;
    char part[name_size];
    if (!is_answer(name, place))
        return false;
    if (sample.size == 0)
        return is_good(name, place);
    if (text_to_int64(sample, &status))
        return status_of(name, place) == status;
    simulator_copy(part, sizeof part, sample);
    return strstr(name, part) != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The wanted names of a folder in order; how many. */
static size_t list_names(const char *folder, const struct place *place, struct text sample,
                         char names[files_max][name_size])
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry = NULL;
         directory != NULL && (entry = readdir(directory)) != NULL && count < files_max;) {
        if (is_wanted(entry->d_name, place, sample))
            snprintf(names[count++], name_size, "%.127s", entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    qsort(names, count, name_size, by_name);
    return count;
}

static bool read_file(const char *path, struct buffer *out)
{
    char block[16384];
    size_t size;
    FILE *file = fopen(path, "rb");
    bool fine = file != NULL;
    while (fine && (size = fread(block, 1, sizeof block, file)) > 0)
        fine = out->size + size <= file_bytes_max && buffer_append(out, block, size);
    if (file != NULL)
        fclose(file);
    return fine;
}

static bool answer_from(struct simulator *simulator, const struct place *place,
                        const char *folder_name, const struct simulator_request *request,
                        struct simulator_answer *answer)
{
    char folder[path_size], path[path_size + name_size + 2];
    char(*names)[name_size] = memory_allocate(sizeof(char[files_max][name_size]));
    if (names == NULL)
        return false;
    snprintf(folder, sizeof folder, "%s/%s/%s", simulator->options.samples, place->carrier,
             folder_name);
    size_t count = list_names(folder, place, request->sample, names);
    bool fine = count > 0;
    if (fine) {
        const char *name = names[simulator->sample_turn++ % count];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        answer->status = status_of(name, place);
        fine = read_file(path, &answer->body);
    }
    memory_release(names);
    return fine;
}

/* ------------------------------------------------------------------------- errors by endpoint */

static const char *method_name(enum http_request_method method)
{
    switch (method) {
    case HTTP_METHOD_GET:
    case HTTP_METHOD_HEAD:
        return "GET";
    case HTTP_METHOD_POST:
        return "POST";
    case HTTP_METHOD_PUT:
        return "PUT";
    case HTTP_METHOD_DELETE:
        return "DELETE";
    case HTTP_METHOD_OPTIONS:
    case HTTP_METHOD_OTHER:
        return "";
    }
    return "";
}

static bool answer_error(struct simulator *simulator, const struct place *place,
                         const struct simulator_request *request, struct simulator_answer *answer)
{
    char path[path_size], key[512];
    int64_t status;
    struct buffer text;
    json_t *root = NULL;
    if (!text_to_int64(request->sample, &status) || status < 100 || status > 599)
        return false;
    snprintf(path, sizeof path, "%s/%s/errors-by-endpoint.json", simulator->options.samples,
             place->carrier);
    snprintf(key, sizeof key, "%s %.*s %d", method_name(request->method), (int)request->path.size,
             request->path.data, (int)status);
    buffer_init(&text, file_bytes_max);
    bool fine = read_file(path, &text);
    struct error error = json_tree_parse(buffer_text(&text), request->arena, &root);
    buffer_deinit(&text);
    json_t *found = fine && !error_is(error) ? json_object_get(root, key) : NULL;
    size_t size = found == NULL ? 0 : json_dumpb(found, NULL, 0, JSON_COMPACT);
    if (size == 0 || !buffer_reserve(&answer->body, size))
        return false;
    json_dumpb(found, answer->body.data, size, JSON_COMPACT);
    answer->body.size = size;
    answer->status = (unsigned)status;
    return true;
}

bool simulator_sample(struct simulator *simulator, const struct simulator_request *request,
                      struct simulator_answer *answer)
{
    struct place place;
    if (simulator->options.samples == NULL || !find_place(request, &place))
        return false;
    if (answer_from(simulator, &place, place.folder, request, answer) ||
        (place.other_folder != NULL &&
         answer_from(simulator, &place, place.other_folder, request, answer)) ||
        answer_error(simulator, &place, request, answer))
        return true;
    buffer_clear(&answer->body);
    return false;
}
