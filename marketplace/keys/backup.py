"""All key files of one role in one encrypted file, in the format `agora/backup/1`.

The files inside stay under their own passphrases; the backup's passphrase is one more.
"""

import base64
import json
from pathlib import Path

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.keys.file import create_file, create_folder, read_file
from marketplace.keys.passphrase import ScryptCost, decrypt, encrypt

FORMAT = "agora/backup/1"
PURPOSE = "key files"
_DEFAULT_COST = ScryptCost()


def backup(folder: Path, destination: Path, passphrase: str, *, cost: ScryptCost = _DEFAULT_COST) -> tuple[str, ...]:
    """Write every file of `folder` to the new file `destination`; give their names. Names that begin with a dot are left.

    Raises `Invalid` for a folder that is not there, is empty or holds anything but files, or for an empty passphrase;
    `Refused` when something is at `destination` already.
    """
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}; give the folder that holds the keys.")
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise Invalid(f"The folder of keys holds {path.name}, which is no file; move it away.")
    if not paths:
        raise Invalid(f"The folder {folder} holds no key files; give the folder that holds the keys.")
    files = {path.name: base64.b64encode(read_file(path)).decode("ascii") for path in paths}
    secret = json.dumps(files, sort_keys=True).encode("utf-8")
    create_file(destination, encrypt(secret, passphrase, format_name=FORMAT, purpose=PURPOSE, cost=cost))
    return tuple(files)


def restore(source: Path, folder: Path, passphrase: str) -> tuple[str, ...]:
    """Write the files of the backup `source` into `folder`, which is made if need be; give the names of all in it.

    A file that is there already with the same bytes is left. Raises `Refused` for a wrong passphrase, or, before
    anything is written, when a file with other bytes is there; `Corrupt` for a damaged backup.
    """
    files = _files(decrypt(read_file(source), passphrase, format_name=FORMAT, purpose=PURPOSE))
    missing = []
    for name, data in files.items():
        path = folder / name
        if not (path.exists() or path.is_symlink()):
            missing.append((path, data))
        elif read_file(path) != data:
            raise Refused(f"A different file is already at {path}, and keys are never overwritten; restore elsewhere.")
    create_folder(folder)
    for path, data in missing:
        create_file(path, data)
    return tuple(files)


def _files(secret: bytes) -> dict[str, bytes]:
    try:
        files = {name: base64.b64decode(text, validate=True) for name, text in json.loads(secret).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Corrupt("The backup does not hold key files; give another backup.") from error
    for name in files:
        if not name or name != Path(name).name or name.startswith(".") or "\0" in name or "\\" in name:
            raise Corrupt("The backup names a file outside the folder of keys; do not trust it.")
    return files
