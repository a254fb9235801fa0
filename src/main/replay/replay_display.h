#ifndef WAYBILL_MAIN_REPLAY_REPLAY_DISPLAY_H
#define WAYBILL_MAIN_REPLAY_REPLAY_DISPLAY_H

#include "main/replay/replay.h"
#include "platform/base/clock.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

/*
 * Shows on a stream how far a replay is: on a terminal a bar as wide as it is, ten times a second;
 * elsewhere a plain line every five seconds. Thread: the loop's.
 */
struct replay_display {
    uv_timer_t timer;
    bool timer_is_open;
    uv_loop_t *loop;
    struct clock *clock;
    const struct replay *replay;
    FILE *stream;
    bool is_terminal;
    int64_t began_us; /* monotonic; when the first stage was seen */
    uint64_t steps_at_start;
    uint64_t calls_at_start;
    bool has_begun;
};

/* `replay` and `stream` live until replay_display_stop. */
void replay_display_start(struct replay_display *display, uv_loop_t *loop, struct clock *clock,
                          const struct replay *replay, FILE *stream);

/* Clears the bar and runs the loop until the timer is closed. */
void replay_display_stop(struct replay_display *display);

/* One line: `width` columns with a bar, or 0 = without. Pure. */
void replay_display_format(char *line, size_t line_size, const struct replay_view *view,
                           uint64_t steps_since, uint64_t calls_since, int64_t elapsed_us,
                           size_t width);

#endif
