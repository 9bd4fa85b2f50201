# SPDX-License-Identifier: Apache-2.0
"""TLS, asked with OpenSSL (Python's ssl, curl, openssl s_client) and with the SDKs, which verify."""
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import types

import pytest

import inventory
from sdk_cases import case, for_language
from sdk_world import Driver, raw
from signer import new_key
from tls_world import KINDS, Authority, SecureServer, install, openssl
from wire import Reply


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(folder, authority, tmp_path):
    """secure("--option", kind="rsa"): a SecureServer, its files in tmp_path."""
    def start(*arguments, kind="ecdsa"):
        certificate, key = install(tmp_path, authority.issue(kind, kind))
        return SecureServer(folder, authority, certificate, key, *arguments)
    return start


def wait_for(server, text):
    for _ in range(1000):
        if any(text in line for line in server.log):
            return
        time.sleep(0.005)
    pytest.fail(f"no {text!r} in the log:\n" + "".join(server.log))


def dial(server, context=None):
    host, port = server.address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=20)
    return (context or server.authority.context()).wrap_socket(sock, server_hostname="localhost")


def key_type(server):
    with dial(server) as sock:
        shown = ssl.DER_cert_to_PEM_cert(sock.getpeercert(binary_form=True))
    done = subprocess.run(["openssl", "x509", "-noout", "-text"], input=shown, text=True,
                          capture_output=True, check=True, timeout=20)
    return "rsa" if "rsaEncryption" in done.stdout else "ecdsa"


@pytest.mark.parametrize("kind", KINDS)
def test_both_versions_with_both_kinds_of_keys(secure, kind):
    server = secure(kind=kind)
    assert any(f"listening on https://{server.address}" in line for line in server.log)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = server.authority.context()
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2", "http/1.1"])
        with dial(server, context) as sock:
            assert sock.version() == ("TLSv1.2" if version == ssl.TLSVersion.TLSv1_2 else "TLSv1.3")
            assert sock.selected_alpn_protocol() == "http/1.1"
            for _ in range(3):
                sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                with sock.makefile("rb") as stream:
                    assert Reply(stream).status == 200
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            with sock.makefile("rb") as stream:
                assert Reply(stream).status == 200
                assert stream.read() == b""
    assert key_type(server) == kind


def test_the_end_of_a_conversation_is_said(secure):
    """Without a close_notify a client cannot tell an end from an attacker's cut."""
    server = secure()
    context = server.authority.context()
    with dial(server, context) as sock:
        sock.suppress_ragged_eofs = False
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = b""
        while part := sock.recv(65536):
            received += part
    assert received.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1", "-no_tls1_3 -cipher AES128-SHA",
                                    "-no_tls1_3 -cipher ECDHE-RSA-AES128-SHA",
                                    "-no_tls1_3 -cipher AES128-GCM-SHA256",
                                    "-no_tls1_3 -cipher DHE-RSA-AES128-GCM-SHA256"])
def test_old_versions_and_ciphers_are_not_spoken(secure, option):
    server = secure(kind="rsa")
    words = option.split() if "-cipher" in option else [option, "-cipher", "ALL:@SECLEVEL=0"]
    done = subprocess.run(["openssl", "s_client", "-connect", server.address, *words],
                          input="", capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode != 0 and "Cipher is (NONE)" in done.stdout, done.stdout
    assert server.get("/healthz").status == 200


def test_curl_verifies(secure):
    server = secure()
    url = f"https://localhost:{server.address.rsplit(':', 1)[1]}/healthz"
    trusting = ["curl", "-sS", "--noproxy", "*", "--cacert", str(server.authority.root)]
    done = subprocess.run([*trusting, "-w", "%{http_code} %{http_version}", url],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and done.stdout.endswith("200 1.1"), done
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", url], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 60, done  # no known issuer


def test_plain_http_gets_no_answer(secure):
    server = secure()
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=20) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert not sock.recv(100).startswith(b"HTTP")
    assert server.get("/healthz").status == 200


# --- Replacing the certificate --------------------------------------------------------------------

def test_a_new_certificate_is_taken_while_requests_run(secure, tmp_path):
    server = secure()
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                assert server.get("/healthz").status == 200
            except Exception as e:  # pylint: disable=broad-except
                failures.append(e)

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for thread in asking:
        thread.start()
    with dial(server) as kept:
        for turn in range(6):
            kind = ("rsa", "ecdsa")[turn % 2]
            install(tmp_path, server.authority.issue(kind, kind))
            os.kill(server.pid, signal.SIGHUP)
            until = time.monotonic() + 10
            while key_type(server) != kind and time.monotonic() < until:
                time.sleep(0.02)
            assert key_type(server) == kind
            kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            with kept.makefile("rb") as stream:
                assert Reply(stream).status == 200
    stop.set()
    for thread in asking:
        thread.join()
    assert not failures


def test_a_bad_renewal_changes_nothing(secure, tmp_path):
    server = secure()
    other = server.authority.issue("other", "rsa")
    (tmp_path / "key.pem").write_text(other[1])
    os.kill(server.pid, signal.SIGHUP)
    wait_for(server, "does not belong to the first certificate")
    assert key_type(server) == "ecdsa"
    (tmp_path / "key.pem").unlink()
    os.kill(server.pid, signal.SIGHUP)
    wait_for(server, f"cannot read the TLS key {tmp_path}/key.pem")
    assert key_type(server) == "ecdsa"


# --- Files that do not do -------------------------------------------------------------------------

@pytest.mark.parametrize("wrong, message", [
    ("mismatch", "does not belong to the first certificate in"),
    ("missing", "cannot read the TLS certificate"),
    ("no key", "TLS needs a certificate and its key|tls_key"),
    ("encrypted", "is encrypted"),
    ("garbage", "holds no certificate in PEM form"),
])
def test_wrong_files_are_refused_at_start(folder, authority, tmp_path, wrong, message):
    certificate, key = install(tmp_path, authority.issue("good"))
    if wrong == "mismatch":
        key.write_text(authority.issue("another")[1])
    elif wrong == "missing":
        certificate.unlink()
    elif wrong == "encrypted":
        openssl(tmp_path, "pkey", "-in", key, "-aes128", "-passout", "pass:x", "-out", "e.pem")
        key = tmp_path / "e.pem"
    elif wrong == "garbage":
        certificate.write_text("no PEM\n")
    options = ["--tls-certificate", certificate] + ([] if wrong == "no key" else ["--tls-key", key])
    done = folder.run("serve", "--listen", "127.0.0.1:0", *options, expect=None)
    assert done.returncode not in (0, 124)
    assert any(part in done.stderr for part in message.split("|")), done.stderr


# --- Refusals in the middle of a body -------------------------------------------------------------

@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_in_the_middle(secure, folder, chunked):
    token = folder.token()
    server = secure("--max-report-bytes", "100000")
    head = (f"POST /careen/v1/default/images HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n"
            "Content-Type: application/json\r\n")
    part = b"a" * 20000
    with dial(server) as sock:
        if chunked:
            sock.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
            part = b"%x\r\n%s\r\n" % (len(part), part)
        else:
            sock.sendall(head.encode() + b"Content-Length: 4000000\r\n\r\n")
        for _ in range(200):  # all of it, before anything is read
            try:
                sock.sendall(part)
            except OSError:
                break
        with sock.makefile("rb") as stream:
            reply = Reply(stream)
    assert reply.status == 413, reply.body
    assert "100000" in reply.json["error_msg"]
    assert server.get("/healthz").status == 200


# --- SDKs -----------------------------------------------------------------------------------------

TRUST = {"python": "REQUESTS_CA_BUNDLE", "go": "SSL_CERT_FILE", "node": "NODE_EXTRA_CA_CERTS"}


@pytest.fixture
def secure_world(secure, folder, tmp_path):
    model = inventory.seed(folder, tmp_path)
    folder.run("user", "create", "reader", "--role", "viewer")
    reader, token = new_key(folder, "reader"), folder.token()  # before: a server reads them then
    return types.SimpleNamespace(server=secure(), model=model, reader=reader, token=token)


@pytest.mark.parametrize("language", TRUST)
def test_an_sdk_asks_and_verifies(secure_world, tmp_path, language):
    driver = Driver(language, tmp_path)
    port = secure_world.server.address.rsplit(":", 1)[1]
    asked = for_language(language, case(secure_world, {"is_handled": False, "type": "linux_vul",
                                                       "image_type": "registry", "limit": 50}))
    asked["endpoint"] = f"https://localhost:{port}"
    driver.environment[TRUST[language]] = str(secure_world.server.authority.root)
    outcome = driver.run([asked])[0]
    reply = raw(secure_world.server, secure_world.token, asked["parameters"])
    assert outcome.get("total_num") == reply.json["total_num"] > 0, outcome
    del driver.environment[TRUST[language]]
    refused = driver.run([asked])[0]
    assert "total_num" not in refused and "error" not in refused, refused

