# Sourced by the other scripts: makes .venv once and keeps it. Usage: need EXTRAS, for example `need node,dev`.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    for candidate in python3.11 python3.12 python3.13 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "expected Python 3.11 or newer on the PATH, found none; install it and start again" >&2
    return 2
}

need() {
    local extras=$1 python stamp wanted
    stamp=".venv/agora-$extras"
    wanted=$(cat pyproject.toml constraints.txt | cksum)
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
        return
    fi
    python=$(find_python)
    echo "Setting up .venv with $extras (once; a few minutes) ..." >&2
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    constraints > .venv/constraints.txt
    case ",$extras," in
        *,neural,* | *,sdv,*) pip_install "torch" ;;
    esac
    pip_install -e ".[$extras]"
    echo "$wanted" > "$stamp"
    echo "Set up." >&2
}

pip_install() {
    .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check -c .venv/constraints.txt "$@" >&2
}

# Torch comes in the tested version and before anything that asks for a newer one, which would bring CUDA along. A torch
# that is there already, perhaps with a user's own CUDA, stays as it is.
constraints() {
    local torch
    torch=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("torch"))' 2>/dev/null || true)
    if [ -n "$torch" ]; then
        sed "s/^torch==.*/torch==${torch%%+*}/" constraints.txt
    else
        cat constraints.txt
    fi
}
