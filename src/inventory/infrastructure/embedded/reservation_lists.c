/*
 * Two tables of positions, and for stores that began with records of version 1 a sorted array of
 * what those should have said. Nothing here reads the log.
 */
#include "inventory/infrastructure/embedded/reservation_lists.h"

#include "platform/base/memory.h"

/* Of the buckets' hash; not secret, for it is part of the log's format. */
static const uint64_t bucket_seed = UINT64_C(0x7265736572766174);

struct legacy_reservation {
    uint64_t position;
    struct reservation_links links;
};

bool reservation_lists_open(struct reservation_lists *lists, uint32_t bucket_count)
{
    *lists = (struct reservation_lists){.bucket_count = bucket_count};
    lists->orders = memory_allocate_zero(bucket_count, sizeof *lists->orders);
    lists->customers = memory_allocate_zero(bucket_count, sizeof *lists->customers);
    return lists->orders != NULL && lists->customers != NULL;
}

void reservation_lists_close(struct reservation_lists *lists)
{
    memory_release(lists->orders);
    memory_release(lists->customers);
    memory_release(lists->legacy);
    *lists = (struct reservation_lists){0};
}

static size_t bucket_of(const struct reservation_lists *lists, struct text id)
{
    return (size_t)(hash_text(bucket_seed, id) % lists->bucket_count);
}

static uint64_t back_to(uint64_t position, uint64_t earlier)
{
    return earlier == 0 ? 0 : position - earlier;
}

struct reservation_links reservation_lists_links(const struct reservation_lists *lists,
                                                 const struct reservation *reservation,
                                                 uint64_t position)
{
    struct text order = reservation->order_id;
    struct text customer = reservation->customer_id;
    return (struct reservation_links){
        .back_any = back_to(position, reservation_lists_first(lists, LIST_ANY, order)),
        .back_order = order.size == 0
                          ? 0
                          : back_to(position, reservation_lists_first(lists, LIST_ORDER, order)),
        .back_customer =
            customer.size == 0
                ? 0
                : back_to(position, reservation_lists_first(lists, LIST_CUSTOMER, customer)),
    };
}

void reservation_lists_add(struct reservation_lists *lists, const struct reservation *reservation,
                           uint64_t position)
{
    lists->newest = position;
    if (reservation->order_id.size > 0)
        lists->orders[bucket_of(lists, reservation->order_id)] = position;
    if (reservation->customer_id.size > 0)
        lists->customers[bucket_of(lists, reservation->customer_id)] = position;
}

bool reservation_lists_add_legacy(struct reservation_lists *lists,
                                  const struct reservation *reservation, uint64_t position)
{
    if (lists->legacy_count == lists->legacy_capacity) {
        size_t capacity = lists->legacy_capacity == 0 ? 64 : lists->legacy_capacity * 2;
        struct legacy_reservation *larger =
            memory_reallocate(lists->legacy, capacity * sizeof *larger);
        if (larger == NULL)
            return false;
        lists->legacy = larger;
        lists->legacy_capacity = capacity;
    }
    lists->legacy[lists->legacy_count++] = (struct legacy_reservation){
        .position = position,
        .links = reservation_lists_links(lists, reservation, position),
    };
    reservation_lists_add(lists, reservation, position);
    return true;
}

uint64_t reservation_lists_first(const struct reservation_lists *lists, enum reservation_list list,
                                 struct text id)
{
    switch (list) {
    case LIST_ANY:
        return lists->newest;
    case LIST_ORDER:
        return lists->orders[bucket_of(lists, id)];
    case LIST_CUSTOMER:
        return lists->customers[bucket_of(lists, id)];
    }
    return 0;
}

/* What a record of version 1 should have said; nothing if it was too old to be kept. */
static struct reservation_links legacy_links(const struct reservation_lists *lists,
                                             uint64_t position)
{
    size_t low = 0;
    size_t high = lists->legacy_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (lists->legacy[middle].position < position)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < lists->legacy_count && lists->legacy[low].position == position)
        return lists->legacy[low].links;
    return (struct reservation_links){0};
}

uint64_t reservation_lists_next(const struct reservation_lists *lists, enum reservation_list list,
                                const struct inventory_record *record, uint64_t position)
{
    struct reservation_links links =
        record->version == 1 ? legacy_links(lists, position) : record->list_links;
    uint64_t back = 0;
    switch (list) {
    case LIST_ANY:
        back = links.back_any;
        break;
    case LIST_ORDER:
        back = links.back_order;
        break;
    case LIST_CUSTOMER:
        back = links.back_customer;
        break;
    }
    return back == 0 || back > position ? 0 : position - back;
}
