/*
 * A folder of samples plays the carriers. What a request asks for is told by its method and path;
 * which files answer that, simulator_sample_files.h knows. A file that holds the number asked for
 * answers it. Else the good ones answer in turn, in the order of their paths; where there is no
 * good one, the others. A request may choose by a header, x-sample: a status ("400"), or a part of
 * the file's path; who cannot set it POSTs the same to /simulator/sample, for all requests that
 * come and whose operation has such a file. The answer names its file in the same header. For what
 * the folder has nothing, the simulator answers as without it.
 *
 *   CARRIER/errors-by-endpoint.json   {"POST /ship/v1/shipments 400": {…}, …}
 */
#include "carrier_simulator/simulator_samples.h"
#include "platform/json/json_tree.h"
#include "shipping/infrastructure/carriers/carrier_json.h"

#include <stdio.h>
#include <string.h>

enum { path_size = 2048 };

struct place {
    const char *carrier;
    enum sample_operation operation;
};

static bool has(struct text text, const char *part)
{
    return text.size > 0 && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

static bool begins(struct text text, const char *start)
{
    return text_starts_with(text, text_of(start));
}

static enum sample_operation ups_operation(struct text path)
{
    return begins(path, "/security/")     ? SAMPLE_OAUTH
           : begins(path, "/api/labels/") ? SAMPLE_LABEL
           : begins(path, "/api/rating/") ? SAMPLE_RATE
           : has(path, "/reference/")     ? SAMPLE_FIND
           : begins(path, "/api/track/")  ? SAMPLE_TRACK
           : has(path, "/void/")          ? SAMPLE_CANCEL
                                          : SAMPLE_SHIP;
}

static enum sample_operation fedex_operation(struct text path)
{
    return begins(path, "/oauth/")          ? SAMPLE_OAUTH
           : begins(path, "/rate/")         ? SAMPLE_RATE
           : has(path, "/referencenumbers") ? SAMPLE_FIND
           : begins(path, "/track/")        ? SAMPLE_TRACK
           : has(path, "/cancel")           ? SAMPLE_CANCEL
                                            : SAMPLE_SHIP;
}

static enum sample_operation dhl_operation(const struct simulator_request *request)
{
    return begins(request->path, "/rates")       ? SAMPLE_RATE
           : begins(request->path, "/tracking")  ? SAMPLE_FIND
           : has(request->path, "/tracking")     ? SAMPLE_TRACK
           : request->method == HTTP_METHOD_POST ? SAMPLE_SHIP
                                                 : SAMPLE_UNIFIED;
}

static bool find_place(const struct simulator_request *request, struct place *place)
{
    struct text path = request->path;
    *place = (struct place){0};
    if (begins(path, "/security/") || begins(path, "/api/"))
        *place = (struct place){"ups", ups_operation(path)};
    else if (begins(path, "/oauth/") || begins(path, "/rate/") || begins(path, "/ship/") ||
             begins(path, "/track/"))
        *place = (struct place){"fedex", fedex_operation(path)};
    else if (begins(path, "/rates") || begins(path, "/shipments") || begins(path, "/tracking"))
        *place = (struct place){"dhl", dhl_operation(request)};
    return place->carrier != NULL;
}

/* ----------------------------------------------------------------------------------- the choice */

/* Those of an operation; a search by reference takes those of tracking where it has none. */
static size_t list(const struct sample_files *files, const struct place *place,
                   const struct sample_file **found)
{
    enum sample_operation operation = place->operation;
    size_t count = 0;
    for (int pass = 0; pass < 2 && count == 0; pass++) {
        for (size_t i = 0; i < files->count; i++) {
            const struct sample_file *file = &files->all[i];
            if (file->why_not == NULL && file->operation == operation &&
                strcmp(file->carrier, place->carrier) == 0)
                found[count++] = file;
        }
        operation = operation == SAMPLE_FIND ? SAMPLE_TRACK : operation;
    }
    return count;
}

/* Of the answers, those that a request's x-sample means. */
static bool is_chosen(const struct sample_file *file, struct text sample)
{
    int64_t status;
    if (text_to_int64(sample, &status))
        return file->status == status;
    return memmem(file->path, strlen(file->path), sample.data, sample.size) != NULL;
}

/* Those alone that are good, or chosen; without any, all, or none. */
static size_t keep_wanted(struct text sample, const struct sample_file **found, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (sample.size > 0 ? is_chosen(found[i], sample) : found[i]->is_good) {
            const struct sample_file *wanted = found[i];
            found[i] = found[kept];
            found[kept++] = wanted;
        }
    }
    return kept == 0 && sample.size == 0 ? count : kept;
}

/* The number that a request to track, cancel or find labels again asks for; empty = none. */
static struct text number_of(const struct simulator_request *request, const struct place *place)
{
    static const char *const members[] = {"trackingInfo.trackingNumberInfo.trackingNumber",
                                          "trackingNumber", "LabelRecoveryRequest.TrackingNumber",
                                          "LabelRecoveryRequest.TrackingNumbers.TrackingNumber"};
    struct text number = simulator_parameter(request->query, "trackingNumber");
    bool by_path = place->operation == SAMPLE_TRACK || place->operation == SAMPLE_FIND ||
                   place->operation == SAMPLE_CANCEL;
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

/* Where the first of the files stands that holds the number; `count` = none does. */
static size_t find_holder(const struct sample_files *files, const struct sample_file **found,
                          size_t count, struct text number, struct buffer *out)
{
    for (size_t i = 0; i < count && number.size > 0; i++) {
        if (sample_file_read(files, found[i], out) && out->size >= number.size &&
            memmem(out->data, out->size, number.data, number.size) != NULL)
            return i;
    }
    return count;
}

static uint64_t next_turn(struct simulator *simulator, const struct place *place)
{
    size_t carrier = strcmp(place->carrier, "ups") == 0     ? 0
                     : strcmp(place->carrier, "fedex") == 0 ? 1
                                                            : 2;
    return simulator->sample_turns[carrier][place->operation]++;
}

/* Without the head of a whole HTTP answer. */
static void drop_head(struct buffer *body, size_t size)
{
    size_t dropped = size < body->size ? size : body->size;
    memmove(body->data, body->data + dropped, body->size - dropped);
    body->size -= dropped;
}

static bool answer_from(struct simulator *simulator, const struct place *place,
                        const struct simulator_request *request, struct text sample,
                        struct simulator_answer *answer)
{
    const struct sample_files *files = simulator->options.samples;
    const struct sample_file **found =
        arena_allocate_zero(request->arena, files->count + 1, sizeof(const struct sample_file *));
    if (found == NULL)
        return false;
    size_t count = list(files, place, found), at = count;
    if (sample.size == 0)
        at = find_holder(files, found, count, number_of(request, place), &answer->body);
    if (at == count) {
        count = keep_wanted(sample, found, count);
        at = count == 0 ? 0 : next_turn(simulator, place) % count;
    }
    if (count == 0 || !sample_file_read(files, found[at], &answer->body))
        return false;
    if (found[at]->body_at > 0)
        drop_head(&answer->body, found[at]->body_at);
    answer->status = found[at]->status;
    answer->media_type = found[at]->media_type;
    snprintf(answer->sample, sizeof answer->sample, "%s", found[at]->path);
    return true;
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
    snprintf(path, sizeof path, "%s/errors-by-endpoint.json", place->carrier);
    snprintf(key, sizeof key, "%s %.*s %d", method_name(request->method), (int)request->path.size,
             request->path.data, (int)status);
    buffer_init(&text, sample_file_bytes_max);
    struct sample_file file = {.path = path};
    bool fine = sample_file_read(simulator->options.samples, &file, &text);
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
    struct text chosen = text_of(request->sample.size == 0 ? simulator->sample : "");
    if ((chosen.size > 0 && answer_from(simulator, &place, request, chosen, answer)) ||
        answer_from(simulator, &place, request, request->sample, answer) ||
        answer_error(simulator, &place, request, answer))
        return true;
    buffer_clear(&answer->body);
    if (request->sample.size == 0)
        return false;
    answer->status = 404;
    return buffer_append_format(&answer->body,
                                "{\"message\":\"no file of %s/%s has that status or that part of "
                                "a path (header x-sample; GET /simulator/samples lists all)\"}",
                                place.carrier, sample_operation_name(place.operation));
}
