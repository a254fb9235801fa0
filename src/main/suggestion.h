#ifndef WAYBILL_MAIN_SUGGESTION_H
#define WAYBILL_MAIN_SUGGESTION_H

#include <stddef.h>

/*
 * "Did you mean …?": the nearest of the names considered, if one is near. Thread: its owner's.
 */
struct suggestion {
    const char *wanted; /* as it was typed */
    const char *best;   /* NULL = none is near */
    size_t distance;
};

/* `wanted` and all names must outlive it. */
struct suggestion suggestion_begin(const char *wanted);

/*
 * Takes the name if it is nearer than all before: fewer letters to put in, take out or change, at
 * most a third of what was typed; capitals count as small letters.
 */
void suggestion_consider(struct suggestion *suggestion, const char *name);

/* The same, where `spelt` is another way to write the name: it is compared, `name` is taken. */
void suggestion_consider_as(struct suggestion *suggestion, const char *spelt, const char *name);

#endif
