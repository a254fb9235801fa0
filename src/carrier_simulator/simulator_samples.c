/*
 * A folder of samples plays the carriers. What a request asks for is told by its method and path,
 * and with it the folder: CARRIER/OPERATION/NAME.json, where the operation is rate, ship, void or
 * cancel, track, unified-track, oauth. The name tells the rest:
 *
 *   response-201-anything.json   the status (else 200; 201 for DHL's ship; 400 with "error" in it)
 *   …label-recovery….json        answers label recovery
 *   find….json                   answers a search by reference, before all others
 *   request…, schema-…request…   are not answers
 *   NAME.html, .xml, .txt        answer likewise, as such: what gateways say
 *   CARRIER/errors-by-endpoint.json   {"POST /ship/v1/shipments 400": {…}, …}
 *
 * A file that holds the number asked for answers it. Else the good ones (2xx, no "error", no
 * "warning") answer in turn, in the order of their names; where there is no good one, the others. A
 * request may choose by a header, x-sample: a status ("400"), or a part of the file's name. The
 * answer names its file in the same header. For what the folder has nothing, the simulator answers
 * as without it.
 */
#include "carrier_simulator/simulator.h"
#include "platform/base/memory.h"
#include "platform/json/json_tree.h"
#include "shipping/infrastructure/carriers/carrier_json.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { files_max = 256, name_size = 128, file_bytes_max = 4 * 1024 * 1024, path_size = 2048 };

struct place {
    const char *carrier;
    const char *folder;
    const char *other_folder; /* another name of it; NULL = none */
    bool recovery;
    bool search; /* by reference */
};

static const char *const carriers[] = {"ups", "fedex", "dhl"};
static const struct place operations[] = {
    {"ups", "oauth", NULL, false, false},    {"ups", "rate", NULL, false, false},
    {"ups", "ship", NULL, false, false},     {"ups", "ship", NULL, true, false},
    {"ups", "void", NULL, false, false},     {"ups", "cancel", NULL, false, false},
    {"ups", "track", NULL, false, true},     {"fedex", "oauth", NULL, false, false},
    {"fedex", "rate", NULL, false, false},   {"fedex", "ship", NULL, false, false},
    {"fedex", "cancel", NULL, false, false}, {"fedex", "track", NULL, false, true},
    {"dhl", "rate", NULL, false, false},     {"dhl", "ship", NULL, false, false},
    {"dhl", "track", NULL, false, true},     {"dhl", "unified-track", NULL, false, false},
};
_Static_assert(sizeof operations / sizeof operations[0] <= simulator_operations_max,
               "each operation has its turn");

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
    place->search = has(path, "/reference/") || has(path, "/referencenumbers") ||
                    (begins(path, "/tracking") && place->carrier != NULL);
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

/* The media type by the name's end; NULL = not of an answer. */
static const char *media_type_of(const char *name)
{
    static const struct {
        const char *end;
        const char *media_type;
    } all[] = {{".json", "application/json"},
               {".html", "text/html"},
               {".xml", "text/xml"},
               {".txt", "text/plain"}};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        size_t end = strlen(all[i].end);
        if (size > end && strcmp(name + size - end, all[i].end) == 0)
            return all[i].media_type;
    }
    return NULL;
}

static bool is_found(const char *name)
{
    return strncmp(name, "find", 4) == 0;
}

static bool is_answer(const char *name, const struct place *place)
{
    bool recovery = strstr(name, "recovery") != NULL;
    return media_type_of(name) != NULL && strlen(name) < name_size &&
           strstr(name, "request.") == NULL && strncmp(name, "request", 7) != 0 &&
           strstr(name, "Request.") == NULL && strstr(name, "timelines") == NULL &&
           recovery == place->recovery && (place->search || !is_found(name));
}

static bool is_good(const char *name, const struct place *place)
{
    unsigned status = status_of(name, place);
    return status >= 200 && status < 300 && strstr(name, "error") == NULL &&
           strstr(name, "warning") == NULL && strstr(name, "not-found") == NULL &&
           strstr(name, "validatedataonly") == NULL;
}

/* Of the answers, those that a request's x-sample means. */
static bool is_chosen(const char *name, const struct place *place, struct text sample)
{
    int64_t status;
    char part[name_size];
    if (text_to_int64(sample, &status))
        return status_of(name, place) == status;
    simulator_copy(part, sizeof part, sample);
    return strstr(name, part) != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names of a folder's answers in order; how many. */
static size_t list_names(const char *folder, const struct place *place,
                         char names[files_max][name_size])
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry = NULL;
         directory != NULL && (entry = readdir(directory)) != NULL && count < files_max;) {
        if (is_answer(entry->d_name, place))
            snprintf(names[count++], name_size, "%.127s", entry->d_name);
    }
    if (directory != NULL)
        closedir(directory);
    qsort(names, count, name_size, by_name);
    return count;
}

/* Those alone that are good, or chosen; without any, all, or none. */
static size_t keep_wanted(const struct place *place, struct text sample,
                          char names[files_max][name_size], size_t count)
{
    size_t kept = 0;
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found = found || is_found(names[i]);
    for (size_t i = 0; i < count; i++) {
        bool wanted = sample.size > 0 ? is_chosen(names[i], place, sample)
                      : found         ? is_found(names[i])
                                      : is_good(names[i], place);
        if (wanted && kept++ != i)
            memcpy(names[kept - 1], names[i], name_size);
    }
    return kept == 0 && sample.size == 0 ? count : kept;
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

/* The number that a request to track, cancel or find labels again asks for; empty = none. */
static struct text number_of(const struct simulator_request *request, const struct place *place)
{
    static const char *const members[] = {"trackingInfo.trackingNumberInfo.trackingNumber",
                                          "trackingNumber", "LabelRecoveryRequest.TrackingNumber",
                                          "LabelRecoveryRequest.TrackingNumbers.TrackingNumber"};
    struct text number = simulator_parameter(request->query, "trackingNumber");
    bool by_path = strcmp(place->folder, "track") == 0 || strcmp(place->folder, "void") == 0;
    for (size_t i = 0; i < sizeof members / sizeof members[0] && number.size == 0; i++)
        number = json_words(request->arena, request->root, members[i]);
    if (number.size > 0 || !by_path)
        return number;
    struct text rest = request->path; /* its part with the most digits: no version has as many */
    size_t most = 4;
    while (rest.size > 0) {
        const char *slash = memchr(rest.data, '/', rest.size);
        struct text part =
            text_make(rest.data, slash == NULL ? rest.size : (size_t)(slash - rest.data));
        size_t digits = 0;
        for (size_t i = 0; i < part.size; i++)
            digits += part.data[i] >= '0' && part.data[i] <= '9';
        if (digits > most) {
            number = part;
            most = digits;
        }
        size_t used = part.size + (slash == NULL ? 0 : 1);
        rest = text_make(rest.data + used, rest.size - used);
    }
    return number;
}

static bool read_sample(const char *folder, const char *name, struct buffer *out)
{
    char path[path_size + name_size + 2];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    buffer_clear(out);
    return read_file(path, out);
}

/* Where the first of the files stands that holds the number; `count` = none does. */
static size_t find_holder(const char *folder, char names[files_max][name_size], size_t count,
                          struct text number, struct buffer *out)
{
    for (size_t i = 0; i < count && number.size > 0; i++) {
        if (read_sample(folder, names[i], out) && out->size >= number.size &&
            memmem(out->data, out->size, number.data, number.size) != NULL)
            return i;
    }
    return count;
}

static uint64_t next_turn(struct simulator *simulator, const struct place *place)
{
    size_t at = 0;
    while (at + 1 < sizeof operations / sizeof operations[0] &&
           (strcmp(operations[at].carrier, place->carrier) != 0 ||
            strcmp(operations[at].folder, place->folder) != 0 ||
            operations[at].recovery != place->recovery))
        at++;
    return simulator->sample_turns[at]++;
}

static bool answer_from(struct simulator *simulator, const struct place *place,
                        const char *folder_name, const struct simulator_request *request,
                        struct simulator_answer *answer)
{
    char folder[path_size];
    char(*names)[name_size] = memory_allocate(sizeof(char[files_max][name_size]));
    if (names == NULL)
        return false;
    snprintf(folder, sizeof folder, "%s/%s/%s", simulator->options.samples, place->carrier,
             folder_name);
    size_t count = list_names(folder, place, names), at = count;
    if (request->sample.size == 0)
        at = find_holder(folder, names, count, number_of(request, place), &answer->body);
    if (at == count) {
        count = keep_wanted(place, request->sample, names, count);
        at = count == 0 ? 0 : next_turn(simulator, place) % count;
    }
    bool fine = count > 0 && read_sample(folder, names[at], &answer->body);
    if (fine) {
        answer->status = status_of(names[at], place);
        answer->media_type = media_type_of(names[at]);
        snprintf(answer->sample, sizeof answer->sample, "%s/%s/%s", place->carrier, folder_name,
                 names[at]);
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
    if (request->sample.size == 0)
        return false;
    answer->status = 404;
    return buffer_append_format(&answer->body,
                                "{\"message\":\"no file of %s/%s has that status or that part of "
                                "a name (header x-sample)\"}",
                                place.carrier, place.folder);
}

/* -------------------------------------------------------------------------------- at the start */

static bool is_operation(const char *carrier, const char *folder)
{
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        if (strcmp(operations[i].carrier, carrier) == 0 &&
            strcmp(operations[i].folder, folder) == 0)
            return true;
    }
    return false;
}

/* Which parts of a carrier's folder no request is answered from. */
static void tell_unread(const char *samples, const char *carrier, FILE *report)
{
    char path[path_size];
    const char *before = "not read";
    snprintf(path, sizeof path, "%s/%s", samples, carrier);
    DIR *directory = opendir(path);
    for (struct dirent *entry = NULL; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "errors-by-endpoint.json") == 0 ||
            is_operation(carrier, entry->d_name))
            continue;
        fprintf(report, "%s %s", before, entry->d_name);
        before = ",";
    }
    if (directory != NULL)
        closedir(directory);
    fprintf(report, "%s\n", before[0] == ',' ? "" : "all of it is read");
}

/* "samples: ups: rate 5, ship 4; not read pickup, tables"; how many files answer for it. */
static size_t survey(const char *samples, const char *carrier, FILE *report)
{
    char path[path_size];
    char(*names)[name_size] = memory_allocate(sizeof(char[files_max][name_size]));
    size_t all = 0;
    fprintf(report, "samples: %s:", carrier);
    for (size_t i = 0; names != NULL && i < sizeof operations / sizeof operations[0]; i++) {
        const struct place *place = &operations[i];
        if (strcmp(place->carrier, carrier) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", samples, carrier, place->folder);
        size_t count = list_names(path, place, names);
        if (count > 0)
            fprintf(report, "%s %s %zu", all == 0 ? "" : ",",
                    place->recovery ? "label recovery" : place->folder, count);
        all += count;
    }
    fprintf(report, "%s; ", all == 0 ? " no file answers" : "");
    tell_unread(samples, carrier, report);
    memory_release(names);
    return all;
}

struct error simulator_samples_survey(const char *samples, FILE *report)
{
    size_t all = 0;
    DIR *directory = opendir(samples);
    if (directory == NULL)
        return error_make(ERROR_INVALID_SETTING, "--samples %s: %s", samples, strerror(errno));
    closedir(directory);
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
        all += survey(samples, carriers[i], report);
    if (all > 0)
        return error_none();
    return error_make(ERROR_INVALID_SETTING,
                      "--samples %s: no file answers anything; they are looked for as "
                      "ups|fedex|dhl/OPERATION/NAME.json, where OPERATION is oauth, rate, ship, "
                      "void, cancel, track or unified-track",
                      samples);
}
