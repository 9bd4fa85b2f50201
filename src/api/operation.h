/* SPDX-License-Identifier: Apache-2.0 */
/* The body of HandleImageVulnerability and of its preview (contract, section 5.1), and the
 * decisions that it asks for. */
#ifndef CAREEN_API_OPERATION_H
#define CAREEN_API_OPERATION_H

#include "api/fields.h"
#include "fleet/fleet.h"

/* Which rows are meant, beside type and image type. */
enum select_type {
    SELECT_ALL,      /* all_vul */
    SELECT_IMAGES,   /* specific_image_all_vul */
    SELECT_VULS,     /* specific_vul_all_image */
    SELECT_BY_VUL,   /* vul_view */
    SELECT_BY_IMAGE, /* image_view */
    SELECT_TYPE_COUNT
};

/* Texts and lists are where operation_read() was told to put them. */
struct operation {
    int image_type, type;
    int action;  /* enum decision_action */
    int select;  /* enum select_type */
    int handled; /* 0: rows that are not handled, 1: that are, -1: either */
    struct id_list images, vuls;
    struct pair_list by_vul, by_image;
    struct slice remark;
};

/* The members, for the OpenAPI document. */
extern const struct fields operation_fields;

/* Reads the body, NULL if there is none. ERR_FORMAT, ERR_INVALID: the member and its rule. A list
 * is there if and only if select_type wants it. */
int operation_read(
    struct stream *body, struct arena *arena, struct operation *ret, struct err *err);
/* The same as requests to the fleet, in the arena, pointing into the operation. ERR_NOMEM,
 * ERR_LIMIT. */
int operation_requests(const struct operation *operation, struct arena *arena,
    struct decision_request **ret, size_t *ret_count, struct err *err);

#endif
