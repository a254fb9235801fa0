/*
 * Version, the fields of the offer in the platform's codec, then 32 bytes of seal over all before
 * it. What is opened is believed only after the seal was compared, in constant time.
 *
 * An answer seals a dozen rates: HMAC of RFC 2104 over SHA-256's two states that the key has
 * already passed through costs a quarter of OpenSSL's, which looks its algorithms up and takes
 * memory each time, and cannot fail. OpenSSL calls this SHA-256 deprecated in favour of one that
 * does.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "shipping/application/rate_id.h"

#include "platform/base/base64.h"
#include "platform/base/codec.h"
#include "shipping/domain/carrier.h"
#include "shipping/domain/limits.h"

#include <openssl/crypto.h>
#include <string.h>

enum {
    version = 2, /* 1 did not tell the parts of the facts apart */
    seal_size = 32,
    fields_size_max = 1 + 2 * varint_bytes_max + carrier_name_size +
                      shipping_service_code_bytes_max + 3 + varint_bytes_max + 8 + 32 +
                      4 * consignment_part_count,
};

static void begin(SHA256_CTX *state, const char key[32], unsigned char with)
{
    unsigned char block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (unsigned char)((i < 32 ? (unsigned char)key[i] : 0) ^ with);
    SHA256_Init(state);
    SHA256_Update(state, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

void rate_sealer_init(struct rate_sealer *sealer, const char key[32])
{
    begin(&sealer->inner, key, 0x36);
    begin(&sealer->outer, key, 0x5C);
}

static void make_seal(struct text bytes, const struct rate_sealer *sealer, char seal[seal_size])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX state = sealer->inner;
    SHA256_Update(&state, bytes.data, bytes.size);
    SHA256_Final(digest, &state);
    state = sealer->outer;
    SHA256_Update(&state, digest, sizeof digest);
    SHA256_Final((unsigned char *)seal, &state);
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

struct text rate_id_seal(struct arena *arena, const struct rate_offer *offer,
                         const struct rate_sealer *sealer)
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
    write_bytes(&writer, offer->facts.hash, sizeof offer->facts.hash);
    for (size_t i = 0; i < consignment_part_count; i++)
        write_uint32(&writer, offer->facts.parts[i]);
    size_t size = (size_t)(writer.at - bytes);
    char *out = arena_allocate(arena, base64_room(size + seal_size));
    if (out == NULL)
        return (struct text){0};
    make_seal(text_make(bytes, size), sealer, bytes + size);
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

enum rate_id_verdict rate_id_open(struct arena *arena, struct text rate_id,
                                  const struct rate_sealer *sealer, struct rate_offer *offer)
{
    char seal[seal_size];
    size_t size = 0;
    *offer = (struct rate_offer){0};
    if (rate_id.size > shipping_rate_id_bytes_max)
        return RATE_ID_ALIEN;
    char *bytes = arena_allocate(arena, rate_id.size + 4);
    if (bytes == NULL || !base64_decode(rate_id, bytes, &size) || size <= seal_size ||
        !is_canonical(text_make(bytes, size), rate_id))
        return RATE_ID_ALIEN;
    size -= seal_size;
    make_seal(text_make(bytes, size), sealer, seal);
    if (CRYPTO_memcmp(seal, bytes + size, seal_size) != 0)
        return RATE_ID_ALIEN;
    struct byte_reader reader = byte_reader_of(text_make(bytes, size));
    if (read_uint8(&reader) != version)
        return RATE_ID_OUTDATED;
    offer->carrier = read_text(&reader);
    offer->service_code = read_text(&reader);
    read_bytes(&reader, offer->amount.currency_code, 3);
    offer->amount.amount_minor = read_quantity(&reader);
    offer->expire_time_us = (int64_t)read_uint64(&reader);
    read_bytes(&reader, offer->facts.hash, sizeof offer->facts.hash);
    for (size_t i = 0; i < consignment_part_count; i++)
        offer->facts.parts[i] = read_uint32(&reader);
    return !reader.failed && reader.at == reader.end ? RATE_ID_OPENED : RATE_ID_ALIEN;
}
