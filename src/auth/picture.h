/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of principals.h: the picture, plain tables read from the store. They are small
 * (people, not images). Only for principals.c and access.c. */
#ifndef CAREEN_AUTH_PICTURE_H
#define CAREEN_AUTH_PICTURE_H

#include "auth/principals.h"
#include "base/map.h"

#include <pthread.h>

struct picture {
    struct arena arena; /* the strings of what follows */
    struct project *projects;
    size_t project_count, project_cap;
    struct user *users; /* ascending by number */
    size_t user_count, user_cap;
    struct access_key *keys; /* those in use only */
    size_t key_count, key_cap;
    struct grant *grants; /* ascending by user */
    size_t grant_count, grant_cap;
    struct map keys_by_ak;
};

struct principals {
    struct store *store;
    char *data_dir; /* owned */
    struct tokens *tokens;
    pthread_mutex_t refreshing; /* who changes anything below holds it */
    uint64_t data_version;

    pthread_rwlock_t lock; /* guards what follows, which changes under both */
    struct picture picture;
    struct seal seal;
    bool sealed; /* the seal is there */
};

/* Reads all of them. *ret is to be released also when it fails. */
int picture_read(struct store *store, struct picture *ret, struct err *err);
void picture_release(struct picture *picture);

const struct user *picture_user(const struct picture *picture, uint32_t number); /* or NULL */
const struct access_key *picture_key(const struct picture *picture, struct slice ak);
/* The first grant of a user at or behind position `from`, or NULL; *ret_next: where to go on. */
const struct grant *picture_grant(
    const struct picture *picture, uint32_t user, size_t from, size_t *ret_next);

#endif
