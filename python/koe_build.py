# SPDX-License-Identifier: Apache-2.0
"""Builds the wheel of `pip wheel .`: the CMake target koe_python and the files of python/koe, nothing else.

A build backend (PEP 517) of our own because the package is one CMake target: no other build tool has to be fetched.
KOE_CMAKE_BUILD_DIR names a build folder that is used instead of build/python, such as build/release: what is built there
is not built again. It must have been configured with the interpreter that makes the wheel.
"""
import base64
import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGE = os.path.join(ROOT, "python", "koe")


def version():
    with open(os.path.join(ROOT, "CMakeLists.txt"), encoding="utf-8") as f:
        return re.search(r"project\(koe VERSION ([0-9.]+)", f.read()).group(1)


def metadata():
    lines = ["Metadata-Version: 2.1", "Name: koe", "Version: " + version(), "Summary: Text to speech with Kokoro-82M on the CPU",
             "License: Apache-2.0", "Requires-Python: >=3.9", "Requires-Dist: numpy", "Description-Content-Type: text/markdown", ""]
    with open(os.path.join(ROOT, "docs", "python.md"), encoding="utf-8") as f:
        return "\n".join(lines) + "\n" + f.read()


def build_extension():
    """Path of _koe.*.so."""
    given = os.environ.get("KOE_CMAKE_BUILD_DIR")
    build = os.path.join(ROOT, given) if given else os.path.join(ROOT, "build", "python")
    if not given:
        if sys.prefix != sys.base_prefix and os.path.basename(sys.prefix).startswith("pip-build-env"):
            python = sys._base_executable  # the environment that pip made is gone after this build
        else:
            python = sys.executable
        command = ["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DPython3_EXECUTABLE=" + python,
                   "-DKOE_BUILD_TESTS=OFF", "-DKOE_BUILD_BENCHES=OFF", "-DKOE_BUILD_FUZZERS=OFF"]
        if "CMAKE_GENERATOR" not in os.environ and subprocess.run(["which", "ninja"], capture_output=True).returncode == 0:
            command += ["-G", "Ninja"]
        subprocess.run(command, check=True)
    subprocess.run(["cmake", "--build", build, "--target", "koe_python", "-j", str(os.cpu_count())], check=True)
    name = "_koe" + sysconfig.get_config_var("EXT_SUFFIX")
    path = os.path.join(build, "python", name)
    if not os.path.exists(path):
        raise SystemExit(f"{path}: not built: was {build} configured with {sys.executable}?")
    return path


def get_requires_for_build_wheel(config_settings=None):
    return []


def wheel_tag():
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = re.sub(r"[^a-z0-9]", "_", sysconfig.get_platform().lower())
    return f"{python}-{python}-{platform}"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    extension = build_extension()
    info = f"koe-{version()}.dist-info"
    contents = {}
    for name in sorted(os.listdir(PACKAGE)):
        if name.endswith((".py", ".pyi")) or name == "py.typed":
            with open(os.path.join(PACKAGE, name), "rb") as f:
                contents["koe/" + name] = f.read()
    with open(extension, "rb") as f:
        contents["koe/" + os.path.basename(extension)] = f.read()
    with open(os.path.join(ROOT, "LICENSE"), "rb") as f:
        contents[info + "/LICENSE"] = f.read()
    contents[info + "/METADATA"] = metadata().encode()
    contents[info + "/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: koe\nRoot-Is-Purelib: false\nTag: {wheel_tag()}\n".encode()

    def digest(data):
        return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()

    record = [f"{name},{digest(data)},{len(data)}" for name, data in contents.items()] + [info + "/RECORD,,"]
    contents[info + "/RECORD"] = ("\n".join(record) + "\n").encode()
    wheel = f"koe-{version()}-{wheel_tag()}.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same files, the same wheel
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if name.endswith(".so") else 0o644) << 16
            archive.writestr(entry, data)
    return wheel
