//! Files of the log, and how they are put aside.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use config::{LogPeriod, LogTarget};
use jiff::{ToSpan as _, ZonedDateTime};

use super::LogError;
use super::record::Process;

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    aside: Aside,
    state: Mutex<State>,
}

/// When a file is put aside.
#[derive(Debug, Clone)]
enum Aside {
    Never,
    /// Full at so many bytes.
    Full {
        max_bytes: u64,
        backups: usize,
    },
    /// Old after so long.
    Old {
        every: LogPeriod,
        backups: usize,
    },
}

#[derive(Debug)]
struct State {
    file: File,
    bytes: u64,
    /// When what is in it now began.
    begun: ZonedDateTime,
}

impl Output {
    pub(super) fn open(target: &LogTarget, process: &Process) -> Result<Self, LogError> {
        let (path, aside) = match target {
            LogTarget::SizedFile { path, max_bytes, backups } if *max_bytes > 0 && *backups > 0 => {
                (path, Aside::Full { max_bytes: *max_bytes, backups: *backups })
            }
            LogTarget::TimedFile { path, every, backups } => {
                (path, Aside::Old { every: *every, backups: *backups })
            }
            LogTarget::File { path } | LogTarget::SizedFile { path, .. } => (path, Aside::Never),
            LogTarget::Stdout | LogTarget::Syslog { .. } => {
                unreachable!("these are no files, and their handlers are others")
            }
        };
        let path = path.fill(|field, _| match field {
            config::Field::Uptime => process.uptime(),
            _ => process.name.replace('/', "-"),
        });
        let path = PathBuf::from(path);
        let state = State::open(&path).map_err(|source| LogError::File { file: path.clone(), source })?;
        Ok(Self { path, aside, state: Mutex::new(state) })
    }

    pub(super) fn write(&self, line: &str, now: &ZonedDateTime) -> io::Result<()> {
        // Whoever panicked while writing leaves a file that can be written on.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let length = line.len() as u64 + 1;
        match &self.aside {
            Aside::Full { max_bytes, backups } if state.bytes > 0 && state.bytes + length > *max_bytes => {
                shift(&self.path, *backups)?;
                *state = State::open(&self.path)?;
            }
            Aside::Old { every, backups } if is_old(&state.begun, *every, now) => {
                let suffix = match every {
                    LogPeriod::Every { suffix, .. } => suffix,
                    LogPeriod::Midnight { .. } | LogPeriod::Weekday(_) => "%Y-%m-%d",
                };
                fs::rename(&self.path, behind(&self.path, &state.begun.strftime(suffix).to_string()))?;
                forget(&self.path, *backups)?;
                *state = State { begun: now.clone(), ..State::open(&self.path)? };
            }
            Aside::Never | Aside::Full { .. } | Aside::Old { .. } => {}
        }
        writeln!(state.file, "{line}")?;
        state.bytes += length;
        Ok(())
    }
}

impl State {
    /// A file that is there already began when it was last written.
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let metadata = file.metadata()?;
        let written = metadata.modified().ok().filter(|_| metadata.len() > 0);
        let written = written.and_then(|time| jiff::Timestamp::try_from(time).ok());
        let now = ZonedDateTime::now();
        let begun =
            written.map_or_else(|| now.clone(), |time| time.to_zoned_datetime(now.time_zone().clone()));
        Ok(Self { file, bytes: metadata.len(), begun })
    }
}

fn is_old(begun: &ZonedDateTime, every: LogPeriod, now: &ZonedDateTime) -> bool {
    let midnight = |days: i64| begun.checked_add(days.days()).and_then(|day| day.start_of_day());
    let end = match every {
        LogPeriod::Every { period, .. } => begun.checked_add(period),
        LogPeriod::Midnight { days } => midnight(days.into()),
        LogPeriod::Weekday(day) => {
            let today = begun.weekday().to_monday_zero_offset();
            midnight((i64::from(day) - i64::from(today)).rem_euclid(7) + 1)
        }
    };
    // What lies beyond the end of time is not old.
    end.is_ok_and(|end| *now >= end)
}

/// `x.log` becomes `x.log.1`, which becomes `x.log.2`, and the last is gone.
fn shift(path: &Path, backups: usize) -> io::Result<()> {
    let numbered = |n: usize| behind(path, &n.to_string());
    for n in (1..backups).rev().filter(|n| numbered(*n).exists()) {
        fs::rename(numbered(n), numbered(n + 1))?;
    }
    fs::rename(path, numbered(1))
}

/// Of the files put aside the youngest stay; 0 keeps all.
fn forget(path: &Path, backups: usize) -> io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let start = format!("{}.", name.to_string_lossy());
    let mut aside: Vec<PathBuf> = fs::read_dir(folder)?
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let rest = name.to_str().and_then(|name| name.strip_prefix(&start));
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.len() >= 10)
        })
        .map(|entry| entry.path())
        .collect();
    aside.sort();
    let n_old = if backups == 0 { 0 } else { aside.len().saturating_sub(backups) };
    aside.iter().take(n_old).try_for_each(fs::remove_file)
}

fn behind(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
