#ifndef WAYBILL_MAIN_REPLAY_REPORT_ON_TIME_REPORT_H
#define WAYBILL_MAIN_REPLAY_REPORT_ON_TIME_REPORT_H

#include "main/replay/findings/on_time_survey.h"
#include "main/replay/plan/replay_plan.h"
#include "platform/base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

/* What an on-time survey has counted, for people and for programs. Pure but for memory. */

/*
 * Two tables: by country of destination, all of them, split by where the goods came from; and by
 * origin, those with the most lines. Then the lines that came latest, at most `late_shown` of them,
 * with what it takes to look one up. The plan knows their tracking numbers. False: the buffer's
 * limit or memory.
 */
__attribute__((warn_unused_result)) bool on_time_report_write(struct buffer *out,
                                                              const struct on_time_survey *survey,
                                                              const struct replay_plan *plan,
                                                              uint32_t late_shown);

/* An object with all countries, sites and late lines; NULL without memory. */
json_t *on_time_report_pack(const struct on_time_survey *survey, const struct replay_plan *plan);

#endif
