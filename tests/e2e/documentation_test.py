#!/usr/bin/python3
"""Goal: every command that the documents show can be typed as it stands, and prints what they show.

Method: each Markdown document is a case. Its blocks that begin with "$ " are sessions: the commands run
one after the other in one shell each, in a folder of the document's own where build/waybill, data and
config are those of this build. What stands behind a command is compared line by line; "…" stands for
anything within a line, a line "…" for any lines. Times, tokens and ports are compared by their form.
A command shown with "^C" at its end is interrupted; one ending in "&" goes on until its document ends.

A block that begins with "# prepared:" in an HTML comment is run before, unseen by readers.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
PROGRAM = os.environ["WAYBILL_PROGRAM"]
COMMAND_SECONDS_MAX = 120
INTERRUPT_SECONDS = 3
BLOCK = re.compile(r"^```[a-z]*\n(\$ .*?)^```$|^<!-- prepared:\n(.*?)^-->$", re.M | re.S)
FORMS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\b\d\d:\d\d:\d\d\.\d{3}\b"), "TIME"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shell:
    """The folder and the addresses of one document."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="waybill-documentation-")
        self.ports = {"7400": str(free_port()), "7480": str(free_port()), "7500": str(free_port())}
        self.background = []
        os.mkdir(os.path.join(self.folder, "build"))
        os.symlink(PROGRAM, os.path.join(self.folder, "build", "waybill"))
        for name in ("data", "config", "proto"):
            os.symlink(os.path.join(ROOT, name), os.path.join(self.folder, name))
        self.environment = {
            **os.environ,
            "WAYBILL_LISTEN": "127.0.0.1:" + self.ports["7400"],
            "WAYBILL_OPERATIONS": "127.0.0.1:" + self.ports["7480"],
            "WAYBILL_SERVER": "127.0.0.1:" + self.ports["7400"],
        }

    def here(self, text):
        """The text with the ports of this document instead of the usual ones."""
        return re.sub(r"\b(7400|7480|7500)\b", lambda match: self.ports[match.group()], text)

    def start(self, command):
        return subprocess.Popen(
            ["/bin/sh", "-c", self.here(command)], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True)

    def run(self, command, is_interrupted):
        process = self.start(command)
        timer = threading.Timer(
            INTERRUPT_SECONDS if is_interrupted else COMMAND_SECONDS_MAX, os.killpg,
            (process.pid, signal.SIGINT if is_interrupted else signal.SIGKILL))
        timer.start()
        try:
            return process.communicate()[0]
        finally:
            timer.cancel()

    def run_beside(self, command, line_count):
        """Its first lines; it goes on."""
        process = self.start("exec " + command.rstrip("& "))  # so that it is what is ended
        self.background.append(process)
        timer = threading.Timer(COMMAND_SECONDS_MAX, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        lines = [process.stdout.readline() for _ in range(line_count)]
        timer.cancel()
        threading.Thread(target=process.stdout.read, daemon=True).start()
        return "".join(lines)

    def stop(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)

    def close(self):
        for process in self.background:
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)


def commands_of(block):
    """(command, lines shown behind it), a command's own further lines ending in a backslash or quote."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
        elif found and not found[-1][1] and is_open(found[-1][0]):
            found[-1][0] += "\n" + line
        else:
            found[-1][1].append(line)
    return found


def is_open(command):
    outside = re.sub(r"'[^']*'", "", command).replace('\\"', "")
    return command.endswith(("\\", "|")) or outside.count("'") + outside.count('"') % 2 == 1


def in_form(line):
    for pattern, form in FORMS:
        line = pattern.sub(form, line)
    return line.rstrip()


def fits(shown, printed):
    """Whether the lines printed are those shown; "…" as said above."""
    if not shown:
        return not printed
    if shown[0].strip() == "…":
        return any(fits(shown[1:], printed[at:]) for at in range(len(printed) + 1))
    if not printed:
        return False
    pattern = ".*".join(re.escape(part) for part in in_form(shown[0]).split("…"))
    return bool(re.fullmatch(pattern, in_form(printed[0]))) and fits(shown[1:], printed[1:])


def check(shell, command, shown):
    interrupted = "^C" in shown
    if interrupted:
        shown = [line for line in shown if line != "^C"]
    if command.endswith("&"):
        output = shell.run_beside(command, max(1, len(shown)))
    elif command.startswith("kill %"):
        shell.stop(shell.background[int(command[len("kill %"):]) - 1])
        output = ""
    else:
        output = shell.run(command, interrupted)
    printed = output.replace("^C", "").splitlines()
    if shown and not fits([shell.here(line) for line in shown], printed):
        raise AssertionError("\n".join(
            [f"$ {command}", "shown:", *shown, "printed:", *printed[:60]]))
    if not shown and re.search(r"(?m)^(sh: |[A-Z_]+ [A-Z_]+: |waybill[a-z ]*: )", output):
        raise AssertionError(f"$ {command}\nfailed:\n{output}")


def check_document(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    shell = Shell()
    count = 0
    try:
        for match in BLOCK.finditer(text):
            for command, shown in commands_of(match.group(1) or match.group(2)):
                check(shell, command, shown)
                count += 1
    finally:
        shell.close()
    assert count > 0, f"{path} shows no command"


def documents():
    """Those that show commands."""
    found = []
    for folder, _, names in os.walk(os.path.join(ROOT, "docs")):
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names
                  if name.endswith(".md")]
    found += ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"]
    for path in sorted(found):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            if BLOCK.search(file.read()):
                yield path


def case_of(path):
    def case():
        check_document(path)
    case.__name__ = re.sub(r"\W+", "_", path)
    return case


tap.run([case_of(path) for path in documents()])
