# SPDX-License-Identifier: Apache-2.0
"""A web server that hosts bundles, well or badly, for tests (standard library only).

A site is {path: bytes}. An address is http://127.0.0.1:PORT/<behaviour>/<path>: BEHAVIOURS (hosting_behaviours.py) says
what is wrong with each; "good" is a proper server with strong ETags and ranges. Every request is logged.
"""
import hashlib
import re
import socket
import ssl
import subprocess
import threading


def etag_of(body):
    return '"' + hashlib.sha256(body).hexdigest()[:20] + '"'


class Request:
    """One request as it came, and the ways to answer it."""

    def __init__(self, server, connection, lines):
        self.server, self.connection = server, connection
        self.method, self.target = lines[0].split(" ")[:2]
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.strip().lower()] = value.strip()
        self.behaviour, _, self.path = self.target.lstrip("/").partition("/")
        self.path = self.path.partition("?")[0]
        self.sent = 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        self.offset = int(match.group(1)) if match else 0
        self.body = server.site.get(self.path)
        # How often this path was asked for under this behaviour and key (a query), this one included.
        self.count = server.count(self.target)

    def raw(self, data):
        self.connection.sendall(data)

    def pour(self, data):
        """Body bytes, in blocks, counted."""
        for at in range(0, len(data), 65536):
            block = data[at:at + 65536]
            self.connection.sendall(block)
            self.sent += len(block)
            self.server.add_sent(len(block))
            self.server.pause()

    def head(self, status, headers=(), reason="X"):
        text = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n"
        self.raw(text.encode())

    def range_holds(self, etag):
        return 0 < self.offset < len(self.body) and self.headers.get("if-range") in (None, etag)

    def good(self, etag=None, send=None):
        """A proper answer. `send`: bytes of the body that are really sent before the connection is cut."""
        etag = etag or etag_of(self.body)
        if self.range_holds(etag):
            rest = self.body[self.offset:]
            self.head(206, [("Content-Length", len(rest)), ("ETag", etag),
                            ("Content-Range", f"bytes {self.offset}-{len(self.body) - 1}/{len(self.body)}")])
        else:
            rest = self.body
            self.head(200, [("Content-Length", len(rest)), ("ETag", etag)])
        self.pour(rest if send is None else rest[:send])
        if send is not None:
            self.reset()

    def status(self, status, headers=()):
        self.head(status, [("Content-Length", 0), *headers])

    def reset(self):
        """Cuts the connection with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raise ConnectionError("cut")

    def end(self):
        """Ends the connection, all that was sent arrives."""
        raise ConnectionError("end")


class Server:
    """Serves until close(). Thread-safe."""

    def __init__(self, behaviours, tls=None, send_buffer=None):
        self.behaviours, self.send_buffer = behaviours, send_buffer
        self.site = {}
        self.log = []  # [target, Range offset, body bytes handed to the socket]
        self.lock = threading.Lock()
        self.counts = {}
        self.sent = 0  # body bytes handed to sockets
        self.block_seconds = 0  # pause after each block of a body
        self.closing = threading.Event()
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls[0], tls[1])
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        if send_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        self.port = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def add_sent(self, size):
        with self.lock:
            self.sent += size

    def pause(self):
        if self.block_seconds:
            self.closing.wait(self.block_seconds)

    def count(self, target):
        with self.lock:
            self.counts[target] = self.counts.get(target, 0) + 1
            return self.counts[target]

    def requests(self, start=0):
        with self.lock:
            return list(self.log[start:])

    def close(self):
        self.closing.set()
        self.socket.close()

    def _accept(self):
        while not self.closing.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            buffer = b""
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return
                    buffer += data
                head, _, buffer = buffer.partition(b"\r\n\r\n")
                self._answer(connection, head.decode("latin-1").split("\r\n"))
        except OSError:
            pass
        finally:
            connection.close()

    def _answer(self, connection, lines):
        request = Request(self, connection, lines)
        entry = [request.target, request.offset, 0]
        with self.lock:
            self.log.append(entry)
        try:
            behaviour = self.behaviours.get(request.behaviour)
            if behaviour is None:
                request.status(404)
            else:
                behaviour(request)
        finally:
            entry[2] = request.sent


def make_certificates(folder):
    """A CA and three certificates of localhost: {name: (certificate, key)}, plus "ca"."""

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=folder)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=koe test CA",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
    made = {"ca": f"{folder}/ca.pem"}
    for name, host, days in (("good", "localhost", "30"), ("other-host", "elsewhere.invalid", "30")):
        openssl("req", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
        with open(f"{folder}/{name}.ext", "w", encoding="utf-8") as f:
            f.write(f"subjectAltName=DNS:{host}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", days, "-extfile", f"{name}.ext")
        made[name] = (f"{folder}/{name}.pem", f"{folder}/{name}.key")
    openssl("req", "-x509", *new_key, "-keyout", "self.key", "-out", "self.pem", "-days", "30", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost")
    made["self-signed"] = (f"{folder}/self.pem", f"{folder}/self.key")
    return made
