/*
 * A walk over the wire bytes with the descriptor beside it. For every message type there is a row
 * of rules, made once: which row a sub-message field leads to, how many elements a repeated field
 * may have. The walk keeps its path as a chain of frames on the stack, so that a violation can be
 * named; nothing is allocated unless something is wrong.
 *
 * It stops at the first malformed byte; wrong values are collected up to the bound of `violations`.
 */
#include "platform/rpc/messages/message_check.h"

#include "platform/base/memory.h"
#include "platform/rpc/server.h"

#include <stdio.h>
#include <string.h>

enum { message_types_max = 64, fields_max = 64 };

struct message_rules {
    const ProtobufCMessageDescriptor *descriptor;
    struct {
        uint32_t count_max; /* of a repeated field */
        uint16_t rules;     /* of a sub-message: index of its rules */
    } fields[fields_max];
};

struct message_check {
    size_t count;
    struct message_rules rules[]; /* the first is the message's own */
};

/* --- making the rules --- */

static const struct rpc_field_limit *find_limit(const struct rpc_field_limit *limits, size_t count,
                                                const ProtobufCMessageDescriptor *message,
                                                const char *field)
{
    for (size_t i = 0; i < count; i++) {
        if (limits[i].message == message && strcmp(limits[i].field, field) == 0)
            return &limits[i];
    }
    return NULL;
}

static size_t find_rules(const struct message_check *check,
                         const ProtobufCMessageDescriptor *descriptor)
{
    size_t at = 0;
    while (at < check->count && check->rules[at].descriptor != descriptor)
        at++;
    return at;
}

/* Fills one row; types not met before are added behind it, to be filled in their turn. */
static struct error fill_rules(struct message_check *check, size_t row,
                               const struct rpc_field_limit *limits, size_t limit_count)
{
    const ProtobufCMessageDescriptor *message = check->rules[row].descriptor;
    if (message->n_fields > fields_max)
        return error_make(ERROR_INVALID_SETTING, "%s has more than %d fields", message->name,
                          fields_max);
    for (unsigned i = 0; i < message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            const struct rpc_field_limit *limit =
                find_limit(limits, limit_count, message, field->name);
            if (limit == NULL)
                return error_make(ERROR_INVALID_SETTING, "%s.%s is repeated and has no limit",
                                  message->name, field->name);
            check->rules[row].fields[i].count_max = limit->count_max;
        }
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        size_t child = find_rules(check, field->descriptor);
        if (child == message_types_max)
            return error_make(ERROR_INVALID_SETTING, "%s: more than %d message types",
                              message->name, message_types_max);
        if (child == check->count)
            check->rules[check->count++].descriptor = field->descriptor;
        check->rules[row].fields[i].rules = (uint16_t)child;
    }
    return error_none();
}

struct error message_check_create(struct message_check **check,
                                  const ProtobufCMessageDescriptor *descriptor,
                                  const struct rpc_field_limit *limits, size_t limit_count)
{
    struct message_check *made =
        memory_allocate_zero(1, sizeof *made + message_types_max * sizeof made->rules[0]);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "check of %s", descriptor->name);
    made->rules[made->count++].descriptor = descriptor;
    for (size_t row = 0; row < made->count; row++) {
        struct error error = fill_rules(made, row, limits, limit_count);
        if (error_is(error)) {
            memory_release(made);
            return error;
        }
    }
    struct message_check *fitted =
        memory_reallocate(made, sizeof *made + made->count * sizeof made->rules[0]);
    *check = fitted == NULL ? made : fitted;
    return error_none();
}

void message_check_destroy(struct message_check *check)
{
    memory_release(check);
}

/* --- the walk --- */

struct path_frame {
    const struct path_frame *outer;
    const ProtobufCFieldDescriptor *field;
    uint32_t index; /* of a repeated field */
};

struct walk {
    const struct message_check *check;
    struct arena *arena;
    struct violations *violations; /* NULL until there is one */
    bool out_of_memory;
    const char *malformed; /* what is wrong with the bytes */
};

static size_t print_path(const struct path_frame *frame, char *out, size_t size)
{
    size_t used = frame->outer == NULL ? 0 : print_path(frame->outer, out, size);
    if (used + 1 < size && frame->outer != NULL)
        used += (size_t)snprintf(out + used, size - used, ".");
    if (used + 1 < size)
        used += (size_t)snprintf(out + used, size - used, "%s", frame->field->name);
    if (used + 1 < size && frame->field->label == PROTOBUF_C_LABEL_REPEATED &&
        frame->index != UINT32_MAX)
        used += (size_t)snprintf(out + used, size - used, "[%u]", frame->index);
    return used;
}

static void violate(struct walk *walk, const struct path_frame *frame, const char *description)
{
    char path[512];
    if (walk->violations == NULL) {
        walk->violations = arena_allocate(walk->arena, sizeof *walk->violations);
        if (walk->violations == NULL) {
            walk->out_of_memory = true;
            return;
        }
        violations_init(walk->violations, walk->arena);
    }
    if (walk->violations->count >= violations_max)
        return;
    print_path(frame, path, sizeof path);
    violations_add(walk->violations, description, "%s", path);
}

static bool malformed(struct walk *walk, const char *what)
{
    walk->malformed = what;
    return false;
}

/* Bytes of a varint (protobuf.dev, "Encoding"); more is refused, also where they are zeros. */
enum { VARINT_32_BIT = 5, VARINT_64_BIT = 10 };

static bool read_varint(const uint8_t **at, const uint8_t *end, unsigned bytes_max, uint64_t *value)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; shift < 7 * bytes_max; shift += 7) {
        if (*at == end)
            return false;
        uint8_t byte = *(*at)++;
        if (shift < 64)
            sum |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *value = sum;
            return shift < 63 || byte <= 1;
        }
    }
    return false;
}

enum wire_type { WIRE_VARINT = 0, WIRE_64_BIT = 1, WIRE_LENGTH = 2, WIRE_32_BIT = 5 };

static enum wire_type wire_type_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return WIRE_32_BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return WIRE_64_BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return WIRE_LENGTH;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM:
        return WIRE_VARINT;
    }
    return WIRE_VARINT;
}

/* Passes over one value; a length-delimited one is given as *bytes. */
static bool read_value(struct walk *walk, unsigned wire, const uint8_t **at, const uint8_t *end,
                       struct text *bytes)
{
    uint64_t value;
    switch (wire) {
    case WIRE_VARINT:
        return read_varint(at, end, VARINT_64_BIT, &value) || malformed(walk, "bad varint");
    case WIRE_64_BIT:
    case WIRE_32_BIT: {
        size_t size = wire == WIRE_64_BIT ? 8 : 4;
        if ((size_t)(end - *at) < size)
            return malformed(walk, "cut in a fixed-size value");
        *at += size;
        return true;
    }
    case WIRE_LENGTH:
        if (!read_varint(at, end, VARINT_32_BIT, &value) || value > (uint64_t)(end - *at))
            return malformed(walk, "bad length");
        *bytes = text_make(*at, (size_t)value);
        *at += value;
        return true;
    default:
        return malformed(walk, "groups and unknown wire types are not taken");
    }
}

/* How many values a packed field holds. */
static bool count_packed(struct walk *walk, enum wire_type element, struct text bytes,
                         uint32_t *count)
{
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.size;
    struct text unused;
    while (at < end) {
        if (!read_value(walk, element, &at, end, &unused))
            return false;
        (*count)++;
    }
    return true;
}

static bool walk_message(struct walk *walk, size_t row, struct text bytes,
                         const struct path_frame *outer, int depth);

static bool walk_field(struct walk *walk, const struct message_rules *rules, unsigned index,
                       unsigned wire, struct text bytes, const struct path_frame *frame, int depth,
                       uint32_t *count)
{
    const ProtobufCFieldDescriptor *field = frame->field;
    enum wire_type expected = wire_type_of(field->type);
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (wire != expected) {
        if (repeated && wire == WIRE_LENGTH && expected != WIRE_LENGTH)
            return count_packed(walk, expected, bytes, count);
        return malformed(walk, "a field has the wrong wire type");
    }
    *count += repeated;
    if (repeated && *count > rules->fields[index].count_max)
        return true; /* told once, at the message's end */
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        if (!text_is_utf8(bytes))
            violate(walk, frame, "must be UTF-8");
        else if (bytes.size > 0 && memchr(bytes.data, 0, bytes.size) != NULL)
            violate(walk, frame, "must not hold a NUL character");
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return walk_message(walk, rules->fields[index].rules, bytes, frame, depth + 1);
    return true;
}

static void check_counts(struct walk *walk, const struct message_rules *rules,
                         const struct path_frame *outer, const uint32_t *counts)
{
    for (unsigned i = 0; i < rules->descriptor->n_fields; i++) {
        struct path_frame frame = {outer, &rules->descriptor->fields[i], UINT32_MAX};
        if (counts[i] > rules->fields[i].count_max &&
            frame.field->label == PROTOBUF_C_LABEL_REPEATED)
            violate(walk, &frame, "has too many elements");
    }
}

static bool walk_message(struct walk *walk, size_t row, struct text bytes,
                         const struct path_frame *outer, int depth)
{
    const struct message_rules *rules = &walk->check->rules[row];
    const uint8_t *at = (const uint8_t *)bytes.data;
    const uint8_t *end = at + bytes.size;
    uint32_t counts[fields_max];
    if (depth > message_nesting_max)
        return malformed(walk, "messages are nested too deeply");
    memset(counts, 0, rules->descriptor->n_fields * sizeof counts[0]);
    while (at < end) {
        uint64_t tag;
        struct text value = {0};
        if (!read_varint(&at, end, VARINT_32_BIT, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911)
            return malformed(walk, "bad field number");
        if (!read_value(walk, (unsigned)(tag & 7), &at, end, &value))
            return false;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(rules->descriptor, (unsigned)(tag >> 3));
        if (field == NULL)
            continue;
        unsigned index = (unsigned)(field - rules->descriptor->fields);
        struct path_frame frame = {outer, field, counts[index]};
        if (!walk_field(walk, rules, index, (unsigned)(tag & 7), value, &frame, depth,
                        &counts[index]))
            return false;
    }
    check_counts(walk, rules, outer, counts);
    return true;
}

bool message_check_run(const struct message_check *check, struct text bytes, struct arena *arena,
                       struct rpc_status *status)
{
    struct walk walk = {.check = check, .arena = arena};
    if (!walk_message(&walk, 0, bytes, NULL, 1)) {
        *status = rpc_status_make(arena, GRPC_STATUS_INVALID_ARGUMENT, "MALFORMED_MESSAGE",
                                  "the bytes are no %s: %s", check->rules[0].descriptor->name,
                                  walk.malformed);
        return false;
    }
    if (walk.out_of_memory) {
        struct error error = error_make(ERROR_OUT_OF_MEMORY, "not enough memory for this call");
        *status = rpc_status_of_error(arena, &error);
        return false;
    }
    if (walk.violations != NULL)
        *status =
            rpc_status_invalid(arena, walk.violations->items, violations_kept(walk.violations));
    return walk.violations == NULL;
}
