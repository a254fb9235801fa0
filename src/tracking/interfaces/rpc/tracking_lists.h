#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_LISTS_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_LISTS_H

#include "platform/rpc/server.h"
#include "tracking/application/tracking_service.h"

/* ListTrackings and ListEvents: a page, and a token that goes on behind its last key. */
void tracking_list_trackings(struct tracking_service *service, struct rpc_call *call,
                             const ProtobufCMessage *message);
void tracking_list_events(struct tracking_service *service, struct rpc_call *call,
                          const ProtobufCMessage *message);

#endif
