"""Test Anything Protocol for the Python suites: one line a case, diagnostics behind '#'.

    tap.run([case_one, case_two])     the function's name is the case's name

A case fails by raising; a case that cannot run here raises tap.Skip(reason).
Names given on the command line select cases. A suite that hangs tells on stderr where.
"""

import faulthandler
import sys
import time
import traceback

HANGS_SECONDS = 300


class Skip(Exception):
    """The machine lacks something; the reason is shown. With CI=true the runner counts it as failed."""


def run(cases):
    chosen = [case for case in cases if not sys.argv[1:] or case.__name__ in sys.argv[1:]]
    failed = 0
    faulthandler.dump_traceback_later(HANGS_SECONDS, repeat=True)
    print(f"1..{len(chosen)}", flush=True)
    for number, case in enumerate(chosen, 1):
        began = time.monotonic()
        try:
            case()
            print(f"ok {number} {case.__name__} # {time.monotonic() - began:.1f} s", flush=True)
        except Skip as reason:
            print(f"ok {number} {case.__name__} # SKIP {reason}", flush=True)
        except Exception:  # a test may fail in any way; all of them are reported alike
            failed += 1
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
            print(f"not ok {number} {case.__name__}", flush=True)
    sys.exit(1 if failed else 0)
