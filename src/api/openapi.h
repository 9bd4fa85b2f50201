/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OpenAPI 3.1 document of what the server does, made from the tables that serve: the routes,
 * the parameters of both families, the failures, and the schemas of openapi_schemas.h. What a table
 * does not say, the document does not, either.
 */
#ifndef CAREEN_API_OPENAPI_H
#define CAREEN_API_OPENAPI_H

#include "api/service.h"

/* Writes the document for a service with these options (strict_parameters, max_report_bytes) into
 * an empty buf, and sets its ceiling. ERR_NOMEM. */
int openapi_write(struct buf *out, const struct service_options *options, struct err *err);

#endif
