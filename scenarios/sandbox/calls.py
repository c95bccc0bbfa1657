"""System calls by name, as the kernel numbers them: those that a program which only computes may make.

Whatever is not named here is refused, so a call that a later kernel adds is refused too. There is nothing here that
starts a program, forks, connects, mounts, traces, signals, changes who one is, or holds memory that no limit counts.
"""

COMPUTE = {
    "x86_64": """
read=0 write=1 close=3 stat=4 fstat=5 lstat=6 newfstatat=262 statx=332 poll=7 ppoll=271
lseek=8 mmap=9 mprotect=10 munmap=11 mremap=25 madvise=28 brk=12 rt_sigaction=13 rt_sigprocmask=14
rt_sigreturn=15 sigaltstack=131 rt_sigtimedwait=128 pread64=17 pwrite64=18 readv=19 writev=20 access=21
faccessat=269 faccessat2=439 pipe=22 pipe2=293 select=23 pselect6=270 sched_yield=24 dup=32 dup2=33 dup3=292
pause=34 nanosleep=35 clock_nanosleep=230 clock_gettime=228 clock_getres=229 gettimeofday=96 time=201 times=100
alarm=37 setitimer=38 getitimer=36 getpid=39 getppid=110 gettid=186 getuid=102 geteuid=107 getgid=104
getegid=108 getresuid=118 getresgid=120 getgroups=115 getpgrp=111 getpgid=121 getsid=124 flock=73 fsync=74
fdatasync=75 getdents64=217 getcwd=79 chdir=80 fchdir=81 readlink=89 readlinkat=267 umask=95 statfs=137
fstatfs=138 sysinfo=99 uname=63 getrlimit=97 getrusage=98 arch_prctl=158 set_tid_address=218 set_robust_list=273
rseq=334 futex=202 sched_getaffinity=204 exit=60 exit_group=231 restart_syscall=219 getrandom=318 membarrier=324
epoll_create1=291 epoll_ctl=233 epoll_wait=232 epoll_pwait=281 eventfd2=290 timerfd_create=283
timerfd_settime=286 timerfd_gettime=287 recvfrom=45 sendto=44 shutdown=48 getsockopt=55 setsockopt=54
getsockname=51 getpeername=52
""",
    "aarch64": """
read=63 write=64 close=57 fstat=80 newfstatat=79 statx=291 ppoll=73 lseek=62 mmap=222 mprotect=226
munmap=215 mremap=216 madvise=233 brk=214 rt_sigaction=134 rt_sigprocmask=135 rt_sigreturn=139 sigaltstack=132
rt_sigtimedwait=137 pread64=67 pwrite64=68 readv=65 writev=66 faccessat=48 faccessat2=439 pipe2=59 pselect6=72
sched_yield=124 dup=23 dup3=24 nanosleep=101 clock_nanosleep=115 clock_gettime=113 clock_getres=114
gettimeofday=169 times=153 setitimer=103 getitimer=102 getpid=172 getppid=173 gettid=178 getuid=174 geteuid=175
getgid=176 getegid=177 getresuid=148 getresgid=150 getgroups=158 getpgid=155 getsid=156 flock=32 fsync=82
fdatasync=83 getdents64=61 getcwd=17 chdir=49 fchdir=50 readlinkat=78 umask=166 statfs=43 fstatfs=44 sysinfo=179
uname=160 getrlimit=163 getrusage=165 set_tid_address=96 set_robust_list=99 rseq=293 futex=98
sched_getaffinity=123 exit=93 exit_group=94 restart_syscall=128 getrandom=278 membarrier=283 epoll_create1=20
epoll_ctl=21 epoll_pwait=22 eventfd2=19 timerfd_create=85 timerfd_settime=86 timerfd_gettime=87 recvfrom=207
sendto=206 shutdown=210 getsockopt=209 setsockopt=208 getsockname=204 getpeername=205
""",
}
"""Reading, memory, time, threads' locks, and sockets that are there already."""
WRITE = {
    "x86_64": """
truncate=76 ftruncate=77 fallocate=285 rename=82 renameat=264 renameat2=316 mkdir=83 mkdirat=258 rmdir=84
creat=85 unlink=87 unlinkat=263 symlink=88 symlinkat=266 link=86 linkat=265 chmod=90 fchmod=91 fchmodat=268
utimensat=280
""",
    "aarch64": """
truncate=45 ftruncate=46 fallocate=47 renameat=38 renameat2=276 mkdirat=34 unlinkat=35 symlinkat=36 linkat=37
fchmod=52 fchmodat=53 utimensat=88
""",
}
"""What changes folders and files; only for a file system that is the sandbox's own."""
OPEN = {"x86_64": "open=2 openat=257", "aarch64": "openat=56"}
"""Opening files: whether to read alone or to make and change them as well, an argument says."""
CHECKED = {
    "x86_64": "clone=56 clone3=435 ioctl=16 fcntl=72 prlimit64=302 socketpair=53",
    "aarch64": "clone=220 clone3=435 ioctl=29 fcntl=25 prlimit64=261 socketpair=199",
}
"""Calls whose arguments decide."""
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def numbers(table: dict[str, str], machine: str) -> dict[str, int]:
    """Read one machine's table."""
    return {name: int(number) for name, number in (entry.split("=") for entry in table[machine].split())}
