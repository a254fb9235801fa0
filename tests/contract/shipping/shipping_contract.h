#ifndef WAYBILL_TESTS_CONTRACT_SHIPPING_SHIPPING_CONTRACT_H
#define WAYBILL_TESTS_CONTRACT_SHIPPING_SHIPPING_CONTRACT_H

#include "tests/support/shipping/shipping_kit.h"

/*
 * One suite of behaviours for shipping's repository, told against the port; it runs on the model
 * and on every database. *state is a struct shipping_kit, empty.
 */
struct shipping_cases {
    const struct CMUnitTest *cases;
    size_t count;
};

extern const struct shipping_cases purchase_cases;
extern const struct shipping_cases cancel_cases;
extern const struct shipping_cases list_cases;
extern const struct shipping_cases label_cases;
extern const struct shipping_cases webhook_cases;
extern const struct shipping_cases race_cases;
extern const struct shipping_cases attention_cases;

#endif
