/*
 * Goal: a rate_id that is not ours is refused, whatever it is, and one that is taken is the only
 * way to write what it says. Method: by the first byte, the rest as it came; or as the bytes below
 * a seal of our key, which is made here by OpenSSL's HMAC: a second opinion of the sealer's own.
 */
#include "platform/base/base64.h"
#include "platform/base/check.h"
#include "shipping/application/rate_id.h"
#include "shipping/domain/limits.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { arena_bytes_max = 64 * 1024, seal_size = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[33] = "the key that all processes share"; /* 32 bytes are of it */

/* The bytes with their seal, as a caller would bring them back. */
static struct text seal(struct arena *arena, const uint8_t *data, size_t size)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned mac_size = 0;
    char *bytes = arena_allocate(arena, size + seal_size);
    char *out = arena_allocate(arena, base64_room(size + seal_size));
    CHECK(bytes != NULL && out != NULL);
    memcpy(bytes, data, size);
    CHECK(HMAC(EVP_sha256(), key, 32, data, size, mac, &mac_size) != NULL);
    memcpy(bytes + size, mac, seal_size);
    size_t length = base64_encode(text_make(bytes, size + seal_size), false, out);
    for (size_t i = 0; i < length; i++)
        out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
    return text_make(out, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rate_sealer sealer;
    struct rate_offer offer;
    struct arena arena;
    if (size == 0 || size > shipping_rate_id_bytes_max)
        return 0;
    arena_init(&arena, arena_bytes_max);
    rate_sealer_init(&sealer, key);
    bool is_sealed_here = data[0] % 2 != 0;
    struct text rate_id =
        is_sealed_here ? seal(&arena, data + 1, size - 1) : text_make(data + 1, size - 1);
    if (rate_id_open(&arena, rate_id, &sealer, &offer) == RATE_ID_OPENED) {
        struct text again = rate_id_seal(&arena, &offer, &sealer);
        CHECK(again.data == NULL || text_equal(again, rate_id) || is_sealed_here);
        if (again.data != NULL)
            CHECK(rate_id_open(&arena, again, &sealer, &offer) == RATE_ID_OPENED);
    }
    arena_deinit(&arena);
    return 0;
}
