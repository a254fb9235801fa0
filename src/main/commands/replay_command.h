#ifndef WAYBILL_MAIN_COMMANDS_REPLAY_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_REPLAY_COMMAND_H

/*
 * `waybill replay CSV [--server HOST:PORT] [--progress FILE] [--seed N] [--json]`: plays the orders
 * of a data set through the public interface of a server (main/replay/replay.h), shows how far it
 * is on standard error and prints a report on standard output. argv[0] is "replay".
 *
 * Gives the exit status: 0 only if everything adds up; 1 if something differs or went wrong; 2 for
 * wrong arguments; 130 or 143 after SIGINT or SIGTERM, which end it cleanly (a second one at once).
 */
int replay_command(int argc, char **argv);

#endif
