#!/usr/bin/python3
"""Goal: HTTP/2 as RFC 9113 has it. Method: h2spec, strict, against `waybill serve`, plain and in TLS.
What fails must be in h2spec_known_failures.txt, where each line says why; what passes must not be there.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402
from certificates import make_certificate  # noqa: E402

METHOD = "/waybill.inventory.v1.InventoryService/VerifyLedger"
CASES_MIN = 145
KNOWN = os.path.join(HERE, "h2spec_known_failures.txt")


def known_failures():
    """Those that always fail, and those that sometimes do."""
    with open(KNOWN, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    always, sometimes = set(), set()
    for line in lines:
        name, why = line.split(" # ", 1)
        (sometimes if why.startswith("sometimes:") else always).add(name)
    return always, sometimes


def failures(server_arguments, arguments):
    program = outside_tools.install("github.com/summerwind/h2spec/cmd/h2spec", "v2.2.1+incompatible")
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.xml")
        with waybill_process.Server(os.path.join(directory, "data"), *server_arguments) as server:
            host, port = server.listen.rsplit(":", 1)
            subprocess.run([program, "-h", host, "-p", port, "-P", METHOD, "-o", "5", "-S", "-j",
                            report, *arguments], stdout=subprocess.DEVNULL, timeout=300)
        with open(report, encoding="utf-8", errors="replace") as file:
            # It quotes what it has read byte by byte, and not all of that may stand in XML.
            text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#x?[01]?[0-9a-fA-F];", "?", file.read())
    cases = list(xml.etree.ElementTree.fromstring(text).iter("testcase"))
    failed = {f"{case.get('package')} {case.get('classname')}" for case in cases
              if case.find("failure") is not None or case.find("error") is not None}
    print(f"# {len(cases)} cases, {len(failed)} fail")
    assert len(cases) >= CASES_MIN, f"{len(cases)} cases, not {CASES_MIN}"
    return failed


def only_known_cases_fail():
    always, sometimes = known_failures()
    failed = failures([], [])
    new, gone = failed - always - sometimes, always - failed
    assert not new, "these fail: " + "; ".join(sorted(new))
    assert not gone, "these pass now, take them from the list: " + "; ".join(sorted(gone))


def only_known_cases_fail_in_tls():
    with tempfile.TemporaryDirectory() as directory:
        certificate, key = make_certificate(directory, "server")
        failed = failures(["--tls-certificate", certificate, "--tls-key", key], ["-t", "-k"])
    new = failed - set.union(*known_failures())
    assert not new, "these fail: " + "; ".join(sorted(new))


tap.run([only_known_cases_fail, only_known_cases_fail_in_tls])
