//! Finding `jina`, and processes that end with the Flow.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use super::*;

/// A folder with one program, a shell script.
fn program(name: &str, script: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    (folder, file)
}

/// Runs a shell script in an empty folder.
fn start(script: &str) -> (TempDir, Child) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder.path());
    (folder, Child::start("child".to_owned(), command, None).unwrap())
}

/// Waits until `look` finds something.
async fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let found = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// The process whose number a script wrote into a file.
async fn written(folder: &TempDir, file: &str) -> Pid {
    let file = folder.path().join(file);
    let number = || fs::read_to_string(&file).ok()?.trim().parse().ok();
    Pid::from_raw(until("a process number", number).await).unwrap()
}

async fn gone(process: Pid) {
    until("the end of a process", || test_kill_process(process).err()).await;
}

#[tokio::test]
async fn the_configured_python_must_have_jina() {
    let (_folder, with) = program("python", "exit 0");
    let found = Jina::find(|name| (name == "JINA_PYTHON").then(|| with.clone().into())).await;
    assert_eq!(found.unwrap(), Jina::Module(with));
    let (_folder, without) = program("python", "exit 1");
    for python in [without, PathBuf::from("/no/such/python")] {
        let found = Jina::find(|name| (name == "JINA_PYTHON").then(|| python.clone().into())).await;
        let error = found.unwrap_err().to_string();
        assert!(error.contains(&*python.to_string_lossy()), "{error}");
    }
}

#[test]
fn this_program_is_not_taken_for_jina() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("jina");
    std::os::unix::fs::symlink(std::env::current_exe().unwrap(), &link).unwrap();
    assert!(!is_another(&link));
    assert!(!is_another(&folder.path().join("nothing")));
    let (_folder, jina) = program("jina", "exit 0");
    assert!(is_another(&jina));
}

#[tokio::test]
async fn a_child_is_asked_to_end_before_it_is_killed() {
    let script = "trap 'echo asked > asked; exit' TERM; echo $$ > ready; while :; do sleep 0.1; done";
    let (folder, child) = start(script);
    let process = written(&folder, "ready").await;
    child.stop(Duration::from_secs(20)).await;
    assert!(folder.path().join("asked").exists());
    gone(process).await;
}

#[tokio::test]
async fn a_child_that_does_not_listen_is_killed_with_all_it_started() {
    let script = "trap '' TERM; sleep 1000 & echo $! > started; wait";
    let (folder, child) = start(script);
    let started = written(&folder, "started").await;
    child.stop(Duration::from_millis(100)).await;
    gone(started).await;
    let (folder, child) = start(script);
    let started = written(&folder, "started").await;
    drop(child);
    gone(started).await;
}

#[tokio::test]
async fn the_end_of_a_child_is_noticed() {
    let (_folder, mut child) = start("exit 3");
    assert_eq!(child.ended().await.unwrap().code(), Some(3));
}

/// The Flow may be killed before it can stop anybody; then the pipe closes.
#[tokio::test]
async fn python_ends_when_the_pipe_closes() {
    let folder = tempfile::tempdir().unwrap();
    let module = "import os, sys, time\nopen('number', 'w').write(str(os.getpid()))\n\
        open('arguments', 'w').write(' '.join(sys.argv))\ntime.sleep(1000)\n";
    fs::write(folder.path().join("jina.py"), module).unwrap();
    let mut command = Jina::Module("python3".into()).command();
    command.args(["executor", "--native"]).current_dir(folder.path());
    let mut child = Child::start("child".to_owned(), command, None).unwrap();
    let process = written(&folder, "number").await;
    let arguments =
        || fs::read_to_string(folder.path().join("arguments")).ok().filter(|text| text.contains("--"));
    assert!(until("arguments", arguments).await.ends_with("jina.py executor --native"));
    child.close_pipe();
    let status = tokio::time::timeout(Duration::from_secs(20), child.ended()).await.unwrap().unwrap();
    assert!(!status.success());
    gone(process).await;
}
