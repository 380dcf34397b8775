# Makes rarely used system calls with harmless arguments, and names those that were let through.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
column = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
calls = {
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "inotify_init1": (294, 26),
    "name_to_handle_at": (303, 264),
    "mbind": (237, 235),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "set_mempolicy": (238, 237),
    "memfd_secret": (447, 447),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "mount_setattr": (442, 442),
    "fspick": (433, 433),
    "move_mount": (429, 429),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_file_load": (320, 294),
    "io_uring_enter": (426, 426),
    "signalfd4": (289, 74),
    "request_key": (249, 218),
    "vmsplice": (278, 75),
    "remap_file_pages": (216, 234),
    "settimeofday": (164, 170),
    "adjtimex": (159, 171),
    "ioprio_set": (251, 30),
    "setdomainname": (171, 162),
    "vhangup": (153, 58),
    "get_robust_list": (274, 100),
    "mincore": (27, 232),
    "fanotify_mark": (301, 263),
    "cachestat": (451, 451),
    "lsm_list_modules": (461, 461),
    "map_shadow_stack": (453, 453),
    "landlock_create_ruleset": (444, 444),
}
passed = []
for name, numbers in calls.items():
    result = libc.syscall(numbers[column], *[ctypes.c_long(-1)] * 6)
    if result != -1 or ctypes.get_errno() not in (1, 13, 38):
        passed.append(name)
print(f"ESCAPED {passed}" if passed else "denied")
