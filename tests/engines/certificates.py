"""Certificates for an engine that is reached over TCP: an authority, the engine's own and a client's, made by openssl for a day."""

import subprocess
from pathlib import Path


class Certificates:
    """A folder as DOCKER_CERT_PATH names it: ca.pem, cert.pem and key.pem are the client's."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        self.folder = folder
        folder.mkdir()
        self._authority()
        self._issue("", "/CN=client", "extendedKeyUsage=clientAuth")
        self._issue("engine-", "/CN=engine", f"subjectAltName=IP:{address},DNS:localhost\nextendedKeyUsage=serverAuth")

    @property
    def options(self) -> tuple[str, ...]:
        """What makes dockerd ask every client for a certificate of this authority."""
        files = {"tlscacert": "ca.pem", "tlscert": "engine-cert.pem", "tlskey": "engine-key.pem"}
        return ("--tlsverify", *(f"--{option}={self.folder / name}" for option, name in files.items()))

    def _authority(self) -> None:
        self._openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=tests -keyout ca-key.pem -out ca.pem"
        )

    def _issue(self, prefix: str, subject: str, extensions: str) -> None:
        (self.folder / "extensions").write_text(extensions)
        wanted = f"-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj {subject}"
        self._openssl(f"req {wanted} -keyout {prefix}key.pem -out {prefix}request.pem")
        signed_by = "-CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 1 -extfile extensions"
        self._openssl(f"x509 -req -in {prefix}request.pem {signed_by} -out {prefix}cert.pem")

    def _openssl(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True)
