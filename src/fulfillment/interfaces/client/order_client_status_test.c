/* What refusals by other services mean to an order: reasons, fields, and what got lost. */
#include "fulfillment/interfaces/client/order_client_call.h"
#include "platform/base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { arena_bytes_max = 1024 * 1024 };

struct fixture {
    struct arena status_arena;
    struct arena arena; /* of the call */
    struct order_call call;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    arena_init(&fixture.status_arena, arena_bytes_max);
    arena_init(&fixture.arena, arena_bytes_max);
    fixture.call = (struct order_call){.arena = &fixture.arena};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_deinit(&fixture->status_arena);
    arena_deinit(&fixture->arena);
    return 0;
}

static enum order_call_outcome take(struct fixture *fixture, enum grpc_status code,
                                    const char *reason)
{
    struct rpc_status status =
        rpc_status_make(&fixture->status_arena, code, reason, "words of the service");
    order_call_take_status(&fixture->call, &status);
    return fixture->call.outcome;
}

static void reasons_are_told_apart(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(take(fixture, GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_UNRESOLVED"),
                     CALL_PENDING);
    assert_int_equal(take(fixture, GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_NEEDS_ATTENTION"),
                     CALL_STUCK);
    assert_int_equal(take(fixture, GRPC_STATUS_UNAVAILABLE, "CARRIER_UNAVAILABLE"),
                     CALL_CARRIER_AWAY);
    assert_int_equal(take(fixture, GRPC_STATUS_NOT_FOUND, "RESERVATION_NOT_FOUND"), CALL_HOLD_GONE);
    assert_int_equal(take(fixture, GRPC_STATUS_NOT_FOUND, "SKU_NOT_FOUND"), CALL_REFUSED);
    assert_int_equal(fixture->call.refusal.kind, REFUSAL_NOT_FOUND);
    assert_int_equal(take(fixture, GRPC_STATUS_RESOURCE_EXHAUSTED, "OVERLOADED"), CALL_UNAVAILABLE);
    assert_int_equal(fixture->call.refusal.kind, REFUSAL_UNAVAILABLE);
}

/* A repeat of a purchase that is asked for otherwise now must not lead to a second label. */
static void an_id_used_for_another_shipment_is_for_a_person(void **state)
{
    struct fixture *fixture = *state;
    static const enum order_call_kind others[] = {CALL_CREATE_TRACKING, CALL_RETURN_STOCK,
                                                  CALL_RETURN_SHORT};
    static const enum order_call_kind holds[] = {CALL_RESERVE, CALL_ALLOCATE};
    fixture->call.kind = CALL_CREATE_SHIPMENT;
    assert_int_equal(take(fixture, GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED"), CALL_STUCK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        fixture->call.kind = others[i];
        assert_int_equal(take(fixture, GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED"), CALL_REFUSED);
    }
    for (size_t i = 0; i < sizeof holds / sizeof holds[0]; i++) {
        fixture->call.kind = holds[i];
        assert_int_equal(take(fixture, GRPC_STATUS_ALREADY_EXISTS, "ID_REUSED"), CALL_HOLD_GONE);
    }
}

/* Its details were lost on the way: what it was is not guessed. */
static void a_refusal_without_a_reason_is_asked_again(void **state)
{
    struct fixture *fixture = *state;
    static const enum grpc_status codes[] = {GRPC_STATUS_FAILED_PRECONDITION, GRPC_STATUS_NOT_FOUND,
                                             GRPC_STATUS_INVALID_ARGUMENT,
                                             GRPC_STATUS_ALREADY_EXISTS};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        assert_int_equal(take(fixture, codes[i], ""), CALL_UNAVAILABLE);
        assert_int_equal(fixture->call.refusal.kind, REFUSAL_UNAVAILABLE);
    }
}

static void without_memory_a_refusal_is_itself_or_asked_again(void **state)
{
    struct fixture *fixture = *state;
    struct rpc_status status = rpc_status_make(
        &fixture->status_arena, GRPC_STATUS_FAILED_PRECONDITION, "SHIPMENT_UNRESOLVED", "wait");
    bool failed = true;
    for (uint64_t successes = 0; failed; successes++) {
        arena_deinit(&fixture->arena);
        arena_init(&fixture->arena, arena_bytes_max);
        uint64_t before = memory_allocation_count();
        memory_fail_after(successes, 1);
        order_call_take_status(&fixture->call, &status);
        memory_fail_after(UINT64_MAX, 0);
        failed = memory_allocation_count() - before > successes;
        assert_true(fixture->call.outcome == CALL_PENDING ||
                    (failed && fixture->call.outcome == CALL_UNAVAILABLE));
    }
    assert_int_equal(fixture->call.outcome, CALL_PENDING);
}

static void take_invalid(struct fixture *fixture, const char *const *fields, size_t count)
{
    struct violations violations;
    violations_init(&violations, &fixture->status_arena);
    for (size_t i = 0; i < count; i++)
        violations_add(&violations, "is wrong", "%s", fields[i]);
    struct rpc_status status =
        rpc_status_invalid(&fixture->status_arena, violations.items, violations_kept(&violations));
    order_call_take_status(&fixture->call, &status);
    assert_int_equal(fixture->call.outcome, CALL_REFUSED);
}

static void what_the_caller_gave_comes_back_by_its_path(void **state)
{
    struct fixture *fixture = *state;
    static const char *const fields[] = {"carriers[3]",      "parcels[0].weight_grams",
                                         "customs.incoterm", "destination.city",
                                         "carriersome",      "customs.items[0].hs_code"};
    static const char *const told[] = {"carriers[3]", "incoterm", "destination.city"};
    const struct order_refusal *refusal = &fixture->call.refusal;
    take_invalid(fixture, fields, sizeof fields / sizeof fields[0]);
    assert_int_equal(refusal->kind, REFUSAL_INVALID);
    assert_int_equal(refusal->violation_count, sizeof told / sizeof told[0]);
    for (size_t i = 0; i < refusal->violation_count; i++) {
        assert_true(text_equals_string(refusal->violations[i].field, told[i]));
        assert_true(text_equals_string(refusal->violations[i].description, "is wrong"));
    }
}

static void what_nobody_gave_is_no_invalid_field(void **state)
{
    struct fixture *fixture = *state;
    static const char *const fields[] = {"customs.items[0].hs_code", "origin.lines"};
    take_invalid(fixture, fields, 2);
    assert_int_equal(fixture->call.refusal.kind, REFUSAL_PRECONDITION);
    assert_true(text_equals_string(fixture->call.refusal.reason, "ORDER_UNSUITABLE"));
    assert_true(fixture->call.refusal.message.size > 0);
}

/* An allocation that was to end before it was asked for: nobody gave that wrongly. */
static void an_allocation_asked_for_too_late_has_expired(void **state)
{
    struct fixture *fixture = *state;
    struct violations violations;
    violations_init(&violations, &fixture->status_arena);
    violations_add(&violations, "must be in the next 31 days", "expire_time");
    struct rpc_status status = rpc_status_invalid(&fixture->status_arena, violations.items, 1);
    fixture->call.kind = CALL_ALLOCATE;
    order_call_take_status(&fixture->call, &status);
    assert_int_equal(fixture->call.outcome, CALL_HOLD_EXPIRED);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(reasons_are_told_apart),
        CASE(an_id_used_for_another_shipment_is_for_a_person),
        CASE(an_allocation_asked_for_too_late_has_expired),
        CASE(a_refusal_without_a_reason_is_asked_again),
        CASE(without_memory_a_refusal_is_itself_or_asked_again),
        CASE(what_the_caller_gave_comes_back_by_its_path),
        CASE(what_nobody_gave_is_no_invalid_field),
    };
    return cmocka_run_group_tests_name("order_client_status", tests, NULL, NULL);
}
