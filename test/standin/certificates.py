"""The certificates that a client may be shown, one good and several bad."""

import ssl
import subprocess
from pathlib import Path

GOOD = 'good'

# a day more than a week's test; one that ends when it begins is over at once
DAYS, NONE = 7, 0


def openssl(*arguments: str | Path, given: bytes = b'') -> bytes:
    return subprocess.run(['openssl', *map(str, arguments)], check=True,
                          input=given, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout


def names(host: str) -> list[str]:
    """What makes a certificate one for this host."""
    also = ',IP:127.0.0.1' if host == 'localhost' else ''
    return ['-addext', f'subjectAltName=DNS:{host}{also}']


def self_signed(certificate: Path, key: Path, host: str) -> None:
    """A certificate that is its own authority."""
    openssl('req', '-x509', '-nodes', '-days', str(DAYS),
            '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
            '-subj', f'/CN={host}', *names(host),
            '-keyout', key, '-out', certificate)
    key.chmod(0o600)


def issued(certificate: Path, key: Path, host: str, days: int,
           authority: tuple[Path, Path]) -> None:
    """A certificate that an authority has signed."""
    request = openssl('req', '-new', '-nodes',
                      '-newkey', 'ec', '-pkeyopt',
                      'ec_paramgen_curve:prime256v1',
                      '-subj', '/CN=service', *names(host), '-keyout', key)
    openssl('x509', '-req', '-days', str(days), '-copy_extensions', 'copy',
            '-CA', authority[0], '-CAkey', authority[1], '-set_serial', '2',
            '-out', certificate, given=request)
    key.chmod(0o600)


class Certificates:
    """Files of a directory: ca.pem with key.pem, KIND.pem with KIND.key."""

    def __init__(self, directory: Path, host: str) -> None:
        good = directory / 'ca.pem', directory / 'key.pem'
        self_signed(*good, host)
        stranger = directory / 'stranger.pem', directory / 'stranger.key'
        self_signed(*stranger, 'stranger.example')
        self.files = {GOOD: good}
        for kind in ('expired', 'other_host', 'self_signed', 'unknown_ca'):
            self.files[kind] = (directory / f'{kind}.pem',
                                directory / f'{kind}.key')
        issued(*self.files['expired'], host, NONE, good)
        issued(*self.files['other_host'], 'other.example', DAYS, good)
        self_signed(*self.files['self_signed'], host)
        issued(*self.files['unknown_ca'], host, DAYS, stranger)
        self.contexts = {}
        for kind, files in self.files.items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files)
            self.contexts[kind] = context

    @property
    def ca_file(self) -> Path:
        return self.files[GOOD][0]
