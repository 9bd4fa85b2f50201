# SPDX-License-Identifier: Apache-2.0
"""Images in all their forms, held against what tar readers and other image tools make of them."""
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile

import pytest

import images
from conftest import BUILD_DIR

ALPINE = "images/trivy-fanal/alpine-310.tar.gz"


def need(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed (scripts/install-dependencies)")


@pytest.fixture(scope="session")
def image_data(shared_data, tmp_path_factory):
    """The folder with the third-party images, unpacked."""
    packed = shared_data / "images.tar.zst"
    if not packed.is_file():
        pytest.skip(f"no {packed}")
    folder = tmp_path_factory.mktemp("images")
    subprocess.run(["tar", "--zstd", "-xf", packed, "-C", folder], check=True)
    return folder


@pytest.fixture(scope="session")
def alpine(image_data):
    path = image_data / ALPINE
    return path if path.is_file() else image_data / "images" / ALPINE


@pytest.fixture(scope="session")
def alpine_tar(alpine, tmp_path_factory):
    """The same without gzip, for skopeo."""
    path = tmp_path_factory.mktemp("alpine") / "alpine.tar"
    path.write_bytes(gzip.decompress(alpine.read_bytes()))
    return path


def meant(entries):
    """tar_entries() with what whiteouts mean."""
    found = []
    for kind, path, target, size, digest in entries:
        folder, _, base = path.rpartition(b"/")
        if base == b".wh..wh..opq":
            found.append(("opaque", folder, b"", 0, None))
        elif base.startswith(b".wh..wh."):
            continue
        elif base.startswith(b".wh."):
            hidden = (folder + b"/" if folder else b"") + base[4:]
            found.append(("whiteout", hidden, b"", 0, None))
        else:
            found.append((kind, path, target, size, digest))
    return found


# ---- Tars ----

NAMES = [
    "a", "./b", "/c", "d//e", "d/./f", "g/../h", "x" * 99, "x" * 100, "x" * 101, "y" * 155 + "/z",
    "p" * 150 + "/" + "q" * 99, "long/" * 60 + "end", "m" * 255 + "/" + "n" * 255,
    "ümläut/ß", "日本語/名前", "space d/t\tab", "new\nline", "trailing.", "...", "..a", "a..",
    ".wh.gone", "dir/.wh.gone", "dir/.wh..wh..opq", ".wh..wh..opq", ".wh..wh.plnk",
    "dir/.wh..wh.aufs",
]


def world():
    """Entries of all kinds with names of all lengths."""
    rng = random.Random(7)
    made = []
    for name in NAMES:
        made.append(images.entry(name, rng.randbytes(rng.choice([0, 1, 511, 512, 513, 5000]))))
        made.append(images.folder(f"folder-{len(made)}/{name}"))
        made.append(images.symlink(f"link-{len(made)}", f"../../{name}"))
        made.append(images.hardlink(f"hard-{len(made)}", name))
    made += [
        images.entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        images.entry("disk", type=tarfile.BLKTYPE), images.entry("pipe", type=tarfile.FIFOTYPE),
        images.entry("twice", b"first"), images.entry("twice", b"second"),
        images.entry("big", rng.randbytes(3 << 20)),
    ]
    return made


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_formats_of_tar(tmp_path, form):
    entries = world()
    if form == tarfile.USTAR_FORMAT:
        entries = [it for it in entries
                   if len(it[0].name) < 100 and len(it[0].linkname) < 100 and it[0].name.isascii()
                   and it[0].linkname.isascii()]
    content = images.tar(entries, form)
    path = images.one_layer(tmp_path / "image", content)
    read = images.read(BUILD_DIR, path, "-c")[0]["entries"][0]
    assert read == meant(images.tar_entries(content))
    assert len(read) > 40


def test_what_tar_writes(tmp_path):
    """A tree as GNU tar and bsdtar write it, sparse files and odd names among them."""
    tree = tmp_path / "tree"
    (tree / "deep" / ("d" * 120) / ("e" * 120)).mkdir(parents=True)
    (tree / "deep" / ("d" * 120) / ("e" * 120) / ("f" * 200)).write_bytes(b"deep")
    (tree / "empty").touch()
    os.symlink("../" * 60 + "target", tree / "link")
    os.link(tree / "empty", tree / "other")
    os.mkfifo(tree / "pipe")
    (tree / os.fsdecode(b"latin-\xe4")).write_bytes(b"not UTF-8")
    for number, places in enumerate([[], [0], [5 << 20], [0, 1 << 20, 9 << 20],
                                     [n << 17 for n in range(60)]]):
        with open(tree / f"sparse-{number}", "wb") as file:
            for place in places:
                file.seek(place)
                file.write(b"%d" % place + b"x" * 5000)
            file.truncate(11 << 20)
    commands = {
        f"{form}-{version}": ["tar", "--format", form, "--sparse", f"--sparse-version={version}"]
        for form, version in [("gnu", "1.0"), ("posix", "0.0"), ("posix", "0.1"), ("posix", "1.0")]
    }
    commands |= {"oldgnu": ["tar", "--format", "oldgnu"]}
    if shutil.which("bsdtar"):
        commands |= {"bsd": ["bsdtar", "--format", "pax"]}
    want = sorted((path.relative_to(tree).as_posix().encode("utf-8", "surrogateescape"),
                   hashlib.sha256(path.read_bytes()).hexdigest())
                  for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    for name, command in commands.items():
        content = subprocess.run(
            [*command, "-cf", "-", "-C", tree, "."], stdout=subprocess.PIPE, check=True).stdout
        path = images.one_layer(tmp_path / name, images.gzipped(content), content)
        read = images.read(BUILD_DIR, path, "-c")[0]["entries"][0]
        assert meant(images.tar_entries(content)) == read, name
        first = {entry[1]: entry[4] for entry in read if entry[0] == "file"}
        for kind, entry, target, _, _ in read:
            if kind == "hardlink":
                first[entry] = first[target]
        assert sorted(first.items()) == want, name
        assert {entry[1] for entry in read if entry[0] == "other"} == {b"pipe"}


def test_large_numbers_are_base_256(tmp_path):
    """Python writes them so in the GNU format where octal digits do not reach."""
    info, content = images.entry("a", b"b", uid=1 << 40, mtime=1 << 40)
    layer = images.tar([(info, content)])
    path = images.one_layer(tmp_path / "image", layer)
    assert images.read(BUILD_DIR, path)[0]["entries"] == [[("file", b"a", b"", 1, None)]]


def test_global_headers_that_say_nothing(tmp_path):
    """As `git archive` writes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT,
                      pax_headers={"comment": "0123456789"}) as archive:
        archive.addfile(images.entry("a", b"b")[0], io.BytesIO(b"b"))
    path = images.one_layer(tmp_path / "image", out.getvalue())
    assert images.read(BUILD_DIR, path)[0]["entries"] == [[("file", b"a", b"", 1, None)]]


def test_compressions(tmp_path):
    content = images.tar(world())
    want = meant(images.tar_entries(content))
    half = len(content) // 2
    skippable = b"\x53\x2a\x4d\x18\x03\0\0\0abc"
    packed = {
        "none": content,
        "gzip": images.gzipped(content),
        "members": images.gzipped(content[:half]) + images.gzipped(content[half:]),
        "zstd": images.zstd(content),
        "best": images.zstd(content, "-19"),
        "frames": images.zstd(content[:half]) + images.zstd(content[half:], "--no-check"),
        "skippable": skippable + images.zstd(content[:half]) + skippable
        + images.zstd(content[half:]) + skippable,
    }
    for name, blob in packed.items():
        path = images.one_layer(tmp_path / name, blob, content)
        image = images.read(BUILD_DIR, path, "-c")[0]
        assert image["entries"] == [want], name
        assert image["layers"] == [{
            "digest": images.sha256(blob), "diff_id": images.sha256(content), "size": len(blob)}]


# ---- Real images ----

def layer_tars(path):
    """The tars of the layers of a docker-archive, and its manifest.json."""
    with tarfile.open(path) as archive:
        saved = json.load(archive.extractfile("manifest.json"))
        return [archive.extractfile(layer).read() for layer in saved[0]["Layers"]], saved


def test_real_layers(image_data, alpine):
    found = [alpine, *image_data.rglob("busybox.tar"), *image_data.rglob("test_link.tar")]
    assert len(found) == 3
    for path in found:
        image = images.read(BUILD_DIR, path, "-c")[0]
        tars, saved = layer_tars(path)
        assert image["entries"] == [meant(images.tar_entries(tar)) for tar in tars]
        assert image["config"] == "sha256:" + saved[0]["Config"].removesuffix(".json")
        assert f"{image['name']}:{image['tag']}" == saved[0]["RepoTags"][0]
        assert [layer["diff_id"] for layer in image["layers"]] == [images.sha256(t) for t in tars]


def test_what_others_test_with(image_data):
    """Odd archives and layouts of other projects."""
    def find(name):
        found = list(image_data.rglob(name))
        assert found, name
        return found[0]

    both = images.read(BUILD_DIR, find("test_bundle.tar"))
    assert [it["name"] for it in both] == ["test_image_2", "test_image_1"]
    linked = images.read(BUILD_DIR, find("test_link.tar"))
    assert linked[1]["entries"][0] == linked[0]["entries"][0]
    newer = images.read(BUILD_DIR, find("hello-world-v25.tar"))[0]
    assert newer["kind"] == "docker-archive" and newer["architecture"] == "arm64"
    assert newer["layers"][0]["digest"] == newer["layers"][0]["diff_id"]
    assert images.refused(BUILD_DIR, find("no_manifest.tar"))[0] == images.UNSUPPORTED
    assert images.refused(BUILD_DIR, find("null_manifest.tar"))[0] == images.NOT_FOUND
    assert images.refused(BUILD_DIR, find("content.tar"))[0] == images.UNSUPPORTED
    assert images.read(BUILD_DIR, find("test_image_tag.oci"))[0]["tag"] == "0.0.1"
    assert images.refused(BUILD_DIR, find("test_bad_index_json.oci"))[0] == images.FORMAT
    assert images.refused(BUILD_DIR, find("test_no_valid_manifests.oci"))[0] == images.FORMAT
    assert images.refused(BUILD_DIR, find("test_invalid_oci_image.oci"))[0] == images.NOT_FOUND
    assert images.refused(BUILD_DIR, find("test_index_media_type"))[0] == images.NOT_FOUND
    nested = images.read(BUILD_DIR, find("test_index"))
    assert [it["tag"] for it in nested] == ["1", "1", "4"]


def skopeo(*arguments):
    subprocess.run(["skopeo", "--insecure-policy", "copy", "-q", *arguments], check=True)


def test_every_form_is_the_same(alpine, alpine_tar, tmp_path):
    need("skopeo")
    source = f"docker-archive:{alpine_tar}"
    want = images.read(BUILD_DIR, alpine, "-c")[0]
    forms = {
        "docker": ["docker-archive:{}:alpine:3.10"],
        "oci": ["oci:{}:alpine:3.10"],
        "oci-archive": ["oci-archive:{}:alpine:3.10"],
        "zstd": ["oci:{}:alpine:3.10", "--dest-compress-format", "zstd", "--dest-compress"],
        "zstd-archive": ["oci-archive:{}:alpine:3.10", "--dest-compress-format", "zstd"],
        "plain": ["oci:{}:alpine:3.10", "--dest-decompress"],
    }
    configs = set()
    for name, (target, *options) in forms.items():
        path = tmp_path / name
        skopeo(source, target.format(path), *options)
        image = images.read(BUILD_DIR, path, "-c")[0]
        assert image["entries"] == want["entries"], name
        short = image["name"].removeprefix("docker.io/library/")  # skopeo writes it into archives
        assert (short, image["tag"]) == ("alpine", "3.10"), name
        assert (image["os"], image["architecture"]) == ("linux", "amd64"), name
        assert [it["diff_id"] for it in image["layers"]] == [
            it["diff_id"] for it in want["layers"]], name
        if "docker" not in name:
            shown = subprocess.run(
                ["skopeo", "inspect", f"oci{'-archive' if 'archive' in name else ''}:{path}"],
                check=True, capture_output=True).stdout
            assert image["digest"] == json.loads(shown)["Digest"], name
            assert [it["digest"] for it in image["layers"]] == json.loads(shown)["Layers"], name
            configs.add(image["config"])
    assert len(configs) == 1
    for name, tool in (("gz", ["gzip", "-c"]), ("zst", ["zstd", "-qc"])):
        packed = tmp_path / f"docker.{name}"
        packed.write_bytes(subprocess.run(
            [*tool, tmp_path / "docker"], stdout=subprocess.PIPE, check=True).stdout)
        assert images.read(BUILD_DIR, packed, "-c")[0]["entries"] == want["entries"]


def test_layers_of_umoci(alpine_tar, tmp_path):
    """umoci adds a layer that removes, adds and links; Python reads the same in it."""
    need("skopeo")
    need("umoci")
    layout, bundle = tmp_path / "layout", tmp_path / "bundle"
    skopeo(f"docker-archive:{alpine_tar}", f"oci:{layout}:base")
    root = ["--rootless"] if os.geteuid() else []
    subprocess.run(["umoci", "unpack", *root, "--image", f"{layout}:base", bundle], check=True,
                   capture_output=True)
    rootfs = bundle / "rootfs"
    (rootfs / "etc/motd").unlink()
    shutil.rmtree(rootfs / "etc/apk/keys")
    (rootfs / "etc/new").write_text("new")
    os.link(rootfs / "etc/new", rootfs / "etc/new-too")
    os.symlink("new", rootfs / "etc/new-link")
    subprocess.run(["umoci", "repack", "--image", f"{layout}:next", bundle], check=True,
                   capture_output=True)
    image = next(it for it in images.read(BUILD_DIR, layout, "-c") if it["tag"] == "next")
    top = image["layers"][-1]["digest"].removeprefix("sha256:")
    unpacked = subprocess.run(
        ["gzip", "-dc", layout / "blobs/sha256" / top], stdout=subprocess.PIPE, check=True).stdout
    entries = image["entries"][-1]
    assert entries == meant(images.tar_entries(unpacked))
    assert ("whiteout", b"etc/motd", b"", 0, None) in entries
    assert ("whiteout", b"etc/apk/keys", b"", 0, None) in entries
    assert ("symlink", b"etc/new-link", b"new", 0, None) in entries


# ---- What a source lists ----

def test_platforms(tmp_path):
    layout = images.Layout(tmp_path / "image")
    layers = {name: images.tar([images.entry(name)]) for name in ("amd64", "arm64", "arm")}
    made = [
        layout.image([layers["amd64"]], platform={"os": "linux", "architecture": "amd64"}),
        layout.image([layers["arm64"]], config={"architecture": "arm64", "variant": "v8"}),
        layout.image([layers["arm"]], config={"architecture": "arm", "variant": "v7"}),
        layout.image([layers["arm"]], config={"os": "unknown", "architecture": "unknown"}),
        layout.image([layers["arm"]], platform={"os": "unknown", "architecture": "unknown"}),
        layout.image([layers["arm"]], annotations={
            "vnd.docker.reference.type": "attestation-manifest"}),
        layout.image([b"{}"], layer_type="application/vnd.in-toto+json"),
        layout.blob({}, "application/vnd.something.else+json"),
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{'0' * 64}",
         "size": 3},
    ]
    named = {"annotations": {"org.opencontainers.image.ref.name": "registry.test:5000/a/b:7"}}
    path = layout.write(layout.index([layout.index(made)], **named))
    found = images.read(BUILD_DIR, path)
    assert [it["architecture"] for it in found] == ["amd64", "arm64/v8", "arm/v7"]
    assert {(it["name"], it["tag"]) for it in found} == {("registry.test:5000/a/b", "7")}
    for wanted, got in [("linux/amd64", "amd64"), ("arm64", "arm64/v8"), ("aarch64", "arm64/v8"),
                        ("linux/arm64/v8", "arm64/v8"), ("arm/v7", "arm/v7"), ("x86_64", "amd64")]:
        assert [it["architecture"] for it in images.read(BUILD_DIR, path, "-p", wanted)] == [got]
    code, message = images.refused(BUILD_DIR, path, "-p", "linux/s390x")
    assert code == images.NOT_FOUND
    assert "for linux/s390x; there is linux/amd64, linux/arm64/v8, linux/arm/v7" in message
    assert images.refused(BUILD_DIR, path, "-p", "linux//")[0] == images.INVALID


def test_names(tmp_path):
    layer = images.tar([images.entry("a")])
    cases = [
        ({"org.opencontainers.image.ref.name": "3.10"}, ("", "3.10")),
        ({"org.opencontainers.image.ref.name": "alpine:3.10"}, ("alpine", "3.10")),
        ({"org.opencontainers.image.ref.name": "3.10",
          "io.containerd.image.name": "docker.io/library/alpine:3.10"},
         ("docker.io/library/alpine", "3.10")),
        ({"org.opencontainers.image.ref.name": "no tag"}, ("", "")),
        ({}, ("", "")),
    ]
    for number, (annotations, want) in enumerate(cases):
        path = images.one_layer(tmp_path / str(number), layer, annotations=annotations)
        image = images.read(BUILD_DIR, path)[0]
        assert (image["name"], image["tag"]) == want


def as_docker(layout_path, out, manifest_json):
    """A layout as `docker save` writes it since 25: in a tar, with a manifest.json."""
    (layout_path / "manifest.json").write_text(json.dumps(manifest_json))
    subprocess.run(["tar", "-cf", out, "-C", layout_path, "."], check=True)
    return out


def test_docker_save_since_25(tmp_path):
    layers = [images.tar([images.entry(name)]) for name in ("a", "b")]
    layout = images.Layout(tmp_path / "layout")
    image = layout.image(layers)
    blobs = layout.path / "blobs/sha256"
    manifest = json.loads((blobs / image["digest"].removeprefix("sha256:")).read_text())
    saved = {
        "Config": "blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:"),
        "RepoTags": ["alpine:3.10", "alpine:latest"],
        "Layers": ["blobs/sha256/" + it["digest"].removeprefix("sha256:")
                   for it in manifest["layers"]],
    }
    layout.write(*({**image, "annotations": {
        "io.containerd.image.name": f"docker.io/library/alpine:{tag}",
        "org.opencontainers.image.ref.name": tag}} for tag in ("3.10", "latest")))
    both = images.read(BUILD_DIR, as_docker(layout.path, tmp_path / "both.tar", [saved]), "-c")
    layout.write(image)
    bare = images.read(BUILD_DIR, as_docker(layout.path, tmp_path / "bare.tar", [saved]), "-c")
    layout.write()
    index = images.read(BUILD_DIR, as_docker(layout.path, tmp_path / "none.tar", [saved]), "-c")
    (layout.path / "index.json").unlink()
    old = images.read(BUILD_DIR, as_docker(layout.path, tmp_path / "old.tar", [saved]), "-c")
    for found in (both, bare, index, old):
        assert [(it["name"], it["tag"]) for it in found] == [
            ("alpine", "3.10"), ("alpine", "latest")]
        assert {it["kind"] for it in found} == {"docker-archive"}
        for it in found:
            assert it["entries"] == both[0]["entries"]
            assert (it["config"], it["layers"], it["size"]) == (
                both[0]["config"], both[0]["layers"], both[0]["size"])
    assert {it["digest"] for it in both + bare} == {image["digest"]}
    assert {it["digest"] for it in index + old} == {""}


def test_what_manifest_json_alone_lists_is_read_too(tmp_path):
    """A program may load by either list: neither hides an image from the other."""
    layout = images.Layout(tmp_path / "layout")
    shown, hidden = images.tar([images.entry("shown")]), images.tar([images.entry("hidden")])
    image, other = layout.image([shown]), layout.image([hidden])
    config = json.loads((layout.path / "blobs/sha256" / other["digest"][7:]).read_text())["config"]
    layout.write(image)
    path = as_docker(layout.path, tmp_path / "saved.tar", [{
        "Config": f"blobs/sha256/{config['digest'][7:]}", "RepoTags": ["x:1"],
        "Layers": [f"blobs/sha256/{images.sha256(hidden)[7:]}"]}])
    assert [it["entries"][0][0][1] for it in images.read(BUILD_DIR, path)] == [b"shown", b"hidden"]


def test_words_in_front(tmp_path):
    layer = images.tar([images.entry("a")])
    path = images.one_layer(tmp_path / "layout", layer)
    (tmp_path / "saved.tar").write_bytes(images.tar([images.entry("manifest.json", b"[]")]))
    assert images.read(BUILD_DIR, f"oci:{path}")[0]["kind"] == "oci-layout"
    assert images.read(BUILD_DIR, f"dir:{path}")[0]["kind"] == "folder"
    assert images.refused(BUILD_DIR, f"docker-archive:{path}")[0] == images.INVALID
    assert images.refused(BUILD_DIR, f"dir:{tmp_path}/saved.tar")[0] == images.INVALID
    assert images.refused(BUILD_DIR, f"oci:{tmp_path}/saved.tar")[0] == images.FORMAT
    assert images.refused(BUILD_DIR, f"docker-archive:{tmp_path}/saved.tar")[0] == images.NOT_FOUND


# ---- Folders ----

def test_a_folder(tmp_path):
    root = tmp_path / "root"
    (root / "etc/deep/er").mkdir(parents=True)
    (root / "etc/passwd").write_text("root")
    (root / "etc/.wh.gone").touch()
    os.symlink("/etc/passwd", root / "etc/absolute")
    os.symlink("../..", root / "etc/up")
    os.mkfifo(root / "pipe")
    found = images.read(BUILD_DIR, root, "-c")[0]
    want = hashlib.sha256(b"root").hexdigest()
    assert sorted(found["entries"][0]) == sorted([
        ("folder", b"etc", b"", 0, None), ("folder", b"etc/deep", b"", 0, None),
        ("folder", b"etc/deep/er", b"", 0, None), ("file", b"etc/passwd", b"", 4, want),
        ("file", b"etc/.wh.gone", b"", 0, hashlib.sha256(b"").hexdigest()),
        ("symlink", b"etc/absolute", b"/etc/passwd", 0, None),
        ("symlink", b"etc/up", b"../..", 0, None), ("other", b"pipe", b"", 0, None)])
    assert found["kind"] == "folder" and found["name"] == ""
    assert images.refused(BUILD_DIR, root, "-p", "linux/amd64")[0] == images.NOT_FOUND


def test_other_file_systems_are_not_entered():
    """/dev/pts is one, with at least one device in it."""
    if os.stat("/dev/pts").st_dev == os.stat("/dev").st_dev:
        pytest.skip("/dev/pts is no file system of its own here")
    assert os.listdir("/dev/pts")
    paths = {entry[1]: entry[0] for entry in images.read(BUILD_DIR, "dir:/dev")[0]["entries"][0]}
    assert paths[b"pts"] == "folder" and paths[b"null"] == "other"
    assert not any(path.startswith(b"pts/") for path in paths)
