# SPDX-License-Identifier: Apache-2.0
"""Request signing, written from the rules of the API's signing guide and from nothing of Careen's:
SDK-HMAC-SHA256, and V11-HMAC-SHA256 with a derived key.
"""
import datetime
import hashlib
import hmac
import http.client
import json
import types
import urllib.parse

SDK, V11 = "SDK-HMAC-SHA256", "V11-HMAC-SHA256"
SCOPE = "20261124/cn-north-4/hss"


def now(minutes=0):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return at.strftime("%Y%m%dT%H%M%SZ")


def escape(text):
    return urllib.parse.quote(text, safe="-._~")


def canonical_path(path):
    made = "/".join(escape(urllib.parse.unquote(part)) for part in path.split("/"))
    return made if made.endswith("/") else made + "/"


def canonical_query(query):
    pairs = [part.partition("=") for part in query.split("&") if part]
    return "&".join(f"{name}={value}" for name, value in sorted(
        (escape(urllib.parse.unquote(name)), escape(urllib.parse.unquote(value)))
        for name, _, value in pairs))


def canonical_request(method, target, headers, signed, body):
    path, _, query = target.partition("?")
    lower = {name.lower(): str(value).strip() for name, value in headers.items()}
    payload = lower.get("x-sdk-content-sha256") or hashlib.sha256(body or b"").hexdigest()
    lines = "".join(f"{name}:{lower[name]}\n" for name in signed)
    return "\n".join(
        [method, canonical_path(path), canonical_query(query), lines, ";".join(signed), payload])


def derived_key(ak, sk, scope):
    first = hmac.new(ak.encode(), sk.encode(), hashlib.sha256).digest()
    return hmac.new(first, scope.encode() + b"\x01", hashlib.sha256).hexdigest()


def authorization(key, method, target, headers, body=None, algorithm=SDK, signed=None):
    """The header's value; headers must hold X-Sdk-Date and whatever is signed."""
    signed = signed or sorted(name.lower() for name in headers if "_" not in name)
    digest = hashlib.sha256(
        canonical_request(method, target, headers, signed, body).encode()).hexdigest()
    lower = {name.lower(): value for name, value in headers.items()}
    middle = [SCOPE] if algorithm == V11 else []
    text = "\n".join([algorithm, lower.get("x-sdk-date", ""), *middle, digest])
    sk = derived_key(key.ak, key.sk, SCOPE) if algorithm == V11 else key.sk
    signature = hmac.new(sk.encode(), text.encode(), hashlib.sha256).hexdigest()
    who = f"Credential={key.ak}/{SCOPE}" if algorithm == V11 else f"Access={key.ak}"
    return f"{algorithm} {who}, SignedHeaders={';'.join(signed)}, Signature={signature}"


class Key(types.SimpleNamespace):
    """An access key (ak, sk) that asks a Server."""

    def headers(self, server, method, target, headers=None, body=None, algorithm=SDK, signed=None,
                minutes=0):
        """What is sent: Host and X-Sdk-Date, the given headers, and the signature."""
        sent = {"Host": server.address, "X-Sdk-Date": now(minutes), **(headers or {})}
        sent["Authorization"] = authorization(self, method, target, sent, body, algorithm, signed)
        return sent

    def request(self, server, method, target, headers=None, body=None, **how):
        sent = self.headers(server, method, target, headers, body, **how)
        return send(server, method, target, sent, body)

    def get(self, server, target, headers=None, **how):
        return self.request(server, "GET", target, headers, **how)


def send(server, method, target, headers, body=None, source=None):
    """One request exactly so, perhaps from another address of this machine."""
    host, port = server.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(
        host, int(port), timeout=60, source_address=(source, 0) if source else None)
    try:
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    is_json = response.getheader("Content-Type", "").split(";")[0] == "application/json"
    return types.SimpleNamespace(status=response.status, headers=response.headers, body=content,
                                 json=json.loads(content) if is_json and content else None)


def new_key(folder, user, *options):
    made = json.loads(folder.run("key", "create", "--user", user, "-o", "json", *options).stdout)
    return Key(**made)
