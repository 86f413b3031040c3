#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Markdown files say exists, exists.

  python tools/check_docs.py [--root DIR]

1. Every path in a link or in `code`, and every path of the tree in a code block, names a file or folder of the tree. A path
   begins with one of the tree's top folders, or is a file beside the text; `*` matches, `{a,b}` is each of them, `<name>`
   stands for anything. What a build makes (build/, models/) and what lies outside (../) is not looked for.
2. Where src/README.md exists, its sections come in the order of add_subdirectory in src/CMakeLists.txt.
3. No network host names: data come through package registries by package name.
Exit status: 0 clean, 1 with a line per finding.
"""
import argparse
import glob
import os
import re
import subprocess
import sys

TOP_FOLDERS = ("include", "src", "apps", "python", "tests", "bench", "fuzz", "tools", "docs", "scripts", "cmake", ".ci")
MADE = ("build/", "models/", "../", "/", "~", "$")
PATH = re.compile(r"^[A-Za-z0-9_.{},*<>/+-]+$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# License and standard pages may be linked; data may not be fetched from anywhere but a registry.
HOST = re.compile(r"\bhttps?://|\b[a-z0-9-]+\.(com|org|net|io|dev|ai|co)/", re.IGNORECASE)
HOST_ALLOWED = re.compile(r"https?://(www\.)?(apache\.org|spdx\.org|keepachangelog\.com|semver\.org)\b")
MAY_NAME_HOSTS = ("LICENSE",)


def markdown_files(root):
    tracked = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=root,
                             capture_output=True, text=True)
    if tracked.returncode == 0 and tracked.stdout:
        return sorted(p for p in tracked.stdout.split("\n") if p and os.path.exists(os.path.join(root, p)))
    skipped = {"build", "models", ".git"}
    found = []
    for folder, names, files in os.walk(root):
        names[:] = sorted(set(names) - skipped)
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files if f.endswith(".md")]
    return sorted(found)


def expand(path):
    """a{b,c}d -> abd, acd; <x> -> *"""
    path = re.sub(r"<[^<>]*>", "*", path)
    match = re.search(r"\{([^{}]*)\}", path)
    if not match:
        return [path]
    return [p for part in match.group(1).split(",") for p in expand(path[:match.start()] + part + path[match.end():])]


def exists(root, folder, path):
    candidates = [os.path.join(root, path), os.path.join(root, folder, path), os.path.join(root, "src", path)]
    return any(glob.glob(candidate) for candidate in candidates)


def is_path(token):
    """A path of the tree: its first part is a top folder and there is a second one."""
    if not PATH.match(token) or token.startswith(MADE):
        return False
    return token.split("/")[0] in TOP_FOLDERS and "/" in token


def tokens(text):
    """(line number, token, is_link)"""
    block = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("```"):
            block = not block
            continue
        for target in [] if block else LINK.findall(CODE.sub("", line)):
            yield number, target.split("#")[0], True
        pieces = [line] if block else CODE.findall(line)
        for piece in pieces:
            for word in re.split(r"[\s\"'()=;|]+", piece):
                yield number, word.rstrip(".,:").removeprefix("./"), False


def check_paths(root, path, text):
    folder = os.path.dirname(path)
    for number, token, is_link in tokens(text):
        if is_link:
            if token and not re.match(r"^[a-z]+:", token) and not token.startswith("../../") and \
                    not glob.glob(os.path.join(root, folder, token)):
                yield f"{path}:{number}: link to {token}: no such file"
        elif is_path(token):
            for candidate in expand(token):
                if not exists(root, folder, candidate):
                    yield f"{path}:{number}: {candidate}: no such file"


def check_hosts(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if HOST.search(HOST_ALLOWED.sub("", line)):
            yield f"{path}:{number}: names a network host"


def check_order(root):
    readme, cmake = os.path.join(root, "src", "README.md"), os.path.join(root, "src", "CMakeLists.txt")
    if not os.path.exists(readme):
        return
    with open(cmake, encoding="utf-8") as f:
        modules = re.findall(r"add_subdirectory\((\w+)\)", f.read())
    with open(readme, encoding="utf-8") as f:
        sections = [s for s in re.findall(r"^#+\s+`?([a-z0-9_]+)/?`?", f.read(), re.MULTILINE) if s in modules]
    if sections != modules:
        yield f"src/README.md: sections {sections}, src/CMakeLists.txt has {modules}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    root = parser.parse_args().root
    findings, files = [], markdown_files(root)
    for path in files:
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        findings += check_paths(root, path, text)
        findings += check_hosts(path, text)
    for folder in ("scripts", "tools", "bench/peers"):
        for path in sorted(glob.glob(os.path.join(root, folder, "*"))):
            if os.path.isfile(path) and not path.endswith("check_docs.py"):
                with open(path, encoding="utf-8") as f:
                    findings += check_hosts(os.path.relpath(path, root), f.read())
    findings += check_order(root)
    print("\n".join(findings + [f"{len(files)} Markdown files, {len(findings)} findings"]))
    sys.exit(1 if findings or not files else 0)


if __name__ == "__main__":
    main()
