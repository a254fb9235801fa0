/*
 * A strict parser, a sorted array, a binary search. What is wrong is told with its line; nothing is
 * taken in part.
 */
#include "tracking/domain/code_map.h"

#include "tracking/domain/limits.h"

#include <stdlib.h>
#include <string.h>

enum { columns = 6, key_bytes_max = tracking_carrier_code_bytes_max + 2 };

static const char heading[] = "version,code,type,sub_status,reason,provenance";

static struct error wrong_line(const struct code_map *map, size_t line, const char *what)
{
    return error_make(ERROR_INVALID_SETTING, "code map %.*s, line %zu: %s", (int)map->carrier.size,
                      map->carrier.data, line, what);
}

/* Takes what stands before the next `end` off the front. */
static struct text take_until(struct text *rest, char end)
{
    const char *found = rest->size == 0 ? NULL : memchr(rest->data, end, rest->size);
    size_t size = found == NULL ? rest->size : (size_t)(found - rest->data);
    struct text taken = text_make(rest->data, size);
    size_t used = found == NULL ? size : size + 1;
    *rest = text_make(rest->data + used, rest->size - used);
    return taken;
}

static bool is_code(struct text code)
{
    for (size_t i = 0; i < code.size; i++) {
        char c = code.data[i];
        if (c <= ' ' || c >= 0x7F || (c >= 'a' && c <= 'z'))
            return false;
    }
    return code.size > 0 && code.size <= tracking_carrier_code_bytes_max;
}

static const char *parse_line(struct text text, struct code_map_line *line)
{
    struct text fields[columns];
    int64_t version;
    for (size_t i = 0; i < columns; i++) {
        if (i > 0 && text.size == 0 && i != 3 && i != 4)
            return "there must be six fields";
        fields[i] = take_until(&text, ',');
    }
    if (text.size > 0)
        return "there must be six fields";
    if (!text_to_int64(fields[0], &version) || version < 1 || version > INT32_MAX)
        return "version must be a number from 1 on";
    if (!is_code(fields[1]))
        return "code must be 1 to 32 characters without small letters and spaces";
    if (text_equals_string(fields[2], "NO_CHANGE"))
        line->type = TRACKING_EVENT_UNSPECIFIED;
    else if (!tracking_event_type_from_text(fields[2], &line->type) ||
             line->type == TRACKING_EVENT_UNSPECIFIED)
        return "type must be an event type or NO_CHANGE";
    if (!tracking_sub_status_from_text(fields[3], &line->sub_status))
        return "sub_status is none of ours";
    if (!text_is_utf8(fields[4]) || text_has_control(fields[4]) || fields[5].size == 0)
        return "reason must be text, and provenance must be given";
    line->version = (int32_t)version;
    line->code = fields[1];
    line->reason = fields[4];
    line->provenance = fields[5];
    return NULL;
}

static int compare_lines(const void *left, const void *right)
{
    const struct code_map_line *a = left;
    const struct code_map_line *b = right;
    int order = text_compare(a->code, b->code);
    if (order != 0)
        return order;
    return a->version < b->version ? -1 : a->version > b->version;
}

static size_t count_lines(struct text file)
{
    size_t count = 1;
    for (size_t i = 0; i < file.size; i++)
        count += file.data[i] == '\n';
    return count;
}

static struct error parse_lines(struct text file, struct code_map *map)
{
    bool headed = false;
    for (size_t number = 1; file.size > 0; number++) {
        struct text text = take_until(&file, '\n');
        if (text.size > 0 && text.data[text.size - 1] == '\r')
            text.size--;
        if (text.size == 0 || text.data[0] == '#')
            continue;
        if (!headed) {
            headed = text_equals_string(text, heading);
            if (!headed)
                return wrong_line(map, number, "the columns must be named first");
            continue;
        }
        const char *wrong = parse_line(text, &map->lines[map->count]);
        if (wrong != NULL)
            return wrong_line(map, number, wrong);
        if (map->lines[map->count].version > map->newest_version)
            map->newest_version = map->lines[map->count].version;
        map->count++;
    }
    return error_none();
}

struct error code_map_parse(struct text carrier, struct text file, struct arena *arena,
                            struct code_map *map)
{
    *map = (struct code_map){.carrier = carrier};
    size_t room = count_lines(file);
    if (file.size > code_map_bytes_max || room > code_map_lines_max)
        return wrong_line(map, room, "the map is too large");
    map->lines = arena_allocate_zero(arena, room, sizeof *map->lines);
    if (map->lines == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "code map");
    struct error error = parse_lines(file, map);
    if (error_is(error))
        return error;
    qsort(map->lines, map->count, sizeof *map->lines, compare_lines);
    for (size_t i = 1; i < map->count; i++) {
        if (compare_lines(&map->lines[i - 1], &map->lines[i]) == 0)
            return error_make(ERROR_INVALID_SETTING,
                              "code map %.*s: version %d says what %.*s is more than once",
                              (int)carrier.size, carrier.data, (int)map->lines[i].version,
                              (int)map->lines[i].code.size, map->lines[i].code.data);
    }
    return error;
}

/* --- looking up --- */

static const struct code_map_line *find(const struct code_map *map, struct text code,
                                        int32_t version)
{
    const struct code_map_line *found = NULL;
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text_compare(map->lines[middle].code, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < map->count && text_equal(map->lines[low].code, code); low++) {
        if (map->lines[low].version <= version)
            found = &map->lines[low];
    }
    return found;
}

const struct code_map_line *code_map_find(const struct code_map *map, struct text code,
                                          int32_t version)
{
    char key[key_bytes_max];
    size_t first = code.size; /* where the first '/' stands */
    size_t second = code.size;
    if (code.size == 0 || code.size > tracking_carrier_code_bytes_max)
        return NULL;
    for (size_t i = 0; i < code.size; i++) {
        char c = code.data[i];
        key[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
        if (c == '/' && first == code.size)
            first = i;
        else if (c == '/' && second == code.size)
            second = i;
    }
    const struct code_map_line *line = find(map, text_make(key, code.size), version);
    if (line == NULL && second < code.size)
        line = find(map, text_make(key, second), version);
    size_t last = second < code.size ? second : first; /* the '/' before the last part */
    if (line == NULL && last < code.size)
        line = find(map, text_make(key + last + 1, code.size - last - 1), version);
    if (line == NULL) {
        key[first] = '/';
        key[first + 1] = '*';
        line = find(map, text_make(key, first + 2), version);
    }
    if (line == NULL && first < code.size)
        line = find(map, text_make(key, first), version);
    return line;
}

const struct code_map *code_maps_find(const struct code_maps *maps, struct text carrier)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (text_equal(maps->maps[i].carrier, carrier))
            return &maps->maps[i];
    }
    return NULL;
}

void code_maps_apply(const struct code_maps *maps, int32_t version, struct tracking_event *event)
{
    const struct code_map *map = code_maps_find(maps, event->carrier);
    if (map == NULL || event->carrier_code.size == 0)
        return;
    if (version == 0)
        version = map->newest_version;
    const struct code_map_line *line = code_map_find(map, event->carrier_code, version);
    if (event->type_is_mapped) {
        event->map_version = version;
        event->type = line == NULL ? TRACKING_EVENT_UNSPECIFIED : line->type;
        event->sub_status = line == NULL ? TRACKING_SUB_STATUS_NONE : line->sub_status;
    } else if (line != NULL && line->type == event->type) {
        event->sub_status = line->sub_status;
    }
}
