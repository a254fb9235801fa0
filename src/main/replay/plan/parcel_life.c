/* Days plus hours. No time is before 1970-01-02, the interface's 0 means absent. */
#include "main/replay/plan/parcel_life.h"

const char parcel_carrier[] = "tariff";

static const int64_t hour_us = INT64_C(3600) * 1000000;
static const int64_t day_us = INT64_C(86400) * 1000000;

enum {
    pickup_lead_days = 14, /* before the earlier of the two days */
    transit_lead_days = 12,
    arrival_lead_days = 2, /* before the delivery */
    pickup_hour = 8,
    transit_hour = 18,
    arrival_hour = 9,
    delay_hour = 17,
    out_hour = 7,
    delivery_hour = 14,
};

static int64_t at(int32_t day, int hour)
{
    return (day < 1 ? 1 : day) * day_us + hour * hour_us;
}

static int64_t end_of(int32_t day)
{
    return at(day, 24) - 1;
}

/* Whichever of the two days comes first. */
static int32_t earlier_day(const struct data_set_line *line)
{
    return line->delivered_day < line->scheduled_day ? line->delivered_day : line->scheduled_day;
}

bool parcel_is_late(const struct data_set_line *line)
{
    return line->delivered_day > line->scheduled_day;
}

uint32_t parcel_step_count(const struct data_set_line *line)
{
    return parcel_is_late(line) ? parcel_steps_max : parcel_steps_max - 1;
}

int64_t parcel_promised_time_us(const struct data_set_line *line)
{
    return end_of(line->scheduled_day);
}

int64_t parcel_start_time_us(const struct data_set_line *line)
{
    return at(earlier_day(line) - pickup_lead_days, pickup_hour);
}

struct parcel_step parcel_step_at(const struct data_set_line *line, uint32_t index)
{
    bool is_behind_delay = !parcel_is_late(line) && index >= PARCEL_DELAYED;
    struct parcel_step step = {.type = (enum parcel_step_type)(index + is_behind_delay)};
    switch (step.type) {
    case PARCEL_PICKED_UP:
        step.occurred_time_us = parcel_start_time_us(line);
        step.is_at_origin = true;
        break;
    case PARCEL_IN_TRANSIT:
        step.occurred_time_us = at(earlier_day(line) - transit_lead_days, transit_hour);
        step.is_at_origin = true;
        break;
    case PARCEL_ARRIVED:
        step.occurred_time_us = at(line->delivered_day - arrival_lead_days, arrival_hour);
        break;
    case PARCEL_DELAYED:
        step.occurred_time_us = at(line->scheduled_day, delay_hour);
        step.expected_delivery_time_us = end_of(line->delivered_day);
        break;
    case PARCEL_OUT_FOR_DELIVERY:
        step.occurred_time_us = at(line->delivered_day, out_hour);
        break;
    case PARCEL_DELIVERED:
        step.occurred_time_us = at(line->delivered_day, delivery_hour);
        break;
    }
    return step;
}
