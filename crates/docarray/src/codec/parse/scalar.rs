//! Values that hold no other values.
//!
//! What can become the type that is asked for without loss does so, as pydantic does it: `"9"` becomes 9.

use call::wire;
use jiter::Peek;
use serde_json::Value;

use super::{Halt, Parser, Place};
use crate::codec::blob;
use crate::codec::invalid::{Bound, Fault};
use crate::codec::shape::{Bounds, Len, TextRule};
use crate::codec::source::Number;

/// Doubles hold all whole numbers up to here.
const MAX_EXACT: u64 = 1 << 53;

impl Parser<'_, '_> {
    pub(super) fn text(&mut self, rule: Option<&TextRule>, place: Place<'_>) -> Result<(), Halt> {
        let start = self.source.at();
        let text = self.source.text()?;
        let broken = rule.and_then(|rule| rule.broken_by(text));
        put_bytes(self.to, place, self.layout.text, text.as_bytes());
        broken.map_or(Ok(()), |bound| self.source.fault(Fault::Bound(bound), start))
    }

    pub(super) fn blob(&mut self, place: Place<'_>) -> Result<(), Halt> {
        if !self.layout.is_node {
            return self.text(None, place);
        }
        let text = self.source.text()?;
        put_bytes(self.to, place, crate::node::field::BLOB, &blob::bytes(text));
        Ok(())
    }

    /// An id is a text; a number does, too.
    pub(super) fn id(&mut self, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        if peek == Peek::String {
            return self.text(None, place);
        }
        if !peek.is_num() {
            return self.source.mismatch("string".to_owned(), peek);
        }
        match self.source.number(peek)? {
            Number::Integer(integer) => self.put_text(place, &integer.to_string()),
            Number::Large(digits) => self.put_text(place, digits),
            Number::Float(float) => self.put_text(place, &float.to_string()),
        }
        Ok(())
    }

    pub(super) fn boolean(&mut self, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        let start = self.source.at();
        let boolean = match peek {
            Peek::True | Peek::False => Some(self.source.boolean(peek)?),
            Peek::String if !self.is_strict => match &*self.source.text()?.to_ascii_lowercase() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            },
            _ if peek.is_num() && !self.is_strict => match self.source.number(peek)? {
                Number::Integer(0) => Some(false),
                Number::Integer(1) => Some(true),
                Number::Float(0.0) => Some(false),
                Number::Float(1.0) => Some(true),
                Number::Integer(_) | Number::Large(_) | Number::Float(_) => None,
            },
            _ => return self.source.mismatch("boolean".to_owned(), peek),
        };
        let Some(boolean) = boolean else {
            return self.source.fault(Fault::Parse { expected: "boolean" }, start);
        };
        place.put_head(self.to, 2);
        wire::put_key(self.to, self.layout.boolean, 0);
        self.to.push(boolean.into());
        Ok(())
    }

    pub(super) fn integer(
        &mut self,
        bounds: Option<&Bounds>,
        place: Place<'_>,
        peek: Peek,
    ) -> Result<(), Halt> {
        let start = self.source.at();
        let value = match peek {
            _ if peek.is_num() => match self.source.number(peek)? {
                Number::Integer(integer) => {
                    self.put_integer(place, integer);
                    integer as f64
                }
                Number::Large(digits) => self.put_large(place, digits),
                Number::Float(float) if float.is_infinite() => {
                    return self.source.fault(Fault::Infinite, start);
                }
                Number::Float(float) if float.fract() == 0.0 && !self.is_strict => {
                    self.put_whole(place, float);
                    float
                }
                Number::Float(float) if self.shapes.is_lenient && !self.is_strict => {
                    self.put_whole(place, float.trunc());
                    float
                }
                Number::Float(_) => return self.source.fault(Fault::Fraction, start),
            },
            Peek::String if !self.is_strict => {
                let text = self.source.text()?.trim();
                let integer = text.parse::<i64>().ok();
                let digits = (integer.is_none() && is_whole(text)).then(|| text.to_owned());
                match (integer, digits) {
                    (Some(integer), _) => {
                        self.put_integer(place, integer);
                        integer as f64
                    }
                    (None, Some(digits)) => self.put_large(place, &digits),
                    (None, None) => return self.source.fault(Fault::Parse { expected: "integer" }, start),
                }
            }
            Peek::True | Peek::False if !self.is_strict => {
                let integer = i64::from(self.source.boolean(peek)?);
                self.put_integer(place, integer);
                integer as f64
            }
            _ => return self.source.mismatch("integer".to_owned(), peek),
        };
        self.check(bounds, value, start)
    }

    pub(super) fn number(
        &mut self,
        bounds: Option<&Bounds>,
        place: Place<'_>,
        peek: Peek,
    ) -> Result<(), Halt> {
        let start = self.source.at();
        let number = match peek {
            _ if peek.is_num() => match self.source.number(peek)? {
                // Where integers are an option of their own, they are not taken for doubles.
                Number::Integer(_) | Number::Large(_) if self.is_strict => {
                    let fault = Fault::Type { expected: "number".to_owned(), found: "integer" };
                    return self.source.fault(fault, start);
                }
                Number::Integer(integer) => integer as f64,
                Number::Large(digits) => digits.parse().unwrap_or(f64::INFINITY),
                Number::Float(float) => float,
            },
            Peek::String if !self.is_strict => match self.source.text()?.trim().parse::<f64>() {
                Ok(float) => {
                    self.put_float(place, float);
                    return self.check(bounds, float, start);
                }
                Err(_) => return self.source.fault(Fault::Parse { expected: "number" }, start),
            },
            Peek::True | Peek::False if !self.is_strict => f64::from(u8::from(self.source.boolean(peek)?)),
            _ => return self.source.mismatch("number".to_owned(), peek),
        };
        if number.is_infinite() {
            return self.source.fault(Fault::Infinite, start);
        }
        self.put_float(place, number);
        self.check(bounds, number, start)
    }

    /// A number of no known shape: an integer if it is one and small enough, a double otherwise.
    pub(super) fn any_number(&mut self, place: Place<'_>, peek: Peek) -> Result<(), Halt> {
        let start = self.source.at();
        let float = match self.source.number(peek)? {
            Number::Integer(integer) if i32::try_from(integer).is_ok() => {
                self.put_integer(place, integer);
                return Ok(());
            }
            Number::Integer(integer) => integer as f64,
            Number::Large(digits) => digits.parse().unwrap_or(f64::INFINITY),
            Number::Float(float) => float,
        };
        if float.is_infinite() {
            return self.source.fault(Fault::Infinite, start);
        }
        self.put_float(place, float);
        Ok(())
    }

    pub(super) fn choice(
        &mut self,
        choices: &[Value],
        shape: usize,
        place: Place<'_>,
        peek: Peek,
    ) -> Result<(), Halt> {
        let start = self.source.at();
        let is_one = match peek {
            Peek::String => {
                let text = self.source.text()?;
                put_bytes(self.to, place, self.layout.text, text.as_bytes());
                choices.iter().any(|choice| choice == text)
            }
            Peek::True | Peek::False => {
                self.boolean(place, peek)?;
                choices.iter().any(|choice| choice.as_bool() == Some(peek == Peek::True))
            }
            _ if peek.is_num() => {
                self.any_number(place, peek)?;
                let number = std::str::from_utf8(self.source.slice(start..self.source.at()));
                let number = number.ok().and_then(|number| number.parse::<f64>().ok());
                number.is_some() && choices.iter().any(|choice| choice.as_f64() == number)
            }
            _ => return self.mismatch(shape, peek),
        };
        if is_one {
            return Ok(());
        }
        self.source.fault(Fault::Choice { expected: self.shapes.expected(shape) }, start)
    }

    fn check(&mut self, bounds: Option<&Bounds>, number: f64, start: usize) -> Result<(), Halt> {
        match bounds.and_then(|bounds| bounds.broken_by(number)) {
            Some(bound) => self.source.fault(Fault::Bound(bound), start),
            None => Ok(()),
        }
    }

    pub(super) fn put_null(&mut self, place: Place<'_>) {
        match self.layout.null {
            Some(field) => {
                place.put_head(self.to, 2);
                wire::put_key(self.to, field, 0);
                self.to.push(0);
            }
            None => place.put_head(self.to, 0),
        }
    }

    pub(super) fn put_text(&mut self, place: Place<'_>, text: &str) {
        put_bytes(self.to, place, self.layout.text, text.as_bytes());
    }

    fn put_float(&mut self, place: Place<'_>, float: f64) {
        place.put_head(self.to, 9);
        wire::put_key(self.to, self.layout.float, 1);
        self.to.extend_from_slice(&float.to_le_bytes());
    }

    /// A whole number: as an `int32` if it is small enough, as a double if that is exact, as digits otherwise,
    /// which receivers that ask for an integer read as well.
    fn put_integer(&mut self, place: Place<'_>, integer: i64) {
        match self.layout.integer {
            Some(field) if i32::try_from(integer).is_ok() => {
                let bits = integer.cast_unsigned();
                place.put_head(self.to, 1 + wire::varint_len(bits));
                wire::put_key(self.to, field, 0);
                wire::put_varint(self.to, bits);
            }
            Some(_) if integer.unsigned_abs() > MAX_EXACT => self.put_text(place, &integer.to_string()),
            Some(_) | None => self.put_float(place, integer as f64),
        }
    }

    /// A double without a fraction.
    fn put_whole(&mut self, place: Place<'_>, float: f64) {
        if float.abs() <= MAX_EXACT as f64 {
            self.put_integer(place, float as i64);
        } else {
            self.put_large(place, &format!("{float:.0}"));
        }
    }

    /// A whole number beyond 64 bits; returns the double next to it.
    fn put_large(&mut self, place: Place<'_>, digits: &str) -> f64 {
        let float = digits.parse().unwrap_or(f64::INFINITY);
        if self.layout.is_node {
            self.put_text(place, digits)
        } else {
            self.put_float(place, float)
        }
        float
    }
}

/// Digits, perhaps after a sign. Python refuses to read numbers of more than a few thousand of them.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    (1..=4000).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Writes a value whose only field holds these bytes.
pub(super) fn put_bytes(to: &mut Vec<u8>, place: Place<'_>, field: u32, bytes: &[u8]) {
    place.put_head(to, wire::bytes_len(field, bytes.len()));
    wire::put_bytes(to, field, bytes);
}

impl Bounds {
    fn broken_by(&self, number: f64) -> Option<Bound> {
        let broken =
            |bound: Option<f64>, holds: fn(f64, f64) -> bool| bound.filter(|bound| !holds(number, *bound));
        None.or_else(|| broken(self.min, |number, bound| number >= bound).map(Bound::AtLeast))
            .or_else(|| broken(self.max, |number, bound| number <= bound).map(Bound::AtMost))
            .or_else(|| broken(self.above, |number, bound| number > bound).map(Bound::Above))
            .or_else(|| broken(self.below, |number, bound| number < bound).map(Bound::Below))
            .or_else(|| {
                broken(self.multiple_of, |number, factor| {
                    let rest = (number / factor).fract().abs();
                    !(1e-9..=1.0 - 1e-9).contains(&rest)
                })
                .map(Bound::MultipleOf)
            })
    }
}

impl TextRule {
    fn broken_by(&self, text: &str) -> Option<Bound> {
        let Len { min, max } = self.len;
        // A character takes a byte at least, so short texts need not be counted.
        if text.len() > max && text.chars().count() > max {
            return Some(Bound::MaxCharacters(max));
        }
        if min > 0 && text.chars().take(min).count() < min {
            return Some(Bound::MinCharacters(min));
        }
        self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)).then_some(Bound::Pattern)
    }
}
