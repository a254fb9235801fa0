/* Field by field; nothing else knows the list. */
#include "warehouse/domain/warehouse.h"

unsigned warehouse_field_of(struct text path)
{
    static const struct {
        const char *name;
        unsigned field;
    } fields[] = {
        {"name", WAREHOUSE_NAME},
        {"priority", WAREHOUSE_PRIORITY},
        {"active", WAREHOUSE_ACTIVE},
        {"address", WAREHOUSE_ADDRESS},
        {"handling_cost", WAREHOUSE_HANDLING_COST},
        {"cutoff_local_time", WAREHOUSE_CUTOFF_LOCAL_TIME},
        {"time_zone", WAREHOUSE_TIME_ZONE},
        {"closed_days", WAREHOUSE_CLOSED_DAYS},
        {"capacity_per_day", WAREHOUSE_CAPACITY_PER_DAY},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (text_equals_string(path, fields[i].name))
            return fields[i].field;
    }
    return 0;
}

void warehouse_merge(struct warehouse *warehouse, const struct warehouse *changes, unsigned fields)
{
    if ((fields & WAREHOUSE_NAME) != 0)
        warehouse->name = changes->name;
    if ((fields & WAREHOUSE_PRIORITY) != 0)
        warehouse->priority = changes->priority;
    if ((fields & WAREHOUSE_ACTIVE) != 0)
        warehouse->active = changes->active;
    if ((fields & WAREHOUSE_ADDRESS) != 0)
        warehouse->address = changes->address;
    if ((fields & WAREHOUSE_HANDLING_COST) != 0)
        warehouse->handling_cost = changes->handling_cost;
    if ((fields & WAREHOUSE_CUTOFF_LOCAL_TIME) != 0)
        warehouse->cutoff_local_time = changes->cutoff_local_time;
    if ((fields & WAREHOUSE_TIME_ZONE) != 0)
        warehouse->time_zone = changes->time_zone;
    if ((fields & WAREHOUSE_CLOSED_DAYS) != 0) {
        warehouse->closed_days = changes->closed_days;
        warehouse->closed_day_count = changes->closed_day_count;
    }
    if ((fields & WAREHOUSE_CAPACITY_PER_DAY) != 0)
        warehouse->capacity_per_day = changes->capacity_per_day;
}

static bool texts_equal(const struct text *a, size_t a_count, const struct text *b, size_t b_count)
{
    if (a_count != b_count)
        return false;
    for (size_t i = 0; i < a_count; i++) {
        if (!text_equal(a[i], b[i]))
            return false;
    }
    return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return text_equal(a->name, b->name) && text_equal(a->company, b->company) &&
           text_equal(a->phone, b->phone) && text_equal(a->email, b->email) &&
           texts_equal(a->lines, a->line_count, b->lines, b->line_count) &&
           text_equal(a->city, b->city) && text_equal(a->region, b->region) &&
           text_equal(a->postal_code, b->postal_code) &&
           text_equal(a->country_code, b->country_code) && a->has_point == b->has_point &&
           (!a->has_point || (a->point.latitude_e7 == b->point.latitude_e7 &&
                              a->point.longitude_e7 == b->point.longitude_e7));
}

bool warehouse_equal(const struct warehouse *a, const struct warehouse *b)
{
    return text_equal(a->warehouse_id, b->warehouse_id) && text_equal(a->name, b->name) &&
           a->priority == b->priority && a->active == b->active &&
           address_equal(&a->address, &b->address) &&
           money_same_currency(a->handling_cost, b->handling_cost) &&
           a->handling_cost.amount_minor == b->handling_cost.amount_minor &&
           text_equal(a->cutoff_local_time, b->cutoff_local_time) &&
           text_equal(a->time_zone, b->time_zone) &&
           texts_equal(a->closed_days, a->closed_day_count, b->closed_days, b->closed_day_count) &&
           a->capacity_per_day == b->capacity_per_day;
}
