/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format is to the table of formats (formats.c), and what the formats share. Internal to the
 * room: others see report.h.
 *
 * A document is read in one pass, and the members of its top-level object come in any order. Each
 * format lists the top-level keys it reads, and which of them tell that a document is of its kind;
 * a member goes to the format that lists its key before it is known which format it is. Hence the
 * invariant: no key is listed by two formats.
 */
#ifndef CAREEN_SBOM_FORMAT_H
#define CAREEN_SBOM_FORMAT_H

#include "sbom/report.h"

/* One document being read. */
struct reading {
    struct json_reader *json;
    struct report *report;
    struct slice purl_release; /* release by the first purl of an OS package that tells it */
};

struct format_key {
    const char *name;
    bool telling;
    enum json_type type; /* what the value must be (or null); a value of another type is refused
                            when the document is of this format, else skipped */
    /* Consumes the value. `state` is the format's own. */
    void (*read)(struct reading *in, void *state);
};

struct report_format {
    const char *name;  /* "trivy": becomes report->format */
    const char *title; /* "Trivy report", for messages */
    enum source source;
    const struct format_key *keys;
    size_t key_count;
    size_t state_bytes; /* zeroed before the first key */
    /* At the end of a document of this format; may refuse it. */
    int (*finish)(struct reading *in, void *state, struct err *err);
    void (*release)(void *state); /* may be NULL */
};

extern const struct report_format trivy_format;
extern const struct report_format grype_format;
extern const struct report_format cyclonedx_format;
extern const struct report_format spdx_format;

/* ---- shared by the readers of formats (reading.c); errors go to in->json ---- */

/* The reading fails for a reason found outside the JSON reader, which adds where it was. */
void fail_reading(struct reading *in, const struct err *why);
/* The "id" of each object of an array, empty ones left out. */
void read_ids(struct reading *in, struct names *ret);
/* A string as a text of the report; null gives an empty one. */
bool read_text(struct reading *in, struct slice *ret);
/* An array of strings, appended; nulls and empty ones are left out. */
void read_names(struct reading *in, struct names *ret);
/* A string that is one of severity_words; any other is SEVERITY_UNKNOWN. */
void read_severity(struct reading *in, enum severity *ret);
/* report_text(), or the reading fails. */
bool add_text(struct reading *in, struct slice s, struct slice *ret);

/* version_compose() of package_purl.h. */
bool compose_version(struct reading *in, int64_t epoch, struct slice version, struct slice release,
    struct slice *ret);

struct purl;
/* purl_parse(), leniently; what is no purl is no error: false. */
bool to_purl(struct slice text, struct purl *ret);
/* What a purl tells of its package: fills those of ecosystem and arch that are empty, *epoch (may
 * be NULL) when it is 0, and in->purl_release. */
bool apply_purl(
    struct reading *in, const struct purl *purl, struct package *package, int64_t *epoch);

/* Adds the record `name`, of which the document says that it is related to `ids`. One is an alias
 * when both name one vulnerability; a distributor's advisory, and CVEs where they are several, are
 * only covered (docs/architecture.md: an alias group holds at most one CVE). */
bool add_related_record(
    struct reading *in, struct slice name, const struct names *ids, uint32_t *ret);

/* An SBOM's list of {"name": ..., "value": ...}: calls `take` for each whose name is one that the
 * readers know (of Trivy, Syft, Careen), with texts of the report; the others are passed over, and
 * so are values that are no strings. */
typedef void (*property_fn)(struct reading *in, void *ctx, struct slice name, struct slice value);
void read_properties(struct reading *in, property_fn take, void *ctx);
bool is_known_property(struct slice name);

/* "arm64" and "v8" as "arm64/v8", both texts of the report; for a format's finish(). */
int set_architecture(
    struct report *report, struct slice architecture, struct slice variant, struct err *err);

/* ---- refusing by name (refusals.c) ---- */

/* A known format that is not read, by a key that only it has; looks at the value (a string) where
 * the key alone does not tell. 0 when the key tells nothing: *consumed says whether the value was
 * read. -1 with *err (ERR_UNSUPPORTED). */
int refuse_by_key(struct json_reader *json, struct slice key, bool *consumed, struct err *err);
/* The same by keys that tell only when no format was recognised: keys[0..count). */
int refuse_by_keys(const struct slice *keys, size_t count, struct err *err);
/* A document that is an array: reads into its first element, and always refuses. */
int refuse_array(struct json_reader *json, struct err *err);
/* The first bytes of what is no JSON: 0 when it may be JSON, else -1 with *err. */
int refuse_by_bytes(struct slice head, struct err *err);

#endif
