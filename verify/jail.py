"""Shut this process in, then become a Python program that can reach nothing.

    python -I -S jail.py PYTHON CPU_SECONDS PROGRAM [ARGUMENT ...]

Standard library only, on Linux 5.12 or later. The program runs as the one process of its own user,
mount, pid, network, IPC, host name and cgroup namespaces. It sees Python, the system's libraries,
all read-only, and 16 MiB of its own to write in: no /proc, no /dev, no program to start, no
environment. The network has no interface that is up. What the namespaces cannot limit a seccomp
filter does: no process or thread can be made, and no namespace, mount or other process be touched.
It dies with the process that started it. Only what is open already leads outside.

Where something of this cannot be had, it says so on stderr and ends with the status FAILED.
"""

import ctypes
import os
import platform
import resource
import signal
import sys

FAILED = 70
WORK = "/work"
NOBODY = 65534
"""Not root even inside, so that becoming a program leaves it no capability."""
MEMORY = 512 << 20
FILES = {"size": 16 << 20, "nr_inodes": 64}
OPEN_FILES = 32

CLONE_NEW = 0x10000000 | 0x00020000 | 0x20000000 | 0x40000000 | 0x08000000 | 0x04000000 | 0x02000000
"""User, mount, pid, network, IPC, host name, cgroup."""
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
ATTR_READ_ONLY, AT_RECURSIVE, AT_FDCWD = 1 | 2 | 4, 0x8000, -100
"""Read-only, nosuid, nodev."""
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 22, 38
SYS_MOUNT_SETATTR = 442

MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of REFUSED, and what seccomp calls the machine."""
REFUSED = {
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    # Memory that no limit counts before it is mapped.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
}
X32 = 0x40000000
"""System calls of x86_64 have a second number from here on."""

libc = ctypes.CDLL(None, use_errno=True)


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user")]


class Instruction(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_uint16),
        ("yes", ctypes.c_uint8),
        ("no", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    ]


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("start", ctypes.POINTER(Instruction))]


def main(python: str, cpu_seconds: str, program: str, *arguments: str) -> None:
    if platform.machine() not in MACHINES:
        raise OSError(f"nobody has told which system calls to refuse on {platform.machine()}")
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    leave_namespaces()
    child = os.fork()
    if child:
        os.closerange(0, OPEN_FILES)
        _, status = os.waitpid(child, 0)
        os._exit(min(255, abs(os.waitstatus_to_exitcode(status))))
    call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
    # A process can signal its group even beyond its pid namespace.
    os.setsid()
    leave_files(python)
    limit(int(cpu_seconds))
    refuse_calls()
    os.execve(python, [python, "-I", "-S", "-B", "-c", program, *arguments], environment(python))


def call(name: str, *arguments: object) -> None:
    """A call of the C library; an OSError that names it where it fails."""
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def leave_namespaces() -> None:
    user, group = os.getuid(), os.getgid()
    call("unshare", CLONE_NEW)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def leave_files(python: str) -> None:
    """Make a file system of read-only libraries and a folder to write in the only one."""
    # It is everywhere, holds no library, and is not needed any more.
    root = b"/proc"
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    call("mount", b"tmpfs", root, b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755,size=1m")
    base = os.path.dirname(os.path.dirname(python))
    places = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", os.path.join(base, "lib"), python]
    for place in dict.fromkeys(places):
        show(place, root.decode() + place)
    work = root + WORK.encode()
    os.mkdir(work)
    options = ",".join(f"{name}={value}" for name, value in FILES.items()).encode()
    call("mount", b"tmpfs", work, b"tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options)
    os.chdir(root)
    call("pivot_root", b".", b".")
    call("umount2", b".", MNT_DETACH)
    read_only("/", 0)
    os.chdir(WORK)


def show(place: str, inside: str) -> None:
    """Give the new root what lies at `place`, read-only; nothing where nothing does."""
    if os.path.lexists(inside) or not os.path.lexists(place):
        return
    os.makedirs(os.path.dirname(inside), exist_ok=True)
    if os.path.islink(place):
        os.symlink(os.readlink(place), inside)
        return
    if os.path.isdir(place):
        os.mkdir(inside)
    else:
        open(inside, "w").close()
    call("mount", place.encode(), inside.encode(), None, MS_BIND | MS_REC, None)
    read_only(inside, AT_RECURSIVE)


def read_only(path: str, flags: int) -> None:
    attributes = Attributes(set=ATTR_READ_ONLY)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    arguments = (AT_FDCWD, path.encode(), flags, ctypes.byref(attributes), size)
    call("syscall", ctypes.c_long(SYS_MOUNT_SETATTR), *arguments)


def limit(cpu_seconds: int) -> None:
    for kind, most in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, FILES["size"]),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def refuse_calls() -> None:
    """Let the calls of REFUSED, and all of a foreign machine's, fail from now on."""
    column, machine = MACHINES[platform.machine()]
    numbers = [found[column] for found in REFUSED.values() if found[column] is not None]
    load, equal, from_, end = 0x20, 0x15, 0x35, 0x06
    allowed, refused = 0x7FFF0000, 0x00050001
    last = 4 + len(numbers)
    steps = [
        (load, 0, 0, 4),
        (equal, 0, last - 1, machine),
        (load, 0, 0, 0),
        (from_, last - 3, 0, X32),
        *((equal, last - 4 - i, 0, number) for i, number in enumerate(numbers)),
        (end, 0, 0, allowed),
        (end, 0, 0, refused),
    ]
    program = (Instruction * len(steps))(*(Instruction(*step) for step in steps))
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    found = Filter(len(steps), ctypes.cast(program, ctypes.POINTER(Instruction)))
    call("prctl", PR_SET_SECCOMP, 2, ctypes.byref(found))


def environment(python: str) -> dict[str, str]:
    """Without the linker's cache, libpython is found beside Python only by name."""
    base = os.path.dirname(os.path.dirname(python))
    return {"HOME": WORK, "LANG": "C.UTF-8", "LD_LIBRARY_PATH": os.path.join(base, "lib")}


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        os.write(2, (error.strerror or str(error)).encode())
        os._exit(FAILED)
