"""Makes the interesting system calls with every kind of argument; run it in namespaces of its own. x86-64 numbers, as
those that aarch64 gives the same calls (asm-generic/unistd.h); from 424 on all machines have the same."""
import ctypes
import os
import platform

AARCH64 = {56: 220, 59: 221, 155: 41, 161: 51, 165: 40, 166: 39, 170: 161, 171: 162, 272: 97, 308: 268, 322: 281}
numbers = AARCH64 if platform.machine() == "aarch64" else {}
syscall = ctypes.CDLL(None, use_errno=True).syscall


def call(number, *args):
    return syscall(numbers.get(number, number), *args)


CWD = -100


def words(*values):
    array = (ctypes.c_uint64 * len(values))(*values)
    kept.append(array)
    return ctypes.byref(array)


def strings(*values):
    array = (ctypes.c_char_p * (len(values) + 1))(*values, None)
    kept.append(array)
    return array


kept = []
wild = ctypes.c_void_p(8)

# The new mount calls.
fs = call(430, b"tmpfs", 1)
call(431, fs, 0, b"ro", None, 0)
call(431, fs, 1, b"size", b"1m", 0)
call(431, fs, 2, b"blob", b"a\0b", 3)
call(431, fs, 3, b"p", b"/tmp", CWD)
call(431, fs, 4, b"p", b"/tmp", CWD)
call(431, fs, 5, b"f", None, 3)
call(431, fs, 6, None, None, 0)
call(431, fs, 9, None, None, 0)
mount = call(432, fs, 1, 0x93)
call(432, fs, 0, 0)
call(429, mount, b"", CWD, b"/mnt", 4)
call(429, mount, b"", CWD, b"/mnt", 0x44)
call(428, CWD, b"/mnt", 0x88001)
call(428, CWD, b"/mnt", 0x900)
call(442, CWD, b"/mnt", 0x8000, words(1, 0, 0, 0), 32)
call(442, CWD, b"/mnt", 0x1000, words(0x10, 0x70, 1 << 18, 0), 32)
call(442, CWD, b"/mnt", 0, words(0x100000, 0, 1 << 20, 5), 32)
call(442, CWD, b"/mnt", 0, wild, 32)

# The old ones.
call(166, b"/mnt", 2)
call(166, b"/nosuch", 13)
call(166, b"/nosuch", 0x10)
call(166, b"/nosuch", 0)
call(165, b"a", b"/nosuch", b"t", 0, b"x=1")
call(165, b"a", b"/nosuch", wild, 0xC0ED1000, wild)
call(165, b"a", b"/nosuch", wild, 0x21, b"x=1")
call(165, None, b"/nosuch", b"t", 0xC0ED0000, None)
call(161, b"/nosuch\n\"\\\t\x01\xe4\xe5\x019")
call(161, None)
call(161, wild)
call(155, b"/nosuch", b"x")

# Namespaces and names.
call(272, 0)
call(272, 0x20E80)
call(272, 1)
call(272, 0x40000800)
call(308, 99, 0x4020000)
call(308, 99, 0)
call(308, 99, 1)
call(170, b"box", 3)
call(170, None, 3)
call(171, b"box.example", 11)

# Programs.
call(322, CWD, b"/nosuch", None, None, 0)
call(272, 0)
call(322, CWD, b"", None, None, 0x1100)
call(272, 0)
call(59, b"/nosuch", strings(b"a", b"b c"), strings(b"A=1"))
call(272, 0)
call(59, b"/nosuch", strings(), None)
call(272, 0)
call(59, b"/nosuch", strings(*[b"word"] * 31), strings())
call(272, 0)
call(59, b"/nosuch", wild, wild)
call(272, 0)

# Processes: each child ends at once, and is waited for, so that no signal interrupts the next call.
place = ctypes.addressof((ctypes.c_int * 2)())


def forked(*args):
    pid = call(*args)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0x40000000)


forked(435, words(0x20000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)
forked(435, words(0x1101000, place, place, place, 0, 0, 0, 0), 64)
forked(435, words(0x200000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 77), 88)
forked(435, words(0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)
forked(435, wild, 88)
forked(56, 17, 0, 0, 0, 0)
forked(56, 0, 0, 0, 0, 0)
