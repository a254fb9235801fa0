#ifndef WAYBILL_MAIN_COMMANDS_WATCH_DISPLAY_H
#define WAYBILL_MAIN_COMMANDS_WATCH_DISPLAY_H

#include "platform/base/buffer.h"
#include "waybill/events/v1/events.pb-c.h"

#include <stdbool.h>

/*
 * Events as lines on standard output, for people:
 *
 *   13:42:16.744  StockReserved           hold-7       {"reservationId":"hold-7",…
 *
 * cut at the width of a terminal, whole everywhere else; or as one JSON object each. Control
 * characters of what is shown never reach the terminal: JSON escapes them. Thread: one.
 */
struct watch_display {
    bool json;      /* set before _begin */
    size_t columns; /* 0 = no end */
    struct buffer line;
};

void watch_display_begin(struct watch_display *display);
void watch_display_end(struct watch_display *display);

/* False: standard output takes no more, its reader is gone. */
bool watch_display_event(struct watch_display *display, const Waybill__Events__V1__Event *event);

#endif
