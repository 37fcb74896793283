from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol
from urllib.parse import quote


class Offsets(Protocol):
    """Where positions in the live stream are kept. Over SQL the database has them."""

    def load(self, name: str) -> str | None: ...

    def save(self, name: str, position: str) -> None:
        """Done when it would survive a crash."""


class _FileOffsets:
    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self._directory = Path(directory)

    def load(self, name: str) -> str | None:
        try:
            return self._path(name).read_text().strip()
        except FileNotFoundError:
            return None

    def save(self, name: str, position: str) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._path(name)
        fresh = path.with_name(f"{path.name}.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{position}\n")
            file.flush()
            # Else a machine that loses its power may keep the new name without what is in the file.
            os.fsync(file.fileno())
        os.replace(fresh, path)

    def _path(self, name: str) -> Path:
        return self._directory / f"{quote(name, safe='')}.offset"


def file_offsets(directory: str | os.PathLike[str]) -> Offsets:
    """A file for each position, in this directory."""
    return _FileOffsets(directory)
