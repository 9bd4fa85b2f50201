/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fleet: the use cases that tie the rooms together. It holds the store, and for each loaded
 * project the index of its findings, derived from the stored facts and kept up by the change log.
 *
 * Threads: everything here may be called from any thread. Reads take a shared lock and touch no
 * disk (but fleet_show_image, which reads the image's packages). What is written is visible to
 * reads as soon as the writing call returns; what other processes write, after the next
 * fleet_follow().
 */
#ifndef CAREEN_FLEET_FLEET_H
#define CAREEN_FLEET_FLEET_H

#include "index/index.h"
#include "sbom/report.h"
#include "store/store.h"

struct fleet;

/* Opens the data folder (store_open) and knows its projects, but loads none. */
struct fleet *fleet_open(const char *data_dir, enum store_mode mode, struct err *err);
void fleet_close(struct fleet *fleet); /* accepts NULL */
struct store *fleet_store(struct fleet *fleet);

/* The number of a project by its public id. ERR_NOT_FOUND says how to make one. */
int fleet_find_project(struct fleet *fleet, struct slice id, uint32_t *ret, struct err *err);
/* Its public id, copied into the arena; empty when there is no such number. */
int fleet_project_id(
    struct fleet *fleet, uint32_t project, struct arena *arena, struct slice *ret, struct err *err);
/* The numbers of all projects, appended. */
int fleet_projects(struct fleet *fleet, struct ids *ret, struct err *err);
int fleet_add_project(struct fleet *fleet, struct slice id, uint32_t *ret, struct err *err);

/* Builds the index of one project, or of all (those that come later, too) with project 0. Takes
 * seconds for tens of millions of findings. Reads of a project that is not loaded find ERR_BUSY. */
int fleet_load(struct fleet *fleet, uint32_t project, struct err *err);
/* Takes in what any process has committed since. Cheap when nothing has. */
int fleet_follow(struct fleet *fleet, struct err *err);

/* --- Writing ---------------------------------------------------------------------------------- */

/* An image as a report describes it, at a place. */
struct put_request {
    const struct report *report;
    const struct placement *place;
    struct slice name; /* instead of the report's; may hold a tag, unless `tag` says another */
    struct slice tag;
};

struct put_outcome {
    bool failed; /* this one was refused: err says why; the others of the batch go on */
    struct err err;
    char image_id[UUID_TEXT_BYTES];
    uint32_t number;
    bool created;                 /* the image was not known before */
    bool changed;                 /* its content is other than before */
    uint64_t packages;            /* distinct ones in the image, over all its sources */
    uint64_t claims;              /* distinct (package, vulnerability) of this report */
    uint64_t findings;            /* rows of the image now */
    uint64_t appeared, retracted; /* rows that came and went with this report's transaction */
    enum assessment assessment;
};

/* Puts images in, in order, in transactions of LIMIT_TRANSACTION_MS or one image. Each replaces
 * what its source said of that image before. The project must be loaded. ERR_BUSY when another
 * writer does not finish in time. On failure (-1) those of earlier transactions are in: they have
 * a number. */
int fleet_put_images(struct fleet *fleet, uint32_t project, const struct put_request *requests,
    size_t count, const char *who, struct put_outcome *ret, struct err *err);

int fleet_remove_image(
    struct fleet *fleet, uint32_t project, struct slice image_id, const char *who, struct err *err);

/* The values of a placement that may be changed on a stored image. */
enum placement_field {
    FIELD_CONTAINERS = 1 << 0,
    FIELD_ENTERPRISE_PROJECT = 1 << 1,
    FIELD_CLUSTER_ID = 1 << 2,
    FIELD_CLUSTER_NAME = 1 << 3,
    FIELD_ORGANIZATION = 1 << 4,
    FIELD_REGISTRY_TYPE = 1 << 5,
    FIELD_MULTI_ARCH = 1 << 6,
};

/* Those of `to` that `fields` names; the others stay. An enterprise project, or the cluster of a
 * cluster image, is part of an image's identity: changing it gives the image another id. */
struct image_change {
    unsigned fields; /* enum placement_field */
    struct placement to;
};

/* When only the following afterwards fails, the change is stored all the same, and ret_id is set.
 * ret_id: the image's id afterwards. ERR_CONFLICT when an image stands at the new place already. */
int fleet_set_image(struct fleet *fleet, uint32_t project, struct slice image_id,
    const struct image_change *change, const char *who, char ret_id[UUID_TEXT_BYTES],
    struct err *err);

/* Checks a placement as given from outside; ERR_INVALID names the field, the value and the rule. */
int placement_check(const struct placement *place, struct err *err);
/* A placement with nothing given: local, default enterprise project. */
struct placement placement_default(void);

/* --- Reading ---------------------------------------------------------------------------------- */

/* A page of affected images: index_query with names of vulnerabilities. */
struct affected_query {
    struct index_query q; /* q.vulns is filled in from vul_id */
    struct slice vul_id;  /* empty: any. Any alias, or a CVE covered, finds the row */
};

struct affected_row {
    const struct image *image;
    struct slice vul_id; /* the name the vulnerability goes by in this project */
    enum vul_type type;
    uint32_t vuln; /* its number, for cursors */
    uint8_t code;
    int64_t first_scan_ms;
};

struct affected_page {
    uint64_t total;
    size_t count;
    bool more;
    const struct affected_row *rows;
};

/* Calls fn once with the page, under the shared lock: what rows point at must not be kept. */
typedef int (*affected_fn)(void *ctx, const struct affected_page *page, struct err *err);
int fleet_affected(struct fleet *fleet, uint32_t project, const struct affected_query *query,
    affected_fn fn, void *ctx, struct err *err);

/* index_count, index_each_image, index_size of a loaded project, under the shared lock. */
int fleet_count(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    struct index_counts *ret, struct err *err);
int fleet_each_image(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint32_t after, index_image_fn fn, void *ctx, struct err *err);

struct vuln_summary {
    struct slice vul_id;
    enum vul_type type;
    enum necessity worst;
    uint64_t images, containers;
};
typedef bool (*vuln_summary_fn)(void *ctx, const struct vuln_summary *vuln);
int fleet_each_vuln(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint32_t codes, vuln_summary_fn fn, void *ctx, struct err *err);

/* Everything about one image, strings in the arena. */
struct image_package {
    struct package package;
    int64_t first_seen_ms;
    unsigned sources; /* bit mask of enum source */
};

struct image_claim {
    struct slice reported; /* the id the source gave */
    struct slice vul_id;   /* the name of the row it belongs to */
    struct slice *related; /* what the source said it is related to: aliases, and covered names */
    size_t related_count;
    enum vul_type type;
    uint32_t package; /* position in packages */
    enum source source;
    enum severity severity; /* the source's word */
    struct slice fixed_version;
    int64_t known_ms;
};

struct image_detail {
    struct image image;
    struct {
        bool present, complete;
        int64_t scanned_ms;
        uint64_t packages, claims;
    } sources[SOURCE_COUNT];
    struct image_package *packages;
    size_t package_count;
    struct image_claim *claims;
    size_t claim_count;
};

int fleet_show_image(struct fleet *fleet, uint32_t project, struct slice image_id,
    struct arena *arena, struct image_detail *ret, struct err *err);

/* Invariants of the derived state against the stored facts: 0, or -1 with the first difference. For
 * tests and diagnosis; slow. */
int fleet_verify(struct fleet *fleet, uint32_t project, struct err *err);

#endif
