/* The types that may come inside an Any: the details of errors, and the records they may carry. */
#include "platform/json/json_message.h"

#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "waybill/inventory/v1/inventory.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
    &google__protobuf__any__descriptor,
    &google__protobuf__duration__descriptor,
    &google__protobuf__timestamp__descriptor,
    &google__rpc__bad_request__descriptor,
    &google__rpc__error_info__descriptor,
    &google__rpc__retry_info__descriptor,
    &google__rpc__status__descriptor,
    &waybill__inventory__v1__insufficient_stock__descriptor,
    &waybill__inventory__v1__reservation__descriptor,
    &waybill__inventory__v1__stock__descriptor,
};

const ProtobufCMessageDescriptor *json_message_type(struct text full_name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (text_equals_string(full_name, types[i]->name))
            return types[i];
    }
    return NULL;
}
