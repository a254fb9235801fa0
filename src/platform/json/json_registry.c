/* What is linked in registers its types at start; afterwards they are only read. */
#include "platform/json/json_message.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/empty.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "platform/base/check.h"

enum { type_lists_max = 16 };

static const ProtobufCMessageDescriptor *const own_types[] = {
    &google__protobuf__any__descriptor,
    &google__protobuf__bool_value__descriptor,
    &google__protobuf__bytes_value__descriptor,
    &google__protobuf__double_value__descriptor,
    &google__protobuf__duration__descriptor,
    &google__protobuf__empty__descriptor,
    &google__protobuf__field_mask__descriptor,
    &google__protobuf__float_value__descriptor,
    &google__protobuf__int32_value__descriptor,
    &google__protobuf__int64_value__descriptor,
    &google__protobuf__list_value__descriptor,
    &google__protobuf__string_value__descriptor,
    &google__protobuf__struct__descriptor,
    &google__protobuf__timestamp__descriptor,
    &google__protobuf__uint32_value__descriptor,
    &google__protobuf__uint64_value__descriptor,
    &google__protobuf__value__descriptor,
    &google__rpc__bad_request__descriptor,
    &google__rpc__error_info__descriptor,
    &google__rpc__retry_info__descriptor,
    &google__rpc__status__descriptor,
};

static struct type_list {
    const ProtobufCMessageDescriptor *const *types;
    size_t count;
} lists[type_lists_max] = {{own_types, sizeof own_types / sizeof own_types[0]}};
static size_t list_count = 1;

void json_message_register(const ProtobufCMessageDescriptor *const *types, size_t count)
{
    CHECK(list_count < type_lists_max);
    lists[list_count++] = (struct type_list){types, count};
}

const ProtobufCMessageDescriptor *json_message_type(struct text full_name)
{
    for (size_t i = 0; i < list_count; i++) {
        for (size_t j = 0; j < lists[i].count; j++) {
            if (text_equals_string(full_name, lists[i].types[j]->name))
                return lists[i].types[j];
        }
    }
    return NULL;
}
