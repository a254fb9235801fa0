"""Certificates for the Python suites, made by openssl."""

import os
import subprocess


def make_certificate(directory, name, authority=None):
    """Self-signed, or signed by the authority of that name. Gives the paths of both files."""
    certificate, key = (os.path.join(directory, name + end) for end in (".pem", ".key"))
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
               "-days", "30", "-subj", "/CN=" + name, "-addext",
               "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    if authority:
        command += ["-CA", os.path.join(directory, authority + ".pem"), "-CAkey",
                    os.path.join(directory, authority + ".key")]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
