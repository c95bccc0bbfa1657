"""A filter that the kernel runs before every system call (seccomp): what is not allowed by name is refused."""

import ctypes
import errno
import os
from typing import Any, ClassVar

from .calls import CHECKED, COMPUTE, OPEN, WRITE, numbers
from .kernel import SET_SECCOMP, libc

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""How the kernel calls a machine's own calling convention; 32-bit calls on a 64-bit machine have another."""
LOAD, EQUAL, RETURN, AND = 0x20, 0x15, 0x06, 0x54
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Where a call's number, its machine and its arguments of eight bytes lie."""
THREAD = (0x3D0F00, 0x7D0F00)
"""Flags with which glibc and musl start a thread; any others would be a process or a namespace."""
IOCTL = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)
"""Asking for a terminal and its size, for what can be read, and whether a file outlives a new program."""
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)
"""Without owners and signals of a file, which reach other processes, and without larger pipes."""
UNIX, STREAM, KIND = 1, 1, 0xF

MAKES = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
"""Flags of opening a file without which it is only read."""

Instruction = tuple[int, int, int, int]


class _Step(ctypes.Structure):
    _fields_: ClassVar[Any] = [
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_: ClassVar[Any] = [("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step))]


def program(machine: str, *, writes: bool, threads: bool) -> list[Instruction]:
    """Write the filter.

    Args:
        machine: as `uname` calls it.
        writes: whether files may be made and changed.
        threads: whether threads may be started.
    """
    plain = numbers(COMPUTE, machine) | (numbers(WRITE, machine) if writes else {})
    checked = numbers(CHECKED, machine)
    steps: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, AUDIT[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    for number in sorted(plain.values()):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    # glibc asks for clone3 first, whose flags a filter cannot read, and takes clone where there is none
    steps += [(EQUAL, 0, 1, checked["clone3"]), _no(errno.ENOSYS)]
    steps += _when(checked["clone"], [(0, 0xFFFFFFFF, THREAD if threads else ())])
    steps += _when(checked["ioctl"], [(1, 0xFFFFFFFF, IOCTL)])
    steps += _when(checked["fcntl"], [(1, 0xFFFFFFFF, FCNTL)])
    steps += _when(checked["prlimit64"], [(0, 0xFFFFFFFF, (0,))])
    for name, number in numbers(OPEN, machine).items():
        flags = 1 if name == "open" else 2
        steps += _when(number, [] if writes else [(flags, MAKES, (0,))])
    # datagrams could be sent to any socket of the machine
    steps += _when(checked["socketpair"], [(0, 0xFFFFFFFF, (UNIX,)), (1, KIND, (STREAM,))])
    return [*steps, _no(errno.EPERM)]


def install(*, writes: bool, threads: bool) -> None:
    """Put the filter on this thread and all that come from it, for good.

    Raises:
        OSError: the kernel has none, or this machine's calls are not known.
    """
    machine = os.uname().machine
    if machine not in AUDIT:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    load(program(machine, writes=writes, threads=threads))


def load(steps: list[Instruction]) -> None:
    """Put a filter of one's own on this thread; it may gain no privileges from then on."""
    listed = (_Step * len(steps))(*steps)
    libc("prctl", SET_SECCOMP, 2, ctypes.byref(_Program(len(steps), listed)), 0, 0)


def _no(error: int) -> Instruction:
    return (RETURN, 0, 0, REFUSE | error)


def _when(number: int, rules: list[tuple[int, int, tuple[int, ...]]]) -> list[Instruction]:
    """Allow a call where each of the arguments, masked, is one of some values; only low halves are looked at."""
    body: list[Instruction] = []
    for place, mask, values in rules:
        body += [(LOAD, 0, 0, ARGUMENTS + 8 * place), (AND, 0, 0, mask)]
        for rank, value in enumerate(values):
            body.append((EQUAL, len(values) - rank, 0, value))
        body.append(_no(errno.EPERM))
    body.append((RETURN, 0, 0, ALLOW))
    return [(EQUAL, 0, len(body), number), *body]
