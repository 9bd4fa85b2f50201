/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a target and handing out what is in it: see image.h. What kind it is, is told by what it
 * is (a file or a folder) and which files it holds; a word in front of the path says what it has to
 * be, and is held against that.
 */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "image/folder.h"
#include "image/layer.h"
#include "image/platform.h"
#include "image/source.h"

enum stated_kind { STATED_NONE, STATED_FOLDER, STATED_DOCKER, STATED_OCI };

static const struct {
    const char *prefix;
    enum stated_kind kind;
} prefixes[] = {
    {"dir:", STATED_FOLDER},
    {"docker-archive:", STATED_DOCKER},
    {"oci-archive:", STATED_OCI},
    {"oci-dir:", STATED_OCI},
    {"oci:", STATED_OCI},
};

static enum stated_kind split_target(const char *target, const char **ret_path)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (slice_starts_with(slice_of(target), prefixes[i].prefix)) {
            *ret_path = target + strlen(prefixes[i].prefix);
            return prefixes[i].kind;
        }
    *ret_path = target;
    return STATED_NONE;
}

const char *image_target_path(const char *target)
{
    const char *path;

    split_target(target, &path);
    return path;
}

bool image_target_is_input(const char *target)
{
    return strcmp(image_target_path(target), "-") == 0;
}

/* Opens a file or folder. The kind is asked for first, because opening a device can do things. */
static int open_target(const char *path, bool *ret_is_folder, struct err *err)
{
    struct stat st;
    int fd;

    if (stat(path, &st) != 0)
        return err_set_errno(err, "cannot open %s", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_INVALID, "%s is neither a file nor a folder", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_set_errno(err, "cannot open %s", path);
    *ret_is_folder = S_ISDIR(st.st_mode);
    return fd;
}

static int is_there(
    const struct image_source *source, struct slice path, bool *ret, struct err *err)
{
    struct place_file file CLEANUP(place_file_release) = {.fd = -1};

    return place_open(&source->place, path, ret, &file, err);
}

/* A root folder is one image of one layer, about which nothing is said. */
static int read_folder(struct image_source *source, struct err *err)
{
    static const struct layer tree;
    struct source_image image = {.manifest = {.layers = &tree, .layer_count = 1}};

    source->kind = SOURCE_FOLDER;
    return source_add(source, &image, err);
}

static bool has(const struct image_source *source, const char *name)
{
    struct stat st;

    return fstatat(source->place.folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int read_open_folder(struct image_source *source, enum stated_kind stated, struct err *err)
{
    bool layout = stated == STATED_OCI;

    if (stated == STATED_DOCKER)
        return err_set(err, ERR_INVALID, "it is a folder, and no docker-archive");
    if (stated == STATED_NONE)
        layout = has(source, "oci-layout") || (has(source, "index.json") && has(source, "blobs"));
    if (!layout)
        return read_folder(source, err);
    source->kind = SOURCE_OCI_LAYOUT;
    return oci_layout_read(source, err);
}

static int read_archive(struct image_source *source, enum stated_kind stated, struct err *err)
{
    bool saved = false, layout = false, old = false;

    if (stated == STATED_FOLDER)
        return err_set(err, ERR_INVALID, "it is a file, and no folder");
    if (is_there(source, SLICE("manifest.json"), &saved, err) != 0 ||
        is_there(source, SLICE("index.json"), &layout, err) != 0 ||
        is_there(source, SLICE("repositories"), &old, err) != 0)
        return -1;
    if ((saved && stated != STATED_OCI) || stated == STATED_DOCKER) {
        source->kind = SOURCE_DOCKER_ARCHIVE;
        if (old && !saved)
            return err_set(err, ERR_UNSUPPORTED,
                "archives of Docker before 1.10 are not read: load and save the image again");
        if (saved && layout && oci_layout_read(source, err) != 0)
            return -1;
        return docker_archive_read(source, err);
    }
    source->kind = SOURCE_OCI_LAYOUT;
    if (layout || stated == STATED_OCI)
        return oci_layout_read(source, err);
    if (old)
        return err_set(err, ERR_UNSUPPORTED,
            "archives of Docker before 1.10 are not read: load and save the image again");
    return err_set(err, ERR_UNSUPPORTED,
        "it is neither a docker-archive nor an OCI layout: unpack a root file system, and read the "
        "folder");
}

/* is_input: what input_fd (taken over) reads; the path is its name then. */
static int read_target(struct image_source *source, const char *path, enum stated_kind stated,
    bool is_input, int input_fd, struct err *err)
{
    bool is_folder = false;
    int fd = is_input ? archive_spool(input_fd, path, source->scratch_fd, err)
                      : open_target(path, &is_folder, err);
    int result;

    if (fd < 0)
        return is_input ? err_prefix(err, "%s", path) : -1;
    if (is_folder) {
        source->place.folder_fd = fd;
        result = read_open_folder(source, stated, err);
    } else {
        source->place.archive = archive_open(fd, source->path, source->scratch_fd, err);
        result = source->place.archive ? read_archive(source, stated, err) : -1;
    }
    if (result == 0)
        result = source_check_any(source, err);
    return result == 0 ? 0 : err_prefix(err, "%s", path);
}

static int fail_platform(const struct image_source *source, struct slice wanted, struct err *err)
{
    struct buf there CLEANUP(buf_release) = BUF_INIT(500);

    for (size_t i = 0; i < source->count; i++) {
        const struct manifest *manifest = &source->images[i].manifest;

        if (manifest->os.len || manifest->architecture.len)
            buf_printf(&there, "%s%.*s/%.*s", there.len ? ", " : "", SLICE_FMT(manifest->os),
                SLICE_FMT(manifest->architecture));
    }
    return err_set(err, ERR_NOT_FOUND, "%s: there is no image for %.*s; there is %s", source->path,
        SLICE_FMT(wanted), there.len ? there.data : "none that says its platform");
}

/* Keeps the images for the platform. */
static int narrow(struct image_source *source, struct slice text, struct err *err)
{
    struct platform platform;
    size_t kept = 0;

    if (text.len == 0)
        return 0;
    if (platform_parse(text, &platform, err) != 0)
        return -1;
    for (size_t i = 0; i < source->count; i++) {
        const struct manifest *manifest = &source->images[i].manifest;

        if (platform_matches(&platform, manifest->os, manifest->architecture))
            source->images[kept++] = source->images[i];
    }
    if (kept == 0)
        return fail_platform(source, text, err);
    source->count = kept;
    return 0;
}

struct image_source *image_open(
    const char *target, const struct source_options *options, struct err *err)
{
    const char *path;
    enum stated_kind stated = split_target(target, &path);
    bool is_input = image_target_is_input(target);
    struct image_source *source = calloc(1, sizeof(*source));

    if (!source) {
        err_nomem(err);
        return NULL;
    }
    arena_init(&source->arena, "the description of an image", LIMIT_IMAGE_MEMORY_BYTES);
    source->place.folder_fd = -1;
    source->scratch_fd = options->scratch_fd;
    source->path = strdup(is_input ? "standard input" : path);
    source->place.name = source->path;
    if (!source->path)
        err_nomem(err);
    else if (read_target(source, source->path, stated, is_input,
                 is_input ? dup(options->input_fd) : -1, err) == 0 &&
             narrow(source, options->platform, err) == 0)
        return source;
    image_close(source);
    return NULL;
}

void image_close(struct image_source *source)
{
    if (!source)
        return;
    place_release(&source->place);
    arena_release(&source->arena);
    free(source->path);
    free(source);
}

enum source_kind image_source_kind(const struct image_source *source)
{
    return source->kind;
}

size_t image_count(const struct image_source *source)
{
    return source->count;
}

const struct manifest *image_at(const struct image_source *source, size_t i)
{
    BUG_ON(i >= source->count);
    return &source->images[i].manifest;
}

size_t image_left_out(const struct image_source *source, struct slice *ret_first)
{
    *ret_first = source->first_left_out;
    return source->left_out;
}

static int read_blob(const struct image_source *source, const struct source_image *image, size_t at,
    const struct layer_visitor *visitor, struct err *err)
{
    const struct layer *layer = &image->manifest.layers[at];
    struct place_file file CLEANUP(place_file_release) = {.fd = -1};
    struct layer_reading reading = {&file.blob, layer->digest, layer->diff_id, source->scratch_fd};
    bool found = false;

    if (place_open(&source->place, image->layer_paths[at], &found, &file, err) != 0)
        return -1;
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "it is not there any more");
    return layer_read(&reading, visitor, err);
}

int image_read_layer(struct image_source *source, const struct manifest *manifest, size_t layer,
    const struct layer_visitor *visitor, struct err *err)
{
    const struct source_image *image = (const struct source_image *)manifest;

    BUG_ON(layer >= manifest->layer_count);
    if (source->kind == SOURCE_FOLDER)
        return folder_read(source->place.folder_fd, visitor, err) == 0
                   ? 0
                   : err_prefix(err, "%s", source->path);
    if (read_blob(source, image, layer, visitor, err) != 0)
        return err_prefix(
            err, "%s: layer %.*s", source->path, SLICE_FMT(manifest->layers[layer].diff_id));
    return 0;
}
