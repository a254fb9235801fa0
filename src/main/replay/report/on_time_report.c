/* Rows are sorted by how many lines they stand for; columns are padded by characters, not bytes. */
#include "main/replay/report/on_time_report.h"

#include "main/replay/plan/parcel_life.h"
#include "main/replay/report/number_text.h"
#include "platform/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { name_width = 30, sites_shown = 12 };

/* --- for people --- */

struct share_text {
    char string[16];
};

/* "88.5 %"; "-" of none. */
static struct share_text share_of(struct on_time_count count)
{
    struct share_text text = {"-"};
    uint32_t per_mille = on_time_per_mille(count);
    if (count.lines > 0)
        snprintf(text.string, sizeof text.string, "%u.%u %%", per_mille / 10, per_mille % 10);
    return text;
}

/* The name, cut and padded to name_width characters. */
static bool write_name(struct buffer *out, struct text name)
{
    int characters = 0;
    size_t size = 0;
    for (; size < name.size; size++) {
        bool begins = ((unsigned char)name.data[size] & 0xC0) != 0x80;
        if (begins && characters == name_width)
            break;
        characters += begins;
    }
    return buffer_append_format(out, "  %.*s%*s", (int)size, name.data, name_width - characters,
                                "");
}

static bool write_columns(struct buffer *out, struct on_time_count count)
{
    return buffer_append_format(out, " %7s %6s %8s", number_text_of_count(count.lines).string,
                                number_text_of_count(count.late).string, share_of(count).string);
}

/* A row of a table: which of the survey's counts it stands for. */
struct row {
    uint32_t index;
    uint32_t lines;
};

static int more_lines_first(const void *a, const void *b)
{
    const struct row *one = a;
    const struct row *other = b;
    if (one->lines != other->lines)
        return one->lines < other->lines ? 1 : -1;
    return one->index < other->index ? -1 : 1;
}

static bool write_country(struct buffer *out, struct text name,
                          const struct on_time_country *country)
{
    return write_name(out, name) && write_columns(out, country->from_centres) &&
           write_columns(out, country->direct) &&
           write_columns(out, on_time_sum(country->from_centres, country->direct)) &&
           buffer_append_string(out, "\n");
}

static bool write_countries(struct buffer *out, const struct on_time_survey *survey)
{
    static const struct text totals = {"all", 3};
    uint32_t count = survey->data_set->country_count;
    struct row *rows = memory_allocate_zero((size_t)count + 1, sizeof *rows);
    struct on_time_country whole = {.from_centres = survey->centres};
    if (rows == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct on_time_country *of = &survey->countries[i];
        rows[i] = (struct row){i, of->from_centres.lines + of->direct.lines};
        whole.direct = on_time_sum(whole.direct, of->direct);
    }
    qsort(rows, count, sizeof *rows, more_lines_first);
    bool written = buffer_append_format(
        out, "  %-*s %23s %23s %23s\n  %-*s %7s %6s %8s %7s %6s %8s %7s %6s %8s\n", name_width,
        "delivered by the promised day", "from a centre", "from the maker", "together", name_width,
        "destination", "lines", "late", "on time", "lines", "late", "on time", "lines", "late",
        "on time");
    for (uint32_t i = 0; i < count && written; i++)
        written = write_country(out, survey->data_set->countries[rows[i].index],
                                &survey->countries[rows[i].index]);
    memory_release(rows);
    return written && write_country(out, totals, &whole) && buffer_append_string(out, "\n");
}

static bool write_origin(struct buffer *out, struct text name, struct on_time_count count)
{
    return write_name(out, name) && write_columns(out, count) && buffer_append_string(out, "\n");
}

static bool write_origins(struct buffer *out, const struct on_time_survey *survey)
{
    static const struct text centres = {"the distribution centres", 24};
    static const struct text others = {"all other makers", 16};
    uint32_t count = survey->data_set->site_count;
    uint32_t shown = count < sites_shown ? count : sites_shown;
    struct row *rows = memory_allocate_zero((size_t)count + 1, sizeof *rows);
    struct on_time_count rest = {0};
    if (rows == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        rows[i] = (struct row){i, survey->sites[i].lines};
    qsort(rows, count, sizeof *rows, more_lines_first);
    bool written = buffer_append_format(out, "  %-*s %7s %6s %8s\n", name_width, "origin", "lines",
                                        "late", "on time") &&
                   write_origin(out, centres, survey->centres);
    for (uint32_t i = 0; i < shown && written; i++)
        written =
            write_origin(out, survey->data_set->sites[rows[i].index], survey->sites[rows[i].index]);
    for (uint32_t i = shown; i < count; i++)
        rest = on_time_sum(rest, survey->sites[rows[i].index]);
    memory_release(rows);
    return written && (shown == count || write_origin(out, others, rest)) &&
           buffer_append_string(out, "\n");
}

static int latest_first(const void *a, const void *b)
{
    return more_lines_first(a, b); /* a row's `lines` are days here */
}

static bool write_late_line(struct buffer *out, const struct on_time_survey *survey,
                            const struct replay_plan *plan, uint32_t line)
{
    const struct data_set *data_set = survey->data_set;
    const struct data_set_order *of = &data_set->orders[data_set_order_of_line(data_set, line)];
    return buffer_append_format(
        out, "  %9s  %-16s %4u  %-38s  %s\n", number_text_of_count(survey->days_late[line]).string,
        of->order_id.data, line - of->first_line + 1,
        replay_plan_tracking_number(plan, line).string, data_set->countries[of->country].data);
}

/* How many there are, the latest of them, and how to go on from here. */
static bool write_late(struct buffer *out, const struct on_time_survey *survey,
                       const struct replay_plan *plan, uint32_t shown)
{
    struct row *rows = memory_allocate_zero((size_t)survey->whole.late + 1, sizeof *rows);
    uint32_t count = 0;
    if (rows == NULL)
        return false;
    for (uint32_t line = 0; on_time_next_late(survey, &line) && count < survey->whole.late; line++)
        rows[count++] = (struct row){line, survey->days_late[line]};
    qsort(rows, count, sizeof *rows, latest_first);
    bool is_part = shown < count;
    bool written =
        buffer_append_format(out, "  %s of %s lines came late", number_text_of_count(count).string,
                             number_text_of_count(survey->whole.lines).string);
    if (written && is_part)
        written = buffer_append_format(
            out, "; the latest %u (`waybill replay` with --late %u names all, so does --json)",
            shown, count);
    if (written && count > 0 && shown > 0)
        written = buffer_append_format(out, ":\n  %9s  %-16s %4s  %-38s  %s", "days late", "order",
                                       "line", "tracking number", "destination");
    written = written && buffer_append_string(out, "\n");
    for (uint32_t i = 0; i < count && i < shown && written; i++)
        written = write_late_line(out, survey, plan, rows[i].index);
    memory_release(rows);
    if (written && count > 0)
        written = buffer_append_format(out,
                                       "  what happened to one: waybill call GetTracking "
                                       "'{\"carrier\": \"%s\", \"trackingNumber\": \"…\"}'\n",
                                       parcel_carrier);
    return written && buffer_append_string(out, "\n");
}

bool on_time_report_write(struct buffer *out, const struct on_time_survey *survey,
                          const struct replay_plan *plan, uint32_t late_shown)
{
    return write_countries(out, survey) && write_origins(out, survey) &&
           write_late(out, survey, plan, late_shown);
}

/* --- for programs --- */

static json_t *pack_count(struct on_time_count count)
{
    return json_pack("{s:I, s:I}", "lines", (json_int_t)count.lines, "late",
                     (json_int_t)count.late);
}

/* NULL without memory: jansson then refuses the NULL value. */
static json_t *pack_countries(const struct on_time_survey *survey)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < survey->data_set->country_count && array != NULL; i++) {
        const struct on_time_country *of = &survey->countries[i];
        json_t *row = json_pack("{s:s, s:o, s:o}", "country", survey->data_set->countries[i].data,
                                "from_centres", pack_count(of->from_centres), "direct",
                                pack_count(of->direct));
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *pack_sites(const struct on_time_survey *survey)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < survey->data_set->site_count && array != NULL; i++) {
        json_t *row = json_pack("{s:s, s:I, s:I}", "site", survey->data_set->sites[i].data, "lines",
                                (json_int_t)survey->sites[i].lines, "late",
                                (json_int_t)survey->sites[i].late);
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *pack_late(const struct on_time_survey *survey, const struct replay_plan *plan)
{
    const struct data_set *data_set = survey->data_set;
    json_t *array = json_array();
    for (uint32_t line = 0; array != NULL && on_time_next_late(survey, &line); line++) {
        const struct data_set_order *of = &data_set->orders[data_set_order_of_line(data_set, line)];
        json_t *row = json_pack("{s:s, s:I, s:I, s:s, s:s}", "order", of->order_id.data, "line",
                                (json_int_t)(line - of->first_line + 1), "days",
                                (json_int_t)survey->days_late[line], "tracking_number",
                                replay_plan_tracking_number(plan, line).string, "country",
                                data_set->countries[of->country].data);
        if (json_array_append_new(array, row) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

json_t *on_time_report_pack(const struct on_time_survey *survey, const struct replay_plan *plan)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "lines", (json_int_t)survey->whole.lines,
                     "late", (json_int_t)survey->whole.late, "countries", pack_countries(survey),
                     "centres", pack_count(survey->centres), "sites", pack_sites(survey),
                     "late_parcels", pack_late(survey, plan));
}
