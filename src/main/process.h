#ifndef WAYBILL_MAIN_PROCESS_H
#define WAYBILL_MAIN_PROCESS_H

#include "main/configuration.h"
#include "main/passed_ports.h"
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

/* What a process is started with. All of it lives as long as the process. */
struct process_start {
    const struct configuration *configuration; /* copied */
    const char *const *names;                  /* of services; none = all */
    size_t name_count;
    const struct passed_ports *ports;
    bool (*stop_is_asked)(void); /* while it waits to begin; it need not be told again later */
};

/*
 * Opens the stores of the services named, then the ports; calls are taken when it returns. With
 * passed sockets a store that another process has open is waited for, takeover_seconds at most:
 * that process is draining, and callers wait in the sockets. Errors: INVALID_SETTING, CANCELLED (a
 * stop was asked meanwhile) and what stores and ports say; *process is then NULL and everything is
 * closed again.
 */
struct error process_open(struct process **process, const struct process_start *start);

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
