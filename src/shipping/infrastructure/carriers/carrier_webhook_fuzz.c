/*
 * The first byte chooses the carrier and whether the push is authentic; the rest is its body. What
 * is not authentic, because it shows the first bytes of the body for a credential, is refused
 * without a scan; what is has a verdict and readable scans.
 */
#include "platform/base/hexadecimal.h"
#include "shipping/domain/tracking_number.h"
#include "shipping/infrastructure/carriers/carrier_protocol.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "a secret";

static void sign(const uint8_t *body, size_t size, char hexadecimal[65])
{
    unsigned char mac[EVP_MAX_MD_SIZE] = {0};
    unsigned mac_size = 0;
    HMAC(EVP_sha256(), secret, sizeof secret - 1, body, size, mac, &mac_size);
    hexadecimal_write(mac, 32, hexadecimal);
}

/* The body's first bytes; of FedEx as many as a signature has, in Base64 or in hexadecimal. */
static struct text shown(const uint8_t *body, size_t size, unsigned carrier)
{
    size_t wanted = carrier != 1 ? 80 : size % 2 == 0 ? 44 : 64;
    return text_make(body, size < wanted ? size : wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct carrier_protocol *const protocols[] = {&ups_protocol, &fedex_protocol,
                                                               &dhl_protocol};
    static const char *const names[] = {"credential", "fdx-signature", "x-dhl-token"};
    struct carrier_settings settings = carrier_settings_default();
    struct carrier_webhook_result result = {.verdict = CARRIER_WEBHOOK_REFUSED};
    struct arena arena;
    char signature[65];
    unsigned sum = 0;
    if (size == 0)
        return 0;
    unsigned carrier = data[0] % 3;
    bool authentic = data[0] < 240;
    settings.webhook_secret = secret;
    sign(data + 1, size - 1, signature);
    struct carrier_header header = {text_of(names[carrier]),
                                    text_of(carrier == 1 ? signature : secret)};
    if (!authentic)
        header.value = shown(data + 1, size - 1, carrier);
    if (!authentic && text_equals_string(text_trim(header.value), secret))
        return 0;
    struct carrier_webhook webhook = {
        .headers = &header, .header_count = 1, .body = text_make(data + 1, size - 1)};
    arena_init(&arena, (size_t)64 * 1024 * 1024);
    struct error error = protocols[carrier]->read_webhook(&settings, &webhook, &arena, &result);
    if (!error_is(error) && (result.verdict == CARRIER_WEBHOOK_REFUSED) == authentic)
        abort();
    if (!authentic && result.scan_count > 0)
        abort();
    for (size_t i = 0; i < result.scan_count; i++) {
        sum += (unsigned)tracking_number_kind_of(result.scans[i].tracking_number);
        for (size_t j = 0; j < result.scans[i].carrier_code.size; j++)
            sum += (unsigned char)result.scans[i].carrier_code.data[j];
        for (size_t j = 0; j < result.scans[i].city.size; j++)
            sum += (unsigned char)result.scans[i].city.data[j];
    }
    arena_deinit(&arena);
    return sum == 1 ? 0 : 0;
}
