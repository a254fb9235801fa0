/*
 * Conversions in integers. Decimals are read digit by digit; what does not fit is refused, never
 * cut. SHA-256 is the one that takes no memory and so cannot fail, for two ids must never share a
 * reference: OpenSSL calls it deprecated in favour of one that does.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "shipping/infrastructure/carriers/carrier_values.h"

#include "platform/base/civil_date.h"
#include "shipping/domain/limits.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const int64_t second_us = 1000000;
static const int64_t day_us = 86400 * 1000000LL;

int currency_minor_digits(const char *currency_code)
{
    static const char *const none[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                       "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                       "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char *const three[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        if (strcmp(currency_code, none[i]) == 0)
            return 0;
    }
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++) {
        if (strcmp(currency_code, three[i]) == 0)
            return 3;
    }
    return 2;
}

static bool append_digit(int64_t *value, char digit)
{
    return !__builtin_mul_overflow(*value, 10, value) &&
           !__builtin_add_overflow(*value, digit - '0', value);
}

bool decimal_to_integer(struct text decimal, int digits, int64_t *value)
{
    struct text text = text_trim(decimal);
    bool negative = text.size > 0 && text.data[0] == '-';
    bool behind_point = false, round_up = false;
    int taken = 0, seen = 0;
    int64_t result = 0;
    for (size_t i = negative ? 1 : 0; i < text.size; i++) {
        char byte = text.data[i];
        if (byte == '.' && !behind_point) {
            behind_point = true;
            continue;
        }
        if (byte < '0' || byte > '9')
            return false;
        seen++;
        if (behind_point && taken == digits) {
            round_up = byte >= '5'; /* only the first digit beyond decides */
            for (i++; i < text.size; i++) {
                if (text.data[i] < '0' || text.data[i] > '9')
                    return false;
            }
            break;
        }
        if (!append_digit(&result, byte))
            return false;
        taken += behind_point ? 1 : 0;
    }
    for (; taken < digits; taken++) {
        if (!append_digit(&result, '0'))
            return false;
    }
    if (seen == 0 || (round_up && __builtin_add_overflow(result, 1, &result)))
        return false;
    *value = negative ? -result : result;
    return true;
}

bool money_from_decimal(struct text amount, struct text currency, struct shipping_money *money)
{
    struct shipping_money made = {0};
    if (currency.size != 3)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (currency.data[i] < 'A' || currency.data[i] > 'Z')
            return false;
        made.currency_code[i] = currency.data[i];
    }
    if (!decimal_to_integer(amount, currency_minor_digits(made.currency_code),
                            &made.amount_minor) ||
        made.amount_minor > shipping_amount_minor_max ||
        made.amount_minor < -shipping_amount_minor_max)
        return false;
    *money = made;
    return true;
}

static void write_decimal(int64_t value, int digits, char decimal[decimal_size])
{
    int64_t unit = 1;
    const char *sign = value < 0 ? "-" : "";
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (int i = 0; i < digits; i++)
        unit *= 10;
    if (digits == 0)
        snprintf(decimal, decimal_size, "%s%" PRIu64, sign, size);
    else
        snprintf(decimal, decimal_size, "%s%" PRIu64 ".%0*" PRIu64, sign, size / (uint64_t)unit,
                 digits, size % (uint64_t)unit);
}

void money_to_decimal(struct shipping_money money, char decimal[decimal_size])
{
    write_decimal(money.amount_minor, currency_minor_digits(money.currency_code), decimal);
}

static int64_t power_of_ten(int digits)
{
    int64_t power = 1;
    for (int i = 0; i < digits; i++)
        power *= 10;
    return power;
}

static int64_t at_least_one(int64_t value)
{
    return value < 1 ? 1 : value;
}

void weight_to_pounds(int64_t grams, int digits, char decimal[decimal_size])
{
    static const __int128 pound = 45359237; /* 10^-5 g */
    __int128 scaled = (__int128)grams * 100000 * power_of_ten(digits);
    write_decimal(at_least_one((int64_t)((scaled + pound - 1) / pound)), digits, decimal);
}

void weight_to_kilograms(int64_t grams, int digits, char decimal[decimal_size])
{
    __int128 scaled = (__int128)grams * power_of_ten(digits);
    write_decimal(at_least_one((int64_t)((scaled + 999) / 1000)), digits, decimal);
}

int64_t length_to_inches(int64_t millimetres)
{
    return (millimetres * 10 + 253) / 254;
}

int64_t length_to_centimetres(int64_t millimetres)
{
    return (millimetres + 9) / 10;
}

bool country_is_imperial(struct text country_code)
{
    return text_equals_string(country_code, "US") || text_equals_string(country_code, "PR");
}

bool time_from_parts(int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute,
                     int64_t second, int64_t *time_us)
{
    struct civil_date date = {year, month, day};
    if (year < 1970 || year > 2200 || !civil_date_exists(date) || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    *time_us = civil_date_to_day(date) * day_us + ((hour * 60 + minute) * 60 + second) * second_us;
    return true;
}

bool time_from_compact(struct text date, struct text time, int64_t *time_us)
{
    int64_t year, month, day, clock = 0;
    size_t digits = 0;
    date = text_trim(date);
    time = text_trim(time);
    if (date.size != 8 || !text_digits(date, 0, 4, &year) || !text_digits(date, 4, 2, &month) ||
        !text_digits(date, 6, 2, &day))
        return false;
    for (size_t i = 0; i < time.size; i++) {
        int64_t digit;
        if (time.data[i] == ':' && digits > 0)
            continue;
        if (!text_digits(time, i, 1, &digit) || ++digits > 6)
            return false;
        clock = clock * 10 + digit;
    }
    return time_from_parts(year, month, day, clock / 10000, clock / 100 % 100, clock % 100,
                           time_us);
}

bool offset_from_text(struct text text, int32_t *minutes)
{
    int64_t hours, rest = 0;
    text = text_trim(text);
    if (text_starts_with(text, text_of("GMT")))
        text = text_make(text.data + 3, text.size - 3);
    if (text_equals_string(text, "Z") || text_equals_string(text, "z") ||
        text_equals_string(text, "UTC") || text.size == 0) {
        *minutes = 0;
        return true;
    }
    bool short_hours = text.size > 2 && text.data[2] == ':'; /* "-5:00" */
    size_t end = short_hours ? 2 : 3;
    if ((text.data[0] != '+' && text.data[0] != '-') || !text_digits(text, 1, end - 1, &hours))
        return false;
    size_t at = text.size > end && text.data[end] == ':' ? end + 1 : end;
    if (text.size != end && (text.size != at + 2 || !text_digits(text, at, 2, &rest)))
        return false;
    if (hours > 14 || rest > 59)
        return false;
    *minutes = (int32_t)(hours * 60 + rest) * (text.data[0] == '-' ? -1 : 1);
    return true;
}

bool time_from_iso(struct text text, int64_t *time_us, bool *has_offset, int32_t *offset_minutes)
{
    int64_t year, month, day, hour = 0, minute = 0, second = 0, local;
    size_t at = 10;
    *has_offset = false;
    *offset_minutes = 0;
    text = text_trim(text);
    if (!text_digits(text, 0, 4, &year) || !text_digits(text, 5, 2, &month) ||
        !text_digits(text, 8, 2, &day) || text.data[4] != '-' || text.data[7] != '-')
        return false;
    if (text.size > at) {
        if ((text.data[at] != 'T' && text.data[at] != 't' && text.data[at] != ' ') ||
            !text_digits(text, 11, 2, &hour) || !text_digits(text, 14, 2, &minute) ||
            text.data[13] != ':')
            return false;
        at = 16;
        if (at < text.size && text.data[at] == ':') {
            if (!text_digits(text, 17, 2, &second))
                return false;
            at = 19;
        }
        if (at < text.size && (text.data[at] == '.' || text.data[at] == ',')) {
            for (at++; at < text.size && text.data[at] >= '0' && text.data[at] <= '9';)
                at++;
        }
        struct text rest = text_trim(text_make(text.data + at, text.size - at));
        *has_offset = rest.size > 0;
        if (rest.size > 0 && !offset_from_text(rest, offset_minutes))
            return false;
    }
    if (!time_from_parts(year, month, day, hour, minute, second, &local))
        return false;
    *time_us = local - *offset_minutes * 60 * second_us;
    return true;
}

bool promise_from_iso(struct text text, int64_t *time_us)
{
    bool has_offset;
    int32_t minutes;
    if (!time_from_iso(text, time_us, &has_offset, &minutes))
        return false;
    if (text_trim(text).size == 10)
        *time_us += day_us - second_us;
    return true;
}

bool promise_from_compact(struct text date, struct text time, int64_t *time_us)
{
    if (text_trim(time).size > 0 && time_from_compact(date, time, time_us))
        return true;
    if (!time_from_compact(date, (struct text){0}, time_us))
        return false;
    *time_us += day_us - second_us;
    return true;
}

void date_to_compact(int64_t time_us, char date[9])
{
    struct civil_date of = civil_date_of_day(time_us / day_us);
    snprintf(date, 9, "%04u%02u%02u", (unsigned)of.year % 10000, (unsigned)of.month % 100,
             (unsigned)of.day % 100);
}

void date_to_iso(int64_t time_us, char date[11])
{
    civil_date_format(time_us / day_us, date);
}

void carrier_reference(struct text shipment_id, char reference[carrier_reference_size])
{
    static const char base_32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;
    bool plain = shipment_id.size > 0 && shipment_id.size < carrier_reference_size;
    for (size_t i = 0; i < shipment_id.size && plain; i++) {
        char byte = shipment_id.data[i];
        plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                (byte >= '0' && byte <= '9') || byte == '-';
    }
    memset(reference, 0, carrier_reference_size);
    if (plain) {
        memcpy(reference, shipment_id.data, shipment_id.size);
        return;
    }
    SHA256_Init(&context);
    if (shipment_id.size > 0)
        SHA256_Update(&context, shipment_id.data, shipment_id.size);
    SHA256_Final(digest, &context);
    reference[0] = 'W';
    for (size_t i = 1; i < carrier_reference_size - 1; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        reference[i] = base_32[pair >> (11 - bit % 8) & 31];
    }
}
