/* SPDX-License-Identifier: Apache-2.0 */
/* The table of failure.h, and error bodies that all five SDKs parse (contract, section 4.1). */
#include "api/failure.h"

#include "base/bug.h"
#include "codec/json_writer.h"

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
    [ERR_FULL] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_IO] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_CORRUPT] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_VERSION] = GATEWAY(500, "APIGW.0601", "Internal server error."),
    [ERR_NOMEM] = GATEWAY(500, "APIGW.0601", "Internal server error."),
};

const struct failure failure_no_route = GATEWAY(
    404, "APIGW.0101", "The API does not exist or has not been published in the environment.");
const struct failure failure_wrong_method = GATEWAY(404, "APIGW.0101", "The API does not exist.");
const struct failure failure_unauthenticated =
    GATEWAY(401, "APIGW.0301", "Incorrect IAM authentication information");
const struct failure failure_wrong_project =
    GATEWAY(403, "APIGW.0302", "The IAM user is not authorized to access the API.");

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

void failure_write(
    struct buf *body, const struct failure *failure, const char *detail, const char *request_id)
{
    struct json_writer w;
    struct buf message = BUF_INIT(8192);
    bool sentence = slice_ends_with(slice_of(failure->text), ".");

    buf_put_cstr(&message, failure->text);
    if (*detail)
        buf_printf(&message, sentence ? " (%s)" : ": %s", detail);
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
