/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the OpenAPI document that openapi.c puts together. */
#ifndef CAREEN_API_OPENAPI_PARTS_H
#define CAREEN_API_OPENAPI_PARTS_H

#include "api/routes.h"
#include "codec/json_writer.h"

/* A member of a path: what the route takes and answers. */
void openapi_write_operation(
    struct json_writer *w, const struct route *route, const struct service_options *options);
/* The member "responses": success, and every failure that the tables know for the route. */
void openapi_write_responses(struct json_writer *w, const struct route *route);
/* The members of components.headers, which the responses refer to. */
void openapi_write_headers(struct json_writer *w);

#endif
