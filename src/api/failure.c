/* SPDX-License-Identifier: Apache-2.0 */
/* The table of failure.h, and error bodies that all five SDKs parse (contract, section 4.1). */
#include "api/failure.h"

#include "base/bug.h"
#include "codec/json_writer.h"

/* Of error_msg; what is longer was cut before. */
enum { MESSAGE_BYTES = 16 << 10 };

#define HSS(status, code_text, message)                \
    {                                                  \
        status, code_text, message, false, EXIT_FAILED \
    }
#define GATEWAY(status, code_text, message)           \
    {                                                 \
        status, code_text, message, true, EXIT_FAILED \
    }

static const struct failure failures[ERR_CODE_COUNT] = {
    [ERR_USAGE] = {400, "HSS.0001", "Invalid parameter.", false, EXIT_USAGE},
    [ERR_INVALID] = {400, "HSS.0001", "Invalid parameter.", false, EXIT_USAGE},
    [ERR_FORMAT] = HSS(400, "HSS.0002", "Failed to parse the request."),
    [ERR_UNSUPPORTED] = HSS(400, "HSS.0002", "Failed to parse the request."),
    [ERR_LIMIT] = GATEWAY(413, "APIGW.0201", "Request entity too large."),
    [ERR_NOT_FOUND] = HSS(400, "HSS.0011", "Requested resource not found."),
    [ERR_CONFLICT] = HSS(400, "HSS.0001", "Invalid parameter."),
    [ERR_BUSY] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_DENIED] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_FORBIDDEN] = HSS(400, "HSS.0013", "Insufficient permissions."),
    [ERR_FULL] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_IO] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_CORRUPT] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_VERSION] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_NOMEM] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_LOADING] = GATEWAY(503, "APIGW.0601", "The project is not ready yet."),
};

const struct failure failure_no_route = GATEWAY(
    404, "APIGW.0101", "The API does not exist or has not been published in the environment.");
const struct failure failure_wrong_method = GATEWAY(404, "APIGW.0101", "The API does not exist.");
const struct failure failure_unauthenticated =
    GATEWAY(401, "APIGW.0301", "Incorrect IAM authentication information");
const struct failure failure_wrong_project =
    GATEWAY(403, "APIGW.0302", "The IAM user is not authorized to access the API.");
const struct failure failure_revoked_project =
    GATEWAY(403, "APIGW.0310", "The project is unavailable.");
const struct failure failure_throttled =
    GATEWAY(429, "APIGW.0308", "The throttling threshold has been reached");

const struct failure failure_iam_body = GATEWAY(400, "IAM.0011", "The request body is invalid.");
const struct failure failure_iam_login =
    GATEWAY(401, "IAM.0001", "The request you have made requires authentication.");
const struct failure failure_iam_forbidden =
    GATEWAY(403, "IAM.0003", "Policy does not allow this request.");
const struct failure failure_iam_no_token =
    GATEWAY(404, "IAM.0004", "Could not find the token of X-Subject-Token.");

static const struct failure transport_failures[] = {
    GATEWAY(400, "APIGW.0201", "API request error."),
    GATEWAY(413, "APIGW.0201", "Request entity too large."),
    GATEWAY(414, "APIGW.0201", "Request URI too large."),
    GATEWAY(431, "APIGW.0201", "Request headers too large."),
    GATEWAY(502, "APIGW.0201", "Backend unavailable."),
};

const struct failure *failure_of(enum err_code code)
{
    BUG_ON(code <= ERR_NONE || code >= ERR_CODE_COUNT);
    return &failures[code];
}

const struct failure *failure_of_transport(unsigned http_status)
{
    for (size_t i = 0; i < sizeof(transport_failures) / sizeof(transport_failures[0]); i++)
        if (transport_failures[i].http_status == http_status)
            return &transport_failures[i];
    return NULL;
}

const struct failure *failure_transport_at(size_t i)
{
    return i < sizeof(transport_failures) / sizeof(transport_failures[0]) ? &transport_failures[i]
                                                                          : NULL;
}

/* The fixed text with the detail behind it. */
static void put_message(struct buf *message, const struct failure *failure, const char *detail)
{
    bool sentence = slice_ends_with(slice_of(failure->text), ".");

    buf_put_cstr(message, failure->text);
    if (*detail)
        buf_printf(message, sentence ? " (%s)" : ": %s", detail);
}

void failure_write(
    struct buf *body, const struct failure *failure, const char *detail, const char *request_id)
{
    struct json_writer w;
    struct buf message = BUF_INIT(MESSAGE_BYTES);

    put_message(&message, failure, detail);
    json_writer_init(&w, body);
    json_write_begin_object(&w);
    json_write_member(&w, "error_code", slice_of(failure->code));
    json_write_member(&w, "error_msg", buf_slice(&message));
    if (!failure->gateway)
        json_write_member(&w, "error_description", slice_of(*detail ? detail : failure->text));
    json_write_member(&w, "request_id", slice_of(request_id));
    json_write_end_object(&w);
    buf_release(&message);
}

/* IAM's name for a status, and its code where the failure is not IAM's own. */
static const struct {
    unsigned http_status;
    const char *title, *code;
} iam_statuses[] = {
    {400, "Bad Request", "IAM.0007"},
    {401, "Unauthorized", "IAM.0001"},
    {403, "Forbidden", "IAM.0003"},
    {404, "Not Found", "IAM.0004"},
    {413, "Request Entity Too Large", "IAM.0011"},
    {429, "Too Many Requests", "APIGW.0308"},
    {503, "Service Unavailable", "APIGW.0613"},
    {500, "Internal Server Error", "IAM.0006"},
};

/* The row of a status; the last stands for those that have none. */
static size_t iam_row(unsigned http_status)
{
    size_t last = sizeof(iam_statuses) / sizeof(iam_statuses[0]) - 1, at = 0;

    while (at < last && iam_statuses[at].http_status != http_status)
        at++;
    return at;
}

const char *failure_iam_code(const struct failure *failure)
{
    bool own = slice_starts_with(slice_of(failure->code), "IAM.");

    return own ? failure->code : iam_statuses[iam_row(failure->http_status)].code;
}

void failure_write_iam(
    struct buf *body, const struct failure *failure, const char *detail, const char *request_id)
{
    struct buf message = BUF_INIT(MESSAGE_BYTES);
    struct json_writer w;

    put_message(&message, failure, detail);
    json_writer_init(&w, body);
    json_write_begin_object(&w);
    json_write_key(&w, "error");
    json_write_begin_object(&w);
    json_write_key(&w, "code");
    json_write_i64(&w, failure->http_status);
    json_write_member(&w, "message", buf_slice(&message));
    json_write_member(&w, "title", slice_of(iam_statuses[iam_row(failure->http_status)].title));
    json_write_end_object(&w);
    json_write_member(&w, "error_code", slice_of(failure_iam_code(failure)));
    json_write_member(&w, "error_msg", buf_slice(&message));
    json_write_member(&w, "request_id", slice_of(request_id));
    json_write_end_object(&w);
    buf_release(&message);
}
