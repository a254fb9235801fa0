/* What several requests have in common, as the domain's values. */
#include "shipping/interfaces/rpc/shipping_calls.h"

#include "platform/rpc/message_fields.h"

#include <stdarg.h>

struct shipping_money request_money(struct rpc_reading *reading,
                                    const Waybill__Common__V1__Money *message, const char *path,
                                    ...)
{
    struct shipping_money money = {0};
    if (message == NULL)
        return money;
    if (!message_read_currency(message->currency_code, money.currency_code)) {
        va_list arguments;
        va_start(arguments, path);
        violations_add_list(reading->violations, "must be three capital letters (ISO 4217)", path,
                            arguments);
        va_end(arguments);
    }
    money.amount_minor = message->amount_minor;
    return money;
}

void request_address(struct rpc_reading *reading, const Waybill__Common__V1__Address *message,
                     const char *path, struct shipping_address *address)
{
    *address = (struct shipping_address){0};
    if (message == NULL)
        return;
    address->name = text_of(message->name);
    address->company = text_of(message->company);
    address->phone = text_of(message->phone);
    address->email = text_of(message->email);
    address->city = text_of(message->city);
    address->region = text_of(message->region);
    address->postal_code = text_of(message->postal_code);
    address->country_code = text_of(message->country_code);
    if (message->n_lines > shipping_address_lines_max)
        violations_add(reading->violations, "must be at most 4", "%s.lines", path);
    for (size_t i = 0; i < message->n_lines && i < shipping_address_lines_max; i++)
        address->lines[address->line_count++] = text_of(message->lines[i]);
    if (message->point != NULL) {
        address->has_point = true;
        address->latitude_e7 = message->point->latitude_e7;
        address->longitude_e7 = message->point->longitude_e7;
    }
}

const struct shipping_parcel *request_parcels(struct rpc_reading *reading,
                                              Waybill__Shipping__V1__Parcel *const *messages,
                                              size_t count)
{
    struct shipping_parcel *parcels = rpc_reading_allocate(reading, count, sizeof *parcels);
    for (size_t i = 0; parcels != NULL && i < count; i++) {
        const Waybill__Shipping__V1__Parcel *message = messages[i];
        parcels[i] = (struct shipping_parcel){
            .weight_grams = message->weight_grams,
            .length_mm = message->length_mm,
            .width_mm = message->width_mm,
            .height_mm = message->height_mm,
            .value = request_money(reading, message->value, "parcels[%zu].value.currency_code", i),
            .reference = text_of(message->reference),
        };
    }
    return parcels;
}

static struct shipping_customs_item *read_items(struct rpc_reading *reading,
                                                const Waybill__Shipping__V1__Customs *message)
{
    struct shipping_customs_item *items =
        rpc_reading_allocate(reading, message->n_items, sizeof *items);
    for (size_t i = 0; items != NULL && i < message->n_items; i++) {
        const Waybill__Shipping__V1__CustomsItem *item = message->items[i];
        items[i] = (struct shipping_customs_item){
            .description = text_of(item->description),
            .quantity = item->quantity,
            .value =
                request_money(reading, item->value, "customs.items[%zu].value.currency_code", i),
            .weight_grams = item->weight_grams,
            .hs_code = text_of(item->hs_code),
            .origin_country = text_of(item->origin_country),
        };
    }
    return items;
}

const struct shipping_customs *request_customs(struct rpc_reading *reading,
                                               const Waybill__Shipping__V1__Customs *message)
{
    if (message == NULL)
        return NULL;
    struct shipping_customs *customs = rpc_reading_allocate(reading, 1, sizeof *customs);
    if (customs == NULL)
        return NULL;
    customs->incoterm = text_of(message->incoterm);
    customs->contents_type = text_of(message->contents_type);
    customs->items = read_items(reading, message);
    customs->item_count = customs->items == NULL ? 0 : message->n_items;
    return customs;
}

void request_options(struct rpc_reading *reading,
                     const Waybill__Shipping__V1__ShipmentOptions *message,
                     struct shipping_options *options)
{
    if (message == NULL)
        return;
    options->signature = message->signature != 0;
    options->saturday = message->saturday != 0;
    options->insured_value =
        request_money(reading, message->insured_value, "options.insured_value.currency_code");
}

enum shipping_direction request_direction(struct rpc_reading *reading,
                                          Waybill__Shipping__V1__ShipmentDirection direction)
{
    switch ((int)direction) {
    case WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_UNSPECIFIED:
    case WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_OUTBOUND:
        return SHIPPING_OUTBOUND;
    case WAYBILL__SHIPPING__V1__SHIPMENT_DIRECTION__SHIPMENT_DIRECTION_RETURN:
        return SHIPPING_RETURN;
    }
    violations_add(reading->violations, "must be one of the ShipmentDirection values", "direction");
    return SHIPPING_OUTBOUND;
}

enum shipping_label_format request_label_format(struct rpc_reading *reading,
                                                Waybill__Shipping__V1__LabelFormat format,
                                                const char *path)
{
    switch ((int)format) {
    case WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_UNSPECIFIED:
    case WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PDF:
        return SHIPPING_LABEL_PDF;
    case WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL:
        return SHIPPING_LABEL_ZPL;
    case WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_PNG:
        return SHIPPING_LABEL_PNG;
    }
    violations_add(reading->violations, "must be one of the LabelFormat values", "%s", path);
    return SHIPPING_LABEL_PDF;
}
