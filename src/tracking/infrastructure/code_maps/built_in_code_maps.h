#ifndef WAYBILL_TRACKING_INFRASTRUCTURE_CODE_MAPS_BUILT_IN_CODE_MAPS_H
#define WAYBILL_TRACKING_INFRASTRUCTURE_CODE_MAPS_BUILT_IN_CODE_MAPS_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "tracking/domain/code_map.h"

enum { built_in_code_map_count = 3 };

/* The maps of data/carrier_codes as they were when the program was built. */
struct built_in_code_maps {
    struct arena arena;
    struct code_map maps[built_in_code_map_count];
    struct code_maps all;
};

/* Reads them. Errors: OUT_OF_MEMORY; INVALID_SETTING if a file is wrong, which a test finds. */
struct error built_in_code_maps_init(struct built_in_code_maps *maps);
void built_in_code_maps_deinit(struct built_in_code_maps *maps);

#endif
