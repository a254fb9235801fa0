#ifndef WAYBILL_MAIN_COMMANDS_WATCH_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_WATCH_COMMAND_H

/*
 * `waybill watch [--server H:P] [--types …] [--key …] [--from oldest|CURSOR] [--json] [--count N]`:
 * shows events as they happen, a line each, on standard output; everything else on standard error.
 * A lost server is waited for and the stream goes on behind the last event shown. Exit code: 0 when
 * ended by Ctrl-C, SIGTERM, --count or a reader that is gone; 64 + the gRPC status code if the
 * server refuses, or was never reached; 2 for wrong arguments.
 */
int watch_command(int argc, char **argv);

#endif
