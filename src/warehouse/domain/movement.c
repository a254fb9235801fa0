/* Words for reasons. */
#include "warehouse/domain/movement.h"

#include <stddef.h>

struct text adjustment_reason_text(enum adjustment_reason reason)
{
    switch (reason) {
    case ADJUSTMENT_COUNT:
        return text_of("COUNT");
    case ADJUSTMENT_DAMAGE:
        return text_of("DAMAGE");
    case ADJUSTMENT_LOSS:
        return text_of("LOSS");
    case ADJUSTMENT_FOUND:
        return text_of("FOUND");
    case ADJUSTMENT_CORRECTION:
        return text_of("CORRECTION");
    case ADJUSTMENT_OTHER:
        return text_of("OTHER");
    }
    return text_of(NULL);
}

struct text return_reason_text(enum return_reason reason)
{
    switch (reason) {
    case RETURN_CANCELLED:
        return text_of("CANCELLED");
    case RETURN_SHORT_PICK:
        return text_of("SHORT_PICK");
    case RETURN_CUSTOMER:
        return text_of("CUSTOMER");
    case RETURN_OTHER:
        return text_of("OTHER");
    }
    return text_of(NULL);
}
