#!/bin/sh
# QGIS, an X server without a screen and the system's pytest, from Debian's packages, when absent.
set -eu

packages="python3-qgis qgis-providers qgis xvfb python3-pytest"

missing=""
for package in $packages; do
    status=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "The QGIS tests need Debian or Ubuntu, whose packages they use:$missing." >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    as_root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    echo "The QGIS tests need the packages$missing, which only root can install: run" \
         "'sudo apt-get install --no-install-recommends$missing', then again." >&2
    exit 1
fi

apt() {
    # shellcheck disable=SC2086  # empty, or two words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet \
        -o DPkg::Lock::Timeout=550 -o Acquire::Retries=3 "$@"
}

echo "Installing$missing ..." >&2
apt update  # lists of another day name files that are gone
# shellcheck disable=SC2086  # a list of words
apt install --yes --no-install-recommends $missing >/dev/null
