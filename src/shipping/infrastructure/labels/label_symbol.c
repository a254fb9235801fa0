/*
 * One function for both symbols: fill zint's struct, encode, ask for vectors. With a scale of a
 * half, zint's vectors have modules of width 1.
 */
#include "shipping/infrastructure/labels/label_symbol.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct error encode(int symbology, const char *data, struct zint_symbol **made)
{
    struct zint_symbol *symbol = ZBarcode_Create();
    *made = NULL;
    if (symbol == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "a bar code");
    symbol->symbology = symbology;
    symbol->scale = 0.5f;
    symbol->show_hrt = 0;
    if (symbology == BARCODE_DATAMATRIX)
        symbol->option_3 = DM_SQUARE;
    else
        symbol->height = 1;
    int result = ZBarcode_Encode_and_Buffer_Vector(symbol, (const unsigned char *)data, 0, 0);
    if (result >= ZINT_ERROR_TOO_LONG || symbol->vector == NULL) {
        struct error error =
            error_make(result == ZINT_ERROR_MEMORY ? ERROR_OUT_OF_MEMORY : ERROR_INTERNAL,
                       "a bar code: %s", symbol->errtxt);
        ZBarcode_Delete(symbol);
        return error;
    }
    *made = symbol;
    return error_none();
}

struct error label_symbol_bars(struct text identifier, struct text value,
                               struct zint_symbol **symbol)
{
    char data[128];
    if (identifier.size > 0)
        snprintf(data, sizeof data, "[%.*s]%.*s", (int)identifier.size, identifier.data,
                 (int)value.size, value.data);
    else
        snprintf(data, sizeof data, "%.*s", (int)value.size, value.data);
    return encode(identifier.size > 0 ? BARCODE_GS1_128 : BARCODE_CODE128, data, symbol);
}

struct error label_symbol_matrix(struct text data, struct zint_symbol **symbol)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", (int)data.size, data.data);
    return encode(BARCODE_DATAMATRIX, copy, symbol);
}

int label_symbol_matrix_module(int box_width, int modules)
{
    return box_width / (modules + 2);
}

/* Letters before the last run of digits one by one, that run in pairs. */
int label_symbol_modules_max(struct text value, bool gs1)
{
    enum { start = 11, check = 11, stop = 13, quiet = 20, character = 11 };
    size_t digits = 0;
    while (digits < value.size && value.data[value.size - 1 - digits] >= '0' &&
           value.data[value.size - 1 - digits] <= '9')
        digits++;
    digits -= digits % 2;
    size_t characters = value.size - digits + digits / 2 + 1 + (gs1 ? 1 : 0);
    return start + check + stop + quiet + (int)characters * character;
}
