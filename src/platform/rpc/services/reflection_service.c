/*
 * The files of the descriptor set are answered as the bytes they came in; they are unpacked once,
 * to know their names and symbols. A client asks for dependencies by name.
 */
#include "platform/rpc/services/reflection_service.h"

#include "google/protobuf/descriptor.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "platform/base/codec.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <string.h>

enum { files_max = 64, services_max = 32 };

struct reflection_file {
    struct text bytes;
    Google__Protobuf__FileDescriptorProto *descriptor;
};

struct reflection_service {
    struct rpc_service rpc;
    size_t file_count;
    struct reflection_file files[files_max];
    size_t service_count;
    const char *services[services_max];
};

/* --- names --- */

/* If `symbol` begins with `scope` and a dot (or scope is empty), what is behind; else NULL. */
static const char *within(const char *symbol, const char *scope)
{
    size_t size = strlen(scope);
    if (size == 0)
        return symbol;
    return strncmp(symbol, scope, size) == 0 && symbol[size] == '.' ? symbol + size + 1 : NULL;
}

static bool message_has(const Google__Protobuf__DescriptorProto *message, const char *symbol)
{
    const char *rest = within(symbol, message->name);
    if (strcmp(symbol, message->name) == 0)
        return true;
    for (size_t i = 0; rest != NULL && i < message->n_nested_type; i++) {
        if (message_has(message->nested_type[i], rest))
            return true;
    }
    for (size_t i = 0; rest != NULL && i < message->n_enum_type; i++) {
        if (strcmp(rest, message->enum_type[i]->name) == 0)
            return true;
    }
    for (size_t i = 0; rest != NULL && i < message->n_field; i++) {
        if (strcmp(rest, message->field[i]->name) == 0)
            return true;
    }
    return false;
}

static bool service_has(const Google__Protobuf__ServiceDescriptorProto *service, const char *symbol)
{
    const char *rest = within(symbol, service->name);
    if (strcmp(symbol, service->name) == 0)
        return true;
    for (size_t i = 0; rest != NULL && i < service->n_method; i++) {
        if (strcmp(rest, service->method[i]->name) == 0)
            return true;
    }
    return false;
}

static bool file_has(const Google__Protobuf__FileDescriptorProto *file, const char *symbol)
{
    const char *rest = within(symbol, file->package == NULL ? "" : file->package);
    for (size_t i = 0; rest != NULL && i < file->n_message_type; i++) {
        if (message_has(file->message_type[i], rest))
            return true;
    }
    for (size_t i = 0; rest != NULL && i < file->n_service; i++) {
        if (service_has(file->service[i], rest))
            return true;
    }
    for (size_t i = 0; rest != NULL && i < file->n_enum_type; i++) {
        if (strcmp(rest, file->enum_type[i]->name) == 0)
            return true;
    }
    return false;
}

static bool has_message(const struct reflection_service *reflection, const char *name)
{
    for (size_t i = 0; i < reflection->file_count; i++) {
        const Google__Protobuf__FileDescriptorProto *file = reflection->files[i].descriptor;
        const char *rest = within(name, file->package == NULL ? "" : file->package);
        for (size_t j = 0; rest != NULL && j < file->n_message_type; j++) {
            if (message_has(file->message_type[j], rest))
                return true;
        }
    }
    return false;
}

/* --- answers --- */

struct answer {
    Grpc__Reflection__V1__ServerReflectionResponse response;
    Grpc__Reflection__V1__FileDescriptorResponse files;
    Grpc__Reflection__V1__ExtensionNumberResponse extensions;
    Grpc__Reflection__V1__ListServiceResponse list;
    Grpc__Reflection__V1__ErrorResponse error;
    ProtobufCBinaryData file;
    Grpc__Reflection__V1__ServiceResponse services[services_max];
    Grpc__Reflection__V1__ServiceResponse *service_pointers[services_max];
};

static void answer_error(struct answer *answer, enum grpc_status code, const char *message)
{
    grpc__reflection__v1__error_response__init(&answer->error);
    answer->error.error_code = (int32_t)code;
    answer->error.error_message = (char *)(uintptr_t)message;
    answer->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ERROR_RESPONSE;
    answer->response.error_response = &answer->error;
}

static void answer_file(struct answer *answer, const struct reflection_file *file)
{
    if (file == NULL) {
        answer_error(answer, GRPC_STATUS_NOT_FOUND, "no file or symbol has this name");
        return;
    }
    grpc__reflection__v1__file_descriptor_response__init(&answer->files);
    answer->file.data = (uint8_t *)(uintptr_t)file->bytes.data;
    answer->file.len = file->bytes.size;
    answer->files.n_file_descriptor_proto = 1;
    answer->files.file_descriptor_proto = &answer->file;
    answer->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    answer->response.file_descriptor_response = &answer->files;
}

static const struct reflection_file *find_file(const struct reflection_service *reflection,
                                               const char *name)
{
    for (size_t i = 0; i < reflection->file_count; i++) {
        if (strcmp(reflection->files[i].descriptor->name, name) == 0)
            return &reflection->files[i];
    }
    return NULL;
}

static const struct reflection_file *find_symbol(const struct reflection_service *reflection,
                                                 const char *symbol)
{
    for (size_t i = 0; i < reflection->file_count; i++) {
        if (file_has(reflection->files[i].descriptor, symbol))
            return &reflection->files[i];
    }
    return NULL;
}

static void answer_services(struct answer *answer, const struct reflection_service *reflection)
{
    grpc__reflection__v1__list_service_response__init(&answer->list);
    for (size_t i = 0; i < reflection->service_count; i++) {
        grpc__reflection__v1__service_response__init(&answer->services[i]);
        answer->services[i].name = (char *)(uintptr_t)reflection->services[i];
        answer->service_pointers[i] = &answer->services[i];
    }
    answer->list.n_service = reflection->service_count;
    answer->list.service = answer->service_pointers;
    answer->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_LIST_SERVICES_RESPONSE;
    answer->response.list_services_response = &answer->list;
}

/* We define no extensions: a known message has none. */
static void answer_extensions(struct answer *answer, const struct reflection_service *reflection,
                              char *type)
{
    if (!has_message(reflection, type)) {
        answer_error(answer, GRPC_STATUS_NOT_FOUND, "no message has this name");
        return;
    }
    grpc__reflection__v1__extension_number_response__init(&answer->extensions);
    answer->extensions.base_type_name = type;
    answer->response.message_response_case =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_ALL_EXTENSION_NUMBERS_RESPONSE;
    answer->response.all_extension_numbers_response = &answer->extensions;
}

static void fill(struct answer *answer, const struct reflection_service *reflection,
                 Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    switch (request->message_request_case) {
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_BY_FILENAME:
        answer_file(answer, find_file(reflection, request->file_by_filename));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL:
        answer_file(answer, find_symbol(reflection, request->file_containing_symbol));
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_EXTENSION:
        answer_error(answer, GRPC_STATUS_NOT_FOUND, "there are no extensions here");
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_ALL_EXTENSION_NUMBERS_OF_TYPE:
        answer_extensions(answer, reflection, request->all_extension_numbers_of_type);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_LIST_SERVICES:
        answer_services(answer, reflection);
        return;
    case GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__NOT_SET:
    case _GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST__CASE_IS_INT_SIZE:
        break;
    }
    answer_error(answer, GRPC_STATUS_INVALID_ARGUMENT, "the request asks for nothing");
}

static void stream_opened(void *context, struct rpc_call *call, void **stream_context)
{
    (void)call;
    *stream_context = context;
}

static void stream_message(void *stream_context, struct rpc_call *call,
                           const ProtobufCMessage *message)
{
    struct answer answer;
    Grpc__Reflection__V1__ServerReflectionRequest *request =
        (Grpc__Reflection__V1__ServerReflectionRequest *)(uintptr_t)message;
    grpc__reflection__v1__server_reflection_response__init(&answer.response);
    answer.response.valid_host = request->host;
    answer.response.original_request = request;
    fill(&answer, stream_context, request);
    if (rpc_call_send(call, &answer.response.base))
        rpc_call_read_next(call);
}

static void stream_writable(void *stream_context, struct rpc_call *call)
{
    (void)stream_context;
    rpc_call_read_next(call);
}

static void stream_half_closed(void *stream_context, struct rpc_call *call)
{
    (void)stream_context;
    rpc_call_finish(call);
}

/* --- its life --- */

/* A FileDescriptorSet is nothing but files, each in field 1. */
static struct error read_files(struct reflection_service *reflection, struct text descriptor_set)
{
    struct byte_reader reader = byte_reader_of(descriptor_set);
    while (reader.at < reader.end) {
        uint8_t tag = read_uint8(&reader);
        struct text bytes = read_text(&reader);
        if (tag != 0x0A || reader.failed || reflection->file_count == files_max)
            return error_make(ERROR_INVALID_SETTING,
                              "the descriptor set is damaged or has more than %d files", files_max);
        struct reflection_file *file = &reflection->files[reflection->file_count];
        file->bytes = bytes;
        file->descriptor = google__protobuf__file_descriptor_proto__unpack(
            NULL, bytes.size, (const uint8_t *)bytes.data);
        if (file->descriptor == NULL)
            return error_make(ERROR_INVALID_SETTING, "the descriptor set is damaged");
        reflection->file_count++;
    }
    return error_none();
}

struct error reflection_service_create(struct reflection_service **reflection,
                                       struct text descriptor_set,
                                       const struct rpc_service *const *services, size_t count)
{
    static const struct rpc_stream_handler stream = {
        .opened = stream_opened,
        .message = stream_message,
        .writable = stream_writable,
        .half_closed = stream_half_closed,
    };
    static const struct rpc_method methods[] = {
        {.name = "ServerReflectionInfo",
         .kind = RPC_BIDI_STREAM,
         .stream = &stream,
         .idempotent = true},
    };
    struct reflection_service *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "reflection service");
    made->rpc = (struct rpc_service){
        .descriptor = &grpc__reflection__v1__server_reflection__descriptor,
        .methods = methods,
        .method_count = 1,
        .context = made,
    };
    for (size_t i = 0; i < count && i + 1 < services_max; i++)
        made->services[made->service_count++] = services[i]->descriptor->name;
    made->services[made->service_count++] = made->rpc.descriptor->name;
    struct error error = read_files(made, descriptor_set);
    if (error_is(error)) {
        reflection_service_destroy(made);
        return error;
    }
    *reflection = made;
    return error_none();
}

void reflection_service_destroy(struct reflection_service *reflection)
{
    if (reflection == NULL)
        return;
    for (size_t i = 0; i < reflection->file_count; i++)
        google__protobuf__file_descriptor_proto__free_unpacked(reflection->files[i].descriptor,
                                                               NULL);
    memory_release(reflection);
}

const struct rpc_service *reflection_service_rpc(struct reflection_service *reflection)
{
    return &reflection->rpc;
}
