/* A table and a search over it. */
#include "main/services.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/health/v1/health.pb-c.h"
#include "main/descriptor_set.h"
#include "main/event_types.h"
#include "main/suggestion.h"
#include "platform/json/json_message.h"
#include "waybill/events/v1/events.pb-c.h"
#include "waybill/fulfillment/v1/fulfillment.pb-c.h"
#include "waybill/inventory/v1/inventory.pb-c.h"
#include "waybill/shipping/v1/shipping.pb-c.h"
#include "waybill/tracking/v1/tracking.pb-c.h"
#include "waybill/warehouse/v1/warehouse.pb-c.h"

#include <string.h>

const ProtobufCServiceDescriptor *const known_services[] = {
    &waybill__inventory__v1__inventory_service__descriptor,
    &waybill__warehouse__v1__warehouse_service__descriptor,
    &waybill__shipping__v1__shipping_service__descriptor,
    &waybill__tracking__v1__tracking_service__descriptor,
    &waybill__fulfillment__v1__fulfillment_service__descriptor,
    &waybill__events__v1__event_service__descriptor,
    &grpc__health__v1__health__descriptor,
};
const size_t known_service_count = sizeof known_services / sizeof known_services[0];

/* What may come inside an Any: details of errors, and the records they may carry. */
static const ProtobufCMessageDescriptor *const detail_types[] = {
    &waybill__fulfillment__v1__insufficient_stock__descriptor,
    &waybill__inventory__v1__insufficient_stock__descriptor,
    &waybill__inventory__v1__reservation__descriptor,
    &waybill__inventory__v1__stock__descriptor,
    &waybill__warehouse__v1__insufficient_stock__descriptor,
};

void known_types_register(void)
{
    json_message_register(detail_types, sizeof detail_types / sizeof detail_types[0]);
    json_message_register(event_messages, event_message_count);
}

static bool service_fits(const ProtobufCServiceDescriptor *service, struct text name)
{
    return name.size == 0 || text_equals_string(name, service->name) ||
           text_equals_string(name, service->short_name);
}

size_t known_method_find(struct text name, struct known_method *found)
{
    struct text service = {0};
    struct text method = name;
    size_t count = 0;
    if (name.size > 0 && name.data[0] == '/')
        name = text_make(name.data + 1, name.size - 1);
    const char *slash = name.size == 0 ? NULL : memchr(name.data, '/', name.size);
    if (slash != NULL) {
        service = text_make(name.data, (size_t)(slash - name.data));
        method = text_make(slash + 1, name.size - service.size - 1);
    }
    for (size_t i = 0; i < known_service_count; i++) {
        for (unsigned j = 0; j < known_services[i]->n_methods; j++) {
            const ProtobufCMethodDescriptor *candidate = &known_services[i]->methods[j];
            if (!text_equals_string(method, candidate->name) ||
                !service_fits(known_services[i], service))
                continue;
            *found = (struct known_method){known_services[i], candidate};
            count++;
        }
    }
    return count;
}

/* protobuf-c's descriptors do not tell; the proto's own do. */
static bool is_stream_in(const Google__Protobuf__FileDescriptorProto *file,
                         const struct known_method *method)
{
    if (strcmp(file->package, method->service->package) != 0)
        return false;
    for (size_t i = 0; i < file->n_service; i++) {
        for (size_t j = 0; j < file->service[i]->n_method; j++) {
            const Google__Protobuf__MethodDescriptorProto *one = file->service[i]->method[j];
            if (strcmp(file->service[i]->name, method->service->short_name) == 0 &&
                strcmp(one->name, method->method->name) == 0)
                return one->server_streaming || one->client_streaming;
        }
    }
    return false;
}

bool known_method_is_stream(const struct known_method *method)
{
    struct text bytes = descriptor_set();
    bool is_stream = false;
    Google__Protobuf__FileDescriptorSet *set = google__protobuf__file_descriptor_set__unpack(
        NULL, bytes.size, (const uint8_t *)bytes.data);
    for (size_t i = 0; set != NULL && i < set->n_file; i++)
        is_stream = is_stream || is_stream_in(set->file[i], method);
    google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
    return is_stream;
}

/* The nearest of all methods' names; NULL: none is near. */
static const char *nearest_method(const char *method)
{
    struct suggestion suggestion = suggestion_begin(method);
    for (size_t i = 0; i < known_service_count; i++) {
        for (unsigned j = 0; j < known_services[i]->n_methods; j++)
            suggestion_consider(&suggestion, known_services[i]->methods[j].name);
    }
    return suggestion.best;
}

size_t known_method_suggest(const char *name, FILE *out)
{
    struct known_method method;
    const char *slash = strrchr(name, '/');
    const char *nearest = nearest_method(slash == NULL ? name : slash + 1);
    size_t count = nearest == NULL ? 0 : known_method_find(text_of(nearest), &method);
    size_t written = 0;
    if (out == NULL)
        return count;
    if (count == 1)
        fprintf(out, "%s", nearest);
    for (size_t i = 0; i < known_service_count && count > 1; i++) {
        for (unsigned j = 0; j < known_services[i]->n_methods; j++) {
            if (strcmp(known_services[i]->methods[j].name, nearest) == 0)
                fprintf(out, "%s%s/%s", written++ == 0 ? "" : ", ", known_services[i]->short_name,
                        nearest);
        }
    }
    return count;
}
