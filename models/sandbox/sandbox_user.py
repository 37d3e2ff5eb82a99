"""Another user for the process of an uploaded model, where the server itself runs as root."""

import os
from dataclasses import dataclass

from errors import UserError

DEFAULT = "nobody"


@dataclass(frozen=True)
class SandboxUser:
    """name: as the system knows it. number, group: its user and group number."""

    name: str
    number: int
    group: int

    @classmethod
    def of(cls, name: str) -> "SandboxUser | None":
        """None where this process is not root's and needs no other user. UserError where there is no such user, or it is root."""
        if not hasattr(os, "geteuid") or os.geteuid():
            return None
        import pwd

        try:
            found = pwd.getpwnam(name)
        except KeyError:
            raise UserError(f"There is no user {name[:60]!r} for the processes of uploaded models; give another --sandbox-user.") from None
        if not found.pw_uid or not found.pw_gid:
            raise UserError(f"--sandbox-user {name[:60]} is root, or of root's group; give a user without privileges.")
        return cls(name, found.pw_uid, found.pw_gid)

    @classmethod
    def parse(cls, text: str) -> "SandboxUser | None":
        """What `str` wrote; None of an empty text."""
        if not text:
            return None
        name, number, group = text.split(":")
        return cls(name, int(number), int(group))

    def __str__(self) -> str:
        return f"{self.name}:{self.number}:{self.group}"
