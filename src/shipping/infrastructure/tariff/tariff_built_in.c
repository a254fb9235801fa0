/* The assembler takes the cards in (.incbin), so that no tool has to turn them into C. */
#include "shipping/infrastructure/tariff/tariff_card.h"

#define TAKE_IN(name, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global waybill_tariff_" name "_begin\n"                                              \
            "waybill_tariff_" name "_begin:\n"                                                     \
            ".incbin \"" file "\"\n"                                                               \
            ".global waybill_tariff_" name "_end\n"                                                \
            "waybill_tariff_" name "_end:\n"                                                       \
            ".byte 0\n"                                                                            \
            ".previous\n")

TAKE_IN("first", WAYBILL_TARIFF_FIRST);
TAKE_IN("zones", WAYBILL_TARIFF_ZONES);
TAKE_IN("present", WAYBILL_TARIFF_PRESENT);

extern const char waybill_tariff_first_begin[], waybill_tariff_first_end[];
extern const char waybill_tariff_zones_begin[], waybill_tariff_zones_end[];
extern const char waybill_tariff_present_begin[], waybill_tariff_present_end[];

struct error tariff_create_built_in(struct tariff **tariff)
{
    const struct {
        const char *name;
        const char *begin;
        const char *end;
    } cards[] = {
        {"2000-01-01.ini", waybill_tariff_first_begin, waybill_tariff_first_end},
        {"2006-01-01.ini", waybill_tariff_zones_begin, waybill_tariff_zones_end},
        {"2026-01-05.ini", waybill_tariff_present_begin, waybill_tariff_present_end},
    };
    struct tariff_file files[sizeof cards / sizeof cards[0]];
    for (size_t i = 0; i < sizeof cards / sizeof cards[0]; i++)
        files[i] = (struct tariff_file){
            .name = cards[i].name,
            .text = text_make(cards[i].begin, (size_t)(cards[i].end - cards[i].begin))};
    return tariff_create(tariff, files, sizeof cards / sizeof cards[0]);
}
