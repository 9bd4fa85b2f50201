/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reader of a foreign document hands over: one image's packages, and what the scanner claims
 * of them, in the words of the model but with the document's own strings (no stored ids yet).
 *
 * Each format is one file with one `struct report_format`, known only to the table in formats.c.
 */
#ifndef CAREEN_SBOM_REPORT_H
#define CAREEN_SBOM_REPORT_H

#include "base/arena.h"
#include "base/map.h"
#include "codec/json_reader.h"
#include "model/package.h"
#include "model/vulnerability.h"

struct names {
    struct slice *at;
    size_t count, cap;
};

struct report_record {
    struct slice name;    /* VulnerabilityID as the document gives it */
    struct names aliases; /* same thing (rules of model/vulnerability.h) */
    struct names covers;  /* only finds */
};

struct report_claim {
    uint32_t package; /* position in packages */
    uint32_t record;  /* position in records */
    enum severity severity;
    struct slice fixed_version;
};

struct report {
    struct arena arena; /* owns every text and list of names; ceiling LIMIT_REPORT_MEMORY_BYTES */
    const char *format; /* "trivy", "grype", "cyclonedx", "spdx": static */
    enum source source;
    bool complete;     /* holds the image's whole package list, not only the vulnerable ones */
    bool is_image;     /* false for file systems, repositories, VMs, applications: need a name */
    struct slice name; /* artifact as the document names it, without tag; may be empty */
    struct slice tag, digest, config_digest; /* empty when not known */
    struct slice os_release;                 /* "debian-12"; empty when not known */
    struct slice architecture;               /* "amd64", "arm64/v8" */
    int64_t size_bytes;                      /* -1 = not known */

    /* Heap arrays: their ceilings are LIMIT_IMAGE_PACKAGES and LIMIT_IMAGE_CLAIMS. */
    struct package *packages; /* distinct by identity */
    size_t package_count, package_cap;
    struct report_record *records; /* distinct by content */
    size_t record_count, record_cap;
    struct report_claim
        *claims; /* distinct by package and record; of two the worse severity stays */
    size_t claim_count, claim_cap;
    struct map package_ids, record_ids, claim_ids; /* for the report_add_* functions */

    struct slice *texts; /* heap; the distinct texts that report_text() has handed out */
    size_t text_count, text_cap;
    struct map text_ids;
};

void report_init(struct report *report);
void report_release(struct report *report);

/* A copy of s in report->arena that is shared with every equal text: reports repeat themselves. */
int report_text(struct report *report, struct slice s, struct slice *ret, struct err *err);

/* Add one, or find the equal one that is there; ERR_LIMIT above LIMIT_IMAGE_PACKAGES and so on. The
 * slices must live in report->arena (or be static); a record's lists of names are copied, put in
 * order, and rid of duplicates and of the record's own name. Names are checked: UTF-8, no control
 * characters, not empty where one is needed, at most LIMIT_NAME_CHARS; ERR_INVALID names the field
 * and value. */
int report_add_package(
    struct report *report, const struct package *package, uint32_t *ret, struct err *err);
int report_add_record(
    struct report *report, const struct report_record *record, uint32_t *ret, struct err *err);
int report_add_claim(struct report *report, const struct report_claim *claim, struct err *err);
int names_push(struct arena *arena, struct names *names, struct slice name, struct err *err);
/* Sets os_release, and the release of every OS package that was added without one: documents may
 * name their distribution last. A package with RELEASE_NONE has none, and gets none. ERR_INVALID
 * when that would make one of two packages. */
int report_set_release(struct report *report, struct slice os_release, struct err *err);
#define RELEASE_NONE "?"

/* Reads one document (gzip or plain) of any known format from `in` (stays the caller's). The format
 * is found from the document itself. On failure *report is left initialised and must still be
 * released. Errors: ERR_FORMAT (no JSON, truncated), ERR_INVALID (a value of the wrong type, or one
 * that its field does not allow), both with key path and byte where they are known; ERR_UNSUPPORTED
 * (a format or version we know but do not read, by name: SARIF, SPDX 3, CycloneDX in XML, Trivy
 * Kubernetes or legacy, ...; or one we do not know); ERR_LIMIT (more than max_bytes after
 * decompression, at most LIMIT_REPORT_BYTES by custom; the other limits of a report). Memory:
 * report->arena, the arrays, and a few hundred kB. */
int report_read(struct stream *in, uint64_t max_bytes, struct report *report, struct err *err);

#endif
