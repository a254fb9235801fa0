#ifndef WAYBILL_MAIN_COMMANDS_CALL_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_CALL_COMMAND_H

/*
 * `waybill call METHOD JSON [--server HOST:PORT] [--timeout SECONDS] [--json]`: sends one call,
 * prints the answer as JSON. JSON "-" reads standard input; without JSON the request is empty.
 * Exit: 0; 64 + the gRPC status code if the call was refused or failed; 2 for wrong arguments.
 */
int call_command(int argc, char **argv);

#endif
