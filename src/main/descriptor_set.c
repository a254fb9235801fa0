/* The assembler takes the file in (.incbin), so that no tool has to turn it into C. */
#include "main/descriptor_set.h"

__asm__(".section .rodata\n"
        ".global waybill_descriptor_set_begin\n"
        "waybill_descriptor_set_begin:\n"
        ".incbin \"" WAYBILL_DESCRIPTOR_SET "\"\n"
        ".global waybill_descriptor_set_end\n"
        "waybill_descriptor_set_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char waybill_descriptor_set_begin[];
extern const char waybill_descriptor_set_end[];

struct text descriptor_set(void)
{
    return text_make(waybill_descriptor_set_begin,
                     (size_t)(waybill_descriptor_set_end - waybill_descriptor_set_begin));
}
