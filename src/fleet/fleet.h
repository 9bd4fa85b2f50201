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

/* A row of the answer. */
struct affected_row {
    const struct image *image;
    struct slice vul_id; /* the name the vulnerability goes by in this project */
    enum vul_type type;
    uint32_t vuln; /* its number, for cursors */
    uint8_t code;
    int64_t first_scan_ms;
};

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
 * seconds for tens of millions of findings, and holds nobody up. Reads of a project that is not
 * loaded find ERR_LOADING. */
int fleet_load(struct fleet *fleet, uint32_t project, struct err *err);
/* Takes in what any process has committed since. Cheap when nothing has. */
int fleet_follow(struct fleet *fleet, struct err *err);

/* --- Loading on demand ------------------------------------------------------------------------
 *
 * For a process that serves many projects: what is held is loaded, by threads that do nothing else,
 * and stays loaded. */

/* From now on nothing is loaded but by fleet_load_next(). all: every project is wanted at once. */
void fleet_load_on_demand(struct fleet *fleet, bool all);
/* Somebody is about to read the project: it is not dropped before fleet_release(), and wanted when
 * it is not loaded (*ret_loaded), unless it has just failed and is to be left alone for a while.
 * NULL: there is no such project. Does not wait. */
struct fleet_hold *fleet_hold(struct fleet *fleet, uint32_t project, bool *ret_loaded);
void fleet_release(struct fleet_hold *hold); /* accepts NULL */
bool fleet_is_loaded(struct fleet *fleet, uint32_t project);
/* Is there nothing to wait for: it is loaded, or could not be? */
bool fleet_is_settled(struct fleet *fleet, const struct fleet_hold *hold);
/* Waits for that. */
void fleet_await(struct fleet *fleet, const struct fleet_hold *hold, int64_t wait_ms);
/* Loads one project that is wanted, waiting for one if there is none: 1, 0: none, -1. Which one
 * (not with 0), and when it began (monotonic). Several threads may. */
int fleet_load_next(struct fleet *fleet, int64_t wait_ms, uint32_t *ret_project,
    int64_t *ret_start_us, struct err *err);
/* Ends the waiting of all threads, and loads under way (ERR_BUSY), for good. */
void fleet_stop_loading(struct fleet *fleet);
/* Nothing is wanted, and nothing has failed. */
bool fleet_all_loaded(struct fleet *fleet);

struct fleet_memory {
    uint64_t budget;       /* 0: none */
    uint64_t bytes;        /* of the indexes in memory, estimated */
    uint64_t loaded;       /* projects */
    uint64_t loads, drops; /* on demand, since the start */
};
void fleet_memory(struct fleet *fleet, struct fleet_memory *ret);
void fleet_set_budget(struct fleet *fleet, uint64_t bytes);
/* Drops the project that was held least lately, if all together exceed the budget: 1
 * (*ret_project), 0: they do not, 2: they do, and each one left is held, or was held last, -1. */
int fleet_keep_budget(struct fleet *fleet, uint32_t *ret_project, struct err *err);

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

/* --- Deciding ---------------------------------------------------------------------------------
 *
 * Decisions (model/decision.h) are written as facts, numbered, and lie over the rows from then on.
 * Several requests are one operation: all are made, or none. */

struct decision_request {
    enum decision_action action;
    const struct slice *vuls; /* as the caller names them: any alias of a row's vul_id */
    size_t vul_count;
    bool all_vuls; /* every vulnerability that has a row within the scope now; vuls must be empty */
    int handled;   /* with all_vuls, and of named pairs: only rows that are not (0) or are (1)
                      handled now; -1: either */
    int type;      /* enum vul_type, -1: both */
    struct slice package; /* empty: any; with it vuls may be empty: any vulnerability */
    enum decision_scope scope;
    struct slice place;
    const struct slice *image_ids; /* DECISION_IMAGES */
    size_t image_count;
    int image_type; /* -1: every one */
};

/* What all requests of one operation have in common. */
struct deciding {
    struct slice author, reason;
    int64_t expires_ms;                      /* 0: never; must not be past */
    const struct slice *enterprise_projects; /* which it reaches: those granted to the author, or
                                                the one asked for; none: every one */
    size_t enterprise_project_count;
    bool known_only; /* ERR_NOT_FOUND, naming them, for vulnerabilities without a row (and images)
                        that are not there within those enterprise projects */
};

/* A row that would change. */
typedef int (*decided_row_fn)(void *ctx, const struct affected_row *row, struct err *err);

struct decision_outcome {
    uint64_t rows;      /* that become (would become) other than they are */
    uint64_t reached;   /* that the decisions lie over */
    struct ids numbers; /* of the decisions, ascending; empty for a preview; ids_release() */
};

/* What fleet_decide() would change; fn (may be NULL) for each such row, in the rows' order, under
 * the shared lock, which is let go of and taken again every millisecond: images that come and go
 * meanwhile may be missed. */
int fleet_preview_decision(struct fleet *fleet, uint32_t project,
    const struct decision_request *requests, size_t count, const struct deciding *deciding,
    decided_row_fn fn, void *ctx, struct decision_outcome *ret, struct err *err);
/* Makes them. ERR_INVALID (no selector, expiry in the past, too many ids: LIMIT_DECISION_*),
 * ERR_LIMIT (LIMIT_DECISIONS_AT_ONCE, LIMIT_DECISIONS_IN_FORCE, LIMIT_DECIDING_MS), ERR_NOT_FOUND,
 * ERR_BUSY. A repair of DECISION_PROJECT and
 * others names the images that have such rows now. Where images are named with all_vuls, or with
 * `handled`, each image gets its own vulnerabilities; those with the same ones share a decision.
 * When only the following afterwards fails, the decisions are stored all the same, and *ret is set.
 */
int fleet_decide(struct fleet *fleet, uint32_t project, const struct decision_request *requests,
    size_t count, const struct deciding *deciding, const char *who, struct decision_outcome *ret,
    struct err *err);
/* Withdraws one; by->author does, the rest of it is not looked at but for enterprise_projects: what
 * the caller may decide for; the decision must not reach beyond (ERR_FORBIDDEN). ERR_NOT_FOUND,
 * ERR_CONFLICT when it has ended. *ret_rows: rows that change. */
int fleet_withdraw_decision(struct fleet *fleet, uint32_t project, uint32_t number,
    const struct deciding *by, const char *who, uint64_t *ret_rows, struct err *err);
/* What fleet_withdraw_decision() would change, and refuse, when these others (ascending; NULL:
 * none) had been withdrawn before it. */
int fleet_preview_withdrawal(struct fleet *fleet, uint32_t project, uint32_t number,
    const struct ids *gone, const struct deciding *by, uint64_t *ret_rows, struct err *err);
/* Writes down the end of decisions whose time is over (in memory fleet_follow() ends them by
 * itself), each once, whichever process comes first. fn is told of each that was ended here. */
typedef void (*ended_fn)(void *ctx, struct slice project_id, const struct decision *decision);
int fleet_expire_decisions(
    struct fleet *fleet, const char *who, ended_fn fn, void *ctx, struct err *err);

struct decision_view {
    const struct decision *decision;
    const struct slice *vul_ids; /* the names of decision->vulns, as rows show them now */
    uint64_t rows;               /* that it lies over now, in the enterprise projects asked for; 0
                                    when it has ended */
};
/* Of a project, ascending; in_force: only those. vul_id (empty: all): those about it, by any alias.
 * Those that reach no enterprise project of the list (none: every one) are left out. confined: who
 * asks may know of nothing else, so of decisions that reach further they are told only what is of
 * those enterprise projects. */
struct decision_query {
    bool in_force;
    struct slice vul_id;
    const struct slice *enterprise_projects;
    size_t enterprise_project_count;
    bool confined;
    uint32_t after;
    size_t limit;
};
/* Returns 1 when it has had enough. */
typedef int (*decision_view_fn)(void *ctx, const struct decision_view *view, struct err *err);
int fleet_each_decision(struct fleet *fleet, uint32_t project, const struct decision_query *query,
    decision_view_fn fn, void *ctx, struct err *err);

/* What was done about one vulnerability, image by image, the newest first: for each decision (made
 * or withdrawn) the images that it names, or those in its scope that have the vulnerability now. */
struct history_query {
    struct slice vul_id;
    struct index_scope scope; /* images that are there; name_part as everywhere */
    int action;               /* enum decision_action, -1: any */
    int status;               /* enum vul_status after it, -1: any */
    struct slice author, reason_part, package;
    uint64_t offset;
    size_t limit;
};
struct history_entry {
    const struct image *image; /* NULL: it is gone; image_id is still known */
    char image_id[UUID_TEXT_BYTES];
    const struct decision *decision; /* vulns: only the names of this vulnerability */
};
typedef int (*history_fn)(void *ctx, const struct history_entry *entry, struct err *err);
/* Calls fn for the page. The disk is read. */
int fleet_decision_history(struct fleet *fleet, uint32_t project, const struct history_query *query,
    history_fn fn, void *ctx, uint64_t *ret_total, struct err *err);

/* --- Retention -------------------------------------------------------------------------------- */

/* Ages are counted from the project's newest report, not from the clock: where reporting has
 * stopped, nothing grows old, and a clock that jumps removes nothing. -1: keep. */
struct retention {
    int64_t superseded_ms; /* no longer the latest on its line, last reported so long ago, and not
                              known to run in a container */
    int64_t unseen_ms;     /* last reported so long ago, whatever it is */
    bool whole;            /* also when it is more than half of a project's images; else
                              such a project is left alone, and its images are counted as spared */
};
struct retained {
    uint64_t superseded, unseen; /* removed (would be removed) */
    uint64_t spared;
};
typedef int (*retention_fn)(void *ctx, struct slice project_id, const struct image *image,
    enum removal why, struct err *err);
/* Removes what has had its time from one project (0: all). fn is told of each image after it has
 * gone (dry_run: of each that would go), outside any lock. Writes hold LIMIT_TRANSACTION_MS each;
 * an image that was reported again meanwhile stays. The run is noted in the store's state. */
int fleet_retain(struct fleet *fleet, uint32_t project, const struct retention *rule, bool dry_run,
    const char *who, retention_fn fn, void *ctx, struct retained *ret, struct err *err);

/* What is noted of retention. */
struct retention_past {
    int64_t ran_ms;                   /* the last run; 0: never */
    int64_t removed;                  /* images, in all */
    int64_t superseded_ms, unseen_ms; /* as last used; -1: not */
};
int fleet_retention_past(struct store *store, struct retention_past *ret, struct err *err);

/* --- Reading ---------------------------------------------------------------------------------- */

/* A page of affected images: index_query with names of vulnerabilities. */
struct affected_query {
    struct index_query q;        /* q.vulns and q.package are filled in from what follows */
    struct slice vul_id;         /* empty: any. Any alias, or a CVE covered, finds the row */
    struct index_values vul_ids; /* any of these, likewise; beside vul_id, both must hold */
    struct slice package_name;   /* empty: any. Exactly the name of one of the row's packages, or of
                                    the source package that it was built from */
    bool facets;                 /* with the page, index_facets of its query */
};

struct affected_page {
    uint64_t total;
    size_t count;
    bool more;
    const struct affected_row *rows;
    const struct index_facets *facets; /* of the same moment as the rows; NULL: not asked for */
};

/* Calls fn once with the page, under the shared lock: what rows point at must not be kept. */
typedef int (*affected_fn)(void *ctx, const struct affected_page *page, struct err *err);
int fleet_affected(struct fleet *fleet, uint32_t project, const struct affected_query *query,
    affected_fn fn, void *ctx, struct err *err);

/* Calls fn once with the facets of a query's rows (index_facets), as fleet_affected() does. */
typedef int (*facets_fn)(void *ctx, const struct index_facets *facets, struct err *err);
int fleet_facets(struct fleet *fleet, uint32_t project, const struct affected_query *query,
    facets_fn fn, void *ctx, struct err *err);

/* index_count, index_each_image of a loaded project, under the shared lock. */
int fleet_count(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    struct index_counts *ret, struct err *err);
int fleet_each_image(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint32_t after, index_image_fn fn, void *ctx, struct err *err);

/* What a project has in memory. */
struct fleet_size {
    struct index_size index;
    uint64_t decisions; /* in force */
};
int fleet_size(struct fleet *fleet, uint32_t project, struct fleet_size *ret, struct err *err);

struct vuln_summary {
    struct slice vul_id;
    enum vul_type type;
    enum necessity worst;
    uint64_t images, containers;
};
typedef bool (*vuln_summary_fn)(void *ctx, const struct vuln_summary *vuln);
int fleet_each_vuln(struct fleet *fleet, uint32_t project, const struct index_scope *scope,
    uint64_t codes, vuln_summary_fn fn, void *ctx, struct err *err);

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
