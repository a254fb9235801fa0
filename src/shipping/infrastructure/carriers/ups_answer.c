/*
 * UPS REST answers. What is one thing comes as an object, what is two as an array; numbers are
 * strings; status codes have lost their leading zeros on the way in places ("9" for "009"); a
 * number that UPS does not know is a warning in a 200.
 */
#include "shipping/infrastructure/carriers/ups_answer.h"
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <stdio.h>
#include <string.h>

/* Service codes of the rating document; the answers' own descriptions are mostly empty. */
static const struct {
    const char *code;
    const char *name;
} services[] = {
    {"01", "UPS Next Day Air"},
    {"02", "UPS 2nd Day Air"},
    {"03", "UPS Ground"},
    {"07", "UPS Worldwide Express"},
    {"08", "UPS Worldwide Expedited"},
    {"11", "UPS Standard"},
    {"12", "UPS 3 Day Select"},
    {"13", "UPS Next Day Air Saver"},
    {"14", "UPS Next Day Air Early"},
    {"17", "UPS Worldwide Economy DDU"},
    {"54", "UPS Worldwide Express Plus"},
    {"59", "UPS 2nd Day Air A.M."},
    {"65", "UPS Worldwide Saver"},
    {"70", "UPS Access Point Economy"},
    {"72", "UPS Worldwide Economy DDP"},
    {"74", "UPS Express 12:00"},
    {"75", "UPS Heavy Goods"},
    {"96", "UPS Worldwide Express Freight"},
};

static struct text name_of(struct text code)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (text_equals_string(code, services[i].code))
            return text_of(services[i].name);
    }
    return code;
}

/* ResponseStatus must say 1 where it says anything. */
static bool is_success(const struct carrier_answer *answer, json_t *response,
                       struct carrier_outcome *outcome)
{
    struct text code = json_words(answer->arena, response, "Response.ResponseStatus.Code");
    if (response != NULL && (code.size == 0 || text_equals_string(code, "1")))
        return true;
    if (response == NULL) {
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
        return false;
    }
    outcome_set(outcome, CARRIER_REFUSED,
                json_words(answer->arena, response, "Response.Error.ErrorCode"),
                json_words(answer->arena, response, "Response.ResponseStatus.Description"));
    return false;
}

/* --------------------------------------------------------------------------------------- rates */

struct charge_list {
    struct carrier_charge *all;
    size_t count;
    size_t count_max;
};

static void add_charge(struct arena *arena, struct charge_list *list, json_t *from,
                       struct text description, const char *currency)
{
    struct shipping_money money;
    struct text code = json_words(arena, from, "CurrencyCode");
    if (list->count == list->count_max)
        return;
    if (code.size == 0)
        code = text_of(currency); /* taxes have none of their own */
    if (!money_from_decimal(json_words(arena, from, "MonetaryValue"), code, &money) ||
        money.amount_minor == 0)
        return;
    list->all[list->count++] = (struct carrier_charge){.description = description, .amount = money};
}

static void add_charges(struct arena *arena, struct charge_list *list, json_t *from,
                        const char *path, const char *name, const char *detail,
                        const char *currency)
{
    for (size_t i = 0; i < json_count(from, path); i++) {
        json_t *one = json_element(from, path, i);
        struct text more = detail == NULL ? (struct text){0} : json_words(arena, one, detail);
        char *described = arena_format(arena, "%s%s%.*s", name, more.size > 0 ? " " : "",
                                       (int)more.size, more.size > 0 ? more.data : "");
        add_charge(arena, list, one, text_of(described), currency);
    }
}

static void read_breakdown(struct arena *arena, json_t *from, const char *currency,
                           struct carrier_rate *rate)
{
    struct charge_list list = {.count_max = 3 + json_count(from, "ItemizedCharges") +
                                            json_count(from, "TaxCharges")};
    list.all = arena_allocate_zero(arena, list.count_max, sizeof *list.all);
    if (list.all == NULL)
        return;
    add_charges(arena, &list, from, "BaseServiceCharge", "Base", NULL, currency);
    if (list.count == 0)
        add_charges(arena, &list, from, "TransportationCharges", "Transportation", NULL, currency);
    add_charges(arena, &list, from, "ServiceOptionsCharges", "Options", NULL, currency);
    add_charges(arena, &list, from, "ItemizedCharges", "Surcharge", "Code", currency);
    add_charges(arena, &list, from, "TaxCharges", "Tax", "Type", currency);
    rate->breakdown = list.all;
    rate->charge_count = list.count;
}

/*
 * What is paid: negotiated before published, with taxes before without. The first of them that the
 * answer has decides: where it cannot be read, the price is not known, and a published one would be
 * a wrong one.
 */
static bool read_total(struct arena *arena, json_t *rated, const char *published,
                       struct shipping_money *total)
{
    static const char *const names[] = {"TotalChargesWithTaxes", "TotalCharge", "TotalCharges"};
    json_t *parts[] = {json_member(rated, "NegotiatedRateCharges"), json_member(rated, published)};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
            json_t *found = json_member(parts[i], names[j]);
            if (found != NULL)
                return json_money(arena, found, "MonetaryValue", found, "CurrencyCode", total);
        }
    }
    return false;
}

static bool read_rate(struct arena *arena, json_t *rated, struct carrier_rate *rate)
{
    json_t *summary = json_member(rated, "TimeInTransit.ServiceSummary");
    json_t *negotiated = json_member(rated, "NegotiatedRateCharges");
    rate->service_code = json_words(arena, rated, "Service.Code");
    if (rate->service_code.size == 0 || !read_total(arena, rated, "", &rate->amount) ||
        rate->amount.amount_minor <= 0)
        return false; /* nothing is carried for nothing: somebody else is billed, or unpriced */
    rate->service_name = json_words(arena, summary, "Service.Description");
    if (rate->service_name.size == 0)
        rate->service_name = json_words(arena, rated, "Service.Description");
    if (rate->service_name.size == 0)
        rate->service_name = name_of(rate->service_code);
    if (!promise_from_compact(json_words(arena, summary, "EstimatedArrival.Arrival.Date"),
                              json_words(arena, summary, "EstimatedArrival.Arrival.Time"),
                              &rate->estimated_delivery_time_us))
        rate->estimated_delivery_time_us = 0;
    read_breakdown(arena, negotiated != NULL ? negotiated : rated, rate->amount.currency_code,
                   rate);
    return true;
}

void ups_read_rates(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                    struct carrier_rates *rates)
{
    json_t *response = json_member(answer->root, "RateResponse");
    size_t count = json_count(response, "RatedShipment"), taken = 0;
    if (!is_success(answer, response, outcome))
        return;
    struct carrier_rate *all = arena_allocate_zero(answer->arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++)
        taken += read_rate(answer->arena, json_element(response, "RatedShipment", i), &all[taken]);
    *rates = (struct carrier_rates){.rates = all, .rate_count = taken};
    if (taken == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer holds no rate that can be read");
}

/* ----------------------------------------------------------------------------------- shipments */

static void read_parcel(struct arena *arena, json_t *from, struct carrier_parcel *parcel)
{
    struct carrier_label *label = arena_allocate_zero(arena, 1, sizeof *label);
    parcel->tracking_number = json_words(arena, from, "TrackingNumber");
    if (label != NULL &&
        json_label(arena, from, "ShippingLabel.GraphicImage",
                   json_words(arena, from, "ShippingLabel.ImageFormat.Code"), label)) {
        parcel->labels = label;
        parcel->label_count = 1;
    }
}

void ups_read_shipment(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_shipment *shipment)
{
    struct arena *arena = answer->arena;
    json_t *response = json_member(answer->root, "ShipmentResponse");
    json_t *results = json_member(response, "ShipmentResults");
    size_t count = json_count(results, "PackageResults");
    *shipment = (struct carrier_shipment){0};
    if (!is_success(answer, response, outcome))
        return;
    struct carrier_parcel *parcels = arena_allocate_zero(arena, count, sizeof *parcels);
    for (size_t i = 0; i < count && parcels != NULL; i++)
        read_parcel(arena, json_element(results, "PackageResults", i), &parcels[i]);
    shipment->tracking_number = json_words(arena, results, "ShipmentIdentificationNumber");
    if (shipment->tracking_number.size == 0 && parcels != NULL && count > 0)
        shipment->tracking_number = parcels[0].tracking_number;
    shipment->parcels = parcels;
    shipment->parcel_count = parcels == NULL ? 0 : count;
    carrier_number_parcels(shipment->tracking_number, parcels, shipment->parcel_count);
    if (!read_total(arena, results, "ShipmentCharges", &shipment->charged))
        shipment->charged = (struct shipping_money){0};
    json_warnings(arena, response, "Response.Alert", "Description", shipment);
    if (shipment->tracking_number.size == 0 || shipment->parcel_count == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer names no tracking number");
}

void ups_read_cancel(const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    json_t *response = json_member(answer->root, "VoidShipmentResponse");
    struct text code = json_words(answer->arena, response, "SummaryResult.Status.Code");
    if (!is_success(answer, response, outcome) || text_equals_string(code, "1"))
        return;
    if (code.size == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
    else
        outcome_set(outcome, CARRIER_REFUSED, code,
                    json_words(answer->arena, response, "SummaryResult.Status.Description"));
}

void ups_read_labels(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                     struct carrier_shipment *shipment)
{
    json_t *response = json_member(answer->root, "LabelRecoveryResponse");
    size_t count = json_count(response, "LabelResults"), taken = 0;
    if (!is_success(answer, response, outcome))
        return;
    struct carrier_label *labels = arena_allocate_zero(answer->arena, count, sizeof *labels);
    for (size_t i = 0; i < count && labels != NULL; i++) {
        json_t *result = json_element(response, "LabelResults", i);
        taken += json_label(answer->arena, result, "LabelImage.GraphicImage",
                            json_words(answer->arena, result, "LabelImage.LabelImageFormat.Code"),
                            &labels[taken]);
    }
    shipment->labels = labels;
    shipment->label_count = taken;
}

/* ------------------------------------------------------------------------------------ tracking */

/* Three digits, as the API means them; what else stands there stays as it is. */
static struct text padded_status(struct arena *arena, struct text status)
{
    int64_t number;
    if (status.size == 0 || status.size > 2 || !text_to_int64(status, &number) || number < 0)
        return status;
    return text_of(arena_format(arena, "%03d", (int)number));
}

/* "I/OT/017": type, code and status code, as far as there are any. */
static struct text code_of(struct arena *arena, json_t *status, const char *number)
{
    struct text parts[3] = {
        json_words(arena, status, "type"),
        json_words(arena, status, "code"),
        padded_status(arena, json_words(arena, status, number)),
    };
    char joined[64];
    size_t size = 0;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].size == 0 || size + parts[i].size + 2 > sizeof joined)
            continue;
        if (size > 0)
            joined[size++] = '/';
        memcpy(joined + size, parts[i].data, parts[i].size);
        size += parts[i].size;
    }
    return arena_copy_text(arena, text_make(joined, size));
}

/* Local time, and how far it is from UTC where the answer says that, too. */
static void read_time(struct shipping_scan *scan, struct text date, struct text time,
                      struct text gmt_date, struct text gmt_time, struct text offset)
{
    int64_t local = 0, utc = 0;
    int32_t minutes = 0;
    bool has_local = time_from_compact(date, time, &local);
    bool has_utc = gmt_date.size > 0 && time_from_compact(gmt_date, gmt_time, &utc);
    scan->occurred_time_us = has_utc ? utc : has_local ? local : 0;
    if (has_local && has_utc && local - utc <= 14 * 3600000000LL &&
        local - utc >= -12 * 3600000000LL) {
        scan->has_utc_offset = true;
        scan->utc_offset_minutes = (int32_t)((local - utc) / 60000000);
    } else if (has_local && !has_utc && offset.size > 0 && offset_from_text(offset, &minutes)) {
        scan->has_utc_offset = true;
        scan->utc_offset_minutes = minutes;
        scan->occurred_time_us = local - minutes * 60000000LL;
    }
}

static void read_activity(struct arena *arena, json_t *activity, struct text number,
                          struct shipping_scan *scan)
{
    json_t *address = json_member(activity, "location.address");
    json_t *status = json_member(activity, "status");
    scan->tracking_number = number;
    scan->carrier_code = code_of(arena, status, "statusCode");
    scan->description = json_words(arena, status, "description");
    scan->facility = json_words(arena, activity, "location.slic");
    scan->city = json_words(arena, address, "city");
    scan->country_code = json_words(arena, address, "countryCode");
    if (scan->country_code.size == 0)
        scan->country_code = json_words(arena, address, "country");
    read_time(scan, json_words(arena, activity, "date"), json_words(arena, activity, "time"),
              json_words(arena, activity, "gmtDate"), json_words(arena, activity, "gmtTime"),
              json_words(arena, activity, "gmtOffset"));
}

/* The activity of that local time says how far it is from UTC. */
static int64_t utc_of(int64_t local_us, const struct shipping_scan *scans, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (scans[i].has_utc_offset &&
            scans[i].occurred_time_us + scans[i].utc_offset_minutes * 60000000LL == local_us)
            return scans[i].occurred_time_us;
    }
    return local_us;
}

/*
 * DEL is delivered, RDD rescheduled, SDD scheduled. The time beside them is that of the delivery
 * (type DEL), or the end of the window in which UPS means to come: never of the other.
 */
static void read_dates(struct arena *arena, json_t *package, struct carrier_tracking *tracking)
{
    struct text time = json_words(arena, package, "deliveryTime.endTime");
    struct text of = json_words(arena, package, "deliveryTime.type");
    bool time_is_delivery = text_equals_string(of, "DEL");
    for (size_t i = 0; i < json_count(package, "deliveryDate"); i++) {
        json_t *one = json_element(package, "deliveryDate", i);
        struct text date = json_words(arena, one, "date"), type = json_words(arena, one, "type");
        bool delivered = text_equals_string(type, "DEL");
        struct text own = of.size == 0 || delivered == time_is_delivery ? time : (struct text){0};
        int64_t when;
        if (delivered && (time_from_compact(date, own, &when) ||
                          time_from_compact(date, (struct text){0}, &when)))
            tracking->delivered_time_us = utc_of(when, tracking->scans, tracking->scan_count);
        else if (!delivered &&
                 (text_equals_string(type, "RDD") || tracking->expected_delivery_time_us == 0) &&
                 promise_from_compact(date, own, &when))
            tracking->expected_delivery_time_us = when;
    }
}

static size_t count_activities(json_t *shipments)
{
    size_t count = 0;
    for (size_t i = 0; i < json_count(shipments, ""); i++) {
        json_t *shipment = json_element(shipments, "", i);
        for (size_t j = 0; j < json_count(shipment, "package"); j++)
            count += json_count(json_element(shipment, "package", j), "activity");
    }
    return count;
}

static void read_package(struct arena *arena, json_t *package, struct text inquiry,
                         struct carrier_tracking *tracking, struct shipping_scan *scans)
{
    struct text number = json_words(arena, package, "trackingNumber");
    if (number.size == 0)
        number = inquiry;
    for (size_t k = 0; k < json_count(package, "activity"); k++)
        read_activity(arena, json_element(package, "activity", k), number,
                      &scans[tracking->scan_count++]);
    read_dates(arena, package, tracking);
}

/* A 200 with nothing but warnings: TW0001 is "not found". */
static bool is_known(const struct carrier_answer *answer, json_t *shipments,
                     struct carrier_outcome *outcome)
{
    if (shipments == NULL) {
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer has another shape");
        return false;
    }
    for (size_t i = 0; i < json_count(shipments, ""); i++) {
        if (json_count(json_element(shipments, "", i), "package") > 0)
            return true;
    }
    outcome_set(outcome, CARRIER_NOT_FOUND, json_words(answer->arena, shipments, "warnings.code"),
                json_words(answer->arena, shipments, "warnings.message"));
    return false;
}

void ups_read_tracking(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                       struct carrier_tracking *tracking)
{
    struct arena *arena = answer->arena;
    json_t *shipments = json_member(answer->root, "trackResponse.shipment");
    *tracking = (struct carrier_tracking){0};
    if (!is_known(answer, shipments, outcome))
        return;
    struct shipping_scan *scans =
        arena_allocate_zero(arena, count_activities(shipments), sizeof *scans);
    tracking->scans = scans;
    for (size_t i = 0; i < json_count(shipments, "") && scans != NULL; i++) {
        json_t *shipment = json_element(shipments, "", i);
        struct text inquiry = json_words(arena, shipment, "inquiryNumber");
        for (size_t j = 0; j < json_count(shipment, "package"); j++)
            read_package(arena, json_element(shipment, "package", j), inquiry, tracking, scans);
    }
    if (scans == NULL)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "no memory for the answer");
}

static bool is_voided(struct arena *arena, json_t *package)
{
    struct text status =
        padded_status(arena, json_words(arena, package, "currentStatus.statusCode"));
    return text_equals_string(status, "007") ||
           text_equals_string(json_words(arena, package, "activity.status.type"), "MV");
}

/* One shipment of the answer; its first package's number is the whole's. */
static bool read_match(struct arena *arena, json_t *from, struct carrier_shipment *shipment)
{
    size_t count = json_count(from, "package");
    struct carrier_parcel *parcels = arena_allocate_zero(arena, count, sizeof *parcels);
    *shipment = (struct carrier_shipment){.voided = count > 0};
    if (parcels == NULL || count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        json_t *package = json_element(from, "package", i);
        parcels[i].tracking_number = json_words(arena, package, "trackingNumber");
        shipment->voided = shipment->voided && is_voided(arena, package);
    }
    shipment->tracking_number = parcels[0].tracking_number;
    shipment->parcels = parcels;
    shipment->parcel_count = count;
    return shipment->tracking_number.size > 0;
}

void ups_read_find(const struct carrier_answer *answer, struct carrier_outcome *outcome,
                   struct carrier_matches *matches)
{
    json_t *shipments = json_member(answer->root, "trackResponse.shipment");
    size_t count = json_count(shipments, ""), taken = 0;
    *matches = (struct carrier_matches){0};
    if (!is_known(answer, shipments, outcome))
        return;
    struct carrier_shipment *all = arena_allocate_zero(answer->arena, count, sizeof *all);
    for (size_t i = 0; i < count && all != NULL; i++)
        taken += read_match(answer->arena, json_element(shipments, "", i), &all[taken]);
    *matches = (struct carrier_matches){.shipments = all, .shipment_count = taken};
    if (taken == 0)
        outcome_set_string(outcome, CARRIER_UNKNOWN, "the answer names no tracking number");
}

/* ------------------------------------------------------------------------------------- pushes */

static bool read_push(struct arena *arena, json_t *event, struct shipping_scan *scan)
{
    json_t *status = json_member(event, "activityStatus");
    json_t *place = json_member(event, "activityLocation");
    scan->tracking_number = json_words(arena, event, "trackingNumber");
    scan->carrier_code = code_of(arena, status, "descriptionCode");
    scan->description = json_words(arena, status, "description");
    scan->city = json_words(arena, place, "city");
    scan->country_code = json_words(arena, place, "country");
    read_time(scan, json_words(arena, event, "localActivityDate"),
              json_words(arena, event, "localActivityTime"),
              json_words(arena, event, "gmtActivityDate"),
              json_words(arena, event, "gmtActivityTime"), (struct text){0});
    return scan->tracking_number.size > 0 && scan->carrier_code.size > 0 &&
           scan->occurred_time_us > 0;
}

/* Track Alert (UPSTrackAlert.yaml, webhooks.TrackingEvent): one event, or a list of them. */
static struct error read_webhook(const struct carrier_settings *settings,
                                 const struct carrier_webhook *webhook, struct arena *arena,
                                 struct carrier_webhook_result *result)
{
    const char *header = settings->webhook_header == NULL ? "credential" : settings->webhook_header;
    struct error error = error_none();
    json_t *root = NULL;
    if (!webhook->is_authenticated &&
        !carrier_credential_matches(webhook, header, settings->webhook_secret)) {
        result->why = text_of("the credential is not ours");
        return error;
    }
    if (!carrier_webhook_json(webhook, arena, result, &root, &error))
        return error;
    size_t count = json_count(root, "");
    struct shipping_scan *scans = arena_allocate_zero(arena, count, sizeof *scans);
    if (scans == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reading a push");
    for (size_t i = 0; i < count; i++)
        result->scan_count +=
            read_push(arena, json_element(root, "", i), &scans[result->scan_count]);
    result->scans = scans;
    result->verdict = count > 0 && result->scan_count == count ? CARRIER_WEBHOOK_SCANS
                                                               : CARRIER_WEBHOOK_UNKNOWN_SHAPE;
    if (result->verdict == CARRIER_WEBHOOK_UNKNOWN_SHAPE)
        result->why = text_of("an event without number, code or time");
    return error;
}

const struct carrier_protocol ups_protocol = {
    .name = "ups",
    .capabilities =
        {
            .rates = true,
            .shipments = true,
            .cancel = true,
            .tracking = true,
            .find_by_reference = true,
            .label_recovery = true,
            .webhooks = true,
            .saturday = true,
            .insurance = true,
            .returns = true,
            .parcel_grams_max = 70000,
            .parcels_max = 20,
            .label_formats = 1u << SHIPPING_LABEL_ZPL | 1u << SHIPPING_LABEL_PNG,
        },
    .error_code_digits = 6,
    .write_token = ups_write_token,
    .write_rates = ups_write_rates,
    .write_shipment = ups_write_shipment,
    .write_cancel = ups_write_cancel,
    .write_tracking = ups_write_tracking,
    .write_find = ups_write_find,
    .write_label_recovery = ups_write_label_recovery,
    .read_rates = ups_read_rates,
    .read_shipment = ups_read_shipment,
    .read_cancel = ups_read_cancel,
    .read_tracking = ups_read_tracking,
    .read_find = ups_read_find,
    .read_labels = ups_read_labels,
    .read_webhook = read_webhook,
};
