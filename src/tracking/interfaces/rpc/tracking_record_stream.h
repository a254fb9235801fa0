#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_RECORD_STREAM_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_RECORD_STREAM_H

#include "platform/rpc/server.h"

/*
 * RecordEvents: events come as they like, each is answered when it is durable. Of one stream a
 * bounded number is under way; more are read when answers have left, so a client that sends faster
 * than the store records, or does not read its answers, is slowed down, not dropped. The handler's
 * context is the door.
 */
extern const struct rpc_stream_handler tracking_record_stream;

#endif
