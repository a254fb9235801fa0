/*
 * The digits are the first two times 8 bytes of the digest modulo 10^10: what that bends away from
 * equal chances is far below what matters. The digest takes a little memory of OpenSSL's; without
 * it there is no number, for a wrong one would be shared by everybody.
 */
#include "shipping/infrastructure/tariff/tariff_number.h"

#include "platform/base/check.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { size = tariff_number_size - 1, checked = size - 2 };

static const char prefix[] = "WB";

/* The rest modulo 97 of the number that letters and digits make. */
static unsigned rest_97(const char *text, size_t length)
{
    unsigned rest = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 'A')
            rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
        else
            rest = (rest * 10 + (unsigned)(c - '0')) % 97;
    }
    return rest;
}

static uint64_t ten_digits(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value % UINT64_C(10000000000);
}

bool tariff_number_make(struct text shipment_id, size_t parcel, char number[tariff_number_size])
{
    unsigned char digest[EVP_MAX_MD_SIZE] = {0};
    CHECK(parcel >= 1 && parcel <= 99);
    if (EVP_Digest(shipment_id.data, shipment_id.size, digest, NULL, EVP_sha256(), NULL) != 1)
        return false;
    snprintf(number, tariff_number_size, "%s%010" PRIu64 "%010" PRIu64 "%02u", prefix,
             ten_digits(digest), ten_digits(digest + 8), (unsigned)parcel % 100);
    /* The check digits make the whole 1 modulo 97. */
    unsigned check = 98 - rest_97(number, checked) * 100 % 97;
    snprintf(number + checked, 3, "%02u", check % 100);
    return true;
}

bool tariff_number_is(struct text number)
{
    if (number.size != size || memcmp(number.data, prefix, sizeof prefix - 1) != 0)
        return false;
    for (size_t i = sizeof prefix - 1; i < size; i++) {
        if (number.data[i] < '0' || number.data[i] > '9')
            return false;
    }
    return rest_97(number.data, size) == 1;
}
