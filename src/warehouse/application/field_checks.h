#ifndef WAYBILL_WAREHOUSE_APPLICATION_FIELD_CHECKS_H
#define WAYBILL_WAREHOUSE_APPLICATION_FIELD_CHECKS_H

#include "warehouse/domain/warehouse_repository.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What is allowed in a field, and the words that say so. Each check adds at most one violation,
 * with the path given. Pure but for that; the thread of the violations.
 */
void field_check_id(struct violations *violations, struct text id, const char *path);
void field_check_optional_id(struct violations *violations, struct text id, const char *path);

/* 1 to 64 bytes of UTF-8 without control characters or a space at either end. */
bool field_is_name(struct text name);
void field_check_sku(struct violations *violations, struct text sku, const char *path);
void field_check_optional_sku(struct violations *violations, struct text sku, const char *path);

/* At most `size_max` bytes of UTF-8 without control characters. */
void field_check_words(struct violations *violations, struct text words, size_t size_max,
                       const char *path);

void field_check_range(struct violations *violations, int64_t value, int64_t minimum,
                       int64_t maximum, const char *rule, const char *path);
void field_check_quantity(struct violations *violations, int64_t quantity, const char *path);

/* Both empty, or both names. */
void field_check_place(struct violations *violations, struct text zone, struct text bin,
                       const char *zone_path, const char *bin_path);

/* 0 becomes the default. */
void field_check_page(struct violations *violations, struct list_page *page);

void field_check_address(struct violations *violations, const struct address *address,
                         const char *path);

/* 0 to 10^12 minor units. The currency has been checked when it was read. */
void field_check_amount(struct violations *violations, struct money money, const char *path);

extern const char field_name_rule[];
extern const char field_quantity_rule[];

/* The use cases of each aggregate; *_service.c. They check what a command carries. */
typedef void command_check(struct warehouse_command *command);
command_check check_put_item, check_get_item, check_list_items;
command_check check_create_warehouse, check_update_warehouse, check_get_warehouse;
command_check check_list_warehouses, check_set_cost_card, check_list_cost_cards;
command_check check_create_bin, check_list_bins;
command_check check_receive_stock, check_ship_stock, check_adjust_stock, check_move_stock;
command_check check_list_movements, check_verify_movements;
command_check check_get_stock, check_list_stock;
command_check check_create_transfer, check_receive_transfer, check_transfer_id;
command_check check_list_transfers;
command_check check_start_count, check_record_count, check_count_id, check_list_counts;
command_check check_plan_allocation, check_allocate, check_allocation_id, check_ship_allocation;
command_check check_list_allocations;

#endif
