#ifndef WAYBILL_PLATFORM_IO_TLS_H
#define WAYBILL_PLATFORM_IO_TLS_H

#include "platform/base/error.h"
#include "platform/base/text.h"

#include <openssl/types.h>
#include <stdbool.h>

/*
 * TLS 1.2 and 1.3 by OpenSSL (RFC 8446, RFC 9325 for what is left out), with ALPN (RFC 7301) for h2
 * and http/1.1. A tls_identity holds what one side shows and whom it believes; sessions are made
 * from it. Certificates may be renewed under a running process: the identity is read again when a
 * file of it has changed, sessions that exist keep the old one.
 * Thread: any.
 */
struct tls_identity;

struct tls_settings {
    const char
        *certificate; /* PEM, the chain, own one first; NULL = none (a client may have none) */
    const char *key;  /* PEM */
    const char
        *authorities; /* PEM of those believed; NULL = server: none asked, client: the system's */
};

/*
 * Errors: INVALID_SETTING with the file and what is wrong with it (missing, no PEM, a key that does
 * not fit, expired), OUT_OF_MEMORY.
 */
struct error tls_server_identity_create(struct tls_identity **identity,
                                        const struct tls_settings *settings);
struct error tls_client_identity_create(struct tls_identity **identity,
                                        const struct tls_settings *settings);
/* Sessions may live on. NULL is allowed. */
void tls_identity_destroy(struct tls_identity *identity);

/*
 * Reads the files again if one of them has changed since. What cannot be used is logged as a
 * warning and left: the old identity goes on. True if there is a new one.
 */
bool tls_identity_refresh(struct tls_identity *identity);

/*
 * One connection's, over memory: bytes from the peer go into its read BIO, bytes for the peer come
 * out of its write BIO. A client's checks that the peer is `server_name` (a name or an address).
 * NULL without memory. Release with SSL_free.
 */
SSL *tls_session_create(struct tls_identity *identity, const char *server_name);

/* What ALPN settled on: "h2", "http/1.1", or empty. */
struct text tls_session_protocol(const SSL *session);

/* Takes OpenSSL's first queued reason, for people; "" if there is none. */
const char *tls_reason(void);

#endif
