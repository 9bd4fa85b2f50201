# SPDX-License-Identifier: Apache-2.0
"""Archives made to do harm: each is refused with a reason, or read as what it is."""
import bz2
import hashlib
import json
import lzma
import os
import struct
import subprocess
import tarfile
import zlib

import pytest

import images
from conftest import BUILD_DIR


def block(name=b"x", size=b"00000000000", kind=b"0", link=b"", magic=b"ustar\x0000", rest=b""):
    """A header block with the right checksum. rest: bytes from 345 on."""
    made = bytearray(512)
    made[0:len(name)] = name
    made[100:108] = b"0000644\0"
    made[124:124 + len(size)] = size
    made[156:157] = kind
    made[157:157 + len(link)] = link
    made[257:257 + len(magic)] = magic
    made[345:345 + len(rest)] = rest
    made[148:156] = b" " * 8
    made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


def padded(content):
    return content + bytes(-len(content) % 512)


def pax(records, kind=b"x"):
    """An extended header with these bytes."""
    return block(b"pax", b"%011o" % len(records), kind) + padded(records)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body)
    while len(b"%d" % length) + len(body) != length:
        length = len(b"%d" % length) + len(body)
    return b"%d" % length + body


END = bytes(1024)


def octal(number):
    return b"%011o" % number


def base256(number):
    return bytes([0x80]) + number.to_bytes(11, "big")


def sparse(parts, real, more=b"\0"):
    """The fields of an older GNU sparse file, from byte 345 on."""
    made = bytearray(167)
    for i, (offset, size) in enumerate(parts):
        made[41 + 24 * i:41 + 24 * i + 24] = base256(offset) + base256(size)
    made[137:138] = more
    made[138:150] = base256(real)
    return bytes(made)


GNU = b"ustar  \0"

# name: (layer, code, words of the message)
REFUSED = {
    "leaves the root": (
        images.tar([images.entry("a/../../etc/passwd")]), images.FORMAT,
        "the path a/../../etc/passwd leaves the root"),
    "hard link leaves the root": (
        images.tar([images.hardlink("a", "../../etc/shadow")]), images.FORMAT,
        "the path ../../etc/shadow leaves the root"),
    "whiteout of nothing": (images.tar([images.entry("a/.wh.")]), images.FORMAT, "names nothing"),
    "whiteout of the folder": (
        images.tar([images.entry("a/.wh...")]), images.FORMAT, "names nothing"),
    "long path": (
        images.tar([images.entry("a/" * 2049)], tarfile.PAX_FORMAT), images.LIMIT,
        "more than the limit of 4096 bytes"),
    "deep path": (
        images.tar([images.entry("a/" * 513)], tarfile.PAX_FORMAT), images.LIMIT,
        "more than the limit of 512 parts"),
    "long link": (
        images.tar([images.symlink("a", "b" * 4097)], tarfile.PAX_FORMAT), images.LIMIT,
        "the target of the link a is longer than the limit of 4096 bytes"),
    "cut in a header": (
        images.tar([images.entry("a", b"b" * 600)])[:2000], images.FORMAT,
        "the tar ends at byte 2000, in the middle of an entry"),
    "cut in a content": (
        images.tar([images.entry("a", b"b" * 600)])[:1000], images.FORMAT,
        "the tar ends at byte 1000, in the middle of an entry"),
    "wrong checksum": (
        block().replace(b"0000644", b"0000755") + END, images.FORMAT, "a wrong checksum"),
    "garbage": (os.urandom(1) + b"garbage" * 1000, images.FORMAT, "a wrong checksum"),
    "negative size": (
        block(size=b"\xff" * 12) + END, images.FORMAT, "a size that is none"),
    "huge size": (block(size=b"\x80" + b"\xff" * 11) + END, images.FORMAT, "a size that is none"),
    "size beyond the end": (
        block(size=base256(1 << 29)) + END, images.FORMAT, "ends at byte 1536"),
    "letters for a size": (block(size=b"0000000000z") + END, images.FORMAT, "a size that is none"),
    "one zero block": (
        block() + bytes(512) + block() + END, images.FORMAT,
        "a block that is not zero follows one that is"),
    "huge extended header": (
        block(size=octal((1 << 20) + 1), kind=b"x") + bytes(2 << 20), images.LIMIT,
        "an extended header larger than the limit of 1048576 bytes"),
    "huge long name": (
        block(size=octal((1 << 20) + 1), kind=b"L", magic=GNU) + bytes(2 << 20), images.LIMIT,
        "an extended header larger than the limit of 1048576 bytes"),
    "record too long": (
        pax(b"999 path=a\n") + block() + END, images.FORMAT, "a record of a wrong length"),
    "record too short": (
        pax(b"4 path=a\n") + block() + END, images.FORMAT, "a record of a wrong length"),
    "record without a length": (
        pax(b" path=a\n") + block() + END, images.FORMAT, "a record of a wrong length"),
    "record without a key": (
        pax(record(b"", b"a")) + block() + END, images.FORMAT, "a record without a key"),
    "record without a value": (
        pax(b"8 pathx\n") + block() + END, images.FORMAT, "a record without a key"),
    "NUL in a path": (
        pax(record(b"path", b"etc/passwd\0x")) + block() + END, images.FORMAT, "a NUL in a path"),
    "negative size in a record": (
        pax(record(b"size", b"-1")) + block() + END, images.FORMAT, "a size that is none"),
    "huge size in a record": (
        pax(record(b"size", b"9" * 25)) + block() + END, images.FORMAT, "a size that is none"),
    "path for all": (
        pax(record(b"path", b"etc/passwd"), b"g") + block() + END, images.UNSUPPORTED,
        "a global header that sets the path of all entries"),
    "size for all": (
        pax(record(b"size", b"0"), b"g") + block() + END, images.UNSUPPORTED,
        "a global header that sets the size of all entries"),
    "another volume": (block(kind=b"M", magic=GNU) + END, images.UNSUPPORTED, "several volumes"),
    "sparse without a map": (
        pax(record(b"GNU.sparse.major", b"0") + record(b"GNU.sparse.minor", b"1")) + block() + END,
        images.FORMAT, "a wrong map of a sparse file"),
    "sparse of tomorrow": (
        pax(record(b"GNU.sparse.major", b"2") + record(b"GNU.sparse.minor", b"0")) + block() + END,
        images.UNSUPPORTED, "a sparse file of an unknown version"),
    "sparse map beyond the size": (
        pax(record(b"GNU.sparse.map", b"0,1,100,1") + record(b"GNU.sparse.size", b"100"))
        + block(size=octal(2)) + padded(b"ab") + END, images.FORMAT, "a wrong map"),
    "sparse map backwards": (
        pax(record(b"GNU.sparse.map", b"10,1,5,1") + record(b"GNU.sparse.size", b"100"))
        + block(size=octal(2)) + padded(b"ab") + END, images.FORMAT, "a wrong map"),
    "sparse map overlaps": (
        pax(record(b"GNU.sparse.map", b"0,5,4,1") + record(b"GNU.sparse.size", b"100"))
        + block(size=octal(6)) + padded(b"abcdef") + END, images.FORMAT, "a wrong map"),
    "sparse map of more than is there": (
        pax(record(b"GNU.sparse.map", b"0,50") + record(b"GNU.sparse.size", b"100"))
        + block(size=octal(6)) + padded(b"abcdef") + END, images.FORMAT, "a wrong map"),
    "sparse map overflows": (
        pax(record(b"GNU.sparse.map", b"4611686018427387900,100,0,0")
            + record(b"GNU.sparse.size", b"4611686018427387904"))
        + block(size=octal(100)) + padded(b"a" * 100) + END, images.FORMAT, "a wrong map"),
    "sparse map in the data, cut": (
        pax(record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0")
            + record(b"GNU.sparse.realsize", b"100"))
        + block(size=octal(6)) + padded(b"5\n1\n1\n") + END, images.FORMAT, "a wrong map"),
    "sparse map of too many parts": (
        pax(record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0")
            + record(b"GNU.sparse.realsize", b"100"))
        + block(size=octal(1 << 20)) + padded(b"99999999\n" + b"0\n0\n" * (1 << 18))[:1 << 20]
        + END,
        images.LIMIT, "more than the limit of 65536 parts"),
    "sparse folder": (
        pax(record(b"GNU.sparse.map", b"0,0") + record(b"GNU.sparse.size", b"100"))
        + block(kind=b"5") + END, images.FORMAT, "something sparse that is no file"),
    "sparse, older, wrong": (
        block(b"f", octal(4), b"S", magic=GNU, rest=sparse([(0, 3)], 10)) + padded(b"abcd") + END,
        images.FORMAT, "a wrong map of a sparse file"),
    "sparse, older, without end": (
        block(b"f", octal(0), b"S", magic=GNU, rest=sparse([(0, 0)] * 4, 10, b"\1"))
        + (bytes(504) + b"\1" + bytes(7)) * 3, images.FORMAT, "the tar ends at byte 2048"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("packed", [False, True])
def test_refused(tmp_path, name, packed):
    layer, code, words = REFUSED[name]
    blob = images.gzipped(layer) if packed else layer
    path = images.one_layer(tmp_path / "image", blob, layer)
    found, message = images.refused(BUILD_DIR, path, "-c")
    assert (found, words in message) == (code, True), message
    assert images.sha256(layer) in message


def test_contents_are_not_asked_for(tmp_path):
    """A file that is larger than any that is read is no reason to refuse the layer."""
    layer = block(b"f", octal(0), b"S", magic=GNU, rest=sparse([], 1 << 33)) + END
    path = images.one_layer(tmp_path / "image", layer)
    assert images.read(BUILD_DIR, path)[0]["entries"] == [[("file", b"f", b"", 1 << 33, None)]]
    code, message = images.refused(BUILD_DIR, path, "-c")
    assert code == images.LIMIT and "f is larger than the limit of 1073741824 bytes" in message


def test_sparse_bomb(tmp_path):
    """Holes count as bytes do."""
    layer = b"".join(block(b"f%d" % i, octal(0), b"S", magic=GNU, rest=sparse([], 1 << 33))
                     for i in range(9)) + END
    code, message = images.refused(BUILD_DIR, images.one_layer(tmp_path / "image", layer))
    assert code == images.LIMIT
    assert "it is larger than the limit of 68719476736 bytes" in message


def gzip_of_zeros(megabytes):
    """A gzip of zeros with a tar header in front, as dense as gzip can be."""
    head = block(b"zeros", octal(megabytes << 20))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = packer.compress(head)
    for _ in range(megabytes):
        out += packer.compress(bytes(1 << 20))
    return out + packer.compress(END) + packer.flush()


def test_gzip_bomb(tmp_path):
    bomb = gzip_of_zeros(1100)
    path = images.one_layer(tmp_path / "image", bomb)
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.LIMIT
    assert "the gzip data expands to more than 200 times its size" in message


def test_zstd_bomb(tmp_path):
    zeros = b"".join([block(b"zeros", octal(1100 << 20)), bytes(1100 << 20), END])
    bomb = images.zstd(zeros, "-1")
    path = images.one_layer(tmp_path / "image", bomb)
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.LIMIT
    assert "the zstd data expands to more than 200 times its size" in message


def test_zeros_within_bounds(tmp_path):
    packed = gzip_of_zeros(64)
    digest = hashlib.sha256(block(b"zeros", octal(64 << 20)) + bytes(64 << 20) + END).hexdigest()
    layout = images.Layout(tmp_path / "image")
    path = layout.write(layout.image([packed], diff_ids=[f"sha256:{digest}"]))
    zeros = hashlib.sha256(bytes(64 << 20)).hexdigest()
    assert images.read(BUILD_DIR, path, "-c")[0]["entries"] == [
        [("file", b"zeros", b"", 64 << 20, zeros)]]


def test_zstd_window(tmp_path):
    content = images.tar([images.entry("a", os.urandom(17 << 20))])
    wide = images.zstd(content, "--long=24")
    code, message = images.refused(BUILD_DIR, images.one_layer(tmp_path / "wide", wide, content))
    assert code == images.LIMIT
    assert "the zstd data has a window larger than the limit of 8388608 bytes" in message
    fits = images.zstd(content, "--long=23")
    assert images.read(BUILD_DIR, images.one_layer(tmp_path / "fits", fits, content))


@pytest.mark.parametrize("name, compress", [("xz", lzma.compress), ("bzip2", bz2.compress)])
def test_other_compression(tmp_path, name, compress):
    content = images.tar([images.entry("a", b"b")])
    packed = compress(content)
    path = images.one_layer(tmp_path / "image", packed, content)
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.UNSUPPORTED and f"{name} compression is not read" in message


def test_wrong_digests(tmp_path):
    content = images.tar([images.entry("a", b"b")])
    other = images.tar([images.entry("a", b"c")])
    for number, (layer, tars) in enumerate([
            (content, other), (images.gzipped(content), other), (images.zstd(content), other)]):
        path = images.one_layer(tmp_path / f"diff{number}", layer, tars)
        code, message = images.refused(BUILD_DIR, path)
        assert code == images.FORMAT
        assert f"the content is damaged: its digest is {images.sha256(content)}" in message
    skippable = b"\x50\x2a\x4d\x18\x01\0\0\0"
    # Bytes that do not change what comes out: padding, gzip's time, what a skippable frame holds.
    for number, (layer, at) in enumerate([
            (content, -1), (images.gzipped(content), 4),
            (skippable + b"\0" + images.zstd(content), 8)]):
        path = images.one_layer(tmp_path / f"blob{number}", layer, content)
        blob = path / "blobs/sha256" / images.sha256(layer).removeprefix("sha256:")
        assert images.read(BUILD_DIR, path)
        altered = bytearray(layer)
        altered[at] ^= 1
        blob.write_bytes(altered)
        code, message = images.refused(BUILD_DIR, path)
        assert code == images.FORMAT
        assert f"is damaged: its digest is {images.sha256(altered)}" in message


def test_bytes_behind_the_end_count(tmp_path):
    """They are part of what the diff_id is of, and are not read as entries."""
    content = images.tar([images.entry("a", b"b")])
    longer = content + images.tar([images.entry("c")])
    assert [e[1] for e in images.read(BUILD_DIR, images.one_layer(
        tmp_path / "good", longer))[0]["entries"][0]] == [b"a"]
    code, message = images.refused(
        BUILD_DIR, images.one_layer(tmp_path / "bad", images.gzipped(longer), content))
    assert code == images.FORMAT and "the content is damaged" in message


def test_truncated_blobs(tmp_path):
    content = images.tar([images.entry("a", os.urandom(100000))])
    for name, packed in (("gzip", images.gzipped(content)), ("zstd", images.zstd(content))):
        path = images.one_layer(tmp_path / name, packed[:-1000], content)
        code, message = images.refused(BUILD_DIR, path)
        assert code == images.FORMAT and f"truncated {name} data" in message


# ---- Layouts ----

PLAIN = images.tar([images.entry("a", b"b")])


def test_links_out_of_a_layout(tmp_path):
    """A folder's blobs, index and folders may not be links."""
    secret = tmp_path / "secret"
    secret.write_bytes(PLAIN)
    path = images.one_layer(tmp_path / "blob", PLAIN)
    blob = path / "blobs/sha256" / images.sha256(PLAIN).removeprefix("sha256:")
    blob.unlink()
    blob.symlink_to(secret)
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.FORMAT and "links are not followed" in message
    path = images.one_layer(tmp_path / "index", PLAIN)
    (path / "index.json").rename(tmp_path / "index.json")
    (path / "index.json").symlink_to(tmp_path / "index.json")
    assert images.refused(BUILD_DIR, path)[0] == images.FORMAT
    path = images.one_layer(tmp_path / "blobs", PLAIN)
    (path / "blobs").rename(tmp_path / "moved")
    (path / "blobs").symlink_to(tmp_path / "moved")
    assert images.refused(BUILD_DIR, path)[0] == images.FORMAT


def test_special_files(tmp_path):
    path = images.one_layer(tmp_path / "pipe", PLAIN)
    (path / "index.json").unlink()
    os.mkfifo(path / "index.json")
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.FORMAT and "index.json is no regular file" in message
    os.mkfifo(tmp_path / "target")
    assert images.refused(BUILD_DIR, tmp_path / "target")[0] == images.INVALID
    assert images.refused(BUILD_DIR, tmp_path / "nothing")[0] == images.NOT_FOUND


def test_indexes_without_end(tmp_path):
    layout = images.Layout(tmp_path / "deep")
    found = layout.image([PLAIN])
    for _ in range(8):
        found = layout.index([found])
    code, message = images.refused(BUILD_DIR, layout.write(found))
    assert code == images.LIMIT and "indexes in indexes, deeper than the limit of 8" in message
    # Each of five levels lists the one below it 100 times.
    layout = images.Layout(tmp_path / "wide")
    found = layout.index([])
    for _ in range(5):
        found = layout.index([found] * 100)
    code, message = images.refused(BUILD_DIR, layout.write(found))
    assert code == images.LIMIT and "4096 indexes and manifests (LIMIT_IMAGE_DOCUMENTS)" in message
    layout = images.Layout(tmp_path / "many")
    found = layout.index([layout.image([PLAIN])] * 1000)
    code, message = images.refused(BUILD_DIR, layout.write(found, found))
    assert code == images.LIMIT and "more than the limit of 1024 images" in message


def changed(descriptor, **fields):
    return {**descriptor, **fields}


def test_documents_that_lie(tmp_path):
    def refused(change, name):
        layout = images.Layout(tmp_path / name)
        return images.refused(BUILD_DIR, change(layout))

    code, message = refused(
        lambda it: it.write(changed(it.image([PLAIN]), size=5)), "size")
    assert code == images.FORMAT and "bytes, not 5" in message
    code, message = refused(
        lambda it: it.write(changed(it.image([PLAIN]), digest="sha256:../../../etc/passwd")), "out")
    assert code == images.FORMAT and "a digest that is no SHA-256" in message
    code, message = refused(
        lambda it: it.write(changed(it.image([PLAIN]), digest=f"sha512:{'0' * 128}")), "sha512")
    assert code == images.UNSUPPORTED
    code, message = refused(lambda it: it.write(it.image([PLAIN], diff_ids=["x"])), "diff")
    assert code == images.FORMAT and "a diff_id that is no SHA-256" in message
    code, message = refused(
        lambda it: it.write(it.image([PLAIN], diff_ids=[images.sha256(PLAIN)] * 2)), "more")
    assert code == images.FORMAT and "1 layers, but the config" in message
    code, message = refused(
        lambda it: it.write(it.image([PLAIN], diff_ids=[0])), "type")
    assert code == images.INVALID
    code, message = refused(lambda it: it.write(it.image([PLAIN] * 513)), "layers")
    assert code == images.LIMIT and "more than the limit of 512 layers of an image" in message
    code, message = refused(lambda it: it.write(it.blob(
        b" " * (8 << 20) + b"{}", "application/vnd.oci.image.manifest.v1+json")), "large")
    assert code == images.LIMIT and "a document larger than the limit of 8388608 bytes" in message
    code, message = refused(lambda it: it.write(it.blob(
        b'{"a":' * 1000, "application/vnd.oci.image.manifest.v1+json")), "nested")
    assert code == images.LIMIT
    code, message = refused(lambda it: it.write(it.image(
        [PLAIN], layer_type="application/vnd.oci.image.layer.v1.tar+encrypted")), "encrypted")
    assert code == images.UNSUPPORTED and "is encrypted" in message
    code, message = refused(lambda it: it.write(it.blob(
        {"schemaVersion": 1, "fsLayers": []},
        "application/vnd.docker.distribution.manifest.v1+json")), "schema1")
    assert code == images.UNSUPPORTED


def test_changed_documents(tmp_path):
    layout = images.Layout(tmp_path / "image")
    path = layout.write(layout.image([PLAIN]))
    for blob in (path / "blobs/sha256").iterdir():
        content = blob.read_bytes()
        if not content.startswith(b"{"):
            continue
        blob.write_bytes(content.replace(b"2", b"3", 1) if b"schemaVersion" in content
                         else content.replace(b"amd64", b"arm64"))
        code, message = images.refused(BUILD_DIR, path)
        assert code == images.FORMAT and "is damaged: its digest is" in message
        blob.write_bytes(content)
    assert images.read(BUILD_DIR, path)


def test_foreign_and_missing_layers(tmp_path):
    layout = images.Layout(tmp_path / "foreign")
    path = layout.write(layout.image(
        [PLAIN], layer_type="application/vnd.docker.image.rootfs.foreign.diff.tar"))
    assert images.read(BUILD_DIR, path)
    blob = path / "blobs/sha256" / images.sha256(PLAIN).removeprefix("sha256:")
    blob.unlink()
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.UNSUPPORTED and "is foreign" in message
    path = images.one_layer(tmp_path / "missing", PLAIN)
    (path / "blobs/sha256" / images.sha256(PLAIN).removeprefix("sha256:")).unlink()
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.FORMAT and "is not there" in message


# ---- docker-archive ----

CONFIG = json.dumps({
    "os": "linux", "architecture": "amd64",
    "rootfs": {"type": "layers", "diff_ids": [images.sha256(PLAIN)]},
}).encode()
CONFIG_NAME = images.sha256(CONFIG).removeprefix("sha256:") + ".json"


def archive(tmp_path, entries, config=CONFIG_NAME, layer="l/layer.tar", **more):
    manifest = json.dumps([{"Config": config, "Layers": [layer], "RepoTags": ["a:1"], **more}])
    path = tmp_path / "archive.tar"
    path.write_bytes(images.tar(
        [images.entry(CONFIG_NAME, CONFIG), *entries,
         images.entry("manifest.json", manifest.encode())]))
    return path


def test_paths_out_of_an_archive(tmp_path):
    layer = images.entry("l/layer.tar", PLAIN)
    assert images.read(BUILD_DIR, archive(tmp_path, [layer]))
    cases = [
        (archive, dict(entries=[layer], layer="../../../etc/passwd"), "leaves the root"),
        (archive, dict(entries=[layer], config="../config"), "leaves the root"),
        (archive, dict(entries=[layer], layer="/etc/passwd"),
         "manifest.json names etc/passwd, which is not in the archive"),
        (archive, dict(entries=[images.symlink("l/layer.tar", "../../../etc/passwd")]),
         "leaves the root"),
        (archive, dict(entries=[images.symlink("l/layer.tar", "layer.tar")]), "LIMIT_IMAGE_ARCHIVE_LINKS"),
        (archive, dict(entries=[images.symlink("l/layer.tar", "b"),
                                images.symlink("l/b", "layer.tar")]), "LIMIT_IMAGE_ARCHIVE_LINKS"),
        (archive, dict(entries=[images.folder("l/layer.tar")]), "is not in the archive"),
        (archive, dict(entries=[images.symlink("l/layer.tar", "/etc/passwd")]),
         "is not in the archive"),
    ]
    for make, fields, words in cases:
        code, message = images.refused(BUILD_DIR, make(tmp_path, **fields))
        assert code == images.FORMAT and words in message, (fields, message)


def test_last_of_a_name_wins(tmp_path):
    other = images.tar([images.entry("c")])
    path = archive(
        tmp_path, [images.entry("l/layer.tar", other), images.entry("l/layer.tar", PLAIN)])
    assert images.read(BUILD_DIR, path)[0]["entries"][0][0][1] == b"a"


def test_archives_that_lie(tmp_path):
    layer = images.entry("l/layer.tar", PLAIN)
    whole = archive(tmp_path, [layer]).read_bytes()
    path = tmp_path / "cut.tar"
    path.write_bytes(whole[:3000])
    assert images.refused(BUILD_DIR, path)[0] == images.FORMAT
    path.write_bytes(b"")
    assert images.refused(BUILD_DIR, path)[0] == images.UNSUPPORTED
    path.write_bytes(b"\x7fELF" + bytes(1000))
    code, message = images.refused(BUILD_DIR, path)
    assert code == images.UNSUPPORTED and "it is no tar" in message
    path.write_bytes(gzip_of_zeros(1100))
    assert images.refused(BUILD_DIR, path)[0] == images.LIMIT
    code, message = images.refused(
        BUILD_DIR, archive(tmp_path, [layer, images.entry(CONFIG_NAME, CONFIG + b" ")]))
    assert code == images.FORMAT and "is damaged: its digest is" in message
    many = tmp_path / "many.tar"
    many.write_bytes(b"".join(block(b"%d" % i) for i in range(100001)) + END)
    code, message = images.refused(BUILD_DIR, many)
    assert code == images.LIMIT and "more than the limit of 100000 entries" in message


def test_contents_need_little_memory(tmp_path):
    """A file of 300 MB, asked for: it goes to the disk."""
    content = struct.pack("<I", 7) * (75 << 20)
    layer = images.tar([images.entry("large", content)])
    path = images.one_layer(tmp_path / "image", layer)
    limited = ["prlimit", f"--data={100 << 20}", BUILD_DIR / "image_list", "-c", path]
    ran = subprocess.run(limited, capture_output=True, text=True, check=False)
    if "AddressSanitizer" in ran.stderr or b"asan" in os.fsencode(str(BUILD_DIR)):
        pytest.skip("a sanitizer needs more memory than the limit")
    assert ran.returncode == 0, ran.stderr
    assert hashlib.sha256(content).hexdigest() in ran.stdout
