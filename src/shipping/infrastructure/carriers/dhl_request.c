/*
 * MyDHL API requests (facts of DHL's published API description, release 3.1.1) and Unified
 * Tracking. Metric always: kilograms with three decimals, which are grams, and whole centimetres,
 * rounded up. A phone number, a company and a full name are asked for; one name stands for both.
 * There is no call to void a shipment.
 */
#include "shipping/infrastructure/carriers/carrier_address.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/dhl.h"

#include <stdio.h>
#include <string.h>

static void put_address(struct json_writer *json, const struct shipping_address *address)
{
    static const char *const lines[] = {"addressLine1", "addressLine2", "addressLine3"};
    struct carrier_lines found;
    char code[16];
    carrier_lines(address, 45, &found);
    json_put_text(json, "postalCode",
                  text_shortened(carrier_postal_code(address->postal_code, 12, code), 12));
    wire_put_short(json, "cityName", address->city, 45);
    json_put_text(json, "countryCode", address->country_code);
    if (address->region.size >= 2)
        carrier_put_whole(json, "provinceCode", address->region, 35);
    for (size_t i = 0; i < found.count; i++)
        json_put_text(json, lines[i], found.lines[i]);
}

static void put_party(struct json_writer *json, const char *key,
                      const struct shipping_address *address)
{
    struct text name = address->name.size > 0 ? address->name : address->company;
    struct text company = address->company.size > 0 ? address->company : address->name;
    json_open_object(json, key);
    json_open_object(json, "postalAddress");
    put_address(json, address);
    json_close_object(json);
    json_open_object(json, "contactInformation");
    carrier_put_whole(json, "email", address->email, 70);
    wire_put_short(json, "phone", address->phone.size > 0 ? address->phone : text_of("0"), 70);
    wire_put_short(json, "companyName", company, 100);
    wire_put_short(json, "fullName", name, 255);
    json_close_object(json);
    json_close_object(json);
}

static bool is_return(const struct consignment *consignment)
{
    return consignment->direction == SHIPPING_RETURN;
}

static void put_time(struct json_writer *json, const struct consignment *consignment)
{
    char text[32];
    snprintf(text, sizeof text, "%.10sT12:00:00 GMT+00:00", consignment->ship_date);
    json_put_string(json, "plannedShippingDateAndTime", text);
}

/*
 * Of a return the shipper is a customer, who has no account: ours stands for it and pays. There is
 * no other mark of a return, but the reason of the export where customs ask for one.
 */
static void put_accounts(struct json_writer *json, const struct carrier_settings *settings,
                         const struct consignment *consignment)
{
    json_open_array(json, "accounts");
    for (int i = 0; i < (is_return(consignment) ? 2 : 1); i++) {
        json_open_object(json, NULL);
        json_put_string(json, "typeCode", i == 0 ? "shipper" : "payer");
        json_put_string(json, "number", settings->account_number);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_packages(struct json_writer *json, const struct consignment *consignment,
                         const char *reference)
{
    json_open_array(json, "packages");
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        const struct shipping_parcel *parcel = &consignment->parcels[i];
        char weight[decimal_size];
        json_open_object(json, NULL);
        weight_to_kilograms(parcel->weight_grams, 3, weight);
        json_put_raw(json, "weight", weight);
        if (parcel->length_mm > 0 && parcel->width_mm > 0 && parcel->height_mm > 0) {
            json_open_object(json, "dimensions");
            json_put_integer(json, "length", length_to_centimetres(parcel->length_mm));
            json_put_integer(json, "width", length_to_centimetres(parcel->width_mm));
            json_put_integer(json, "height", length_to_centimetres(parcel->height_mm));
            json_close_object(json);
        }
        if (reference != NULL) {
            json_open_array(json, "customerReferences");
            json_open_object(json, NULL);
            json_put_string(json, "value", reference);
            json_put_string(json, "typeCode", "CU");
            json_close_object(json);
            json_close_array(json);
        }
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_amount(struct json_writer *json, const char *key, struct shipping_money money)
{
    char amount[decimal_size];
    money_to_decimal(money, amount);
    json_put_raw(json, key, amount);
}

/* Adds so many times a value; false: another currency than that of the sum. */
static bool add_value(struct shipping_money *sum, struct shipping_money value, int64_t quantity)
{
    if (value.currency_code[0] == '\0')
        return true;
    if (sum->currency_code[0] != '\0' && strcmp(sum->currency_code, value.currency_code) != 0)
        return false;
    memcpy(sum->currency_code, value.currency_code, sizeof sum->currency_code);
    sum->amount_minor += value.amount_minor * quantity;
    return true;
}

/* What customs are told: the items' value, else what the parcels are worth, in one currency. */
static struct shipping_money declared_value(const struct consignment *consignment)
{
    struct shipping_money sum = {0};
    const struct shipping_customs *customs = consignment->customs;
    bool fits = true;
    for (size_t i = 0; customs != NULL && i < customs->item_count && fits; i++)
        fits = add_value(&sum, customs->items[i].value, customs->items[i].quantity);
    for (size_t i = 0; customs == NULL && i < consignment->parcel_count && fits; i++)
        fits = add_value(&sum, consignment->parcels[i].value, 1);
    return fits ? sum : (struct shipping_money){0};
}

static bool is_declarable(const struct consignment *consignment)
{
    return consignment->customs != NULL &&
           !text_equals_string(consignment->customs->contents_type, "DOCUMENTS");
}

static void put_service(struct json_writer *json, const char *code, struct shipping_money value)
{
    json_open_object(json, NULL);
    json_put_string(json, "serviceCode", code);
    if (value.currency_code[0] != '\0') {
        put_amount(json, "value", value);
        json_put_string(json, "currency", value.currency_code);
    }
    json_close_object(json);
}

static void put_services(struct json_writer *json, const struct consignment *consignment)
{
    static const struct shipping_money none;
    const struct shipping_options *options = &consignment->options;
    bool duties =
        consignment->customs != NULL && text_equals_string(consignment->customs->incoterm, "DDP");
    bool insured = options->insured_value.currency_code[0] != '\0';
    if (!options->signature && !options->saturday && !insured && !duties)
        return;
    json_open_array(json, "valueAddedServices");
    if (insured)
        put_service(json, "II", options->insured_value);
    if (options->signature)
        put_service(json, "SF", none);
    if (options->saturday)
        put_service(json, "AA", none);
    if (duties)
        put_service(json, "DD", none);
    json_close_array(json);
}

static void put_estimate(struct json_writer *json)
{
    json_open_object(json, "estimatedDeliveryDate");
    json_put_boolean(json, "isRequested", true);
    json_put_string(json, "typeCode", "QDDC");
    json_close_object(json);
}

void dhl_write_rates(const struct carrier_settings *settings,
                     const struct carrier_rate_request *request, struct carrier_wire *wire)
{
    const struct consignment *consignment = request->consignment;
    struct shipping_money value = declared_value(consignment);
    wire_begin(wire, "POST", "/rates");
    wire_header(wire, "Message-Reference", text_of("waybill-rates-0000000000000000"));
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_object(&json, "customerDetails");
    json_open_object(&json, "shipperDetails");
    put_address(&json, &consignment->origin);
    json_close_object(&json);
    json_open_object(&json, "receiverDetails");
    put_address(&json, &consignment->destination);
    json_close_object(&json);
    json_close_object(&json);
    put_accounts(&json, settings, consignment);
    put_services(&json, consignment);
    put_time(&json, consignment);
    json_put_string(&json, "unitOfMeasurement", "metric");
    json_put_boolean(&json, "isCustomsDeclarable", is_declarable(consignment));
    if (value.currency_code[0] != '\0') {
        json_open_array(&json, "monetaryAmount");
        json_open_object(&json, NULL);
        json_put_string(&json, "typeCode", "declaredValue");
        put_amount(&json, "value", value);
        json_put_string(&json, "currency", value.currency_code);
        json_close_object(&json);
        json_close_array(&json);
    }
    put_estimate(&json);
    json_put_boolean(&json, "nextBusinessDay", true);
    put_packages(&json, consignment, NULL);
    json_close_object(&json);
    wire_end(wire, &json);
}

static const char *reason_of(const struct consignment *consignment)
{
    struct text contents_type = consignment->customs->contents_type;
    if (text_equals_string(contents_type, "GIFT"))
        return "gift";
    if (text_equals_string(contents_type, "SAMPLE"))
        return "sample";
    if (text_equals_string(contents_type, "RETURN") || is_return(consignment))
        return "return";
    return "commercial_purpose_or_sale";
}

static void put_item(struct json_writer *json, const struct consignment *consignment, size_t index)
{
    const struct shipping_customs_item *item = &consignment->customs->items[index];
    char weight[decimal_size];
    json_open_object(json, NULL);
    json_put_integer(json, "number", (int64_t)index + 1);
    wire_put_short(json, "description", item->description, 512);
    put_amount(json, "price", item->value);
    json_open_object(json, "quantity");
    json_put_integer(json, "value", item->quantity);
    json_put_string(json, "unitOfMeasurement", "PCS");
    json_close_object(json);
    if (item->hs_code.size >= 2) {
        json_open_array(json, "commodityCodes");
        json_open_object(json, NULL);
        json_put_string(json, "typeCode", "outbound");
        wire_put_short(json, "value", item->hs_code, 18);
        json_close_object(json);
        json_close_array(json);
    }
    json_put_string(json, "exportReasonType", reason_of(consignment));
    json_put_text(json, "manufacturerCountry", item->origin_country);
    weight_to_kilograms(item->weight_grams * item->quantity, 3, weight);
    json_open_object(json, "weight");
    json_put_raw(json, "netValue", weight);
    json_put_raw(json, "grossValue", weight);
    json_close_object(json);
    json_close_object(json);
}

static void put_declaration(struct json_writer *json, const struct consignment *consignment,
                            const char *reference)
{
    const struct shipping_customs *customs = consignment->customs;
    json_open_object(json, "exportDeclaration");
    json_open_array(json, "lineItems");
    for (size_t i = 0; i < customs->item_count; i++)
        put_item(json, consignment, i);
    json_close_array(json);
    json_open_object(json, "invoice");
    json_put_string(json, "number", reference);
    json_put_string(json, "date", consignment->ship_date);
    json_close_object(json);
    json_put_string(json, "exportReasonType", reason_of(consignment));
    json_close_object(json);
}

static void put_content(struct json_writer *json, const struct consignment *consignment,
                        const char *reference)
{
    const struct shipping_customs *customs = consignment->customs;
    struct shipping_money value = declared_value(consignment);
    struct text incoterm =
        customs != NULL && customs->incoterm.size > 0 ? customs->incoterm : text_of("DAP");
    struct text description = customs != NULL && customs->item_count > 0
                                  ? customs->items[0].description
                                  : text_of("Goods");
    json_open_object(json, "content");
    put_packages(json, consignment, reference);
    json_put_boolean(json, "isCustomsDeclarable", is_declarable(consignment));
    if (value.currency_code[0] != '\0') {
        put_amount(json, "declaredValue", value);
        json_put_string(json, "declaredValueCurrency", value.currency_code);
    }
    if (is_declarable(consignment) && customs->item_count > 0)
        put_declaration(json, consignment, reference);
    wire_put_short(json, "description", description, 70);
    json_put_text(json, "incoterm", incoterm);
    json_put_string(json, "unitOfMeasurement", "metric");
    json_close_object(json);
}

static void put_images(struct json_writer *json, enum shipping_label_format format)
{
    json_open_object(json, "outputImageProperties");
    json_put_string(json, "encodingFormat", format == SHIPPING_LABEL_ZPL ? "zpl" : "pdf");
    json_open_array(json, "imageOptions");
    json_open_object(json, NULL);
    json_put_string(json, "typeCode", "label");
    json_put_string(json, "templateName", "ECOM26_84_001");
    json_put_boolean(json, "isRequested", true);
    json_close_object(json);
    json_close_array(json);
    json_close_object(json);
}

void dhl_write_shipment(const struct carrier_settings *settings,
                        const struct carrier_shipment_request *request, struct carrier_wire *wire)
{
    const struct consignment *consignment = request->consignment;
    char reference[carrier_reference_size];
    carrier_reference(request->shipment_id, reference);
    wire_begin(wire, "POST", "/shipments");
    wire_header(wire, "Message-Reference", text_of(reference));
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    put_time(&json, consignment);
    json_open_object(&json, "pickup");
    json_put_boolean(&json, "isRequested", false);
    json_close_object(&json);
    json_put_text(&json, "productCode", request->service_code);
    json_put_boolean(&json, "getRateEstimates", true);
    put_accounts(&json, settings, consignment);
    put_services(&json, consignment);
    put_images(&json, request->label_format);
    json_open_array(&json, "customerReferences");
    json_open_object(&json, NULL);
    json_put_string(&json, "value", reference);
    json_put_string(&json, "typeCode", "CU");
    json_close_object(&json);
    json_close_array(&json);
    json_open_object(&json, "customerDetails");
    put_party(&json, "shipperDetails", &consignment->origin);
    put_party(&json, "receiverDetails", &consignment->destination);
    json_close_object(&json);
    put_content(&json, consignment, reference);
    put_estimate(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}

void dhl_write_tracking(const struct carrier_settings *settings,
                        const struct carrier_tracking_request *request, struct carrier_wire *wire)
{
    if (settings->tracking_base_url != NULL && settings->tracking_key != NULL) {
        wire_begin(wire, "GET", "/shipments?trackingNumber=");
        wire_path_escaped(wire, request->tracking_number);
        wire_path(wire, "&service=express&language=en");
        wire->to_tracking = true;
        wire_header(wire, "DHL-API-Key", text_of(settings->tracking_key));
        return;
    }
    wire_begin(wire, "GET", "/shipments/");
    wire_path_escaped(wire, request->tracking_number);
    wire_path(wire, "/tracking?trackingView=all-checkpoints&levelOfDetail=shipment"
                    "&requestGMTOffsetPerEvent=true");
    wire_header(wire, "Message-Reference", text_shortened(request->tracking_number, 36));
}

void dhl_write_find(const struct carrier_settings *settings,
                    const struct carrier_find_request *request, struct carrier_wire *wire)
{
    static const int64_t day_us = 86400 * 1000000LL;
    char reference[carrier_reference_size], from[11], to[11];
    carrier_reference(request->shipment_id, reference);
    date_to_iso(request->sent_time_us - day_us, from);
    date_to_iso(request->sent_time_us + 14 * day_us, to);
    wire_begin(wire, "GET", "/tracking?shipmentReference=");
    wire_path_escaped(wire, text_of(reference));
    wire_path(wire, "&shipmentReferenceType=CU&shipperAccountNumber=");
    wire_path_escaped(wire, text_of(settings->account_number));
    wire_path(wire, "&dateRangeFrom=");
    wire_path(wire, from);
    wire_path(wire, "&dateRangeTo=");
    wire_path(wire, to);
    wire_path(wire, "&trackingView=shipment-details-only&levelOfDetail=all");
    wire_header(wire, "Message-Reference", text_of(reference));
}
