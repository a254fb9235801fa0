/*
 * Faults, introspection, and who answers a path. A fault is drawn once a request, before anything
 * happens; what is done is done whole. Everything random comes from one seeded sequence, so one
 * client's run replays.
 */
#include "carrier_simulator/simulator.h"

#include "carrier_simulator/simulator_carriers.h"
#include "carrier_simulator/simulator_samples.h"
#include "platform/json/json_writer.h"

#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- faults */

/* "Too many calls" is drawn seldom: each costs its carrier a second in which nobody asks. */
enum { others_per_throttled = 8 };

/* One of them; the first is SIMULATOR_FAULT_THROTTLED. */
static enum simulator_fault pick(struct random *random, const enum simulator_fault *faults,
                                 size_t count)
{
    uint64_t number = random_below(random, others_per_throttled * (count - 1) + 1);
    return number == 0 ? faults[0] : faults[1 + (number - 1) / others_per_throttled];
}

static enum simulator_fault draw(struct simulator *simulator, bool purchase)
{
    static const enum simulator_fault buying[] = {
        SIMULATOR_FAULT_THROTTLED,    SIMULATOR_FAULT_ERROR_BEFORE,  SIMULATOR_FAULT_HANG_UP,
        SIMULATOR_FAULT_SILENT_AFTER, SIMULATOR_FAULT_HANG_UP_AFTER, SIMULATOR_FAULT_ERROR_AFTER,
        SIMULATOR_FAULT_NULL_FIELD,   SIMULATOR_FAULT_MALFORMED,     SIMULATOR_FAULT_SLOW,
    };
    static const enum simulator_fault asking[] = {
        SIMULATOR_FAULT_THROTTLED, SIMULATOR_FAULT_ERROR_BEFORE, SIMULATOR_FAULT_HANG_UP,
        SIMULATOR_FAULT_MALFORMED, SIMULATOR_FAULT_NULL_FIELD,   SIMULATOR_FAULT_SLOW,
    };
    struct random *random = &simulator->random.base;
    if (random_below(random, 1000000) >= simulator->options.fault_millionths)
        return SIMULATOR_FAULT_NONE;
    return purchase ? pick(random, buying, sizeof buying / sizeof buying[0])
                    : pick(random, asking, sizeof asking / sizeof asking[0]);
}

static void say(struct simulator_answer *answer, unsigned status, const char *json)
{
    answer->status = status;
    buffer_clear(&answer->body);
    if (!buffer_append_string(&answer->body, json))
        answer->status = 503;
}

/* One string value, chosen by the seed, becomes null. */
static void null_a_value(struct simulator *simulator, struct buffer *body)
{
    size_t count = 0, chosen = 0;
    for (size_t i = 0; i + 3 < body->size; i++)
        count += memcmp(body->data + i, "\":\"", 3) == 0;
    if (count == 0)
        return;
    chosen = random_below(&simulator->random.base, count);
    for (size_t i = 0; i + 3 < body->size; i++) {
        if (memcmp(body->data + i, "\":\"", 3) != 0 || chosen-- > 0)
            continue;
        size_t start = i + 2, end = start + 1;
        while (end < body->size && (body->data[end] != '"' || body->data[end - 1] == '\\'))
            end++;
        if (end + 1 - start < 4) { /* "" and "x" have no room for null */
            return;
        }
        memcpy(body->data + start, "null", 4);
        memmove(body->data + start + 4, body->data + end + 1, body->size - end - 1);
        body->size -= end + 1 - start - 4;
        return;
    }
}

static void distort(struct simulator *simulator, struct simulator_answer *answer)
{
    if (answer->fault == SIMULATOR_FAULT_ERROR_AFTER)
        say(answer, 500, "{\"errors\":[{\"code\":\"INTERNAL\",\"message\":\"after the charge\"}]}");
    else if (answer->fault == SIMULATOR_FAULT_NULL_FIELD)
        null_a_value(simulator, &answer->body);
    else if (answer->fault == SIMULATOR_FAULT_MALFORMED)
        answer->body.size /= 2;
}

/* True: the fault keeps anything from happening. */
static bool fail_before(struct simulator_answer *answer)
{
    if (answer->fault == SIMULATOR_FAULT_THROTTLED) {
        say(answer, 429, "{\"errors\":[{\"code\":\"429\",\"message\":\"Too many requests\"}]}");
        answer->retry_after_seconds = 1;
        return true;
    }
    if (answer->fault == SIMULATOR_FAULT_ERROR_BEFORE) {
        say(answer, 503,
            "{\"errors\":[{\"code\":\"SERVICE.UNAVAILABLE.ERROR\","
            "\"message\":\"before anything\"}]}");
        return true;
    }
    return answer->fault == SIMULATOR_FAULT_HANG_UP;
}

/* Then only may a fault come after the charge. */
static bool is_purchase(const struct simulator_request *request)
{
    return request->method == HTTP_METHOD_POST &&
           (memmem(request->path.data, request->path.size, "/ship", 5) != NULL) &&
           memmem(request->path.data, request->path.size, "/track", 6) == NULL;
}

/* ------------------------------------------------------------------------------- introspection */

static void put_shipment(struct json_writer *json, const struct simulator_shipment *one)
{
    json_open_object(json, NULL);
    json_put_string(json, "carrier", simulator_carrier_name(one->carrier));
    json_put_string(json, "reference", one->reference);
    json_put_string(json, "tracking_number", one->number);
    json_put_string(json, "service", one->service);
    json_put_string(json, "currency", one->currency);
    json_put_integer(json, "amount_minor", one->amount_minor);
    json_put_integer(json, "parcels", (int64_t)one->parcel_count);
    json_put_boolean(json, "voided", one->voided);
    json_close_object(json);
}

/* Every purchase, or those of one reference: what was charged, and how often. */
static void list_shipments(struct simulator *simulator, const struct simulator_request *request,
                           struct json_writer *json)
{
    struct text reference = simulator_parameter(request->query, "reference");
    json_open_array(json, "shipments");
    for (size_t i = 0; i < simulator->shipment_count; i++) {
        if (reference.size == 0 ||
            text_equals_string(reference, simulator->shipments[i]->reference))
            put_shipment(json, simulator->shipments[i]);
    }
    json_close_array(json);
}

static void put_counts(struct simulator *simulator, struct json_writer *json)
{
    static const char *const names[] = {
        "none",          "throttled",   "error_before", "hang_up_before", "silent_after",
        "hang_up_after", "error_after", "null_field",   "malformed",      "slow"};
    int64_t voided = 0;
    for (size_t i = 0; i < simulator->shipment_count; i++)
        voided += simulator->shipments[i]->voided;
    json_put_integer(json, "requests", (int64_t)simulator->requests);
    json_put_integer(json, "charged", (int64_t)simulator->shipment_count);
    json_put_integer(json, "voided", voided);
    json_put_integer(json, "pushes_sent", (int64_t)simulator->pushes_sent);
    json_put_integer(json, "pushes_accepted", (int64_t)simulator->pushes_accepted);
    for (size_t i = 0; i < simulator_carrier_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "rating_us_%s",
                 simulator_carrier_name((enum simulator_carrier)i));
        json_put_integer(json, name, simulator->rating_us[i]);
    }
    json_open_object(json, "faults");
    for (size_t i = 1; i < simulator_fault_count; i++)
        json_put_integer(json, names[i], (int64_t)simulator->faults[i]);
    json_close_object(json);
}

/* What is POSTed is chosen from now on, nothing ends that; any other method only asks. */
static void choose_sample(struct simulator *simulator, const struct simulator_request *request,
                          struct json_writer *json)
{
    if (request->method == HTTP_METHOD_POST)
        simulator_copy(simulator->sample, sizeof simulator->sample, text_trim(request->body));
    json_put_string(json, "sample", simulator->sample);
}

static void introspect(struct simulator *simulator, const struct simulator_request *request,
                       struct simulator_answer *answer)
{
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    if (text_equals_string(request->path, "/simulator/shipments"))
        list_shipments(simulator, request, &json);
    else if (text_equals_string(request->path, "/simulator/samples") &&
             simulator->options.samples != NULL)
        sample_files_list(simulator->options.samples, &json);
    else if (text_equals_string(request->path, "/simulator/sample"))
        choose_sample(simulator, request, &json);
    else
        put_counts(simulator, &json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

/* -------------------------------------------------------------------------------------- answer */

static bool is_token(const struct simulator_request *request)
{
    return memmem(request->path.data, request->path.size, "/oauth/token", 12) != NULL;
}

static void serve(struct simulator *simulator, const struct simulator_request *request,
                  struct simulator_answer *answer)
{
    if (!request->authorized && !is_token(request)) {
        say(answer, 401,
            "{\"errors\":[{\"code\":\"NOT.AUTHORIZED.ERROR\","
            "\"message\":\"no credentials\"}]}");
        return;
    }
    if (simulator_sample(simulator, request, answer))
        return;
    if (!simulator_ups(simulator, request, answer) &&
        !simulator_fedex(simulator, request, answer) && !simulator_dhl(simulator, request, answer))
        say(answer, 404,
            "{\"errors\":[{\"code\":\"NOT.FOUND.ERROR\","
            "\"message\":\"there is no such resource\"}]}");
}

void simulator_answer(struct simulator *simulator, const struct simulator_request *request,
                      struct simulator_answer *answer)
{
    if (text_starts_with(request->path, text_of("/simulator"))) {
        introspect(simulator, request, answer);
        return;
    }
    simulator->requests++;
    answer->fault = draw(simulator, is_purchase(request));
    simulator->faults[answer->fault]++;
    if (simulator->options.answer_ms_max > 0)
        answer->after_ms =
            simulator->options.answer_ms_max / 2 +
            (int64_t)random_below(&simulator->random.base,
                                  (uint64_t)simulator->options.answer_ms_max / 2 + 1);
    if (fail_before(answer))
        return;
    serve(simulator, request, answer);
    distort(simulator, answer);
}

void simulator_note_time(struct simulator *simulator, struct text path, int64_t begin_us)
{
    if (memmem(path.data, path.size, "/rat", 4) == NULL)
        return;
    for (size_t i = 0; i < simulator_carrier_count; i++) {
        struct text name = text_of(simulator_carrier_name((enum simulator_carrier)i));
        if (path.size > name.size + 1 && memcmp(path.data + 1, name.data, name.size) == 0)
            simulator->rating_us[i] = simulator_monotonic_us(simulator) - begin_us;
    }
}
