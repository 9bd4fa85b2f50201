# SPDX-License-Identifier: Apache-2.0
"""Certificates made by openssl, and a `careen serve` that speaks TLS."""
import http.client
import ssl
import subprocess

from conftest import COMMAND_SECONDS, Server

KINDS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], "rsa": ["rsa:2048"]}
LEAF = "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], cwd=folder, capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Authority:
    """A root and an intermediate that signs. `root` is the file that clients trust."""

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "root.pem"
        folder.joinpath("ca.ext").write_text("basicConstraints=critical,CA:true\n")
        folder.joinpath("leaf.ext").write_text(LEAF)
        openssl(folder, "req", "-x509", "-newkey", *KINDS["ecdsa"], "-nodes", "-keyout", "root.key",
                "-out", "root.pem", "-days", "9", "-subj", "/CN=test root")
        self._sign("mid", "ecdsa", "root", "ca.ext", 9)

    def _sign(self, name, kind, by, extensions, days):
        openssl(self.folder, "req", "-newkey", *KINDS[kind], "-nodes", "-keyout", f"{name}.key",
                "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl(self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey",
                f"{by}.key", "-CAcreateserial", "-days", days, "-extfile", extensions, "-out",
                f"{name}.pem")

    def issue(self, name, kind="ecdsa", days=5):
        """(chain, key) for localhost, as texts."""
        self._sign(name, kind, "mid", "leaf.ext", days)
        texts = [self.folder.joinpath(f"{part}.pem").read_text() for part in (name, "mid")]
        return "".join(texts), self.folder.joinpath(f"{name}.key").read_text()

    def context(self):
        """A client's, which verifies."""
        return ssl.create_default_context(cafile=self.root)


class SecureServer(Server):
    """A Server whose certificate the authority has signed."""

    def __init__(self, folder, authority, certificate, key, *arguments):
        self.authority = authority
        super().__init__(folder.binary, folder.path, [
            "--tls-certificate", certificate, "--tls-key", key, *arguments])
        folder.servers.append(self)

    def connect(self):
        return http.client.HTTPSConnection(self.address, timeout=COMMAND_SECONDS,
                                           context=self.authority.context())


def install(folder, issued, certificate="cert.pem", key="key.pem"):
    """Writes an issued pair into the folder, as a renewal does; returns the two paths."""
    paths = folder / certificate, folder / key
    for path, text in zip(paths, issued):
        path.with_suffix(".new").write_text(text)
        path.with_suffix(".new").chmod(0o600)
        path.with_suffix(".new").rename(path)
    return paths
