/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings as a log in SARIF (OASIS, version 2.1.0): one run of the tool Careen, whose rules are
 * the vulnerabilities and whose results are the rows.
 *
 * A result says where (the image, NAME:TAG@DIGEST as a relative URI), how bad (level), and whether
 * it is ignored (suppressions); its properties are the row as the call gives it. Results come
 * before the rules, which are not known sooner: an object's members have no order (RFC 8259). Only
 * the names of rules are kept, of SARIF_RULES_MAX vulnerabilities at most: results of others name
 * their rule, and nothing more is said of it.
 */
#ifndef CAREEN_API_FINDINGS_SARIF_H
#define CAREEN_API_FINDINGS_SARIF_H

#include "api/affected_render.h"
#include "base/intern.h"

enum { SARIF_RULES_MAX = 20000 };

struct sarif {
    struct intern rules;  /* names of vulnerabilities; rule i is string i + 1 */
    unsigned char *worst; /* enum necessity, by rule; owned */
    size_t rules_written;
    bool any_result, ending;
    struct buf reference; /* the image, for messages */
    struct buf message;
};

int sarif_init(struct sarif *sarif, struct err *err);
/* Accepts one that is all zeros. */
void sarif_release(struct sarif *sarif);

void sarif_begin(struct sarif *sarif, struct buf *out);
/* Writes the members that the results of an image share, and notes its name. */
void sarif_write_image(struct sarif *sarif, const struct image *image, struct json_writer *w);
/* A result of the image that was written last, with these members; turns as for
 * affected_write_row_of(). */
void sarif_write_result(struct sarif *sarif, const struct affected_row *row, struct slice image,
    const struct slice turns[AFFECTED_TURNS], struct buf *out);
/* See findings_write_end(). */
bool sarif_end(struct sarif *sarif, size_t bytes, struct buf *out);

#endif
