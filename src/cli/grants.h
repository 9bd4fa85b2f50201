/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say which role is granted where. */
#ifndef CAREEN_CLI_GRANTS_H
#define CAREEN_CLI_GRANTS_H

#include "cli/cli.h"

/* For tables of options; --role first. */
#define GRANT_OPTIONS                                                                   \
    {"role", "ROLE", "viewer, operator or admin", NULL},                                \
        {"project", "ID", "the project; \"default\" if not given", NULL},               \
        {"all-projects", NULL, "every project, those to come included", NULL},          \
    {                                                                                   \
        "enterprise-project", "ID[,ID...]", "these enterprise projects only; else all", \
            "enterprise_project_id"                                                     \
    }

struct grants {
    struct grant *at; /* without their user; owned */
    size_t count, cap;
};

void grants_release(struct grants *grants);
/* What the options say; nothing when there is no --role, unless any_role. ERR_USAGE, ERR_INVALID,
 * ERR_NOT_FOUND (the project). Points into args. */
int grants_read(const struct cli_args *args, struct fleet *fleet, bool any_role, struct grants *ret,
    struct err *err);
/* The value of --role, or `otherwise`. */
int cli_role(const struct cli_args *args, enum role otherwise, enum role *ret, struct err *err);

#endif
