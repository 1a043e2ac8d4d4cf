//! Variables in the values of a file.
//!
//! `${{ ENV.X }}`, `$X` and `${X}` come from the environment, `${{ CONTEXT.x }}` and `${{ x }}` from the
//! caller, `${{root.a.b[0]}}` and `${{this.a}}` from the file itself. The blanks are part of the syntax.
//!
//! What the caller does not give is a mistake: nobody means the text `$$x` that would be left.

use indexmap::IndexMap;
use serde_json::Value;

use super::lines::join;
use crate::layers::Environment;
use crate::{Place, Problem, Reason, Warning};

/// How often references to the file's own values are resolved; one may lead to another.
const PASSES: usize = 3;

struct Run<'a> {
    env: &'a Environment,
    context: Option<&'a IndexMap<String, String>>,
    place: &'a dyn Fn(&str) -> Place,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<Warning>,
}

/// Fills in all variables. There is no `context` where nobody can give one.
pub(super) fn tree(
    value: Value,
    env: &Environment,
    context: Option<&IndexMap<String, String>>,
    place: &dyn Fn(&str) -> Place,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Warning>,
) -> Value {
    let mut run = Run { env, context, place, problems, warnings };
    let mut value = map(value, "", &mut |text, key| Value::String(run.outside(&text, key)));
    for pass in 0..PASSES {
        let root = value.clone();
        let is_last = pass + 1 == PASSES;
        value = map(value, "", &mut |text, key| run.inside(&root, text, key, is_last));
    }
    value
}

/// Replaces every text; the function gets its key path as well.
fn map(value: Value, key: &str, replace: &mut impl FnMut(String, &str) -> Value) -> Value {
    match value {
        Value::String(text) => replace(text, key),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            Value::Array(items.map(|(idx, item)| map(item, &format!("{key}[{idx}]"), replace)).collect())
        }
        Value::Object(entries) => {
            let entries = entries.into_iter();
            Value::Object(
                entries
                    .map(|(k, v)| {
                        let path = join(key, &k);
                        (k, map(v, &path, replace))
                    })
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

impl Run<'_> {
    /// Environment and context.
    fn outside(&mut self, text: &str, key: &str) -> String {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, reference, after)) = next_reference(rest) {
            result.push_str(before);
            result.push_str(&self.outside_reference(reference, key));
            rest = after;
        }
        result.push_str(rest);
        // A value of the environment may itself name variables.
        let once = expand(&result, self.env);
        expand(&once, self.env)
    }

    fn outside_reference(&mut self, reference: &str, key: &str) -> String {
        let unchanged = || format!("${{{{{reference}}}}}");
        let Some(name) = reference.strip_prefix(' ').and_then(|rest| rest.strip_suffix(' ')) else {
            if reference.starts_with("ENV.") || reference.starts_with("env.") {
                let message = format!("write `${{{{ {reference} }}}}`, with one blank on each side");
                self.problems.push(Problem::new((self.place)(key), Reason::Conflict { message }));
            }
            return unchanged();
        };
        let environment = name.strip_prefix("ENV.").or_else(|| name.strip_prefix("env."));
        if let Some(name) = environment.filter(|name| is_name(name)) {
            return self.env.get(name).cloned().unwrap_or_else(|| {
                self.unset(name, key);
                format!("${name}")
            });
        }
        let context = name.strip_prefix("CONTEXT.").or_else(|| name.strip_prefix("context."));
        let name = context.unwrap_or(name);
        if !is_name(name) {
            return unchanged();
        }
        let given = self.context.and_then(|context| context.get(name)).cloned();
        given.unwrap_or_else(|| {
            self.not_given(name, key);
            unchanged()
        })
    }

    fn not_given(&mut self, name: &str, key: &str) {
        let message = match self.context {
            Some(_) => format!(
                "nothing is given for `{name}`: say --context {name}=VALUE, \
                 or write `${{{{ ENV.{name} }}}}` if it is an environment variable"
            ),
            None => format!(
                "this file is given no context: write `${{{{ ENV.{name} }}}}`, \
                 and set the environment variable `{name}`"
            ),
        };
        self.problems.push(Problem::new((self.place)(key), Reason::Conflict { message }));
    }

    fn unset(&mut self, name: &str, key: &str) {
        let reason = Reason::Conflict { message: format!("the variable `{name}` is not set") };
        self.warnings.push(Warning::Doubtful { place: (self.place)(key), reason });
    }

    /// References to the file itself.
    fn inside(&mut self, root: &Value, text: String, key: &str, is_last: bool) -> Value {
        let mut result = String::new();
        let mut rest = text.as_str();
        let mut changed = false;
        while let Some((before, reference, after)) = next_reference(rest) {
            let found = match reference.split_once('.') {
                Some(("root", path)) => Some((path, look_up(root, path))),
                Some(("this", path)) => Some((path, look_up(parent(root, key), path))),
                Some(_) | None => None,
            };
            result.push_str(before);
            match found {
                Some((_, Some(value))) if before.is_empty() && after.is_empty() && result.is_empty() => {
                    return value.clone();
                }
                Some((_, Some(value))) => {
                    changed = true;
                    result.push_str(&crate::form::text(value).unwrap_or_else(|| value.to_string()));
                }
                Some((path, None)) => {
                    if is_last {
                        let message = format!("`{path}` is not in this file");
                        self.problems.push(Problem::new((self.place)(key), Reason::Conflict { message }));
                    }
                    result.push_str(&format!("${{{{{reference}}}}}"));
                }
                None => result.push_str(&format!("${{{{{reference}}}}}")),
            }
            rest = after;
        }
        if !changed {
            return Value::String(text);
        }
        result.push_str(rest);
        Value::String(result)
    }
}

/// What stands before, inside and after the first `${{…}}`.
fn next_reference(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("${{")?;
    let (reference, after) = rest.split_once("}}")?;
    Some((before, reference, after))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// `$X` and `${X}`; unknown names stay as they are.
fn expand(text: &str, env: &Environment) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, end) = match braced {
            Some((name, end)) => (name, end),
            None => {
                let end = after.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(after.len());
                after.split_at(end)
            }
        };
        match env.get(name).filter(|_| is_name(name)) {
            Some(value) => {
                result.push_str(value);
                rest = end;
            }
            None => {
                result.push('$');
                rest = after;
            }
        }
    }
    result.push_str(rest);
    result
}

/// `a.b[0].c` below a value.
fn look_up<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = value;
    for part in path.split('.') {
        let mut pieces = part.split('[');
        let key = pieces.next()?;
        if !key.is_empty() {
            value = value.get(key)?;
        }
        for idx in pieces {
            value = value.get(idx.strip_suffix(']')?.parse::<usize>().ok()?)?;
        }
    }
    Some(value)
}

/// The mapping that contains the value at `key`.
fn parent<'a>(root: &'a Value, key: &str) -> &'a Value {
    let above = key.rfind('.').map_or("", |end| &key[..end]);
    if above.is_empty() { root } else { look_up(root, above).unwrap_or(root) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(value: Value) -> (Value, Vec<Problem>, Vec<Warning>) {
        run_given(Some(&[("c", "ctx")]), value)
    }

    fn run_given(context: Option<&[(&str, &str)]>, value: Value) -> (Value, Vec<Problem>, Vec<Warning>) {
        let pairs = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let env: Environment = pairs(&[("A", "1"), ("B", "b$A")]);
        let context: Option<IndexMap<String, String>> = context.map(pairs);
        let place = |key: &str| Place::Argument(key.to_owned());
        let (mut problems, mut warnings) = (Vec::new(), Vec::new());
        let value = tree(value, &env, context.as_ref(), &place, &mut problems, &mut warnings);
        (value, problems, warnings)
    }

    #[test]
    fn variables_are_filled_in() {
        let check = |text: &str, want: Value| assert_eq!(run(json!({"k": text})).0["k"], want, "{text}");
        check("${{ ENV.A }}", json!("1"));
        check("x${{ env.A }}y${{ ENV.B }}", json!("x1yb1"));
        check("$A ${A} $Z ${Z} $", json!("1 1 $Z ${Z} $"));
        check("${{ ENV.Z }}", json!("$Z"));
        check("${{ CONTEXT.c }} ${{ c }}", json!("ctx ctx"));
        check("${{foo}} ${{ ENV.A}}", json!("${{foo}} ${{ ENV.A}}"));
    }

    #[test]
    fn a_file_may_refer_to_itself() {
        let (value, problems, _) = run(json!({
            "a": {"b": [1, {"c": "deep"}]},
            "whole": "${{root.a}}",
            "part": "x-${{root.a.b[1].c}}-${{root.a.b[0]}}",
            "chain": "${{root.part}}",
            "in": {"own": 5, "same": "${{this.own}}"},
        }));
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(value["whole"], json!({"b": [1, {"c": "deep"}]}));
        assert_eq!(value["part"], json!("x-deep-1"));
        assert_eq!(value["chain"], json!("x-deep-1"));
        assert_eq!(value["in"]["same"], json!(5));
    }

    #[test]
    fn mistakes_are_named() {
        let (_, problems, warnings) =
            run(json!({"a": "${{root.x}}", "b": "${{ENV.A}}", "c": "${{ ENV.Z }}"}));
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            problems,
            [
                "argument b: write `${{ ENV.A }}`, with one blank on each side",
                "argument a: `x` is not in this file"
            ]
        );
        assert_eq!(warnings[0].to_string(), "argument c: the variable `Z` is not set");
    }

    #[test]
    fn a_context_that_nobody_gives_is_a_problem_with_a_remedy() {
        let check = |context: Option<&[(&str, &str)]>, text: &str, want: &str| {
            let (_, problems, warnings) = run_given(context, json!({"k": text}));
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems, [want], "{text}");
            assert_eq!(warnings, [], "{text}");
        };
        let others = Some(&[("c", "ctx")][..]);
        let say = "argument k: nothing is given for `A`: say --context A=VALUE, \
                   or write `${{ ENV.A }}` if it is an environment variable";
        check(others, "${{ CONTEXT.A }}", say);
        check(others, "a-${{ context.A }}-b", say);
        check(others, "${{ A }}", say);
        let write = "argument k: this file is given no context: write `${{ ENV.c }}`, \
                     and set the environment variable `c`";
        check(None, "${{ CONTEXT.c }}", write);
        check(None, "${{ c }}", write);
    }
}
