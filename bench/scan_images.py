# SPDX-License-Identifier: Apache-2.0
"""Images with layers of this machine's own files, for bench/scan-bench: made once, into build/.

An image is an OCI layout in a folder. Its layers are tars of about CAREEN_BENCH_LAYER_MB (1200)
each, of what is in /usr, and the first one has the machine's package database; compressed by
`gzip -6` and `zstd -3`, as builders do. Layer contents are the same as long as /usr is.
"""
import hashlib
import itertools
import json
import os
import pathlib
import subprocess
import tarfile

import common

LAYER_BYTES = int(os.environ.get("CAREEN_BENCH_LAYER_MB", "1200")) * 1_000_000
FOLDER = common.ROOT / "build" / f"bench-images-{LAYER_BYTES // 1_000_000}"
COMPRESSORS = {
    "gzip": (["gzip", "-6", "-n", "-c"], "application/vnd.oci.image.layer.v1.tar+gzip"),
    "zstd": (["zstd", "-3", "-q", "-c"], "application/vnd.oci.image.layer.v1.tar+zstd"),
}
DATABASES = ("etc/os-release", "usr/lib/os-release", "var/lib/dpkg/status")


def _files():
    """The files and links of /usr in a settled order, without end."""
    while True:
        for folder, folders, names in os.walk("/usr"):
            folders.sort()
            yield folder
            for name in sorted(names):
                yield os.path.join(folder, name)


def _write_layer(path, files, first):
    """A tar of the next files; those that cannot be read are left out."""
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in DATABASES if first else ():
            if os.path.exists(f"/{name}"):
                tar.add(f"/{name}", name, recursive=False)
        for file in files:
            try:
                tar.add(file, file.lstrip("/"), recursive=False)
            except OSError:
                continue
            if tar.offset >= LAYER_BYTES:
                break


def _digest(path):
    hash_ = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            hash_.update(piece)
    return f"sha256:{hash_.hexdigest()}"


def _put(layout, content):
    """A JSON document as a blob; its descriptor."""
    text = json.dumps(content).encode()
    digest = hashlib.sha256(text).hexdigest()
    (layout / "blobs/sha256" / digest).write_bytes(text)
    return {"digest": f"sha256:{digest}", "size": len(text)}


def _write_layout(layout, layers, media_type):
    """layers: (path of the blob, digest, diff_id)."""
    (layout / "blobs/sha256").mkdir(parents=True)
    descriptors = []
    for path, digest, _ in layers:
        os.link(path, layout / "blobs/sha256" / digest.removeprefix("sha256:"))
        descriptors.append(
            {"mediaType": media_type, "digest": digest, "size": path.stat().st_size})
    config = _put(layout, {
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff_id for _, _, diff_id in layers]},
    })
    manifest = _put(layout, {
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": descriptors,
    })
    (layout / "index.json").write_text(json.dumps({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json", **manifest,
            "annotations": {"org.opencontainers.image.ref.name": "bench/image:1"},
        }],
    }))
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')


def _make(folder):
    folder.mkdir(parents=True)
    files = _files()
    made = {name: [] for name in COMPRESSORS}
    for number in (1, 2):
        tar = folder / f"layer-{number}.tar"
        _write_layer(tar, files, number == 1)
        diff_id = _digest(tar)
        for name, (command, _) in COMPRESSORS.items():
            packed = folder / f"layer-{number}.{name}"
            with open(tar, "rb") as source, open(packed, "wb") as target:
                subprocess.run(command, stdin=source, stdout=target, check=True)
            made[name].append((packed, _digest(packed), diff_id))
        tar.unlink()
    for (name, (_, media_type)), count in itertools.product(COMPRESSORS.items(), (1, 2)):
        _write_layout(folder / f"{name}-{count}", made[name][:count], media_type)
    (folder / "made").touch()


def images():
    """The folder with gzip-1, gzip-2, zstd-1 and zstd-2 (layouts of so many layers), and the
    layers by themselves: layer-1.gzip, layer-1.zstd, ..."""
    if not (FOLDER / "made").exists():
        print(f"Writing images into {FOLDER.relative_to(common.ROOT)}", flush=True)
        subprocess.run(["rm", "-rf", FOLDER], check=True)
        _make(pathlib.Path(FOLDER))
    return FOLDER
