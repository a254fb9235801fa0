#ifndef WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_CALLS_H
#define WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_CALLS_H

#include "platform/rpc/rpc_commands.h"
#include "warehouse/domain/warehouse_repository.h"

#include <stddef.h>
#include <stdint.h>

/* The methods of the service: how requests become commands, and commands responses. */
extern const struct rpc_command_row site_call_rows[];
extern const size_t site_call_row_count;
extern const struct rpc_command_row stock_call_rows[];
extern const size_t stock_call_row_count;
extern const struct rpc_command_row allocation_call_rows[];
extern const size_t allocation_call_row_count;

/* --- reading: what does not fit is a violation with this path --- */

/* Page size and token of a list whose name is the method's; the filter's fields in order. */
struct page_request {
    const char *method;
    int32_t page_size;
    const char *page_token;
};
void reading_page(struct rpc_reading *reading, struct list_page *page, struct page_request request,
                  const struct text *filter, size_t filter_count);

/* "YYYY-MM-DD" or empty (0). */
int64_t reading_date(struct rpc_reading *reading, const char *date, const char *path);

/* Texts of a repeated field. */
struct text *reading_texts(struct rpc_reading *reading, char *const *texts, size_t count);

/* The token of the next page, "" if there is none; NULL without memory. */
char *next_page_token(struct arena *arena, const char *method, struct text filter,
                      const struct list_page *page);

#endif
