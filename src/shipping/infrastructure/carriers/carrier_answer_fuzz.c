/*
 * The first byte chooses carrier, operation and status; the rest is the body a carrier might send.
 * Whatever comes, the reader ends with a verdict, and what it gives out can be read.
 */
#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned sum; /* of all bytes given out: they must be readable */

static void touch(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        sum += (unsigned char)text.data[i];
}

static void touch_labels(const struct carrier_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        touch(labels[i].content);
}

static void touch_shipment(const struct carrier_shipment *shipment)
{
    touch(shipment->tracking_number);
    touch_labels(shipment->labels, shipment->label_count);
    for (size_t i = 0; i < shipment->parcel_count; i++) {
        touch(shipment->parcels[i].tracking_number);
        touch_labels(shipment->parcels[i].labels, shipment->parcels[i].label_count);
    }
    for (size_t i = 0; i < shipment->warning_count; i++)
        touch(shipment->warnings[i].description);
}

static void read_purchase(const struct carrier_protocol *protocol, unsigned operation,
                          const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    struct carrier_shipment shipment = {0};
    if (operation == 1)
        protocol->read_shipment(answer, outcome, &shipment);
    else if (operation == 2 && protocol->read_labels != NULL)
        protocol->read_labels(answer, outcome, &shipment);
    else if (operation == 3 && protocol->read_cancel != NULL)
        protocol->read_cancel(answer, outcome);
    touch_shipment(&shipment);
}

static void read_by(const struct carrier_protocol *protocol, unsigned operation,
                    const struct carrier_answer *answer, struct carrier_outcome *outcome)
{
    struct carrier_rates rates = {0};
    struct carrier_tracking tracking = {0};
    struct carrier_matches matches = {0};
    struct carrier_token token = {0};
    if (operation == 0)
        protocol->read_rates(answer, outcome, &rates);
    else if (operation < 4)
        read_purchase(protocol, operation, answer, outcome);
    else if (operation == 4)
        protocol->read_tracking(answer, outcome, &tracking);
    else if (operation == 5)
        protocol->read_find(answer, outcome, &matches);
    else
        carrier_read_token(answer, outcome, &token);
    touch(token.value);
    for (size_t i = 0; i < rates.rate_count; i++) {
        touch(rates.rates[i].service_name);
        for (size_t j = 0; j < rates.rates[i].charge_count; j++)
            touch(rates.rates[i].breakdown[j].description);
    }
    for (size_t i = 0; i < tracking.scan_count; i++) {
        touch(tracking.scans[i].carrier_code);
        touch(tracking.scans[i].description);
        touch(tracking.scans[i].city);
    }
    for (size_t i = 0; i < matches.shipment_count; i++)
        touch_shipment(&matches.shipments[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct carrier_protocol *const protocols[] = {&ups_protocol, &fedex_protocol,
                                                               &dhl_protocol};
    struct carrier_outcome outcome;
    struct carrier_answer answer;
    struct arena arena;
    if (size == 0)
        return 0;
    const struct carrier_protocol *protocol = protocols[data[0] % 3];
    unsigned operation = data[0] / 3 % 7;
    unsigned status = data[0] >= 240 ? 400u + data[0] - 240u : 200;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    if (carrier_answer_read(protocol, status, text_make(data + 1, size - 1), &arena, &answer,
                            &outcome))
        read_by(protocol, operation, &answer, &outcome);
    touch(outcome.code);
    touch(outcome.message);
    if (outcome.verdict != CARRIER_ANSWERED && outcome.code.size + outcome.message.size == 0)
        abort(); /* a clear error, always */
    arena_deinit(&arena);
    return 0;
}
