/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See gather.h. Facts are made while the layer streams by: a reader gets its file when it comes.
 * Two kinds of files need more:
 * - one with a second file beside it (a database and its log): both are kept until the layer's end,
 *   and read together when there was a second one;
 * - a hard link: its content came earlier, under another name. When nobody had asked for that, the
 *   layer is read again, for what its hard links lead to, and once more when that is a hard link,
 *   too. Of what stands at the link's path before and behind it, the last one counts, as with any
 *   other entry. What is not in the layer is looked for below it (FACT_SAME), as by tools that
 *   unpack one layer onto the other.
 */
#include "scan/gather.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A content that outlives the entry it came with. */
struct kept {
    struct slice path, as;
    const struct inventory_reader *reader; /* NULL: the second file */
    size_t order;                          /* as a fact's */
    struct blob content;
    void *memory; /* owned, or NULL */
    int fd;       /* owned, or -1 */
};

struct hard_link {
    struct slice path, target;
    size_t order;               /* as a fact's, had it come with the link */
    uint64_t entry;             /* which one of the layer it is: the target stands before it */
    size_t facts_at, facts_end; /* what was made of it: none as long as nothing is found */
    struct slice next;          /* the target is a hard link itself, to this; else empty */
    uint64_t next_entry;
};

struct gather {
    const struct interest *interest;
    struct layer_facts *facts;
    struct buf scratch, payload;
    struct arena arena; /* paths of what is kept, and of links */
    struct kept kept[LIMIT_LAYER_DATABASES_KEPT];
    size_t kept_count;
    uint64_t entries;        /* of the layer, so far */
    struct hard_link *links; /* heap; by target when they are followed */
    size_t link_count, link_cap;
    size_t link_steps;
};

static void gather_release(struct gather *gather)
{
    for (size_t i = 0; i < gather->kept_count; i++) {
        free(gather->kept[i].memory);
        cleanup_fd(&gather->kept[i].fd);
    }
    buf_release(&gather->scratch);
    buf_release(&gather->payload);
    arena_release(&gather->arena);
    free(gather->links);
}

/* ---- files ---- */

/* What stopped the machine, not what is wrong with the file. */
static bool is_ours(enum err_code code)
{
    return code == ERR_NOMEM || code == ERR_IO || code == ERR_FULL || code == ERR_DENIED;
}

/* Fills in what the reader makes of the file; payload and why point into gather. */
static int read_file(struct gather *gather, const struct inventory_file *file, struct fact *fact,
    struct err *why, struct err *err)
{
    struct inventory inventory CLEANUP(inventory_release);

    inventory_init(&inventory);
    buf_clear(&gather->payload);
    fact->failed = ERR_NONE;
    if (fact->reader->read(file, &inventory, why) < 0) {
        if (is_ours(why->code)) {
            *err = *why;
            return -1;
        }
        fact->failed = why->code;
        fact->why = slice_of(why->message);
        fact->payload = SLICE_NONE;
        return 0;
    }
    if (layer_facts_pack_inventory(&gather->payload, &inventory, err) < 0)
        return -1;
    fact->payload = buf_slice(&gather->payload);
    return 0;
}

static int add_file(struct gather *gather, struct slice path, struct slice as,
    const struct inventory_reader *reader, const struct blob *content, struct err *err)
{
    struct fact fact = {.kind = FACT_FILE, .path = path, .reader = reader};
    struct err why;

    if (!slice_eq(path, as))
        fact.as = as;
    if (read_file(
            gather, &(struct inventory_file){.path = as, .content = content}, &fact, &why, err) < 0)
        return -1;
    return layer_facts_add(gather->facts, &fact, err);
}

/* ---- what is kept ---- */

static struct kept *find_kept(struct gather *gather, struct slice path)
{
    for (size_t i = 0; i < gather->kept_count; i++)
        if (slice_eq(gather->kept[i].path, path))
            return &gather->kept[i];
    return NULL;
}

static int copy_content(const struct blob *content, struct kept *kept, struct err *err)
{
    kept->content = *content;
    if (!content->bytes) {
        kept->fd = fcntl(content->fd, F_DUPFD_CLOEXEC, 3);
        if (kept->fd < 0)
            return err_set_errno(err, "cannot keep %s open", content->name);
        kept->content.fd = kept->fd;
    } else {
        kept->memory = malloc(content->size + 1);
        if (!kept->memory)
            return err_nomem(err);
        memcpy(kept->memory, content->bytes, content->size);
        kept->content.bytes = kept->memory;
    }
    kept->content.name = kept->path.ptr;
    return 0;
}

static int keep(struct gather *gather, struct slice path, struct slice as,
    const struct inventory_reader *reader, size_t order, const struct blob *content,
    struct err *err)
{
    struct kept *known = find_kept(gather, path);
    struct kept kept = {.reader = reader, .order = order, .fd = -1};
    int failed;

    if (known && known->order > order)
        return 0;
    if (!known && gather->kept_count == LIMIT_LAYER_DATABASES_KEPT)
        return err_set(err, ERR_LIMIT,
            "more than %d package databases with logs in one layer (LIMIT_LAYER_DATABASES_KEPT)",
            LIMIT_LAYER_DATABASES_KEPT);
    if (arena_dup(&gather->arena, path, &kept.path, err) < 0 ||
        arena_dup(&gather->arena, as, &kept.as, err) < 0)
        return -1;
    failed = copy_content(content, &kept, err);
    if (failed) {
        free(kept.memory);
        return -1;
    }
    if (known) {
        free(known->memory);
        cleanup_fd(&known->fd);
    } else {
        known = &gather->kept[gather->kept_count++];
    }
    *known = kept;
    return 0;
}

/* ---- entries ---- */

static int add_plain(
    struct gather *gather, enum fact_kind kind, const struct layer_entry *entry, struct err *err)
{
    return layer_facts_add(gather->facts,
        &(struct fact){.kind = kind,
            .path = entry->path,
            .target = kind == FACT_LINK ? entry->target : SLICE_NONE,
            .empty = entry->size == 0},
        err);
}

static int take_hard_link(struct gather *gather, const struct layer_entry *entry, struct err *err)
{
    struct hard_link link = {.order = ++gather->facts->added, .entry = gather->entries};

    if (gather->link_count >= LIMIT_LAYER_FACTS)
        return err_set(err, ERR_LIMIT,
            "more than %d hard links to files of package databases (LIMIT_LAYER_FACTS)",
            LIMIT_LAYER_FACTS);
    if (arena_dup(&gather->arena, entry->path, &link.path, err) < 0 ||
        arena_dup(&gather->arena, entry->target, &link.target, err) < 0 ||
        array_reserve(
            &gather->links, &gather->link_cap, gather->link_count + 1, sizeof(link), err) < 0)
        return -1;
    gather->links[gather->link_count++] = link;
    return 0;
}

/* Something that is no folder, and no file that matters by itself. */
static int add_no_folder(
    struct gather *gather, const struct layer_entry *entry, bool matters, struct err *err)
{
    enum fact_kind kind = entry->type == ENTRY_SYMLINK ? FACT_LINK : FACT_COVER;

    if (!matters && interest_above(gather->interest, entry->path) == ABOVE_NOTHING)
        return 0;
    return add_plain(gather, kind, entry, err);
}

static int add_folder(
    struct gather *gather, const struct layer_entry *entry, bool matters, struct err *err)
{
    if (!matters && interest_above(gather->interest, entry->path) != ABOVE_ALL)
        return 0;
    return add_plain(gather, FACT_FOLDER, entry, err);
}

static int add_hiding(
    struct gather *gather, const struct layer_entry *entry, bool matters, struct err *err)
{
    if (!matters && interest_above(gather->interest, entry->path) == ABOVE_NOTHING)
        return 0;
    return add_plain(gather, entry->type == ENTRY_OPAQUE ? FACT_OPAQUE : FACT_HIDDEN, entry, err);
}

static int on_entry(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    struct gather *gather = ctx;
    struct slice as;
    bool is_file = interest_reader(gather->interest, entry->path, &gather->scratch, &as) != NULL;
    bool beside = !is_file && interest_is_beside(gather->interest, entry->path, &gather->scratch);

    gather->entries++;
    switch (entry->type) {
    case ENTRY_FILE:
        *ret_wanted = is_file || (beside && entry->size);
        if (beside)
            return add_plain(gather, FACT_BESIDE, entry, err);
        return is_file ? 0 : add_no_folder(gather, entry, false, err);
    case ENTRY_HARDLINK:
        if (is_file || beside)
            return take_hard_link(gather, entry, err);
        return add_no_folder(gather, entry, false, err);
    case ENTRY_SYMLINK:
    case ENTRY_OTHER:
        return add_no_folder(gather, entry, is_file || beside, err);
    case ENTRY_FOLDER:
        return add_folder(gather, entry, is_file || beside, err);
    case ENTRY_WHITEOUT:
    case ENTRY_OPAQUE:
        return add_hiding(gather, entry, is_file || beside, err);
    }
    return 0;
}

static bool enters(void *ctx, struct slice folder)
{
    const struct gather *gather = ctx;

    return interest_above(gather->interest, folder) != ABOVE_NOTHING;
}

/* A file that a reader knows, or the second file of one. */
static int take_content(struct gather *gather, struct slice path, size_t order,
    const struct blob *content, struct err *err)
{
    struct slice as;
    const struct inventory_reader *reader =
        interest_reader(gather->interest, path, &gather->scratch, &as);

    if (!reader)
        return keep(gather, path, path, NULL, order, content, err);
    if (reader->beside && keep(gather, path, as, reader, order, content, err) < 0)
        return -1;
    return add_file(gather, path, as, reader, content, err);
}

static int on_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    struct gather *gather = ctx;

    return take_content(gather, entry->path, gather->facts->added + 1, content, err);
}

/* ---- hard links ---- */

static int compare_targets(const void *a, const void *b)
{
    const struct hard_link *left = a, *right = b;
    int order = slice_cmp(left->target, right->target);

    return order ? order : (left->order > right->order) - (left->order < right->order);
}

/* The first link to the path, or to one behind it. */
static size_t first_link(const struct gather *gather, struct slice path)
{
    size_t from = 0, to = gather->link_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (slice_cmp(gather->links[middle].target, path) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* The links to a path, and not those that stand before the entry that is read now. */
static struct hard_link *next_link(const struct gather *gather, struct slice path, size_t *i)
{
    for (; *i < gather->link_count && slice_eq(gather->links[*i].target, path); ++*i)
        if (gather->entries < gather->links[*i].entry)
            return &gather->links[(*i)++];
    return NULL;
}

/* When a target stands there twice, the last one before the link is what it leads to. */
static void forget(struct gather *gather, struct hard_link *link)
{
    for (size_t i = link->facts_at; i < link->facts_end; i++)
        gather->facts->at[i].order = 0;
    link->facts_at = link->facts_end = gather->facts->count;
    link->next = SLICE_NONE;
}

/* What was added since forget() stands in the link's place. */
static void put_in_place(struct gather *gather, struct hard_link *link)
{
    link->facts_end = gather->facts->count;
    for (size_t i = link->facts_at; i < link->facts_end; i++)
        gather->facts->at[i].order = link->order;
}

static int add_for(
    struct gather *gather, struct hard_link *link, const struct fact *fact, struct err *err)
{
    if (layer_facts_add(gather->facts, fact, err) < 0)
        return -1;
    put_in_place(gather, link);
    return 0;
}

/* The target is no file, or not yet. */
static int take_other_target(struct gather *gather, struct hard_link *link,
    const struct layer_entry *entry, struct slice next, struct err *err)
{
    if (++gather->link_steps > LIMIT_HARD_LINK_STEPS)
        return err_set(err, ERR_LIMIT,
            "hard links lead to more than %d others (LIMIT_HARD_LINK_STEPS)",
            LIMIT_HARD_LINK_STEPS);
    forget(gather, link);
    link->next = next;
    link->next_entry = gather->entries;
    if (entry->type != ENTRY_SYMLINK)
        return 0;
    return add_for(gather, link,
        &(struct fact){.kind = FACT_LINK, .path = link->path, .target = entry->target}, err);
}

static int on_linked_entry(
    void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    struct gather *gather = ctx;
    size_t i = first_link(gather, entry->path);
    struct hard_link *link;
    struct slice next = SLICE_NONE;

    gather->entries++;
    link = next_link(gather, entry->path, &i);
    *ret_wanted = link && entry->type == ENTRY_FILE;
    if (!link || *ret_wanted || entry->type == ENTRY_WHITEOUT || entry->type == ENTRY_OPAQUE)
        return 0;
    if (entry->type == ENTRY_HARDLINK && arena_dup(&gather->arena, entry->target, &next, err) < 0)
        return -1;
    for (; link; link = next_link(gather, entry->path, &i))
        if (take_other_target(gather, link, entry, next, err) < 0)
            return -1;
    return 0;
}

/* Facts of the link's path, in the link's place. */
static int take_target(
    struct gather *gather, struct hard_link *link, const struct blob *content, struct err *err)
{
    forget(gather, link);
    if (interest_is_beside(gather->interest, link->path, &gather->scratch) &&
        layer_facts_add(gather->facts,
            &(struct fact){.kind = FACT_BESIDE, .path = link->path, .empty = content->size == 0},
            err) < 0)
        return -1;
    if (take_content(gather, link->path, link->order, content, err) < 0)
        return -1;
    put_in_place(gather, link);
    return 0;
}

static int on_linked_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    struct gather *gather = ctx;
    size_t i = first_link(gather, entry->path);

    for (struct hard_link *link; (link = next_link(gather, entry->path, &i));)
        if (take_target(gather, link, content, err) < 0)
            return -1;
    return 0;
}

/* What the layer does not have may be below it; a licence is not worth the search. */
static int look_below(struct gather *gather, struct hard_link *link, struct err *err)
{
    struct slice as;
    const struct inventory_reader *reader =
        interest_reader(gather->interest, link->path, &gather->scratch, &as);
    bool licence = interest_is_licence(link->path);

    if (!reader)
        return err_set(err, ERR_FORMAT,
            "%.*s is a hard link to %.*s, which is no file of its layer before it",
            SLICE_FMT(link->path), SLICE_FMT(link->target));
    return add_for(gather, link,
        &(struct fact){.kind = licence ? FACT_COVER : FACT_SAME,
            .path = link->path,
            .target = licence ? SLICE_NONE : link->target,
            .reader = licence ? NULL : reader},
        err);
}

/* Leaves those that lead to other hard links. */
static int take_next_links(struct gather *gather, struct err *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < gather->link_count; i++) {
        struct hard_link *link = &gather->links[i];

        if (link->next.len) {
            link->target = link->next;
            link->entry = link->next_entry;
            link->next = SLICE_NONE;
            gather->links[kept++] = *link;
        } else if (link->facts_at == link->facts_end && look_below(gather, link, err) < 0) {
            return -1;
        }
    }
    gather->link_count = kept;
    return 0;
}

static int follow_hard_links(struct gather *gather, struct image_source *source,
    const struct manifest *manifest, size_t layer, struct err *err)
{
    const struct layer_visitor visitor = {
        .entry = on_linked_entry, .content = on_linked_content, .ctx = gather};

    for (unsigned i = 0; gather->link_count; i++) {
        if (i == LIMIT_HARD_LINK_ROUNDS)
            return err_set(err, ERR_LIMIT,
                "%.*s is a hard link to another one, over more than %d (LIMIT_HARD_LINK_ROUNDS)",
                SLICE_FMT(gather->links[0].path), LIMIT_HARD_LINK_ROUNDS);
        qsort(gather->links, gather->link_count, sizeof(*gather->links), compare_targets);
        gather->entries = 0;
        if (image_read_layer(source, manifest, layer, &visitor, err) < 0 ||
            take_next_links(gather, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- a database and its log ---- */

static struct fact *find_fact(struct layer_facts *facts, struct slice path)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->at[i].kind <= FACT_BESIDE && slice_eq(facts->at[i].path, path))
            return &facts->at[i];
    return NULL;
}

/* Reads the file again, with its second one, if that is there and not empty. */
static int read_pair(struct gather *gather, const struct kept *first, struct err *err)
{
    struct fact *fact = find_fact(gather->facts, first->path), *beside;
    const struct kept *second;
    struct err why;

    buf_clear(&gather->scratch);
    buf_put_slice(&gather->scratch, first->path);
    buf_put_cstr(&gather->scratch, first->reader->beside);
    if (buf_check(&gather->scratch, "a path", err) < 0)
        return -1;
    second = find_kept(gather, buf_slice(&gather->scratch));
    beside = find_fact(gather->facts, buf_slice(&gather->scratch));
    if (!fact || !beside || !second || beside->empty)
        return 0;
    if (read_file(gather,
            &(struct inventory_file){
                .path = first->as, .content = &first->content, .beside = &second->content},
            fact, &why, err) < 0 ||
        arena_dup(&gather->facts->arena, fact->payload, &fact->payload, err) < 0)
        return -1;
    return fact->failed ? arena_dup(&gather->facts->arena, fact->why, &fact->why, err) : 0;
}

/* ---- a layer ---- */

static int gather_all(struct gather *gather, struct image_source *source,
    const struct manifest *manifest, size_t layer, struct err *err)
{
    const struct layer_visitor visitor = {
        .entry = on_entry, .content = on_content, .enters = enters, .ctx = gather};

    if (image_read_layer(source, manifest, layer, &visitor, err) < 0 ||
        follow_hard_links(gather, source, manifest, layer, err) < 0)
        return -1;
    layer_facts_settle(gather->facts);
    for (size_t i = 0; i < gather->kept_count; i++)
        if (gather->kept[i].reader && read_pair(gather, &gather->kept[i], err) < 0)
            return -1;
    return 0;
}

int layer_facts_gather(struct image_source *source, const struct manifest *manifest, size_t layer,
    const struct interest *interest, struct layer_facts *ret, struct err *err)
{
    struct layer_facts facts;
    struct gather gather CLEANUP(gather_release) = {
        .interest = interest,
        .facts = &facts,
        .scratch = BUF_INIT(3 * LIMIT_LAYER_PATH_BYTES),
        .payload = BUF_INIT(LIMIT_FACTS_BYTES),
    };

    layer_facts_init(&facts);
    arena_init(&gather.arena, "what one layer tells (LIMIT_FACTS_BYTES)", LIMIT_FACTS_BYTES);
    if (gather_all(&gather, source, manifest, layer, err) < 0) {
        layer_facts_release(&facts);
        return -1;
    }
    *ret = facts;
    return 0;
}
