/*
 * What the shipping service knows of this replay: which carriers there are, and every shipment,
 * page by page. An order is consigned when it has as many shipments with labels as its allocation
 * has parts.
 */
#include "main/replay/messages/consignment_messages.h"
#include "main/replay/pump/answer_details.h"
#include "main/replay/state/page_reading.h"
#include "main/replay/survey/replay_survey.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <string.h>

enum { page_records = 100 };

/* --- carriers --- */

static const char *const known_carriers[replay_parcel_carriers_max] = {"ups", "fedex", "dhl"};

static bool carriers_prepare(void *context, size_t item, struct arena *arena,
                             struct pump_call *call)
{
    Waybill__Shipping__V1__ListCarriersRequest *request = arena_allocate(arena, sizeof *request);
    (void)context;
    (void)item;
    if (request == NULL)
        return false;
    waybill__shipping__v1__list_carriers_request__init(request);
    call->path = "/waybill.shipping.v1.ShippingService/ListCarriers";
    call->request = &request->base;
    call->response = &waybill__shipping__v1__list_carriers_response__descriptor;
    return true;
}

static struct error carriers_answered(void *context, size_t item,
                                      const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    replay->has_shipping = result->status.code != GRPC_STATUS_UNIMPLEMENTED;
    replay->parcel_carrier_count = 0;
    if (!replay->has_shipping)
        return error_none();
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListCarriers");
    const Waybill__Shipping__V1__ListCarriersResponse *response =
        (const Waybill__Shipping__V1__ListCarriersResponse *)result->response;
    for (size_t i = 0; i < replay_parcel_carriers_max; i++) {
        for (size_t j = 0; j < response->n_carriers; j++) {
            if (strcmp(response->carriers[j]->carrier, known_carriers[i]) == 0)
                replay->parcel_carriers[replay->parcel_carrier_count++] = known_carriers[i];
        }
    }
    return error_none();
}

static const struct pump_work carriers_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = carriers_prepare,
    .answered = carriers_answered,
};

/* --- shipments --- */

static bool shipments_prepare(void *context, size_t item, struct arena *arena,
                              struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Shipping__V1__ListShipmentsRequest *request = arena_allocate(arena, sizeof *request);
    (void)item;
    if (request == NULL)
        return false;
    waybill__shipping__v1__list_shipments_request__init(request);
    request->page_size = page_records;
    request->page_token = replay_page_token(replay);
    call->path = "/waybill.shipping.v1.ShippingService/ListShipments";
    call->request = &request->base;
    call->response = &waybill__shipping__v1__list_shipments_response__descriptor;
    return true;
}

static int64_t grams_of(const Waybill__Shipping__V1__Shipment *shipment)
{
    int64_t grams = 0;
    for (size_t i = 0; i < shipment->n_parcels; i++)
        grams += shipment->parcels[i]->weight_grams;
    return grams;
}

/* What was really paid for the order; -1 = none of its lines says. */
static int64_t freight_of(const struct replay *replay, uint32_t order)
{
    const struct data_set_order *of = &replay->data_set->orders[order];
    int64_t freight = -1;
    for (uint32_t i = 0; i < of->line_count; i++) {
        int64_t line = replay->data_set->lines[of->first_line + i].freight_minor;
        if (line >= 0)
            freight = (freight < 0 ? 0 : freight) + line;
    }
    return freight;
}

static void compare(const struct replay *replay, uint32_t order, int64_t grams, int64_t cost_minor,
                    struct shipment_row *row)
{
    int64_t freight = freight_of(replay, order);
    if (freight < 0)
        return;
    row->compared++;
    row->compared_minor += cost_minor;
    int64_t whole = consignment_order_grams(replay, order);
    row->freight_minor += (int64_t)(((__int128)freight * grams + whole / 2) / (__int128)whole);
}

static void take_shipment(struct replay *replay, const Waybill__Shipping__V1__Shipment *shipment)
{
    struct shipment_totals *totals = &replay->result->shipments;
    const Waybill__Common__V1__Money *cost =
        shipment->charged != NULL ? shipment->charged : shipment->amount;
    uint32_t order;
    uint32_t part;
    bool is_ours =
        replay->has_fulfillment
            ? replay_plan_find_own_order(replay->plan, text_of(shipment->order_id), &order)
            : replay_plan_find_shipment(replay->plan, text_of(shipment->shipment_id), &order,
                                        &part);
    if (!is_ours)
        return;
    if (shipment->state != WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED) {
        totals->not_created++;
        return;
    }
    struct shipment_row *row =
        shipment_totals_row(totals, shipment->carrier, cost == NULL ? "" : cost->currency_code);
    int64_t cost_minor = cost == NULL ? 0 : cost->amount_minor;
    int64_t grams = grams_of(shipment);
    replay->shipment_counts[order]++;
    if (row == NULL) {
        difference_list_add(&replay->result->differences, "shipment %s: of a carrier too many",
                            shipment->shipment_id);
        return;
    }
    row->shipments++;
    row->parcels += (uint32_t)shipment->n_parcels;
    row->grams += grams;
    row->charged_minor += cost_minor;
    compare(replay, order, grams, cost_minor, row);
}

static struct error shipments_answered(void *context, size_t item,
                                       const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListShipments");
    const Waybill__Shipping__V1__ListShipmentsResponse *page =
        (const Waybill__Shipping__V1__ListShipmentsResponse *)result->response;
    for (size_t i = 0; i < page->n_shipments; i++)
        take_shipment(replay, page->shipments[i]);
    return replay_turn_page(replay, page->next_page_token, again);
}

static const struct pump_work shipments_work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = shipments_prepare,
    .answered = shipments_answered,
};

struct error replay_survey_shipments(struct replay *replay)
{
    uint32_t orders = replay->data_set->order_count;
    struct error error = call_pump_run(replay->pump, &carriers_work, replay, NULL);
    if (error_is(error) || !replay->has_shipping)
        return error;
    memset(&replay->result->shipments, 0, sizeof replay->result->shipments);
    memset(replay->shipment_counts, 0, orders * sizeof *replay->shipment_counts);
    replay_begin_pages(replay);
    error = call_pump_run(replay->pump, &shipments_work, replay, NULL);
    for (uint32_t i = 0; i < orders && !error_is(error); i++)
        replay_set_consigned(replay, i,
                             replay->part_counts[i] > 0 &&
                                 replay->shipment_counts[i] >= replay->part_counts[i]);
    return error;
}

void replay_judge_shipments(struct replay *replay)
{
    if (replay->consigned_count != replay->data_set->order_count)
        difference_list_add(&replay->result->differences, "%u orders have labels instead of %u",
                            replay->consigned_count, replay->data_set->order_count);
}
