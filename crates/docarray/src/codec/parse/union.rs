//! Values that may have one of several shapes.
//!
//! Mostly the first byte tells which. Where it does not, each shape is tried: first those that the value has as
//! it stands, then those that it can become, as pydantic does it. The value is read again for each try, so how
//! much is read in vain is bounded: schemas may contain themselves, and then tries multiply.

use jiter::Peek;
use smallvec::SmallVec;

use super::{Halt, Parser, Place};
use crate::codec::invalid::{Fault, Problem};
use crate::codec::shape::{Shape, Shapes};

impl Parser<'_, '_> {
    pub(super) fn union(
        &mut self,
        options: &[usize],
        shape: usize,
        place: Place<'_>,
        peek: Peek,
    ) -> Result<(), Halt> {
        let fits = |way: fn(&Shapes, usize, Peek) -> bool| {
            let shapes = self.shapes;
            options
                .iter()
                .copied()
                .filter(|option| way(shapes, *option, peek))
                .collect::<SmallVec<[usize; 4]>>()
        };
        let exact = fits(is_exact);
        let candidates = if exact.is_empty() && !self.is_strict { fits(is_near) } else { exact };
        match candidates[..] {
            [] => self.mismatch(shape, peek),
            [only] => self.shape(only, place, peek),
            _ => self.try_each(&candidates, place, peek),
        }
    }

    fn try_each(&mut self, candidates: &[usize], place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        let (start, written, n_messages) = (self.source.at(), self.to.len(), self.n_messages);
        let was_strict = self.is_strict;
        let ways: &[bool] = if was_strict { &[true] } else { &[true, false] };
        let mut first_problem = None;
        for is_strict in ways {
            for candidate in candidates {
                let before = self.source.attempt();
                self.is_strict = *is_strict;
                let read = self.shape(*candidate, place, peek);
                self.is_strict = was_strict;
                let problem = self.source.attempted(before);
                if let Err(Halt::Syntax(_)) = read {
                    return read;
                }
                let Some(problem) = problem else { return read };
                let n_read = self.source.at() - start;
                first_problem.get_or_insert(problem);
                self.source.rewind(start);
                self.to.truncate(written);
                self.n_messages = n_messages;
                let Some(budget) = self.budget.checked_sub(n_read) else {
                    return Err(self.source.last_problem(Problem::new(Fault::TooManyWays, start..start)));
                };
                self.budget = budget;
            }
        }
        self.source.skip(peek)?;
        first_problem.map_or(Ok(()), |problem| self.source.problem(problem))
    }
}

/// Whether values of this shape begin like this.
fn is_exact(shapes: &Shapes, shape: usize, peek: Peek) -> bool {
    match shapes.get(shape) {
        // A union among the options is one of its own; it decides when it is tried.
        Shape::Any | Shape::Alias(_) | Shape::Union(_) => true,
        Shape::Boolean => matches!(peek, Peek::True | Peek::False),
        Shape::Integer(_) | Shape::Number(_) => peek.is_num(),
        Shape::Text(_) | Shape::Blob => peek == Peek::String,
        Shape::Choice(choices) => match peek {
            Peek::String => choices.iter().any(serde_json::Value::is_string),
            Peek::True | Peek::False => choices.iter().any(serde_json::Value::is_boolean),
            _ => peek.is_num() && choices.iter().any(serde_json::Value::is_number),
        },
        Shape::Tensor(_) | Shape::List { .. } | Shape::Tuple { .. } => peek == Peek::Array,
        Shape::Dict(_) | Shape::Class(_) => peek == Peek::Object,
    }
}

/// Whether a value that begins like this may become one of this shape.
fn is_near(shapes: &Shapes, shape: usize, peek: Peek) -> bool {
    match shapes.get(shape) {
        Shape::Integer(_) | Shape::Number(_) => matches!(peek, Peek::String | Peek::True | Peek::False),
        Shape::Boolean => peek == Peek::String || peek.is_num(),
        Shape::Tensor(_) => peek == Peek::String || super::tensor::is_item(peek),
        _ => false,
    }
}
