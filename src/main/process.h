#ifndef WAYBILL_MAIN_PROCESS_H
#define WAYBILL_MAIN_PROCESS_H

#include "main/configuration.h"
#include "platform/base/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The composition root: which contexts run in this process, and their lives from start to stop
 * (modules/module.h). Thread: the main thread.
 */
struct process;

/* Whether there is a service of that name, and all names for people: "inventory, warehouse". */
bool process_has_service(const char *name);
const char *process_service_names(void);

/*
 * Opens the stores of the services named (none = all), then the ports; calls are taken when it
 * returns. `names` live as long as the process. Errors: INVALID_SETTING and what stores and ports
 * say; *process is then NULL and everything is closed again.
 */
struct error process_open(struct process **process, const struct configuration *configuration,
                          const char *const *names, size_t name_count);

/* The addresses really listened on. */
const char *process_address(const struct process *process);
const char *process_operations_address(const struct process *process);

/*
 * Brings grpc.health.v1 up to date: a service is SERVING while its store and all it needs are
 * there, the process ("") while all services are. Called every second or so.
 */
void process_tell_health(struct process *process);

/* Takes no new calls, lets those in flight finish, closes stores last. NULL is allowed. */
void process_close(struct process *process);

#endif
