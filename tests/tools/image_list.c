// room: image
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_list [-p PLATFORM] [-c | -n] TARGET: the images of a target and the entries of their
 * layers, as lines of JSON, for tests that read the same with other programs. -c: with the SHA-256
 * of each file's content. -n: only the number of entries and the time of each layer. Exit status 1,
 * with the error's code and message on standard error, when it is refused.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "codec/hash.h"
#include "codec/json_writer.h"
#include "image/image.h"

#include <fcntl.h>
#include <unistd.h>

enum { LINE_BYTES = 1 << 20 };

struct listing {
    bool contents, only_count;
    size_t entries;
    struct buf line;
};

static void put_line(struct listing *listing)
{
    fwrite(listing->line.data, 1, listing->line.len, stdout);
    putchar('\n');
    buf_clear(&listing->line);
}

/* Paths are bytes: their hex, which any program can read. */
static void write_hex(struct json_writer *w, const char *key, struct slice bytes)
{
    char *hex CLEANUP(cleanup_free) = malloc(2 * bytes.len + 1);

    if (!hex)
        abort();
    hex_encode((const unsigned char *)bytes.ptr, bytes.len, hex);
    json_write_member(w, key, slice_of(hex));
}

static void put_entry(
    struct listing *listing, const struct layer_entry *entry, const unsigned char *digest)
{
    static const char *const types[] = {
        "file", "folder", "symlink", "hardlink", "whiteout", "opaque", "other"};
    char hex[2 * SHA256_BYTES + 1];
    struct json_writer w;

    json_writer_init(&w, &listing->line);
    json_write_begin_object(&w);
    json_write_member(&w, "type", slice_of(types[entry->type]));
    write_hex(&w, "path", entry->path);
    write_hex(&w, "target", entry->target);
    json_write_key(&w, "size");
    json_write_i64(&w, (int64_t)entry->size);
    if (digest) {
        hex_encode(digest, SHA256_BYTES, hex);
        json_write_member(&w, "sha256", slice_of(hex));
    }
    json_write_end_object(&w);
    put_line(listing);
}

static int on_entry(void *ctx, const struct layer_entry *entry, bool *ret_wanted, struct err *err)
{
    struct listing *listing = ctx;

    (void)err;
    listing->entries++;
    if (listing->only_count)
        return 0;
    if (listing->contents && entry->type == ENTRY_FILE)
        *ret_wanted = true;
    else
        put_entry(listing, entry, NULL);
    return 0;
}

static int on_content(
    void *ctx, const struct layer_entry *entry, const struct blob *content, struct err *err)
{
    static char bytes[64 * 1024];
    unsigned char digest[SHA256_BYTES];
    struct sha256 hash;

    if (content->size != entry->size)
        return err_set(err, ERR_CORRUPT, "a content of another size than its entry");
    sha256_begin(&hash);
    for (uint64_t at = 0; at < content->size; at += sizeof(bytes)) {
        uint64_t left = content->size - at;
        size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);

        if (blob_read(content, at, bytes, len, err) != 0)
            return -1;
        sha256_add(&hash, (struct slice){bytes, len});
    }
    sha256_finish(&hash, digest);
    put_entry(ctx, entry, digest);
    return 0;
}

static void put_image(struct listing *listing, enum source_kind kind, const struct manifest *image)
{
    static const char *const kinds[] = {"docker-archive", "oci-layout", "folder"};
    struct json_writer w;

    json_writer_init(&w, &listing->line);
    json_write_begin_object(&w);
    json_write_member(&w, "kind", slice_of(kinds[kind]));
    json_write_member(&w, "name", image->name);
    json_write_member(&w, "tag", image->tag);
    json_write_member(&w, "digest", image->digest);
    json_write_member(&w, "config", image->config_digest);
    json_write_member(&w, "os", image->os);
    json_write_member(&w, "architecture", image->architecture);
    json_write_key(&w, "size");
    json_write_i64(&w, (int64_t)image->size_bytes);
    json_write_key(&w, "layers");
    json_write_begin_array(&w);
    for (size_t i = 0; i < image->layer_count; i++) {
        json_write_begin_object(&w);
        json_write_member(&w, "digest", image->layers[i].digest);
        json_write_member(&w, "diff_id", image->layers[i].diff_id);
        json_write_key(&w, "size");
        json_write_i64(&w, (int64_t)image->layers[i].size_bytes);
        json_write_end_object(&w);
    }
    json_write_end_array(&w);
    json_write_end_object(&w);
    put_line(listing);
}

/* Processor time of this thread, which the hashing is not part of. */
static double thread_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int list_layer(struct listing *listing, struct image_source *source,
    const struct manifest *image, size_t layer, struct err *err)
{
    struct layer_visitor visitor = {.entry = on_entry, .content = on_content, .ctx = listing};
    int64_t start_us = clock_monotonic_us();
    double start = thread_seconds();

    listing->entries = 0;
    if (!listing->only_count)
        printf("{\"layer\":%zu}\n", layer);
    if (image_read_layer(source, image, layer, &visitor, err) != 0)
        return -1;
    if (listing->only_count)
        printf("%zu entries, %.3f s, %.3f s of this thread's\n", listing->entries,
            (double)(clock_monotonic_us() - start_us) / 1e6, thread_seconds() - start);
    return 0;
}

static int list(struct listing *listing, struct image_source *source, struct err *err)
{
    for (size_t i = 0; i < image_count(source); i++) {
        const struct manifest *image = image_at(source, i);

        if (!listing->only_count)
            put_image(listing, image_source_kind(source), image);
        for (size_t layer = 0; layer < image->layer_count; layer++)
            if (list_layer(listing, source, image, layer, err) != 0)
                return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct listing listing = {.line = BUF_INIT(LINE_BYTES)};
    struct source_options options = {.scratch_fd = -1};
    const char *scratch = getenv("TMPDIR");
    struct image_source *source;
    struct err err;
    int option, result;

    while ((option = getopt(argc, argv, "p:cn")) != -1) {
        if (option == 'p')
            options.platform = slice_of(optarg);
        else if (option == 'c')
            listing.contents = true;
        else if (option == 'n')
            listing.only_count = true;
        else
            return 2;
    }
    if (optind + 1 != argc)
        return 2;
    options.scratch_fd = open(scratch ? scratch : "/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    source = image_open(argv[optind], &options, &err);
    result = source ? list(&listing, source, &err) : -1;
    image_close(source);
    buf_release(&listing.line);
    if (options.scratch_fd >= 0)
        close(options.scratch_fd);
    if (result == 0)
        return 0;
    fprintf(stderr, "%d %s\n", (int)err.code, err.message);
    return 1;
}
