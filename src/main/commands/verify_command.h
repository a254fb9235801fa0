#ifndef WAYBILL_MAIN_COMMANDS_VERIFY_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_VERIFY_COMMAND_H

/*
 * `waybill verify DIR [--json]`: checks the stores of a data directory that no server has open:
 * every checksum, the hash chain, every revision, every balance. Changes nothing. Exit: 0 all is
 * well, 1 damaged or different (told with file and offset), 2 wrong arguments.
 */
int verify_command(int argc, char **argv);

#endif
