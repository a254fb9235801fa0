/*
 * Fuzz target: what the message check lets pass, protobuf-c unpacks, and no string of it hides
 * bytes behind a NUL. The first byte chooses the message type.
 */
#include "platform/rpc/messages/message_check.h"
#include "platform/rpc/server.h"

#include "google/rpc/status.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCMessageDescriptor *const types[] = {
    &waybill__inventory__v1__reserve_request__descriptor,
    &waybill__inventory__v1__reserve_response__descriptor,
    &waybill__inventory__v1__adjust_stock_request__descriptor,
    &waybill__inventory__v1__list_stock_entries_response__descriptor,
    &waybill__inventory__v1__verify_ledger_response__descriptor,
    &grpc__health__v1__health_check_request__descriptor,
    &grpc__reflection__v1__server_reflection_request__descriptor,
    &google__rpc__status__descriptor,
};
enum { type_count = sizeof types / sizeof types[0], elements_max = 100 };

static const struct rpc_field_limit limits[] = {
    {&waybill__inventory__v1__reserve_request__descriptor, "lines", elements_max},
    {&waybill__inventory__v1__reservation__descriptor, "lines", elements_max},
    {&waybill__inventory__v1__list_stock_entries_response__descriptor, "entries", elements_max},
    {&waybill__inventory__v1__verify_ledger_response__descriptor, "mismatches", elements_max},
    {&google__rpc__status__descriptor, "details", elements_max},
};

static struct message_check *check_of(size_t type)
{
    static struct message_check *checks[type_count];
    if (checks[type] == NULL) {
        struct error error = message_check_create(&checks[type], types[type], limits,
                                                  sizeof limits / sizeof limits[0]);
        if (error_is(error))
            abort();
    }
    return checks[type];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct rpc_status status;
    if (size == 0)
        return 0;
    size_t type = data[0] % type_count;
    struct text bytes = text_make(data + 1, size - 1);
    arena_init(&arena, (size_t)16 * 1024 * 1024);
    if (message_check_run(check_of(type), bytes, &arena, &status)) {
        ProtobufCMessage *message =
            protobuf_c_message_unpack(types[type], NULL, bytes.size, (const uint8_t *)bytes.data);
        if (message == NULL)
            abort(); /* the check must be at least as strict */
        protobuf_c_message_free_unpacked(message, NULL);
    } else if (status.code != GRPC_STATUS_INVALID_ARGUMENT || status.message.size == 0) {
        abort(); /* a refusal says what is wrong */
    }
    arena_deinit(&arena);
    return 0;
}
