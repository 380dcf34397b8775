"""Semaphores and shared memory of multiprocessing, kept within the one process that a program is.

Both are files in /dev/shm elsewhere, which no program has. A semaphore of the C library in the process's own memory,
and memory that is mapped without a file, do the same as long as there is no second process, which is refused. So
thread pools, locks, queues and shared values work, in every tier alike, without a place to write.
"""

import ctypes
import mmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SEMAPHORE_WORDS = 8  # more than a sem_t has


def keep_within_process() -> None:
    """Replace what multiprocessing makes its locks and its shared memory of."""
    try:
        import _multiprocessing  # type: ignore[import-not-found]  # an extension module, untyped
        from multiprocessing import heap
    except ImportError:  # an interpreter built without: the program's to meet
        return
    library = ctypes.CDLL(None)

    class SemLock(_multiprocessing.SemLock):  # type: ignore[misc]  # of an untyped module
        """A semaphore in memory of its own instead of one with a name."""

        def __new__(cls, kind: int, value: int, maxvalue: int, *_: object) -> "Any":
            memory = (ctypes.c_uint64 * _SEMAPHORE_WORDS)()
            library.sem_init(memory, 0, value)
            lock = cls._rebuild(ctypes.addressof(memory), kind, maxvalue, None)
            lock.memory = memory
            return lock

    def reserve(arena: "Any", size: int, fd: int = -1) -> None:
        arena.size, arena.fd = size, fd
        arena.buffer = mmap.mmap(-1, size)

    _multiprocessing.SemLock = SemLock
    setattr(heap.Arena, "__init__", reserve)  # noqa: B010 - the checker takes it for a mistake
