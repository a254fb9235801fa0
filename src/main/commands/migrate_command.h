#ifndef WAYBILL_MAIN_COMMANDS_MIGRATE_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_MIGRATE_COMMAND_H

/*
 * `waybill migrate status|plan|up [SERVICE…] [--json] [OPTION…]`: the tables of the SQL databases,
 * by the same settings as `waybill serve`. Exit codes: 0; 1 something is wrong (changed, newer, not
 * reachable, in use); 2 wrong arguments.
 */
int migrate_command(int argc, char **argv);

#endif
