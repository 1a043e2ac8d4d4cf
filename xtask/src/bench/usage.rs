//! What a program and its children have used, read from `/proc`.

use std::collections::HashMap;
use std::time::Duration;
use std::{fs, io};

use anyhow::Context as _;

/// What a program and all programs that it started have used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Time of processors, threads that have ended included.
    pub(super) cpu: Duration,
    /// Memory that is not swapped out.
    pub(super) resident: u64,
}

/// Of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: u32,
    cpu: Duration,
    resident: u64,
}

impl Usage {
    /// Of the process `root` and its descendants.
    pub(super) fn of(root: u32) -> anyhow::Result<Self> {
        let mut stats = HashMap::new();
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            match fs::read_to_string(format!("/proc/{id}/stat")) {
                Ok(stat) => {
                    stats.insert(id, Stat::parse(&stat).with_context(|| format!("/proc/{id}/stat"))?);
                }
                // It has ended meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(3) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self::sum(root, &stats))
    }

    fn sum(root: u32, stats: &HashMap<u32, Stat>) -> Self {
        let mut sum = Self::default();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            if let Some(stat) = stats.get(&id) {
                sum.cpu += stat.cpu;
                sum.resident += stat.resident;
            }
            open.extend(stats.iter().filter(|(_, stat)| stat.parent == id).map(|(id, _)| *id));
        }
        sum
    }
}

impl Stat {
    /// Reads the line; the second field is a name in brackets that may hold anything.
    fn parse(line: &str) -> anyhow::Result<Self> {
        const TICK: Duration = Duration::from_millis(10);
        const PAGE: u64 = 4096;
        let (_, fields) = line.rsplit_once(')').context("no name")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // Numbered as in proc_pid_stat(5), which begins at 1 and has two fields before these.
        let field = |number: usize| fields.get(number - 3).context("too few fields");
        let ticks = field(14)?.parse::<u32>()? + field(15)?.parse::<u32>()?;
        Ok(Self {
            parent: field(4)?.parse()?,
            cpu: TICK * ticks,
            resident: PAGE * field(24)?.parse::<u64>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whatever_the_name_is() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 99 1000 300 18446744073709551615";
        let want = Stat { parent: 7, cpu: Duration::from_secs(3), resident: 300 * 4096 };
        assert_eq!(Stat::parse(line).unwrap(), want);
    }

    #[test]
    fn children_count_and_strangers_do_not() {
        let stat = |parent| Stat { parent, cpu: Duration::from_secs(1), resident: 10 };
        let stats = HashMap::from([(1, stat(0)), (2, stat(1)), (3, stat(2)), (4, stat(2)), (5, stat(1))]);
        assert_eq!(Usage::sum(2, &stats), Usage { cpu: Duration::from_secs(3), resident: 30 });
    }
}
