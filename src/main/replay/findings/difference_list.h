#ifndef WAYBILL_MAIN_REPLAY_FINDINGS_DIFFERENCE_LIST_H
#define WAYBILL_MAIN_REPLAY_FINDINGS_DIFFERENCE_LIST_H

#include <stddef.h>

/*
 * What does not add up, for people: the first few sentences and how many there are. A sentence that
 * is too long is cut. Thread: one at a time.
 */
enum { differences_kept_max = 10 };

struct difference_list {
    size_t count; /* of all, also beyond differences_kept_max */
    char items[differences_kept_max][200];
};

/* How many of `items` are set. */
size_t difference_list_kept(const struct difference_list *list);

__attribute__((format(printf, 2, 3))) void difference_list_add(struct difference_list *list,
                                                               const char *format, ...);

#endif
