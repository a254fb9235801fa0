#!/usr/bin/python3
"""Goal: /openapi.json is valid OpenAPI and true. Method: two validators that we did not write
(openapi-spec-validator, @apidevtools/swagger-parser), and schemathesis, which makes requests of it and
looks whether the answers are what it says. What only prose can say (which ids are allowed) is not in a
schema, so refusing what fits the schema is no failure here; nor is taking more than it says, as the JSON
mapping demands (null for a default, numbers as strings).
"""

import os
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import outside_tools  # noqa: E402
import tap  # noqa: E402
import waybill_process  # noqa: E402

PYTHON_PACKAGES = ["openapi-spec-validator==0.8.5", "schemathesis==4.32.5"]
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance," \
         "response_schema_conformance"
SECONDS_MAX = 300


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, **more)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def python_tool(name):
    python = outside_tools.python_with(*PYTHON_PACKAGES)
    return os.path.join(os.path.dirname(python), name)


def with_document(case):
    def run_case():
        with tempfile.TemporaryDirectory() as directory:
            with waybill_process.Server(os.path.join(directory, "data")) as server:
                url = f"http://{server.listen}/openapi.json"
                path = os.path.join(directory, "openapi.json")
                with urllib.request.urlopen(url) as answer, open(path, "wb") as file:
                    file.write(answer.read())
                case(path, url)
    run_case.__name__ = case.__name__
    return run_case


@with_document
def openapi_spec_validator_finds_it_valid(path, _):
    assert "OK" in run(python_tool("openapi-spec-validator"), path)


@with_document
def swagger_parser_finds_it_valid(path, _):
    directory = outside_tools.node_with("node_openapi", "@apidevtools/swagger-parser@13.1.0")
    run("node", "-e", "require('@apidevtools/swagger-parser').default"
        f".validate('{path}').catch(e => {{ console.error(e); process.exit(1); }})", cwd=directory)


@with_document
def schemathesis_finds_no_answer_that_differs(_, url):
    with tempfile.TemporaryDirectory() as directory:  # it leaves caches where it stands
        run(python_tool("schemathesis"), "run", url, "--checks", CHECKS, "--max-examples", "8",
            "--seed", "1", "--no-color", "--request-timeout", "60",
            cwd=directory)


tap.run([openapi_spec_validator_finds_it_valid, swagger_parser_finds_it_valid,
         schemathesis_finds_no_answer_that_differs])
