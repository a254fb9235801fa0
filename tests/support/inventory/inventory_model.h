#ifndef WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_MODEL_H
#define WAYBILL_TESTS_SUPPORT_INVENTORY_INVENTORY_MODEL_H

#include "inventory/domain/inventory_repository.h"
#include "platform/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What inventory is, said a second time: a plain sequential inventory of arrays and linear search,
 * written from DESIGN sections 3 and 4 and sharing no decision with src/inventory. Stores are
 * compared to it. It is a repository itself, so the contract suite holds it to the same behaviour.
 *
 * Each call decides at once and posts its completion. Without memory it aborts. Thread: one.
 */
struct inventory_model;

struct inventory_model_options {
    struct clock *clock;
    int64_t retention_us;
    int64_t committed_retention_us;
    uint64_t ids_max;
    bool is_fed; /* on hand follows the warehouse */
};

struct inventory_model *inventory_model_create(const struct inventory_model_options *options);
void inventory_model_destroy(struct inventory_model *model);

/* A second one in the same state, on the same clock. */
struct inventory_model *inventory_model_copy(const struct inventory_model *model);

/* The model as a store; lives as long as it. */
struct inventory_repository *inventory_model_repository(struct inventory_model *model);

/*
 * What a restart does: time starts again from the clock, but not before the highest time stored in
 * a change; and what fell due meanwhile expires.
 */
void inventory_model_restart(struct inventory_model *model);

/* Lets the model see what time it is, as a step without commands does; nothing expires by it. */
void inventory_model_see_clock(struct inventory_model *model);

/*
 * One of the steps that precede every decision: expires the next reservation that is due now. False
 * if none is. For observers that must know each instant at which a crash can cut.
 */
bool inventory_model_expire_next(struct inventory_model *model);

/* How much is in it: for observers that compare whole stores. */
size_t inventory_model_sku_count(const struct inventory_model *model);
struct text inventory_model_sku(const struct inventory_model *model, size_t index);
const struct stock *inventory_model_stock(const struct inventory_model *model, size_t index);
size_t inventory_model_entry_count(const struct inventory_model *model, size_t index);
size_t inventory_model_id_count(const struct inventory_model *model);
size_t inventory_model_reservation_count(const struct inventory_model *model);
struct text inventory_model_reservation_id(const struct inventory_model *model, size_t index);

/*
 * The invariants of the state itself: every total is the sum of its ledger entries, reserved is the
 * sum of the pending lines. NULL if they hold, else which one does not.
 */
const char *inventory_model_broken_invariant(const struct inventory_model *model);

#endif
