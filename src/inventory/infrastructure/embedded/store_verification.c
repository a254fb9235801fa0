/* Recovery and ledger verification, read only, one after the other. */
#include "inventory/infrastructure/embedded/store_verification.h"

#include "inventory/infrastructure/embedded/engine.h"

static void ignore_post(struct executor *executor, struct task *first, struct task *last)
{
    (void)executor;
    (void)first;
    (void)last;
}

struct error embedded_store_verify(const struct embedded_repository_options *options,
                                   struct verify_ledger_command *command)
{
    static const struct executor_table table = {.post = ignore_post};
    struct executor executor = {.table = &table};
    struct engine *engine;
    command->base.executor = &executor;
    command->base.error = NULL;
    struct error error = engine_open_read_only(&engine, options);
    if (error_is(error))
        return error;
    struct ledger_verification *verification =
        ledger_verification_create(command, engine->log, &engine->state);
    if (verification == NULL)
        error = error_make(ERROR_OUT_OF_MEMORY, "verifying the ledger");
    else
        ledger_verification_run(verification);
    if (command->base.error != NULL)
        error = *command->base.error;
    engine_close(engine);
    return error;
}
