/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as file formats write them, at any address. The caller has checked that the bytes are
 * there.
 */
#ifndef CAREEN_INVENTORY_BYTES_H
#define CAREEN_INVENTORY_BYTES_H

#include <stdint.h>

static inline uint32_t bytes_be16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t bytes_be32(const unsigned char *p)
{
    return bytes_be16(p) << 16 | bytes_be16(p + 2);
}

static inline uint32_t bytes_le16(const unsigned char *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static inline uint32_t bytes_le32(const unsigned char *p)
{
    return bytes_le16(p + 2) << 16 | bytes_le16(p);
}

#endif
