# SPDX-License-Identifier: Apache-2.0
"""What a results file says about the machine and the build, and how busy the machine is. Linux (/proc)."""
import datetime
import hashlib
import importlib.metadata
import os
import platform
import subprocess

PACKAGES = ("onnxruntime", "openvino", "torch", "kokoro", "vox-tts", "sherpa-onnx", "sherpa-onnx-core", "espeakng-loader", "onnx",
            "numpy")
FLAGS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimd", "hypervisor")


def _lines(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read().split("\n")
    except OSError:
        return []


def _field(lines, name):
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":")[0].strip() == name and ":" in line), "")


def _first_line(*command, cwd=None):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.split("\n")[0].strip() if done.returncode == 0 else ""


def compiler_of(build):
    """From the build folder's CMakeCache.txt: (compiler, build type)."""
    cache = dict(line.split("=", 1) for line in _lines(os.path.join(build, "CMakeCache.txt")) if "=" in line and line[0] not in "#/")
    path = next((v for k, v in cache.items() if k.startswith("CMAKE_CXX_COMPILER:")), "")
    build_type = next((v for k, v in cache.items() if k.startswith("CMAKE_BUILD_TYPE:")), "")
    return (_first_line(path, "--version") if path else ""), build_type


def packages():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def sha256_of(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def record(root, build, threads, worker):
    cpu, memory = _lines("/proc/cpuinfo"), _field(_lines("/proc/meminfo"), "MemTotal")
    flags = set((_field(cpu, "flags") or _field(cpu, "Features")).split())
    compiler, build_type = compiler_of(build)
    changed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=root, capture_output=True, text=True).stdout
    changed = [line[3:] for line in changed.split("\n") if line[3:].startswith(("src/", "include/", "apps/", "cmake/", "CMake"))]
    return {"created_utc": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "cpu": _field(cpu, "model name") or platform.machine(), "family_model": [_field(cpu, "cpu family"), _field(cpu, "model")],
            "processors": os.cpu_count(), "usable_processors": len(os.sched_getaffinity(0)),
            "isa": [f for f in FLAGS if f in flags], "memory_mib": int(memory.split()[0]) // 1024 if memory else 0,
            "l3": _first_line("getconf", "LEVEL3_CACHE_SIZE"), "kernel": ".".join(platform.release().split(".")[:2]), "python": platform.python_version(),
            "threads": threads, "compiler": compiler, "build_type": build_type,
            "commit": _first_line("git", "rev-parse", "HEAD", cwd=root), "changed_sources": changed,
            "worker_sha256": sha256_of(worker), "packages": packages()}


class Busy:
    """Cores in use, by anyone, between two looks at /proc/stat (waiting for a disk is not use; stolen time is)."""

    def __init__(self):
        self.ticks = os.sysconf("SC_CLK_TCK")

    def seconds(self):
        fields = [int(v) for v in _lines("/proc/stat")[0].split()[1:9]]
        user, nice, system, _idle, _wait, irq, soft_irq, steal = fields
        return (user + nice + system + irq + soft_irq + steal) / self.ticks

    def steal(self):
        return int(_lines("/proc/stat")[0].split()[8]) / self.ticks


def available_mib():
    value = _field(_lines("/proc/meminfo"), "MemAvailable")
    return int(value.split()[0]) // 1024 if value else 0


def peak_kib(pid):
    """High water of the resident set of a living process, or 0."""
    value = _field(_lines(f"/proc/{pid}/status"), "VmHWM")
    return int(value.split()[0]) if value else 0
