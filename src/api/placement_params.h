/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image lives, as parameters: one table for the import call's query, the members of PATCH,
 * the options of `careen import` and `careen images set`, and the OpenAPI document.
 */
#ifndef CAREEN_API_PLACEMENT_PARAMS_H
#define CAREEN_API_PLACEMENT_PARAMS_H

#include "fleet/fleet.h"

/* What parameters say: a placement, and how the image is to be called. */
struct placement_request {
    struct placement place;
    bool type_given;
    unsigned fields; /* enum placement_field: those given */
    unsigned given;  /* positions in placement_params */
    struct slice name, version;
};

/* What a value is, and as which type a JSON member has it. */
enum placement_kind { PLACEMENT_TEXT, PLACEMENT_WORD, PLACEMENT_NUMBER, PLACEMENT_FLAG };

struct placement_param {
    const char *name; /* "registry_type" */
    const char *value;
    const char *help;
    unsigned field; /* enum placement_field; 0: cannot be changed on a stored image */
    int (*parse)(const struct placement_param *param, struct slice value,
        struct placement_request *request, struct err *err);
    size_t offset; /* into the request, of texts and registry_type */
    enum placement_kind kind;
    /* For the document; what checks them is placement_check(). */
    size_t min_chars, max_chars; /* of texts */
    const struct words *words;   /* of words */
    bool required;               /* in an import */
};

enum { PLACEMENT_PARAM_COUNT = 13 };
extern const struct placement_param placement_params[PLACEMENT_PARAM_COUNT];

void placement_request_init(struct placement_request *request);
/* NULL and ERR_INVALID on an unknown name: the message lists what there is. */
const struct placement_param *placement_find(struct slice name, struct err *err);
/* Takes one parameter. ERR_INVALID on an unknown name, a value that is none, and the second time.
 */
int placement_take(
    struct placement_request *request, struct slice name, struct slice value, struct err *err);

#endif
