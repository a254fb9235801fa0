/* Arrays and searches: a test's world is small. */
#include "tests/support/fulfillment/order_world.h"

#include "platform/base/check.h"

#include <stdio.h>
#include <string.h>

static const char *const skus[2] = {"A", "B"};
static const char *const warehouses[2] = {"W1", "W2"};
static const char *const carriers[3] = {"c1", "c2", "c3"};

static void answer_or_wait(struct order_services *services, struct order_call *call)
{
    struct order_world *world = (struct order_world *)services;
    CHECK(world->answer_later != NULL);
    world->answer_later(world, call);
}

void order_world_init(struct order_world *world, struct random *random, int64_t now_us)
{
    static const struct order_services_table table = {.call = answer_or_wait};
    memset(world, 0, sizeof *world);
    world->base.table = &table;
    world->random = random;
    world->now_us = now_us;
    for (size_t i = 0; i < 2; i++) {
        world->on_hand[i] = 10;
        world->shelf[i] = 10;
    }
}

static size_t sku_index(struct text sku)
{
    return text_equals_string(sku, "A") ? 0 : 1;
}

static void hold(int64_t held[2], const int64_t quantity[2], int sign)
{
    for (size_t i = 0; i < 2; i++)
        held[i] += sign * quantity[i];
}

void order_world_pass(struct order_world *world, int64_t duration_us)
{
    world->now_us += duration_us;
    for (size_t i = 0; i < world->reservation_count; i++) {
        struct world_reservation *one = &world->reservations[i];
        if (one->state == WORLD_PENDING && one->expire_time_us <= world->now_us) {
            one->state = WORLD_EXPIRED;
            hold(world->reserved, one->quantity, -1);
        }
    }
    for (size_t i = 0; i < world->allocation_count; i++) {
        struct world_allocation *one = &world->allocations[i];
        if (one->state == WORLD_TENTATIVE && one->expire_time_us <= world->now_us) {
            one->state = WORLD_OVER;
            hold(world->allocated, one->quantity, -1);
        }
    }
}

static void wanted(const struct order *order, int64_t quantity[2])
{
    quantity[0] = quantity[1] = 0;
    for (size_t i = 0; i < order->line_count; i++)
        quantity[sku_index(order->lines[i].sku)] += order->lines[i].quantity;
}

static void refuse(struct order_call *call, enum order_call_outcome outcome,
                   enum order_refusal_kind kind, const char *reason)
{
    call->outcome = outcome;
    call->refusal = (struct order_refusal){
        .kind = kind, .reason = text_of(reason), .message = text_of("by the test's world")};
}

/* --- inventory --- */

static struct world_reservation *find_reservation(struct order_world *world,
                                                  const struct order_call *call)
{
    struct text id = order_reservation_id(call->arena, call->order);
    for (size_t i = 0; i < world->reservation_count; i++) {
        if (text_equals_string(id, world->reservations[i].id))
            return &world->reservations[i];
    }
    return NULL;
}

static void reservation_outcome(struct order_call *call, const struct world_reservation *one)
{
    call->expire_time_us = one->expire_time_us;
    switch (one->state) {
    case WORLD_PENDING:
        call->outcome = CALL_DONE;
        break;
    case WORLD_COMMITTED:
        refuse(call, CALL_HOLD_USED, REFUSAL_PRECONDITION, "RESERVATION_COMMITTED");
        break;
    case WORLD_ROLLED_BACK:
        refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "RESERVATION_ROLLED_BACK");
        break;
    case WORLD_EXPIRED:
        refuse(call, CALL_HOLD_EXPIRED, REFUSAL_PRECONDITION, "RESERVATION_EXPIRED");
        break;
    }
}

static bool is_free(const int64_t all[2], const int64_t held[2], const int64_t quantity[2])
{
    return all[0] - held[0] >= quantity[0] && all[1] - held[1] >= quantity[1];
}

static void reserve(struct order_world *world, struct order_call *call)
{
    struct world_reservation *one = find_reservation(world, call);
    int64_t quantity[2];
    wanted(call->order, quantity);
    if (one == NULL && !is_free(world->on_hand, world->reserved, quantity)) {
        refuse(call, CALL_INSUFFICIENT_STOCK, REFUSAL_INSUFFICIENT_STOCK, "INSUFFICIENT_STOCK");
        return;
    }
    if (one == NULL) {
        CHECK(world->reservation_count < world_records_max);
        one = &world->reservations[world->reservation_count++];
        struct text id = order_reservation_id(call->arena, call->order);
        snprintf(one->id, sizeof one->id, "%.*s", (int)id.size, id.data);
        one->state = WORLD_PENDING;
        one->expire_time_us = world->now_us + call->order->ttl_us;
        memcpy(one->quantity, quantity, sizeof quantity);
        hold(world->reserved, quantity, 1);
    }
    reservation_outcome(call, one);
}

static void commit(struct order_world *world, struct order_call *call)
{
    struct world_reservation *one = find_reservation(world, call);
    if (one == NULL) {
        refuse(call, CALL_HOLD_GONE, REFUSAL_NOT_FOUND, "RESERVATION_NOT_FOUND");
        return;
    }
    if (one->state == WORLD_EXPIRED && !is_free(world->on_hand, world->reserved, one->quantity)) {
        refuse(call, CALL_INSUFFICIENT_STOCK, REFUSAL_INSUFFICIENT_STOCK, "INSUFFICIENT_STOCK");
        return;
    }
    if (one->state == WORLD_PENDING)
        hold(world->reserved, one->quantity, -1);
    if (one->state == WORLD_PENDING || one->state == WORLD_EXPIRED) {
        hold(world->on_hand, one->quantity, -1);
        one->state = WORLD_COMMITTED;
    }
    if (one->state == WORLD_COMMITTED)
        call->outcome = CALL_DONE;
    else
        reservation_outcome(call, one);
}

static void change_reservation(struct order_world *world, struct order_call *call)
{
    struct world_reservation *one = find_reservation(world, call);
    if (one == NULL) {
        refuse(call, CALL_HOLD_GONE, REFUSAL_NOT_FOUND, "RESERVATION_NOT_FOUND");
        return;
    }
    if (one->state == WORLD_PENDING && call->kind == CALL_EXTEND_RESERVATION &&
        one->expire_time_us < world->now_us + call->order->ttl_us)
        one->expire_time_us = world->now_us + call->order->ttl_us;
    if (one->state == WORLD_PENDING && call->kind == CALL_ROLL_BACK) {
        hold(world->reserved, one->quantity, -1);
        one->state = WORLD_ROLLED_BACK;
    }
    reservation_outcome(call, one);
    if (call->kind == CALL_ROLL_BACK && one->state != WORLD_COMMITTED)
        call->outcome = CALL_DONE;
}

static void return_stock(struct order_world *world, struct order_call *call)
{
    struct world_reservation *one = find_reservation(world, call);
    if (one == NULL || one->state != WORLD_COMMITTED) {
        refuse(call, CALL_REFUSED, REFUSAL_PRECONDITION, "NOT_COMMITTED");
        return;
    }
    if (!one->is_returned)
        hold(world->on_hand, one->quantity, 1);
    one->is_returned = true;
}

/* --- warehouse --- */

static struct world_allocation *find_allocation(struct order_world *world,
                                                const struct order_call *call)
{
    struct text id = order_allocation_id(call->arena, call->order);
    for (size_t i = 0; i < world->allocation_count; i++) {
        if (text_equals_string(id, world->allocations[i].id))
            return &world->allocations[i];
    }
    return NULL;
}

static void write_allocation(struct order_call *call, const struct world_allocation *one)
{
    call->allocated = arena_allocate_zero(call->arena, 2, sizeof *call->allocated);
    call->allocated_count = 0;
    call->total_cost = (struct order_money){"USD", 25}; /* 10 each, 5 for splitting */
    for (size_t i = 0; i < 2; i++) {
        if (one->quantity[i] == 0)
            continue;
        struct order_allocated_part *part = &call->allocated[call->allocated_count++];
        part->warehouse_id = text_of(warehouses[i]);
        part->lines = arena_allocate_zero(call->arena, 1, sizeof *part->lines);
        part->lines[0] = (struct order_part_line){.sku = text_of(skus[i]),
                                                  .quantity = one->quantity[i],
                                                  .shipped_quantity = one->quantity[i]};
        part->line_count = 1;
        part->cost_minor = 10;
        part->is_shipped = one->state == WORLD_SHIPPED;
    }
}

static void allocation_outcome(struct order_call *call, const struct world_allocation *one)
{
    write_allocation(call, one);
    if (one->state == WORLD_SHIPPED)
        refuse(call, CALL_HOLD_USED, REFUSAL_PRECONDITION, "ALLOCATION_SHIPPED");
    else if (one->state == WORLD_RELEASED)
        refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "ALLOCATION_RELEASED");
    else if (one->state == WORLD_OVER)
        refuse(call, CALL_HOLD_EXPIRED, REFUSAL_PRECONDITION, "ALLOCATION_EXPIRED");
}

static void allocate(struct order_world *world, struct order_call *call)
{
    struct world_allocation *one = find_allocation(world, call);
    int64_t quantity[2];
    wanted(call->order, quantity);
    if (one == NULL && call->order->hold_until_us <= world->now_us) {
        refuse(call, CALL_HOLD_EXPIRED, REFUSAL_PRECONDITION, "ALLOCATION_EXPIRED");
        return;
    }
    if (one == NULL && !is_free(world->shelf, world->allocated, quantity)) {
        refuse(call, CALL_INSUFFICIENT_STOCK, REFUSAL_INSUFFICIENT_STOCK, "INSUFFICIENT_STOCK");
        return;
    }
    if (one == NULL) {
        CHECK(world->allocation_count < world_records_max);
        one = &world->allocations[world->allocation_count++];
        struct text id = order_allocation_id(call->arena, call->order);
        snprintf(one->id, sizeof one->id, "%.*s", (int)id.size, id.data);
        one->state = WORLD_TENTATIVE;
        one->expire_time_us = call->order->hold_until_us;
        memcpy(one->quantity, quantity, sizeof quantity);
        hold(world->allocated, quantity, 1);
    }
    allocation_outcome(call, one);
}

static void change_allocation(struct order_world *world, struct order_call *call)
{
    struct world_allocation *one = find_allocation(world, call);
    if (one == NULL) {
        refuse(call, CALL_HOLD_GONE, REFUSAL_NOT_FOUND, "ALLOCATION_NOT_FOUND");
        return;
    }
    bool is_open = one->state == WORLD_TENTATIVE || one->state == WORLD_FIRM;
    if (call->kind == CALL_CONFIRM_ALLOCATION && is_open)
        one->state = WORLD_FIRM;
    if (call->kind == CALL_RELEASE_ALLOCATION && is_open) {
        one->state = WORLD_RELEASED;
        hold(world->allocated, one->quantity, -1);
        write_allocation(call, one);
        return;
    }
    allocation_outcome(call, one);
}

bool order_world_ship(struct order_world *world, const char *allocation_id)
{
    for (size_t i = 0; i < world->allocation_count; i++) {
        struct world_allocation *one = &world->allocations[i];
        if (strcmp(one->id, allocation_id) != 0 || one->state != WORLD_FIRM)
            continue;
        one->state = WORLD_SHIPPED;
        hold(world->allocated, one->quantity, -1);
        hold(world->shelf, one->quantity, -1);
        return true;
    }
    return false;
}

/* --- shipping and tracking --- */

static void get_rates(struct order_world *world, struct order_call *call)
{
    (void)world;
    call->rates = arena_allocate_zero(call->arena, 3, sizeof *call->rates);
    call->rate_count = 3;
    for (size_t i = 0; i < 3; i++)
        call->rates[i] = (struct order_rate){
            .carrier = text_of(carriers[i]),
            .service_code = text_of("S"),
            .amount = {"USD", 100 * (int64_t)(i + 1)},
            .estimated_delivery_time_us = 1000 - (int64_t)i,
        };
}

static struct world_shipment *find_shipment(struct order_world *world,
                                            const struct order_call *call)
{
    struct text id = order_shipment_id(call->arena, call->order, &call->order->parts[call->part]);
    for (size_t i = 0; i < world->shipment_count; i++) {
        if (text_equals_string(id, world->shipments[i].id))
            return &world->shipments[i];
    }
    return NULL;
}

static struct world_shipment *new_shipment(struct order_world *world, const struct order_call *call)
{
    const struct order_part *part = &call->order->parts[call->part];
    struct text id = order_shipment_id(call->arena, call->order, part);
    CHECK(world->shipment_count < world_records_max);
    struct world_shipment *one = &world->shipments[world->shipment_count++];
    snprintf(one->id, sizeof one->id, "%.*s", (int)id.size, id.data);
    snprintf(one->carrier, sizeof one->carrier, "%.*s", (int)part->carrier.size,
             part->carrier.data);
    one->state = WORLD_CREATED;
    return one;
}

static void create_shipment(struct order_world *world, struct order_call *call)
{
    struct world_shipment *one = find_shipment(world, call);
    if (one == NULL && random_below(world->random, 100) < world->carrier_trouble_percent) {
        uint64_t trouble = random_below(world->random, 3);
        if (trouble == 0) {
            refuse(call, CALL_CARRIER_AWAY, REFUSAL_UNAVAILABLE, "CARRIER_UNAVAILABLE");
            return;
        }
        one = new_shipment(world, call);
        one->state = trouble == 1 ? WORLD_FAILED : WORLD_UNKNOWN;
    } else if (one == NULL) {
        one = new_shipment(world, call);
    }
    if (one->state == WORLD_UNKNOWN && ++one->asked > 2) /* the resolver has found it */
        one->state = random_below(world->random, 2) == 0 ? WORLD_CREATED : WORLD_CANCELLED;
    if (one->state == WORLD_FAILED)
        refuse(call, CALL_CARRIER_REFUSED, REFUSAL_PRECONDITION, "SHIPMENT_FAILED");
    else if (one->state == WORLD_UNKNOWN)
        refuse(call, CALL_PENDING, REFUSAL_UNAVAILABLE, "CARRIER_UNAVAILABLE");
    else if (one->state == WORLD_CANCELLED)
        refuse(call, CALL_HOLD_GONE, REFUSAL_PRECONDITION, "SHIPMENT_CANCELLED");
    else if (one->state == WORLD_STUCK)
        refuse(call, CALL_STUCK, REFUSAL_PRECONDITION, "SHIPMENT_NEEDS_ATTENTION");
    if (one->state != WORLD_CREATED)
        return;
    call->tracking_numbers = arena_allocate_zero(call->arena, 1, sizeof *call->tracking_numbers);
    call->tracking_numbers[0] = text_of(arena_format(call->arena, "N%.10s", one->id));
    call->tracking_number_count = 1;
    call->charged = (struct order_money){"USD", 100};
}

static void cancel_shipment(struct order_world *world, struct order_call *call)
{
    struct world_shipment *one = find_shipment(world, call);
    if (one == NULL) {
        refuse(call, CALL_HOLD_GONE, REFUSAL_NOT_FOUND, "SHIPMENT_NOT_FOUND");
        return;
    }
    if (one->state == WORLD_UNKNOWN && ++one->asked > 2)
        one->state = WORLD_CREATED;
    if (one->state == WORLD_UNKNOWN) {
        refuse(call, CALL_PENDING, REFUSAL_UNAVAILABLE, "CARRIER_UNAVAILABLE");
        return;
    }
    if (one->state == WORLD_STUCK)
        refuse(call, CALL_STUCK, REFUSAL_PRECONDITION, "SHIPMENT_NEEDS_ATTENTION");
    if (one->state == WORLD_CREATED)
        one->state = WORLD_CANCELLED;
}

static void create_tracking(struct order_world *world, struct order_call *call)
{
    const struct order_parcel *parcel = &call->order->parts[call->part].parcels[call->item];
    for (size_t i = 0; i < world->tracking_count; i++) {
        if (text_equals_string(parcel->tracking_number, world->trackings[i]))
            return;
    }
    CHECK(world->tracking_count < world_records_max);
    snprintf(world->trackings[world->tracking_count++], sizeof world->trackings[0], "%.*s",
             (int)parcel->tracking_number.size, parcel->tracking_number.data);
}

static void get_item(struct order_call *call)
{
    call->item_name = text_of("thing");
    call->weight_grams = 500;
    call->hs_code = text_of("300490");
    call->origin_country = text_of("DE");
}

static void get_warehouse(struct order_call *call)
{
    call->origin = (struct order_address){.city = text_of("Bonn"), .country_code = text_of("DE")};
    call->handling = (struct order_money){"USD", 7};
}

/* --- a call --- */

static void take_effect(struct order_world *world, struct order_call *call)
{
    switch (call->kind) {
    case CALL_NONE:
        CHECK(false);
        break;
    case CALL_GET_ITEM:
        get_item(call);
        break;
    case CALL_RESERVE:
        reserve(world, call);
        break;
    case CALL_ALLOCATE:
        allocate(world, call);
        break;
    case CALL_GET_WAREHOUSE:
        get_warehouse(call);
        break;
    case CALL_GET_RATES:
        get_rates(world, call);
        break;
    case CALL_EXTEND_RESERVATION:
    case CALL_ROLL_BACK:
        change_reservation(world, call);
        break;
    case CALL_CONFIRM_ALLOCATION:
    case CALL_RELEASE_ALLOCATION:
        change_allocation(world, call);
        break;
    case CALL_COMMIT:
        commit(world, call);
        break;
    case CALL_CREATE_SHIPMENT:
        create_shipment(world, call);
        break;
    case CALL_CREATE_TRACKING:
        create_tracking(world, call);
        break;
    case CALL_RETURN_STOCK:
        return_stock(world, call);
        break;
    case CALL_RETURN_SHORT:
        break;
    case CALL_CANCEL_SHIPMENT:
        cancel_shipment(world, call);
        break;
    }
}

void order_world_answer(struct order_world *world, struct order_call *call)
{
    world->calls[call->kind]++;
    call->outcome = CALL_DONE;
    call->refusal = (struct order_refusal){0};
    bool request_is_lost = random_below(world->random, 100) < world->lost_requests_percent ||
                           world->never_answers[call->kind];
    bool answer_is_lost = random_below(world->random, 100) < world->lost_answers_percent;
    if (!request_is_lost)
        take_effect(world, call);
    if (request_is_lost || answer_is_lost)
        refuse(call, CALL_UNAVAILABLE, REFUSAL_UNAVAILABLE, "STORE_UNAVAILABLE");
}

/* --- what is alive --- */

size_t order_world_pending(const struct order_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->reservation_count; i++)
        count += world->reservations[i].state == WORLD_PENDING;
    return count;
}

size_t order_world_committed(const struct order_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->reservation_count; i++)
        count +=
            world->reservations[i].state == WORLD_COMMITTED && !world->reservations[i].is_returned;
    return count;
}

size_t order_world_allocations(const struct order_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->allocation_count; i++)
        count += world->allocations[i].state == WORLD_TENTATIVE ||
                 world->allocations[i].state == WORLD_FIRM;
    return count;
}

size_t order_world_labels(const struct order_world *world)
{
    size_t count = 0;
    for (size_t i = 0; i < world->shipment_count; i++)
        count += world->shipments[i].state == WORLD_CREATED ||
                 world->shipments[i].state == WORLD_UNKNOWN;
    return count;
}

struct order *order_world_order(struct arena *arena, const char *order_id)
{
    struct order *order = arena_allocate_zero(arena, 1, sizeof *order);
    struct order_line *lines = arena_allocate_zero(arena, 2, sizeof *lines);
    CHECK(order != NULL && lines != NULL);
    lines[0] = (struct order_line){.sku = text_of("A"), .quantity = 2, .unit_value_minor = 1000};
    lines[1] = (struct order_line){.sku = text_of("B"), .quantity = 1, .unit_value_minor = 500};
    *order = (struct order){
        .order_id = text_of(order_id),
        .lines = lines,
        .line_count = 2,
        .destination = {.city = text_of("Paris"), .country_code = text_of("FR")},
        .currency = "USD",
        .rule = ORDER_CHEAPEST,
        .ttl_us = 60000000,
        .goods_minor = 2500,
        .state = ORDER_PROMISING,
    };
    return order;
}

static void *copy_array(struct arena *arena, const void *array, size_t count, size_t size)
{
    void *copy = arena_allocate_zero(arena, count + 1, size);
    CHECK(copy != NULL);
    if (count > 0)
        memcpy(copy, array, count * size);
    return copy;
}

struct order *order_world_copy(struct arena *arena, const struct order *order)
{
    struct order *copy = copy_array(arena, order, 1, sizeof *order);
    copy->lines = copy_array(arena, order->lines, order->line_count, sizeof *order->lines);
    copy->parts = copy_array(arena, order->parts, order->part_count, sizeof *order->parts);
    for (size_t i = 0; i < copy->part_count; i++) {
        struct order_part *part = &copy->parts[i];
        part->lines = copy_array(arena, part->lines, part->line_count, sizeof *part->lines);
        part->parcels = copy_array(arena, part->parcels, part->parcel_count, sizeof *part->parcels);
    }
    copy->must_save = false;
    copy->refusal = (struct order_refusal){0};
    return copy;
}
