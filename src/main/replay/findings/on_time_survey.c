/* Counters, one set a country and one a site. */
#include "main/replay/findings/on_time_survey.h"

#include "platform/base/memory.h"

#include <string.h>

struct error on_time_survey_init(struct on_time_survey *survey, const struct data_set *data_set)
{
    /* At least one of each, for nothing may be allocated without a size. */
    *survey = (struct on_time_survey){
        .data_set = data_set,
        .countries =
            memory_allocate_zero((size_t)data_set->country_count + 1, sizeof *survey->countries),
        .sites = memory_allocate_zero((size_t)data_set->site_count + 1, sizeof *survey->sites),
        .days_late =
            memory_allocate_zero((size_t)data_set->line_count + 1, sizeof *survey->days_late),
    };
    return survey->countries == NULL || survey->sites == NULL || survey->days_late == NULL
               ? error_make(ERROR_OUT_OF_MEMORY, "on-time survey")
               : error_none();
}

void on_time_survey_deinit(struct on_time_survey *survey)
{
    memory_release(survey->countries);
    memory_release(survey->sites);
    memory_release(survey->days_late);
    *survey = (struct on_time_survey){0};
}

void on_time_survey_begin(struct on_time_survey *survey)
{
    survey->whole = (struct on_time_count){0};
    survey->centres = (struct on_time_count){0};
    memset(survey->countries, 0, survey->data_set->country_count * sizeof *survey->countries);
    memset(survey->sites, 0, survey->data_set->site_count * sizeof *survey->sites);
    memset(survey->days_late, 0, survey->data_set->line_count * sizeof *survey->days_late);
}

static void add(struct on_time_count *count, bool is_late)
{
    count->lines++;
    count->late += is_late;
}

void on_time_survey_add(struct on_time_survey *survey, uint32_t order, uint32_t line,
                        uint32_t days_late)
{
    bool is_late = days_late > 0;
    uint32_t site = survey->data_set->lines[line].site;
    struct on_time_country *country = &survey->countries[survey->data_set->orders[order].country];
    bool is_direct = site != data_set_nowhere;
    survey->days_late[line] = days_late;
    add(&survey->whole, is_late);
    add(is_direct ? &country->direct : &country->from_centres, is_late);
    add(is_direct ? &survey->sites[site] : &survey->centres, is_late);
}

bool on_time_next_late(const struct on_time_survey *survey, uint32_t *line)
{
    while (*line < survey->data_set->line_count && survey->days_late[*line] == 0)
        (*line)++;
    return *line < survey->data_set->line_count;
}

struct on_time_count on_time_sum(struct on_time_count a, struct on_time_count b)
{
    return (struct on_time_count){a.lines + b.lines, a.late + b.late};
}

uint32_t on_time_per_mille(struct on_time_count count)
{
    uint64_t on_time = count.lines - count.late;
    return count.lines == 0 ? 0 : (uint32_t)((on_time * 1000 + count.lines / 2) / count.lines);
}
