/*
 * MyDHL answers, Unified Tracking's and its pushes. Prices come in up to three currencies, of which
 * BILLC is the one billed; a purchase may answer 201 with a problem in it; a tracking id may be a
 * number; event times are local with the offset beside them, or ISO, or without any offset.
 */
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/dhl.h"

#include <string.h>
#include <strings.h>

static bool read_promise(struct arena *arena, json_t *value, const char *path, int64_t *time_us)
{
    return promise_from_iso(json_words(arena, value, path), time_us);
}

/* --------------------------------------------------------------------------------------- rates */

/*
 * The price of a list by currencyType: what is billed, else in the currency of the pickup's
 * country, else in DHL's own, else any. Without a currency, or 0, it is none: DHL writes those
 * where it does not tell one. False: there is none.
 */
static bool read_price(struct arena *arena, json_t *value, const char *list,
                       struct shipping_money *money)
{
    static const char *const types[] = {"BILLC", "PULCL", "BASEC", NULL};
    for (size_t pass = 0; pass < sizeof types / sizeof types[0]; pass++) {
        for (size_t i = 0; i < json_count(value, list); i++) {
            json_t *one = json_element(value, list, i);
            if ((types[pass] == NULL ||
                 text_equals_string(json_words(arena, one, "currencyType"), types[pass])) &&
                json_money(arena, one, "price", one, "priceCurrency", money) &&
                money->amount_minor > 0)
                return true;
        }
    }
    *money = (struct shipping_money){0};
    return false;
}

static void read_breakdown(struct arena *arena, json_t *product, struct carrier_rate *rate)
{
    json_t *detailed = NULL;
    for (size_t i = 0; i < json_count(product, "detailedPriceBreakdown"); i++) {
        json_t *one = json_element(product, "detailedPriceBreakdown", i);
        if (text_equals_string(json_words(arena, one, "priceCurrency"), rate->amount.currency_code))
            detailed = detailed == NULL ? one : detailed;
    }
    size_t count = json_count(detailed, "breakdown"), taken = 0;
    struct carrier_charge *all = arena_allocate_zero(arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++) {
        json_t *one = json_element(detailed, "breakdown", i);
        all[taken].description = json_words(arena, one, "name");
        if (money_from_decimal(json_words(arena, one, "price"), text_of(rate->amount.currency_code),
                               &all[taken].amount))
            taken++;
    }
    rate->breakdown = all;
    rate->charge_count = taken;
}

/* A product whose price is 0 is one that DHL cannot price here. */
static void read_rates(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_rates *rates)
{
    struct arena *arena = answer->arena;
    size_t count = json_count(answer->root, "products"), taken = 0;
    struct carrier_rate *all = arena_allocate_zero(arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++) {
        json_t *product = json_element(answer->root, "products", i);
        struct carrier_rate *rate = &all[taken];
        rate->service_code = json_words(arena, product, "productCode");
        rate->service_name = json_words(arena, product, "productName");
        if (rate->service_code.size == 0 ||
            !read_price(arena, product, "totalPrice", &rate->amount))
            continue;
        if (!read_promise(arena, product, "deliveryCapabilities.estimatedDeliveryDateAndTime",
                          &rate->estimated_delivery_time_us))
            rate->estimated_delivery_time_us = 0;
        read_breakdown(arena, product, rate);
        taken++;
    }
    *rates = (struct carrier_rates){.rates = all, .rate_count = taken};
    if (taken == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer holds no rate that can be read");
}

/* ----------------------------------------------------------------------------------- shipments */

static bool is_named(struct text text, const char *name)
{
    return text.size == strlen(name) && strncasecmp(text.data, name, text.size) == 0;
}

/* A document without a type is the label: there is no other then. */
static bool read_label(struct arena *arena, json_t *document, struct carrier_label *label)
{
    struct text type = json_words(arena, document, "typeCode");
    return (type.size == 0 || is_named(type, "label")) &&
           json_label(arena, document, "content", json_words(arena, document, "imageFormat"),
                      label);
}

enum { packages_ordered_max = 100 }; /* DHL takes no more a shipment */

/*
 * The packages as they were asked for: DHL numbers them from 1, and they come back in any order.
 * With other numbers, or without, as they stand. NULL without memory.
 */
static json_t **list_packages(struct arena *arena, json_t *root, size_t count)
{
    json_t **packages = arena_allocate_zero(arena, count + 1, sizeof(json_t *));
    bool are_numbered = count <= packages_ordered_max;
    for (size_t i = 0; i < count && packages != NULL && are_numbered; i++) {
        json_t *package = json_element(root, "packages", i);
        int64_t number = 0;
        are_numbered = text_to_int64(json_words(arena, package, "referenceNumber"), &number) &&
                       number >= 1 && number <= (int64_t)count && packages[number - 1] == NULL;
        if (are_numbered)
            packages[number - 1] = package;
    }
    for (size_t i = 0; i < count && packages != NULL && !are_numbered; i++)
        packages[i] = json_element(root, "packages", i);
    return packages;
}

/* The parcel by the number that DHL gave its package; without such numbers by its place. */
static struct carrier_parcel *parcel_of(struct arena *arena, json_t *const *packages,
                                        json_t *document, struct carrier_parcel *parcels,
                                        size_t count)
{
    struct text wanted = json_words(arena, document, "packageReferenceNumber");
    int64_t place = 0;
    bool are_numbered = false;
    for (size_t i = 0; i < count && wanted.size > 0; i++) {
        struct text number = json_words(arena, packages[i], "referenceNumber");
        if (text_equal(number, wanted))
            return &parcels[i];
        are_numbered = are_numbered || number.size > 0;
    }
    bool is_place =
        !are_numbered && text_to_int64(wanted, &place) && place >= 1 && place <= (int64_t)count;
    return is_place ? &parcels[place - 1] : NULL;
}

/* Gives the parcel its label. False: it has one, there is no such parcel, or no memory. */
static bool put_label(struct arena *arena, struct carrier_parcel *parcel,
                      const struct carrier_label *label)
{
    struct carrier_label *own =
        parcel == NULL || parcel->label_count > 0 ? NULL : arena_allocate(arena, sizeof *own);
    if (own == NULL)
        return false;
    *own = *label;
    parcel->labels = own;
    parcel->label_count = 1;
    return true;
}

/*
 * A document that names its package, or stands in it (most there are codes for a telephone), is the
 * package's; others are the whole shipment's.
 */
static void read_documents(struct arena *arena, json_t *root, json_t *const *packages,
                           struct carrier_shipment *shipment, struct carrier_parcel *parcels)
{
    size_t count = json_count(root, "documents"), count_max = count, taken = 0;
    for (size_t i = 0; i < shipment->parcel_count; i++)
        count_max += json_count(packages[i], "documents");
    struct carrier_label *whole = arena_allocate_zero(arena, count_max, sizeof *whole);
    for (size_t i = 0; i < count && whole != NULL; i++) {
        json_t *document = json_element(root, "documents", i);
        if (read_label(arena, document, &whole[taken]) &&
            !put_label(arena, parcel_of(arena, packages, document, parcels, shipment->parcel_count),
                       &whole[taken]))
            taken++;
    }
    for (size_t i = 0; i < shipment->parcel_count && whole != NULL; i++) {
        for (size_t j = 0; j < json_count(packages[i], "documents"); j++) {
            if (read_label(arena, json_element(packages[i], "documents", j), &whole[taken]) &&
                !put_label(arena, &parcels[i], &whole[taken]))
                taken++;
        }
    }
    shipment->labels = whole;
    shipment->label_count = whole == NULL ? 0 : taken;
}

static void read_shipment(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_shipment *shipment)
{
    struct arena *arena = answer->arena;
    json_t *root = answer->root;
    size_t count = json_count(root, "packages");
    struct carrier_parcel *parcels = arena_allocate_zero(arena, count, sizeof *parcels);
    json_t **packages = list_packages(arena, root, count);
    *shipment = (struct carrier_shipment){
        .tracking_number = json_words(arena, root, "shipmentTrackingNumber"),
        .parcels = parcels,
        .parcel_count = parcels == NULL || packages == NULL ? 0 : count};
    for (size_t i = 0; i < shipment->parcel_count; i++)
        parcels[i].tracking_number = json_words(arena, packages[i], "trackingNumber");
    read_documents(arena, root, packages, shipment, parcels);
    json_warnings(arena, root, "warnings", "", shipment);
    if (!read_price(arena, root, "shipmentCharges", &shipment->charged))
        shipment->charged = (struct shipping_money){0};
    if (!read_promise(arena, root, "estimatedDeliveryDate.estimatedDeliveryDate",
                      &shipment->estimated_delivery_time_us) &&
        !read_promise(arena, root, "estimatedDeliveryDate", &shipment->estimated_delivery_time_us))
        shipment->estimated_delivery_time_us = 0;
    if (shipment->tracking_number.size == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer names no tracking number");
}

/* ------------------------------------------------------------------------------------ tracking */

/* "SYDNEY-AU" is a city and a country. */
static void read_area(struct text area, struct shipping_scan *scan)
{
    bool split = area.size > 3 && area.data[area.size - 3] == '-';
    scan->city = split ? text_trim(text_make(area.data, area.size - 3)) : area;
    if (split)
        scan->country_code = text_make(area.data + area.size - 2, 2);
}

static void read_mydhl_event(struct arena *arena, json_t *event, struct shipping_scan *scan)
{
    struct text date = json_words(arena, event, "date"), time = json_words(arena, event, "time");
    struct text offset = json_words(arena, event, "GMTOffset");
    if (date.size > 10) { /* with a time of its own */
        time = time.size > 0 ? time : text_make(date.data + 11, date.size - 11);
        date.size = 10;
    }
    if (time.size == 0)
        time = text_of("00:00:00");
    const char *joined = arena_format(arena, "%.*sT%.*s%.*s", (int)date.size,
                                      date.size > 0 ? date.data : "", (int)time.size, time.data,
                                      (int)offset.size, offset.size > 0 ? offset.data : "");
    scan->carrier_code = json_words(arena, event, "typeCode");
    scan->description = json_words(arena, event, "description");
    scan->facility = json_words(arena, event, "serviceArea.code");
    read_area(json_words(arena, event, "serviceArea.description"), scan);
    if (!time_from_iso(text_of(joined), &scan->occurred_time_us, &scan->has_utc_offset,
                       &scan->utc_offset_minutes))
        scan->occurred_time_us = 0;
}

/*
 * DHL Express' own two letters beside the five codes of all of DHL: "transit/WC". They tell more
 * (out for delivery), and stand in `status` of the express service; else words in any language do.
 * Without both, the code of MyDHL's events.
 */
static struct text unified_code(struct arena *arena, json_t *event, bool is_express)
{
    struct text code = json_words(arena, event, "statusCode");
    struct text status = json_words(arena, event, "status");
    bool letters = status.size == 2;
    for (size_t i = 0; i < status.size && letters; i++)
        letters = status.data[i] >= 'A' && status.data[i] <= 'Z';
    if (code.size == 0)
        return status.size > 0 ? status : json_words(arena, event, "typeCode");
    if (!letters || !is_express)
        return code;
    return text_of(arena_format(arena, "%.*s/%.2s", (int)code.size, code.data, status.data));
}

/* With what DHL remarks on it: why, or what the recipient can do. */
static struct text unified_description(struct arena *arena, json_t *event)
{
    struct text said = json_words(arena, event, "description");
    struct text remark = json_words(arena, event, "remark");
    if (said.size == 0)
        said = json_words(arena, event, "status");
    if (said.size == 0 || remark.size == 0 || text_equal(said, remark))
        return said.size == 0 ? remark : said;
    return text_of(arena_format(arena, "%.*s: %.*s", (int)said.size, said.data, (int)remark.size,
                                remark.data));
}

/* An event may have words alone, no code: it is kept, as one that DHL calls "unknown". */
static void read_unified_event(struct arena *arena, json_t *event, bool is_express,
                               struct shipping_scan *scan)
{
    json_t *location = json_element(event, "location", 0);
    json_t *address = json_member(location, "address");
    scan->carrier_code = unified_code(arena, event, is_express);
    scan->description = unified_description(arena, event);
    if (scan->carrier_code.size == 0 && scan->description.size > 0)
        scan->carrier_code = text_of("unknown");
    scan->city = json_is_object(location) ? json_words(arena, address, "addressLocality")
                                          : json_words(arena, event, "location");
    scan->country_code = json_words(arena, address, "countryCode");
    if (!time_from_iso(json_words(arena, event, "timestamp"), &scan->occurred_time_us,
                       &scan->has_utc_offset, &scan->utc_offset_minutes))
        scan->occurred_time_us = 0;
}

static struct text number_of(struct arena *arena, json_t *shipment)
{
    static const char *const names[] = {"shipmentTrackingNumber", "id", "trackingNumber"};
    struct text number = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && number.size == 0; i++)
        number = json_words(arena, shipment, names[i]);
    return number;
}

static void read_event(struct arena *arena, json_t *shipment, json_t *event,
                       struct carrier_tracking *tracking, struct shipping_scan *scan)
{
    struct text service = json_words(arena, shipment, "service");
    *scan = (struct shipping_scan){.tracking_number = number_of(arena, shipment)};
    if (json_member(event, "timestamp") != NULL || json_member(event, "statusCode") != NULL)
        read_unified_event(arena, event, is_named(service, "express"), scan);
    else
        read_mydhl_event(arena, event, scan);
    struct text code = scan->carrier_code;
    bool delivered = text_equals_string(code, "OK") ||
                     (code.size >= 9 && strncasecmp(code.data, "delivered", 9) == 0);
    if (delivered && scan->occurred_time_us > tracking->delivered_time_us)
        tracking->delivered_time_us = scan->occurred_time_us;
}

/* Reads the list's events behind those that are there; null says nothing and is none. */
static void read_list(struct arena *arena, json_t *shipment, json_t *of,
                      struct carrier_tracking *tracking, struct shipping_scan *scans)
{
    for (size_t i = 0; i < json_count(of, "events"); i++) {
        json_t *event = json_element(of, "events", i);
        if (!json_is_null(event))
            read_event(arena, shipment, event, tracking, &scans[tracking->scan_count++]);
    }
}

static size_t count_events(json_t *shipment)
{
    size_t count = json_count(shipment, "events") + 1; /* one for the status */
    for (size_t i = 0; i < json_count(shipment, "pieces"); i++)
        count += json_count(json_element(shipment, "pieces", i), "events");
    return count;
}

/* By either clock: an offset may stand beside one of the two alone. */
static bool is_same_moment(const struct shipping_scan *a, const struct shipping_scan *b)
{
    static const int64_t minute_us = 60000000;
    return a->occurred_time_us == b->occurred_time_us ||
           a->occurred_time_us + a->utc_offset_minutes * minute_us ==
               b->occurred_time_us + b->utc_offset_minutes * minute_us;
}

/*
 * The status is an event of its own, unless one of that moment tells it or it has no time while
 * others have. One that was "unknown" for want of a code has the status' code.
 */
static void read_status(struct arena *arena, json_t *shipment, struct carrier_tracking *tracking,
                        size_t before, struct shipping_scan *scans)
{
    json_t *status = json_element(shipment, "status", 0);
    struct shipping_scan *scan = &scans[tracking->scan_count];
    if (!json_is_object(status)) /* MyDHL's is a word about the answer */
        return;
    read_event(arena, shipment, status, tracking, scan);
    if (scan->occurred_time_us == 0 && tracking->scan_count > before)
        return;
    for (size_t i = before; i < tracking->scan_count; i++) {
        if (!is_same_moment(&scans[i], scan))
            continue;
        if (text_equals_string(scans[i].carrier_code, "unknown"))
            scans[i].carrier_code = scan->carrier_code;
        return;
    }
    tracking->scan_count++;
}

/* The shipment's events; without any those of its pieces; and its status. */
static void read_events(struct arena *arena, json_t *shipment, struct carrier_tracking *tracking,
                        struct shipping_scan *scans)
{
    size_t before = tracking->scan_count;
    read_list(arena, shipment, shipment, tracking, scans);
    for (size_t i = 0; before == tracking->scan_count && i < json_count(shipment, "pieces"); i++)
        read_list(arena, shipment, json_element(shipment, "pieces", i), tracking, scans);
    read_status(arena, shipment, tracking, before, scans);
}

static void read_estimate(struct arena *arena, json_t *shipment, struct carrier_tracking *tracking)
{
    static const char *const paths[] = {"estimatedDeliveryDate", "estimatedTimeOfDelivery",
                                        "estimatedDeliveryTimeFrame.estimatedThrough",
                                        "agreedDeliveryDate"};
    int64_t time_us;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (tracking->expected_delivery_time_us == 0 &&
            read_promise(arena, shipment, paths[i], &time_us))
            tracking->expected_delivery_time_us = time_us;
    }
}

static bool is_notice(struct text scope)
{
    static const char *const scopes[] = {"subscription.validate", "subscription.activate",
                                         "subscription.ready", "subscription.failure",
                                         "subscription.delete"};
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        if (text_equals_string(scope, scopes[i]))
            return true;
    }
    return false;
}

/* The shipments of a message: a list of them, or the message itself, if it has a number. */
static size_t count_shipments(struct arena *arena, json_t *message)
{
    size_t count = json_count(message, "shipments");
    if (count > 0 || !json_is_object(message))
        return count;
    return number_of(arena, message).size > 0 ? 1 : 0;
}

static json_t *shipment_at(json_t *message, size_t index)
{
    return json_count(message, "shipments") == 0 ? message
                                                 : json_element(message, "shipments", index);
}

/*
 * The shipments of one message, or of several in an array. `silent` counts shipments and messages
 * that tell nothing, but notices. False without memory.
 */
static bool read_shipments(struct arena *arena, json_t *root, struct carrier_tracking *tracking,
                           size_t *silent)
{
    size_t count = 0, messages = json_count(root, "");
    for (size_t i = 0; i < messages; i++) {
        json_t *message = json_element(root, "", i);
        for (size_t j = 0; j < count_shipments(arena, message); j++)
            count += count_events(shipment_at(message, j));
    }
    struct shipping_scan *scans = arena_allocate_zero(arena, count, sizeof *scans);
    for (size_t i = 0; i < messages && scans != NULL; i++) {
        json_t *message = json_element(root, "", i);
        size_t shipments = count_shipments(arena, message);
        *silent += shipments == 0 && !is_notice(json_words(arena, message, "scope"));
        for (size_t j = 0; j < shipments; j++) {
            size_t before = tracking->scan_count;
            read_events(arena, shipment_at(message, j), tracking, scans);
            read_estimate(arena, shipment_at(message, j), tracking);
            *silent += tracking->scan_count == before;
        }
    }
    tracking->scans = scans;
    return scans != NULL;
}

static void read_tracking(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_tracking *tracking)
{
    size_t silent = 0; /* a shipment may have no event yet */
    *tracking = (struct carrier_tracking){0};
    if (json_member(answer->root, "shipments") == NULL)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
    else if (json_count(answer->root, "shipments") == 0)
        outcome_set_string(outcome, CARRIER_NOT_FOUND, "the answer holds no shipment");
    else if (!read_shipments(answer->arena, answer->root, tracking, &silent))
        outcome_set_string(outcome, CARRIER_UNKNOWN, "no memory for the answer");
}

static bool read_match(struct arena *arena, json_t *from, struct carrier_shipment *shipment)
{
    size_t count = json_count(from, "pieces");
    struct carrier_parcel *parcels = arena_allocate_zero(arena, count, sizeof *parcels);
    *shipment = (struct carrier_shipment){
        .tracking_number = json_words(arena, from, "shipmentTrackingNumber"), .parcels = parcels};
    for (size_t i = 0; i < count && parcels != NULL; i++)
        parcels[i].tracking_number =
            json_words(arena, json_element(from, "pieces", i), "trackingNumber");
    shipment->parcel_count = parcels == NULL ? 0 : count;
    return shipment->tracking_number.size > 0;
}

static void read_find(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                      struct carrier_matches *matches)
{
    size_t count = json_count(answer->root, "shipments"), taken = 0;
    struct carrier_shipment *all = arena_allocate_zero(answer->arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++)
        taken += read_match(answer->arena, json_element(answer->root, "shipments", i), &all[taken]);
    *matches = (struct carrier_matches){.shipments = all, .shipment_count = taken};
    if (json_member(answer->root, "shipments") != NULL && count == 0)
        outcome_set_string(outcome, CARRIER_NOT_FOUND, "the answer holds no shipment");
    else if (taken == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer names no tracking number");
}

/* -------------------------------------------------------------------------------------- pushes */

static struct error read_webhook(const struct carrier_settings *settings,
                                 const struct carrier_webhook *webhook, struct arena *arena,
                                 struct carrier_webhook_result *result)
{
    const char *header =
        settings->webhook_header == NULL ? "x-dhl-token" : settings->webhook_header;
    struct error error = error_none();
    struct carrier_tracking tracking = {0};
    size_t silent = 0;
    json_t *root = NULL;
    if (!webhook->is_authenticated &&
        !carrier_credential_matches(webhook, header, settings->webhook_secret)) {
        result->why = text_of("the token is not ours");
        return error;
    }
    if (!carrier_webhook_json(webhook, arena, result, &root, &error))
        return error;
    if (!read_shipments(arena, root, &tracking, &silent))
        return error_make(ERROR_OUT_OF_MEMORY, "reading a push");
    struct text scope = json_words(arena, root, "scope");
    if (silent == 0 && tracking.scan_count == 0 && is_notice(scope)) {
        result->verdict = CARRIER_WEBHOOK_NOTICE;
        result->why = scope;
        return error;
    }
    carrier_webhook_judge(result, &tracking, silent,
                          "no event, or one without number, code or time");
    return error;
}

const struct carrier_protocol dhl_protocol = {
    .name = "dhl",
    .capabilities =
        {
            .rates = true,
            .shipments = true,
            .cancel = false,
            .tracking = true,
            .find_by_reference = true,
            .webhooks = true,
            .saturday = true,
            .insurance = true,
            .returns = true,
            .parcel_grams_max = 70000,
            .parcels_max = 20,
            .label_formats = 1u << SHIPPING_LABEL_PDF | 1u << SHIPPING_LABEL_ZPL,
        },
    .basic_credentials = true,
    .write_rates = dhl_write_rates,
    .write_shipment = dhl_write_shipment,
    .write_tracking = dhl_write_tracking,
    .write_find = dhl_write_find,
    .read_rates = read_rates,
    .read_shipment = read_shipment,
    .read_tracking = read_tracking,
    .read_find = read_find,
    .read_webhook = read_webhook,
};
