#ifndef WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_SUBSCRIPTIONS_H
#define WAYBILL_TRACKING_INTERFACES_RPC_TRACKING_SUBSCRIPTIONS_H

#include "platform/rpc/server.h"

/* The methods of subscriptions and of what was given up for them; the context is the door. */
rpc_unary_handler tracking_create_subscription;
rpc_unary_handler tracking_list_subscriptions;
rpc_unary_handler tracking_delete_subscription;
rpc_unary_handler tracking_list_dead_letters;
rpc_unary_handler tracking_replay_dead_letters;

#endif
