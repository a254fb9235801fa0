/*
 * The memory of purchases and the tables of prices, days and lives. A purchase is whole or not
 * there (NULL without memory). Numbers given out and delays come from the seed, so one client's run
 * replays.
 */
#include "carrier_simulator/simulator_state.h"

#include "platform/base/memory.h"
#include "shipping/domain/tracking_number.h"

#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;

const struct simulator_step simulator_steps[] = {
    {"M", "MP", "003", "OC", NULL, "Label created", 0, false, false},
    {"I", "OR", "005", "PU", "PU", "Picked up", 4, false, false},
    {"I", "DP", "005", "DP", "DF", "Departed facility", 12, false, false},
    {"I", "AR", "005", "AR", "AR", "Arrived at facility", 30, true, false},
    {"X", "48", "048", "DE", "NH", "Delayed, delivery will be tried again", 40, true, true},
    {"I", "OT", "021", "OD", "WC", "Out for delivery", 50, true, false},
    {"D", "FS", "011", "DL", "OK", "Delivered", 55, true, false},
};
const size_t simulator_step_count = sizeof simulator_steps / sizeof simulator_steps[0];

struct error simulator_init(struct simulator *simulator, const struct simulator_options *options)
{
    *simulator = (struct simulator){.options = *options};
    random_seeded_init(&simulator->random, options->seed);
    simulator->serial = options->seed * 7919 + 1;
    hash_map_init(&simulator->by_number);
    return error_none();
}

void simulator_deinit(struct simulator *simulator)
{
    for (size_t i = 0; i < simulator->shipment_count; i++)
        memory_release(simulator->shipments[i]);
    memory_release(simulator->shipments);
    hash_map_deinit(&simulator->by_number);
}

int64_t simulator_now_us(const struct simulator *simulator)
{
    return clock_now_us(simulator->options.clock);
}

int64_t simulator_monotonic_us(const struct simulator *simulator)
{
    return clock_monotonic_us(simulator->options.clock);
}

/* ----------------------------------------------------------------------------------- purchases */

struct number_key {
    const struct simulator *simulator;
    struct text number;
};

static bool has_number(void *context, uint64_t value)
{
    const struct number_key *key = context;
    const struct simulator_shipment *shipment = key->simulator->shipments[value];
    if (text_equals_string(key->number, shipment->number))
        return true;
    for (size_t i = 0; i < shipment->parcel_count; i++) {
        if (text_equals_string(key->number, shipment->numbers[i]))
            return true;
    }
    return false;
}

static bool make_room(struct simulator *simulator)
{
    if (!hash_map_reserve(&simulator->by_number, simulator_parcels_max + 1))
        return false;
    if (simulator->shipment_count < simulator->shipment_capacity)
        return true;
    size_t capacity = simulator->shipment_capacity == 0 ? 256 : 2 * simulator->shipment_capacity;
    void *more = memory_reallocate(simulator->shipments, capacity * sizeof *simulator->shipments);
    if (more == NULL)
        return false;
    simulator->shipments = more;
    simulator->shipment_capacity = capacity;
    return true;
}

/*
 * The account within UPS numbers. The seven digits behind it begin anew after ten millions; then it
 * is the next account's turn, so that numbers of far-apart seeds do not meet.
 */
static void make_shipper(uint64_t serial, char shipper[6])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char first[] = "W4YB1L";
    uint64_t carry = serial / 10000000;
    for (size_t i = 6; i-- > 0;) {
        carry += (uint64_t)(strchr(digits, first[i]) - digits);
        shipper[i] = digits[carry % 36];
        carry /= 36;
    }
}

static void make_numbers(struct simulator *simulator, struct simulator_shipment *made)
{
    char shipper[6];
    char service[3] = "03";
    if (made->carrier == SIMULATOR_UPS && strlen(made->service) == 2)
        memcpy(service, made->service, 2);
    for (size_t i = 0; i < made->parcel_count; i++) {
        uint64_t serial = simulator->serial++;
        switch (made->carrier) {
        case SIMULATOR_UPS:
            make_shipper(serial, shipper);
            tracking_number_make_ups(shipper, service, serial, made->numbers[i]);
            break;
        case SIMULATOR_FEDEX:
            tracking_number_make_fedex(79000000000 + serial % 900000000, made->numbers[i]);
            break;
        case SIMULATOR_DHL:
            tracking_number_make_dhl_piece(serial, made->numbers[i]);
            break;
        }
    }
    memcpy(made->number, made->numbers[0], sizeof made->number);
    if (made->carrier == SIMULATOR_DHL)
        tracking_number_make_dhl(simulator->serial++, made->number);
}

static void index_number(struct simulator *simulator, const char *number)
{
    struct number_key key = {simulator, text_of(number)};
    uint64_t hash = hash_text(simulator->options.seed, key.number), found;
    if (!hash_map_find(&simulator->by_number, hash, has_number, &key, &found))
        hash_map_add(&simulator->by_number, hash, simulator->shipment_count - 1);
}

struct simulator_shipment *simulator_buy(struct simulator *simulator,
                                         enum simulator_carrier carrier, struct text reference,
                                         size_t parcel_count, const char *service)
{
    struct simulator_shipment *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL || !make_room(simulator)) {
        memory_release(made);
        return NULL;
    }
    made->carrier = carrier;
    made->parcel_count = parcel_count < 1                       ? 1
                         : parcel_count > simulator_parcels_max ? simulator_parcels_max
                                                                : parcel_count;
    simulator_copy(made->reference, sizeof made->reference, reference);
    snprintf(made->service, sizeof made->service, "%s", service);
    make_numbers(simulator, made);
    made->create_time_us = simulator_now_us(simulator);
    made->searchable_time_us = made->create_time_us;
    if (simulator->options.search_lag_us_max > 0)
        made->searchable_time_us += (int64_t)random_below(
            &simulator->random.base, (uint64_t)simulator->options.search_lag_us_max);
    simulator->shipments[simulator->shipment_count++] = made;
    index_number(simulator, made->number);
    for (size_t i = 0; i < made->parcel_count; i++)
        index_number(simulator, made->numbers[i]);
    return made;
}

struct simulator_shipment *simulator_find(struct simulator *simulator,
                                          enum simulator_carrier carrier, struct text number)
{
    struct number_key key = {simulator, number};
    uint64_t index;
    if (!hash_map_find(&simulator->by_number, hash_text(simulator->options.seed, number),
                       has_number, &key, &index))
        return NULL;
    struct simulator_shipment *found = simulator->shipments[index];
    return found->carrier == carrier ? found : NULL;
}

struct simulator_shipment *simulator_search(struct simulator *simulator,
                                            enum simulator_carrier carrier, struct text reference,
                                            size_t *cursor)
{
    int64_t now = simulator_now_us(simulator);
    while (*cursor < simulator->shipment_count) {
        struct simulator_shipment *one = simulator->shipments[(*cursor)++];
        if (one->carrier == carrier && one->searchable_time_us <= now &&
            text_equals_string(reference, one->reference))
            return one;
    }
    return NULL;
}

int64_t simulator_price(int64_t grams, size_t parcel_count, bool domestic, unsigned rank)
{
    static const int64_t base[2][4] = {{3890, 5210, 6480, 9120}, {865, 1430, 2190, 3475}};
    static const int64_t kilogram[2][4] = {{640, 810, 990, 1350}, {95, 170, 260, 410}};
    unsigned at = rank > 3 ? 3 : rank;
    int64_t kilograms = (grams + 999) / 1000;
    int64_t freight =
        base[domestic][at] * (int64_t)parcel_count + kilogram[domestic][at] * kilograms;
    return freight + freight * 1475 / 10000; /* fuel, 14.75 % */
}

int64_t simulator_days(bool domestic, unsigned rank)
{
    static const int64_t days[2][4] = {{6, 4, 3, 2}, {5, 3, 2, 1}};
    return days[domestic][rank > 3 ? 3 : rank];
}

bool simulator_has_step(const struct simulator *simulator,
                        const struct simulator_shipment *shipment, size_t step, int64_t *time_us)
{
    const struct simulator_step *one = &simulator_steps[step];
    int64_t speed = simulator->options.speed < 1 ? 1 : simulator->options.speed;
    *time_us = shipment->create_time_us + one->hours * 3600 * second_us / speed;
    if (shipment->carrier == SIMULATOR_DHL && one->dhl_code == NULL)
        return false;
    if (shipment->voided && step > 0)
        return false;
    return !one->rare || hash_text(simulator->options.seed, text_of(shipment->number)) % 12 == 0;
}
