#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_READER_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_TARIFF_TARIFF_READER_H

#include "platform/base/arena.h"
#include "shipping/infrastructure/tariff/tariff_card.h"

/* What one file holds. */
struct tariff_reading {
    struct tariff_card *card;
    struct tariff_service *services[tariff_services_max];
    unsigned long lines[tariff_services_max]; /* where each begins */
    size_t service_count;
};

/*
 * Reads a card; all of it lives in the arena. Errors: INVALID_SETTING with "NAME:LINE: what is
 * wrong" (the first fault), OUT_OF_MEMORY.
 */
__attribute__((warn_unused_result)) struct error tariff_read(const struct tariff_file *file,
                                                             struct arena *arena,
                                                             struct tariff_reading *reading);

#endif
