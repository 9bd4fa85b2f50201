# SPDX-License-Identifier: Apache-2.0
"""Clients that mean no good, and one that does: each a process of its own, so that none waits for
the others' interpreter. Run by test_hostile_clients.py:

    python3 hostile.py KIND HOST:PORT SECONDS [TARGET TOKEN [ROOT]]

Prints one JSON object at its end. Hostile ones come from 127.0.0.2 and on, the good one from
127.0.0.1: limits by address tell them apart.
"""
import http.client
import json
import select
import socket
import ssl
import sys
import time

GOOD_INTERVAL = 0.02  # 50 requests a second
SMALL = 2048


def dial(address, source, receive=None):
    host, port = address
    sock = socket.socket()
    if receive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.bind((source, 0))
    sock.settimeout(10)
    sock.connect((host, port))
    sock.setblocking(False)
    return sock


class Crowd:
    """Connections, when each was opened, and how long those that the server closed lived."""

    def __init__(self):
        self.opened, self.lived = {}, []

    def add(self, sock):
        self.opened[sock] = time.monotonic()

    def lose(self, sock):
        self.lived.append(time.monotonic() - self.opened.pop(sock))
        sock.close()

    def watch(self, seconds):
        """Notes who is closed; drops nothing else."""
        poll = select.poll()
        by_fd = {sock.fileno(): sock for sock in self.opened}
        for fd in by_fd:
            poll.register(fd, select.POLLIN)
        for fd, _ in poll.poll(seconds * 1000):
            sock = by_fd[fd]
            try:
                if sock.recv(65536):
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            self.lose(sock)

    def result(self):
        return {"cut": len(self.lived), "open": len(self.opened),
                "longest": round(max(self.lived, default=0), 2)}


def drip(address, seconds, first):
    """200 connections; each says a byte a second, after `first`."""
    crowd = Crowd()
    for i in range(200):
        sock = dial(address, f"127.0.0.{2 + i % 3}")
        sock.send(first)
        crowd.add(sock)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for sock in list(crowd.opened):
            try:
                sock.send(b"a")
            except OSError:
                crowd.lose(sock)
        crowd.watch(0)
        time.sleep(1)
    return crowd.result()


def half_open(address, seconds):
    """1,000 connections that say nothing."""
    crowd = Crowd()
    for i in range(1000):
        crowd.add(dial(address, f"127.0.0.{2 + i % 4}"))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        crowd.watch(0.2)
        time.sleep(0.05)
    return crowd.result()


def flood(address, seconds):
    """Heads that are too large, one after the other: many bytes, many headers."""
    heads = [b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1024)
                                              for i in range(140)) + b"\r\n",
             b"GET / HTTP/1.1\r\n" + b"".join(b"a%d:b\r\n" % i for i in range(10000)) + b"\r\n",
             b"GET / HTTP/1.1\r\nCookie: " + b"a=b;" * 30000 + b"\r\n\r\n",
             b"GET /?" + b"&" * 200000 + b" HTTP/1.1\r\n\r\n"]
    statuses = {}
    until = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < until:
        sock = dial(address, f"127.0.0.{2 + turn % 3}")
        sock.settimeout(5)
        try:
            sock.sendall(heads[turn % len(heads)])
        except OSError:
            pass  # it answers before it has read all
        try:
            answer = sock.recv(12)
            status = answer[9:12].decode() or "closed"
        except OSError:
            status = "reset"
        statuses[status] = statuses.get(status, 0) + 1
        sock.close()
        turn += 1
        time.sleep(0.01)
    return {"statuses": statuses}


def slow_reader(address, seconds, target, token):
    """100 connections that ask for much and read nothing."""
    ask = f"GET {target} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\n\r\n".encode()
    crowd = Crowd()
    for i in range(100):
        sock = dial(address, f"127.0.0.{2 + i % 3}", receive=SMALL)
        sock.setblocking(True)
        sock.settimeout(2)
        try:
            sock.sendall(ask * 100)
        except TimeoutError:
            pass
        sock.setblocking(False)
        crowd.add(sock)
    until = time.monotonic() + seconds
    while time.monotonic() < until and crowd.opened:
        poll = select.poll()
        by_fd = {sock.fileno(): sock for sock in crowd.opened}
        for fd in by_fd:
            poll.register(fd, select.POLLRDHUP)
        for fd, _ in poll.poll(200):
            crowd.lose(by_fd[fd])
    return crowd.result()


def connection_to(host, port, authority):
    if not authority:
        return http.client.HTTPConnection(host, port, timeout=10)
    return http.client.HTTPSConnection(host, port, timeout=10,
                                       context=ssl.create_default_context(cafile=authority))


def good(address, seconds, target, token, authority=None):
    """A fixed rate, by turns on a kept connection and on a new one; over TLS when it has somebody
    to trust. Latency counts from the moment at which the request was due."""
    host, port = address
    kept = connection_to(host, port, authority)
    latencies, errors = [], []
    start = time.monotonic()
    for turn in range(int(seconds / GOOD_INTERVAL)):
        due = start + turn * GOOD_INTERVAL
        time.sleep(max(0, due - time.monotonic()))
        connection = kept if turn % 2 else connection_to(host, port, authority)
        try:
            connection.request("GET", target, headers={"X-Auth-Token": token})
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                errors.append(f"{turn}: {response.status}")
        except (OSError, http.client.HTTPException) as e:
            errors.append(f"{turn}: {e!r}")
        latencies.append((time.monotonic() - due) * 1000)
        if connection is not kept:
            connection.close()
    latencies.sort()
    return {"requests": len(latencies), "errors": errors,
            "median": round(latencies[len(latencies) // 2], 2),
            "p99": round(latencies[len(latencies) * 99 // 100], 2),
            "worst": round(latencies[-1], 2)}


KINDS = {
    "drip-line": lambda *given: drip(*given, b"G"),
    "drip-header": lambda *given: drip(*given, b"GET / HTTP/1.1\r\nX: "),
    "drip-body": lambda *given: drip(
        *given, b"POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"),
    "drip-handshake": lambda *given: drip(
        *given, bytes([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])),
    "half-open": half_open,
    "flood": flood,
    "slow-reader": slow_reader,
    "good": good,
}


def main(kind, address, seconds, *more):
    host, port = address.rsplit(":", 1)
    print(json.dumps(KINDS[kind]((host, int(port)), float(seconds), *more)))


if __name__ == "__main__":
    main(*sys.argv[1:])
