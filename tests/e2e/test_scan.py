# SPDX-License-Identifier: Apache-2.0
"""careen scan: what is found, held against dpkg, apk and a published result; in every form of an
image; layers over each other; outputs; the cache."""
import gzip
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

import images
from images import entry, folder, hardlink, symlink, tar
from scan_world import (OS_RELEASE, SUITES, debian_layer, dpkg_list, inventory, layered, names, need,
                        rootfs, scan, scanned, status, tree_tar)

STATUS = "var/lib/dpkg/status"


@pytest.fixture(scope="module")
def data(shared_data, tmp_path_factory):
    """The shared images, unpacked."""
    archive = shared_data / "images.tar.zst"
    if not archive.is_file():
        pytest.skip(f"no {archive}")
    into = tmp_path_factory.mktemp("images")
    subprocess.run(["tar", "--zstd", "-xf", archive, "-C", into], check=True)
    return into / "images" if (into / "images").is_dir() else into


# --- Against the reference tools ------------------------------------------------------------------

@pytest.mark.parametrize("suite", SUITES)
def test_debian(careen, suite):
    root = rootfs(suite)
    [image] = scanned(careen, f"dir:{root}")
    assert names(image) == dpkg_list(root)
    assert image["os"] == f"debian-{ {'bullseye': 11, 'bookworm': 12, 'trixie': 13}[suite] }"
    licensed = [package for package in image["packages"] if package.get("licence")]
    assert len(licensed) > 0.85 * len(image["packages"])


def test_alpine(careen, data, tmp_path):
    roots = sorted(data.glob("alpine-minirootfs/*/*/*.tar.gz"))
    assert roots
    for number, archive in enumerate(roots):
        root = tmp_path / str(number)
        root.mkdir()
        subprocess.run(["tar", "-xzf", archive, "-C", root], check=True)
        [image] = scanned(careen, f"dir:{root}")
        found = {f"{name}-{version}" for name, version, _ in names(image)}
        assert image["os"] == "alpine-" + archive.parts[-3].removeprefix("v")
        assert len(found) > 10
        if os.geteuid() != 0:
            continue
        listed = subprocess.run(["chroot", root, "/sbin/apk", "info", "-v"], capture_output=True,
                                text=True, check=True).stdout.split()
        assert found == set(listed)


def test_alpine_310(careen, data):
    """14 packages, as Trivy's own test says of this image."""
    archive = next(data.rglob("alpine-310.tar.gz"))
    [image] = scanned(careen, archive)
    assert (image["name"], image["version"], image["os"]) == ("alpine", "3.10", "alpine-3.10")
    assert names(image) >= {("musl", "1.1.22-r3", "x86_64"), ("libcrypto1.1", "1.1.1d-r2", "x86_64")}
    assert len(image["packages"]) == 14
    assert {package["layer"] for package in image["packages"]} == \
        {"sha256:531743b7098cb2aaf615641007a129173f63ed86ca32fe7b5a246a1c47286028"}


# --- Every form of one image ----------------------------------------------------------------------

@pytest.fixture(scope="module")
def debian_image(tmp_path_factory):
    """An image with a layer of bookworm, and one of umoci over it that changes and removes."""
    need("umoci", "skopeo", "zstd")
    root = rootfs("bookworm")
    place = tmp_path_factory.mktemp("debian")
    layer = tree_tar(root, place / "root.tar").read_bytes()
    layout = images.Layout(place / "oci")
    layout.write(layout.image(
        [gzip.compress(layer, 1)], tars=[layer],
        layer_type="application/vnd.oci.image.layer.v1.tar+gzip",
        annotations={"org.opencontainers.image.ref.name": "base"}))
    bundle = place / "bundle"
    subprocess.run(["umoci", "unpack", "--image", f"{place}/oci:base", bundle], check=True,
                   capture_output=True)
    merged = bundle / "rootfs"
    text = (merged / STATUS).read_text()
    paragraphs = [part for part in text.split("\n\n")
                  if part and not part.startswith("Package: bash\n")]
    (merged / STATUS).write_text("\n\n".join(
        [*paragraphs, "Package: added\nStatus: install ok installed\nArchitecture: all\n"
         "Version: 1:2.0-1\nSource: origin (3.0)\nDescription: x"]) + "\n")
    subprocess.run(["rm", "-r", merged / "usr/share/doc", merged / "etc/os-release"], check=True)
    subprocess.run(["umoci", "repack", "--image", f"{place}/oci:top", bundle], check=True,
                   capture_output=True)
    (place / "root.tar").unlink()
    return place / "oci", merged


def copy(source, target, *options):
    subprocess.run(["skopeo", "copy", "--insecure-policy", *options, source, target], check=True,
                   capture_output=True)


def test_umoci(careen, debian_image):
    layout, merged = debian_image
    base, top = sorted(scanned(careen, layout), key=lambda image: image["layers"])
    assert names(top) == dpkg_list(merged)
    assert ("added", "1:2.0-1", "all") in names(top)
    assert top["os"] == base["os"] == "debian-12"  # usr/lib/os-release is still there
    added = next(package for package in top["packages"] if package["name"] == "added")
    assert (added["source_name"], added["source_version"]) == ("origin", "3.0")
    [first] = {package["layer"] for package in base["packages"]}
    assert added["layer"] != first
    assert {package["layer"] for package in top["packages"] if package["name"] != "added"} == {first}
    assert not any(package.get("licence") for package in top["packages"])  # hidden by a whiteout


def test_every_form(careen, debian_image, tmp_path):
    layout, merged = debian_image
    source = f"oci:{layout}:top"
    forms = {
        "docker-archive": (f"docker-archive:{tmp_path}/d.tar:shop/web:1", "d.tar"),
        "oci-archive": (f"oci-archive:{tmp_path}/o.tar:shop/web:1", "o.tar"),
        "zstd": (f"oci:{tmp_path}/z:shop/web:1", "z", "--dest-compress-format", "zstd"),
        "v2s2": (f"docker-archive:{tmp_path}/v.tar:shop/web:1", "v.tar", "--format", "v2s2"),
    }
    [expected] = [image for image in scanned(careen, layout) if image["layers"] == 2]
    for form, (target, name, *options) in forms.items():
        copy(source, target, *options)
        [image] = scanned(careen, tmp_path / name)
        assert inventory(image) == inventory(expected), form
        assert image["layers"] == 2
    subprocess.run(["gzip", "-1", tmp_path / "d.tar"], check=True)
    [image] = scanned(careen, tmp_path / "d.tar.gz")
    assert inventory(image) == inventory(expected)
    [flat] = scanned(careen, f"dir:{merged}")
    assert names(flat) == names(expected)


def test_words_in_front(careen, tmp_path):
    """Each opens the walls for what is behind it."""
    layered(tmp_path / "i", debian_layer("bash 5"))
    tree = tmp_path / "root" / STATUS
    tree.parent.mkdir(parents=True)
    tree.write_bytes(status("bash 5"))
    with tarfile.open(tmp_path / "i.tar", "w") as archive:
        archive.add(tmp_path / "i", arcname=".")
    for word, name in (("oci:", "i"), ("oci-dir:", "i"), ("oci:", "i.tar"),
                       ("oci-archive:", "i.tar"), ("dir:", "root")):
        [image] = scanned(careen, f"{word}{tmp_path / name}")
        assert found(image) == "bash 5", word


def test_a_folder_is_entered_where_something_may_be(careen, tmp_path):
    """Elsewhere it may be as deep as it likes, and closed to whoever scans."""
    tree = tmp_path / "root" / STATUS
    tree.parent.mkdir(parents=True)
    tree.write_bytes(status("bash 5"))
    deep = os.open(tmp_path / "root", os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=deep)
        below = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    os.close(deep)
    [image] = scanned(careen, tmp_path / "root")
    assert found(image) == "bash 5"
    shutil.rmtree(tmp_path / "root" / "d")


# --- Layers over each other -----------------------------------------------------------------------

def one(careen, path, *layers):
    [image] = scanned(careen, layered(path, *layers))
    return image


def found(image):
    return " ".join(sorted(f"{name} {version}" for name, version, _ in names(image)))


def test_links_across_layers(careen, tmp_path):
    image = one(
        careen, tmp_path / "i",
        [symlink("var/lib/dpkg", "/opt/db"), symlink("opt", "srv/things")],
        [entry("srv/things/db/status", status("bash 5", "sed 4"))],
        [symlink("etc/os-release", "../srv/release"), entry("srv/release", OS_RELEASE)],
    )
    assert found(image) == "bash 5 sed 4"
    assert image["os"] == "debian-12"
    assert {package["database"] for package in image["packages"]} == {"srv/things/db/status"}


def test_links_in_a_loop(careen, tmp_path):
    image = one(
        careen, tmp_path / "i", debian_layer("bash 5"),
        [symlink("var/lib/rpm", "../lib/rpm"), symlink("usr/lib/apk", "/lib/apk"),
         symlink("lib/apk", "/usr/lib/apk")])
    assert found(image) == "bash 5"


def test_a_chain_of_links_without_end(careen, tmp_path):
    """Each round finds another link: it ends with a reason."""
    chain = [symlink("var/lib/dpkg", "/l0")] + \
        [symlink(f"l{number}", f"/l{number + 1}") for number in range(20)]
    ran = scan(careen, layered(tmp_path / "i", tar(chain)), expect=1)
    assert "LIMIT_SCAN_ROUNDS" in ran.stderr


def test_hard_links(careen, tmp_path):
    image = one(
        careen, tmp_path / "i",
        [entry("repo/objects/aa", status("bash 5")), entry("repo/objects/bb", OS_RELEASE),
         hardlink(STATUS, "repo/objects/aa"), hardlink("etc/os-release", "repo/objects/bb")])
    assert (found(image), image["os"]) == ("bash 5", "debian-12")


def test_hard_links_among_duplicates(careen, tmp_path):
    """A link counts where it stands, and leads to what its target was by then."""
    old, new = entry("x", status("old 1")), entry("x", status("new 1"))
    for number, (entries, expected) in enumerate((
            ([old, hardlink(STATUS, "x"), entry(STATUS, status("own 1"))], "own 1"),
            ([old, entry(STATUS, status("own 1")), hardlink(STATUS, "x")], "old 1"),
            ([old, new, hardlink(STATUS, "x")], "new 1"),
            ([old, hardlink(STATUS, "x"), new], "old 1"),
            ([old, entry("y", status("y 1")), hardlink(STATUS, "x"), hardlink(STATUS, "y")],
             "y 1"),
            ([old, entry("y", status("y 1")), hardlink(STATUS, "y"), hardlink(STATUS, "x")],
             "old 1"))):
        assert found(one(careen, tmp_path / f"i{number}", entries)) == expected, number
    covered = one(careen, tmp_path / "k", [old, hardlink(STATUS, "x"),
                                           symlink("var/lib/dpkg", "/nowhere")])
    assert covered["databases"] == 0


def test_standard_input(careen, tmp_path):
    """An archive through a pipe, packed or not, is what it is as a file; and no second one is."""
    target, archive = layered(tmp_path / "i", debian_layer("bash 5")), tmp_path / "i.tar"
    subprocess.run(["tar", "-C", target, "-cf", archive, "."], check=True)
    [expected] = scanned(careen, archive)
    content = archive.read_bytes()
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def piped(content, *arguments):
        return subprocess.run([careen, "scan", *arguments, "--no-cache", "-o", "json"], input=content,
                              capture_output=True, check=False,
                              env={**os.environ, "TMPDIR": str(scratch)})

    for name in ("-", "oci:-", "oci-archive:-"):
        for packed in (content, gzip.compress(content)):
            [image] = [json.loads(line) for line in piped(packed, name).stdout.splitlines()]
            assert inventory(image) == inventory(expected)
    assert list(scratch.iterdir()) == []
    for content, says in ((b"", b"no tar"), (content[:2000], b"standard input"),
                          (b"x" * 5000, b"no tar")):
        ran = piped(content, "-")
        assert ran.returncode == 1 and says in ran.stderr
    assert piped(content, "-", "oci:-").returncode == 2
    assert piped(content, "dir:-").returncode == 1


def test_what_is_left_out_is_said(careen, tmp_path):
    """Layers of another type than tar; signatures are no images, and nothing is said of them."""
    layer, layout = debian_layer("bash 5"), images.Layout(tmp_path / "i")
    odd = {"layer_type": "application/vnd.oci.image.layer.v1.erofs",
           "annotations": {"org.opencontainers.image.ref.name": "shop\x1b[2J:1"}}
    signed = layout.image([b"{}"], layer_type="application/vnd.dev.cosign.simplesigning.v1+json")
    target = layout.write(layout.image([layer]), signed)
    assert "left out" not in scan(careen, target).stderr
    layout.write(layout.image([layer]), layout.image([layer], **odd), layout.image([b"x"], **odd))
    ran = scan(careen, target)
    assert "bash" in ran.stdout
    assert "not read: 2; the first is shop" in ran.stderr and "v1.erofs" in ran.stderr
    assert "\x1b" not in ran.stderr
    layout.write(layout.image([layer], **odd))
    assert "v1.erofs" in scan(careen, target, expect=1).stderr


def test_whiteouts(careen, tmp_path):
    base = debian_layer("bash 5", "sed 4")
    assert found(one(careen, tmp_path / "a", base, debian_layer("bash 6"))) == "bash 6"
    hidden = one(careen, tmp_path / "b", base, [entry("var/lib/.wh.dpkg")])
    assert (hidden["packages"], hidden["databases"], hidden["complete"]) == ([], 0, False)
    # The marker hides lower layers only, wherever it stands in its own.
    for number, entries in enumerate((
            [entry("var/lib/dpkg/.wh..wh..opq"), entry(STATUS, status("new 1"))],
            [entry(STATUS, status("new 1")), entry("var/lib/dpkg/.wh..wh..opq")])):
        assert found(one(careen, tmp_path / f"c{number}", base, entries)) == "new 1"
    covered = one(careen, tmp_path / "d", base, [entry("var/lib/dpkg", b"a file")],
                  [folder("var/lib/dpkg")])
    assert covered["databases"] == 0


def test_duplicate_entries(careen, tmp_path):
    image = one(careen, tmp_path / "i",
                [entry(STATUS, status("old 1")), entry(STATUS, status("new 1"))])
    assert found(image) == "new 1"
    image = one(careen, tmp_path / "j",
                [entry(STATUS, status("old 1")), entry("var/lib/dpkg", b"file")])
    assert image["databases"] == 0


# --- What is not clean ----------------------------------------------------------------------------

def test_no_package_database(careen, tmp_path):
    layout = layered(tmp_path / "i", [entry("bin/server", b"x")])
    ran = scan(careen, layout, "-o", "json")
    assert "no package database found" in ran.stderr
    assert json.loads(ran.stdout)["complete"] is False
    assert json.loads(scan(careen, layout, "-o", "json", "--allow-empty").stdout)["complete"] is True


def test_an_empty_database(careen, tmp_path):
    ran = scan(careen, layered(tmp_path / "i", [entry(STATUS)]), expect=1)
    assert f"{STATUS} is there, but lists no package" in ran.stderr


def test_a_damaged_database(careen, tmp_path):
    damaged = [entry(STATUS, b"Package: bash\nStatus: install ok installed\n")]
    ran = scan(careen, layered(tmp_path / "i", damaged), expect=1)
    assert STATUS in ran.stderr and "layer sha256:" in ran.stderr
    image = one(careen, tmp_path / "j", damaged, debian_layer("bash 5"))
    assert found(image) == "bash 5"


def test_an_unknown_distribution(careen, tmp_path):
    ran = scan(careen, layered(tmp_path / "i", [entry(STATUS, status("bash 5"))]), "-o", "json")
    assert "unknown distribution" in ran.stderr
    assert "os" not in json.loads(ran.stdout) and not json.loads(ran.stdout)["complete"]


# --- Several targets, and what goes wrong ---------------------------------------------------------

def test_several_targets(careen, tmp_path):
    targets = [layered(tmp_path / str(number), debian_layer(f"package{number} 1"))
               for number in range(5)]
    found_names = [image["packages"][0]["name"] for image in scanned(careen, *targets)]
    assert found_names == [f"package{number}" for number in range(5)]
    ran = scan(careen, targets[0], tmp_path / "missing", targets[1], expect=3)
    assert "missing" in ran.stderr and "package1" in ran.stdout
    scan(careen, tmp_path / "missing", expect=1)
    scan(careen, expect=2)


def test_platforms(careen, tmp_path):
    layout = images.Layout(tmp_path / "i")
    made = []
    for architecture in ("amd64", "arm64"):
        layer = debian_layer(f"for-{architecture} 1")
        made.append(layout.image([layer], config={"architecture": architecture}, platform={
            "os": "linux", "architecture": architecture}))
    layout.write(layout.index(made))
    both = scanned(careen, tmp_path / "i")
    assert [image["architecture"] for image in both] == ["amd64", "arm64"]
    [image] = scanned(careen, tmp_path / "i", "--platform", "linux/arm64")
    assert image["packages"][0]["name"] == "for-arm64"
    assert "amd64" in scan(careen, tmp_path / "i", "--platform", "s390x", expect=1).stderr


def test_a_wrong_digest(careen, tmp_path):
    layer = debian_layer("bash 5")
    layout = images.Layout(tmp_path / "i")
    layout.write(layout.image([layer], diff_ids=[images.sha256(b"other")]))
    assert images.sha256(b"other") in scan(careen, tmp_path / "i", expect=1).stderr


def children_of(pid):
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True,
                            check=False)
    return [int(line) for line in listed.stdout.split()]


def start_slow(careen, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    running = subprocess.Popen(
        [careen, "scan", "--no-cache", "dir:/"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env={**os.environ, "TMPDIR": str(scratch)})
    until = time.monotonic() + 20
    while not (children := children_of(running.pid)):
        assert time.monotonic() < until and running.poll() is None
        time.sleep(0.002)
    return running, children[0], scratch


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors(careen, tmp_path, closed):
    """No file gets the number of what is closed, to be written to or to be lost."""
    layout, out = layered(tmp_path / "i", debian_layer("bash 5")), tmp_path / "out"
    ran = subprocess.run(
        ["bash", "-c", f'exec "$@" {closed}', "-", careen, "scan", layout, "--data", out,
         "--name", "a", "--no-cache"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == (0 if closed in ("<&-", "2>&-") else 1), ran.stderr
    listed = subprocess.run(
        [careen, "images", "list", "--data", out], capture_output=True, text=True, check=False)
    assert listed.returncode == 0 and "1 images" in listed.stdout, listed


def test_a_child_that_is_killed(careen, tmp_path):
    running, child, scratch = start_slow(careen, tmp_path)
    os.kill(child, signal.SIGKILL)
    _, error = running.communicate(timeout=20)
    assert running.returncode == 1
    assert "ended by signal 9" in error
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(careen, tmp_path, how):
    running, child, scratch = start_slow(careen, tmp_path)
    running.send_signal(how)
    running.communicate(timeout=20)
    assert running.returncode == -how
    assert list(scratch.iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_parent_that_is_killed(careen, tmp_path):
    running, child, _ = start_slow(careen, tmp_path)
    running.kill()
    running.communicate(timeout=20)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("the child lives on")


# --- Outputs --------------------------------------------------------------------------------------

def test_the_table(careen, tmp_path):
    out = scan(careen, layered(tmp_path / "i", debian_layer("bash 5", "sed 4"))).stdout
    lines = out.splitlines()
    assert "debian-12" in lines[0] and "2 packages" in lines[0] and "1 layer" in lines[0]
    assert lines[1].split() == ["NAME", "VERSION", "TYPE", "LAYER", "LICENCE"]
    assert lines[2].split()[:3] == ["bash", "5", "deb"]


def test_names_do_not_steer_the_terminal(careen, tmp_path):
    layout = images.Layout(tmp_path / "i")
    layout.write(layout.image([debian_layer("bash 5")], annotations={
        "io.containerd.image.name": "evil\x1b[31m:1"}))
    ran = subprocess.run(
        [careen, "scan", "--no-cache", tmp_path / "i"], capture_output=True, text=True, check=False)
    assert "\x1b" not in ran.stdout + ran.stderr


def test_it_reads_tars_of_any_make(careen, tmp_path):
    for number, form in enumerate((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        layer = tar([entry("./etc/os-release", OS_RELEASE), folder("./var"),
                     entry(f"./{STATUS}", status("bash 5"))], form)
        assert found(one(careen, tmp_path / str(number), layer)) == "bash 5"
