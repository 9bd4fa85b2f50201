/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See tar_block.h. Where readers differ this one does as Go's archive/tar, which is what unpacks
 * layers in containerd, Docker and Podman: which fields of a block count is told by its magic, and
 * a checksum may have been made of signed or unsigned bytes.
 */
#include "image/tar_block.h"

enum {
    NAME = 0,
    NAME_LEN = 100,
    SIZE = 124,
    SIZE_LEN = 12,
    CHECKSUM = 148,
    CHECKSUM_LEN = 8,
    TYPE = 156,
    LINK = 157,
    LINK_LEN = 100,
    MAGIC = 257,
    PREFIX = 345,
    PREFIX_LEN = 155,
    STAR_PREFIX_LEN = 131,
    STAR_TRAILER = 508,
    NUMBER_BITS = 62,
};

bool tar_block_is_zero(const unsigned char block[TAR_BLOCK_BYTES])
{
    return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK_BYTES - 1) == 0;
}

static bool number_base256(const unsigned char *field, size_t len, uint64_t *ret)
{
    uint64_t value = field[0] & 0x3fu;

    if (field[0] & 0x40) /* negative */
        return false;
    for (size_t i = 1; i < len; i++) {
        if (value >> (NUMBER_BITS - 8))
            return false;
        value = value << 8 | field[i];
    }
    *ret = value;
    return true;
}

/* Blanks and NULs may stand around the digits; none at all is 0. */
bool tar_number(const unsigned char *field, size_t len, uint64_t *ret)
{
    uint64_t value = 0;

    if (field[0] & 0x80)
        return number_base256(field, len, ret);
    while (len && (*field == ' ' || *field == 0)) {
        field++;
        len--;
    }
    for (; len && *field >= '0' && *field <= '7'; field++, len--) {
        if (value >> (NUMBER_BITS - 3))
            return false;
        value = value << 3 | (uint64_t)(*field - '0');
    }
    /* What is behind a NUL does not count. */
    while (len && *field == ' ') {
        field++;
        len--;
    }
    if (len && *field != 0)
        return false;
    *ret = value;
    return true;
}

struct slice tar_text(const unsigned char *field, size_t len)
{
    const char *text = (const char *)field;

    return (struct slice){text, strnlen(text, len)};
}

static bool checksum_is_right(const unsigned char *block)
{
    uint64_t stated;
    int64_t sum = 0, signed_sum = 0;

    if (!tar_number(block + CHECKSUM, CHECKSUM_LEN, &stated))
        return false;
    for (int i = 0; i < TAR_BLOCK_BYTES; i++) {
        bool itself = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LEN;

        sum += itself ? ' ' : block[i];
        signed_sum += itself ? ' ' : (signed char)block[i];
    }
    return (int64_t)stated == sum || (int64_t)stated == signed_sum;
}

static enum tar_format format_of(const unsigned char *block)
{
    if (memcmp(block + MAGIC,
            "ustar\0"
            "00",
            8) == 0)
        return memcmp(block + STAR_TRAILER, "tar\0", 4) == 0 ? TAR_STAR : TAR_USTAR;
    return memcmp(block + MAGIC, "ustar  \0", 8) == 0 ? TAR_GNU : TAR_V7;
}

int tar_block_decode(
    const unsigned char block[TAR_BLOCK_BYTES], struct tar_block *ret, struct err *err)
{
    struct slice name = tar_text(block + NAME, NAME_LEN), link, prefix = SLICE_NONE;
    struct tar_block made = {.format = format_of(block), .type = (char)block[TYPE]};

    if (!checksum_is_right(block))
        return err_set(err, ERR_FORMAT, "a header with a wrong checksum");
    if (!tar_number(block + SIZE, SIZE_LEN, &made.size))
        return err_set(err, ERR_FORMAT, "a header with a size that is none");
    link = tar_text(block + LINK, LINK_LEN);
    if (made.format == TAR_USTAR)
        prefix = tar_text(block + PREFIX, PREFIX_LEN);
    else if (made.format == TAR_STAR)
        prefix = tar_text(block + PREFIX, STAR_PREFIX_LEN);
    snprintf(made.name, sizeof(made.name), "%.*s%s%.*s", SLICE_FMT(prefix), prefix.len ? "/" : "",
        SLICE_FMT(name));
    snprintf(made.link, sizeof(made.link), "%.*s", SLICE_FMT(link));
    *ret = made;
    return 0;
}
