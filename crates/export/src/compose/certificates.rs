//! Certificates and keys of this machine in containers.

use std::path;

/// Arguments that name files of certificates and keys.
const FILES: [&str; 9] = [
    "--ssl-certfile",
    "--ssl-keyfile",
    "--ssl-client-ca",
    "--tls-certfile",
    "--tls-keyfile",
    "--tls-client-ca",
    "--executors-ca",
    "--executors-certfile",
    "--executors-keyfile",
];

/// Where they are in containers.
const DIRECTORY: &str = "/etc/flowgate/tls";

/// Mounts each file that `command` names, and names it there by where it is in the container. Paths are relative to the
/// directory that the Flow is exported in, as a Flow that runs takes them.
pub(super) fn mount(command: &mut [String], volumes: &mut Vec<String>) {
    for idx in 1..command.len() {
        let Some(name) = FILES.iter().find(|name| command[idx - 1] == **name) else {
            continue;
        };
        let inside = format!("{DIRECTORY}/{}.pem", name.trim_start_matches('-'));
        let file = std::mem::replace(&mut command[idx], inside.clone());
        // Only an empty path and a lost working directory have no absolute form; the engine tells of both.
        let file = path::absolute(&file).map_or(file, |file| super::escaped(&file.display().to_string()));
        volumes.push(format!("{file}:{inside}:ro"));
    }
}
