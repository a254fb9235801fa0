#ifndef WAYBILL_MAIN_REPLAY_PLAN_PARCEL_LIFE_H
#define WAYBILL_MAIN_REPLAY_PLAN_PARCEL_LIFE_H

#include "main/replay/data/data_set.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * What happened to a line of the data set on its way, as events. The data tells two days of it: the
 * one on which it was to be delivered and the one on which it was. The last event is of that day;
 * a late line's carrier says on the scheduled day that it will not come before. What lies between
 * pickup and delivery is made up, at fixed distances from these days. All functions are pure; times
 * are UTC, since the data has no others.
 */
enum parcel_step_type {
    PARCEL_PICKED_UP,
    PARCEL_IN_TRANSIT,
    PARCEL_ARRIVED, /* at a facility near its destination */
    PARCEL_DELAYED, /* late lines only */
    PARCEL_OUT_FOR_DELIVERY,
    PARCEL_DELIVERED,
};
enum { parcel_steps_max = PARCEL_DELIVERED + 1 };

struct parcel_step {
    enum parcel_step_type type;
    int64_t occurred_time_us;
    int64_t expected_delivery_time_us; /* what is expected from now on; 0 = as before */
    bool is_at_origin;                 /* else it is at its destination */
};

/* The carrier of all of them: the data names none. */
extern const char parcel_carrier[];

/* How many there are: 5, or 6 of a late line. */
uint32_t parcel_step_count(const struct data_set_line *line);

/* The one at `index`; the last is the delivery. */
struct parcel_step parcel_step_at(const struct data_set_line *line, uint32_t index);

/* The end of the scheduled day: what is expected when the tracking is opened. */
int64_t parcel_promised_time_us(const struct data_set_line *line);

/* When the number begins to mean this line. */
int64_t parcel_start_time_us(const struct data_set_line *line);

/* Whether the data says so. */
bool parcel_is_late(const struct data_set_line *line);

#endif
