#ifndef WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_SEARCH_STATE_H
#define WAYBILL_WAREHOUSE_DOMAIN_ALLOCATION_SEARCH_STATE_H

#include "warehouse/domain/allocation_search.h"

/*
 * What the search's files share. Nobody else includes this.
 *
 * Sites are renumbered by the slope of their bound, so that for every line the cheaper site has the
 * lower number. Costs in bounds are scaled by 2^shift, always rounded down.
 */
enum site_state { SITE_CLOSED, SITE_OPTIONAL, SITE_OPEN };

enum { rounding_sites_max = 64, rounding_depth_max = 256 };

struct slope_site {
    size_t number;        /* in the question */
    int64_t grams_most;   /* that it can ship */
    int64_t fixed;        /* with what the first gram surely costs beyond the slopes */
    int64_t base;         /* of further parcels; 0 where one parcel always suffices */
    int64_t per_kilogram; /* the same of kilograms */
    int64_t parcel_grams_max;
    int64_t slope_base; /* scaled, a gram */
    int64_t slope_kilogram;
    int64_t slope;
    int64_t fixed_scaled;
};

/* What a site has of a line. */
struct entry {
    size_t site;
    int64_t grams;
};

/* A site in the relaxation, while lines are shipped. */
struct relaxed_site {
    __int128 gain;  /* value less kilograms by slope */
    __int128 least; /* of parcels less gain, at the places looked at */
    int64_t grams;
    int64_t least_grams;
    int64_t last_net;  /* what the last gram gained */
    int64_t next_loss; /* what the next gram would lose, once it has ended */
    bool has_least;
    bool has_ended;
    bool takes_part;
};

/* One cap on what a site ships, within a fixed set. */
struct site_cap {
    int64_t grams_max;
    int64_t parcels_min; /* paid in any case */
    int64_t kilograms_min;
};

static const struct site_cap site_cap_none = {
    .grams_max = INT64_MAX / 2, .parcels_min = 1, .kilograms_min = 1};

struct search {
    const struct search_question *question;
    size_t sites; /* that have anything */
    size_t lines;
    struct slope_site *site;
    int64_t *usable;        /* [site × lines + line]: min(available, needed) */
    int64_t *weight_needed; /* of each line, grams */
    int64_t weight;         /* of all lines, grams */
    int64_t grain;          /* divides every piece's weight */
    unsigned shift;

    int64_t best_cost; /* INT64_MAX = none yet */
    int64_t *best;     /* quantities; these four by the question's numbers */
    bool *best_used;
    bool has_second;
    int64_t second_cost;
    bool *second_used;
    int64_t open_bound; /* of what had to be left undecided, unscaled; INT64_MAX = nothing */
    uint64_t work;
    bool round_wins;         /* the present set is preferred to the best plan's at equal cost */
    bool is_pieces_first;    /* they are split before kilograms */
    bool is_ordering;        /* any plan of the best cost and its set is taken */
    uint64_t round_work_max; /* when the rounding of the present set gives up */

    /* allocation_relaxation.c and allocation_improve.c */
    size_t *entry_begin;   /* of each line, and the end */
    struct entry *entries; /* by line, then site */
    size_t *site_begin;    /* of each site, and the end */
    size_t *site_lines;    /* that it has */
    struct site_cap *caps; /* of each site; without any the first parcel and kilogram are paid */
    struct relaxed_site *relaxed;
    size_t *order;   /* of lines by falling density */
    size_t *rank;    /* of each line in it */
    uint64_t *ranks; /* of the lines of a site, as bits */
    size_t rank_words;
    int64_t *density_at;   /* that is evaluated, scaled, a gram */
    double *shipped;       /* of each line, grams */
    double *direction;     /* of the ascent */
    double *share;         /* of each site: how often it took part of late */
    double *parcels;       /* of each site: how many it shipped of late when it took part */
    double *gain;          /* scratch */
    int64_t *reduced;      /* of each site: what it costs less what it ships is worth */
    int64_t *best_reduced; /* the same of the best bound */
    bool *may_use;
    bool *tried_set; /* the sites that were last rounded beside the tree */
    uint64_t improve_work_max;

    /* a fill: [site × lines + line] */
    int64_t *fill;
    int64_t *rest; /* of each line */
    int64_t *grams;
    bool *in_set;
    size_t *by_id; /* the question's numbers in the order of warehouse_ids */
    size_t *place; /* of the question's number: ours; SIZE_MAX = it has nothing */
    bool *used;    /* scratch, by the question's numbers */

    /* allocation_rounding.c, [place in the set × lines + line] */
    size_t set[rounding_sites_max];
    size_t set_count;
    size_t *free_lines; /* of which there is a choice who ships them */
    size_t free_count;
    int64_t forced_grams[rounding_sites_max]; /* of the other lines */
    int64_t flow_grams[rounding_sites_max];
    int64_t *flow; /* grams */
    int64_t *room; /* grams that may flow at most */
    int64_t *low;  /* grams that flow at least */
    int64_t *pieces;
    int64_t *demand; /* of each line, grams not met yet */
};

/* a × b, or 2^61 if it is more. Both ≥ 0. */
int64_t search_product(int64_t a, int64_t b);

/* What the whole weight costs at the site beyond its fixed cost, as the question counts. */
int64_t search_stairs(const struct slope_site *site, int64_t grams);

/* What a site that ships at least so many grams pays for in any case. */
struct site_cap search_cap_of(const struct slope_site *site, int64_t grams);

/* allocation_branch.c: the whole search. False: no memory. */
bool search_branch(struct search *search, struct arena *arena);

/* Remembers a plan, quantities by our numbers in `quantities` ([site × lines + line]). */
void search_take_plan(struct search *search, const int64_t *quantities);

/* A bound, scaled, that was not pursued further. */
void search_leave_open(struct search *search, int64_t bound_scaled);

/* Whether every plan of that bound costs more than the best one. */
bool search_is_dearer(const struct search *search, int64_t bound_scaled);

/* Whether a plan of that bound cannot be cheaper than the best one; it may be preferred at the
 * same cost. */
bool search_is_no_cheaper(const struct search *search, int64_t bound_scaled);

/* --- allocation_ties.c: which of two sets is preferred at the same cost --- */

/* Sorts by_id. */
void search_ties_begin(struct search *search);

/* Whether the first set, by the question's numbers, is to be preferred to the second. */
bool search_set_wins(const struct search *search, const bool *set, const bool *than);

/* Whether a set with all open and some optional sites could be preferred to the best plan's. */
bool search_could_win(const struct search *search, const uint8_t *states);

/*
 * Fills each line from the flattest sites that are in `in_set`. False: they have not all of it.
 * Sets fill and grams.
 */
bool search_fill(struct search *search);

/*
 * allocation_relaxation.c: a lower bound, scaled, of all plans that use the open sites and any of
 * the optional ones; so many steps up from the densities, which become those of the bound. Sets
 * best_reduced.
 */
int64_t search_relax(struct search *search, const uint8_t *states, int64_t *density, size_t steps,
                     double length);

/* allocation_improve.c: the cost of in_set's fill, INT64_MAX if a line is not met; sets grams. */
int64_t search_judge(struct search *search);

/* The best plan near in_set, sites that may_use says may be added; so much work. Its cost. */
int64_t search_improve(struct search *search, uint64_t work);

/*
 * allocation_rounding.c: the best plan on exactly the sites of `in_set`, or as far as work goes.
 * `bound`, scaled, is known to hold for all of them.
 */
void search_round(struct search *search, int64_t bound, uint64_t work);

/*
 * Of the plans with the best plan's cost and sites, makes that one the best that ships most of the
 * first line from the first site, then of its second line, and so on, then from the second site.
 * False: as far as the work went.
 */
bool search_prefer_first(struct search *search);

#endif
