/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image references: [registry[:port]/]repository[:tag][@digest]
 * (distribution/reference, grammar in its package comment).
 */
#ifndef CAREEN_MODEL_REFERENCE_H
#define CAREEN_MODEL_REFERENCE_H

#include "base/arena.h"
#include "codec/hash.h"

struct reference {
    struct slice name;   /* as given, registry included, without tag and digest */
    struct slice tag;    /* empty when not given */
    struct slice digest; /* "sha256:..." or empty */
};

/* Splits text; the slices point into it. ERR_INVALID, naming the text, when it is no reference:
 * blanks or control characters, an empty name or part of it, a file path or URL, characters that no
 * registry allows, a tag over 128 characters, a digest without algorithm. Upper case in the
 * repository is accepted as given; how long a digest's hex is, digest_is_valid() says. "host:5000"
 * is the repository "host" with the tag "5000", as everywhere. */
int reference_parse(struct slice text, struct reference *ret, struct err *err);
/* The repository for identity: "docker.io/", "index.docker.io/" and "library/" in front are
 * dropped, so "nginx", "docker.io/nginx" and "docker.io/library/nginx" are one. Points into name.
 */
struct slice reference_repository(struct slice name);
/* "sha256:" and 64 lower-case hex digits. */
bool digest_is_valid(struct slice digest);
enum { DIGEST_TEXT_BYTES = sizeof("sha256:") + 2 * SHA256_BYTES };
/* The text of a hash, NUL-terminated. */
void digest_write(const unsigned char hash[SHA256_BYTES], char ret[DIGEST_TEXT_BYTES]);

#endif
