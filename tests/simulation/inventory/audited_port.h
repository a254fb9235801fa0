#ifndef WAYBILL_TESTS_SIMULATION_INVENTORY_AUDITED_PORT_H
#define WAYBILL_TESTS_SIMULATION_INVENTORY_AUDITED_PORT_H

#include "tests/support/inventory/inventory_call.h"

#include <stdint.h>

/*
 * A repository that passes every command on to another one, keeps them in the order in which they
 * came, and holds their answers back until it is told to complete them. It checks that commands are
 * as the port demands, for that is the use cases' promise. Thread: one.
 */
struct audited_command {
    struct audited_command *next;
    struct inventory_command *command;
    inventory_done *caller_done;
    void *caller_context;
    struct inventory_call expected; /* the question again, not yet asked of anybody */
    struct inventory_call actual;   /* the question and the answer; texts are the command's */
};

struct audited_port {
    struct inventory_repository base;
    struct inventory_repository *store;
    struct audited_command *first;
    struct audited_command *last;
    uint64_t command_count;
};

void audited_port_init(struct audited_port *port);

/* All commands passed on since the last time, in order; they are the caller's. */
struct audited_command *audited_port_take(struct audited_port *port);

/* The first that has no answer, or NULL. */
struct audited_command *audited_commands_unanswered(struct audited_command *commands);

/*
 * Calls the callers' completions of those that are answered and releases them; the others are put
 * behind `unanswered`, without their commands, which nobody will answer.
 */
void audited_commands_complete(struct audited_command *commands,
                               struct audited_command **unanswered);

void audited_commands_release(struct audited_command *commands);

#endif
