/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key file DATA/secret.key: 64 hex digits, mode 0600, made when it is first needed. What must
 * be stored in a readable form (the SKs of access keys: verifying a signature takes them) is sealed
 * with it, so a copy of careen.db alone gives nobody's key away. Login tokens are authenticated by
 * it, too.
 */
#ifndef CAREEN_AUTH_SEAL_H
#define CAREEN_AUTH_SEAL_H

#include "base/buf.h"
#include "codec/crypto.h"

#define SEAL_FILE "secret.key"

struct seal {
    unsigned char key[SEALING_KEY_BYTES];
};

/* Reads the key file. ERR_NOT_FOUND when there is none; ERR_DENIED when others may read it;
 * ERR_CORRUPT when it is not a key. Messages name the file and the remedy. */
int seal_read(const char *data_dir, struct seal *ret, struct err *err);
/* The same, making the file where there is none. Two that make it at once get the same key. */
int seal_read_or_make(const char *data_dir, struct seal *ret, struct err *err);
void seal_forget(struct seal *seal); /* wipes it */

/* For backups: what the key file holds, and the making of the file from that. seal_install() finds
 * ERR_CORRUPT when the text is no key, ERR_CONFLICT when another key is there. */
enum { SEAL_TEXT_BYTES = 2 * SEALING_KEY_BYTES + 2 };
void seal_text(const struct seal *seal, char ret[SEAL_TEXT_BYTES]); /* with its NUL */
int seal_install(const char *data_dir, struct slice text, struct err *err);

/* Seals a secret for its owner (an AK): only under that name does it open again. */
void seal_secret(const struct seal *seal, struct slice secret, struct slice owner, struct buf *ret);
/* Into dst (cap bytes); *ret_len. ERR_CORRUPT when the key file is another one than it was sealed
 * with: the message says so. */
int seal_open(const struct seal *seal, const char *data_dir, struct slice sealed,
    struct slice owner, char *dst, size_t cap, size_t *ret_len, struct err *err);

#endif
