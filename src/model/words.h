/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The closed vocabularies of Careen as C enums, each with its one table of wire names
 * (docs/architecture.md, Vocabulary; contract sections 1.2 and 8.1).
 */
#ifndef CAREEN_MODEL_WORDS_H
#define CAREEN_MODEL_WORDS_H

#include "base/slice.h"

enum image_type { IMAGE_LOCAL, IMAGE_REGISTRY, IMAGE_CICD, IMAGE_CLUSTER, IMAGE_TYPE_COUNT };

/* What a vulnerability hits: OS packages (linux_vul), or all else (app_vul). */
enum vul_type { VUL_APP, VUL_LINUX, VUL_TYPE_COUNT };

/* repair_necessity: the severity of a finding. */
enum necessity {
    NECESSITY_LOW,
    NECESSITY_MEDIUM,
    NECESSITY_HIGH,
    NECESSITY_CRITICAL,
    NECESSITY_COUNT
};

enum vul_status { STATUS_UNFIX, STATUS_IGNORED, VUL_STATUS_COUNT };

/* A scanner's word for a severity, worst last. UNKNOWN: it gave none, or one we do not know. */
enum severity {
    SEVERITY_UNKNOWN,
    SEVERITY_NEGLIGIBLE,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITY_COUNT
};

/* Who saw an image's content: one slot each. */
enum source { SOURCE_CAREEN, SOURCE_TRIVY, SOURCE_GRYPE, SOURCE_SBOM, SOURCE_COUNT };

/* How much of an image has been looked at: PARTLY has no complete package list, NOT has nothing. */
enum assessment { ASSESSMENT_FULL, ASSESSMENT_PARTLY, ASSESSMENT_NOT, ASSESSMENT_COUNT };

/* Why an image was removed: somebody asked for it, or retention did it (fleet_retain). */
enum removal { REMOVAL_ASKED, REMOVAL_SUPERSEDED, REMOVAL_UNSEEN, REMOVAL_COUNT };

/* What somebody may do: see; also import and decide; also manage. Each includes those before it. */
enum role { ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_COUNT };

/* One vocabulary: names[value] for each value below count. */
struct words {
    const char *what; /* "image_type" */
    const char *const *names;
    int count;
};

extern const struct words image_type_words;    /* local registry cicd cluster (requests) */
extern const struct words image_type_rows;     /* local_image registry cicd cluster (answers) */
extern const struct words vul_type_words;      /* app_vul linux_vul */
extern const struct words necessity_words;     /* Low Medium High Critical */
extern const struct words vul_status_words;    /* vul_status_unfix vul_status_ignored */
extern const struct words handle_status_words; /* unhandled handled: by bool */
extern const struct words severity_words;      /* unknown negligible low medium high critical */
extern const struct words source_words;        /* careen trivy grype sbom */
extern const struct words registry_type_words; /* Harbor Jfrog SwrPrivate SwrShared ... */
extern const struct words assessment_words;    /* assessed partly_assessed not_assessed */
extern const struct words removal_words;       /* asked superseded unseen */
extern const struct words role_words;          /* viewer operator admin */

/* The value named by s, or -1. Exact and case-sensitive. */
int words_find(const struct words *words, struct slice s);
/* The same without regard to ASCII case. */
int words_find_nocase(const struct words *words, struct slice s);
/* BUG when value is out of range. */
const char *words_name(const struct words *words, int value);
/* "local, registry, cicd or cluster", for messages, into dst; returns dst. */
char *words_list(const struct words *words, char *dst, size_t cap);

/* A finding's severity from the worst known word over its packages: Negligible is Low, and Medium
 * stands where nobody knows one (SEVERITY_UNKNOWN). */
enum necessity necessity_of(enum severity worst);

#endif
