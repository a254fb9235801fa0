#ifndef WAYBILL_PLATFORM_BASE_HEXADECIMAL_H
#define WAYBILL_PLATFORM_BASE_HEXADECIMAL_H

#include <stddef.h>

/* Bytes as hexadecimal digits. Pure; any thread. */

/* Two lower-case digits a byte, and a NUL behind them: `digits` has room for 2 × size + 1. */
void hexadecimal_write(const void *bytes, size_t size, char *digits);

/* 0 to 15, of either case; −1 for what is no digit. */
int hexadecimal_value(char digit);

#endif
