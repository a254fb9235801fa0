/*
 * What became of each line on the road: once its order has left the shelves, its tracking is opened
 * and told its life, event by event. Nothing here acts twice: the number is the line's, and an
 * event's id is made of its content, so what is not known to be done is simply done again.
 */
#include "main/replay/stages/replay_stage.h"

#include "main/replay/messages/parcel_messages.h"
#include "main/replay/plan/parcel_life.h"
#include "main/replay/pump/answer_details.h"

static size_t line_count(void *context)
{
    const struct replay *replay = context;
    return replay->data_set->line_count;
}

static bool parcel_is_due(void *context, size_t line)
{
    const struct replay *replay = context;
    uint32_t order = data_set_order_of_line(replay->data_set, (uint32_t)line);
    return replay->allocations[order] == ALLOCATION_SHIPPED &&
           replay->parcels[line] < replay_parcel_calls(replay, (uint32_t)line);
}

static bool parcel_prepare(void *context, size_t line, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    uint32_t done = replay->parcels[line];
    if (done == 0) {
        Waybill__Tracking__V1__CreateTrackingRequest *creation =
            parcel_message_creation(replay, (uint32_t)line, arena);
        call->path = "/waybill.tracking.v1.TrackingService/CreateTracking";
        call->request = (const ProtobufCMessage *)creation;
        call->response = &waybill__tracking__v1__create_tracking_response__descriptor;
    } else {
        Waybill__Tracking__V1__RecordEventRequest *event =
            parcel_message_event(replay, (uint32_t)line, done - 1, arena);
        call->path = "/waybill.tracking.v1.TrackingService/RecordEvent";
        call->request = (const ProtobufCMessage *)event;
        call->response = &waybill__tracking__v1__record_event_response__descriptor;
    }
    return call->request != NULL;
}

static struct error parcel_answered(void *context, size_t line,
                                    const struct rpc_client_result *result, bool *again)
{
    struct replay *replay = context;
    uint32_t done = replay->parcels[line];
    *again = false;
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "parcel %s: %s",
                            replay_plan_tracking_number(replay->plan, (uint32_t)line).string,
                            done == 0 ? "CreateTracking" : "RecordEvent");
    replay_set_parcel(replay, (uint32_t)line, done + 1);
    *again = parcel_is_due(replay, line);
    return error_none();
}

const struct replay_stage tracking_stage = {
    .name = "track",
    .title = "Following parcels",
    .work = {.item_count = line_count,
             .is_due = parcel_is_due,
             .prepare = parcel_prepare,
             .answered = parcel_answered},
};
