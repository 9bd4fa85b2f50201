/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: a fixed-size struct on the caller's stack.
 *
 * The contract, everywhere: int functions return 0 or -1 (pointers: NULL) and take `struct err *`
 * last. On success *err is untouched; on failure the outputs are untouched. The message names the
 * object, the value and the remedy. It is written where the failure is seen; callers going up may
 * put a context in front with err_prefix().
 *
 * What a code means outside (HTTP status, exit status, log level) is a table of src/api/failure.h:
 * nothing below knows HTTP.
 */
#ifndef CAREEN_BASE_ERR_H
#define CAREEN_BASE_ERR_H

enum err_code {
    ERR_NONE = 0,
    ERR_USAGE,       /* the command line or the call itself is wrong */
    ERR_INVALID,     /* a value is outside what its field allows */
    ERR_FORMAT,      /* bytes that are not what they claim to be (broken JSON, truncated gzip) */
    ERR_UNSUPPORTED, /* a known format or version that is not read here, refused by name */
    ERR_LIMIT,       /* a ceiling of base/limits.h was hit; the message names it */
    ERR_NOT_FOUND,   /* no such object */
    ERR_CONFLICT,    /* the object exists, or another one stands in the way */
    ERR_BUSY,        /* another writer holds the store: try again */
    ERR_DENIED,      /* the file system does not allow it */
    ERR_FORBIDDEN,   /* the caller has not been granted it */
    ERR_FULL,        /* no space left on the device */
    ERR_IO,          /* reading or writing failed */
    ERR_CORRUPT,     /* stored facts are damaged */
    ERR_VERSION,     /* the store was written by a newer version */
    ERR_NOMEM,       /* out of memory */
    ERR_LOADING,     /* the project is not in memory yet: try again */
    ERR_CODE_COUNT
};

struct err {
    enum err_code code;
    char message[1020];
};

/* Sets *err and returns -1, so that a failing function can end with `return err_set(...)`.
 * A message longer than the buffer is cut. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Like err_set, with the text of the current errno behind the message; picks ERR_FULL for ENOSPC
 * and EDQUOT, ERR_DENIED for EACCES, EPERM and EROFS, ERR_NOT_FOUND for ENOENT, ERR_NOMEM for
 * ENOMEM, else ERR_IO. */
int err_set_errno(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message of an *err that is set. Returns -1. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* err_set(err, ERR_NOMEM, "out of memory"). */
int err_nomem(struct err *err);

#endif
