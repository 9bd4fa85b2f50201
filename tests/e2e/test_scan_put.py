# SPDX-License-Identifier: Apache-2.0
"""careen scan: SBOMs out, and images into an inventory: of a data folder, and of a server."""
import contextlib
import http.server
import json
import signal
import subprocess
import threading

import pytest

import images
import tls_world
from asking import images as listed, show
from scan_world import debian_layer, layered, scan, status
from test_sbom_export import cyclonedx_errors, data  # noqa: F401 (fixtures)

PLACE = ["--image-type", "registry", "--registry-name", "harbor", "--containers", "3"]


@pytest.fixture
def image(tmp_path):
    """The path of an image with a name, three packages in two layers, and a licence."""
    layout = images.Layout(tmp_path / "image")
    layers = [
        debian_layer("bash 5", "sed 4", more=[images.entry(
            "usr/share/doc/bash/copyright",
            b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
            b"Files: *\nCopyright: x\nLicense: GPL-3+\n")]),
        debian_layer("bash 5", "sed 4", "vim 1:9.1-2"),
    ]
    return layout.write(layout.image(layers, annotations={
        "io.containerd.image.name": "registry.example.com/shop/web:1.0"}))


def put(careen, *arguments, expect=0, **more):
    """careen scan into an inventory: the CompletedProcess."""
    return scan(careen, *arguments, expect=expect, **more)


# --- SBOMs ----------------------------------------------------------------------------------------

def test_cyclonedx(careen, image, cyclonedx_errors):  # noqa: F811
    document = json.loads(scan(careen, image, "-o", "cyclonedx").stdout)
    assert cyclonedx_errors(document) == []
    found = {part["name"]: part for part in document["components"]}
    assert found["bash"]["licenses"] == [{"license": {"name": "GPL-3+"}}]
    layers = {name: [value["value"] for value in found[name]["properties"]
                     if value["name"] == "careen:layer"] for name in ("bash", "vim")}
    assert layers["bash"] != layers["vim"] and layers["bash"][0].startswith("sha256:")
    assert found["vim"]["purl"].startswith("pkg:deb/debian/vim@1")


def test_spdx(careen, image):
    document = json.loads(scan(careen, image, "-o", "spdx").stdout)
    found = {part["name"]: part for part in document["packages"]}
    [told] = document["hasExtractedLicensingInfos"]
    assert found["bash"]["licenseDeclared"] == told["licenseId"] == "LicenseRef-1"
    assert told["extractedText"] == "GPL-3+"
    assert "licenseDeclared" not in found["sed"]


def test_the_same_bytes(careen, image):
    for form in ("cyclonedx", "spdx", "json"):
        outs = {scan(careen, image, "-o", form, env={"CAREEN_CLOCK_MS": "1795503600000"}).stdout
                for _ in range(2)}
        assert len(outs) == 1


# --- A data folder --------------------------------------------------------------------------------

def test_into_a_data_folder(careen, run, data_dir, image):
    ran = put(careen, image, "--data", data_dir, *PLACE)
    assert "registry.example.com/shop/web:1.0: 3 packages, 0 findings, not_assessed" in ran.stdout
    [stored] = listed(run)
    assert (stored["name"], stored["version"], stored["os"]) == \
        ("registry.example.com/shop/web", "1.0", "debian-12")
    detail = show(run, stored["image_id"])
    assert [source["source"] for source in detail["sources"]] == ["careen"]
    assert detail["registry_name"] == "harbor" and detail["containers"] == 3
    assert {(p["name"], p["version"]) for p in detail["packages"]} == \
        {("bash", "5"), ("sed", "4"), ("vim", "1:9.1-2")}
    told = json.loads(put(careen, image, "--data", data_dir, "-o", "jsonl", *PLACE).stdout)
    assert (told["created"], told["changed"], told["source"]) == (False, False, "careen")


def test_the_document_is_the_scan(careen, run, data_dir, image, tmp_path):
    """What -o cyclonedx and spdx write lands in the slot of the scan itself, and changes nothing."""
    put(careen, image, "--data", data_dir)
    for form in ("cyclonedx", "spdx"):
        path = tmp_path / f"{form}.json"
        path.write_text(scan(careen, image, "-o", form).stdout)
        told = json.loads(run("import", path, "-o", "jsonl").stdout)
        assert (told["source"], told["created"], told["changed"]) == ("careen", False, False)


def test_what_was_exported_is_no_scan(careen, run, data_dir, image, tmp_path):
    put(careen, image, "--data", data_dir)
    path = tmp_path / "out.json"
    path.write_text(run("images", "show", listed(run)[0]["image_id"], "-o", "cyclonedx").stdout)
    assert json.loads(run("import", path, "-o", "jsonl").stdout)["source"] == "sbom"


def test_names(careen, run, data_dir, tmp_path):
    nameless = layered(tmp_path / "nameless", debian_layer("bash 5"))
    ran = put(careen, nameless, "--data", data_dir, expect=1)
    assert "--name" in ran.stderr
    put(careen, nameless, "--data", data_dir, "--name", "given/name", "--version", "2")
    [stored] = listed(run)
    assert (stored["name"], stored["version"]) == ("given/name", "2")


@pytest.mark.parametrize("option", ["--name", "--image-type", "--project"])
def test_a_place_without_an_inventory(careen, image, option):
    """Whoever forgets --data must not believe that the image is in."""
    ran = scan(careen, image, option, "local", expect=2)
    assert option in ran.stderr and "--data" in ran.stderr and ran.stdout == ""


def test_an_image_without_a_database(careen, run, data_dir, tmp_path):
    empty = layered(tmp_path / "empty", [images.entry("server", b"x")])
    put(careen, empty, "--data", data_dir, "--name", "unknown")
    put(careen, empty, "--data", data_dir, "--name", "scratch", "--allow-empty")
    assessed = {stored["name"]: stored["assessment"] for stored in listed(run)}
    assert assessed["unknown"] != "assessed"
    assert assessed["scratch"] == "assessed"


@pytest.mark.parametrize("form", [None, "cyclonedx", "spdx"])
def test_an_unknown_distribution(careen, run, data_dir, tmp_path, form):
    """No advisory is about its packages: that there are no findings says nothing."""
    layout = layered(tmp_path / "i", [images.entry("var/lib/dpkg/status", status("bash 5"))])
    if form:
        path = tmp_path / "report.json"
        path.write_text(scan(careen, layout, "-o", form).stdout)
        run("import", path, "--name", "unknown")
    else:
        ran = put(careen, layout, "--data", data_dir, "--name", "unknown")
        assert "not_assessed" in ran.stdout and "unknown distribution" in ran.stderr
    [stored] = listed(run)
    assert stored["assessment"] == "not_assessed"


# --- A server -------------------------------------------------------------------------------------

def test_to_a_server(careen, run, folder, token, image):
    server = folder.serve()
    url = f"http://{server.address}"
    ran = put(careen, image, "--server", url, *PLACE, env={"CAREEN_TOKEN": token})
    assert "registry.example.com/shop/web:1.0: 3 packages, 0 findings, not_assessed" in ran.stdout
    told = json.loads(put(careen, image, "--server", url, "--token", token, "-o", "jsonl",
                          *PLACE).stdout)
    assert (told["source"], told["created"], told["changed"]) == ("careen", False, False)
    put(careen, image, "--data", folder.path, *PLACE)  # the same image as by the other way
    [stored] = listed(run)
    assert stored["registry_name"] == "harbor"
    detail = show(run, stored["image_id"])
    assert [source["source"] for source in detail["sources"]] == ["careen"]
    assert {p["name"] for p in detail["packages"]} == {"bash", "sed", "vim"}


def test_what_a_server_refuses(careen, folder, token, image):
    server = folder.serve()
    url = f"http://{server.address}"
    assert "token" in put(careen, image, "--server", url, expect=2, env={"CAREEN_TOKEN": ""}).stderr
    assert "401" in put(careen, image, "--server", url, "--token", "wrong", expect=1).stderr
    other = put(careen, image, "--server", url, "--token", token, "--project", "other", expect=1)
    assert "the server refuses it" in other.stderr
    assert "cluster" in put(careen, image, "--server", url, "--token", token, "--image-type",
                            "cluster", expect=2).stderr
    gone = put(careen, image, "--server", "http://127.0.0.1:1", "--token", token, expect=1)
    assert "127.0.0.1:1" in gone.stderr
    assert "https://HOST" in put(careen, image, "--server", "nowhere", "--token", token,
                                 expect=2).stderr
    assert "empty" in put(careen, image, "--server", "", "--token", token, expect=2).stderr
    assert "token" in put(careen, image, "--server", url, "--token", "a\r\nX-B: c",
                          expect=2).stderr
    both = put(careen, image, "--server", url, "--data", "x", "--token", token, expect=2)
    assert "give one" in both.stderr


class Lying(http.server.BaseHTTPRequestHandler):
    """Answers what could steer a terminal, or never."""
    silent = False

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.set()
        if self.silent:
            self.server.over.wait(60)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(
            {"image_id": "a\x1b[31m\nb", "assessment": "\x1b]0;x\x07"}).encode())

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@contextlib.contextmanager
def lying(silent):
    """A server that is not Careen, and its address."""
    handler = type("Handler", (Lying,), {"silent": silent})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.asked, server.over = threading.Event(), threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server, f"http://127.0.0.1:{server.server_port}"
        server.over.set()
        server.shutdown()
        thread.join()


def test_an_answer_does_not_steer_the_terminal(careen, image):
    with lying(silent=False) as (_, url):
        out = put(careen, image, "--server", url, "--token", "x").stdout
    assert len(out.splitlines()) == 1 and all(char.isprintable() or char == "\ufffd"
                                              for char in out[:-1])


def test_interrupted_while_sending(careen, image):
    with lying(silent=True) as (server, url):
        running = subprocess.Popen(
            [careen, "scan", image, "--no-cache", "--server", url, "--token", "x"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert server.asked.wait(30)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
        assert running.returncode == -signal.SIGINT


def test_tls(careen, folder, token, image, tmp_path):
    (tmp_path / "authority").mkdir()
    authority = tls_world.Authority(tmp_path / "authority")
    certificate, key = tls_world.install(tmp_path, authority.issue("server", "ecdsa"))
    server = tls_world.SecureServer(folder, authority, certificate, key)
    url = f"https://localhost:{server.address.rsplit(':', 1)[1]}"
    untrusted = put(careen, image, "--server", url, "--token", token, expect=1)
    assert "certificate" in untrusted.stderr
    put(careen, image, "--server", url, "--token", token, "--ca", authority.root)
