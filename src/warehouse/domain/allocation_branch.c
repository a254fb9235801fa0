/*
 * Branch and bound on the sites: each is open, optional or closed, and ships no more than so many
 * parcels or pays for so many in any case. A node is bounded by relaxation
 * (allocation_relaxation.c); sites that cannot pay any more are closed, sites without which a line
 * cannot be met or no plan is cheap enough are opened, and the node is split on what the relaxation
 * is least sure of. Where it is sure of everything, the sites that it uses are tried as they are,
 * and the node falls into them and, for each site, the plans in which it is the first to differ.
 * Where the sites are fixed and their parcels sure, the rest is rounding (allocation_rounding.c).
 *
 * The node with the least bound is next. A part begins with its node's bound and what its site
 * costs by the reduced costs, and is relaxed only when it is its turn, so most never are. When the
 * work is used up, the least bound of those that wait is as high as the work could make it. For how
 * many can wait there is a limit; those beyond it keep their bounds open.
 */
#include "warehouse/domain/allocation_search_state.h"

#include <string.h>

enum {
    waiting_bytes_max = 8 << 20,
    root_rounds = 3,
    root_steps = 60,
    node_steps = 16,
    tries_max = 2,
    improve_every = 8, /* nodes */
};

/* How many parcels a site may ship at most, and how many it pays for. */
struct parcels {
    int32_t least;
    int32_t most;
};

struct search_node {
    int64_t bound;  /* scaled */
    unsigned tries; /* the next one at rounding it; 0 = it is to be relaxed yet */
    uint8_t *states;
    struct parcels *parcels;
    int64_t *density;
    struct search_node *next_free;
};

struct tree {
    struct search *search;
    struct arena *arena;
    struct search_node **waiting; /* a heap, the least bound first */
    size_t waiting_count;
    size_t waiting_max;
    struct search_node *free;
    uint64_t visits;
    bool no_memory;
};

/* --- the nodes that wait --- */

static bool comes_first(const struct search_node *a, const struct search_node *b)
{
    return a->bound < b->bound;
}

static void push(struct tree *tree, struct search_node *node)
{
    size_t at = tree->waiting_count++;
    while (at > 0 && comes_first(node, tree->waiting[(at - 1) / 2])) {
        tree->waiting[at] = tree->waiting[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    tree->waiting[at] = node;
}

static struct search_node *pop(struct tree *tree)
{
    struct search_node *first = tree->waiting[0];
    struct search_node *last = tree->waiting[--tree->waiting_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= tree->waiting_count)
            break;
        child += child + 1 < tree->waiting_count &&
                 comes_first(tree->waiting[child + 1], tree->waiting[child]);
        if (!comes_first(tree->waiting[child], last))
            break;
        tree->waiting[at] = tree->waiting[child];
        at = child;
    }
    tree->waiting[at] = last;
    return first;
}

static struct search_node *take_node(struct tree *tree)
{
    struct search_node *node = tree->free;
    size_t sites = tree->search->sites;
    size_t lines = tree->search->lines;
    if (node != NULL) {
        tree->free = node->next_free;
        return node;
    }
    node = arena_allocate(tree->arena, sizeof *node);
    int64_t *density = arena_allocate(tree->arena, lines * sizeof *density);
    struct parcels *parcels = arena_allocate(tree->arena, sites * sizeof *parcels);
    uint8_t *states = arena_allocate(tree->arena, sites);
    tree->no_memory = node == NULL || density == NULL || parcels == NULL || states == NULL;
    if (tree->no_memory)
        return NULL;
    *node = (struct search_node){.states = states, .parcels = parcels, .density = density};
    return node;
}

static void give_back(struct tree *tree, struct search_node *node)
{
    node->next_free = tree->free;
    tree->free = node;
}

/* --- what is certain --- */

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* False: it must ship more than it may. */
static bool cap_site(struct search *search, size_t number, int64_t forced, struct parcels parcels)
{
    const struct slope_site *site = &search->site[number];
    struct site_cap *cap = &search->caps[number];
    *cap = search_cap_of(site, forced);
    if (parcels.least > 1) {
        int64_t full = search_product(parcels.least - 1, site->parcel_grams_max);
        cap->parcels_min = most(cap->parcels_min, parcels.least);
        cap->kilograms_min = most(cap->kilograms_min, full / 1000 + 1);
    }
    if (parcels.most < INT32_MAX) {
        int64_t grams = search_product(parcels.most, site->parcel_grams_max);
        cap->grams_max = grams - grams % search->grain;
    }
    return forced <= cap->grams_max;
}

/*
 * Opens the sites that nobody can do without, and has each pay for the parcels and kilograms of
 * what only it can ship. False: a line cannot be met.
 */
static bool force_sites(struct search *search, struct search_node *node)
{
    uint8_t *states = node->states;
    memset(search->grams, 0, search->sites * sizeof *search->grams);
    search->work += 2 * search->entry_begin[search->lines] + search->sites;
    for (size_t line = 0; line < search->lines; line++) {
        int64_t spare = -search->weight_needed[line];
        size_t end = search->entry_begin[line + 1];
        for (size_t at = search->entry_begin[line]; at < end; at++)
            spare +=
                states[search->entries[at].site] != SITE_CLOSED ? search->entries[at].grams : 0;
        if (spare < 0)
            return false;
        for (size_t at = search->entry_begin[line]; at < end; at++) {
            const struct entry *entry = &search->entries[at];
            if (states[entry->site] == SITE_CLOSED || entry->grams <= spare)
                continue;
            states[entry->site] = SITE_OPEN;
            search->grams[entry->site] += entry->grams - spare;
        }
    }
    for (size_t site = 0; site < search->sites; site++) {
        if (!cap_site(search, site, search->grams[site], node->parcels[site]))
            return false;
    }
    return true;
}

/* Closes the sites with which no plan can be cheap enough, opens those without which none can. */
static void fix_sites(struct search *search, uint8_t *states, int64_t bound)
{
    for (size_t site = 0; site < search->sites; site++) {
        int64_t reduced = search->best_reduced[site];
        if (states[site] != SITE_OPTIONAL)
            continue;
        if (reduced >= 0 && search_is_dearer(search, bound + reduced))
            states[site] = SITE_CLOSED;
        else if (reduced < 0 && search_is_dearer(search, bound - reduced))
            states[site] = SITE_OPEN;
    }
}

static bool is_hopeless(const struct search *search, const struct search_node *node)
{
    return search_is_dearer(search, node->bound) ||
           (search_is_no_cheaper(search, node->bound) && !search_could_win(search, node->states));
}

static uint64_t work_left(const struct search *search)
{
    uint64_t work_max = search->question->work_max;
    return search->work < work_max ? work_max - search->work : 0;
}

/* --- what is unsure --- */

static const double sure_below = 0.05; /* of the steps of the relaxation */

/* What a node is split on. */
struct choice {
    size_t site;  /* the number of sites if the relaxation is sure of all */
    int32_t full; /* parcels: no more than these or one more; 0 = open or closed */
    bool has_optional;
};

static double unsure(double share)
{
    return share < 0.5 ? share : 1 - share;
}

/* What the relaxation is least sure of, by what it costs: a site, or a parcel of an open one. */
static struct choice choose(const struct search *search, const struct search_node *node)
{
    struct choice choice = {.site = search->sites};
    double greatest = 0;
    for (size_t i = 0; i < search->sites; i++) {
        const struct slope_site *site = &search->site[i];
        double part = 0;
        double full = 0;
        if (node->states[i] == SITE_OPTIONAL) {
            choice.has_optional = true;
            if (unsure(search->share[i]) > sure_below)
                part = unsure(search->share[i]) * ((double)site->fixed_scaled + 1);
        } else if (node->states[i] == SITE_OPEN && site->base > 0 &&
                   search->parcels[i] < INT32_MAX) {
            full = (double)(int32_t)search->parcels[i];
            double of_parcel = unsure(search->parcels[i] - full);
            if (full >= (double)search->caps[i].parcels_min && full < node->parcels[i].most &&
                of_parcel > sure_below)
                part = of_parcel * (double)site->base * (double)(INT64_C(1) << search->shift);
        }
        if (part <= greatest)
            continue;
        greatest = part;
        choice.site = i;
        choice.full = (int32_t)full;
    }
    return choice;
}

/* --- plans --- */

/* The sites that take part in the relaxation. */
static void take_relaxed(struct search *search, const uint8_t *states)
{
    for (size_t i = 0; i < search->sites; i++) {
        search->may_use[i] = states[i] != SITE_CLOSED;
        search->in_set[i] =
            states[i] == SITE_OPEN || (states[i] == SITE_OPTIONAL && search->best_reduced[i] < 0);
    }
}

/* Plans on the sites of in_set; what they leave open is met again by branching. */
static void round_set(struct search *search, uint64_t work)
{
    int64_t open_bound = search->open_bound;
    if (memcmp(search->in_set, search->tried_set, search->sites * sizeof *search->in_set) == 0)
        return;
    memcpy(search->tried_set, search->in_set, search->sites * sizeof *search->in_set);
    for (size_t i = 0; i < search->sites; i++)
        search->caps[i] = site_cap_none;
    search->is_pieces_first = false;
    search_round(search, 0, work);
    search->open_bound = open_bound;
}

/*
 * The set is fixed: kilograms are split first, and in the second try pieces, for either may be the
 * quick one. False: it is done; else what was given up bounds the node.
 */
static bool round_node(struct search *search, struct search_node *node)
{
    int64_t open_bound = search->open_bound;
    if (!force_sites(search, node))
        return false;
    for (size_t i = 0; i < search->sites; i++)
        search->in_set[i] = node->states[i] == SITE_OPEN;
    search->open_bound = INT64_MAX;
    search->is_pieces_first = node->tries > 1;
    search_round(search, node->bound, work_left(search) >> (2 + tries_max - node->tries));
    int64_t left = search->open_bound;
    search->open_bound = open_bound;
    node->tries++;
    if (left == INT64_MAX)
        return false;
    node->bound = most(node->bound, search_product(left, INT64_C(1) << search->shift));
    return true;
}

/* --- the tree --- */

static void place(struct tree *tree, struct search_node *node)
{
    if (is_hopeless(tree->search, node)) {
        give_back(tree, node);
    } else if (tree->waiting_count < tree->waiting_max) {
        push(tree, node);
    } else {
        search_leave_open(tree->search, node->bound);
        give_back(tree, node);
    }
}

/* A part of the node's plans, none of which costs less than `bound`; NULL: no memory. */
static struct search_node *part_of(struct tree *tree, const struct search_node *node, int64_t bound)
{
    struct search *search = tree->search;
    struct search_node *part = take_node(tree);
    if (part == NULL)
        return NULL;
    memcpy(part->states, node->states, search->sites);
    memcpy(part->parcels, node->parcels, search->sites * sizeof *node->parcels);
    memcpy(part->density, node->density, search->lines * sizeof *node->density);
    part->bound = most(bound, node->bound);
    part->tries = 0;
    search->work += (search->sites + search->lines) / 4;
    return part;
}

static void split_parcels(struct tree *tree, const struct search_node *node, struct choice choice)
{
    struct search_node *more = part_of(tree, node, node->bound);
    struct search_node *less = part_of(tree, node, node->bound);
    if (more == NULL || less == NULL)
        return;
    more->parcels[choice.site].least = choice.full + 1;
    less->parcels[choice.site].most = choice.full;
    place(tree, more);
    place(tree, less);
}

/* The plans in which the site is not as the relaxation has it; in the node's it then is. */
static void split_off(struct tree *tree, struct search_node *node, int64_t relaxed, size_t site)
{
    int64_t reduced = tree->search->best_reduced[site];
    bool takes_part = reduced < 0;
    struct search_node *part = part_of(tree, node, relaxed + (takes_part ? -reduced : reduced));
    if (part == NULL)
        return;
    part->states[site] = takes_part ? SITE_CLOSED : SITE_OPEN;
    node->states[site] = takes_part ? SITE_OPEN : SITE_CLOSED;
    place(tree, part);
}

/* Splits the node on the choice, or on all sites where there is none. */
static void split(struct tree *tree, struct search_node *node, int64_t relaxed,
                  struct choice choice)
{
    struct search *search = tree->search;
    if (choice.full > 0) {
        split_parcels(tree, node, choice);
        return;
    }
    for (size_t i = 0; i < search->sites && !tree->no_memory; i++) {
        if (node->states[i] == SITE_OPTIONAL && (i == choice.site || choice.site == search->sites))
            split_off(tree, node, relaxed, i);
    }
    struct search_node *rest = tree->no_memory ? NULL : part_of(tree, node, node->bound);
    if (rest != NULL)
        place(tree, rest);
}

/* Relaxes the node, looks for plans near, and splits it; or leaves it to be rounded. */
static void visit(struct tree *tree, struct search_node *node)
{
    struct search *search = tree->search;
    if (!force_sites(search, node))
        return;
    int64_t relaxed = search_relax(search, node->states, node->density, node_steps, 0.5);
    node->bound = most(node->bound, relaxed);
    if (is_hopeless(search, node))
        return;
    struct choice choice = choose(search, node);
    if (choice.site == search->sites && !choice.has_optional) {
        node->tries = 1;
        return;
    }
    if (choice.site == search->sites) {
        take_relaxed(search, node->states);
        round_set(search, search->question->work_max / 50);
    } else if (++tree->visits % improve_every == 0) {
        take_relaxed(search, node->states);
        search_improve(search, search->entry_begin[search->lines] * 4);
    }
    fix_sites(search, node->states, relaxed);
    split(tree, node, relaxed, choice);
}

/* Whether the node waits for another turn. */
static bool take_turn(struct tree *tree, struct search_node *node)
{
    if (is_hopeless(tree->search, node))
        return false;
    if (node->tries == 0) {
        visit(tree, node);
        return node->tries > 0;
    }
    if (!round_node(tree->search, node))
        return false;
    if (node->tries > tries_max)
        search_leave_open(tree->search, node->bound);
    return node->tries <= tries_max;
}

/* --- the root --- */

/* Where the densities begin: the site that could ship the line at the least cost a gram. */
static void begin_densities(const struct search *search, int64_t *density)
{
    for (size_t line = 0; line < search->lines; line++) {
        double least = 0;
        size_t end = search->entry_begin[line + 1];
        for (size_t at = search->entry_begin[line]; at < end; at++) {
            const struct slope_site *site = &search->site[search->entries[at].site];
            double cost =
                (double)site->slope + (double)site->fixed_scaled / (double)site->grams_most;
            if (at == search->entry_begin[line] || cost < least)
                least = cost;
        }
        density[line] = least < (double)(INT64_C(1) << 60) ? (int64_t)least : INT64_C(1) << 60;
    }
}

/* Between rounds of the relaxation plans are made of what takes part in it. False: no plan. */
static bool bound_root(struct search *search, struct search_node *root)
{
    memset(root->states, SITE_OPTIONAL, search->sites);
    for (size_t i = 0; i < search->sites; i++)
        root->parcels[i] = (struct parcels){.least = 1, .most = INT32_MAX};
    root->bound = INT64_MIN;
    begin_densities(search, root->density);
    for (int round = 0; round < root_rounds; round++) {
        if (!force_sites(search, root))
            return false;
        int64_t relaxed =
            search_relax(search, root->states, root->density, root_steps, round == 0 ? 1.0 : 0.7);
        root->bound = most(root->bound, relaxed);
        take_relaxed(search, root->states);
        search_improve(search, search->question->work_max / 40);
        for (size_t i = 0; i < search->sites; i++)
            search->in_set[i] = search->best_used[search->site[i].number];
        round_set(search, search->question->work_max / 200);
        fix_sites(search, root->states, relaxed);
        if (work_left(search) < search->question->work_max / 2)
            break;
    }
    return true;
}

bool search_branch(struct search *search, struct arena *arena)
{
    size_t node_bytes = sizeof(struct search_node) + sizeof(struct search_node *) +
                        search->lines * sizeof(int64_t) +
                        search->sites * (1 + sizeof(struct parcels));
    struct tree tree = {
        .search = search, .arena = arena, .waiting_max = 2 + waiting_bytes_max / node_bytes};
    tree.waiting = arena_allocate(arena, tree.waiting_max * sizeof *tree.waiting);
    struct search_node *root = take_node(&tree);
    if (tree.waiting == NULL || root == NULL)
        return false;
    if (bound_root(search, root))
        push(&tree, root);
    while (tree.waiting_count > 0 && work_left(search) > 0 && !tree.no_memory) {
        struct search_node *node = pop(&tree);
        if (take_turn(&tree, node))
            place(&tree, node);
        else
            give_back(&tree, node);
    }
    while (tree.waiting_count > 0) {
        struct search_node *node = pop(&tree);
        if (!is_hopeless(search, node))
            search_leave_open(search, node->bound);
    }
    return !tree.no_memory;
}
