//! The results, for people and for programs.

use std::fmt::Write as _;

use super::Round;
use super::contender::Kind;

/// The middle of several measurements of one contender in one case.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Summary {
    pub(super) contender: &'static str,
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    /// Of the contender's processes; none where nobody stands between.
    pub(super) cpu_us_per_request: Option<f64>,
    pub(super) resident_mib: Option<f64>,
}

impl Summary {
    pub(super) fn of(kind: Kind, rounds: &[Round]) -> Self {
        let middle = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        Self {
            contender: kind.name(),
            per_second: middle(&|round| round.load.per_second),
            p50_us: middle(&|round| round.load.p50_us as f64),
            p99_us: middle(&|round| round.load.p99_us as f64),
            cpu_us_per_request: optional_median(rounds.iter().map(|round| round.cpu_us_per_request)),
            resident_mib: optional_median(rounds.iter().map(|round| round.resident_mib)),
        }
    }
}

/// One case as a table; `× ` columns compare the processor time with the contender that they name.
pub(super) fn table(title: &str, summaries: &[Summary]) -> String {
    let cpu_of = |name: &str| {
        let summary = summaries.iter().find(|summary| summary.contender == name)?;
        summary.cpu_us_per_request
    };
    let compared: Vec<_> =
        ["haproxy", "nginx", "jina"].into_iter().filter_map(|name| Some((name, cpu_of(name)?))).collect();
    let mut table = format!("### {title}\n\n");
    let mut head = "| gateway | requests/s | p50 µs | p99 µs | CPU µs/request | memory MiB |".to_owned();
    let mut line = "| --- | ---: | ---: | ---: | ---: | ---: |".to_owned();
    for (name, _) in &compared {
        write!(head, " CPU × {name} |").expect("writing to text cannot fail");
        line.push_str(" ---: |");
    }
    table.push_str(&format!("{head}\n{line}\n"));
    for summary in summaries {
        let mut row = format!(
            "| {} | {:.0} | {:.0} | {:.0} | {} | {} |",
            summary.contender,
            summary.per_second,
            summary.p50_us,
            summary.p99_us,
            number(summary.cpu_us_per_request, 1),
            number(summary.resident_mib, 0),
        );
        for (_, other) in &compared {
            let ratio = summary.cpu_us_per_request.map(|cpu| cpu / other);
            row.push_str(&format!(" {} |", number(ratio, 2)));
        }
        table.push_str(&row);
        table.push('\n');
    }
    table
}

pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

pub(super) fn optional_median(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Option<Vec<f64>> = values.collect();
    values.map(median)
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(contender: &'static str, cpu: Option<f64>) -> Summary {
        Summary {
            contender,
            per_second: 1000.4,
            p50_us: 10.0,
            p99_us: 20.0,
            cpu_us_per_request: cpu,
            resident_mib: cpu,
        }
    }

    #[test]
    fn ratios_are_of_processor_time() {
        let summaries =
            [summary("direct", None), summary("flowgate", Some(30.0)), summary("haproxy", Some(20.0))];
        assert_eq!(
            table("small", &summaries),
            "### small\n\n\
             | gateway | requests/s | p50 µs | p99 µs | CPU µs/request | memory MiB | CPU × haproxy |\n\
             | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n\
             | direct | 1000 | 10 | 20 | – | – | – |\n\
             | flowgate | 1000 | 10 | 20 | 30.0 | 30 | 1.50 |\n\
             | haproxy | 1000 | 10 | 20 | 20.0 | 20 | 1.00 |\n"
        );
    }

    #[test]
    fn the_middle_is_not_moved_by_one_bad_round() {
        assert_eq!(median(vec![900.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(vec![4.0, 1.0, 900.0, 2.0]), 3.0);
    }
}
