//! Which devices a replica sees where they take turns: `CUDA_VISIBLE_DEVICES=RR…`, see reference/executor.md §2.

use std::borrow::Cow;
use std::process::Stdio;
use std::time::Duration;

use config::Deployment;
use indexmap::IndexMap;
use tokio::process::Command;

/// What programs look at.
const VARIABLE: &str = "CUDA_VISIBLE_DEVICES";

/// Marks that replicas take turns.
const TURNS: &str = "RR";

/// How long the driver may take to list its devices.
const PATIENCE: Duration = Duration::from_secs(10);

/// The variables of a process.
pub(crate) type Variables = IndexMap<String, String>;

/// The devices of this machine, if one of `deployments` has its replicas take turns; 0 if there are none or nobody cares.
pub(crate) async fn count(deployments: &[Deployment]) -> usize {
    if !deployments.iter().any(|deployment| wanted(&deployment.env).is_some()) {
        return 0;
    }
    let mut list = Command::new("nvidia-smi");
    list.arg("-L").stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(PATIENCE, list.output()).await {
        Ok(Ok(listed)) if listed.status.success() => {
            String::from_utf8_lossy(&listed.stdout).matches("UUID").count()
        }
        _ => std::env::var("CUDA_TOTAL_DEVICES").ok().and_then(|n| n.trim().parse().ok()).unwrap_or_default(),
    }
}

/// The variables of a replica of a deployment that has `variables`, on a machine with `n` devices.
pub(crate) fn of_replica(variables: &Variables, replica: u32, n: usize) -> Cow<'_, Variables> {
    let device = wanted(variables).and_then(|wanted| turn(&wanted, replica, n));
    let Some(device) = device else { return Cow::Borrowed(variables) };
    let mut variables = variables.clone();
    variables.insert(VARIABLE.to_owned(), device);
    Cow::Owned(variables)
}

/// What the deployment, or else this process, says behind the mark.
fn wanted(variables: &Variables) -> Option<String> {
    let said = variables.get(VARIABLE).filter(|said| !said.is_empty()).cloned();
    let said = said.or_else(|| std::env::var(VARIABLE).ok())?;
    said.strip_prefix(TURNS).map(str::to_owned)
}

/// The device of a replica; `None` leaves the variable as it is.
fn turn(wanted: &str, replica: u32, n: usize) -> Option<String> {
    if n == 0 {
        return None;
    }
    let chosen = chosen(wanted, n)?;
    chosen.get(usize::try_from(replica).ok()?.checked_rem(chosen.len())?).cloned()
}

/// The devices among which replicas choose: all, one, a list, or a slice as Python writes it.
fn chosen(wanted: &str, n: usize) -> Option<Vec<String>> {
    let bare = wanted.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(wanted);
    if bare.contains(',') {
        return Some(bare.split(',').map(|device| device.trim().to_owned()).collect());
    }
    let (mut start, mut stop, mut step) = (0, n, 1);
    if !bare.contains(':') {
        match bare.parse::<usize>() {
            Ok(device) => (start, stop) = (device, device.checked_add(1)?),
            Err(_) if bare.is_empty() => {}
            // The name of a device.
            Err(_) => return Some(vec![bare.to_owned()]),
        }
    } else {
        let mut bounds = [&mut start, &mut stop, &mut step].into_iter();
        for part in bare.split(':') {
            let bound = bounds.next()?;
            if !part.is_empty() {
                *bound = part.parse().ok()?;
            }
        }
    }
    Some((start..stop.min(n)).step_by(step.max(1)).map(|device| device.to_string()).collect())
}

#[cfg(test)]
mod tests;
