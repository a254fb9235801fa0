/* Fuzz target: any file is a code map whose every line can be found, or is refused. */
#include "tracking/domain/code_map.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct code_map map;
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct error error = code_map_parse(text_of("x"), text_make(data, size), &arena, &map);
    for (size_t i = 0; i < map.count && !error_is(error); i++) {
        const struct code_map_line *line = &map.lines[i];
        if (code_map_find(&map, line->code, line->version) != line)
            abort();
    }
    if (!error_is(error))
        (void)code_map_find(&map, text_make(data, size < 32 ? size : 32), 1);
    arena_deinit(&arena);
    return 0;
}
