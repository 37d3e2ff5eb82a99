#!/bin/sh
# Makes sure that the checks of the page's scripts find Node.js and npm, installing them where the system's packages allow.
set -u
found() {
    command -v npm >/dev/null 2>&1 && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' >/dev/null 2>&1
}
found && exit 0
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || command -v sudo >/dev/null 2>&1; }; then
    echo "Installing Node.js for the checks of the page's scripts ..."
    export DEBIAN_FRONTEND=noninteractive
    { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends nodejs npm; } >/dev/null && found && exit 0
fi
echo "The checks of the page's scripts need Node.js 18 or later with npm, and they could not be installed here; install them (on Debian: apt-get install nodejs npm) and run this again." >&2
exit 2
