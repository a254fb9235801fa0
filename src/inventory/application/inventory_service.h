#ifndef WAYBILL_INVENTORY_APPLICATION_INVENTORY_SERVICE_H
#define WAYBILL_INVENTORY_APPLICATION_INVENTORY_SERVICE_H

#include "inventory/domain/inventory_repository.h"
#include "platform/base/violations.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The use cases of inventory: check what a caller wants, bring it into normal form, hand it to the
 * repository. The caller fills a command with the request as it came; on true the repository has it
 * and `done` follows; on false nothing was done, `done` is never called and `violations` tells what
 * is wrong. Thread: as the repository's.
 */
struct inventory_service {
    struct inventory_repository *repository;
};

bool inventory_service_receive_stock(struct inventory_service *service,
                                     struct receive_stock_command *command,
                                     struct violations *violations, inventory_done *done,
                                     void *context);

bool inventory_service_adjust_stock(struct inventory_service *service,
                                    struct adjust_stock_command *command,
                                    struct violations *violations, inventory_done *done,
                                    void *context);

bool inventory_service_set_stock_policy(struct inventory_service *service,
                                        struct set_stock_policy_command *command,
                                        struct violations *violations, inventory_done *done,
                                        void *context);

bool inventory_service_get_stock(struct inventory_service *service,
                                 struct get_stock_command *command, struct violations *violations,
                                 inventory_done *done, void *context);

/* The SKUs to watch, none = all: sorted in place, each once. False: `violations` tells why. */
bool inventory_service_check_watch(struct text *skus, size_t *sku_count,
                                   struct violations *violations);

/* `skus` as they came, at most inventory_batch_skus_max; sorted in place, they become the
 * command's. */
bool inventory_service_batch_get_stock(struct inventory_service *service,
                                       struct batch_get_stock_command *command, struct text *skus,
                                       size_t sku_count, struct violations *violations,
                                       inventory_done *done, void *context);

/* page_size 0 = the default. `after` comes from the page token, which the door reads. */
bool inventory_service_list_stock(struct inventory_service *service,
                                  struct list_stock_command *command, int64_t page_size,
                                  struct violations *violations, inventory_done *done,
                                  void *context);

/*
 * `lines` as they came, at most inventory_lines_max; they are summed and sorted in place and become
 * the command's. Where the request has no ttl, the caller fills in inventory_ttl_us_default.
 */
bool inventory_service_reserve(struct inventory_service *service, struct reserve_command *command,
                               struct quantity_line *lines, size_t line_count,
                               struct violations *violations, inventory_done *done, void *context);

/*
 * The same in two steps, for many at once: checks and normal form, without any effect; then, if it
 * said true, the repository.
 */
bool inventory_service_check_reserve(struct reserve_command *command, struct quantity_line *lines,
                                     size_t line_count, struct violations *violations);
void inventory_service_start_reserve(struct inventory_service *service,
                                     struct reserve_command *command, inventory_done *done,
                                     void *context);

/* `lines` likewise; none = all. */
bool inventory_service_commit(struct inventory_service *service, struct commit_command *command,
                              struct quantity_line *lines, size_t line_count,
                              struct violations *violations, inventory_done *done, void *context);

bool inventory_service_rollback(struct inventory_service *service, struct rollback_command *command,
                                struct violations *violations, inventory_done *done, void *context);

bool inventory_service_extend_reservation(struct inventory_service *service,
                                          struct extend_reservation_command *command,
                                          struct violations *violations, inventory_done *done,
                                          void *context);

/* `lines` as of reserve. */
bool inventory_service_return_stock(struct inventory_service *service,
                                    struct return_stock_command *command,
                                    struct quantity_line *lines, size_t line_count,
                                    struct violations *violations, inventory_done *done,
                                    void *context);

/* page_size 0 = the default. `after` comes from the page token, which the door reads. */
bool inventory_service_list_reservations(struct inventory_service *service,
                                         struct list_reservations_command *command,
                                         int64_t page_size, struct violations *violations,
                                         inventory_done *done, void *context);

bool inventory_service_get_reservation(struct inventory_service *service,
                                       struct get_reservation_command *command,
                                       struct violations *violations, inventory_done *done,
                                       void *context);

/* page_size 0 = the default. `after` comes from the page token, which the door reads. */
bool inventory_service_list_stock_entries(struct inventory_service *service,
                                          struct list_stock_entries_command *command,
                                          int64_t page_size, struct violations *violations,
                                          inventory_done *done, void *context);

void inventory_service_verify_ledger(struct inventory_service *service,
                                     struct verify_ledger_command *command, inventory_done *done,
                                     void *context);

#endif
