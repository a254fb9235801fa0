#ifndef WAYBILL_MAIN_COMMANDS_SERVER_ADDRESS_H
#define WAYBILL_MAIN_COMMANDS_SERVER_ADDRESS_H

#include "platform/base/text.h"

#include <stdbool.h>

/*
 * Where the commands that call a server find it, and what a person is told when that is wrong.
 * Everything is told on standard error. Thread: the main thread.
 */

/*
 * Unless --server says: the variable WAYBILL_SERVER, or else where `waybill serve` listens by
 * default. Never NULL or empty.
 */
const char *server_address_default(void);

/*
 * Whether `server` is HOST:PORT. False: told what is wrong with it and what to write instead;
 * `command` ("call") and `option` ("--server") are for messages.
 */
bool server_address_check(const char *command, const char *option, const char *server);

/*
 * After a call that found no server, or not the right one: what to do next, in a line. `message` is
 * that of the call's status; one that does not tell of such a thing is passed over in silence.
 */
void server_address_advise(struct text message);

#endif
