#ifndef WAYBILL_MAIN_COMMANDS_SERVE_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_SERVE_COMMAND_H

/*
 * `waybill serve [SERVICE…]`: opens the stores, takes calls, prints one line when ready
 *     waybill ready listen=HOST:PORT operations=HOST:PORT
 * and ends on SIGTERM or SIGINT: calls in flight finish, stores are closed last; a second signal
 * stops at once. Exit: 0, 1 could not run or a store failed, 2 wrong settings.
 */
int serve_command(int argc, char **argv);

#endif
