/* Walks the fields by the Protocol Buffers encoding; only those that are messages are entered. */
#include "platform/json/json_wire.h"

#include "platform/base/codec.h"

enum { wire_varint = 0, wire_fixed64 = 1, wire_bytes = 2, wire_fixed32 = 5 };

/* One field's value; `content` is set if it has a length. False: there are no such values. */
static bool skip_value(struct byte_reader *reader, unsigned wire_type, struct text *content)
{
    switch (wire_type) {
    case wire_varint:
        (void)read_varint(reader);
        return true;
    case wire_fixed64:
        (void)read_uint64(reader);
        return true;
    case wire_bytes:
        *content = read_text(reader);
        return true;
    case wire_fixed32:
        (void)read_uint32(reader);
        return true;
    default: /* groups are of the past, the rest never was */
        return false;
    }
}

bool json_wire_nests_within(const ProtobufCMessageDescriptor *type, struct text bytes,
                            unsigned levels)
{
    if (levels == 0 || bytes.size == 0)
        return levels > 0;
    struct byte_reader reader = byte_reader_of(bytes);
    while (reader.at != reader.end) {
        struct text content = {0};
        uint64_t tag = read_varint(&reader);
        if (reader.failed || tag >> 3 == 0 || tag > UINT32_MAX ||
            !skip_value(&reader, (unsigned)tag & 7, &content) || reader.failed)
            return false;
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE &&
            !json_wire_nests_within(field->descriptor, content, levels - 1))
            return false;
    }
    return true;
}
