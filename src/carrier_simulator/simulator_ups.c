/* UPS's contract: rates, labels, void, recovery, tracking by number and by reference. */
#include "carrier_simulator/simulator_carriers.h"
#include "carrier_simulator/simulator_labels.h"
#include "platform/json/json_writer.h"
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <string.h>

static const struct {
    const char *code;
    bool domestic;
    unsigned rank;
} services[] = {{"03", true, 0},  {"12", true, 1},  {"02", true, 2},  {"01", true, 3},
                {"11", false, 0}, {"08", false, 1}, {"65", false, 2}, {"07", false, 3}};

static void refuse(struct simulator_answer *answer, unsigned status, const char *code,
                   const char *message)
{
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "response");
    json_open_array(&json, "errors");
    json_open_object(&json, NULL);
    json_put_string(&json, "code", code);
    json_put_string(&json, "message", message);
    json_close_object(&json);
    json_close_array(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : status;
}

static void put_success(struct json_writer *json)
{
    json_open_object(json, "Response");
    json_open_object(json, "ResponseStatus");
    json_put_string(json, "Code", "1");
    json_put_string(json, "Description", "Success");
    json_close_object(json);
    json_close_object(json);
}

static void put_money(struct json_writer *json, const char *key, const char *currency,
                      int64_t minor)
{
    char amount[decimal_size];
    struct shipping_money money = {.amount_minor = minor};
    memcpy(money.currency_code, currency, sizeof money.currency_code);
    money_to_decimal(money, amount);
    json_open_object(json, key);
    json_put_string(json, "CurrencyCode", currency);
    json_put_string(json, "MonetaryValue", amount);
    json_close_object(json);
}

struct facts {
    int64_t grams;
    size_t parcels;
    bool domestic;
};

static bool read_facts(struct arena *arena, json_t *shipment, struct facts *facts)
{
    struct text from = json_words(arena, shipment, "ShipFrom.Address.CountryCode");
    struct text to = json_words(arena, shipment, "ShipTo.Address.CountryCode");
    *facts = (struct facts){.parcels = json_count(shipment, "Package")};
    if (from.size == 0)
        from = json_words(arena, shipment, "Shipper.Address.CountryCode");
    facts->domestic = text_equal(from, to);
    for (size_t i = 0; i < facts->parcels; i++) {
        json_t *weight = json_member(json_element(shipment, "Package", i), "PackageWeight");
        int64_t thousandths;
        if (!decimal_to_integer(json_words(arena, weight, "Weight"), 3, &thousandths))
            return false;
        bool pounds =
            text_equals_string(json_words(arena, weight, "UnitOfMeasurement.Code"), "LBS");
        facts->grams += pounds ? thousandths * 45359237 / 100000000 : thousandths;
    }
    return facts->parcels > 0 && from.size == 2 && to.size == 2;
}

static void put_rated(struct simulator *simulator, struct json_writer *json, size_t service,
                      const struct facts *facts)
{
    int64_t list =
        simulator_price(facts->grams, facts->parcels, facts->domestic, services[service].rank);
    int64_t days = simulator_days(facts->domestic, services[service].rank);
    char date[9];
    simulator_date(simulator_now_us(simulator) + days * 86400000000LL, date);
    json_open_object(json, NULL);
    json_open_object(json, "Service");
    json_put_string(json, "Code", services[service].code);
    json_put_string(json, "Description", "");
    json_close_object(json);
    put_money(json, "TransportationCharges", "USD", list);
    put_money(json, "ServiceOptionsCharges", "USD", 0);
    put_money(json, "TotalCharges", "USD", list);
    json_open_object(json, "NegotiatedRateCharges");
    put_money(json, "TotalCharge", "USD", list * 85 / 100);
    json_close_object(json);
    json_open_object(json, "TimeInTransit");
    json_open_object(json, "ServiceSummary");
    json_open_object(json, "EstimatedArrival");
    json_open_object(json, "Arrival");
    json_put_string(json, "Date", date);
    json_put_string(json, "Time", "233000");
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
}

static void rate(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct facts facts;
    struct json_writer json;
    if (!read_facts(request->arena, json_member(request->root, "RateRequest.Shipment"), &facts)) {
        refuse(answer, 400, "110208", "Missing or invalid package weight or country");
        return;
    }
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "RateResponse");
    put_success(&json);
    json_open_array(&json, "RatedShipment");
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        if (services[i].domestic == facts.domestic)
            put_rated(simulator, &json, i, &facts);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

/* One package as an object, several as an array, as UPS does. */
static void put_packages(struct arena *arena, struct json_writer *json,
                         const struct simulator_shipment *made)
{
    if (made->parcel_count > 1)
        json_open_array(json, "PackageResults");
    for (size_t i = 0; i < made->parcel_count; i++) {
        json_open_object(json, made->parcel_count > 1 ? NULL : "PackageResults");
        json_put_string(json, "TrackingNumber", made->numbers[i]);
        json_open_object(json, "ShippingLabel");
        json_open_object(json, "ImageFormat");
        json_put_string(json, "Code", made->label_format);
        json_close_object(json);
        json_put_text(json, "GraphicImage", simulator_label(arena, made, i));
        json_close_object(json);
        json_close_object(json);
    }
    if (made->parcel_count > 1)
        json_close_array(json);
}

static void put_places(struct arena *arena, json_t *shipment, struct simulator_shipment *made)
{
    simulator_copy(made->origin_city, sizeof made->origin_city,
                   json_words(arena, shipment, "ShipFrom.Address.City"));
    simulator_copy(made->origin_country, sizeof made->origin_country,
                   json_words(arena, shipment, "ShipFrom.Address.CountryCode"));
    simulator_copy(made->destination_city, sizeof made->destination_city,
                   json_words(arena, shipment, "ShipTo.Address.City"));
    simulator_copy(made->destination_country, sizeof made->destination_country,
                   json_words(arena, shipment, "ShipTo.Address.CountryCode"));
}

static const char *service_of(struct text code, bool domestic, unsigned *rank)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        *rank = services[i].rank;
        if (text_equals_string(code, services[i].code) && services[i].domestic == domestic)
            return services[i].code;
    }
    return NULL;
}

static void ship(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct arena *arena = request->arena;
    json_t *shipment = json_member(request->root, "ShipmentRequest.Shipment");
    struct facts facts;
    unsigned rank;
    bool fine = read_facts(arena, shipment, &facts);
    const char *service =
        service_of(json_words(arena, shipment, "Service.Code"), facts.domestic, &rank);
    struct json_writer json;
    if (!fine || service == NULL) {
        refuse(answer, 400, service == NULL ? "121210" : "120600",
               service == NULL ? "The requested service is unavailable between these locations"
                               : "Missing or invalid package");
        return;
    }
    struct simulator_shipment *made =
        simulator_buy(simulator, SIMULATOR_UPS,
                      json_words(arena, shipment, "ReferenceNumber.Value"), facts.parcels, service);
    if (made == NULL) {
        refuse(answer, 503, "190001", "no memory");
        return;
    }
    simulator_copy(made->label_format, sizeof made->label_format,
                   json_words(arena, request->root,
                              "ShipmentRequest.LabelSpecification.LabelImageFormat.Code"));
    put_places(arena, shipment, made);
    memcpy(made->currency, "USD", 4);
    made->amount_minor =
        simulator_price(facts.grams, facts.parcels, facts.domestic, rank) * 85 / 100;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "ShipmentResponse");
    put_success(&json);
    json_open_object(&json, "ShipmentResults");
    json_open_object(&json, "ShipmentCharges");
    put_money(&json, "TotalCharges", "USD", made->amount_minor * 100 / 85);
    json_close_object(&json);
    json_open_object(&json, "NegotiatedRateCharges");
    put_money(&json, "TotalCharge", "USD", made->amount_minor);
    json_close_object(&json);
    json_put_string(&json, "ShipmentIdentificationNumber", made->number);
    put_packages(arena, &json, made);
    json_close_object(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

static void cancel(struct simulator *simulator, struct text number, struct simulator_answer *answer)
{
    struct simulator_shipment *found = simulator_find(simulator, SIMULATOR_UPS, number);
    struct json_writer json;
    int64_t time_us;
    if (found == NULL) {
        refuse(answer, 404, "190102", "No shipment found within the allowed void period");
        return;
    }
    if (found->voided) {
        refuse(answer, 400, "190117", "The shipment has already been voided");
        return;
    }
    if (simulator_has_step(simulator, found, 1, &time_us) &&
        time_us <= simulator_now_us(simulator)) {
        refuse(answer, 400, "190109", "The shipment is on its way and cannot be voided");
        return;
    }
    found->voided = true;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "VoidShipmentResponse");
    put_success(&json);
    json_open_object(&json, "SummaryResult");
    json_open_object(&json, "Status");
    json_put_string(&json, "Code", "1");
    json_put_string(&json, "Description", "Voided");
    json_close_object(&json);
    json_close_object(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

static void recover(struct simulator *simulator, const struct simulator_request *request,
                    struct simulator_answer *answer)
{
    json_t *asked = json_member(request->root, "LabelRecoveryRequest");
    struct simulator_shipment *found = simulator_find(
        simulator, SIMULATOR_UPS, json_words(request->arena, asked, "TrackingNumber"));
    struct json_writer json;
    if (found == NULL) {
        refuse(answer, 400, "300100", "The tracking number is not found");
        return;
    }
    struct simulator_shipment copy = *found;
    memcpy(copy.label_format, "PDF", 4);
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "LabelRecoveryResponse");
    put_success(&json);
    json_put_string(&json, "ShipmentIdentificationNumber", found->number);
    json_open_array(&json, "LabelResults");
    for (size_t i = 0; i < found->parcel_count; i++) {
        json_open_object(&json, NULL);
        json_put_string(&json, "TrackingNumber", found->numbers[i]);
        json_open_object(&json, "LabelImage");
        json_open_object(&json, "LabelImageFormat");
        json_put_string(&json, "Code", "PDF");
        json_close_object(&json);
        json_put_text(&json, "GraphicImage", simulator_label(request->arena, &copy, i));
        json_close_object(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

/* ------------------------------------------------------------------------------------ tracking */

static void put_activity(struct json_writer *json, const struct simulator_shipment *shipment,
                         const struct simulator_step *step, int64_t time_us)
{
    char date[9], clock[7];
    simulator_date(time_us, date);
    simulator_clock(time_us, clock);
    json_open_object(json, NULL);
    json_open_object(json, "location");
    json_open_object(json, "address");
    json_put_string(json, "city",
                    step->at_destination ? shipment->destination_city : shipment->origin_city);
    json_put_string(json, "countryCode",
                    step->at_destination ? shipment->destination_country
                                         : shipment->origin_country);
    json_close_object(json);
    json_close_object(json);
    json_open_object(json, "status");
    json_put_string(json, "type", step->ups_type);
    json_put_string(json, "description", step->description);
    json_put_string(json, "code", step->ups_code);
    json_put_string(json, "statusCode", step->ups_status);
    json_close_object(json);
    json_put_string(json, "date", date);
    json_put_string(json, "time", clock);
    json_put_string(json, "gmtDate", date);
    json_put_string(json, "gmtTime", clock);
    json_put_string(json, "gmtOffset", "+00:00");
    json_close_object(json);
}

/* When it was delivered, as UPS says it beside the activities. */
static void put_delivery(struct json_writer *json, int64_t time_us)
{
    char date[9], clock[7];
    simulator_date(time_us, date);
    simulator_clock(time_us, clock);
    json_open_array(json, "deliveryDate");
    json_open_object(json, NULL);
    json_put_string(json, "type", "DEL");
    json_put_string(json, "date", date);
    json_close_object(json);
    json_close_array(json);
    json_open_object(json, "deliveryTime");
    json_put_string(json, "type", "DEL");
    json_put_string(json, "endTime", clock);
    json_close_object(json);
}

static void put_package(struct simulator *simulator, struct json_writer *json,
                        const struct simulator_shipment *shipment, size_t parcel)
{
    static const struct simulator_step voided = {"MV", "VP",  "007", NULL, NULL, "Shipment voided",
                                                 0,    false, false};
    int64_t now = simulator_now_us(simulator), time_us, delivered_us = 0;
    json_open_object(json, NULL);
    json_put_string(json, "trackingNumber", shipment->numbers[parcel]);
    json_open_array(json, "activity");
    if (shipment->voided)
        put_activity(json, shipment, &voided, shipment->create_time_us);
    for (size_t i = simulator_step_count; i-- > 0;) { /* newest first */
        if (!simulator_has_step(simulator, shipment, i, &time_us) || time_us > now)
            continue;
        put_activity(json, shipment, &simulator_steps[i], time_us);
        if (strcmp(simulator_steps[i].ups_type, "D") == 0 && !shipment->voided)
            delivered_us = time_us;
    }
    json_close_array(json);
    if (delivered_us != 0)
        put_delivery(json, delivered_us);
    json_close_object(json);
}

static void track(struct simulator *simulator, struct text number, struct simulator_answer *answer)
{
    struct simulator_shipment *found = simulator_find(simulator, SIMULATOR_UPS, number);
    struct json_writer json;
    size_t parcel = 0;
    if (found == NULL) {
        answer->status =
            buffer_append_string(
                &answer->body,
                "{\"trackResponse\":{\"shipment\":[{\"warnings\":[{\"code\":\"TW0001\","
                "\"message\":\"Tracking Information Not Found\"}]}]}}")
                ? 200
                : 503;
        return;
    }
    for (size_t i = 0; i < found->parcel_count; i++)
        parcel = text_equals_string(number, found->numbers[i]) ? i : parcel;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "trackResponse");
    json_open_array(&json, "shipment");
    json_open_object(&json, NULL);
    json_put_text(&json, "inquiryNumber", number);
    json_open_array(&json, "package");
    put_package(simulator, &json, found, parcel);
    json_close_array(&json);
    json_close_object(&json);
    json_close_array(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

static void search(struct simulator *simulator, struct text reference,
                   struct simulator_answer *answer)
{
    struct json_writer json;
    size_t cursor = 0, count = 0;
    struct simulator_shipment *one;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_object(&json, "trackResponse");
    json_open_array(&json, "shipment");
    while ((one = simulator_search(simulator, SIMULATOR_UPS, reference, &cursor)) != NULL) {
        count++;
        json_open_object(&json, NULL);
        json_put_text(&json, "inquiryNumber", reference);
        json_open_array(&json, "package");
        for (size_t i = 0; i < one->parcel_count; i++)
            put_package(simulator, &json, one, i);
        json_close_array(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
    if (count > 0)
        return;
    buffer_clear(&answer->body);
    refuse(answer, 404, "151044", "No tracking information available");
}

static struct text behind(struct text path, const char *prefix)
{
    size_t size = strlen(prefix);
    return text_make(path.data + size, path.size - size);
}

bool simulator_ups(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer)
{
    static const char void_path[] = "/api/shipments/v2409/void/cancel/";
    static const char track_path[] = "/api/track/v1/details/";
    static const char search_path[] = "/api/track/v1/reference/details/";
    struct text path = request->path;
    if (text_equals_string(path, "/security/v1/oauth/token"))
        answer->status =
            buffer_append_string(&answer->body, "{\"token_type\":\"Bearer\",\"access_token\":\"ups-"
                                                "simulated\",\"expires_in\":\"14399\"}")
                ? 200
                : 503;
    else if (text_starts_with(path, text_of("/api/rating/")))
        rate(simulator, request, answer);
    else if (text_starts_with(path, text_of(void_path)) && request->method == HTTP_METHOD_DELETE)
        cancel(simulator, behind(path, void_path), answer);
    else if (text_starts_with(path, text_of("/api/shipments/")))
        ship(simulator, request, answer);
    else if (text_starts_with(path, text_of("/api/labels/")))
        recover(simulator, request, answer);
    else if (text_starts_with(path, text_of(track_path)))
        track(simulator, behind(path, track_path), answer);
    else if (text_starts_with(path, text_of(search_path)))
        search(simulator, behind(path, search_path), answer);
    else
        return false;
    return true;
}
