#ifndef WAYBILL_PLATFORM_RPC_STATUS_H
#define WAYBILL_PLATFORM_RPC_STATUS_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/base/violations.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How a call was refused: a gRPC status with its details (google.rpc.Status, AIP-193), built on the
 * call's arena. Whoever builds one never fails: without memory a detail is left out, the code
 * stays. Thread: the owner's of the arena.
 */
struct rpc_detail {
    struct rpc_detail *next;
    const char *type_name; /* "google.rpc.ErrorInfo" */
    struct text value;     /* the packed message */
};

struct rpc_status {
    enum grpc_status code;
    struct text message; /* for people, UTF-8 */
    struct arena *arena;
    struct rpc_detail *details; /* in the order they were added */
    struct rpc_detail *details_last;
};

/* A status with ErrorInfo{reason, domain "waybill"}; reason "" = without ErrorInfo. Formatted
 * message. */
__attribute__((format(printf, 4, 5))) struct rpc_status rpc_status_make(struct arena *arena,
                                                                        enum grpc_status code,
                                                                        const char *reason,
                                                                        const char *format, ...);

/* What ERROR_MAP says of the error, its detail as message, RetryInfo where a retry helps. */
struct rpc_status rpc_status_of_error(struct arena *arena, const struct error *error);

/* INVALID_ARGUMENT INVALID_FIELD with BadRequest: every violation, and the first few in the
 * message. */
struct rpc_status rpc_status_invalid(struct arena *arena, const struct violation *violations,
                                     size_t count);

/* The same of a request's fields: where one is an enum, its values are named (enum_values.h). */
struct rpc_status rpc_status_invalid_request(struct arena *arena,
                                             const ProtobufCMessageDescriptor *request,
                                             const struct violations *violations);

/* Adds a packed message as a detail. */
void rpc_status_add_detail(struct rpc_status *status, const ProtobufCMessage *detail);

/* Adds a detail that is packed already; both are copied. */
void rpc_status_add_packed(struct rpc_status *status, const char *type_name, struct text packed);

/* Adds metadata key = value to the ErrorInfo detail made by rpc_status_make. */
void rpc_status_add_metadata(struct rpc_status *status, const char *key, struct text value);

/* The packed google.rpc.Status for grpc-status-details-bin; empty if there are no details. */
struct text rpc_status_pack(const struct rpc_status *status, struct arena *arena);

/* The other way: what a client got. False if `packed` is no google.rpc.Status. */
__attribute__((warn_unused_result)) bool rpc_status_unpack(struct arena *arena, struct text packed,
                                                           struct rpc_status *status);

#endif
