/*
 * An SSL_CTX a version of the files; SSL_new counts a reference to it, so replacing it under a
 * mutex leaves running sessions alone. Changes are found by the files' modification time and inode,
 * since renewals are renames.
 *
 * Left out on purpose: renegotiation, compression, session tickets across processes, TLS below 1.2,
 * client certificates that are merely asked for (they are demanded or not asked).
 */
#include "platform/io/tls.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { tls_files = 3, tls_path_bytes_max = 1024 };

struct tls_file {
    char path[tls_path_bytes_max]; /* "" = none */
    struct timespec changed;
    ino_t inode;
};

struct tls_identity {
    bool is_server;
    struct tls_file certificate;
    struct tls_file key;
    struct tls_file authorities;
    pthread_mutex_t mutex; /* guards context */
    SSL_CTX *context;
};

static const unsigned char server_protocols[] = "\x02h2\x08http/1.1";
static const unsigned char client_protocols[] = "\x02h2";

const char *tls_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == NULL ? "" : reason;
}

/* --- files --- */

static struct error note_path(struct tls_file *file, const char *path)
{
    if (path == NULL)
        return error_none();
    if (strlen(path) >= sizeof file->path)
        return error_make(ERROR_INVALID_SETTING, "the path of a PEM file is too long");
    strcpy(file->path, path);
    return error_none();
}

/* Whether the file is another one than when it was looked at last; notes what it is now. */
static bool has_changed(struct tls_file *file)
{
    struct stat now;
    if (file->path[0] == '\0' || stat(file->path, &now) != 0)
        return false;
    bool changed = now.st_ino != file->inode || now.st_mtim.tv_sec != file->changed.tv_sec ||
                   now.st_mtim.tv_nsec != file->changed.tv_nsec;
    file->inode = now.st_ino;
    file->changed = now.st_mtim;
    return changed;
}

static bool any_has_changed(struct tls_identity *identity)
{
    bool certificate = has_changed(&identity->certificate);
    bool key = has_changed(&identity->key);
    bool authorities = has_changed(&identity->authorities);
    return certificate || key || authorities;
}

/* --- contexts --- */

static int choose_protocol(SSL *session, const unsigned char **chosen, unsigned char *chosen_size,
                           const unsigned char *offered, unsigned offered_size, void *context)
{
    unsigned char *found;
    (void)session;
    (void)context;
    int result = SSL_select_next_proto(&found, chosen_size, server_protocols,
                                       sizeof server_protocols - 1, offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static struct error load_certificate(const struct tls_identity *identity, SSL_CTX *context)
{
    const char *certificate = identity->certificate.path;
    const char *key = identity->key.path;
    if (certificate[0] == '\0' && key[0] == '\0' && !identity->is_server)
        return error_none();
    if (certificate[0] == '\0' || key[0] == '\0')
        return error_make(ERROR_INVALID_SETTING, "TLS needs both a certificate and its key");
    if (access(certificate, R_OK) != 0)
        return error_make(ERROR_INVALID_SETTING, "%s: %s", certificate, strerror(errno));
    if (access(key, R_OK) != 0)
        return error_make(ERROR_INVALID_SETTING, "%s: %s", key, strerror(errno));
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return error_make(ERROR_INVALID_SETTING, "%s: no certificate in PEM form: %s", certificate,
                          tls_reason());
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return error_make(ERROR_INVALID_SETTING, "%s: no key in PEM form that fits %s: %s", key,
                          certificate, tls_reason());
    if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context))) < 0)
        return error_make(ERROR_INVALID_SETTING, "%s: the certificate has expired", certificate);
    return error_none();
}

static struct error load_authorities(const struct tls_identity *identity, SSL_CTX *context)
{
    const char *path = identity->authorities.path;
    if (path[0] == '\0') {
        if (!identity->is_server) {
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
            SSL_CTX_set_default_verify_paths(context);
        }
        return error_none();
    }
    if (access(path, R_OK) != 0)
        return error_make(ERROR_INVALID_SETTING, "%s: %s", path, strerror(errno));
    if (SSL_CTX_load_verify_file(context, path) != 1)
        return error_make(ERROR_INVALID_SETTING, "%s: no certificates in PEM form: %s", path,
                          tls_reason());
    int mode = SSL_VERIFY_PEER;
    if (identity->is_server) {
        mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(path));
    }
    SSL_CTX_set_verify(context, mode, NULL);
    return error_none();
}

static void set_rules(const struct tls_identity *identity, SSL_CTX *context)
{
    static const unsigned char name[] = "waybill"; /* sessions resumed are of this program */
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* RFC 9113 section 9.2.2 and RFC 9325: forward secrecy and AEAD only. */
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    if (identity->is_server)
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    else
        SSL_CTX_set_alpn_protos(context, client_protocols, sizeof client_protocols - 1);
}

static struct error make_context(const struct tls_identity *identity, SSL_CTX **made)
{
    SSL_CTX *context = SSL_CTX_new(identity->is_server ? TLS_server_method() : TLS_client_method());
    if (context == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "TLS");
    set_rules(identity, context);
    struct error error = load_certificate(identity, context);
    if (!error_is(error))
        error = load_authorities(identity, context);
    if (error_is(error))
        SSL_CTX_free(context);
    else
        *made = context;
    return error;
}

static struct error create(struct tls_identity **identity, const struct tls_settings *settings,
                           bool is_server)
{
    struct tls_identity *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "TLS");
    made->is_server = is_server;
    pthread_mutex_init(&made->mutex, NULL);
    struct error error = note_path(&made->certificate, settings->certificate);
    if (!error_is(error))
        error = note_path(&made->key, settings->key);
    if (!error_is(error))
        error = note_path(&made->authorities, settings->authorities);
    if (!error_is(error)) {
        (void)any_has_changed(made);
        error = make_context(made, &made->context);
    }
    if (error_is(error)) {
        tls_identity_destroy(made);
        return error;
    }
    *identity = made;
    return error;
}

struct error tls_server_identity_create(struct tls_identity **identity,
                                        const struct tls_settings *settings)
{
    return create(identity, settings, true);
}

struct error tls_client_identity_create(struct tls_identity **identity,
                                        const struct tls_settings *settings)
{
    return create(identity, settings, false);
}

void tls_identity_destroy(struct tls_identity *identity)
{
    if (identity == NULL)
        return;
    SSL_CTX_free(identity->context);
    pthread_mutex_destroy(&identity->mutex);
    memory_release(identity);
}

bool tls_identity_refresh(struct tls_identity *identity)
{
    SSL_CTX *context = NULL;
    pthread_mutex_lock(&identity->mutex);
    bool refreshed = false;
    if (any_has_changed(identity)) {
        struct error error = make_context(identity, &context);
        if (error_is(error)) {
            struct log_field field = log_text("why", text_of(error.detail));
            log_event(LOG_LEVEL_WARNING, "new TLS files cannot be used, the old ones stay", &field,
                      1);
        } else {
            SSL_CTX_free(identity->context);
            identity->context = context;
            refreshed = true;
        }
    }
    pthread_mutex_unlock(&identity->mutex);
    return refreshed;
}

/* --- sessions --- */

/* Who the server must be: RFC 9525; an address is checked as one, and takes no SNI. */
static bool expect_server(SSL *session, const char *server_name)
{
    unsigned char address[16];
    X509_VERIFY_PARAM *rules = SSL_get0_param(session);
    if (inet_pton(AF_INET, server_name, address) == 1 ||
        inet_pton(AF_INET6, server_name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(rules, server_name) == 1;
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(rules, server_name, 0) == 1 &&
           SSL_set_tlsext_host_name(session, server_name) == 1;
}

SSL *tls_session_create(struct tls_identity *identity, const char *server_name)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    pthread_mutex_lock(&identity->mutex);
    SSL *session = SSL_new(identity->context);
    pthread_mutex_unlock(&identity->mutex);
    if (session == NULL || in == NULL || out == NULL) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(session);
        return NULL;
    }
    SSL_set_bio(session, in, out);
    if (identity->is_server) {
        SSL_set_accept_state(session);
        return session;
    }
    SSL_set_connect_state(session);
    if (!expect_server(session, server_name)) {
        SSL_free(session);
        return NULL;
    }
    return session;
}

struct text tls_session_protocol(const SSL *session)
{
    const unsigned char *name;
    unsigned size;
    SSL_get0_alpn_selected(session, &name, &size);
    return text_make(name, size);
}
