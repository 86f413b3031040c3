#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Koe installed into a prefix, used from there by a project in C and C++, and as Debian packages.

  python tests/install_test.py --build DIR [--bundle DIR] [--deb | --fresh-root [--root DIR]]

--deb unpacks the packages and runs them with this system's libraries. --fresh-root lets debootstrap make a minimal Debian (or takes
--root, one that it has made), where apt installs the packages with what they depend on; needs root and Debian's archive.

Exit status 77: the bundle is absent (all that needs none has been tested), or what the kind of test needs is.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run(*command, **kwargs):
    environment = dict(os.environ, **kwargs.pop("env", {}))
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                            env=environment, **kwargs)
    return result.returncode, result.stdout


def must(*command, **kwargs):
    status, output = run(*command, **kwargs)
    if status != 0:
        sys.exit(f"{' '.join(command)}: exit {status}\n{output}")
    return output


def expect(condition, message):
    if not condition:
        sys.exit("FAILED: " + message)


def check_program(program, bundle, wave):
    """A program that speaks: without a bundle it says so with exit status 4."""
    status, output = run(program, "/no/such/bundle", wave)
    expect(status == 4 and "/no/such/bundle" in output, f"{program} without a bundle: exit {status}: {output}")
    if os.path.isdir(bundle):
        must(program, bundle, wave)
        with open(wave, "rb") as f:
            expect(f.read(4) == b"RIFF", f"{wave}: no WAV file")


def check_prefix(args, folder):
    prefix = os.path.join(folder, "prefix")
    must("cmake", "--install", args.build, "--prefix", prefix)
    build = os.path.join(folder, "consumer")
    must("cmake", "-S", os.path.join(ROOT, "tests", "consumer"), "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix,
         "-DCMAKE_BUILD_TYPE=Release")
    must("cmake", "--build", build)
    waves = []
    for name in ("from_c", "from_cxx"):
        waves.append(os.path.join(folder, name + ".wav"))
        check_program(os.path.join(build, name), args.bundle, waves[-1])
    if os.path.isdir(args.bundle):
        with open(waves[0], "rb") as a, open(waves[1], "rb") as b:
            expect(a.read() == b.read(), "C and C++ speak differently")

    library = os.path.dirname(glob.glob(os.path.join(prefix, "lib", "**", "libkoe.so"), recursive=True)[0])
    # PKG_CONFIG_PATH, and the prefix as it lies there: a .pc file names the one it was configured for.
    env = {"PKG_CONFIG_PATH": os.path.join(library, "pkgconfig")}
    flags = must("pkg-config", "--define-variable=prefix=" + prefix, "--cflags", "--libs", "koe", env=env).split()
    program = os.path.join(folder, "from_pkg_config")
    must("cc", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", os.path.join(ROOT, "tests", "consumer", "from_c.c"),
         "-o", program, *flags, "-Wl,-rpath," + library)
    check_program(program, "", os.path.join(folder, "c.wav"))
    headers = set(os.listdir(os.path.join(prefix, "include", "koe")))
    expect(headers == set(os.listdir(os.path.join(ROOT, "include", "koe"))), f"headers: {headers}")
    for name in ("man/man1/koe.1", "bash-completion/completions/koe", "zsh/site-functions/_koe",
                 "fish/vendor_completions.d/koe.fish"):
        expect(os.path.getsize(os.path.join(prefix, "share", name)) > 1000, name)
    expect(re.match(r"koe \d+\.\d+\.\d+$", must(os.path.join(prefix, "bin", "koe"), "--version").strip()), "koe --version")


def check_debs(args, folder):
    packages = os.path.join(folder, "packages")
    must("cpack", "-G", "DEB", "--config", os.path.join(args.build, "CPackConfig.cmake"), "-B", packages)
    debs = {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(packages, "*.deb"))}
    expect(set(debs) == {"libkoe0", "koe", "libkoe-dev"}, f"packages: {sorted(debs)}")
    root = os.path.join(folder, "root")
    for name, path in sorted(debs.items()):
        depends = must("dpkg-deb", "-f", path, "Depends")
        print(f"{name} depends on {depends.strip()}")
        if name != "libkoe-dev":  # as dpkg-shlibdeps finds them in this system's packages
            expect("libsndfile1 (" in depends and "libc6 (" in depends and "libstdc++6 (" in depends, f"{name}: {depends}")
        must("dpkg-deb", "-x", path, root)
    expect("libkoe.so.0" in must("objdump", "-p", glob.glob(os.path.join(root, "usr/lib/**/libkoe.so.0"), recursive=True)[0]),
           "SONAME")
    expect(must(os.path.join(root, "usr/bin/koe"), "--version").startswith("koe "), "koe --version from the package")
    if os.path.isdir(args.bundle):
        must(os.path.join(root, "usr/bin/koe"), "say", "Hello.", "-b", args.bundle, "-o", os.path.join(folder, "deb.wav"))


def archive():
    """Suite and address of this system's own Debian archive."""
    with open("/etc/os-release", encoding="utf-8") as f:
        suite = re.search(r"^VERSION_CODENAME=(\w+)", f.read(), re.MULTILINE)
    addresses = must("apt-get", "indextargets", "--format", "$(REPO_URI)").split()
    if not suite or not addresses:
        print("skipped: not a Debian system with an archive")
        sys.exit(77)
    return suite[1], addresses[0]


def check_fresh_root(args, folder):
    packages = os.path.join(folder, "packages")
    must("cpack", "-G", "DEB", "--config", os.path.join(args.build, "CPackConfig.cmake"), "-B", packages)
    root = args.root
    if root is None:
        root = os.path.join(folder, "root")
        must("debootstrap", "--variant=minbase", archive()[0], root, archive()[1])
    inside = os.path.join(root, "packages")
    shutil.rmtree(inside, ignore_errors=True)
    os.mkdir(inside)
    for path in glob.glob(os.path.join(packages, "*.deb")):
        shutil.copy(path, inside)
    for name in ("resolv.conf", "hosts"):
        shutil.copy(os.path.join("/etc", name), os.path.join(root, "etc", name))
    environment = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def chroot(*command):
        return must("chroot", root, *command, env=environment)

    chroot("sh", "-c", "apt-get update -qq && apt-get install -qq -y --no-install-recommends /packages/*.deb")
    print(chroot("dpkg-query", "-W", "koe", "libkoe0", "libkoe-dev"), end="")
    expect(chroot("koe", "--version").startswith("koe "), "koe --version in the fresh root")
    expect("not found" not in chroot("ldd", "/usr/bin/koe"), "libraries of koe")
    # A program in C, compiled against the package's header and library, run inside.
    library = os.path.dirname(glob.glob(os.path.join(root, "usr/lib/**/libkoe.so"), recursive=True)[0])
    must("cc", "-std=c11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I" + os.path.join(root, "usr/include"),
         os.path.join(ROOT, "tests", "consumer", "from_c.c"), "-o", os.path.join(root, "usr/bin/from_c"), "-L" + library, "-lkoe",
         "-Wl,--unresolved-symbols=ignore-in-shared-libs")
    status, output = run("chroot", root, "from_c", "/no/such/bundle", "/a.wav", env=environment)
    expect(status == 4 and "/no/such/bundle" in output, f"from_c without a bundle: exit {status}: {output}")
    if os.path.isdir(args.bundle):
        shutil.copytree(args.bundle, os.path.join(root, "bundle"), dirs_exist_ok=True)
        expect("həlˈO" in chroot("koe", "phonemize", "Hello.", "-b", "/bundle"), "koe phonemize in the fresh root")
        chroot("koe", "say", "Hello.", "-b", "/bundle", "-o", "/say.wav")
        chroot("from_c", "/bundle", "/c.wav")
        with open(os.path.join(root, "say.wav"), "rb") as a, open(os.path.join(root, "c.wav"), "rb") as b:
            expect(a.read() == b.read(), "koe and C speak differently")
    chroot("dpkg", "--purge", "koe", "libkoe-dev", "libkoe0")
    expect(not os.path.exists(os.path.join(root, "usr/bin/koe")), "koe after it was removed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE", os.path.join(ROOT, "models", "kokoro-82m")))
    parser.add_argument("--deb", action="store_true", help="only the Debian packages")
    parser.add_argument("--fresh-root", action="store_true", help="the Debian packages in a Debian of their own")
    parser.add_argument("--root", help="of --fresh-root: a minimal Debian that debootstrap has made; it is changed")
    args = parser.parse_args()
    if args.fresh_root and not (os.geteuid() == 0 and (args.root or shutil.which("debootstrap")) and shutil.which("dpkg-shlibdeps")
                                and os.environ.get("KOE_LONG_TESTS")):
        print("skipped: needs KOE_LONG_TESTS, root, debootstrap and dpkg-dev")
        sys.exit(77)
    if args.deb and not (shutil.which("dpkg-shlibdeps") and shutil.which("cpack")):
        print("skipped: dpkg-shlibdeps (dpkg-dev) is absent")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        (check_fresh_root if args.fresh_root else check_debs if args.deb else check_prefix)(args, folder)
    sys.exit(0 if os.path.isdir(args.bundle) else 77)


if __name__ == "__main__":
    main()
