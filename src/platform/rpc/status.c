/*
 * Statuses with details. Nothing here fails: what finds no memory is left out, the code always
 * arrives.
 */
#include "platform/rpc/status.h"

#include "platform/rpc/enum_values.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char error_domain[] = "waybill";
static const char error_info_type[] = "google.rpc.ErrorInfo";
static const char type_url_prefix[] = "type.googleapis.com/";

/* How long a client should wait before it repeats what may help when repeated. */
static const int32_t retry_delay_nanos = 100000000;

enum { violations_in_message_max = 3 };

struct rpc_status rpc_status_make(struct arena *arena, enum grpc_status code, const char *reason,
                                  const char *format, ...)
{
    char message[512];
    struct rpc_status status = {.code = code, .arena = arena};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    status.message = arena_copy_text(arena, text_of(message));
    if (reason[0] != '\0') {
        Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
        info.reason = (char *)(uintptr_t)reason;
        info.domain = (char *)(uintptr_t)error_domain;
        rpc_status_add_detail(&status, &info.base);
    }
    return status;
}

struct rpc_status rpc_status_of_error(struct arena *arena, const struct error *error)
{
    struct rpc_status status =
        rpc_status_make(arena, error_grpc_status(error->code), error_reason(error->code), "%s",
                        error->detail[0] == '\0' ? error_text(error->code) : error->detail);
    if (error_may_retry(error->code)) {
        Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
        Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;
        delay.nanos = retry_delay_nanos;
        retry.retry_delay = &delay;
        rpc_status_add_detail(&status, &retry.base);
    }
    return status;
}

/* "lines[0].sku: must be …; quantity: must be …" */
static void describe(const struct violation *violations, size_t count, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && i < violations_in_message_max && used < size; i++) {
        int added = snprintf(out + used, size - used, "%s%.*s: %.*s", i == 0 ? "" : "; ",
                             (int)violations[i].field.size, violations[i].field.data,
                             (int)violations[i].description.size, violations[i].description.data);
        used += added < 0 ? 0 : (size_t)added;
    }
    if (count > violations_in_message_max && used < size)
        snprintf(out + used, size - used, "; and %zu more", count - violations_in_message_max);
}

static void add_violations(struct rpc_status *status, const struct violation *violations,
                           size_t count)
{
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;
    Google__Rpc__BadRequest__FieldViolation *messages =
        arena_allocate(status->arena, count * sizeof *messages);
    bad.field_violations =
        arena_allocate(status->arena, count * sizeof(Google__Rpc__BadRequest__FieldViolation *));
    if (messages == NULL || bad.field_violations == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        google__rpc__bad_request__field_violation__init(&messages[i]);
        messages[i].field = arena_copy_string(status->arena, violations[i].field);
        messages[i].description = arena_copy_string(status->arena, violations[i].description);
        if (messages[i].field == NULL || messages[i].description == NULL)
            return;
        bad.field_violations[bad.n_field_violations++] = &messages[i];
    }
    rpc_status_add_detail(status, &bad.base);
}

struct rpc_status rpc_status_invalid(struct arena *arena, const struct violation *violations,
                                     size_t count)
{
    char message[480];
    describe(violations, count, message, sizeof message);
    struct rpc_status status =
        rpc_status_make(arena, GRPC_STATUS_INVALID_ARGUMENT, "INVALID_FIELD", "%s", message);
    add_violations(&status, violations, count);
    return status;
}

struct rpc_status rpc_status_invalid_request(struct arena *arena,
                                             const ProtobufCMessageDescriptor *request,
                                             const struct violations *violations)
{
    struct violation named[violations_max];
    size_t count = violations_kept(violations);
    for (size_t i = 0; i < count; i++)
        named[i] = enum_values_named(arena, request, violations->items[i]);
    return rpc_status_invalid(arena, named, count);
}

static void add_detail(struct rpc_status *status, struct rpc_detail *detail)
{
    detail->next = NULL;
    if (status->details_last == NULL)
        status->details = detail;
    else
        status->details_last->next = detail;
    status->details_last = detail;
}

void rpc_status_add_detail(struct rpc_status *status, const ProtobufCMessage *detail)
{
    size_t size = protobuf_c_message_get_packed_size(detail);
    struct rpc_detail *added = arena_allocate(status->arena, sizeof *added);
    uint8_t *bytes = arena_allocate(status->arena, size);
    if (added == NULL || bytes == NULL)
        return;
    protobuf_c_message_pack(detail, bytes);
    added->type_name = detail->descriptor->name;
    added->value = text_make(bytes, size);
    add_detail(status, added);
}

void rpc_status_add_packed(struct rpc_status *status, const char *type_name, struct text packed)
{
    struct rpc_detail *added = arena_allocate(status->arena, sizeof *added);
    struct text name = arena_copy_text(status->arena, text_of(type_name));
    struct text value = arena_copy_text(status->arena, packed);
    if (added == NULL || name.data == NULL || value.data == NULL)
        return;
    *added = (struct rpc_detail){.type_name = name.data, .value = value};
    add_detail(status, added);
}

void rpc_status_add_metadata(struct rpc_status *status, const char *key, struct text value)
{
    Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry *entries[1] = {&entry};
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    struct rpc_detail *detail = status->details;
    while (detail != NULL && strcmp(detail->type_name, error_info_type) != 0)
        detail = detail->next;
    entry.key = (char *)(uintptr_t)key;
    entry.value = arena_copy_string(status->arena, value);
    if (detail == NULL || entry.value == NULL)
        return;
    /* Messages are joined by joining their bytes: the entry is one more element of `metadata`. */
    info.n_metadata = 1;
    info.metadata = entries;
    size_t size = protobuf_c_message_get_packed_size(&info.base);
    char *joined = arena_allocate(status->arena, detail->value.size + size);
    if (joined == NULL)
        return;
    memcpy(joined, detail->value.data, detail->value.size);
    protobuf_c_message_pack(&info.base, (uint8_t *)joined + detail->value.size);
    detail->value = text_make(joined, detail->value.size + size);
}

static size_t count_details(const struct rpc_status *status)
{
    size_t count = 0;
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next)
        count++;
    return count;
}

struct text rpc_status_pack(const struct rpc_status *status, struct arena *arena)
{
    Google__Rpc__Status message = GOOGLE__RPC__STATUS__INIT;
    size_t count = count_details(status);
    if (count == 0)
        return (struct text){0};
    Google__Protobuf__Any *anys = arena_allocate(arena, count * sizeof *anys);
    message.details = arena_allocate(arena, count * sizeof(Google__Protobuf__Any *));
    message.code = (int32_t)status->code;
    message.message = arena_copy_string(arena, status->message);
    if (anys == NULL || message.details == NULL || message.message == NULL)
        return (struct text){0};
    for (const struct rpc_detail *detail = status->details; detail != NULL; detail = detail->next) {
        Google__Protobuf__Any *any = &anys[message.n_details];
        google__protobuf__any__init(any);
        any->type_url = arena_format(arena, "%s%s", type_url_prefix, detail->type_name);
        any->value.len = detail->value.size;
        any->value.data = (uint8_t *)(uintptr_t)detail->value.data;
        if (any->type_url == NULL)
            return (struct text){0};
        message.details[message.n_details++] = any;
    }
    size_t size = google__rpc__status__get_packed_size(&message);
    uint8_t *bytes = arena_allocate(arena, size);
    if (bytes == NULL)
        return (struct text){0};
    google__rpc__status__pack(&message, bytes);
    return text_make(bytes, size);
}

bool rpc_status_unpack(struct arena *arena, struct text packed, struct rpc_status *status)
{
    Google__Rpc__Status *message =
        google__rpc__status__unpack(NULL, packed.size, (const uint8_t *)packed.data);
    if (message == NULL)
        return false;
    *status = (struct rpc_status){
        .code = (enum grpc_status)message->code,
        .arena = arena,
        .message = arena_copy_text(arena, text_of(message->message)),
    };
    for (size_t i = 0; i < message->n_details; i++) {
        const Google__Protobuf__Any *any = message->details[i];
        const char *slash = strrchr(any->type_url, '/');
        struct rpc_detail *detail = arena_allocate(arena, sizeof *detail);
        const char *type = slash == NULL ? any->type_url : slash + 1;
        struct text name = arena_copy_text(arena, text_of(type));
        struct text value = arena_copy_text(arena, text_make(any->value.data, any->value.len));
        if (detail == NULL || name.data == NULL || value.data == NULL)
            break;
        *detail = (struct rpc_detail){.type_name = name.data, .value = value};
        add_detail(status, detail);
    }
    google__rpc__status__free_unpacked(message, NULL);
    return true;
}
