#ifndef WAYBILL_PLATFORM_RPC_SERVICES_METHOD_TABLE_H
#define WAYBILL_PLATFORM_RPC_SERVICES_METHOD_TABLE_H

#include "platform/base/error.h"
#include "platform/base/hash_map.h"
#include "platform/base/text.h"
#include "platform/rpc/messages/message_check.h"
#include "platform/rpc/server.h"

#include <stddef.h>

/*
 * All methods of a server by path, made from the services' descriptors and handlers once; read only
 * afterwards, by any thread. Framings differ in how bytes become messages; this is what they share.
 */
struct method_entry {
    char *path; /* "/package.Service/Method" */
    const struct rpc_service *service;
    const struct rpc_method *method;
    const ProtobufCMethodDescriptor *descriptor;
    struct message_check *check; /* of the request */
};

struct method_table {
    struct method_entry *entries;
    size_t count;
    struct hash_map by_path;
};

/*
 * Errors: INVALID_SETTING (a method without handler or with two, a handler without method, a
 * repeated field without limit), OUT_OF_MEMORY.
 */
struct error method_table_init(struct method_table *table,
                               const struct rpc_service *const *services, size_t service_count);
void method_table_deinit(struct method_table *table);

/* NULL if there is no such method. */
const struct method_entry *method_table_find(const struct method_table *table, struct text path);

/* Whether it has the service of that name. */
bool method_table_has_service(const struct method_table *table, struct text name);

#endif
