#!/bin/sh
# Installs the foreign clients that the tests drive, where they are missing:
# as root through apt-get and npm, else it names the commands.
set -eu
cd "$(dirname "$0")"

packages=
need() { # need COMMAND-OR-FILE PACKAGE...
    probe=$1
    shift
    case $probe in
    /*) [ -e "$probe" ] && return 0 ;;
    *) command -v "$probe" >/dev/null 2>&1 && return 0 ;;
    esac
    packages="$packages $*"
}
need /usr/sbin/apache2 apache2
need htpasswd apache2-utils
need openssl openssl
need c++ g++
need apxs apache2-dev
need libwebsockets-test-client libwebsockets-test-server
need /usr/lib/python3/dist-packages/websockets python3 python3-websockets
need ruby ruby
need /usr/share/doc/ruby-websocket ruby-websocket
need /usr/share/perl5/Protocol/WebSocket.pm perl libprotocol-websocket-perl
need chromium chromium
need curl curl
need node nodejs
need npm npm

if [ -n "$packages" ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "The tests need foreign clients. Install them with" >&2
        echo "    apt-get update && apt-get install -y --no-install-recommends$packages" >&2
        exit 1
    fi
    # A package must not start a server, nor a second one of ours.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi

outdated=
for name in ws websocket; do
    version=$(sed -n "s/^ *\"$name\": \"\(.*\)\",*\$/\1/p" node/package.json)
    grep -qs "\"version\": \"$version\"" "node/node_modules/$name/package.json" || outdated=1
done
if [ -n "$outdated" ]; then
    (cd node && npm ci --silent --no-audit --no-fund --ignore-scripts)
fi
