/*
 * Three sums make all check digits: weights by position modulo 10, a list of weights modulo 11 and
 * 10, and the number itself modulo 7. A form is known by its length and its first characters; where
 * two fit (34 digits that begin with 96), the longer prefix goes first.
 */
#include "shipping/domain/tracking_number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { characters_max = 48 };

struct compact {
    char text[characters_max + 1];
    size_t size;
};

static bool compact(struct text number, struct compact *out)
{
    out->size = 0;
    for (size_t i = 0; i < number.size; i++) {
        char c = number.data[i];
        if (c == ' ' || c == '\t')
            continue;
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) || out->size == characters_max)
            return false;
        out->text[out->size++] = c;
    }
    out->text[out->size] = '\0';
    return out->size > 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_digit(text[i]))
            return false;
    }
    return true;
}

/* A letter counts as UPS has it: its ASCII code less 3, modulo 10. */
static unsigned value_of(char c)
{
    return is_digit(c) ? (unsigned)(c - '0') : (unsigned)(c - 3) % 10;
}

static char mod_10(const char *serial, size_t size, unsigned evens, unsigned odds)
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += value_of(serial[i]) * (i % 2 == 0 ? evens : odds);
    return (char)('0' + (10 - sum % 10) % 10);
}

/* Weights from `weights`, again and again, modulo 11, then modulo 10. */
static char mod_11_10(const char *serial, size_t size, const char weights[3])
{
    unsigned sum = 0;
    for (size_t i = 0; i < size; i++)
        sum += (unsigned)(serial[i] - '0') * (unsigned)(weights[i % 3] - '0');
    return (char)('0' + sum % 11 % 10);
}

static char mod_7(const char *serial, size_t size)
{
    unsigned rest = 0;
    for (size_t i = 0; i < size; i++)
        rest = (rest * 10 + (unsigned)(serial[i] - '0')) % 7;
    return (char)('0' + rest);
}

static char s10_digit(const char *serial)
{
    static const unsigned char weights[8] = {8, 6, 4, 2, 3, 5, 9, 7};
    unsigned sum = 0;
    for (size_t i = 0; i < 8; i++)
        sum += (unsigned)(serial[i] - '0') * weights[i];
    unsigned digit = 11 - sum % 11;
    return (char)('0' + (digit == 10 ? 0 : digit == 11 ? 5 : digit));
}

/* ISO 3166-1, which S10 takes its last two letters from. */
static bool is_country(const char *code)
{
    static const char codes[] =
        "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
        "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
        "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
        "GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
        "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
        "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
        "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
        "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
        "VN VU WF WS YE YT ZA ZM ZW ";
    for (const char *at = codes; *at != '\0'; at += 3) {
        if (at[0] == code[0] && at[1] == code[1])
            return true;
    }
    return false;
}

static bool is_s10(const struct compact *n)
{
    const char *t = n->text;
    return n->size == 13 && !is_digit(t[0]) && !is_digit(t[1]) && all_digits(t + 2, 9) &&
           is_country(t + 11) && s10_digit(t + 2) == t[10];
}

static bool is_ups(const struct compact *n)
{
    return n->size == 18 && n->text[0] == '1' && n->text[1] == 'Z' &&
           mod_10(n->text + 2, 15, 1, 2) == n->text[17];
}

static bool is_ups_waybill(const struct compact *n)
{
    return n->size == 11 && strchr("AHJKTV", n->text[0]) != NULL && all_digits(n->text + 1, 10) &&
           mod_10(n->text + 1, 9, 1, 2) == n->text[10];
}

static bool is_dhl_piece(const struct compact *n)
{
    size_t letters = 0;
    while (letters < n->size && !is_digit(n->text[letters]))
        letters++;
    size_t digits = n->size - letters;
    return n->text[0] == 'J' && all_digits(n->text + letters, digits) &&
           ((letters >= 3 && letters <= 4 && digits >= 9 && digits <= 10) ||
            (letters == 2 && n->text[1] == 'D' && digits == 18));
}

static bool is_dhl_ecommerce(const struct compact *n)
{
    static const char *const prefixes[] = {"GM", "LX", "RX", "UV", "CN",
                                           "SG", "TH", "IN", "HK", "MY"};
    if (n->size < 12 || n->size > 41 || strcspn(n->text + 2, "0123456789") == n->size - 2)
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (memcmp(n->text, prefixes[i], 2) == 0)
            return true;
    }
    return false;
}

/* Digits only, told apart by how many there are. */
static enum tracking_number_kind kind_of_digits(const char *t, size_t size)
{
    switch (size) {
    case 10:
    case 11:
        return mod_7(t, size - 1) == t[size - 1] ? TRACKING_NUMBER_DHL_EXPRESS
                                                 : TRACKING_NUMBER_UNKNOWN;
    case 12:
        return mod_11_10(t, 11, "317") == t[11] ? TRACKING_NUMBER_FEDEX_12
                                                : TRACKING_NUMBER_UNKNOWN;
    case 14:
        return TRACKING_NUMBER_DHL_ECOMMERCE;
    case 15:
        return mod_10(t, 14, 1, 3) == t[14] ? TRACKING_NUMBER_FEDEX_GROUND
                                            : TRACKING_NUMBER_UNKNOWN;
    case 18:
        return mod_10(t + 2, 15, 3, 1) == t[17] ? TRACKING_NUMBER_FEDEX_GROUND_18
                                                : TRACKING_NUMBER_UNKNOWN;
    case 20:
        return memcmp(t, "00", 2) == 0 && mod_10(t + 4, 15, 3, 1) == t[19]
                   ? TRACKING_NUMBER_FEDEX_GROUND_18
                   : TRACKING_NUMBER_UNKNOWN;
    case 22:
        return memcmp(t, "96", 2) == 0 && mod_10(t + 7, 14, 1, 3) == t[21]
                   ? TRACKING_NUMBER_FEDEX_GROUND_96
                   : TRACKING_NUMBER_UNKNOWN;
    case 32:
        return t[0] == '3' && mod_11_10(t + 16, 11, "317") == t[27] ? TRACKING_NUMBER_FEDEX_ASTRA
                                                                    : TRACKING_NUMBER_UNKNOWN;
    case 34:
        if (mod_11_10(t + 20, 13, "173") != t[33])
            return TRACKING_NUMBER_UNKNOWN;
        if (memcmp(t, "96", 2) == 0)
            return TRACKING_NUMBER_FEDEX_GSN;
        return t[0] != '9' ? TRACKING_NUMBER_FEDEX_34 : TRACKING_NUMBER_UNKNOWN;
    default:
        return TRACKING_NUMBER_UNKNOWN;
    }
}

enum tracking_number_kind tracking_number_kind_of(struct text number)
{
    struct compact n;
    if (!compact(number, &n))
        return TRACKING_NUMBER_UNKNOWN;
    if (all_digits(n.text, n.size))
        return kind_of_digits(n.text, n.size);
    if (is_ups(&n))
        return TRACKING_NUMBER_UPS;
    if (is_ups_waybill(&n))
        return TRACKING_NUMBER_UPS_WAYBILL;
    if (is_s10(&n))
        return TRACKING_NUMBER_S10;
    if (is_dhl_piece(&n))
        return TRACKING_NUMBER_DHL_PIECE;
    return is_dhl_ecommerce(&n) ? TRACKING_NUMBER_DHL_ECOMMERCE : TRACKING_NUMBER_UNKNOWN;
}

const char *tracking_number_carrier(enum tracking_number_kind kind)
{
    switch (kind) {
    case TRACKING_NUMBER_UNKNOWN:
        return NULL;
    case TRACKING_NUMBER_UPS:
    case TRACKING_NUMBER_UPS_WAYBILL:
        return "ups";
    case TRACKING_NUMBER_FEDEX_12:
    case TRACKING_NUMBER_FEDEX_34:
    case TRACKING_NUMBER_FEDEX_ASTRA:
    case TRACKING_NUMBER_FEDEX_GROUND:
    case TRACKING_NUMBER_FEDEX_GROUND_18:
    case TRACKING_NUMBER_FEDEX_GROUND_96:
    case TRACKING_NUMBER_FEDEX_GSN:
        return "fedex";
    case TRACKING_NUMBER_DHL_EXPRESS:
    case TRACKING_NUMBER_DHL_PIECE:
    case TRACKING_NUMBER_DHL_ECOMMERCE:
        return "dhl";
    case TRACKING_NUMBER_S10:
        return "post";
    }
    return NULL;
}

void tracking_number_make_ups(const char shipper[6], const char service[2], uint64_t serial,
                              char number[19])
{
    snprintf(number, 19, "1Z%.6s%.2s%07" PRIu64, shipper, service, serial % 10000000);
    number[17] = mod_10(number + 2, 15, 1, 2);
    number[18] = '\0';
}

void tracking_number_make_fedex(uint64_t serial, char number[13])
{
    snprintf(number, 13, "%011" PRIu64, serial % 100000000000);
    number[11] = mod_11_10(number, 11, "317");
    number[12] = '\0';
}

void tracking_number_make_fedex_ground(uint64_t serial, char number[16])
{
    snprintf(number, 16, "%014" PRIu64, serial % 100000000000000);
    number[14] = mod_10(number, 14, 1, 3);
    number[15] = '\0';
}

static bool is_of_form(struct text carrier, struct text number)
{
    struct compact n;
    if (!compact(number, &n) || n.size != number.size)
        return false; /* no spaces: it is sent to the carrier as it is */
    if (text_equals_string(carrier, "ups"))
        return memcmp(n.text, "1Z", 2) == 0 ? n.size == 18 : n.size >= 9 && n.size <= 34;
    if (text_equals_string(carrier, "fedex"))
        return n.size >= 12 && n.size <= 34 && all_digits(n.text, n.size);
    return n.size >= 10 && n.size <= 41;
}

const char *tracking_number_form_missed(struct text carrier, struct text number)
{
    static const struct {
        const char *carrier;
        const char *form;
    } forms[] = {
        {"ups", "must be 1Z and 16 digits or capital letters, or 9 to 34 of them"},
        {"fedex", "must be 12 to 34 digits"},
        {"dhl", "must be 10 to 41 digits or capital letters"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (text_equals_string(carrier, forms[i].carrier))
            return is_of_form(carrier, number) ? NULL : forms[i].form;
    }
    return NULL;
}

void tracking_number_make_dhl(uint64_t serial, char number[11])
{
    snprintf(number, 11, "%09" PRIu64, serial % 1000000000);
    number[9] = mod_7(number, 9);
    number[10] = '\0';
}

void tracking_number_make_dhl_piece(uint64_t serial, char number[21])
{
    snprintf(number, 21, "JD01%016" PRIu64, serial % 10000000000000000);
}
