#!/usr/bin/python3
"""Builds the three variants, runs their tests in parallel, counts single cases.

    run_tests.py [FILTER | nightly]

A variant is a build directory with its compiler and sanitizers, and the suites that run in it. Cases
are counted from Meson's JUnit report, so one Test Anything Protocol line is one case. With CI=true a
skip counts as failed: a machine that skips proves less than it says.
"""

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PLACE = re.compile(r"\s*\[?\s*(\d+)/(\d+)[\s\]]")  # "[3/490] Compiling…", " 3/93 waybill:unit / …"
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
    "LSAN_OPTIONS": "print_suppressions=0:suppressions="
                    + os.path.join(ROOT, "tools", "leak_sanitizer.suppressions"),
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:suppressions="
                    + os.path.join(ROOT, "tools", "thread_sanitizer.suppressions"),
    "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-14",
}


class Variant:
    def __init__(self, name, compiler, options, suites):
        self.name = name
        self.directory = os.path.join(ROOT, "build-test-" + name)
        self.compiler = compiler
        self.options = options
        self.suites = suites  # None = all but the nightly ones


VARIANTS = [
    Variant("gcc", "gcc", [], None),
    Variant("clang-asan", "clang-14",
            ["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dfuzz=true"],
            ["unit", "contract", "crash", "fuzz"]),
    Variant("clang-tsan", "clang-14", ["-Db_sanitize=thread", "-Db_lundef=false"], ["threads"]),
]


def watched(command, title, environment):
    """(exit code, output) of a command; a person at a terminal sees how far it is."""
    is_seen = sys.stderr.isatty()
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = []
    for line in process.stdout:
        output.append(line)
        place = PLACE.match(line)
        if is_seen and place:
            sys.stderr.write(f"\r\x1b[K{title}: {place.group(1)} of {place.group(2)}")
            sys.stderr.flush()
    if is_seen:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
    return process.wait(), "".join(output)


def run(command, title, environment=None):
    """Runs quietly; shows the output and ends if it fails."""
    code, output = watched(command, title, environment or {})
    if code != 0:
        sys.stdout.write(output)
        print(f"failed: {' '.join(command)}")
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)


def build(variant):
    began = time.monotonic()
    if not os.path.exists(os.path.join(variant.directory, "build.ninja")):
        run(["meson", "setup", variant.directory, *variant.options], f"configuring {variant.name}",
            {"CC": variant.compiler})
    run(["ninja", "-C", variant.directory], f"building {variant.name}")
    print(f"built {variant.name} in {time.monotonic() - began:.0f} s", flush=True)


def names_of(variant, words):
    listing = subprocess.run(["meson", "test", "-C", variant.directory, "--list", "--no-rebuild"],
                             cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = []
    for line in listing.splitlines():
        name = line.split(" / ")[-1].split(":")[-1].strip()
        if name and any(word in line for word in words):
            names.append(name)
    return names


def test(variant, nightly, names):
    """Runs the tests and gives the path of the report."""
    command = ["meson", "test", "-C", variant.directory, "--no-rebuild", "--print-errorlogs"]
    if names is not None:
        command += names
    elif nightly:
        command += ["--suite", "nightly", "--timeout-multiplier", "30"]
    else:
        command += ["--timeout-multiplier", "2"]  # a busy machine is no failure
        if variant.suites is None:
            command += ["--no-suite", "nightly"]
        else:
            for suite in variant.suites:
                command += ["--suite", suite]
    began = time.monotonic()
    code, output = watched(command, f"running {variant.name}", SANITIZER_OPTIONS)
    if code != 0:
        sys.stdout.write(output)
    print(f"ran {variant.name} in {time.monotonic() - began:.0f} s", flush=True)
    return os.path.join(variant.directory, "meson-logs", "testlog.junit.xml"), code


def count(report, totals, problems, variant):
    suites = xml.etree.ElementTree.parse(report).getroot()
    for case in suites.iter("testcase"):
        name = f"{variant.name}: {case.get('classname') or ''} {case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            totals["failed"] += 1
            problems.append("FAILED " + name)
        elif skipped is not None:
            totals["skipped"] += 1
            problems.append("SKIPPED " + name)
        else:
            totals["passed"] += 1


def main():
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    nightly = word == "nightly"
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    problems = []
    variants = VARIANTS[:1] if word else VARIANTS
    for variant in variants:
        build(variant)
    for variant in variants:
        names = names_of(variant, [word]) if word and not nightly else None
        if names == []:
            print(f"no test has a name with {word!r}; `meson test -C {variant.directory} --list`")
            continue
        report, code = test(variant, nightly, names)
        before = totals["failed"]
        count(report, totals, problems, variant)
        if code != 0 and totals["failed"] == before:
            totals["failed"] += 1
            problems.append(f"FAILED {variant.name}: the runner's exit code was {code}")
    for problem in problems:
        print(problem)
    if os.environ.get("CI") == "true" and totals["skipped"]:
        print("CI: a skip is a failure")
        totals["failed"] += totals["skipped"]
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**totals))
    sys.exit(1 if totals["failed"] or not totals["passed"] else 0)


main()
