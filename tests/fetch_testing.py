# SPDX-License-Identifier: Apache-2.0
"""What the tests of `koe bundle fetch` share: sites of small bundles, stores looked at byte by byte."""
import hashlib
import json
import os
import random
import signal
import subprocess

PAYLOAD = "weights.safetensors"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def record(path, data):
    return {"path": path, "bytes": len(data), "sha256": sha256(data)}


def make_site(seed, serial=1, weights_bytes=700_000, voices=3, profile="custom"):
    """{path: bytes} of a bundle whose manifests are in order and whose weights are noise: fetch looks no deeper. Voices
    are the same for every seed."""
    noise = random.Random(seed)
    common = random.Random("voices")
    files = {PAYLOAD: noise.randbytes(weights_bytes), "vocab.json": b'{"vocab": {"a": 1}}\n'}
    for i in range(voices):
        files[f"voices/af_{i}.bin"] = common.randbytes(60_000)
    runtime = {
        "schema_version": 1, "generated_at": "2026-11-22T12:00:00Z", "generated_by": "koe test", "sdk_commit": None,
        "hf_repo_id": None, "hf_artifact_revision": None, "hf_provenance_verified": False,
        "hf_download_manifest_sha256": None, "model": "kokoro-82m", "bundle_profile": profile,
        "supported_languages": [], "tensor_precision": "int8",
        "weights_source": {"file_name": "x.onnx", "format": "onnx", "bytes": 1, "sha256": sha256(b"x")},
        "weights": {**record(PAYLOAD, files[PAYLOAD]), "num_tensors": 1},
        "runtime_assets": {"vocab": record("vocab.json", files["vocab.json"])},
        "voices": [record(p, files[p]) for p in sorted(files) if p.startswith("voices/")],
        "g2p_assets": [], "model_config": {},
    }
    files["RuntimeManifest.json"] = json.dumps(runtime, indent=2).encode()
    files["HostedManifest.json"] = hosted_manifest(files, serial, f"{profile}-{seed}")
    return files


def hosted_manifest(files, serial, version):
    listed = [record(p, files[p]) for p in sorted(files) if p != "HostedManifest.json"]
    return json.dumps({"version": version, "serial": serial, "files": listed}, indent=2).encode()


def make_release(sites, revision="v1"):
    """{path: bytes} of a published site: each profile of {profile: site} below sdk/<profile>/, and the release manifest."""
    published, profiles = {}, []
    for profile in sorted(sites):
        site, folder = sites[profile], f"sdk/{profile}/"
        published.update({folder + path: data for path, data in site.items()})
        listed = json.loads(site["HostedManifest.json"])
        profiles.append({
            "profile": profile, "sdk_commit": None, "hf_repo_id": None, "hf_artifact_revision": None,
            "hf_provenance_verified": False, "hf_download_manifest_sha256": None,
            "hosted_manifest": folder + "HostedManifest.json", "hosted_version": listed["version"],
            "hosted_serial": listed["serial"], "tensor_precision": "int8", "voice_count": 3,
            "file_count": len(listed["files"]), "total_bytes": sum(f["bytes"] for f in listed["files"]),
            "runtime_manifest": record(folder + "RuntimeManifest.json", site["RuntimeManifest.json"]),
            "hosted_manifest_record": record(folder + "HostedManifest.json", site["HostedManifest.json"])})
    release = {"schema_version": 1, "generated_at": "2026-11-22T12:00:00Z", "generated_by": "koe test", "repo_id": None,
               "sdk_commit": None, "revision": revision, "serial": 1, "model_card": None,
               "top_level_hosted_manifest": None, "top_level_runtime_manifest": None, "top_level_hosted_files": [],
               "profiles": profiles}
    published["sdk/SDKReleaseManifest.json"] = json.dumps(release, indent=2).encode()
    return published


def site_id(site):
    return sha256(site["HostedManifest.json"])[:32]


class Koe:
    def __init__(self, program):
        self.program = program
        self.environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        # Nobody listens there: whoever looks at these variables fails.
        self.environment.update(http_proxy="http://127.0.0.1:9", https_proxy="http://127.0.0.1:9",
                                ALL_PROXY="http://127.0.0.1:9")

    def start(self, *arguments):
        return subprocess.Popen([self.program, "bundle", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=self.environment)

    def run(self, *arguments, timeout=120):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err


class Store:
    """A store on the disk, seen from outside."""

    def __init__(self, folder):
        self.folder = folder

    def current(self):
        try:
            with open(os.path.join(self.folder, "current"), encoding="ascii") as f:
                return f.read().strip()
        except FileNotFoundError:
            return None

    def version_dir(self):
        return os.path.join(self.folder, "versions", self.current())

    def holds(self, folder, site):
        """Whether the folder is the whole site and nothing else."""
        found = {}
        for base, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(base, name)
                with open(path, "rb") as f:
                    found[os.path.relpath(path, folder)] = f.read()
        marker = found.pop(".koe-bundle", None)
        found.pop("HostedManifest.json.sig", None)
        return marker == b"koe-bundle\n" and found == site

    def wrong_files(self, sites):
        """Files under their final name whose bytes are not those of a site with that id."""
        wrong = []
        by_id = {site_id(site): site for site in sites}
        for place in ("versions", "incoming"):
            for base, _, names in os.walk(os.path.join(self.folder, place)):
                for name in names:
                    path = os.path.join(base, name)
                    parts = os.path.relpath(path, os.path.join(self.folder, place)).split(os.sep)
                    relative = "/".join(parts[1:])
                    if name.endswith((".part", ".part-etag")) and place == "incoming":
                        continue
                    if name in (".koe-bundle", "HostedManifest.json.sig") or name.startswith(".") and name.endswith(".new"):
                        continue
                    site = by_id.get(parts[0], {})
                    with open(path, "rb") as f:
                        if f.read() != site.get(relative):
                            wrong.append(path)
        return wrong

    def parts(self, site):
        """{path: bytes} of the parts that a next fetch can go on with."""
        folder = os.path.join(self.folder, "incoming", site_id(site))
        found = {}
        for path in site:
            part = os.path.join(folder, path + ".part")
            if os.path.exists(part) and os.path.exists(part + "-etag") and os.path.getsize(part + "-etag") > 2:
                size = os.path.getsize(part)
                if 0 < size <= len(site[path]):
                    found[path] = size
        return found

    def finished(self, site):
        """Paths that are under their final names in the unfinished download."""
        folder = os.path.join(self.folder, "incoming", site_id(site))
        return {path for path in site if os.path.exists(os.path.join(folder, path))}


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.communicate()
