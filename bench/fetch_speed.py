# SPDX-License-Identifier: Apache-2.0
"""koe bundle fetch against curl and sha256sum, one after the other, over loopback.

  python bench/fetch_speed.py --koe build/release/koe --bundle models/kokoro-82m [--rounds 10]

Each round fetches the whole bundle once with each, in turns, from the same server into an empty folder of one file system. Prints the ratio of
curl's and sha256sum's time to koe's (1: as fast; above: faster), median and range over the rounds. koe also syncs all it wrote.
"""
import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
import hosting_server  # noqa: E402


def serve(request):
    if request.body is None:
        return request.status(404)
    request.head(200, [("Content-Length", len(request.body)), ("ETag", request.server.etags[request.path])])
    return request.raw(request.body)


def timed(command, **options):
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, **options)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", default=os.path.join(ROOT, "build", "release", "koe"))
    parser.add_argument("--bundle", default=os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--folder", help="where to write (default: a new one below the current folder)")
    arguments = parser.parse_args()
    server = hosting_server.Server({"site": serve})
    bundle = os.path.realpath(arguments.bundle)
    for base, _, names in os.walk(bundle):
        for name in names:
            with open(os.path.join(base, name), "rb") as f:
                server.site[os.path.relpath(os.path.join(base, name), bundle)] = f.read()
    server.site.pop(".koe-bundle", None)
    server.etags = {path: hosting_server.etag_of(body) for path, body in server.site.items()}
    manifest = server.site["HostedManifest.json"]
    sums = "".join(f"{hashlib.sha256(body).hexdigest()}  {path}\n" for path, body in sorted(server.site.items()))
    total = sum(map(len, server.site.values()))
    folder = tempfile.mkdtemp(prefix="fetch-speed-", dir=arguments.folder or os.getcwd())

    def koe():
        return timed([arguments.koe, "bundle", "fetch", f"{server.url}/site/HostedManifest.json", "--allow-http", "--sha256",
                      hashlib.sha256(manifest).hexdigest(), "--store", os.path.join(folder, "store")])

    def curl():
        target = os.path.join(folder, "curl")
        os.makedirs(target)
        command = ["curl", "--silent", "--show-error", "--fail", "--create-dirs", "--noproxy", "*"]
        for path in sorted(server.site):
            command += ["-o", path, f"{server.url}/site/{path}"]
        return timed(command, cwd=target) + timed(["sha256sum", "--check", "--strict", "--quiet", "-"], cwd=target, input=sums.encode())

    ratios, times = [], {"koe": [], "curl": []}
    try:
        for turn in range(arguments.rounds + 1):
            for kind, run in ((("koe", koe), ("curl", curl)) if turn % 2 else (("curl", curl), ("koe", koe))):
                times[kind].append(run())
                shutil.rmtree(os.path.join(folder, "store" if kind == "koe" else "curl"))
            if turn:  # the first is a rehearsal
                ratios.append(times["curl"][-1] / times["koe"][-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        server.close()
    for kind, seconds in times.items():
        print(f"{kind}: median {statistics.median(seconds[1:]):.3f} s, {total / 1e6 / statistics.median(seconds[1:]):.0f} MB/s")
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}), {len(ratios)} rounds, {len(server.site)} files, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
