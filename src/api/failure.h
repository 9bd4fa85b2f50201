/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an error code means outside: one table for HTTP status, HSS or APIGW code and its fixed text
 * (contract, sections 4.3, 4.4 and 8.3), and the exit status of the command line.
 */
#ifndef CAREEN_API_FAILURE_H
#define CAREEN_API_FAILURE_H

#include "base/buf.h"
#include "base/err.h"

struct failure {
    unsigned http_status;
    const char *code; /* "HSS.0001" */
    const char *text; /* "Invalid parameter." */
    bool gateway;     /* answered by the gateway: the body has no error_description */
    int exit_status;
};

const struct failure *failure_of(enum err_code code);

/* Gateway refusals that no err_code stands for. */
extern const struct failure failure_no_route, failure_wrong_method, failure_unauthenticated,
    failure_wrong_project, failure_revoked_project, failure_throttled;
/* Refusals of the IAM calls. */
extern const struct failure failure_iam_body, failure_iam_login, failure_iam_forbidden,
    failure_iam_no_token;

/* What the HTTP server itself refuses with this status (400, 413, 414, 431, 502), or NULL. */
const struct failure *failure_of_transport(unsigned http_status);
/* All of these, one after the other; NULL behind the last. */
const struct failure *failure_transport_at(size_t i);

/* The body: error_code, error_msg, error_description (HSS errors only), request_id. error_msg is
 * the fixed text, with `detail` behind it when that is not empty, since the Python and Java SDKs
 * show error_msg alone: in parentheses where the text is a sentence, else after ": ". */
void failure_write(
    struct buf *body, const struct failure *failure, const char *detail, const char *request_id);

/* The same in the shape of IAM's calls (contract, section 3), which is two documented shapes in one
 * object: {"error": {"code", "message", "title"}, "error_code", "error_msg", "request_id"}. */
void failure_write_iam(
    struct buf *body, const struct failure *failure, const char *detail, const char *request_id);
/* The error_code of that: the failure's own, if it is one of IAM, else IAM's for the status. */
const char *failure_iam_code(const struct failure *failure);

/* Exit statuses of every command. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,      /* the operation failed; the message says why */
    EXIT_USAGE = 2,       /* the command line is wrong */
    EXIT_SOME_FAILED = 3, /* import, scan: some inputs were refused, the others are in */
    EXIT_UNSURE = 4,      /* affected: no rows, but no image in scope, or not all assessed */
};

#endif
