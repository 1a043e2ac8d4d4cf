//! PEM files. rustls-pemfile is unmaintained; this is the only module that knows it.

use std::io;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A PEM file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no certificate.
    #[error("{file} holds no certificate")]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// It holds no private key.
    #[error("{file} holds no private key")]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// A certificate in it cannot be an authority.
    #[error("a certificate in {file} is not valid")]
    BadCertificate {
        /// The file.
        file: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// Reads all certificates of a file, at least one.
///
/// # Errors
///
/// If there is none.
pub fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let pem = read(file)?;
    let certificates = rustls_pemfile::certs(&mut &pem[..]).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|source| FileError::Read { file: file.to_owned(), source })?;
    if certificates.is_empty() {
        return Err(FileError::NoCertificate { file: file.to_owned() });
    }
    Ok(certificates)
}

/// Reads the first private key of a file.
///
/// # Errors
///
/// If there is none.
pub fn read_private_key(file: &Path) -> Result<PrivateKeyDer<'static>, FileError> {
    let pem = read(file)?;
    rustls_pemfile::private_key(&mut &pem[..])
        .map_err(|source| FileError::Read { file: file.to_owned(), source })?
        .ok_or_else(|| FileError::NoKey { file: file.to_owned() })
}

/// Reads certificate authorities.
///
/// # Errors
///
/// If there is none, or one that is not valid.
pub fn roots(file: &Path) -> Result<RootCertStore, FileError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        roots
            .add(certificate)
            .map_err(|source| FileError::BadCertificate { file: file.to_owned(), source })?;
    }
    Ok(roots)
}

fn read(file: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(file).map_err(|source| FileError::Read { file: file.to_owned(), source })
}
