#ifndef WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_CALL_H
#define WAYBILL_INVENTORY_INTERFACES_RPC_INVENTORY_RPC_CALL_H

#include "inventory/application/inventory_service.h"
#include "platform/rpc/rpc_call_end.h"

#include "waybill/inventory/v1/inventory.pb-c.h"

#include <stdbool.h>
#include <stddef.h>

/* The handlers of inventory's methods, and what they share beside rpc_call_end.h. Thread: the
 * call's loop. */

/* Memory for a command, all zero; without any the call has failed and NULL is given. */
void *inventory_rpc_command(struct rpc_call *call, size_t size);

/* The call fails with INVALID_FIELD. */
void inventory_rpc_fail_with_violation(struct rpc_call *call, const char *field,
                                       const char *description);

void inventory_rpc_fail_with_line(struct rpc_call *call, size_t line, const char *description);

/* INSUFFICIENT_STOCK: the message names the first SKU, the detail all of them. */
void inventory_rpc_fail_with_shortages(struct rpc_call *call, const struct shortage *shortages,
                                       size_t count);

/* The same as a status. */
struct rpc_status inventory_rpc_shortage_status(struct arena *arena,
                                                const struct shortage *shortages, size_t count);

/* Why a command was not done, as a status. False if it was. */
bool inventory_rpc_refusal(struct arena *arena, const struct inventory_command *command,
                           const struct error *error, struct rpc_status *status);

/*
 * The command of a Reserve as the message asks for it, and memory for its lines: false without. Its
 * texts view the message.
 */
bool inventory_rpc_read_reserve(struct arena *arena,
                                const Waybill__Inventory__V1__ReserveRequest *request,
                                struct reserve_command *command, struct quantity_line **lines);

/* Answers a command that was not done. False if it was. */
bool inventory_rpc_failed(struct rpc_call *call, const struct inventory_command *command,
                          const struct error *error);

/* rpc_unary_handlers; their context is the struct inventory_service. */
void inventory_rpc_receive_stock(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message);
void inventory_rpc_adjust_stock(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message);
void inventory_rpc_get_stock(void *context, struct rpc_call *call, const ProtobufCMessage *message);
void inventory_rpc_reserve(void *context, struct rpc_call *call, const ProtobufCMessage *message);
void inventory_rpc_commit(void *context, struct rpc_call *call, const ProtobufCMessage *message);
void inventory_rpc_rollback(void *context, struct rpc_call *call, const ProtobufCMessage *message);
void inventory_rpc_get_reservation(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message);
void inventory_rpc_list_stock_entries(void *context, struct rpc_call *call,
                                      const ProtobufCMessage *message);
void inventory_rpc_verify_ledger(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message);
void inventory_rpc_set_stock_policy(void *context, struct rpc_call *call,
                                    const ProtobufCMessage *message);
void inventory_rpc_batch_get_stock(void *context, struct rpc_call *call,
                                   const ProtobufCMessage *message);
void inventory_rpc_list_stock(void *context, struct rpc_call *call,
                              const ProtobufCMessage *message);
void inventory_rpc_batch_reserve(void *context, struct rpc_call *call,
                                 const ProtobufCMessage *message);
void inventory_rpc_extend_reservation(void *context, struct rpc_call *call,
                                      const ProtobufCMessage *message);
void inventory_rpc_return_stock(void *context, struct rpc_call *call,
                                const ProtobufCMessage *message);
void inventory_rpc_list_reservations(void *context, struct rpc_call *call,
                                     const ProtobufCMessage *message);

/* ReserveStream; its context is the same. */
extern const struct rpc_stream_handler inventory_rpc_reserve_stream;

#endif
