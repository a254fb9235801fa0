/* A gate stands between service and books, so that the service can be cut off at any command. */
#include "tests/support/shipping/shipping_desk.h"

#include "platform/base/check.h"
#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <stddef.h>
#include <string.h>

static const int64_t start_us = INT64_C(1790000000000000); /* 2026-09-21 */

/* --- the gate --- */

struct refused {
    struct task task; /* first */
    struct shipping_command *command;
};

static void tell_refused(struct task *task)
{
    struct refused *refused = (struct refused *)task;
    struct error error = error_make(ERROR_STORE_UNAVAILABLE, "the books are away");
    refused->command->done(refused->command, &error);
    memory_release(refused);
}

static void refuse(struct shipping_command *command)
{
    struct refused *refused = memory_allocate_zero(1, sizeof *refused);
    CHECK(refused != NULL);
    refused->command = command;
    refused->task.run = tell_refused;
    executor_post(command->executor, &refused->task);
}

/* Done, and its good news lost on the way; one at a time. */
static shipping_done *lost_done;

static void lose(struct shipping_command *command, const struct error *error)
{
    (void)error;
    command->done = lost_done;
    refuse(command);
}

static void execute(struct shipping_repository *gate, struct shipping_command *command)
{
    struct shipping_desk *desk =
        (struct shipping_desk *)(void *)((char *)gate - offsetof(struct shipping_desk, gate));
    if (desk->fuel == 0 || desk->is_away) {
        refuse(command);
        return;
    }
    if (desk->fuel != SIZE_MAX)
        desk->fuel--;
    desk->commands++;
    bool is_lost = desk->fuel == 0 && desk->last_is_lost;
    if (is_lost)
        lost_done = command->done;
    shipping_repository_execute(shipping_model_port(desk->model), command,
                                is_lost ? lose : command->done);
    if (desk->fuel == 0) {
        desk->alpha.dead = true;
        desk->beta.dead = true;
    }
}

/* --- life --- */

static void set_alarm(void *context, int64_t monotonic_us)
{
    ((struct shipping_desk *)context)->alarm_us = monotonic_us;
}

static void closed(void *context)
{
    ((struct shipping_desk *)context)->closed = true;
}

void shipping_desk_init(struct shipping_desk *desk)
{
    static const struct shipping_repository_table table = {.execute = execute};
    memset(desk, 0, sizeof *desk);
    log_configure(LOG_LEVEL_OFF, false); /* what goes wrong here is meant to */
    fake_clock_init(&desk->clock, start_us);
    test_executor_init(&desk->executor);
    desk->model = shipping_model_create(&desk->clock.base, NULL);
    fake_carrier_init(&desk->alpha, "alpha", &desk->executor.base);
    fake_carrier_init(&desk->beta, "beta", &desk->executor.base);
    desk->beta.price_minor = 1200;
    desk->carriers[0] = &desk->alpha.base;
    desk->carriers[1] = &desk->beta.base;
    desk->gate.table = &table;
    desk->fuel = SIZE_MAX;
    desk->options = shipping_service_options_default();
    desk->options.repository = &desk->gate;
    desk->options.carriers = desk->carriers;
    desk->options.carrier_count = 2;
    desk->options.clock = &desk->clock.base;
    desk->options.random = random_system();
    desk->options.executor = &desk->executor.base;
    desk->options.drawing = &desk->executor.base;
    desk->options.set_alarm = set_alarm;
    desk->options.closed = closed;
    desk->options.context = desk;
    memset(desk->options.rate_key, 'k', sizeof desk->options.rate_key);
}

void shipping_desk_start(struct shipping_desk *desk)
{
    CHECK(desk->service == NULL);
    desk->closed = false;
    desk->fuel = desk->fuel == 0 ? SIZE_MAX : desk->fuel;
    desk->alpha.dead = desk->beta.dead = false;
    struct error error = shipping_service_create(&desk->service, &desk->options);
    CHECK(!error_is(error));
    shipping_service_start(desk->service);
    shipping_desk_run(desk);
}

void shipping_desk_stop(struct shipping_desk *desk)
{
    CHECK(desk->service != NULL);
    shipping_service_close(desk->service);
    shipping_desk_run(desk);
    fake_carrier_release(&desk->alpha);
    fake_carrier_release(&desk->beta);
    shipping_desk_run(desk);
    CHECK(desk->closed);
    shipping_service_destroy(desk->service);
    desk->service = NULL;
    desk->alarm_us = 0;
}

void shipping_desk_kill(struct shipping_desk *desk)
{
    desk->fuel = 0;
    desk->alpha.dead = desk->beta.dead = true;
    shipping_desk_stop(desk);
}

void shipping_desk_deinit(struct shipping_desk *desk)
{
    if (desk->service != NULL)
        shipping_desk_stop(desk);
    shipping_model_destroy(desk->model);
    test_executor_deinit(&desk->executor);
}

int shipping_desk_set_up(void **state)
{
    static struct shipping_desk desk;
    shipping_desk_init(&desk);
    shipping_desk_start(&desk);
    *state = &desk;
    return 0;
}

int shipping_desk_tear_down(void **state)
{
    shipping_desk_deinit(*state);
    return 0;
}

void shipping_desk_run(struct shipping_desk *desk)
{
    while (test_executor_run_all(&desk->executor) > 0)
        continue;
}

void shipping_desk_pass(struct shipping_desk *desk, int64_t duration_us)
{
    int64_t end = clock_monotonic_us(&desk->clock.base) + duration_us;
    shipping_desk_run(desk);
    while (desk->service != NULL && desk->alarm_us != 0 && desk->alarm_us <= end) {
        int64_t now = clock_monotonic_us(&desk->clock.base);
        fake_clock_advance(&desk->clock, desk->alarm_us > now ? desk->alarm_us - now : 0);
        desk->alarm_us = 0;
        shipping_service_alarm(desk->service);
        shipping_desk_run(desk);
    }
    fake_clock_advance(&desk->clock, end - clock_monotonic_us(&desk->clock.base));
}

void shipping_desk_leap(struct shipping_desk *desk, int64_t duration_us)
{
    static const int64_t leap_us = INT64_C(1200) * 1000000;
    for (; duration_us > 0; duration_us -= leap_us) {
        fake_clock_advance(&desk->clock, duration_us < leap_us ? duration_us : leap_us);
        if (desk->service != NULL)
            shipping_service_alarm(desk->service);
        shipping_desk_run(desk);
    }
}

/* --- calls --- */

struct desk_call *desk_call_create(enum shipping_call_kind kind)
{
    struct desk_call *call = memory_allocate_zero(1, sizeof *call);
    CHECK(call != NULL);
    arena_init(&call->arena, 16 * 1024 * 1024);
    call->call = &call->as.base;
    call->call->kind = kind;
    call->call->arena = &call->arena;
    violations_init(&call->call->violations, &call->arena);
    return call;
}

void desk_call_destroy(struct desk_call *call)
{
    CHECK(!call->is_submitted || call->is_done);
    arena_deinit(&call->arena);
    memory_release(call);
}

static void call_done(struct shipping_call *base, const struct error *error)
{
    struct desk_call *call =
        (struct desk_call *)(void *)((char *)base - offsetof(struct desk_call, as));
    CHECK(!call->is_done);
    call->is_done = true;
    call->error = error == NULL ? error_none() : *error;
}

bool desk_call_submit(struct shipping_desk *desk, struct desk_call *call)
{
    call->call->executor = &desk->executor.base;
    call->is_submitted = shipping_service_submit(desk->service, call->call, call_done);
    return call->is_submitted;
}

void desk_fill_consignment(struct consignment *consignment)
{
    static const struct shipping_parcel parcel = {
        .weight_grams = 1200, .length_mm = 300, .width_mm = 200, .height_mm = 100};
    *consignment = (struct consignment){
        .origin = {.name = text_of("Sender"),
                   .lines = {text_of("1 Main Street")},
                   .line_count = 1,
                   .city = text_of("New York"),
                   .region = text_of("NY"),
                   .postal_code = text_of("10001"),
                   .country_code = text_of("US")},
        .destination = {.name = text_of("Receiver"),
                        .lines = {text_of("2 Lake Street")},
                        .line_count = 1,
                        .city = text_of("Chicago"),
                        .region = text_of("IL"),
                        .postal_code = text_of("60601"),
                        .country_code = text_of("US")},
        .parcels = &parcel,
        .parcel_count = 1,
    };
}

struct desk_call *desk_get_rates(void)
{
    struct desk_call *call = desk_call_create(CALL_GET_RATES);
    desk_fill_consignment(&call->as.rates.consignment);
    return call;
}

struct desk_call *desk_create_shipment(const char *shipment_id)
{
    struct desk_call *call = desk_call_create(CALL_CREATE_SHIPMENT);
    struct shipment_request *request = &call->as.create.request;
    request->shipment_id = arena_copy_text(&call->arena, text_of(shipment_id));
    request->carrier = text_of("alpha");
    request->service_code = text_of("S1");
    desk_fill_consignment(&request->consignment);
    return call;
}

struct desk_call *desk_ask(struct shipping_desk *desk, struct desk_call *call)
{
    CHECK(desk_call_submit(desk, call));
    shipping_desk_run(desk);
    return call;
}

struct desk_call *desk_get(struct shipping_desk *desk, const char *shipment_id)
{
    struct desk_call *call = desk_call_create(CALL_GET_SHIPMENT);
    call->as.get.shipment_id = arena_copy_text(&call->arena, text_of(shipment_id));
    return desk_ask(desk, call);
}

enum shipment_state desk_state(struct shipping_desk *desk, const char *shipment_id)
{
    struct desk_call *call = desk_get(desk, shipment_id);
    CHECK(call->is_done);
    enum shipment_state state = error_is(call->error) || call->call->refusal != REFUSAL_NONE
                                    ? (enum shipment_state)0
                                    : call->as.get.shipment.state;
    desk_call_destroy(call);
    return state;
}
