#ifndef WAYBILL_MAIN_COMMANDS_IMPORT_COMMAND_H
#define WAYBILL_MAIN_COMMANDS_IMPORT_COMMAND_H

/*
 * `waybill import tracking FILE`: records the events of a CSV file through the public interface,
 * many at once, and shows how far it is. Events have ids of their own or by their content, so an
 * import that was cut off is simply begun again.
 */
int import_command(int argc, char **argv);

#endif
