#ifndef WAYBILL_MAIN_COMMANDS_PRINT_JSON_STRING_H
#define WAYBILL_MAIN_COMMANDS_PRINT_JSON_STRING_H

/*
 * To standard output as a JSON string, with quotes: what may stand in a name, a path or an error's
 * detail. Thread: any.
 */
void print_json_string(const char *string);

#endif
