"""What the parsing process may use: little until it is known how large an honest picture would be, then that much.

A file says its size in a few bytes, and that is checked against the bytes there are, before anything is decoded. A
decoder that then needs more was lied to. So a bad file is refused within the little, however much a large one may use.
"""

from __future__ import annotations

import ctypes
import resource
import signal
from pathlib import Path

# The most, by kind: address space for the largest file accepted, and processor time; lesions.ingest waits 25 s.
MEMORY_BYTES = {"dicom": 1024 * 2**20, "jpeg": 768 * 2**20, "png": 768 * 2**20, "pdf": 384 * 2**20}
CPU_SECONDS = {"dicom": 20, "jpeg": 12, "png": 12, "pdf": 10}
FILE_BYTES = 600 * 10**6
# Before the size is known, beyond what the libraries took (0.5 s, 62 MB): together within 2 s and 100 MB.
# Reading a file through, inflating and copying it takes its time too.
FIRST_BYTES, FIRST_SECONDS, SECONDS_PER_FILE_MB = 32 * 2**20, 1.2, 0.02
# A pixel of JPEG 2000, the greediest, and twice the time it takes.
BYTES_PER_SAMPLE, SECONDS_PER_MEGASAMPLE = 24, 0.4
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # unshare(2)


def confine(kind: str, source: Path) -> None:
    """No more than this from here on: neither memory, time, files nor the network. The libraries are loaded before."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES[kind]),
        (resource.RLIMIT_CPU, CPU_SECONDS[kind]),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    # A network of its own without any interface: alone where that is allowed, else with user rights of its own. A
    # kernel that allows neither leaves the limits above.
    libc = ctypes.CDLL(None)
    if libc.unshare(_NEW_NETWORK) != 0:
        libc.unshare(_NEW_NETWORK | _NEW_USER)
    if kind != "pdf":  # a report is drawn page by page, and kept as a file where that takes too long
        resource.setrlimit(resource.RLIMIT_DATA, (_taken() + FIRST_BYTES, MEMORY_BYTES[kind]))
        _give(FIRST_SECONDS + SECONDS_PER_FILE_MB * source.stat().st_size / 10**6)


def allow(samples: int, *, frames: int = 1) -> None:
    """What pictures of so many samples (pixels × colours) need, one held at a time; and no more of it later."""
    left, _again = signal.getitimer(signal.ITIMER_PROF)
    if not left:
        return  # this process is not confined
    most = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = min(_taken() + FIRST_BYTES + BYTES_PER_SAMPLE * samples, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))
    _give(left + SECONDS_PER_MEGASAMPLE * samples * frames / 10**6)


def _give(seconds: float) -> None:
    """Of processor time, whatever else the machine does; its end is that of the process, also inside a decoder."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _taken() -> int:
    """Bytes of data this process has by now."""
    with open("/proc/self/statm", encoding="ascii") as told:
        return int(told.read().split()[5]) * resource.getpagesize()
