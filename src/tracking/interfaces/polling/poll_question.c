/*
 * A question: GetTrackingInfo of one parcel, then its scans to the repository, all at once, then,
 * if it is another one, the expected delivery. Whatever fails, the parcel comes again at its next
 * time.
 */
#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/rpc/status_details.h"
#include "tracking/interfaces/events/scan_event.h"
#include "tracking/interfaces/polling/poll_state.h"
#include "tracking/interfaces/rpc/tracking_messages.h"
#include "waybill/shipping/v1/shipping.pb-c.h"

#include <string.h>

enum { attempts_max = 3, arena_bytes_max = 16 * 1024 * 1024 };

static const char path[] = "/waybill.shipping.v1.ShippingService/GetTrackingInfo";
static const char source[] = "poll";
static const int64_t timeout_us = INT64_C(20) * 1000000;
static const int64_t pause_us_min = INT64_C(30) * 1000000;
static const int64_t pause_us_max = INT64_C(3600) * 1000000;
static const int64_t patience_us = INT64_C(60) * 1000000; /* with a carrier that is left alone */
static const int64_t day_us = INT64_C(86400) * 1000000;

struct poll_question {
    struct tracking_polls *polls;
    struct poll *poll;
    struct arena arena;
    size_t under_way; /* commands */
};

static void end_question(struct poll_question *question)
{
    struct tracking_polls *polls = question->polls;
    question->poll->carrier->questions--;
    memory_release(question->poll);
    arena_deinit(&question->arena);
    memory_release(question);
    polls->outstanding--;
    polls->poll_count--;
}

/* --- what the carrier tells --- */

struct recording {
    struct poll_question *question;
    struct record_event_command command;
};

static void recorded(void *context, const struct error *error)
{
    struct recording *recording = context;
    struct poll_question *question = recording->question;
    if (error != NULL)
        log_error("tracking: what a carrier answered could not be recorded", error);
    else if (recording->command.base.outcome == TRACKING_DONE && recording->command.is_new)
        poll_count(question->polls, &question->polls->usage.events, 1);
    if (--question->under_way == 0)
        end_question(question);
}

static void record(struct poll_question *question, const struct tracking_event *event)
{
    struct violations violations;
    struct recording *recording = arena_allocate_zero(&question->arena, 1, sizeof *recording);
    if (recording == NULL || question->arena.refused)
        return; /* with the parcel's next question */
    violations_init(&violations, &question->arena);
    recording->question = question;
    recording->command.base.executor = &question->polls->loop.base;
    recording->command.base.arena = &question->arena;
    recording->command.event = *event;
    if (tracking_service_record_event(question->polls->options.service, &recording->command,
                                      &violations, recorded, recording)) {
        question->under_way++;
        return;
    }
    struct log_field fields[] = {
        log_string("carrier", question->poll->carrier->name),
        log_string("tracking_number", question->poll->tracking_number),
        log_text("field", violations.items[0].field),
    };
    log_event(LOG_LEVEL_WARNING, "tracking: a scan that a carrier answered is none", fields,
              sizeof fields / sizeof fields[0]);
}

static void take_answer(struct poll_question *question,
                        const Waybill__Shipping__V1__GetTrackingInfoResponse *response)
{
    struct poll *poll = question->poll;
    struct text carrier = text_of(poll->carrier->name);
    int64_t expected_us = message_time_us(response->expected_delivery_time);
    question->under_way = 1; /* this function */
    for (size_t i = 0; i < response->n_scans; i++) {
        struct tracking_event scan =
            scan_event_of(&question->arena, carrier, response->scans[i], source);
        if (scan.tracking_number.size == 0)
            scan.tracking_number = text_of(poll->tracking_number);
        record(question, &scan);
    }
    struct tracking_event expectation = {
        .carrier = carrier,
        .tracking_number = text_of(poll->tracking_number),
        .type = TRACKING_EVENT_INFO_RECEIVED,
        .occurred_time_us = clock_now_us(clock_system()),
        .description = text_of("The carrier expects to deliver at another time"),
        .expected_delivery_time_us = expected_us,
        .source = text_of(source),
    };
    if (expected_us > 0 && expected_us != poll->expected_delivery_time_us)
        record(question, &expectation);
    if (--question->under_way == 0)
        end_question(question);
}

/* --- what it refuses --- */

static bool is_overloaded(enum grpc_status code)
{
    return code == GRPC_STATUS_RESOURCE_EXHAUSTED || code == GRPC_STATUS_UNAVAILABLE ||
           code == GRPC_STATUS_DEADLINE_EXCEEDED;
}

/*
 * Leaves the carrier alone; true: the parcel may still be asked about in this round. That is
 * another question of the quota, whatever became of the one before.
 */
static bool leave_alone(struct tracking_polls *polls, struct poll *poll,
                        const struct rpc_status *status)
{
    struct poll_carrier *carrier = poll->carrier;
    int64_t now_us = poll_now_us();
    if (status->code == GRPC_STATUS_UNIMPLEMENTED ||
        status->code == GRPC_STATUS_FAILED_PRECONDITION) {
        carrier->not_before_us = now_us + day_us;
        return false;
    }
    if (!is_overloaded(status->code))
        return false;
    int64_t pause_us = rpc_status_retry_delay_us(status);
    if (pause_us == 0) {
        pause_us = carrier->pause_us < pause_us_min ? pause_us_min : carrier->pause_us;
        carrier->pause_us = 2 * pause_us > pause_us_max ? pause_us_max : 2 * pause_us;
    }
    if (carrier->not_before_us < now_us + pause_us)
        carrier->not_before_us = now_us + pause_us;
    return poll->attempts < attempts_max && pause_us <= patience_us &&
           poll_take_of_quota(polls, carrier);
}

static void take_refusal(struct poll_question *question, const struct rpc_status *status)
{
    struct tracking_polls *polls = question->polls;
    struct poll *poll = question->poll;
    poll_count(polls, &polls->usage.failed, 1);
    if (polls->stopping || !leave_alone(polls, poll, status)) {
        end_question(question);
        return;
    }
    poll_note_quotas(polls); /* long before it is asked: after the pause */
    poll->due_us = poll->carrier->not_before_us;
    poll->next = polls->polls;
    polls->polls = poll;
    poll->carrier->questions--;
    arena_deinit(&question->arena);
    memory_release(question);
    polls->outstanding--;
}

static void answered(void *context, const struct rpc_client_result *result)
{
    struct poll_question *question = context;
    if (result->status.code != GRPC_STATUS_OK || question->polls->stopping) {
        take_refusal(question, &result->status);
        return;
    }
    question->poll->carrier->pause_us = 0;
    take_answer(question, (const Waybill__Shipping__V1__GetTrackingInfoResponse *)result->response);
}

/* --- asking --- */

/* The poll is the question's from here on. False without memory. */
static bool ask(struct tracking_polls *polls, struct poll *poll)
{
    Waybill__Shipping__V1__GetTrackingInfoRequest request =
        WAYBILL__SHIPPING__V1__GET_TRACKING_INFO_REQUEST__INIT;
    struct poll_question *question = memory_allocate_zero(1, sizeof *question);
    if (question == NULL)
        return false;
    arena_init(&question->arena, arena_bytes_max);
    question->polls = polls;
    question->poll = poll;
    poll->attempts++;
    poll->carrier->questions++;
    polls->outstanding++;
    poll_count(polls, &polls->usage.asked, 1);
    request.carrier = poll->carrier->name;
    request.tracking_number = poll->tracking_number;
    rpc_client_call(polls->client, path, &request.base,
                    &waybill__shipping__v1__get_tracking_info_response__descriptor, timeout_us,
                    answered, question);
    return true;
}

static void drop(struct tracking_polls *polls, struct poll *poll)
{
    memory_release(poll);
    polls->poll_count--;
    poll_count(polls, &polls->usage.skipped, 1);
}

void poll_ask_due(struct tracking_polls *polls)
{
    struct poll **link = &polls->polls;
    int64_t now_us = poll_now_us();
    while (*link != NULL) {
        struct poll *poll = *link;
        struct poll_carrier *carrier = poll->carrier;
        bool is_due = poll->due_us <= now_us;
        if (is_due && carrier->not_before_us > now_us + patience_us) {
            *link = poll->next;
            drop(polls, poll);
        } else if (is_due && carrier->not_before_us <= now_us &&
                   carrier->questions < poll_carrier_questions_max) {
            struct poll *next = poll->next;
            if (!ask(polls, poll))
                return;
            *link = next;
        } else {
            link = &poll->next;
        }
    }
    if (polls->poll_count == 0)
        poll_end_round(polls);
}
