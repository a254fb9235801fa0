#ifndef WAYBILL_MAIN_REPLAY_REPORT_REPLAY_REPORT_H
#define WAYBILL_MAIN_REPLAY_REPORT_REPLAY_REPORT_H

#include "main/replay/plan/replay_plan.h"
#include "main/replay/state/replay_result.h"
#include "platform/base/buffer.h"
#include "platform/base/error.h"

/*
 * What a replay came to, for people and for programs. Pure. Error: OUT_OF_MEMORY (or `out`'s
 * limit).
 */
struct replay_report {
    const char *path;   /* of the data set */
    const char *server; /* "HOST:PORT" */
    const struct replay_plan *plan;
    const struct replay_result *result;
    uint32_t late_shown; /* how many of the latest lines the text names */
};

/* A page of text, with what differs at its end. */
__attribute__((warn_unused_result)) struct error replay_report_write_text(
    const struct replay_report *report, struct buffer *out);

/* One JSON object and a line feed. */
__attribute__((warn_unused_result)) struct error replay_report_write_json(
    const struct replay_report *report, struct buffer *out);

#endif
