"""Outside tools in Go, Python and Node, fetched once into a cache outside the repository.

WAYBILL_TOOLS names the cache (default ~/.cache/waybill-tests). Without a Go that is new enough, or
without a network to fetch by, the case is a skip with its reason.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

CACHE = os.environ.get("WAYBILL_TOOLS", os.path.expanduser("~/.cache/waybill-tests"))
GO_MINOR_MIN = 24  # older ones cannot fetch the toolchain that these tools ask for
FETCH_SECONDS_MAX = 600


def go():
    """The Go command; a skip without one."""
    program = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if not program:
        raise tap.Skip("there is no Go toolchain here; this tool is fetched with it")
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go1\.(\d+)", said)
    if not found or int(found.group(1)) < GO_MINOR_MIN:
        raise tap.Skip(f"{said.strip()} is too old; Go 1.{GO_MINOR_MIN} or newer is needed")
    return program


def install(path, version):
    """Gives the program built from `path`@`version`."""
    name = path.rsplit("/", 1)[1]
    if re.fullmatch(r"v\d+", name):
        name = path.rsplit("/", 2)[1]
    directory = os.path.join(CACHE, f"{name}@{version.replace('+', '_')}")
    program = os.path.join(directory, name)
    if os.path.exists(program):
        return program
    os.makedirs(directory, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as fetched:  # a cut fetch leaves no half program
        done = subprocess.run([go(), "install", f"{path}@{version}"], capture_output=True, text=True,
                              env={**os.environ, "GOBIN": fetched, "GOFLAGS": "-mod=mod"},
                              timeout=FETCH_SECONDS_MAX)
        if done.returncode != 0:
            raise tap.Skip(f"go install {path}@{version}: {done.stderr.strip().splitlines()[-1]}")
        os.replace(os.path.join(fetched, name), program)
    return program


def python_with(*packages):
    """A Python that has these packages, "name==version" each."""
    name = "python-" + "-".join(package.split("==")[0] for package in packages)
    directory = os.path.join(CACHE, name)
    program = os.path.join(directory, "bin", "python")
    note = os.path.join(directory, "installed")
    wanted = "\n".join(packages)
    if os.path.exists(note) and open(note, encoding="utf-8").read() == wanted:
        return program
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", directory],
                          capture_output=True, text=True)
    if made.returncode != 0:
        raise tap.Skip("Python's venv is missing here (python3-venv)")
    done = subprocess.run([program, "-m", "pip", "install", "--quiet", *packages],
                          capture_output=True, text=True, timeout=FETCH_SECONDS_MAX)
    if done.returncode != 0:
        raise AssertionError(f"pip install {wanted}:\n{done.stderr}")
    with open(note, "w", encoding="utf-8") as file:
        file.write(wanted)
    return program


def node_with(name, *packages):
    """The directory where Node finds these packages ("name@version"); `name` is the directory's own."""
    if not shutil.which("npm"):
        raise tap.Skip("there is no Node with npm here")
    directory = os.path.join(CACHE, name)
    note = os.path.join(directory, "installed")
    wanted = "\n".join(packages)
    os.makedirs(directory, exist_ok=True)
    if os.path.exists(note) and open(note, encoding="utf-8").read() == wanted:
        return directory
    done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error",
                           *packages], cwd=directory, capture_output=True, text=True,
                          timeout=FETCH_SECONDS_MAX)
    if done.returncode != 0:
        raise tap.Skip(f"npm cannot install {wanted}: {' '.join(done.stderr.split())[:300]}")
    with open(note, "w", encoding="utf-8") as file:
        file.write(wanted)
    return directory
