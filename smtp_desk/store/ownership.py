"""Who else could change what is at a path, and folders that are private to the user."""

import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from smtp_desk.core.system import flag, this_system

_PRIVATE_FOLDER: Final = 0o700
_PUBLIC_FOLDER: Final = 0o755
_MOST_LINKS: Final = 40
ROOT: Final = 0
"""The number of the user who may do anything."""
# Stands for owners of which this system knows nothing: root behind NFS or outside a container.
_NOBODY: Final = 65534
_CREDENTIALS: Final = struct.Struct("3i")  # process, user and group: `struct ucred` of unix(7)


def make_private_folder(path: Path) -> None:
    """Create a folder, and missing ones above it, accessible to this user only, whatever the umask.

    If this user has the folder already, others lose their access to it.

    Raises:
        OSError: It can't be created, or isn't a folder.
    """
    missing = [folder for folder in (path, *path.parents) if not os.path.lexists(folder)]
    for folder in reversed(missing):
        with suppress(FileExistsError):  # another process was as quick
            folder.mkdir(mode=_PRIVATE_FOLDER)
            folder.chmod(_PRIVATE_FOLDER)
    if not stat.S_ISDIR(path.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    make_private(path)


def make_public_folder(path: Path) -> None:
    """Create a folder that all may read and only this user may change, whatever the umask.

    Raises:
        OSError: It can't be created.
    """
    if not path.is_dir():
        path.mkdir(mode=_PUBLIC_FOLDER, parents=True)
        path.chmod(_PUBLIC_FOLDER)


def make_folder_of(path: Path, user: str) -> None:
    """Create a folder that is accessible to another user only.

    Raises:
        OSError: It can't be created, or there is no such user.
    """
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        owner = pwd.getpwnam(user)
    except KeyError as error:
        raise OSError(errno.ENOENT, f"the user {user} doesn’t exist") from error
    if not path.is_dir():
        path.mkdir(mode=_PRIVATE_FOLDER, parents=True)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def is_root() -> bool:
    """Whether this process may do anything on this system."""
    return this_system().has_owners and os.geteuid() == ROOT


def own_id() -> int:
    """Return the number of the user that this process runs as; root's where users have none."""
    return os.geteuid() if this_system().has_owners else ROOT


def own_name() -> str:
    """Return the name of the user that this process runs as; "" where files have no owners."""
    return user_name(own_id()) if this_system().has_owners else ""


def user_name(user: int) -> str:
    """Return the name of a user, or the number with a word where there is no such account."""
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def user_id(name: str) -> int | None:
    """Return the number of a user, or None where there is no such account."""
    import pwd  # noqa: PLC0415 - POSIX only

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def knows_peers() -> bool:
    """Whether the kernel tells who is at the other end of a Unix socket (Linux only)."""
    return bool(flag(socket, "SO_PEERCRED"))


def peer_user(connection: socket.socket) -> int:
    """Return the user at the other end of a Unix socket, as the kernel knows it (Linux only)."""
    octets = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(octets)
    return int(user)


def group_id(name: str) -> int:
    """Return the id of a group.

    Raises:
        OSError: There is no group of this name.
    """
    import grp  # noqa: PLC0415 - POSIX only

    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise OSError(errno.ENOENT, f"the group {name} doesn’t exist") from error


def give_to_owner_of(folder: Path, descriptor: int) -> None:
    """Give an open file that root created to the owner of its folder, who will use it."""
    if is_root():
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def make_private(path: Path) -> None:
    """Remove the access of others to a file or folder of this user.

    Raises:
        OSError: It doesn't exist, or its mode can't be changed.
    """
    found = path.stat()
    if found.st_mode & 0o077 and found.st_uid == own_id():
        path.chmod(stat.S_IMODE(found.st_mode) & 0o700)  # what is read-only stays that


def refuse_links_of_others(path: Path) -> None:
    """Refuse a path that a symbolic link of another user redirects.

    Raises:
        PermissionError: There is such a link; the message names it.
        OSError: The path can't be followed.
    """
    for step, found in _steps(path):
        if stat.S_ISLNK(found.st_mode) and found.st_uid not in (own_id(), ROOT):
            raise _refusal(step, f"{step} is a link owned by {user_name(found.st_uid)}")


def refuse_pipe_of_others(descriptor: int, path: Path) -> None:
    """Refuse an open named pipe of another user, who would read what is written.

    Raises:
        PermissionError: It is one.
    """
    found = os.fstat(descriptor)
    if stat.S_ISFIFO(found.st_mode) and found.st_uid not in (own_id(), ROOT):
        raise _refusal(str(path), f"{path} is a pipe owned by {user_name(found.st_uid)}")


def refuse_changeable(path: Path) -> None:
    """Refuse a file that another user could change or replace, as sshd does (StrictModes).

    File and folder must belong to this user or to root, and neither they nor what is above them
    may be writable by others; above them a sticky folder such as /tmp is fine.

    Raises:
        PermissionError: Somebody else could; the message says who, where, and what to do.
        OSError: The path can't be followed.
    """
    for step, found in _steps(path):
        if found.st_uid not in (own_id(), ROOT) and (
            found.st_uid != _NOBODY or step in (str(path), str(path.parent))
        ):
            raise _refusal(step, f"{step} belongs to {user_name(found.st_uid)}")
        if stat.S_ISLNK(found.st_mode):
            continue  # its own mode means nothing
        sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
        if not sticky and _is_writable_by_others(found):
            advice = f"“chmod go-w {step}” fixes that"
            raise _refusal(step, f"other users can change {step}: {advice}")


def _steps(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what leads to `path` from the root on, links and their targets one by one."""
    if not this_system().has_owners:
        return
    left = [*reversed(Path(os.path.abspath(path)).parts)]  # noqa: PTH100 - follows no link
    here, links = left.pop(), 0
    yield here, os.lstat(here)
    while left:
        step = os.path.normpath(os.path.join(here, left.pop()))  # noqa: PTH118 - `here` has no link
        try:
            found = os.lstat(step)
        except (FileNotFoundError, NotADirectoryError):
            return
        yield step, found
        if not stat.S_ISLNK(found.st_mode):
            here = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
        target = Path(step).readlink()
        left += reversed(target.parts)
        if target.is_absolute():
            here = left.pop()


def _is_writable_by_others(found: os.stat_result) -> bool:
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_own_group(found)


def _is_own_group(found: os.stat_result) -> bool:
    """Whether nobody but the owner is in the group: many systems give each user such a one."""
    import grp  # noqa: PLC0415 - POSIX only

    try:
        group = grp.getgrgid(found.st_gid)
    except KeyError:
        return True  # no account is in a group that is in no list
    owner = user_name(found.st_uid)
    return group.gr_name == owner and set(group.gr_mem) <= {owner}


def _refusal(step: str, words: str) -> PermissionError:
    return PermissionError(errno.EPERM, words, step)
