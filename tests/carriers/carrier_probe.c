/*
 * The carriers' pure functions from outside, for carrier_samples_test.py: a line of tab-separated
 * words in, a line of JSON out.
 *
 *   read CARRIER OPERATION STATUS FILE        what an answer means
 *   write CARRIER OPERATION CASE              a request, of which case: see consignment_of()
 *   memory CARRIER OPERATION STATUS FILE      the same with the n-th allocation failing, every n
 *   webhook CARRIER SECRET HEADER VALUE FILE  whether a push is believed, and what it says
 *   gif FILE OUT                              the PNG of a GIF, into the file OUT
 */
#include "platform/base/arena.h"
#include "platform/base/buffer.h"
#include "platform/base/memory.h"
#include "platform/json/json_writer.h"
#include "shipping/infrastructure/carriers/carrier_protocol.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/gif_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { file_bytes_max = 32 * 1024 * 1024, words_max = 8, arena_bytes_max = 1 << 30 };

static const struct carrier_protocol *protocol_of(const char *name)
{
    return strcmp(name, "ups") == 0     ? &ups_protocol
           : strcmp(name, "fedex") == 0 ? &fedex_protocol
                                        : &dhl_protocol;
}

static bool read_file(const char *path, struct buffer *out)
{
    char block[65536];
    size_t size;
    FILE *file = fopen(path, "rb");
    bool fine = file != NULL;
    while (fine && (size = fread(block, 1, sizeof block, file)) > 0)
        fine = buffer_append(out, block, size);
    if (file != NULL)
        fclose(file);
    return fine;
}

/* ------------------------------------------------------------------------------------- reading */

static void put_money(struct json_writer *json, const char *key, struct shipping_money money)
{
    char text[64];
    snprintf(text, sizeof text, "%s %lld", money.currency_code, (long long)money.amount_minor);
    json_put_string(json, key, money.currency_code[0] == '\0' ? "" : text);
}

static void put_outcome(struct json_writer *json, const struct carrier_outcome *outcome)
{
    static const char *const verdicts[] = {"ANSWERED",    "REFUSED", "NOT_FOUND",  "THROTTLED",
                                           "UNAVAILABLE", "UNKNOWN", "UNSUPPORTED"};
    json_put_string(json, "verdict", verdicts[outcome->verdict]);
    json_put_text(json, "code", outcome->code);
    json_put_text(json, "message", outcome->message);
}

static void put_rates(struct json_writer *json, const struct carrier_rates *rates)
{
    json_open_array(json, "rates");
    for (size_t i = 0; i < rates->rate_count; i++) {
        const struct carrier_rate *rate = &rates->rates[i];
        json_open_object(json, NULL);
        json_put_text(json, "service", rate->service_code);
        json_put_text(json, "name", rate->service_name);
        put_money(json, "amount", rate->amount);
        json_put_integer(json, "estimated", rate->estimated_delivery_time_us / 1000000);
        json_put_integer(json, "charges", (int64_t)rate->charge_count);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_labels(struct json_writer *json, const struct carrier_label *labels, size_t count)
{
    static const char *const formats[] = {"PDF", "ZPL", "PNG"};
    json_open_array(json, "labels");
    for (size_t i = 0; i < count; i++) {
        json_open_array(json, NULL);
        json_put_string(json, NULL, formats[labels[i].format]);
        json_put_integer(json, NULL, (int64_t)labels[i].content.size);
        json_close_array(json);
    }
    json_close_array(json);
}

static void put_shipment(struct json_writer *json, const char *key,
                         const struct carrier_shipment *shipment)
{
    json_open_object(json, key);
    json_put_text(json, "number", shipment->tracking_number);
    put_money(json, "charged", shipment->charged);
    json_put_integer(json, "estimated", shipment->estimated_delivery_time_us / 1000000);
    json_put_boolean(json, "voided", shipment->voided);
    json_put_integer(json, "warnings", (int64_t)shipment->warning_count);
    put_labels(json, shipment->labels, shipment->label_count);
    json_open_array(json, "parcels");
    for (size_t i = 0; i < shipment->parcel_count; i++) {
        json_open_object(json, NULL);
        json_put_text(json, "number", shipment->parcels[i].tracking_number);
        put_labels(json, shipment->parcels[i].labels, shipment->parcels[i].label_count);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

static void put_scans(struct json_writer *json, const struct shipping_scan *scans, size_t count)
{
    json_open_array(json, "scans");
    for (size_t i = 0; i < count; i++) {
        json_open_object(json, NULL);
        json_put_text(json, "number", scans[i].tracking_number);
        json_put_text(json, "code", scans[i].carrier_code);
        json_put_text(json, "description", scans[i].description);
        json_put_integer(json, "time", scans[i].occurred_time_us / 1000000);
        json_put_integer(json, "offset",
                         scans[i].has_utc_offset ? scans[i].utc_offset_minutes : -9999);
        json_put_text(json, "facility", scans[i].facility);
        json_put_text(json, "city", scans[i].city);
        json_put_text(json, "country", scans[i].country_code);
        json_close_object(json);
    }
    json_close_array(json);
}

/* Reads by the operation; the result goes behind the outcome. */
static void read_by(const struct carrier_protocol *protocol, const char *operation,
                    const struct carrier_answer *answer, struct carrier_outcome *outcome,
                    struct json_writer *json)
{
    struct carrier_rates rates = {0};
    struct carrier_shipment shipment = {0};
    struct carrier_tracking tracking = {0};
    struct carrier_matches matches = {0};
    struct carrier_token token = {0};
    if (strcmp(operation, "rate") == 0) {
        protocol->read_rates(answer, outcome, &rates);
        put_rates(json, &rates);
    } else if (strcmp(operation, "ship") == 0) {
        protocol->read_shipment(answer, outcome, &shipment);
        put_shipment(json, "shipment", &shipment);
    } else if (strcmp(operation, "label") == 0 && protocol->read_labels != NULL) {
        protocol->read_labels(answer, outcome, &shipment);
        put_shipment(json, "shipment", &shipment);
    } else if (strcmp(operation, "cancel") == 0 && protocol->read_cancel != NULL) {
        protocol->read_cancel(answer, outcome);
    } else if (strcmp(operation, "track") == 0) {
        protocol->read_tracking(answer, outcome, &tracking);
        put_scans(json, tracking.scans, tracking.scan_count);
        json_put_integer(json, "delivered", tracking.delivered_time_us / 1000000);
        json_put_integer(json, "expected", tracking.expected_delivery_time_us / 1000000);
    } else if (strcmp(operation, "find") == 0) {
        protocol->read_find(answer, outcome, &matches);
        json_open_array(json, "matches");
        for (size_t i = 0; i < matches.shipment_count; i++)
            put_shipment(json, NULL, &matches.shipments[i]);
        json_close_array(json);
    } else if (strcmp(operation, "token") == 0) {
        carrier_read_token(answer, outcome, &token);
        json_put_text(json, "token", token.value);
        json_put_integer(json, "lifetime", token.lifetime_seconds);
    } else {
        outcome_set_string(outcome, CARRIER_UNSUPPORTED, "no such operation");
    }
}

/* A reading whose memory may end: what is whole, and how often it went wrong so far. */
struct scarce_reading {
    char **words;
    struct buffer body;
    struct buffer whole;
    struct buffer now;
    enum carrier_verdict whole_verdict;
    enum carrier_verdict verdict;
    bool refused; /* the arena was refused a piece */
    int64_t tries;
    int64_t untold; /* an answer became another one, and the arena does not tell */
    int64_t denied; /* what was done is said to be refused, or not there */
};

/* As `read` tells it, with an arena of so many bytes. */
static void read_into(struct scarce_reading *reading, size_t bytes_max, struct buffer *out)
{
    const struct carrier_protocol *protocol = protocol_of(reading->words[1]);
    struct carrier_outcome outcome = {.verdict = CARRIER_UNKNOWN};
    struct carrier_answer answer;
    struct json_writer json;
    struct arena arena;
    buffer_clear(out);
    json_writer_init(&json, out);
    json_open_object(&json, NULL);
    arena_init(&arena, bytes_max);
    if (carrier_answer_read(protocol, (unsigned)atoi(reading->words[3]),
                            buffer_text(&reading->body), &arena, &answer, &outcome))
        read_by(protocol, reading->words[2], &answer, &outcome, &json);
    reading->verdict = outcome.verdict;
    reading->refused = arena.refused;
    arena_deinit(&arena);
}

static void judge(struct scarce_reading *reading)
{
    reading->tries++;
    if (reading->whole_verdict != CARRIER_ANSWERED)
        return;
    reading->untold += reading->verdict == CARRIER_ANSWERED && !reading->refused &&
                       !text_equal(buffer_text(&reading->whole), buffer_text(&reading->now));
    reading->denied += reading->verdict == CARRIER_REFUSED ||
                       reading->verdict == CARRIER_NOT_FOUND ||
                       reading->verdict == CARRIER_UNSUPPORTED;
}

/* Each allocation fails once; then the arena is too small, by less and less. */
static void read_without_memory(char **words, struct json_writer *json)
{
    struct scarce_reading reading = {.words = words};
    bool failed = true;
    buffer_init(&reading.body, file_bytes_max);
    buffer_init(&reading.whole, file_bytes_max);
    buffer_init(&reading.now, file_bytes_max);
    if (!read_file(words[4], &reading.body) || !buffer_reserve(&reading.now, file_bytes_max / 4))
        exit(2);
    read_into(&reading, arena_bytes_max, &reading.whole);
    reading.whole_verdict = reading.verdict;
    for (uint64_t successes = 0; failed; successes++) {
        uint64_t before = memory_allocation_count();
        memory_fail_after(successes, 0);
        read_into(&reading, arena_bytes_max, &reading.now);
        memory_fail_after(UINT64_MAX, 0);
        failed = memory_allocation_count() - before > successes;
        judge(&reading);
    }
    reading.refused = true;
    for (size_t bytes = 0; reading.refused; bytes += 16 + bytes / 64) {
        read_into(&reading, bytes, &reading.now);
        judge(&reading);
    }
    json_put_integer(json, "tries", reading.tries);
    json_put_integer(json, "untold", reading.untold);
    json_put_integer(json, "denied", reading.denied);
    buffer_deinit(&reading.body);
    buffer_deinit(&reading.whole);
    buffer_deinit(&reading.now);
}

static void read_answer(char **words, struct arena *arena, struct json_writer *json)
{
    const struct carrier_protocol *protocol = protocol_of(words[1]);
    struct carrier_answer answer;
    struct carrier_outcome outcome;
    struct buffer body;
    buffer_init(&body, file_bytes_max);
    if (!read_file(words[4], &body))
        exit(2);
    if (carrier_answer_read(protocol, (unsigned)atoi(words[3]), buffer_text(&body), arena, &answer,
                            &outcome))
        read_by(protocol, words[2], &answer, &outcome, json);
    put_outcome(json, &outcome);
    buffer_deinit(&body);
}

/* ------------------------------------------------------------------------------------- writing */

static const struct shipping_parcel parcels[] = {
    {2268, 305, 204, 102, {"USD", 15000}, {0}},
    {454, 0, 0, 0, {"USD", 500}, {0}},
};

static struct text words_of(const char *string)
{
    return text_of(string);
}

/* What no carrier takes as it is. */
static void make_long(struct consignment *made)
{
    struct shipping_address *to = &made->destination;
    made->options.signature = true;
    made->options.saturday = true;
    made->options.insured_value = (struct shipping_money){"USD", 15501};
    to->lines[0] = words_of("Care of the Department of Very Long Names");
    to->lines[1] = words_of("Gebäude 7, Straße der Vereinten Nationen 1234");
    to->lines[2] = words_of("Floor 3");
    to->lines[3] = words_of("Ring twice");
    to->line_count = 4;
    to->postal_code = words_of("30005-1234");
    to->phone = words_of("+1 (0)410-555-1234 ext. 77");
    to->email = words_of("a.receiver.with.a.very.long.name.indeed@department.example.com");
    to->region = words_of("Georgia, the state in the south");
}

/* 0 plain, 1 customs, 2 return, 3 small, 4 a return from abroad with all options, 5 too long. */
static struct consignment consignment_of(int kind, const struct shipping_customs *customs)
{
    bool is_abroad = kind == 1 || kind == 4;
    bool is_return = kind == 2 || kind == 4;
    struct consignment made = {
        .parcels = parcels,
        .parcel_count = kind == 3 ? 1 : 2,
        .customs = is_abroad ? customs : NULL,
        .direction = is_return ? SHIPPING_RETURN : SHIPPING_OUTBOUND,
        .ship_date = "2026-06-01",
    };
    made.origin =
        (struct shipping_address){.name = words_of("Ada Sender"),
                                  .company = words_of("Sender & Söhne \"Co\""),
                                  .phone = words_of("4105551234"),
                                  .email = words_of("ada@example.com"),
                                  .lines = {words_of("123 Main Street"), words_of("Floor 2")},
                                  .line_count = 2,
                                  .city = words_of("Timonium"),
                                  .region = words_of("MD"),
                                  .postal_code = words_of("21093"),
                                  .country_code = words_of("US")};
    made.destination = made.origin;
    made.destination.name = words_of("Bob Receiver");
    made.destination.company = (struct text){0};
    made.destination.city = words_of(is_abroad ? "Hamburg" : "Alpharetta");
    made.destination.region = is_abroad ? (struct text){0} : words_of("GA");
    made.destination.postal_code = words_of(is_abroad ? "20095" : "30005");
    made.destination.country_code = words_of(is_abroad ? "DE" : "US");
    if (is_abroad) {
        made.options.signature = true;
        made.options.insured_value = (struct shipping_money){"USD", 15501};
    }
    if (kind == 4) {
        struct shipping_address home = made.origin;
        made.origin = made.destination;
        made.destination = home;
        made.options.saturday = true;
    }
    if (kind == 5)
        make_long(&made);
    return made;
}

static void write_wire(const struct carrier_protocol *protocol, const char *operation, int kind,
                       struct carrier_wire *wire)
{
    static const struct shipping_customs_item item = {
        .description = {"Harry, a book", 13},
        .quantity = 3,
        .value = {"USD", 5167},
        .weight_grams = 700,
        .hs_code = {"490199", 6},
        .origin_country = {"US", 2},
    };
    static const struct shipping_customs customs = {.incoterm = {"DAP", 3},
                                                    .contents_type = {"MERCHANDISE", 11},
                                                    .items = &item,
                                                    .item_count = 1};
    struct carrier_settings settings = carrier_settings_default();
    struct consignment consignment = consignment_of(kind, &customs);
    settings.client_id = "client";
    settings.client_secret = "secret&more";
    settings.account_number = "A1B2C3";
    struct carrier_rate_request rate = {.consignment = &consignment};
    struct carrier_shipment_request ship = {
        .shipment_id = text_of("order-4711:1"),
        .service_code = text_of(protocol == &ups_protocol     ? "03"
                                : protocol == &fedex_protocol ? "FEDEX_GROUND"
                                                              : "P"),
        .consignment = &consignment,
        .label_format = kind == 3 ? SHIPPING_LABEL_ZPL : SHIPPING_LABEL_PDF};
    struct carrier_cancel_request cancel = {.shipment_id = ship.shipment_id,
                                            .tracking_number = text_of("1Z A/2"),
                                            .country_code = text_of("US")};
    struct carrier_tracking_request track = {.tracking_number = text_of("794644790138")};
    struct carrier_find_request find = {.shipment_id = ship.shipment_id,
                                        .sent_time_us = 1780300800000000};
    if (strcmp(operation, "token") == 0 && protocol->write_token != NULL)
        protocol->write_token(&settings, wire);
    else if (strcmp(operation, "rate") == 0)
        protocol->write_rates(&settings, &rate, wire);
    else if (strcmp(operation, "ship") == 0)
        protocol->write_shipment(&settings, &ship, wire);
    else if (strcmp(operation, "cancel") == 0 && protocol->write_cancel != NULL)
        protocol->write_cancel(&settings, &cancel, wire);
    else if (strcmp(operation, "track") == 0)
        protocol->write_tracking(&settings, &track, wire);
    else if (strcmp(operation, "find") == 0)
        protocol->write_find(&settings, &find, wire);
    else if (strcmp(operation, "label") == 0 && protocol->write_label_recovery != NULL)
        protocol->write_label_recovery(&settings, track.tracking_number, wire);
    else
        wire->failed = true;
}

static void write_request(char **words, struct json_writer *json)
{
    struct carrier_wire wire;
    carrier_wire_init(&wire);
    write_wire(protocol_of(words[1]), words[2], atoi(words[3]), &wire);
    json_put_boolean(json, "failed", wire.failed);
    json_put_string(json, "method", wire.method);
    json_put_text(json, "path", buffer_text(&wire.path));
    json_put_text(json, "body", buffer_text(&wire.body));
    json_put_string(json, "content_type", wire.content_type);
    json_open_object(json, "headers");
    for (size_t i = 0; i < wire.header_count; i++)
        json_put_string(json, wire.headers[i].name, wire.headers[i].value);
    json_close_object(json);
    carrier_wire_deinit(&wire);
}

/* ------------------------------------------------------------------------------------ webhooks */

static void read_push(char **words, struct arena *arena, struct json_writer *json)
{
    static const char *const verdicts[] = {"SCANS", "NOTICE", "UNKNOWN_SHAPE", "REFUSED"};
    struct carrier_settings settings = carrier_settings_default();
    struct carrier_header header = {text_of(words[3]), text_of(words[4])};
    struct buffer body;
    struct carrier_webhook_result result = {.verdict = CARRIER_WEBHOOK_REFUSED};
    settings.webhook_secret = words[2];
    buffer_init(&body, file_bytes_max);
    if (!read_file(words[5], &body))
        exit(2);
    struct carrier_webhook webhook = {
        .headers = &header, .header_count = 1, .body = buffer_text(&body)};
    struct error error = protocol_of(words[1])->read_webhook(&settings, &webhook, arena, &result);
    json_put_string(json, "verdict", error_is(error) ? error.detail : verdicts[result.verdict]);
    json_put_text(json, "why", result.why);
    put_scans(json, result.scans, result.scan_count);
    buffer_deinit(&body);
}

static void convert_gif(char **words, struct arena *arena, struct json_writer *json)
{
    struct buffer gif;
    struct text png = {0};
    buffer_init(&gif, file_bytes_max);
    if (!read_file(words[1], &gif))
        exit(2);
    bool fine = gif_to_png(buffer_text(&gif), arena, &png);
    FILE *out = fopen(words[2], "wb");
    if (out == NULL || fwrite(png.data, 1, png.size, out) != png.size || fclose(out) != 0)
        exit(2);
    json_put_boolean(json, "fine", fine);
    buffer_deinit(&gif);
}

int main(void)
{
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[words_max] = {NULL}, *rest = line;
        struct arena arena;
        struct buffer out;
        struct json_writer json;
        line[strcspn(line, "\n")] = '\0';
        for (size_t i = 0; i < words_max && rest != NULL; i++)
            words[i] = strsep(&rest, "\t");
        arena_init(&arena, (size_t)1 << 30);
        buffer_init(&out, file_bytes_max);
        json_writer_init(&json, &out);
        json_open_object(&json, NULL);
        if (strcmp(words[0], "read") == 0)
            read_answer(words, &arena, &json);
        else if (strcmp(words[0], "memory") == 0)
            read_without_memory(words, &json);
        else if (strcmp(words[0], "write") == 0)
            write_request(words, &json);
        else if (strcmp(words[0], "gif") == 0)
            convert_gif(words, &arena, &json);
        else
            read_push(words, &arena, &json);
        json_close_object(&json);
        printf("%.*s\n", (int)out.size, out.data);
        fflush(stdout);
        buffer_deinit(&out);
        arena_deinit(&arena);
    }
    return 0;
}
