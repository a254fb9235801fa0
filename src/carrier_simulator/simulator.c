/*
 * State, faults and lives. A fault is drawn once a request, before anything happens; what is done
 * is done whole. Everything random comes from one seeded sequence, so one client's run replays.
 */
#include "carrier_simulator/simulator.h"

#include "platform/base/memory.h"
#include "platform/json/json_writer.h"
#include "shipping/domain/tracking_number.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t second_us = 1000000;

const struct simulator_step simulator_steps[] = {
    {"M", "MP", "003", "OC", NULL, "Label created", 0, false, false},
    {"I", "OR", "005", "PU", "PU", "Picked up", 4, false, false},
    {"I", "DP", "005", "DP", "DF", "Departed facility", 12, false, false},
    {"I", "AR", "005", "AR", "AR", "Arrived at facility", 30, true, false},
    {"X", "48", "048", "DE", "NH", "Delayed, delivery will be tried again", 40, true, true},
    {"I", "OT", "021", "OD", "WC", "Out for delivery", 50, true, false},
    {"D", "FS", "011", "DL", "OK", "Delivered", 55, true, false},
};
const size_t simulator_step_count = sizeof simulator_steps / sizeof simulator_steps[0];

const char *simulator_carrier_name(enum simulator_carrier carrier)
{
    static const char *const names[] = {"ups", "fedex", "dhl"};
    return names[carrier];
}

struct error simulator_init(struct simulator *simulator, const struct simulator_options *options)
{
    *simulator = (struct simulator){.options = *options};
    random_seeded_init(&simulator->random, options->seed);
    simulator->serial = options->seed * 7919 + 1;
    hash_map_init(&simulator->by_number);
    return error_none();
}

void simulator_deinit(struct simulator *simulator)
{
    for (size_t i = 0; i < simulator->shipment_count; i++)
        memory_release(simulator->shipments[i]);
    memory_release(simulator->shipments);
    hash_map_deinit(&simulator->by_number);
}

int64_t simulator_now_us(const struct simulator *simulator)
{
    return clock_now_us(simulator->options.clock);
}

int64_t simulator_monotonic_us(const struct simulator *simulator)
{
    return clock_monotonic_us(simulator->options.clock);
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

void simulator_copy(char *out, size_t size, struct text text)
{
    size_t taken = text.size < size - 1 ? text.size : size - 1;
    if (taken > 0)
        memcpy(out, text.data, taken);
    out[taken] = '\0';
}

static void format_time(int64_t time_us, const char *format, char *out, size_t size)
{
    time_t seconds = (time_t)(time_us / second_us);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(out, size, format, &parts);
}

void simulator_date(int64_t time_us, char date[9])
{
    format_time(time_us, "%Y%m%d", date, 9);
}

void simulator_clock(int64_t time_us, char clock[7])
{
    format_time(time_us, "%H%M%S", clock, 7);
}

void simulator_iso(int64_t time_us, char iso[20])
{
    format_time(time_us, "%Y-%m-%dT%H:%M:%S", iso, 20);
}

/* ----------------------------------------------------------------------------------- purchases */

struct number_key {
    const struct simulator *simulator;
    struct text number;
};

static bool has_number(void *context, uint64_t value)
{
    const struct number_key *key = context;
    const struct simulator_shipment *shipment = key->simulator->shipments[value];
    if (text_equals_string(key->number, shipment->number))
        return true;
    for (size_t i = 0; i < shipment->parcel_count; i++) {
        if (text_equals_string(key->number, shipment->numbers[i]))
            return true;
    }
    return false;
}

static bool make_room(struct simulator *simulator)
{
    if (!hash_map_reserve(&simulator->by_number, simulator_parcels_max + 1))
        return false;
    if (simulator->shipment_count < simulator->shipment_capacity)
        return true;
    size_t capacity = simulator->shipment_capacity == 0 ? 256 : 2 * simulator->shipment_capacity;
    void *more = memory_reallocate(simulator->shipments, capacity * sizeof *simulator->shipments);
    if (more == NULL)
        return false;
    simulator->shipments = more;
    simulator->shipment_capacity = capacity;
    return true;
}

/*
 * The account within UPS numbers. The seven digits behind it begin anew after ten millions; then it
 * is the next account's turn, so that numbers of far-apart seeds do not meet.
 */
static void make_shipper(uint64_t serial, char shipper[6])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char first[] = "W4YB1L";
    uint64_t carry = serial / 10000000;
    for (size_t i = 6; i-- > 0;) {
        carry += (uint64_t)(strchr(digits, first[i]) - digits);
        shipper[i] = digits[carry % 36];
        carry /= 36;
    }
}

static void make_numbers(struct simulator *simulator, struct simulator_shipment *made)
{
    char shipper[6];
    char service[3] = "03";
    if (made->carrier == SIMULATOR_UPS && strlen(made->service) == 2)
        memcpy(service, made->service, 2);
    for (size_t i = 0; i < made->parcel_count; i++) {
        uint64_t serial = simulator->serial++;
        switch (made->carrier) {
        case SIMULATOR_UPS:
            make_shipper(serial, shipper);
            tracking_number_make_ups(shipper, service, serial, made->numbers[i]);
            break;
        case SIMULATOR_FEDEX:
            tracking_number_make_fedex(79000000000 + serial % 900000000, made->numbers[i]);
            break;
        case SIMULATOR_DHL:
            tracking_number_make_dhl_piece(serial, made->numbers[i]);
            break;
        }
    }
    memcpy(made->number, made->numbers[0], sizeof made->number);
    if (made->carrier == SIMULATOR_DHL)
        tracking_number_make_dhl(simulator->serial++, made->number);
}

static void index_number(struct simulator *simulator, const char *number)
{
    struct number_key key = {simulator, text_of(number)};
    uint64_t hash = hash_text(simulator->options.seed, key.number), found;
    if (!hash_map_find(&simulator->by_number, hash, has_number, &key, &found))
        hash_map_add(&simulator->by_number, hash, simulator->shipment_count - 1);
}

struct simulator_shipment *simulator_buy(struct simulator *simulator,
                                         enum simulator_carrier carrier, struct text reference,
                                         size_t parcel_count, const char *service)
{
    struct simulator_shipment *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL || !make_room(simulator)) {
        memory_release(made);
        return NULL;
    }
    made->carrier = carrier;
    made->parcel_count = parcel_count < 1                       ? 1
                         : parcel_count > simulator_parcels_max ? simulator_parcels_max
                                                                : parcel_count;
    simulator_copy(made->reference, sizeof made->reference, reference);
    snprintf(made->service, sizeof made->service, "%s", service);
    make_numbers(simulator, made);
    made->create_time_us = simulator_now_us(simulator);
    made->searchable_time_us = made->create_time_us;
    if (simulator->options.search_lag_us_max > 0)
        made->searchable_time_us += (int64_t)random_below(
            &simulator->random.base, (uint64_t)simulator->options.search_lag_us_max);
    simulator->shipments[simulator->shipment_count++] = made;
    index_number(simulator, made->number);
    for (size_t i = 0; i < made->parcel_count; i++)
        index_number(simulator, made->numbers[i]);
    return made;
}

struct simulator_shipment *simulator_find(struct simulator *simulator,
                                          enum simulator_carrier carrier, struct text number)
{
    struct number_key key = {simulator, number};
    uint64_t index;
    if (!hash_map_find(&simulator->by_number, hash_text(simulator->options.seed, number),
                       has_number, &key, &index))
        return NULL;
    struct simulator_shipment *found = simulator->shipments[index];
    return found->carrier == carrier ? found : NULL;
}

struct simulator_shipment *simulator_search(struct simulator *simulator,
                                            enum simulator_carrier carrier, struct text reference,
                                            size_t *cursor)
{
    int64_t now = simulator_now_us(simulator);
    while (*cursor < simulator->shipment_count) {
        struct simulator_shipment *one = simulator->shipments[(*cursor)++];
        if (one->carrier == carrier && one->searchable_time_us <= now &&
            text_equals_string(reference, one->reference))
            return one;
    }
    return NULL;
}

int64_t simulator_price(int64_t grams, size_t parcel_count, bool domestic, unsigned rank)
{
    static const int64_t base[2][4] = {{3890, 5210, 6480, 9120}, {865, 1430, 2190, 3475}};
    static const int64_t kilogram[2][4] = {{640, 810, 990, 1350}, {95, 170, 260, 410}};
    unsigned at = rank > 3 ? 3 : rank;
    int64_t kilograms = (grams + 999) / 1000;
    int64_t freight =
        base[domestic][at] * (int64_t)parcel_count + kilogram[domestic][at] * kilograms;
    return freight + freight * 1475 / 10000; /* fuel, 14.75 % */
}

int64_t simulator_days(bool domestic, unsigned rank)
{
    static const int64_t days[2][4] = {{6, 4, 3, 2}, {5, 3, 2, 1}};
    return days[domestic][rank > 3 ? 3 : rank];
}

bool simulator_has_step(const struct simulator *simulator,
                        const struct simulator_shipment *shipment, size_t step, int64_t *time_us)
{
    const struct simulator_step *one = &simulator_steps[step];
    int64_t speed = simulator->options.speed < 1 ? 1 : simulator->options.speed;
    *time_us = shipment->create_time_us + one->hours * 3600 * second_us / speed;
    if (shipment->carrier == SIMULATOR_DHL && one->dhl_code == NULL)
        return false;
    if (shipment->voided && step > 0)
        return false;
    return !one->rare || hash_text(simulator->options.seed, text_of(shipment->number)) % 12 == 0;
}

/* -------------------------------------------------------------------------------------- faults */

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
    return purchase ? buying[random_below(random, sizeof buying / sizeof buying[0])]
                    : asking[random_below(random, sizeof asking / sizeof asking[0])];
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

bool simulator_is_purchase(const struct simulator_request *request)
{
    return request->method == HTTP_METHOD_POST &&
           (memmem(request->path.data, request->path.size, "/ship", 5) != NULL) &&
           memmem(request->path.data, request->path.size, "/track", 6) == NULL;
}

/* ------------------------------------------------------------------------------- introspection */

struct text simulator_parameter(struct text query, const char *name)
{
    size_t size = strlen(name);
    while (query.size > 0) {
        const char *end = memchr(query.data, '&', query.size);
        size_t part = end == NULL ? query.size : (size_t)(end - query.data);
        if (part > size && memcmp(query.data, name, size) == 0 && query.data[size] == '=')
            return text_make(query.data + size + 1, part - size - 1);
        if (end == NULL)
            break;
        query = text_make(end + 1, query.size - part - 1);
    }
    return (struct text){0};
}

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
    answer->fault = draw(simulator, simulator_is_purchase(request));
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
