#ifndef WAYBILL_WAREHOUSE_APPLICATION_WAREHOUSE_SERVICE_H
#define WAYBILL_WAREHOUSE_APPLICATION_WAREHOUSE_SERVICE_H

#include "warehouse/domain/warehouse_repository.h"

#include <stdbool.h>

/*
 * The use cases of warehouse: check what a caller wants, field by field, bring it into normal form,
 * hand it to the repository. Thread: as the repository's.
 */
struct warehouse_service {
    struct warehouse_repository *repository;
};

/*
 * The caller has filled the command that belongs to command->kind with the request as it came, set
 * executor and arena, and begun command->violations, perhaps with what could not even be read.
 * True: the repository has it and `done` follows. False: nothing was done, `done` is never called,
 * and command->violations tells all that is wrong.
 *
 * Lists: page.size as asked; 0 becomes the default. Lines: at most as many as limits.h says.
 */
bool warehouse_service_submit(struct warehouse_service *service, struct warehouse_command *command,
                              warehouse_done *done);

#endif
