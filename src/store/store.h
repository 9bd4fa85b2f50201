/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store of facts: a narrow interface in domain words, no SQL in it.
 * tests/unit/store/store_test.c is the contract suite that every backend must pass; SQLite
 * (store/sqlite/) is the embedded default.
 *
 * Threads: a struct store may be shared. Reads may run beside a write; writes of one store take
 * turns (and wait for those of other processes), each at most LIMIT_WRITER_WAIT_MS; then ERR_BUSY
 * names the holder. Callbacks run while the store is locked for reading: they must be short and
 * must not call the store.
 *
 * Strings handed to callbacks live until the callback returns; those read into an arena live as
 * long as it does. Ids and log numbers are given by the store alone and are never used twice. The
 * store keeps no copy of what it is given.
 *
 * Errors everywhere: ERR_IO, ERR_FULL, ERR_DENIED, ERR_CORRUPT, ERR_BUSY, ERR_NOMEM; others are
 * said.
 */
#ifndef CAREEN_STORE_STORE_H
#define CAREEN_STORE_STORE_H

#include "base/arena.h"
#include "codec/idlist.h"
#include "model/decision.h"
#include "model/image.h"
#include "model/package.h"
#include "model/vulnerability.h"
#include "model/words.h"

struct store;

enum store_mode {
    STORE_READ,   /* the folder must hold a store; nothing is ever written to it */
    STORE_WRITE,  /* the folder must hold a store; it is migrated if it is older */
    STORE_CREATE, /* made if it is not there, with the project "default" */
};

/* Opens the store in a data folder. ERR_NOT_FOUND when there is none (the message says how to make
 * one), ERR_VERSION when a newer Careen wrote it (or, with STORE_READ, an older one, not migrated
 * yet), ERR_CORRUPT when the file is damaged or is not Careen's. */
struct store *store_open(const char *data_dir, enum store_mode mode, struct err *err);
void store_close(struct store *store); /* accepts NULL; an open write is undone */

/* --- Writing: everything between begin and commit happens or does not ------------------------- */

/* Starts a write; `who` names it for others that wait ("careen import"). The write belongs to the
 * calling thread until it is committed or undone. */
int store_begin(struct store *store, const char *who, struct err *err);
int store_commit(struct store *store, struct err *err); /* durable when it returns 0 */
void store_rollback(struct store *store);               /* accepts that none is open */

/* --- Projects and tokens ---------------------------------------------------------------------- */

struct project {
    uint32_t number;
    struct slice id; /* the project_id of paths */
    int64_t created_ms;
    int64_t revoked_ms; /* 0 = in use; else its callers are refused, and its facts are kept */
};

/* Within a write. ERR_CONFLICT when the id exists. */
int store_add_project(
    struct store *store, struct slice id, int64_t now_ms, uint32_t *ret_number, struct err *err);
/* Within a write; revoked_ms 0: in use again. ERR_NOT_FOUND. */
int store_revoke_project(struct store *store, struct slice id, int64_t revoked_ms, struct err *err);
typedef int (*store_project_fn)(void *ctx, const struct project *project, struct err *err);
int store_each_project(struct store *store, store_project_fn fn, void *ctx, struct err *err);

struct token {
    uint32_t number;
    uint32_t project;
    enum role role;
    unsigned char hash[SHA256_BYTES]; /* of the token's text: the text itself is nowhere */
    struct slice label;
    int64_t created_ms;
    int64_t expires_ms; /* 0 = never */
    int64_t revoked_ms; /* 0 = not revoked */
};

/* Within a write; token->number is ignored. */
int store_add_token(
    struct store *store, const struct token *token, uint32_t *ret_number, struct err *err);
int store_revoke_token(struct store *store, uint32_t number, int64_t now_ms, struct err *err);
typedef int (*store_token_fn)(void *ctx, const struct token *token, struct err *err);
int store_each_token(struct store *store, store_token_fn fn, void *ctx, struct err *err);

/* --- Users, their access keys and grants ------------------------------------------------------ */

struct user {
    uint32_t number;
    struct slice name;
    struct slice password; /* its hash (auth/passwords.h); empty: none, cannot log in */
    uint32_t generation;   /* raised when what was handed out to the user is to become invalid */
    int64_t created_ms;
    int64_t revoked_ms; /* 0 = may act */
};

/* Within a write; user->number is ignored. ERR_CONFLICT when the name exists: names are never given
 * twice. */
int store_add_user(
    struct store *store, const struct user *user, uint32_t *ret_number, struct err *err);
/* Within a write: password, generation and revoked_ms of user->number. ERR_NOT_FOUND. */
int store_update_user(struct store *store, const struct user *user, struct err *err);
typedef int (*store_user_fn)(void *ctx, const struct user *user, struct err *err);
int store_each_user(struct store *store, store_user_fn fn, void *ctx, struct err *err);

struct access_key {
    uint32_t number;
    uint32_t user;
    struct slice ak;
    struct slice sealed_sk; /* auth/seal.h; empty once the key is revoked */
    struct slice label;
    int64_t created_ms;
    int64_t revoked_ms; /* 0 = not revoked */
};

/* Within a write; key->number is ignored. ERR_CONFLICT when the AK exists. */
int store_add_key(struct store *store, const struct access_key *key, struct err *err);
/* Within a write; forgets the sealed SK. ERR_NOT_FOUND. */
int store_revoke_key(struct store *store, struct slice ak, int64_t now_ms, struct err *err);
typedef int (*store_key_fn)(void *ctx, const struct access_key *key, struct err *err);
int store_each_key(struct store *store, store_key_fn fn, void *ctx, struct err *err);

/* One role for each (user, project, enterprise project). */
struct grant {
    uint32_t user;
    uint32_t project;                /* 0 = every one, those to come included */
    struct slice enterprise_project; /* empty = every one, those to come included */
    enum role role;
};

/* Within a write; replaces the role of an equal one. */
int store_put_grant(struct store *store, const struct grant *grant, struct err *err);
/* Within a write; the role is ignored. ERR_NOT_FOUND. */
int store_remove_grant(struct store *store, const struct grant *grant, struct err *err);
typedef int (*store_grant_fn)(void *ctx, const struct grant *grant, struct err *err);
int store_each_grant(struct store *store, store_grant_fn fn, void *ctx, struct err *err);

/* --- Things stored once, by content. Within a write. ------------------------------------------ */

/* Each returns the id of the equal one that is there, or of the one it adds. Ids start at 1. */
int store_put_name(struct store *store, struct slice name, uint32_t *ret, struct err *err);
int store_put_package(
    struct store *store, const struct package *package, uint32_t *ret, struct err *err);
int store_put_record(
    struct store *store, const struct record *record, uint32_t *ret, struct err *err);
/* known_ms of a new claim becomes the earliest of now_ms and those of the stored claims for the
 * same package whose record has this record's name or one of its aliases as its name.
 * claim->known_ms is ignored. */
int store_put_claim(
    struct store *store, const struct claim *claim, int64_t now_ms, uint32_t *ret, struct err *err);

/* Ascending by id, all with id > after; fn returning -1 (with *err) stops. */
typedef int (*store_name_fn)(void *ctx, uint32_t id, struct slice name, struct err *err);
int store_each_name(
    struct store *store, uint32_t after, store_name_fn fn, void *ctx, struct err *err);
typedef int (*store_record_fn)(
    void *ctx, uint32_t id, const struct record *record, struct err *err);
int store_each_record(
    struct store *store, uint32_t after, store_record_fn fn, void *ctx, struct err *err);
/* What the claim's package goes by; source: empty when it is the same, or not known. */
struct claim_names {
    struct slice package, source;
};
typedef int (*store_claim_fn)(void *ctx, uint32_t id, const struct claim *claim,
    const struct claim_names *names, struct err *err);
int store_each_claim(
    struct store *store, uint32_t after, store_claim_fn fn, void *ctx, struct err *err);
/* The packages of these ids, in their order. ERR_CORRUPT when one is missing. */
typedef int (*store_package_fn)(
    void *ctx, uint32_t id, const struct package *package, struct err *err);
int store_each_package(
    struct store *store, const struct ids *ids, store_package_fn fn, void *ctx, struct err *err);

/* --- Images and their slots ------------------------------------------------------------------- */

/* What one source saw in one image. */
struct slot {
    enum source source;
    bool complete;
    int64_t scanned_ms;
    struct timed_ids packages; /* with the time each was first seen in this image */
    struct ids claims;         /* ascending */
};

void slot_release(struct slot *slot);

/* Within a write. image->number is ignored by add and returned; update rewrites the row of
 * image->number whole (id included). line: image_line_key(). ERR_CONFLICT when another image has
 * the id. */
int store_add_image(struct store *store, const struct image *image, const unsigned char line[16],
    uint32_t *ret_number, struct err *err);
int store_update_image(
    struct store *store, const struct image *image, const unsigned char line[16], struct err *err);
/* With its slots. ERR_NOT_FOUND. */
int store_remove_image(struct store *store, uint32_t number, struct err *err);
/* The other image that is marked `latest` on this line, or 0. */
int store_find_latest(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t except, uint32_t *ret_number, struct err *err);
/* The image of a line that was reported last (of several at once the highest number), or 0: who
 * becomes latest when one goes. O(images of the line). */
int store_find_newest(struct store *store, uint32_t project, const unsigned char line[16],
    uint32_t except, uint32_t *ret_number, struct err *err);
/* Replaces the slot of slot->source as a whole. */
int store_put_slot(struct store *store, uint32_t image, const struct slot *slot, struct err *err);

/* Strings into the arena. ERR_NOT_FOUND. Work within a write (seeing it) and outside. */
int store_get_image(
    struct store *store, uint32_t number, struct arena *arena, struct image *ret, struct err *err);
int store_find_image(struct store *store, uint32_t project, struct slice image_id,
    struct arena *arena, struct image *ret, struct err *err);
/* The image's slots by source; absent ones have scanned_ms 0. Release each with slot_release(). */
int store_get_slots(
    struct store *store, uint32_t image, struct slot ret[SOURCE_COUNT], struct err *err);

/* An image with its slots, for loading: ascending by number, those of `project` with number >
 * after, at most `limit` of them (so that no read lasts long). fn returns 1 when it has had enough.
 */
typedef int (*store_image_fn)(
    void *ctx, const struct image *image, const struct slot slots[SOURCE_COUNT], struct err *err);
int store_each_image(struct store *store, uint32_t project, uint32_t after, size_t limit,
    store_image_fn fn, void *ctx, struct err *err);
/* The same images with the claims of their slots alone (empty for absent ones). */
typedef int (*store_image_claims_fn)(
    void *ctx, uint32_t number, const struct ids claims[SOURCE_COUNT], struct err *err);
int store_each_image_claims(struct store *store, uint32_t project, uint32_t after, size_t limit,
    store_image_claims_fn fn, void *ctx, struct err *err);

/* --- Decisions -------------------------------------------------------------------------------- */

/* Within a write; the decision is in force: its number and how it ended are ignored. Sets must be
 * ascending. A cause is the caller's to add. ERR_LIMIT above LIMIT_DECISION_VULNS or
 * LIMIT_DECISION_IMAGES, ERR_INVALID when the project is not stored. */
int store_add_decision(
    struct store *store, const struct decision *decision, uint32_t *ret_number, struct err *err);
/* Within a write; by: who withdrew it. ERR_NOT_FOUND; ERR_CONFLICT when it has ended already. */
int store_end_decision(struct store *store, uint32_t number, enum decision_end end, struct slice by,
    int64_t now_ms, struct err *err);
/* Within a write: this decision, ended or not, names the image `to` instead of `from` (once, when
 * it named both). ERR_NOT_FOUND, also when it does not name `from`. */
int store_move_decision(struct store *store, uint32_t number,
    const unsigned char from[IMAGE_ID_BYTES], const unsigned char to[IMAGE_ID_BYTES],
    struct err *err);
/* Into the arena. ERR_NOT_FOUND. */
int store_get_decision(struct store *store, uint32_t number, struct arena *arena,
    struct decision *ret, struct err *err);
/* Ascending by number, those of `project` with number > after, at most `limit` of them;
 * in_force: only those that have not ended (expired ones that nobody has ended yet are among
 * them). */
typedef int (*store_decision_fn)(void *ctx, const struct decision *decision, struct err *err);
int store_each_decision(struct store *store, uint32_t project, bool in_force, uint32_t after,
    size_t limit, store_decision_fn fn, void *ctx, struct err *err);

/* --- The change log --------------------------------------------------------------------------- */

enum cause_kind {
    CAUSE_IMAGE_PUT = 1,     /* came to be, or its content changed: added and removed claims */
    CAUSE_IMAGE_SCANNED = 2, /* seen again, nothing changed; one per image, the newest */
    CAUSE_IMAGE_SET = 3,     /* placement or the mark `latest` changed */
    CAUSE_IMAGE_REMOVED = 4,
    CAUSE_DECISION_PUT = 5, /* made, or an image that it names got another id */
    CAUSE_DECISION_ENDED = 6,
};

struct cause {
    uint64_t number; /* in commit order */
    enum cause_kind kind;
    int64_t at_ms;
    uint32_t project;
    uint32_t image;            /* its number; 0 with decisions */
    uint32_t decision;         /* its number; 0 with images */
    enum removal removal;      /* of CAUSE_IMAGE_REMOVED */
    struct ids added, removed; /* claims of CAUSE_IMAGE_PUT and CAUSE_IMAGE_REMOVED */
};

/* Within a write; cause->number is ignored. A CAUSE_IMAGE_SCANNED takes the place of an older one
 * of the same image. */
int store_add_cause(struct store *store, const struct cause *cause, struct err *err);
/* Ascending, number > after, at most `limit`; projects all. */
typedef int (*store_cause_fn)(void *ctx, const struct cause *cause, struct err *err);
int store_each_cause(struct store *store, uint64_t after, size_t limit, store_cause_fn fn,
    void *ctx, struct err *err);
/* *ret_last: the highest number given so far, trimmed ones included. *ret_trimmed: the highest
 * number that trimming has removed: a follower that has seen less must load anew. */
int store_log_bounds(
    struct store *store, uint64_t *ret_trimmed, uint64_t *ret_last, struct err *err);
/* Within a write: drops causes older than before_ms, the oldest first, at most `limit` of them (so
 * that no write lasts long). *ret_dropped: how many. */
int store_trim_log(
    struct store *store, int64_t before_ms, size_t limit, size_t *ret_dropped, struct err *err);

/* Gives the memory back that holds what was read last; later reads fill it anew. */
void store_release_cache(struct store *store);
/* A number that changes when any process has committed a write since the last call; costs
 * microseconds. */
int store_data_version(struct store *store, uint64_t *ret, struct err *err);

/* --- Health ----------------------------------------------------------------------------------- */

struct store_stats {
    uint32_t schema_version;
    uint64_t bytes;         /* of the database on disk, journals included */
    uint64_t journal_bytes; /* of these: what is not yet in its file, or kept for a reader */
    uint64_t free_bytes;    /* of these: used again before the file grows */
    uint64_t projects, images, packages, names, records, claims, decisions, causes;
};

/* Numbers that are kept by name, for whoever looks after the store (when was the last retention
 * run?). 0 when never set. Set within a write. */
int store_get_state(struct store *store, const char *name, int64_t *ret, struct err *err);
int store_set_state(struct store *store, const char *name, int64_t value, struct err *err);

int store_stats(struct store *store, struct store_stats *ret, struct err *err);
/* Reads every page; ERR_CORRUPT with the first finding. Slow. */
int store_check(struct store *store, struct err *err);

/* --- Collecting what nothing refers to any more ----------------------------------------------- */

/* Drops claims that no slot holds, packages that no slot and no claim has, records without claims,
 * and names that no record and no decision has. Finding them takes one reading of all slots, beside
 * which others may write; they are dropped in short writes of its own (LIMIT_TRANSACTION_MS), each
 * of which first takes out what was put to use meanwhile. The highest id of each kind stays, so
 * that none is ever given again. No write may be open. On failure what was dropped stays dropped.
 */
struct store_collected {
    uint64_t claims, packages, records, names;
};
int store_collect(
    struct store *store, const char *who, struct store_collected *ret, struct err *err);

/* --- Backup ----------------------------------------------------------------------------------- */

/* Writes a copy of the database as it is at one moment to a new file (mode 0600), which appears
 * whole or not at all; writes may go on meanwhile. With it, under the name "secret.key", the bytes
 * of `key` (empty: none). ERR_CONFLICT when the file exists. A kill may leave a file FILE.XXXXXX.
 */
int store_backup(struct store *store, const char *file, struct slice key, struct err *err);
/* The key that a backup holds; empty when it holds none. */
typedef int (*store_backup_key_fn)(void *ctx, struct slice key, struct err *err);
/* Makes a data folder (or fills one that holds no store) from such a file, after checking it whole.
 * keep is called once all is checked, and before the store appears: what is in it would be of no
 * use without its key. When it fails, there is no store. ERR_CONFLICT when the folder holds one,
 * ERR_CORRUPT, ERR_VERSION. The store appears whole or not at all; a kill may leave a file
 * careen.db.XXXXXX, which is of no use. */
int store_restore(
    const char *file, const char *data_dir, store_backup_key_fn keep, void *ctx, struct err *err);

#endif
