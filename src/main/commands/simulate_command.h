#ifndef WAYBILL_MAIN_COMMANDS_SIMULATE_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_SIMULATE_COMMAND_H

/* `waybill simulate carriers`: argv[0] is "simulate". The exit code. */
int simulate_command(int argc, char **argv);

#endif
