/*
 * MyDHL answers, Unified Tracking's and its pushes. Prices come in up to three currencies, of which
 * BILLC is the one billed; a purchase may answer 201 with a problem in it; a tracking id may be a
 * number; event times are local with the offset beside them, or ISO, or without any offset.
 */
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/dhl.h"

#include <string.h>

static bool read_promise(struct arena *arena, json_t *value, const char *path, int64_t *time_us)
{
    return promise_from_iso(json_words(arena, value, path), time_us);
}

/* --------------------------------------------------------------------------------------- rates */

/* The element of a list by currencyType: the one billed, else the first that holds money. */
static json_t *billed(struct arena *arena, json_t *value, const char *list, const char *amount,
                      struct shipping_money *money)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_count(value, list); i++) {
            json_t *one = json_element(value, list, i);
            bool bill = text_equals_string(json_words(arena, one, "currencyType"), "BILLC");
            if ((bill || pass == 1) && json_money(arena, one, amount, one, "priceCurrency", money))
                return one;
        }
    }
    return NULL;
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
            billed(arena, product, "totalPrice", "price", &rate->amount) == NULL ||
            rate->amount.amount_minor <= 0)
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

/* A document without a type is the label: there is no other then. */
static bool read_label(struct arena *arena, json_t *document, struct carrier_label *label)
{
    struct text type = json_words(arena, document, "typeCode");
    return (type.size == 0 || text_equals_string(type, "label")) &&
           json_label(arena, document, "content", json_words(arena, document, "imageFormat"),
                      label);
}

/* A document that names its package is the package's, others are the whole shipment's. */
static void read_documents(struct arena *arena, json_t *root, struct carrier_shipment *shipment,
                           struct carrier_parcel *parcels)
{
    size_t count = json_count(root, "documents"), taken = 0;
    struct carrier_label *whole = arena_allocate_zero(arena, count, sizeof *whole);
    for (size_t i = 0; i < count && whole != NULL; i++) {
        json_t *document = json_element(root, "documents", i);
        int64_t package = 0;
        struct carrier_label *label = &whole[taken];
        if (!read_label(arena, document, label))
            continue;
        struct carrier_label *own = NULL;
        if (text_to_int64(json_words(arena, document, "packageReferenceNumber"), &package) &&
            package >= 1 && package <= (int64_t)shipment->parcel_count &&
            parcels[package - 1].label_count == 0)
            own = arena_allocate(arena, sizeof *own);
        if (own == NULL) {
            taken++;
            continue;
        }
        *own = *label;
        parcels[package - 1].labels = own;
        parcels[package - 1].label_count = 1;
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
    *shipment = (struct carrier_shipment){.tracking_number =
                                              json_words(arena, root, "shipmentTrackingNumber"),
                                          .parcels = parcels,
                                          .parcel_count = parcels == NULL ? 0 : count};
    for (size_t i = 0; i < shipment->parcel_count; i++)
        parcels[i].tracking_number =
            json_words(arena, json_element(root, "packages", i), "trackingNumber");
    read_documents(arena, root, shipment, parcels);
    json_warnings(arena, root, "warnings", "", shipment);
    if (billed(arena, root, "shipmentCharges", "price", &shipment->charged) == NULL)
        shipment->charged = (struct shipping_money){0};
    if (!read_promise(arena, root, "estimatedDeliveryDate.estimatedDeliveryDate",
                      &shipment->estimated_delivery_time_us))
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
 */
static struct text unified_code(struct arena *arena, json_t *event, bool is_express)
{
    struct text code = json_words(arena, event, "statusCode");
    struct text status = json_words(arena, event, "status");
    bool letters = status.size == 2;
    for (size_t i = 0; i < status.size && letters; i++)
        letters = status.data[i] >= 'A' && status.data[i] <= 'Z';
    if (code.size == 0)
        return status;
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
    json_t *address = json_member(event, "location.address");
    scan->carrier_code = unified_code(arena, event, is_express);
    scan->description = unified_description(arena, event);
    if (scan->carrier_code.size == 0 && scan->description.size > 0)
        scan->carrier_code = text_of("unknown");
    scan->city = json_words(arena, address, "addressLocality");
    scan->country_code = json_words(arena, address, "countryCode");
    if (!time_from_iso(json_words(arena, event, "timestamp"), &scan->occurred_time_us,
                       &scan->has_utc_offset, &scan->utc_offset_minutes))
        scan->occurred_time_us = 0;
}

static void read_event(struct arena *arena, json_t *shipment, json_t *event,
                       struct carrier_tracking *tracking, struct shipping_scan *scan)
{
    struct text service = json_words(arena, shipment, "service");
    *scan = (struct shipping_scan){0};
    scan->tracking_number = json_words(arena, shipment, "shipmentTrackingNumber");
    if (scan->tracking_number.size == 0)
        scan->tracking_number = json_words(arena, shipment, "id");
    if (json_member(event, "timestamp") != NULL)
        read_unified_event(arena, event, text_equals_string(service, "express"), scan);
    else
        read_mydhl_event(arena, event, scan);
    bool delivered = text_equals_string(scan->carrier_code, "OK") ||
                     text_starts_with(scan->carrier_code, text_of("delivered"));
    if (delivered && scan->occurred_time_us > tracking->delivered_time_us)
        tracking->delivered_time_us = scan->occurred_time_us;
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
    for (size_t i = 0; i < json_count(shipment, "events"); i++)
        read_event(arena, shipment, json_element(shipment, "events", i), tracking,
                   &scans[tracking->scan_count++]);
    for (size_t i = 0; before == tracking->scan_count && i < json_count(shipment, "pieces"); i++) {
        json_t *piece = json_element(shipment, "pieces", i);
        for (size_t j = 0; j < json_count(piece, "events"); j++)
            read_event(arena, shipment, json_element(piece, "events", j), tracking,
                       &scans[tracking->scan_count++]);
        if (tracking->scan_count > before)
            break; /* the pieces of one shipment tell the same */
    }
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

/* False without memory. */
static bool read_shipments(struct arena *arena, json_t *root, struct carrier_tracking *tracking)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(root, "shipments"); i++)
        count += count_events(json_element(root, "shipments", i));
    struct shipping_scan *scans = arena_allocate_zero(arena, count, sizeof *scans);
    for (size_t i = 0; i < json_count(root, "shipments") && scans != NULL; i++) {
        json_t *shipment = json_element(root, "shipments", i);
        read_events(arena, shipment, tracking, scans);
        read_estimate(arena, shipment, tracking);
    }
    tracking->scans = scans;
    return scans != NULL;
}

static void read_tracking(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                          struct carrier_tracking *tracking)
{
    *tracking = (struct carrier_tracking){0};
    if (json_member(answer->root, "shipments") == NULL)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
    else if (json_count(answer->root, "shipments") == 0)
        outcome_set_string(outcome, CARRIER_NOT_FOUND, "the answer holds no shipment");
    else if (!read_shipments(answer->arena, answer->root, tracking))
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

static struct error read_webhook(const struct carrier_settings *settings,
                                 const struct carrier_webhook *webhook, struct arena *arena,
                                 struct carrier_webhook_result *result)
{
    const char *header =
        settings->webhook_header == NULL ? "x-dhl-token" : settings->webhook_header;
    struct error error = error_none();
    struct carrier_tracking tracking = {0};
    json_t *root = NULL;
    if (!webhook->is_authenticated &&
        !carrier_credential_matches(webhook, header, settings->webhook_secret)) {
        result->why = text_of("the token is not ours");
        return error;
    }
    if (!carrier_webhook_json(webhook, arena, result, &root, &error))
        return error;
    struct text scope = json_words(arena, root, "scope");
    if (is_notice(scope)) {
        result->verdict = CARRIER_WEBHOOK_NOTICE;
        result->why = scope;
        return error;
    }
    if (!read_shipments(arena, root, &tracking))
        return error_make(ERROR_OUT_OF_MEMORY, "reading a push");
    carrier_webhook_judge(result, &tracking, "no event, or one without number, code or time");
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
