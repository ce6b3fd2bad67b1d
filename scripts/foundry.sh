# Sourced by scripts/anvil and scripts/forge: `run_foundry PROGRAM [ARGUMENT ...]` runs one of Foundry's programs at the
# pinned version. Installs it from npm into .tools/PROGRAM on first use.
foundry_version=1.7.1
foundry_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

run_foundry() {
    local name=$1 root=$foundry_root home fresh found
    shift
    home="$root/.tools/$name"
    # Installs beside, then moves into place, so that two at once do not meet.
    if [ -z "$(foundry_program "$home" "$name")" ]; then
        source "$root/scripts/nodejs.sh"
        need_nodejs
        echo "Installing $name $foundry_version of Foundry into .tools/$name (once) ..." >&2
        mkdir -p "$root/.tools"
        fresh=$(mktemp -d "$root/.tools/$name.XXXXXX")
        trap 'rm -rf "$fresh"' EXIT
        npm install --prefix "$fresh" --ignore-scripts --no-audit --no-fund --loglevel=error \
            "@foundry-rs/$name@$foundry_version" >&2
        [ -n "$(foundry_program "$home" "$name")" ] || { rm -rf "$home" && mv "$fresh" "$home"; }
        rm -rf "$fresh"
        trap - EXIT
    fi
    found=$(foundry_program "$home" "$name")
    if [ -z "$found" ]; then
        echo "expected $name $foundry_version for this platform from npm, got none; install Foundry and run $name yourself" >&2
        exit 5
    fi
    exec "$found" "$@"
}

# The native program of this platform's package; empty while it is not installed at this version.
foundry_program() {
    grep -qs "\"version\": \"$foundry_version\"" "$1/node_modules/@foundry-rs/$2/package.json" || return 0
    find "$1/node_modules/@foundry-rs/$2"-*/bin -name "$2*" -type f 2>/dev/null | head -n 1
}
