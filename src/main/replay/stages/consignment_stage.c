/*
 * From allocated to labelled: each part of an order's allocation is a consignment; it is rated by
 * the carriers that take its weight, bought from the cheapest and its labels are fetched.
 *
 * The order's allocation is asked for first; what it says is kept until the order's last label is
 * there. A shipment is bought once whatever happens: its id is the part's. If the id is known with
 * other content (a run that was cut, and prices that changed since), the record tells which service
 * was taken then. An outcome that the carrier owes us is looked up again until shipping's resolver
 * knows it.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/messages/consignment_messages.h"
#include "main/replay/pump/answer_details.h"
#include "platform/base/memory.h"

#include <string.h>

enum { memory_bytes_max = 1024 * 1024, service_bytes_max = 128 };
static const int64_t look_up_pause_us = INT64_C(500) * 1000;
static const int64_t resolve_patience_us = INT64_C(300) * 1000000;
static const int64_t purchase_timeout_us = INT64_C(60) * 1000000;

/* The next call about one order. */
enum consignment_step { ASK_ALLOCATION, ASK_RATES, BUY, LOOK_UP, FETCH_LABEL };

struct order_consignments {
    enum consignment_step step;
    struct arena arena;
    struct replay_consignment *parts;
    uint32_t part_count;
    uint32_t part; /* at work */
    char carrier[service_bytes_max];
    char service_code[service_bytes_max];
    bool follows_record; /* carrier and service are those of a shipment that is there */
    int64_t give_up_us;  /* monotonic; an outcome unknown for so long stays so */
    uint32_t label;      /* of the parcels, from 1 */
    uint32_t label_count;
};

static const char *order_name(const struct replay *replay, size_t order)
{
    return replay->data_set->orders[order].order_id.data;
}

static struct error refused(const struct replay *replay, size_t order,
                            const struct rpc_client_result *result, const char *method)
{
    return error_prefix(answer_error(&result->status), "order %s: %s", order_name(replay, order),
                        method);
}

void replay_release_consignments(struct replay *replay, uint32_t order)
{
    struct order_consignments *work = replay->consignments[order];
    if (work == NULL)
        return;
    arena_deinit(&work->arena);
    memory_release(work);
    replay->consignments[order] = NULL;
}

/* --- what is to be done --- */

static size_t order_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->order_count;
}

static bool is_due(void *context, size_t order)
{
    const struct replay *replay = context;
    return replay->allocations[order] != ALLOCATION_NONE && !replay->consigned[order];
}

static int64_t wait_us(void *context, size_t order)
{
    const struct replay *replay = context;
    const struct order_consignments *work = replay->consignments[order];
    return work != NULL && work->step == LOOK_UP && !work->follows_record ? look_up_pause_us : 0;
}

static bool begin(struct replay *replay, size_t order)
{
    if (replay->consignments[order] != NULL)
        return true;
    struct order_consignments *work = memory_allocate_zero(1, sizeof *work);
    if (work == NULL)
        return false;
    arena_init(&work->arena, memory_bytes_max);
    replay->consignments[order] = work;
    return true;
}

/* --- calls --- */

static bool prepare_allocation(const struct replay *replay, size_t order, struct arena *arena,
                               struct pump_call *call)
{
    struct replay_id id = replay_plan_allocation_id(replay->plan, (uint32_t)order);
    Waybill__Warehouse__V1__GetAllocationRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__warehouse__v1__get_allocation_request__init(request);
    request->allocation_id = arena_format(arena, "%s", id.string);
    call->path = "/waybill.warehouse.v1.WarehouseService/GetAllocation";
    call->request = &request->base;
    call->response = &waybill__warehouse__v1__get_allocation_response__descriptor;
    return request->allocation_id != NULL;
}

static bool prepare_look_up(const struct replay *replay, size_t order, uint32_t part,
                            struct arena *arena, struct pump_call *call)
{
    struct replay_id id = replay_plan_shipment_id(replay->plan, (uint32_t)order, part);
    Waybill__Shipping__V1__GetShipmentRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__shipping__v1__get_shipment_request__init(request);
    request->shipment_id = arena_format(arena, "%s", id.string);
    call->path = "/waybill.shipping.v1.ShippingService/GetShipment";
    call->request = &request->base;
    call->response = &waybill__shipping__v1__get_shipment_response__descriptor;
    return request->shipment_id != NULL;
}

static bool prepare_label(const struct replay *replay, size_t order,
                          const struct order_consignments *work, struct arena *arena,
                          struct pump_call *call)
{
    struct replay_id id = replay_plan_shipment_id(replay->plan, (uint32_t)order, work->part);
    Waybill__Shipping__V1__GetLabelRequest *request = arena_allocate(arena, sizeof *request);
    if (request == NULL)
        return false;
    waybill__shipping__v1__get_label_request__init(request);
    request->shipment_id = arena_format(arena, "%s", id.string);
    request->parcel = (int32_t)work->label;
    call->path = "/waybill.shipping.v1.ShippingService/GetLabel";
    call->request = &request->base;
    call->response = &waybill__shipping__v1__get_label_response__descriptor;
    return request->shipment_id != NULL;
}

static bool prepare(void *context, size_t order, struct arena *arena, struct pump_call *call)
{
    struct replay *replay = context;
    if (!begin(replay, order))
        return false;
    const struct order_consignments *work = replay->consignments[order];
    const struct replay_consignment *part = work->parts + work->part;
    switch (work->step) {
    case ASK_ALLOCATION:
        return prepare_allocation(replay, order, arena, call);
    case ASK_RATES: {
        Waybill__Shipping__V1__GetRatesRequest *rates =
            consignment_message_rates(replay, part, arena);
        call->path = "/waybill.shipping.v1.ShippingService/GetRates";
        call->request = (const ProtobufCMessage *)rates;
        call->response = &waybill__shipping__v1__get_rates_response__descriptor;
        return rates != NULL;
    }
    case BUY: {
        Waybill__Shipping__V1__CreateShipmentRequest *shipment =
            consignment_message_shipment(replay, part, work->carrier, work->service_code, arena);
        call->path = "/waybill.shipping.v1.ShippingService/CreateShipment";
        call->request = (const ProtobufCMessage *)shipment;
        call->response = &waybill__shipping__v1__create_shipment_response__descriptor;
        call->timeout_us = purchase_timeout_us;
        return shipment != NULL;
    }
    case LOOK_UP:
        return prepare_look_up(replay, order, work->part, arena, call);
    case FETCH_LABEL:
        return prepare_label(replay, order, work, arena, call);
    }
    return false;
}

/* --- answers --- */

static bool take_service(struct order_consignments *work, const char *carrier,
                         const char *service_code)
{
    if (strlen(carrier) >= sizeof work->carrier ||
        strlen(service_code) >= sizeof work->service_code)
        return false;
    strcpy(work->carrier, carrier);
    strcpy(work->service_code, service_code);
    return true;
}

/* On to the next part, or the order is done. */
static void finish_part(struct replay *replay, size_t order)
{
    struct order_consignments *work = replay->consignments[order];
    work->part++;
    work->step = ASK_RATES;
    work->follows_record = false;
    if (work->part < work->part_count)
        return;
    replay_release_consignments(replay, (uint32_t)order);
    replay_set_consigned(replay, (uint32_t)order, true);
}

static struct error take_allocation(struct replay *replay, size_t order,
                                    const struct rpc_client_result *result)
{
    struct order_consignments *work = replay->consignments[order];
    const Waybill__Warehouse__V1__GetAllocationResponse *response =
        (const Waybill__Warehouse__V1__GetAllocationResponse *)result->response;
    struct error error = error_none();
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, order, result, "GetAllocation");
    work->part_count = (uint32_t)response->allocation->n_parts;
    work->parts = arena_allocate(&work->arena, (work->part_count + 1) * sizeof *work->parts);
    if (work->parts == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "consignments");
    for (uint32_t i = 0; i < work->part_count && !error_is(error); i++)
        error = replay_consignment_read(replay, (uint32_t)order, i, response->allocation,
                                        &work->arena, &work->parts[i]);
    work->step = ASK_RATES;
    return error;
}

/* Rates come cheapest first. */
static struct error take_rates(struct replay *replay, size_t order,
                               const struct rpc_client_result *result)
{
    struct order_consignments *work = replay->consignments[order];
    const Waybill__Shipping__V1__GetRatesResponse *response =
        (const Waybill__Shipping__V1__GetRatesResponse *)result->response;
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, order, result, "GetRates");
    replay->rates_offered += (uint32_t)response->n_rates;
    if (response->n_rates == 0)
        return error_make(
            ERROR_INTERNAL, "order %s: no carrier takes it; %s: %s", order_name(replay, order),
            response->n_failures == 0 ? "nobody" : response->failures[0]->carrier,
            response->n_failures == 0 ? "no reason was given" : response->failures[0]->reason);
    if (!take_service(work, response->rates[0]->carrier, response->rates[0]->service_code))
        return error_make(ERROR_PROTOCOL, "order %s: GetRates named a service beyond its limit",
                          order_name(replay, order));
    work->step = BUY;
    return error_none();
}

static struct error end_badly(struct replay *replay, size_t order,
                              const Waybill__Shipping__V1__Shipment *shipment)
{
    difference_list_add(&replay->result->differences, "shipment %s by %s has no label: %s",
                        shipment->shipment_id, shipment->carrier,
                        shipment->failure[0] == '\0' ? "it was cancelled" : shipment->failure);
    finish_part(replay, order);
    return error_none();
}

static struct error wait_for_outcome(struct replay *replay, size_t order,
                                     const Waybill__Shipping__V1__Shipment *shipment)
{
    struct order_consignments *work = replay->consignments[order];
    int64_t now_us = clock_monotonic_us(replay->options.clock);
    if (work->step != LOOK_UP || work->follows_record)
        work->give_up_us = now_us + resolve_patience_us;
    work->step = LOOK_UP;
    work->follows_record = false;
    return now_us < work->give_up_us ? error_none() : end_badly(replay, order, shipment);
}

static struct error take_shipment(struct replay *replay, size_t order,
                                  const Waybill__Shipping__V1__Shipment *shipment)
{
    struct order_consignments *work = replay->consignments[order];
    if (shipment == NULL)
        return error_make(ERROR_PROTOCOL, "order %s: the answer holds no shipment",
                          order_name(replay, order));
    switch (shipment->state) {
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED:
        work->step = FETCH_LABEL;
        work->label = 1;
        work->label_count = (uint32_t)shipment->n_parcels;
        return error_none();
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_INTENT:
        /* Written down by a run that was cut: bought now, with the service chosen then. */
        if (!take_service(work, shipment->carrier, shipment->service_code))
            break;
        work->step = BUY;
        return error_none();
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_SENT:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_UNKNOWN:
        return wait_for_outcome(replay, order, shipment);
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_FAILED:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_NEEDS_ATTENTION:
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CANCELLED:
        return end_badly(replay, order, shipment);
    case WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_UNSPECIFIED:
    case _WAYBILL__SHIPPING__V1__SHIPMENT_STATE_IS_INT_SIZE:
        break;
    }
    return error_make(ERROR_PROTOCOL, "order %s: a shipment in no known state",
                      order_name(replay, order));
}

static struct error take_purchase(struct replay *replay, size_t order,
                                  const struct rpc_client_result *result)
{
    struct order_consignments *work = replay->consignments[order];
    const Waybill__Shipping__V1__CreateShipmentResponse *response =
        (const Waybill__Shipping__V1__CreateShipmentResponse *)result->response;
    if (answer_has_reason(&result->status, "ID_REUSED") && !work->follows_record) {
        work->follows_record = true;
        work->step = LOOK_UP;
        return error_none();
    }
    if (result->status.code != GRPC_STATUS_OK)
        return refused(replay, order, result, "CreateShipment");
    return take_shipment(replay, order, response->shipment);
}

static struct error take_look_up(struct replay *replay, size_t order,
                                 const struct rpc_client_result *result)
{
    const Waybill__Shipping__V1__GetShipmentResponse *response =
        (const Waybill__Shipping__V1__GetShipmentResponse *)result->response;
    return result->status.code == GRPC_STATUS_OK ? take_shipment(replay, order, response->shipment)
                                                 : refused(replay, order, result, "GetShipment");
}

/* A carrier may give one document for all parcels: the others then have none of their own. */
static struct error take_label(struct replay *replay, size_t order,
                               const struct rpc_client_result *result)
{
    struct order_consignments *work = replay->consignments[order];
    const Waybill__Shipping__V1__GetLabelResponse *response =
        (const Waybill__Shipping__V1__GetLabelResponse *)result->response;
    bool is_covered = work->label > 1 && answer_has_reason(&result->status, "LABEL_NOT_FOUND");
    if (result->status.code != GRPC_STATUS_OK && !is_covered)
        return refused(replay, order, result, "GetLabel");
    if (!is_covered) {
        replay->labels_fetched++;
        replay->label_bytes += response->content.len;
    }
    if (work->label++ >= work->label_count)
        finish_part(replay, order);
    return error_none();
}

static struct error answered(void *context, size_t order, const struct rpc_client_result *result,
                             bool *again)
{
    static struct error (*const takers[])(struct replay *, size_t,
                                          const struct rpc_client_result *) = {
        [ASK_ALLOCATION] = take_allocation, [ASK_RATES] = take_rates,   [BUY] = take_purchase,
        [LOOK_UP] = take_look_up,           [FETCH_LABEL] = take_label,
    };
    struct replay *replay = context;
    struct error error = takers[replay->consignments[order]->step](replay, order, result);
    *again = !error_is(error) && replay->consignments[order] != NULL;
    return error;
}

const struct replay_stage consignment_stage = {
    .name = "label",
    .title = "Buying labels",
    .work = {.item_count = order_count,
             .is_due = is_due,
             .wait_us = wait_us,
             .prepare = prepare,
             .answered = answered},
};
