/*
 * FedEx REST requests (facts of FedEx's published API descriptions for Authorization, Rates and
 * Transit Times, Ship, Track). Numbers are numbers; all parcels go in one request, which answers
 * with all labels. Pounds and inches from the United States, else kilograms and centimetres;
 * weights with two decimals, rounded up.
 */
#include "shipping/infrastructure/carriers/carrier_address.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/fedex.h"

#include <string.h>

/* application/x-www-form-urlencoded needs the same escapes as a path. */
static void put_form(struct carrier_wire *wire, const char *name, const char *value)
{
    struct carrier_wire escaped;
    carrier_wire_init(&escaped);
    wire_path_escaped(&escaped, text_of(value));
    wire->failed = wire->failed || escaped.failed || !buffer_append_string(&wire->body, name) ||
                   !buffer_append_text(&wire->body, buffer_text(&escaped.path));
    carrier_wire_deinit(&escaped);
}

void fedex_write_token(const struct carrier_settings *settings, struct carrier_wire *wire)
{
    wire_begin(wire, "POST", "/oauth/token");
    wire->content_type = "application/x-www-form-urlencoded";
    put_form(wire, "grant_type=", "client_credentials");
    put_form(wire, "&client_id=", settings->client_id);
    put_form(wire, "&client_secret=", settings->client_secret);
}

static void begin(struct carrier_wire *wire, const char *method, const char *path,
                  const char *transaction)
{
    wire_begin(wire, method, path);
    wire_header(wire, "x-customer-transaction-id", text_of(transaction));
    wire_header(wire, "x-locale", text_of("en_US"));
}

static void put_account(struct json_writer *json, const struct carrier_settings *settings)
{
    json_open_object(json, "accountNumber");
    json_put_string(json, "value", settings->account_number);
    json_close_object(json);
}

static void put_address(struct json_writer *json, const struct shipping_address *address)
{
    struct carrier_lines lines;
    char code[16];
    carrier_lines(address, 35, &lines);
    json_open_object(json, "address");
    json_open_array(json, "streetLines");
    for (size_t i = 0; i < lines.count; i++)
        json_put_text(json, NULL, lines.lines[i]);
    json_close_array(json);
    wire_put_short(json, "city", address->city, 35);
    carrier_put_whole(json, "stateOrProvinceCode", address->region, 14);
    wire_put_short(json, "postalCode", carrier_postal_code(address->postal_code, 10, code), 10);
    json_put_text(json, "countryCode", address->country_code);
    json_put_boolean(json, "residential", address->company.size == 0);
    json_close_object(json);
}

static void put_party(struct json_writer *json, const char *key,
                      const struct shipping_address *address)
{
    char digits[carrier_phone_digits_max];
    json_open_object(json, key);
    put_address(json, address);
    json_open_object(json, "contact");
    wire_put_short(json, "personName", address->name, 70);
    wire_put_short(json, "companyName", address->company, 35);
    wire_put_short(json, "phoneNumber", carrier_phone(address->phone, digits),
                   carrier_phone_digits_max);
    carrier_put_whole(json, "emailAddress", address->email, 80);
    json_close_object(json);
    json_close_object(json);
}

static void put_weight(struct json_writer *json, int64_t grams, bool imperial)
{
    char weight[decimal_size];
    if (imperial)
        weight_to_pounds(grams, 2, weight);
    else
        weight_to_kilograms(grams, 2, weight);
    json_open_object(json, "weight");
    json_put_string(json, "units", imperial ? "LB" : "KG");
    json_put_raw(json, "value", weight);
    json_close_object(json);
}

static void put_money(struct json_writer *json, const char *key, struct shipping_money money)
{
    char amount[decimal_size];
    if (money.currency_code[0] == '\0')
        return;
    money_to_decimal(money, amount);
    json_open_object(json, key);
    json_put_raw(json, "amount", amount);
    json_put_string(json, "currency", money.currency_code);
    json_close_object(json);
}

static int64_t length_of(int64_t millimetres, bool imperial)
{
    return imperial ? length_to_inches(millimetres) : length_to_centimetres(millimetres);
}

static void put_dimensions(struct json_writer *json, const struct shipping_parcel *parcel,
                           bool imperial)
{
    if (parcel->length_mm <= 0 || parcel->width_mm <= 0 || parcel->height_mm <= 0)
        return;
    json_open_object(json, "dimensions");
    json_put_integer(json, "length", length_of(parcel->length_mm, imperial));
    json_put_integer(json, "width", length_of(parcel->width_mm, imperial));
    json_put_integer(json, "height", length_of(parcel->height_mm, imperial));
    json_put_string(json, "units", imperial ? "IN" : "CM");
    json_close_object(json);
}

/* What is insured is declared with the first parcel, which stands for the shipment. */
static void put_parcels(struct json_writer *json, const struct consignment *consignment,
                        const char *reference)
{
    bool imperial = country_is_imperial(consignment->origin.country_code);
    json_open_array(json, "requestedPackageLineItems");
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        const struct shipping_parcel *parcel = &consignment->parcels[i];
        json_open_object(json, NULL);
        json_put_integer(json, "groupPackageCount", 1);
        if (reference != NULL) {
            json_put_integer(json, "sequenceNumber", (int64_t)i + 1);
            json_open_array(json, "customerReferences");
            json_open_object(json, NULL);
            json_put_string(json, "customerReferenceType", "CUSTOMER_REFERENCE");
            json_put_string(json, "value", reference);
            json_close_object(json);
            json_close_array(json);
        }
        put_weight(json, parcel->weight_grams, imperial);
        put_dimensions(json, parcel, imperial);
        if (i == 0)
            put_money(json, "declaredValue", consignment->options.insured_value);
        if (consignment->options.signature) {
            json_open_object(json, "packageSpecialServices");
            json_open_array(json, "specialServiceTypes");
            json_put_string(json, NULL, "SIGNATURE_OPTION");
            json_close_array(json);
            json_put_string(json, "signatureOptionType", "DIRECT");
            json_close_object(json);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

static const char *purpose_of(struct text contents_type)
{
    if (text_equals_string(contents_type, "GIFT"))
        return "GIFT";
    if (text_equals_string(contents_type, "SAMPLE"))
        return "SAMPLE";
    if (text_equals_string(contents_type, "RETURN"))
        return "REPAIR_AND_RETURN";
    return "SOLD";
}

static void put_commodity(struct json_writer *json, const struct shipping_customs_item *item,
                          bool imperial)
{
    struct shipping_money whole = item->value;
    whole.amount_minor *= item->quantity;
    json_open_object(json, NULL);
    wire_put_short(json, "description", item->description, 450);
    json_put_text(json, "countryOfManufacture", item->origin_country);
    wire_put_short(json, "harmonizedCode", item->hs_code, 35);
    json_put_integer(json, "quantity", item->quantity);
    json_put_string(json, "quantityUnits", "PCS");
    json_put_integer(json, "numberOfPieces", 1);
    put_weight(json, item->weight_grams * item->quantity, imperial);
    put_money(json, "unitPrice", item->value);
    put_money(json, "customsValue", whole);
    json_close_object(json);
}

/* The rates' document knows no payer of duties but the sender. */
static void put_customs(struct json_writer *json, const struct consignment *consignment,
                        bool for_rates)
{
    const struct shipping_customs *customs = consignment->customs;
    bool imperial = country_is_imperial(consignment->origin.country_code);
    if (customs == NULL)
        return;
    json_open_object(json, "customsClearanceDetail");
    json_open_object(json, "dutiesPayment");
    json_put_string(json, "paymentType",
                    for_rates || text_equals_string(customs->incoterm, "DDP") ? "SENDER"
                                                                              : "RECIPIENT");
    json_close_object(json);
    json_put_boolean(json, "isDocumentOnly",
                     text_equals_string(customs->contents_type, "DOCUMENTS"));
    json_open_object(json, "commercialInvoice");
    json_put_string(json, "shipmentPurpose", purpose_of(customs->contents_type));
    wire_put_short(json, "termsOfSale", customs->incoterm, 3);
    json_close_object(json);
    json_open_array(json, "commodities");
    for (size_t i = 0; i < customs->item_count; i++)
        put_commodity(json, &customs->items[i], imperial);
    json_close_array(json);
    json_close_object(json);
}

static void put_shipment_services(struct json_writer *json, const struct consignment *consignment)
{
    bool back = consignment->direction == SHIPPING_RETURN;
    if (!back && !consignment->options.saturday)
        return;
    json_open_object(json, "shipmentSpecialServices");
    json_open_array(json, "specialServiceTypes");
    if (back)
        json_put_string(json, NULL, "RETURN_SHIPMENT");
    if (consignment->options.saturday)
        json_put_string(json, NULL, "SATURDAY_DELIVERY");
    json_close_array(json);
    if (back) {
        json_open_object(json, "returnShipmentDetail");
        json_put_string(json, "returnType", "PRINT_RETURN_LABEL");
        json_close_object(json);
    }
    json_close_object(json);
}

static void put_total_weight(struct json_writer *json, const struct consignment *consignment)
{
    char weight[decimal_size];
    int64_t grams = 0;
    for (size_t i = 0; i < consignment->parcel_count; i++)
        grams += consignment->parcels[i].weight_grams;
    if (country_is_imperial(consignment->origin.country_code))
        weight_to_pounds(grams, 2, weight);
    else
        weight_to_kilograms(grams, 2, weight);
    json_put_raw(json, "totalWeight", weight);
}

void fedex_write_rates(const struct carrier_settings *settings,
                       const struct carrier_rate_request *request, struct carrier_wire *wire)
{
    const struct consignment *consignment = request->consignment;
    begin(wire, "POST", "/rate/v1/rates/quotes", "rates");
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    put_account(&json, settings);
    json_open_object(&json, "rateRequestControlParameters");
    json_put_boolean(&json, "returnTransitTimes", true);
    if (consignment->options.saturday)
        json_put_string(&json, "variableOptions", "SATURDAY_DELIVERY");
    json_close_object(&json);
    json_open_object(&json, "requestedShipment");
    put_party(&json, "shipper", &consignment->origin);
    put_party(&json, "recipient", &consignment->destination);
    json_put_string(&json, "pickupType", "USE_SCHEDULED_PICKUP");
    json_put_string(&json, "packagingType", "YOUR_PACKAGING");
    json_open_array(&json, "rateRequestType");
    json_put_string(&json, NULL, "ACCOUNT");
    json_put_string(&json, NULL, "LIST");
    json_close_array(&json);
    if (consignment->ship_date[0] != '\0')
        json_put_string(&json, "shipDateStamp", consignment->ship_date);
    json_put_integer(&json, "totalPackageCount", (int64_t)consignment->parcel_count);
    put_total_weight(&json, consignment);
    put_shipment_services(&json, consignment);
    put_customs(&json, consignment, true);
    put_parcels(&json, consignment, NULL);
    json_close_object(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}

static void put_label(struct json_writer *json, enum shipping_label_format format)
{
    static const char *const types[] = {
        [SHIPPING_LABEL_PDF] = "PDF", [SHIPPING_LABEL_ZPL] = "ZPLII", [SHIPPING_LABEL_PNG] = "PNG"};
    json_open_object(json, "labelSpecification");
    json_put_string(json, "labelFormatType", "COMMON2D");
    json_put_string(json, "imageType", types[format]);
    json_put_string(json, "labelStockType",
                    format == SHIPPING_LABEL_ZPL ? "STOCK_4X6" : "PAPER_4X6");
    json_close_object(json);
}

void fedex_write_shipment(const struct carrier_settings *settings,
                          const struct carrier_shipment_request *request, struct carrier_wire *wire)
{
    const struct consignment *consignment = request->consignment;
    char reference[carrier_reference_size];
    carrier_reference(request->shipment_id, reference);
    begin(wire, "POST", "/ship/v1/shipments", reference);
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    put_account(&json, settings);
    json_put_string(&json, "labelResponseOptions", "LABEL");
    json_put_string(&json, "processingOptionType", "SYNCHRONOUS_ONLY");
    json_put_string(&json, "shipAction", "CONFIRM");
    json_put_boolean(&json, "oneLabelAtATime", false);
    json_open_object(&json, "requestedShipment");
    if (consignment->ship_date[0] != '\0')
        json_put_string(&json, "shipDatestamp", consignment->ship_date);
    put_party(&json, "shipper", &consignment->origin);
    json_open_array(&json, "recipients");
    put_party(&json, NULL, &consignment->destination);
    json_close_array(&json);
    json_put_string(&json, "pickupType", "USE_SCHEDULED_PICKUP");
    json_put_text(&json, "serviceType", request->service_code);
    json_put_string(&json, "packagingType", "YOUR_PACKAGING");
    put_total_weight(&json, consignment);
    json_put_integer(&json, "totalPackageCount", (int64_t)consignment->parcel_count);
    json_open_object(&json, "shippingChargesPayment");
    json_put_string(&json, "paymentType", "SENDER");
    json_close_object(&json);
    json_open_array(&json, "rateRequestType");
    json_put_string(&json, NULL, "ACCOUNT");
    json_close_array(&json);
    put_label(&json, request->label_format);
    put_shipment_services(&json, consignment);
    put_customs(&json, consignment, false);
    put_parcels(&json, consignment, reference);
    json_close_object(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}

void fedex_write_cancel(const struct carrier_settings *settings,
                        const struct carrier_cancel_request *request, struct carrier_wire *wire)
{
    char reference[carrier_reference_size];
    carrier_reference(request->shipment_id, reference);
    begin(wire, "PUT", "/ship/v1/shipments/cancel", reference);
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    put_account(&json, settings);
    if (request->country_code.size > 0)
        json_put_text(&json, "senderCountryCode", request->country_code);
    json_put_string(&json, "deletionControl", "DELETE_ALL_PACKAGES");
    json_put_text(&json, "trackingNumber", request->tracking_number);
    json_close_object(&json);
    wire_end(wire, &json);
}

void fedex_write_tracking(const struct carrier_settings *settings,
                          const struct carrier_tracking_request *request, struct carrier_wire *wire)
{
    (void)settings;
    begin(wire, "POST", "/track/v1/trackingnumbers", "track");
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_array(&json, "trackingInfo");
    json_open_object(&json, NULL);
    json_open_object(&json, "trackingNumberInfo");
    json_put_text(&json, "trackingNumber", request->tracking_number);
    json_close_object(&json);
    json_close_object(&json);
    json_close_array(&json);
    json_put_boolean(&json, "includeDetailedScans", true);
    json_close_object(&json);
    wire_end(wire, &json);
}

void fedex_write_find(const struct carrier_settings *settings,
                      const struct carrier_find_request *request, struct carrier_wire *wire)
{
    static const int64_t day_us = 86400 * 1000000LL;
    char reference[carrier_reference_size], from[11], to[11];
    carrier_reference(request->shipment_id, reference);
    date_to_iso(request->sent_time_us - day_us, from);
    date_to_iso(request->sent_time_us + 14 * day_us, to);
    begin(wire, "POST", "/track/v1/referencenumbers", reference);
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_object(&json, "referencesInformation");
    json_put_string(&json, "type", "CUSTOMER_REFERENCE");
    json_put_string(&json, "value", reference);
    json_put_string(&json, "accountNumber", settings->account_number);
    json_put_string(&json, "shipDateBegin", from);
    json_put_string(&json, "shipDateEndDate", to);
    json_close_object(&json);
    json_put_boolean(&json, "includeDetailedScans", true);
    json_close_object(&json);
    wire_end(wire, &json);
}
