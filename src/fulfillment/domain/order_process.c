/*
 * The table of steps and the one function that walks it. A step either is one call, or one for each
 * thing that still needs it (a line without facts, a part without carrier, …): which, follows from
 * the record, so that nothing but the step's name is kept.
 *
 * Three rules stand above the table's rows: what would undo is for a person once the pivot is
 * passed, since then nothing may be undone by itself; what would be for a person before it is
 * undone; and a promise whose holds ended while it was made is made anew, reservation and
 * allocation, since who asked for it did nothing wrong. (Where only the allocation's id is of no
 * use, the reservation stays.)
 */
#include "fulfillment/domain/order_process.h"

#include "fulfillment/domain/order_results.h"

enum { carrier_tries_max = 3, again_us_first = 100000, ask_us_first = 500000 };

static const int64_t again_us_max = INT64_C(30000000);

const struct order_step_row order_steps[order_step_count] = {
    [STEP_DESCRIBE] = {"DESCRIBE",
                       PHASE_BEFORE,
                       CALL_GET_ITEM,
                       STEP_RESERVE,
                       STEP_NONE,
                       {[CALL_DONE] = REACT_NEXT, [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_RESERVE] = {"RESERVE",
                      PHASE_BEFORE,
                      CALL_RESERVE,
                      STEP_ALLOCATE,
                      STEP_ROLL_BACK,
                      {[CALL_DONE] = REACT_NEXT,
                       [CALL_HOLD_EXPIRED] = REACT_NEW_HOLD,
                       [CALL_HOLD_GONE] = REACT_NEW_HOLD,
                       [CALL_HOLD_USED] = REACT_PIVOT,
                       [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_ALLOCATE] = {"ALLOCATE",
                       PHASE_BEFORE,
                       CALL_ALLOCATE,
                       STEP_LOCATE,
                       STEP_RELEASE,
                       {[CALL_DONE] = REACT_NEXT,
                        [CALL_HOLD_EXPIRED] = REACT_RETAKE,
                        [CALL_HOLD_GONE] = REACT_RETAKE,
                        [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_LOCATE] = {"LOCATE",
                     PHASE_BEFORE,
                     CALL_GET_WAREHOUSE,
                     STEP_RATE,
                     STEP_NONE,
                     {[CALL_DONE] = REACT_NEXT, [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_RATE] = {"RATE",
                   PHASE_BEFORE,
                   CALL_GET_RATES,
                   STEP_FIRM,
                   STEP_NONE,
                   {[CALL_DONE] = REACT_NEXT,
                    [CALL_CARRIER_AWAY] = REACT_AGAIN,
                    [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_EXTEND] = {"EXTEND",
                     PHASE_BEFORE,
                     CALL_EXTEND_RESERVATION,
                     STEP_FIRM,
                     STEP_ROLL_BACK,
                     {[CALL_DONE] = REACT_NEXT,
                      [CALL_HOLD_EXPIRED] = REACT_RETAKE,
                      [CALL_HOLD_GONE] = REACT_NEW_HOLD,
                      [CALL_HOLD_USED] = REACT_PIVOT,
                      [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_REPLACE] = {"REPLACE",
                      PHASE_BEFORE,
                      CALL_RELEASE_ALLOCATION,
                      STEP_ALLOCATE,
                      STEP_NONE,
                      {[CALL_DONE] = REACT_NEXT,
                       [CALL_HOLD_EXPIRED] = REACT_NEXT,
                       [CALL_HOLD_GONE] = REACT_NEXT,
                       [CALL_HOLD_USED] = REACT_ATTENTION,
                       [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_FIRM] = {"FIRM",
                   PHASE_BEFORE,
                   CALL_CONFIRM_ALLOCATION,
                   STEP_COMMIT,
                   STEP_RELEASE,
                   {[CALL_DONE] = REACT_NEXT,
                    [CALL_HOLD_EXPIRED] = REACT_RETAKE,
                    [CALL_HOLD_GONE] = REACT_RETAKE,
                    [CALL_HOLD_USED] = REACT_NEXT,
                    [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_COMMIT] = {"COMMIT",
                     PHASE_PIVOT,
                     CALL_COMMIT,
                     STEP_LABEL,
                     STEP_RETURN,
                     {[CALL_DONE] = REACT_NEXT,
                      [CALL_HOLD_GONE] = REACT_NEW_HOLD,
                      [CALL_HOLD_USED] = REACT_NEXT,
                      [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_LABEL] = {"LABEL",
                    PHASE_BEHIND,
                    CALL_CREATE_SHIPMENT,
                    STEP_TRACK,
                    STEP_VOID,
                    {[CALL_DONE] = REACT_NEXT,
                     [CALL_CARRIER_REFUSED] = REACT_OTHER_CARRIER,
                     [CALL_REFUSED] = REACT_OTHER_CARRIER,
                     [CALL_HOLD_GONE] = REACT_OTHER_CARRIER,
                     [CALL_CARRIER_AWAY] = REACT_ABANDON,
                     [CALL_PENDING] = REACT_ASK_LATER,
                     [CALL_STUCK] = REACT_ATTENTION,
                     [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_ABANDON] = {"ABANDON",
                      PHASE_BEHIND,
                      CALL_CANCEL_SHIPMENT,
                      STEP_RATE,
                      STEP_NONE,
                      {[CALL_DONE] = REACT_OTHER_CARRIER,
                       [CALL_HOLD_GONE] = REACT_OTHER_CARRIER,
                       [CALL_CARRIER_REFUSED] = REACT_LABEL,
                       [CALL_REFUSED] = REACT_LABEL,
                       [CALL_PENDING] = REACT_LABEL,
                       [CALL_CARRIER_AWAY] = REACT_AGAIN,
                       [CALL_STUCK] = REACT_ATTENTION,
                       [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_TRACK] = {"TRACK",
                    PHASE_BEHIND,
                    CALL_CREATE_TRACKING,
                    STEP_RETURN_SHORT,
                    STEP_NONE,
                    {[CALL_DONE] = REACT_NEXT, [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_RETURN_SHORT] = {"RETURN_SHORT",
                           PHASE_BEHIND,
                           CALL_RETURN_SHORT,
                           STEP_NONE,
                           STEP_NONE,
                           {[CALL_DONE] = REACT_NEXT,
                            [CALL_HOLD_GONE] = REACT_NOTE,
                            [CALL_REFUSED] = REACT_NOTE,
                            [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_ROLL_BACK] = {"ROLL_BACK",
                        PHASE_UNDO,
                        CALL_ROLL_BACK,
                        STEP_RELEASE,
                        STEP_NONE,
                        {[CALL_DONE] = REACT_NEXT,
                         [CALL_HOLD_EXPIRED] = REACT_NEXT,
                         [CALL_HOLD_GONE] = REACT_NEXT,
                         [CALL_HOLD_USED] = REACT_PIVOT,
                         [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_RELEASE] = {"RELEASE",
                      PHASE_UNDO,
                      CALL_RELEASE_ALLOCATION,
                      STEP_VOID,
                      STEP_NONE,
                      {[CALL_DONE] = REACT_NEXT,
                       [CALL_HOLD_EXPIRED] = REACT_NEXT,
                       [CALL_HOLD_GONE] = REACT_NEXT,
                       [CALL_HOLD_USED] = REACT_SHIPPED,
                       [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_VOID] = {"VOID",
                   PHASE_UNDO,
                   CALL_CANCEL_SHIPMENT,
                   STEP_RETURN,
                   STEP_NONE,
                   {[CALL_DONE] = REACT_NEXT,
                    [CALL_HOLD_GONE] = REACT_NEXT,
                    [CALL_CARRIER_REFUSED] = REACT_NOTE,
                    [CALL_REFUSED] = REACT_NOTE,
                    [CALL_CARRIER_AWAY] = REACT_AGAIN,
                    [CALL_PENDING] = REACT_ASK_LATER,
                    [CALL_STUCK] = REACT_ATTENTION,
                    [CALL_UNAVAILABLE] = REACT_AGAIN}},
    [STEP_RETURN] = {"RETURN",
                     PHASE_UNDO,
                     CALL_RETURN_STOCK,
                     STEP_NONE,
                     STEP_NONE,
                     {[CALL_DONE] = REACT_NEXT, [CALL_UNAVAILABLE] = REACT_AGAIN}},
};

/* --- what a step is for --- */

/* Which line, part or parcel the step is for next. False: for none. */
static bool find_item(const struct order *order, enum order_step step, struct order_action *action)
{
    action->part = 0;
    action->item = 0;
    if (step == STEP_DESCRIBE) {
        while (action->item < order->line_count && order->lines[action->item].is_described)
            action->item++;
        return action->item < order->line_count;
    }
    for (; action->part < order->part_count; action->part++) {
        if (order_part_needs(&order->parts[action->part], step, &action->item))
            return true;
    }
    return !order_step_is_for_parts(step);
}

static void go_to(struct order *order, enum order_step step)
{
    order->step = step;
    order->tries = 0;
}

/* --- the end of a goal --- */

static void rest(struct order *order, enum order_state state)
{
    order->state = state;
    order->goal = GOAL_NONE;
    go_to(order, STEP_NONE);
}

static void undo(struct order *order, bool holds_something);

static void finish_promise(struct order *order)
{
    if (!order_sum_costs(order)) {
        order->refusal = order_refusal_make(REFUSAL_PRECONDITION, "AMOUNT_LIMIT",
                                            "the order's cost is beyond 10^15 minor units");
        undo(order, true);
        return;
    }
    order->expire_time_us = order->hold_until_us;
    rest(order, ORDER_PROMISED);
}

static void finish(struct order *order)
{
    switch (order->goal) {
    case GOAL_PROMISE:
        finish_promise(order);
        break;
    case GOAL_CONFIRM:
        rest(order, order_settled_state(order));
        break;
    case GOAL_REFUSE:
        rest(order, ORDER_REFUSED);
        break;
    case GOAL_EXPIRE:
        if (order->refusal.kind == REFUSAL_NONE)
            order->refusal = order_refusal_make(REFUSAL_UNAVAILABLE, "ORDER_UNDONE",
                                                "the confirmation was undone; ask for it again");
        rest(order, ORDER_EXPIRED);
        break;
    case GOAL_CANCEL:
        rest(order, order_has_shipped_part(order) ? order_settled_state(order) : ORDER_CANCELLED);
        break;
    case GOAL_NONE:
        break;
    }
}

/* Before the pivot: gives back what may be held, and tells why by what the refusal says. */
static void undo(struct order *order, bool holds_something)
{
    order->goal = order->goal == GOAL_PROMISE   ? GOAL_REFUSE
                  : order->goal == GOAL_CONFIRM ? GOAL_EXPIRE
                                                : order->goal;
    if (!holds_something) {
        finish(order);
        return;
    }
    go_to(order, STEP_ROLL_BACK);
    order->must_save = true;
}

static void need_attention(struct order *order, const struct order_call *result,
                           struct arena *arena)
{
    order->attention_reason =
        order_attention_text(order, order_steps[order->step].name, result, arena);
    order->state = ORDER_NEEDS_ATTENTION;
    order->refusal.kind = REFUSAL_NONE; /* the order says it all */
}

/* --- from one step to the next --- */

static enum order_step step_behind(const struct order *order)
{
    enum order_step next = order_steps[order->step].next;
    if (order->step == STEP_RATE && order->goal == GOAL_PROMISE)
        return STEP_NONE;
    if (order->step == STEP_RATE && order->pivot_is_passed)
        return STEP_LABEL;
    if (order->step == STEP_REPLACE && order->must_reserve)
        return STEP_RESERVE;
    if (order->step == STEP_RELEASE && !order->pivot_is_passed)
        return STEP_NONE;
    return next;
}

/* Where the step has nothing (more) to do: the next that has. */
static void skip_done_steps(struct order *order)
{
    struct order_action ignored = {0};
    while (order->goal != GOAL_NONE && !find_item(order, order->step, &ignored)) {
        enum order_step next = step_behind(order);
        if (next == STEP_NONE)
            finish(order);
        else
            go_to(order, next);
    }
    if (order->step == STEP_LABEL && find_item(order, STEP_RATE, &ignored)) {
        go_to(order, STEP_LOCATE);
        skip_done_steps(order);
    }
}

static void step_is_done(struct order *order)
{
    bool passes_pivot = order->step == STEP_COMMIT && !order->pivot_is_passed;
    if (order->step == STEP_REPLACE) {
        order->allocation_attempt++;
        order->must_save = true;
    }
    if (passes_pivot) {
        order->pivot_is_passed = true;
        order->must_save = true;
    }
    order->tries = 0;
    if (!order_step_is_for_each(order->step)) {
        enum order_step next = step_behind(order);
        if (next == STEP_NONE) {
            finish(order);
            return;
        }
        go_to(order, next);
    }
    skip_done_steps(order);
}

/* --- reactions --- */

static void anew(struct order *order, bool reservation, int64_t now_us)
{
    if (++order->lost_holds > fulfillment_lost_holds_max) {
        if (order->goal == GOAL_PROMISE)
            order->refusal = order_refusal_make(
                REFUSAL_UNAVAILABLE, "ORDER_UNDONE",
                "the holds ended again and again before the promise was made; ask again");
        undo(order, true);
        return;
    }
    if (reservation) {
        order->must_reserve = true;
        order->reservation_attempt++;
    } else if (order->goal != GOAL_PROMISE) { /* a promise has its reservation still */
        order->hold_until_us = now_us + order->ttl_us;
    }
    order->must_save = true;
    go_to(order, STEP_REPLACE);
}

static void pass_pivot(struct order *order)
{
    order->pivot_is_passed = true;
    order->must_save = true;
    if (order->step != STEP_ROLL_BACK) {
        step_is_done(order);
        return;
    }
    if (order->goal != GOAL_CANCEL)
        order->goal = GOAL_CONFIRM;
    order->refusal.kind = REFUSAL_NONE;
    go_to(order, order->goal == GOAL_CANCEL ? STEP_RELEASE : STEP_FIRM);
}

static void use_other_carrier(struct order *order, size_t part, const struct order_call *result,
                              struct arena *arena)
{
    if (!order_exclude_carrier(order, &order->parts[part], arena)) {
        need_attention(order, result, arena);
        return;
    }
    order->must_save = true;
    go_to(order, STEP_RATE);
}

/* Who was answered before it was known (tries) learns of it by the record. */
static void refuse_cancellation(struct order *order)
{
    order->refusal = order_refusal_make(REFUSAL_PRECONDITION, "ORDER_SHIPPED",
                                        "the goods have left; nothing can be cancelled");
    if (order->tries > 0)
        order->attention_reason = text_of("not cancelled: the goods had left");
    order->cancel_reason = (struct text){0};
    order->goal = GOAL_CONFIRM;
    order->must_save = true;
    go_to(order, STEP_LABEL);
    skip_done_steps(order);
}

/* What was done by now is held no more: the promise would be over before it is answered. */
static bool promise_is_late(const struct order *order, int64_t now_us)
{
    bool is_held =
        order->step == STEP_ALLOCATE || order->step == STEP_LOCATE || order->step == STEP_RATE;
    return is_held && order->hold_until_us <= now_us;
}

/* The table's word, with the three rules above it. */
static enum order_reaction reaction_of(const struct order *order, enum order_call_outcome outcome,
                                       int64_t now_us)
{
    const struct order_step_row *row = &order_steps[order->step];
    enum order_reaction reaction = row->reactions[outcome];
    bool may_undo = !order->pivot_is_passed && row->phase <= PHASE_PIVOT;
    bool is_hold = reaction == REACT_NEW_HOLD || reaction == REACT_RETAKE;
    if (!may_undo && (reaction == REACT_UNDO || is_hold))
        return REACT_ATTENTION;
    if (may_undo && reaction == REACT_ATTENTION)
        return REACT_UNDO;
    bool has_ended =
        outcome == CALL_HOLD_EXPIRED || (reaction == REACT_NEXT && promise_is_late(order, now_us));
    if (order->goal == GOAL_PROMISE && row->phase == PHASE_BEFORE && has_ended &&
        order->step != STEP_REPLACE)
        return REACT_NEW_HOLD;
    return reaction;
}

/*
 * Later, by a pause that doubles; before the pivot not for ever. A cancellation is kept and carried
 * out whatever comes, so who asked for it is not refused; a confirmation before the pivot may still
 * be undone, and is.
 */
static void try_again(struct order *order, const struct order_call *result,
                      struct order_action *action, int64_t first_us, int64_t now_us)
{
    enum order_phase phase = order_steps[order->step].phase;
    bool is_before = !order->pivot_is_passed && phase == PHASE_BEFORE;
    if (is_before && (order->goal == GOAL_PROMISE ||
                      (order->goal == GOAL_CONFIRM && now_us >= order->give_up_time_us))) {
        order->refusal = result->refusal;
        undo(order, order->step != STEP_DESCRIBE);
        return;
    }
    if (order->goal == GOAL_CONFIRM && !order->pivot_is_passed)
        order->refusal = result->refusal;
    order->tries++;
    int64_t delay_us = first_us << (order->tries < 10 ? order->tries : 10);
    action->kind = ACTION_WAIT;
    action->delay_us = delay_us < again_us_max ? delay_us : again_us_max;
}

static void react(struct order *order, const struct order_call *result, struct arena *arena,
                  struct order_action *action, int64_t now_us)
{
    enum order_call_outcome outcome = order_take_result(order, result, arena);
    bool surely_holds_nothing = order->step == STEP_DESCRIBE || order->step == STEP_RESERVE;
    switch (reaction_of(order, outcome, now_us)) {
    case REACT_NEXT:
        step_is_done(order);
        break;
    case REACT_UNDO:
        order->refusal = outcome == result->outcome ? result->refusal : order->refusal;
        undo(order, !surely_holds_nothing);
        break;
    case REACT_AGAIN:
        try_again(order, result, action, again_us_first, now_us);
        break;
    case REACT_ASK_LATER:
        try_again(order, result, action, ask_us_first, now_us);
        break;
    case REACT_NEW_HOLD:
        anew(order, true, now_us);
        break;
    case REACT_RETAKE:
        anew(order, false, now_us);
        break;
    case REACT_PIVOT:
        pass_pivot(order);
        break;
    case REACT_OTHER_CARRIER:
        use_other_carrier(order, result->part, result, arena);
        break;
    case REACT_ABANDON:
        if (order->tries + 1 < carrier_tries_max)
            try_again(order, result, action, again_us_first, now_us);
        else
            go_to(order, STEP_ABANDON);
        break;
    case REACT_LABEL:
        go_to(order, STEP_LABEL);
        break;
    case REACT_NOTE:
        order_note_loss(order, result, arena);
        step_is_done(order);
        break;
    case REACT_SHIPPED:
        refuse_cancellation(order);
        break;
    case REACT_ATTENTION:
        need_attention(order, result, arena);
        break;
    }
}

struct order_action order_next_step(struct order *order, const struct order_call *result,
                                    struct arena *arena, int64_t now_us)
{
    struct order_action action = {.kind = ACTION_CALL};
    if (result != NULL)
        react(order, result, arena, &action, now_us);
    else if (order->goal != GOAL_NONE && order->state != ORDER_NEEDS_ATTENTION)
        skip_done_steps(order);
    if (action.kind == ACTION_WAIT)
        return action;
    if (order->goal == GOAL_NONE || order->state == ORDER_NEEDS_ATTENTION) {
        action.kind = ACTION_REST;
        return action;
    }
    if (order->must_save) {
        action.kind = ACTION_SAVE;
        return action;
    }
    (void)find_item(order, order->step, &action);
    action.call = order_steps[order->step].call;
    return action;
}

/* --- requests --- */

void order_begin_promise(struct order *order)
{
    order->state = ORDER_PROMISING;
    order->goal = GOAL_PROMISE;
    order->reservation_attempt++;
    order->allocation_attempt++;
    go_to(order, STEP_DESCRIBE);
}

void order_abandon_promise(struct order *order)
{
    if (order->goal == GOAL_PROMISE)
        undo(order, true);
}

static enum order_request_outcome refuse(struct order *order, const char *reason,
                                         const char *message)
{
    order->refusal = order_refusal_make(REFUSAL_PRECONDITION, reason, message);
    return REQUEST_REFUSED;
}

void order_leave_attention(struct order *order)
{
    if (order->state != ORDER_NEEDS_ATTENTION)
        return;
    order->state = ORDER_CONFIRMING;
    order->attention_reason = (struct text){0};
    for (size_t i = 0; i < order->part_count; i++) {
        if (order->parts[i].label == LABEL_LOST) /* that stays */
            order->attention_reason = text_of("a label could not be voided");
    }
}

enum order_request_outcome order_confirm(struct order *order, int64_t now_us)
{
    if (order->goal == GOAL_CANCEL || order->state == ORDER_CANCELLED)
        return refuse(order, "ORDER_CANCELLED", "the order was cancelled");
    order->tries = 0;
    switch (order->state) {
    case ORDER_PROMISED:
    case ORDER_EXPIRED:
        order->state = ORDER_CONFIRMING;
        order->goal = GOAL_CONFIRM;
        order->give_up_time_us = now_us + order->ttl_us;
        order->attention_reason = (struct text){0};
        go_to(order, STEP_EXTEND);
        return REQUEST_STARTED;
    case ORDER_NEEDS_ATTENTION:
        order_leave_attention(order);
        for (size_t i = 0; i < order->part_count; i++)
            order->parts[i].tried_count = 0;
        return REQUEST_STARTED;
    case ORDER_CONFIRMING:
        return REQUEST_STARTED;
    case ORDER_CONFIRMED:
    case ORDER_SHIPPED:
    case ORDER_DELIVERED:
    case ORDER_RETURNED:
    case ORDER_CANCELLED:
    case ORDER_PROMISING:
    case ORDER_REFUSED:
        break;
    }
    return REQUEST_ANSWERED;
}

enum order_request_outcome order_cancel(struct order *order, struct text reason)
{
    order->tries = 0;
    if (order->state == ORDER_CANCELLED)
        return REQUEST_ANSWERED;
    if (order->state == ORDER_SHIPPED || order->state == ORDER_DELIVERED ||
        order->state == ORDER_RETURNED || order_has_shipped_part(order))
        return refuse(order, "ORDER_SHIPPED", "the goods have left; nothing can be cancelled");
    order_leave_attention(order);
    if (order->goal == GOAL_CANCEL)
        return REQUEST_STARTED;
    order->state = ORDER_CONFIRMING;
    order->goal = GOAL_CANCEL;
    order->cancel_reason = reason;
    order->attention_reason = (struct text){0};
    go_to(order, order->pivot_is_passed ? STEP_RELEASE : STEP_ROLL_BACK);
    return REQUEST_STARTED;
}
