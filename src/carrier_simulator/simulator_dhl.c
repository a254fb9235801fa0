/*
 * MyDHL's contract: rates, labels, tracking by number and by reference; and Unified Tracking. There
 * is no void.
 */
#include "carrier_simulator/simulator_carriers.h"
#include "carrier_simulator/simulator_labels.h"
#include "platform/json/json_writer.h"
#include "shipping/infrastructure/carriers/carrier_json.h"
#include "shipping/infrastructure/carriers/carrier_values.h"

#include <string.h>

static const struct {
    const char *code;
    const char *name;
    bool domestic;
    unsigned rank;
} services[] = {
    {"N", "EXPRESS DOMESTIC", true, 2}, {"I", "EXPRESS DOMESTIC 9:00", true, 3},
    {"H", "ECONOMY SELECT", false, 0},  {"P", "EXPRESS WORLDWIDE", false, 2},
    {"K", "EXPRESS 9:00", false, 3},
};

static void refuse(struct simulator_answer *answer, unsigned status, const char *title,
                   const char *detail)
{
    char number[8] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_put_string(&json, "instance", "/expressapi");
    json_put_string(&json, "title", title);
    json_put_string(&json, "detail", detail);
    json_put_string(&json, "status", number);
    json_close_object(&json);
    answer->status = json.failed ? 503 : status;
}

struct facts {
    int64_t grams;
    size_t parcels;
    bool domestic;
};

static bool read_packages(struct arena *arena, json_t *at, struct facts *facts)
{
    facts->parcels = json_count(at, "packages");
    for (size_t i = 0; i < facts->parcels; i++) {
        int64_t grams;
        if (!decimal_to_integer(json_words(arena, json_element(at, "packages", i), "weight"), 3,
                                &grams))
            return false;
        facts->grams += grams;
    }
    return facts->parcels > 0;
}

static void put_price(struct json_writer *json, const char *list, int64_t minor)
{
    char amount[decimal_size];
    money_to_decimal((struct shipping_money){"USD", minor}, amount);
    json_open_array(json, list);
    json_open_object(json, NULL);
    json_put_string(json, "currencyType", "BILLC");
    json_put_string(json, "priceCurrency", "USD");
    json_put_raw(json, "price", amount);
    json_close_object(json);
    json_close_array(json);
}

static void rate(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct arena *arena = request->arena;
    struct text from =
        json_words(arena, request->root, "customerDetails.shipperDetails.countryCode");
    struct text to =
        json_words(arena, request->root, "customerDetails.receiverDetails.countryCode");
    struct facts facts = {.domestic = text_equal(from, to)};
    struct json_writer json;
    if (!read_packages(arena, request->root, &facts) || from.size != 2 || to.size != 2) {
        refuse(answer, 400, "Bad request", "8001: a weight or country is missing");
        return;
    }
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_array(&json, "products");
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char iso[20];
        if (services[i].domestic != facts.domestic)
            continue;
        simulator_iso(simulator_now_us(simulator) +
                          simulator_days(facts.domestic, services[i].rank) * 86400000000LL,
                      iso);
        json_open_object(&json, NULL);
        json_put_string(&json, "productName", services[i].name);
        json_put_string(&json, "productCode", services[i].code);
        put_price(&json, "totalPrice",
                  simulator_price(facts.grams, facts.parcels, facts.domestic, services[i].rank) *
                      92 / 100);
        json_open_object(&json, "deliveryCapabilities");
        json_put_string(&json, "estimatedDeliveryDateAndTime", iso);
        json_close_object(&json);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

static void remember(struct arena *arena, json_t *root, struct simulator_shipment *made)
{
    static const char *const paths[] = {
        "customerDetails.shipperDetails.postalAddress.cityName",
        "customerDetails.shipperDetails.postalAddress.countryCode",
        "customerDetails.receiverDetails.postalAddress.cityName",
        "customerDetails.receiverDetails.postalAddress.countryCode"};
    bool zpl =
        text_equals_string(json_words(arena, root, "outputImageProperties.encodingFormat"), "zpl");
    simulator_copy(made->label_format, 4, text_of(zpl ? "ZPL" : "PDF"));
    simulator_copy(made->origin_city, sizeof made->origin_city, json_words(arena, root, paths[0]));
    simulator_copy(made->origin_country, sizeof made->origin_country,
                   json_words(arena, root, paths[1]));
    simulator_copy(made->destination_city, sizeof made->destination_city,
                   json_words(arena, root, paths[2]));
    simulator_copy(made->destination_country, sizeof made->destination_country,
                   json_words(arena, root, paths[3]));
    memcpy(made->currency, "USD", 4);
}

static void put_shipment(struct arena *arena, struct json_writer *json,
                         const struct simulator_shipment *made)
{
    json_open_object(json, NULL);
    json_put_string(json, "shipmentTrackingNumber", made->number);
    json_open_array(json, "packages");
    for (size_t i = 0; i < made->parcel_count; i++) {
        json_open_object(json, NULL);
        json_put_integer(json, "referenceNumber", (int64_t)i + 1);
        json_put_string(json, "trackingNumber", made->numbers[i]);
        json_close_object(json);
    }
    json_close_array(json);
    json_open_array(json, "documents");
    for (size_t i = 0; i < made->parcel_count; i++) {
        json_open_object(json, NULL);
        json_put_string(json, "imageFormat", made->label_format);
        json_put_text(json, "content", simulator_label(arena, made, i));
        json_put_string(json, "typeCode", "label");
        json_put_integer(json, "packageReferenceNumber", (int64_t)i + 1);
        json_close_object(json);
    }
    json_close_array(json);
    put_price(json, "shipmentCharges", made->amount_minor);
    json_close_object(json);
}

static void ship(struct simulator *simulator, const struct simulator_request *request,
                 struct simulator_answer *answer)
{
    struct arena *arena = request->arena;
    struct text from = json_words(arena, request->root,
                                  "customerDetails.shipperDetails.postalAddress.countryCode");
    struct text to = json_words(arena, request->root,
                                "customerDetails.receiverDetails.postalAddress.countryCode");
    struct text code = json_words(arena, request->root, "productCode");
    struct facts facts = {.domestic = text_equal(from, to)};
    size_t service = 0, count = sizeof services / sizeof services[0];
    struct json_writer json;
    while (service < count && (!text_equals_string(code, services[service].code) ||
                               services[service].domestic != facts.domestic))
        service++;
    if (!read_packages(arena, json_member(request->root, "content"), &facts) || service == count) {
        refuse(answer, 400, "Bad request",
               service == count ? "1001: The requested product is not available here"
                                : "8001: a weight is missing");
        return;
    }
    struct simulator_shipment *made = simulator_buy(
        simulator, SIMULATOR_DHL, json_words(arena, request->root, "customerReferences.value"),
        facts.parcels, services[service].code);
    if (made == NULL) {
        refuse(answer, 503, "Service Unavailable", "999: no memory");
        return;
    }
    remember(arena, request->root, made);
    made->amount_minor =
        simulator_price(facts.grams, facts.parcels, facts.domestic, services[service].rank) * 92 /
        100;
    json_writer_init(&json, &answer->body);
    put_shipment(arena, &json, made);
    answer->status = json.failed ? 503 : 201;
}

/* ------------------------------------------------------------------------------------ tracking */

static void put_mydhl_event(struct json_writer *json, const struct simulator_shipment *shipment,
                            const struct simulator_step *step, int64_t time_us)
{
    char iso[20], date[11] = {0};
    simulator_iso(time_us, iso);
    memcpy(date, iso, 10);
    json_open_object(json, NULL);
    json_put_string(json, "date", date);
    json_put_string(json, "time", iso + 11);
    json_put_string(json, "GMTOffset", "+00:00");
    json_put_string(json, "typeCode", step->dhl_code);
    json_put_string(json, "description", step->description);
    json_open_array(json, "serviceArea");
    json_open_object(json, NULL);
    json_put_string(json, "code", "SIM");
    json_put_string(json, "description",
                    step->at_destination ? shipment->destination_city : shipment->origin_city);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

static void put_unified_event(struct json_writer *json, const struct simulator_shipment *shipment,
                              const struct simulator_step *step, int64_t time_us)
{
    char iso[20];
    simulator_iso(time_us, iso);
    json_open_object(json, NULL);
    json_put_string(json, "timestamp", iso);
    json_put_string(json, "statusCode",
                    strcmp(step->dhl_code, "OK") == 0 ? "delivered" : "transit");
    json_put_string(json, "description", step->description);
    json_open_object(json, "location");
    json_open_object(json, "address");
    json_put_string(json, "addressLocality",
                    step->at_destination ? shipment->destination_city : shipment->origin_city);
    json_put_string(json, "countryCode",
                    step->at_destination ? shipment->destination_country
                                         : shipment->origin_country);
    json_close_object(json);
    json_close_object(json);
    json_close_object(json);
}

static void put_tracked(struct simulator *simulator, struct json_writer *json,
                        const struct simulator_shipment *shipment, bool unified)
{
    int64_t now = simulator_now_us(simulator), time_us;
    json_open_object(json, NULL);
    json_put_string(json, unified ? "id" : "shipmentTrackingNumber", shipment->number);
    json_open_array(json, "pieces");
    for (size_t i = 0; i < shipment->parcel_count; i++) {
        json_open_object(json, NULL);
        json_put_string(json, "trackingNumber", shipment->numbers[i]);
        json_close_object(json);
    }
    json_close_array(json);
    json_open_array(json, "events");
    for (size_t i = 0; i < simulator_step_count; i++) {
        if (!simulator_has_step(simulator, shipment, i, &time_us) || time_us > now)
            continue;
        if (unified)
            put_unified_event(json, shipment, &simulator_steps[i], time_us);
        else
            put_mydhl_event(json, shipment, &simulator_steps[i], time_us);
    }
    json_close_array(json);
    json_close_object(json);
}

static void put_one(struct simulator *simulator, struct text number, bool unified,
                    struct simulator_answer *answer)
{
    struct simulator_shipment *found = simulator_find(simulator, SIMULATOR_DHL, number);
    struct json_writer json;
    if (found == NULL) {
        refuse(answer, 404, "No result found", "No shipment with given tracking number found.");
        return;
    }
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_array(&json, "shipments");
    put_tracked(simulator, &json, found, unified);
    json_close_array(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
}

static void search(struct simulator *simulator, struct text reference,
                   struct simulator_answer *answer)
{
    struct simulator_shipment *one;
    size_t cursor = 0, count = 0;
    struct json_writer json;
    json_writer_init(&json, &answer->body);
    json_open_object(&json, NULL);
    json_open_array(&json, "shipments");
    while ((one = simulator_search(simulator, SIMULATOR_DHL, reference, &cursor)) != NULL) {
        put_tracked(simulator, &json, one, false);
        count++;
    }
    json_close_array(&json);
    json_close_object(&json);
    answer->status = json.failed ? 503 : 200;
    if (count > 0)
        return;
    buffer_clear(&answer->body);
    refuse(answer, 404, "Not data found", "No Shipments Found for this reference");
}

bool simulator_dhl(struct simulator *simulator, const struct simulator_request *request,
                   struct simulator_answer *answer)
{
    static const char shipments[] = "/shipments/";
    static const char tracking[] = "/tracking";
    struct text path = request->path;
    size_t tail = sizeof tracking - 1, head = sizeof shipments - 1;
    struct text unified = simulator_parameter(request->query, "trackingNumber");
    if (text_equals_string(path, "/rates"))
        rate(simulator, request, answer);
    else if (text_equals_string(path, "/tracking"))
        search(simulator, simulator_parameter(request->query, "shipmentReference"), answer);
    else if (text_equals_string(path, "/shipments") && unified.size > 0)
        put_one(simulator, unified, true, answer);
    else if (text_equals_string(path, "/shipments"))
        ship(simulator, request, answer);
    else if (text_starts_with(path, text_of(shipments)) && path.size > head + tail &&
             memcmp(path.data + path.size - tail, tracking, tail) == 0)
        put_one(simulator, text_make(path.data + head, path.size - head - tail), false, answer);
    else
        return false;
    return true;
}
