#ifndef WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_COPY_H
#define WAYBILL_TESTS_SUPPORT_SHIPPING_SHIPPING_COPY_H

#include "shipping/domain/shipping_repository.h"

/*
 * Deep copies, all on the arena; without memory they abort. And what differs between two records,
 * for tests that compare stores.
 */
struct text shipping_copy_text(struct arena *arena, struct text text);
struct consignment shipping_copy_consignment(struct arena *arena,
                                             const struct consignment *consignment);
struct shipment shipping_copy_shipment(struct arena *arena, const struct shipment *shipment);

/* The name of the first field that differs, or NULL. `with_times`: those that a store's clock gave,
 * too. */
const char *shipping_difference(const struct shipment *a, const struct shipment *b,
                                bool with_times);

#endif
