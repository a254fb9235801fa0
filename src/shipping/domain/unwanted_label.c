/* The life of a label that nobody wants, as a table; its asking is as that for lost purchases. */
#include "shipping/domain/unwanted_label.h"

#include "shipping/domain/shipment.h"

static const enum unwanted_label_state
    next_states[unwanted_label_state_count][unwanted_label_change_count] = {
        [UNWANTED_LABEL_TO_VOID] =
            {
                [UNWANTED_LABEL_CHANGE_IN_VAIN] = UNWANTED_LABEL_TO_VOID,
                [UNWANTED_LABEL_CHANGE_VOIDED] = UNWANTED_LABEL_VOIDED,
                [UNWANTED_LABEL_CHANGE_GIVEN_UP] = UNWANTED_LABEL_NEEDS_ATTENTION,
                [UNWANTED_LABEL_CHANGE_TRY_AGAIN] = UNWANTED_LABEL_TO_VOID,
            },
        [UNWANTED_LABEL_NEEDS_ATTENTION] =
            {
                [UNWANTED_LABEL_CHANGE_VOIDED] = UNWANTED_LABEL_VOIDED,
                [UNWANTED_LABEL_CHANGE_TRY_AGAIN] = UNWANTED_LABEL_TO_VOID,
            },
};

bool unwanted_label_next_state(enum unwanted_label_state state, enum unwanted_label_change change,
                               enum unwanted_label_state *next)
{
    if (next_states[state][change] == 0)
        return false;
    *next = next_states[state][change];
    return true;
}

const char *unwanted_label_state_name(enum unwanted_label_state state)
{
    static const char *const names[unwanted_label_state_count] = {
        [UNWANTED_LABEL_TO_VOID] = "TO_VOID",
        [UNWANTED_LABEL_VOIDED] = "VOIDED",
        [UNWANTED_LABEL_NEEDS_ATTENTION] = "NEEDS_ATTENTION",
    };
    return names[state];
}

int64_t unwanted_label_next_time(int64_t create_time_us, uint32_t asks, int64_t now_us)
{
    return shipment_next_lookup(create_time_us, asks < 1 ? 1 : asks, now_us);
}
