/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the IAM calls as JSON (contract, sections 2.5 and 3). Every value is a string but
 * for `enabled` and `is_domain`, as the SDKs demand. */
#ifndef CAREEN_API_IAM_RENDER_H
#define CAREEN_API_IAM_RENDER_H

#include "auth/principals.h"
#include "codec/json_writer.h"

/* What the body of a token says. */
struct iam_token {
    const struct principal *who;
    struct slice domain;     /* the server's */
    struct slice project_id; /* empty: the token is of the domain */
    bool has_role;
    enum role role; /* the highest held */
};

void iam_write_token(struct buf *out, const struct iam_token *token);
/* The list of projects; self: the request's target. */
void iam_write_projects(struct buf *out, struct slice domain, const struct known_project *projects,
    size_t count, struct slice self);
void iam_write_domains(struct buf *out, struct slice domain, struct slice self);

enum { IAM_ID_BYTES = 33 };
/* The id of a thing that is known by its name: 32 hex digits. kind: "user", "domain", "role". */
void iam_id(const char *kind, struct slice name, char ret[IAM_ID_BYTES]);

#endif
