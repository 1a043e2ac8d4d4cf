//! Layouts as users write them.

use super::*;
use crate::Environment;

fn read(text: &str) -> (Layout, Vec<String>) {
    let env = Environment::new();
    let mut context = Context::new(&env, true);
    let layout = layout(Path::new("log.yml"), text, &mut context);
    (layout, context.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn what_is_built_in_is_right() {
    for name in ["default", "plain", "json", "docker", "remote", "profile", "quiet"] {
        let (layout, problems) = read(built_in(name).unwrap());
        assert_eq!(problems, Vec::<String>::new(), "{name}");
        assert_eq!(layout.handlers.is_empty(), name == "quiet", "{name}");
    }
    assert_eq!(read(built_in("json").unwrap()).0.handlers[0].form, LineForm::Json);
}

#[test]
fn every_handler_has_its_settings() {
    let text = "\
handlers: [FileHandler, RotatingFileHandler, TimedRotatingFileHandler, SysLogHandler]
level: warning
configs:
  FileHandler:
    format: '%(message)s'
    output: 'flow-{name}-{uptime}.log'
    formatter: JsonFormatter
  RotatingFileHandler: {format: '%(message)s', filename: a.log, maxBytes: 1000, backupCount: 2}
  TimedRotatingFileHandler: {filename: b.log, when: M, interval: 5, backupCount: 3}
  SysLogHandler: {ident: 'me: ', host: 127.0.0.1, port: 514}
";
    let (layout, problems) = read(text);
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(layout.level, Some(Level::Warning));
    let [file, sized, timed, system] = &layout.handlers[..] else { panic!("{layout:?}") };
    assert_eq!(file.form, LineForm::Json);
    assert!(matches!(&sized.target, LogTarget::SizedFile { max_bytes: 1000, backups: 2, .. }));
    let period = LogPeriod::Every { period: Duration::from_secs(300), suffix: "%Y-%m-%d_%H-%M" };
    assert!(matches!(&timed.target, LogTarget::TimedFile { every, backups: 3, .. } if *every == period));
    let address = Some(("127.0.0.1".to_owned(), 514));
    assert_eq!(system.target, LogTarget::Syslog { ident: "me: ".to_owned(), address });
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = "\
handlers: [StreamHandler, FileHandler, RichHandlr, SysLogHandler]
level: LOUD
configs:
  StreamHandler:
    format: '%(nobody)s'
    formatter: JsonFormattr
  FileHandler:
    format: '{nobody}'
  SysLogHandler:
    host: there
    port: many
    format: '%(message)'
";
    let (_, problems) = read(text);
    let at: Vec<_> = problems.iter().map(|p| p.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    let want = [
        "log.yml:2 level",
        "log.yml:6 configs.StreamHandler.formatter",
        "log.yml:7 configs.FileHandler",
        "log.yml:1 handlers[2]",
        "log.yml:11 configs.SysLogHandler.port",
        "log.yml:12 configs.SysLogHandler.format",
    ];
    assert_eq!(at, want, "{problems:#?}");
    assert!(problems[3].contains("did you mean `RichHandler`?"), "{}", problems[3]);
}
