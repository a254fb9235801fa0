/*
 * FedEx REST answers. A number that FedEx does not know is an error object within a 200; the price
 * of a service comes once per rate type; a purchase names its number in one of several places; a
 * push has the shape of a tracking answer and is signed over its raw bytes.
 */
#include "platform/base/base64.h"
#include "platform/base/hexadecimal.h"
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/fedex.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- rates */

/* FedEx has names of its own for some currencies, older than its REST interface; else ISO 4217. */
static struct text iso_currency(struct text currency)
{
    static const char *const own[][2] = {
        {"ARN", "ARS"}, {"CHP", "CLP"}, {"DHS", "AED"}, {"ECD", "XCD"}, {"JAD", "JMD"},
        {"JYE", "JPY"}, {"KUD", "KWD"}, {"NMP", "MXN"}, {"NTD", "TWD"}, {"RDD", "DOP"},
        {"SFR", "CHF"}, {"SID", "SGD"}, {"UKL", "GBP"}, {"UYP", "UYU"}, {"WON", "KRW"},
    };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        if (text_equals_string(currency, own[i][0]))
            return text_of(own[i][1]);
    }
    return currency;
}

static bool read_money(struct arena *arena, json_t *value, const char *amount_path,
                       const char *currency_path, struct shipping_money *money)
{
    return money_from_decimal(json_words(arena, value, amount_path),
                              iso_currency(json_words(arena, value, currency_path)), money);
}

static bool read_total(struct arena *arena, json_t *rated, struct shipping_money *total)
{
    return read_money(arena, rated, "totalNetCharge", "currency", total) ||
           read_money(arena, rated, "totalNetCharge", "shipmentRateDetail.currency", total) ||
           read_money(arena, rated, "totalNetFedExCharge", "currency", total);
}

/* ACCOUNT is what we pay, LIST what the public pays; INCENTIVE and others only for want of them. */
static int preference(struct text rate_type)
{
    static const char *const types[] = {"LIST", "PREFERRED", "PREFERRED_CURRENCY",
                                        "PAYOR_ACCOUNT_SHIPMENT", "ACCOUNT"};
    for (int i = 0; i < (int)(sizeof types / sizeof types[0]); i++) {
        if (text_equals_string(rate_type, types[i]))
            return i + 1;
    }
    return 0;
}

/*
 * A type whose price is 0 has none here: nothing is carried for nothing. NULL: there is none, or
 * the best has a price that cannot be read; another type's would be a wrong one.
 */
static json_t *best_rated(struct arena *arena, json_t *reply, struct shipping_money *total)
{
    json_t *best = NULL;
    bool is_read = false;
    int best_preference = -1;
    for (size_t i = 0; i < json_count(reply, "ratedShipmentDetails"); i++) {
        json_t *one = json_element(reply, "ratedShipmentDetails", i);
        int this_preference = preference(json_words(arena, one, "rateType"));
        struct shipping_money money = {0};
        bool this_is_read = read_total(arena, one, &money);
        if (this_preference <= best_preference || (this_is_read && money.amount_minor <= 0))
            continue;
        best = one;
        best_preference = this_preference;
        is_read = this_is_read;
        *total = money;
    }
    return is_read ? best : NULL;
}

static void read_breakdown(struct arena *arena, json_t *rated, const char *currency,
                           struct carrier_rate *rate)
{
    static const char *const lists[] = {"shipmentRateDetail.surCharges",
                                        "shipmentRateDetail.taxes"};
    size_t count_max = 1 + json_count(rated, lists[0]) + json_count(rated, lists[1]), count = 0;
    struct carrier_charge *all = arena_allocate_zero(arena, count_max, sizeof *all);
    if (all == NULL)
        return;
    if (money_from_decimal(json_words(arena, rated, "totalBaseCharge"), text_of(currency),
                           &all[count].amount))
        all[count++].description = text_of("Base");
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < json_count(rated, lists[list]); i++) {
            json_t *one = json_element(rated, lists[list], i);
            all[count].description = json_words(arena, one, "description");
            if (money_from_decimal(json_words(arena, one, "amount"), text_of(currency),
                                   &all[count].amount))
                count++;
        }
    }
    rate->breakdown = all;
    rate->charge_count = count;
}

/* The promised time, where the answer has one in any of the places for it. */
static int64_t read_commit(struct arena *arena, json_t *reply)
{
    static const char *const paths[] = {
        "commit.dateDetail.dayFormat",
        "operationalDetail.deliveryDate",
        "operationalDetail.commitDate",
        "operationalDetail.publishedDeliveryTime", /* of a rate a time of day alone */
        "operationalDetail.commitDates",
        "commit.dateDetail.dayCxsFormat",
        "commit.dateDetail.day",
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t time_us;
        if (promise_from_iso(json_words(arena, reply, paths[i]), &time_us))
            return time_us;
    }
    return 0;
}

static void read_rates(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_rates *rates)
{
    struct arena *arena = answer->arena;
    json_t *output = json_member(answer->root, "output");
    size_t count = json_count(output, "rateReplyDetails"), taken = 0;
    struct carrier_rate *all = arena_allocate_zero(arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++) {
        json_t *reply = json_element(output, "rateReplyDetails", i);
        struct carrier_rate *rate = &all[taken];
        json_t *rated = best_rated(arena, reply, &rate->amount);
        rate->service_code = json_words(arena, reply, "serviceType");
        if (rated == NULL || rate->service_code.size == 0)
            continue;
        rate->service_name = json_words(arena, reply, "serviceName");
        if (rate->service_name.size == 0)
            rate->service_name = rate->service_code;
        rate->estimated_delivery_time_us = read_commit(arena, reply);
        read_breakdown(arena, rated, rate->amount.currency_code, rate);
        taken++;
    }
    *rates = (struct carrier_rates){.rates = all, .rate_count = taken};
    if (taken == 0)
        outcome_set(outcome, CARRIER_UNKNOWN, json_words(arena, output, "alerts.code"),
                    text_of("the answer holds no rate that can be read"));
}

/* ----------------------------------------------------------------------------------- shipments */

/* False: an invoice, by URL alone, or of no format of ours. */
static bool read_label(struct arena *arena, json_t *document, struct carrier_label *label)
{
    struct text content = json_words(arena, document, "contentType");
    if (content.size > 0 && memmem(content.data, content.size, "LABEL", 5) == NULL)
        return false;
    return json_label(arena, document, "encodedLabel", json_words(arena, document, "docType"),
                      label);
}

static size_t read_labels(struct arena *arena, json_t *from, const char *path,
                          const struct carrier_label **labels)
{
    size_t count = json_count(from, path), taken = 0;
    struct carrier_label *all = arena_allocate_zero(arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++)
        taken += read_label(arena, json_element(from, path, i), &all[taken]);
    *labels = all;
    return taken;
}

/* The rate type that is charged, else the first one; else what the pieces say together. */
static void read_charge(struct arena *arena, json_t *shipment, struct shipping_money *charged)
{
    json_t *rating = json_member(shipment, "completedShipmentDetail.shipmentRating");
    struct text actual = json_words(arena, rating, "actualRateType");
    struct shipping_money sum = {0}, money;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_count(rating, "shipmentRateDetails"); i++) {
            json_t *one = json_element(rating, "shipmentRateDetails", i);
            if ((pass == 1 || text_equal(json_words(arena, one, "rateType"), actual)) &&
                read_money(arena, one, "totalNetCharge", "currency", charged))
                return;
        }
    }
    for (size_t i = 0; i < json_count(shipment, "pieceResponses"); i++) {
        json_t *piece = json_element(shipment, "pieceResponses", i);
        if (!read_money(arena, piece, "netChargeAmount", "currency", &money) ||
            (i > 0 && strcmp(sum.currency_code, money.currency_code) != 0))
            return;
        money.amount_minor += sum.amount_minor;
        sum = money;
    }
    *charged = sum;
}

static struct text master_number(struct arena *arena, json_t *shipment)
{
    static const char *const paths[] = {
        "masterTrackingNumber", "completedShipmentDetail.masterTrackingId.trackingNumber",
        "pieceResponses.masterTrackingNumber", "pieceResponses.trackingNumber"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct text number = json_words(arena, shipment, paths[i]);
        if (number.size > 0)
            return number;
    }
    return (struct text){0};
}

static void read_shipment(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_shipment *shipment)
{
    struct arena *arena = answer->arena;
    json_t *made = json_element(answer->root, "output.transactionShipments", 0);
    size_t count = json_count(made, "pieceResponses");
    *shipment = (struct carrier_shipment){.tracking_number = master_number(arena, made)};
    struct carrier_parcel *parcels = arena_allocate_zero(arena, count, sizeof *parcels);
    for (size_t i = 0; i < count && parcels != NULL; i++) {
        json_t *piece = json_element(made, "pieceResponses", i);
        parcels[i].tracking_number = json_words(arena, piece, "trackingNumber");
        parcels[i].label_count = read_labels(arena, piece, "packageDocuments", &parcels[i].labels);
    }
    shipment->parcels = parcels;
    shipment->parcel_count = parcels == NULL ? 0 : count;
    carrier_number_parcels(shipment->tracking_number, parcels, shipment->parcel_count);
    shipment->label_count = read_labels(arena, made, "shipmentDocuments", &shipment->labels);
    shipment->estimated_delivery_time_us =
        read_commit(arena, json_member(made, "completedShipmentDetail"));
    read_charge(arena, made, &shipment->charged);
    json_warnings(arena, made, "alerts", "message", shipment);
    if (shipment->tracking_number.size > 0 && shipment->parcel_count > 0)
        return;
    struct text alert = json_words(arena, answer->root, "output.alerts.message");
    outcome_set(outcome, CARRIER_UNKNOWN, json_words(arena, answer->root, "output.alerts.code"),
                alert.size > 0 ? alert : text_of("the answer names no tracking number"));
}

static void read_cancel(const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    json_t *output = json_member(answer->root, "output");
    json_t *cancelled = json_member(output, "cancelledShipment");
    if (json_is_true(cancelled) ||
        text_equals_string(json_words(answer->arena, output, "cancelledShipment"), "true"))
        return;
    if (cancelled == NULL) {
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
        return;
    }
    struct text message = json_words(answer->arena, output, "message");
    if (message.size == 0)
        message = json_words(answer->arena, output, "alerts.message");
    outcome_set(outcome, CARRIER_REFUSED, json_words(answer->arena, output, "alerts.code"),
                message);
}

/* ------------------------------------------------------------------------------------ tracking */

static void read_scan(struct arena *arena, json_t *event, struct text number,
                      struct shipping_scan *scan)
{
    struct text exception = json_words(arena, event, "exceptionDescription");
    struct text description = json_words(arena, event, "eventDescription");
    scan->tracking_number = number;
    scan->carrier_code = json_words(arena, event, "eventType");
    if (scan->carrier_code.size == 0)
        scan->carrier_code = json_words(arena, event, "derivedStatusCode");
    scan->description = description;
    if (exception.size > 0)
        scan->description = text_of(arena_format(arena, "%.*s: %.*s", (int)description.size,
                                                 description.size > 0 ? description.data : "",
                                                 (int)exception.size, exception.data));
    scan->facility = json_words(arena, event, "locationId");
    scan->city = json_words(arena, event, "scanLocation.city");
    scan->country_code = json_words(arena, event, "scanLocation.countryCode");
    if (!time_from_iso(json_words(arena, event, "date"), &scan->occurred_time_us,
                       &scan->has_utc_offset, &scan->utc_offset_minutes))
        scan->occurred_time_us = 0;
}

/* The time of that name among the result's dates. */
static bool read_date(struct arena *arena, json_t *result, const char *type,
                      struct shipping_scan *scan)
{
    for (size_t i = 0; i < json_count(result, "dateAndTimes"); i++) {
        json_t *one = json_element(result, "dateAndTimes", i);
        if (text_equals_string(json_words(arena, one, "type"), type) &&
            time_from_iso(json_words(arena, one, "dateTime"), &scan->occurred_time_us,
                          &scan->has_utc_offset, &scan->utc_offset_minutes))
            return true;
    }
    return false;
}

/*
 * Of a result without scans what it says at last, which has a time among the dates only: of the
 * delivery, else of the pickup, of the tender, of the label.
 */
static bool read_latest(struct arena *arena, json_t *result, struct text number,
                        struct shipping_scan *scan)
{
    static const char *const types[] = {"ACTUAL_PICKUP", "ACTUAL_TENDER", "SHIP"};
    json_t *latest = json_member(result, "latestStatusDetail");
    struct text code = json_words(arena, latest, "code");
    if (code.size == 0)
        code = json_words(arena, latest, "derivedCode");
    *scan = (struct shipping_scan){
        .tracking_number = number,
        .carrier_code = code,
        .description = json_words(arena, latest, "description"),
        .city = json_words(arena, latest, "scanLocation.city"),
        .country_code = json_words(arena, latest, "scanLocation.countryCode"),
    };
    if (scan->description.size == 0)
        scan->description = json_words(arena, latest, "statusByLocale");
    if (code.size == 0)
        return false;
    if (text_equals_string(code, "DL"))
        return read_date(arena, result, "ACTUAL_DELIVERY", scan);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (read_date(arena, result, types[i], scan))
            return true;
    }
    return false;
}

static void read_dates(struct arena *arena, json_t *result, struct carrier_tracking *tracking)
{
    static const char *const expected[] = {"ESTIMATED_DELIVERY", "APPOINTMENT_DELIVERY",
                                           "COMMITMENT"};
    struct shipping_scan date = {0};
    if (read_date(arena, result, "ACTUAL_DELIVERY", &date))
        tracking->delivered_time_us = date.occurred_time_us;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        if (read_date(arena, result, expected[i], &date)) {
            tracking->expected_delivery_time_us = date.occurred_time_us;
            return;
        }
    }
}

/* Where no date says it: the end of the window in which FedEx means to come. */
static void read_window(struct arena *arena, json_t *result, struct carrier_tracking *tracking)
{
    static const char *const paths[] = {"estimatedDeliveryTimeWindow.window.ends",
                                        "standardTransitTimeWindow.window.ends"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        int64_t time_us;
        if (tracking->expected_delivery_time_us == 0 &&
            promise_from_iso(json_words(arena, result, paths[i]), &time_us))
            tracking->expected_delivery_time_us = time_us;
    }
}

static struct text number_of(struct arena *arena, json_t *complete, json_t *result)
{
    struct text number = json_words(arena, result, "trackingNumberInfo.trackingNumber");
    return number.size > 0 ? number : json_words(arena, complete, "trackingNumber");
}

static size_t count_results(json_t *output)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(output, "completeTrackResults"); i++)
        count += json_count(json_element(output, "completeTrackResults", i), "trackResults");
    return count;
}

static size_t count_scans(json_t *output)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(output, "completeTrackResults"); i++) {
        json_t *complete = json_element(output, "completeTrackResults", i);
        for (size_t j = 0; j < json_count(complete, "trackResults"); j++)
            count += json_count(json_element(complete, "trackResults", j), "scanEvents");
    }
    return count;
}

static void read_result(struct arena *arena, json_t *complete, json_t *result,
                        struct carrier_tracking *tracking, struct shipping_scan *scans)
{
    struct text number = number_of(arena, complete, result);
    size_t count = json_count(result, "scanEvents");
    size_t before = tracking->scan_count;
    for (size_t k = 0; k < count; k++) {
        json_t *event = json_element(result, "scanEvents", k);
        if (!json_is_null(event))
            read_scan(arena, event, number, &scans[tracking->scan_count++]);
    }
    if (tracking->scan_count == before &&
        read_latest(arena, result, number, &scans[tracking->scan_count]))
        tracking->scan_count++;
    read_dates(arena, result, tracking);
    read_window(arena, result, tracking);
}

/* Those of one message; `silent` counts results that tell nothing, and a message without any. */
static void read_output(struct arena *arena, json_t *output, struct carrier_tracking *tracking,
                        struct shipping_scan *scans, size_t *silent)
{
    *silent += count_results(output) == 0;
    for (size_t i = 0; i < json_count(output, "completeTrackResults"); i++) {
        json_t *complete = json_element(output, "completeTrackResults", i);
        for (size_t j = 0; j < json_count(complete, "trackResults"); j++) {
            size_t before = tracking->scan_count;
            read_result(arena, complete, json_element(complete, "trackResults", j), tracking,
                        scans);
            *silent += tracking->scan_count == before;
        }
    }
}

/* All scans of all results of one message, or of several in an array; false without memory. */
static bool read_scans(struct arena *arena, json_t *root, struct carrier_tracking *tracking,
                       size_t *silent)
{
    size_t count_max = 0;
    for (size_t i = 0; i < json_count(root, ""); i++) {
        json_t *output = json_member(json_element(root, "", i), "output");
        count_max += count_scans(output) + count_results(output);
    }
    struct shipping_scan *scans = arena_allocate_zero(arena, count_max, sizeof *scans);
    for (size_t i = 0; i < json_count(root, "") && scans != NULL; i++)
        read_output(arena, json_member(json_element(root, "", i), "output"), tracking, scans,
                    silent);
    tracking->scans = scans;
    return scans != NULL;
}

/* An error object stands where the scans would; some samples have both, or an empty one. */
static bool is_known(const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    json_t *output = json_member(answer->root, "output");
    json_t *result = json_member(output, "completeTrackResults.trackResults");
    json_t *wrong = json_member(result, "error");
    if (result == NULL) {
        struct text code = json_words(answer->arena, output, "alerts.code");
        outcome_set(outcome, code.size > 0 ? CARRIER_NOT_FOUND : CARRIER_UNKNOWN, code,
                    text_of("the answer holds no result"));
        return false;
    }
    struct text code = json_words(answer->arena, wrong, "code");
    struct text message = json_words(answer->arena, wrong, "message");
    if ((code.size == 0 && message.size == 0) || count_scans(output) > 0)
        return true;
    outcome_set(outcome, CARRIER_NOT_FOUND, code, message);
    return false;
}

static void read_tracking(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_tracking *tracking)
{
    size_t silent = 0; /* a result may have no scan yet */
    *tracking = (struct carrier_tracking){0};
    if (is_known(answer, outcome) && !read_scans(answer->arena, answer->root, tracking, &silent))
        outcome_set_string(outcome, CARRIER_UNKNOWN, "no memory for the answer");
}

/* The number of the shipment that a piece belongs to: STANDARD_MPS, else its own. */
static struct text master_of(struct arena *arena, json_t *result, struct text number)
{
    static const char path[] = "additionalTrackingInfo.packageIdentifiers";
    for (size_t i = 0; i < json_count(result, path); i++) {
        json_t *one = json_element(result, path, i);
        struct text value = json_words(arena, one, "values");
        if (!text_equals_string(json_words(arena, one, "type"), "STANDARD_MPS"))
            continue;
        if (value.size == 0)
            value = json_words(arena, one, "value");
        return value.size > 0 ? value : number;
    }
    return number;
}

struct match_list {
    struct carrier_shipment *all;
    struct carrier_parcel *parcels; /* count_max for each of them */
    size_t count;
    size_t count_max;
};

static void add_piece(struct match_list *list, struct text master, struct text number, bool voided)
{
    size_t at = 0;
    while (at < list->count && !text_equal(list->all[at].tracking_number, master))
        at++;
    struct carrier_shipment *shipment = &list->all[at];
    struct carrier_parcel *parcels = list->parcels + at * list->count_max;
    if (at == list->count) {
        *shipment = (struct carrier_shipment){
            .tracking_number = master, .parcels = parcels, .voided = true};
        list->count++;
    }
    parcels[shipment->parcel_count++].tracking_number = number;
    shipment->voided = shipment->voided && voided;
}

static void read_find(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                      struct carrier_matches *matches)
{
    struct arena *arena = answer->arena;
    json_t *output = json_member(answer->root, "output");
    struct match_list list = {.count_max = count_results(output)};
    *matches = (struct carrier_matches){0};
    if (!is_known(answer, outcome))
        return;
    list.all = arena_allocate_zero(arena, list.count_max, sizeof *list.all);
    list.parcels =
        list.count_max > 1000
            ? NULL
            : arena_allocate_zero(arena, list.count_max * list.count_max, sizeof *list.parcels);
    for (size_t i = 0; i < json_count(output, "completeTrackResults"); i++) {
        json_t *complete = json_element(output, "completeTrackResults", i);
        for (size_t j = 0; j < json_count(complete, "trackResults"); j++) {
            json_t *result = json_element(complete, "trackResults", j);
            struct text number = number_of(arena, complete, result);
            bool voided =
                text_equals_string(json_words(arena, result, "latestStatusDetail.code"), "CA");
            if (number.size > 0 && list.all != NULL && list.parcels != NULL)
                add_piece(&list, master_of(arena, result, number), number, voided);
        }
    }
    *matches = (struct carrier_matches){.shipments = list.all, .shipment_count = list.count};
    if (list.count == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer names no tracking number");
}

/* -------------------------------------------------------------------------------------- pushes */

/* FedEx's page says Base64 and, in one paragraph, hexadecimal: either is taken. */
static bool is_signed(const struct carrier_settings *settings,
                      const struct carrier_webhook *webhook)
{
    const char *name =
        settings->webhook_header == NULL ? "fdx-signature" : settings->webhook_header;
    struct text given = text_trim(carrier_webhook_header(webhook, name));
    unsigned char mac[EVP_MAX_MD_SIZE];
    char hex[65], base64[64];
    unsigned size = 0;
    if (settings->webhook_secret == NULL || settings->webhook_secret[0] == '\0' ||
        HMAC(EVP_sha256(), settings->webhook_secret, (int)strlen(settings->webhook_secret),
             (const unsigned char *)webhook->body.data, webhook->body.size, mac, &size) == NULL)
        return false;
    base64_encode(text_make((const char *)mac, 32), true, base64);
    hexadecimal_write(mac, 32, hex);
    if (given.size == 44)
        return CRYPTO_memcmp(given.data, base64, 44) == 0;
    if (given.size != 64)
        return false;
    char lower[64];
    for (size_t i = 0; i < 64; i++)
        lower[i] = given.data[i] >= 'A' && given.data[i] <= 'F' ? (char)(given.data[i] + 32)
                                                                : given.data[i];
    return CRYPTO_memcmp(lower, hex, 64) == 0;
}

static struct error read_webhook(const struct carrier_settings *settings,
                                 const struct carrier_webhook *webhook, struct arena *arena,
                                 struct carrier_webhook_result *result)
{
    struct error error = error_none();
    struct carrier_tracking tracking = {0};
    size_t silent = 0;
    json_t *root = NULL;
    if (!webhook->is_authenticated && !is_signed(settings, webhook)) {
        result->why = text_of("the signature does not match the body");
        return error;
    }
    if (!carrier_webhook_json(webhook, arena, result, &root, &error))
        return error;
    if (!read_scans(arena, root, &tracking, &silent))
        return error_make(ERROR_OUT_OF_MEMORY, "reading a push");
    carrier_webhook_judge(result, &tracking, silent,
                          "no scan, or one without number, code or time");
    return error;
}

const struct carrier_protocol fedex_protocol = {
    .name = "fedex",
    .capabilities =
        {
            .rates = true,
            .shipments = true,
            .cancel = true,
            .tracking = true,
            .find_by_reference = true,
            .webhooks = true,
            .webhook_body_signed = true,
            .saturday = true,
            .insurance = true,
            .returns = true,
            .parcel_grams_max = 68000,
            .parcels_max = 20,
            .label_formats =
                1u << SHIPPING_LABEL_PDF | 1u << SHIPPING_LABEL_ZPL | 1u << SHIPPING_LABEL_PNG,
        },
    .write_token = fedex_write_token,
    .write_rates = fedex_write_rates,
    .write_shipment = fedex_write_shipment,
    .write_cancel = fedex_write_cancel,
    .write_tracking = fedex_write_tracking,
    .write_find = fedex_write_find,
    .read_rates = read_rates,
    .read_shipment = read_shipment,
    .read_cancel = read_cancel,
    .read_tracking = read_tracking,
    .read_find = read_find,
    .read_webhook = read_webhook,
};
