/* Built once with a pass over the descriptors; every method must have its handler before calls are
 * taken. */
#include "platform/rpc/services/method_table.h"

#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

static const struct rpc_method *find_handler(const struct rpc_service *service, const char *name)
{
    for (size_t i = 0; i < service->method_count; i++) {
        if (strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    }
    return NULL;
}

static struct error check_handlers(const struct rpc_service *service)
{
    for (size_t i = 0; i < service->method_count; i++) {
        const struct rpc_method *method = &service->methods[i];
        if (protobuf_c_service_descriptor_get_method_by_name(service->descriptor, method->name) ==
            NULL)
            return error_make(ERROR_INVALID_SETTING, "%s has no method %s",
                              service->descriptor->name, method->name);
        if ((method->unary == NULL) == (method->stream == NULL) ||
            (method->unary != NULL) != (method->kind == RPC_UNARY))
            return error_make(ERROR_INVALID_SETTING, "%s/%s needs one handler, of its kind",
                              service->descriptor->name, method->name);
    }
    return error_none();
}

static char *make_path(const char *service, const char *method)
{
    size_t size = strlen(service) + strlen(method) + 3;
    char *path = memory_allocate(size);
    if (path != NULL)
        snprintf(path, size, "/%s/%s", service, method);
    return path;
}

static struct error add_method(struct method_table *table, const struct rpc_service *service,
                               const ProtobufCMethodDescriptor *descriptor)
{
    struct method_entry *entry = &table->entries[table->count++];
    *entry = (struct method_entry){.service = service, .descriptor = descriptor};
    entry->method = find_handler(service, descriptor->name);
    if (entry->method == NULL)
        return error_make(ERROR_INVALID_SETTING, "%s/%s has no handler", service->descriptor->name,
                          descriptor->name);
    entry->path = make_path(service->descriptor->name, descriptor->name);
    if (entry->path == NULL || !hash_map_reserve(&table->by_path, 1))
        return error_make(ERROR_OUT_OF_MEMORY, "method table");
    hash_map_add(&table->by_path, hash_text(0, text_of(entry->path)), table->count - 1);
    return message_check_create(&entry->check, descriptor->input, service->field_limits,
                                service->field_limit_count);
}

struct error method_table_init(struct method_table *table,
                               const struct rpc_service *const *services, size_t service_count)
{
    size_t methods = 0;
    *table = (struct method_table){0};
    hash_map_init(&table->by_path);
    for (size_t i = 0; i < service_count; i++)
        methods += services[i]->descriptor->n_methods;
    table->entries = memory_allocate_zero(methods, sizeof *table->entries);
    if (table->entries == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "method table");
    for (size_t i = 0; i < service_count; i++) {
        struct error error = check_handlers(services[i]);
        for (unsigned j = 0; !error_is(error) && j < services[i]->descriptor->n_methods; j++)
            error = add_method(table, services[i], &services[i]->descriptor->methods[j]);
        if (error_is(error)) {
            method_table_deinit(table);
            return error;
        }
    }
    return error_none();
}

void method_table_deinit(struct method_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        memory_release(table->entries[i].path);
        message_check_destroy(table->entries[i].check);
    }
    memory_release(table->entries);
    hash_map_deinit(&table->by_path);
    *table = (struct method_table){0};
}

struct path_search {
    const struct method_table *table;
    struct text path;
};

static bool has_path(void *context, uint64_t value)
{
    const struct path_search *search = context;
    return text_equals_string(search->path, search->table->entries[value].path);
}

const struct method_entry *method_table_find(const struct method_table *table, struct text path)
{
    struct path_search search = {.table = table, .path = path};
    uint64_t at;
    if (!hash_map_find(&table->by_path, hash_text(0, path), has_path, &search, &at))
        return NULL;
    return &table->entries[at];
}

bool method_table_has_service(const struct method_table *table, struct text name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (text_equals_string(name, table->entries[i].service->descriptor->name))
            return true;
    }
    return false;
}
