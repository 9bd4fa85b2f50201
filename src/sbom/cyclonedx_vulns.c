/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vulnerability is a claim on each component that it affects, unless its analysis says that it is
 * none (not_affected, false_positive) or no longer one (resolved, resolved_with_pedigree), or every
 * version listed of the component is unaffected.
 *
 * Of several ratings the one by the vulnerability's own source counts (Trivy's reports rate by
 * every database there is, and take the distribution's word); else the worst word; else, where
 * there are only scores, the worst CVSS score.
 *
 * CycloneDX has no member for the version that fixes a vulnerability. Careen writes a property, and
 * Trivy a sentence that is understood here.
 */
#include "sbom/cyclonedx_vulns.h"

#include "base/array.h"
#include "base/limits.h"
#include "sbom/component.h"

enum {
    MAX_RATINGS = 16, /* that are looked at for the source's own; all count for the worst */
    MAX_RECOMMENDATION = 4096,
    MAX_CLAIMS = 2 * LIMIT_IMAGE_CLAIMS,
};

/* One vulnerability while it is read. */
struct vuln {
    struct slice id, fixed_version, recommendation;
    uint64_t source; /* hash of its name; 0 = none */
    bool is_claim;
    struct {
        uint64_t source;
        enum severity severity;
    } ratings[MAX_RATINGS];
    size_t rating_count;
    enum severity worst, worst_score;
};

void cyclonedx_vulns_release(struct cyclonedx_vulns *vulns)
{
    free(vulns->vulns);
    free(vulns->claims);
    free(vulns->refs);
}

/* ---- ratings ---- */

static enum severity severity_of_word(struct slice word)
{
    int value = words_find_nocase(&severity_words, word);

    if (slice_is(word, "none") || slice_is(word, "info"))
        return SEVERITY_NEGLIGIBLE;
    return value < 0 ? SEVERITY_UNKNOWN : (enum severity)value;
}

/* By the bands of CVSS 3 (FIRST, section 5), of the digits before and behind the point. */
static enum severity severity_of_score(struct slice number)
{
    struct slice whole = slice_pull_until(&number, '.');
    uint64_t points;

    if (!slice_to_u64(whole, &points))
        return SEVERITY_UNKNOWN;
    if (points >= 7)
        return points >= 9 ? SEVERITY_CRITICAL : SEVERITY_HIGH;
    if (points >= 4)
        return SEVERITY_MEDIUM;
    for (size_t i = 0; i < number.len; i++)
        if (number.ptr[i] > '0' && number.ptr[i] <= '9')
            return SEVERITY_LOW;
    return points ? SEVERITY_LOW : SEVERITY_NEGLIGIBLE;
}

/* {"name": ...}; a hash of the name, or 0. */
static void read_source(struct reading *in, uint64_t *ret)
{
    struct slice key, name;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "name") && json_peek_string(in->json, &name) && name.len)
            *ret = component_ref_hash(name);
        else if (!slice_is(key, "name"))
            json_skip(in->json);
    }
}

static enum severity worse(enum severity a, enum severity b)
{
    return a > b ? a : b;
}

static void read_rating(struct reading *in, struct vuln *vuln)
{
    enum severity word = SEVERITY_UNKNOWN, score = SEVERITY_UNKNOWN;
    struct slice key, text;
    uint64_t source = 0;
    bool is_cvss = false;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (slice_is(key, "source"))
            read_source(in, &source);
        else if (slice_is(key, "severity") && json_peek_string(in->json, &text))
            word = severity_of_word(text);
        else if (slice_is(key, "method") && json_peek_string(in->json, &text))
            is_cvss = slice_starts_with(text, "CVSS");
        else if (slice_is(key, "score") && json_peek_number(in->json, &text))
            score = severity_of_score(text);
        else if (!slice_is(key, "severity") && !slice_is(key, "method") && !slice_is(key, "score"))
            json_skip(in->json);
    }
    vuln->worst = worse(vuln->worst, word);
    if (is_cvss)
        vuln->worst_score = worse(vuln->worst_score, score);
    if (vuln->rating_count < MAX_RATINGS) {
        vuln->ratings[vuln->rating_count].source = source;
        vuln->ratings[vuln->rating_count++].severity = word;
    }
}

static enum severity rated(const struct vuln *vuln)
{
    enum severity own = SEVERITY_UNKNOWN;

    for (size_t i = 0; i < vuln->rating_count; i++)
        if (vuln->source && vuln->ratings[i].source == vuln->source)
            own = worse(own, vuln->ratings[i].severity);
    if (own != SEVERITY_UNKNOWN)
        return own;
    return vuln->worst != SEVERITY_UNKNOWN ? vuln->worst : vuln->worst_score;
}

/* ---- what is affected ---- */

/* Are there versions, and are all of them unaffected? */
static bool read_versions(struct reading *in)
{
    struct slice key, status;
    size_t count = 0, unaffected = 0;

    json_begin_array(in->json);
    for (; json_next_element(in->json); count++) {
        json_begin_object(in->json);
        while (json_next_key(in->json, &key)) {
            if (!slice_is(key, "status"))
                json_skip(in->json);
            else if (json_peek_string(in->json, &status))
                unaffected += slice_is(status, "unaffected");
        }
    }
    return count && unaffected == count;
}

static void push_ref(struct reading *in, struct cyclonedx_vulns *vulns, uint64_t ref)
{
    struct err err;

    if (vulns->ref_count + vulns->claim_count >= MAX_CLAIMS)
        json_fail(in->json, ERR_LIMIT,
            "the report holds more than %d claims (twice LIMIT_IMAGE_CLAIMS)", MAX_CLAIMS);
    else if (array_reserve(&vulns->refs, &vulns->ref_cap, vulns->ref_count + 1,
                 sizeof(*vulns->refs), &err) < 0)
        fail_reading(in, &err);
    else
        vulns->refs[vulns->ref_count++] = ref;
}

static void read_affects(struct reading *in, struct cyclonedx_vulns *vulns)
{
    struct slice key, ref;

    json_begin_array(in->json);
    while (json_next_element(in->json)) {
        uint64_t hash = 0;
        bool unaffected = false;

        json_begin_object(in->json);
        while (json_next_key(in->json, &key)) {
            if (slice_is(key, "versions"))
                unaffected = read_versions(in);
            else if (!slice_is(key, "ref"))
                json_skip(in->json);
            else if (json_peek_string(in->json, &ref))
                hash = component_ref_hash(ref);
        }
        if (!unaffected && !json_failed(in->json))
            push_ref(in, vulns, hash);
    }
}

/* ---- the other members ---- */

static bool is_no_claim(struct slice state)
{
    return slice_is(state, "not_affected") || slice_is(state, "false_positive") ||
           slice_is(state, "resolved") || slice_is(state, "resolved_with_pedigree");
}

static void read_analysis(struct reading *in, struct vuln *vuln)
{
    struct slice key, state;

    json_begin_object(in->json);
    while (json_next_key(in->json, &key)) {
        if (!slice_is(key, "state"))
            json_skip(in->json);
        else if (json_peek_string(in->json, &state))
            vuln->is_claim = !is_no_claim(state);
    }
}

static void read_recommendation(struct reading *in, struct vuln *vuln)
{
    struct slice text;

    if (json_peek_string(in->json, &text) && slice_starts_with(text, "Upgrade ") &&
        text.len <= MAX_RECOMMENDATION)
        add_text(in, text, &vuln->recommendation);
}

static void take_property(struct reading *in, void *ctx, struct slice name, struct slice value)
{
    struct vuln *vuln = ctx;

    (void)in;
    if (slice_is(name, CAREEN_PREFIX "fixed_version"))
        vuln->fixed_version = value;
}

static void read_member(
    struct reading *in, struct slice key, struct vuln *vuln, struct cyclonedx_vulns *vulns)
{
    if (slice_is(key, "id"))
        read_text(in, &vuln->id);
    else if (slice_is(key, "source"))
        read_source(in, &vuln->source);
    else if (slice_is(key, "references"))
        read_ids(in, &vulns->related);
    else if (slice_is(key, "ratings") && json_begin_array(in->json))
        while (json_next_element(in->json))
            read_rating(in, vuln);
    else if (slice_is(key, "analysis"))
        read_analysis(in, vuln);
    else if (slice_is(key, "affects"))
        read_affects(in, vulns);
    else if (slice_is(key, "recommendation"))
        read_recommendation(in, vuln);
    else if (slice_is(key, "properties"))
        read_properties(in, take_property, vuln);
    else
        json_skip(in->json);
}

static int keep(
    struct reading *in, struct cyclonedx_vulns *vulns, const struct vuln *vuln, struct err *err)
{
    struct pending_vuln *to;
    size_t count = vulns->claim_count + vulns->ref_count;

    if (array_reserve(&vulns->vulns, &vulns->vuln_cap, vulns->vuln_count + 1, sizeof(*vulns->vulns),
            err) < 0 ||
        array_reserve(&vulns->claims, &vulns->claim_cap, count, sizeof(*vulns->claims), err) < 0)
        return -1;
    to = &vulns->vulns[vulns->vuln_count];
    *to = (struct pending_vuln){.severity = rated(vuln),
        .fixed_version = vuln->fixed_version,
        .recommendation = vuln->recommendation};
    if (!add_related_record(in, vuln->id, &vulns->related, &to->record))
        return 0;
    for (size_t i = 0; i < vulns->ref_count; i++)
        vulns->claims[vulns->claim_count++] =
            (struct pending_claim){vulns->refs[i], (uint32_t)vulns->vuln_count};
    vulns->vuln_count++;
    return 0;
}

static void read_vuln(struct reading *in, struct cyclonedx_vulns *vulns)
{
    struct vuln vuln = {.is_claim = true};
    struct slice key;
    struct err err;

    vulns->related.count = vulns->ref_count = 0;
    json_begin_object(in->json);
    while (json_next_key(in->json, &key))
        read_member(in, key, &vuln, vulns);
    if (json_failed(in->json) || !vuln.is_claim)
        return;
    if (vuln.id.len == 0 && vulns->related.count)
        vuln.id = vulns->related.at[0];
    if (vuln.id.len == 0 || vulns->ref_count == 0)
        vulns->lost = true;
    else if (keep(in, vulns, &vuln, &err) < 0)
        fail_reading(in, &err);
}

void cyclonedx_read_vulns(struct reading *in, struct cyclonedx_vulns *vulns)
{
    json_begin_array(in->json);
    while (json_next_element(in->json))
        read_vuln(in, vulns);
}

/* ---- "Upgrade NAME to version VERSION; Upgrade ..." ---- */

static bool cut_prefix(struct slice *s, struct slice prefix)
{
    if (!slice_eq(slice_sub(*s, 0, prefix.len), prefix))
        return false;
    *s = slice_skip(*s, prefix.len);
    return true;
}

struct slice cyclonedx_fixed_version(const struct pending_vuln *vuln, struct slice package_name)
{
    struct slice rest = vuln->recommendation;

    if (vuln->fixed_version.len)
        return vuln->fixed_version;
    while (rest.len) {
        struct slice part = slice_trim(slice_pull_until(&rest, ';'));

        if (cut_prefix(&part, SLICE("Upgrade ")) && cut_prefix(&part, package_name) &&
            cut_prefix(&part, SLICE(" to version ")))
            return part;
    }
    return SLICE_NONE;
}
