/*
 * What the three protocols share. An error is looked for in every answer, a 200 too: UPS, FedEx and
 * DHL have all been seen to put one there. Which shape it has does not depend on the carrier alone
 * (FedEx's gateway, UPS's OAuth and DHL's proxies answer in styles of their own), so each shape is
 * tried for all.
 */
#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include "platform/json/json_tree.h"
#include "shipping/infrastructure/carriers/carrier_body.h"
#include "shipping/infrastructure/carriers/carrier_json.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { path_bytes_max = 4096, body_bytes_max = 2 * 1024 * 1024, causes_max = 8 };

struct carrier_settings carrier_settings_default(void)
{
    return (struct carrier_settings){
        .calls_at_once_max = 16,
        .waiting_max = 2000,
        .calls_per_second_max = 20,
        .connect_us_max = 5 * 1000000,
        .answer_bytes_max = 16 * 1024 * 1024,
    };
}

void carrier_wire_init(struct carrier_wire *wire)
{
    *wire = (struct carrier_wire){0};
    buffer_init(&wire->path, path_bytes_max);
    buffer_init(&wire->body, body_bytes_max);
}

void carrier_wire_deinit(struct carrier_wire *wire)
{
    buffer_deinit(&wire->path);
    buffer_deinit(&wire->body);
}

void wire_begin(struct carrier_wire *wire, const char *method, const char *path)
{
    wire->method = method;
    wire->to_tracking = false;
    wire->content_type = NULL;
    wire->header_count = 0;
    wire->failed = false;
    buffer_clear(&wire->path);
    buffer_clear(&wire->body);
    wire_path(wire, path);
}

struct json_writer wire_json(struct carrier_wire *wire)
{
    struct json_writer json;
    wire->content_type = "application/json";
    json_writer_init(&json, &wire->body);
    return json;
}

void wire_end(struct carrier_wire *wire, const struct json_writer *json)
{
    wire->failed = wire->failed || json->failed;
}

void wire_put_short(struct json_writer *json, const char *key, struct text text, size_t size)
{
    if (text.size > 0)
        json_put_text(json, key, text_shortened(text, size));
}

void wire_path(struct carrier_wire *wire, const char *text)
{
    if (!buffer_append_string(&wire->path, text))
        wire->failed = true;
}

void wire_path_escaped(struct carrier_wire *wire, struct text text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";
    for (size_t i = 0; i < text.size && !wire->failed; i++) {
        char byte = text.data[i];
        bool fine = byte != '\0' && strchr(unreserved, byte) != NULL
                        ? buffer_append(&wire->path, &byte, 1)
                        : buffer_append_format(&wire->path, "%%%02X", (unsigned char)byte);
        wire->failed = !fine;
    }
}

void wire_header(struct carrier_wire *wire, const char *name, struct text value)
{
    struct wire_header *header = &wire->headers[wire->header_count];
    if (wire->header_count == wire_headers_max || value.size >= sizeof header->value) {
        wire->failed = true;
        return;
    }
    header->name = name;
    memcpy(header->value, value.data, value.size);
    header->value[value.size] = '\0';
    wire->header_count++;
}

void outcome_set(struct carrier_outcome *outcome, enum carrier_verdict verdict, struct text code,
                 struct text message)
{
    static const char *const unsaid[] = {
        [CARRIER_ANSWERED] = "",
        [CARRIER_REFUSED] = "the carrier refused and did not say why",
        [CARRIER_NOT_FOUND] = "the carrier does not know it",
        [CARRIER_THROTTLED] = "too many calls",
        [CARRIER_UNAVAILABLE] = "the carrier is not available",
        [CARRIER_UNKNOWN] = "no usable answer",
        [CARRIER_UNSUPPORTED] = "this carrier has no such call",
    };
    outcome->verdict = verdict;
    outcome->code = code;
    outcome->message = message.size > 0 || code.size > 0 ? message : text_of(unsaid[verdict]);
}

void outcome_set_string(struct carrier_outcome *outcome, enum carrier_verdict verdict,
                        const char *message)
{
    outcome_set(outcome, verdict, (struct text){0}, text_of(message));
}

/* ---------------------------------------------------------------------------------- problems */

struct problem {
    struct text code;
    struct text message;
    int64_t status; /* that the body claims; 0 = none */
};

static struct text padded(struct arena *arena, struct text code, int digits)
{
    if (!text_is_digits(code) || code.size >= (size_t)digits)
        return code;
    return text_of(
        arena_format(arena, "%0*d%.*s", digits - (int)code.size, 0, (int)code.size, code.data));
}

/* The first of these members that says something. */
static struct text first_words(struct arena *arena, json_t *value, const char *const *names)
{
    struct text words = {0};
    for (size_t i = 0; names[i] != NULL && words.size == 0; i++)
        words = json_words(arena, value, names[i]);
    return words;
}

/* "…; …", without what is there already. */
static struct text joined(struct arena *arena, struct text left, const char *between,
                          struct text right)
{
    if (left.size == 0 || right.size == 0)
        return left.size == 0 ? right : left;
    if (memmem(left.data, left.size, right.data, right.size) != NULL)
        return left;
    struct text both = text_of(arena_format(arena, "%.*s%s%.*s", (int)left.size, left.data, between,
                                            (int)right.size, right.data));
    return both.size == 0 ? left : both;
}

/* What one error says, and of which fields: FedEx names those in a list of parameters. */
static struct text message_of(struct arena *arena, json_t *error)
{
    static const char *const names[] = {"message", "Description", "ErrorDescription", NULL};
    struct text message = first_words(arena, error, names);
    for (size_t i = 0; i < json_count(error, "parameterList") && i < causes_max; i++) {
        json_t *parameter = json_element(error, "parameterList", i);
        struct text key = json_words(arena, parameter, "key");
        struct text value = json_words(arena, parameter, "value");
        message = joined(arena, message, ", ", joined(arena, key, ": ", value));
    }
    return message;
}

/*
 * A list of {code, message}: UPS below "response", FedEx at the top, old UPS with other names. The
 * code is the first one's, the message that of all.
 */
static bool read_list(json_t *root, struct arena *arena, struct problem *problem)
{
    static const char *const lists[] = {"response.errors",
                                        "errors",
                                        "Errors",
                                        "Fault.detail.Errors.ErrorDetail.PrimaryErrorCode",
                                        "Response.Error",
                                        "output.errors",
                                        "error"};
    static const char *const codes[] = {"code", "Code", "ErrorCode", NULL};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        json_t *first = json_element(root, lists[i], 0);
        if (first == NULL || !json_is_object(first))
            continue;
        problem->code = first_words(arena, first, codes);
        for (size_t j = 0; j < json_count(root, lists[i]) && j < causes_max; j++)
            problem->message = joined(arena, problem->message, "; ",
                                      message_of(arena, json_element(root, lists[i], j)));
        if (problem->code.size > 0 || problem->message.size > 0)
            return true; /* an empty object beside an answer is none */
    }
    if (json_is_string(json_element(root, "errors", 0))) {
        problem->message = json_words(arena, root, "errors");
        return true;
    }
    return false;
}

/* {"error": "…", "error_detail" or "error_description": "…"}: OAuth (RFC 6749) and gateways. */
static bool read_pair(json_t *root, struct arena *arena, struct problem *problem)
{
    static const char *const names[] = {"error_detail", "error_description", "message", NULL};
    if (!json_is_string(json_member(root, "error")))
        return false;
    problem->code = json_words(arena, root, "error");
    problem->message = first_words(arena, root, names);
    return true;
}

/* What DHL adds to its detail, which then says no more than that there are several problems. */
static struct text additions_of(struct arena *arena, json_t *at, struct text detail)
{
    static const char path[] = "additionalDetails";
    bool several = text_starts_with(detail, text_of("Multiple problems"));
    struct text all = {0};
    for (size_t i = 0; i < json_count(at, path) && i < causes_max; i++)
        all = joined(arena, all, "; ", json_words(arena, json_element(at, path, i), ""));
    return several && all.size > 0 ? all : joined(arena, detail, ": ", all);
}

/*
 * Which fields are wrong, and why: lists of {name, reason} under the names that RFC 7807 and Parcel
 * DE give them.
 */
static struct text fields_of_list(struct arena *arena, json_t *value, const char *path)
{
    static const char *const names[] = {"name", "field", "property", "propertyPath", NULL};
    static const char *const reasons[] = {"reason", "message", "validationMessage", NULL};
    struct text all = {0};
    for (size_t i = 0; i < json_count(value, path) && i < causes_max; i++) {
        json_t *one = json_element(value, path, i);
        struct text reason = first_words(arena, one, reasons);
        if (reason.size > 0)
            all = joined(arena, all, "; ",
                         joined(arena, first_words(arena, one, names), ": ", reason));
    }
    return all;
}

/* {"errors": {"Weight": ["must be above 0"]}} */
static struct text fields_of_map(struct arena *arena, json_t *errors)
{
    struct text all = {0};
    const char *name;
    json_t *reasons;
    json_object_foreach(errors, name, reasons)
    {
        for (size_t i = 0; i < json_count(reasons, "") && i < causes_max; i++)
            all = joined(arena, all, "; ",
                         joined(arena, text_of(name), ": ",
                                json_words(arena, json_element(reasons, "", i), "")));
    }
    return all;
}

static struct text fields_of(struct arena *arena, json_t *root)
{
    static const char *const lists[] = {"invalid-params", "invalidParams", "additionalDetails",
                                        "violations", "items"};
    struct text all = {0};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        all = joined(arena, all, "; ", fields_of_list(arena, root, lists[i]));
    for (size_t i = 0; i < json_count(root, "items") && i < causes_max; i++)
        all = joined(arena, all, "; ",
                     fields_of_list(arena, json_element(root, "items", i), "validationMessages"));
    return joined(arena, all, "; ", fields_of_map(arena, json_member(root, "errors")));
}

/*
 * DHL's problem+json (RFC 7807): title, detail, status or code as number or string. The code that
 * tells something stands at the start of the first addition to the detail ("7008: …"), or of that.
 */
static bool read_problem_json(json_t *root, struct arena *arena, struct problem *problem)
{
    static const char *const names[] = {"status", "statusCode", "code", NULL};
    json_t *nested = json_member(root, "status"); /* Parcel DE, whose 207 and 200 have it, too */
    json_t *at = json_is_object(nested) ? nested : root;
    struct text title = json_words(arena, at, "title");
    struct text detail = json_words(arena, at, "detail");
    struct text more = json_words(arena, at, "additionalDetails");
    struct text status = first_words(arena, at, names);
    if ((title.size == 0 && detail.size == 0) ||
        (at == nested && text_starts_with(status, text_of("2"))))
        return false;
    struct text best = more.size > 0 ? more : detail.size > 0 ? detail : title;
    const char *colon = memchr(best.data, ':', best.size);
    struct text start = text_make(best.data, colon == NULL ? 0 : (size_t)(colon - best.data));
    problem->code = text_is_digits(start) ? start : status;
    struct text words = more.size > 0 ? additions_of(arena, at, detail) : best;
    bool is_sentence = words.size > 0 && words.data[words.size - 1] == '.';
    problem->message = joined(arena, words, is_sentence ? " " : "; ", fields_of(arena, root));
    if (!text_to_int64(status, &problem->status))
        problem->status = 0;
    return true;
}

/* {"fault": {"faultstring": …, "detail": {"errorcode": …}}}: the gateway before all three. */
static bool read_fault(json_t *root, struct arena *arena, struct problem *problem)
{
    problem->message = json_words(arena, root, "fault.faultstring");
    problem->code = json_words(arena, root, "fault.detail.errorcode");
    return problem->message.size > 0 || problem->code.size > 0;
}

/*
 * {"reasons": [{"msg": …}]}, {"message": …}, {"errorCode": …, "errorMessage": …}: what DHL's and
 * FedEx's front servers say; and a list of wrong fields alone.
 */
static bool read_message(json_t *root, struct arena *arena, struct problem *problem)
{
    static const char *const names[] = {"message", "Message", "errorMessage", NULL};
    for (size_t i = 0; i < json_count(root, "reasons") && i < causes_max; i++) {
        json_t *reason = json_element(root, "reasons", i);
        problem->message = joined(arena, problem->message, "; ",
                                  json_words(arena, reason, json_is_object(reason) ? "msg" : ""));
    }
    if (problem->message.size == 0 && json_is_array(root))
        problem->message = fields_of_list(arena, root, "");
    if (problem->message.size == 0)
        problem->message = first_words(arena, root, names);
    if (problem->message.size > 0)
        problem->code = json_words(arena, root, "errorCode");
    return problem->message.size > 0;
}

static bool read_problem(json_t *root, struct arena *arena, struct problem *problem)
{
    return read_list(root, arena, problem) || read_pair(root, arena, problem) ||
           read_problem_json(root, arena, problem) || read_fault(root, arena, problem) ||
           read_message(root, arena, problem);
}

static enum carrier_verdict verdict_of(unsigned status)
{
    if (status == 429)
        return CARRIER_THROTTLED;
    if (status == 401 || status == 403)
        return CARRIER_UNAVAILABLE; /* our account's affair; nothing was done */
    if (status == 404 || status == 410)
        return CARRIER_NOT_FOUND;
    if (status >= 400 && status < 500 && status != 408)
        return CARRIER_REFUSED;
    return CARRIER_UNKNOWN;
}

bool carrier_answer_read(const struct carrier_protocol *protocol, unsigned status, struct text body,
                         struct arena *arena, struct carrier_answer *answer,
                         struct carrier_outcome *outcome)
{
    struct problem problem = {0};
    *answer = (struct carrier_answer){.status = status, .arena = arena};
    *outcome = (struct carrier_outcome){.verdict = CARRIER_ANSWERED, .http_status = status};
    struct error error = body.size == 0
                             ? error_make(ERROR_INVALID_INPUT, "an empty body")
                             : json_tree_parse(text_without_mark(body), arena, &answer->root);
    bool good = status >= 200 && status < 300;
    if (answer->root == NULL) {
        const char *said = arena_format(arena, "HTTP %u, and no JSON: %s", status, error.detail);
        outcome_set_string(outcome, good ? CARRIER_UNKNOWN : verdict_of(status),
                           said == NULL ? "no JSON" : said);
        return false;
    }
    bool wrong = read_problem(answer->root, arena, &problem);
    if (good && !wrong)
        return true;
    bool claims = problem.status >= 400 && problem.status < 600;
    enum carrier_verdict verdict = !good    ? verdict_of(status)
                                   : claims ? verdict_of((unsigned)problem.status)
                                            : CARRIER_REFUSED;
    if (problem.message.size == 0)
        problem.message = text_of(arena_format(arena, "HTTP %u", status));
    outcome_set(outcome, verdict, padded(arena, problem.code, protocol->error_code_digits),
                problem.message);
    return false;
}

void carrier_number_parcels(struct text number, struct carrier_parcel *parcels, size_t count)
{
    struct carrier_parcel *without = NULL;
    for (size_t i = 0; i < count; i++) {
        if (text_equal(parcels[i].tracking_number, number))
            return;
        if (parcels[i].tracking_number.size > 0)
            continue;
        if (without != NULL)
            return;
        without = &parcels[i];
    }
    if (without != NULL)
        without->tracking_number = number;
}

void carrier_read_token(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                        struct carrier_token *token)
{
    token->value = json_words(answer->arena, answer->root, "access_token");
    struct text lifetime = json_words(answer->arena, answer->root, "expires_in");
    if (token->value.size == 0 || text_has_control(token->value)) {
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer holds no access_token");
        return;
    }
    if (!text_to_int64(lifetime, &token->lifetime_seconds) || token->lifetime_seconds < 1)
        token->lifetime_seconds = 60;
    if (token->lifetime_seconds > 86400)
        token->lifetime_seconds = 86400;
}

/* ---------------------------------------------------------------------------------- webhooks */

struct text carrier_webhook_header(const struct carrier_webhook *webhook, const char *name)
{
    size_t size = strlen(name);
    for (size_t i = 0; i < webhook->header_count; i++) {
        const struct carrier_header *header = &webhook->headers[i];
        if (header->name.size == size && strncasecmp(header->name.data, name, size) == 0)
            return header->value;
    }
    return (struct text){0};
}

bool carrier_credential_matches(const struct carrier_webhook *webhook, const char *header,
                                const char *secret)
{
    static const char bearer[] = "Bearer ";
    struct text given = text_trim(carrier_webhook_header(webhook, header));
    if (strcasecmp(header, "authorization") == 0 && given.size >= sizeof bearer - 1 &&
        strncasecmp(given.data, bearer, sizeof bearer - 1) == 0)
        given = text_make(given.data + sizeof bearer - 1, given.size - (sizeof bearer - 1));
    if (secret == NULL || secret[0] == '\0' || given.size != strlen(secret))
        return false; /* its length is no secret */
    return CRYPTO_memcmp(given.data, secret, given.size) == 0;
}

bool carrier_webhook_json(const struct carrier_webhook *webhook, struct arena *arena,
                          struct carrier_webhook_result *result, json_t **root, struct error *error)
{
    struct text plain;
    *error = carrier_body_inflate(webhook->body, arena, &plain);
    if (!error_is(*error))
        *error = json_tree_parse(text_without_mark(plain), arena, root);
    if (!error_is(*error))
        return true;
    if (error->code != ERROR_INVALID_INPUT)
        return false;
    result->verdict = CARRIER_WEBHOOK_UNKNOWN_SHAPE;
    result->why = text_of(arena_format(arena, "no JSON: %s", error->detail));
    *error = error_none();
    return false;
}

void carrier_webhook_judge(struct carrier_webhook_result *result,
                           const struct carrier_tracking *tracking, size_t silent,
                           const char *why_not)
{
    result->scans = tracking->scans;
    result->scan_count = tracking->scan_count;
    result->verdict = tracking->scan_count > 0 && silent == 0 ? CARRIER_WEBHOOK_SCANS
                                                              : CARRIER_WEBHOOK_UNKNOWN_SHAPE;
    for (size_t i = 0; i < tracking->scan_count; i++) {
        const struct shipping_scan *scan = &tracking->scans[i];
        if (scan->tracking_number.size == 0 || scan->carrier_code.size == 0 ||
            scan->occurred_time_us == 0)
            result->verdict = CARRIER_WEBHOOK_UNKNOWN_SHAPE;
    }
    if (result->verdict == CARRIER_WEBHOOK_UNKNOWN_SHAPE)
        result->why = text_of(why_not);
}
