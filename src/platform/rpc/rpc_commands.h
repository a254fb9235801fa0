#ifndef WAYBILL_PLATFORM_RPC_RPC_COMMANDS_H
#define WAYBILL_PLATFORM_RPC_RPC_COMMANDS_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/base/violations.h"
#include "platform/rpc/server.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Methods as rows: how the request becomes a command of the application, and how that becomes the
 * response. One handler and one completion serve them all.
 *
 * The command is on the call's arena, so that it lives until the application is done with it,
 * whatever becomes of the caller. Everything here happens on the call's thread.
 */

/* A request being read; what does not fit is a violation. */
struct rpc_reading {
    struct arena *arena;
    struct violations *violations; /* of the command: for what cannot even be said in it */
    struct text filter;            /* lists: all that the page token is bound to */
    bool page_token_invalid;
    bool failed; /* no memory */
};

struct rpc_command_row {
    const char *method;
    int kind; /* of the command, in the context's own words */
    size_t command_size;
    bool is_read; /* no effect: may be repeated by anybody at will */
    const ProtobufCMessageDescriptor *response;
    /* The command is all zero but for its head. The request lives as long as the call. */
    void (*read)(struct rpc_reading *reading, void *command, const ProtobufCMessage *request);
    /* Fills the response, all of whose fields are absent; `filter` is the reading's. False without
     * memory. */
    bool (*write)(struct arena *arena, const void *command, struct text filter,
                  ProtobufCMessage *response);
};

/* A service whose methods are all rows. */
struct rpc_commands {
    const ProtobufCServiceDescriptor *service;
    const struct rpc_command_row **rows; /* one a method of the service, in its order */
    /* Fills the head: kind, executor, arena, deadline. Gives the command's violations, none yet. */
    struct violations *(*begin)(struct rpc_call *call, int kind, void *command);
    /*
     * Hands the command to the application, whose completion ends in rpc_command_done or, for a
     * refusal, in rpc_call_fail of rpc_command_call(). False: the command has violations, and the
     * application does not have it.
     */
    bool (*submit)(void *context, void *command);
};

/*
 * Finds each row's method in the service, and makes it one of the server's table, handled by
 * `handle`. A row whose method the service has not is a programmer's mistake. Before the first
 * call.
 */
void rpc_commands_add(const struct rpc_commands *commands, const struct rpc_command_row *rows,
                      size_t row_count, rpc_unary_handler *handle, struct rpc_method *methods);

/* What the context's rpc_unary_handler does: reads, submits, or refuses. */
void rpc_commands_handle(const struct rpc_commands *commands, void *context, struct rpc_call *call,
                         const ProtobufCMessage *request);

/* The call that a submitted command is of. */
struct rpc_call *rpc_command_call(const void *command);

/* Ends the call: with the error, or with the row's response if it is NULL. */
void rpc_command_done(void *command, const struct error *error);

/* Zeroed memory that lives with the call, at least one element; without any, NULL, and the reading
 * has failed. */
void *rpc_reading_allocate(struct rpc_reading *reading, size_t count, size_t size);

#endif
