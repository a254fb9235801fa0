#ifndef WAYBILL_SHIPPING_APPLICATION_BACKGROUND_H
#define WAYBILL_SHIPPING_APPLICATION_BACKGROUND_H

#include "shipping/application/service_state.h"

/* What goes on without a caller: resolver.c, push_reader.c, unwanted_labels.c. The service's
 * thread. */
void resolver_start(struct shipping_service *service);
void push_reader_start(struct shipping_service *service);
void push_reader_wake(struct shipping_service *service); /* something was kept */

/*
 * A label was bought that nobody wants: its attempt is over. Voids it at the carrier, trying again
 * for a while, and notes in the audit trail what became of it. Copies what it needs.
 */
void void_unwanted_label(struct shipping_service *service, const struct shipment *shipment,
                         uint32_t attempt, struct text tracking_number);

#endif
