/* SPDX-License-Identifier: Apache-2.0 */
/* The tables behind words.h. */
#include "model/words.h"

#include "base/bug.h"

#include <strings.h>

static const char *const image_type_names[] = {"local", "registry", "cicd", "cluster"};
static const char *const image_type_row_names[] = {"local_image", "registry", "cicd", "cluster"};
static const char *const vul_type_names[] = {"app_vul", "linux_vul"};
static const char *const necessity_names[] = {"Low", "Medium", "High", "Critical"};
static const char *const vul_status_names[] = {"vul_status_unfix", "vul_status_ignored"};
static const char *const handle_status_names[] = {"unhandled", "handled"};
static const char *const severity_names[] = {
    "unknown", "negligible", "low", "medium", "high", "critical"};
static const char *const source_names[] = {"careen", "trivy", "grype", "sbom"};
static const char *const registry_type_names[] = {
    "Harbor", "Jfrog", "SwrPrivate", "SwrShared", "SwrEnterprise", "Other"};
static const char *const assessment_names[] = {"assessed", "partly_assessed", "not_assessed"};
static const char *const removal_names[] = {"asked", "superseded", "unseen"};
static const char *const role_names[] = {"viewer", "operator", "admin"};

const struct words image_type_words = {"image_type", image_type_names, IMAGE_TYPE_COUNT};
const struct words image_type_rows = {"image_type", image_type_row_names, IMAGE_TYPE_COUNT};
const struct words vul_type_words = {"type", vul_type_names, VUL_TYPE_COUNT};
const struct words necessity_words = {"repair_necessity", necessity_names, NECESSITY_COUNT};
const struct words vul_status_words = {"status", vul_status_names, VUL_STATUS_COUNT};
const struct words handle_status_words = {"handle_status", handle_status_names, 2};
const struct words severity_words = {"severity", severity_names, SEVERITY_COUNT};
const struct words source_words = {"source", source_names, SOURCE_COUNT};
const struct words registry_type_words = {"registry_type", registry_type_names, 6};
const struct words assessment_words = {"assessment", assessment_names, ASSESSMENT_COUNT};
const struct words removal_words = {"removal", removal_names, REMOVAL_COUNT};
const struct words role_words = {"role", role_names, ROLE_COUNT};

int words_find(const struct words *words, struct slice s)
{
    for (int i = 0; i < words->count; i++)
        if (slice_is(s, words->names[i]))
            return i;
    return -1;
}

int words_find_nocase(const struct words *words, struct slice s)
{
    for (int i = 0; i < words->count; i++)
        if (s.len == strlen(words->names[i]) && strncasecmp(s.ptr, words->names[i], s.len) == 0)
            return i;
    return -1;
}

const char *words_name(const struct words *words, int value)
{
    BUG_ON(value < 0 || value >= words->count);
    return words->names[value];
}

char *words_list(const struct words *words, char *dst, size_t cap)
{
    size_t used = 0;

    dst[0] = '\0';
    for (int i = 0; i < words->count && used < cap; i++) {
        const char *glue = i == 0 ? "" : i == words->count - 1 ? " or " : ", ";

        used += (size_t)snprintf(dst + used, cap - used, "%s%s", glue, words->names[i]);
    }
    return dst;
}

enum necessity necessity_of(enum severity worst)
{
    switch (worst) {
    case SEVERITY_CRITICAL:
        return NECESSITY_CRITICAL;
    case SEVERITY_HIGH:
        return NECESSITY_HIGH;
    case SEVERITY_NEGLIGIBLE:
    case SEVERITY_LOW:
        return NECESSITY_LOW;
    case SEVERITY_UNKNOWN:
    case SEVERITY_MEDIUM:
    case SEVERITY_COUNT:
    default:
        return NECESSITY_MEDIUM;
    }
}
