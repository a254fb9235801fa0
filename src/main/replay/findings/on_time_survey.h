#ifndef WAYBILL_MAIN_REPLAY_FINDINGS_ON_TIME_SURVEY_H
#define WAYBILL_MAIN_REPLAY_FINDINGS_ON_TIME_SURVEY_H

#include "main/replay/data/data_set.h"
#include "platform/base/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How many lines came on the day they were promised for or before, by country of destination and
 * by origin. What was promised and when it came is for the caller to say, from the tracking
 * service's answers; data set and lines only tell what belongs together. Thread: one at a time.
 */
struct on_time_count {
    uint32_t lines; /* delivered */
    uint32_t late;
};

struct on_time_country {
    struct on_time_count from_centres;
    struct on_time_count direct; /* from the sites that made the goods */
};

struct on_time_survey {
    const struct data_set *data_set;
    struct on_time_count whole;
    struct on_time_country *countries; /* by the data set's countries */
    struct on_time_count centres;
    struct on_time_count *sites; /* by the data set's sites */
    uint32_t *days_late;         /* of each line; 0 = in time, or not delivered */
};

/* For a data set with logistics, which lives as long. Error: OUT_OF_MEMORY; then deinit, too. */
struct error on_time_survey_init(struct on_time_survey *survey, const struct data_set *data_set);
void on_time_survey_deinit(struct on_time_survey *survey);

/* Forgets what it has counted. */
void on_time_survey_begin(struct on_time_survey *survey);

/* One more line of that order is delivered, so many days after it was promised; 0 = in time. */
void on_time_survey_add(struct on_time_survey *survey, uint32_t order, uint32_t line,
                        uint32_t days_late);

/* The next late line at `line` or behind it, for going through all; false = there is none. */
bool on_time_next_late(const struct on_time_survey *survey, uint32_t *line);

struct on_time_count on_time_sum(struct on_time_count a, struct on_time_count b);

/* How many of a thousand were not late, rounded half up; 0 of none. */
uint32_t on_time_per_mille(struct on_time_count count);

#endif
