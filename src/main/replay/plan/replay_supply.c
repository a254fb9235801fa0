/* A table of all pairs is filled, then what is not 0 is taken out of it. */
#include "main/replay/plan/replay_supply.h"

#include "platform/base/memory.h"

static void add_line(int64_t *table, const struct data_set *data_set,
                     const struct replay_places *places, const struct data_set_line *line)
{
    size_t products = data_set->product_count;
    if (line->site != data_set_nowhere) {
        table[places->warehouse_of_site[line->site] * products + line->product] += line->packs;
        return;
    }
    int64_t share = line->packs / (int64_t)places->centre_count;
    int64_t rest = line->packs % (int64_t)places->centre_count;
    for (size_t i = 0; i < places->centre_count; i++)
        table[i * products + line->product] += share + ((int64_t)i < rest);
}

struct error replay_supply_init(struct replay_supply *supply, const struct data_set *data_set,
                                const struct replay_places *places)
{
    size_t products = data_set->product_count;
    size_t pairs = places->warehouse_count * products;
    int64_t *table = memory_allocate_zero(pairs, sizeof *table);
    *supply = (struct replay_supply){.deliveries =
                                         memory_allocate_zero(pairs, sizeof *supply->deliveries)};
    if (table == NULL || supply->deliveries == NULL) {
        memory_release(table);
        replay_supply_deinit(supply);
        return error_make(ERROR_OUT_OF_MEMORY, "supply");
    }
    for (uint32_t i = 0; i < data_set->line_count; i++)
        add_line(table, data_set, places, &data_set->lines[i]);
    for (size_t i = 0; i < pairs; i++) {
        if (table[i] > 0)
            supply->deliveries[supply->delivery_count++] = (struct replay_delivery){
                (uint32_t)(i / products), (uint32_t)(i % products), table[i]};
    }
    memory_release(table);
    return error_none();
}

void replay_supply_deinit(struct replay_supply *supply)
{
    memory_release(supply->deliveries);
    supply->deliveries = NULL;
}
