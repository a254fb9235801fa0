#ifndef WAYBILL_TESTS_CONTRACT_WAREHOUSE_WAREHOUSE_CONTRACT_H
#define WAYBILL_TESTS_CONTRACT_WAREHOUSE_WAREHOUSE_CONTRACT_H

#include "tests/support/warehouse/warehouse_kit.h"

/*
 * One suite of behaviours for warehouse's repository, told against the port; it runs on every
 * database. *state is a struct warehouse_kit, empty.
 */
struct warehouse_cases {
    const struct CMUnitTest *cases;
    size_t count;
};

extern const struct warehouse_cases site_cases;
extern const struct warehouse_cases movement_cases;
extern const struct warehouse_cases transfer_cases;
extern const struct warehouse_cases count_cases;
extern const struct warehouse_cases allocation_cases;
extern const struct warehouse_cases shipping_cases;
extern const struct warehouse_cases page_cases;

#endif
