# SPDX-License-Identifier: Apache-2.0
"""What a server may do to a download: one function each. All but the named file are served well.

PAYLOAD is the file that the behaviours concern; those that begin with "manifest" concern the manifest.
TABLE: name -> (exit code, part of the message); None: a correct bundle. docs/fetch.md lists them.
"""
import gzip
import hashlib
import time

PAYLOAD = "weights.safetensors"
MANIFEST = "HostedManifest.json"
BEHAVIOURS, TABLE = {}, {}


def behaviour(name, outcome, message=""):
    """Registers a function for PAYLOAD (or MANIFEST); everything else is served well."""
    concerned = MANIFEST if name.startswith("manifest") else PAYLOAD

    def register(function):
        def answer(request):
            if request.body is None:
                return request.status(404)
            if request.path != concerned:
                return request.good()
            return function(request)
        BEHAVIOURS[name] = answer
        TABLE[name] = (outcome, message)
        return function
    return register


def half(request):
    return len(request.body) // 2


def other(body):
    return bytes(b ^ 0x55 for b in body)


# --- what a good server may do ------------------------------------------------------------------------------------------
@behaviour("good", 0)
def good(r):
    r.good()


@behaviour("no-etag", 0)
def no_etag(r):
    r.head(200, [("Content-Length", len(r.body))])
    r.pour(r.body)


@behaviour("weak-etag-cut", 0)
def weak_etag_cut(r):
    assert r.offset == 0, "a weak ETag must not be resumed from"
    r.head(200, [("Content-Length", len(r.body)), ("ETag", 'W/"1"')])
    r.pour(r.body if r.count > 1 else r.body[:half(r)])
    r.end()


@behaviour("no-ranges-cut", 0)
def no_ranges_cut(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"1"')])
    r.pour(r.body if r.count > 1 else r.body[:half(r)])
    r.end()


@behaviour("no-length", 0)
def no_length(r):
    r.head(200, [("ETag", '"1"'), ("Connection", "close")])
    r.pour(r.body)
    r.end()


@behaviour("chunked", 0)
def chunked(r):
    r.head(200, [("Transfer-Encoding", "chunked"), ("ETag", '"1"')])
    for at in range(0, len(r.body), 50000):
        block = r.body[at:at + 50000]
        r.raw(b"%x\r\n" % len(block) + block + b"\r\n")
    r.raw(b"0\r\n\r\n")


@behaviour("early-100", 0)
def early_100(r):
    r.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\n\r\n")
    r.good()


@behaviour("extra-bytes-after-length", 0)
def extra_bytes_after_length(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"1"')])
    r.pour(r.body + b"more")
    r.end()


@behaviour("strange-etag-cut", 0)
def strange_etag_cut(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"' + "x" * 3000 + '"')])
    r.pour(r.body if r.count > 1 else r.body[:half(r)])
    r.end()


# --- cut connections ----------------------------------------------------------------------------------------------------
@behaviour("reset-once", 0)
def reset_once(r):
    r.good(send=None if r.count > 1 else half(r))


@behaviour("reset-twice", 0)
def reset_twice(r):
    r.good(send=None if r.count > 2 else len(r.body) // 4)


@behaviour("reset-at-last-byte", 0)
def reset_at_last_byte(r):
    r.good(send=None if r.count > 1 else len(r.body) - 1)


@behaviour("reset-always", 5, "after 3 tries")
def reset_always(r):
    r.reset()


@behaviour("end-before-answer", 5, "after 3 tries")
def end_before_answer(r):
    r.end()


@behaviour("short-body-once", 0)
def short_body_once(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", etag(r))])
    r.pour(r.body if r.count > 1 else r.body[:half(r)])
    r.end()


@behaviour("short-body-always", 5, "after 3 tries")
def short_body_always(r):
    r.head(200, [("Content-Length", len(r.body))])
    r.pour(r.body[:half(r)])
    r.end()


@behaviour("no-length-short-always", 5, "the transfer ended after")
def no_length_short_always(r):
    r.head(200, [("Connection", "close")])
    r.pour(r.body[:half(r)])
    r.end()


@behaviour("chunked-cut", 5, "after 3 tries")
def chunked_cut(r):
    r.head(200, [("Transfer-Encoding", "chunked")])
    r.raw(b"%x\r\n" % len(r.body))
    r.pour(r.body[:half(r)])
    r.end()


@behaviour("half-closed-once", 0)
def half_closed_once(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", etag(r))])
    r.pour(r.body if r.count > 1 else r.body[:half(r)])
    if r.count == 1:
        r.connection.shutdown(1)
        time.sleep(0.3)
    r.end()


@behaviour("half-closed-always", 5, "after 3 tries")
def half_closed_always(r):
    r.connection.shutdown(1)
    time.sleep(0.1)
    r.end()


@behaviour("silent", 5, "after 2 tries")
def silent(r):
    r.server.closing.wait(20)
    r.end()


@behaviour("slow-drip", 5, "after 2 tries")
def slow_drip(r):
    r.head(200, [("Content-Length", len(r.body))])
    for at in range(400):
        r.pour(r.body[at:at + 1])
        if r.server.closing.wait(0.05):
            break
    r.end()


@behaviour("stall-midway-once", 0)
def stall_midway_once(r):
    if r.count == 1:
        r.head(200, [("Content-Length", len(r.body)), ("ETag", etag(r))])
        r.pour(r.body[:half(r)])
        r.server.closing.wait(20)
        r.end()
    r.good()


# --- wrong bytes, wrong lengths -----------------------------------------------------------------------------------------
def etag(r):
    return '"' + hashlib.sha256(r.body).hexdigest()[:20] + '"'


@behaviour("wrong-bytes", 4, "SHA-256 is")
def wrong_bytes(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"1"')])
    r.pour(other(r.body))


@behaviour("wrong-bytes-once", 0)
def wrong_bytes_once(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"1"')])
    r.pour(r.body if r.count > 1 else other(r.body))


@behaviour("one-bit-wrong", 4, "SHA-256 is")
def one_bit_wrong(r):
    r.head(200, [("Content-Length", len(r.body)), ("ETag", '"1"')])
    r.pour(r.body[:-1] + bytes([r.body[-1] ^ 1]))


@behaviour("longer-file", 4, "the manifest says")
def longer_file(r):
    r.head(200, [("Content-Length", len(r.body) + 10), ("ETag", '"1"')])
    r.pour(r.body + b"0123456789")


@behaviour("shorter-file", 4, "the manifest says")
def shorter_file(r):
    r.head(200, [("Content-Length", len(r.body) - 10), ("ETag", '"1"')])
    r.pour(r.body[:-10])


@behaviour("endless-body", 4, "sends more than")
def endless_body(r):
    r.head(200, [("Transfer-Encoding", "chunked")])
    while True:
        r.raw(b"%x\r\n" % len(r.body) + r.body + b"\r\n")


@behaviour("endless-headers", 4, "headers: more than")
def endless_headers(r):
    r.raw(b"HTTP/1.1 200 OK\r\n")
    while True:
        r.raw(b"X-Filler: " + b"x" * 900 + b"\r\n")


@behaviour("captive-portal", 4, "the manifest says")
def captive_portal(r):
    page = b"<html>Sign in to the network</html>"
    r.head(200, [("Content-Length", len(page)), ("Content-Type", "text/html")])
    r.pour(page)


@behaviour("empty-200", 4, "the manifest says")
def empty_200(r):
    r.status(200)


@behaviour("two-lengths", 4, "the manifest says")
def two_lengths(r):
    r.head(200, [("Content-Length", len(r.body)), ("Content-Length", 5)])
    r.pour(r.body[:5])
    r.end()


@behaviour("negative-length", (4, 5))
def negative_length(r):
    r.head(200, [("Content-Length", -1)])
    r.pour(r.body[:100])
    r.end()


@behaviour("gzip", 4, "encoded it")
def gzip_body(r):
    data = gzip.compress(r.body)
    r.head(200, [("Content-Length", len(data)), ("Content-Encoding", "gzip")])
    r.pour(data)


@behaviour("gzip-by-name-only", 4, "encoded it")
def gzip_by_name_only(r):
    r.head(200, [("Content-Length", len(r.body)), ("Content-Encoding", "gzip")])
    r.pour(r.body)


@behaviour("gzip-unsaid", 4, "the manifest says")
def gzip_unsaid(r):
    data = gzip.compress(r.body)
    r.head(200, [("Content-Length", len(data))])
    r.pour(data)


# --- ranges and ETags ---------------------------------------------------------------------------------------------------
def cut_first(r):
    """The first request is cut halfway under a strong ETag; True for the later ones."""
    if r.count == 1:
        r.good(send=half(r))
    return True


@behaviour("range-other", 0)
def range_other(r):
    cut_first(r)
    if not r.offset:
        return r.good()
    r.head(206, [("Content-Length", len(r.body) - r.offset), ("ETag", etag(r)),
                 ("Content-Range", f"bytes 0-{len(r.body) - r.offset - 1}/{len(r.body)}")])
    return r.pour(r.body[:len(r.body) - r.offset])


@behaviour("range-unnamed", 0)
def range_unnamed(r):
    cut_first(r)
    if not r.offset:
        return r.good()
    r.head(206, [("Content-Length", len(r.body) - r.offset), ("ETag", etag(r))])
    return r.pour(r.body[r.offset:])


@behaviour("range-other-total", 0)
def range_other_total(r):
    cut_first(r)
    if not r.offset:
        return r.good()
    r.head(206, [("Content-Length", len(r.body) - r.offset), ("ETag", etag(r)),
                 ("Content-Range", f"bytes {r.offset}-{len(r.body) - 1}/{len(r.body) + 7}")])
    return r.pour(r.body[r.offset:])


@behaviour("range-too-short", 0)
def range_too_short(r):
    cut_first(r)
    if not r.offset:
        return r.good()
    r.head(206, [("Content-Length", 10), ("ETag", etag(r)),
                 ("Content-Range", f"bytes {r.offset}-{r.offset + 9}/{len(r.body)}")])
    return r.pour(r.body[r.offset:r.offset + 10])


@behaviour("range-unasked", 4, "to a request for all of it")
def range_unasked(r):
    r.head(206, [("Content-Length", 10), ("ETag", etag(r)), ("Content-Range", f"bytes 0-9/{len(r.body)}")])
    r.pour(r.body[:10])


@behaviour("range-without-etag", 0)
def range_without_etag(r):
    cut_first(r)
    r.head(206, [("Content-Length", len(r.body) - r.offset),
                 ("Content-Range", f"bytes {r.offset}-{len(r.body) - 1}/*")])
    r.pour(r.body[r.offset:])


@behaviour("range-other-etag", 0)
def range_other_etag(r):
    cut_first(r)
    if not r.offset:
        return r.good()
    r.head(206, [("Content-Length", len(r.body) - r.offset), ("ETag", '"another"'),
                 ("Content-Range", f"bytes {r.offset}-{len(r.body) - 1}/{len(r.body)}")])
    return r.pour(other(r.body)[r.offset:])


@behaviour("changing-etag", 0)
def changing_etag(r):
    r.good(etag=f'"{r.count}"', send=half(r) if r.count == 1 else None)


@behaviour("changed-under-one-etag", 0)
def changed_under_one_etag(r):
    body = r.body
    if r.count == 1:
        r.body = other(body)
        r.good(etag='"same"', send=half(r))
    r.good(etag='"same"')


@behaviour("ignores-if-range", 0)
def ignores_if_range(r):
    """The file changed, and the server answers 206 under the new ETag all the same."""
    if r.count == 1:
        r.body = other(r.body)
        r.good(etag='"old"', send=half(r))
    if not r.offset:
        return r.good(etag='"new"')
    r.head(206, [("Content-Length", len(r.body) - r.offset), ("ETag", '"new"'),
                 ("Content-Range", f"bytes {r.offset}-{len(r.body) - 1}/{len(r.body)}")])
    return r.pour(r.body[r.offset:])


# --- statuses -----------------------------------------------------------------------------------------------------------
@behaviour("416-on-resume", 0)
def s416_on_resume(r):
    cut_first(r)
    return r.status(416, [("Content-Range", f"bytes */{len(r.body)}")]) if r.offset else r.good()


@behaviour("416-always", 4, "416")
def s416_always(r):
    r.status(416)


@behaviour("204", 5, "the transfer ended after 0")
def s204(r):
    r.head(204)


@behaviour("304", 5, "304")
def s304(r):
    r.head(304)


@behaviour("403", 5, "403")
def s403(r):
    r.status(403)


@behaviour("404", 4, "404")
def s404(r):
    r.status(404)


@behaviour("404-with-payload", 4, "404")
def s404_with_payload(r):
    r.head(404, [("Content-Length", len(r.body))])
    r.pour(r.body)


@behaviour("410", 4, "410")
def s410(r):
    r.status(410)


@behaviour("429-twice", 0)
def s429_twice(r):
    return r.good() if r.count > 2 else r.status(429, [("Retry-After", 1 if r.count == 1 else 0)])


@behaviour("429-come-back-tomorrow", 5, "429")
def s429_tomorrow(r):
    r.status(429, [("Retry-After", 86400)])


@behaviour("500-once", 0)
def s500_once(r):
    return r.good() if r.count > 1 else r.status(500)


@behaviour("500-always", 5, "500")
def s500_always(r):
    r.status(500)


@behaviour("503-with-payload", 5, "503")
def s503_with_payload(r):
    r.head(503, [("Content-Length", len(r.body))])
    r.pour(r.body)


@behaviour("no-status", 5, "after 3 tries")
def no_status(r):
    r.raw(b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n")
    r.end()


@behaviour("http-0.9", 5, "HTTP/0.9")
def http_09(r):
    r.raw(r.body)
    r.end()


# --- redirects (https only: see REDIRECTS in fetch_test.py) ------------------------------------------------------------
@behaviour("redirect", 0)
def redirect(r):
    r.status(302, [("Location", f"/good/{r.path}")])


@behaviour("redirect-5", 0)
def redirect_5(r):
    hop = int((r.target.partition("?hop=")[2] or "0"))
    return r.good() if hop == 5 else r.status(307, [("Location", f"/redirect-5/{r.path}?hop={hop + 1}")])


@behaviour("redirect-loop", 5, "redirects")
def redirect_loop(r):
    r.status(301, [("Location", r.target)])


@behaviour("redirect-to-http", 5, "redirect to another protocol")
def redirect_to_http(r):
    r.status(302, [("Location", f"http://127.0.0.1:{r.server.http_port}/good/{r.path}")])


@behaviour("redirect-to-file", 5, "redirect to another protocol")
def redirect_to_file(r):
    r.status(302, [("Location", "file:///etc/hostname")])


@behaviour("redirect-nowhere", 5, "302")
def redirect_nowhere(r):
    r.status(302)


@behaviour("redirect-cut", 0)
def redirect_cut(r):
    """As the official host does it: the large file lies elsewhere, and is cut there."""
    if "?elsewhere" not in r.target:
        return r.status(302, [("Location", f"/redirect-cut/{r.path}?elsewhere"), ("ETag", '"pointer"')])
    return r.good(send=half(r) if r.count == 1 else None)


# --- the manifest -------------------------------------------------------------------------------------------------------
@behaviour("manifest-wrong-bytes", 4, "SHA-256 is")
def manifest_wrong_bytes(r):
    r.head(200, [("Content-Length", len(r.body))])
    r.pour(r.body.replace(b"a", b"b"))


@behaviour("manifest-long", 4, "more than 2097152 bytes")
def manifest_long(r):
    r.head(200, [("Content-Length", 3 << 20)])
    r.pour(b" " * (3 << 20))


@behaviour("manifest-endless", 4, "more than 2097152 bytes")
def manifest_endless(r):
    r.head(200, [("Connection", "close")])
    while True:
        r.raw(b" " * 65536)


@behaviour("manifest-gzip", 4, "encoded it")
def manifest_gzip(r):
    data = gzip.compress(r.body)
    r.head(200, [("Content-Length", len(data)), ("Content-Encoding", "gzip")])
    r.pour(data)


@behaviour("manifest-404", 4, "404")
def manifest_404(r):
    r.status(404)


@behaviour("manifest-500-once", 0)
def manifest_500_once(r):
    return r.good() if r.count > 1 else r.status(500)


@behaviour("manifest-cut", 5, "after 3 tries")
def manifest_cut(r):
    r.head(200, [("Content-Length", len(r.body))])
    r.pour(r.body[:half(r)])
    r.end()


@behaviour("manifest-206", 4, "came unasked")
def manifest_206(r):
    r.head(206, [("Content-Length", 10), ("Content-Range", f"bytes 0-9/{len(r.body)}")])
    r.pour(r.body[:10])
