/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the export call that are its own; the others are filters (affected_params.h).
 */
#ifndef CAREEN_API_FINDINGS_H
#define CAREEN_API_FINDINGS_H

#include "api/fields.h"

extern const struct fields findings_query;

#endif
