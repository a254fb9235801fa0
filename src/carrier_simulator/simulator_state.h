#ifndef WAYBILL_CARRIER_SIMULATOR_SIMULATOR_STATE_H
#define WAYBILL_CARRIER_SIMULATOR_SIMULATOR_STATE_H

#include "carrier_simulator/simulator_exchange.h"
#include "carrier_simulator/simulator_sample_files.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/base/hash_map.h"
#include "platform/base/random.h"
#include "platform/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the simulated carriers sold and know, decided by a seed. In memory; dies with the process.
 * Thread: one, the loop's.
 */
enum { simulator_parcels_max = 20, simulator_reference_size = 48 };

/* A purchase. It is charged once it is here, whether or not anybody hears of it. */
struct simulator_shipment {
    enum simulator_carrier carrier;
    char reference[simulator_reference_size];
    char service[40];
    char currency[4];
    int64_t amount_minor;
    char numbers[simulator_parcels_max][24]; /* of the parcels; DHL: piece ids */
    size_t parcel_count;
    char number[24];      /* of the whole */
    char label_format[8]; /* PDF, ZPL, PNG */
    char origin_city[48], origin_country[4], destination_city[48], destination_country[4];
    int64_t create_time_us;
    int64_t searchable_time_us; /* before it, a search by reference does not find it */
    bool voided;
    size_t pushed_steps;
};

struct simulator_options {
    uint64_t seed;             /* of everything random, and of the first number given out */
    uint32_t fault_millionths; /* of requests that go wrong */
    int64_t search_lag_us_max; /* each purchase becomes searchable after 0 to so long */
    int64_t speed;             /* a parcel's life goes so many times faster than a real one */
    int64_t answer_ms_max;     /* each answer takes half to all of it, by the seed; 0 = at once */
    const struct sample_files *samples; /* that answer; NULL = none; outlive the simulator */
    const char *push_url;               /* gets /ups, /fedex, /dhl behind it; NULL = no pushes */
    const char *push_secret;
    struct clock *clock;
};

struct simulator {
    struct simulator_options options;
    struct random_seeded random;
    struct simulator_shipment **shipments;
    size_t shipment_count;
    size_t shipment_capacity;
    struct hash_map by_number; /* of whole and parcels: index into `shipments` */
    uint64_t serial;
    uint64_t requests;
    uint64_t faults[simulator_fault_count];
    uint64_t pushes_sent;
    uint64_t pushes_accepted;
    uint64_t sample_turns[simulator_carrier_count][SAMPLE_OPERATIONS]; /* whose turn it is */
    char sample[256]; /* as a request's header x-sample, for those without; empty = none */
    int64_t rating_us[simulator_carrier_count]; /* how long the last answer about rates took */
};

struct error simulator_init(struct simulator *simulator, const struct simulator_options *options);
void simulator_deinit(struct simulator *simulator);

/* A purchase with right numbers; NULL without memory, which becomes a 503. */
struct simulator_shipment *simulator_buy(struct simulator *simulator,
                                         enum simulator_carrier carrier, struct text reference,
                                         size_t parcel_count, const char *service);

/* By the number of the whole or of a parcel; NULL = unknown. */
struct simulator_shipment *simulator_find(struct simulator *simulator,
                                          enum simulator_carrier carrier, struct text number);

/* The next one from *cursor on (0 = start) that a search by reference finds; NULL = no more. */
struct simulator_shipment *simulator_search(struct simulator *simulator,
                                            enum simulator_carrier carrier, struct text reference,
                                            size_t *cursor);

/* What a service costs, in minor units: base, by started kilogram, fuel; `rank` 0 is cheapest. */
int64_t simulator_price(int64_t grams, size_t parcel_count, bool domestic, unsigned rank);

/* Days to delivery. */
int64_t simulator_days(bool domestic, unsigned rank);

/* Steps of a parcel's life. */
struct simulator_step {
    const char *ups_type, *ups_code, *ups_status;
    const char *fedex_code;
    const char *dhl_code; /* NULL = DHL tells nothing */
    const char *description;
    int64_t hours;       /* after the purchase, at speed 1 */
    bool at_destination; /* else at the origin */
    bool rare;           /* happens to one shipment in twelve */
};
extern const struct simulator_step simulator_steps[];
extern const size_t simulator_step_count;

/* Whether the step belongs to this shipment's life, and when. */
bool simulator_has_step(const struct simulator *simulator,
                        const struct simulator_shipment *shipment, size_t step, int64_t *time_us);
int64_t simulator_now_us(const struct simulator *simulator);
int64_t simulator_monotonic_us(const struct simulator *simulator);

#endif
