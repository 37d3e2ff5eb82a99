#!/bin/sh
# Makes sure that the browser tests find Chromium, installing it where the system's packages allow.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo"
if command -v apt-get >/dev/null 2>&1 && { [ -z "$as_root" ] || command -v sudo >/dev/null 2>&1; }; then
    echo "Installing Chromium for the browser tests ..."
    export DEBIAN_FRONTEND=noninteractive
    { $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium; } >/dev/null && exit 0
fi
echo "The browser tests need Chromium, and it could not be installed here; install it (on Debian: apt-get install chromium) and run this again." >&2
exit 2
