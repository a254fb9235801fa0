/*
 * A timer of the loop draws what replay_view tells. Rates are averages since the first stage began,
 * so that they stand still enough to be read.
 */
#include "main/replay/replay_display.h"

#include "main/replay/report/number_text.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    terminal_interval_ms = 100,
    plain_interval_ms = 5000,
    width_default = 80,
    bar_width_min = 10,
    bar_width_max = 60,
    title_width = 20,
};

static size_t terminal_width(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return width_default;
    return size.ws_col;
}

/* "0:07", "12:30". */
static struct number_text minutes_text(int64_t duration_us)
{
    struct number_text text;
    int64_t seconds = (duration_us + 999999) / 1000000;
    snprintf(text.string, sizeof text.string, "%lld:%02lld", (long long)(seconds / 60),
             (long long)(seconds % 60));
    return text;
}

/* What stands right of the bar. */
static void format_figures(char *figures, size_t size, const struct replay_view *view,
                           uint64_t steps_since, uint64_t calls_since, int64_t elapsed_us)
{
    uint64_t total = view->steps_total == 0 ? 1 : view->steps_total;
    int percent = (int)(view->steps_done * 100 / total);
    double seconds = (double)elapsed_us / 1e6;
    if (elapsed_us <= 0 || steps_since == 0) {
        snprintf(figures, size, "%3d %%", percent);
        return;
    }
    double left_us = (double)(total - view->steps_done) / (double)steps_since * (double)elapsed_us;
    snprintf(figures, size, "%3d %%  %s calls/s  %s left", percent,
             number_text_of_count((int64_t)((double)calls_since / seconds)).string,
             minutes_text((int64_t)left_us).string);
}

void replay_display_format(char *line, size_t line_size, const struct replay_view *view,
                           uint64_t steps_since, uint64_t calls_since, int64_t elapsed_us,
                           size_t width)
{
    char figures[128];
    char bar[bar_width_max + 1] = "";
    size_t bar_width = 0;
    format_figures(figures, sizeof figures, view, steps_since, calls_since, elapsed_us);
    size_t rest = title_width + strlen(figures) + 5; /* title, brackets, spaces, the last column */
    if (width >= rest + bar_width_min)
        bar_width = width - rest < bar_width_max ? width - rest : bar_width_max;
    if (bar_width == 0) {
        snprintf(line, line_size, "%s: %s", view->stage, figures);
        return;
    }
    uint64_t total = view->steps_total == 0 ? 1 : view->steps_total;
    size_t filled = (size_t)(view->steps_done * bar_width / total);
    memset(bar, '-', bar_width);
    memset(bar, '#', filled);
    bar[bar_width] = '\0';
    snprintf(line, line_size, "%-*s [%s] %s", title_width, view->stage, bar, figures);
}

static void draw(uv_timer_t *timer)
{
    struct replay_display *display = timer->data;
    struct replay_view view = replay_view(display->replay);
    int64_t now_us = clock_monotonic_us(display->clock);
    char line[512];
    if (!display->has_begun && view.is_sending) {
        display->has_begun = true;
        display->began_us = now_us;
        display->steps_at_start = view.steps_done;
        display->calls_at_start = view.calls;
    }
    size_t width = display->is_terminal ? terminal_width(display->stream) : 0;
    replay_display_format(line, sizeof line, &view, view.steps_done - display->steps_at_start,
                          view.calls - display->calls_at_start,
                          display->has_begun ? now_us - display->began_us : 0, width);
    /* On a terminal: from the line's start, and cleared to its end. */
    fprintf(display->stream, display->is_terminal ? "\r%s\x1b[K" : "%s\n", line);
    fflush(display->stream);
}

void replay_display_start(struct replay_display *display, uv_loop_t *loop, struct clock *clock,
                          const struct replay *replay, FILE *stream)
{
    *display = (struct replay_display){
        .loop = loop,
        .clock = clock,
        .replay = replay,
        .stream = stream,
        .is_terminal = isatty(fileno(stream)) == 1,
        .timer_is_open = true,
    };
    uint64_t interval_ms = display->is_terminal ? terminal_interval_ms : plain_interval_ms;
    (void)uv_timer_init(loop, &display->timer); /* never fails */
    display->timer.data = display;
    (void)uv_timer_start(&display->timer, draw, interval_ms, interval_ms);
}

static void timer_closed(uv_handle_t *timer)
{
    struct replay_display *display = timer->data;
    display->timer_is_open = false;
}

void replay_display_stop(struct replay_display *display)
{
    uv_close((uv_handle_t *)&display->timer, timer_closed);
    while (display->timer_is_open)
        uv_run(display->loop, UV_RUN_ONCE);
    if (display->is_terminal) {
        fprintf(display->stream, "\r\x1b[K");
        fflush(display->stream);
    }
}
