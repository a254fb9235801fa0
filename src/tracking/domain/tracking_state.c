/*
 * One pass over the facts decides everything. Nothing here fails; the worst case is the number's
 * limit of events.
 */
#include "tracking/domain/tracking_state.h"

#include "platform/base/hash_map.h"
#include "tracking/domain/limits.h"

/* Which type says more, at one instant. */
static const uint8_t rank_of_type[tracking_event_type_count] = {
    [TRACKING_EVENT_UNSPECIFIED] = 0, [TRACKING_EVENT_INFO_RECEIVED] = 1,
    [TRACKING_EVENT_PICKED_UP] = 2,   [TRACKING_EVENT_IN_TRANSIT] = 3,
    [TRACKING_EVENT_AT_FACILITY] = 4, [TRACKING_EVENT_OUT_FOR_DELIVERY] = 5,
    [TRACKING_EVENT_EXCEPTION] = 6,   [TRACKING_EVENT_CANCELLED] = 7,
    [TRACKING_EVENT_RETURNED] = 8,    [TRACKING_EVENT_DELIVERED] = 9,
};

/* Which type goes before the time of events: a higher class before all of the lower ones. */
static const uint8_t class_of_type[tracking_event_type_count] = {
    [TRACKING_EVENT_UNSPECIFIED] = 0, [TRACKING_EVENT_INFO_RECEIVED] = 1,
    [TRACKING_EVENT_PICKED_UP] = 2,   [TRACKING_EVENT_IN_TRANSIT] = 2,
    [TRACKING_EVENT_AT_FACILITY] = 2, [TRACKING_EVENT_OUT_FOR_DELIVERY] = 2,
    [TRACKING_EVENT_EXCEPTION] = 2,   [TRACKING_EVENT_CANCELLED] = 2,
    [TRACKING_EVENT_RETURNED] = 3,    [TRACKING_EVENT_DELIVERED] = 4,
};

bool tracking_status_is_terminal(enum tracking_status status)
{
    return status == TRACKING_STATUS_DELIVERED || status == TRACKING_STATUS_RETURNED ||
           status == TRACKING_STATUS_CANCELLED;
}

uint64_t tracking_id_hash(struct text event_id)
{
    return hash_text(0, event_id);
}

struct tracking_fact tracking_fact_of(const struct tracking_event *event)
{
    return (struct tracking_fact){
        .occurred_time_us = event->occurred_time_us,
        .id_hash = tracking_id_hash(event->event_id),
        .corrects_hash =
            event->corrects_event_id.size == 0 ? 0 : tracking_id_hash(event->corrects_event_id),
        .expected_delivery_time_us = event->expected_delivery_time_us,
        .type = (uint8_t)event->type,
        .sub_status = (uint8_t)event->sub_status,
        .type_is_mapped = event->type_is_mapped,
        .has_location = tracking_location_is_known(&event->location),
    };
}

void tracking_fact_relate(struct tracking_fact *facts, size_t count, struct tracking_fact *added)
{
    for (size_t i = 0; i < count; i++) {
        if (facts[i].corrects_hash == added->id_hash)
            added->withdrawn = true;
        if (added->corrects_hash != 0 && facts[i].id_hash == added->corrects_hash)
            facts[i].withdrawn = true;
    }
    if (added->corrects_hash == added->id_hash)
        added->withdrawn = true;
}

/* --- generations --- */

static int64_t takes_from(const struct tracking_generation *generation)
{
    return generation->start_time_us - tracking_generation_lead_us;
}

size_t tracking_generation_of(const struct tracking_generation *generations, size_t count,
                              int64_t occurred_time_us)
{
    for (size_t i = count - 1; i > 0; i--) {
        if (takes_from(&generations[i]) <= occurred_time_us)
            return i;
    }
    return 0;
}

struct tracking_span tracking_generation_span(const struct tracking_generation *generations,
                                              size_t count, size_t index)
{
    struct tracking_span span = {
        .from_us = index == 0 ? INT64_MIN : takes_from(&generations[index]),
        .to_us = INT64_MAX,
    };
    for (size_t i = index + 1; i < count; i++) {
        if (takes_from(&generations[i]) < span.to_us)
            span.to_us = takes_from(&generations[i]);
    }
    return span;
}

/* --- the state --- */

/* Whether a is later than b: by time, at one instant by rank, then by the hash. */
static bool is_later(const struct tracking_fact *a, const struct tracking_fact *b)
{
    if (a->occurred_time_us != b->occurred_time_us)
        return a->occurred_time_us > b->occurred_time_us;
    if (rank_of_type[a->type] != rank_of_type[b->type])
        return rank_of_type[a->type] > rank_of_type[b->type];
    return a->id_hash > b->id_hash;
}

/* Whether a says what the status is, rather than b. Of several deliveries the first. */
static bool decides_before(const struct tracking_fact *a, const struct tracking_fact *b)
{
    if (class_of_type[a->type] != class_of_type[b->type])
        return class_of_type[a->type] > class_of_type[b->type];
    return a->type == TRACKING_EVENT_DELIVERED ? is_later(b, a) : is_later(a, b);
}

/* The places of the facts that decide, as a walk finds them; NULL = none yet. */
struct decisive_facts {
    const struct tracking_fact *status;
    const struct tracking_fact *last;
    const struct tracking_fact *located;
    const struct tracking_fact *expected;
    const struct tracking_fact *first_expected;
    const struct tracking_fact *first_return;
};

static void consider(struct decisive_facts *decisive, const struct tracking_fact *fact)
{
    if (decisive->last == NULL || is_later(fact, decisive->last))
        decisive->last = fact;
    if (fact->has_location && (decisive->located == NULL || is_later(fact, decisive->located)))
        decisive->located = fact;
    if (fact->expected_delivery_time_us != 0) {
        if (decisive->expected == NULL || is_later(fact, decisive->expected))
            decisive->expected = fact;
        if (decisive->first_expected == NULL || is_later(decisive->first_expected, fact))
            decisive->first_expected = fact;
    }
    if (fact->type == TRACKING_EVENT_RETURNED &&
        (decisive->first_return == NULL || is_later(decisive->first_return, fact)))
        decisive->first_return = fact;
    if (fact->type != TRACKING_EVENT_UNSPECIFIED &&
        (decisive->status == NULL || decides_before(fact, decisive->status)))
        decisive->status = fact;
}

static void judge(const struct decisive_facts *decisive,
                  const struct tracking_generation *generation, struct tracking_verdict *verdict)
{
    const struct tracking_fact *status = decisive->status;
    int64_t created = generation->expected_delivery_time_us;
    verdict->expected_delivery_time_us =
        decisive->expected != NULL ? decisive->expected->expected_delivery_time_us : created;
    verdict->original_expected_delivery_time_us = created;
    if (created == 0 && decisive->first_expected != NULL)
        verdict->original_expected_delivery_time_us =
            decisive->first_expected->expected_delivery_time_us;
    if (decisive->last != NULL)
        verdict->last_time_us = decisive->last->occurred_time_us;
    if (status == NULL)
        return;
    verdict->status = (enum tracking_status)status->type;
    verdict->sub_status = (enum tracking_sub_status)status->sub_status;
    if (status->type != TRACKING_EVENT_DELIVERED)
        return;
    verdict->delivered_time_us = status->occurred_time_us;
    if (decisive->first_return != NULL && is_later(status, decisive->first_return))
        verdict->sub_status = TRACKING_SUB_STATUS_RETURNED_TO_SENDER;
}

struct tracking_verdict tracking_decide(const struct tracking_fact *facts, size_t count,
                                        const struct tracking_generation *generations,
                                        size_t generation_count, size_t index)
{
    struct tracking_verdict verdict = {
        .status = TRACKING_STATUS_UNKNOWN,
        .last_fact = tracking_no_fact,
        .located_fact = tracking_no_fact,
    };
    struct decisive_facts decisive = {0};
    struct tracking_span span = tracking_generation_span(generations, generation_count, index);
    for (size_t i = 0; i < count; i++) {
        const struct tracking_fact *fact = &facts[i];
        if (fact->occurred_time_us < span.from_us || fact->occurred_time_us >= span.to_us)
            continue;
        verdict.event_count++;
        if (!fact->withdrawn)
            consider(&decisive, fact);
    }
    judge(&decisive, &generations[index], &verdict);
    if (decisive.last != NULL)
        verdict.last_fact = (size_t)(decisive.last - facts);
    if (decisive.located != NULL)
        verdict.located_fact = (size_t)(decisive.located - facts);
    return verdict;
}

/* --- CreateTracking --- */

static bool lacks_something(const struct tracking_generation *present,
                            const struct tracking_generation *wanted)
{
    return !present->is_created ||
           (present->shipment_id.size == 0 && wanted->shipment_id.size > 0) ||
           (present->order_id.size == 0 && wanted->order_id.size > 0) ||
           (present->expected_delivery_time_us == 0 && wanted->expected_delivery_time_us != 0);
}

/* Whether all events of the last generation would go over to a new one. */
static bool leaves_nothing_behind(const struct tracking_fact *facts, size_t count,
                                  struct tracking_span span, int64_t start_time_us)
{
    for (size_t i = 0; i < count; i++) {
        if (facts[i].occurred_time_us >= span.from_us && facts[i].occurred_time_us < span.to_us &&
            facts[i].occurred_time_us < start_time_us - tracking_generation_lead_us)
            return false;
    }
    return true;
}

enum tracking_creation tracking_decide_creation(const struct tracking_fact *facts, size_t count,
                                                const struct tracking_generation *generations,
                                                size_t generation_count,
                                                const struct tracking_generation *wanted,
                                                int64_t now_us, int64_t generation_gap_us,
                                                size_t *index)
{
    *index = generation_count;
    if (generation_count == 0)
        return TRACKING_CREATION_OPEN;
    *index = generation_count - 1;
    for (size_t i = generation_count; wanted->shipment_id.size > 0 && i-- > 0;) {
        if (text_equal(generations[i].shipment_id, wanted->shipment_id)) {
            *index = i;
            break;
        }
    }
    const struct tracking_generation *present = &generations[*index];
    if (wanted->shipment_id.size == 0 || text_equal(present->shipment_id, wanted->shipment_id))
        return lacks_something(present, wanted) ? TRACKING_CREATION_COMPLETE
                                                : TRACKING_CREATION_EXISTS;
    struct tracking_verdict verdict =
        tracking_decide(facts, count, generations, generation_count, *index);
    int64_t last_us = verdict.last_time_us;
    if (last_us == 0)
        last_us = present->create_time_us;
    bool is_over =
        tracking_status_is_terminal(verdict.status) || last_us < now_us - generation_gap_us;
    if (present->shipment_id.size == 0 &&
        (!is_over ||
         leaves_nothing_behind(facts, count,
                               tracking_generation_span(generations, generation_count, *index),
                               wanted->start_time_us)))
        return TRACKING_CREATION_COMPLETE;
    if (!is_over)
        return TRACKING_CREATION_REUSED;
    if (generation_count == tracking_generations_max)
        return TRACKING_CREATION_TOO_MANY;
    *index = generation_count;
    return TRACKING_CREATION_OPEN;
}

struct tracking_generation tracking_generation_complete(const struct tracking_generation *present,
                                                        const struct tracking_generation *wanted)
{
    struct tracking_generation completed = *present;
    if (completed.shipment_id.size == 0)
        completed.shipment_id = wanted->shipment_id;
    if (completed.order_id.size == 0)
        completed.order_id = wanted->order_id;
    if (completed.expected_delivery_time_us == 0)
        completed.expected_delivery_time_us = wanted->expected_delivery_time_us;
    if (!completed.is_created)
        completed.start_time_us = wanted->start_time_us;
    completed.is_created = true;
    return completed;
}
