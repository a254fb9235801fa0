#ifndef WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_SEND_H
#define WAYBILL_SHIPPING_INFRASTRUCTURE_CARRIERS_HTTP_CARRIER_SEND_H

#include "shipping/infrastructure/carriers/access_token.h"
#include "shipping/infrastructure/carriers/http_carrier.h"
#include "shipping/infrastructure/carriers/http_carrier_call.h"

/*
 * How a call's request leaves: its address, its headers, the account's credentials or the token;
 * and what the audit trail hears of it, which is all but these. Thread: the loop's.
 */

/*
 * Sends it, for as long as the call's deadline is away; notes when. A purchase goes at most once.
 * Errors: as http_client_send, and INVALID_SETTING (credentials that fit nowhere): nothing was
 * sent.
 */
struct error carrier_call_send(struct carrier_call *call,
                               const struct http_carrier_environment *environment,
                               const char *token, http_client_done *done);

/* Tells who listens of the answer, or of its absence. */
void carrier_call_audit(const struct carrier_call *call,
                        const struct http_carrier_environment *environment,
                        const struct http_client_answer *answer);

#endif
