/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of the calls about decisions (contract, section 5.1), as tables. */
#ifndef CAREEN_API_OPERATION_PARAMS_H
#define CAREEN_API_OPERATION_PARAMS_H

#include "api/fields.h"

/* Of HandleImageVulnerability (enterprise_project alone) and of its preview. */
struct operation_params {
    struct slice enterprise_project;
    int64_t offset, limit;
    struct slice image_name, vul_name; /* parts of names */
};
extern const struct fields operation_query, preview_query;

/* Of ListGeneralImageVulOperations. */
struct history_params {
    struct slice enterprise_project;
    int64_t offset, limit;
    struct slice vul_id, image_id, image_name, user_name, app_name, app_version, remark;
    int image_type, status, action; /* -1: any */
};
extern const struct fields history_query;

/* Of Careen's own calls: all, listing and making. */
struct decisions_params {
    struct slice enterprise_project;
    int state; /* enum decisions_state */
    struct slice vul_id;
    int64_t after, limit;
};
enum decisions_state { DECISIONS_IN_FORCE, DECISIONS_ALL };
extern const struct fields decisions_query, decide_query;

#endif
