"""What Python has no function for: namespaces, mounts, capabilities and limits of a process, asked of the kernel."""

import ctypes
import os
import resource

from .calls import PIVOT_ROOT

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
SET_PDEATHSIG, SET_DUMPABLE, SET_SECCOMP, CAPBSET_DROP, SET_NO_NEW_PRIVS, CAP_AMBIENT = 1, 4, 22, 24, 38, 47
CAPABILITIES = 64
"""More than any kernel has."""
CAPABILITY_VERSION = 0x20080522
SIGKILL = 9

_libc = ctypes.CDLL(None, use_errno=True)


def libc(name: str, *arguments: object) -> int:
    """Call a function of the C library.

    Raises:
        OSError: it says no.
    """
    given = [a.encode() if isinstance(a, str) else ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    result: int = getattr(_libc, name)(*given)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """Mount; the C function's arguments."""
    libc("mount", source, target, kind, flags, options)


def bind(source: str, target: str) -> None:
    """Show a file or folder elsewhere, to read only and without set-user bits or devices that work by accident."""
    mount(source, target, flags=BIND)
    held = os.statvfs(target).f_flag & (NOSUID | NODEV | NOEXEC)  # an unprivileged remount has to keep what is set
    mount(None, target, flags=REMOUNT | BIND | RDONLY | NOSUID | held)


def pivot_root(new: str, old: str) -> None:
    """Make a mount the root, and put the present root under it."""
    libc("syscall", PIVOT_ROOT[os.uname().machine], new, old)


def become(user: int) -> None:
    """Be a user and group that own nothing and that nobody else is, for good."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends, however it ends.

    Args:
        parent: its process id as this process sees it; 0 from inside a namespace of process ids.
    """
    libc("prctl", SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def drop_privileges() -> None:
    """Give up every capability, the way to win one, and being looked into by processes of the same user."""
    for number in range(CAPABILITIES):
        try:
            libc("prctl", CAPBSET_DROP, number, 0, 0, 0)
        except OSError:
            break
    libc("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc("prctl", CAP_AMBIENT, 4, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    libc("capset", ctypes.byref(header), ctypes.byref(none))
    libc("prctl", SET_DUMPABLE, 0, 0, 0, 0)


def limit(*, seconds: int, memory: int, space: int, processes: int) -> None:
    """Set the limits that hold for a process alone.

    Args:
        seconds: of CPU time, until the process is killed.
        memory: bytes of address space.
        space: bytes of a file.
        processes: threads of the user.
    """
    for kind, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, space),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_SIGPENDING, 64),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
