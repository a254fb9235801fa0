#!/usr/bin/python3
"""Goal: HTTP/2 as RFC 9113 has it. Method: h2spec, strict, against `waybill serve`. What fails must be
in h2spec_known_failures.txt, where each line says why; what passes must not be there.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import go_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402

METHOD = "/waybill.inventory.v1.InventoryService/VerifyLedger"
CASES_MIN = 145
KNOWN = os.path.join(HERE, "h2spec_known_failures.txt")


def known_failures():
    with open(KNOWN, encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    return {line.split(" # ", 1)[0] for line in lines}


def only_known_cases_fail():
    program = go_tools.install("github.com/summerwind/h2spec/cmd/h2spec", "v2.2.1+incompatible")
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.xml")
        with waybill_process.Server(os.path.join(directory, "data")) as server:
            host, port = server.listen.rsplit(":", 1)
            subprocess.run([program, "-h", host, "-p", port, "-P", METHOD, "-o", "2", "-S", "-j",
                            report], stdout=subprocess.DEVNULL, timeout=300)
        cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
    failed = {f"{case.get('package')} {case.get('classname')}" for case in cases
              if case.find("failure") is not None or case.find("error") is not None}
    assert len(cases) >= CASES_MIN, f"{len(cases)} cases, not {CASES_MIN}"
    print(f"# {len(cases)} cases, {len(failed)} fail")
    new, gone = failed - known_failures(), known_failures() - failed
    assert not new, "these fail: " + "; ".join(sorted(new))
    assert not gone, "these pass now, take them from the list: " + "; ".join(sorted(gone))


tap.run([only_known_cases_fail])
