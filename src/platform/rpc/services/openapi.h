#ifndef WAYBILL_PLATFORM_RPC_SERVICES_OPENAPI_H
#define WAYBILL_PLATFORM_RPC_SERVICES_OPENAPI_H

#include "platform/base/buffer.h"
#include "platform/base/error.h"
#include "platform/rpc/services/method_table.h"

/*
 * Appends an OpenAPI 3.1 document (spec.openapis.org) of all unary methods as Connect's JSON serves
 * them: a POST each, and a GET for those without effect. Streams are left out: their envelopes
 * cannot be said there. Errors: LIMIT (more than 512 message types), OUT_OF_MEMORY (also: out's
 * limit). Pure; any thread.
 */
struct error openapi_write(const struct method_table *table, const char *title, const char *version,
                           struct buffer *out);

#endif
