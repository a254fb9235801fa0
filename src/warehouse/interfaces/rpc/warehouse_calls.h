#ifndef WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_CALLS_H
#define WAYBILL_WAREHOUSE_INTERFACES_RPC_WAREHOUSE_CALLS_H

#include "warehouse/domain/warehouse_repository.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Each method of the service as a row: how its request becomes a command, and how the command
 * becomes its response.
 */
struct call_reading {
    struct arena *arena;
    struct violations *violations; /* of the command: for what cannot even be said in it */
    struct text filter;            /* lists: all that the page token is bound to */
    bool page_token_invalid;
    bool failed; /* no memory */
};

struct call_row {
    const char *method;
    enum warehouse_command_kind kind;
    size_t command_size;
    bool is_read; /* no effect: may be repeated by anybody at will */
    const ProtobufCMessageDescriptor *response;
    void (*read)(struct call_reading *reading, struct warehouse_command *command,
                 const ProtobufCMessage *request);
    /* False without memory. */
    bool (*write)(struct arena *arena, const struct warehouse_command *command, struct text filter,
                  ProtobufCMessage *response);
};

/* By kind, in the order of the service's methods. */
extern const struct call_row site_call_rows[];
extern const size_t site_call_row_count;
extern const struct call_row stock_call_rows[];
extern const size_t stock_call_row_count;
extern const struct call_row allocation_call_rows[];
extern const size_t allocation_call_row_count;

/* --- reading: what does not fit is a violation with this path --- */

void *reading_allocate(struct call_reading *reading, size_t count, size_t size);

/* Page size and token of a list whose name is the method's; the filter's fields in order. */
struct page_request {
    const char *method;
    int32_t page_size;
    const char *page_token;
};
void reading_page(struct call_reading *reading, struct list_page *page, struct page_request request,
                  const struct text *filter, size_t filter_count);

/* "YYYY-MM-DD" or empty (0). */
int64_t reading_date(struct call_reading *reading, const char *date, const char *path);

/* Texts of a repeated field. */
struct text *reading_texts(struct call_reading *reading, char *const *texts, size_t count);

/* The token of the next page, "" if there is none; NULL without memory. */
char *next_page_token(struct arena *arena, const char *method, struct text filter,
                      const struct list_page *page);

#endif
