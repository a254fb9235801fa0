#ifndef WAYBILL_MAIN_COMMANDS_REQUEST_HINT_H
#define WAYBILL_MAIN_COMMANDS_REQUEST_HINT_H

#include "platform/json/json_message.h"

#include <stdio.h>

/*
 * What a person is told who wrote a field or an enum's value that there is not: the nearest name,
 * if one is near, on the line under way, which it ends; then all names, in lines of their own.
 * Fields are compared by both of their names, values of enums with and without what all of them
 * begin with. Thread: any.
 */
void request_hint_print(const struct json_unknown *unknown, FILE *out);

#endif
