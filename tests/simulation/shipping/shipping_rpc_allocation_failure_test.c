/*
 * Goal: every allocation of each call of ShippingService fails once, from the caller's request to
 * the answer: ours, nghttp2's, protobuf-c's and SQLite's (RELIABILITY row 9). It costs that call at
 * most; no label is bought twice or without a record of it, none is voided that was not to be;
 * asked again the answer is right.
 *
 * Method: the real door, use cases and SQLite store in one thread (tests/support/rpc_memory_kit.h),
 * the tariff, and a carrier whose ledger tells what it really sold. What a failed allocation leaves
 * to the resolver, that has done before the call is made again: time passes by a clock of the
 * test's.
 */
#include "platform/base/check.h"
#include "shipping/application/shipping_service.h"
#include "shipping/infrastructure/labels/label_drawer.h"
#include "shipping/infrastructure/tariff/tariff_carrier.h"
#include "shipping/interfaces/rpc/shipping_rpc.h"
#include "tests/simulation/shipping/shipping_requests.h"
#include "tests/support/rpc_memory_kit.h"
#include "tests/support/shipping/fake_carrier.h"
#include "tests/support/shipping/shipping_kit.h"

#include "waybill/common/v1/common.pb-c.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { id_bytes = 24, idle_turns_max = 20 };

struct world {
    struct rpc_memory_kit rpc; /* first */
    struct shipping_kit books;
    struct fake_carrier ups;
    struct tariff *tariff;
    struct carrier *tariff_carrier;
    struct carrier *carriers[2];
    struct shipping_service *service;
    char body[32];    /* of the push */
    int64_t alarm_us; /* 0 = none */
    bool closed;
    unsigned idle_turns; /* since something happened behind the door */
};

/* --- the world --- */

static void set_alarm(void *context, int64_t monotonic_us)
{
    ((struct world *)context)->alarm_us = monotonic_us;
}

/* True: something has happened. */
static bool step(struct world *world)
{
    struct error error = sql_store_step(world->books.store);
    assert_string_equal(error.detail, ""); /* missing memory never ends the process */
    return test_executor_run_all(&world->books.executor) > 0;
}

static void ring_alarm(struct world *world)
{
    int64_t now = clock_monotonic_us(&world->books.clock.base);
    assert_true(world->alarm_us != 0);
    fake_clock_advance(&world->books.clock, world->alarm_us > now ? world->alarm_us - now : 0);
    shipping_service_alarm(world->service);
}

/* A purchase at rest waits for its next try to be recorded: time passes. */
static void work(void *context)
{
    struct world *world = context;
    while (step(world))
        world->idle_turns = 0;
    if (shipping_service_purchases(world->service) == 0 || ++world->idle_turns < idle_turns_max)
        return;
    world->idle_turns = 0;
    ring_alarm(world);
}

static void closed(void *context)
{
    ((struct world *)context)->closed = true;
}

static void open_service(struct world *world)
{
    struct shipping_service_options options = shipping_service_options_default();
    options.repository = world->books.repository;
    options.carriers = world->carriers;
    options.carrier_count = 2;
    options.clock = &world->books.clock.base;
    options.random = random_system();
    options.executor = &world->books.executor.base;
    options.drawing = &world->books.executor.base;
    options.drawer = label_drawer_local();
    options.set_alarm = set_alarm;
    options.closed = closed;
    options.context = world;
    memset(options.rate_key, 'k', sizeof options.rate_key);
    struct error error = shipping_service_create(&world->service, &options);
    assert_string_equal(error.detail, "");
}

static int set_up(void **state)
{
    static struct world world;
    const struct rpc_memory_trial *trial = *state;
    memset(&world, 0, sizeof world);
    shipping_kit_init(&world.books, SHIPPING_KIT_UNTHREADED);
    struct executor *executor = &world.books.executor.base;
    fake_carrier_init(&world.ups, "ups", executor);
    assert_false(error_is(tariff_create_built_in(&world.tariff)));
    assert_false(error_is(tariff_carrier_create(&world.tariff_carrier, world.tariff, executor)));
    world.carriers[0] = &world.ups.base;
    world.carriers[1] = world.tariff_carrier;
    open_service(&world);
    shipping_service_start(world.service);
    world.rpc = (struct rpc_memory_kit){.trial = trial,
                                        .service = shipping_rpc_service(world.service),
                                        .work = work,
                                        .clock = &world.books.clock.base,
                                        .context = &world};
    rpc_memory_kit_open(&world.rpc);
    *state = &world;
    return 0;
}

/* Of every shipment what was told of it was told once. */
static void check_events(struct world *world)
{
    size_t count;
    const struct kit_event *events = kit_events(&world->books, &count);
    for (size_t i = 1; i < count; i++) {
        size_t from = i > 8 ? i - 8 : 0; /* those of one trial stand together */
        for (size_t k = from; k < i; k++)
            assert_false(text_equal(events[i].type, events[k].type) &&
                         text_equal(events[i].key, events[k].key));
    }
}

static int tear_down(void **state)
{
    struct world *world = *state;
    check_events(world);
    shipping_kit_reset(&world->books);
    shipping_service_close(world->service);
    work(world);
    assert_true(world->closed);
    rpc_memory_kit_close(&world->rpc);
    shipping_service_destroy(world->service);
    assert_int_equal(world->ups.pending, 0);
    tariff_carrier_close(world->tariff_carrier);
    tariff_destroy(world->tariff);
    shipping_kit_deinit(&world->books);
    return 0;
}

/* --- requests --- */

static char *id_of(struct arena *arena, unsigned number)
{
    char *id = arena_format(arena, "S-%06u", number);
    CHECK(id != NULL);
    return id;
}

static ProtobufCMessage *make_rates(void *context, struct arena *arena, unsigned number)
{
    (void)context;
    (void)number;
    return &shipping_request_rates(arena)->base;
}

/* The tariff alone is asked on the I/O thread. */
static ProtobufCMessage *make_tariff_rates(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetRatesRequest *request =
        (Waybill__Shipping__V1__GetRatesRequest *)make_rates(context, arena, number);
    request->n_carriers = 1;
    request->carriers = request_take(arena, sizeof *request->carriers);
    request->carriers[0] = request_string(arena, "tariff");
    return &request->base;
}

static ProtobufCMessage *make_purchase(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        shipping_request_purchase(arena, id_of(arena, number));
    (void)context;
    request->carrier = request_string(arena, "ups");
    request->service_code = request_string(arena, "S1");
    return &request->base;
}

static ProtobufCMessage *make_purchase_by_rule(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        shipping_request_purchase(arena, id_of(arena, number));
    (void)context;
    request->rule = WAYBILL__SHIPPING__V1__RATE_RULE__RATE_RULE_CHEAPEST;
    return &request->base;
}

/* The rate_id is from GetRates of this door. */
static ProtobufCMessage *make_purchase_by_rate(void *context, struct arena *arena, unsigned number)
{
    struct world *world = context;
    static const struct rpc_memory_trial rates = {.name = "rates", .method = "GetRates"};
    rpc_memory_kit_call(&world->rpc, &rates, make_rates(context, arena, number), 0);
    assert_int_equal(world->rpc.status, GRPC_STATUS_OK);
    const Waybill__Shipping__V1__GetRatesResponse *response = (const void *)world->rpc.response;
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        shipping_request_purchase(arena, id_of(arena, number));
    for (size_t i = 0; i < response->n_rates; i++) {
        if (strcmp(response->rates[i]->carrier, "ups") == 0)
            request->rate_id = request_string(arena, response->rates[i]->rate_id);
    }
    return &request->base;
}

/* The shipment is there, in that state, as the store has it. */
static char *bring(struct world *world, struct arena *arena, unsigned number,
                   enum shipment_state state)
{
    char *id = id_of(arena, number);
    kit_bring(&world->books, id, 0, state);
    shipping_kit_reset(&world->books);
    return id;
}

/* Bought through the door. */
static char *buy(struct world *world, struct arena *arena, unsigned number, const char *carrier,
                 const char *service_code)
{
    static const struct rpc_memory_trial create = {.name = "buy", .method = "CreateShipment"};
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        shipping_request_purchase(arena, id_of(arena, number));
    request->carrier = request_string(arena, carrier);
    request->service_code = request_string(arena, service_code);
    rpc_memory_kit_call(&world->rpc, &create, &request->base, 0);
    assert_int_equal(world->rpc.status, GRPC_STATUS_OK);
    return request->shipment_id;
}

static ProtobufCMessage *make_reused(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        (Waybill__Shipping__V1__CreateShipmentRequest *)make_purchase(context, arena, number);
    request->shipment_id = bring(context, arena, number, SHIPMENT_CREATED);
    return &request->base;
}

static ProtobufCMessage *make_wrong(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__CreateShipmentRequest *request =
        (Waybill__Shipping__V1__CreateShipmentRequest *)make_purchase(context, arena, number);
    request->destination->country_code = request_string(arena, "Q1");
    request->parcels[1]->weight_grams = -1;
    request->customs = NULL;
    return &request->base;
}

static ProtobufCMessage *make_get(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetShipmentRequest *request =
        request_message(arena, &waybill__shipping__v1__get_shipment_request__descriptor);
    request->shipment_id = bring(context, arena, number, SHIPMENT_CREATED);
    return &request->base;
}

static ProtobufCMessage *make_get_of_none(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetShipmentRequest *request =
        request_message(arena, &waybill__shipping__v1__get_shipment_request__descriptor);
    (void)context;
    request->shipment_id = id_of(arena, number);
    return &request->base;
}

/* One a page, of those that there are. */
static ProtobufCMessage *make_list(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__ListShipmentsRequest *request =
        request_message(arena, &waybill__shipping__v1__list_shipments_request__descriptor);
    (void)bring(context, arena, number, SHIPMENT_CREATED);
    request->order_id = request_string(arena, "order-0");
    request->page_size = 1;
    return &request->base;
}

static ProtobufCMessage *make_cancel(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__CancelShipmentRequest *request =
        request_message(arena, &waybill__shipping__v1__cancel_shipment_request__descriptor);
    request->shipment_id = buy(context, arena, number, "ups", "S1");
    request->reason = request_string(arena, "not wanted");
    return &request->base;
}

static ProtobufCMessage *make_resolution(struct world *world, struct arena *arena, unsigned number,
                                         Waybill__Shipping__V1__ShipmentResolution resolution)
{
    Waybill__Shipping__V1__ResolveShipmentRequest *request =
        request_message(arena, &waybill__shipping__v1__resolve_shipment_request__descriptor);
    request->shipment_id = bring(world, arena, number, SHIPMENT_NEEDS_ATTENTION);
    request->resolution = resolution;
    request->note = request_string(arena, "asked by telephone");
    return &request->base;
}

static ProtobufCMessage *make_void(void *context, struct arena *arena, unsigned number)
{
    return make_resolution(context, arena, number,
                           WAYBILL__SHIPPING__V1__SHIPMENT_RESOLUTION__SHIPMENT_RESOLUTION_VOID);
}

static ProtobufCMessage *make_buy_again(void *context, struct arena *arena, unsigned number)
{
    return make_resolution(
        context, arena, number,
        WAYBILL__SHIPPING__V1__SHIPMENT_RESOLUTION__SHIPMENT_RESOLUTION_BUY_AGAIN);
}

/* The carrier has sold it after all. */
static ProtobufCMessage *make_adoption(void *context, struct arena *arena, unsigned number)
{
    struct world *world = context;
    struct fake_sale *sale = &world->ups.sales[world->ups.sale_count++];
    Waybill__Shipping__V1__ResolveShipmentRequest *request =
        (Waybill__Shipping__V1__ResolveShipmentRequest *)make_resolution(
            context, arena, number,
            WAYBILL__SHIPPING__V1__SHIPMENT_RESOLUTION__SHIPMENT_RESOLUTION_ADOPT);
    *sale = (struct fake_sale){.parcel_count = 1};
    snprintf(sale->reference, sizeof sale->reference, "%s", request->shipment_id);
    snprintf(sale->number, sizeof sale->number, "A%010u", number);
    request->tracking_number = request_string(arena, sale->number);
    return &request->base;
}

static ProtobufCMessage *make_label(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetLabelRequest *request =
        request_message(arena, &waybill__shipping__v1__get_label_request__descriptor);
    request->shipment_id = buy(context, arena, number, "ups", "S1");
    request->parcel = 2;
    return &request->base;
}

/* Drawn for the tariff: as ZPL, which is all our own memory. */
static ProtobufCMessage *make_drawn_label(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetLabelRequest *request =
        request_message(arena, &waybill__shipping__v1__get_label_request__descriptor);
    request->shipment_id = buy(context, arena, number, "tariff", "ECONOMY");
    request->parcel = 1;
    request->format = WAYBILL__SHIPPING__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL;
    return &request->base;
}

static ProtobufCMessage *make_tracking(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__GetTrackingInfoRequest *request =
        request_message(arena, &waybill__shipping__v1__get_tracking_info_request__descriptor);
    request->shipment_id = bring(context, arena, number, SHIPMENT_CREATED);
    return &request->base;
}

static ProtobufCMessage *make_tracking_of_number(void *context, struct arena *arena,
                                                 unsigned number)
{
    Waybill__Shipping__V1__GetTrackingInfoRequest *request =
        request_message(arena, &waybill__shipping__v1__get_tracking_info_request__descriptor);
    (void)context;
    (void)number;
    request->carrier = request_string(arena, "ups");
    request->tracking_number = request_string(arena, "N1");
    return &request->base;
}

static ProtobufCMessage *make_carriers(void *context, struct arena *arena, unsigned number)
{
    (void)context;
    (void)number;
    return request_message(arena, &waybill__shipping__v1__list_carriers_request__descriptor);
}

/* --- a carrier's push, as its HTTP route hands it on --- */

struct pushed {
    struct shipping_push push; /* first */
    struct rpc_memory_kit *kit;
    struct arena arena;
    struct carrier_header header;
};

static void push_done(struct shipping_push *push)
{
    struct pushed *pushed = (struct pushed *)push;
    struct rpc_memory_kit *kit = pushed->kit;
    enum grpc_status status = GRPC_STATUS_INTERNAL;
    assert_int_not_equal(push->verdict, SHIPPING_PUSH_REFUSED); /* it is authentic, memory or no */
    if (push->verdict == SHIPPING_PUSH_KEPT)
        status = GRPC_STATUS_OK;
    arena_deinit(&pushed->arena);
    free(pushed);
    rpc_memory_kit_done(kit, status);
}

static void begin_push(struct rpc_memory_kit *kit, const ProtobufCMessage *request)
{
    struct world *world = kit->context;
    struct pushed *pushed = calloc(1, sizeof *pushed);
    (void)request;
    CHECK(pushed != NULL);
    arena_init(&pushed->arena, 1 << 20);
    pushed->kit = kit;
    pushed->header = (struct carrier_header){text_of("secret"), text_of("ours")};
    pushed->push = (struct shipping_push){
        .executor = &world->books.executor.base,
        .arena = &pushed->arena,
        .carrier = text_of("ups"),
        .webhook = {.headers = &pushed->header, .header_count = 1, .body = text_of(world->body)},
        .done = push_done,
    };
    shipping_service_keep_push(world->service, &pushed->push);
}

static ProtobufCMessage *make_push(void *context, struct arena *arena, unsigned number)
{
    struct world *world = context;
    (void)arena;
    snprintf(world->body, sizeof world->body, "push P%06u PU", number);
    return NULL;
}

static void keep_unread_push(struct world *world)
{
    struct shipping_kit *books = &world->books;
    struct keep_webhook_command *keep;
    struct record_scans_command *record;
    keep = shipping_kit_command(books, COMMAND_KEEP_WEBHOOK, sizeof *keep);
    record = shipping_kit_command(books, COMMAND_RECORD_SCANS, sizeof *record);
    keep->carrier = record->carrier = text_of("ups");
    assert_int_equal(shipping_kit_ask(books, &keep->base), SHIPPING_DONE);
    record->webhook_id = keep->webhook_id;
    record->is_unknown_shape = true;
    assert_int_equal(shipping_kit_ask(books, &record->base), SHIPPING_DONE);
    shipping_kit_reset(books);
}

/* The request to have them read again is as empty as that for the list. */
static ProtobufCMessage *make_unread(void *context, struct arena *arena, unsigned number)
{
    if (number == 0)
        keep_unread_push(context);
    return request_message(arena, &waybill__shipping__v1__list_unread_pushes_request__descriptor);
}

/* Its label_id is number + 1. */
static ProtobufCMessage *make_unwanted(void *context, struct arena *arena, unsigned number)
{
    struct world *world = context;
    const char *id = bring(world, arena, number, SHIPMENT_CREATED);
    assert_int_equal(kit_end(&world->books, id, 1, SHIPMENT_CHANGE_BOUGHT, "X"),
                     SHIPPING_STATE_DIFFERS);
    shipping_kit_reset(&world->books);
    return request_message(arena, &waybill__shipping__v1__list_unwanted_labels_request__descriptor);
}

static ProtobufCMessage *make_unwanted_voided(void *context, struct arena *arena, unsigned number)
{
    Waybill__Shipping__V1__ResolveUnwantedLabelRequest *request =
        request_message(arena, &waybill__shipping__v1__resolve_unwanted_label_request__descriptor);
    make_unwanted(context, arena, number);
    request->label_id = number + 1;
    request->resolution =
        WAYBILL__SHIPPING__V1__UNWANTED_LABEL_RESOLUTION__UNWANTED_LABEL_RESOLUTION_VOIDED;
    return &request->base;
}

/* --- what goes on by itself --- */

static bool is_settled(struct world *world, const char *id)
{
    struct get_shipment_command *get =
        shipping_kit_command(&world->books, COMMAND_GET_SHIPMENT, sizeof *get);
    get->shipment_id = text_of(id);
    bool settled = shipping_kit_ask(&world->books, &get->base) != SHIPPING_DONE ||
                   (get->shipment.state != SHIPMENT_SENT &&
                    get->shipment.state != SHIPMENT_UNKNOWN && !get->shipment.cancel_wanted);
    shipping_kit_reset(&world->books);
    return settled;
}

/* The alarms ring until the resolver is done with it. */
static void settle(void *context, unsigned number)
{
    struct world *world = context;
    char id[id_bytes];
    snprintf(id, sizeof id, "S-%06u", number);
    for (int i = 0; shipping_service_purchases(world->service) > 0 || !is_settled(world, id); i++) {
        if (i > 200)
            fail_msg("%s is never settled", id);
        ring_alarm(world);
        work(world);
    }
}

/* --- what has become of it --- */

/* Labels that the carrier sold and did not void, of any attempt of this shipment. */
static size_t sold(const struct world *world, const char *id, const char **number)
{
    size_t count = 0;
    for (size_t i = 0; i < world->ups.sale_count; i++) {
        const struct fake_sale *sale = &world->ups.sales[i];
        if (strncmp(sale->reference, id, strlen(id)) != 0 || sale->voided)
            continue;
        *number = sale->number;
        count++;
    }
    return count;
}

static void check_bought(void *context, unsigned number, const ProtobufCMessage *response)
{
    struct world *world = context;
    char id[id_bytes];
    const char *bought = "";
    snprintf(id, sizeof id, "S-%06u", number);
    const struct shipment *shipment = kit_get(&world->books, id);
    assert_int_equal(shipment->state, SHIPMENT_CREATED);
    size_t count = sold(world, id, &bought);
    if (text_equals_string(shipment->carrier, "ups")) {
        assert_int_equal(count, 1);
        assert_true(text_equals_string(shipment->tracking_number, bought));
    } else {
        assert_int_equal(count, 0);
    }
    /* CreateShipment, and ResolveShipment alike: the shipment is the first field of all */
    const Waybill__Shipping__V1__CreateShipmentResponse *created = (const void *)response;
    assert_string_equal(created->shipment->shipment_id, id);
    assert_int_equal(created->shipment->state,
                     WAYBILL__SHIPPING__V1__SHIPMENT_STATE__SHIPMENT_STATE_CREATED);
    shipping_kit_reset(&world->books);
}

static void check_void(void *context, unsigned number, const ProtobufCMessage *response)
{
    struct world *world = context;
    char id[id_bytes];
    const char *bought = "";
    (void)response;
    snprintf(id, sizeof id, "S-%06u", number);
    assert_int_equal(kit_get(&world->books, id)->state, SHIPMENT_CANCELLED);
    assert_int_equal(sold(world, id, &bought), 0);
    shipping_kit_reset(&world->books);
}

static void check_untouched(void *context, unsigned number, const ProtobufCMessage *response)
{
    struct world *world = context;
    char id[id_bytes];
    const char *bought = "";
    (void)response;
    snprintf(id, sizeof id, "S-%06u", number);
    assert_int_equal(sold(world, id, &bought), 0);
}

static void check_rates(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__GetRatesResponse *rates = (const void *)response;
    (void)context;
    (void)number;
    assert_true(rates->n_rates > 0);
    for (size_t i = 0; i < rates->n_rates; i++)
        assert_true(strlen(rates->rates[i]->rate_id) > 20 && rates->rates[i]->amount != NULL);
}

static void check_list(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__ListShipmentsResponse *list = (const void *)response;
    (void)context;
    assert_int_equal(list->n_shipments, 1);
    assert_string_equal(list->shipments[0]->shipment_id, "S-000000");
    assert_true(number == 0 || list->next_page_token[0] != '\0');
}

static void check_label(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__GetLabelResponse *label = (const void *)response;
    bool is_zpl = strcmp(label->media_type, "application/zpl") == 0;
    (void)context;
    (void)number;
    assert_true(label->content.len > 10);
    assert_memory_equal(label->content.data, is_zpl ? "^XA" : "%PDF", is_zpl ? 3 : 4);
}

static void check_tracking(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__GetTrackingInfoResponse *tracking = (const void *)response;
    (void)context;
    (void)number;
    assert_int_equal(tracking->n_scans, 1);
    assert_string_equal(tracking->scans[0]->carrier_code, "PU");
}

static void check_carriers(void *context, unsigned number, const ProtobufCMessage *response)
{
    const Waybill__Shipping__V1__ListCarriersResponse *carriers = (const void *)response;
    (void)context;
    (void)number;
    assert_int_equal(carriers->n_carriers, 2);
}

/* What was kept is told, once; the reader tries again until it is. */
static void check_pushed(void *context, unsigned number, const ProtobufCMessage *response)
{
    struct world *world = context;
    char key[id_bytes];
    size_t count, told = 0;
    (void)response;
    snprintf(key, sizeof key, "ups/P%06u", number);
    for (int i = 0; i < 3; i++) {
        ring_alarm(world);
        work(world);
    }
    const struct kit_event *events = kit_events(&world->books, &count);
    for (size_t i = 0; i < count; i++)
        told += text_equals_string(events[i].key, key);
    assert_int_equal(told, 1);
    shipping_kit_reset(&world->books);
}

/* --- all of them --- */

static const struct rpc_memory_trial trials[] = {
    {"get_rates", "GetRates", make_rates, NULL, check_rates},
    {"get_rates_of_the_tariff", "GetRates", make_tariff_rates, NULL, check_rates},
    {"create_shipment", "CreateShipment", make_purchase, settle, check_bought},
    {"create_shipment_by_rule", "CreateShipment", make_purchase_by_rule, settle, check_bought},
    {"create_shipment_by_rate", "CreateShipment", make_purchase_by_rate, settle, check_bought},
    {"create_shipment_of_an_id_reused", "CreateShipment", make_reused, NULL, check_untouched,
     GRPC_STATUS_ALREADY_EXISTS},
    {"create_shipment_with_bad_fields", "CreateShipment", make_wrong, NULL, check_untouched,
     GRPC_STATUS_INVALID_ARGUMENT},
    {"get_shipment", "GetShipment", make_get},
    {"get_shipment_of_none", "GetShipment", make_get_of_none, NULL, NULL, GRPC_STATUS_NOT_FOUND},
    {"list_shipments", "ListShipments", make_list, NULL, check_list},
    {"cancel_shipment", "CancelShipment", make_cancel, settle, check_void},
    {"resolve_shipment_by_adoption", "ResolveShipment", make_adoption, settle, check_bought},
    {"resolve_shipment_by_void", "ResolveShipment", make_void, settle, check_void},
    {"resolve_shipment_by_buying_again", "ResolveShipment", make_buy_again, settle, check_bought},
    {"get_label", "GetLabel", make_label, NULL, check_label},
    {"get_label_drawn", "GetLabel", make_drawn_label, NULL, check_label},
    {"get_tracking_info", "GetTrackingInfo", make_tracking, NULL, check_tracking},
    {"get_tracking_info_of_a_number", "GetTrackingInfo", make_tracking_of_number, NULL,
     check_tracking},
    {"list_carriers", "ListCarriers", make_carriers, NULL, check_carriers},
    {"list_unread_pushes", "ListUnreadPushes", make_unread},
    {"replay_unread_pushes", "ReplayUnreadPushes", make_unread},
    {"list_unwanted_labels", "ListUnwantedLabels", make_unwanted},
    {"resolve_unwanted_label", "ResolveUnwantedLabel", make_unwanted_voided},
    {"push", NULL, make_push, .check = check_pushed, .begin = begin_push},
};
enum { trial_count = sizeof trials / sizeof trials[0], failures_min = 20 };

int main(void)
{
    return rpc_memory_kit_main("shipping_rpc_allocation_failure", trials, trial_count, failures_min,
                               set_up, tear_down);
}
