/* FedEx's contract: rates, labels, cancellation, tracking by number and by reference. */
#include "carrier_simulator/simulator_carriers.h"
#include "carrier_simulator/simulator_labels.h"
#include "platform/json/json_writer.h"
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *code;
    const char *name;
    bool domestic;
    unsigned rank;
} services[] = {
    {"FEDEX_GROUND", "FedEx Ground", true, 0},
    {"FEDEX_EXPRESS_SAVER", "FedEx Express Saver", true, 1},
    {"FEDEX_2_DAY", "FedEx 2Day", true, 2},
    {"STANDARD_OVERNIGHT", "FedEx Standard Overnight", true, 3},
    {"INTERNATIONAL_ECONOMY", "FedEx International Economy", false, 0},
    {"FEDEX_INTERNATIONAL_CONNECT_PLUS", "FedEx International Connect Plus", false, 1},
    {"FEDEX_INTERNATIONAL_PRIORITY", "FedEx International Priority", false, 2},
    {"FEDEX_INTERNATIONAL_PRIORITY_EXPRESS", "FedEx International Priority Express", false, 3},
};

static void refuse(struct simulator_answer *answer, unsigned status, const char *code,
                   const char *message)
{
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_put_string(&json, "transactionId", "simulated");
    json_open_array(&json, "errors");
    json_open_object(&json, NULL);
    json_put_string(&json, "code", code);
    json_put_string(&json, "message", message);
    json_close_object(&json);
    json_close_array(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : status;
}

static struct json_writer begin(struct simulator_answer *answer)
{
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_put_string(&json, "transactionId", "simulated");
    json_open_object(&json, "output");
    return json;
}

static void end(struct json_writer *json, struct simulator_answer *answer)
{
    json_close_object(json);
    json_close_object(json);
    answer->status = json->failed ? 503 : 200;
}

struct facts {
    int64_t grams;
    size_t parcels;
    bool domestic;
};

static bool read_facts(struct arena *arena, json_t *shipment, struct facts *facts)
{
    struct text from = json_words(arena, shipment, "shipper.address.countryCode");
    struct text to = json_words(arena, shipment, "recipient.address.countryCode");
    if (to.size == 0)
        to = json_words(arena, shipment, "recipients.address.countryCode");
    *facts = (struct facts){.parcels = json_count(shipment, "requestedPackageLineItems"),
                            .domestic = text_equal(from, to)};
    for (size_t i = 0; i < facts->parcels; i++) {
        json_t *weight =
            json_member(json_element(shipment, "requestedPackageLineItems", i), "weight");
        int64_t thousandths;
        if (!decimal_to_integer(json_words(arena, weight, "value"), 3, &thousandths))
            return false;
        facts->grams += text_equals_string(json_words(arena, weight, "units"), "LB")
                            ? thousandths * 45359237 / 100000000
                            : thousandths;
    }
    return facts->parcels > 0 && from.size == 2 && to.size == 2;
}

static void put_amount(struct json_writer *json, const char *key, int64_t minor)
{
    char amount[decimal_size];
    money_to_decimal((struct shipping_money){"USD", minor}, amount);
    json_put_raw(json, key, amount);
}

static void rate(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct facts facts;
    if (!read_facts(request->arena, json_member(request->root, "requestedShipment"), &facts)) {
        refuse(answer, 400, "WEIGHT.VALUE.INVALID", "a weight or country is missing");
        return;
    }
    struct json_writer json = begin(answer);
    json_open_array(&json, "rateReplyDetails");
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char iso[20];
        if (services[i].domestic != facts.domestic)
            continue;
        int64_t list =
            simulator_price(facts.grams, facts.parcels, facts.domestic, services[i].rank) + 37;
        simulator_iso(simulator_now_us(simulator) +
                          simulator_days(facts.domestic, services[i].rank) * 86400000000LL,
                      iso);
        json_open_object(&json, NULL);
        json_put_string(&json, "serviceType", services[i].code);
        json_put_string(&json, "serviceName", services[i].name);
        json_open_object(&json, "commit");
        json_open_object(&json, "dateDetail");
        json_put_string(&json, "dayFormat", iso);
        json_close_object(&json);
        json_close_object(&json);
        json_open_array(&json, "ratedShipmentDetails");
        for (int list_price = 0; list_price < 2; list_price++) {
            json_open_object(&json, NULL);
            json_put_string(&json, "rateType", list_price ? "LIST" : "ACCOUNT");
            put_amount(&json, "totalNetCharge", list_price ? list : list * 88 / 100);
            json_put_string(&json, "currency", "USD");
            json_close_object(&json);
        }
        json_close_array(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    end(&json, answer);
}

static void put_pieces(struct arena *arena, struct json_writer *json,
                       const struct simulator_shipment *made)
{
    json_open_array(json, "pieceResponses");
    for (size_t i = 0; i < made->parcel_count; i++) {
        json_open_object(json, NULL);
        json_put_string(json, "masterTrackingNumber", made->number);
        json_put_string(json, "trackingNumber", made->numbers[i]);
        json_put_integer(json, "packageSequenceNumber", (int64_t)i + 1);
        json_open_array(json, "packageDocuments");
        json_open_object(json, NULL);
        json_put_string(json, "contentType", "LABEL");
        json_put_string(json, "docType",
                        strcmp(made->label_format, "ZPL") == 0 ? "ZPLII" : made->label_format);
        json_put_text(json, "encodedLabel", simulator_label(arena, made, i));
        json_close_object(json);
        json_close_array(json);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_rating(struct json_writer *json, const struct simulator_shipment *made)
{
    json_open_object(json, "completedShipmentDetail");
    json_open_object(json, "shipmentRating");
    json_put_string(json, "actualRateType", "PAYOR_ACCOUNT_SHIPMENT");
    json_open_array(json, "shipmentRateDetails");
    json_open_object(json, NULL);
    json_put_string(json, "rateType", "PAYOR_ACCOUNT_SHIPMENT");
    put_amount(json, "totalNetCharge", made->amount_minor);
    json_put_string(json, "currency", "USD");
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    json_close_object(json);
}

static void remember(struct arena *arena, json_t *shipment, struct simulator_shipment *made)
{
    struct text type = json_words(arena, shipment, "labelSpecification.imageType");
    simulator_copy(made->label_format, text_starts_with(type, text_of("ZPL")) ? 4 : 8, type);
    simulator_copy(made->origin_city, sizeof made->origin_city,
                   json_words(arena, shipment, "shipper.address.city"));
    simulator_copy(made->origin_country, sizeof made->origin_country,
                   json_words(arena, shipment, "shipper.address.countryCode"));
    simulator_copy(made->destination_city, sizeof made->destination_city,
                   json_words(arena, shipment, "recipients.address.city"));
    simulator_copy(made->destination_country, sizeof made->destination_country,
                   json_words(arena, shipment, "recipients.address.countryCode"));
    memcpy(made->currency, "USD", 4);
}

static void ship(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct arena *arena = request->arena;
    json_t *shipment = json_member(request->root, "requestedShipment");
    struct text code = json_words(arena, shipment, "serviceType");
    struct text reference =
        json_words(arena, shipment, "requestedPackageLineItems.customerReferences.value");
    struct facts facts;
    size_t service = 0, count = sizeof services / sizeof services[0];
    bool fine = read_facts(arena, shipment, &facts);
    while (service < count && (!text_equals_string(code, services[service].code) ||
                               services[service].domestic != facts.domestic))
        service++;
    if (!fine || service == count) {
        refuse(answer, 400, fine ? "SERVICETYPE.NOT.ALLOWED" : "WEIGHT.VALUE.INVALID",
               "service, weight or country cannot be served");
        return;
    }
    struct simulator_shipment *made =
        simulator_buy(simulator, SIMULATOR_FEDEX, reference, facts.parcels, services[service].code);
    if (made == NULL) {
        refuse(answer, 503, "SERVICE.UNAVAILABLE.ERROR", "no memory");
        return;
    }
    remember(arena, shipment, made);
    made->amount_minor =
        (simulator_price(facts.grams, facts.parcels, facts.domestic, services[service].rank) + 37) *
        88 / 100;
    struct json_writer json = begin(answer);
    json_open_array(&json, "transactionShipments");
    json_open_object(&json, NULL);
    json_put_string(&json, "masterTrackingNumber", made->number);
    json_put_string(&json, "serviceType", made->service);
    put_pieces(arena, &json, made);
    put_rating(&json, made);
    json_close_object(&json);
    json_close_array(&json);
    end(&json, answer);
}

static void cancel(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer)
{
    struct simulator_shipment *found = simulator_find(
        simulator, SIMULATOR_FEDEX, json_words(request->arena, request->root, "trackingNumber"));
    int64_t time_us;
    if (found == NULL) {
        refuse(answer, 404, "NOT.FOUND.ERROR", "The tracking number is not known");
        return;
    }
    if (found->voided) {
        refuse(answer, 400, "SHIPMENT.ALREADY.CANCELLED", "Shipment has already been cancelled");
        return;
    }
    if (simulator_has_step(simulator, found, 1, &time_us) &&
        time_us <= simulator_now_us(simulator)) {
        refuse(answer, 400, "SHIPMENT.IN.TRANSIT", "Shipment is on its way");
        return;
    }
    found->voided = true;
    struct json_writer json = begin(answer);
    json_put_boolean(&json, "cancelledShipment", true);
    json_put_boolean(&json, "cancelledHistory", true);
    end(&json, answer);
}

/* ------------------------------------------------------------------------------------ tracking */

static void put_event(struct json_writer *json, const struct simulator_shipment *shipment,
                      const struct simulator_step *step, int64_t time_us)
{
    char iso[20], with_offset[28];
    simulator_iso(time_us, iso);
    memcpy(with_offset, iso, 19);
    memcpy(with_offset + 19, "+00:00", 7);
    json_open_object(json, NULL);
    json_put_string(json, "date", with_offset);
    json_put_string(json, "eventType", step->fedex_code);
    json_put_string(json, "eventDescription", step->description);
    json_put_string(json, "derivedStatusCode", step->fedex_code);
    json_open_object(json, "scanLocation");
    json_put_string(json, "city",
                    step->at_destination ? shipment->destination_city : shipment->origin_city);
    json_put_string(json, "countryCode",
                    step->at_destination ? shipment->destination_country
                                         : shipment->origin_country);
    json_close_object(json);
    json_close_object(json);
}

/* When it was delivered, as FedEx says it beside the scans. */
static void put_delivery(struct json_writer *json, int64_t time_us)
{
    char iso[20], with_offset[32];
    if (time_us == 0)
        return;
    simulator_iso(time_us, iso);
    snprintf(with_offset, sizeof with_offset, "%s+00:00", iso);
    json_open_array(json, "dateAndTimes");
    json_open_object(json, NULL);
    json_put_string(json, "type", "ACTUAL_DELIVERY");
    json_put_string(json, "dateTime", with_offset);
    json_close_object(json);
    json_close_array(json);
}

static void put_result(struct simulator *simulator, struct json_writer *json,
                       const struct simulator_shipment *shipment, size_t parcel)
{
    int64_t now = simulator_now_us(simulator), time_us, delivered_us = 0;
    json_open_object(json, NULL);
    json_put_string(json, "trackingNumber", shipment->numbers[parcel]);
    json_open_array(json, "trackResults");
    json_open_object(json, NULL);
    json_open_object(json, "trackingNumberInfo");
    json_put_string(json, "trackingNumber", shipment->numbers[parcel]);
    json_close_object(json);
    json_open_object(json, "latestStatusDetail");
    json_put_string(json, "code", shipment->voided ? "CA" : "IT");
    json_close_object(json);
    json_open_object(json, "additionalTrackingInfo");
    json_open_array(json, "packageIdentifiers");
    json_open_object(json, NULL);
    json_put_string(json, "type", "STANDARD_MPS");
    json_open_array(json, "values");
    json_put_string(json, NULL, shipment->number);
    json_close_array(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
    json_open_array(json, "scanEvents");
    for (size_t i = simulator_step_count; i-- > 0;) {
        if (!simulator_has_step(simulator, shipment, i, &time_us) || time_us > now)
            continue;
        put_event(json, shipment, &simulator_steps[i], time_us);
        if (strcmp(simulator_steps[i].fedex_code, "DL") == 0 && !shipment->voided)
            delivered_us = time_us;
    }
    json_close_array(json);
    put_delivery(json, delivered_us);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

static void put_unknown(struct json_writer *json, struct text number)
{
    json_open_object(json, NULL);
    json_put_text(json, "trackingNumber", number);
    json_open_array(json, "trackResults");
    json_open_object(json, NULL);
    json_open_object(json, "error");
    json_put_string(json, "code", "TRACKING.TRACKINGNUMBER.NOTFOUND");
    json_put_string(json, "message", "Tracking number cannot be found.");
    json_close_object(json);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

static void track(struct simulator *simulator, const struct simulator_request *request,
                  struct simulator_answer *answer)
{
    struct text number =
        json_words(request->arena, request->root, "trackingInfo.trackingNumberInfo.trackingNumber");
    struct simulator_shipment *found = simulator_find(simulator, SIMULATOR_FEDEX, number);
    size_t parcel = 0;
    struct json_writer json = begin(answer);
    json_open_array(&json, "completeTrackResults");
    for (size_t i = 0; found != NULL && i < found->parcel_count; i++)
        parcel = text_equals_string(number, found->numbers[i]) ? i : parcel;
    if (found != NULL)
        put_result(simulator, &json, found, parcel);
    else
        put_unknown(&json, number);
    json_close_array(&json);
    end(&json, answer);
}

static void search(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer)
{
    struct text reference =
        json_words(request->arena, request->root, "referencesInformation.value");
    struct simulator_shipment *one;
    size_t cursor = 0, count = 0;
    struct json_writer json = begin(answer);
    json_open_array(&json, "completeTrackResults");
    while ((one = simulator_search(simulator, SIMULATOR_FEDEX, reference, &cursor)) != NULL) {
        for (size_t i = 0; i < one->parcel_count; i++, count++)
            put_result(simulator, &json, one, i);
    }
    if (count == 0)
        put_unknown(&json, reference);
    json_close_array(&json);
    end(&json, answer);
}

bool simulator_fedex(struct simulator *simulator, const struct simulator_request *request,
                     struct simulator_answer *answer)
{
    struct text path = request->path;
    if (text_equals_string(path, "/oauth/token"))
        answer->status = buffer_append_string(&answer->body,
                                              "{\"access_token\":\"fedex-simulated\",\"token_type\""
                                              ":\"bearer\",\"expires_in\":3599,\"scope\":\"CXS\"}")
                             ? 200
                             : 503;
    else if (text_equals_string(path, "/rate/v1/rates/quotes"))
        rate(simulator, request, answer);
    else if (text_equals_string(path, "/ship/v1/shipments"))
        ship(simulator, request, answer);
    else if (text_equals_string(path, "/ship/v1/shipments/cancel"))
        cancel(simulator, request, answer);
    else if (text_equals_string(path, "/track/v1/trackingnumbers"))
        track(simulator, request, answer);
    else if (text_equals_string(path, "/track/v1/referencenumbers"))
        search(simulator, request, answer);
    else
        return false;
    return true;
}
