/* SPDX-License-Identifier: Apache-2.0 */
/* See tls.h. Debian's servers read keys as root or as a member of the group ssl-cert (mode 0640):
 * only a key that everybody may read is called exposed. */
#include "http/tls.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = 1024 * 1024, CHAIN_MAX = 16, KEY_ID_BYTES = 32 };

/* TLS 1.2 with forward secrecy and authenticated ciphers only; what 1.3 has is of that kind. */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA"
    ":-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD"
    ":-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE";

struct tls_identity {
    unsigned references; /* under the lock of struct tls */
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned length;
    gnutls_privkey_t key;
    struct tls_info info;
};

struct tls {
    char *certificate, *key; /* file names; owned */
    pthread_mutex_t lock;
    struct tls_identity *now; /* holds a reference */
};

/* The bytes of a PEM file; they are wiped, for one of them is the key. */
struct pem {
    char *bytes;
    size_t len;
    mode_t mode;
};

static void pem_release(struct pem *pem)
{
    if (pem->bytes)
        explicit_bzero(pem->bytes, FILE_BYTES + 1);
    free(pem->bytes);
}

static int pem_read(const char *path, const char *what, struct pem *pem, struct err *err)
{
    int fd CLEANUP(cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    ssize_t got = 1;

    if (fd < 0 || fstat(fd, &status) < 0)
        return err_set_errno(err, "cannot read the TLS %s %s", what, path);
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode))
        return err_set(err, ERR_FORMAT, "the TLS %s %s is not a file", what, path);
    pem->mode = status.st_mode;
    pem->bytes = calloc(1, FILE_BYTES + 1);
    if (!pem->bytes)
        return err_nomem(err);
    while (got && pem->len <= FILE_BYTES) {
        got = read(fd, pem->bytes + pem->len, FILE_BYTES + 1 - pem->len);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got < 0)
            return err_set_errno(err, "cannot read the TLS %s %s", what, path);
        else
            pem->len += (size_t)got;
    }
    if (pem->len > FILE_BYTES)
        return err_set(err, ERR_LIMIT,
            "the TLS %s %s is larger than the limit of %d bytes: it is "
            "no PEM file of one %s",
            what, path, (int)FILE_BYTES, what);
    return 0;
}

static gnutls_datum_t pem_datum(const struct pem *pem)
{
    return (gnutls_datum_t){.data = (unsigned char *)pem->bytes, .size = (unsigned)pem->len};
}

static int bad_chain(const char *path, int why, struct err *err)
{
    if (why == GNUTLS_E_NO_CERTIFICATE_FOUND)
        return err_set(err, ERR_FORMAT,
            "%s holds no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\"): name the file "
            "with the server's certificate and its chain",
            path);
    if (why == GNUTLS_E_CERTIFICATE_LIST_UNSORTED)
        return err_set(err, ERR_FORMAT,
            "the certificates in %s are not in order: put the server's own first, and behind each "
            "the one that signed it",
            path);
    if (why == GNUTLS_E_SHORT_MEMORY_BUFFER)
        return err_set(err, ERR_LIMIT, "%s holds more than %d certificates: leave only the chain",
            path, (int)CHAIN_MAX);
    return err_set(
        err, ERR_FORMAT, "cannot read the certificates in %s: %s", path, gnutls_strerror(why));
}

static int load_chain(struct tls_identity *identity, const char *path, struct err *err)
{
    struct pem pem CLEANUP(pem_release) = {0};
    gnutls_x509_crt_t certificates[CHAIN_MAX] = {0};
    unsigned count = CHAIN_MAX;
    gnutls_datum_t datum;
    int wrong;

    if (pem_read(path, "certificate", &pem, err) < 0)
        return -1;
    datum = pem_datum(&pem);
    wrong = gnutls_x509_crt_list_import(certificates, &count, &datum, GNUTLS_X509_FMT_PEM,
        GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED | GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (wrong < 0)
        return bad_chain(path, wrong, err);
    identity->info.not_before_ms = gnutls_x509_crt_get_activation_time(certificates[0]) * 1000;
    identity->info.not_after_ms = gnutls_x509_crt_get_expiration_time(certificates[0]) * 1000;
    wrong = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!wrong && !(wrong = gnutls_pcert_import_x509(&identity->chain[i], certificates[i], 0)))
            identity->length++;
        gnutls_x509_crt_deinit(certificates[i]);
    }
    return wrong ? bad_chain(path, wrong, err) : 0;
}

static int load_key(struct tls_identity *identity, const char *path, struct err *err)
{
    struct pem pem CLEANUP(pem_release) = {0};
    gnutls_datum_t datum;
    int wrong;

    if (pem_read(path, "key", &pem, err) < 0)
        return -1;
    if (strstr(pem.bytes, "ENCRYPTED"))
        return err_set(err, ERR_FORMAT,
            "the TLS key %s is encrypted, and nobody is there to type its password: decrypt it "
            "with 'openssl pkey -in FILE -out FILE' and give it mode 0600",
            path);
    datum = pem_datum(&pem);
    if (gnutls_privkey_init(&identity->key) < 0)
        return err_nomem(err);
    wrong = gnutls_privkey_import_x509_raw(identity->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (wrong < 0)
        return err_set(err, ERR_FORMAT,
            "%s holds no private key in PEM form (\"-----BEGIN PRIVATE KEY-----\"): %s", path,
            gnutls_strerror(wrong));
    identity->info.key_exposed = (pem.mode & S_IROTH) != 0;
    return 0;
}

static bool key_id(gnutls_pubkey_t key, unsigned char id[KEY_ID_BYTES])
{
    size_t len = KEY_ID_BYTES;

    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id, &len) == 0;
}

static bool key_belongs(const struct tls_identity *identity)
{
    unsigned char leaf[KEY_ID_BYTES], own[KEY_ID_BYTES];
    gnutls_pubkey_t key = NULL;
    bool belongs = gnutls_pubkey_init(&key) == 0 &&
                   gnutls_pubkey_import_privkey(key, identity->key, 0, 0) == 0 &&
                   key_id(key, own) && key_id(identity->chain[0].pubkey, leaf) &&
                   !memcmp(leaf, own, KEY_ID_BYTES);

    if (key)
        gnutls_pubkey_deinit(key);
    return belongs;
}

static void identity_free(struct tls_identity *identity)
{
    for (unsigned i = 0; i < identity->length; i++)
        gnutls_pcert_deinit(&identity->chain[i]);
    if (identity->key)
        gnutls_privkey_deinit(identity->key);
    free(identity);
}

static struct tls_identity *identity_load(const char *certificate, const char *key, struct err *err)
{
    struct tls_identity *identity = calloc(1, sizeof(*identity));

    if (!identity) {
        err_nomem(err);
        return NULL;
    }
    identity->references = 1;
    if (load_chain(identity, certificate, err) < 0 || load_key(identity, key, err) < 0) {
        identity_free(identity);
        return NULL;
    }
    if (!key_belongs(identity)) {
        identity_free(identity);
        err_set(err, ERR_FORMAT,
            "the TLS key %s does not belong to the first certificate in %s: name the key that this "
            "certificate was made for, and put the server's own certificate first",
            key, certificate);
        return NULL;
    }
    return identity;
}

int tls_check(const char *certificate, const char *key, struct tls_info *ret, struct err *err)
{
    struct tls_identity *identity = identity_load(certificate, key, err);

    if (!identity)
        return -1;
    *ret = identity->info;
    identity_free(identity);
    return 0;
}

struct tls *tls_open(const char *certificate, const char *key, struct err *err)
{
    struct tls *tls = calloc(1, sizeof(*tls));

    if (!tls) {
        err_nomem(err);
        return NULL;
    }
    pthread_mutex_init(&tls->lock, NULL);
    tls->certificate = strdup(certificate);
    tls->key = strdup(key);
    if (!tls->certificate || !tls->key)
        err_nomem(err);
    else
        tls->now = identity_load(certificate, key, err);
    if (!tls->now) {
        tls_close(tls);
        return NULL;
    }
    return tls;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    tls_leave(tls, tls->now);
    pthread_mutex_destroy(&tls->lock);
    free(tls->certificate);
    free(tls->key);
    free(tls);
}

int tls_reload(struct tls *tls, struct err *err)
{
    struct tls_identity *fresh = identity_load(tls->certificate, tls->key, err), *old;

    if (!fresh)
        return -1;
    pthread_mutex_lock(&tls->lock);
    old = tls->now;
    tls->now = fresh;
    pthread_mutex_unlock(&tls->lock);
    tls_leave(tls, old);
    return 0;
}

struct tls_info tls_info(struct tls *tls)
{
    struct tls_info info;

    pthread_mutex_lock(&tls->lock);
    info = tls->now->info;
    pthread_mutex_unlock(&tls->lock);
    return info;
}

struct tls_identity *tls_join(struct tls *tls, void *session)
{
    struct tls_identity *identity;

    pthread_mutex_lock(&tls->lock);
    identity = tls->now;
    identity->references++;
    pthread_mutex_unlock(&tls->lock);
    gnutls_session_set_ptr(session, identity);
    return identity;
}

void tls_refuse(void *session)
{
    gnutls_session_set_ptr(session, NULL);
}

void tls_leave(struct tls *tls, struct tls_identity *identity)
{
    bool last;

    if (!identity)
        return;
    pthread_mutex_lock(&tls->lock);
    last = --identity->references == 0;
    pthread_mutex_unlock(&tls->lock);
    if (last)
        identity_free(identity);
}

/* A gnutls_certificate_retrieve_function2. */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
    const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **chain,
    unsigned *length, gnutls_privkey_t *key)
{
    struct tls_identity *identity = gnutls_session_get_ptr(session);

    (void)authorities;
    (void)count;
    (void)algorithms;
    (void)algorithm_count;
    if (!identity)
        return -1;
    *chain = identity->chain;
    *length = identity->length;
    *key = identity->key;
    return 0;
}

tls_hook tls_certificate_hook(void)
{
    return (tls_hook)retrieve;
}

const char *tls_priorities(void)
{
    return priorities;
}

void tls_send(void *session, const char *bytes, size_t len)
{
    while (len) {
        ssize_t sent = gnutls_record_send(session, bytes, len);

        if (sent == GNUTLS_E_INTERRUPTED)
            continue;
        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}
