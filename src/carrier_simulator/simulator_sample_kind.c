/*
 * What a sample is. Names are split into words ("response-404_ShipmentVoid" has four), which are
 * looked for from the file's folder outwards, then in its own name; an answer's members tell as
 * much and are asked where no folder bears an operation's plain name. What is asked of a carrier,
 * and what is of other interfaces, is told apart, never guessed into an answer.
 */
#include "carrier_simulator/simulator_exchange.h"
#include "carrier_simulator/simulator_sample_files.h"
#include "platform/json/json_tree.h"
#include "shipping/infrastructure/carriers/carrier_json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { words_max = 48, word_size = 24, parts_max = 16, part_size = 256 };

struct words {
    char all[words_max][word_size];
    size_t count;
};

/* Folders from the file's own outwards; then what the folder of all is called. */
struct parts {
    char folders[parts_max][part_size];
    size_t count;
    size_t of_directory; /* so many of them, the last ones, are above the folder */
    const char *name;    /* of the file */
};

/* -------------------------------------------------------------------------------------- words */

static bool begins_word(const char *name, size_t at)
{
    unsigned char here = (unsigned char)name[at], before = (unsigned char)name[at - 1];
    return (isdigit(here) != 0) != (isdigit(before) != 0) || (isupper(here) && islower(before)) ||
           (isupper(here) && isupper(before) && islower((unsigned char)name[at + 1]));
}

static void split(const char *name, struct words *words)
{
    size_t size = 0;
    words->count = 0;
    for (size_t i = 0; name[i] != '\0' && words->count < words_max; i++) {
        if (size > 0 && (!isalnum((unsigned char)name[i]) || begins_word(name, i))) {
            words->all[words->count++][size] = '\0';
            size = 0;
        }
        if (isalnum((unsigned char)name[i]) && words->count < words_max && size + 1 < word_size)
            words->all[words->count][size++] = (char)tolower((unsigned char)name[i]);
    }
    if (size > 0 && words->count < words_max)
        words->all[words->count++][size] = '\0';
}

static bool has_word(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->count; i++) {
        if (strcmp(words->all[i], word) == 0)
            return true;
    }
    return false;
}

static bool has_either(const struct words *words, const char *word, const char *other)
{
    return has_word(words, word) || has_word(words, other);
}

static void add_folders(struct parts *parts, const char *path, size_t size, size_t folders_max)
{
    size_t end = size;
    for (size_t taken = 0; end > 0 && parts->count < parts_max && taken < folders_max; taken++) {
        size_t start = end;
        while (start > 0 && path[start - 1] != '/')
            start--;
        size_t length = end - start < part_size ? end - start : part_size - 1;
        memcpy(parts->folders[parts->count], path + start, length);
        parts->folders[parts->count++][length] = '\0';
        end = start == 0 ? 0 : start - 1;
    }
}

static void take_apart(struct parts *parts, const char *directory, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t size = strlen(directory);
    while (size > 0 && directory[size - 1] == '/')
        size--;
    parts->name = slash == NULL ? path : slash + 1;
    parts->count = 0;
    add_folders(parts, path, slash == NULL ? 0 : (size_t)(slash - path), parts_max);
    size_t before = parts->count;
    add_folders(parts, directory, size, 2);
    parts->of_directory = parts->count - before;
}

/* ------------------------------------------------------------------------------------- carrier */

static const char *carrier_in(const char *name)
{
    struct words words;
    split(name, &words);
    if (strcasestr(name, "fedex") != NULL || has_word(&words, "fdx"))
        return "fedex";
    if (strcasestr(name, "dhl") != NULL)
        return "dhl";
    return has_word(&words, "ups") ? "ups" : NULL;
}

/* Above the folder of all only a carrier's plain name tells: its own path is nobody's choice. */
static const char *carrier_of(const struct parts *parts)
{
    const char *carrier = NULL;
    for (size_t i = 0; i < parts->count - parts->of_directory && carrier == NULL; i++)
        carrier = carrier_in(parts->folders[i]);
    if (carrier == NULL)
        carrier = carrier_in(parts->name);
    for (size_t i = parts->count - parts->of_directory; i < parts->count && carrier == NULL; i++) {
        for (int j = 0; j < simulator_carrier_count; j++) {
            const char *name = simulator_carrier_name((enum simulator_carrier)j);
            carrier = strcasecmp(parts->folders[i], name) == 0 ? name : carrier;
        }
    }
    return carrier;
}

/* What the members of a carrier's own answer tell. */
static enum sample_operation operation_by_content(json_t *root, const char **carrier)
{
    static const struct {
        const char *path;
        const char *carrier;
        enum sample_operation operation;
    } all[] = {
        {"RateResponse", "ups", SAMPLE_RATE},
        {"ShipmentResponse", "ups", SAMPLE_SHIP},
        {"LabelRecoveryResponse", "ups", SAMPLE_LABEL},
        {"VoidShipmentResponse", "ups", SAMPLE_CANCEL},
        {"trackResponse", "ups", SAMPLE_TRACK},
        {"output.rateReplyDetails", "fedex", SAMPLE_RATE},
        {"output.transactionShipments", "fedex", SAMPLE_SHIP},
        {"output.cancelledShipment", "fedex", SAMPLE_CANCEL},
        {"output.completeTrackResults", "fedex", SAMPLE_TRACK},
        {"products.productCode", "dhl", SAMPLE_RATE},
        {"shipmentTrackingNumber", "dhl", SAMPLE_SHIP},
        {"shipments.shipmentTrackingNumber", "dhl", SAMPLE_TRACK},
        {"shipments.id", "dhl", SAMPLE_UNIFIED},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (json_member(root, all[i].path) == NULL ||
            (*carrier != NULL && strcmp(*carrier, all[i].carrier) != 0))
            continue;
        *carrier = all[i].carrier;
        return all[i].operation;
    }
    if (json_member(root, "access_token") == NULL)
        return SAMPLE_UNTOLD;
    if (*carrier == NULL)
        *carrier = json_member(root, "issued_at") != NULL ? "ups" : "fedex";
    return SAMPLE_OAUTH;
}

/* ----------------------------------------------------------------------------------- operation */

/* Those further up win: a "shipment tracking response" is about tracking. */
static const struct {
    const char *word;
    enum sample_operation operation;
} operation_words[] = {
    {"recovery", SAMPLE_LABEL},  {"pickup", SAMPLE_OTHER},        {"pickups", SAMPLE_OTHER},
    {"address", SAMPLE_OTHER},   {"addresses", SAMPLE_OTHER},     {"webhook", SAMPLE_OTHER},
    {"webhooks", SAMPLE_OTHER},  {"push", SAMPLE_OTHER},          {"pushes", SAMPLE_OTHER},
    {"table", SAMPLE_OTHER},     {"tables", SAMPLE_OTHER},        {"spec", SAMPLE_OTHER},
    {"specs", SAMPLE_OTHER},     {"timeintransit", SAMPLE_OTHER}, {"timelines", SAMPLE_OTHER},
    {"contract", SAMPLE_OTHER},  {"subscribe", SAMPLE_OTHER},     {"swagger", SAMPLE_OTHER},
    {"openapi", SAMPLE_OTHER},   {"numbers", SAMPLE_OTHER},       {"void", SAMPLE_CANCEL},
    {"voided", SAMPLE_CANCEL},   {"cancel", SAMPLE_CANCEL},       {"cancelled", SAMPLE_CANCEL},
    {"canceled", SAMPLE_CANCEL}, {"cancellation", SAMPLE_CANCEL}, {"unified", SAMPLE_UNIFIED},
    {"utapi", SAMPLE_UNIFIED},   {"find", SAMPLE_FIND},           {"search", SAMPLE_FIND},
    {"track", SAMPLE_TRACK},     {"tracks", SAMPLE_TRACK},        {"tracking", SAMPLE_TRACK},
    {"rate", SAMPLE_RATE},       {"rates", SAMPLE_RATE},          {"rating", SAMPLE_RATE},
    {"quote", SAMPLE_RATE},      {"quotes", SAMPLE_RATE},         {"shop", SAMPLE_RATE},
    {"oauth", SAMPLE_OAUTH},     {"token", SAMPLE_OAUTH},         {"tokens", SAMPLE_OAUTH},
    {"auth", SAMPLE_OAUTH},      {"authorization", SAMPLE_OAUTH}, {"ship", SAMPLE_SHIP},
    {"ships", SAMPLE_SHIP},      {"shipment", SAMPLE_SHIP},       {"shipments", SAMPLE_SHIP},
    {"shipping", SAMPLE_SHIP},   {"labels", SAMPLE_OTHER},
};

static enum sample_operation operation_in(const char *name)
{
    struct words words;
    split(name, &words);
    for (size_t i = 0; i + 1 < words.count; i++) {
        if (strcmp(words.all[i], "parcel") == 0 && strcmp(words.all[i + 1], "de") == 0)
            return SAMPLE_OTHER; /* DHL Parcel Germany */
    }
    for (size_t i = 0; i < sizeof operation_words / sizeof operation_words[0]; i++) {
        if (has_word(&words, operation_words[i].word))
            return operation_words[i].operation;
    }
    return SAMPLE_UNTOLD;
}

/* A folder of just that name leaves nothing to its files' names and content. */
static bool is_plain(const char *folder)
{
    static const char *const names[] = {
        "oauth",    "token", "rate",   "rates", "rating",   "ship", "shipment",     "shipments",
        "shipping", "void",  "cancel", "track", "tracking", "find", "unified-track"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(folder, names[i]) == 0)
            return true;
    }
    return false;
}

/* The nearest folder that tells; above the folder of all only a plain name does. */
static enum sample_operation operation_by_folder(const struct parts *parts, bool *is_certain)
{
    size_t inner = parts->count - parts->of_directory;
    for (size_t i = 0; i < parts->count; i++) {
        bool plain = is_plain(parts->folders[i]);
        enum sample_operation told = operation_in(parts->folders[i]);
        *is_certain = plain || told == SAMPLE_OTHER;
        if (told != SAMPLE_UNTOLD && (i < inner || plain))
            return told;
    }
    *is_certain = false;
    return SAMPLE_UNTOLD;
}

static enum sample_operation operation_of(const struct parts *parts, json_t *root,
                                          const char **carrier, bool *is_certain)
{
    const char *by_whom = *carrier;
    enum sample_operation by_folder = operation_by_folder(parts, is_certain);
    enum sample_operation by_name = operation_in(parts->name);
    enum sample_operation by_content = operation_by_content(root, &by_whom);
    if (by_folder == SAMPLE_UNTOLD && by_name == SAMPLE_OTHER)
        return SAMPLE_OTHER;
    *carrier = *carrier == NULL ? by_whom : *carrier;
    if (*is_certain && by_content != SAMPLE_LABEL)
        return by_folder;
    *is_certain = *is_certain || by_content != SAMPLE_UNTOLD;
    return by_content != SAMPLE_UNTOLD  ? by_content
           : by_folder != SAMPLE_UNTOLD ? by_folder
                                        : by_name;
}

/* "find-…", "search", "by reference" */
static bool is_search(const char *name)
{
    struct words words;
    split(name, &words);
    return has_either(&words, "find", "search") ||
           (has_word(&words, "by") && has_either(&words, "reference", "references"));
}

/* --------------------------------------------------------------------------- request or answer */

static bool is_request(const struct parts *parts, json_t *root)
{
    static const char *const members[] = {
        "RateRequest",       "ShipmentRequest", "VoidShipmentRequest", "LabelRecoveryRequest",
        "requestedShipment", "customerDetails", "trackingInfo"};
    struct words words;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (json_member(root, members[i]) != NULL)
            return true;
    }
    split(parts->name, &words);
    if (strncasecmp(parts->name, "request", 7) == 0 ||
        (has_either(&words, "request", "requests") && !has_either(&words, "response", "responses")))
        return true;
    for (size_t i = 0; i < parts->count - parts->of_directory; i++) {
        split(parts->folders[i], &words);
        if (has_either(&words, "request", "requests") &&
            !has_either(&words, "response", "responses"))
            return true;
    }
    return false;
}

/* "HTTP/1.1 404 Not Found", headers, an empty line: where the body begins; 0 = it is none. */
static size_t read_head(struct text content, struct sample_file *file)
{
    int64_t status;
    const char *space = content.size == 0 ? NULL : memchr(content.data, ' ', content.size);
    if (!text_starts_with(content, text_of("HTTP/")) || space == NULL ||
        !text_digits(content, (size_t)(space - content.data) + 1, 3, &status))
        return 0;
    const char *end = memmem(content.data, content.size, "\r\n\r\n", 4);
    const char *bare = memmem(content.data, content.size, "\n\n", 2);
    size_t at = end != NULL    ? (size_t)(end - content.data) + 4
                : bare != NULL ? (size_t)(bare - content.data) + 2
                               : content.size;
    struct text body = text_trim(text_make(content.data + at, content.size - at));
    bool is_json = body.size > 0 && (body.data[0] == '{' || body.data[0] == '[');
    file->media_type = is_json ? "application/json" : "text/html";
    file->status = (unsigned)status;
    return at;
}

static const char *media_type_of(const char *name)
{
    static const struct {
        const char *end;
        const char *media_type;
    } all[] = {{".json", "application/json"}, {".html", "text/html"}, {".htm", "text/html"},
               {".xml", "text/xml"},          {".txt", "text/plain"}, {".http", "text/plain"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (dot != NULL && strcasecmp(dot, all[i].end) == 0)
            return all[i].media_type;
    }
    return NULL;
}

/* -------------------------------------------------------------------------------------- status */

static unsigned status_in(const char *name)
{
    static const unsigned known[] = {200, 201, 202, 204, 207, 400, 401, 403, 404, 405, 406, 408,
                                     409, 410, 413, 415, 422, 429, 500, 501, 502, 503, 504};
    const char *at = strstr(name, "response-");
    if (at != NULL && strspn(at + 9, "0123456789") == 3)
        return (unsigned)atoi(at + 9);
    for (size_t i = 0; name[i] != '\0'; i++) {
        size_t digits = strspn(name + i, "0123456789");
        bool is_alone = digits == 3 && (i == 0 || !isalnum((unsigned char)name[i - 1])) &&
                        !isalnum((unsigned char)name[i + 3]);
        for (size_t j = 0; j < sizeof known / sizeof known[0] && is_alone; j++) {
            if ((unsigned)atoi(name + i) == known[j])
                return known[j];
        }
        i += digits > 0 ? digits - 1 : 0;
    }
    return 0;
}

/* The status that an error's body claims (RFC 7807, Parcel DE); 0 = none. */
static unsigned status_in_body(struct arena *arena, json_t *root)
{
    static const char *const paths[] = {"status.statusCode", "status", "statusCode"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t status;
        if (text_to_int64(json_words(arena, root, paths[i]), &status) && status >= 400 &&
            status < 600)
            return (unsigned)status;
    }
    return 0;
}

static bool looks_wrong(struct arena *arena, json_t *root)
{
    static const char *const members[] = {"response.errors", "errors", "Errors",  "Fault",
                                          "fault",           "error",  "reasons", "errorCode"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (json_count(root, members[i]) > 0)
            return true;
    }
    return status_in_body(arena, root) != 0;
}

/* By its name; an answer without any of its carrier's members by what it says is wrong. */
static void judge(struct sample_file *file, const char *name, json_t *root, struct arena *arena)
{
    const char *carrier = file->carrier;
    struct words words;
    split(name, &words);
    bool is_error = has_either(&words, "error", "errors");
    bool is_doubtful = has_either(&words, "warning", "warnings") ||
                       strcasestr(name, "not-found") != NULL ||
                       strcasestr(name, "validatedataonly") != NULL;
    if (file->status == 0)
        file->status = status_in(name);
    if (root != NULL && operation_by_content(root, &carrier) == SAMPLE_UNTOLD &&
        looks_wrong(arena, root)) {
        is_error = true;
        if (file->status == 0)
            file->status = status_in_body(arena, root);
    }
    bool creates = strcmp(file->carrier, "dhl") == 0 && file->operation == SAMPLE_SHIP;
    if (file->status == 0)
        file->status = is_error ? file->operation == SAMPLE_OAUTH ? 401 : 400 : creates ? 201 : 200;
    file->is_good = file->status >= 200 && file->status < 300 && !is_error && !is_doubtful &&
                    strcmp(file->media_type, "application/json") == 0;
}

void sample_file_recognise(struct sample_file *file, const char *directory, const char *path,
                           struct text content, struct arena *arena)
{
    struct parts parts;
    json_t *root = NULL;
    bool is_certain = false;
    take_apart(&parts, directory, path);
    *file = (struct sample_file){
        .path = path, .operation = SAMPLE_UNTOLD, .media_type = media_type_of(parts.name)};
    file->body_at = read_head(content, file);
    struct text body = text_make(content.data + file->body_at, content.size - file->body_at);
    if (file->media_type != NULL && body.size > 0 && error_is(json_tree_parse(body, arena, &root)))
        root = NULL;
    file->carrier = carrier_of(&parts);
    file->operation = operation_of(&parts, root, &file->carrier, &is_certain);
    if (file->operation == SAMPLE_TRACK && is_search(parts.name))
        file->operation = SAMPLE_FIND;
    else if (file->operation == SAMPLE_SHIP && strstr(parts.name, "recovery") != NULL)
        file->operation = SAMPLE_LABEL;
    if (file->media_type == NULL)
        file->why_not = "not .json, .html, .xml, .txt or .http";
    else if (strcmp(parts.name, "errors-by-endpoint.json") == 0)
        file->why_not = "answers by x-sample alone";
    else if (file->operation == SAMPLE_OTHER || strstr(parts.name, "timelines") != NULL)
        file->why_not = "of an interface that is not called";
    else if (file->body_at == 0 && is_request(&parts, root))
        file->why_not = "a request";
    else if (file->carrier == NULL)
        file->why_not = "no carrier in its path or content";
    else if (file->operation == SAMPLE_UNTOLD)
        file->why_not = "no operation in its path or content";
    else if (!is_certain && root != NULL && !looks_wrong(arena, root))
        file->why_not = "no answer and no error by its content";
    else
        judge(file, parts.name, root, arena);
}
