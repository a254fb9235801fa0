/*
 * A command is preceded by the call's state, which the completion finds by its address. Reading
 * goes on after a mistake, so that all of them are told; what cannot be read for lack of memory
 * ends the call, and the application never sees it.
 */
#include "platform/rpc/rpc_commands.h"

#include "platform/base/check.h"
#include "platform/rpc/rpc_call_end.h"

#include <string.h>

/* In front of each command, on the call's arena. */
struct rpc_command_state {
    struct rpc_call *call;
    const struct rpc_command_row *row;
    struct text filter;
    max_align_t command[];
};

static const struct rpc_command_state *state_of(const void *command)
{
    return (const void *)((const char *)command - offsetof(struct rpc_command_state, command));
}

void *rpc_reading_allocate(struct rpc_reading *reading, size_t count, size_t size)
{
    void *memory = arena_allocate_zero(reading->arena, count + 1, size);
    reading->failed = reading->failed || memory == NULL;
    return memory;
}

void rpc_commands_add(const struct rpc_commands *commands, const struct rpc_command_row *rows,
                      size_t row_count, rpc_unary_handler *handle, struct rpc_method *methods)
{
    for (size_t i = 0; i < row_count; i++) {
        const ProtobufCMethodDescriptor *method =
            protobuf_c_service_descriptor_get_method_by_name(commands->service, rows[i].method);
        CHECK(method != NULL);
        ptrdiff_t place = method - commands->service->methods;
        commands->rows[place] = &rows[i];
        methods[place] = (struct rpc_method){
            .name = rows[i].method, .unary = handle, .idempotent = rows[i].is_read};
    }
}

void rpc_commands_handle(const struct rpc_commands *commands, void *context, struct rpc_call *call,
                         const ProtobufCMessage *request)
{
    const struct rpc_command_row *row =
        commands->rows[rpc_call_method(call) - commands->service->methods];
    struct arena *arena = rpc_call_arena(call);
    struct rpc_command_state *state =
        arena_allocate_zero(arena, 1, sizeof *state + row->command_size);
    if (state == NULL) {
        rpc_call_end_without_memory(call);
        return;
    }
    struct violations *violations = commands->begin(call, row->kind, state->command);
    struct rpc_reading reading = {.arena = arena, .violations = violations};
    row->read(&reading, state->command, request);
    state->call = call;
    state->row = row;
    state->filter = reading.filter;
    if (reading.failed)
        rpc_call_end_without_memory(call);
    else if (reading.page_token_invalid)
        rpc_call_end_with_page_token(call);
    else if (!commands->submit(context, state->command))
        rpc_call_end_with_violations(call, violations);
}

struct rpc_call *rpc_command_call(const void *command)
{
    return state_of(command)->call;
}

void rpc_command_done(void *command, const struct error *error)
{
    const struct rpc_command_state *state = state_of(command);
    struct arena *arena = rpc_call_arena(state->call);
    if (error != NULL) {
        rpc_call_end_with_error(state->call, error);
        return;
    }
    ProtobufCMessage *response = arena_allocate(arena, state->row->response->sizeof_message);
    if (response == NULL) {
        rpc_call_end_without_memory(state->call);
        return;
    }
    protobuf_c_message_init(state->row->response, response);
    rpc_call_end_with_answer(state->call, response,
                             state->row->write(arena, command, state->filter, response));
}
