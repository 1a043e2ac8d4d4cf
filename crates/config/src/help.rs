//! What `--help` prints.

use std::fmt::Write as _;

use crate::command::COMMANDS;
use crate::nearest::nearest;
use crate::table::{Argument, Mark, Program, all, arguments};

/// Column in which explanations begin.
const INDENT: usize = 38;

/// The commands.
pub(crate) fn overview() -> String {
    let mut text = "usage: flowgate COMMAND [ARGUMENTS]\n\n".to_owned();
    for (name, what) in COMMANDS {
        line(&mut text, name, what);
    }
    line(&mut text, "-v, --version", "Show the version");
    line(&mut text, "-vf", "Show all versions and the environment");
    text
}

/// The arguments of a process; those without an effect only if `everything` is asked for.
pub(crate) fn program(program: Program, everything: bool) -> String {
    let name = match program {
        Program::Gateway => "gateway",
        Program::Executor | Program::Deployment => "executor",
    };
    let mut text = format!("usage: flowgate {name} [ARGUMENTS]\n");
    let sections: [(&str, &[Mark]); 3] = [
        ("Arguments of Jina", &[Mark::Honoured, Mark::Beyond]),
        ("Arguments beyond Jina", &[Mark::Own]),
        ("Accepted, without an effect", &[Mark::Accepted, Mark::Elsewhere]),
    ];
    let n_sections = if everything { sections.len() } else { 2 };
    for (title, marks) in &sections[..n_sections] {
        let _infallible = writeln!(text, "\n{title}:");
        for argument in arguments(program).filter(|argument| marks.contains(&argument.mark)) {
            describe(&mut text, argument);
        }
    }
    text.push_str(
        "\nEvery argument is also a key in YAML (with underscores) and a variable FLOWGATE_<ARGUMENT>.\n",
    );
    text
}

/// Every argument whose name or explanation has this word in it, or the nearest one.
pub(crate) fn about(word: &str) -> String {
    let word = word.trim_start_matches('-').replace('_', "-").to_lowercase();
    let names = || all().map(|argument| argument.name);
    let has = |argument: &&Argument, word: &str| {
        let named = std::iter::once(&argument.name).chain(argument.aliases);
        named.into_iter().any(|name| name.contains(word)) || argument.help.to_lowercase().contains(word)
    };
    let mut found: Vec<_> = all().filter(|argument| has(argument, &word)).collect();
    if found.is_empty()
        && let Some(name) = nearest(&word, names())
    {
        found = all().filter(|argument| argument.name == name).collect();
    }
    if found.is_empty() {
        return format!("nothing is known of `{word}`\n\n{}", overview());
    }
    let mut text = String::new();
    for argument in found {
        describe(&mut text, argument);
        let on = [("gateway", argument.on.gateway), ("executor", argument.on.executor)];
        let on: Vec<_> = on.into_iter().filter(|(_, known)| *known).map(|(name, _)| name).collect();
        let on = if on.is_empty() { "executors of a Flow".to_owned() } else { on.join(", ") };
        let _infallible = writeln!(text, "{:INDENT$}of: {on}", "");
        if let Some(why) = argument.ineffective {
            let _infallible = writeln!(text, "{:INDENT$}has no effect here: {why}", "");
        }
    }
    text
}

/// The arguments of a command that runs nothing for long.
pub(crate) fn tool(usage: &str, arguments: &[&'static Argument]) -> String {
    let mut text = format!("usage: flowgate {usage}\n\n");
    for argument in arguments {
        describe(&mut text, argument);
    }
    text
}

fn describe(text: &mut String, argument: &Argument) {
    let placeholder = argument.form.placeholder();
    let left = format!("--{} {placeholder}", argument.name);
    let mut right = argument.help.to_owned();
    let default = argument.default.filter(|default| *default != "false");
    if let Some(default) = default {
        let _infallible = write!(right, " (default: {default})");
    }
    if !argument.aliases.is_empty() {
        let _infallible = write!(right, " (also --{})", argument.aliases.join(", --"));
    }
    line(text, left.trim_end(), &right);
}

fn line(text: &mut String, left: &str, right: &str) {
    if left.len() + 4 > INDENT {
        let _infallible = writeln!(text, "  {left}\n{:INDENT$}{right}", "");
    } else {
        let _infallible = writeln!(text, "  {left:width$}{right}", width = INDENT - 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_found_by_a_word() {
        let check = |word: &str, want: &str| assert!(about(word).contains(want), "{word}:\n{}", about(word));
        check("timeout_send", "--timeout-send");
        check("--compression", "of: gateway, executor");
        check("prefetchh", "--prefetch");
        check("certificate", "--ssl-certfile");
        check("qqqqqq", "nothing is known of `qqqqqq`");
    }
}
