/*
 * What the tracking service knows of this replay's lines: its delivered trackings, page by page. A
 * line is done when its parcel has arrived and no event of its life is missing; whether it came in
 * time is read from the answer alone: what was promised first, and when it was delivered.
 */
#include "main/replay/survey/replay_survey.h"

#include "main/replay/messages/parcel_messages.h"
#include "main/replay/plan/parcel_life.h"
#include "main/replay/pump/answer_details.h"
#include "main/replay/state/page_reading.h"
#include "platform/rpc/message_fields.h"

enum { page_records = 1000 };
static const int64_t day_us = INT64_C(86400) * 1000000;

static bool prepare(void *context, size_t item, struct arena *arena, struct pump_call *call)
{
    const struct replay *replay = context;
    Waybill__Tracking__V1__ListTrackingsRequest *request = arena_allocate(arena, sizeof *request);
    (void)item;
    if (request == NULL)
        return false;
    waybill__tracking__v1__list_trackings_request__init(request);
    request->status = WAYBILL__TRACKING__V1__TRACKING_STATUS__TRACKING_STATUS_DELIVERED;
    request->page_size = page_records;
    request->page_token = replay_page_token(replay);
    call->path = "/waybill.tracking.v1.TrackingService/ListTrackings";
    call->request = &request->base;
    call->response = &waybill__tracking__v1__list_trackings_response__descriptor;
    return true;
}

static void take_tracking(struct replay *replay, const Waybill__Tracking__V1__Tracking *tracking)
{
    uint32_t line;
    if (!text_equals_string(text_of(tracking->carrier), parcel_carrier) ||
        !replay_plan_find_parcel(replay->plan, text_of(tracking->tracking_number), &line))
        return;
    const struct data_set_line *of = &replay->data_set->lines[line];
    int64_t late_us = message_time_us(tracking->delivered_time) -
                      message_time_us(tracking->original_expected_delivery_time);
    bool is_late = late_us > 0;
    if (tracking->event_count < (int32_t)parcel_step_count(of))
        return;
    replay_set_parcel(replay, line, replay_parcel_calls(replay, line));
    on_time_survey_add(&replay->on_time, data_set_order_of_line(replay->data_set, line), line,
                       is_late ? (uint32_t)((late_us + day_us - 1) / day_us) : 0);
    if (is_late != parcel_is_late(of))
        difference_list_add(&replay->result->differences,
                            "line %s: it came %s by the service's answer, and %s by the data",
                            tracking->tracking_number, is_late ? "late" : "in time",
                            is_late ? "in time" : "late");
}

static struct error answered(void *context, size_t item, const struct rpc_client_result *result,
                             bool *again)
{
    struct replay *replay = context;
    (void)item;
    *again = false;
    /* Not every server runs every service; whoever has no tracking is not asked again. */
    replay->has_tracking = result->status.code != GRPC_STATUS_UNIMPLEMENTED;
    if (!replay->has_tracking)
        return error_none();
    if (result->status.code != GRPC_STATUS_OK)
        return error_prefix(answer_error(&result->status), "ListTrackings");
    const Waybill__Tracking__V1__ListTrackingsResponse *page =
        (const Waybill__Tracking__V1__ListTrackingsResponse *)result->response;
    for (size_t i = 0; i < page->n_trackings; i++)
        take_tracking(replay, page->trackings[i]);
    return replay_turn_page(replay, page->next_page_token, again);
}

static const struct pump_work work = {
    .item_count = replay_one_item,
    .is_due = replay_is_always_due,
    .prepare = prepare,
    .answered = answered,
};

struct error replay_survey_parcels(struct replay *replay)
{
    for (uint32_t i = 0; i < replay->data_set->line_count; i++)
        replay_set_parcel(replay, i, 0);
    on_time_survey_begin(&replay->on_time);
    replay_begin_pages(replay);
    return call_pump_run(replay->pump, &work, replay, NULL);
}

void replay_judge_parcels(struct replay *replay)
{
    uint32_t lines = replay->data_set->line_count;
    if (replay->on_time.whole.lines != lines)
        difference_list_add(&replay->result->differences, "%u lines have arrived instead of %u",
                            replay->on_time.whole.lines, lines);
}
