/*
 * The bound by dual ascent (Erlenkotter, Operations Research 26, 1978, for plant location; here
 * with the amount each site has of each line). A value is put on a piece of each line. Whatever the
 * values, no plan costs less than
 *
 *   Σ needed × value + Σ open sites (fixed − Σ usable × max(0, value − slope cost))
 *                    − Σ optional sites max(0, Σ usable × max(0, value − slope cost) − fixed):
 *
 * a site is paid the value for each piece and cannot profit from more pieces than it has. The
 * values are raised line by line as long as the sum grows. Rounding is always down, so the bound
 * holds.
 *
 * The sum is kept as the values move: raising one by d adds d × (needed − Σ usable of the sites
 * that profit already). What an optional site is short of its fixed cost is its slack; a site that
 * has less slack than one step of the next raise needs counts as profiting from then on.
 */
#include "warehouse/domain/allocation_search_state.h"

static const int64_t scaled_max = INT64_C(1) << 61;

static int64_t slope_cost(const struct search *search, size_t site, size_t line)
{
    return search_product(search->site[site].slope, search->question->weight_grams[line]);
}

static int64_t usable_of(const struct search *search, size_t site, size_t line)
{
    return search->usable[site * search->lines + line];
}

/* The next site in reach of the line's value: takes part from here on. */
static void extend_reach(struct search *search, const uint8_t *states, size_t line)
{
    size_t site = search->reach[line]++;
    if (states[site] != SITE_CLOSED && search->saturated[site])
        search->loss[line] += usable_of(search, site, line);
}

static void saturate(struct search *search, size_t site)
{
    search->saturated[site] = true;
    for (size_t line = 0; line < search->lines; line++) {
        if (search->reach[line] > site)
            search->loss[line] += usable_of(search, site, line);
    }
    search->work += search->lines;
}

/* How far the line's value can be raised before a site's slack is used up. */
static int64_t raise_by_slack(struct search *search, const uint8_t *states, size_t line,
                              int64_t raise)
{
    for (size_t site = 0; site < search->reach[line]; site++) {
        int64_t usable = usable_of(search, site, line);
        if (states[site] != SITE_OPTIONAL || search->saturated[site] || usable == 0)
            continue;
        int64_t limit = search->slack[site] / usable;
        if (limit == 0)
            saturate(search, site);
        else if (limit < raise)
            raise = limit;
    }
    search->work += search->reach[line];
    return raise;
}

static void use_slack(struct search *search, const uint8_t *states, size_t line, int64_t raise)
{
    for (size_t site = 0; site < search->reach[line]; site++) {
        if (states[site] == SITE_OPTIONAL && !search->saturated[site])
            search->slack[site] -= raise * usable_of(search, site, line);
    }
    search->work += search->reach[line];
}

/* Raises one line's value once. False: it is as high as it should be. */
static bool raise_line(struct search *search, const uint8_t *states, size_t line, int64_t *bound)
{
    int64_t needed = search->question->needed[line];
    while (search->reach[line] < search->sites &&
           (states[search->reach[line]] == SITE_CLOSED ||
            usable_of(search, search->reach[line], line) == 0 ||
            slope_cost(search, search->reach[line], line) <= search->value[line]))
        extend_reach(search, states, line);
    if (search->loss[line] >= needed)
        return false;
    int64_t next = search->reach[line] < search->sites
                       ? slope_cost(search, search->reach[line], line)
                       : scaled_max;
    int64_t raise = raise_by_slack(search, states, line, next - search->value[line]);
    int64_t gain = needed - search->loss[line];
    if (gain <= 0)
        return false;
    if (raise > (scaled_max - *bound) / gain)
        return false; /* beyond what can be reckoned: the bound as it is holds */
    use_slack(search, states, line, raise);
    search->value[line] += raise;
    *bound += raise * gain;
    return raise > 0;
}

/* The values begin at the cheapest site's slope cost. False: a line cannot be met. */
static bool begin_values(struct search *search, const uint8_t *states, int64_t *bound)
{
    for (size_t line = 0; line < search->lines; line++) {
        size_t cheapest = search->sites;
        int64_t missing = search->question->needed[line];
        for (size_t site = 0; site < search->sites && missing > 0; site++) {
            if (states[site] == SITE_CLOSED || usable_of(search, site, line) == 0)
                continue;
            missing -= usable_of(search, site, line);
            cheapest = cheapest == search->sites ? site : cheapest;
        }
        if (missing > 0)
            return false;
        search->value[line] = slope_cost(search, cheapest, line);
        search->reach[line] = 0;
        search->loss[line] = 0;
        *bound += search_product(search->value[line], search->question->needed[line]);
        if (*bound >= scaled_max)
            *bound = scaled_max;
        search->work += cheapest + 4;
    }
    return true;
}

int64_t search_bound(struct search *search, const uint8_t *states)
{
    int64_t bound = 0;
    for (size_t site = 0; site < search->sites; site++) {
        search->saturated[site] = states[site] == SITE_OPEN;
        search->slack[site] = search->site[site].fixed_scaled;
        if (states[site] == SITE_OPEN)
            bound += search->site[site].fixed_scaled;
    }
    if (!begin_values(search, states, &bound))
        return INT64_MAX;
    bool raised = bound < scaled_max;
    for (size_t pass = 0; raised && pass < 2 * search->sites + 8; pass++) {
        raised = false;
        for (size_t line = 0; line < search->lines; line++)
            raised = raise_line(search, states, line, &bound) || raised;
    }
    return bound;
}
