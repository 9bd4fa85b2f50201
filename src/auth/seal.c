/* SPDX-License-Identifier: Apache-2.0 */
/* See seal.h. The file comes to be under another name and is linked into place whole: nobody reads
 * half a key, and of two makers one finds the other's. */
#include "auth/seal.h"

#include "base/cleanup.h"
#include "base/random.h"
#include "codec/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_HEX = 2 * SEALING_KEY_BYTES, PATH_BYTES = 4096 };

static int file_path(
    const char *data_dir, const char *suffix, char ret[PATH_BYTES], struct err *err)
{
    if ((size_t)snprintf(ret, PATH_BYTES, "%s/" SEAL_FILE "%s", data_dir, suffix) >= PATH_BYTES)
        return err_set(err, ERR_INVALID, "the folder name %.80s... is too long", data_dir);
    return 0;
}

static int check_mode(int fd, const char *path, struct err *err)
{
    struct stat file;

    if (fstat(fd, &file) < 0)
        return err_set_errno(err, "cannot read the key file %s", path);
    if (!S_ISREG(file.st_mode) || (file.st_mode & 077))
        return err_set(err, ERR_DENIED,
            "the key file %s may be used by others (mode %03o): run chmod 600 on it", path,
            (unsigned)(file.st_mode & 0777));
    return 0;
}

static int read_key(int fd, const char *path, struct seal *ret, struct err *err)
{
    char text[KEY_HEX + 2];
    ssize_t got = read(fd, text, sizeof(text));
    int failed = 0;

    if (got < 0)
        return err_set_errno(err, "cannot read the key file %s", path);
    if (!hex_decode(slice_trim((struct slice){text, (size_t)got}), ret->key, sizeof(ret->key)))
        failed = err_set(err, ERR_CORRUPT,
            "the key file %s is damaged (it is a line of %d hex digits): restore it from a backup",
            path, KEY_HEX);
    explicit_bzero(text, sizeof(text));
    return failed;
}

int seal_read(const char *data_dir, struct seal *ret, struct err *err)
{
    char path[PATH_BYTES];
    int fd CLEANUP(cleanup_fd) = -1;

    if (file_path(data_dir, "", path, err) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND,
            "the key file %s is missing: restore it from a backup, or revoke the access keys that "
            "were sealed with it (careen key list) and make new ones",
            path);
    if (fd < 0)
        return err_set_errno(err, "cannot read the key file %s", path);
    if (check_mode(fd, path, err) < 0)
        return -1;
    return read_key(fd, path, ret, err);
}

static int write_key(const char *path, const struct seal *seal, struct err *err)
{
    char text[SEAL_TEXT_BYTES];
    int fd CLEANUP(cleanup_fd) = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    bool written;

    if (fd < 0)
        return err_set_errno(err, "cannot make the key file %s", path);
    seal_text(seal, text);
    written = write(fd, text, KEY_HEX + 1) == KEY_HEX + 1 && fsync(fd) == 0;
    explicit_bzero(text, sizeof(text));
    return written ? 0 : err_set_errno(err, "cannot write the key file %s", path);
}

/* The entry in the folder must outlive a power cut: what is sealed with the key does. */
static int sync_folder(const char *data_dir, struct err *err)
{
    int fd CLEANUP(cleanup_fd) = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return err_set_errno(err, "cannot keep the key file in %s", data_dir);
    return 0;
}

/* Unless there is one already. */
static int make_key(const char *data_dir, const struct seal *seal, struct err *err)
{
    char path[PATH_BYTES], fresh[PATH_BYTES], suffix[24];
    unsigned char random[8];
    int failed;

    random_bytes(random, sizeof(random));
    suffix[0] = '.';
    hex_encode(random, sizeof(random), suffix + 1);
    if (file_path(data_dir, "", path, err) < 0 || file_path(data_dir, suffix, fresh, err) < 0)
        return -1;
    failed = write_key(fresh, seal, err);
    if (!failed && link(fresh, path) < 0 && errno != EEXIST)
        failed = err_set_errno(err, "cannot make the key file %s", path);
    unlink(fresh);
    return failed ? -1 : sync_folder(data_dir, err);
}

int seal_read_or_make(const char *data_dir, struct seal *ret, struct err *err)
{
    struct err missing;
    struct seal fresh;
    int failed;

    if (seal_read(data_dir, ret, &missing) == 0)
        return 0;
    if (missing.code != ERR_NOT_FOUND) {
        *err = missing;
        return -1;
    }
    random_bytes(fresh.key, sizeof(fresh.key));
    failed = make_key(data_dir, &fresh, err);
    seal_forget(&fresh);
    return failed ? -1 : seal_read(data_dir, ret, err);
}

void seal_text(const struct seal *seal, char ret[SEAL_TEXT_BYTES])
{
    hex_encode(seal->key, sizeof(seal->key), ret);
    memcpy(ret + KEY_HEX, "\n", 2);
}

/* Whoever has made the file meanwhile: what counts is which key is there in the end. */
static int install(
    const char *data_dir, const struct seal *wanted, struct seal *found, struct err *err)
{
    struct err missing;

    if (seal_read(data_dir, found, &missing) < 0) {
        if (missing.code != ERR_NOT_FOUND) {
            *err = missing;
            return -1;
        }
        if (make_key(data_dir, wanted, err) < 0 || seal_read(data_dir, found, err) < 0)
            return -1;
    }
    if (memcmp(found->key, wanted->key, sizeof(wanted->key)) == 0)
        return 0;
    return err_set(err, ERR_CONFLICT,
        "%s/" SEAL_FILE " is there already, and it is another key: use another folder, or move it "
        "away",
        data_dir);
}

int seal_install(const char *data_dir, struct slice text, struct err *err)
{
    struct seal wanted, found = {0};
    int failed;

    if (!hex_decode(slice_trim(text), wanted.key, sizeof(wanted.key)))
        return err_set(
            err, ERR_CORRUPT, "the key to be restored is not a line of %d hex digits", KEY_HEX);
    failed = install(data_dir, &wanted, &found, err);
    seal_forget(&wanted);
    seal_forget(&found);
    return failed;
}

void seal_forget(struct seal *seal)
{
    explicit_bzero(seal, sizeof(*seal));
}

void seal_secret(const struct seal *seal, struct slice secret, struct slice owner, struct buf *ret)
{
    char *dst = buf_reserve(ret, SEALED_BYTES(secret.len));

    if (!dst)
        return;
    aes_seal(seal->key, secret, owner, (unsigned char *)dst);
    ret->len += SEALED_BYTES(secret.len);
    ret->data[ret->len] = '\0';
}

int seal_open(const struct seal *seal, const char *data_dir, struct slice sealed,
    struct slice owner, char *dst, size_t cap, size_t *ret_len, struct err *err)
{
    if (sealed.len < SEALED_BYTES(0) || sealed.len - SEALED_BYTES(0) > cap ||
        !aes_open(seal->key, sealed, owner, (unsigned char *)dst))
        return err_set(err, ERR_CORRUPT,
            "%s/" SEAL_FILE
            " is not the key file that access key %.*s was sealed with: restore the "
            "right one from a backup, or revoke the key (careen key revoke) and make a new one",
            data_dir, SLICE_FMT(owner));
    *ret_len = sealed.len - SEALED_BYTES(0);
    return 0;
}
