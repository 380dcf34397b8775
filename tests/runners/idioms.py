"""Small legal programs by idiom: what people rely on in `python3 program.py`, each with its standard input.

Two kinds: every way to leave a program with everything that may still be pending then, and single idioms. None
prints what differs from machine to machine (times, process numbers, paths).
"""

from textwrap import dedent

# What is still to be done when the program ends; the order in which Python does it shows in the output.
PENDING = {
    "nothing": "",
    "atexit": "import atexit\natexit.register(print, 'first registered')\natexit.register(print, 'last registered')",
    "generator_finally": """
        def numbers():
            try:
                yield 1
            finally:
                print('generator closed')
        kept = numbers()
        next(kept)
        """,
    "generator_with": """
        from contextlib import contextmanager
        @contextmanager
        def section():
            print('enter')
            try:
                yield
            finally:
                print('leave')
        def walk():
            with section():
                yield 1
        kept = walk()
        next(kept)
        """,
    "destructor": """
        class Kept:
            def __del__(self):
                print('destroyed')
        kept = Kept()
        """,
    "weak_reference": """
        import weakref
        class Kept: pass
        kept = Kept()
        weakref.finalize(kept, print, 'finalized')
        watch = weakref.ref(kept, lambda ref: print('gone'))
        """,
    "thread": """
        import threading, time
        def work():
            time.sleep(0.02)
            print('thread done')
        threading.Thread(target=work).start()
        """,
    "daemon": """
        import threading, time
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """,
    "c_stdio": """
        import ctypes
        library = ctypes.CDLL(None)
        library.printf(b'%s\\n', b'from C')
        """,
    "open_file": "kept = open(1, 'w', closefd=False)\nkept.write('buffered\\n')",
    "raw_base": """
        import io, os
        class Fast(io.IOBase):
            def __init__(self):
                self.parts = []
            def write(self, text):
                self.parts.append(text)
            def flush(self):
                os.write(1, ''.join(self.parts).encode())
                self.parts.clear()
        kept = Fast()
        kept.write('fast\\n')
        """,
    "replaced_stdout": """
        import io, sys
        sys.stdout = io.TextIOWrapper(open(1, 'wb', closefd=False), write_through=False)
        """,
    "broken_atexit": """
        import atexit
        def broken():
            print('begun')
            raise ValueError('late')
        atexit.register(broken)
        """,
    "exit_in_atexit": "import atexit, sys\natexit.register(sys.exit, 3)",
    "excepthook": """
        import sys
        sys.excepthook = lambda kind, value, trace: print('hook', kind.__name__, value)
        """,
    "threads_of_a_pool": """
        from concurrent.futures import ThreadPoolExecutor
        pool = ThreadPoolExecutor(2)
        pool.submit(print, 'pooled')
        """,
}
LEAVING = {
    "end": "",
    "exit": "exit()",
    "exit_none": "import sys\nsys.exit(None)",
    "exit_three": "import sys\nsys.exit(3)",
    "exit_text": "import sys\nsys.exit('because')",
    "exit_true": "raise SystemExit(True)",
    "exit_large": "import sys\nsys.exit(256)",
    "exit_negative": "import sys\nsys.exit(-1)",
    "exit_tuple": "raise SystemExit(1, 2)",
    "error": "raise ValueError('wrong')",
    "interrupt": "raise KeyboardInterrupt",
    "hard": "import os, sys\nsys.stdout.flush()\nos._exit(0)",
    "closed": "import sys\nsys.stdout.flush()\nsys.stdout.close()",
}

IDIOMS = {
    "builtins_module": "import builtins\nprint(__builtins__ is builtins, type(__builtins__).__name__)",
    "builtins_replaced": "__builtins__.input = lambda: 'mine'\nprint(input())",
    "builtins_dict_elsewhere": "import heapq\nprint(type(heapq.__builtins__).__name__)",
    "module_names": "print(sorted(globals()), __name__, __package__, __spec__, __doc__, __annotations__)",
    "module_doc": "'About this.'\nprint(__doc__)",
    "loader": "print(type(__loader__).__name__, __loader__.name, __cached__)",
    "own_source": "with open(__file__) as file:\n    print(file.read())",
    "own_source_by_name": "import sys\nprint(len(open(sys.argv[0]).read().splitlines()))",
    "own_source_path": "import os, pathlib\nprint(os.path.isabs(__file__), pathlib.Path(__file__).name, "
    "os.path.samefile(__file__, 'solution.py'), os.path.dirname(os.path.abspath(__file__)) == os.getcwd())",
    "own_source_size": "import os\nprint(os.stat(__file__).st_size, os.path.isfile(__file__))",
    "source_is_read_only": """
        import os
        print(open('solution.py').read(5).strip())
        """,
    "listed_folder": "import os\nprint(os.listdir('.'), os.listdir(os.getcwd()))",
    "quine": "s = 's = {!r}\\nprint(s.format(s))'\nprint(s.format(s))",
    "getsource": "import inspect\ndef f(x):\n    # doubles\n    return 2 * x\nprint(inspect.getsource(f))",
    "getsource_class": "import inspect\nclass A:\n    x = 1\n"
    "print(inspect.getsource(A), inspect.getsourcefile(A)[-11:])",
    "linecache": "import linecache\nprint(linecache.getline(__file__, 1))",
    "ast_of_itself": "import ast\nprint(len(ast.parse(open(__file__).read()).body))",
    "import_itself": """
        if __name__ == '__main__':
            import solution
            print(solution.VALUE, solution.__name__)
        VALUE = 7
        """,
    "run_path": "import runpy\nif __name__ == '__main__':\n    print(runpy.run_path(__file__)['X'])\nX = 5",
    "import_main": "import __main__\nx = 3\nprint(__main__.x, __main__.__dict__ is globals())",
    "arguments": "import sys\nprint(sys.argv, len(sys.argv))",
    "argparse": "import argparse\nparser = argparse.ArgumentParser()\nprint(parser.prog, parser.parse_args())",
    "path_zero": "import os, sys\nprint(os.path.realpath(sys.path[0]) == os.path.realpath(os.getcwd()))",
    "dev_fd": "print(open('/dev/fd/0').read())",
    "dev_stdin": "print(open('/dev/stdin').read())",
    "proc_fd": "print(open('/proc/self/fd/0').read())",
    "dev_fd_bytes": "import os\nn = os.open('/dev/fd/0', os.O_RDONLY)\nprint(os.read(n, 3), os.fstat(n).st_size)",
    "dev_fd_out": "with open('/dev/fd/1', 'a') as out:\n    out.write('appended\\n')",
    "proc_fd_out": "open('/proc/self/fd/1', 'a').write('appended\\n')",
    "dev_stdout": "open('/dev/stdout', 'a').write('appended\\n')",
    "dev_stderr": "open('/dev/stderr', 'a').write('noise\\n')\nprint(1)",
    "path_of_stdin": "import pathlib\nprint(pathlib.Path('/dev/fd/0').read_text().split())",
    "fileinput": "import fileinput\nfor line in fileinput.input():\n    print(line.strip(), fileinput.lineno())",
    "thread_pool_mp": """
        from multiprocessing.pool import ThreadPool
        with ThreadPool(4) as pool:
            print(pool.map(abs, [-1, -2, 3]), pool.apply_async(sum, ([1, 2],)).get())
        """,
    "dummy_pool": "from multiprocessing.dummy import Pool\nprint(Pool(3).map(str, range(5)))",
    "mp_lock": "import multiprocessing as mp\nlock = mp.Lock()\nwith lock:\n    print(lock.acquire(block=False), lock)",
    "mp_rlock": "import multiprocessing as mp\nlock = mp.RLock()\nwith lock, lock:\n    print('twice')",
    "mp_semaphore": """
        import multiprocessing as mp
        free = mp.Semaphore(2)
        print([free.acquire(False) for _ in range(3)], free.get_value())
        free.release()
        print(free.get_value(), free.acquire(timeout=0.01), free.acquire(timeout=0.01))
        """,
    "mp_bounded": """
        import multiprocessing as mp
        free = mp.BoundedSemaphore(1)
        try:
            free.release()
        except ValueError as error:
            print(error)
        """,
    "mp_release_unheld": "import multiprocessing\ntry:\n    multiprocessing.Lock().release()\n"
    "except ValueError as error:\n    print(error)",
    "mp_value": "import multiprocessing as mp\nv = mp.Value('i', 3)\nwith v.get_lock():\n    v.value += 1\n"
    "print(v.value)",
    "mp_array": "from multiprocessing import Array, RawArray\na = Array('d', [1, 2])\na[0] = 9\n"
    "print(a[:], RawArray('i', 3)[:])",
    "mp_queue": "import multiprocessing as mp\nq = mp.Queue()\nq.put([1, 'x'])\nprint(q.get(), q.empty())",
    "mp_simple_queue": "from multiprocessing import SimpleQueue\nq = SimpleQueue()\nq.put(4)\nprint(q.get())",
    "mp_joinable": "import multiprocessing as mp\nq = mp.JoinableQueue()\nq.put(1)\nprint(q.get())\n"
    "q.task_done()\nq.join()",
    "mp_pipe": "from multiprocessing import Pipe\na, b = Pipe()\na.send({'x': 1})\nprint(b.recv())\nb.send(2)\n"
    "print(a.recv())",
    "mp_event": "import multiprocessing as mp\ne = mp.Event()\nprint(e.is_set(), e.wait(0.01))\ne.set()\n"
    "print(e.wait())",
    "mp_condition": """
        import multiprocessing as mp, threading
        condition, found = mp.Condition(), []
        def fill():
            with condition:
                found.append(1)
                condition.notify_all()
        with condition:
            threading.Thread(target=fill).start()
            print(condition.wait_for(lambda: found, 5))
        """,
    "mp_barrier": """
        import multiprocessing as mp, threading
        barrier = mp.Barrier(2)
        other = threading.Thread(target=barrier.wait)
        other.start()
        barrier.wait()
        other.join()
        print('passed')
        """,
    "mp_lock_threads": """
        import multiprocessing, threading
        lock, total = multiprocessing.Lock(), 0
        def add():
            global total
            for _ in range(200):
                with lock:
                    total += 1
        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print(total)
        """,
    "mp_spawn_lock": "import multiprocessing\nwith multiprocessing.get_context('spawn').Lock():\n    print('held')",
    "mp_names": "import multiprocessing as mp\n"
    "print(mp.current_process().name, mp.active_children(), mp.parent_process())",
    "executor_threads": """
        from concurrent.futures import ThreadPoolExecutor, as_completed
        with ThreadPoolExecutor(max_workers=40) as pool:
            jobs = [pool.submit(pow, n, 2) for n in range(40)]
            print(sum(job.result() for job in as_completed(jobs)))
        """,
    "hundred_threads": """
        import threading
        ready = threading.Barrier(101)
        for _ in range(100):
            threading.Thread(target=ready.wait).start()
        ready.wait()
        print('all')
        """,
    "stack_of_a_gigabyte": """
        import sys, threading
        threading.stack_size(1 << 30)
        sys.setrecursionlimit(10**6)
        def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
        thread = threading.Thread(target=lambda: print(deep(20000)))
        thread.start()
        thread.join()
        """,
    "stacks_of_two_gigabytes": """
        import threading
        print(threading.stack_size(2**31 - 4096), threading.stack_size())
        threads = [threading.Thread(target=print, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
        """,
    "stack_sizes_told": """
        import threading, _thread
        print(threading.stack_size(), threading.stack_size(1 << 26), threading.stack_size(0), _thread.stack_size())
        for bad in (100, -1):
            try:
                threading.stack_size(bad)
            except ValueError as error:
                print(error)
        """,
    "user_name": "import getpass\nprint(bool(getpass.getuser()))",
    "home": "import os\nprint(os.path.expanduser('~') != '~')",
    "login": "import os\ntry:\n    os.getlogin()\nexcept OSError:\n    pass\nprint(1)",
    "affinity": """
        import os
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(mine)})
        print(os.sched_getaffinity(0) == {min(mine)}, os.sched_getaffinity(os.getpid()) == {min(mine)})
        """,
    "affinity_impossible": """
        import os
        try:
            os.sched_setaffinity(0, {1000})
        except OSError as error:
            print(error)
        for wrong in ([], [-1]):
            try:
                os.sched_setaffinity(0, wrong)
            except (OSError, ValueError) as error:
                print(error)
        """,
    "nicer": "import os\nbefore = os.nice(0)\nprint(os.nice(3) - before, os.nice(0) - before, "
    "os.getpriority(os.PRIO_PROCESS, 0) - before)",
    "set_priority": "import os\nn = os.getpriority(os.PRIO_PROCESS, 0)\nos.setpriority(os.PRIO_PROCESS, 0, n + 2)\n"
    "print(os.getpriority(os.PRIO_PROCESS, os.getpid()) - n)",
    "scheduler": "import os\nos.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))\n"
    "print(os.sched_getscheduler(0) == os.SCHED_BATCH, os.sched_getparam(0).sched_priority)",
    "cores": "import os\nprint(os.cpu_count() >= 1, len(os.sched_getaffinity(0)) >= 1)",
    "limits": """
        import resource
        for kind in (resource.RLIMIT_STACK, resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
            soft, hard = resource.getrlimit(kind)
            resource.setrlimit(kind, (soft, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0)
        """,
    "recursion_to_the_limit": """
        def deep(n): return n if n == 0 else deep(n - 1)
        print(deep(990))
        """,
    "recursion_error": "def f(): f()\ntry:\n    f()\nexcept RecursionError as error:\n    print(error)",
    "frames": "import inspect, sys\nprint(len(inspect.stack()))\ntry:\n    sys._getframe(1)\n"
    "except ValueError as error:\n    print(error)",
    "stack_printed": "import traceback\ntraceback.print_stack(file=__import__('sys').stdout)",
    "alarm": """
        import signal
        def late(number, frame):
            print('alarm', number == signal.SIGALRM)
            raise TimeoutError
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        try:
            while True: pass
        except TimeoutError:
            print('stopped', signal.alarm(0))
        """,
    "alarm_unhandled": "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0.01)\nsignal.pause()",
    "signals": """
        import os, signal
        signal.signal(signal.SIGUSR1, lambda *_: print('caught'))
        os.kill(os.getpid(), signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
    "interrupted": "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    while True: pass\n"
    "except KeyboardInterrupt:\n    print('interrupted')",
    "abort": "import os\nos.abort()",
    "faulthandler": "import faulthandler\nfaulthandler.enable()\nprint(faulthandler.is_enabled())\n"
    "faulthandler.disable()",
    "locale": "import locale\nlocale.setlocale(locale.LC_ALL, '')\n"
    "print(f'{1234567:n}', locale.getpreferredencoding())",
    "encodings": "import sys\nprint(sys.stdin.encoding, sys.stdout.encoding, sys.stdout.errors, sys.stdin.errors, "
    "sys.getfilesystemencoding(), sys.stdout.line_buffering, sys.stdin.isatty())",
    "unicode": "print('\\N{SNOWMAN} \\u00e9', ascii('\\u00e9'))\nprint(input().upper())",
    "surrogates": "import sys\nsys.stdout.write('\\udc80\\n')",
    "platform": "import platform\n"
    "print(platform.system(), platform.python_implementation(), bool(platform.platform()), "
    "platform.python_version(), platform.machine(), bool(platform.node() or 1))",
    "uuid": "import uuid\nprint(uuid.uuid5(uuid.NAMESPACE_DNS, 'a'), uuid.uuid4().version, uuid.uuid1().version)",
    "socket_import": "import select, socket, ssl\n"
    "print(socket.AF_INET.name, socket.htons(1), bool(socket.gethostname()))",
    "socket_pair": "import socket\na, b = socket.socketpair()\na.sendall(b'x')\nprint(b.recv(1))",
    "select_stdin": "import select, sys\nprint(select.select([sys.stdin], [], [], 0)[0] == [sys.stdin])",
    "processes_survived": """
        import subprocess
        try:
            print(subprocess.run(['echo', 'x'], capture_output=True).returncode)
        except OSError:
            print(0)
        """,
    "fork_survived": """
        import os
        try:
            if os.fork() == 0:
                os._exit(0)
            os.wait()
        except OSError:
            pass
        print('parent')
        """,
    "temporary_names": "import tempfile\nwith tempfile.SpooledTemporaryFile() as file:\n    file.write(b'x')\n"
    "    print(file.tell())",
    "string_files": "import io\nprint(io.StringIO('a\\nb').readlines(), io.BytesIO(b'x').read())",
    "working_folder": "import os\nprint(os.getcwd() == os.path.abspath('.'), os.path.exists('.'))",
    "environment": "import os\nos.environ['X'] = '1'\n"
    "print(os.getenv('X'), os.environ.get('PYTHONHASHSEED'), 'PATH' in os.environ)",
    "redirected": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as out:\n"
    "    print('in')\nprint(out.getvalue())",
    "dup_stdout": "import os, sys\nkept = os.dup(1)\nos.write(kept, b'a\\n')\nos.dup2(kept, 1)\nprint('b')",
    "closed_stdout_descriptor": "import os\nprint('lost')\nos.close(1)",
    "stderr_closed": "import sys\nsys.stderr.close()\nprint(1)",
    "stderr_gone": "import sys\nsys.stderr = None\nprint(1)\n1 / 0",
    "stdout_deleted": "import sys\nprint(1)\ndel sys.stdout\nsys.exit(3)",
    "stderr_deleted": "import sys\nprint(1)\ndel sys.stderr",
    "own_stdout_deleted": "import sys\nprint(1)\ndel sys.__stdout__",
    "hook_deleted": "import sys\nprint(1)\ndel sys.excepthook\n1 / 0",
    "builtins_deleted": "import builtins\nprint(1)\nvars(builtins).clear()",
    "mime_types": "import mimetypes\nprint(mimetypes.guess_type('a.html'))",
    "stdout_gone": "import sys\nprint(1)\nsys.stdout = None\nprint(2)",
    "print_at_exit_of_thread": "import threading\nthreading.Timer(0.02, print, ['timer']).start()",
    "broken_thread": "import threading\nthreading.Thread(target=lambda: 1 / 0).start()",
    "thread_excepthook": "import threading\nthreading.excepthook = lambda args: print(args.exc_type.__name__)\n"
    "threading.Thread(target=lambda: 1 / 0).start()",
    "unraisable": "import sys\nsys.unraisablehook = lambda u: print('unraisable', u.exc_type.__name__)\n"
    "class A:\n    def __del__(self): 1 / 0\nA()",
    "main_thread": "import threading\nt = threading.current_thread()\nprint(t.name, t is threading.main_thread(), "
    "threading.active_count(), t.ident == threading.get_ident())",
    "asyncio": "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n"
    "    print(await asyncio.to_thread(sum, [1, 2]))\n"
    "asyncio.run(main())",
    "asyncio_pending": "import asyncio\nasync def wait():\n    try:\n        await asyncio.sleep(60)\n    finally:\n"
    "        print('cancelled')\nasync def main():\n    asyncio.create_task(wait())\n"
    "    await asyncio.sleep(0)\nasyncio.run(main())",
    "coroutine_left": "async def f():\n    try:\n        await g()\n    finally:\n        print('closed')\nclass g:\n"
    "    def __await__(self): yield\nc = f()\nc.send(None)",
    "globals_order": "class A:\n    def __init__(self, n): self.n = n\n    def __del__(self): print('del', self.n)\n"
    "_a = A('_a')\nb = A('b')\nc = A('c')",
    "destructor_cycle": "class A:\n    def __del__(self): print('collected')\na = A()\na.me = a\ndel a\n"
    "import gc\ngc.disable()",
    "destructor_of_class_attribute": "class A:\n    def __del__(self): print('late')\nclass B: held = A()",
    "gc_callbacks": "import gc\ngc.callbacks.append(lambda phase, info: None)\n"
    "print(gc.isenabled(), gc.collect() >= 0)",
    "logging_to_stdout": "import logging, sys\n"
    "logging.basicConfig(stream=sys.stdout, format='%(levelname)s %(message)s')\n"
    "logging.warning('x')",
    "memory_handler": "import logging, logging.handlers, sys\nh = logging.handlers.MemoryHandler(9, 50, "
    "logging.StreamHandler(sys.stdout))\nlogging.getLogger().addHandler(h)\nlogging.error('kept')",
    "warnings_kept": "import warnings\nwith warnings.catch_warnings(record=True) as found:\n"
    "    warnings.simplefilter('always')\n"
    "    warnings.warn('x')\nprint(len(found))",
    "unittest": "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\n"
    "if __name__ == '__main__':\n    unittest.main()",
    "doctest": "import doctest\ndef f(x):\n    '''\n    >>> f(1)\n    2\n    '''\n    return x + 1\n"
    "print(doctest.testmod())",
    "pickle_of_main": "import pickle\nclass A:\n    x = 4\nprint(pickle.loads(pickle.dumps(A())).x, A.__module__)",
    "type_hints": "from __future__ import annotations\nimport typing\nclass A:\n    x: int\n"
    "print(typing.get_type_hints(A))",
    "profiled": "import cProfile\ndef f(): return 1\ncProfile.run('f()', '/dev/null')\nprint('profiled')",
    "traced": "import sys\nlines = []\ndef trace(frame, event, arg):\n    lines.append(event)\n    return trace\n"
    "sys.settrace(trace)\ndef f(): return 1\nf()\nsys.settrace(None)\nprint(lines)",
    "mapped_stdin": "import mmap\nwith mmap.mmap(0, 0, prot=mmap.PROT_READ) as m:\n    print(m[:3])",
    "stdin_facts": "import os, stat, sys\n"
    "print(stat.S_ISREG(os.fstat(0).st_mode), os.fstat(0).st_size, sys.stdin.seekable(), "
    "sys.stdin.name, sys.stdin.fileno())",
    "stdin_twice": "import sys\nprint(sys.stdin.read())\nsys.stdin.seek(0)\nprint(sys.stdin.readline())",
    "prompt": "print(input('name: '))",
    "find_library": "import ctypes, ctypes.util\nprint(ctypes.CDLL(ctypes.util.find_library('c')).abs(-3))",
    "c_atexit": "import ctypes\nf = ctypes.CFUNCTYPE(None)(lambda: None)\nprint(ctypes.CDLL(None).getpid() > 0)",
    "c_puts_then_error": "import ctypes\nctypes.CDLL(None).puts(b'from C')\nraise ValueError('x')",
    "sqlite": "import sqlite3\nprint(sqlite3.connect(':memory:').execute('select 1 + 1').fetchone())",
    "zone": "import datetime, zoneinfo\n"
    "print(datetime.datetime(2020, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Paris')).utcoffset())",
    "shutil_size": "import shutil\n"
    "print(shutil.get_terminal_size(), bool(shutil.which('nothing-of-this-name') is None))",
    "seeded": "import random\nrandom.seed(5)\nprint(random.random(), random.Random(3).randint(1, 9))",
    "hashes": "print({'a', 'b', 'c'} == set('cab'), hash(1), hash((1, 2)))",
    "system_random": "import secrets, random, os\n"
    "print(len(secrets.token_bytes(4)), random.SystemRandom().random() < 1, len(os.urandom(3)))",
    "help_and_quit": "print(callable(help), callable(quit), repr(exit), bool(copyright), bool(credits))",
    "nested_exec": "exec(\"def g():\\n try:\\n  yield 1\\n finally:\\n  print('exec closed')\\n\")\nk = g()\nnext(k)",
    "exception_group": "try:\n    raise ExceptionGroup('g', [ValueError(1)])\nexcept* ValueError as e:\n"
    "    print(e.exceptions)",
    "syntax_warning": "print('\\d' 'x' == 1)",
    "last_value": "import sys\nprint(hasattr(sys, 'last_value'), sys.exc_info())",
    "chained_error": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error",
    "sent_file": "import os\nprint(os.path.basename(__file__), __file__.endswith('solution.py'))",
}  # fmt: skip
STDIN = "first line\nsecond\n"


def programs() -> dict[str, str]:
    """Return the source of every program by its name."""
    found = {name: dedent(source) for name, source in IDIOMS.items()}
    for name, pending in PENDING.items():
        for way, leaving in LEAVING.items():
            found[f"{name}_then_{way}"] = f"print('run')\n{dedent(pending)}\n{leaving}\n"
    return found
