"""What hostile code tries in the sandbox: every function tries one thing and returns `HELD` if it was refused.

The source of a function is the answer that is run, so each imports for itself what it needs. `host` says where on the
machine there is something to reach. What has no refusal to return, such as a crash, is in `CHEATS`.
"""

# pyright: basic
# ruff: noqa: E501, SIM105, SIM114

HELD = "held"


def reads_a_secret(host):
    for path in (host["secret"], host["open"], f"/tmp/../{host['open']}", f"/proc/self/root/{host['open']}"):
        try:
            return open(path).read()
        except OSError:
            pass
    return "held"


def reads_accounts(host):
    for path in ("/etc/shadow", "/etc/passwd", "/etc/hostname", "/etc/crontab", "/etc/machine-id"):
        try:
            return open(path).read()[:20]
        except OSError:
            pass
    return "held"


def reads_keys_from_the_environment(host):
    import os

    left = {name for name in os.environ if name not in ("LC_ALL", "LC_CTYPE")}
    return f"{left}" if left else "held"


def reads_environments_of_processes(host):
    import os

    for process in ("self", "1", "thread-self", host["pid"], os.getppid()):
        for name in ("environ", "maps", "cmdline", "status", "stack"):
            try:
                return open(f"/proc/{process}/{name}").read()[:20] or "empty"
            except OSError:
                pass
    return "held"


def goes_through_proc_root(host):
    import os

    for process in ("self", "1", host["pid"]):
        for way in ("root", "cwd"):
            try:
                return str(os.listdir(f"/proc/{process}/{way}"))
            except OSError:
                pass
    return "held"


def reads_memory_through_proc(host):
    import os

    for process in ("self", "1", "2", host["pid"], os.getppid(), os.getpid() - 1):
        for mode in ("rb", "r+b"):
            try:
                open(f"/proc/{process}/mem", mode).close()
                return f"opened {process}"
            except OSError:
                pass
    return "held"


def lists_folders_of_the_machine(host):
    import os

    for path in (
        "/",
        "/home",
        "/root",
        "/proc",
        "/sys",
        "/var",
        "/etc",
        host["folder"],
        os.path.dirname(host["folder"]),
    ):
        try:
            seen = set(os.listdir(path)) - {"usr", "lib", "lib64", "lib32", "dev", "tmp", "root", "opt", "home", "etc"}
            if seen - {".pyenv", "ld.so.cache"}:
                return f"{path}: {seen}"
        except OSError:
            pass
    return "held"


def climbs_out_by_folder_handles(host):
    import os

    try:
        place = os.open("/", os.O_RDONLY)
        for _ in range(20):
            place = os.open("..", os.O_RDONLY, dir_fd=place)
        return open(os.open(host["open"].lstrip("/"), os.O_RDONLY, dir_fd=place)).read()
    except OSError:
        return "held"


def writes_outside(host):
    import os

    for folder in (host["folder"], "/", "/usr/lib", "/var/tmp", "/etc", "/dev", "/run", os.path.dirname(os.__file__)):
        try:
            open(f"{folder}/escaped", "w").close()
            return folder
        except OSError:
            pass
    return "held"


def writes_home(host):
    import os

    for folder in (os.path.expanduser("~"), "/var", "/srv"):
        if folder not in ("/tmp", "~"):
            try:
                open(f"{folder}/.bashrc", "a").close()
                return folder
            except OSError:
                pass
    return "held"


def changes_a_file_of_the_machine(host):
    import os

    path = host["open"]
    for attempt in (
        lambda: os.chmod(path, 0o777),
        lambda: os.utime(path),
        lambda: os.rename(path, path + "x"),
        lambda: os.unlink(path),
        lambda: os.truncate(path, 0),
        lambda: os.open(path, os.O_RDONLY | os.O_TRUNC),
        lambda: os.chown(path, -1, -1),
        lambda: os.setxattr(path, "user.x", b""),
        lambda: os.mkdir(host["folder"] + "/escaped"),
        lambda: os.rmdir(host["folder"]),
    ):
        try:
            attempt()
            return "changed"
        except OSError:
            pass
    return "held"


def plants_code_that_python_loads(host):
    import os
    import sys

    for folder in (*sys.path, os.path.dirname(os.__file__) + "/site-packages"):
        for name in ("sitecustomize.py", "x.pth", "json.py"):
            try:
                open(os.path.join(folder, name), "w").close()
                return folder
            except OSError:
                pass
    return "held"


def follows_its_own_links(host):
    import os

    for number, way in enumerate((os.symlink, os.link)):
        try:
            way(host["open"], f"/tmp/way{number}")
            return open(f"/tmp/way{number}").read()
        except OSError:
            pass
    return "held"


def makes_a_device(host):
    import os
    import stat

    for kind, name in (
        (stat.S_IFBLK, "disk"),
        (stat.S_IFCHR, "memory"),
        (stat.S_IFIFO, "pipe"),
        (stat.S_IFSOCK, "door"),
    ):
        try:
            os.mknod(f"/tmp/{name}", kind | 0o600, os.makedev(8, 0))
            return name
        except OSError:
            pass
    return "held"


def connects(host):
    import socket

    for address in (("127.0.0.1", host["tcp"]), ("::1", host["tcp"]), ("1.1.1.1", 53)):
        try:
            socket.create_connection(address, timeout=1).send(b"escaped")
            return str(address)
        except OSError:
            pass
    return "held"


def sends_a_datagram(host):
    import socket

    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"escaped", ("127.0.0.1", host["udp"]))
        return "sent"
    except OSError:
        return "held"


def connects_to_a_socket_file(host):
    import socket

    for address in (host["socket"], "\0" + host["abstract"]):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            try:
                socket.socket(socket.AF_UNIX, kind).connect(address)
                return address
            except OSError:
                pass
    return "held"


def sends_from_a_pair_of_sockets(host):
    import socket

    try:
        own, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        own.sendto(b"escaped", host["socket"])
        return "sent"
    except OSError:
        pass
    try:
        own, _ = socket.socketpair()
        own.sendto(b"escaped", host["socket"])
        return "sent"
    except OSError:
        return "held"


def listens(host):
    import socket

    for family in (socket.AF_INET, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 38, 40):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
            try:
                socket.socket(family, kind)
                return f"{family} {kind}"
            except OSError:
                pass
    return "held"


def signals_others(host):
    import os
    import signal

    for process in (host["pid"], os.getppid(), 1, 2, -1, 0, -host["pid"], os.getpid()):
        for number in (0, signal.SIGCONT, signal.SIGURG):
            try:
                os.kill(process, number)
                return f"{process}"
            except OSError:
                pass
    return "held"


def signals_by_raw_calls(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    if os.uname().machine != "x86_64":
        return "held"
    for number in (62, 129, 200, 234, 297, 424, 0x40000000 | 62, 0x40000000 | 234):
        for target in (host["pid"], os.getppid(), 1):
            if libc.syscall(number, target, 0, 0, 0) >= 0:
                return f"call {number} reached {target}"
    return "held"


def signals_by_a_handle(host):
    import os
    import signal

    try:
        signal.pidfd_send_signal(os.pidfd_open(host["pid"]), 0)
        return "reached"
    except OSError:
        return "held"


def signals_as_the_owner_of_a_pipe(host):
    import fcntl
    import os

    own, _ = os.pipe()
    for command, value in ((fcntl.F_SETOWN, host["pid"]), (fcntl.F_SETSIG, 9), (15, b"\0" * 8), (1031, 1 << 20)):
        try:
            fcntl.fcntl(own, command, value)
            return f"{command}"
        except OSError:
            pass
    for request in (0x8901, 0x5452, 0x5412):
        try:
            fcntl.ioctl(own, request, b"\1\0\0\0")
            return f"{request:x}"
        except OSError:
            pass
    return "held"


def traces(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    for process in (host["pid"], os.getppid(), 1, os.getpid() - 1):
        for request in (16, 0x4206):
            if libc.ptrace(request, process, None, None) != -1:
                return f"{process}"
        there = (ctypes.c_uint64 * 2)(0x400000, 8)
        if libc.process_vm_readv(process, there, 1, there, 1, 0) != -1:
            return f"memory of {process}"
    return "held"


def finds_open_files(host):
    import os
    import stat

    found = []
    for place in range(1100):
        try:
            state = os.fstat(place)
        except OSError:
            continue
        if not stat.S_ISFIFO(state.st_mode) and not (place < 3 and stat.S_ISCHR(state.st_mode)):
            found.append(place)
        elif place > 6:
            found.append(place)
    return str(found) if found else "held"


def mounts(host):
    import ctypes

    libc = ctypes.CDLL(None)
    done = (
        libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        libc.mount(b"proc", b"/tmp", b"proc", 0, None),
        libc.mount(None, b"/", None, 32 | 4096, None),
        libc.umount2(b"/tmp", 2),
        libc.syscall(442, -100, b"/", 0, None, 0),
        libc.syscall(428, -100, b"/", 1),
        libc.syscall(430, b"tmpfs", 0),
    )
    return "held" if all(result == -1 for result in done) else str(done)


def makes_namespaces(host):
    import ctypes

    libc = ctypes.CDLL(None)
    for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x8000000, 0x4000000, 0x2000000, 0x80, 0x400, 0x200):
        if libc.unshare(flag) != -1:
            return f"{flag:x}"
    return "held"


def joins_namespaces(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    for process in (1, host["pid"]):
        for name in ("mnt", "net", "pid", "user"):
            try:
                if libc.setns(os.open(f"/proc/{process}/ns/{name}", os.O_RDONLY), 0) != -1:
                    return name
            except OSError:
                pass
    return "held" if libc.setns(0, 0x40000000) == -1 else "joined"


def changes_root(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    try:
        os.chroot("/usr")
        return "chroot"
    except OSError:
        pass
    return "held" if libc.syscall(155, b"/", b"/tmp") == -1 else "pivot"


def becomes_somebody(host):
    import os

    for attempt in (
        lambda: os.setuid(0),
        lambda: os.setresuid(0, 0, 0),
        lambda: os.setgid(0),
        lambda: os.setgroups([0]),
        lambda: os.setreuid(host["uid"], host["uid"]),
    ):
        try:
            attempt()
            return f"{os.getresuid()}"
        except OSError:
            pass
    return "held" if os.geteuid() != 0 else "is root"


def takes_capabilities(host):
    import ctypes

    libc = ctypes.CDLL(None)
    header, wanted = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    return "held" if libc.capset(header, wanted) == -1 and libc.prctl(47, 2, 21, 0, 0) == -1 else "taken"


def starts_processes(host):
    import ctypes
    import os

    def forks():
        if os.fork() == 0:
            os._exit(0)

    def terminal():
        if os.forkpty()[0] == 0:
            os._exit(0)

    for attempt in (
        forks,
        terminal,
        lambda: os.posix_spawn("/bin/true", ["true"], {}),
        lambda: os.execv("/usr/bin/env", ["env"]),
        lambda: os.execv(os.path.realpath("/lib64/ld-linux-x86-64.so.2"), ["ld", "--help"]),
    ):
        try:
            attempt()
            return "started"
        except OSError:
            pass
    libc = ctypes.CDLL(None)
    flags = (17, 17 | 0x100, 17 | 0x20000000, 17 | 0x10000000, 0x10000 | 0x800 | 0x100 | 0x20000)
    raw = [libc.syscall(56, flag, 0, 0, 0, 0) for flag in flags] if os.uname().machine == "x86_64" else []
    raw += [libc.syscall(435, b"\0" * 88, 88)]
    return "held" if all(result == -1 for result in raw) and libc.system(b"true") != 0 else f"{raw}"


def bombs_with_forks(host):
    import os

    started = 0
    for _ in range(2000):
        try:
            if os.fork() == 0:
                os.setsid()
                import time

                time.sleep(600)
                os._exit(0)
            started += 1
        except OSError:
            pass
    return f"{started}" if started else "held"


def starts_a_daemon(host):
    import os
    import time

    try:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        return "started"
    except OSError:
        return "held"


def runs_programs(host):
    import multiprocessing
    import subprocess

    for attempt in (
        lambda: subprocess.run(["/bin/sh", "-c", "true"], check=False),
        lambda: subprocess.Popen(["/usr/bin/python3", "-c", "pass"]),
        lambda: multiprocessing.get_context("fork").Process(target=print).start(),
        lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
    ):
        try:
            attempt()
            return "ran"
        except (OSError, ImportError):
            pass
    return "held"


def starts_ten_thousand_threads(host):
    import threading
    import time

    threading.stack_size(1 << 15)
    started = 0
    for _ in range(10_000):
        try:
            threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
            started += 1
        except RuntimeError:
            break
    return "held" if started < 64 else f"{started}"


def takes_all_memory(host):
    taken = []
    try:
        for _ in range(1 << 12):
            taken.append(bytearray(16 << 20))
    except MemoryError:
        size = len(taken) * 16
        del taken
        return "held" if size <= 512 else f"{size} MiB"
    return "no limit"


def takes_memory_that_nobody_counts(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    try:
        os.memfd_create("hidden")
        return "memfd"
    except OSError:
        pass
    for name in (b"/hidden", b"hidden"):
        if libc.shm_open(name, 66, 0o600) != -1:
            return "shm_open"
        if libc.mq_open(name, 66, 0o600, None) != -1:
            return "mq_open"
    return "held" if libc.shmget(0, 1 << 28, 0o1600) == -1 and libc.syscall(447, 0) == -1 else "shmget"


def fills_shared_memory(host):
    try:
        with open("/dev/shm/fill", "wb") as file:
            file.write(b"x" * (1 << 26))
        return "filled"
    except OSError:
        return "held"


def fills_the_disk(host):
    written = 0
    try:
        for number in range(64):
            with open(f"/tmp/{number}", "wb", buffering=0) as file:
                for _ in range(16):
                    written += file.write(b"x" * (1 << 20))
        return f"{written}"
    except OSError:
        return "held" if written <= 16 << 20 else f"{written}"


def fills_the_table_of_files(host):
    made = 0
    try:
        for number in range(100_000):
            open(f"/tmp/{number}", "w").close()
            made += 1
    except OSError:
        return "held" if made <= 1000 else f"{made}"
    return f"{made}"


def makes_a_sparse_file(host):
    import os

    try:
        with open("/tmp/sparse", "wb") as file:
            os.truncate(file.fileno(), 1 << 40)
        return "made"
    except OSError:
        return "held"


def raises_its_limits(host):
    import resource

    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            return f"{kind}"
        except (OSError, ValueError):
            pass
    for process in (host["pid"], 1, 2):
        try:
            resource.prlimit(process, resource.RLIMIT_CORE, (0, 0))
            return f"of {process}"
        except OSError:
            pass
    return "held"


def asks_the_kernel_for_more(host):
    import ctypes
    import os

    libc = ctypes.CDLL(None)
    x86 = os.uname().machine == "x86_64"
    # bpf perf_event_open io_uring_setup userfaultfd keyctl add_key open_by_handle_at init_module kexec_load reboot
    # iopl ioperm swapon acct quotactl syslog personality clock_settime sethostname fanotify_init kcmp lookup_dcookie
    numbers = (321, 298, 425, 323, 250, 248, 304, 175, 246, 169, 172, 173, 167, 163, 179, 103, 135, 227, 170, 300, 312)
    done = [number for number in numbers if libc.syscall(number, 0, 0, 0, 0, 0, 0) != -1] if x86 else []
    return str(done) if done else "held"


def disturbs_how_others_run(host):
    import os

    for attempt in (
        lambda: os.setpriority(os.PRIO_PROCESS, host["pid"], 19),
        lambda: os.sched_setaffinity(host["pid"], {0}),
        lambda: os.sched_setscheduler(host["pid"], os.SCHED_IDLE, os.sched_param(0)),
        lambda: os.nice(-20),
    ):
        try:
            attempt()
            return "done"
        except OSError:
            pass
    return "held"


def writes_control_groups(host):
    for path in ("/sys/fs/cgroup/cgroup.procs", "/sys/kernel/mm", "/proc/sys/kernel/core_pattern", "/sys/power/state"):
        try:
            open(path, "a").close()
            return path
        except OSError:
            pass
    return "held"


def finds_the_tests_in_memory(host):
    import gc
    import re
    import sys

    marker = host["reversed"][::-1]
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    for thing in [*gc.get_objects(), *seen]:
        inside = thing.values() if type(thing) is dict else thing if type(thing) in (list, tuple, set) else [thing]
        for text in list(inside):
            if type(text) is str and text is not marker and (marker in text or re.fullmatch("[0-9a-f]{32}", text)):
                return "found"
    return "held"


def reads_the_job(host):
    import os
    import sys

    texts = [sys.stdin.read(), *(f"{argument}" for argument in sys.orig_argv)]
    for place in (0, 1, 2):
        try:
            texts.append(os.pread(place, 1 << 16, 0).decode())
        except OSError:
            pass
    return "found" if any("nonce" in text or "assert" in text for text in texts) else "held"


CHEATS = {
    "ends its process while it loads": "import os\nos._exit(0)",
    "leaves while it loads": "import sys\nsys.exit(0)",
    "ends its process when it is called": "import os\ndef double(x):\n    os._exit(0)",
    "leaves when it is called": "def double(x):\n    raise SystemExit(0)",
    "leaves when it is thrown away": (
        "class Last:\n    def __del__(self):\n        raise SystemExit\ndef double(x):\n    Last()\n    return 0"
    ),
    "is equal to everything": "class All:\n    def __eq__(self, o): return True\ndef double(x):\n    return All()",
    "is a number that is equal to everything": (
        "class All(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\ndef double(x):\n"
        "    return All(3)"
    ),
    "is a text that is equal to everything": (
        "class All(str):\n    def __eq__(self, o): return True\ndef double(x):\n    return All('4')"
    ),
    "is a list whose parts are equal to everything": (
        "class All(list):\n    def __eq__(self, o): return True\ndef double(x):\n    return All([1])"
    ),
    "patches what compares": (
        "import builtins, math\nbuiltins.all = builtins.any = math.isclose = lambda *a, **k: True\n"
        "builtins.AssertionError = SystemExit\ndef double(x):\n    return 0"
    ),
    "writes a result to every pipe": (
        "import os, json\ndef double(x):\n    for place in range(64):\n        for text in "
        """(json.dumps({"nonce": "0" * 32, "outcome": "passed"}) + "\\n",) * 3:\n"""
        "            try: os.write(place, text.encode())\n            except OSError: pass\n    return 0"
    ),
    "prints a result": (
        """def double(x):\n    print('{"nonce": "' + "0" * 32 + '", "outcome": "passed"}', flush=True)\n    return 0"""
    ),
    "answers before it is asked": (
        "import os, json\nbody = json.dumps({'value': None}).encode()\n"
        "for _ in range(20): os.write(4, len(body).to_bytes(4, 'big') + body)\ndef double(x):\n    return 0"
    ),
    "answers nested too deep": (
        "import os\nbody = b'{\"value\": ' + b'[' * 100000 + b']' * 100000 + b'}'\n"
        "def double(x):\n    os.write(4, len(body).to_bytes(4, 'big'))\n    os.write(4, body)\n    return 0"
    ),
    "announces more than it sends": "import os\ndef double(x):\n    os.write(4, b'\\xff' * 4)\n    return 0",
    "returns what is no number": "def double(x):\n    return float('nan')",
    "returns infinity": "def double(x):\n    return float('inf')",
    "returns a very long text": "def double(x):\n    return 'x' * (9 << 20)",
    "returns a list without end": "import itertools\ndef double(x):\n    return itertools.count()",
    "returns a list that holds itself": "def double(x):\n    a = []\n    a.append(a)\n    return a",
    "defines a function of the tests": "def double(x):\n    return 0\ndef check(candidate):\n    pass",
    "patches the process it runs in": (
        "import sys\nfor name, module in list(sys.modules.items()):\n    if name.startswith('sandbox'):\n"
        "        module.pack = module.unpack = lambda value: 4\ndef double(x):\n    return 0"
    ),
    "closes its pipes": "import os\ndef double(x):\n    os.closerange(0, 64)\n    return 0",
    "crashes": "import ctypes\ndef double(x):\n    ctypes.string_at(0)",
    "recurses without end": "import sys\nsys.setrecursionlimit(10**9)\ndef double(x):\n    return double(x)",
    "calls the 32-bit kernel": (
        "import ctypes, mmap\ndef double(x):\n    page = mmap.mmap(-1, 4096, prot=7)\n"
        "    page.write(bytes.fromhex('b814000000cd80c3'))\n    at = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "    ctypes.CFUNCTYPE(ctypes.c_int)(at)()\n    return 0"
    ),
    "stops itself": "import os, signal\ndef double(x):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return 4",
    "is not Python": "def double(x:",
    "holds a character that ends texts": "def double(x):\n    return 2 * x\0",
    "nests brackets too deep": "double = lambda x: " + "(" * 5000 + "x" + ")" * 5000,
    "answers nothing": "",
    "answers the same for everything": "def double(x):\n    return 4",
}
"""Answers by what they do instead of doubling a number; none may pass."""

STALLS = {
    "loops": "def double(x):\n    while True: pass",
    "loops while it loads": "while True: pass",
    "sleeps": "import time\ndef double(x):\n    time.sleep(600)",
    "ignores signals": (
        "import signal, time\ndef double(x):\n    for n in range(1, 65):\n        try: signal.signal(n, signal.SIG_IGN)\n"
        "        except (OSError, ValueError): pass\n    while True: time.sleep(1)"
    ),
    "swallows every exception": (
        "def double(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass"
    ),
    "outlives its CPU time": (
        "import signal\nsignal.signal(signal.SIGXCPU, lambda *a: None)\ndef double(x):\n    while True: pass"
    ),
    "counts too far": "def double(x):\n    return len(str(10 ** 10 ** 9))",
    "prints without end": "import os\ndef double(x):\n    while True: os.write(1, b'x' * 65536)",
    "complains without end": "import os\ndef double(x):\n    while True: os.write(2, b'\\0\\x1b[2J' * 8192)",
    "leaves a thread behind": (
        "import threading, time\ndef double(x):\n    threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "    time.sleep(600)"
    ),
    "never answers": "import os\ndef double(x):\n    os.close(4)\n    os.read(3, 1)\n    os.read(6, 1)",
}
"""Answers that do not come to an end by themselves."""
