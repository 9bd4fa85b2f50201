# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes, for what http.client would tidy up, and what every answer of ours has."""
import http.client
import json
import re
import socket
import urllib.parse

PATH = "/v5/default/vulnerability/images"
JSON_TYPE = "application/json;charset=UTF-8"


def connect(address, seconds=20):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=seconds)


class Reply:
    """One response, its header names in the case in which they came."""

    def __init__(self, stream, method="GET"):
        line = stream.readline()
        assert line.startswith(b"HTTP/1.1 "), f"no status line but {line!r}"
        self.status = int(line.split()[1])
        self.headers = []
        while (line := stream.readline().rstrip(b"\r\n")):
            name, value = line.decode("latin-1").split(": ", 1)
            self.headers.append((name, value))
        self.body = b""
        if method != "HEAD" and self.status != 100:
            self.body = stream.read(int(self.only("Content-Length")))

    def only(self, name):
        """The value of the header of exactly that name, which must be there once."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) == 1, f"{name} is {len(values)} times in {self.headers}"
        return values[0]

    @property
    def json(self):
        return json.loads(self.body)


def talk(address, data, method="GET"):
    """Sends the bytes on a connection of their own and returns the first Reply."""
    with connect(address) as sock:
        sock.sendall(data)
        with sock.makefile("rb") as stream:
            return Reply(stream, method)


def head(target, headers=(), method="GET", token=None):
    """The bytes of a request without a body. What is a str goes out as Latin-1."""
    target = target if isinstance(target, bytes) else target.encode("latin-1")
    lines = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: localhost"]
    lines += [f"{name}: {value}".encode("latin-1") for name, value in headers]
    if token:
        lines.append(b"X-Auth-Token: " + token.encode())
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Client:
    """One kept connection, with a token."""

    def __init__(self, server, token, project="default"):
        self.connection = http.client.HTTPConnection(server.address, timeout=60)
        self.token = token
        self.path = f"/v5/{project}/vulnerability/images"

    def get(self, target):
        """(status, body as Python)"""
        self.connection.request("GET", target, headers={"X-Auth-Token": self.token})
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def ask(self, **query):
        """The answer to the call, which must be 200."""
        status, body = self.get(self.path + "?" + urllib.parse.urlencode(
            query, doseq=True, quote_via=urllib.parse.quote, safe=""))
        assert status == 200, (query, body)
        return body


def check_error(reply, status, code, text, detail=None):
    """An error as the contract has it. error_msg begins with text and has detail in it."""
    assert reply.status == status, reply.body
    assert reply.only("Content-Type") == JSON_TYPE
    body = reply.json
    hss = code.startswith("HSS.")
    keys = ["error_code", "error_msg", *(["error_description"] if hss else []), "request_id"]
    assert list(body) == keys, body
    assert all(isinstance(value, str) and value for value in body.values()), body
    assert body["error_code"] == code, body
    assert body["error_msg"].startswith(text), body
    assert re.fullmatch("[0-9a-f]{32}", body["request_id"])
    assert body["request_id"] == reply.only("X-Request-Id")
    if detail is not None:
        assert detail in body["error_msg"], body
        assert not hss or detail in body["error_description"], body


def check_invalid(reply, detail):
    """The answer to a bad parameter: detail is `name: rule`."""
    check_error(reply, 400, "HSS.0001", "Invalid parameter. (", detail)
