#ifndef WAYBILL_SHIPPING_APPLICATION_BACKGROUND_H
#define WAYBILL_SHIPPING_APPLICATION_BACKGROUND_H

#include "shipping/application/service_state.h"

/* What goes on without a caller: resolver.c, push_reader.c, unwanted_labels.c. The service's
 * thread. */
void resolver_start(struct shipping_service *service);
void push_reader_start(struct shipping_service *service);
void push_reader_wake(struct shipping_service *service); /* something was kept */

void unwanted_labels_start(struct shipping_service *service);
void unwanted_labels_wake(struct shipping_service *service); /* one is due */

/* The store has put a label among those that nobody wants: counted, logged, and voided now. */
void unwanted_label_found(struct shipping_service *service, const struct shipment *shipment,
                          struct text tracking_number);

#endif
