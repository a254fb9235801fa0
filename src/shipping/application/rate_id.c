/*
 * Version, the fields of the offer in the platform's codec, then 32 bytes of seal over all before
 * it. What is opened is believed only after the seal was compared, in constant time.
 */
#include "shipping/application/rate_id.h"

#include "platform/base/base64.h"
#include "platform/base/codec.h"
#include "shipping/domain/carrier.h"
#include "shipping/domain/limits.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum {
    version = 1,
    seal_size = 32,
    fields_size_max = 1 + 2 * varint_bytes_max + carrier_name_size +
                      shipping_service_code_bytes_max + 3 + varint_bytes_max + 8 + 32,
};

static bool make_seal(struct text bytes, const char key[32], char seal[seal_size])
{
    unsigned size = 0;
    return HMAC(EVP_sha256(), key, 32, (const unsigned char *)bytes.data, bytes.size,
                (unsigned char *)seal, &size) != NULL &&
           size == seal_size;
}

/* The alphabet of RFC 4648 section 5, which may stand in a URL. */
static void make_url_safe(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '+')
            *text = '-';
        else if (*text == '/')
            *text = '_';
    }
}

struct text rate_id_seal(struct arena *arena, const struct rate_offer *offer, const char key[32])
{
    char bytes[fields_size_max + seal_size];
    struct byte_writer writer = {bytes};
    if (offer->carrier.size >= carrier_name_size ||
        offer->service_code.size > shipping_service_code_bytes_max)
        return (struct text){0};
    write_uint8(&writer, version);
    write_text(&writer, offer->carrier);
    write_text(&writer, offer->service_code);
    write_bytes(&writer, offer->amount.currency_code, 3);
    write_varint(&writer, (uint64_t)offer->amount.amount_minor);
    write_uint64(&writer, (uint64_t)offer->expire_time_us);
    write_bytes(&writer, offer->facts, sizeof offer->facts);
    size_t size = (size_t)(writer.at - bytes);
    char *out = arena_allocate(arena, base64_room(sizeof bytes));
    if (out == NULL || !make_seal(text_make(bytes, size), key, bytes + size))
        return (struct text){0};
    size_t length = base64_encode(text_make(bytes, size + seal_size), false, out);
    make_url_safe(out);
    return text_make(out, length);
}

/* Whether the text is the one way to write these bytes: Base64 has spare bits at its end. */
static bool is_canonical(struct text bytes, struct text rate_id)
{
    char again[(shipping_rate_id_bytes_max + 4) * 4 / 3 + 8];
    size_t size = base64_encode(bytes, false, again);
    make_url_safe(again);
    return text_equal(text_make(again, size), rate_id);
}

bool rate_id_open(struct arena *arena, struct text rate_id, const char key[32],
                  struct rate_offer *offer)
{
    char seal[seal_size];
    size_t size = 0;
    *offer = (struct rate_offer){0};
    if (rate_id.size > shipping_rate_id_bytes_max)
        return false;
    char *bytes = arena_allocate(arena, rate_id.size + 4);
    if (bytes == NULL || !base64_decode(rate_id, bytes, &size) || size <= seal_size ||
        !is_canonical(text_make(bytes, size), rate_id))
        return false;
    size -= seal_size;
    if (!make_seal(text_make(bytes, size), key, seal) ||
        CRYPTO_memcmp(seal, bytes + size, seal_size) != 0)
        return false;
    struct byte_reader reader = byte_reader_of(text_make(bytes, size));
    uint8_t found = read_uint8(&reader);
    offer->carrier = read_text(&reader);
    offer->service_code = read_text(&reader);
    read_bytes(&reader, offer->amount.currency_code, 3);
    offer->amount.amount_minor = read_quantity(&reader);
    offer->expire_time_us = (int64_t)read_uint64(&reader);
    read_bytes(&reader, offer->facts, sizeof offer->facts);
    return found == version && !reader.failed && reader.at == reader.end;
}
