/*
 * UPS REST requests (UPS's OpenAPI documents for Rating, Shipping, Tracking, OAuth, 2025; MIT).
 * Numbers are strings everywhere. Lists are always written as arrays, which the documents demand,
 * although UPS's own samples write single objects. Pounds and inches from the United States, else
 * kilograms and centimetres; weights with one decimal, rounded up. PDF is no label format of UPS:
 * a PNG is asked for instead, and label recovery alone gives PDF.
 */
#include "shipping/infrastructure/carriers/carrier_address.h"
#include "shipping/infrastructure/carriers/carrier_values.h"
#include "shipping/infrastructure/carriers/ups.h"

#include <stdio.h>
#include <string.h>

static const char version[] = "v2409";
enum { name_bytes_max = 35, line_bytes_max = 35 };

static void identify(struct carrier_wire *wire, struct text reference)
{
    wire_header(wire, "transId", reference);
    wire_header(wire, "transactionSrc", text_of("waybill"));
}

void ups_write_token(const struct carrier_settings *settings, struct carrier_wire *wire)
{
    wire_begin(wire, "POST", "/security/v1/oauth/token");
    wire->content_type = "application/x-www-form-urlencoded";
    wire->failed =
        wire->failed || !buffer_append_string(&wire->body, "grant_type=client_credentials");
    wire_header(wire, "x-merchant-id", text_of(settings->account_number));
}

static void put_address(struct json_writer *json, const struct shipping_address *address)
{
    struct carrier_lines lines;
    char code[16];
    carrier_lines(address, line_bytes_max, &lines);
    json_open_object(json, "Address");
    json_open_array(json, "AddressLine");
    for (size_t i = 0; i < lines.count; i++)
        json_put_text(json, NULL, lines.lines[i]);
    json_close_array(json);
    wire_put_short(json, "City", address->city, 30);
    carrier_put_whole(json, "StateProvinceCode", address->region, 5);
    wire_put_short(json, "PostalCode", carrier_postal_code(address->postal_code, 9, code), 9);
    json_put_text(json, "CountryCode", address->country_code);
    json_close_object(json);
}

static struct text firm_of(const struct shipping_address *address)
{
    return address->company.size > 0 ? address->company : address->name;
}

static void put_party(struct json_writer *json, const char *key,
                      const struct shipping_address *address, const char *account)
{
    json_open_object(json, key);
    wire_put_short(json, "Name", firm_of(address), name_bytes_max);
    wire_put_short(json, "AttentionName", address->name.size > 0 ? address->name : address->company,
                   name_bytes_max);
    char digits[carrier_phone_digits_max];
    struct text phone = carrier_phone(address->phone, digits);
    if (phone.size > 0) {
        json_open_object(json, "Phone");
        json_put_text(json, "Number", phone);
        json_close_object(json);
    }
    carrier_put_whole(json, "EMailAddress", address->email, 50);
    if (account != NULL)
        json_put_string(json, "ShipperNumber", account);
    put_address(json, address);
    json_close_object(json);
}

static void put_code(struct json_writer *json, const char *key, const char *code)
{
    json_open_object(json, key);
    json_put_string(json, "Code", code);
    json_close_object(json);
}

/* The rating document demands a description, which says nothing. */
static void put_unit(struct json_writer *json, const char *code, const char *description)
{
    json_open_object(json, "UnitOfMeasurement");
    json_put_string(json, "Code", code);
    json_put_string(json, "Description", description);
    json_close_object(json);
}

static void put_weight(struct json_writer *json, const char *key, int64_t grams, bool imperial)
{
    char weight[decimal_size];
    if (imperial)
        weight_to_pounds(grams, 1, weight);
    else
        weight_to_kilograms(grams, 1, weight);
    json_open_object(json, key);
    put_unit(json, imperial ? "LBS" : "KGS", imperial ? "Pounds" : "Kilograms");
    json_put_string(json, "Weight", weight);
    json_close_object(json);
}

static void put_length(struct json_writer *json, const char *key, int64_t mm, bool imperial)
{
    char text[24];
    snprintf(text, sizeof text, "%lld",
             (long long)(imperial ? length_to_inches(mm) : length_to_centimetres(mm)));
    json_put_string(json, key, text);
}

static void put_money(struct json_writer *json, const char *key, struct shipping_money money)
{
    char amount[decimal_size];
    money_to_decimal(money, amount);
    json_open_object(json, key);
    json_put_string(json, "CurrencyCode", money.currency_code);
    json_put_string(json, "MonetaryValue", amount);
    json_close_object(json);
}

/* What is insured, shared out: the first parcel takes what does not divide. */
static struct shipping_money share_of(struct shipping_money whole, size_t index, size_t count)
{
    struct shipping_money share = whole;
    share.amount_minor = whole.amount_minor / (int64_t)count;
    if (index == 0)
        share.amount_minor += whole.amount_minor % (int64_t)count;
    return share;
}

static bool is_domestic(const struct consignment *consignment)
{
    return text_equal(consignment->origin.country_code, consignment->destination.country_code);
}

static void put_package_options(struct json_writer *json, const struct consignment *consignment,
                                size_t index)
{
    const struct shipping_options *options = &consignment->options;
    bool insured = options->insured_value.currency_code[0] != '\0';
    bool signature = options->signature && is_domestic(consignment);
    if (!insured && !signature)
        return;
    json_open_object(json, "PackageServiceOptions");
    if (signature) {
        json_open_object(json, "DeliveryConfirmation");
        json_put_string(json, "DCISType", "2");
        json_close_object(json);
    }
    if (insured)
        put_money(json, "DeclaredValue",
                  share_of(options->insured_value, index, consignment->parcel_count));
    json_close_object(json);
}

/*
 * The shipping request calls the packaging "Packaging", the rating request "PackagingType". A
 * description is asked for in the shipping request, with returns alone.
 */
static void put_packages(struct json_writer *json, const struct consignment *consignment,
                         const char *packaging, bool described)
{
    bool imperial = country_is_imperial(consignment->origin.country_code);
    json_open_array(json, "Package");
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        const struct shipping_parcel *parcel = &consignment->parcels[i];
        json_open_object(json, NULL);
        if (described)
            json_put_string(json, "Description", "Goods");
        put_code(json, packaging, "02");
        if (parcel->length_mm > 0 && parcel->width_mm > 0 && parcel->height_mm > 0) {
            json_open_object(json, "Dimensions");
            put_unit(json, imperial ? "IN" : "CM", imperial ? "Inches" : "Centimeters");
            put_length(json, "Length", parcel->length_mm, imperial);
            put_length(json, "Width", parcel->width_mm, imperial);
            put_length(json, "Height", parcel->height_mm, imperial);
            json_close_object(json);
        }
        put_weight(json, "PackageWeight", parcel->weight_grams, imperial);
        put_package_options(json, consignment, i);
        json_close_object(json);
    }
    json_close_array(json);
}

static void put_request(struct json_writer *json, const char *option, const char *context)
{
    json_open_object(json, "Request");
    json_put_string(json, "RequestOption", option);
    json_put_string(json, "SubVersion", "2409");
    json_open_object(json, "TransactionReference");
    json_put_string(json, "CustomerContext", context);
    json_close_object(json);
    json_close_object(json);
}

static void put_payment(struct json_writer *json, const char *key,
                        const struct carrier_settings *settings,
                        const struct consignment *consignment)
{
    bool duties =
        consignment->customs != NULL && text_equals_string(consignment->customs->incoterm, "DDP");
    json_open_object(json, key);
    json_open_array(json, "ShipmentCharge");
    for (int i = 0; i < (duties ? 2 : 1); i++) {
        json_open_object(json, NULL);
        json_put_string(json, "Type", i == 0 ? "01" : "02");
        json_open_object(json, "BillShipper");
        json_put_string(json, "AccountNumber", settings->account_number);
        json_close_object(json);
        json_close_object(json);
    }
    json_close_array(json);
    json_close_object(json);
}

/* Of the whole: what the parcels are declared to be worth, where all say it in one currency. */
static struct shipping_money value_of(const struct consignment *consignment)
{
    struct shipping_money sum = {0};
    for (size_t i = 0; i < consignment->parcel_count; i++) {
        struct shipping_money value = consignment->parcels[i].value;
        if (value.currency_code[0] == '\0')
            continue;
        if (sum.currency_code[0] != '\0' && strcmp(sum.currency_code, value.currency_code) != 0)
            return (struct shipping_money){0};
        memcpy(sum.currency_code, value.currency_code, sizeof sum.currency_code);
        sum.amount_minor += value.amount_minor;
    }
    return sum;
}

/* Asked for across borders. */
static void put_value(struct json_writer *json, const struct consignment *consignment)
{
    struct shipping_money value = value_of(consignment);
    if (value.currency_code[0] != '\0' && !is_domestic(consignment))
        put_money(json, "InvoiceLineTotal", value);
}

static bool is_return(const struct consignment *consignment)
{
    return consignment->direction == SHIPPING_RETURN;
}

/* The account's owner: of a return, who gets it. */
static const struct shipping_address *shipper_of(const struct consignment *consignment)
{
    return is_return(consignment) ? &consignment->destination : &consignment->origin;
}

/* What holds for the whole; of a signature, where parcels cannot ask for it. */
static void put_common_options(struct json_writer *json, const struct consignment *consignment)
{
    if (consignment->options.saturday)
        json_put_string(json, "SaturdayDeliveryIndicator", "Y");
    if (consignment->options.signature && !is_domestic(consignment)) {
        json_open_object(json, "DeliveryConfirmation");
        json_put_string(json, "DCISType", "1");
        json_close_object(json);
    }
}

static void put_rate_options(struct json_writer *json, const struct consignment *consignment)
{
    bool signature = consignment->options.signature && !is_domestic(consignment);
    if (!consignment->options.saturday && !signature && !is_return(consignment))
        return;
    json_open_object(json, "ShipmentServiceOptions");
    put_common_options(json, consignment);
    if (is_return(consignment))
        put_code(json, "ReturnService", "9"); /* print return label */
    json_close_object(json);
}

static void compact_date(const char *iso, char date[9])
{
    snprintf(date, 9, "%.4s%.2s%.2s", iso, iso + 5, iso + 8);
}

void ups_write_rates(const struct carrier_settings *settings,
                     const struct carrier_rate_request *request, struct carrier_wire *wire)
{
    const struct consignment *consignment = request->consignment;
    bool imperial = country_is_imperial(consignment->origin.country_code);
    char date[9];
    int64_t grams = 0;
    wire_begin(wire, "POST", "/api/rating/");
    wire_path(wire, version);
    wire_path(wire, "/Shoptimeintransit");
    identify(wire, text_of("rates"));
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_object(&json, "RateRequest");
    put_request(&json, "Shoptimeintransit", "rates");
    json_open_object(&json, "Shipment");
    put_party(&json, "Shipper", shipper_of(consignment), settings->account_number);
    put_party(&json, "ShipTo", &consignment->destination, NULL);
    put_party(&json, "ShipFrom", &consignment->origin, NULL);
    put_payment(&json, "PaymentDetails", settings, consignment);
    for (size_t i = 0; i < consignment->parcel_count; i++)
        grams += consignment->parcels[i].weight_grams;
    put_weight(&json, "ShipmentTotalWeight", grams, imperial);
    put_value(&json, consignment);
    json_open_object(&json, "ShipmentRatingOptions");
    json_put_string(&json, "NegotiatedRatesIndicator", "Y");
    json_close_object(&json);
    json_open_object(&json, "DeliveryTimeInformation");
    json_put_string(&json, "PackageBillType", "03");
    if (consignment->ship_date[0] != '\0') {
        compact_date(consignment->ship_date, date);
        json_open_object(&json, "Pickup");
        json_put_string(&json, "Date", date);
        json_close_object(&json);
    }
    json_close_object(&json);
    put_rate_options(&json, consignment);
    put_packages(&json, consignment, "PackagingType", false);
    json_close_object(&json);
    json_close_object(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}

/* SALE, GIFT, SAMPLE, RETURN, else as UPS calls it. */
static const char *reason_of(const struct consignment *consignment)
{
    struct text contents_type = consignment->customs->contents_type;
    if (text_equals_string(contents_type, "GIFT"))
        return "GIFT";
    if (text_equals_string(contents_type, "SAMPLE"))
        return "SAMPLE";
    if (text_equals_string(contents_type, "RETURN") || is_return(consignment))
        return "RETURN";
    return "SALE";
}

static void put_product(struct json_writer *json, const struct shipping_customs_item *item,
                        bool imperial)
{
    char text[decimal_size];
    json_open_object(json, NULL);
    json_open_array(json, "Description"); /* up to three lines of 35 */
    wire_put_short(json, NULL, item->description, 35);
    json_close_array(json);
    json_open_object(json, "Unit");
    snprintf(text, sizeof text, "%lld", (long long)item->quantity);
    json_put_string(json, "Number", text);
    put_code(json, "UnitOfMeasurement", "PCS");
    money_to_decimal(item->value, text);
    json_put_string(json, "Value", text);
    json_close_object(json);
    wire_put_short(json, "CommodityCode", item->hs_code, 15);
    json_put_text(json, "OriginCountryCode", item->origin_country);
    put_weight(json, "ProductWeight", item->weight_grams * item->quantity, imperial);
    json_close_object(json);
}

static void put_forms(struct json_writer *json, const struct consignment *consignment,
                      const char *reference)
{
    const struct shipping_customs *customs = consignment->customs;
    bool imperial = country_is_imperial(consignment->origin.country_code);
    char date[9];
    json_open_object(json, "InternationalForms");
    json_open_array(json, "FormType");
    json_put_string(json, NULL, "01"); /* commercial invoice */
    json_close_array(json);
    json_put_string(json, "InvoiceNumber", reference);
    compact_date(consignment->ship_date, date);
    if (consignment->ship_date[0] != '\0')
        json_put_string(json, "InvoiceDate", date);
    json_put_string(json, "ReasonForExport", reason_of(consignment));
    wire_put_short(json, "TermsOfShipment", customs->incoterm, 3);
    if (customs->item_count > 0)
        json_put_string(json, "CurrencyCode", customs->items[0].value.currency_code);
    json_open_object(json, "Contacts");
    put_party(json, "SoldTo", &consignment->destination, NULL);
    json_close_object(json);
    json_open_array(json, "Product");
    for (size_t i = 0; i < customs->item_count; i++)
        put_product(json, &customs->items[i], imperial);
    json_close_array(json);
    json_close_object(json);
}

static void put_shipment_options(struct json_writer *json, const struct consignment *consignment,
                                 const char *reference)
{
    bool signature = consignment->options.signature && !is_domestic(consignment);
    if (consignment->customs == NULL && !signature && !consignment->options.saturday)
        return;
    json_open_object(json, "ShipmentServiceOptions");
    put_common_options(json, consignment);
    if (consignment->customs != NULL)
        put_forms(json, consignment, reference);
    json_close_object(json);
}

static void put_label(struct json_writer *json, const char *format)
{
    json_open_object(json, "LabelSpecification");
    put_code(json, "LabelImageFormat", format);
    json_open_object(json, "LabelStockSize");
    json_put_string(json, "Height", "6");
    json_put_string(json, "Width", "4");
    json_close_object(json);
    json_close_object(json);
}

static void put_shipment(struct json_writer *json, const struct carrier_settings *settings,
                         const struct carrier_shipment_request *request, const char *reference)
{
    const struct consignment *consignment = request->consignment;
    char date[9], service[8];
    json_open_object(json, "Shipment");
    json_put_string(json, "Description", "Goods");
    if (is_return(consignment))
        put_code(json, "ReturnService", "9"); /* print return label */
    put_party(json, "Shipper", shipper_of(consignment), settings->account_number);
    put_party(json, "ShipTo", &consignment->destination, NULL);
    put_party(json, "ShipFrom", &consignment->origin, NULL);
    put_payment(json, "PaymentInformation", settings, consignment);
    json_open_object(json, "ShipmentRatingOptions");
    json_put_string(json, "NegotiatedRatesIndicator", "Y");
    json_close_object(json);
    json_open_array(json, "ReferenceNumber");
    json_open_object(json, NULL);
    json_put_string(json, "Value", reference);
    json_close_object(json);
    json_close_array(json);
    snprintf(service, sizeof service, "%.*s", (int)request->service_code.size,
             request->service_code.size > 0 ? request->service_code.data : "");
    put_code(json, "Service", service);
    put_value(json, consignment);
    if (consignment->ship_date[0] != '\0') {
        compact_date(consignment->ship_date, date);
        json_put_string(json, "ShipmentDate", date);
    }
    put_shipment_options(json, consignment, reference);
    put_packages(json, consignment, "Packaging", is_return(consignment));
    json_close_object(json);
}

void ups_write_shipment(const struct carrier_settings *settings,
                        const struct carrier_shipment_request *request, struct carrier_wire *wire)
{
    char reference[carrier_reference_size];
    carrier_reference(request->shipment_id, reference);
    wire_begin(wire, "POST", "/api/shipments/");
    wire_path(wire, version);
    wire_path(wire, "/ship");
    identify(wire, text_of(reference));
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_object(&json, "ShipmentRequest");
    put_request(&json, "nonvalidate", reference);
    put_shipment(&json, settings, request, reference);
    put_label(&json, request->label_format == SHIPPING_LABEL_ZPL ? "ZPL" : "PNG");
    json_close_object(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}

void ups_write_cancel(const struct carrier_settings *settings,
                      const struct carrier_cancel_request *request, struct carrier_wire *wire)
{
    char reference[carrier_reference_size];
    (void)settings;
    carrier_reference(request->shipment_id, reference);
    wire_begin(wire, "DELETE", "/api/shipments/");
    wire_path(wire, version);
    wire_path(wire, "/void/cancel/");
    wire_path_escaped(wire, request->tracking_number);
    identify(wire, text_of(reference));
}

void ups_write_tracking(const struct carrier_settings *settings,
                        const struct carrier_tracking_request *request, struct carrier_wire *wire)
{
    (void)settings;
    wire_begin(wire, "GET", "/api/track/v1/details/");
    wire_path_escaped(wire, request->tracking_number);
    wire_path(wire, "?locale=en_US&returnSignature=false&returnMilestones=false&returnPOD=false");
    identify(wire, text_shortened(request->tracking_number, 32));
}

void ups_write_find(const struct carrier_settings *settings,
                    const struct carrier_find_request *request, struct carrier_wire *wire)
{
    static const int64_t day_us = 86400 * 1000000LL;
    char reference[carrier_reference_size], from[9], to[9];
    carrier_reference(request->shipment_id, reference);
    date_to_compact(request->sent_time_us - day_us, from);
    date_to_compact(request->sent_time_us + 13 * day_us, to); /* UPS allows 14 days */
    wire_begin(wire, "GET", "/api/track/v1/reference/details/");
    wire_path_escaped(wire, text_of(reference));
    wire_path(wire, "?locale=en_US&fromPickUpDate=");
    wire_path(wire, from);
    wire_path(wire, "&toPickUpDate=");
    wire_path(wire, to);
    wire_path(wire, "&refNumType=SmallPackage&shipperNum=");
    wire_path_escaped(wire, text_of(settings->account_number));
    identify(wire, text_of(reference));
}

void ups_write_label_recovery(const struct carrier_settings *settings, struct text tracking_number,
                              struct carrier_wire *wire)
{
    (void)settings;
    wire_begin(wire, "POST", "/api/labels/v1/recovery");
    identify(wire, text_shortened(tracking_number, 32));
    struct json_writer json = wire_json(wire);
    json_open_object(&json, NULL);
    json_open_object(&json, "LabelRecoveryRequest");
    put_request(&json, "Non_Validate", "recovery");
    put_label(&json, "PDF");
    json_put_text(&json, "TrackingNumber", tracking_number);
    json_close_object(&json);
    json_close_object(&json);
    wire_end(wire, &json);
}
