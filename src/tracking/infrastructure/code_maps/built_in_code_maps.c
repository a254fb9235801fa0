/* The assembler takes the files in (.incbin), so that no tool has to turn them into C. */
#include "tracking/infrastructure/code_maps/built_in_code_maps.h"

#define TAKE_IN(name, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global waybill_code_map_" name "_begin\n"                                            \
            "waybill_code_map_" name "_begin:\n"                                                   \
            ".incbin \"" file "\"\n"                                                               \
            ".global waybill_code_map_" name "_end\n"                                              \
            "waybill_code_map_" name "_end:\n"                                                     \
            ".byte 0\n"                                                                            \
            ".previous\n")

TAKE_IN("ups", WAYBILL_CODE_MAP_UPS);
TAKE_IN("fedex", WAYBILL_CODE_MAP_FEDEX);
TAKE_IN("dhl", WAYBILL_CODE_MAP_DHL);

extern const char waybill_code_map_ups_begin[], waybill_code_map_ups_end[];
extern const char waybill_code_map_fedex_begin[], waybill_code_map_fedex_end[];
extern const char waybill_code_map_dhl_begin[], waybill_code_map_dhl_end[];

enum { arena_bytes_max = 4 * 1024 * 1024 };

struct error built_in_code_maps_init(struct built_in_code_maps *maps)
{
    const struct {
        const char *carrier;
        const char *begin;
        const char *end;
    } files[built_in_code_map_count] = {
        {"ups", waybill_code_map_ups_begin, waybill_code_map_ups_end},
        {"fedex", waybill_code_map_fedex_begin, waybill_code_map_fedex_end},
        {"dhl", waybill_code_map_dhl_begin, waybill_code_map_dhl_end},
    };
    struct error error = error_none();
    arena_init(&maps->arena, arena_bytes_max);
    maps->all = (struct code_maps){.maps = maps->maps, .count = built_in_code_map_count};
    for (size_t i = 0; i < built_in_code_map_count && !error_is(error); i++)
        error = code_map_parse(text_of(files[i].carrier),
                               text_make(files[i].begin, (size_t)(files[i].end - files[i].begin)),
                               &maps->arena, &maps->maps[i]);
    return error;
}

void built_in_code_maps_deinit(struct built_in_code_maps *maps)
{
    arena_deinit(&maps->arena);
}
