/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 on a thread beside the one that decompresses: of the bytes that it is given through a
 * ring of buffers, and of a blob, which it reads by itself when it has nothing else to do.
 *
 * Who fills a buffer may go on reading it until the next is asked for.
 */
#ifndef CAREEN_IMAGE_HASHING_H
#define CAREEN_IMAGE_HASHING_H

#include "codec/blob.h"
#include "codec/hash.h"

enum { HASHING_BUFFER_BYTES = 256 * 1024, HASHING_BUFFERS = 4 };

struct hashing;

/* Starts the thread. blob: what is hashed beside, or NULL; copied. NULL with ERR_NOMEM. */
struct hashing *hashing_start(const struct blob *blob, struct err *err);
/* The next buffer, of HASHING_BUFFER_BYTES; waits until it is free. */
unsigned char *hashing_buffer(struct hashing *hashing);
/* The first len bytes of that buffer come next. */
void hashing_give(struct hashing *hashing, size_t len);
/* Waits for all, and gives both digests (ret_blob is left alone without a blob). Errors of reading
 * the blob. */
int hashing_finish(struct hashing *hashing, unsigned char ret[SHA256_BYTES],
    unsigned char ret_blob[SHA256_BYTES], struct err *err);
/* Ends the thread, wherever it is, and frees; accepts NULL. */
void hashing_stop(struct hashing *hashing);
void hashing_cleanup(struct hashing **hashing);

#endif
