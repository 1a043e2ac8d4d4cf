"""Certificates, made by openssl."""

import subprocess
from pathlib import Path

NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1'


def self_signed(directory: Path, name: str = 'cert') -> tuple[Path, Path]:
    """A certificate for this machine, as documentation tells users to make one, and its key."""
    certificate, key = directory / f'{name}.pem', directory / f'{name.replace("cert", "key")}.pem'
    openssl('req', '-x509', *new_key(key), '-out', certificate, '-days', 30, '-subj', '/CN=localhost', '-addext', NAMES)
    return certificate, key


def signed_by(authority: tuple[Path, Path], directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate that an authority vouches for, and its key."""
    certificate, key = directory / f'{name}-cert.pem', directory / f'{name}-key.pem'
    request, extensions = directory / f'{name}.csr', directory / f'{name}.ext'
    extensions.write_text(f'basicConstraints=CA:FALSE\n{NAMES}\n')
    openssl('req', *new_key(key), '-out', request, '-subj', f'/CN={name}')
    by = ['-CA', authority[0], '-CAkey', authority[1], '-CAcreateserial', '-extfile', extensions]
    openssl('x509', '-req', '-in', request, *by, '-out', certificate, '-days', 30)
    return certificate, key


def new_key(key: Path) -> list:
    """A fresh key without a passphrase."""
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]


def openssl(*arguments):
    """Runs it."""
    subprocess.run(['openssl', *map(str, arguments)], check=True, capture_output=True)
