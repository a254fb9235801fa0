#ifndef WAYBILL_MAIN_DESCRIPTOR_SET_H
#define WAYBILL_MAIN_DESCRIPTOR_SET_H

#include "platform/base/text.h"

/* The FileDescriptorSet of all protos, linked into the program. */
struct text descriptor_set(void);

#endif
