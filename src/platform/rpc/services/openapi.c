/*
 * Two passes over the descriptors: the methods, noting each message type on the way, then the types
 * with those they are made of. Whatever does not fit shows at the end, in one place: after the
 * first failure the writer writes nothing more.
 */
#include "platform/rpc/services/openapi.h"

#include "platform/base/check.h"
#include "platform/json/json_message.h"
#include "platform/json/json_types.h"

#include <stdarg.h>
#include <stdio.h>

enum { types_max = 512 };

struct openapi_writer {
    struct buffer *out;
    const struct method_table *table;
    const ProtobufCMessageDescriptor *types[types_max];
    size_t type_count;
    bool failed;
    bool too_large; /* not for want of memory */
};

static void put(struct openapi_writer *writer, const char *string)
{
    if (!writer->failed)
        writer->failed = !buffer_append_string(writer->out, string);
}

/* Names of protos need no escapes in JSON. */
__attribute__((format(printf, 2, 3))) static void put_format(struct openapi_writer *writer,
                                                             const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    CHECK(size >= 0 && (size_t)size < sizeof text); /* names of protos are shorter */
    put(writer, text);
}

/* Notes the type, to be described once. */
static void need_type(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < writer->type_count; i++) {
        if (writer->types[i] == type)
            return;
    }
    if (writer->type_count == types_max)
        writer->failed = writer->too_large = true;
    else
        writer->types[writer->type_count++] = type;
}

static void put_reference(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type)
{
    need_type(writer, type);
    put_format(writer, "{\"$ref\":\"#/components/schemas/%s\"}", type->name);
}

/* --- methods --- */

static void put_responses(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type)
{
    put(writer, "\"responses\":{\"200\":{\"description\":\"The answer.\",\"content\":"
                "{\"application/json\":{\"schema\":");
    put_reference(writer, type);
    put(writer, "}}},\"default\":{\"description\":\"A refusal.\",\"content\":"
                "{\"application/json\":{\"schema\":"
                "{\"$ref\":\"#/components/schemas/connect.error\"}}}}}");
}

static void put_head(struct openapi_writer *writer, const struct method_entry *entry,
                     const char *verb, const char *suffix)
{
    const char *service = entry->service->descriptor->name;
    put_format(writer, "\"%s\":{\"tags\":[\"%s\"],\"operationId\":\"%s.%s%s\",", verb, service,
               service, entry->descriptor->name, suffix);
}

static void put_post(struct openapi_writer *writer, const struct method_entry *entry)
{
    put_head(writer, entry, "post", "");
    put(writer,
        "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":");
    put_reference(writer, entry->descriptor->input);
    put(writer, "}}},");
    put_responses(writer, entry->descriptor->output);
    put(writer, "}");
}

static void put_get(struct openapi_writer *writer, const struct method_entry *entry)
{
    put_head(writer, entry, "get", ".get");
    put(writer, "\"parameters\":["
                "{\"name\":\"connect\",\"in\":\"query\",\"schema\":{\"const\":\"v1\"}},"
                "{\"name\":\"encoding\",\"in\":\"query\",\"required\":true,"
                "\"schema\":{\"const\":\"json\"}},"
                "{\"name\":\"message\",\"in\":\"query\",\"required\":true,"
                "\"content\":{\"application/json\":{\"schema\":");
    put_reference(writer, entry->descriptor->input);
    put(writer, "}}}],");
    put_responses(writer, entry->descriptor->output);
    put(writer, "}");
}

static void put_paths(struct openapi_writer *writer)
{
    bool first = true;
    put(writer, "\"paths\":{");
    for (size_t i = 0; i < writer->table->count; i++) {
        const struct method_entry *entry = &writer->table->entries[i];
        if (entry->method->kind != RPC_UNARY)
            continue;
        put_format(writer, "%s\"%s\":{", first ? "" : ",", entry->path);
        first = false;
        put_post(writer, entry);
        if (entry->method->idempotent) {
            put(writer, ",");
            put_get(writer, entry);
        }
        put(writer, "}");
    }
    put(writer, "}");
}

/* --- types --- */

static void put_enum(struct openapi_writer *writer, const ProtobufCEnumDescriptor *type)
{
    if (json_is_null_value(type)) {
        put(writer, "{\"type\":\"null\"}");
        return;
    }
    put(writer, "{\"type\":\"string\",\"enum\":[");
    for (unsigned i = 0; i < type->n_values; i++)
        put_format(writer, "%s\"%s\"", i == 0 ? "" : ",", type->values[i].name);
    put(writer, "]}");
}

/* One value, not a list. */
static void put_value(struct openapi_writer *writer, const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        put(writer, "{\"type\":\"integer\",\"format\":\"int32\"}");
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        put(writer, "{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295}");
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put(writer, "{\"type\":[\"string\",\"integer\"],\"format\":\"int64\"}");
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        put(writer, "{\"type\":[\"string\",\"integer\"],\"format\":\"uint64\"}");
        break;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        put(writer, "{\"oneOf\":[{\"type\":\"number\"},"
                    "{\"enum\":[\"NaN\",\"Infinity\",\"-Infinity\"]}]}");
        break;
    case PROTOBUF_C_TYPE_BOOL:
        put(writer, "{\"type\":\"boolean\"}");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(writer, field->descriptor);
        break;
    case PROTOBUF_C_TYPE_STRING:
        put(writer, "{\"type\":\"string\"}");
        break;
    case PROTOBUF_C_TYPE_BYTES:
        put(writer, "{\"type\":\"string\",\"contentEncoding\":\"base64\"}");
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_reference(writer, field->descriptor);
        break;
    }
}

/* How many elements the field may have in a request; 0 = it is in none. */
static uint32_t limit_of(const struct openapi_writer *writer,
                         const ProtobufCMessageDescriptor *type, const char *field)
{
    for (size_t i = 0; i < writer->table->count; i++) {
        const struct rpc_service *service = writer->table->entries[i].service;
        for (size_t j = 0; j < service->field_limit_count; j++) {
            const struct rpc_field_limit *limit = &service->field_limits[j];
            if (limit->message == type && text_equals_string(text_of(limit->field), field))
                return limit->count_max;
        }
    }
    return 0;
}

static void put_field(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type,
                      const ProtobufCFieldDescriptor *field)
{
    put(writer, "\"");
    if (!writer->failed)
        writer->failed = !json_name_write(field->name, writer->out);
    put(writer, "\":");
    if (json_field_is_map(field)) {
        const ProtobufCMessageDescriptor *entry = field->descriptor;
        put(writer, "{\"type\":\"object\",\"additionalProperties\":");
        put_value(writer, &entry->fields[1]);
        put(writer, "}");
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        uint32_t limit = limit_of(writer, type, field->name);
        put(writer, "{\"type\":\"array\",");
        if (limit > 0)
            put_format(writer, "\"maxItems\":%u,", limit);
        put(writer, "\"items\":");
        put_value(writer, field);
        put(writer, "}");
    } else {
        put_value(writer, field);
    }
}

static void put_object(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type)
{
    put(writer, "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
    for (unsigned i = 0; i < type->n_fields; i++) {
        put(writer, i == 0 ? "" : ",");
        put_field(writer, type, &type->fields[i]);
    }
    put(writer, "}}");
}

static void put_type(struct openapi_writer *writer, const ProtobufCMessageDescriptor *type)
{
    put_format(writer, "\"%s\":", type->name);
    switch (json_form_of(type)) {
    case JSON_FORM_OBJECT:
        put_object(writer, type);
        break;
    case JSON_FORM_TIMESTAMP:
        put(writer, "{\"type\":\"string\",\"format\":\"date-time\"}");
        break;
    case JSON_FORM_DURATION:
        put(writer, "{\"type\":\"string\",\"pattern\":\"^-?[0-9]+(\\\\.[0-9]{1,9})?s$\"}");
        break;
    case JSON_FORM_FIELD_MASK:
        put(writer, "{\"type\":\"string\"}");
        break;
    case JSON_FORM_WRAPPER:
        put_value(writer, &type->fields[0]);
        break;
    case JSON_FORM_STRUCT:
        put(writer, "{\"type\":\"object\"}");
        break;
    case JSON_FORM_LIST:
        put(writer, "{\"type\":\"array\"}");
        break;
    case JSON_FORM_VALUE:
        put(writer, "{}");
        break;
    case JSON_FORM_ANY:
        put(writer, "{\"type\":\"object\",\"required\":[\"@type\"],"
                    "\"properties\":{\"@type\":{\"type\":\"string\"}}}");
        break;
    }
}

/* connectrpc.com/docs/protocol, "Error Codes" and "Unary-Response". */
static void put_error_type(struct openapi_writer *writer)
{
    put(writer, "\"connect.error\":{\"type\":\"object\",\"required\":[\"code\"],\"properties\":{"
                "\"code\":{\"enum\":[\"canceled\",\"unknown\",\"invalid_argument\","
                "\"deadline_exceeded\",\"not_found\",\"already_exists\",\"permission_denied\","
                "\"resource_exhausted\",\"failed_precondition\",\"aborted\",\"out_of_range\","
                "\"unimplemented\",\"internal\",\"unavailable\",\"data_loss\","
                "\"unauthenticated\"]},"
                "\"message\":{\"type\":\"string\"},"
                "\"details\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
                "\"required\":[\"type\",\"value\"],\"properties\":{\"type\":{\"type\":\"string\"},"
                "\"value\":{\"type\":\"string\",\"contentEncoding\":\"base64\"},"
                "\"debug\":{\"type\":\"object\"}}}}}}");
}

struct error openapi_write(const struct method_table *table, const char *title, const char *version,
                           struct buffer *out)
{
    struct openapi_writer writer = {.out = out, .table = table};
    put_format(&writer, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"%s\",\"version\":\"%s\"},",
               title, version);
    put_paths(&writer);
    put(&writer, ",\"components\":{\"schemas\":{");
    for (size_t i = 0; i < writer.type_count; i++) { /* it grows on the way */
        put_type(&writer, writer.types[i]);
        put(&writer, ",");
    }
    put_error_type(&writer);
    put(&writer, "}}}\n");
    if (writer.too_large)
        return error_make(ERROR_LIMIT, "more than %d message types", (int)types_max);
    if (writer.failed)
        return error_make(ERROR_OUT_OF_MEMORY, "the OpenAPI document");
    return error_none();
}
