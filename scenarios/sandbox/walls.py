"""The two tiers of walls around model-written code, and the proof that they stand.

`namespaces`: a root of its own in memory that holds Python's library to read and a small folder to write, with no
processes, network, devices or names of the machine's. `landlock`: the machine's files are there, but none may be opened
save Python's library, and none may be written. In both a filter allows only calls that compute, the user is one that
nobody else is where a superuser starts it, and there are no capabilities. A wall that does not stand is an `OSError`:
nobody runs code behind what is left.
"""

import contextlib
import errno
import os
import struct
import sys
from typing import NamedTuple

from . import filter, kernel

USERS = 0x70000000
"""First user id of those that own nothing; the process id is added, so that no two runs share one."""
LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
LINKER = "/etc/ld.so.cache"
SCRATCH = "/tmp"  # noqa: S108 (of the sandbox, where nobody else is)
"""The folder that may be written in tier `namespaces`."""

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
OLDEST = 3
"""Landlock without control of truncation would let files be emptied; it came with this version."""
READ_FILE, READ_DIR, EXECUTE = 1 << 2, 1 << 3, 1 << 0
FILES, REFER, TRUNCATE, DEVICE, NETWORK, SCOPES = 0x1FFF, 1 << 13, 1 << 14, 1 << 15, 0x3, 0x3


class Bounds(NamedTuple):
    """What a run may take."""

    tier: str
    seconds: int
    """Of CPU time."""
    memory: int
    """Bytes of address space, for each of two processes."""
    space: int
    """Bytes of files."""
    files: int
    """Files and folders."""
    threads: int


def readable() -> list[str]:
    """Folders that Python and its libraries lie in."""
    prefix = os.path.realpath(sys.base_prefix)
    own = [f"{prefix}/lib", f"{prefix}/lib64", os.path.realpath(os.path.dirname(os.__file__))]
    found: list[str] = []
    for path in (*LIBRARIES, *own):
        inside = any(path == other or path.startswith(f"{other}/") for other in found)
        if os.path.isdir(path) and not inside:
            found.append(path)
    return found


def enter(bounds: Bounds) -> int:
    """Leave the machine behind, as far as that is done before processes are started.

    Returns:
        The user to become, 0 where that is not possible.

    Raises:
        OSError: this tier cannot be had here.
    """
    root = os.geteuid() == 0 and _owns_users()
    if bounds.tier == "namespaces":
        _unshare(root=root)
        _furnish(bounds)
        kernel.libc("sethostname", "sandbox", 7)
    return USERS + os.getpid() if root else 0


def confine(bounds: Bounds, user: int, parent: int) -> None:
    """Give up everything that is left, in each process for itself, and prove it.

    Args:
        bounds: what it may take.
        user: whom to become, 0 to stay.
        parent: its process id as seen from here; this process ends with it.

    Raises:
        OSError: a wall does not stand.
    """
    spaces = bounds.tier == "namespaces"
    if user:
        kernel.become(user)
        if spaces:
            kernel.libc("unshare", kernel.NEWUSER)
    if not spaces:
        _landlock()
    kernel.drop_privileges()
    kernel.die_with_parent(parent)  # a change of user forgets it, and the filter forbids it
    kernel.limit(seconds=bounds.seconds, memory=bounds.memory, space=bounds.space, processes=bounds.threads)
    # threads are counted by user: where other programs share it, none may be started
    filter.install(writes=spaces, threads=spaces or user != 0)
    _prove()


def _owns_users() -> bool:
    """Whether this superuser may be any user; in a container that has a few of them it may not."""
    with open("/proc/self/uid_map") as file:
        ranges = [tuple(map(int, line.split())) for line in file]
    last = USERS + (1 << 23)
    return any(first <= USERS and first + count >= last for first, _, count in ranges)


def _unshare(*, root: bool) -> None:
    flags = kernel.NEWNS | kernel.NEWPID | kernel.NEWNET | kernel.NEWIPC | kernel.NEWUTS | kernel.NEWCGROUP
    if root:
        kernel.libc("unshare", flags)
        return
    user, group = os.getuid(), os.getgid()
    kernel.libc("unshare", flags | kernel.NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _furnish(bounds: Bounds) -> None:
    """Make a root of what Python needs to read and of a folder to write, both in memory."""
    folders = readable()
    kernel.mount("none", "/", flags=kernel.REC | kernel.PRIVATE)
    quiet = kernel.NOSUID | kernel.NODEV
    kernel.mount("tmpfs", SCRATCH, "tmpfs", quiet, "size=1m,nr_inodes=1k,mode=755")
    os.mkdir(f"{SCRATCH}/old")
    os.chdir(SCRATCH)
    kernel.pivot_root(".", "old")
    os.chdir("/")
    for path in folders:
        if os.path.islink(f"/old{path}"):
            os.symlink(os.readlink(f"/old{path}"), path)
        else:
            os.makedirs(path, exist_ok=True)
            kernel.bind(f"/old{path}", path)
    for path in (*DEVICES, LINKER):
        if os.path.exists(f"/old{path}"):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").close()
            kernel.bind(f"/old{path}", path)
    os.mkdir(SCRATCH)
    sizes = f"size={bounds.space},nr_inodes={bounds.files},mode=1777"
    kernel.mount("tmpfs", SCRATCH, "tmpfs", quiet | kernel.NOEXEC, sizes)
    kernel.libc("umount2", "/old", kernel.DETACH)
    os.rmdir("/old")
    kernel.mount(None, "/", flags=kernel.REMOUNT | kernel.BIND | kernel.RDONLY | quiet)
    os.chdir(SCRATCH)


def _landlock() -> None:
    """Allow opening Python's library and the harmless devices to read, and nothing else."""
    version = kernel.libc("syscall", CREATE_RULESET, None, 0, 1)
    if version < OLDEST:
        raise OSError(errno.ENOSYS, f"the kernel's Landlock is of version {version}, {OLDEST} is needed")
    rights = FILES | REFER | TRUNCATE | (DEVICE if version >= 5 else 0)
    rules = struct.pack("QQQ", rights, NETWORK if version >= 4 else 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = kernel.libc("syscall", CREATE_RULESET, rules, size, 0)
    for path in (*readable(), *DEVICES, LINKER):
        with contextlib.suppress(FileNotFoundError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = READ_FILE | (READ_DIR | EXECUTE if os.path.isdir(path) else 0)
            kernel.libc("syscall", ADD_RULE, ruleset, 1, struct.pack("=Qi", allowed, place), 0)
            os.close(place)
    kernel.libc("prctl", kernel.SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    kernel.libc("syscall", RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _prove() -> None:
    """Try what must not be possible.

    Raises:
        OSError: it is possible, or what has to be possible is not.
    """
    library = os.path.realpath(os.__file__)
    try:
        open(library).close()
    except OSError:
        said = f"{library} cannot be read by the sandbox's user; use an interpreter that lies outside a home folder"
        raise OSError(errno.EACCES, said) from None
    for said, attempt in (
        ("open a file of the machine's", lambda: os.close(os.open("/proc/self/environ", os.O_RDONLY))),
        ("write beside its folder", lambda: os.close(os.open("/var/tmp/x", os.O_WRONLY | os.O_CREAT))),  # noqa: S108
        ("signal another process", lambda: os.kill(1, 0)),
        ("open a socket", lambda: kernel.libc("socket", 2, 1, 0)),
        ("become a superuser", lambda: os.setuid(0)),
        ("make a namespace", lambda: kernel.libc("unshare", kernel.NEWUSER)),
        ("trace a process", lambda: kernel.libc("ptrace", 0, 0, 0, 0)),
        ("start a process", _fork),
    ):
        try:
            attempt()
        except OSError:
            continue
        raise OSError(errno.EPERM, f"code in the sandbox could {said}")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
