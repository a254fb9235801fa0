#ifndef WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_MODEL_STATE_H
#define WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_MODEL_STATE_H

#include "inventory/domain/limits.h"
#include "tests/support/inventory/inventory_model.h"

/*
 * What the model consists of, for its own two files: inventory_model_state.c keeps it,
 * inventory_model.c decides.
 */
struct model_entry {
    uint64_t number; /* in the whole store */
    int64_t time_us;
    enum stock_account from_account;
    enum stock_account to_account;
    int64_t quantity;
    const char *cause;
    char cause_id[inventory_id_bytes_max + 1];
};

struct model_sku {
    char sku[inventory_sku_bytes_max + 1];
    struct stock stock;
    struct model_entry *entries;
    size_t entry_count;
};

struct model_line {
    size_t sku; /* index */
    int64_t asked;
    int64_t quantity; /* 0: asked for in vain, with allow_partial */
    int64_t backordered_quantity;
    int64_t committed_quantity;
    int64_t returned_quantity;
    int64_t stock_revision;
};

struct model_reservation {
    uint64_t number; /* in the order of their creation */
    char id[inventory_id_bytes_max + 1];
    char order_id[inventory_id_bytes_max + 1];
    char customer_id[inventory_id_bytes_max + 1];
    enum reservation_state state;
    bool allow_partial;
    int64_t ttl_us;
    int64_t create_time_us;
    int64_t expire_time_us;
    uint64_t expiry_set; /* when that was set, by a counter */
    int64_t resolve_time_us;
    int64_t return_time_us; /* of the last one; 0 = none */
    struct model_line *lines;
    size_t line_count;
};

enum posting_kind { POSTING_RECEIPT, POSTING_ADJUSTMENT };

/* A receipt or an adjustment: what its id stands for. */
struct model_posting {
    enum posting_kind kind;
    char id[inventory_id_bytes_max + 1];
    size_t sku;
    int64_t quantity;
    enum adjustment_reason reason;
    char note[inventory_note_bytes_max + 1];
    int64_t time_us;
};

struct model_return {
    char id[inventory_id_bytes_max + 1];
    char reservation_id[inventory_id_bytes_max + 1];
    enum return_reason reason;
    size_t skus[inventory_lines_max];
    int64_t quantities[inventory_lines_max];
    size_t line_count;
    int64_t time_us;
};

struct inventory_model {
    struct inventory_repository base;
    struct inventory_model_options options;
    int64_t now_us;    /* of this call */
    int64_t stored_us; /* the highest time of a change */
    uint64_t entry_count;
    uint64_t reservations_made;
    uint64_t expiries_set;
    struct model_sku *skus;
    size_t sku_count;
    struct model_reservation *reservations; /* in the order of their creation */
    size_t reservation_count;
    struct model_posting *postings;
    size_t posting_count;
    struct model_return *returns;
    size_t return_count;
    char shelf_log[shelf_log_bytes_max + 1];
    uint64_t shelf_position;
};

/* A pointer that must not be NULL: the model has no answer to missing memory. */
void *model_checked(void *block);

/* NULL when there is none. */
struct model_sku *model_find_sku(struct inventory_model *model, struct text sku);
struct model_reservation *model_find_reservation(struct inventory_model *model, struct text id);
struct model_posting *model_find_posting(struct inventory_model *model, enum posting_kind kind,
                                         struct text id);

struct model_return *model_find_return(struct inventory_model *model, struct text id);

/* Whether its id is pending or retained. */
bool model_is_known(const struct inventory_model *model,
                    const struct model_reservation *reservation);

/* Ids pending and retained are as many as there may be. */
bool model_is_full(const struct inventory_model *model);

/* New ones, without any effect on stock. */
struct model_sku *model_add_sku(struct inventory_model *model, struct text name);
struct model_posting *model_add_posting(struct inventory_model *model, enum posting_kind kind,
                                        struct text id, const struct model_sku *sku,
                                        int64_t quantity);
struct model_reservation *model_add_reservation(struct inventory_model *model,
                                                const struct reserve_command *command);

struct model_return *model_add_return(struct inventory_model *model,
                                      const struct return_stock_command *command);

/* received + returned + adjusted − committed. */
int64_t model_on_hand(const struct stock *stock);

/* on hand − reserved − safety stock. */
int64_t model_available(const struct stock *stock);

/* What a line of a Reserve gets: all of it, or with allow_partial what there is; 0 = nothing. */
int64_t model_granted(const struct stock *stock, int64_t asked, bool allow_partial);

/* Moves a quantity between two accounts, in the balance and in the ledger; 0 leaves no entry. */
void model_move(struct inventory_model *model, struct model_sku *sku, enum stock_account from,
                enum stock_account to, int64_t quantity, int64_t time_us, const char *cause,
                const char *cause_id);

/* Ends one change of a SKU, however many moves it had. */
void model_changed(struct inventory_model *model, struct model_sku *sku, int64_t time_us);

/* Ends a pending reservation: lines[i].committed_quantity leaves, the rest is free again. */
void model_resolve(struct inventory_model *model, struct model_reservation *reservation,
                   enum reservation_state state, const char *cause, int64_t time_us);

/* Before each decision: reads the clock, expires what is due, forgets ids past their retention. */
void model_to_the_present(struct inventory_model *model);

/* A copy with a NUL behind it. */
void model_keep_text(char *to, struct text text);

/* --- the decisions, in three files --- */

/* The model of the repository, with all that is due expired. */
struct inventory_model *model_at_present(struct inventory_repository *repository);

/* Posts the command's completion. */
void model_answer(struct inventory_command *command, enum inventory_outcome outcome);
void model_answer_sku(struct inventory_command *command, enum inventory_outcome outcome,
                      struct text sku);
void model_answer_retention_full(struct inventory_command *command);

/* A copy that lives with the answer. */
struct text model_answer_text(struct arena *arena, const char *string);

void model_receive_stock(struct inventory_repository *repository,
                         struct receive_stock_command *command);
void model_adjust_stock(struct inventory_repository *repository,
                        struct adjust_stock_command *command);
void model_follow_shelf(struct inventory_repository *repository,
                        struct follow_shelf_command *command);
void model_get_shelf_place(struct inventory_repository *repository,
                           struct get_shelf_place_command *command);
void model_get_stock(struct inventory_repository *repository, struct get_stock_command *command);
void model_set_stock_policy(struct inventory_repository *repository,
                            struct set_stock_policy_command *command);
void model_batch_get_stock(struct inventory_repository *repository,
                           struct batch_get_stock_command *command);
void model_list_stock(struct inventory_repository *repository, struct list_stock_command *command);
void model_reserve(struct inventory_repository *repository, struct reserve_command *command);
void model_commit(struct inventory_repository *repository, struct commit_command *command);
void model_rollback(struct inventory_repository *repository, struct rollback_command *command);
void model_extend_reservation(struct inventory_repository *repository,
                              struct extend_reservation_command *command);
void model_return_stock(struct inventory_repository *repository,
                        struct return_stock_command *command);
void model_list_reservations(struct inventory_repository *repository,
                             struct list_reservations_command *command);
void model_get_reservation(struct inventory_repository *repository,
                           struct get_reservation_command *command);

#endif
