# SPDX-License-Identifier: Apache-2.0
"""Images for tests, made here, and what image_list says of an image."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import types

# enum err_code of src/base/err.h
USAGE, INVALID, FORMAT, UNSUPPORTED, LIMIT, NOT_FOUND = range(1, 7)
LIST_SECONDS = 120


def entry(name, content=b"", **fields):
    """A member of a tar and its content."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def folder(name):
    return entry(name, type=tarfile.DIRTYPE)


def symlink(name, target):
    return entry(name, type=tarfile.SYMTYPE, linkname=target)


def hardlink(name, target):
    return entry(name, type=tarfile.LNKTYPE, linkname=target)


def tar(entries, form=tarfile.GNU_FORMAT):
    """The bytes of a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for info, content in entries:
            made.addfile(info, io.BytesIO(content))
    return out.getvalue()


def sha256(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def zstd(content, *options):
    return subprocess.run(
        ["zstd", "-q", "-c", *options], input=content, stdout=subprocess.PIPE, check=True).stdout


def gzipped(content):
    return gzip.compress(content, 6, mtime=0)


class Layout:
    """An OCI layout in a folder."""

    def __init__(self, path):
        self.path, self.manifests = path, []
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def blob(self, content, media_type, **more):
        """Writes a blob; returns its descriptor."""
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        digest = sha256(content)
        (self.path / "blobs/sha256" / digest.removeprefix("sha256:")).write_bytes(content)
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    def image(self, layers, *, diff_ids=None, tars=None, config=None, layer_type=None, **more):
        """An image of these blobs (tars: what they are when unpacked); its descriptor."""
        tars = tars or layers
        described = self.blob({
            "os": "linux", "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": diff_ids or [sha256(tar) for tar in tars]},
            **(config or {}),
        }, "application/vnd.oci.image.config.v1+json")
        manifest = {
            "schemaVersion": 2, "config": described,
            "layers": [self.blob(layer, layer_type or "application/vnd.oci.image.layer.v1.tar")
                       for layer in layers],
        }
        return self.blob(manifest, "application/vnd.oci.image.manifest.v1+json", **more)

    def index(self, manifests, **more):
        """Another index; its descriptor."""
        return self.blob({"schemaVersion": 2, "manifests": manifests},
                         "application/vnd.oci.image.index.v1+json", **more)

    def write(self, *manifests):
        """Writes index.json; returns the path."""
        (self.path / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "manifests": list(manifests)}))
        return self.path


def one_layer(path, layer, content=None, **more):
    """The path of a layout with one image of one layer."""
    layout = Layout(path)
    return layout.write(layout.image([layer], tars=[layer if content is None else content], **more))


def run_list(build_dir, target, *options):
    """image_list's CompletedProcess, and the peak of its memory in bytes in `memory`."""
    with subprocess.Popen(
        [build_dir / "image_list", *options, target],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
    ) as child:
        out, error = child.communicate(timeout=LIST_SECONDS)
    return types.SimpleNamespace(returncode=child.returncode, out=out, error=error)


def read(build_dir, target, *options):
    """The images of a target: what image_list says of each, with `entries`, a list for each layer
    of (type, path, target, size, sha256 or None)."""
    ran = run_list(build_dir, target, *options)
    assert ran.returncode == 0, ran.error
    images = []
    for line in ran.out.splitlines():
        item = json.loads(line)
        if "kind" in item:
            images.append({**item, "entries": []})
        elif "layer" in item:
            images[-1]["entries"].append([])
        else:
            images[-1]["entries"][-1].append((
                item["type"], bytes.fromhex(item["path"]), bytes.fromhex(item["target"]),
                item["size"], item.get("sha256")))
    return images


def refused(build_dir, target, *options):
    """The error's code and message."""
    ran = run_list(build_dir, target, *options)
    assert ran.returncode == 1, f"exit status {ran.returncode}: {ran.error}"
    code, message = ran.error.strip().split(" ", 1)
    return int(code), message


def tar_entries(content):
    """What Python's reader makes of a tar, in the form of read(), without whiteouts' meaning."""
    found = []
    with tarfile.open(fileobj=io.BytesIO(content), errors="surrogateescape") as archive:
        for info in archive:
            name = os.fsencode(os.path.normpath("/" + info.name).lstrip("/"))
            target, digest, size = b"", None, 0
            if info.isreg():
                kind, size = "file", info.size
                digest = hashlib.sha256(archive.extractfile(info).read()).hexdigest()
            elif info.isdir():
                kind = "folder"
            elif info.issym():
                kind, target = "symlink", os.fsencode(info.linkname)
            elif info.islnk():
                kind = "hardlink"
                target = os.fsencode(os.path.normpath("/" + info.linkname).lstrip("/"))
            else:
                kind = "other"
            found.append((kind, name, target, size, digest))
    return found
