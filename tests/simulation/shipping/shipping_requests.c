/* Everything is on the caller's arena, which has the memory. */
#include "tests/simulation/shipping/shipping_requests.h"

#include "tests/support/rpc_memory_kit.h"

#include "waybill/common/v1/common.pb-c.h"

static Waybill__Common__V1__Money *money(struct arena *arena, int64_t amount)
{
    Waybill__Common__V1__Money *made =
        request_message(arena, &waybill__common__v1__money__descriptor);
    made->currency_code = request_string(arena, "USD");
    made->amount_minor = amount;
    return made;
}

static Waybill__Common__V1__Address *address(struct arena *arena, const char *city,
                                             const char *region, const char *postal_code,
                                             const char *country)
{
    Waybill__Common__V1__Address *made =
        request_message(arena, &waybill__common__v1__address__descriptor);
    made->name = request_string(arena, "Zo\xC3\xAB O'Neill");
    made->n_lines = 1;
    made->lines = request_take(arena, sizeof *made->lines);
    made->lines[0] = request_string(arena, "1 Main Street");
    made->city = request_string(arena, city);
    made->region = request_string(arena, region);
    made->postal_code = request_string(arena, postal_code);
    made->country_code = request_string(arena, country);
    made->phone = request_string(arena, "+1 555 0100");
    return made;
}

static Waybill__Shipping__V1__Parcel **parcels(struct arena *arena, size_t *count)
{
    Waybill__Shipping__V1__Parcel **made = request_take(arena, 2 * sizeof *made);
    for (*count = 0; *count < 2; (*count)++) {
        Waybill__Shipping__V1__Parcel *one =
            request_message(arena, &waybill__shipping__v1__parcel__descriptor);
        one->weight_grams = 1200;
        one->length_mm = 300;
        one->width_mm = 200;
        one->height_mm = 100;
        one->value = money(arena, 2500);
        one->reference = request_string(arena, "box");
        made[*count] = one;
    }
    return made;
}

static Waybill__Shipping__V1__Customs *customs(struct arena *arena)
{
    Waybill__Shipping__V1__Customs *made =
        request_message(arena, &waybill__shipping__v1__customs__descriptor);
    Waybill__Shipping__V1__CustomsItem *item =
        request_message(arena, &waybill__shipping__v1__customs_item__descriptor);
    item->description = request_string(arena, "Cups");
    item->quantity = 2;
    item->value = money(arena, 2500);
    item->weight_grams = 500;
    item->hs_code = request_string(arena, "691110");
    item->origin_country = request_string(arena, "US");
    made->n_items = 1;
    made->items = request_take(arena, sizeof *made->items);
    made->items[0] = item;
    return made;
}

Waybill__Shipping__V1__CreateShipmentRequest *shipping_request_purchase(struct arena *arena,
                                                                        char *id)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        request_message(arena, &waybill__shipping__v1__create_shipment_request__descriptor);
    request->shipment_id = id;
    request->order_id = request_string(arena, "O-1");
    request->origin = address(arena, "New York", "NY", "10001", "US");
    request->destination = address(arena, "Toronto", "ON", "M5V 2T6", "CA");
    request->parcels = parcels(arena, &request->n_parcels);
    request->customs = customs(arena);
    return request;
}

Waybill__Shipping__V1__GetRatesRequest *shipping_request_rates(struct arena *arena)
{
    Waybill__Shipping__V1__GetRatesRequest *request =
        request_message(arena, &waybill__shipping__v1__get_rates_request__descriptor);
    request->origin = address(arena, "New York", "NY", "10001", "US");
    request->destination = address(arena, "Toronto", "ON", "M5V 2T6", "CA");
    request->parcels = parcels(arena, &request->n_parcels);
    request->customs = customs(arena);
    return request;
}
